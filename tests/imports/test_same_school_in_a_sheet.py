"""The same generated school, from SIMS and from a spreadsheet: the same people, less what a sheet cannot say."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter

from hub.core.models import School
from imports import services
from imports.link import links
from imports.models import Import, ImportKind, ImportState
from mis_connectors.sims.connector import SimsConnector
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators.spreadsheet_file import workbook
from mis_connectors.spreadsheet.connector import SpreadsheetConnector
from tests.factories.running import FIRST_NIGHT
from tests.imports.test_same_school import STATE, People, by_sims, forget, only, people_of, taken_back


def by_sheet(school: School, generated: simulated.School) -> People:
    link = links.create_link(school=school, connector="spreadsheet", by=None, now=FIRST_NIGHT)
    received = services.receive(
        link=link, stream=io.BytesIO(workbook(generated)), filename="people.xlsx", run_id="one",
        kind=ImportKind.UPLOAD, everybody=True, start=False, now=FIRST_NIGHT,
    )  # fmt: skip
    assert received.run is not None
    services.run(import_id=received.run.pk, now=FIRST_NIGHT + dt.timedelta(minutes=1))
    run = Import.objects.get(pk=received.run.pk)
    assert run.state == ImportState.APPLIED, run.reasons
    return people_of(school)


def test_the_same_school_is_the_same_people_from_a_spreadsheet(school: School) -> None:
    supplies = SpreadsheetConnector.info.supplies
    state = {**STATE, "dfe_number": school.dfe_number}
    generated = simulated.of_state(state)
    forget(generated, supplies)
    with only(SimsConnector, supplies):
        from_sims = taken_back(lambda: by_sims(school, simulated.of_state(state), supplies))
    with only(SpreadsheetConnector, SimsConnector.info.supplies):
        from_sheet = taken_back(lambda: by_sheet(school, generated))
    for kind, people in from_sims.items():
        assert from_sheet[kind] - people == Counter(), f"{kind} that only the spreadsheet has"
        assert people - from_sheet[kind] == Counter(), f"{kind} that only SIMS has"
