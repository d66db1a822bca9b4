"""ScholarPack's consent: signing in, codes, tokens that run out and rotate, and consent that is withdrawn."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from mis_connectors.base import Authorises, CheckState, PullConnector
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
)
from mis_connectors.records import Kind
from mis_connectors.simulators import scholarpack_oauth
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.server import Request, Response
from tests.connectors.scholarpack_things import ScholarPack, connector, of_kind

BACK = "http://127.0.0.1:8000/back/"


def consented(pack: ScholarPack, *, answer: str = "allow", user: str = "office", **typed: str) -> str:
    """Sign in and consent as somebody at the school; return where the browser is sent, or the page that came."""
    url = urlsplit(connector.authorise_url(pack.access(secrets={}), redirect_uri=BACK, state="st&te"))
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    form = {**asked, "school_url": "larchhillprimary", "username": user, "password": "scholarpack", **typed}
    page = pack.api.handle(Request(method="POST", path=url.path, body=urlencode(form).encode()))
    session = re.search(rb'name="session" value="([^"]+)"', page.body)
    if session is None:
        return page.body.decode()
    answered = {**asked, "session": session[1].decode(), "answer": answer}
    sent = pack.api.handle(Request(method="POST", path=url.path, body=urlencode(answered).encode()))
    assert sent.status == 302
    return sent.headers["Location"]


def code_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]


# Consent


def test_it_fetches_and_asks_for_consent() -> None:
    assert isinstance(connector, PullConnector)
    assert isinstance(connector, Authorises)


def test_the_browser_is_sent_to_scholarpack_with_the_documented_query(pack: ScholarPack) -> None:
    url = connector.authorise_url(pack.access(secrets={}), redirect_uri=BACK, state="s")
    assert url.startswith(f"{pack.server.address}/oauth2/authorize/?response_type=code&client_id=schoolgate-simulated&")
    assert "scope=student:read+student-contact:read+staff:read&state=s" in url
    assert scholarpack_oauth.CLIENT_SECRET not in url


def test_a_code_becomes_tokens_with_which_the_school_is_fetched(pack: ScholarPack) -> None:
    location = consented(pack)
    assert parse_qs(urlsplit(location).query)["state"] == ["st&te"]
    kept = connector.exchange(pack.access(secrets={}), code=code_of(location), redirect_uri=BACK)
    assert set(kept) == {"access_token", "refresh_token", "expires_at"}
    pack.secrets = dict(kept)
    assert of_kind(pack.read(), Kind.PUPIL)


def test_a_code_is_good_once_and_using_it_again_ends_what_it_gave(pack: ScholarPack) -> None:
    code = code_of(consented(pack))
    pack.secrets = dict(connector.exchange(pack.access(secrets={}), code=code, redirect_uri=BACK))
    with pytest.raises(ConnectorAuthError, match="loaded twice"):
        connector.exchange(pack.access(secrets={}), code=code, redirect_uri=BACK)
    with pytest.raises(ConnectorAuthError, match="no longer lets us in"):
        pack.collect()


def test_a_code_is_not_taken_for_another_address_to_come_back_to(pack: ScholarPack) -> None:
    with pytest.raises(ConnectorAuthError):
        connector.exchange(pack.access(secrets={}), code=code_of(consented(pack)), redirect_uri=f"{BACK}x")


def test_another_schools_consent_is_refused_before_its_tokens_are_kept(pack: ScholarPack) -> None:
    code = code_of(consented(pack))
    pack.hosted.set(Fault.WRONG_SCHOOL)
    with pytest.raises(ConnectorAuthError, match=r"Somewhere Else Primary \(823/9999\)"):
        connector.exchange(pack.access(secrets={}), code=code, redirect_uri=BACK)
    assert not pack.kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"user": "teacher"}, "lacks the permission Admin and System Admin"),
        ({"user": "secretary"}, "lacks the permission System Admin"),
        ({"password": "wrong"}, "not right"),
        ({"school_url": "elsewhere"}, "not right"),
    ],
)
def test_scholarpack_itself_lets_only_an_admin_of_the_school_consent(
    pack: ScholarPack, typed: dict[str, str], said: str
) -> None:
    assert said in consented(pack, **typed)


def test_a_school_that_does_not_allow_it_comes_back_without_a_code(pack: ScholarPack) -> None:
    assert parse_qs(urlsplit(consented(pack, answer="refuse")).query)["error"] == ["access_denied"]


# Tokens


def test_a_token_that_runs_out_in_the_middle_is_renewed_and_kept_before_it_is_used(pack: ScholarPack) -> None:
    pack.hosted.set(Fault.EXPIRED_TOKEN)
    snapshot = pack.read()
    assert len(of_kind(snapshot, Kind.PUPIL)) == len(pack.hosted.school.pupils)
    assert len(pack.kept) > 3, "each token was good for three requests"
    assert len({kept["refresh_token"] for kept in pack.kept}) == len(pack.kept), "each was used once"
    assert pack.kept[-1]["refresh_token"] == pack.secrets["refresh_token"]
    pack.hosted.set(None)
    assert len(pack.read().records) == len(snapshot.records)


def test_a_token_whose_time_has_passed_is_renewed_without_asking_with_it(pack: ScholarPack) -> None:
    pack.secrets["expires_at"] = "2001-01-01T00:00:00+00:00"
    asked = pack.hosted.requests
    list(pack.test())
    assert len(pack.kept) == 1
    assert pack.hosted.requests - asked == 1 + 5


def test_an_old_refresh_token_ends_the_consent_so_none_is_ever_used_twice(pack: ScholarPack) -> None:
    old = dict(pack.secrets)
    pack.secrets["expires_at"] = "2001-01-01T00:00:00+00:00"
    list(pack.test())
    with pytest.raises(ConnectorAuthError):
        connector.collect(replace(pack.access(secrets={**old, "access_token": "x"}), load_secrets=dict), _Nowhere())
    with pytest.raises(ConnectorAuthError):
        pack.collect()


def test_tokens_that_another_run_renewed_meanwhile_are_taken(pack: ScholarPack) -> None:
    """Somebody tests the link while the night is being fetched."""
    night = pack.access()
    pack.secrets["expires_at"] = "2001-01-01T00:00:00+00:00"
    list(pack.test())
    connector.collect(night, _Nowhere())
    assert len(pack.kept) == 1, "the night renewed nothing itself"
    pack.collect()


def test_tokens_that_another_run_renews_at_the_very_moment_are_taken_too(pack: ScholarPack) -> None:
    seen: list[str] = []

    def load() -> dict[str, str]:
        """The other run has asked ScholarPack, and keeps its answer only now."""
        seen.append("")
        return {} if len(seen) == 1 else pack.secrets

    used = {**pack.secrets, "access_token": "run-out", "refresh_token": "used"}
    connector.collect(replace(pack.access(secrets=used), load_secrets=load), _Nowhere())
    assert len(seen) == 2


def test_tests_of_the_link_at_once_do_not_end_the_consent(pack: ScholarPack) -> None:
    """Somebody clicks twice; the tokens have run out overnight."""
    pack.secrets["expires_at"] = "2001-01-01T00:00:00+00:00"
    lock = threading.Lock()
    runs = [replace(pack.access(), renewing=lambda: lock) for _ in range(4)]
    with ThreadPoolExecutor(len(runs)) as together:
        found = list(together.map(lambda access: list(connector.test(access)), runs))
    assert {check.state for checks in found for check in checks} == {CheckState.OK}
    assert len(pack.kept) == 1, "one of them renewed"
    pack.collect()


def test_an_answer_without_a_new_refresh_token_leaves_the_old_one(pack: ScholarPack) -> None:
    real = pack.api.handle

    def handle(request: Request) -> Response:
        response = real(request)
        if request.path == "/oauth2/token/" and response.status == 200:
            said = json.loads(response.body)
            del said["refresh_token"]
            return Response(headers=response.headers, body=json.dumps(said).encode())
        return response

    pack.api.handle = handle  # type: ignore[method-assign]
    old = pack.secrets["refresh_token"]
    pack.secrets["expires_at"] = "2001-01-01T00:00:00+00:00"
    list(pack.test())
    assert pack.kept[0]["refresh_token"] == old


def test_nothing_is_asked_before_anybody_has_consented(pack: ScholarPack) -> None:
    pack.secrets = {}
    with pytest.raises(ConnectorAuthError, match="Nobody at the school has given permission"):
        pack.collect()
    assert [(check.key, check.state) for check in pack.test()] == [("credentials", CheckState.FAILED)]
    assert pack.hosted.requests == 0


def test_consent_may_be_given_again_after_it_was_withdrawn(pack: ScholarPack) -> None:
    pack.hosted.set(Fault.WITHDRAWN)
    with pytest.raises(ConnectorAuthError, match="no longer lets us in"):
        pack.collect()
    kept = connector.exchange(pack.access(secrets={}), code=code_of(consented(pack)), redirect_uri=BACK)
    pack.secrets = dict(kept)
    assert pack.read().records


def test_a_client_secret_that_is_not_right_is_for_the_operator(pack: ScholarPack) -> None:
    pack.secrets["expires_at"] = "2001-01-01T00:00:00+00:00"
    with pytest.raises(ConnectorConfigError, match="Ask whoever runs the hub"):
        pack.collect(client_secret="other")
    assert [(check.key, check.state) for check in pack.test(client_secret="other")] == [
        ("address", CheckState.OK),
        ("credentials", CheckState.FAILED),
    ]


def test_a_hub_without_registration_says_so(pack: ScholarPack) -> None:
    with pytest.raises(ConnectorConfigError, match="not registered with ScholarPack yet"):
        pack.collect(client_id="")
    with pytest.raises(ConnectorConfigError, match="not registered"):
        connector.authorise_url(pack.access(address=""), redirect_uri=BACK, state="s")


class _Nowhere:
    def write(self, name: str, body: bytes) -> None:
        """Keep nothing."""
