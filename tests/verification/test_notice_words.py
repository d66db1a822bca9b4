"""The words of every notice about a change: whole sentences, both dates and times, short enough as a text."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.accounts.models import Account
from hub.core.models import School
from hub.messaging import words
from hub.people.models import ContactDetail
from tests.factories.changes import make_change
from tests.factories.inbox import last_code, mails_to
from tests.factories.parents import EMAIL, make_parent, value_of
from verification import services, telling
from verification.models import Choices, DetailChange, MisState, Status
from verification.reporting import settling

PARENTS = (
    "change_made", "change_asked", "change_reminder", "change_expired", "change_withdrawn", "not_me_done",
    "freeze_lifted",
)  # fmt: skip
OFFICE = (
    "change_approved_office", "change_rejected_office", "change_withdrawn_office", "change_expired_office",
    "not_me_office",
)  # fmt: skip
LONGEST = "St Bartholomew and All Hallows Church of England Voluntary Aided Primary School"
ROWS = [
    {"status": Status.PENDING, "origin": "organisation", "made_by": "Priya Shah"},
    {"status": Status.PENDING, "origin": "import", "made_by": "Import 12"},
    {"status": Status.PENDING, "origin": "organisation", "new_value": ""},
    {"status": Status.WAITING, "origin": "organisation"},
    {"status": Status.APPROVED, "field": "email", "new_value": "new@example.org", "mis_state": "updated"},
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_notice_is_filled_in(school: School, now: dt.datetime, row: dict[str, str]) -> None:
    School.objects.filter(pk=school.pk).update(name=LONGEST)
    tie = make_parent(School.objects.get(pk=school.pk))
    assert tie.contact is not None
    change = make_change(tie.contact, **{"mis_state": "", "made_at": now, "deadline": now + dt.timedelta(days=7)} | row)
    context = telling.about(change) | {
        "school": LONGEST,
        "slug": school.slug,
        "schools": [LONGEST],
        "at": now,
        "until": now + dt.timedelta(days=7),
        "link": "https://schoolgate.example.org/not-me/" + "x" * 43 + "/",
        "said_by": "a reader of n•••@example.org",
    }
    for name in (*PARENTS, *OFFICE):
        subject, body = words.email(name, context)
        assert subject, name
        assert len(subject) <= 150, name
        for text in (subject, body):
            assert not any(odd in text for odd in ("{{", "{%", "None", "()", " .", "  by")), (name, text)
        if name in PARENTS:
            assert change.new_value not in body or not change.new_value, "never whole in what an old address gets"
    for name in PARENTS:
        text = words.text(name, context)
        assert len(text) <= 306, (name, len(text))
        assert "{" not in text


def test_what_an_import_asks_is_told_and_closes_itself_when_approved(
    school: School, office: Account, now: dt.datetime
) -> None:
    tie = make_parent(school)
    assert tie.account is not None
    Choices.objects.create(school=school, propose_drift=True)
    ContactDetail.objects.filter(kind="email").update(mis_value="mis@example.org", mis_changed_at=now)
    settling.settle(school=school, import_id=12, now=now)
    (mail,) = mails_to(EMAIL)
    assert "The records of Larch Hill Primary now say that your email address is m•••@example.org." in mail.body
    assert "Mon 30 Nov, 08:00" in mail.body
    change = DetailChange.objects.get(status=Status.PENDING)
    answered = services.approve(account=tie.account, change=change, everywhere=False, by_name="Ngozi", now=now)
    assert answered.code is not None
    services.prove(
        account=tie.account, batch=change.batch, code_id=answered.code.pk, typed=last_code("mis@example.org"), now=now
    )
    change.refresh_from_db()
    assert (change.status, change.mis_state) == (Status.APPROVED, MisState.UPDATED)
    assert value_of(tie.contact, "email") == "mis@example.org"
