"""What may be done to people."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.errors import HubError
from hub.core.models import Alert, AuditEntry, School
from hub.people import services
from hub.people.details import Reason
from hub.people.errors import ConnectedError, DetailRefusedError, NotByHandError
from hub.people.models import (
    Connection,
    Contact,
    ContactDetail,
    DetailSource,
    Group,
    GroupAccess,
    GroupMember,
    ImportExclusion,
)
from tests.factories.people import give, make_contact, make_group, make_identity, make_pupil, make_staff, tie


@pytest.fixture
def parent_account(db: None) -> Account:
    return Account.objects.create_user("ngozi@example.org", name="Ngozi Okafor", password="x" * 12)


# connect


def test_a_parent_connects_with_what_they_proved(school: School, parent_account: Account, now: dt.datetime) -> None:
    contact = make_contact(school)
    give(contact, "mobile", "+447700900123", changed_import=7)
    services.connect(
        contact=contact,
        account=parent_account,
        verified={"mobile": "07700 900123", "email": "Ngozi@Example.org"},
        by_name="Ngozi Okafor",
        now=now,
    )
    mobile, email = ContactDetail.objects.order_by("-kind")
    assert (mobile.value, mobile.source, mobile.verified_at, mobile.changed_import) == (
        "+447700900123",
        DetailSource.PERSON,
        now,
        7,
    )
    assert mobile.changed_at < now
    assert (email.value, email.mis_value, email.changed_at, email.changed_by) == (
        "ngozi@example.org",
        "",
        now,
        "Ngozi Okafor",
    )
    assert Connection.objects.get().connected_at == now
    assert AuditEntry.objects.get().action == "person.connected"


def test_a_detail_that_was_not_proved_stays_as_it_is(school: School, parent_account: Account, now: dt.datetime) -> None:
    contact = make_contact(school)
    give(contact, "email", "old@example.org")
    services.connect(contact=contact, account=parent_account, verified={}, by_name="Ngozi", now=now)
    detail = ContactDetail.objects.get()
    assert (detail.source, detail.verified_at) == (DetailSource.MIS, None)


def test_what_the_mis_said_is_kept_beside_what_the_person_confirmed(
    school: School, parent_account: Account, now: dt.datetime
) -> None:
    contact = make_contact(school)
    give(contact, "email", "old@example.org")
    services.connect(
        contact=contact, account=parent_account, verified={"email": "new@example.org"}, by_name="Ngozi", now=now
    )
    detail = ContactDetail.objects.get()
    assert (detail.value, detail.mis_value) == ("new@example.org", "old@example.org")


def test_an_invited_parent_is_connected_by_the_same_connection(
    school: School, parent_account: Account, now: dt.datetime
) -> None:
    contact = make_contact(school)
    Connection.objects.create(school=school, contact=contact, invited_at=now)
    services.connect(contact=contact, account=parent_account, verified={}, by_name="Ngozi", now=now)
    assert Connection.objects.get().connected_at == now


def test_another_login_cannot_take_a_connected_record(
    school: School, parent_account: Account, office: Account, now: dt.datetime
) -> None:
    contact = make_contact(school)
    tie(contact, parent_account)
    with pytest.raises(HubError, match="already connected"):
        services.connect(contact=contact, account=office, verified={}, by_name="x", now=now)


def test_nothing_is_connected_with_a_number_that_takes_no_texts(
    school: School, parent_account: Account, now: dt.datetime
) -> None:
    contact = make_contact(school)
    with pytest.raises(HubError, match="landline"):
        services.connect(
            contact=contact, account=parent_account, verified={"mobile": "01632 960001"}, by_name="x", now=now
        )
    assert not Connection.objects.exists()


def test_a_member_of_staff_connects_too(school: School, office: Account, now: dt.datetime) -> None:
    staff = make_staff(school)
    made = services.connect(staff=staff, account=office, verified={}, by_name="Priya", now=now)
    assert made.staff_id == staff.pk
    with pytest.raises(TypeError):
        services.connect(account=office, verified={}, by_name="Priya", now=now)


# edit_detail


def test_the_office_changes_the_mobile_of_somebody_not_connected(
    school: School, office: Account, now: dt.datetime
) -> None:
    contact = make_contact(school)
    give(contact, "mobile", "+447700900123", changed_import=3, verified_at=now)
    services.edit_detail(owner=contact, kind="mobile", value="07700 900456", by=office, now=now)
    detail = ContactDetail.objects.get()
    assert (detail.value, detail.mis_value) == ("+447700900456", "+447700900123")
    assert (detail.source, detail.changed_by) == (DetailSource.ORGANISATION, "Priya Shah")
    assert (detail.changed_import, detail.verified_at) == (None, None)
    entry = AuditEntry.objects.get()
    assert entry.data == {"kind": "mobile", "before": "+447700900123", "after": "+447700900456"}


def test_the_office_adds_and_clears_an_email(school: School, office: Account, now: dt.datetime) -> None:
    staff = make_staff(school)
    services.edit_detail(owner=staff, kind="email", value="tom@example.org", by=office, now=now)
    assert ContactDetail.objects.get().value == "tom@example.org"
    services.edit_detail(owner=staff, kind="email", value="  ", by=office, now=now)
    assert ContactDetail.objects.get().value == ""


def test_an_edit_that_changes_nothing_writes_nothing(school: School, office: Account, now: dt.datetime) -> None:
    contact = make_contact(school)
    give(contact, "email", "a@example.org")
    services.edit_detail(owner=contact, kind="email", value="A@example.org", by=office, now=now)
    assert services.edit_detail(owner=contact, kind="mobile", value="", by=office, now=now) is None
    assert ContactDetail.objects.get().source == DetailSource.MIS
    assert not AuditEntry.objects.exists()


def test_the_office_cannot_change_what_a_connected_person_confirmed(
    school: School, office: Account, parent_account: Account, now: dt.datetime
) -> None:
    contact = make_contact(school)
    give(contact, "email", "a@example.org")
    tie(contact, parent_account)
    with pytest.raises(ConnectedError, match="looks after their own email"):
        services.edit_detail(owner=contact, kind="email", value="b@example.org", by=office, now=now)


def test_what_is_no_mobile_is_refused_with_its_reason(school: School, office: Account, now: dt.datetime) -> None:
    with pytest.raises(DetailRefusedError) as refusal:
        services.edit_detail(owner=make_contact(school), kind="mobile", value="01632 960001", by=office, now=now)
    assert refusal.value.reason == Reason.LANDLINE
    assert "landline" in refusal.value.message


# by hand


def test_a_governor_is_added_and_removed_by_hand(school: School, office: Account, now: dt.datetime) -> None:
    governor = services.add_by_hand(
        school=school,
        title="Dr",
        forename="Ada",
        surname="Reid",
        details={"email": "ada@example.org", "mobile": ""},
        by=office,
        now=now,
    )
    assert governor.made_by_hand
    assert [detail.value for detail in governor.details.all()] == ["ada@example.org"]
    services.remove_by_hand(contact=governor, by=office, now=now)
    assert not Contact.objects.exists()
    assert not ContactDetail.objects.exists()
    assert AuditEntry.objects.filter(action__startswith="person.").count() == 2


def test_nobody_is_added_without_a_surname_or_with_half_an_address(
    school: School, office: Account, now: dt.datetime
) -> None:
    with pytest.raises(HubError, match="surname"):
        services.add_by_hand(school=school, forename="Ada", surname=" ", by=office, now=now)
    with pytest.raises(DetailRefusedError):
        services.add_by_hand(
            school=school, forename="Ada", surname="Reid", details={"email": "ada@"}, by=office, now=now
        )
    assert not Contact.objects.exists()


def test_somebody_from_the_mis_is_not_removed_by_hand(
    school: School, office: Account, parent_account: Account, now: dt.datetime
) -> None:
    with pytest.raises(NotByHandError):
        services.remove_by_hand(contact=make_contact(school), by=office, now=now)
    governor = make_contact(school, made_by_hand=True)
    tie(governor, parent_account)
    with pytest.raises(ConnectedError):
        services.remove_by_hand(contact=governor, by=office, now=now)


# do not import


def test_a_record_on_the_do_not_import_list_can_come_off_it_again(
    school: School, office: Account, now: dt.datetime
) -> None:
    identity = make_identity(make_contact(school))
    services.exclude_from_imports(identity=identity, reason="Asked to be left out", by=office, now=now)
    again = services.exclude_from_imports(identity=identity, by=office, now=now)
    assert (again.label, again.reason, again.created_by) == ("Ngozi Okafor", "Asked to be left out", "Priya Shah")
    assert ImportExclusion.objects.count() == 1
    services.include_again(exclusion=again, by=office, now=now)
    identity.refresh_from_db()
    assert bytes(identity.digest) == b""
    assert not ImportExclusion.objects.exists()
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
        "import.record_excluded",
        "import.record_included_again",
    ]


# groups


def groups_of(school: School) -> set[tuple[str, str, str]]:
    rows = GroupMember.objects.filter(school=school).values_list("group__kind", "group__name", "pupil__forename")
    return set(rows)


def test_groups_follow_what_the_mis_says_of_each_pupil(school: School, now: dt.datetime) -> None:
    millie = make_pupil(school, year_group="6", registration_group="6HB", house="Oak", class_name="Maths 6")
    make_pupil(school, "Sam", year_group="6", registration_group="6KT")
    make_pupil(school, "Elif", pre_admission=True, house="")
    make_pupil(school, "Gone", year_group="6", leaving_date=now.date())
    assert services.refresh_groups(school_id=school.pk, on=now.date()) == (7, 0)
    assert groups_of(school) == {
        ("year", "6", "Millie"),
        ("registration", "6HB", "Millie"),
        ("house", "Oak", "Millie"),
        ("class", "Maths 6", "Millie"),
        ("year", "6", "Sam"),
        ("registration", "6KT", "Sam"),
        ("pre_admission", "Pre-admission", "Elif"),
    }
    millie.registration_group = "6KT"
    millie.save()
    assert services.refresh_groups(school_id=school.pk, on=now.date()) == (1, 1)
    assert ("registration", "6KT", "Millie") in groups_of(school)
    assert Group.objects.filter(name="6HB").exists(), "an empty group stays for its teachers"


def test_groups_are_left_alone_where_nothing_changed(school: School, other_school: School) -> None:
    for number in range(3):
        make_pupil(school, f"Pupil{number}", year_group="6")
    services.refresh_groups(school_id=school.pk)
    before = list(GroupMember.objects.values_list("id", flat=True).order_by("id"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert services.refresh_groups(school_id=school.pk) == (0, 0)
    assert len([query for query in queries if "people_" in query["sql"]]) == 2
    assert list(GroupMember.objects.values_list("id", flat=True).order_by("id")) == before


def test_a_pupil_who_leaves_next_month_is_still_in_the_group(school: School, now: dt.datetime) -> None:
    make_pupil(school, year_group="6", leaving_date=now.date() + dt.timedelta(days=30))
    services.refresh_groups(school_id=school.pk, on=now.date())
    assert groups_of(school) == {("year", "6", "Millie")}


def test_a_teacher_is_given_exactly_the_chosen_groups(
    school: School, administrator: Account, teacher: Account, now: dt.datetime
) -> None:
    membership = Membership.objects.get(account=teacher)
    first, second = make_group(school, "6HB"), make_group(school, "6KT")
    services.set_group_access(membership=membership, groups=[first], by=administrator, now=now)
    services.set_group_access(membership=membership, groups=[second], by=administrator, now=now)
    services.set_group_access(membership=membership, groups=[second], by=administrator, now=now)
    assert [access.group.name for access in GroupAccess.objects.all()] == ["6KT"]
    assert AuditEntry.objects.count() == 2


# leavers


def test_a_member_of_staff_who_left_loses_access(
    school: School, teacher: Account, administrator: Account, now: dt.datetime
) -> None:
    staff = make_staff(school)
    tie(staff, teacher)
    assert services.staff_left(staff_ids=[staff.pk, 999_999], now=now) == 1
    membership = Membership.objects.get(account=teacher)
    assert membership.ended_at == now
    assert "MIS" in membership.ended_why
    assert services.staff_left(staff_ids=[staff.pk], now=now) == 0
    assert Membership.objects.get(account=administrator).ended_at is None


def test_a_login_is_known_by_the_email_of_the_record(school: School, teacher: Account, now: dt.datetime) -> None:
    staff = make_staff(school, leaving_date=now.date())
    give(staff, "email", teacher.email)
    assert services.staff_left(staff_ids=[staff.pk], now=now) == 1


def test_an_email_that_others_at_the_school_have_too_ends_nobodys_access(
    school: School, office: Account, now: dt.datetime
) -> None:
    left, stays = make_staff(school, leaving_date=now.date()), make_staff(school, "Ann", "Ode")
    give(left, "email", office.email)
    give(stays, "email", "ann@example.org", office.email)
    assert services.staff_left(staff_ids=[left.pk], now=now) == 0


def test_somebody_invited_after_they_left_was_invited_on_purpose(
    school: School, teacher: Account, now: dt.datetime
) -> None:
    staff = make_staff(school, leaving_date=now.date() - dt.timedelta(days=30))
    tie(staff, teacher)
    assert services.staff_left(staff_ids=[staff.pk], now=now) == 0


def test_a_leaver_of_one_school_keeps_the_role_at_another(
    school: School, other_school: School, stranger: Account, now: dt.datetime
) -> None:
    staff = make_staff(school)
    give(staff, "email", stranger.email)
    with scope.schools(school.pk, other_school.pk):
        assert services.staff_left(staff_ids=[staff.pk], now=now) == 0


def test_the_school_is_told_when_its_last_administrator_left(
    school: School, administrator: Account, now: dt.datetime
) -> None:
    staff = make_staff(school)
    tie(staff, administrator)
    services.staff_left(staff_ids=[staff.pk], now=now)
    assert Membership.objects.get(role=Role.ADMINISTRATOR).ended_at == now
    assert Alert.objects.get().key == "no-administrator"
