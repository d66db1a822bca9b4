"""Whole imports, from a simulated SIMS server's zip to the database and back."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account, Membership
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Contact, ContactDetail, MisIdentity, Pupil, PupilContact, Staff
from imports import reading, services
from imports.link import links
from imports.models import Import, ImportChange, ImportKind, ImportState, MisLink, RejectedRecord, Rejection
from mis_connectors.simulators import sims_xml
from tests.conftest import join
from tests.factories.people import tie
from tests.factories.running import FIRST_NIGHT, Nights, raw_bytes, versions

OWN = "+447700900777"


@pytest.fixture
def school(db: None, first_night: Nights) -> Iterator[School]:
    with scope.schools(first_night.school.pk):
        yield first_night.school


def with_space(data: bytes) -> bytes:
    """The same people in other bytes: white space between the records."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</SuperStarReport>", b"\r\n\r\n</SuperStarReport>"))
    return out.getvalue()


def test_a_first_import_brings_the_school_in(nights: Nights) -> None:
    (run,) = nights.passed
    assert run.state == ImportState.APPLIED
    pupils = [pupil for pupil in nights.mis.pupils.values() if not pupil.pre_admission]
    assert Pupil.objects.count() == len(pupils) == run.counts["by_kind"]["pupil"]["added"]
    assert run.counts["pupils"] == len(nights.mis.pupils)
    assert Staff.objects.count() == len(nights.mis.staff)
    assert Contact.objects.count() == run.counts["by_kind"]["contact"]["added"] > 20
    assert MisIdentity.objects.filter(kind="pupil").count() == len(pupils)
    assert PupilContact.objects.filter(access=True).exists()
    assert ImportChange.objects.filter(run=run).count() == run.counts["added"]
    standing = RejectedRecord.objects.filter(resolved_at=None)
    assert run.counts["rejected"] == standing.exclude(severity=Rejection.WARNING).count()
    assert standing.exists(), "a warning stands too, and counts as nothing to mend"


def test_the_same_bytes_again_change_nothing_and_write_no_row(nights: Nights) -> None:
    data, before = nights.zip(), versions(nights.school)
    again = nights.night(data)
    assert again.state == ImportState.UNCHANGED
    assert versions(nights.school) == before
    assert (again.counts["added"], again.counts["updated"], again.counts["ended"]) == (0, 0, 0)
    assert again.counts["pupils"] == nights.passed[0].counts["pupils"]


@pytest.mark.parametrize("everything", [False, True])
def test_the_same_people_in_other_bytes_write_no_row(nights: Nights, everything: bool) -> None:
    """Also on the night on which nothing is skipped."""
    if everything:
        MisLink.objects.update(read_everything_on=None)
    data, before = with_space(nights.zip()), versions(nights.school)
    with CaptureQueriesContext(connection) as asked:
        again = nights.night(data)
    assert again.state == ImportState.UNCHANGED
    assert versions(nights.school) == before
    assert not [q["sql"] for q in asked if q["sql"].startswith(("INSERT INTO people_", "UPDATE people_"))]
    assert not [q["sql"] for q in asked if "load_pupil" in q["sql"] or "load_seen" in q["sql"]]


def test_only_new_and_changed_records_are_opened(nights: Nights) -> None:
    (record,) = nights.usual_parents(1)
    nights.mis.change_mobile(record, "07700 900555")
    sent = nights.send()
    assert sent.run is not None
    read = reading.read(reading.basis_of(nights.link), sent.run, today=nights.now.date())
    assert [fact.emails for fact in read.reading.facts] != []
    assert {fact.key[0] for fact in read.reading.facts} == {"contact"}
    assert len(read.reading.facts) <= 2


def test_the_same_run_sent_twice_is_one_import(nights: Nights) -> None:
    first = nights.send(run_id="twice")
    second = nights.send(run_id="twice")
    assert not first.already
    assert second.already
    assert first.run == second.run
    assert Import.objects.filter(payload=first.payload).count() == 1
    assert "once" in second.sentence


