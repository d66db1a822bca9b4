"""A real Chromium against a real server. Where none is found, these tests are skipped, each by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, ViewportSize, sync_playwright

from hub.accounts import signing_in
from hub.accounts.models import Account, Role
from hub.accounts.sessions import SessionStore
from hub.core import scope
from tests.browser.judging import DESK, opened_by
from tests.conftest import join, make_school
from tests.factories.world import World, a_world

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The first is the same engine without the windows around it, which take as long as the pages."""

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


def afterwards(page: Page, undo: Callable[[], object]) -> None:
    """Have something put right on the page before it is given to another test."""
    _AFTERWARDS.setdefault(page, []).append(undo)


_ALONE: set[Page] = set()
_AFTERWARDS: dict[Page, list[Callable[[], object]]] = {}
QUIET, PUBLIC = "/static/favicon.svg", "/join/letter/"
"""Where a page waits for the next test: there is nothing that runs, and going there takes no new process."""


@pytest.fixture(scope="session")
def spare(browser: Browser) -> dict[str, list[Page]]:
    """Pages that a test is done with, as good as new: making a context and its window takes as long as ten pages."""
    return {"": [], "judged": [], "scriptless": []}


@pytest.fixture
def open_page(browser: Browser, live_server: Any, spare: dict[str, list[Page]]) -> Iterator[Open]:
    """Open a path as somebody (an email), at a size, to be judged or without scripts. Console errors fail the test."""
    pages: list[tuple[Page, str]] = []
    errors: list[str] = []

    def failed(error: Error) -> None:
        errors.append(str(error))

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def open_(path: str, *, email: str = "", size: ViewportSize = DESK, kind: str = "") -> Page:
        page = spare[kind].pop() if spare[kind] else _new(browser, kind, live_server.url)
        page.set_viewport_size(size)
        page.emulate_media(media="null", color_scheme="light")
        if email:
            become(page, email, live_server.url)
        page.on("pageerror", failed)
        page.on("console", said)
        pages.append((page, kind))
        page.goto(live_server.url + path)
        return page

    yield open_
    for page, kind in pages:
        page.remove_listener("pageerror", failed)
        page.remove_listener("console", said)
        if _as_new(page, kind, live_server.url):
            spare[kind].append(page)
        else:
            page.context.close()
    unexpected = [error for error in errors if not any(code in error for code in ("404", "410", "422"))]
    assert unexpected == []


def become(page: Page, email: str, base: str) -> None:
    """Sign the page in; the sign-in page itself has journeys of its own."""
    page.context.add_cookies([{"name": "sessionid", "value": session_of(email), "url": base}])


def _new(browser: Browser, kind: str, base: str) -> Page:
    # Nothing is half-way between two colours when it is looked at.
    context = browser.new_context(
        viewport=DESK, reduced_motion="reduce", accept_downloads=True, java_script_enabled=kind != "scriptless"
    )  # fmt: skip
    context.set_default_timeout(30_000)
    page = context.new_page()
    if kind != "judged":
        return page
    page.goto(base + PUBLIC)
    return opened_by(page)


def _as_new(page: Page, kind: str, base: str) -> bool:
    """Take out what the test left, and return whether nothing of it can be met by another."""
    if page in _ALONE or len(page.context.pages) > (2 if kind == "judged" else 1):
        return False
    for undo in _AFTERWARDS.pop(page, []):
        undo()
    page.goto(base + (PUBLIC if kind == "judged" else QUIET))
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
