"""Translations: collect what is said, compile what is translated, say what is missing."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from babel.messages.pofile import write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.core import catalogues


class Command(BaseCommand):
    help = (
        "extract: collect what is said, into hub/locale/django.pot and the catalogues there are (--language begins"
        " one). compile: write the .mo of every complete catalogue. check: say what is missing; exit 1 if anything is."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["extract", "compile", "check"])
        parser.add_argument("--language", metavar="CODE", help="With extract: begin this one, such as cy.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.LOCALE_PATHS[0])
        template = catalogues.extract(Path(settings.BASE_DIR))
        match options["what"]:
            case "extract":
                self._extract(folder, template, options["language"])
            case "compile":
                self._compile(folder, template)
            case _:
                self._check(folder, template)

    def _extract(self, folder: Path, template: Any, language: str | None) -> None:
        folder.mkdir(exist_ok=True)
        with (folder / "django.pot").open("wb") as file:
            write_po(file, template, width=110, sort_by_file=True)
        self.stdout.write(f"{len(template)} messages in {folder.name}/django.pot")
        for one in sorted({*catalogues.languages(folder), *([language] if language else [])}):
            catalogues.update(folder, one, template)
            self._say(catalogues.standing(folder, one, template))

    def _compile(self, folder: Path, template: Any) -> None:
        for language in catalogues.languages(folder):
            found, mo = catalogues.standing(folder, language, template), catalogues.path_of(folder, language, ".mo")
            if found.is_complete:
                mo.write_bytes(catalogues.compiled(catalogues.read(catalogues.path_of(folder, language))))
            else:
                mo.unlink(missing_ok=True)
            self._say(catalogues.standing(folder, language, template))

    def _check(self, folder: Path, template: Any) -> None:
        found = [catalogues.standing(folder, language, template) for language in catalogues.languages(folder)]
        for one in found:
            self._say(one)
        bad = [one.language for one in found if not one.is_complete or one.stale]
        if bad:
            raise CommandError(f"Not complete, or not compiled: {', '.join(bad)}.")
        self.stdout.write(f"{len(template)} messages; {len(found)} languages beside English, all complete.")

    def _say(self, one: catalogues.Standing) -> None:
        offered = "offered" if one.is_complete and not one.stale else "not offered"
        self.stdout.write(f"{one.language}: {one.missing} of {one.messages} missing, {len(one.wrong)} wrong; {offered}")
        for text in one.wrong:
            self.stdout.write(f"  placeholders differ: {text}")
