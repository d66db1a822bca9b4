"""Many emails and mobiles on one page: each is judged and saved by itself, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import Connection, Contact, ContactDetail
from tests.factories.parents import make_parent, value_of
from tests.factories.people import give, make_contact, make_pupil
from verification.models import DetailChange, Status

SignIn = Callable[[Account], Client]


@pytest.fixture
def ngozi(school: School) -> Connection:
    """Connected, with a dead email: in no list of those without one that works."""
    tie = make_parent(school)
    ContactDetail.objects.filter(kind="email").update(deliverable=False)
    return tie


@pytest.fixture
def chidi(school: School) -> Contact:
    return make_contact(school, "Chidi", "Okafor", make_pupil(school, "Sam", year_group="2"))


@pytest.fixture
def ada(school: School) -> Contact:
    return make_contact(school, "Ada", "Obi", make_pupil(school, "Joy", "Obi", year_group="10"))


def url(school: School, query: str = "") -> str:
    return reverse("verification:edit_many", args=[school.slug]) + query


def form(*contacts: Contact, **typed: str) -> dict[str, object]:
    """What a browser posts: every field of every row, those in `typed` changed (`email_5`)."""
    data: dict[str, object] = {"person": [one.pk for one in contacts]}
    for one in contacts:
        for kind in ("email", "mobile"):
            value = value_of(one, kind)
            data[f"was-{kind}-{one.pk}"] = value
            data[f"{kind}-{one.pk}"] = typed.get(f"{kind}_{one.pk}", value)
    return data


def test_lists_years_and_a_search_say_whom_to_edit(
    school: School, ngozi: Connection, chidi: Contact, ada: Contact, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    give(ada, "email", "ada@example.org")
    shown = {
        "": {"Chidi"},
        "?show=no-email": {"Ngozi", "Chidi"},
        "?show=no-mobile": {"Chidi", "Ada"},
        "?show=not-connected": {"Chidi", "Ada"},
        "?show=all": {"Ngozi", "Chidi", "Ada"},
        "?year=10": {"Ada"},
        "?show=search": {"Chidi"},
        "?show=nonsense": {"Chidi"},
    }
    for query, names in shown.items():
        page = client.get(url(school, query)).content.decode()
        assert {name for name in ("Ngozi", "Chidi", "Ada") if f"Email of {name}" in page} == names, query
    found = client.post(reverse("verification:edit_many_search", args=[school.slug]), {"q": "obi"})
    assert "obi" not in found["Location"]
    page = client.get(found["Location"]).content.decode()
    assert "Email of Ada Obi" in page
    assert "Email of Chidi" not in page


def test_a_page_of_edits_is_saved_or_asked_each_by_itself(
    school: School, ngozi: Connection, chidi: Contact, ada: Contact, office: Account, signed_in: SignIn
) -> None:
    assert ngozi.contact is not None
    typed = {
        f"email_{ngozi.contact.pk}": "new@example.org",
        f"email_{chidi.pk}": "Chidi@Example.org ",
        f"mobile_{chidi.pk}": "07700 900456",
    }
    client = signed_in(office)
    answer = client.post(url(school, "?show=all"), form(ngozi.contact, chidi, ada, **typed))
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert "2 saved at once; 1 asked, because the person is connected." in page
    assert (value_of(chidi, "email"), value_of(chidi, "mobile")) == ("chidi@example.org", "+447700900456")
    assert value_of(ngozi.contact, "email") == "ngozi@example.org"
    rows = DetailChange.objects.all()
    assert sorted(one.status for one in rows) == [Status.APPROVED, Status.APPROVED, Status.PENDING]
    assert len({one.batch for one in rows}) == 3


def test_what_fails_stands_at_its_row_and_nothing_typed_is_lost(
    school: School, chidi: Contact, ada: Contact, office: Account, signed_in: SignIn
) -> None:
    typed = {
        f"email_{chidi.pk}": "chidi@",
        f"mobile_{chidi.pk}": "07700 900456",
        f"mobile_{ada.pk}": "01632 960001",
        f"email_{ada.pk}": "ada@example.org, obi@example.org",
    }
    answer = signed_in(office).post(url(school), form(chidi, ada, **typed))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "1 saved at once; 3 not saved: see the rows marked below." in page
    for kept in ("chidi@", "01632 960001", "ada@example.org, obi@example.org", "07700 900456"):
        assert f'value="{kept}"' in page
    for said in ("not an email address", "landline", "Enter one email address and nothing else", "Saved."):
        assert said in page
    assert value_of(chidi, "mobile") == "+447700900456"
    assert DetailChange.objects.count() == 1


def test_saving_the_corrected_page_again_saves_only_what_is_left(
    school: School, chidi: Contact, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    client.post(url(school), form(chidi, **{f"email_{chidi.pk}": "chidi@", f"mobile_{chidi.pk}": "07700 900456"}))
    again = form(chidi, **{f"email_{chidi.pk}": "chidi@example.org"})
    assert client.post(url(school), again).status_code == 302
    assert DetailChange.objects.count() == 2


def test_an_untouched_field_is_left_alone_whatever_has_become_of_it(
    school: School, chidi: Contact, office: Account, signed_in: SignIn
) -> None:
    give(chidi, "email", "old@example.org")
    posted = form(chidi, **{f"mobile_{chidi.pk}": "07700 900456"})
    ContactDetail.objects.filter(kind="email").update(value="tonight@example.org", mis_value="tonight@example.org")
    assert signed_in(office).post(url(school), posted).status_code == 302
    assert value_of(chidi, "email") == "tonight@example.org"


def test_a_field_that_changed_meanwhile_is_asked_about_once_more(
    school: School, chidi: Contact, office: Account, signed_in: SignIn
) -> None:
    give(chidi, "email", "old@example.org")
    posted = form(chidi, **{f"email_{chidi.pk}": "mine@example.org"})
    ContactDetail.objects.filter(kind="email").update(value="tonight@example.org")
    answer = signed_in(office).post(url(school), posted)
    assert answer.status_code == 422
    assert "It has changed since you opened this page, to tonight@example.org" in answer.content.decode()
    assert value_of(chidi, "email") == "tonight@example.org"


def test_nothing_typed_says_so(school: School, chidi: Contact, office: Account, signed_in: SignIn) -> None:
    client = signed_in(office)
    answer = client.post(url(school), form(chidi))
    assert "Nothing was changed." in client.get(answer["Location"]).content.decode()


def test_at_most_fifty_people_on_a_page_and_queries_do_not_grow_with_them(
    school: School, chidi: Contact, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    client.get(url(school))
    with CaptureQueriesContext(connection) as few:
        client.get(url(school))
    for number in range(60):
        make_contact(school, f"Ada{number:02d}", "Abe", make_pupil(school, f"Joy{number}", "Abe"))
    with CaptureQueriesContext(connection) as many:
        page = client.get(url(school)).content.decode()
    assert len(many) == len(few)
    assert page.count('name="person"') == 50
    assert "61 parents to edit" in page


def test_nobody_of_another_school_is_edited(
    school: School, stranger: Account, chidi: Contact, office: Account, teacher: Account, signed_in: SignIn
) -> None:
    posted = form(chidi, **{f"email_{chidi.pk}": "x@example.org"})
    assert signed_in(teacher).post(url(school), posted).status_code == 403
    client = signed_in(stranger)
    assert client.post(url(school), posted).status_code == 404
    elsewhere = reverse("verification:edit_many", args=["8234002"])
    assert client.post(elsewhere, posted).status_code == 302
    assert value_of(chidi, "email") == ""
