"""What an import did to a person, in words: fields, values, before and after, and why. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.people.details import display_mobile
from imports import moments
from imports.pages.presenting import listed

FIELDS: Mapping[str, str] = {
    "upn": "UPN",
    "former_upn": "Former UPN",
    "admission_number": "Admission number",
    "forename": "Forename",
    "surname": "Surname",
    "legal_forename": "Legal forename",
    "legal_surname": "Legal surname",
    "middle_names": "Middle names",
    "date_of_birth": "Date of birth",
    "gender": "Gender",
    "year_group": "Year group",
    "registration_group": "Registration group",
    "house": "House",
    "class_name": "Class",
    "admission_date": "Admission date",
    "leaving_date": "Leaving date",
    "pre_admission": "Pre-admission",
    "title": "Title",
    "address": "Address",
    "postcode": "Postcode",
    "language": "Language",
    "relationship": "Relationship",
    "priority": "Priority",
    "parental_responsibility": "Parental responsibility",
    "court_order": "Court order",
    "lives_with": "Lives with the pupil",
    "correspondence": "Gets correspondence",
    "access": "May see the pupil here",
    "ended_on": "Ended on",
    "code": "Staff code",
    "role": "Role",
    "tutor_of": "Tutor of",
    "email": "Email",
    "mobile": "Mobile",
    "record": "Record in the MIS",
}
_HIDDEN = {"id", "school_id", "pupil_id", "contact_id", "staff_id", "pupil", "contact", "staff", "kind", "digest"}
_INTERNAL = {"source", "source_id", "part", "mis_value", "changed_at", "changed_by", "changed_import", "pupils"}
NEW = {"pupil": "New pupil", "contact": "New parent", "staff": "New member of staff"}
PERSON = {"pupil": "pupil", "contact": "parent", "staff": "staff"}
ACTIONS = {
    "added": "Added",
    "updated": "Changed",
    "ended": "Ended",
    "returned": "Came back",
    "relinked": "MIS link moved",
    "kept": "Kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom a change is about. `about` says more in small type: `mother of Millie, Sam`."""

    kind: str
    id: int
    name: str
    about: str = ""
    pronoun: str = "them"
    connected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One stored operation with what its words need. `other` names the far end of a link."""

    action: str
    model: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: str = ""
    person: Person
    other: str = ""
    verified_at: dt.datetime | None = None
    value_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of "What changed"."""

    person: Person
    action: str
    what: str
    before: str = ""
    after: str = ""
    aside: str = ""
    why: str = ""
    kept: bool = False

    @property
    def removed(self) -> bool:
        return self.action == "ended"


def field_label(name: str) -> str:
    """Return a field as an office calls it."""
    return FIELDS.get(name, name.replace("_", " ").capitalize())


def value(name: str, raw: Any) -> str:
    """Return a stored value as one reads it; empty for no value."""
    if raw is None or raw == "" or raw == []:
        return ""
    if isinstance(raw, bool):
        return "Yes" if raw else "No"
    if isinstance(raw, list):
        return ", ".join(value(name, item) for item in raw)
    text = str(raw)
    if name == "mobile":
        return display_mobile(text)
    if name == "year_group" and text.isdecimal():
        return f"year {text}"
    if name.endswith(("_date", "_of_birth", "_on")):
        try:
            return moments.short_date(dt.date.fromisoformat(text[:10]))
        except ValueError:
            return text
    return text


def lines(change: Change, *, mis_name: str, now: dt.datetime) -> Iterator[Line]:
    """Yield the rows that tell of one change: one per field, or one for a whole person or link."""
    if change.model == "detail":
        yield _detail(change, mis_name=mis_name, now=now)
    elif change.model == "identity":
        yield Line(
            person=change.person,
            action=change.action,
            what=f"Record in {mis_name}",
            before=value("record", change.before.get("record")),
            after=value("record", change.after.get("record")),
            why=because(change, mis_name=mis_name, now=now),
        )
    elif change.action in ("added", "ended", "returned"):
        yield _whole(change, mis_name=mis_name, now=now)
    else:
        for name in _changed_fields(change.before, change.after):
            yield Line(
                person=change.person,
                action=change.action,
                what=_of_link(field_label(name), change),
                before=value(name, change.before.get(name)),
                after=value(name, change.after.get(name)) or "empty",
                why=because(change, mis_name=mis_name, now=now),
            )


