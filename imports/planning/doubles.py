"""Where only ids made up by people say who a pupil is: no second record of one, and no other parents. Pure.

Whoever keeps people in a spreadsheet renumbers them one day, and leaves UPNs out. Two rows are one child where two of
three agree: number, date of birth, name. A row that is probably somebody already here must not make a second pupil, and
an id that another child had must not turn one child into another, with the other's parents. Only where both have a UPN,
and not the same, are they two for certain.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from imports.planning.drafting import Draft
from imports.types import PUPIL, Facts, Problem, Values

_ANOTHER = "If it is another child, give both their UPN in a column UPN."


class Doubles:
    """Knows the pupils by what may tell of them, those that this import adds among them."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._doubtful = draft.reading.ids_by_hand or f"{PUPIL}.upn" in draft.reading.unsaid
        self._added: dict[int, Values] = {}
        self._by_born: dict[dt.date, list[int]] = defaultdict(list)
        self._by_number: dict[str, list[int]] = defaultdict(list)
        self._indexed = False

    def refuses(self, fact: Facts, person_id: int | None) -> bool:
        """Leave a pupil's record out where it cannot be told who it is, and say so; both pupils stay as they are."""
        if fact.key[0] != PUPIL or not self._doubtful:
            return False
        draft, other = self._draft, person_id
        if person_id is None:
            other = self._second_of(fact)
            if other is None:
                return False
            draft.plan.problems.append(_probably(fact, self._values(other), added=other in self._added))
        elif self._is_another(fact, person_id):
            draft.plan.problems.append(self._belonged(fact, person_id))
            draft.person_of.pop(fact.key, None)  # or the parents in this row would be given the other child
        else:
            return False
        assert other is not None
        draft.unsettled.add(other)
        draft.plan.stats[PUPIL].doubles += 1
        return True

    def add(self, fact: Facts, person_id: int) -> None:
        """Tell of a pupil whom this import adds: a second row of the same child finds them."""
        if fact.key[0] == PUPIL and self._doubtful:
            self._added[person_id] = fact.values
            self._index(person_id, fact.values)

    def lost_zeros(self, name: str, before: object, after: object) -> bool:
        """Say whether two admission numbers differ only by zeros that a spreadsheet has lost."""
        if name != "admission_number" or not self._doubtful or not (before and after):
            return False
        return str(before).lstrip("0") == str(after).lstrip("0") and len(str(after)) < len(str(before))

    def _second_of(self, fact: Facts) -> int | None:
        """Return the pupil that a new record probably is; one whom no record of the snapshot is before any other."""
        alike = [pupil_id for pupil_id in self._perhaps(fact) if _are_one(fact.values, self._values(pupil_id))]
        vacant = [one for one in alike if one not in self._added and self._draft.matcher.is_vacant(PUPIL, one)]
        return next(iter(vacant or alike), None)

    def _perhaps(self, fact: Facts) -> list[int]:
        """Return the pupils with this date of birth or number."""
        if not self._indexed:
            self._indexed = True
            for pupil_id, values in self._draft.state.people[PUPIL].items():
                self._index(pupil_id, values)
        born, number = fact.values.get("date_of_birth"), _number(fact.values)
        return [*self._by_born.get(born, ()), *self._by_number.get(number, ())] if born else []

    def _is_another(self, fact: Facts, person_id: int) -> bool:
        """Say whether a record found by its id, or by its UPN, is of another child.

        Neither birth nor name is theirs; or only the birth, while forename and surname are both others, or name and
        birth are those of somebody else: twins.
        """
        said, known = fact.values, self._values(person_id)
        if said.get("upn") and said.get("upn") == known.get("upn") and fact.key in self._draft.state.identities:
            return False
        agreeing = _agreeing(said, known)
        if "names" in agreeing or not known.get("date_of_birth") or not said.get("date_of_birth"):
            return False
        if "born" not in agreeing or not _share_a_name(said, known):
            return True
        others = (self._values(one) for one in self._perhaps(fact) if one != person_id)
        return any({"names", "born"} <= _agreeing(said, other) for other in others)

    def _index(self, pupil_id: int, values: Values) -> None:
        if born := values.get("date_of_birth"):
            self._by_born[born].append(pupil_id)
        if number := _number(values):
            self._by_number[number].append(pupil_id)

    def _values(self, pupil_id: int) -> Values:
        return self._added[pupil_id] if pupil_id in self._added else self._draft.state.people[PUPIL][pupil_id]

    def _belonged(self, fact: Facts, person_id: int) -> Problem:
        label = self._draft.label(PUPIL, person_id)
        if fact.values.get("date_of_birth") != self._values(person_id).get("date_of_birth"):
            label += ", who was born on another day"
        if fact.key in self._draft.state.identities:
            return _problem(
                fact, "StudentID", fact.key[1], "id_of_another",
                f"This id belongs to {label}. Ids must stay with one child, so this"
                " row was left out.",
                "Give each pupil the id they had before, and new pupils new ones.",
            )  # fmt: skip
        return _problem(
            fact, "UPN", str(fact.values.get("upn") or ""), "upn_of_another",
            f"This UPN belongs to {label}. So that no child becomes another, this row"
            " was left out.",
            "Look whether the UPNs have moved to other rows, and correct them.",
        )  # fmt: skip


