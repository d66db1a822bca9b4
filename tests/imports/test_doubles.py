"""A spreadsheet makes no second record of a pupil, whatever numbers and UPNs it has, and no child another."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imports.types import PUPIL, Facts, Plan, Values
from tests.factories.planning import Hub, a_contact, a_pupil

BORN = dt.date(2015, 3, 9)
CHILDREN = (
    ("Mia", "Reed", BORN, "A820100000001"),
    ("Max", "Reed", BORN, "A820100000002"),  # twins
    ("Mia", "Hale", dt.date(2016, 1, 2), "A820100000003"),
    ("Tom", "Reed", dt.date(2017, 5, 4), "A820100000004"),
    ("Zoe", "Khan", BORN, "A820100000005"),
)
_NUMBERED = list(enumerate(CHILDREN, 1))


def a_row(number: str, forename: str = "Mia", surname: str = "Reed", born: dt.date = BORN, upn: str = "") -> Facts:
    """A row of a sheet: its id is the admission number, zeros aside."""
    values: Values = {"date_of_birth": born, "upn": upn, "admission_number": number}
    return a_pupil(number.lstrip("0"), forename, surname, legal_surname="", **values)


def upload(hub: Hub, *rows: Facts, **more: Any) -> Plan:
    return hub.night(*rows, **{"complete": (), "ids_by_hand": True, "everything": True} | more)


def refused(plan: Plan) -> list[tuple[str, str]]:
    return [(problem.reason, problem.field) for problem in plan.problems]


@pytest.mark.parametrize("upn", ["", CHILDREN[0][3]])
@pytest.mark.parametrize("known", ["", CHILDREN[0][3]])
def test_a_new_number_is_refused_where_one_of_the_two_has_no_upn(upn: str, known: str) -> None:
    hub = Hub()
    upload(hub, a_row("12", upn=known), a_row("13", "Ada", born=dt.date(2015, 4, 4)))
    plan = upload(hub, a_row("99", upn=upn), a_row("13", "Ada", born=dt.date(2015, 4, 4)))
    assert len(hub.people[PUPIL]) == 2
    if upn and known:
        assert refused(plan) == []
        assert hub.person(PUPIL, "99") == hub.person(PUPIL, "12"), "the UPN says who it is"
    else:
        assert refused(plan) == [("probably_known", "StudentID")]
        assert "write 12 in this cell" in plan.problems[0].advice


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (a_row("99"), "StudentID"),
        (a_row("0012", born=dt.date(2015, 3, 10)), "DOB"),
        (a_row("0012", surname="Reed-Hale"), "StudentSurname"),
    ],
)
def test_of_number_birth_and_name_two_are_enough_to_be_refused_and_all_three_to_be_known(
    row: Facts, field: str
) -> None:
    """Pupils who came from an MIS, under ids of its own."""
    hub = Hub()
    hub.night(a_pupil("sims-7", "Mia", "Reed", date_of_birth=BORN, admission_number="0012", upn=CHILDREN[0][3]))
    plan = upload(hub, row)
    assert refused(plan) == [("probably_known", field)]
    assert len(hub.people[PUPIL]) == 1
    upload(hub, a_row("12"))
    assert hub.person(PUPIL, "12") == hub.person(PUPIL, "sims-7")
    assert len(hub.people[PUPIL]) == 1


def test_a_pupil_is_known_by_either_surname() -> None:
    hub = Hub()
    legal = {"legal_surname": "Reed-Hale", "date_of_birth": BORN, "admission_number": "0012"}
    hub.night(a_pupil("sims-7", "Mia", "Reed", **legal))
    assert upload(hub, a_row("12")).problems == []
    assert hub.person(PUPIL, "12") == hub.person(PUPIL, "sims-7")


def test_a_child_who_stands_twice_in_one_file_comes_in_once() -> None:
    hub = Hub()
    plan = upload(hub, a_row("12"), a_row("99"), a_row("100", upn=CHILDREN[0][3]))
    assert refused(plan) == [("probably_known", "StudentID")] * 2
    assert "is in this file already, with the admission number 12." in plan.problems[0].message
    assert len(hub.people[PUPIL]) == 1


def test_two_children_of_one_name_and_birthday_come_in_with_both_their_upn() -> None:
    hub = Hub()
    plan = upload(hub, a_row("12", upn=CHILDREN[0][3]), a_row("99", upn=CHILDREN[1][3]))
    assert plan.problems == []
    assert len(hub.people[PUPIL]) == 2


@pytest.mark.parametrize("upn", ["", CHILDREN[2][3]])
@pytest.mark.parametrize("born", [BORN, dt.date(2016, 1, 2)])
def test_a_number_of_another_child_gives_no_child_other_parents(upn: str, born: dt.date) -> None:
    hub = Hub()
    other = a_row("13", "Mia", "Hale", born, CHILDREN[2][3])
    parents = (a_contact("c1", "Ngozi", "Reed", "12"), a_contact("c2", "Ola", "Hale", "13"))
    upload(hub, a_row("12", upn=CHILDREN[0][3]), other, *parents)
    before = dict(hub.people[PUPIL])
    moved = (a_contact("c1", "Ngozi", "Reed"), a_contact("c2", "Ola", "Hale", "12"))
    plan = upload(hub, a_row("12", "Mia", "Hale", born, upn), *moved, complete=(PUPIL,), hold={PUPIL})
    assert refused(plan) == [("id_of_another", "StudentID")]
    assert hub.people[PUPIL] == before
    families = {(hub.person(PUPIL, "12"), hub.contact("c1")), (hub.person(PUPIL, "13"), hub.contact("c2"))}
    assert hub.open_links() == families


def test_upns_that_moved_to_other_rows_make_nobody_another() -> None:
    hub = Hub()
    upload(hub, a_row("12", upn=CHILDREN[0][3]))
    plan = upload(hub, a_row("99", "Tom", "Khan", dt.date(2017, 5, 4), CHILDREN[0][3]))
    assert refused(plan) == [("upn_of_another", "UPN")]
    assert [values["forename"] for values in hub.people[PUPIL].values()] == ["Mia"]


def test_a_name_or_a_birthday_that_was_put_right_is_taken() -> None:
    hub = Hub()
    upload(hub, a_row("12"), a_row("13", "Ada", "Khan"))
    assert upload(hub, a_row("12", "Mya", "Reed"), a_row("13", "Ada", "Khan", dt.date(2015, 3, 19))).problems == []
    assert {values["forename"] for values in hub.people[PUPIL].values()} == {"Mya", "Ada"}


def test_an_mis_with_ids_of_its_own_is_not_doubted() -> None:
    hub = Hub()
    hub.night(a_row("12"))
    assert hub.night(a_row("99"), complete=(), everything=True).problems == []


@st.composite
def sheets(draw: st.DrawFn) -> list[list[Facts]]:
    """Some uploads of some children each, in any order, with any numbers and with or without UPNs.

    A twin under the number of the other, who was never heard of, is a forename that was put right: so where there are
    twins, both are in the first upload.
    """
    uploads, twins = [], draw(st.booleans())
    if twins:
        uploads.append([a_row(str(at), *child[:3], draw(st.sampled_from(["", child[3]]))) for at, child in _NUMBERED])
    children = [(at, child) for at, child in _NUMBERED if twins or child[0] != "Max"]
    for _ in range(draw(st.integers(1, 6))):
        rows, taken = [], set()
        for at, (forename, surname, born, upn) in draw(st.permutations(children))[: draw(st.integers(1, 5))]:
            usual = st.just(str(at))
            number = draw(st.one_of(usual, usual, st.integers(1, 9).map(str)))
            number = draw(st.sampled_from(["", "00"])) + number
            name = draw(st.sampled_from([forename, forename.upper()]))
            if number.lstrip("0") not in taken:
                taken.add(number.lstrip("0"))
                rows.append(a_row(number, name, surname, born, draw(st.sampled_from(["", upn]))))
        uploads.append(rows)
    return uploads


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, database=None
)
@given(uploads=sheets(), everybody=st.booleans())
def test_whatever_is_uploaded_each_child_is_one_pupil_and_stays_that_child(
    uploads: list[list[Facts]], everybody: bool
) -> None:
    hub, was = Hub(), dict[int, tuple[str, dt.date]]()
    for rows in uploads:
        plan = upload(hub, *rows, complete=(PUPIL,) if everybody else ())
        now = {pk: _who(one) for pk, one in hub.people[PUPIL].items()}
        assert max(Counter(now.values()).values(), default=0) <= 1, "a child is here twice"
        assert {pk: now[pk] for pk in was} == was, "a child has become another"
        left_out = {problem.external_id for problem in plan.problems}
        taken = [row for row in rows if row.key[1] not in left_out]
        assert {_who(row.values) for row in taken} <= set(now.values()), "a row is taken, or named"
        assert all(_who(hub.pupil(row.key[1])) == _who(row.values) for row in taken)
        was = now


def _who(values: Values) -> tuple[str, dt.date]:
    return f"{values['forename']} {values['surname']}".casefold(), values["date_of_birth"]
