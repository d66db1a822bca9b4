"""From raw records to canonical facts: the one place where what an MIS says is normalised and judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import fields
from typing import Any

from hub.people import details, identifiers
from imports.types import (
    CONTACT,
    FIELDS,
    LINK,
    LINK_FIELDS,
    PUPIL,
    STAFF,
    AccessRule,
    Facts,
    Key,
    LinkFacts,
    Problem,
    Reading,
)
from mis_connectors.records import (
    ContactRecord,
    LinkRecord,
    Opened,
    PupilRecord,
    Severity,
    Snapshot,
    SourceRecord,
    StaffRecord,
)

SCHEMA_VERSION = 1
"""Raised when the same record would be canonicalised differently; everything is then read again once."""

_JOINT_TITLE = re.compile(r"^(\w+)\.?\s*(?:&|and|/|\+)\s*(\w+)\.?$", re.IGNORECASE)
_JOINT_NAME = re.compile(r"\s*(?:&|\band\b|\+)\s*", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_MAX = {
    "address": 500,
    "middle_names": 200,
    "relationship": 60,
    "registration_group": 60,
    "house": 60,
    "class_name": 60,
}
_LENGTHS = {
    "upn": 13, "former_upn": 13, "admission_number": 20, "gender": 20, "year_group": 30, "postcode": 10,
    "language": 60, "title": 30, "code": 30, "tutor_of": 60, **_MAX,
}  # fmt: skip
_EVERYTHING = frozenset(
    f"{kind}.{name}"
    for kind, names in {
        **FIELDS,
        CONTACT: (*FIELDS[CONTACT], "emails", "telephones"),
        STAFF: (*FIELDS[STAFF], "emails", "telephones"),
        LINK: LINK_FIELDS[:-2],
    }.items()
    for name in names
)
"""Every field there is of a person or a link; the last two of a link are ours."""
_NOT_WORTH_A_WORD = frozenset({details.Reason.NOT_GIVEN, details.Reason.LANDLINE})


def canonical(
    snapshot: Snapshot,
    *,
    records: Iterable[SourceRecord],
    supplies: frozenset[str],
    rule: AccessRule,
    excluded: Set[tuple[str, str]] = frozenset(),
    doubted: bool = False,
) -> Reading:
    """Open `records`, those of the snapshot that are new or differ, and return what they say.

    A problem rejects a field or a record and is named; the rest goes on. What the snapshot lacks is as if it were not
    supplied. Where it is `doubted` who may see a pupil, because what says so is withheld, no new link gives access.
    """
    supplies -= snapshot.lacking
    reader = _Reader(supplies=supplies, rule=rule, doubted=doubted)
    for record in records:
        if (record.kind.value, record.external_id) not in excluded:
            reader.read(record)
    for record, problem in snapshot.orphans:
        reader.problems.append(_problem(record, "", problem))
    return Reading(
        facts=tuple(reader.facts),
        present=frozenset((record.kind.value, record.external_id) for record in snapshot.records),
        complete=frozenset(kind.value for kind in snapshot.complete),
        dfe_numbers=snapshot.dfe_numbers,
        unread=reader.unread,
        problems=tuple(reader.problems),
        opened=frozenset(reader.opened),
        notes=snapshot.notes,
        excluded=frozenset(excluded),
        unsaid=_EVERYTHING - supplies,
        rule=rule,
    )


class _Reader:
    """Collects what opening each record brings."""

    def __init__(self, *, supplies: frozenset[str], rule: AccessRule, doubted: bool) -> None:
        self.rule, self.doubted = rule, doubted
        self.supplied = {
            kind: tuple(name for name in names if f"{kind}.{name}" in supplies) for kind, names in FIELDS.items()
        }
        self.facts: list[Facts] = []
        self.problems: list[Problem] = []
        self.unread: dict[tuple[str, str], bytes] = {}
        self.opened: set[tuple[str, str]] = set()

    def read(self, source: SourceRecord) -> None:
        name = (source.kind.value, source.external_id)
        self.opened.add(name)
        opened = source.open()
        label = label_of(opened.record) if opened.record else source.external_id
        self.problems += [_problem(source, label, problem) for problem in opened.problems]
        found = self._facts(source, opened, label)
        if found:
            self.facts += found
        else:
            self.unread[name] = source.digest

    def _facts(self, source: SourceRecord, opened: Opened, label: str) -> list[Facts]:
        record = opened.record
        if record is None:
            return []
        if not (record.surname or record.forename):
            self._reject(source, label, "no_name", "", "", "This record has no name.", "Type the surname in the MIS.")
            return []
        if isinstance(record, PupilRecord):
            return self._pupil(source, record, label)
        if isinstance(record, ContactRecord):
            return self._contact(source, record, label)
        return self._staff(source, record, label)

    def _pupil(self, source: SourceRecord, record: PupilRecord, label: str) -> list[Facts]:
        if record.pre_admission and not self.rule.include_pre_admissions:
            return []
        values = self._values(PUPIL, record)
        values["upn"] = self._upn(source, label, "upn", record.upn)
        values["former_upn"] = self._upn(source, label, "former_upn", record.former_upn)
        return [Facts(_key(source), source.digest, self._only_supplied(PUPIL, values), label=label)]

    def _staff(self, source: SourceRecord, record: StaffRecord, label: str) -> list[Facts]:
        values = self._only_supplied(STAFF, self._values(STAFF, record))
        emails, mobiles = self._details(source, label, record)
        return [Facts(_key(source), source.digest, values, emails, mobiles, label=label)]

    def _contact(self, source: SourceRecord, record: ContactRecord, label: str) -> list[Facts]:
        emails, mobiles = self._details(source, label, record)
        links = tuple(self._link(link) for link in record.links if not link.applicant_only)
        return [
            Facts(
                _key(source, part), source.digest, self._only_supplied(CONTACT, values), emails, mobiles, links, label
            )
            for part, values in enumerate(split_joint(self._values(CONTACT, record)))
        ]

    def _link(self, link: LinkRecord) -> LinkFacts:
        values: dict[str, Any] = {
            "relationship": _text(link.relationship, 60),
            "priority": link.priority,
            "parental_responsibility": link.parental_responsibility,
            "court_order": link.court_order,
            "lives_with": link.lives_with,
            "correspondence": link.correspondence,
        }
        values["access"] = self.rule.admits(values) and not self.doubted
        values["ended_on"] = None
        return LinkFacts(link.pupil_external_id, values)

    def _details(
        self, source: SourceRecord, label: str, record: ContactRecord | StaffRecord
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        emails = self._judged(source, label, "email", record.emails, details.email)
        mobiles = self._judged(source, label, "telephone", record.telephones, details.mobile)
        return emails, mobiles

    def _judged(
        self, source: SourceRecord, label: str, field: str, raws: tuple[str, ...], judge: Any
    ) -> tuple[str, ...]:
        """Return the usable values in order; one that is neither usable nor plainly something else is named."""
        found: list[str] = []
        for raw in raws:
            judged = judge(raw)
            if judged.value:
                if judged.value not in found:
                    found.append(judged.value)
                if judged.reason is not None:
                    self._judged_problem(source, label, field, raw, judged.reason, Severity.WARNING)
            elif judged.reason not in _NOT_WORTH_A_WORD:
                self._judged_problem(source, label, field, raw, judged.reason, Severity.PART)
        return tuple(found)

    def _judged_problem(
        self, source: SourceRecord, label: str, field: str, raw: str, reason: details.Reason, severity: Severity
    ) -> None:
        self._reject(
            source, label, reason.value, field, raw, details.SENTENCES[reason], details.ADVICE[reason], severity
        )

    def _upn(self, source: SourceRecord, label: str, field: str, raw: str | None) -> str:
        if not raw:
            return ""
        judged = identifiers.upn(raw)
        if judged.problem:
            self._reject(
                source, label, "upn_not_valid", field, raw, judged.problem,
                "Check the UPN against the pupil's last school and correct it in the MIS.", Severity.PART,
            )  # fmt: skip
        return judged.value or ""

    def _reject(
        self, source: SourceRecord, label: str, reason: str, field: str, value: str, message: str, advice: str,
        severity: Severity = Severity.ROW,
    ) -> None:  # fmt: skip
        self.problems.append(
            Problem(
                severity=severity.value,
                kind=source.kind.value,
                external_id=source.external_id,
                label=label,
                file=source.file,
                row=source.row,
                field=field,
                value=value[:500],
                reason=reason,
                message=message,
                advice=advice,
            )
        )

    @staticmethod
    def _values(kind: str, record: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in FIELDS[kind]:
            value = getattr(record, name)
            if isinstance(value, str):
                limit = _LENGTHS.get(name, 100)
                if len(value) > limit or "  " in value or "\n" in value or "\x00" in value:
                    value = _text(value, limit)
            elif value is None and name not in _NULLABLE:
                value = ""
            values[name] = value
        return values

    def _only_supplied(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        supplied = self.supplied[kind]
        return values if len(supplied) == len(values) else {name: values[name] for name in supplied}


_NULLABLE = frozenset({"date_of_birth", "admission_date", "leaving_date", "pre_admission"})


def _text(value: str | None, limit: int) -> str:
    """Return text as stored: white space folded, no NUL, not longer than its column."""
    return _SPACES.sub(" ", (value or "").replace("\x00", "")).strip()[:limit]


def _key(source: SourceRecord, part: int = 0) -> Key:
    return (source.kind.value, source.external_id, part)


def label_of(record: PupilRecord | ContactRecord | StaffRecord) -> str:
    """Return a person's name as it is shown beside a problem."""
    return " ".join(part for part in (getattr(record, "title", None), record.forename, record.surname) if part)[:200]


def split_joint(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one contact, or two for a joint record such as "Mr & Mrs", "N & T".

    Both keep the record's surname, address, emails and mobiles. Source: RM Integris and SIMS hold
    couples as one contact; sister products split them (`docs/mis-assumptions.md`).
    """
    titles = _JOINT_TITLE.match(values["title"])
    names = _JOINT_NAME.split(values["forename"]) if values["forename"] else []
    if not titles and len(names) != 2:
        return [values]
    first, second = titles.groups() if titles else (values["title"], "")
    one, two = names if len(names) == 2 else (values["forename"], "")
    return [
        {**values, "title": first, "forename": one, "gender": ""},
        {**values, "title": second, "forename": two, "gender": ""},
    ]


def _problem(source: SourceRecord, label: str, problem: Any) -> Problem:
    taken = {field.name: getattr(problem, field.name) for field in fields(problem)}
    return Problem(
        **{**taken, "severity": problem.severity.value, "value": problem.value[:500]},
        kind=source.kind.value,
        external_id=source.external_id,
        label=label or source.external_id or "Nobody named",
        file=source.file,
        row=source.row,
    )
