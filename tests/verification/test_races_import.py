"""A parent who proves a change while an import writes about them: neither stops the other, and drift is listed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from hub.core import scope
from hub.people.models import Connection, ContactDetail
from imports import apply
from imports.models import ImportState
from tests.conftest import make_school
from tests.factories.inbox import last_code
from tests.factories.running import Nights
from verification import services
from verification.models import DetailChange, MisState, Status
from verification.reporting import settling

OWN, MIS = "+447700900777", "+447700900801"


@pytest.fixture
def nights(transactional_db: None) -> Iterator[Nights]:
    made = make_school("Larch Hill Primary", "8233001")
    with scope.schools(made.pk):
        nights = Nights.of(made, 20)
        nights.night()
        yield nights


@pytest.mark.parametrize("proven", [OWN, MIS])
def test_a_change_is_proved_while_the_import_has_written_and_not_committed(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, proven: str
) -> None:
    (record,) = nights.usual_parents(1)
    nights.connect(record, mobile=nights.value(record))
    tie = Connection.objects.select_related("account").get(contact=nights.contact(record))
    assert tie.account is not None
    account = tie.account
    started = services.start_change(
        account=account, connections=[tie], kind="mobile", value=proven, by_name="Ngozi", now=nights.now
    )
    assert started.code is not None
    code, typed = started.code.pk, last_code(proven)
    nights.mis.change_mobile(record, "07700 900801")
    run = nights.send().run
    assert run is not None
    troubles: list[Exception] = []

    def prove() -> None:
        try:
            services.prove(account=account, batch=started.batch, code_id=code, typed=typed, now=nights.now)
        except Exception as trouble:
            troubles.append(trouble)
        finally:
            connection.close()

    parent = threading.Thread(target=prove)
    real = apply._Writer.details

    def details(writer: apply._Writer) -> None:
        real(writer)
        parent.start()
        time.sleep(1)

    monkeypatch.setattr(apply._Writer, "details", details)
    assert nights.carry_out(run).state == ImportState.APPLIED
    parent.join(30)
    assert troubles == []
    detail = ContactDetail.objects.get(contact=tie.contact, kind="mobile")
    assert (detail.value, detail.mis_value) == (proven, MIS)
    row = DetailChange.objects.get(batch=started.batch)
    assert row.status == Status.APPROVED
    assert row.mis_state == (MisState.UPDATED if proven == MIS else MisState.TO_UPDATE)
    before = sorted(DetailChange.objects.values_list("pk", "status", "mis_state"))
    settling.settle(school=nights.school, import_id=None, now=nights.now)
    assert sorted(DetailChange.objects.values_list("pk", "status", "mis_state")) == before, "nothing was left to settle"
