"""Two at once, in real transactions: one is served, the other is told, and nothing is ever half done."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from hub.accounts.models import Account, Role
from hub.core import scope
from hub.core.errors import HubError
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Connection, ContactDetail
from tests.conftest import join, make_school
from tests.factories.inbox import last_code, last_link
from tests.factories.parents import EMAIL, make_login, make_parent, value_of
from tests.factories.people import give, make_contact
from verification import services, sweeping
from verification.models import DetailChange, MisState, Status
from verification.reporting import settling

pytestmark = pytest.mark.django_db(transaction=True)
NEW, OTHER = "new@example.org", "other@example.org"
WEEK = dt.timedelta(hours=168)
SECOND = dt.timedelta(seconds=1)
ROUNDS = 4
Work = Callable[[], Any]


@pytest.fixture
def larch() -> Iterator[School]:
    made = make_school("Larch Hill Primary", "8233001")
    with scope.schools(made.pk):
        yield made


@pytest.fixture
def beck() -> School:
    return make_school("Beck Road Academy", "8234002")


@pytest.fixture
def priya(larch: School) -> Account:
    return join(larch, "office@example.org", "Priya Shah", Role.OFFICE)


def together(*works: Work, school: School | None = None) -> list[Any]:
    """Run these at the same moment, each in its own connection; a refusal is a result too."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(number: int, work: Work) -> None:
        try:
            gate.wait()
            with scope.schools(*([school.pk] if school else [])):
                results[number] = work()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for result in results:
        assert not isinstance(result, Exception) or isinstance(result, HubError), repr(result)
    return results


def refused(results: list[Any]) -> int:
    return sum(isinstance(one, HubError) for one in results)


def ask(one: Connection, by: Account, now: dt.datetime, value: str = NEW) -> DetailChange:
    assert one.contact is not None
    with scope.schools(one.school_id):
        made = services.edit_or_propose(owner=one.contact, kind="email", value=value, by=by, now=now)
    assert made is not None
    return made


def approving(one: Connection, change: DetailChange, now: dt.datetime, *, everywhere: bool = False) -> Work:
    assert one.account is not None
    account = one.account
    return lambda: services.approve(
        account=account, change=change, everywhere=everywhere, by_name="Ngozi Okafor", now=now
    )


def rejecting(one: Connection, change: DetailChange, now: dt.datetime) -> Work:
    assert one.account is not None
    account = one.account
    return lambda: services.reject(account=account, change=change, reason="no", by_name="Ngozi Okafor", now=now)


def starting(one: Connection, value: str, now: dt.datetime) -> Work:
    assert one.account is not None
    account = one.account
    return lambda: services.start_change(
        account=account, connections=[one], kind="email", value=value, by_name="Ngozi Okafor", now=now
    )


def proving(one: Connection, started: Any, to: str, now: dt.datetime) -> Work:
    assert one.account is not None
    account, typed = one.account, last_code(to)
    return lambda: services.prove(account=account, batch=started.batch, code_id=started.code.pk, typed=typed, now=now)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_yes_and_no_in_two_tabs_is_one_answer(larch: School, priya: Account, now: dt.datetime, round_: int) -> None:
    ngozi = make_parent(larch)
    change = ask(ngozi, priya, now)
    results = together(approving(ngozi, change, now), rejecting(ngozi, change, now))
    assert refused(results) == 1
    change.refresh_from_db()
    assert change.status == (Status.REJECTED if isinstance(results[0], HubError) else Status.WAITING)
    assert "answered already" in str(next(one for one in results if isinstance(one, HubError)))


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_answer_in_the_last_second_or_the_expiry_never_both(
    larch: School, priya: Account, now: dt.datetime, round_: int
) -> None:
    ngozi = make_parent(larch)
    change = ask(ngozi, priya, now)
    results = together(approving(ngozi, change, now + WEEK - SECOND), lambda: sweeping.expire(now + WEEK))
    change.refresh_from_db()
    expired = results[1]
    if isinstance(results[0], HubError):
        assert (change.status, expired) == (Status.EXPIRED, 1)
    else:
        # The yes was in time; what waits for its proof ends at the same deadline.
        assert change.status == (Status.EXPIRED if expired else Status.WAITING)
        assert change.answered_at is not None


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_the_proof_and_the_expiry_never_both(larch: School, now: dt.datetime, round_: int) -> None:
    ngozi = make_parent(larch)
    late = now + WEEK - SECOND
    started = starting(ngozi, NEW, now)()
    assert ngozi.account is not None
    again = services.send_again(account=ngozi.account, batch=started.batch, now=late)
    started = services.Started(started.batch, again)
    results = together(proving(ngozi, started, NEW, late), lambda: sweeping.expire(now + WEEK))
    row = DetailChange.objects.get()
    assert (row.status, value_of(ngozi.contact, "email")) == (
        (Status.EXPIRED, EMAIL) if results[1] else (Status.APPROVED, NEW)
    )


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_the_school_takes_its_question_back_as_it_is_answered(
    larch: School, priya: Account, now: dt.datetime, round_: int
) -> None:
    ngozi = make_parent(larch)
    change = ask(ngozi, priya, now)
    results = together(
        approving(ngozi, change, now),
        lambda: services.withdraw(change=change, by=priya, now=now),
        school=larch,
    )
    assert refused(results) == 1
    change.refresh_from_db()
    assert change.status == (Status.WITHDRAWN if isinstance(results[0], HubError) else Status.WAITING)


