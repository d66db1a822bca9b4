"""Nothing that the MIS says differently is ever unlisted, not even between two questions."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection
from tests.factories.parents import make_parent
from verification.changes import answering, proposing
from verification.models import Choices, DetailChange, Status
from verification.reporting import settling

SAYS, ASKED = "+447700900801", "+447700900802"


@pytest.fixture
def drifting(school: School, now: dt.datetime) -> Connection:
    """A parent whom an import has asked about a mobile that the MIS began to have."""
    tie = make_parent(school)
    Choices.objects.create(school=school, propose_drift=True)
    assert tie.contact
    tie.contact.details.filter(kind="mobile").update(mis_value=SAYS, mis_changed_at=now)
    settling.settle(school=school, import_id=1, now=now)
    assert DetailChange.objects.get().status == Status.PENDING
    return tie


def rows() -> set[tuple[str, str]]:
    return set(DetailChange.objects.values_list("status", "new_value"))


def test_a_question_of_the_office_in_place_of_the_imports_leaves_the_difference_listed(
    drifting: Connection, office: Account, now: dt.datetime
) -> None:
    assert drifting.contact
    proposing.edit_or_propose(owner=drifting.contact, kind="mobile", value=ASKED, by=office, now=now)
    kept = (Status.KEPT, "+447700900123")
    assert rows() == {(Status.WITHDRAWN, SAYS), (Status.PENDING, ASKED), kept}


def test_a_yes_for_all_schools_leaves_the_difference_at_the_others_listed(
    drifting: Connection, other_school: School, office: Account, now: dt.datetime
) -> None:
    assert drifting.account
    elsewhere = make_parent(other_school, drifting.account)
    with scope.schools(drifting.school_id, other_school.pk):
        assert elsewhere.contact
        asked = proposing.edit_or_propose(owner=elsewhere.contact, kind="mobile", value=ASKED, by=office, now=now)
        assert asked
        answering.approve(account=drifting.account, change=asked, everywhere=True, by_name="Ngozi", now=now)
        here = DetailChange.objects.filter(school=drifting.school)
        assert set(here.values_list("status", "new_value")) == {
            (Status.WITHDRAWN, SAYS), (Status.WAITING, ASKED), (Status.KEPT, "+447700900123")
        }  # fmt: skip


def test_what_was_said_yes_to_is_not_asked_again_by_the_next_night(drifting: Connection, now: dt.datetime) -> None:
    assert drifting.account
    asked = DetailChange.objects.get()
    answering.approve(account=drifting.account, change=asked, everywhere=False, by_name="Ngozi", now=now)
    settling.settle(school=drifting.school, import_id=2, now=now + dt.timedelta(days=1))
    assert rows() == {(Status.WAITING, SAYS)}
