"""What several domains' forms share."""

from __future__ import annotations


class Choice(str):
    """A choice's label with a sentence of what it means; `components/options.html` shows both."""

    __slots__ = ("about",)
    about: str

    def __new__(cls, label: str, about: str = "") -> Choice:
        made = super().__new__(cls, label)
        made.about = about
        return made
