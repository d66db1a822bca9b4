"""What imports have changed of one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Pupil
from imports.models import ChangeAction, Import, ImportChange, ImportKind, ImportState, MisLink
from tests.factories.people import make_pupil, make_source

SignIn = Callable[[Account], Client]


def change_of(school: School, pupil: Pupil, now: dt.datetime) -> Import:
    link, _ = MisLink.objects.get_or_create(
        school=school, source=make_source(school), defaults={"state_since": now, "state": "enabled"}
    )
    run = Import.objects.create(
        school=school, link=link, kind=ImportKind.AUTOLINK, state=ImportState.APPLIED, created_at=now, finished_at=now
    )
    ImportChange.objects.create(
        school=school,
        run=run,
        action=ChangeAction.UPDATED,
        model="pupil",
        row_id=pupil.pk,
        person_kind="pupil",
        person_id=pupil.pk,
        before={"registration_group": "6HB"},
        after={"registration_group": "6KT"},
    )
    return run


def url(school: School, kind: str, person_id: int) -> str:
    return reverse("imports:person_history", args=[school.slug, kind, person_id])


def test_a_pupils_page_leads_to_what_imports_have_changed(
    school: School, office: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    pupil = make_pupil(school)
    run = change_of(school, pupil, now)
    client, address = signed_in(office), url(school, "pupil", pupil.pk)
    assert address in client.get(reverse("people:pupil", args=[school.slug, pupil.pk])).content.decode()
    page = client.get(address).content.decode()
    assert "Import of Mon 23 Nov, 08:00" in page
    assert reverse("imports:detail", args=[school.slug, run.pk]) in page
    assert "<del>6HB</del><ins>6KT</ins>" in page
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "6KT" in fragment
    assert "<html" not in fragment


def test_the_history_is_for_the_office_of_this_school(
    school: School,
    other_school: School,
    teacher: Account,
    stranger: Account,
    office: Account,
    signed_in: SignIn,
    now: dt.datetime,
) -> None:
    pupil = make_pupil(school)
    change_of(school, pupil, now)
    address = url(school, "pupil", pupil.pk)
    assert signed_in(teacher).get(address).status_code == 403
    assert signed_in(stranger).get(address).status_code == 404
    assert "6KT" not in signed_in(stranger).get(url(other_school, "pupil", pupil.pk)).content.decode()
    assert Client().get(address).status_code == 302
    assert signed_in(office).post(address).status_code == 405
    assert signed_in(office).get(url(school, "alien", 1)).status_code == 404


def test_where_no_import_changed_anything_it_says_so(school: School, office: Account, signed_in: SignIn) -> None:
    page = signed_in(office).get(url(school, "pupil", make_pupil(school).pk)).content.decode()
    assert "No import has changed anything here." in page


def test_somebody_who_is_not_here_has_no_history(
    school: School, other_school: School, office: Account, signed_in: SignIn
) -> None:
    with scope.schools(other_school.pk):
        stranger = make_pupil(other_school)
    client = signed_in(office)
    assert client.get(url(school, "pupil", make_pupil(school).pk)).status_code == 200
    for kind in ("pupil", "contact", "staff"):
        assert client.get(url(school, kind, stranger.pk)).status_code == 404
