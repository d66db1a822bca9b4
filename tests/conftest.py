"""What every test shares: a database under the app role, a school, and a cast of people."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection, transaction
from django.test import Client, TransactionTestCase, override_settings
from whitenoise.middleware import WhiteNoiseMiddleware

import hub.celery
from hub.accounts.models import Account, Membership, Role
from hub.accounts.sessions import SessionStore
from hub.core import scope
from hub.core.models import School
from tests import database

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
PASSWORD = "correct horse battery"
QUICK = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LONG = ("browser", "bench")
"""The areas whose tests take seconds each; whoever is left with one at the end, keeps everybody waiting."""


def _as_owner(work: Callable[..., Any]) -> Callable[..., Any]:
    """Run `work` as the role that owns the tables, then go back to the app role."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        role, settings.DATABASE_APP_ROLE = settings.DATABASE_APP_ROLE, ""
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("RESET ROLE")
        try:
            return work(*args, **kwargs)
        finally:
            settings.DATABASE_APP_ROLE = role
            if connection.connection is not None:
                scope.assume(connection, "")

    return wrapped


TransactionTestCase._fixture_teardown = _as_owner(lambda case: database.empty())  # type: ignore[method-assign]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones: each of two workers is given half of this list, and takes from the other's end."""
    browser, bench = ([item for item in items if f"/tests/{area}/" in item.path.as_posix()] for area in LONG)
    rest = [item for item in items if item not in {*browser, *bench}]
    middle = max(0, len(items) // 2 - len(browser))
    items[:] = browser + rest[:middle] + bench + rest[middle:]


def pytest_collection_finish() -> None:
    """Spare the collector what lives to the end anyway: it looked through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """Make the test database as its owner; every test then acts as the app role."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = settings.DATABASES["default"]["NAME"]
    with django_db_blocker.unblock():
        _as_owner(database.copy)(f"test_{name}_{worker}")
    yield
    with django_db_blocker.unblock():
        _as_owner(database.drop)(f"test_{name}_{worker}", back_to=name)


@pytest.fixture(scope="module")
def written_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Write what stands for every test of a module: each works in a savepoint of it. Not for real transactions."""
    undone = transaction.atomic()
    undone._from_testcase = True  # type: ignore[attr-defined]  # as a test's own transaction: `durable` may begin in it

    def write(make: Callable[[], Any]) -> Any:
        with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK):
            made = make()
            connection.check_constraints()
        return made

    with django_db_blocker.unblock():
        undone.__enter__()
    yield write
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        undone.__exit__(None, None, None)


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_listed_once() -> Iterator[None]:
    """Every `Client` makes the middleware anew, and that looks at every static file: the same ones each time."""
    look, known = WhiteNoiseMiddleware.add_files_from_finders, {}

    def once(middleware: WhiteNoiseMiddleware) -> None:
        if not known:
            look(middleware)
            known.update(middleware.files)
        middleware.files.update(known)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WhiteNoiseMiddleware, "add_files_from_finders", once)
        yield


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = QUICK


@pytest.fixture(autouse=True)
def _tasks_run_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches a broker by accident: a task sent runs at once, in this process."""
    hub.celery.app.conf.task_always_eager = True
    hub.celery.app.conf.task_eager_propagates = True


@pytest.fixture(autouse=True)
def _texts_stay_here(settings: Any) -> None:
    """Texts land in the local inbox without a gateway; `tests.factories.inbox` reads them."""
    settings.NOTICE_CARRIERS = {**settings.NOTICE_CARRIERS, "text": "tests.factories.inbox.Texts"}


@pytest.fixture
def now() -> dt.datetime:
    return NOW


def make_school(name: str, dfe_number: str) -> School:
    with scope.every_school():
        return School.objects.create(
            name=name, slug=dfe_number, dfe_number=dfe_number, office_email=f"office@{dfe_number}.example.org"
        )


@pytest.fixture
def school(db: None) -> Iterator[School]:
    """Larch Hill Primary, and the scope to see it."""
    made = make_school("Larch Hill Primary", "8233001")
    with scope.schools(made.pk):
        yield made


@pytest.fixture
def other_school(db: None) -> School:
    """Beck Road Academy: nobody of Larch Hill may see it."""
    return make_school("Beck Road Academy", "8234002")


def join(school: School, email: str, name: str, role: Role) -> Account:
    """Return a new account with an accepted role at `school`, and the second factor that staff must have."""
    account = Account.objects.create_user(email, name=name, password=PASSWORD, second_factor_at=NOW)
    with scope.every_school():
        Membership.objects.create(school=school, account=account, role=role, invited_at=NOW, accepted_at=NOW)
    return account


@pytest.fixture
def administrator(school: School) -> Account:
    return join(school, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)


@pytest.fixture
def office(school: School) -> Account:
    return join(school, "office@example.org", "Priya Shah", Role.OFFICE)


@pytest.fixture
def teacher(school: School) -> Account:
    return join(school, "teacher@example.org", "Tom Marsh", Role.TEACHER)


@pytest.fixture
def stranger(other_school: School) -> Account:
    """An administrator, but of the other school."""
    return join(other_school, "stranger@example.org", "Sam Stone", Role.ADMINISTRATOR)


@pytest.fixture
def signed_in() -> Callable[[Account], Client]:
    """What `force_login` leaves behind, without its ceremony of fifteen statements: the row of a session."""

    def sign_in(account: Account) -> Client:
        client, session = Client(), SessionStore()
        session[SESSION_KEY] = str(account.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = account.get_session_auth_hash()
        session.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
        return client

    return sign_in
