"""Settings > Who is imported: the rule with its numbers, and when an import asks first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.models import Account
from hub.core.models import AuditEntry, School
from imports import policy
from mis_connectors.simulators import school as simulated
from tests.factories.links import enabled_link
from tests.factories.world import import_night

PATH = "/8233001/settings/who-is-imported/"
GOOD = {"recipient_rule": "priority", "priority_limit": "3", "removal_percent": "20", "removal_floor": "8"}


@pytest.fixture
def head(administrator: Account, signed_in: Callable[[Account], Client]) -> Client:
    return signed_in(administrator)


def test_the_default_is_chosen_and_explained(school: School, head: Client) -> None:
    text = head.get(PATH).text
    assert 'value="responsibility" checked' in text
    assert "silence is not held against them" in text


def test_a_choice_is_kept_and_written_down(school: School, head: Client) -> None:
    assert head.post(PATH, GOOD).status_code == 302
    stored = policy.policy_of(school)
    assert (stored.recipient_rule, stored.priority_limit, stored.removal_percent) == ("priority", 3, 20)
    assert AuditEntry.objects.get(action="import_policy.changed").data["removal_floor"] == [5, 8]


@pytest.mark.parametrize(
    ("field", "value"), [("removal_percent", "0"), ("recipient_rule", "friends"), ("priority_limit", "")]
)
def test_what_cannot_be_is_refused(field: str, value: str, school: School, head: Client) -> None:
    answer = head.post(PATH, {**GOOD, field: value})
    assert answer.status_code == 422
    assert policy.policy_of(school).recipient_rule == "responsibility"


def test_each_choice_shows_how_many_it_gives(
    school: School, head: Client, administrator: Account, now: dt.datetime
) -> None:
    assert "once a file has come" in head.get(f"{PATH}counts/").text
    link = enabled_link(school, by=administrator, since=now - dt.timedelta(days=1))
    import_night(link, simulated.generate(seed=5, size=40, dfe_number="8233001"), "night-1", now=now)
    choices = policy.count_choices(school)
    assert choices is not None
    fragment = head.get(f"{PATH}counts/").text
    for rule, number in choices.by_rule.items():
        assert f'id="count-{rule}" hx-swap-oob="true">{number} parents<' in fragment
    assert f"{choices.by_rule['all']} parents" in head.get(PATH, {"count": "1"}).text


def test_it_is_the_administrators_page(
    school: School,
    office: Account,
    stranger: Account,
    signed_in: Callable[[Account], Client],
) -> None:
    for path in (PATH, f"{PATH}counts/"):
        assert Client().get(path)["Location"].startswith("/sign-in/")
        assert signed_in(office).get(path).status_code == 403
        assert signed_in(stranger).get(path).status_code == 404
    assert signed_in(office).post(PATH, GOOD).status_code == 403
