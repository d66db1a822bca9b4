"""Guessing is slow whoever tries, and never keeps the rightful person out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from hub.accounts import known_devices, limits
from hub.accounts.models import Account, SignInLimit

PASSWORD = "correct horse battery"
MINUTE = dt.timedelta(minutes=1)
START = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)


class Clock:
    """The time, moved by the test."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def parent(db: None) -> Account:
    return Account.objects.create_user("parent@example.org", mobile="+447700900123", password=PASSWORD)


def guess(client: Client, password: str = "wrong", name: str = "parent@example.org") -> Any:
    return client.post("/sign-in/", {"username": name, "password": password})


def was_checked(answer: Any) -> bool:
    return "too many times" not in answer.text


def attacker(network: int = 1) -> Client:
    return Client(REMOTE_ADDR=f"203.0.113.{network}")


@pytest.mark.parametrize("name", ["parent@example.org", "nobody@example.org", "07700 900123", "07700 900124"])
def test_after_five_wrong_tries_a_name_rests_known_or_not(parent: Account, clock: Clock, name: str) -> None:
    answers = [guess(attacker(), name=name) for _ in range(7)]
    assert [was_checked(answer) for answer in answers] == [True] * 5 + [False] * 2
    assert {answer.status_code for answer in answers} == {422}
    assert "08:16" in answers[-1].text


def test_the_rest_is_fifteen_minutes_and_tries_do_not_lengthen_it(parent: Account, clock: Clock) -> None:
    client = attacker()
    for _ in range(5):
        guess(client)
    for _ in range(14):
        clock.now += MINUTE
        assert not was_checked(guess(client, PASSWORD))
    clock.now += MINUTE
    assert guess(client, PASSWORD).status_code == 302


def test_a_right_password_begins_the_count_anew(parent: Account, clock: Clock) -> None:
    for _ in range(3):
        for _ in range(4):
            assert was_checked(guess(attacker()))
        assert guess(attacker(), PASSWORD).status_code == 302
        clock.now += 6 * MINUTE


def test_wrong_tries_are_forgotten_after_a_quiet_while(parent: Account, clock: Clock) -> None:
    for _ in range(4):
        for _ in range(4):
            assert was_checked(guess(attacker()))
        clock.now += 15 * MINUTE


def tried(name: str, network: str, at: dt.datetime, *, device: str = "", right: bool = False) -> bool:
    """Try once below the pages, which are too slow for a day of it; whether the try was let through."""
    claimed = limits.claim(what="password", name=name, device=device, network=network, now=at)
    if claimed.rests_until is None and right:
        limits.forgive(claimed)
    return claimed.rests_until is None


@pytest.mark.parametrize("hours", [2, pytest.param(24, marks=pytest.mark.long)])
def test_hammered_all_day_the_rightful_person_gets_in(db: None, hours: int) -> None:
    """At once on a device that signed in before; elsewhere within a quarter of an hour; as often as they like."""
    at, refused_since, longest = START, None, dt.timedelta()
    while at < START + dt.timedelta(hours=hours):
        for network in ("attacker's first", "attacker's second"):
            tried("parent", network, at)
        assert tried("parent", "home", at, device="known", right=True)
        if tried("parent", "elsewhere", at, right=True):
            refused_since = None
        else:
            refused_since = refused_since or at
            longest = max(longest, at - refused_since + MINUTE)
        at += MINUTE
    assert dt.timedelta() < longest <= 15 * MINUTE


def test_an_attacker_on_the_pages_keeps_no_known_device_out(parent: Account, clock: Clock) -> None:
    known = Client(REMOTE_ADDR="198.51.100.7")
    guess(known, PASSWORD)
    known.post("/sign-out/")
    for number in range(1, 9):
        guess(attacker(number))
    assert not was_checked(guess(Client(REMOTE_ADDR="198.51.100.8"), PASSWORD))
    assert guess(known, PASSWORD).status_code == 302


def test_no_more_than_ten_guesses_in_five_minutes_from_however_many_networks(db: None) -> None:
    """Both names of a login together; the address is a new one each time."""
    checked: list[dt.datetime] = []
    for number in range(150):
        at = START + number * dt.timedelta(seconds=10)
        checked += [at for name in ("email", "mobile") if tried(name, f"network {number}", at)]
    assert len(checked) > 20
    for begin in checked:
        assert sum(begin <= one < begin + 5 * MINUTE for one in checked) <= 10


def test_a_known_device_has_a_count_of_its_own_which_rests_too(parent: Account, clock: Clock) -> None:
    known = Client()
    guess(known, PASSWORD)
    known.post("/sign-out/")
    assert [was_checked(guess(known)) for _ in range(6)] == [True] * 5 + [False]
    assert was_checked(guess(attacker()))


def test_the_device_cookie_signs_nobody_in_and_cannot_be_made_up(parent: Account, clock: Clock) -> None:
    known = Client()
    cookie = guess(known, PASSWORD).cookies["device"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "parent" not in cookie.value
    forged = attacker()
    forged.cookies["device"] = cookie.value[:-2] + "xx"
    for _ in range(5):
        guess(forged)
    assert not was_checked(guess(forged))


def test_one_browser_is_known_to_a_whole_family(parent: Account, clock: Clock) -> None:
    other = Account.objects.create_user("other@example.org", password=PASSWORD)
    client = Client()
    for name in ("parent@example.org", "other@example.org"):
        guess(client, PASSWORD, name=name)
        client.post("/sign-out/")
    request = RequestFactory().get("/")
    request.COOKIES = {"device": client.cookies["device"].value}
    assert known_devices.known_as(request, parent)
    assert known_devices.known_as(request, other)
    assert known_devices.known_as(request, None) == ""


def test_an_address_that_tries_many_names_rests_and_right_ones_are_not_counted(parent: Account, clock: Clock) -> None:
    client = attacker()
    for number in range(100):
        assert tried(f"nobody {number}", "203.0.113.1", clock.now)
        if number < 50:
            assert tried(f"somebody {number}", "203.0.113.1", clock.now, right=True)
    assert not was_checked(guess(client))
    assert was_checked(guess(attacker(2)))
    clock.now += 15 * MINUTE
    assert was_checked(guess(client))


def test_names_are_kept_as_a_keyed_hash(parent: Account, clock: Clock) -> None:
    guess(attacker())
    assert not [row for row in SignInLimit.objects.values_list("key", flat=True) if "parent" in row or "203.0" in row]


def test_counters_are_swept_when_they_count_no_more(parent: Account, clock: Clock) -> None:
    guess(attacker())
    assert limits.sweep(clock.now) == 0
    assert limits.sweep(clock.now + dt.timedelta(days=1, seconds=1)) == 3
    assert not SignInLimit.objects.exists()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2ff::9", "2001:db8:1:200::/56"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_network_is_an_address_or_what_one_household_has_of_ipv6(address: str, network: str) -> None:
    assert limits.network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network


def test_what_a_browser_says_of_its_address_counts_only_behind_our_proxy(settings: Any) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"x-forwarded-for": "1.2.3.4, 203.0.113.9"})
    assert limits.network_of(request) == "10.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert limits.network_of(request) == "203.0.113.9"


def test_tries_at_the_same_moment_are_counted_one_by_one(db: None, now: dt.datetime) -> None:
    def one() -> limits.Try:
        return limits.claim(what="password", name="x", device="", network="n", now=now)

    assert [bool(one().rests_until) for _ in range(8)] == [False] * 5 + [True] * 3
