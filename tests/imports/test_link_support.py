"""*Send details to support*: what is sent holds nobody's data, whatever stands where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import AuditEntry, School
from hub.people.models import Contact, Pupil, Staff
from imports.link import links, scrubbing, secrets, support, vocabulary
from imports.models import AgentToken, Import, LinkState, MisLink, RejectedRecord
from tests.factories.links import an_import

SignIn = Callable[[Account], Client]
PAGE = "/8233001/settings/mis-link/support/"
PLANTED = (
    "Ottoline", "Quartermaine", "O'Fearghail", "Zebedee", "Przybylski", "ottoline.q@example.org", "07700 900123",
    "+44 7700 900124", "A823300114028", "14/03/2015", "2015-03-14", "LA9 7QX", "12 Mill Lane", "Helen", "Ward",
    "s3cret-Passw0rd", "sg_abcdefghijklmnopqrstuvwxyz012345", "QUARTERMAINE",
)  # fmt: skip
EVERYTHING = (
    "Ottoline Quartermaine (A823300114028, born 14/03/2015, 2015-03-14) of Zebedee O'Fearghail and Mrs PRZYBYLSKI, "
    "12 Mill Lane, LA9 7QX, ottoline.q@example.org, 07700 900123, +44 7700 900124; password=s3cret-Passw0rd, "
    r"token sg_abcdefghijklmnopqrstuvwxyz012345, C:\Users\Helen\log.txt, https://mis.example/a?code=s3cret-Passw0rd"
)


@pytest.fixture
def link(school: School, administrator: Account, now: dt.datetime) -> MisLink:
    """A link with people, and personal data wherever somebody could have put it."""
    Pupil.objects.create(school=school, forename="Ottoline", surname="Quartermaine", legal_surname="Przybylski")
    Contact.objects.create(school=school, forename="Zebedee", surname="O'Fearghail")
    Staff.objects.create(school=school, forename="Ottoline", surname="Przybylski")
    link = links.create_link(school=school, connector="progresso", by=administrator, now=now)
    link.settings = {"username": EVERYTHING, "other": EVERYTHING}
    secrets.merge(link, {"password": "s3cret-Passw0rd", "refresh_token": "s3cret-Passw0rd"})
    link.state, link.state_by, link.wanted_by = LinkState.ENABLED, EVERYTHING[:200], EVERYTHING[:200]
    link.paused_why, link.tried_said, link.tried_at = EVERYTHING[:300], EVERYTHING, now
    link.save()
    run = an_import(link, at=now, state="failed")
    said = {"code": "unavailable", "sentence": EVERYTHING, "advice": EVERYTHING}
    Import.objects.filter(pk=run.pk).update(
        requested_by=EVERYTHING[:200], decided_by=EVERYTHING[:200], undone_by=EVERYTHING[:200], reasons=[said],
        notes=[EVERYTHING], would=[{"name": EVERYTHING}], left_by_undo=[{"name": EVERYTHING}], detail=EVERYTHING,
        counts={"added": 3, "by_kind": {"pupil": EVERYTHING}},
    )  # fmt: skip
    RejectedRecord.objects.create(
        school=school, link=link, first_run=run, severity="row", kind="pupil", external_id="A823300114028",
        label=EVERYTHING[:200], value=EVERYTHING, reason="two_dates_of_birth", message=EVERYTHING, advice=EVERYTHING,
        seen_at=now,
    )  # fmt: skip
    token, _ = links.create_token(link=link, name="Helen Ward's PC", by=administrator, now=now)
    AgentToken.objects.filter(pk=token.pk).update(
        host_name="OTTOLINE-PC", agent_version="1.0", log_tail=f"2026-11-23 02:03:58 INFO {EVERYTHING}\nuploaded",
        last_check={"checks": [{"name": "SIMS", "ok": False, "sentence": EVERYTHING, "advice": EVERYTHING}],
                    "run": {"ok": False, "sentence": EVERYTHING}},
    )  # fmt: skip
    return link


def test_nobody_and_no_secret_is_in_it_whatever_stands_where(link: MisLink, now: dt.datetime) -> None:
    details = support.bundle(link, now=now)

    assert [planted for planted in PLANTED if planted.casefold() in details.casefold()] == []


def test_what_support_needs_is_in_it(link: MisLink, now: dt.datetime) -> None:
    details = support.bundle(link, now=now)

    for needed in (
        "school 8233001", "connector progresso 1, pull, set up by credentials", "state enabled since 2026-11-23",
        "setting password set\n", "kept of its consent refresh_token", "failed", "unavailable:", "added 3",
        "1 pupil row two_dates_of_birth", "copy 1, version 1.0", "2026-11-23 02:03:58 INFO", "uploaded",
    ):  # fmt: skip
        assert needed in details, needed


def test_an_error_stays_readable() -> None:
    names = scrubbing.words_of(["Mark May"])
    said = "GET https://mis.example:8443/api/students: time-out, try 4 at 2026-11-23 02:00:05; 401 after 12.5 s"

    assert scrubbing.scrubbed(said, names) == said
    assert scrubbing.scrubbed("Mark May's", names) == "[name] [name]"


UNKNOWN = "Peregrine Featherstonehaugh, 4 Rose Cottage, ticket QX7Z91, number 004213998"


def test_of_errors_only_our_own_words_are_quoted_so_that_names_nobody_knows_stay_here(
    link: MisLink, now: dt.datetime
) -> None:
    """Somebody whom the MIS repeats in an answer, or who was rejected, is in no table of ours."""
    said = {"code": "unavailable", "sentence": f"The MIS does not answer in time: {UNKNOWN}.", "advice": ""}
    detail = f"GET https://api.progresso.example/students/Featherstonehaugh: JSONDecodeError, try 4 {UNKNOWN}"
    Import.objects.update(reasons=[said, {"code": UNKNOWN, "sentence": ""}], detail=detail)
    MisLink.objects.update(tried_said=f"Progresso refused {UNKNOWN}")
    check = {"name": UNKNOWN, "ok": False, "sentence": f"SIMS did not answer {UNKNOWN}"}
    log = f"2026-11-23 02:03:58 INFO uploaded {UNKNOWN}"
    AgentToken.objects.update(log_tail=log, last_check={"checks": [check], "run": {"ok": False, "sentence": UNKNOWN}})
    link.refresh_from_db()

    details = support.bundle(link, now=now)

    for planted in ("Peregrine", "Featherstonehaugh", "Rose", "Cottage", "QX7Z91", "004213998"):
        assert planted.casefold() not in details.casefold(), planted
    assert "unavailable: The MIS does not answer in time: […]" in details
    assert "JSONDecodeError, try 4 […]" in details
    assert "| 2026-11-23 02:03:58 INFO uploaded […]" in details


@pytest.mark.parametrize(
    "said",
    [
        "RM Integris answers about another school: […], not […]. Nothing was fetched.",
        "The address of the MIS cannot be found. Tell whoever runs this hub if it goes on until tomorrow.",
        "GET […]: time-out, try 4 at 2026-11-23 02:00:05; ConnectionResetError after 12.5 s",
        "Something went wrong on our side while fetching.",
    ],
)
def test_what_we_say_ourselves_is_quoted_as_it_is(said: str) -> None:
    assert vocabulary.quoted(said) == said


@pytest.mark.parametrize("name", ["Mia", "Amelia Okafor", "Mark", "Reed", "Rose Green", "PeregrineError"])
def test_a_name_is_none_of_our_words(name: str) -> None:
    assert vocabulary.quoted(f"said {name}") == f"said {vocabulary.LEFT_OUT}"


def test_where_an_mis_is_stays_for_the_operator_has_set_it() -> None:
    said = vocabulary.quoted("GET https://datashare.example.net:8443/x9x", "https://datashare.example.net:8443")
    assert said == "GET https://datashare.example.net:8443/[…]"


def test_it_is_seen_downloaded_and_mailed_to_the_operator(
    link: MisLink, office: Account, signed_in: SignIn, settings: Any
) -> None:
    settings.SUPPORT_EMAIL, settings.SUPPORT_CHAT_URL = "help@hub.example.org", "https://chat.example.org/"
    client = signed_in(office)
    page = client.get(PAGE).content.decode()
    assert "Send to help@hub.example.org" in page
    assert 'href="https://chat.example.org/"' in page
    file = client.get(PAGE + "file/")
    assert (
        file["Content-Disposition"]
        == f'attachment; filename="schoolgate-8233001-progresso-{timezone.now():%Y-%m-%d}.txt"'
    )
    assert "no-store" in file["Cache-Control"]

    client.post(PAGE)

    (sent,) = mail.outbox
    assert sent.to == ["help@hub.example.org"]
    assert "office@8233001.example.org" in sent.body
    assert "connector progresso" in sent.body
    assert AuditEntry.objects.filter(action="link.support_sent", actor_id=office.pk).exists()


def test_without_an_address_it_can_only_be_downloaded(
    link: MisLink, office: Account, signed_in: SignIn, settings: Any
) -> None:
    settings.SUPPORT_EMAIL = ""
    client = signed_in(office)
    assert "has set no address for support" in client.get(PAGE).content.decode()

    page = client.post(PAGE, follow=True).content.decode()

    assert "Download the details instead" in page
    assert mail.outbox == []


def test_only_the_office_may(link: MisLink, teacher: Account, stranger: Account, signed_in: SignIn) -> None:
    for path in (PAGE, PAGE + "file/"):
        assert [signed_in(one).get(path).status_code for one in (teacher, stranger)] == [403, 404]
