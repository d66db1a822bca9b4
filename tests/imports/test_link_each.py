"""Settings > MIS Link for each way of being let in: what its page asks for, and what its buttons and forms do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core.models import School
from imports.link import links, live, pages, setting_up
from imports.link.secrets import secrets_of
from imports.models import Import, LinkState, MisLink
from mis_connectors import registry
from mis_connectors.base import Access, Check, CheckState, SamplePupil
from mis_connectors.checks import failed
from mis_connectors.errors import ConnectorUnavailable, SnapshotFormatError
from mis_connectors.integris.connector import IntegrisConnector
from mis_connectors.simulators.progresso_api import PASSWORD
from tests.factories.links import an_import

SignIn = Callable[[Account], Client]
PAGE = "/8233001/settings/mis-link/"
GOOD = Check(key="address", state=CheckState.OK, sentence="It answers.")


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr("imports.link.changing._start_soon", lambda *ids: None)
    settings.MIS_PLATFORM = {
        "integris": {"address": "https://mis.example.org", "partner_key": "k3y-of-ours"},
        "progresso": {"address": "https://mis.example.org", "prefix": "SG"},
    }


@pytest.fixture
def linked(school: School, administrator: Account, now: dt.datetime) -> Callable[[str], MisLink]:
    return lambda slug: links.create_link(school=school, connector=slug, by=administrator, now=now)


def text(response: object) -> str:
    content: bytes = response.content  # type: ignore[attr-defined]
    return " ".join(content.decode().split())


def test_every_mis_can_be_chosen_and_says_how_it_is_connected(
    school: School, administrator: Account, signed_in: SignIn
) -> None:
    page = text(signed_in(administrator).get(PAGE))

    for info in registry.infos():
        assert info.mis_name in page
        assert setting_up.how(info) in page


def test_granted_access_is_waited_for(
    linked: Callable[[str], MisLink], administrator: Account, office: Account, signed_in: SignIn
) -> None:
    link = linked("integris")
    assert "An administrator of your school presses the button" in text(signed_in(office).get(PAGE))
    client = signed_in(administrator)
    assert "We have granted access" in text(client.get(PAGE))

    page = text(client.post(PAGE + "begin/", follow=True))

    assert "Waiting for RM Integris" in page
    assert "look at Imports tomorrow" in page
    link.refresh_from_db()
    assert (link.state, link.wanted_by) == (LinkState.WAITING, "Helen Ward")
    assert "takes up to 24 hours to let us in" in text(client.get(f"/{link.school.slug}/imports/"))


def test_what_the_operator_has_not_set_is_said_before_anybody_tries(
    linked: Callable[[str], MisLink], administrator: Account, signed_in: SignIn, settings: Any
) -> None:
    settings.MIS_PLATFORM = {}
    linked("integris")

    assert "SCHOOLGATE_MIS_INTEGRIS_ADDRESS" in text(signed_in(administrator).get(PAGE))


def test_credentials_are_awaited_checked_kept_and_never_shown(
    linked: Callable[[str], MisLink], administrator: Account, signed_in: SignIn
) -> None:
    link, client = linked("progresso"), signed_in(administrator)
    assert "Progresso needs its credentials" in text(client.post(PAGE + "begin/", follow=True))

    wrong = client.post(PAGE + "settings/", {"username": "SG8234002", "password": PASSWORD})
    assert wrong.status_code == 422
    assert "yours is 8233001" in text(wrong)
    assert PASSWORD not in text(wrong)
    lacking = client.post(PAGE + "settings/", {"username": "SG8233001", "password": ""})
    assert "Type in the password." in text(lacking)
    link.refresh_from_db()
    assert (link.state, bytes(link.secrets)) == (LinkState.AWAITING_CREDENTIALS, b"")

    client.post(PAGE + "settings/", {"username": "SG8233001", "password": PASSWORD})

    link.refresh_from_db()
    assert (link.state, link.settings) == (LinkState.WAITING, {"username": "SG8233001"})
    assert secrets_of(link) == {"password": PASSWORD}
    page = text(client.get(PAGE + "set-up/"))
    assert "not shown. Leave it empty to keep it." in page
    assert PASSWORD not in page
    client.post(PAGE + "settings/", {"username": "SG8233001", "password": ""})
    link.refresh_from_db()
    assert secrets_of(link) == {"password": PASSWORD}


@pytest.mark.parametrize(
    ("path", "slug"), [("begin/", "sims"), ("begin/", "scholarpack"), ("settings/", "integris"), ("settings/", "sims")]
)
def test_what_an_mis_does_not_ask_for_is_not_there(
    linked: Callable[[str], MisLink], administrator: Account, signed_in: SignIn, path: str, slug: str
) -> None:
    linked(slug)

    assert signed_in(administrator).post(PAGE + path).status_code == 404


@pytest.mark.parametrize("path", ["begin/", "settings/", "consent/begin/"])
def test_only_administrators_connect_and_never_by_get(
    linked: Callable[[str], MisLink],
    administrator: Account,
    office: Account,
    teacher: Account,
    stranger: Account,
    signed_in: SignIn,
    path: str,
) -> None:
    linked("progresso")

    assert [signed_in(one).post(PAGE + path).status_code for one in (office, teacher, stranger)] == [403, 403, 404]
    assert signed_in(administrator).get(PAGE + path).status_code == 405


def test_files_are_uploaded_and_nothing_else_is_offered(
    linked: Callable[[str], MisLink], administrator: Account, signed_in: SignIn
) -> None:
    linked("spreadsheet")
    page = text(signed_in(administrator).get(PAGE))

    assert "Upload a file" in page
    for absent in ("Import now", "Test link", "Pause for a while", "Save the timetable", "Disable MIS"):
        assert absent not in page


# Test link


def answers(monkeypatch: pytest.MonkeyPatch, *found: Check | Exception) -> None:
    def test(self: object, access: Access) -> Iterator[Check]:
        for one in found:
            if isinstance(one, Exception):
                raise one
            yield one

    monkeypatch.setattr(IntegrisConnector, "test", test)


def test_the_test_asks_the_mis_by_post_only_and_its_sample_is_kept_nowhere(
    linked: Callable[[str], MisLink], office: Account, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked("integris")
    pupil = SamplePupil(name="Ottoline Quartermaine", year_group="4", registration_group="4B", contacts=2)
    keys = ("address", "credentials", "permissions", "fields")
    checks = [Check(key=key, state=CheckState.OK, sentence="Well.") for key in keys]
    answers(monkeypatch, *checks, Check(key="sample", state=CheckState.OK, sentence="These.", sample=(pupil,)))
    client = signed_in(office)
    assert "Ottoline" not in text(client.get(PAGE + "test/"))

    whole = client.post(PAGE + "test/")
    part = client.post(PAGE + "test/", headers={"HX-Request": "true"})

    for answer in (whole, part):
        assert "Ottoline Quartermaine" in text(answer)
        assert "no-store" in answer["Cache-Control"]
    assert "<html" not in text(part)
    assert "Ottoline" not in text(client.get(PAGE))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((GOOD, Check(key="credentials", state=CheckState.FAILED, sentence="Refused.", advice="Do this.")),
         ["Refused.", "Do this.", "Not reached."]),
        ((GOOD, Check(key="permissions", state=CheckState.WAITING, sentence="Not in yet.")), ["Not in yet."]),
        ((GOOD, ConnectorUnavailable("It fell silent.")), ["An answer", "It fell silent."]),
        ((GOOD, RuntimeError("Ottoline 07700 900123")), ["Something went wrong on our side", "details to support"]),
    ],
)  # fmt: skip
def test_whatever_fails_is_said_with_what_to_do(
    linked: Callable[[str], MisLink],
    office: Account,
    signed_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    found: tuple[Check | Exception, ...],
    said: list[str],
) -> None:
    linked("integris")
    answers(monkeypatch, *found)
    page = text(signed_in(office).post(PAGE + "test/"))

    assert [sentence for sentence in said if sentence not in page] == []
    assert "Ottoline" not in page + caplog.text


def test_parts_that_were_not_reached_say_so() -> None:
    refused = Check(key="credentials", state=CheckState.FAILED, sentence="Refused.")

    assert [part.tone for part in live.parts([GOOD, refused])] == ["good", "bad", "quiet", "quiet", "quiet"]
    assert live.verdict([GOOD, refused], mis_name="The MIS").sentence == "Refused."
    assert live.verdict([GOOD], mis_name="The MIS").tone == "good"


def test_an_mis_that_does_not_answer_is_not_said_to_have_a_wrong_address() -> None:
    silent = failed("address", ConnectorUnavailable("It says that something is wrong on its side (500)."))
    nowhere = failed("address", ConnectorUnavailable("The address cannot be found.", address=True))
    strange = failed("address", SnapshotFormatError("It answered with a web page."))

    assert [next(live.parts([one])).name for one in (silent, nowhere, strange)] == [
        "An answer",
        "The address",
        "An answer",
    ]
    assert live.verdict([silent], mis_name="The MIS").name == "An answer"
    assert live.verdict([silent], mis_name="The MIS").tone == "bad"


def test_what_a_school_withholds_needs_a_look_and_what_fails_comes_first() -> None:
    lacking = frozenset({"contact.emails"})
    less = Check(key="fields", state=CheckState.OK, sentence="Not: Email.", advice="Tick it.", lacking=lacking)
    empty = Check(key="sample", state=CheckState.FAILED, sentence="No pupils.")

    assert live.verdict([GOOD, less], mis_name="The MIS").tone == "warn"
    assert live.verdict([GOOD, less], mis_name="The MIS").sentence == "Not: Email."
    assert live.verdict([GOOD, less, empty], mis_name="The MIS").sentence == "No pupils."


# The line of steps


@pytest.mark.parametrize(
    ("slug", "state", "line"),
    [
        ("integris", "not_set_up", "done now later later"),
        ("integris", "waiting", "done done now later"),
        ("scholarpack", "reconnect", "done done bad later"),
        ("scholarpack", "enabled", "done done done now"),
        ("progresso", "awaiting_credentials", "done done now later later"),
        ("progresso", "waiting", "done done done now later"),
    ],
)
def test_the_line_shows_how_far_it_is(slug: str, state: str, line: str) -> None:
    steps = setting_up.pulled_line(MisLink(state=state), registry.connector(slug).info, imported=False)

    assert " ".join(step.state for step in steps) == line


def test_the_page_is_drawn_anew_when_the_mis_lets_us_in_and_when_the_import_is_done(
    linked: Callable[[str], MisLink], administrator: Account, now: dt.datetime
) -> None:
    link = linked("integris")
    links.begin_waiting(link=link, by=administrator, now=now)
    seen = [pages.link_context(link, now=now)["reached"]]
    MisLink.objects.filter(pk=link.pk).update(state=LinkState.ENABLED)
    link.refresh_from_db()
    seen.append(pages.link_context(link, now=now)["reached"])
    run = an_import(link, at=now, state="reading")
    seen.append(pages.link_context(link, now=now)["reached"])
    Import.objects.filter(pk=run.pk).update(state="applied")
    seen.append(pages.link_context(link, now=now)["reached"])

    assert len(set(seen)) == 4


def test_the_page_asks_the_same_few_queries_however_much_has_come(
    linked: Callable[[str], MisLink], administrator: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    link, client = linked("progresso"), signed_in(administrator)
    counts = []
    for many in (1, 12):
        for number in range(many):
            an_import(link, at=now - dt.timedelta(days=number))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(PAGE)
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 20