def test_one_mobile_of_a_connected_and_of_a_not_connected_parent(nights: Nights) -> None:
    connected, other = nights.usual_parents(2)
    nights.connect(connected, mobile=OWN)
    for record, number in ((connected, "07700 900801"), (other, "07700 900802")):
        nights.mis.change_mobile(record, number)
    run = nights.night()
    assert run.state == ImportState.APPLIED
    assert nights.value(connected) == OWN
    assert nights.value(other) == "+447700900802"
    assert (run.counts["kept"], run.counts["updated"]) == (1, 1)
    kept = ImportChange.objects.get(run=run, action="kept")
    assert (kept.after["value"], kept.after["mis_value"]) == (OWN, "+447700900801")
    detail = ContactDetail.objects.get(contact=nights.contact(connected), kind="mobile")
    assert (detail.mis_value, detail.verified_at is not None, detail.source) == ("+447700900801", True, "person")


def test_a_pupil_joins_one_vanishes_and_one_leaves_with_a_date(nights: Nights) -> None:
    vanishes, leaves = [pupil.id for pupil in nights.mis.on_roll()][:2]
    guid = nights.mis.pupils[vanishes].guid
    nights.mis.drop_pupil(vanishes)
    nights.mis.leave(leaves)
    joined = nights.mis.add_pupil()
    run = nights.night()
    numbers = run.counts["by_kind"]["pupil"]
    assert (numbers["added"], numbers["ended"]) == (1, 2)
    gone = MisIdentity.objects.select_related("pupil").get(external_id__in=[guid, str(vanishes)], kind="pupil")
    assert gone.pupil
    assert gone.pupil.leaving_date == dt.date(2026, 11, 24)
    assert gone.gone_on == dt.date(2026, 11, 24)
    assert Pupil.objects.filter(surname=joined.surname, forename=joined.chosen_name or joined.forename).exists()


def test_leavers_are_in_no_group_from_the_night_on_which_they_leave(nights: Nights) -> None:
    pupil = nights.mis.on_roll()[0]
    nights.mis.leave(pupil.id, FIRST_NIGHT.date() + dt.timedelta(days=2))
    nights.night()
    identity = MisIdentity.objects.get(kind="pupil", external_id__in=[pupil.guid, str(pupil.id)])
    assert identity.pupil
    assert identity.pupil.group_members.exists()
    nights.night()  # nothing changed in the MIS; but the day has come
    assert not identity.pupil.group_members.exists()


def a_member_of_staff_who_signs_in(nights: Nights) -> tuple[int, Account]:
    member = next(iter(nights.mis.staff.values()))
    staff = MisIdentity.objects.get(kind="staff", external_id__in=[member.guid, str(member.id)]).staff
    assert staff
    account = join(nights.school, "teacher@example.org", "A Teacher", "teacher")  # type: ignore[arg-type]
    tie(staff, account)
    return member.id, account


def test_a_member_of_staff_who_leaves_loses_access_that_night(nights: Nights) -> None:
    member, account = a_member_of_staff_who_signs_in(nights)
    nights.mis.staff_leave(member, FIRST_NIGHT.date() + dt.timedelta(days=1))
    nights.night()
    assert Membership.objects.get(account=account).ended_at is not None


def test_a_leaving_date_told_of_in_advance_ends_access_when_it_comes(nights: Nights) -> None:
    member, account = a_member_of_staff_who_signs_in(nights)
    nights.mis.staff_leave(member, FIRST_NIGHT.date() + dt.timedelta(days=3))
    for _night in range(2):
        nights.night()
        assert Membership.objects.get(account=account).ended_at is None
    assert nights.night().state == ImportState.UNCHANGED
    assert Membership.objects.get(account=account).ended_at is not None


def test_an_office_that_takes_a_leaver_back_is_not_overruled_every_night(nights: Nights) -> None:
    member, account = a_member_of_staff_who_signs_in(nights)
    nights.mis.staff_leave(member, FIRST_NIGHT.date() + dt.timedelta(days=1))
    nights.night()
    Membership.objects.filter(account=account).update(ended_at=None, ended_why="")
    nights.mis.add_pupil()
    nights.night()
    assert Membership.objects.get(account=account).ended_at is None


