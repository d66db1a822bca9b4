"""What an import does to an invitation that went to an address which the MIS has corrected since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Contact
from imports import decisions
from tests.factories.running import Nights
from verification.invitations import inviting, selectors
from verification.models import Invitation

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def school(db: None, first_night: Nights) -> Iterator[School]:
    with scope.schools(first_night.school.pk):
        yield first_night.school


def invited(nights: Nights, number: int, office: Account) -> Contact:
    found = nights.contact(number)
    nights.now -= HOUR
    inviting.invite(owner=found, by=office, channel="email", now=nights.now)
    nights.now += HOUR
    return found


def test_a_corrected_email_ends_the_invitation_that_went_to_the_old_one_and_no_other(
    nights: Nights, office: Account
) -> None:
    one, two = nights.usual_parents(2)
    corrected, other = invited(nights, one, office), invited(nights, two, office)
    nights.mis.change_email(one, "right@example.org")
    nights.mis.change_mobile(two, "07700 900801")
    tonight = nights.now
    nights.night()
    assert Invitation.objects.get(contact=corrected).voided_at == tonight
    assert Invitation.objects.get(contact=other).voided_at is None
    assert not selectors.history_of(corrected, tonight).is_open
    assert inviting.invite(owner=corrected, by=office, now=nights.now).sent_to == "right@example.org"


def test_so_does_an_undo_that_takes_the_email_back(nights: Nights, office: Account, administrator: Account) -> None:
    (one,) = nights.usual_parents(1)
    nights.mis.change_email(one, "wrong@example.org")
    run = nights.night()
    owner = invited(nights, one, office)
    decisions.undo(run=run, by=administrator, now=nights.now)
    assert Invitation.objects.get(contact=owner).voided_at == nights.now
