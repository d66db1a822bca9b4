"""What an import makes of two people of the hub who are one: two records, one merged in the MIS, one merged here."""

from __future__ import annotations

from dataclasses import replace

from hub.people.unions import united
from imports.types import CONTACT, IDENTITY, Action, Why
from tests.factories.planning import EMAIL, MONDAY, Hub, a_contact, a_link, a_pupil

N, M = "+447700900001", "+447700900002"
TODAY = MONDAY.date()
PUPILS = (a_pupil("1"), a_pupil("2"))


def two_people() -> Hub:
    """Ngozi twice: as record 5 with the first child, as record 6 with both; they were told apart by their mobiles."""
    hub = Hub()
    hub.night(
        *PUPILS,
        a_contact("5", "Ngozi", "Okafor", "1", mobile=N, email="n@example.org"),
        a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M),
    )
    assert hub.contact("5") != hub.contact("6")
    return hub


def merged_here(hub: Hub, kept: str, gone: str) -> None:
    """Make two records one, as `verification.lifecycle.merging` does."""
    to, away = hub.contact(kept), hub.contact(gone)
    for key, known in hub.identities.items():
        if key[0] == CONTACT and known.person_id in (to, away):
            hub.identities[key] = replace(known, person_id=to, digest=b"")
    for pupil, contact in [pair for pair in hub.links if pair[1] == away]:
        link = hub.links.pop((pupil, contact))
        known = hub.links.get((pupil, to))
        values = {**link, "contact_id": to} if known is None else {**united(known, link), "id": known["id"]}
        hub.links[(pupil, to)] = values


def test_the_connected_keep_sight_when_the_mis_drops_their_double() -> None:
    hub = two_people()
    me = hub.connect("5", mobile=N)
    plan = hub.night(*PUPILS, a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M, email="n@example.org"))
    assert hub.contact("6") == me[1]
    assert hub.link("1", "6")["ended_on"] is None
    assert hub.link("2", "6")["ended_on"] is None
    assert hub.value("6") == N, "no import writes what a Connected person confirmed"
    moves = [change for change in plan.changes if change.model == IDENTITY]
    assert [(change.action, change.why, change.after["record"]) for change in moves] == [
        (Action.RELINKED, Why.SAME_PERSON, "6")
    ]
    assert plan.stats[CONTACT].removed == 0
    assert hub.night(*PUPILS, a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M, email="n@example.org")).is_empty


def test_a_new_record_of_the_one_whose_records_move_is_theirs_too() -> None:
    hub = two_people()
    me = hub.connect("5", mobile=N)
    hub.night(
        *PUPILS,
        a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M, email="n@example.org"),
        a_contact("7", "Ngozi", "Okafor", "2", mobile=M),
    )
    assert hub.contact("6") == hub.contact("7") == me[1]


def test_also_where_the_record_that_stays_is_as_it_was() -> None:
    hub = two_people()
    me = hub.connect("5", mobile=M)
    hub.night(*PUPILS, a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M))
    assert hub.contact("6") == me[1]
    assert {pair for pair in hub.open_links() if pair[1] == me[1]} == {(hub.person("pupil", p), me[1]) for p in "12"}
    assert len(hub.open_links()) == 2, "the other of the two has no links any more"


def test_the_mis_still_says_who_has_access() -> None:
    hub = two_people()
    hub.connect("5", mobile=M)
    hub.night(*PUPILS, a_contact("6", "Ngozi", "Okafor", a_link("1", court_order=True), "2", mobile=M))
    assert hub.link("1", "6")["access"] is False
    assert hub.link("2", "6")["access"] is True


def test_a_name_alone_hands_nobody_anothers_children() -> None:
    hub = two_people()
    hub.connect("5", mobile=N)
    six = hub.contact("6")
    hub.night(*PUPILS, a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M))
    assert hub.contact("6") == six
    assert hub.link("1", "5")["ended_on"] == TODAY


def test_a_record_that_is_dropped_takes_the_children_of_those_not_connected() -> None:
    hub = two_people()
    six = hub.contact("6")
    hub.night(*PUPILS, a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=N))
    assert hub.contact("6") == six
    assert hub.link("1", "5")["ended_on"] == TODAY


def test_two_logins_are_named_to_the_office_and_one_login_is_no_question() -> None:
    for logins, reasons in (({}, ["two_logins"]), ({"5": 9, "6": 9}, [])):
        hub = two_people()
        hub.connect("5", mobile=M)
        hub.connect("6")
        state = hub.state
        owners = {(CONTACT, hub.contact(record)): login for record, login in logins.items()}
        hub.state = lambda: replace(state(), logins=owners)  # type: ignore[method-assign]  # noqa: B023
        six = hub.contact("6")
        plan = hub.night(*PUPILS, a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M))
        assert [problem.reason for problem in plan.problems] == reasons
        assert hub.contact("6") == six


def test_a_new_record_for_two_people_is_the_connected_ones() -> None:
    hub = two_people()
    me = hub.connect("5", mobile=N)
    hub.night(*PUPILS, a_contact("7", "Ngozi", "Okafor", "1", "2", mobile=(N, M)))
    assert hub.contact("7") == me[1]
    assert {pair[1] for pair in hub.open_links()} == {me[1]}


def test_merged_records_speak_together_the_oldest_first() -> None:
    hub = two_people()
    hub.connect("6", mobile="+447700900777")
    merged_here(hub, kept="6", gone="5")
    records = (
        a_contact("5", "Ngozi", "Okafor", "1", mobile=N, email="n@example.org"),
        a_contact("6", "Ngozi", "Okafor-Bell", "1", "2", mobile=M),
    )
    hub.night(*PUPILS, *records)
    kept = (CONTACT, hub.contact("6"))
    assert hub.contact("5") == kept[1]
    assert hub.details[(kept, "mobile")].mis_value == N, "record 5 is the older"
    assert hub.value("6") == "+447700900777"
    assert hub.details[(kept, EMAIL)].mis_value == "n@example.org"
    assert hub.people[CONTACT][kept[1]]["surname"] == "Okafor"
    assert len(hub.open_links()) == 2
    assert hub.night(*PUPILS, *records).is_empty


def test_a_merged_record_that_the_mis_drops_takes_only_what_it_alone_told_of() -> None:
    hub = two_people()
    hub.connect("5", mobile=N)
    merged_here(hub, kept="5", gone="6")
    five = a_contact("5", "Ngozi", "Okafor", "1", mobile=N, email="n@example.org")
    hub.night(*PUPILS, five, a_contact("6", "Ngozi", "Okafor", "1", "2", mobile=M))
    plan = hub.night(*PUPILS, five)
    assert plan.stats[CONTACT].removed == 0
    assert hub.link("1", "5")["ended_on"] is None
    assert hub.link("2", "5")["ended_on"] == TODAY


def test_what_two_records_say_of_one_link() -> None:
    def said(**values: object) -> dict[str, object]:
        return a_link("1", **values).values

    both = united(said(parental_responsibility=None, priority=2), said(priority=1, lives_with=True))
    assert (both["parental_responsibility"], both["priority"], both["lives_with"]) == (True, 2, True)
    denied = united(said(), said(parental_responsibility=False, lives_with=None))
    assert (denied["access"], denied["parental_responsibility"]) == (False, False)
    for pair in ((said(), said(court_order=True)), (said(court_order=True), said())):
        ordered = united(*pair)
        assert (ordered["access"], ordered["court_order"]) == (False, True)
