"""Nothing that the MIS says differently is ever unlisted, not even between two questions."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection
from tests.factories.inbox import mails_to
from tests.factories.parents import EMAIL, make_parent
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


def test_what_is_asked_only_after_another_question_is_over_is_told_as_well(
    school: School, office: Account, now: dt.datetime
) -> None:
    """The MIS said it while the school asked something else; the parent would hear of it on the third day only."""
    tie = make_parent(school)
    assert tie.contact
    Choices.objects.create(school=school, propose_drift=True)
    tie.contact.details.filter(kind="mobile").update(
        mis_value="+447700900800", mis_changed_at=now - dt.timedelta(days=9)
    )
    asked = proposing.edit_or_propose(owner=tie.contact, kind="mobile", value=ASKED, by=office, now=now)
    assert asked
    settling.settle(school=school, import_id=1, now=now)
    later = now + dt.timedelta(days=1)
    tie.contact.details.filter(kind="mobile").update(mis_value=SAYS, mis_changed_at=later)
    settling.settle(school=school, import_id=2, now=later)
    before = len(mails_to(EMAIL))
    proposing.withdraw(change=asked, by=office, now=later)
    assert (Status.PENDING, SAYS) in rows()
    _taken_back, question = mails_to(EMAIL)[before:]
    assert "now say that your mobile number is the number ending 801" in question.body
