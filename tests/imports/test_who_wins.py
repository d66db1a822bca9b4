"""Who wins, for one email or mobile: every row of the table, and every cell beside it."""

from __future__ import annotations

import pytest

from imports.planning.who_wins import settle
from imports.types import Action, Detail, Why

OLD, NEW, OWN = "+447700900001", "+447700900002", "+447700900003"


def from_mis(value: str = OLD, mis: str = OLD) -> Detail:
    return Detail(1, value, mis, "mis")


def from_office(value: str = OWN, mis: str = OLD) -> Detail:
    return Detail(1, value, mis, "organisation")


def from_person(value: str = OWN, mis: str = OLD) -> Detail:
    return Detail(1, value, mis, "person")


@pytest.mark.parametrize("held", [from_mis(), from_office(), from_person(), from_person(""), from_mis("", OLD)])
@pytest.mark.parametrize("mis", [OLD, NEW, OWN, ""])
def test_the_value_of_a_connected_person_always_stays(held: Detail, mis: str) -> None:
    outcome = settle(held, mis, connected=True)
    if mis == held.mis_value:
        assert outcome is None
    else:
        assert outcome is not None
        assert (outcome.value, outcome.source) == (held.value, held.source)
        assert (outcome.mis_value, outcome.takes_value, outcome.action) == (mis, False, Action.KEPT)


@pytest.mark.parametrize(
    ("held", "mis", "why"),
    [
        (from_person(), NEW, Why.KEPT_CONNECTED),
        (from_person(""), NEW, Why.OFFER),
        (from_person(), OWN, Why.AGREES),
        (from_person(), "", Why.AGREES),
    ],
)
def test_why_a_connected_persons_value_was_kept(held: Detail, mis: str, why: Why) -> None:
    outcome = settle(held, mis, connected=True)
    assert outcome is not None
    assert outcome.why is why


def test_a_connected_person_without_a_detail_is_offered_the_mis_one() -> None:
    outcome = settle(None, NEW, connected=True)
    assert outcome is not None
    assert (outcome.value, outcome.mis_value, outcome.takes_value) == ("", NEW, False)
    assert (outcome.action, outcome.why) == (Action.KEPT, Why.OFFER)


def test_not_connected_and_from_the_mis_takes_what_the_mis_says_now() -> None:
    outcome = settle(from_mis(), NEW, connected=False)
    assert outcome is not None
    assert (outcome.value, outcome.mis_value, outcome.source, outcome.takes_value) == (NEW, NEW, "mis", True)
    assert (outcome.action, outcome.why) == (Action.UPDATED, Why.NOT_CONNECTED)


def test_not_connected_and_from_the_mis_loses_what_the_mis_no_longer_has() -> None:
    outcome = settle(from_mis(), "", connected=False)
    assert outcome is not None
    assert (outcome.value, outcome.mis_value, outcome.takes_value) == ("", "", True)


@pytest.mark.parametrize("held", [from_office(), from_person(), from_office("")])
def test_an_edited_value_stays_while_the_mis_says_what_it_said(held: Detail) -> None:
    assert settle(held, OLD, connected=False) is None


def test_an_edited_value_gives_way_when_the_mis_changes_and_both_are_shown() -> None:
    outcome = settle(from_office(), NEW, connected=False)
    assert outcome is not None
    assert (outcome.value, outcome.source, outcome.takes_value) == (NEW, "mis", True)
    assert (outcome.action, outcome.why) == (Action.UPDATED, Why.OFFICE_OVERRULED)


def test_an_edited_value_is_not_cleared_when_the_mis_clears_its_own() -> None:
    outcome = settle(from_office(), "", connected=False)
    assert outcome is not None
    assert (outcome.value, outcome.mis_value, outcome.takes_value) == (OWN, "", False)


def test_an_edited_value_becomes_the_mis_one_when_the_mis_comes_to_agree() -> None:
    outcome = settle(from_office(), OWN, connected=False)
    assert outcome is not None
    assert (outcome.value, outcome.mis_value, outcome.source) == (OWN, OWN, "mis")
    assert outcome.why is Why.AGREES


def test_nothing_held_and_nothing_said_is_nothing() -> None:
    assert settle(None, "", connected=False) is None
    assert settle(None, "", connected=True) is None


def test_the_first_value_of_somebody_not_connected_is_taken() -> None:
    outcome = settle(None, NEW, connected=False)
    assert outcome is not None
    assert (outcome.value, outcome.mis_value, outcome.source, outcome.takes_value) == (NEW, NEW, "mis", True)