def because(change: Change, *, mis_name: str, now: dt.datetime) -> str:
    """Return why: `Changed in SIMS, not connected yet`, `verified by her on 3 Nov`."""
    if change.action == "kept":
        return _kept_because(change, mis_name=mis_name, now=now)
    sentence = _WHY.get(change.why) or _BY_ACTION.get(change.action, "Changed in {mis}")
    return _begin(sentence.format(mis=mis_name))


def _begin(words: str) -> str:
    return words[:1].upper() + words[1:]


_BY_ACTION = {
    "added": "New in {mis}",
    "updated": "Changed in {mis}",
    "ended": "No longer in {mis}",
    "returned": "Back in {mis}",
    "relinked": "Another record in {mis} for the same person",
}
_WHY: Mapping[str, str] = {
    "new_in_mis": "New in {mis}",
    "changed_in_mis": "Changed in {mis}",
    "gone_from_mis": "No longer in {mis}",
    "left_in_mis": "Left, as {mis} says",
    "back_in_mis": "Back in {mis}",
    "not_connected": "Changed in {mis}, not connected yet",
    "mis_over_office": "Changed in {mis} after the office's edit",
    "mis_agrees": "{mis} now says the same",
    "same_person": "Another record in {mis} for the same person",
    "access_lost": "Access withdrawn in {mis}: effective at once",
    "kept_connected": "verified here; {mis} says something else",
    "offer": "offered: nothing fills a connected person's empty field",
}
"""The words for `imports.types.Why`; what is kept is told by who verified it."""


def _kept_because(change: Change, *, mis_name: str, now: dt.datetime) -> str:
    if change.why == "mis_agrees":
        said = "now says the same" if change.after.get("mis_value") else "has none any more"
        return _begin(f"{mis_name} {said}")
    if change.why == "offer":
        return "an offer: nothing fills a connected person's empty field"
    if change.verified_at is not None:
        return f"verified by {change.person.pronoun} on {_short(change.verified_at, now=now)}"
    if change.value_by:
        return f"set by {change.value_by}"
    return "connected: only the person or the office changes it"


def _short(moment: dt.datetime, *, now: dt.datetime) -> str:
    here = moments.local(moment)
    year = "" if here.year == moments.local(now).year else f" {here.year}"
    return f"{here.day} {here:%b}{year}"


def _detail(change: Change, *, mis_name: str, now: dt.datetime) -> Line:
    kind = str(change.after.get("kind") or change.before.get("kind") or "email")
    before, after = value(kind, change.before.get("value")), value(kind, change.after.get("value"))
    why = because(change, mis_name=mis_name, now=now)
    if change.action != "kept":
        return Line(
            person=change.person,
            action=change.action,
            what=field_label(kind),
            before=before,
            after=after or "empty",
            why=why,
        )
    agrees = change.why == "mis_agrees"
    return Line(
        person=change.person,
        action="kept",
        what=field_label(kind),
        after=before or "empty",
        aside="" if agrees else _mis_says(kind, change.after.get("mis_value"), mis_name, offered=not before),
        why=why,
        kept=not agrees,
    )


def _mis_says(kind: str, said: Any, mis_name: str, *, offered: bool) -> str:
    words = value(kind, said)
    if not words:
        return _begin(f"{mis_name} has none")
    return _begin(f"{mis_name} {'offers' if offered else 'says'} {words}")


def _whole(change: Change, *, mis_name: str, now: dt.datetime) -> Line:
    what, before, after = _whole_words(change)
    return Line(
        person=change.person,
        action=change.action,
        what=what,
        before=before,
        after=after,
        why=because(change, mis_name=mis_name, now=now),
    )


