"""The files of the benchmark: one generated school, exported by its MIS on several nights."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from mis_connectors.simulators import details, school, sims_xml
from mis_connectors.simulators.school import School

SEED = 1


@dataclass(frozen=True, slots=True)
class Export:
    """What the MIS wrote on one night, and the agent's zip of it."""

    reports: dict[str, bytes]
    bundle: bytes


@dataclass(frozen=True, slots=True)
class Nights:
    """The same school on its first night, exported anew with nobody changed, and with 1 % of its people changed."""

    first: Export
    nobody: Export
    some: Export
    pupils: int
    contacts: int
    staff: int
    links: int
    changed: int


def nights(*, pupils: int, dfe_number: str) -> Nights:
    """Return the nights of a school under a DfE number; its people are the same whatever the number."""
    made = school.generate(seed=SEED, size=pupils)
    made.dfe_number = dfe_number
    first = _export(made, "first")
    nobody = _export(_in_another_order(made), "nobody")
    changed = _change_some(made)
    return Nights(
        first=first,
        nobody=nobody,
        some=_export(made, "some"),
        pupils=len(made.pupils),
        contacts=len(made.contacts),
        staff=len(made.staff),
        links=sum(1 for _ in made.all_links()),
        changed=changed,
    )


def _export(made: School, run_id: str) -> Export:
    reports = sims_xml.reports(made)
    started_at = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
    return Export(reports, sims_xml.zipped(reports, run_id=run_id, started_at=started_at))


def _in_another_order(made: School) -> School:
    """Return the school with its families and staff in reverse: every file differs and nobody's record does.

    Within a family the order stays, for the rows of one contact are one record.
    """
    other = School(made.dfe_number, made.name, made.phase, made.seed, made.size, made.today)
    families = list(_families(made))
    other.pupils = {pupil_id: made.pupils[pupil_id] for family in reversed(families) for pupil_id in family}
    other.contacts, other.links = made.contacts, made.links
    other.staff = {staff_id: made.staff[staff_id] for staff_id in reversed(made.staff)}
    return other


def _families(made: School) -> Iterator[list[int]]:
    """Yield pupils in groups that share no contact with another group, each in the school's order."""
    root: dict[int, int] = {}

    def find(one: int) -> int:
        while (above := root.setdefault(one, one)) != one:
            one = above
        return one

    for pupil_id, links in made.links.items():
        for link in links:
            root[find(link.contact_id)] = find(pupil_id)
    groups: dict[int, list[int]] = {}
    for pupil_id in made.pupils:
        groups.setdefault(find(pupil_id), []).append(pupil_id)
    yield from groups.values()


def _change_some(made: School) -> int:
    """Change 1 % of the people: a mobile or an email of contacts, the group of pupils. Returns how many."""
    contacts = list(made.contacts)[::100]
    for number, contact_id in enumerate(contacts):
        if number % 2:
            made.change_email(contact_id, f"moved.{number}@example.org")
        else:
            made.change_mobile(contact_id, details.spaced(details.next_mobile(made)))
    pupils = [pupil.id for pupil in made.on_roll()][::100]
    for pupil_id in pupils:
        made.change_group(pupil_id, "9Z")
    return len(contacts) + len(pupils)
