"""The door of every staff page: who gets in, and what they may see there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django_htmx.middleware import HtmxDetails
from pytest_django import DjangoAssertNumQueries

from hub.accounts.middleware import ViewerMiddleware
from hub.accounts.models import Account, Membership, Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core import scope
from hub.core.models import School


def asked(account: Account | None, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/8233001/x/", headers=headers)
    request.user = account or AnonymousUser()
    request.htmx = HtmxDetails(request)
    return request


def through(account: Account | None, view: Callable[..., object], slug: str = "8233001", **headers: str):
    with scope.schools():
        return ViewerMiddleware(lambda request: view(request, slug))(asked(account, **headers))


@require()
def any_role(request: SchoolRequest, school: str) -> HttpResponse:
    return HttpResponse(f"{request.school.pk} {request.membership.role} {request.account} {scope.current_schools()}")


@require(Role.ADMINISTRATOR)
def administrators(request: SchoolRequest, school: str) -> HttpResponse:
    return HttpResponse("in")


def test_a_member_sees_the_one_school(school: School, teacher: Account) -> None:
    answer = through(teacher, any_role)
    assert answer.content.decode() == f"{school.pk} teacher Tom Marsh ({school.pk},)"


def test_another_role_is_refused(teacher: Account, administrator: Account) -> None:
    assert through(administrator, administrators).status_code == 200
    with pytest.raises(PermissionDenied):
        through(teacher, administrators)


def test_to_a_stranger_the_school_is_not_there(school: School, stranger: Account) -> None:
    with pytest.raises(Http404):
        through(stranger, any_role)


def test_the_anonymous_are_led_to_sign_in(school: School) -> None:
    assert through(None, any_role)["Location"] == "/sign-in/?next=/8233001/x/"
    assert through(None, any_role, **{"HX-Request": "true"})["HX-Redirect"] == "/sign-in/"


@pytest.mark.parametrize("change", ["accepted_at", "ended_at"])
def test_a_membership_not_accepted_or_ended_opens_nothing(
    school: School, office: Account, now: dt.datetime, change: str
) -> None:
    Membership.objects.filter(account=office).update(**{change: None if change == "accepted_at" else now})
    with pytest.raises(Http404):
        through(office, any_role)


def test_a_switched_off_account_is_nobody(school: School, office: Account) -> None:
    office.is_active = False
    assert through(office, any_role).status_code == 302


def test_a_member_of_two_schools_sees_one_at_a_time(
    school: School, other_school: School, office: Account, now: dt.datetime
) -> None:
    with scope.every_school():
        Membership.objects.create(school=other_school, account=office, role=Role.TEACHER, accepted_at=now)

    @require()
    def seen(request: SchoolRequest, school: str) -> HttpResponse:
        return HttpResponse(",".join(School.objects.values_list("slug", flat=True)))

    assert through(office, seen).content == b"8233001"
    assert through(office, seen, "8234002").content == b"8234002"


def test_a_stream_keeps_its_scope_to_the_last_byte_and_no_longer(school: School, office: Account) -> None:
    @require()
    def streamed(request: SchoolRequest, school: str) -> StreamingHttpResponse:
        def rows() -> Iterator[str]:
            yield from School.objects.values_list("slug", flat=True).iterator()

        return StreamingHttpResponse(rows())

    with scope.schools():
        answer = through(office, streamed)
        assert b"".join(answer.streaming_content) == b"8233001"
        assert scope.current_schools() == ()


def test_the_memberships_are_read_in_one_query(
    school: School, office: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1 + 2 * 2 + 2):  # the question; and the scope set: every, back, one, back
        through(office, any_role)


def test_a_view_behind_the_door_still_refuses_what_django_refuses(
    school: School, office: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert signed_in(office).post("/8233001/settings/").status_code == 405
