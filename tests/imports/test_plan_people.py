"""Planning pupils and staff: added, updated, ended, returned, known again under another record or UPN."""

from __future__ import annotations

import datetime as dt

from imports.types import PUPIL, STAFF, Action, Why
from tests.factories.planning import MONDAY, Hub, a_contact, a_member_of_staff, a_pupil

BORN = dt.date(2016, 3, 1)
UPN, OTHER_UPN = "A823300116001", "B823300116002"
TODAY = MONDAY.date()


def actions(hub_plan: object) -> list[tuple[str, Action, Why]]:
    return [(change.model, change.action, change.why) for change in hub_plan.changes]  # type: ignore[attr-defined]


def test_a_new_pupil_is_added_with_what_the_mis_says() -> None:
    hub = Hub()
    plan = hub.night(a_pupil("1", upn=UPN, date_of_birth=BORN))
    assert actions(plan) == [(PUPIL, Action.ADDED, Why.NEW)]
    assert plan.changes[0].after["upn"] == UPN
    assert hub.pupil("1")["date_of_birth"] == BORN
    assert plan.stats[PUPIL].added == plan.stats[PUPIL].in_file == 1


def test_an_update_names_only_the_columns_that_differ() -> None:
    hub = Hub()
    hub.night(a_pupil("1", registration_group="6HB"))
    plan = hub.night(a_pupil("1", registration_group="6KP"))
    assert actions(plan) == [(PUPIL, Action.UPDATED, Why.CHANGED)]
    assert (plan.changes[0].before, plan.changes[0].after) == (
        {"registration_group": "6HB"},
        {"registration_group": "6KP"},
    )
    assert plan.stats[PUPIL].updated == 1


def test_a_field_that_the_mis_does_not_supply_is_left_as_it_is() -> None:
    hub = Hub()
    hub.night(a_pupil("1", house="Oak"))
    fact = a_pupil("1", house="Oak", year_group="7")
    del fact.values["house"]
    hub.night(fact)
    assert hub.pupil("1")["house"] == "Oak"


def test_the_same_snapshot_again_is_an_empty_plan() -> None:
    hub = Hub()
    facts = [a_pupil("1"), a_member_of_staff("9", email="t@example.org"), a_contact("5", "Ngozi", "Okafor", "1")]
    hub.night(*facts)
    for plan in (hub.night(*facts), hub.night(*facts, everything=True)):
        assert plan.is_empty
        assert not plan.seen_identities, "not even a digest is written"
        assert not any([*plan.inserts.values(), *plan.updates.values(), plan.details, plan.new_identities])


def test_a_leaver_with_a_date_ends_on_that_date() -> None:
    hub = Hub()
    hub.night(a_pupil("1"))
    plan = hub.night(a_pupil("1", leaving_date=TODAY))
    assert actions(plan) == [(PUPIL, Action.ENDED, Why.LEFT)]
    assert plan.stats[PUPIL].removed == 0


def test_a_leaving_date_still_to_come_is_only_an_update() -> None:
    hub = Hub()
    hub.night(a_pupil("1"))
    plan = hub.night(a_pupil("1", leaving_date=TODAY + dt.timedelta(days=30)))
    assert actions(plan) == [(PUPIL, Action.UPDATED, Why.CHANGED)]


def test_a_pupil_who_comes_back_has_no_leaving_date() -> None:
    hub = Hub()
    hub.night(a_pupil("1"), a_pupil("2"))
    hub.night(a_pupil("2"))
    assert hub.pupil("1")["leaving_date"] == TODAY
    plan = hub.night(a_pupil("1"), a_pupil("2"))
    assert actions(plan) == [(PUPIL, Action.RETURNED, Why.BACK)]
    assert hub.pupil("1")["leaving_date"] is None


def test_a_pupil_comes_back_also_where_the_mis_tells_of_no_leaving_dates() -> None:
    hub = Hub()

    def facts(*ids: str) -> list[object]:
        made = [a_pupil(one) for one in ids]
        for fact in made:
            del fact.values["leaving_date"]
        return made  # type: ignore[return-value]

    hub.night(*facts("1", "2"))  # type: ignore[arg-type]
    hub.night(*facts("2"))  # type: ignore[arg-type]
    assert hub.pupil("1")["leaving_date"] == TODAY
    plan = hub.night(*facts("1", "2"))  # type: ignore[arg-type]
    assert actions(plan) == [(PUPIL, Action.RETURNED, Why.BACK)]
    assert hub.pupil("1")["leaving_date"] is None