def test_two_changes_begun_at_once_leave_one_waiting(larch: School, now: dt.datetime) -> None:
    ngozi = make_parent(larch)
    together(starting(ngozi, NEW, now), starting(ngozi, OTHER, now), starting(ngozi, "third@example.org", now))
    assert DetailChange.objects.filter(status=Status.WAITING).count() == 1
    assert DetailChange.objects.count() == 3


def test_one_code_sent_in_two_tabs_at_once_is_used_once(larch: School, now: dt.datetime) -> None:
    ngozi = make_parent(larch)
    started = starting(ngozi, NEW, now)()
    work = proving(ngozi, started, NEW, now)
    assert refused(together(work, work, work)) == 2
    assert DetailChange.objects.get().status == Status.APPROVED


def test_two_offices_that_ask_at_once_leave_one_question(larch: School, priya: Account, now: dt.datetime) -> None:
    ngozi = make_parent(larch)
    assert ngozi.contact is not None
    contact = ngozi.contact
    asking = [
        (lambda value: lambda: services.edit_or_propose(owner=contact, kind="email", value=value, by=priya, now=now))(
            f"{number}@example.org"
        )
        for number in range(4)
    ]
    assert refused(together(*asking, school=larch)) == 0
    assert DetailChange.objects.filter(status=Status.PENDING).count() == 1
    assert DetailChange.objects.filter(status=Status.WITHDRAWN).count() == 3


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_two_schools_questions_answered_for_all_at_once_end_with_one_value(
    larch: School, beck: School, priya: Account, now: dt.datetime, round_: int
) -> None:
    """Each answer locks both records: in one order, so neither waits for ever."""
    here = make_parent(larch)
    there = make_parent(beck, here.account)
    bea = join(beck, "bea@example.org", "Bea Lund", Role.OFFICE)
    assert here.account is not None
    third = make_parent(make_school("Third School", "8235003"), here.account, email=NEW)
    also = make_parent(make_school("Fourth School", "8235004"), here.account, email=OTHER)
    assert third.pk != also.pk
    first, second = ask(here, priya, now), ask(there, bea, now, OTHER)
    results = together(approving(here, first, now, everywhere=True), approving(there, second, now, everywhere=True))
    assert refused(results) <= 1
    values = {value_of(one.contact, "email") for one in (here, there, third, also)}
    assert len(values) == 1
    assert values <= {NEW, OTHER}


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_parent_who_connects_as_the_office_edits_is_asked_or_was_not_yet_connected(
    larch: School, priya: Account, now: dt.datetime, round_: int
) -> None:
    contact = make_contact(larch)
    give(contact, "email", EMAIL)
    login = make_login()
    verified = {"email": EMAIL}
    results = together(
        lambda: services.edit_or_propose(owner=contact, kind="email", value=NEW, by=priya, now=now),
        lambda: people.connect(contact=contact, account=login, verified=verified, by_name="Ngozi", now=now),
        school=larch,
    )
    assert refused(results) == 0
    assert value_of(contact, "email") == EMAIL
    assert results[0].status in (Status.PENDING, Status.APPROVED)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_this_was_not_me_beats_the_thiefs_next_change(larch: School, now: dt.datetime, round_: int) -> None:
    ngozi = make_parent(larch)
    proving(ngozi, starting(ngozi, NEW, now)(), NEW, now)()
    token = last_link(EMAIL).rstrip("/").rsplit("/", 1)[1]
    from hub.accounts import tokens

    second = starting(ngozi, OTHER, now)()
    together(
        proving(ngozi, second, OTHER, now),
        lambda: services.not_me(token_hash=tokens.hashed(token), now=now),
        school=larch,
    )
    assert value_of(ngozi.contact, "email") == EMAIL
    assert not DetailChange.objects.filter(status__in=[Status.WAITING, Status.APPROVED]).exists()
    login = Account.objects.get(pk=ngozi.account_id)
    assert login.email == EMAIL


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_import_settles_as_a_parent_proves(larch: School, now: dt.datetime, round_: int) -> None:
    ngozi = make_parent(larch)
    started = starting(ngozi, NEW, now)()
    ContactDetail.objects.filter(kind="email").update(mis_value=OTHER, mis_changed_at=now)
    results = together(
        proving(ngozi, started, NEW, now),
        lambda: settling.settle(school=larch, import_id=7, now=now),
        lambda: settling.settle(school=larch, import_id=7, now=now),
        school=larch,
    )
    assert refused(results) == 0
    settling.settle(school=larch, import_id=8, now=now)
    assert value_of(ngozi.contact, "email") == NEW
    standing = DetailChange.objects.exclude(mis_state=MisState.REPLACED)
    assert [(one.status, one.mis_state) for one in standing] == [(Status.APPROVED, MisState.TO_UPDATE)]


def test_two_sweeps_at_once_tell_each_once(larch: School, priya: Account, now: dt.datetime) -> None:
    from hub.messaging.models import Notice

    for number in range(6):
        ask(
            make_parent(
                larch, forename=f"Ada{number}", email=f"ada{number}@example.org", mobile=f"+44770090021{number}"
            ),
            priya,
            now,
        )
    before = Notice.objects.count()
    together(*[lambda: sweeping.sweep(now + WEEK)] * 3)
    assert Notice.objects.filter(kind="answer").count() == 6
    assert Notice.objects.filter(kind="proposal_answered").count() == 6
    assert Notice.objects.count() == before + 12
    together(*[lambda: sweeping.sweep(now + WEEK)] * 3)
    assert Notice.objects.count() == before + 12