def test_a_record_on_the_do_not_import_list_ends_stays_out_and_can_come_back(
    nights: Nights, administrator: Account
) -> None:
    pupil = nights.mis.on_roll()[0]
    identity = MisIdentity.objects.get(kind="pupil", external_id__in=[pupil.guid, str(pupil.id)])
    exclusion = people.exclude_from_imports(identity=identity, by=administrator, now=nights.now)
    assert nights.night().state == ImportState.APPLIED, "the same bytes, but read differently"
    left = Pupil.objects.get(pk=identity.pupil_id)
    assert left.leaving_date is not None
    before = left.forename
    nights.mis.pupils[pupil.id].forename = "Changed"
    nights.mis.pupils[pupil.id].chosen_name = None
    nights.night()
    left.refresh_from_db()
    assert left.forename == before
    people.include_again(exclusion=exclusion, by=administrator, now=nights.now)
    nights.night()
    left.refresh_from_db()
    assert (left.forename, left.leaving_date) == ("Changed", None)


def test_a_link_that_is_switched_off_keeps_what_comes_and_imports_nothing(
    nights: Nights, administrator: Account
) -> None:
    links.enable(link=nights.link, by=administrator, now=nights.now)
    links.disable(link=nights.link, by=administrator, now=nights.now)
    sent = nights.send(run_id="off")
    assert sent.run is None
    assert sent.payload.stored
    assert "switched off" in sent.sentence
    links.enable(link=nights.link, by=administrator, now=nights.now)
    later = nights.send(run_id="off")
    assert later.run is not None, "sent again, it is imported"
    assert later.payload == sent.payload


def test_a_preview_changes_nothing_and_shows_what_would(nights: Nights) -> None:
    (record,) = nights.usual_parents(1)
    nights.mis.change_mobile(record, "07700 900803")
    before = versions(nights.school)
    run = nights.night(preview=True)
    assert run.preview
    assert versions(nights.school) == before
    assert [(row["field"], row["after"]) for row in run.would] == [("mobile", "+447700900803")]
    assert nights.night().counts["updated"] == 1, "the preview is no night on which it came in"


def test_a_parent_waits_for_a_pupil_who_comes_in_a_file_of_pupils_alone(nights: Nights) -> None:
    late = nights.mis.add_pupil()
    reports = sims_xml.reports(nights.mis)
    early = {**reports, "pupils.xml": _without(reports["pupils.xml"], late.id)}
    nights.night(sims_xml.zipped(early, run_id="early", started_at=nights.now))
    assert not Pupil.objects.filter(admission_number=late.adno).exists()
    nights.night(reports["pupils.xml"], kind=ImportKind.UPLOAD, everybody=False, filename="pupils.xml")
    pupil = Pupil.objects.get(admission_number=late.adno)
    assert not PupilContact.objects.filter(pupil=pupil).exists()
    nights.night(sims_xml.zipped(reports, run_id="whole", started_at=nights.now))
    assert PupilContact.objects.filter(pupil=pupil).exists()


def _without(report: bytes, pupil_id: int) -> bytes:
    head, *rows = re.split(rb"(?=<Record>)", report)
    end = rows[-1][rows[-1].index(b"</Record>") + len(b"</Record>") :]
    rows[-1] = rows[-1].removesuffix(end)
    return head + b"".join(row for row in rows if b"<primary_id>%d</primary_id>" % pupil_id not in row) + end


def test_an_upload_of_some_removes_nobody(nights: Nights) -> None:
    nights.mis.drop_half()
    run = nights.night(kind=ImportKind.UPLOAD, everybody=False)
    assert run.state == ImportState.UNCHANGED
    assert not MisIdentity.objects.exclude(gone_on=None).exists()


def test_a_new_setting_of_who_is_imported_reads_everybody_again(nights: Nights, administrator: Account) -> None:
    from imports import policy

    before = Contact.objects.count()
    policy.set_policy(school=nights.school, by=administrator, now=nights.now, recipient_rule="all")
    nights.night()
    assert Contact.objects.count() > before


def test_rejected_rows_stand_until_they_are_mended(nights: Nights) -> None:
    (record,) = nights.usual_parents(1)
    nights.mis.change_email(record, "not an address")
    nights.night()
    row = RejectedRecord.objects.get(field="email", value="not an address")
    assert (row.severity, row.resolved_at, row.first_run) == ("part", None, nights.passed[-1])
    assert nights.night().counts["rejected"] == 0, "it stands, and is not new"
    row.refresh_from_db()
    assert row.resolved_at is None
    nights.mis.change_email(record, "mended@example.org")
    nights.night()
    row.refresh_from_db()
    assert row.resolved_at is not None


