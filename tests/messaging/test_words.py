"""The words of notices: every template fills, has a subject, and is short enough for a text."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from hub.embedded.services import PROJECT
from hub.messaging import gsm, words
from hub.messaging.templatetags import noticing

FOLDER = PROJECT / "templates" / "notices"
LONGEST = 306
"""Two parts of 153: what one text may cost."""
NAME = "Oluwaseun Adebayo-Fairweather"
AT = dt.datetime(2026, 12, 23, 14, 5, tzinfo=dt.UTC)
LONG: dict[str, Any] = {
    "code": "482913",
    "link": "https://schoolgate.example.org/join/" + "x" * 43,
    "address": "https://schoolgate.example.org",
    "host": "schoolgate.example.org",
    "school": "St Mary Magdalene & All Saints’ Catholic Primary School",
    "school_name": "St Mary Magdalene & All Saints’ Catholic Primary School",
    "count": 12,
    "minutes": 10,
    "days": 7,
    "what": "mobile number",
    "hint": "the one ending in 0123",
    "number": 12,
    "slug": "8233001",
}
"""As long as these get in life; whatever else a template names is as long as a long name."""


def names(kind: str) -> list[str]:
    return sorted(path.name.removesuffix(f".{kind}.txt") for path in FOLDER.glob(f"*.{kind}.txt"))


class Thing:
    """Has a long value for whatever a template asks it."""

    def __getattr__(self, name: str) -> str:
        return "8233001" if name == "slug" else NAME

    def __str__(self) -> str:
        return NAME


def sample(path: Path) -> dict[str, Any]:
    """Return a long value for everything the template names, of the kind that its filters want."""
    source = path.read_text(encoding="utf-8")
    found: dict[str, Any] = dict.fromkeys(re.findall(r"[a-z_]+", source), NAME) | LONG
    found |= {name: Thing() for name in re.findall(r"\b([a-z_]+)\.[a-z_]+", source)}
    found |= dict.fromkeys(re.findall(r"\b([a-z_]+)\|(?:when|day|clock)", source), AT)
    lists = re.findall(r"\b([a-z_]+)(?:\|join|\|length|\.0)|\bin ([a-z_]+) %", source)
    return found | {name: [LONG["school"], LONG["school"]] for names in lists for name in names if name}


@pytest.mark.parametrize("name", names("text"))
def test_every_text_is_short_enough(name: str) -> None:
    text = words.text(name, sample(FOLDER / f"{name}.text.txt"))
    assert gsm.is_gsm(text), set(text) - gsm.BASIC - gsm.EXTENDED
    assert gsm.length(text) <= LONGEST, (gsm.length(text), text)


@pytest.mark.parametrize("name", names("email"))
def test_every_email_has_a_subject_and_a_body(name: str) -> None:
    subject, body = words.email(name, sample(FOLDER / f"{name}.email.txt"))
    assert subject
    assert len(body.strip()) > 20
    assert "\n\n\n" not in body
    assert "{" not in subject + body


def test_a_code_by_text_is_one_part() -> None:
    text = words.text("code", {**LONG, "host": "schoolgate.longborough.sch.uk"})
    assert gsm.parts(text) == 1
    assert text.splitlines()[-1] == "@schoolgate.longborough.sch.uk #482913"


def test_typographers_characters_do_not_double_the_price() -> None:
    assert (
        gsm.plain("St Mary’s – “All Saints”…\u00a0Łódź, naïve, Siân")
        == 'St Mary\'s - "All Saints"... Łodz, naive, Sian'
    )
    assert gsm.plain("Müller £5 @ école") == "Müller £5 @ école"


@pytest.mark.parametrize(
    ("text", "length", "parts"),
    [
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("€" * 81, 162, 2),
        ("ł" * 70, 70, 1),
        ("ł" * 71, 71, 2),
        ("😀" * 35, 70, 1),
        ("😀" * 36, 72, 2),
        ("", 0, 1),
    ],
)
def test_a_text_is_as_long_as_its_provider_counts(text: str, length: int, parts: int) -> None:
    assert (gsm.length(text), gsm.parts(text)) == (length, parts)


@pytest.mark.parametrize(
    ("code", "shown"),
    [("482913", "482 913"), ("482 913", "482 913"), ("12345678", "1234 5678"), ("AB-12", "AB-12")],
)
def test_a_code_is_shown_in_groups(code: str, shown: str) -> None:
    assert noticing.spaced(code) == shown
