"""A prepared query answers as the ordinary one does, each time with the values it is asked with."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.models import School
from hub.core.prepared import AmongGiven, Given, Prepared
from tests.conftest import make_school

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _everywhere() -> Iterator[None]:
    with scope.every_school():
        yield


def by_name() -> Prepared[School]:
    return Prepared(lambda: School.objects.filter(name=Given("name")).order_by("pk"))


def test_it_answers_for_the_values_given() -> None:
    larch, elm = make_school("Larch Hill", "8234001"), make_school("Elm Grove", "8234002")
    asked = by_name()
    assert asked(name="Larch Hill") == [larch]
    assert asked(name="Elm Grove") == [elm]
    assert asked(name="Beck Road") == []


def test_it_keeps_nothing_it_has_read() -> None:
    larch, asked = make_school("Larch Hill", "8234001"), by_name()
    first = asked(name="Larch Hill")[0]
    School.objects.filter(pk=larch.pk).update(urn="123456")
    second = asked(name="Larch Hill")[0]
    assert (first.urn, second.urn) == ("", "123456")


def test_a_value_is_never_part_of_the_words() -> None:
    make_school("Larch Hill", "8234001")
    assert by_name()(name="' OR 1=1 --") == []
    assert by_name()(name="100 %s") == []


def test_one_of_several_ids() -> None:
    made = [make_school(f"School {number}", f"823400{number}") for number in range(3)]
    asked = Prepared(lambda: School.objects.filter(AmongGiven("id", "ids")).order_by("pk"))
    assert asked(ids=[made[0].pk, made[2].pk]) == [made[0], made[2]]
    assert asked(ids=[]) == []


def test_it_brings_along_what_the_query_joins_and_says() -> None:
    school = make_school("Larch Hill", "8234001")
    account = Account.objects.create_user("head@example.org", name="Head")
    Membership.objects.create(school=school, account=account, role=Role.OFFICE)
    others = Membership.objects.filter(school=OuterRef("school")).exclude(pk=OuterRef("pk"))
    asked = Prepared(
        lambda: (
            Membership.objects.filter(account=Given("account"))
            .annotate(has_others=Exists(others))
            .select_related("school", "account")
        )
    )
    with CaptureQueriesContext(connection) as queries:
        (found,) = asked(account=account.pk)
        assert (found.school, found.account) == (school, account)
    assert len(queries) == 1
    assert found.has_others is False  # type: ignore[attr-defined]


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        by_name()()


@pytest.mark.parametrize("rows", [School.objects.values("pk"), School.objects.prefetch_related("membership_set")])
def test_only_whole_rows_can_be_prepared(rows: object) -> None:
    with pytest.raises(TypeError):
        Prepared(lambda: rows)()  # type: ignore[arg-type,return-value]


@pytest.mark.django_db(transaction=True)
def test_threads_use_their_own_connections() -> None:
    make_school("Larch Hill", "8234001")
    asked, seen = by_name(), []

    def ask() -> None:
        with scope.every_school():
            seen.append([one.name for one in asked(name="Larch Hill")])
        connection.close()

    assert len(asked(name="Larch Hill")) == 1
    other = Thread(target=ask)
    other.start()
    other.join()
    assert seen == [["Larch Hill"]]
