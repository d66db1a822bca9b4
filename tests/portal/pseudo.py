"""A language made of English: `[!! Ĥöḿé !!]`. What stands on a page without these marks was never translated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import django
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from hub.core import catalogues

LANGUAGE = "xx"
_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "áƀćđéƒǵĥíĵķĺḿńóƥɋŕśţúṽŵẋýźÁƁĆĐÉƑǴĤÍĴĶĹḾŃÓƤɊŔŚŢÚṼŴẊÝŹ",
)
_KEPT = re.compile(r"(%\(\w+\)[sd]|\{\w*\}|%[sd]|%%|<[^>]*>|&\w+;)")
_SPOKEN = {"aria-label", "alt", "title", "placeholder", "content"}
_WITHIN = ("strong", "ins", "del", "em", "a", "span", "wbr")
_SAID = re.compile(r"\[!![^\[\]]*!!\]")


def pseudo(text: str) -> str:
    """Return the text with strange letters, in marks; placeholders and tags stay."""
    parts = (part if _KEPT.fullmatch(part) else part.translate(_LETTERS) for part in _KEPT.split(text))
    return f"[!! {''.join(parts)} !!]"


@cache
def _compiled() -> bytes:
    made = Catalog(locale=None, charset="utf-8")
    for source in (*_djangos(), catalogues.extract(Path(__file__).parents[2])):
        for message in source:
            if isinstance(message.id, str) and message.id:
                made.add(message.id, pseudo(message.id), context=message.context)
            elif message.id:
                made.add(message.id, tuple(pseudo(one) for one in message.id), context=message.context)
    for letters in ("D j M", "D j M Y", "{date}, {time}"):
        made.add(letters, letters)
    return catalogues.compiled(made)


def _djangos() -> Iterable[Catalog]:
    """What Django itself says, which it brings translated."""
    for place in ("conf", "contrib/auth"):
        path = Path(django.__file__).parent / place / "locale" / "en" / "LC_MESSAGES" / "django.po"
        with path.open("rb") as file:
            yield read_po(file)


def write(folder: Path) -> None:
    """Write the catalogue below a locale folder."""
    path = catalogues.path_of(folder, LANGUAGE, ".mo")
    path.parent.mkdir(parents=True)
    path.write_bytes(_compiled())


class _Spoken(HTMLParser):
    """Collects what a page says: its text, and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._block: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        known = dict(attrs)
        if tag == "meta":
            return
        self.said += [value for name, value in attrs if name in _SPOKEN and value]
        if tag == "input" and known.get("type") in ("submit", "button") and known.get("value"):
            self.said.append(str(known["value"]))
        if tag not in _WITHIN:
            self._end()

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")
        if tag not in _WITHIN:
            self._end()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._block.append(data)

    def close(self) -> None:
        super().close()
        self._end()

    def _end(self) -> None:
        # A sentence may hold tags: it is judged in one piece.
        self.said.append("".join(self._block))
        self._block = []


def untranslated(page: str, data: Iterable[str]) -> list[str]:
    """Return what a page says without marks; `data` are names and values that no language changes."""
    reader = _Spoken()
    reader.feed(page)
    reader.close()
    known = sorted({one.replace(" ", "\u00a0") for one in data} | set(data), key=len, reverse=True)
    return [said.strip() for said in reader.said if re.search(r"[A-Za-z]{2,}", _rest(said, known))]


def _rest(said: str, known: list[str]) -> str:
    for one in known:
        said = said.replace(one, " ")
    while (less := _SAID.sub(" ", said)) != said:
        said = less
    return said
