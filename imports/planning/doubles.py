"""Where no UPN says who a pupil is: refusing a second record of somebody known, and a known id given to another. Pure.

Whoever keeps people in a spreadsheet renumbers them one day. A row that is probably somebody already here must not make
a second pupil, and an id that another child had must not turn one child into another, with the other's parents.
"""

from __future__ import annotations

from imports.planning.drafting import Draft
from imports.types import PUPIL, Facts, Problem, Values


def unsure(draft: Draft) -> bool:
    """Say whether the snapshot tells of no UPN at all."""
    return f"{PUPIL}.upn" in draft.reading.unsaid


def refuses(draft: Draft, fact: Facts, person_id: int | None) -> bool:
    """Leave a pupil's record out where it cannot be told who it is, and say so; both pupils stay as they are."""
    if fact.key[0] != PUPIL or not unsure(draft):
        return False
    if person_id is None:
        other = _second_of(draft, fact)
        if other is None:
            return False
        draft.plan.problems.append(_probably(fact, draft.state.people[PUPIL][other]))
    elif fact.key in draft.state.identities and _is_another(fact.values, draft.state.people[PUPIL][person_id]):
        other = person_id
        draft.plan.problems.append(_belonged(fact, draft.label(PUPIL, person_id)))
        del draft.person_of[fact.key]  # or the parents in this row would be given the other child
    else:
        return False
    draft.unsettled.add(other)
    draft.plan.stats[PUPIL].doubles += 1
    return True


def lost_zeros(draft: Draft, name: str, before: object, after: object) -> bool:
    """Say whether two admission numbers differ only by zeros that a spreadsheet has lost."""
    if name != "admission_number" or not unsure(draft) or not (before and after):
        return False
    return str(before).lstrip("0") == str(after).lstrip("0") and len(str(after)) < len(str(before))


def _second_of(draft: Draft, fact: Facts) -> int | None:
    """Return a pupil with the same names and date of birth whom no record of the snapshot is."""
    born = fact.values.get("date_of_birth")
    names = _names(fact.values)
    for pupil_id, values in draft.state.people[PUPIL].items():
        alike = born and values["date_of_birth"] == born and names & _names(values)
        if alike and draft.matcher.is_vacant(PUPIL, pupil_id):
            return pupil_id
    return None


def _is_another(said: Values, known: Values) -> bool:
    born = said.get("date_of_birth")
    if not born or not known["date_of_birth"] or born == known["date_of_birth"]:
        return False
    return not {first for first, _ in _names(said)} & {first for first, _ in _names(known)}


def _names(values: Values) -> set[tuple[str, str]]:
    """Return each forename with each surname by which a pupil goes."""
    firsts = {(values.get(name) or "").casefold() for name in ("forename", "legal_forename")} - {""}
    lasts = {(values.get(name) or "").casefold() for name in ("surname", "legal_surname")} - {""}
    return {(first, last) for first in firsts for last in lasts}


def _probably(fact: Facts, known: Values) -> Problem:
    number = known["admission_number"]
    here = f"with the admission number {number}" if number else "without an admission number"
    return Problem(
        severity="row", kind=PUPIL, external_id=fact.key[1], label=fact.label, file="", row=None,
        field="StudentID", value=fact.key[1], reason="probably_known",
        message=f"A pupil of this name and date of birth is here already, {here}. So that nobody is here twice,"
        " this row was left out.",
        advice=f"If it is the same child, write {number} in this cell." if number
        else "If it is the same child, write the id they had before. If not, ask whoever runs Schoolgate.",
    )  # fmt: skip


def _belonged(fact: Facts, label: str) -> Problem:
    return Problem(
        severity="row", kind=PUPIL, external_id=fact.key[1], label=fact.label, file="", row=None,
        field="StudentID", value=fact.key[1], reason="id_of_another",
        message=f"This id belongs to {label}, who was born on another day. Ids must stay with one child, so this"
        " row was left out.",
        advice="Give each pupil the id they had before, and new pupils new ones.",
    )  # fmt: skip