def _are_one(said: Values, known: Values) -> bool:
    one, other = said.get("upn"), known.get("upn")
    return not (one and other and one != other) and len(_agreeing(said, known)) >= 2


def _agreeing(said: Values, known: Values) -> set[str]:
    """Return which of the three signals two records share."""
    agreeing = set()
    if _number(said) and _number(said) == _number(known):
        agreeing.add("number")
    if said.get("date_of_birth") and said.get("date_of_birth") == known.get("date_of_birth"):
        agreeing.add("born")
    if _names(said) & _names(known):
        agreeing.add("names")
    return agreeing


def _number(values: Values) -> str:
    return (values.get("admission_number") or "").lstrip("0")


def _names(values: Values) -> set[tuple[str, str]]:
    """Return each forename with each surname by which a pupil goes."""
    firsts = {(values.get(name) or "").casefold() for name in ("forename", "legal_forename")} - {""}
    lasts = {(values.get(name) or "").casefold() for name in ("surname", "legal_surname")} - {""}
    return {(first, last) for first in firsts for last in lasts}


def _share_a_name(said: Values, known: Values) -> bool:
    """Say whether a forename or a surname is the same: one of them may have been put right, or have changed."""
    return any({first[at] for first in _names(said)} & {other[at] for other in _names(known)} for at in (0, 1))


def _probably(fact: Facts, known: Values, *, added: bool) -> Problem:
    """Return what to do about a row that is probably a pupil: by which of the three it is not."""
    agreeing, number = _agreeing(fact.values, known), known.get("admission_number")
    where, left_out = "in this file" if added else "here", "So that nobody is here twice, this row was left out."
    once = "for one import; after that it can be changed."
    if "number" not in agreeing:
        here = f"with the admission number {number}" if number else "without an admission number"
        write = number or "the id they had before"
        return _problem(
            fact, "StudentID", fact.key[1], "probably_known",
            f"A pupil of this name and date of birth is {where} already, {here}. {left_out}",
            f"If it is the same child, write {write} in this cell, or delete the row if they have another. {_ANOTHER}",
        )  # fmt: skip
    name = " ".join(filter(None, (known.get("forename"), known.get("surname"))))
    if "born" not in agreeing:
        born = f"{known['date_of_birth']:%d/%m/%Y}" if known.get("date_of_birth") else "no date of birth"
        return _problem(
            fact, "DOB", f"{fact.values['date_of_birth']:%d/%m/%Y}", "probably_known",
            f"{name} is {where} already with this admission number, and {born} as date of birth. {left_out}",
            f"If it is the same child, write the date of birth as it is {where}, {once} {_ANOTHER}",
        )  # fmt: skip
    return _problem(
        fact, "StudentSurname", str(fact.values.get("surname") or ""), "probably_known",
        f"{name} is {where} already with this admission number and date of birth. {left_out}",
        f"If it is the same child, write the name as it is {where}, {name}, {once} {_ANOTHER}",
    )  # fmt: skip


def _problem(fact: Facts, field: str, value: str, reason: str, message: str, advice: str) -> Problem:
    return Problem(
        severity="row", kind=PUPIL, external_id=fact.key[1], label=fact.label, file="", row=None,
        field=field, value=value, reason=reason, message=message, advice=advice,
    )  # fmt: skip
