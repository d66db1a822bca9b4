"""The MIS Link: its states, its timetable, and the tokens of the agent."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from hub.accounts.models import Account
from hub.core.models import AuditEntry, School
from imports.link import links
from imports.models import AgentToken, LinkState, MisLink, Payload, ScheduledRun
from tests.factories.links import enabled_link

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def link(school: School, administrator: Account, now: dt.datetime) -> MisLink:
    return links.create_link(school=school, connector="sims", by=administrator, now=now)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_new_link_is_not_set_up_and_runs_every_night_at_two(link: MisLink, school: School) -> None:
    assert (link.state, link.weekdays, link.run_at) == (LinkState.NOT_SET_UP, [1, 2, 3, 4, 5, 6, 7], dt.time(2))
    assert link.scheduled_since is None
    assert links.current_link(school) == link
    assert actions() == ["link.created"]


def test_a_school_has_one_mis_at_a_time(
    link: MisLink, school: School, administrator: Account, now: dt.datetime
) -> None:
    with pytest.raises(links.LinkRefused, match="already linked to SIMS"):
        links.create_link(school=school, connector="sims", by=administrator, now=now)


def test_an_mis_that_is_not_installed_is_refused(school: School, administrator: Account, now: dt.datetime) -> None:
    with pytest.raises(links.LinkRefused, match="not installed"):
        links.create_link(school=school, connector="abacus", by=administrator, now=now)


def test_enabling_and_disabling_says_since_when_and_by_whom(
    link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    links.enable(link=link, by=administrator, now=now)
    assert (link.state, link.state_since, link.state_by) == (LinkState.ENABLED, now, "Helen Ward")
    assert link.scheduled_since == now

    links.enable(link=link, by=administrator, now=now + HOUR)
    assert link.state_since == now

    links.disable(link=link, by=administrator, now=now + 2 * HOUR)
    link.refresh_from_db()
    assert (link.state, link.state_since, link.scheduled_since) == (LinkState.DISABLED, now + 2 * HOUR, None)
    assert actions() == ["link.created", "link.enabled", "link.disabled"]


def test_a_link_that_is_not_on_cannot_be_disabled(link: MisLink, administrator: Account, now: dt.datetime) -> None:
    with pytest.raises(links.LinkRefused, match="not on"):
        links.disable(link=link, by=administrator, now=now)


def test_a_frozen_link_cannot_be_enabled(link: MisLink, administrator: Account, now: dt.datetime) -> None:
    MisLink.objects.update(state=LinkState.FROZEN)
    with pytest.raises(links.LinkRefused, match="frozen"):
        links.enable(link=link, by=administrator, now=now)


def test_a_link_that_waits_is_enabled_by_its_first_arrival(
    link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    token, _ = links.create_token(link=link, name="Office server", by=administrator, now=now)
    assert link.state == LinkState.WAITING

    links.enable_at_first_arrival(link=link, token=token, now=now + HOUR)

    assert (link.state, link.state_by, link.scheduled_since) == (LinkState.ENABLED, "Helen Ward", now + HOUR)


def test_an_arrival_does_not_enable_what_was_switched_off(
    link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    token, _ = links.create_token(link=link, name="Office server", by=administrator, now=now)
    links.disable(link=link, by=administrator, now=now)

    links.enable_at_first_arrival(link=link, token=token, now=now + HOUR)

    assert link.state == LinkState.DISABLED


def test_a_pause_needs_a_day_ahead_and_can_be_ended_early(
    school: School, administrator: Account, now: dt.datetime
) -> None:
    link = enabled_link(school, by=administrator, since=now)
    with pytest.raises(links.LinkRefused, match="after today"):
        links.pause_until(link=link, until=now.date(), by=administrator, now=now)

    links.pause_until(link=link, until=now.date() + 3 * DAY, by=administrator, now=now)
    assert links.is_paused(link, now=now + 2 * DAY)
    assert not links.is_paused(link, now=now + 3 * DAY)
    assert links.pause_words(link, now=now) == "Paused until Thu 26 Nov; it then goes on by itself."

    links.resume(link=link, by=administrator, now=now + DAY)
    assert not links.is_paused(link, now=now + DAY)
    assert link.scheduled_since == now + DAY


def test_a_pause_after_an_undo_takes_back_what_was_asked_for_and_lasts_until_resumed(
    school: School, administrator: Account, now: dt.datetime
) -> None:
    link = enabled_link(school, by=administrator, since=now)
    links.want_run(link=link, by=administrator, now=now)

    links.pause_after_undo(link=link, why="The import of Mon 23 Nov was undone.", by=administrator, now=now)

    assert link.wanted_at is None
    assert links.is_paused(link, now=now + 100 * DAY)
    assert "The import of Mon 23 Nov was undone." in links.pause_words(link, now=now)
    with pytest.raises(links.LinkRefused, match="Resume it first"):
        links.want_run(link=link, by=administrator, now=now)


def test_the_timetable_needs_a_night(link: MisLink, administrator: Account, now: dt.datetime) -> None:
    for weekdays in ([], [0], [8]):
        with pytest.raises(links.LinkRefused, match="at least one night"):
            links.set_schedule(link=link, weekdays=weekdays, run_at=dt.time(3), by=administrator, now=now)


def test_a_new_timetable_hides_no_night_that_was_due_under_the_old_one(
    school: School, administrator: Account, now: dt.datetime
) -> None:
    link = enabled_link(school, by=administrator, since=now - 3 * DAY)

    links.set_schedule(link=link, weekdays=[5, 1, 1], run_at=dt.time(22, 30), by=administrator, now=now)

    assert (link.weekdays, link.run_at) == ([1, 5], dt.time(22, 30))
    written = ScheduledRun.objects.order_by("night").values_list("night", flat=True)
    assert [night.day for night in written] == [21, 22, 23]


def test_a_run_is_wanted_once_and_only_of_a_link_that_is_on(
    link: MisLink, administrator: Account, office: Account, now: dt.datetime
) -> None:
    with pytest.raises(links.LinkRefused, match="not enabled"):
        links.want_run(link=link, by=office, now=now)
    links.enable(link=link, by=administrator, now=now)

    links.want_run(link=link, by=office, now=now)
    links.want_run(link=link, by=administrator, now=now + HOUR)

    assert (link.wanted_at, link.wanted_by) == (now, "Priya Shah")


def test_a_tokens_secret_is_long_shown_once_and_kept_only_as_a_hash(
    link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    token, secret = links.create_token(link=link, name="  Office   server ", by=administrator, now=now)

    assert re.fullmatch(r"sg_[A-Za-z0-9_-]{32}", secret)
    assert (token.name, token.token_hash) == ("Office server", links.hash_token(secret))
    assert secret not in str(AuditEntry.objects.order_by("pk").values_list("data", flat=True))
    with pytest.raises(links.LinkRefused, match="name"):
        links.create_token(link=link, name="  ", by=administrator, now=now)


def test_a_token_is_revoked_once(link: MisLink, administrator: Account, office: Account, now: dt.datetime) -> None:
    token, _ = links.create_token(link=link, name="Office server", by=administrator, now=now)

    links.revoke_token(token=token, by=administrator, now=now)
    links.revoke_token(token=token, by=office, now=now + HOUR)

    stored = AgentToken.objects.get(pk=token.pk)
    assert (stored.revoked_at, stored.revoked_by) == (now, "Helen Ward")


def test_what_was_kept_while_the_link_was_off_is_asked_for_afresh(
    school: School, administrator: Account, now: dt.datetime
) -> None:
    link = enabled_link(school, by=administrator, since=now - DAY)
    links.disable(link=link, by=administrator, now=now)
    links.enable(link=link, by=administrator, now=now + HOUR)
    assert link.wanted_at is None

    links.disable(link=link, by=administrator, now=now + 2 * HOUR)
    Payload.objects.create(
        school=school,
        link=link,
        run_id="kept",
        filename="run.zip",
        size=1,
        received_at=now + 3 * HOUR,
        content_digest=b"",
    )
    links.enable(link=link, by=administrator, now=now + 4 * HOUR)

    assert (link.wanted_at, link.wanted_by) == (now + 4 * HOUR, "Helen Ward")
