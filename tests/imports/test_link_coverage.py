"""The coverage table names every field a connector can supply, and tells for each MIS the truth of its own table."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from hub.accounts.models import Account
from hub.core.models import School
from imports.link import coverage, links
from imports.models import Import
from mis_connectors import registry
from mis_connectors.records import ContactRecord, LinkRecord, PupilRecord, StaffRecord
from tests.factories.links import an_import

RECORDS = {"pupil": PupilRecord, "contact": ContactRecord, "link": LinkRecord, "staff": StaffRecord}
MIS = ("integris", "progresso", "scholarpack", "sims", "spreadsheet")


def test_every_field_of_a_record_stands_in_it_and_no_other() -> None:
    fields = {f"{kind}.{field.name}" for kind, record in RECORDS.items() for field in dataclasses.fields(record)} - {
        "contact.links",
        "link.pupil_external_id",
    }

    assert set(coverage.USES) == fields


@pytest.mark.parametrize("slug", MIS)
def test_it_says_of_each_mis_what_the_connector_says_of_itself(slug: str) -> None:
    info = registry.connector(slug).info
    table = coverage.table(info)
    states = dict(zip(coverage.USES, (row.state for group in table.groups for row in group.rows), strict=True))

    assert {field for field, state in states.items() if state != "no"} == info.supplies
    assert {field for field, state in states.items() if state == "partly"} == set(info.partly)
    assert table.given == len(info.supplies)


def test_what_the_school_withholds_says_so_and_what_to_do() -> None:
    table = coverage.table(registry.connector("integris").info, lacking=frozenset({"contact.emails"}))
    (row,) = [row for group in table.groups for row in group.rows if row.state == "withheld"]

    assert (row.label, row.tone, table.withheld) == ("Email", "warn", 1)
    assert "Allow it again in RM Integris" in row.why


def test_what_is_withheld_is_what_the_last_import_that_was_read_found(
    school: School, administrator: Account, now: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="integris", by=administrator, now=now)
    assert coverage.withheld(link) == frozenset()
    for days, counts in ((3, {"lacking": ["pupil.upn"]}), (2, {"lacking": ["contact.emails"]}), (1, {})):
        run = an_import(link, at=now - dt.timedelta(days=days))
        Import.objects.filter(pk=run.pk).update(counts=counts)

    assert coverage.withheld(link) == {"contact.emails"}
