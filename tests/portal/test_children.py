"""Children: what their school says, no other adult, and "not my child"."""

from __future__ import annotations

from django.urls import reverse

from hub.core.models import School
from hub.people.models import PupilContact
from tests.factories.parents import value_of
from tests.factories.people import LONG_AGO, give, link, make_contact, make_pupil, tie
from tests.portal.conftest import Parent
from verification.models import DetailChange, Field

CHILDREN = reverse("portal:children")


def test_each_child_is_shown_as_its_school_has_it(ngozi_at_both: Parent) -> None:
    page = ngozi_at_both.client.get(CHILDREN).text
    for words in ("Millie Okafor", "Larch Hill Primary", "Beck Road Academy", "Year 6", "6HB", "Mother"):
        assert words in page


def test_nothing_is_said_of_other_adults(ngozi: Parent, school: School) -> None:
    make_contact(school, "Chidi", "Eze", ngozi.pupil)
    assert "Chidi" not in ngozi.client.get(CHILDREN).text


def test_a_child_linked_by_two_records_is_one_child(ngozi: Parent, school: School) -> None:
    tie(make_contact(school, "Ngozi", "Okafor-Bell", ngozi.pupil), ngozi.account)
    assert ngozi.client.get(CHILDREN).text.count("<h2>Millie Okafor</h2>") == 1


def test_who_has_lost_access_or_whose_link_ended_sees_nothing(ngozi: Parent, school: School) -> None:
    PupilContact.objects.filter(contact=ngozi.contact).update(access=False)
    assert "Millie" not in ngozi.client.get(CHILDREN).text
    gone = make_pupil(school, "Gone", "Okafor")
    link(gone, ngozi.contact, ended_on="2026-10-01")
    assert "Gone" not in ngozi.client.get(CHILDREN).text


def test_not_my_child_asks_first_and_then_takes_the_child_out_of_sight(ngozi: Parent) -> None:
    pupil = ngozi.pupil
    path = reverse("portal:not_mine", args=[pupil.pk])
    page = ngozi.client.get(path).text
    assert "Millie Okafor is not your child?" in page
    assert PupilContact.objects.get(contact=ngozi.contact).denied_at is None
    answer = ngozi.client.post(path, follow=True)
    assert "Millie is out of your sight now" in answer.text
    assert "<h2>Millie Okafor</h2>" not in answer.text
    assert DetailChange.objects.get(field=Field.CHILD).pupil_id == pupil.pk
    # Gone is gone: the page of it too.
    assert ngozi.client.get(path).status_code == 404


def test_two_records_become_one_after_a_look_at_both(ngozi: Parent, school: School) -> None:
    twin = make_contact(school, "Ngozi", "Okafor-Bell", make_pupil(school, "Ada", "Okafor"))
    tie(twin, ngozi.account)
    path = reverse("portal:merge", args=[ngozi.contact.pk, twin.pk])
    page = ngozi.client.get(path).text
    assert "Make two records one?" in page
    assert "Okafor-Bell" in page
    answer = ngozi.client.post(path, follow=True)
    assert "You are one record there now" in answer.text
    twin.refresh_from_db()
    assert twin.merged_into_id == ngozi.contact.pk
    page = ngozi.client.get(CHILDREN).text
    assert "Ada Okafor" in page
    assert "Millie Okafor" in page


def test_where_both_records_have_an_email_the_parent_chooses_which(ngozi: Parent, school: School) -> None:
    twin = make_contact(school, "Ngozi", "Okafor-Bell")
    by = {"source": "person", "changed_by": "Ngozi Okafor", "verified_at": LONG_AGO}
    give(twin, "email", "second@example.org", **by)
    tie(twin, ngozi.account)
    path = reverse("portal:merge", args=[ngozi.contact.pk, twin.pk])
    page = ngozi.client.get(path).text
    assert "Which email is used from now on?" in page
    assert "Which mobile" not in page
    ngozi.client.post(path, {"take-email": "gone"})
    assert value_of(ngozi.contact, "email") == "second@example.org"