def test_a_pupil_under_a_new_record_is_known_by_upn() -> None:
    hub = Hub()
    hub.night(a_pupil("1", upn=UPN))
    plan = hub.night(a_pupil("2", upn=UPN))
    assert actions(plan) == [("identity", Action.RELINKED, Why.SAME_PERSON)]
    assert len(hub.people[PUPIL]) == 1
    assert hub.identities[(PUPIL, "1", 0)].gone
    assert plan.stats[PUPIL].rekeyed == 1
    assert plan.stats[PUPIL].removed == 0


def test_a_temporary_upn_that_becomes_permanent_is_an_update_of_one_pupil() -> None:
    hub = Hub()
    temporary = "A82330011600A"
    hub.night(a_pupil("1", upn=temporary))
    plan = hub.night(a_pupil("1", upn=UPN, former_upn=temporary))
    assert actions(plan) == [(PUPIL, Action.UPDATED, Why.CHANGED)]
    assert len(hub.people[PUPIL]) == 1


def test_a_new_record_whose_former_upn_is_known_is_the_same_pupil() -> None:
    hub = Hub()
    temporary = "A82330011600A"
    hub.night(a_pupil("1", upn=temporary))
    hub.night(a_pupil("2", upn=UPN, former_upn=temporary))
    assert len(hub.people[PUPIL]) == 1
    assert hub.pupil("2")["upn"] == UPN


def test_an_upn_that_moves_to_another_pupil_moves_no_person() -> None:
    hub = Hub()
    hub.night(a_pupil("1", "Ada", upn=UPN), a_pupil("2", "Ben", upn=OTHER_UPN))
    hub.night(a_pupil("1", "Ada", upn=""), a_pupil("2", "Ben", upn=UPN))
    assert (hub.pupil("1")["forename"], hub.pupil("2")["forename"]) == ("Ada", "Ben")
    assert hub.pupil("2")["upn"] == UPN


def test_an_upn_of_a_pupil_who_is_present_makes_no_new_record_that_pupil() -> None:
    hub = Hub()
    hub.night(a_pupil("1", "Ada", upn=UPN))
    hub.night(a_pupil("1", "Ada", upn=""), a_pupil("3", "Cem", upn=UPN))
    assert len(hub.people[PUPIL]) == 2
    assert hub.pupil("1")["forename"] == "Ada"


def test_two_new_records_with_one_upn_are_not_both_the_known_pupil() -> None:
    hub = Hub()
    hub.night(a_pupil("1", "Ada", upn=UPN))
    hub.night(a_pupil("2", "Ada", upn=UPN), a_pupil("3", "Cem", upn=UPN))
    assert len(hub.people[PUPIL]) == 2
    assert {values["forename"] for values in hub.people[PUPIL].values()} == {"Ada", "Cem"}


def test_without_upns_admission_number_birth_and_surname_together_are_one_pupil() -> None:
    hub = Hub()
    known = {"admission_number": "004711", "date_of_birth": BORN}
    hub.night(a_pupil("1", **known))
    hub.night(a_pupil("2", **(known | {"admission_number": "4711"})))
    assert len(hub.people[PUPIL]) == 1
    hub.night(a_pupil("2", **(known | {"admission_number": "4711"})), a_pupil("3", surname="Adeyemi", **known))
    assert len(hub.people[PUPIL]) == 2


def test_staff_bring_their_own_details_and_leave() -> None:
    hub = Hub()
    hub.night(a_member_of_staff("9", email="t@example.org", mobile="+447700900009"))
    owner = (STAFF, hub.person(STAFF, "9"))
    assert hub.details[(owner, "email")].value == "t@example.org"
    plan = hub.night(a_member_of_staff("9", email="t@example.org", mobile="+447700900009", leaving_date=TODAY))
    assert actions(plan) == [(STAFF, Action.ENDED, Why.LEFT)]


def test_a_member_of_staff_under_a_new_record_is_known_by_name_and_email_only_together() -> None:
    hub = Hub()
    hub.night(a_member_of_staff("8", email="t@example.org"), a_member_of_staff("9", "Ann", email="a@example.org"))
    hub.night(a_member_of_staff("18", email="t@example.org"), a_member_of_staff("19", "Ann", email="new@example.org"))
    assert hub.person(STAFF, "18") == hub.person(STAFF, "8")
    assert hub.person(STAFF, "19") != hub.person(STAFF, "9")


def test_a_staff_member_who_is_also_a_parent_stays_two_people() -> None:
    hub = Hub()
    hub.night(
        a_pupil("1"),
        a_member_of_staff("9", "Ngozi", "Okafor", email="n@example.org"),
        a_contact("5", "Ngozi", "Okafor", "1", email="n@example.org"),
    )
    assert len(hub.people["contact"]) == len(hub.people[STAFF]) == 1