def queries_of_a_changed_night(nights: Nights) -> int:
    for record in nights.usual_parents(5):
        nights.mis.change_mobile(record, f"07700 9006{record % 100:02d}")
    nights.mis.add_pupil()
    nights.mis.drop_pupil(nights.mis.on_roll()[0].id)
    nights.mis.change_group(nights.mis.on_roll()[3].id, "3Z")
    sent = nights.send()
    assert sent.run is not None
    with CaptureQueriesContext(connection) as asked:
        services.run(import_id=sent.run.pk, now=nights.now)
    return len(asked)


def test_a_larger_school_asks_no_more_queries(
    nights: Nights, other_school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.alerts, "refresh", lambda *_: None)  # what stands decides what it asks
    small = queries_of_a_changed_night(nights)
    with scope.schools(other_school.pk):
        larger = Nights.of(other_school, 60)
        larger.night()
        large = queries_of_a_changed_night(larger)
    assert large == small


def test_an_import_sees_and_writes_one_school_only(nights: Nights, other_school: School) -> None:
    with scope.schools(other_school.pk):
        neighbour = Nights.of(other_school, 20, seed=9)
        neighbour.night()
        theirs = versions(other_school)
        hidden = nights.send  # the other school's link cannot be read from here
        assert Import.objects.filter(school=nights.school).count() == 0
        with pytest.raises(MisLink.DoesNotExist):
            hidden()
        assert services.run(import_id=nights.passed[0].pk, now=nights.now) is None
    nights.mis.drop_pupil(nights.mis.on_roll()[0].id)
    nights.night()
    with scope.schools(other_school.pk):
        assert versions(other_school) == theirs


def test_the_file_is_kept_exactly_as_it_came(nights: Nights) -> None:
    data = nights.zip()
    assert raw_bytes(nights.night(data)) == data


# What is no good is refused with a sentence, and nothing changes.


def bad_files(nights: Nights) -> dict[str, bytes]:
    good = sims_xml.reports(nights.mis)
    started = nights.now

    def zipped(**changed: bytes) -> bytes:
        files = good | {f"{name}.xml": data for name, data in changed.items()}
        return sims_xml.zipped(files, run_id="bad", started_at=started)

    return {
        "empty": b"",
        "no zip": b"MZ\x00 something else",
        "cut zip": nights.zip()[:-400],
        "cut report": zipped(pupils=good["pupils.xml"][: len(good["pupils.xml"]) // 2]),
        "empty report": zipped(pupils=b""),
        "doctype": zipped(
            pupils=b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><SuperStarReport>&a;</SuperStarReport>'
        ),
        "reporter error": zipped(
            pupils=b"<CommandReporterError>Error logging on: the password has expired</CommandReporterError>"
        ),
    }


def test_a_file_that_cannot_be_read_fails_with_a_sentence_and_changes_nothing(nights: Nights) -> None:
    before = versions(nights.school)
    for which, data in bad_files(nights).items():
        run = nights.night(data)
        assert run.state == ImportState.FAILED, which
        assert versions(nights.school) == before, which
        (reason,) = run.reasons
        assert reason["code"] == "format", which
        assert " " in reason["sentence"], which
        assert reason["advice"] == "Everything is as it was before. The file is kept for support, for 14 nights."
        assert raw_bytes(run) == data, "the file is kept for support"
    assert nights.night().state == ImportState.UNCHANGED, "and the next night is an ordinary one"


def test_last_nights_reports_sent_again_fail_as_stale_and_do_not_pass_for_a_quiet_night(nights: Nights) -> None:
    """CommandReporter that fails leaves the old files behind: the same bytes, older than the run."""
    import json

    out = BytesIO()
    with zipfile.ZipFile(BytesIO(nights.zip())) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "run.json":
                said = json.loads(body)
                said["started_at"] = (nights.now + dt.timedelta(hours=20)).isoformat()
                body = json.dumps(said).encode()
            new.writestr(name, body)
    run = nights.night(out.getvalue())
    assert run.state == ImportState.FAILED
    assert "before this run began" in run.reasons[0]["sentence"]
