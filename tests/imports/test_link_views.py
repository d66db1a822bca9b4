"""Settings > MIS Link: who may see and change it, and what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import AuditEntry, School
from imports import moments
from imports.link import links
from imports.models import AgentToken, ImportState, LinkState, MisLink
from tests.factories.links import an_import, enabled_link

SignIn = Callable[[Account], Client]
PAGE = "/8233001/settings/mis-link/"
DAY = dt.timedelta(days=1)


@pytest.fixture
def right_now() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def link(school: School, administrator: Account, right_now: dt.datetime) -> MisLink:
    return enabled_link(school, by=administrator, since=right_now - DAY / 24)


def text(response: object) -> str:
    content: bytes = response.content  # type: ignore[attr-defined]
    return " ".join(content.decode().split())


READS = ["", "set-up/", "test/", "progress/"]
CHANGES = ["enable/", "disable/", "resume/", "schedule/", "pause/", "agent/", "choose/"]


@pytest.mark.parametrize("page", READS)
def test_administrators_and_the_office_see_it_teachers_and_strangers_do_not(
    link: MisLink,
    administrator: Account,
    office: Account,
    teacher: Account,
    stranger: Account,
    signed_in: SignIn,
    page: str,
) -> None:
    statuses = [signed_in(one).get(PAGE + page).status_code for one in (administrator, office, teacher, stranger)]

    assert statuses == [200, 200, 403, 404]
    assert Client().get(PAGE + page).status_code == 302


@pytest.mark.parametrize("change", CHANGES)
def test_only_administrators_change_it_and_never_by_get(
    link: MisLink,
    office: Account,
    teacher: Account,
    stranger: Account,
    administrator: Account,
    signed_in: SignIn,
    change: str,
) -> None:
    before = AuditEntry.objects.count()
    statuses = [signed_in(one).post(PAGE + change).status_code for one in (office, teacher, stranger)]

    assert statuses == [403, 403, 404]
    assert Client().post(PAGE + change).status_code == 302
    assert AuditEntry.objects.count() == before
    if change != "disable/":
        assert signed_in(administrator).get(PAGE + change).status_code == 405


def test_a_change_without_the_forms_token_is_refused(link: MisLink, administrator: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)

    assert client.post(PAGE + "disable/").status_code == 403
    link.refresh_from_db()
    assert link.state == LinkState.ENABLED


def test_a_school_without_an_mis_chooses_one_and_is_led_through_six_steps(
    school: School, administrator: Account, office: Account, signed_in: SignIn
) -> None:
    assert "An administrator sets it up" in text(signed_in(office).get(PAGE))
    client = signed_in(administrator)
    assert "Which MIS does your school use?" in text(client.get(PAGE))

    page = text(client.post(PAGE + "choose/", {"connector": "sims"}, follow=True))

    assert "Set up SIMS" in page
    for heading in ("python.org", "Third Party Reporter", "Download the agent", "Check", "two tasks", "first import"):
        assert heading in page
    assert client.get(PAGE + "test/").status_code == 200


def test_an_unknown_mis_is_refused_in_the_form(school: School, administrator: Account, signed_in: SignIn) -> None:
    response = signed_in(administrator).post(PAGE + "choose/", {"connector": "abacus"})

    assert response.status_code == 422
    assert not MisLink.objects.exists()


def test_a_download_is_a_file_with_a_token_of_its_own(link: MisLink, administrator: Account, signed_in: SignIn) -> None:
    response = signed_in(administrator).post(PAGE + "agent/", {"name": "Office PC"})

    assert response["Content-Disposition"] == 'attachment; filename="schoolgate_agent.py"'
    assert "no-store" in response["Cache-Control"]
    source = response.content.decode()
    token = AgentToken.objects.get()
    filled: dict[str, object] = {}
    exec(source[source.index("HUB =") : source.index("# ==== configuration ==== end")], filled)
    assert links.hash_token(str(filled["TOKEN"])) == token.token_hash
    assert (filled["SCHOOL"], filled["LINK"], filled["RUN_AT"]) == ("Larch Hill Primary", link.pk, "02:00")
    assert filled["HUB"] == "http://127.0.0.1:8000"
    assert str(filled["TOKEN"]) not in text(signed_in(administrator).get(PAGE))


def test_a_download_needs_a_name(link: MisLink, administrator: Account, signed_in: SignIn) -> None:
    response = signed_in(administrator).post(PAGE + "agent/", {"name": ""})

    assert response.status_code == 422
    assert not AgentToken.objects.exists()


def test_the_office_imports_now_and_is_told_whether_the_agent_listens(
    link: MisLink, office: Account, administrator: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    client = signed_in(office)
    assert "no agent has been heard yet" in text(client.post(PAGE + "import/", follow=True))
    link.refresh_from_db()
    assert link.wanted_by == "Priya Shah"

    token, _ = links.create_token(link=link, name="Office PC", by=administrator, now=right_now)
    AgentToken.objects.filter(pk=token.pk).update(last_seen_at=right_now)
    page = text(client.post(PAGE + "import/", follow=True))
    assert "The agent asks the hub every 10 minutes" in page
    assert "Priya Shah asked for an import" in page


def test_disabling_asks_first_and_says_since_when_it_is_off(
    link: MisLink, administrator: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    an_import(link, at=right_now - DAY / 48)
    client = signed_in(administrator)
    assert "Disable MIS Autolink?" in text(client.get(PAGE + "disable/"))
    link.refresh_from_db()
    assert link.state == LinkState.ENABLED

    page = text(client.post(PAGE + "disable/", follow=True))

    assert "MIS Autolink is off" in page
    assert f"by Helen Ward. Last import {moments.stamp(right_now - DAY / 48)}." in page
    assert "is linked" in text(client.post(PAGE + "enable/", follow=True))


def test_the_page_says_of_the_last_import_what_became_of_it_and_which_came_in_before(
    link: MisLink, administrator: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    client, when = signed_in(administrator), [right_now - DAY * days for days in (4, 3, 2, 1)]
    said = [moments.stamp(at) for at in when]
    assert "Every night at 02:00. Nothing was ever imported." in text(client.get(PAGE))

    an_import(link, at=when[0], state=ImportState.FAILED)
    assert f"The import of {said[0]} failed; none has come in yet." in (page := text(client.get(PAGE)))
    assert '<li class="done">First import' not in page

    an_import(link, at=when[1], state=ImportState.UNCHANGED)
    assert f"Every night at 02:00. Last import {said[1]}." in text(client.get(PAGE))
    for state, word in (("failed", "failed"), ("held", "is held"), ("undone", "was undone"), ("discarded", "was")):
        latest = an_import(link, at=when[2], state=state)
        assert f"The import of {said[2]} {word}" in (page := text(client.get(PAGE)))
        assert f"; the last that came in is of {said[1]}." in page
        assert "Last import" not in page
        latest.delete()
    an_import(link, at=when[3], state=ImportState.PARTLY_HELD)
    assert f"Last import {said[3]}." in text(client.get(PAGE))


def test_many_failures_do_not_hide_that_something_came_in_once(
    link: MisLink, administrator: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    an_import(link, at=right_now - DAY * 30)
    for days in range(20):
        an_import(link, at=right_now - DAY * days, state=ImportState.FAILED)

    page = text(signed_in(administrator).get(PAGE))

    assert f"failed; the last that came in is of {moments.stamp(right_now - DAY * 30)}." in page


def test_the_timetable_is_saved_and_a_wrong_one_is_shown_again(
    link: MisLink, administrator: Account, signed_in: SignIn
) -> None:
    client = signed_in(administrator)
    page = text(
        client.post(PAGE + "schedule/", {"weekdays": ["1", "2", "3", "4", "5"], "run_at": "03:15"}, follow=True)
    )
    assert "Monday to Friday at 03:15" in page

    wrong = client.post(PAGE + "schedule/", {"run_at": "03:15"})
    assert wrong.status_code == 422
    assert "Choose at least one night" in text(wrong)


def test_a_pause_is_shown_and_ended(
    link: MisLink, administrator: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    client = signed_in(administrator)
    wrong = client.post(PAGE + "pause/", {"until": right_now.date().isoformat()})
    assert wrong.status_code == 422
    assert "Choose a day after today" in text(wrong)

    page = text(client.post(PAGE + "pause/", {"until": (right_now + 5 * DAY).date().isoformat()}, follow=True))
    assert "SIMS is linked, and paused" in page
    assert "it then goes on by itself" in page
    assert "and paused" not in text(client.post(PAGE + "resume/", follow=True))


def test_a_copy_of_the_agent_is_ended_after_a_question(
    link: MisLink, administrator: Account, office: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    token, _ = links.create_token(link=link, name="Office PC", by=administrator, now=right_now)
    address = f"{PAGE}agent/{token.pk}/end/"
    client = signed_in(administrator)

    assert "End “Office PC”?" in text(client.get(address))
    assert signed_in(office).post(address).status_code == 403
    assert "can no longer sign in" in text(client.post(address, follow=True))
    assert AgentToken.objects.get().revoked_by == "Helen Ward"


def test_another_schools_copy_of_the_agent_is_not_found(
    link: MisLink, administrator: Account, stranger: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    token, _ = links.create_token(link=link, name="Office PC", by=administrator, now=right_now)

    assert signed_in(stranger).post(f"/8234002/settings/mis-link/agent/{token.pk}/end/").status_code == 404
    assert signed_in(administrator).post(f"{PAGE}agent/{token.pk + 1}/end/").status_code == 404


def test_the_log_and_the_test_are_shown_escaped_and_as_a_fragment(
    link: MisLink, administrator: Account, office: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    token, _ = links.create_token(link=link, name="Office PC", by=administrator, now=right_now)
    AgentToken.objects.filter(pk=token.pk).update(
        last_seen_at=right_now, log_tail="<script>alert(1)</script>", host_name="OFFICE-7", agent_version="1.0"
    )
    page = text(signed_in(office).get(PAGE))
    assert "&lt;script&gt;alert(1)" in page
    assert "OFFICE-7" in page

    fragment = text(signed_in(office).get(PAGE + "test/", headers={"HX-Request": "true"}))
    assert "<html" not in fragment
    assert "The agent on OFFICE-7 was heard" in fragment


def test_during_set_up_the_page_is_drawn_anew_when_a_step_is_reached(
    school: School, administrator: Account, signed_in: SignIn, right_now: dt.datetime
) -> None:
    client = signed_in(administrator)
    link = links.create_link(school=school, connector="sims", by=administrator, now=right_now)
    assert "progress/?seen=1" in text(client.get(PAGE))
    assert client.get(PAGE + "progress/?seen=1").status_code == 204

    links.create_token(link=link, name="Office PC", by=administrator, now=right_now)

    assert client.get(PAGE + "progress/?seen=1")["HX-Refresh"] == "true"
