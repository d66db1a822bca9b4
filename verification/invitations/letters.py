"""Invitations on paper: one A4 page each, for a window envelope or a book bag. It draws, and knows no database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import segno
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hub.core import paper
from hub.core.templatetags.frame import when

if TYPE_CHECKING:
    from fpdf import FPDF

_LEFT, _WIDTH = 20.0, 170.0
_WINDOW_TOP, _WINDOW_WIDTH = 45.0, 85.0
"""A DL window envelope shows this field of a page folded in three: 20 mm from the left, 45 to 80 mm from the top."""
_MUTED, _INK, _GATE = (92, 98, 96), (25, 30, 29), (23, 92, 76)
_QR_SIZE = 42.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What one letter says. Its code and its link exist on this page only."""

    school: str
    person: str
    pupils: tuple[str, ...]
    """`Millie Okafor, 6HB`: whose book bag it goes into."""
    address: str
    postcode: str
    number: str
    code: str
    link: str
    page: str
    """The address that one types: `schoolgate.example.org/join/letter/`."""
    made: dt.datetime
    until: dt.datetime
    office: str = ""
    staff: bool = False
    """Then `pupils` says what they do at the school."""
    again: bool = False
    """Gets a person back in who has lost everything: they were connected before."""
    recovers: bool = False
    """Opens the login they have, which the office has reset; there is no number, the code alone opens it."""


def pdf(letters: Iterable[Letter]) -> bytes:
    """Return the letters, one page each, in their order."""
    document = paper.document(title=_("Invitations to Schoolgate"))
    document.set_auto_page_break(auto=False)
    document.c_margin = 0
    for letter in letters:
        document.add_page()
        _draw(document, letter)
    return bytes(document.output())


def _draw(page: FPDF, letter: Letter) -> None:
    _head(page, letter)
    _window(page, letter)
    page.set_xy(_LEFT, 98)
    _text(page, _heading(letter), size=17, bold=True, after=2)
    _text(page, _opening(letter), size=10.5, after=4)
    _steps(page, letter)
    _keys(page, letter)
    _foot(page, letter)


def _heading(letter: Letter) -> str:
    if letter.recovers:
        return _("Back into your login")
    said = _("{school} on Schoolgate") if letter.staff else _("{school} on your phone")
    return said.format(school=letter.school)


def _head(page: FPDF, letter: Letter) -> None:
    page.set_fill_color(*_GATE)
    page.rect(_LEFT, 15, 12, 1.6, style="F")
    page.set_xy(_LEFT, 19)
    _text(page, letter.school, size=14, bold=True)
    if letter.pupils:
        page.set_xy(115, 19)
        _cell(page, _("Staff") if letter.staff else _("Book bag"), 8.5, muted=True, width=75)
        for place, pupil in enumerate(letter.pupils[:3]):
            page.set_xy(115, 23 + place * 5)
            _cell(page, pupil, 10, bold=place == 0, width=75)


def _window(page: FPDF, letter: Letter) -> None:
    """The name and address, as the post wants them: one line each, the postcode last."""
    lines = [letter.person, *_address_lines(letter.address), letter.postcode]
    for place, line in enumerate([line for line in lines if line][:7]):
        page.set_xy(_LEFT, _WINDOW_TOP + place * 5)
        _cell(page, line, 10.5, width=_WINDOW_WIDTH)
    page.set_xy(115, _WINDOW_TOP)
    _cell(page, date_format(timezone.localtime(letter.made), _("j F Y")), 10, muted=True, width=75)


def _address_lines(address: str) -> list[str]:
    parts = [part.strip() for part in address.replace("\n", ",").split(",") if part.strip()]
    return parts if len(parts) <= 5 else [*parts[:4], ", ".join(parts[4:])]


def _opening(letter: Letter) -> str:
    if letter.recovers:
        said = _(
            "{person}, this letter gets you back into your login. The school office has reset it because you "
            "asked for help: your old password, passkeys and codes open nothing any more. What you have confirmed "
            "stays as it is."
        )
    elif letter.again:
        said = _(
            "{person}, this letter gets you back in. You were disconnected because you asked the school "
            "for help. Connect again in about three minutes, on a phone or a computer."
        )
    elif letter.staff:
        said = _(
            "{person}, the school invites you to look after your own email and mobile on Schoolgate. What you "
            "confirm there is not overwritten by the nightly import any more. It takes about two minutes."
        )
    else:
        said = _(
            "{person}, the school invites you to Schoolgate: see what the school has written down about you and "
            "your children, keep your own email and mobile right, and read what it sends. It takes about three "
            "minutes, on a phone or a computer, and costs nothing."
        )
    return said.format(person=letter.person)


