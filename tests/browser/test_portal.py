"""The parents' portal in a real browser: accessible in every state, light and dark, and whole without scripts."""

from __future__ import annotations

import pytest
from django.urls import reverse

from hub.core import scope
from tests.browser.conftest import Open
from tests.browser.judging import PHONE, problems_in_both, problems_of
from tests.conftest import make_school
from tests.factories.inbox import last_code
from tests.factories.parents import make_login, make_parent, value_of
from tests.portal.conftest import Parent, ask
from tests.portal.states import everything

pytestmark = pytest.mark.browser
EMAIL = "ngozi@example.org"


@pytest.fixture
def family(transactional_db: None, settings: object) -> Parent:
    """Ngozi with a child at each of two schools."""
    settings.LOCAL_INBOX = True  # type: ignore[attr-defined]
    settings.EMAIL_BACKEND = "hub.messaging.backends.LocalInboxBackend"  # type: ignore[attr-defined]
    account = make_login()
    made = [make_parent(make_school("Larch Hill Primary", "8233001"), account)]
    made.append(make_parent(make_school("Beck Road Academy", "8234002"), account, proven=()))
    return Parent(account, made, None)  # type: ignore[arg-type]


def test_every_page_is_accessible_and_fits(family: Parent, open_page: Open) -> None:
    with scope.schools(*(one.school_id for one in family.connections)):
        paths = [*everything(family).values(), reverse("account:home")]
    page = open_page(paths[0], email=EMAIL, kind="judged")
    base, found = page.url.removesuffix(paths[0]), {}
    for path in paths:
        page.goto(base + path)
        if problems := problems_in_both(page):
            found[path] = problems
    assert found == {}


def test_a_calm_day_and_a_stranger_are_accessible_too(family: Parent, open_page: Open) -> None:
    make_login("nell@example.org", "Nell Frost")
    home = reverse("portal:home")
    for email in (EMAIL, "nell@example.org"):
        assert problems_of(open_page(home, email=email, size=PHONE, kind="judged")) == []


def test_a_question_is_answered_and_proved_without_scripts(family: Parent, open_page: Open) -> None:
    ask(family.contact)
    page = open_page(reverse("portal:home"), email=EMAIL, size=PHONE, kind="scriptless")
    page.get_by_role("button", name="Yes, at all my schools").click()
    page.get_by_label("The code").fill(last_code("new@example.org"))
    page.get_by_role("button", name="Confirm").click()
    assert page.get_by_text("Confirmed. Your schools reach you there from now on.").is_visible()
    assert value_of(family.contact, "email") == value_of(family.elsewhere, "email") == "new@example.org"


def test_the_account_menu_opens_without_scripts_and_by_the_keyboard(family: Parent, open_page: Open) -> None:
    page = open_page(reverse("portal:home"), email=EMAIL, size=PHONE, kind="scriptless")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.locator(".portal-who > summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="Sign-in and devices").is_visible()


def test_tabs_lie_under_the_thumb_and_hide_nothing(family: Parent, open_page: Open) -> None:
    ask(family.contact)
    page = open_page(reverse("portal:home"), email=EMAIL, size=PHONE)
    bar = page.locator(".portal-tabs").bounding_box()
    assert bar is not None
    assert bar["y"] + bar["height"] == PHONE["height"]
    for link in page.locator(".portal-tabs a").all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator(".portal-main .card").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= bar["y"]


def test_on_paper_there_is_no_navigation(family: Parent, open_page: Open) -> None:
    page = open_page(reverse("portal:details"), email=EMAIL)
    page.emulate_media(media="print")
    assert not page.locator(".portal-tabs").is_visible()
    assert page.get_by_role("heading", name="My details").is_visible()
