"""A real Chromium against a real server. Where none is found, these tests are skipped, each by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from hub.accounts import signing_in
from hub.accounts.models import Account, Role
from hub.accounts.sessions import SessionStore
from hub.core import scope
from tests.conftest import join, make_school
from tests.factories.world import World, a_world

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop running in the test's thread.


def chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.fspath):
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(
                    pytest.mark.skip(reason=f"No Chromium found ({', '.join(NAMES)}): install one to run it")
                )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        yield playwright.chromium.launch(executable_path=chromium(), args=args)


@pytest.fixture
def world(transactional_db: None, settings: object) -> Iterator[World]:
    """Larch Hill Primary after two nights, with its administrator, office, teacher, and a stranger elsewhere."""
    settings.LOCAL_INBOX = True  # type: ignore[attr-defined]
    settings.EMAIL_BACKEND = "hub.messaging.backends.LocalInboxBackend"  # type: ignore[attr-defined]
    school = make_school("Larch Hill Primary", "8233001")
    make_school("Beck Road Academy", "8234002")
    head = join(school, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
    join(school, "office@example.org", "Priya Shah", Role.OFFICE)
    parent = Account.objects.create_user("parent@example.org", name="A parent")
    with scope.schools(school.pk):
        yield a_world(school, by=head, parent=parent)


Open = Callable[..., Page]


def alone(page: Page) -> Page:
    """Return the page, which nobody is to be given afterwards: something is put in it that stays."""
    _ALONE.add(page)
    return page


_ALONE: set[Page] = set()


@pytest.fixture(scope="session")
def spare(browser: Browser) -> list[Page]:
    """Pages that a test is done with, as good as new: making a context and its window takes as long as ten pages."""
    return []


@pytest.fixture
def open_page(browser: Browser, live_server: object, spare: list[Page]) -> Iterator[Open]:
    """Open a path as somebody (an email), at a size, in a colour scheme. Console errors fail the test."""
    pages: list[Page] = []
    errors: list[str] = []

    def failed(error: Error) -> None:
        errors.append(str(error))

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def open_(path: str, *, email: str = "", size: dict[str, int] = DESK, scheme: str = "light") -> Page:
        page = spare.pop() if spare else _new(browser)
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(media="null", color_scheme=scheme)  # type: ignore[arg-type]
        base = live_server.url  # type: ignore[attr-defined]
        if email:
            page.context.add_cookies([{"name": "sessionid", "value": session_of(email), "url": base}])
        page.on("pageerror", failed)
        page.on("console", said)
        pages.append(page)
        page.goto(base + path)
        return page

    yield open_
    for page in pages:
        page.remove_listener("pageerror", failed)
        page.remove_listener("console", said)
        if _as_new(page):
            spare.append(page)
        else:
            page.context.close()
    unexpected = [error for error in errors if not any(code in error for code in ("404", "410", "422"))]
    assert unexpected == []


def _new(browser: Browser) -> Page:
    # Nothing is half-way between two colours when it is looked at.
    context = browser.new_context(viewport=DESK, reduced_motion="reduce", accept_downloads=True)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    return context.new_page()


def _as_new(page: Page) -> bool:
    """Take out what the test left, and return whether nothing of it can be met by another."""
    if page in _ALONE or len(page.context.pages) > 1:
        return False
    page.goto("about:blank")
    page.context.clear_cookies()
    return True


def session_of(email: str) -> str:
    """Return a signed-in session's key; the sign-in page itself has a journey of its own."""
    account = Account.objects.get(email=email)
    session = SessionStore()
    session["_auth_user_id"] = str(account.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = account.get_session_auth_hash()
    session[signing_in.PROVED] = {"at": timezone.now().timestamp(), "how": "password"}
    session.save()
    assert session.session_key
    return session.session_key