def _steps(page: FPDF, letter: Letter) -> None:
    camera = _("Point your phone’s camera at the square below, or type {page} into a browser.")
    first = (_("Open the page"), camera.format(page=letter.page))
    only_if = _("Only if you did not use the camera. Capitals and dashes do not matter.")
    if letter.recovers:
        then = (_("Choose a new password"), _("You sign in by your email or mobile, as before. That is all."))
        steps = (first, (_("Type the code"), only_if), then)
    else:
        proof = _("We send a code to your email or mobile, then you choose a password. That is all.")
        steps = (first, (_("Type the number and the code"), only_if), (_("Confirm who you are"), proof))
    for number, (title, text) in enumerate(steps, start=1):
        top = page.get_y()
        page.set_fill_color(*_GATE)
        page.ellipse(_LEFT, top, 8, 8, style="F")
        page.set_xy(_LEFT, top)
        page.set_text_color(255, 255, 255)
        page.set_font(paper.FAMILY, "B", 10.5)
        page.cell(w=8, h=8, text=str(number), align="C")
        page.set_xy(_LEFT + 12, top - 0.5)
        _text(page, title, size=11.5, bold=True, left=_LEFT + 12)
        _text(page, text, size=10, left=_LEFT + 12, after=3)


def _keys(page: FPDF, letter: Letter) -> None:
    """The square for the camera, and beside it what one types."""
    top = page.get_y() + 3
    page.set_draw_color(200, 204, 202)
    page.set_line_width(0.3)
    page.rect(_LEFT, top, _WIDTH, _QR_SIZE + 12, style="D", round_corners=True, corner_radius=3)
    _qr(page, letter.link, _LEFT + 6, top + 6)
    left = _LEFT + _QR_SIZE + 18
    keys = [(_("Letter number"), _spaced(letter.number)), (_("Code"), letter.code)]
    for place, (name, value) in enumerate(keys[1:] if letter.recovers else keys):
        page.set_xy(left, top + 8 + place * 20)
        _cell(page, name, 9.5, muted=True, width=100)
        page.set_xy(left, top + 15 + place * 20)
        _cell(page, value, 21, bold=True, width=100)
    page.set_y(top + _QR_SIZE + 16)


def _spaced(number: str) -> str:
    return f"{number[:4]} {number[4:]}"


def _qr(page: FPDF, link: str, left: float, top: float) -> None:
    """Draw the square as vectors: neighbours in a row as one bar, so that no printer leaves hairlines."""
    rows = [list(row) for row in segno.make_qr(link, error="m").matrix]
    size = _QR_SIZE / len(rows)
    page.set_fill_color(0, 0, 0)
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            if not row[x]:
                x += 1
                continue
            start = x
            while x < len(row) and row[x]:
                x += 1
            page.rect(left + start * size, top + y * size, (x - start) * size, size, style="F")


def _foot(page: FPDF, letter: Letter) -> None:
    if letter.recovers:
        said = _(
            "Good once, until {until}. This letter is for {person} alone: whoever has it can open this login, "
            "so please do not pass it on. A newer letter or invitation replaces it."
        )
    else:
        said = _(
            "Good once, until {until}. This letter is for {person} alone: whoever has it can register in that name, "
            "so please do not pass it on. A newer letter or invitation replaces it."
        )
    office = _("Questions: {office}.").format(office=letter.office)
    asks = office if letter.office else _("Questions: ask the school office.")
    text = f"{said.format(until=when(letter.until), person=letter.person)} {asks}"
    page.set_y(page.get_y() + 2)
    _text(page, text, size=9, muted=True)


def _text(
    page: FPDF,
    text: str,
    *,
    size: float,
    bold: bool = False,
    muted: bool = False,
    left: float = _LEFT,
    after: float = 0,
) -> None:
    """Write a paragraph from `left` to the right margin, and go on below it."""
    page.set_font(paper.FAMILY, "B" if bold else "", size)
    page.set_text_color(*(_MUTED if muted else _INK))
    page.set_x(left)
    for line in _lines(page, paper.printable(text), _LEFT + _WIDTH - left):
        page.set_x(left)
        page.cell(h=size * 0.5, text=line, new_x="LEFT", new_y="NEXT")
    page.set_y(page.get_y() + after)


def _lines(page: FPDF, text: str, width: float) -> Iterator[str]:
    """Break a paragraph into lines, measuring each word once: the library's own way takes most of a letter's time."""
    space, line, used = page.get_string_width(" "), "", 0.0
    for word in _words(page, text, width):
        long = page.get_string_width(word)
        if line and used + space + long > width:
            yield line
            line, used = word, long
        else:
            line, used = (f"{line} {word}", used + space + long) if line else (word, long)
    yield line


def _words(page: FPDF, text: str, width: float) -> Iterator[str]:
    """Yield the words; one that is wider than a line in pieces."""
    for word in text.split():
        while page.get_string_width(word) > width:
            fits = max(1, int(len(word) * width / page.get_string_width(word)) - 1)
            yield word[:fits]
            word = word[fits:]
        yield word


def _cell(page: FPDF, text: str, size: float, *, width: float, bold: bool = False, muted: bool = False) -> None:
    """Write one line that never leaves its field: what is too long is set smaller, then cut."""
    page.set_text_color(*(_MUTED if muted else _INK))
    text = paper.printable(text)
    page.set_font(paper.FAMILY, "B" if bold else "", size)
    while page.get_string_width(text) > width and size > 7:
        size -= 0.5
        page.set_font(paper.FAMILY, "B" if bold else "", size)
    while text and page.get_string_width(text) > width:
        text = text[:-2] + "…"
    page.cell(w=width, h=5, text=text)
