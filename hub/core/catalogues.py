"""Catalogues of translations, without system tools: what is said, in which languages, and whether all of it is.

Templates are read by Django's own lexer, Python by Babel's extractor. A language is offered when its
catalogue is complete: `catalogue compile` writes the `.mo` of complete ones only, and settings offer
the languages whose `.mo` is there.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PLACES = ("hub", "verification", "imports")
TEMPLATES = "templates"
_KEYWORDS: dict[str, Any] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_COMMENTS = ("Translators:",)
_A_CALL = re.compile(rb"\b(?:%s)\s*\(" % "|".join(_KEYWORDS).encode())
"""What every message stands in; a file without one need not be taken apart."""
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%[sd]")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a language is: how many messages lack a translation, or have one whose placeholders differ."""

    language: str
    messages: int
    missing: int
    wrong: tuple[str, ...]
    stale: bool
    """Whether its `.mo` is missing or older than its `.po` says."""

    @property
    def is_complete(self) -> bool:
        return not self.missing and not self.wrong


def extract(project: Path) -> Catalog:
    """Return everything that is said through gettext, in Python and templates, each with its places."""
    catalog = Catalog(project="Schoolgate", charset="utf-8", fuzzy=False)
    for path, found in _found(project):
        for line, ids, comments, context in found:
            catalog.add(
                ids, locations=[(path.relative_to(project).as_posix(), line)], auto_comments=comments, context=context
            )
    return catalog


Message = tuple[int, str | tuple[str, ...], list[str], str | None]


def _found(project: Path) -> Iterator[tuple[Path, list[Message]]]:
    for place in PLACES:
        for path in sorted((project / place).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, list(messages_of_python(path.read_bytes()))
    for path in sorted((project / TEMPLATES).rglob("*")):
        if path.suffix in {".html", ".txt"}:
            yield path, list(messages_of_template(path.read_text(encoding="utf-8")))


def messages_of_python(source: bytes) -> Iterator[Message]:
    """Yield (line, message or its forms, comments for translators, context)."""
    if not _A_CALL.search(source):
        return
    # Babel's own types say less than it yields: a call with several arguments comes as a tuple.
    found: Iterable[tuple[int, str, Any, list[str]]] = cast(Any, extract_python)(
        io.BytesIO(source), _KEYWORDS, _COMMENTS, {"encoding": "utf-8"}
    )
    for line, keyword, given, comments in found:
        parts = given if isinstance(given, tuple) else (given,)
        context, ids = _parts(keyword, parts)
        if all(isinstance(one, str) and one for one in ids):
            yield line, (ids[0] if len(ids) == 1 else ids), list(comments), context


def _parts(keyword: str, parts: tuple[Any, ...]) -> tuple[str | None, tuple[str, ...]]:
    context = None
    if "pgettext" in keyword:
        context, parts = parts[0], parts[1:]
    return context, parts[: 2 if keyword.startswith(("n", "np")) else 1]


def messages_of_template(source: str) -> Iterator[Message]:
    """Yield the messages of a template; Django writes its tags as calls, and blanks out everything else."""
    python = templatize(source)
    # What is not a call is noise, whose indentation Python would stumble over.
    lines = (line.strip() for line in python.splitlines())
    calls = ("gettext(", "_(")
    yield from messages_of_python(
        "\n".join(line if line[:1] == "#" or any(call in line for call in calls) else "" for line in lines).encode()
    )


# Languages


def languages(folder: Path) -> list[str]:
    """Return the languages that have a catalogue, begun or complete."""
    return sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/django.po"))


def path_of(folder: Path, language: str, suffix: str = ".po") -> Path:
    """Return where the catalogue of a language lies."""
    return folder / language / "LC_MESSAGES" / f"django{suffix}"


def update(folder: Path, language: str, template: Catalog) -> None:
    """Bring a language's catalogue up to what is said now; what is said no more is dropped. Makes a new one too."""
    path = path_of(folder, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = read(path) if path.exists() else Catalog(locale=language, project="Schoolgate", charset="utf-8")
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(
            file, catalog, width=110, no_location=False, omit_header=False, sort_by_file=True, ignore_obsolete=True
        )


def read(path: Path) -> Catalog:
    """Return the catalogue in a `.po` file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, domain="django")


def compiled(catalog: Catalog) -> bytes:
    """Return the catalogue as gettext reads it."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def standing(folder: Path, language: str, template: Catalog) -> Standing:
    """Say how far a language is, against what is said now."""
    catalog = read(path_of(folder, language))
    missing, wrong = 0, []
    wanted = [message for message in template if message.id]
    for message in wanted:
        known = catalog.get(message.id, message.context)
        if known is None or known.fuzzy or not _is_said(known.string):
            missing += 1
        elif any(_differ(message.id, text) for text in _texts(known.string)):
            wrong.append(str(message.id))
    mo = path_of(folder, language, ".mo")
    stale = not mo.exists() or mo.read_bytes() != compiled(catalog)
    return Standing(language, len(wanted), missing, tuple(wrong), stale)


def _texts(string: Any) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (string,)


def _is_said(string: Any) -> bool:
    return bool(string) and all(_texts(string))


def _differ(ids: Any, text: str) -> bool:
    """Whether a translation lacks a placeholder that every form of its message has, or has one of its own."""
    wanted = [set(placeholders(one)) for one in _texts(ids)]
    found = set(placeholders(text))
    return not set.intersection(*wanted) <= found <= set.union(*wanted)


def placeholders(text: str) -> Iterable[str]:
    """Return `{name}` and `%(name)s`, as they stand in a message."""
    return _PLACEHOLDER.findall(text)
