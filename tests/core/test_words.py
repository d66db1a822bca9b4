"""Dates and drawings as every page shows them, and colours that can be read."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

from hub.core.icons import ICONS
from hub.core.templatetags import frame

UTC = dt.UTC
NOW = dt.datetime(2026, 7, 6, 7, 0, tzinfo=UTC)


def test_a_time_is_told_as_the_school_has_it() -> None:
    with_year = "" if dt.date.today().year == 2026 else " 2026"  # noqa: DTZ011
    assert frame.when(dt.datetime(2026, 7, 6, 1, 4, tzinfo=UTC)) == f"Mon 6 Jul{with_year}, 02:04"
    assert frame.near(dt.datetime(2026, 7, 5, 23, 30, tzinfo=UTC), NOW) == "Today, 00:30"
    assert frame.near(dt.datetime(2026, 7, 5, 22, 30, tzinfo=UTC), NOW) == "Yesterday, 23:30"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "just now"), (60, "1 minute ago"), (3599, "59 minutes ago"), (7200, "2 hours ago"), (9 * 86400, "9 days ago")],
)
def test_how_long_ago(seconds: int, said: str) -> None:
    assert frame.ago(NOW - dt.timedelta(seconds=seconds), NOW) == said


def test_never_is_never() -> None:
    assert frame.ago(None, NOW) == "never"


def test_counts_are_words() -> None:
    assert [frame.plural(n, "pupil") for n in (0, 1, 1184)] == ["no pupils", "1 pupil", "1,184 pupils"]
    assert [frame.number(n) for n in (0, None, 1184)] == ["–", "–", "1,184"]


def test_every_icon_a_template_names_is_drawn() -> None:
    named = {
        name
        for page in (settings.BASE_DIR / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', page.read_text(encoding="utf-8"))
    }
    assert named - ICONS.keys() == set()


def test_an_icon_is_silent_to_screen_readers() -> None:
    drawn = Template('{% load frame %}{% icon "clock" %}').render(Context())
    assert 'aria-hidden="true"' in drawn


def _colours() -> dict[str, tuple[str, str]]:
    css = Path(settings.BASE_DIR / "hub/static/css/tokens.css").read_text(encoding="utf-8")
    return {
        name: (light, dark)
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", css)
    }


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("paper", "card", "sunk")
TEXT = [
    *itertools.product(("ink", "ink-2", "gate", "good", "warn", "bad", "quiet"), GROUNDS),
    *((tone, f"{tone}-soft") for tone in ("gate", "good", "warn", "bad", "quiet")),
    *(("ink", f"{tone}-soft") for tone in ("gate", "good", "warn", "bad", "quiet")),
    ("gate-ink", "gate"),
    ("gate-ink", "gate-deep"),
    ("ink-2", "gate-soft"),
]


@pytest.mark.parametrize(("ink", "ground"), TEXT)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(ink: str, ground: str, scheme: int) -> None:
    colours = _colours()
    assert _contrast(colours[ink][scheme], colours[ground][scheme]) >= 4.5


@pytest.mark.parametrize("ground", ["paper", "card"])
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_edge_of_a_field_can_be_seen(ground: str, scheme: int) -> None:
    colours = _colours()
    assert _contrast(colours["edge"][scheme], colours[ground][scheme]) >= 3


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        ("ngozi@mail.example.org", "ngozi@<wbr>mail<wbr>.example<wbr>.org"),
        ("07700\u00a0900123", "07700\u00a0900123"),
        ("a.b<i>&'@example.org", "a.b&lt;i&gt;&amp;&#x27;@<wbr>example<wbr>.org"),
        ("", ""),
    ],
)
def test_an_email_breaks_where_its_parts_meet_and_stays_text(value: str, drawn: str) -> None:
    assert frame.address(value) == drawn
