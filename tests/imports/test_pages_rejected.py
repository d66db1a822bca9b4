"""Rejected records: what stands, the gravest first, and what to do in the MIS."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.accounts.models import Account
from hub.core.models import School
from imports.models import Import, Rejection
from tests.factories.imports import a_rejection
from tests.factories.links import an_import, enabled_link


@pytest.fixture
def run(school: School, administrator: Account, now: dt.datetime) -> Import:
    return an_import(enabled_link(school, by=administrator, since=now), at=now)


@pytest.fixture
def page(office: Account, signed_in: Callable[[Account], Client]) -> Callable[..., Any]:
    client = signed_in(office)
    return lambda path="imports/rejected/", **query: client.get(f"/8233001/{path}", query)


def test_what_stands_is_listed_the_gravest_first_with_what_to_do(
    run: Import, page: Callable[..., Any], now: dt.datetime
) -> None:
    a_rejection(run, severity=Rejection.WARNING, label="Ada Kaya", at=now)
    a_rejection(run, severity=Rejection.ROW, label="Zoe Reid", at=now)
    a_rejection(run, severity=Rejection.PART, label="Tom Marsh", at=now)
    text = page().text
    order = ["Zoe Reid", "Complete row rejection", "Tom Marsh", "Partially rejected", "Ada Kaya", "Imported (warning"]
    body = text[text.index("<tbody>") :]
    places = [body.index(words) for words in order]
    assert places == sorted(places)
    for words in ("2 records to mend in SIMS", "0770 90 ext 4", "contacts.xml, row 212", "Correct it in the telephone"):
        assert words in text


def test_what_was_mended_is_gone(run: Import, page: Callable[..., Any], now: dt.datetime) -> None:
    a_rejection(run, at=now, resolved_at=now)
    assert "Every record was taken in full" in page().text


def test_a_severity_can_be_asked_for(run: Import, page: Callable[..., Any], now: dt.datetime) -> None:
    a_rejection(run, severity=Rejection.ROW, label="Zoe Reid", at=now)
    a_rejection(run, severity=Rejection.PART, label="Tom Marsh", at=now)
    text = page(severity="row").text
    assert "Zoe Reid" in text
    assert "Tom Marsh" not in text
    assert "Tom Marsh" in page(severity="nonsense").text


def test_one_kind_of_person_can_be_asked_for(run: Import, page: Callable[..., Any], now: dt.datetime) -> None:
    a_rejection(run, label="Tom Marsh", at=now)
    a_rejection(run, label="Ms Zoe Reid", kind="staff", at=now)
    text = page(kind="staff").text
    assert "Ms Zoe Reid" in text
    assert "Tom Marsh" not in text


def test_the_csv_runs_no_formula(run: Import, page: Callable[..., Any], now: dt.datetime) -> None:
    a_rejection(run, value="=cmd|' /C calc'!A0", at=now)
    said = b"".join(page("imports/rejected.csv").streaming_content).decode()
    assert "'=cmd|" in said
    assert "What to do in SIMS" in said
