"""PDF pages in a font of our own: Latin, Greek and Cyrillic names print, whatever the machine has installed.

fpdf is loaded with the first document: it takes as long as the rest of a process that draws none.
"""

from __future__ import annotations

import logging
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every letter it keeps

FAMILY = "sans"
_FONTS = Path(__file__).parent / "fonts"
_FILES = {"": "DejaVuSansCondensed.ttf", "B": "DejaVuSansCondensed-Bold.ttf"}
MISSING = "?"
"""What stands for a character that the font does not draw, Arabic or Chinese say."""


def document(*, title: str, orientation: str = "portrait") -> FPDF:
    """Return an empty A4 document with the font set at 10 points; its text goes through `printable`."""
    from fpdf import FPDF

    pdf = FPDF(orientation=orientation, format="A4")
    for style, name in _FILES.items():
        pdf.add_font(FAMILY, style, _FONTS / name)
    pdf.set_title(title)
    pdf.set_creator("Schoolgate")
    pdf.set_lang("en-GB")
    pdf.set_font(FAMILY, size=10)
    return pdf


def printable(text: str) -> str:
    """Return the text in characters that the font draws: a letter without its accent rather than none."""
    known = _known()
    return "".join(char if ord(char) in known else _nearest(char, known) for char in unicodedata.normalize("NFC", text))


def _nearest(char: str, known: frozenset[int]) -> str:
    if char.isspace():
        return " "
    if unicodedata.category(char) in ("Cf", "Cc", "Mn"):
        return ""
    plain = "".join(part for part in unicodedata.normalize("NFKD", char) if ord(part) in known)
    return plain or MISSING


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    from fpdf.fonts import TTFFont

    font = document(title="").fonts[f"{FAMILY}B"]
    assert isinstance(font, TTFFont)
    return frozenset(font.cmap)
