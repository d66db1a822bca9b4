"""Imports that ask a person first: what is held, what goes in all the same, and what each answer does."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.errors import HubError
from hub.core.models import School
from hub.people.models import Contact, Pupil, PupilContact
from imports import decisions, services
from imports.models import Import, ImportState, MisLink, RejectedRecord
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators import sims_xml
from tests.factories.running import Nights, versions


@pytest.fixture
def school(db: None, first_night: Nights) -> Iterator[School]:
    with scope.schools(first_night.school.pk):
        yield first_night.school


@pytest.fixture(autouse=True)
def _runs_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that a decision asks for wait to be carried out by the test."""
    monkeypatch.setattr(services, "enqueue", lambda run: None)


def on_roll() -> int:
    return Pupil.objects.filter(leaving_date=None).count()


def half_gone(nights: Nights) -> Import:
    nights.mis.drop_half()
    return nights.night()


def test_half_the_school_missing_holds_the_removals_and_takes_the_rest(nights: Nights) -> None:
    before = on_roll()
    pupil = next(pupil for pupil in list(nights.mis.pupils.values())[1::2] if not pupil.leaving_date)
    nights.mis.change_group(pupil.id, "3Z")
    run = half_gone(nights)
    assert run.state == ImportState.PARTLY_HELD
    assert on_roll() == before
    assert Pupil.objects.filter(registration_group="3Z").count() == 1
    assert {reason["code"] for reason in run.reasons} == {"removals"}
    assert run.counts["removals_held"]["pupil"] > 5
    assert [row for row in run.would if row["kind"] == "pupil" and row["action"] == "ended"]
    assert run.counts["removed"].get("pupil") is None, "what is held has not gone"


def test_a_release_applies_what_was_shown(nights: Nights, office: Account) -> None:
    before, run = on_roll(), half_gone(nights)
    again = decisions.release(run=run, by=office, now=nights.now)
    assert nights.carry_out(again).state == ImportState.APPLIED
    assert on_roll() == before - run.counts["removals_held"]["pupil"]
    run.refresh_from_db()
    assert (run.decided_by, run.state) == (str(office), ImportState.PARTLY_HELD)


def test_removals_that_were_approved_are_no_leak_the_next_night(nights: Nights, office: Account) -> None:
    nights.carry_out(decisions.release(run=half_gone(nights), by=office, now=nights.now))
    nights.mis.drop_pupil(nights.mis.on_roll()[0].id)
    assert nights.night().state == ImportState.APPLIED


def test_keep_everybody_removes_nobody_and_asks_no_more(nights: Nights, office: Account) -> None:
    before = on_roll()
    kept = nights.carry_out(decisions.keep_everybody(run=half_gone(nights), by=office, now=nights.now))
    assert kept.state in (ImportState.APPLIED, ImportState.UNCHANGED)
    assert on_roll() == before
    nights.mis.add_pupil()
    assert nights.night().state == ImportState.APPLIED
    assert on_roll() == before + 1


def test_a_newer_file_supersedes_a_hold(nights: Nights, office: Account) -> None:
    whole = nights.zip()
    before, run = on_roll(), half_gone(nights)
    assert nights.night(whole).state in (ImportState.APPLIED, ImportState.UNCHANGED)
    run.refresh_from_db()
    assert run.decided_at is not None
    assert on_roll() == before
    for answer in (decisions.release, decisions.keep_everybody, decisions.discard):
        with pytest.raises(decisions.NotYours):
            answer(run=run, by=office, now=nights.now)


def test_the_same_half_again_asks_again(nights: Nights) -> None:
    run = half_gone(nights)
    again = nights.night()
    assert again.state == ImportState.PARTLY_HELD
    assert again.counts["removals_held"] == run.counts["removals_held"]
    run.refresh_from_db()
    assert run.decided_at is not None, "one hold waits, the newest"


def test_a_discarded_hold_changes_nothing_and_is_asked_for_anew(nights: Nights, office: Account) -> None:
    run = half_gone(nights)
    before = versions(nights.school)
    decisions.discard(run=run, by=office, now=nights.now)
    assert versions(nights.school) == before
    assert nights.night().state == ImportState.PARTLY_HELD


def replaced(nights: Nights) -> simulated.School:
    """The MIS database was replaced: nobody of before is in it, but one pupil."""
    other = copy.deepcopy(nights.mis)
    one = other.on_roll()[0].id
    for gone in set(other.pupils) - {one}:
        other.drop_pupil(gone)
    for _newcomer in range(20):
        other.add_pupil()
    return other


