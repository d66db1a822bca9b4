"""The local inbox of the demo: what would have left, easy to find, safe to click."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.messaging.models import InboxMail
from hub.messaging.templatetags.noticing import code_in, linked

HERE = "https://hub.example.org"


@pytest.fixture(autouse=True)
def _demo(settings: Any) -> None:
    settings.LOCAL_INBOX, settings.PUBLIC_URL = True, HERE


@pytest.fixture
def held(db: None) -> None:
    for channel, to, subject, body in (
        ("email", "ngozi@example.org", "Your code", "Your code:\n\n    482 913\n"),
        ("email", "sam@example.org", "An invitation", f"Open {HERE}/join/abc/ please."),
        ("text", "+447700900123", "", "111 222 is your Schoolgate code."),
        ("text", "+447700900456", "", "Larch Hill asks you to approve a change."),
    ):
        InboxMail.objects.create(
            channel=channel, recipient=to, subject=subject, body=body, sender="x", sent_at=timezone.now()
        )


def page(query: str = "") -> str:
    return Client().get(f"/inbox/{query}").text


def test_it_shows_mails_and_texts(held: None) -> None:
    text = page()
    for words in ("Your code", "An invitation", "to 07700 900123", "Larch Hill asks you"):
        assert words in text


def test_it_shows_one_channel(held: None) -> None:
    assert "An invitation" not in page("?channel=text")
    assert "07700 900123" not in page("?channel=email")
    assert "An invitation" in page("?channel=pigeon")


@pytest.mark.parametrize("wanted", ["07700 900123", "07700900123", "%2B447700900123", "900123", "0123"])
def test_a_number_is_found_however_it_is_written(held: None, wanted: str) -> None:
    text = page(f"?to={wanted}")
    assert "07700 900123" in text
    assert "07700 900456" not in text
    assert "ngozi@" not in text


def test_a_mail_is_found_by_a_part_of_its_address(held: None) -> None:
    assert "to ngozi@example.org" in page("?to=NGOZI")
    assert "sam@" not in page("?to=NGOZI")
    assert "Nothing like that" in page("?to=nobody")


def test_a_code_can_be_copied(held: None) -> None:
    assert ">482913</output>" in page("?to=ngozi")
    assert ">111222</output>" in page("?to=900123")
    assert "<output" not in page("?to=900456")


def test_a_link_can_be_followed_from_the_list(held: None) -> None:
    assert f'href="{HERE}/join/abc/">Open its link</a>' in page("?to=sam")
    assert "Open its link" not in page("?to=ngozi")


def test_only_this_hubs_own_addresses_are_links() -> None:
    text = linked(f"See {HERE}/join/abc/. Not https://evil.example/, {HERE}.evil.example/ or javascript:alert(1) <b>")
    assert text.count("<a ") == 1
    assert f'<a href="{HERE}/join/abc/">{HERE}/join/abc/</a>.' in text
    assert "&lt;b&gt;" in text
    assert linked(f'{HERE}/x" onclick="y').count("onclick=&quot;") == 1
    assert linked(HERE) == f'<a href="{HERE}">{HERE}</a>'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("482 913 is your code", "482913"),
        ("Your code:\n\n  1234 5678\n", "12345678"),
        ("Ring 07700 900123", ""),
        ("No code, but 168 hours", ""),
    ],
)
def test_a_code_is_told_from_other_numbers(text: str, code: str) -> None:
    assert code_in(text) == code