def _whole_words(change: Change) -> tuple[str, str, str]:
    is_link = change.model == "link"
    kind = {"pupil": "Pupil", "contact": "Parent", "staff": "Member of staff"}.get(change.model, "Record")
    other = change.other or "a pupil"
    if change.action == "added":
        summary = _summary(change.after)
        return (f"Parent of {other}" if is_link else NEW.get(change.model, "New record"), "", summary or "added")
    if change.action == "returned":
        return (f"Parent of {other}" if is_link else kind, _ending(change.before), "came back")
    if is_link:
        return f"Parent of {other}", str(change.before.get("relationship") or "linked"), "link ended"
    left = value("leaving_date", change.after.get("leaving_date"))
    return kind, "at the school", f"left {left}" if left else "ended"


def _ending(before: Mapping[str, Any]) -> str:
    for name, word in (("leaving_date", "left"), ("ended_on", "ended")):
        if ended := value(name, before.get(name)):
            return f"{word} {ended}"
    return "ended"


_SUMMED_UP = ("relationship", "registration_group", "year_group", "role", "tutor_of", "mobile", "email")


def _summary(after: Mapping[str, Any]) -> str:
    parts = [value(name, after.get(name)) for name in _SUMMED_UP]
    if joined := value("admission_date", after.get("admission_date")):
        parts.append(f"joined {joined}")
    if after.get("access") is False:
        parts.append("does not see the pupil here")
    return ", ".join(part for part in parts if part)


def _of_link(label: str, change: Change) -> str:
    return f"{label} for {change.other}" if change.model == "link" and change.other else label


def _changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    names = [name for name in after if name not in _HIDDEN | _INTERNAL and before.get(name) != after.get(name)]
    order = list(FIELDS)
    return sorted(names, key=lambda name: order.index(name) if name in FIELDS else len(order))


def family(links: Sequence[tuple[str, str]]) -> str:
    """Return `mother of Millie, Sam` from (relationship, forename) pairs; by relationship, in order."""
    groups: dict[str, list[str]] = {}
    for relationship, forename in links:
        groups.setdefault((relationship or "contact").lower(), []).append(forename)
    return "; ".join(f"{word} of {', '.join(names)}" for word, names in groups.items())


def pronoun(gender: str) -> str:
    """Return `her`, `him`, or `them` where the MIS does not say."""
    return {"f": "her", "m": "him"}.get(gender[:1].lower(), "them")


_GOING = {"leaving_date": "at the school", "ended_on": "linked"}


def would_line(row: Mapping[str, Any], *, mis_name: str) -> Line:
    """Return a row of `Import.would` (`imports.planning.counting.rows_of`), or of what an undo left, as it is shown."""
    action, kind = str(row.get("action", "")), str(row.get("kind", ""))
    name, code = str(row.get("field", "")), str(row.get("why", ""))
    person = Person(
        kind=kind, id=int(row.get("person_id") or 0), name=str(row.get("person", "")), about=PERSON.get(kind, kind)
    )
    why = _WHY[code].format(mis=mis_name) if code in _WHY else code
    before, after = value(name, row.get("before")), value(name, row.get("after"))
    if action == "kept":
        kept = code != "mis_agrees"
        aside = _mis_says(name, row.get("after"), mis_name, offered=not before) if kept else ""
        return Line(
            person=person,
            action=action,
            what=field_label(name),
            after=before or "empty",
            aside=aside,
            why=why,
            kept=kept,
        )
    if action == "ended" and name in _GOING:
        what = {"pupil": "Pupil", "contact": "Parent", "staff": "Member of staff"}.get(kind, "Record")
        return Line(person=person, action=action, what=what, before=_GOING[name], after="would go", why=why)
    if not name:
        new = action == "added"
        return Line(
            person=person,
            action=action,
            what=NEW.get(kind, "New record") if new else ACTIONS.get(action, action),
            after="would be added" if new else after,
            why=why,
        )
    return Line(person=person, action=action, what=field_label(name), before=before, after=after or "empty", why=why)


def names_of(parts: Sequence[str], *, limit: int = 3) -> str:
    """Return `a, b and 5 more`."""
    if len(parts) <= limit:
        return listed(parts)
    return f"{', '.join(parts[:limit])} and {len(parts) - limit} more"