def test_a_file_that_would_empty_the_school_is_held_whole(nights: Nights, office: Account) -> None:
    before, known = versions(nights.school), nights.mis
    standing = set(RejectedRecord.objects.filter(resolved_at=None).values_list("pk", flat=True))
    nights.mis = replaced(nights)
    MisLink.objects.update(read_everything_on=None)
    run = nights.night()
    assert run.state == ImportState.HELD
    assert "few_present" in {reason["code"] for reason in run.reasons}
    assert versions(nights.school) == before
    assert set(RejectedRecord.objects.filter(resolved_at=None).values_list("pk", flat=True)) == standing
    nights.mis = known
    assert nights.night().state in (ImportState.APPLIED, ImportState.UNCHANGED)
    run.refresh_from_db()
    assert run.state == ImportState.DISCARDED


@pytest.mark.parametrize("answer", ["release", "keep_everybody"])
def test_a_hold_of_all_is_answered_once(nights: Nights, office: Account, answer: str) -> None:
    before = set(Pupil.objects.filter(leaving_date=None).values_list("pk", flat=True))
    nights.mis = replaced(nights)
    run = nights.night()
    again = nights.carry_out(getattr(decisions, answer)(run=run, by=office, now=nights.now))
    assert again.state == ImportState.APPLIED
    still = Pupil.objects.filter(pk__in=before, leaving_date=None).count()
    assert still == (1 if answer == "release" else len(before))


def test_an_empty_report_of_pupils_is_held(nights: Nights) -> None:
    files = sims_xml.reports(nights.mis)
    head, _, _ = files["pupils.xml"].partition(b"  <Record>")
    files["pupils.xml"] = head + b"</SuperStarReport>"
    before = versions(nights.school)
    run = nights.night(sims_xml.zipped(files, run_id="e", started_at=nights.now))
    assert run.state == ImportState.HELD
    assert run.reasons[0]["code"] == "empty"
    assert versions(nights.school) == before


def test_another_schools_file_is_held_and_cannot_be_released(nights: Nights, office: Account) -> None:
    before = versions(nights.school)
    stranger = simulated.generate(seed=3, size=24, dfe_number="8234002")
    pupil = nights.mis.on_roll()[0].id
    stranger.pupils[pupil], stranger.links[pupil] = nights.mis.pupils[pupil], nights.mis.links[pupil]
    for link in stranger.links[pupil]:
        link.court_order = True
        stranger.contacts[link.contact_id] = nights.mis.contacts[link.contact_id]
    run = nights.night(sims_xml.bundle(stranger, "x", nights.now))
    assert run.state == ImportState.HELD
    assert run.reasons[0]["code"] == "wrong_school"
    assert "823/4002" in run.reasons[0]["sentence"]
    assert versions(nights.school) == before, "not even a loss of access is taken from it"
    for answer in (decisions.release, decisions.keep_everybody):
        with pytest.raises(HubError, match="another school"):
            answer(run=run, by=office, now=nights.now)
    assert decisions.discard(run=run, by=office, now=nights.now).state == ImportState.DISCARDED


def a_usual_link(nights: Nights) -> tuple[int, int]:
    link = next(
        link
        for record in nights.usual_parents(8)
        for link in nights.mis.all_links()
        if link.contact_id == record and nights.link_between(link.pupil_id, record).access
    )
    return link.pupil_id, link.contact_id


@pytest.mark.parametrize("held", [ImportState.PARTLY_HELD, ImportState.HELD])
def test_a_new_court_order_takes_access_at_once_whatever_is_held(nights: Nights, held: ImportState) -> None:
    pupil, contact = a_usual_link(nights)
    nights.mis.set_court_order(pupil, contact)
    keep = {pupil} if held == ImportState.HELD else set(list(nights.mis.pupils)[1::2]) | {pupil}
    for gone in set(nights.mis.pupils) - keep:
        nights.mis.drop_pupil(gone)
    run = nights.night()
    assert run.state == held
    link = nights.link_between(pupil, contact)
    assert (link.access, link.court_order) == (False, True)
    if held == ImportState.HELD:
        assert run.counts["updated"] == 1
        assert PupilContact.objects.exclude(ended_on=None).count() == 0


def test_a_wait_for_an_answer_ends_when_the_file_is_cleared(nights: Nights, office: Account) -> None:
    run = half_gone(nights)
    assert run.payload
    run.payload.stored = False
    run.payload.save()
    with pytest.raises(HubError, match="no longer kept"):
        decisions.release(run=run, by=office, now=nights.now)


@pytest.fixture
def sixty(other_school: School) -> Iterator[Nights]:
    """A school of sixty pupils whose first import is in."""
    with scope.schools(other_school.pk):
        nights = Nights.of(other_school, 60)
        nights.night()
        yield nights


def test_nothing_leaks_away_night_by_night(sixty: Nights) -> None:
    """Nine in a hundred each night: the first night goes in, and from then on somebody is asked."""
    before, states = on_roll(), []
    for _night in range(4):
        for pupil in sixty.mis.on_roll()[:5]:
            sixty.mis.drop_pupil(pupil.id)
        states.append(sixty.night().state)
    assert states[0] == ImportState.APPLIED
    assert set(states[1:]) == {ImportState.PARTLY_HELD}
    assert on_roll() == before - 5
    assert Contact.objects.count() > 0
