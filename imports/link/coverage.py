"""The coverage table: what one MIS supplies, against what the hub uses each field for. Pure, but for `withheld`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imports.models import Import, MisLink
from imports.pages.wording import field_label
from mis_connectors.base import ConnectorInfo

KINDS = {"pupil": "Pupils", "contact": "Parents", "link": "Parents and their pupils", "staff": "Staff"}
_LABELS = {
    "emails": "Email",
    "telephones": "Mobile",
    "forename": "Forename (preferred)",
    "applicant_only": "Applicants only",
}
USES: Mapping[str, str] = {
    "pupil.upn": "Knows a pupil again, also after a change of MIS",
    "pupil.former_upn": "Knows a pupil again whose UPN was replaced",
    "pupil.admission_number": "Knows a pupil again where there is no UPN",
    "pupil.forename": "Shown everywhere",
    "pupil.surname": "Shown everywhere",
    "pupil.legal_forename": "Shown to your office",
    "pupil.legal_surname": "Shown to your office",
    "pupil.middle_names": "Shown to your office",
    "pupil.date_of_birth": "Knows a pupil again; a parent proves with it whose parent they are",
    "pupil.gender": "Shown to your office",
    "pupil.year_group": "Lists and filters by year",
    "pupil.registration_group": "Lists and filters by form; letters home",
    "pupil.house": "Lists and filters by house",
    "pupil.class_name": "Lists and filters by class",
    "pupil.admission_date": "Shown to your office",
    "pupil.leaving_date": "Ends a leaver’s place on the day",
    "pupil.pre_admission": "Tells who is still to join",
    "contact.title": "Letters and lists",
    "contact.forename": "Shown everywhere",
    "contact.surname": "Shown everywhere",
    "contact.gender": "Shown to your office",
    "contact.address": "Letters home; tells two parents of one name apart",
    "contact.postcode": "Letters home; tells two parents of one name apart",
    "contact.language": "Shown to your office",
    "contact.emails": "Invites a parent, and reaches them",
    "contact.telephones": "Invites a parent by text, and reaches them",
    "link.relationship": "Shown as mother, father, carer …",
    "link.priority": "Who is asked first; who is imported, if your school chose it",
    "link.parental_responsibility": "Who may see a pupil",
    "link.court_order": "Keeps a parent from a pupil they may not see",
    "link.lives_with": "Shown to your office",
    "link.correspondence": "Shown to your office",
    "link.applicant_only": "Keeps out parents of applications alone",
    "staff.code": "Knows a member of staff again",
    "staff.title": "Lists of staff",
    "staff.forename": "Lists of staff",
    "staff.surname": "Lists of staff",
    "staff.role": "Lists of staff",
    "staff.tutor_of": "Lists of staff by form",
    "staff.leaving_date": "Ends a leaver’s place on the day",
    "staff.telephones": "Reaches staff",
    "staff.emails": "Reaches staff",
}
"""Every field that a connector can supply, in the order shown."""
_WITHOUT = {
    "pupil.former_upn": "A replaced UPN is then found by admission number, date of birth and surname.",
    "link.court_order": "Take parental responsibility away there from a contact who may not see a pupil.",
    "link.parental_responsibility": "Choose under Who is imported who may see a pupil.",
    "link.priority": "Nobody is taken to be first.",
}
"""What follows where an MIS does not supply a field and leaving it empty is not all."""


@dataclass(frozen=True, slots=True)
class Row:
    """One field. `state`: yes, partly, withheld or no."""

    label: str
    use: str
    state: str
    why: str = ""

    @property
    def tone(self) -> str:
        return {"yes": "good", "partly": "good", "withheld": "warn", "no": "quiet"}[self.state]

    @property
    def word(self) -> str:
        return {"yes": "Yes", "partly": "Partly", "withheld": "Your school withholds it", "no": "No"}[self.state]


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of one kind of person."""

    name: str
    rows: tuple[Row, ...]

    @property
    def given(self) -> int:
        return sum(row.state in ("yes", "partly") for row in self.rows)

    @property
    def withheld(self) -> bool:
        return any(row.state == "withheld" for row in self.rows)


@dataclass(frozen=True, slots=True)
class Table:
    """All groups, and how much of it comes."""

    groups: tuple[Group, ...]
    given: int
    used: int
    withheld: int


def table(info: ConnectorInfo, *, lacking: frozenset[str] = frozenset()) -> Table:
    """Return what this MIS supplies of what the hub uses; `lacking` is what the school withholds at present."""
    rows = {field: _row(info, field, lacking) for field in USES}
    groups = [
        Group(name, tuple(row for field, row in rows.items() if field.partition(".")[0] == kind))
        for kind, name in KINDS.items()
    ]
    states = [row.state for row in rows.values()]
    return Table(tuple(groups), states.count("yes") + states.count("partly"), len(states), states.count("withheld"))


def withheld(link: MisLink) -> frozenset[str]:
    """Return what the last import that was read found withheld: one query."""
    read = Import.objects.filter(school_id=link.school_id, link=link, preview=False, counts__has_key="lacking")
    counts: dict[str, Any] | None = read.order_by("-created_at", "-id").values_list("counts", flat=True).first()
    return frozenset(counts["lacking"]) if counts else frozenset()


def label_of(field: str) -> str:
    """Return what an office calls a field such as `contact.emails`."""
    name = field.partition(".")[2]
    return _LABELS.get(name) or field_label(name)


def _row(info: ConnectorInfo, field: str, lacking: frozenset[str]) -> Row:
    label, use, partly = label_of(field), USES[field], info.partly.get(field, "")
    if field not in info.supplies:
        return Row(label, use, "no", _WITHOUT.get(field, ""))
    if field in lacking:
        return Row(label, use, "withheld", f"Allow it again in {info.mis_name}; until then it stays as it was.")
    return Row(label, use, "partly" if partly else "yes", partly)
