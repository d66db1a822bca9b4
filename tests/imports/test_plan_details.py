"""Planning emails and mobiles in whole imports: which of several values is the MIS's, and who keeps theirs."""

from __future__ import annotations

from imports.types import CONTACT, Action, Why
from tests.factories.planning import EMAIL, MOBILE, Hub, a_contact, a_pupil

N, M, OWN = "+447700900001", "+447700900002", "+447700900003"


def one(*, mobile: str = N, email: str = "n@example.org") -> list[object]:
    return [a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1", mobile=mobile, email=email)]


def test_one_mobile_of_a_connected_and_of_a_not_connected_parent() -> None:
    hub = Hub()

    def facts(mobile: str) -> list[object]:
        return [
            a_pupil("1"),
            a_contact("5", "Ngozi", "Okafor", "1", mobile=mobile),
            a_contact("6", "Chidi", "Okafor", "1", mobile=mobile),
        ]

    hub.night(*facts(N))  # type: ignore[arg-type]
    hub.connect("5")
    plan = hub.night(*facts(M))  # type: ignore[arg-type]
    assert (hub.value("5"), hub.value("6")) == (N, M)
    assert {(change.action, change.why) for change in plan.changes} == {
        (Action.KEPT, Why.KEPT_CONNECTED),
        (Action.UPDATED, Why.NOT_CONNECTED),
    }
    kept = next(change for change in plan.changes if change.action is Action.KEPT)
    assert (kept.before["value"], kept.after["value"], kept.after["mis_value"]) == (N, N, M)


def test_a_detail_the_mis_drops_is_cleared_for_the_not_connected_only() -> None:
    for connected, expected in ((True, N), (False, "")):
        hub = Hub()
        hub.night(*one())  # type: ignore[arg-type]
        if connected:
            hub.connect("5")
        hub.night(*one(mobile=""))  # type: ignore[arg-type]
        assert hub.value("5") == expected


def test_a_connected_person_without_a_mobile_gets_an_offer_and_no_value() -> None:
    hub = Hub()
    hub.night(*one(mobile=""))  # type: ignore[arg-type]
    owner = hub.connect("5")
    plan = hub.night(*one(mobile=M))  # type: ignore[arg-type]
    held = hub.details[(owner, MOBILE)]
    assert (held.value, held.mis_value) == ("", M)
    assert [change.why for change in plan.changes] == [Why.OFFER]
    assert plan.stats[CONTACT].updated == 0


def test_the_first_of_several_values_is_the_mis_one() -> None:
    hub = Hub()
    hub.night(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1", mobile=(M, N)))
    assert hub.value("5") == M


def test_the_oldest_identity_of_a_contact_speaks_first_and_a_blank_lets_the_next_speak() -> None:
    hub = Hub()
    first = a_contact("5", "Ngozi", "Okafor", "1", mobile=N, postcode="LS1 1AA")
    second = a_contact("6", "Ngozi", "Okafor", "2", mobile=N, email="two@example.org", postcode="LS1 1AA")
    pupils = [a_pupil("1"), a_pupil("2")]
    hub.night(*pupils, first, second)
    assert hub.value("5", EMAIL) == "two@example.org"
    changed = a_contact("6", "Ngozi", "Okafor", "2", mobile=M, email="two@example.org", postcode="LS1 1AA")
    hub.night(*pupils, first, changed)
    assert hub.value("5") == N, "the newer record's mobile is not the one chosen"


def test_the_offices_value_is_kept_until_the_mis_changes() -> None:
    hub = Hub()
    hub.night(*one())  # type: ignore[arg-type]
    hub.edit("5", MOBILE, OWN)
    assert hub.night(*one(), everything=True).is_empty  # type: ignore[arg-type]
    assert hub.value("5") == OWN
    plan = hub.night(*one(mobile=M))  # type: ignore[arg-type]
    assert hub.value("5") == M
    assert [change.why for change in plan.changes] == [Why.OFFICE_OVERRULED]
    assert plan.changes[0].before["value"] == OWN


def test_a_person_confirmed_keeps_the_value_over_many_nights_of_change() -> None:
    hub = Hub()
    hub.night(*one())  # type: ignore[arg-type]
    hub.connect("5", mobile=OWN, email="own@example.org")
    for mobile, email in ((M, ""), ("", "x@example.org"), (OWN, "own@example.org"), (N, "y@example.org")):
        hub.night(*one(mobile=mobile, email=email))  # type: ignore[arg-type]
        assert (hub.value("5", MOBILE), hub.value("5", EMAIL)) == (OWN, "own@example.org")
