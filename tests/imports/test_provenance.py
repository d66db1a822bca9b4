"""Why does it say that? The whole story of an email or mobile, from the first night to the last answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hub.accounts.models import Account
from hub.core.models import School
from hub.people import services as people
from hub.people.judging import display
from hub.people.models import Contact, DetailSource
from imports import decisions, provenance
from imports.models import Import, ImportChange, ImportState, MisLink
from tests.factories.changes import make_change
from tests.factories.links import an_import, enabled_link
from tests.factories.people import give, make_contact, make_pupil
from tests.factories.running import Nights
from verification import selectors
from verification.models import Invitation, Status

SignIn = Callable[[Account], Client]
OLD, NEW, THIRD = "+447700900123", "+447700900456", "+447700900789"
DAY = dt.timedelta(days=1)


@pytest.fixture
def mis_link(school: School, administrator: Account, now: dt.datetime) -> MisLink:
    return enabled_link(school, by=administrator, since=now - 90 * DAY)


@pytest.fixture
def ngozi(school: School) -> Contact:
    return make_contact(school, "Ngozi", "Okafor", make_pupil(school))


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create_user("ngozi@example.org", name="Ngozi Okafor", password="x" * 12)


def brought(link: MisLink, owner: Contact, at: dt.datetime, after: dict[str, Any], **fields: Any) -> Import:
    run = an_import(link, at=at)
    fields = {"action": "updated", "model": "detail", "row_id": 1, "before": {"kind": "mobile"}} | fields
    ImportChange.objects.create(
        school_id=link.school_id, run=run, person_kind="contact", person_id=owner.pk, after=after, **fields
    )
    return run


def told(school: School, owner: Contact, kind: str = "mobile") -> list[str]:
    mis = selectors.mis(school)
    return [event.text for event in provenance.story(school=school, owner=owner, kind=kind, mis=mis).events]


def test_the_story_goes_from_the_first_night_to_the_last_answer(
    school: School, mis_link: MisLink, ngozi: Contact, account: Account, office: Account, now: dt.datetime
) -> None:
    brought(mis_link, ngozi, now - 40 * DAY, {"mobile": OLD}, action="added", model="contact", before={})
    give(ngozi, "mobile", OLD)
    Invitation.objects.create(
        school=school, contact=ngozi, channel="text", sent_to=OLD, token_hash="a" * 64, sent_by="Priya Shah",
        sent_at=now - 30 * DAY, expires_at=now - 20 * DAY,
    )  # fmt: skip
    people.connect(contact=ngozi, account=account, verified={"mobile": OLD}, by_name="Ngozi Okafor", now=now - 29 * DAY)
    make_change(
        ngozi, made_at=now - 9 * DAY, effective_at=now - 9 * DAY + dt.timedelta(minutes=3), mis_state="updated",
        settled_at=now - 2 * DAY, settled_import=7,
    )  # fmt: skip
    make_change(
        ngozi, origin="organisation", made_by="Priya Shah", status=Status.REJECTED, mis_state="", old_value=NEW,
        new_value=THIRD, made_at=now - DAY, effective_at=None, answered_at=now, answered_by="Ngozi Okafor",
        reason="That is my sister's.",
    )  # fmt: skip
    ngozi.details.update(value=NEW, mis_value=NEW)
    assert told(school, ngozi) == [
        "Ngozi Okafor rejected 07700 900789. “That is my sister's.”",
        "Priya Shah, for the school, asked the person to change it to 07700 900789.",
        "SIMS showed 07700 900456: settled.",
        "Ngozi Okafor changed it to 07700 900456 and proved it.",
        "Ngozi Okafor asked to change it to 07700 900456. A code went there, to prove that it is theirs.",
        "Ngozi Okafor connected and proved this mobile.",
        "Priya Shah sent an invitation to 07700 900123.",
        "It came from SIMS with the person: 07700 900123.",
    ]


def test_an_import_that_took_the_place_of_an_office_edit_says_so(
    school: School, mis_link: MisLink, ngozi: Contact, office: Account, now: dt.datetime
) -> None:
    give(ngozi, "mobile", OLD)
    people.edit_detail(owner=ngozi, kind="mobile", value=NEW, by=office, now=now - DAY)
    after = {"kind": "mobile", "value": THIRD, "mis_value": THIRD}
    run = brought(mis_link, ngozi, now, after, before={"kind": "mobile", "value": NEW}, why="mis_over_office")
    assert told(school, ngozi) == [
        "SIMS began to say 07700 900789: it took the place of 07700 900456, which the office entered.",
        "Priya Shah entered 07700 900456 for the school.",
    ]
    Import.objects.filter(pk=run.pk).update(state=ImportState.UNDONE)
    mis = selectors.mis(school)
    first = provenance.story(school=school, owner=ngozi, kind="mobile", mis=mis).events[0]
    assert (first.note, first.takes_effect) == ("This import was undone.", False)


def test_what_was_kept_is_told_once(school: School, mis_link: MisLink, ngozi: Contact, now: dt.datetime) -> None:
    give(ngozi, "mobile", NEW, OLD, source=DetailSource.PERSON, changed_by="Ngozi Okafor", verified_at=now)
    after = {"kind": "mobile", "value": NEW, "mis_value": OLD}
    run = brought(mis_link, ngozi, now, after, action="kept", before={"kind": "mobile", "value": NEW})
    make_change(ngozi, status=Status.KEPT, origin="import", by_import=run.pk, made_at=now, effective_at=None)
    kept = [line for line in told(school, ngozi) if "kept" in line]
    assert kept == ["SIMS says 07700 900123; 07700 900456 was kept, and is to be copied there."]


def test_an_edit_that_is_a_row_of_the_report_is_told_once(
    school: School, ngozi: Contact, office: Account, now: dt.datetime
) -> None:
    people.edit_detail(owner=ngozi, kind="mobile", value=NEW, by=office, now=now)
    make_change(ngozi, origin="organisation", made_by="Priya Shah", made_at=now)
    assert told(school, ngozi) == ["Priya Shah entered 07700 900456 for the school."]


def test_a_freeze_and_its_end_are_told(school: School, ngozi: Contact, now: dt.datetime) -> None:
    make_change(
        ngozi, status=Status.FROZEN, mis_state="", made_at=now - 2 * DAY, answered_at=now - DAY, settled_at=now,
        settled_by="Helen Ward", previous={"value": OLD},
    )  # fmt: skip
    assert told(school, ngozi) == [
        "Helen Ward lifted the freeze.",
        "“This was not me”: 07700 900456 was taken back, and the login was frozen.",
        "Ngozi Okafor changed it to 07700 900456 and proved it.",
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": Status.EXPIRED, "deadline": True, "origin": "organisation"}, "Nobody answered in 168 hours"),
        ({"status": Status.EXPIRED, "deadline": True}, "It was not proved in 168 hours"),
        (
            {"status": Status.EXPIRED, "deadline": True, "origin": "organisation", "answered_at": True},
            "It was not proved in 168 hours: the change to 07700 900456 expired. The person approved 07700 900456.",
        ),
        ({"status": Status.WITHDRAWN, "answered_at": True, "reason": "Ngozi changed it."}, "was withdrawn. Ngozi"),
        ({"status": Status.PENDING, "origin": "import"}, "so the person was asked whether that is right"),
        ({"status": Status.WAITING, "origin": "organisation", "answered_at": True}, "The person approved"),
        ({"status": Status.OFFER, "origin": "import"}, "it is offered to them"),
        ({"status": Status.APPROVED, "mis_state": "done", "settled_at": True}, "as typed into"),
    ],
)
def test_every_state_of_a_change_has_its_sentence(
    school: School, ngozi: Contact, now: dt.datetime, fields: dict[str, Any], said: str
) -> None:
    fields = {name: now if value is True else value for name, value in fields.items()}
    make_change(ngozi, **{"mis_state": "", "effective_at": None, "made_at": now - DAY} | fields)
    assert said in " ".join(told(school, ngozi))


def test_a_value_of_which_nothing_else_is_known_answers_for_itself(school: School, ngozi: Contact) -> None:
    give(ngozi, "email", "ngozi@example.org")
    assert told(school, ngozi, "email") == ["It came from the MIS: ngozi@example.org."]
    assert told(school, ngozi, "mobile") == []


def test_the_undo_of_an_import_is_told_with_what_is_in_use_again(school: School, administrator: Account) -> None:
    nights = Nights.of(school)
    nights.night()
    one, two = nights.usual_parents(2)
    before = {record: display("mobile", nights.value(record)) for record in (one, two)}
    nights.mis.change_mobile(one, "07700 900801")
    nights.mis.change_mobile(two, "07700 900802")
    run = nights.night()
    connected = nights.connect(two)
    decisions.undo(run=run, by=administrator, now=nights.now + DAY)
    assert told(school, nights.contact(one)) == [
        f"{administrator} undid import {run.pk}: it is {before[one]} again.",
        "SIMS says 07700 900801, and it was taken.",
        f"It came from SIMS with the person: {before[one]}.",
    ]
    assert told(school, connected)[:2] == [
        "SIMS says 07700 900123; 07700 900802 was kept, and is to be copied there.".replace(
            "07700 900123", before[two]
        ),
        f"{administrator} undid import {run.pk}; this had been used since, and stayed.",
    ]


def test_the_story_of_a_merged_record_says_that_it_was_another(
    school: School, mis_link: MisLink, ngozi: Contact, now: dt.datetime
) -> None:
    gone = make_contact(school, "Ngozi", "Okafor", merged_into=ngozi)
    give(ngozi, "mobile", NEW)
    brought(mis_link, gone, now - DAY, {"kind": "mobile", "value": OLD, "mis_value": OLD})
    make_change(gone, made_at=now, effective_at=now, old_value=OLD, new_value=THIRD, mis_state="replaced")
    brought(mis_link, ngozi, now - 2 * DAY, {"kind": "mobile", "value": NEW, "mis_value": NEW})
    story = provenance.story(school=school, owner=ngozi, kind="mobile", mis=selectors.mis(school))
    note = "At a record that is one with this since."
    assert [(event.value, event.takes_effect, event.note) for event in story.events] == [
        (THIRD, False, note), (OLD, False, note), (NEW, True, ""),
    ]  # fmt: skip


def test_the_story_of_a_merged_record_goes_on_in_the_other(
    school: School, mis_link: MisLink, ngozi: Contact, now: dt.datetime
) -> None:
    gone = make_contact(school, "Ngozi", "Okafor", merged_into=ngozi)
    brought(mis_link, gone, now, {"kind": "mobile", "value": OLD, "mis_value": OLD})
    assert told(school, ngozi) == ["SIMS says 07700 900123, and it was taken."]


def test_the_other_detail_and_other_people_are_not_told_of(
    school: School, mis_link: MisLink, ngozi: Contact, office: Account, now: dt.datetime
) -> None:
    brought(mis_link, ngozi, now, {"kind": "email", "value": "a@example.org"}, before={"kind": "email"})
    people.edit_detail(owner=ngozi, kind="email", value="b@example.org", by=office, now=now)
    make_change(make_contact(school, "Lena", "Reid"))
    assert told(school, ngozi) == []


def test_the_page_answers_in_one_click(
    school: School,
    mis_link: MisLink,
    ngozi: Contact,
    office: Account,
    teacher: Account,
    stranger: Account,
    signed_in: SignIn,
    now: dt.datetime,
) -> None:
    give(ngozi, "mobile", OLD)
    run = brought(mis_link, ngozi, now, {"kind": "mobile", "value": OLD, "mis_value": OLD})
    address = reverse("imports:why", args=[school.slug, "contacts", ngozi.pk, "mobile"])
    page = signed_in(office).get(address).content.decode()
    assert "07700 900123" in page
    assert reverse("imports:detail", args=[school.slug, run.pk]) in page
    assert signed_in(teacher).get(address).status_code == 403
    assert signed_in(stranger).get(address).status_code == 404
    for wrong in (["pupils", ngozi.pk, "mobile"], ["contacts", ngozi.pk, "fax"], ["contacts", 10**9, "mobile"]):
        assert signed_in(office).get(reverse("imports:why", args=[school.slug, *wrong])).status_code == 404


def test_a_long_story_takes_as_many_queries_as_a_short_one(
    school: School, mis_link: MisLink, ngozi: Contact, now: dt.datetime
) -> None:
    give(ngozi, "mobile", OLD)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            told(school, ngozi)
        return len(queries)

    few = count()
    for number in range(20):
        at = now - number * DAY
        brought(mis_link, ngozi, at, {"kind": "mobile", "value": OLD, "mis_value": OLD})
        make_change(ngozi, made_at=at, mis_state="replaced")
    assert count() == few <= 9
