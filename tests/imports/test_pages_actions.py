"""What a person can do about an import: upload, preview, answer a hold, undo, fetch the file, switch the link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub.accounts.models import Account, Role
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.people.models import Pupil
from imports.models import Import, ImportKind, ImportState, LinkState, MisLink
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators import sims_xml
from tests.conftest import NOW, join, make_school
from tests.factories.links import an_import, enabled_link
from tests.factories.world import import_night

RUN_AT = dt.datetime(2026, 11, 22, 2, 4, tzinfo=dt.UTC)


@dataclass
class Place:
    """A school with one night of SIMS in, and an office that is signed in."""

    link: MisLink
    sims: simulated.School
    office: Client
    first: Import

    def post(self, path: str, **data: object) -> Import:
        """Post, and return the newest import."""
        answer = self.office.post(f"/8233001/imports/{path}", data)
        assert answer.status_code == 302, answer.content
        return Import.objects.order_by("-pk").first() or self.first

    def file(self) -> SimpleUploadedFile:
        return SimpleUploadedFile("sims.zip", sims_xml.bundle(self.sims, "by-hand", RUN_AT))


@pytest.fixture(autouse=True)
def _this_morning(
    monkeypatch: pytest.MonkeyPatch,
    now: dt.datetime,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    monkeypatch.setattr("imports.services.clock", lambda: now)


@dataclass
class Begun:
    """What is there before each test."""

    school: School
    administrator: Account
    office: Account
    link: MisLink
    sims: simulated.School
    first: Import


@pytest.fixture(scope="module")
def begun(written_once: Callable[[Callable[[], Begun]], Begun]) -> Begun:
    def begin() -> Begun:
        school = make_school("Larch Hill Primary", "8233001")
        with scope.schools(school.pk):
            head = join(school, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
            office = join(school, "office@example.org", "Priya Shah", Role.OFFICE)
            link = enabled_link(school, by=head, since=NOW - dt.timedelta(days=2))
            sims = simulated.generate(seed=5, size=40, dfe_number=school.dfe_number)
            return Begun(school, head, office, link, sims, import_night(link, sims, "night-1", now=RUN_AT))

    return written_once(begin)


@pytest.fixture
def school(db: None, begun: Begun) -> Iterator[School]:
    with scope.schools(begun.school.pk):
        yield begun.school


@pytest.fixture
def administrator(school: School, begun: Begun) -> Account:
    return begun.administrator


@pytest.fixture
def place(school: School, begun: Begun, signed_in: Callable[[Account], Client]) -> Place:
    mine = deepcopy(begun)
    return Place(mine.link, mine.sims, signed_in(mine.office), mine.first)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    """A worker takes every import as soon as it is asked for."""
    from imports import services

    monkeypatch.setattr(services, "enqueue", lambda run: services.run(import_id=run.pk, now=now))


def test_a_file_by_hand_can_be_previewed_and_then_imported(place: Place) -> None:
    place.sims.add_pupil()
    preview = place.post("upload/", file=place.file(), preview="on")
    assert preview.preview
    assert preview.kind == ImportKind.UPLOAD
    assert preview.requested_by == "Priya Shah"
    before = Pupil.objects.count()
    done = place.post(f"{preview.pk}/import/")
    assert (done.preview, done.state) == (False, ImportState.APPLIED)
    assert Pupil.objects.count() == before + 1


def test_a_file_that_is_not_everybody_removes_nobody(place: Place) -> None:
    place.sims.drop_half()
    run = place.post("upload/", file=place.file())
    assert not run.everybody
    assert run.state in (ImportState.APPLIED, ImportState.UNCHANGED)
    assert not Pupil.objects.filter(leaving_date=dt.date(2026, 11, 23)).exists()


def test_a_form_without_a_file_says_so(place: Place) -> None:
    answer = place.office.post("/8233001/imports/upload/", {})
    assert answer.status_code == 422
    assert "This field is required" in answer.text


def test_a_file_that_is_too_large_is_refused_with_a_sentence(place: Place, settings: object) -> None:
    settings.UPLOAD_LIMIT = 10  # type: ignore[attr-defined]
    answer = place.office.post("/8233001/imports/upload/", {"file": place.file()})
    assert answer.status_code == 422
    assert "larger than" in answer.text


def test_rubbish_becomes_an_import_that_failed_with_a_sentence(place: Place) -> None:
    run = place.post("upload/", file=SimpleUploadedFile("sims.zip", b"not a zip at all"))
    assert run.state == ImportState.FAILED
    assert "This import failed" in place.office.get(f"/8233001/imports/{run.pk}/").text


def hold(place: Place) -> Import:
    place.sims.drop_half()
    run = place.post("upload/", file=place.file(), everybody="on")
    assert run.state == ImportState.PARTLY_HELD
    return run


def test_the_review_lists_everybody_who_would_go(place: Place) -> None:
    run = hold(place)
    answer = place.office.get(f"/8233001/imports/{run.pk}/removals/")
    assert answer.context["page"].paginator.count == sum(run.counts["removals_held"].values())


def test_removals_are_applied_when_somebody_says_so(place: Place) -> None:
    run = hold(place)
    again = place.post(f"{run.pk}/decide/", decision="release")
    assert again.state == ImportState.APPLIED
    gone = Pupil.objects.filter(leaving_date=dt.date(2026, 11, 23)).count()
    assert gone == run.counts["removals_held"]["pupil"]
    answer = place.office.post(f"/8233001/imports/{run.pk}/decide/", {"decision": "keep"}, follow=True)
    assert "not waiting for a decision any more" in answer.text


def test_keeping_everybody_removes_nobody(place: Place) -> None:
    run = hold(place)
    place.post(f"{run.pk}/decide/", decision="keep")
    assert not Pupil.objects.filter(leaving_date=dt.date(2026, 11, 23)).exists()


def test_only_the_three_answers_are_taken(place: Place) -> None:
    run = hold(place)
    assert place.office.post(f"/8233001/imports/{run.pk}/decide/", {"decision": "explode"}).status_code == 400


def test_undo_says_what_it_will_do_then_does_it_and_pauses_the_link(place: Place) -> None:
    added = place.sims.add_pupil()
    run = place.post("upload/", file=place.file(), everybody="on")
    assert Pupil.objects.filter(surname=added.surname, forename=added.forename).exists()
    asked = place.office.get(f"/8233001/imports/{run.pk}/undo/").text
    assert "Imports pause until you resume them" in asked
    place.post(f"{run.pk}/undo/")
    run.refresh_from_db()
    assert run.state == ImportState.UNDONE
    place.link.refresh_from_db()
    assert place.link.paused_at is not None
    assert "This import was undone" in place.office.get(f"/8233001/imports/{run.pk}/").text
    assert "cannot be undone" in place.office.get(f"/8233001/imports/{run.pk}/undo/").text


def test_an_old_import_cannot_be_undone(place: Place, now: dt.datetime) -> None:
    run = an_import(place.link, at=now - dt.timedelta(days=15))
    assert "cannot be undone" in place.office.get(f"/8233001/imports/{run.pk}/undo/").text
    place.office.post(f"/8233001/imports/{run.pk}/undo/")
    run.refresh_from_db()
    assert run.state == ImportState.APPLIED


def test_the_raw_file_is_for_administrators_only_and_written_down(
    place: Place, administrator: Account, signed_in: Callable[[Account], Client]
) -> None:
    path = f"/8233001/imports/{place.first.pk}/file/"
    assert place.office.post(path).status_code == 403
    head = signed_in(administrator)
    assert head.get(path).status_code == 405
    answer = head.post(path)
    assert b"".join(answer.streaming_content) == sims_xml.bundle(  # type: ignore[attr-defined]
        simulated.generate(seed=5, size=40, dfe_number="8233001"), "night-1", RUN_AT
    )
    entry = AuditEntry.objects.get(action="payload.downloaded")
    assert (entry.actor_name, entry.object_id) == ("Helen Ward", place.first.pk)


def test_a_file_that_was_cleared_away_is_not_offered(
    place: Place, administrator: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert place.first.payload
    place.first.payload.stored = False
    place.first.payload.save()
    head = signed_in(administrator)
    assert "The file as it came" not in head.get(f"/8233001/imports/{place.first.pk}/").text
    assert head.post(f"/8233001/imports/{place.first.pk}/file/").status_code == 302


def test_the_switch_turns_the_link_off_and_on(
    place: Place, administrator: Account, signed_in: Callable[[Account], Client]
) -> None:
    head = signed_in(administrator)
    for on, state in (("0", LinkState.DISABLED), ("1", LinkState.ENABLED)):
        assert head.post("/8233001/settings/mis-link/switch/", {"on": on})["Location"] == "/8233001/"
        place.link.refresh_from_db()
        assert place.link.state == state
    assert place.office.post("/8233001/settings/mis-link/switch/", {"on": "0"}).status_code == 403


WRITES = ("decide/", "undo/", "import/", "file/")


@pytest.mark.parametrize("path", WRITES)
def test_nobody_else_can_write(
    path: str,
    place: Place,
    teacher: Account,
    stranger: Account,
    administrator: Account,
    signed_in: Callable[[Account], Client],
) -> None:
    address = f"/8233001/imports/{place.first.pk}/{path}"
    data = {"decision": "release"}
    assert Client().post(address, data)["Location"].startswith("/sign-in/")
    assert signed_in(teacher).post(address, data).status_code == 403
    assert signed_in(stranger).post(address, data).status_code == 404
    if path != "undo/":
        assert signed_in(administrator).get(address).status_code == 405
