"""Being let in by an MIS: asked for and waited for, typed in or consented to, withdrawn, and had again."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.accounts.models import Account
from hub.core.models import School
from imports import situation
from imports.link import links, nights, onboarding, secrets
from imports.models import ImportState, LinkState, MisLink
from mis_connectors.base import Access, SetUp, Sink
from mis_connectors.errors import ConnectorError, SnapshotFormatError
from tests.factories.pulling import HOUR, KEY_REFUSED, REFUSED, PulledMis, a_link, an_mis, install, runs, says, work


@pytest.fixture
def waiting(school: School, administrator: Account, grant: PulledMis, evening: dt.datetime) -> MisLink:
    """A link to the MIS that grants access, asked for this evening."""
    link = links.create_link(school=school, connector=grant.info.slug, by=administrator, now=evening)
    return links.begin_waiting(link=link, by=administrator, now=evening)


@pytest.fixture
def let_in(school: School, administrator: Account, grant: PulledMis, evening: dt.datetime) -> MisLink:
    """A link to the MIS that grants access, and has let us in."""
    return a_link(school, grant, by=administrator, since=evening)


@pytest.fixture
def new(school: School, administrator: Account, typed: PulledMis, evening: dt.datetime) -> MisLink:
    """A link to the MIS whose account has to be typed in, and is not yet."""
    return links.create_link(school=school, connector=typed.info.slug, by=administrator, now=evening)


# Not let in yet


@pytest.mark.parametrize("refusal", [REFUSED, KEY_REFUSED])
def test_a_granted_link_is_tried_at_once_and_a_refusal_is_no_failure(
    waiting: MisLink, grant: PulledMis, evening: dt.datetime, refusal: ConnectorError
) -> None:
    """Whichever way the MIS refuses us before the school is known there: of the hub's own key too."""
    says(grant, refusal)
    work(waiting, now=evening)
    assert waiting.state == LinkState.WAITING
    assert (waiting.tried_said, waiting.wanted_at) == (refusal.message, None)
    assert runs(waiting) == []


def test_while_waiting_each_night_is_tried_once_and_none_is_missed(
    waiting: MisLink, grant: PulledMis, evening: dt.datetime
) -> None:
    says(grant, REFUSED)
    tries = []
    # About each night: whatever else were tried in between shows at the next of these.
    for hour in (0, 1, 5, 6, 7, 29, 30, 31, 53, 54, 55, 59):
        before = len(grant.asked)
        work(waiting, now=evening + hour * HOUR)
        tries += [hour] * (len(grant.asked) - before)
    assert tries == [0, 6, 30, 54]
    assert nights.missed(waiting, now=evening + 60 * HOUR) == []
    assert runs(waiting) == []


def test_what_is_collected_while_waiting_enables_the_link_and_is_imported(
    waiting: MisLink, grant: PulledMis, evening: dt.datetime
) -> None:
    says(grant, REFUSED)
    work(waiting, now=evening)
    says(grant)
    work(waiting, now=evening + 6 * HOUR)
    assert waiting.state == LinkState.ENABLED
    assert (waiting.tried_at, waiting.tried_said) == (None, "")
    assert [run.state for run in runs(waiting)] == [ImportState.APPLIED]
    assert nights.missed(waiting, now=evening + 12 * HOUR) == []
    work(waiting, now=evening + 30 * HOUR)
    assert len(runs(waiting)) == 2


def test_somebody_is_told_only_after_the_time_the_mis_takes_and_one_night(
    waiting: MisLink, grant: PulledMis, evening: dt.datetime
) -> None:
    says(grant, REFUSED)
    told = []
    for hour in (0, 6, 23, 25, 29, 30, 31):
        work(waiting, now=evening + hour * HOUR)
        told.append(onboarding.is_kept_waiting(waiting, grant.info, now=evening + hour * HOUR))
    assert told == [False, False, False, False, False, True, True]


def test_somebody_is_told_as_well_if_nothing_tried(waiting: MisLink, grant: PulledMis, evening: dt.datetime) -> None:
    assert not onboarding.is_kept_waiting(waiting, grant.info, now=evening + 31 * HOUR)
    assert onboarding.is_kept_waiting(waiting, grant.info, now=evening + 32 * HOUR)


def test_asking_again_while_waiting_does_not_begin_the_wait_anew(
    waiting: MisLink, administrator: Account, evening: dt.datetime
) -> None:
    links.begin_waiting(link=waiting, by=administrator, now=evening + 5 * HOUR)
    assert waiting.state_since == evening
    assert waiting.wanted_at == evening + 5 * HOUR


def test_what_has_to_be_typed_in_is_not_waited_for(new: MisLink, administrator: Account, evening: dt.datetime) -> None:
    with pytest.raises(links.LinkRefused, match="Follow the steps"):
        links.begin_waiting(link=new, by=administrator, now=evening)


# Credentials and consent


