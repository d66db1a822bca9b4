"""Signing in at an MIS: what comes back counts once, for ten minutes, in the session and for the link it was begun."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from hub.accounts.models import Account
from hub.accounts.sessions import SessionStore
from hub.core.logs import WithoutTokens
from hub.core.models import School
from imports.link import consent, links
from imports.link.secrets import secrets_of
from imports.models import LinkState, MisLink
from mis_connectors.base import Access
from mis_connectors.errors import ConnectorAuthError
from mis_connectors.scholarpack.connector import ScholarpackConnector

SignIn = Callable[[Account], Client]
PAGE = "/8233001/settings/mis-link/"
BACK = "/mis-link/consent/"
CODE = "a-code-that-nobody-should-see"


@pytest.fixture
def link(school: School, administrator: Account, now: dt.datetime, settings: Any) -> MisLink:
    settings.MIS_LOOPBACK = True
    settings.MIS_PLATFORM = {
        "scholarpack": {"address": "https://mis.example.org", "client_id": "us", "client_secret": "hidden"}
    }
    return links.create_link(school=school, connector="scholarpack", by=administrator, now=now)


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes that were exchanged; nothing is fetched."""
    seen: list[str] = []

    def exchange(self: object, access: Access, *, code: str, redirect_uri: str) -> Mapping[str, str]:
        assert redirect_uri == f"http://127.0.0.1:8000{BACK}"
        if code in seen:
            raise ConnectorAuthError("ScholarPack did not accept the sign-in.")
        seen.append(code)
        return {"access_token": "kept-a", "refresh_token": "kept-r"}

    monkeypatch.setattr(ScholarpackConnector, "exchange", exchange)
    monkeypatch.setattr("imports.link.changing._start_soon", lambda *ids: None)
    return seen


def begun(client: Client) -> str:
    """Begin, and return the state that the MIS is handed."""
    answer = client.post(PAGE + "consent/begin/", headers={"HX-Request": "true"})
    asked = parse_qs(urlsplit(answer["HX-Redirect"]).query)
    assert "hidden" not in answer["HX-Redirect"]
    return asked["state"][0]


def said(client: Client, path: str = PAGE) -> str:
    response = client.get(path)
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_the_code_leaves_the_address_at_once_and_only_a_post_uses_it(
    link: MisLink, administrator: Account, signed_in: SignIn, codes: list[str]
) -> None:
    client = signed_in(administrator)
    state = begun(client)

    back = client.get(BACK, {"code": CODE, "state": state})
    assert (back.status_code, back["Location"]) == (302, PAGE + "consent/")
    assert back["Referrer-Policy"] == "no-referrer"
    assert CODE not in str(dict(client.session))
    page = client.get(PAGE + "consent/")
    assert page.status_code == 200
    assert CODE not in page.content.decode()
    assert codes == []

    client.post(PAGE + "consent/")

    assert codes == [CODE]
    link.refresh_from_db()
    assert link.state == LinkState.WAITING
    assert secrets_of(link) == {"access_token": "kept-a", "refresh_token": "kept-r"}
    assert b"kept-a" not in bytes(link.secrets)


def test_without_scripts_a_page_leads_on(link: MisLink, administrator: Account, signed_in: SignIn) -> None:
    page = signed_in(administrator).post(PAGE + "consent/begin/").content.decode()

    assert 'href="https://mis.example.org/oauth2/authorize/?' in page


def test_what_came_back_once_does_not_count_again(
    link: MisLink, administrator: Account, signed_in: SignIn, codes: list[str]
) -> None:
    client = signed_in(administrator)
    state = begun(client)
    for _ in range(2):
        client.get(BACK, {"code": CODE, "state": state})
        client.post(PAGE + "consent/")

    assert codes == [CODE]
    assert consent.LAPSED in said(client)


def test_a_state_that_was_not_begun_here_is_refused_and_spoils_nothing(
    link: MisLink, administrator: Account, signed_in: SignIn, codes: list[str]
) -> None:
    client = signed_in(administrator)
    state = begun(client)

    for wrong in ({"code": "evil", "state": "another"}, {"code": "evil"}):
        assert client.get(BACK, wrong)["Location"] == PAGE
        assert "not what was begun here" in said(client)
    client.get(BACK, {"code": CODE, "state": state})
    client.post(PAGE + "consent/")

    assert codes == [CODE]


def test_after_ten_minutes_it_has_lapsed(
    link: MisLink, administrator: Account, signed_in: SignIn, codes: list[str]
) -> None:
    client = signed_in(administrator)
    state = begun(client)
    session = client.session
    session[consent.BEGUN] = {**session[consent.BEGUN], "at": session[consent.BEGUN]["at"] - 601}
    session.save()

    client.get(BACK, {"code": CODE, "state": state})
    client.post(PAGE + "consent/")

    assert codes == []
    assert consent.LAPSED in said(client)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("access_denied", "says that Schoolgate was not allowed"),
        ("server_error", "could not do it at the moment"),
        ("invalid_scope", "did not let us in (invalid_scope)"),
        ("<script>", "did not let us in (unknown)"),
        ("", "did not let us in (unknown)"),
    ],
)
def test_a_refusal_is_said_in_words(
    link: MisLink, administrator: Account, signed_in: SignIn, codes: list[str], error: str, sentence: str
) -> None:
    client = signed_in(administrator)
    client.get(BACK, {"error": error, "state": begun(client)})
    client.post(PAGE + "consent/")

    assert sentence in said(client)
    assert codes == []
    link.refresh_from_db()
    assert link.state == LinkState.NOT_SET_UP


def test_the_session_of_somebody_else_has_nothing_to_finish(
    link: MisLink, administrator: Account, office: Account, stranger: Account, signed_in: SignIn, codes: list[str]
) -> None:
    state = begun(signed_in(administrator))
    for one in (office, stranger):
        client = signed_in(one)
        assert client.get(BACK, {"code": CODE, "state": state})["Location"] == "/"
        assert client.post(PAGE + "consent/").status_code in (403, 404)
    nobody = Client().get(BACK, {"code": CODE, "state": state})

    assert nobody["Location"] == "/sign-in/"
    assert codes == []


def test_an_mis_that_asks_for_no_sign_in_has_none(
    school: School, administrator: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    links.create_link(school=school, connector="sims", by=administrator, now=now)
    client = signed_in(administrator)
    client.post(PAGE + "consent/begin/")

    assert "does not ask for a sign-in" in said(client)


def test_no_code_or_state_is_written_in_the_log() -> None:
    line = f'"GET {BACK}?code={CODE}&state=abc HTTP/1.1" 302 0'
    record = logging.LogRecord("x", logging.INFO, "", 0, line, None, None)

    assert WithoutTokens().format(record) == f'"GET {BACK}?code=…&state=… HTTP/1.1" 302 0'


def test_what_comes_back_counts_once_also_where_it_is_sent_twice_at_the_same_moment(
    link: MisLink, administrator: Account, signed_in: SignIn
) -> None:
    client = signed_in(administrator)
    client.get(BACK, {"state": begun(client), "code": CODE})
    key = client.session.session_key
    first, second = SessionStore(key), SessionStore(key)
    one, other = first[consent.BEGUN], second[consent.BEGUN]  # both have read it before either has forgotten it
    assert consent.take(first, one)
    assert not consent.take(second, other)
    assert consent.BEGUN not in SessionStore(key)
