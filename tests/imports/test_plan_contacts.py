"""Planning contacts: who is one person and who is two, links, joint records, records per sibling."""

from __future__ import annotations

from imports.types import CONTACT, LINK, WAITING, Action, LinkFacts, Why
from tests.factories.planning import EMAIL, MONDAY, Hub, a_contact, a_link, a_pupil

N, M = "+447700900001", "+447700900002"
TODAY = MONDAY.date()


def contacts(hub: Hub) -> int:
    return len(hub.people[CONTACT])


def test_a_new_contact_brings_details_and_links() -> None:
    hub = Hub()
    plan = hub.night(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1", mobile=N, email="n@example.org"))
    added = plan.changes[-1]
    assert (added.model, added.action) == (CONTACT, Action.ADDED)
    assert added.after["mobile"] == N
    assert added.after["pupils"] == ["Mother"]
    assert hub.link("1", "5")["relationship"] == "Mother"
    assert hub.value("5") == N


def test_null_is_never_false() -> None:
    hub = Hub()
    hub.night(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", a_link("1", parental_responsibility=None)))
    link = hub.link("1", "5")
    assert link["parental_responsibility"] is None
    assert link["access"] is True


def test_somebody_without_access_is_not_taken_in_but_remembered_by_digest() -> None:
    hub = Hub()
    record = a_contact("5", "Ngozi", "Okafor", a_link("1", court_order=True))
    plan = hub.night(a_pupil("1"), record)
    assert contacts(hub) == 0
    assert plan.passed == {(CONTACT, "5"): record.digest}
    assert hub.opened(a_pupil("1"), record).facts == ()


def test_two_different_parents_of_one_name_stay_two_and_are_named() -> None:
    hub = Hub()
    plan = hub.night(
        a_pupil("1", surname="Bradshaw"),
        a_contact("5", "Wendy", "Bradshaw", "1", mobile=N),
        a_contact("6", "Wendy", "Bradshaw", "1", mobile=M),
    )
    assert contacts(hub) == 2
    assert [problem.reason for problem in plan.problems] == ["possible_duplicate"]


def test_two_parents_of_one_name_in_different_families_are_no_question() -> None:
    hub = Hub()
    plan = hub.night(
        a_pupil("1"), a_pupil("2"),
        a_contact("5", "Wendy", "Bradshaw", "1", mobile=N), a_contact("6", "Wendy", "Bradshaw", "2", mobile=N),
    )  # fmt: skip
    assert contacts(hub) == 2
    assert plan.problems == []


def test_one_record_per_sibling_is_one_parent_where_name_detail_and_address_agree() -> None:
    hub = Hub()
    hub.night(
        a_pupil("1"), a_pupil("2"),
        a_contact("5", "Ngozi", "Okafor", "1", mobile=N, postcode="LS1 1AA"),
        a_contact("6", "Ngozi", "Okafor", "2", mobile=N, postcode="ls11aa"),
    )  # fmt: skip
    assert contacts(hub) == 1
    assert len(hub.open_links()) == 2


def test_a_shared_email_alone_makes_nobody_one() -> None:
    hub = Hub()
    hub.night(
        a_pupil("1"),
        a_contact("5", "Ngozi", "Okafor", "1", email="family@example.org"),
        a_contact("6", "Chidi", "Okafor", "1", email="family@example.org"),
    )
    assert contacts(hub) == 2
    assert hub.value("5", EMAIL) == hub.value("6", EMAIL) == "family@example.org"


def test_a_joint_record_is_two_contacts_who_share_what_it_says() -> None:
    hub = Hub()
    one = a_contact("5", "", "Bloggs", "1", email="b@example.org", title="Mr")
    two = a_contact("5", "", "Bloggs", "1", email="b@example.org", title="Mrs", part=1)
    hub.night(a_pupil("1"), one, two)
    assert contacts(hub) == 2
    assert hub.contact("5", 0) != hub.contact("5", 1)
    assert len(hub.open_links()) == 2


def test_a_joint_record_that_becomes_one_person_ends_the_other() -> None:
    hub = Hub()
    one = a_contact("5", "", "Bloggs", "1", title="Mr")
    two = a_contact("5", "", "Bloggs", "1", title="Mrs", part=1)
    hub.night(a_pupil("1"), one, two)
    hub.night(a_pupil("1"), a_contact("5", "Joe", "Bloggs", "1", title="Mr"))
    assert contacts(hub) == 2
    assert hub.link("1", "5", 0)["ended_on"] is None
    assert hub.link("1", "5", 1)["ended_on"] == TODAY
    hub.night(a_pupil("1"), one, two)
    assert hub.link("1", "5", 1)["ended_on"] is None


def test_a_joint_record_that_becomes_one_person_in_an_upload_of_some_ends_the_other_in_the_next_night() -> None:
    hub = Hub()
    two = a_contact("5", "", "Bloggs", "1", title="Mrs", part=1)
    hub.night(a_pupil("1"), a_contact("5", "", "Bloggs", "1", title="Mr"), two)
    alone = a_contact("5", "Joe", "Bloggs", "1", title="Mr")
    hub.night(alone, complete=frozenset())
    assert hub.link("1", "5", 1)["ended_on"] is None
    hub.night(a_pupil("1"), alone)
    assert hub.link("1", "5", 0)["ended_on"] is None
    assert hub.link("1", "5", 1)["ended_on"] == TODAY
    assert not hub.night(a_pupil("1"), alone).changes


def test_a_dropped_link_ends_and_a_returned_one_begins_again() -> None:
    hub = Hub()
    pupils = [a_pupil("1"), a_pupil("2")]
    hub.night(*pupils, a_contact("5", "Ngozi", "Okafor", "1", "2"))
    plan = hub.night(*pupils, a_contact("5", "Ngozi", "Okafor", "1"))
    assert [(change.model, change.action, change.why) for change in plan.changes] == [(LINK, Action.ENDED, Why.GONE)]
    assert hub.link("2", "5")["ended_on"] == TODAY
    plan = hub.night(*pupils, a_contact("5", "Ngozi", "Okafor", "1", "2"))
    assert [(change.model, change.action, change.why) for change in plan.changes] == [(LINK, Action.RETURNED, Why.BACK)]
    assert hub.link("2", "5")["ended_on"] is None


def test_a_link_to_a_pupil_who_is_not_in_the_snapshot_says_nothing_of_its_end() -> None:
    hub = Hub()
    hub.night(a_pupil("1"), a_pupil("2"), a_contact("5", "Ngozi", "Okafor", "1", "2"))
    hub.night(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1"))
    assert hub.link("2", "5")["ended_on"] is None, "the pupil left; the link did not"


def test_a_record_linked_to_an_unknown_pupil_is_read_again_until_the_pupil_comes() -> None:
    hub = Hub()
    record = a_contact("5", "Ngozi", "Okafor", "1", "2")
    hub.night(a_pupil("1"), record)
    assert hub.identities[(CONTACT, "5", 0)].digest == WAITING + record.digest
    assert len(hub.open_links()) == 1
    plan = hub.night(a_pupil("1"), record)
    assert plan.is_empty
    assert plan.seen_identities == [], "reading it again writes nothing"
    hub.night(a_pupil("1"), a_pupil("2"), record)
    assert len(hub.open_links()) == 2
    assert hub.identities[(CONTACT, "5", 0)].digest == record.digest


def test_records_merged_in_the_mis_overnight_leave_one_contact_with_all_links() -> None:
    hub = Hub()
    pupils = [a_pupil("1"), a_pupil("2")]
    common = {"mobile": N, "postcode": "LS1 1AA"}
    hub.night(
        *pupils,
        a_contact("5", "Ngozi", "Okafor", "1", **common),
        a_contact("6", "Ngozi", "Okafor", "2", **common),
    )
    plan = hub.night(*pupils, a_contact("6", "Ngozi", "Okafor", "1", "2", **common))
    assert contacts(hub) == 1
    assert hub.identities[(CONTACT, "5", 0)].gone
    assert len(hub.open_links()) == 2
    assert plan.changes == []
    assert plan.stats[CONTACT].removed == 0


def test_a_record_that_replaces_another_keeps_the_person() -> None:
    hub = Hub()
    hub.night(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1", mobile=N))
    plan = hub.night(a_pupil("1"), a_contact("77", "Ngozi", "Okafor", "1", mobile=N))
    assert contacts(hub) == 1
    assert plan.stats[CONTACT].rekeyed == 1
    assert hub.link("1", "77")["ended_on"] is None


def test_several_records_that_became_one_were_merged_and_do_not_count_as_a_moved_mis() -> None:
    hub = Hub()
    children = a_pupil("1"), a_pupil("2")
    home = {"mobile": N, "postcode": "LS1 1AA"}
    hub.night(*children, a_contact("5", "Ngozi", "Okafor", "1", **home), a_contact("6", "Ngozi", "Okafor", "2", **home))
    plan = hub.night(*children, a_contact("9", "Ngozi", "Okafor", "1", "2", **home))
    assert contacts(hub) == 1
    assert len(hub.open_links()) == 2
    assert plan.stats[CONTACT].rekeyed == 0


def test_a_new_record_for_a_sibling_takes_no_link_from_the_unread_one() -> None:
    """The first record is unchanged, so it is not opened; its links must not look dropped."""
    hub = Hub()
    first = a_contact("5", "Ngozi", "Okafor", "1", mobile=N, postcode="LS1 1AA", address="1 Mill Lane")
    hub.night(a_pupil("1"), first)
    second = a_contact("6", "Ngozi", "Okafor", "2", mobile=N, postcode="LS1 1AA", address="1 Mill Ln")
    plan = hub.night(a_pupil("1"), a_pupil("2"), first, second)
    assert contacts(hub) == 1
    assert hub.link("1", "5")["ended_on"] is None
    assert hub.link("2", "6")["ended_on"] is None
    assert hub.people[CONTACT][hub.contact("5")]["address"] == "1 Mill Lane", "the oldest record speaks"
    assert not [change for change in plan.changes if change.action is Action.ENDED]
    everything = hub.night(a_pupil("1"), a_pupil("2"), first, second, everything=True)
    assert everything.is_empty, "reading everything finds nothing to put right"


def test_an_unread_record_still_gives_its_email_and_mobile() -> None:
    hub = Hub()
    first = a_contact("5", "Ngozi", "Okafor", "1", mobile=N, postcode="LS1 1AA")
    hub.night(a_pupil("1"), first)
    second = a_contact("6", "Ngozi", "Okafor", "2", mobile=(M, N), postcode="LS1 1AA")
    hub.night(a_pupil("1"), a_pupil("2"), first, second)
    assert hub.value("5") == N


def test_where_two_records_tell_of_one_pupil_the_one_that_denies_access_is_heard() -> None:
    hub = Hub()
    allowed, denied = a_link("1"), a_link("1", court_order=True)
    hub.night(
        a_pupil("1"),
        a_contact("5", "Ngozi", "Okafor", allowed, mobile=N),
        a_contact("6", "Ngozi", "Okafor", allowed, mobile=N),
    )
    hub.night(
        a_pupil("1"),
        a_contact("5", "Ngozi", "Okafor", allowed, mobile=N),
        a_contact("6", "Ngozi", "Okafor", denied, mobile=N),
    )
    assert contacts(hub) == 1
    assert hub.link("1", "5")["access"] is False


def test_a_new_record_that_denies_access_is_heard_at_once() -> None:
    hub = Hub()
    first = a_contact("5", "Ngozi", "Okafor", "1", mobile=N)
    hub.night(a_pupil("1"), first)
    both: tuple[LinkFacts, ...] = (a_link("1", court_order=True), a_link("2"))
    hub.night(a_pupil("1"), a_pupil("2"), first, a_contact("6", "Ngozi", "Okafor", *both, mobile=N))
    assert hub.link("1", "5")["access"] is False


def test_a_contact_added_by_hand_is_matched_by_nothing_and_ended_by_nothing() -> None:
    hub = Hub()
    governor = hub.add_by_hand("Ngozi", "Okafor", mobile=N)
    hub.night(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1", mobile=N))
    assert hub.contact("5") != governor
    before = dict(hub.people[CONTACT][governor])
    plan = hub.night(a_pupil("1"))
    assert hub.people[CONTACT][governor] == before
    assert governor not in {change.person_id for change in plan.changes}