def test_credentials_are_awaited_typed_in_and_tried_at_once(
    new: MisLink, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    links.await_credentials(link=new, by=administrator, now=evening)
    assert new.state == LinkState.AWAITING_CREDENTIALS
    assert work(new, now=evening + 30 * HOUR).state == LinkState.AWAITING_CREDENTIALS
    later = evening + 31 * HOUR
    links.give_settings(link=new, values={"account": "sg1", "password": "hidden"}, by=administrator, now=later)
    assert new.state == LinkState.WAITING
    assert b"hidden" not in bytes(new.secrets)
    work(new, now=later)
    assert new.state == LinkState.ENABLED
    assert typed.asked[0].settings == {"account": "sg1"}
    assert typed.asked[0].secrets == {"password": "hidden"}


def test_what_cannot_be_right_is_said_by_field_and_kept_nowhere(
    new: MisLink, administrator: Account, evening: dt.datetime
) -> None:
    with pytest.raises(links.SettingsRefused) as refused:
        links.give_settings(link=new, values={"account": "wrong"}, by=administrator, now=evening)
    assert refused.value.problems == {
        "account": "This account is another school's.",
        "password": "Type in the password.",
    }
    new.refresh_from_db()
    assert (new.state, new.settings) == (LinkState.NOT_SET_UP, {})


def test_a_secret_left_empty_stays_as_it_is(
    new: MisLink, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    for account, password in (("one", "first"), ("two", "")):
        values = {"account": account, "password": password}
        links.give_settings(link=new, values=values, by=administrator, now=evening)
    work(new, now=evening)
    assert (typed.asked[0].settings, typed.asked[0].secrets) == ({"account": "two"}, {"password": "first"})


def test_wrong_credentials_fail_at_once_with_the_sentence_of_the_mis(
    new: MisLink, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    values = {"account": "sg1", "password": "no"}
    links.give_settings(link=new, values=values, by=administrator, now=evening)
    says(typed, REFUSED)
    work(new, now=evening)
    assert new.state == LinkState.RECONNECT
    (run,) = runs(new)
    assert (run.state, run.reasons[0]["sentence"]) == (ImportState.FAILED, "The MIS does not let us in yet.")
    assert run.payload is None
    for hour in (1, 5, 6, 7, 29, 30, 31, 54, 59):
        work(new, now=evening + hour * HOUR)
    assert len(typed.asked) == 1
    assert len(runs(new)) == 1


def test_consent_is_kept_and_tried_at_once(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, evening: dt.datetime
) -> None:
    mis = an_mis("consent", SetUp.CONSENT)
    install(monkeypatch, mis)
    link = links.create_link(school=school, connector="consent", by=administrator, now=evening)
    links.authorised(link=link, kept={"refresh": "r1"}, by=administrator, now=evening)
    work(link, now=evening)
    assert link.state == LinkState.ENABLED
    assert mis.asked[0].secrets == {"refresh": "r1"}


def test_rotated_credentials_are_kept_even_if_the_run_then_fails(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)

    def rotate(access: Access, sink: Sink) -> None:
        access.save_secrets({"refresh": "new"})
        raise SnapshotFormatError("This is not what the MIS sends.")

    typed.answer = rotate
    work(link, now=evening + 6 * HOUR)
    assert secrets.secrets_of(link) == {"refresh": "new"}
    assert runs(link)[0].state == ImportState.FAILED


# Shut out again


def test_a_withdrawn_access_asks_to_reconnect_and_the_nights_show_as_not_run(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
    says(typed, REFUSED)
    for hour in range(6, 60, 6):
        work(link, now=evening + hour * HOUR)
    assert link.state == LinkState.RECONNECT
    assert [run.state for run in runs(link)] == [ImportState.FAILED]
    assert [night.state for night in nights.last_nights(link, now=evening + 60 * HOUR)][-3:] == [
        "bad", "missed", "missed",
    ]  # fmt: skip


def test_a_hub_whose_key_is_refused_sends_no_school_to_connect_again(
    let_in: MisLink, school: School, grant: PulledMis, evening: dt.datetime
) -> None:
    says(grant, KEY_REFUSED)
    for hour in (6, 30):
        work(let_in, now=evening + hour * HOUR)
    assert let_in.state == LinkState.ENABLED
    assert [(run.state, run.reasons[0]["code"]) for run in runs(let_in)] == [(ImportState.FAILED, "platform")] * 2
    (alert,) = situation.alerts(situation.of(school, now=evening + 31 * HOUR), now=evening + 31 * HOUR)
    assert alert.title == "Granted refuses this hub: whoever runs it has to act"
    assert alert.body.startswith("The MIS does not accept the hub's key: tell whoever runs it.")
    says(grant)
    work(let_in, now=evening + 54 * HOUR)
    assert (let_in.state, runs(let_in)[-1].state) == (LinkState.ENABLED, ImportState.APPLIED)


def test_a_granted_link_that_was_shut_out_and_is_not_known_yet_stays_so(
    let_in: MisLink, grant: PulledMis, evening: dt.datetime
) -> None:
    says(grant, REFUSED)
    work(let_in, now=evening + 6 * HOUR)
    says(grant, KEY_REFUSED)
    work(let_in, now=evening + 30 * HOUR)
    assert (let_in.state, len(grant.asked), len(runs(let_in))) == (LinkState.RECONNECT, 2, 1)


def test_a_granted_link_that_was_shut_out_comes_back_by_itself(
    let_in: MisLink, grant: PulledMis, evening: dt.datetime
) -> None:
    says(grant, REFUSED)
    work(let_in, now=evening + 6 * HOUR)
    work(let_in, now=evening + 30 * HOUR)
    assert (let_in.state, len(grant.asked), len(runs(let_in))) == (LinkState.RECONNECT, 2, 1)
    says(grant)
    work(let_in, now=evening + 54 * HOUR)
    assert let_in.state == LinkState.ENABLED
    assert [run.state for run in runs(let_in)] == [ImportState.FAILED, ImportState.APPLIED]


def test_a_pull_link_is_not_simply_switched_on(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="granted", by=administrator, now=evening)
    with pytest.raises(links.LinkRefused, match="follow its steps"):
        links.enable(link=link, by=administrator, now=evening)
    links.begin_waiting(link=link, by=administrator, now=evening)
    links.disable(link=link, by=administrator, now=evening)
    assert links.enable(link=link, by=administrator, now=evening).state == LinkState.WAITING
