"""What an MIS withholds tonight stays as it was, is said once, and lets nobody in."""

from __future__ import annotations

import pytest

from hub.core.models import School
from hub.people.models import Contact, ContactDetail, MisIdentity, Pupil, PupilContact, Staff
from imports.models import ImportChange, ImportState
from mis_connectors import registry
from mis_connectors.records import StaffRecord
from tests.factories.raw import RawMis, RawNights, a_parent, a_pupil

EMAIL, MOBILE = "ada@example.org", "07700 900101"


@pytest.fixture
def nights(school: School, monkeypatch: pytest.MonkeyPatch) -> RawNights:
    mis, real = RawMis(), registry.connectors
    monkeypatch.setattr(registry, "connectors", lambda: {**real(), "raw": mis})
    return RawNights(school, mis)


@pytest.fixture
def begun(nights: RawNights) -> RawNights:
    nights.mis.records = {
        "p1": a_pupil("Millie", upn=None, house="Ash"),
        "c1": a_parent("Ada", "p1", email=EMAIL, mobile=MOBILE, postcode="AB1 2CD"),
        "c2": a_parent("Ben", "p1", responsibility=False),
        "s1": StaffRecord(forename="Tom", surname="Marsh", emails=("tom@example.org",)),
    }
    assert nights.night().state == ImportState.APPLIED
    return nights


def withhold(nights: RawNights, *fields: str) -> None:
    nights.mis.lacking = frozenset(fields)


def detail(contact: Contact, kind: str) -> tuple[str, str]:
    found = ContactDetail.objects.get(contact=contact, kind=kind)
    return found.value, found.mis_value


def test_a_withheld_email_or_mobile_is_neither_cleared_nor_counted_as_changed(begun: RawNights) -> None:
    withhold(begun, "contact.emails", "contact.telephones", "staff.emails", "contact.postcode", "pupil.house")
    run = begun.night()
    ada = Contact.objects.get(forename="Ada")
    assert detail(ada, "email") == (EMAIL, EMAIL)
    assert detail(ada, "mobile") == ("+447700900101", "+447700900101")
    assert (ada.postcode, Pupil.objects.get().house) == ("AB1 2CD", "Ash")
    assert ContactDetail.objects.get(staff=Staff.objects.get()).value == "tom@example.org"
    assert run.state == ImportState.UNCHANGED
    assert not ImportChange.objects.filter(run=run).exists()
    assert MisIdentity.objects.get(external_id="c1").emails == [EMAIL]
    assert MisIdentity.objects.get(external_id="s1").emails == ["tom@example.org"]


def test_an_import_says_once_what_is_withheld_and_what_to_do(begun: RawNights) -> None:
    withhold(begun, "contact.emails", "pupil.house")
    run = begun.night()
    assert run.notes == [
        "Raw does not give us: email and house. What is known of it stays as it was. "
        "Allow it again in Raw to have it brought up to date."
    ]


def test_a_kind_of_person_of_whom_nothing_is_given_is_one_word(begun: RawNights) -> None:
    withhold(begun, "pupil.house", *(name for name in begun.mis.info.supplies if name.startswith("staff.")))
    assert begun.night().notes[0].startswith("Raw does not give us: house and staff. What is known")


def test_what_changed_beside_it_still_comes_in(begun: RawNights) -> None:
    withhold(begun, "contact.emails")
    begun.mis.change("c1", telephones=("07700 900102",))
    begun.night()
    ada = Contact.objects.get(forename="Ada")
    assert detail(ada, "email") == (EMAIL, EMAIL)
    assert detail(ada, "mobile")[0] == "+447700900102"


def test_what_is_given_again_is_taken_again(begun: RawNights) -> None:
    withhold(begun, "contact.emails")
    begun.mis.change("c1", emails=("new@example.org",))
    begun.night()
    withhold(begun)
    begun.night()
    assert detail(Contact.objects.get(forename="Ada"), "email")[0] == "new@example.org"


def test_a_record_that_is_a_known_persons_empties_nothing_either(begun: RawNights) -> None:
    """Merged overnight while the emails are withheld: the mobile still agrees, and the email stays."""
    withhold(begun, "contact.emails")
    begun.mis.records["c9"] = begun.mis.records.pop("c1")
    begun.night()
    ada = Contact.objects.get(forename="Ada")
    assert detail(ada, "email") == (EMAIL, EMAIL)


def test_withheld_responsibility_changes_nobodys_access(begun: RawNights) -> None:
    before = dict(PupilContact.objects.values_list("contact_id", "access"))
    withhold(begun, "link.parental_responsibility", "link.priority")
    begun.mis.change("c1", address="1 Elm Road")
    run = begun.night()
    assert dict(PupilContact.objects.values_list("contact_id", "access")) == before
    assert PupilContact.objects.get(contact__forename="Ada").parental_responsibility is True
    assert "nobody new is given access" in run.notes[1]


def test_nobody_new_is_let_see_a_pupil_while_it_is_withheld_and_they_are_once_it_is_given(begun: RawNights) -> None:
    withhold(begun, "link.parental_responsibility")
    begun.mis.records["c3"] = a_parent("Cora", "p1")
    begun.night()
    assert not Contact.objects.filter(forename__in=("Ben", "Cora")).exists()
    withhold(begun)
    begun.night()
    assert PupilContact.objects.get(contact__forename="Cora").access
    assert not Contact.objects.filter(forename="Ben").exists()


def test_where_it_was_never_given_a_school_imports_without_it(nights: RawNights) -> None:
    withhold(nights, "link.parental_responsibility", "link.court_order")
    nights.mis.records = {"p1": a_pupil("Millie"), "c1": a_parent("Ada", "p1", email=EMAIL)}
    nights.night()
    assert PupilContact.objects.get().access
    nights.mis.records["c2"] = a_parent("Ben", "p1", email="ben@example.org")
    nights.night()
    assert PupilContact.objects.filter(access=True).count() == 2
