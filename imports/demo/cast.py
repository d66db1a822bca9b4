"""The parents of the demo's story: one for every state a parent can be in, each of another name.

Chosen from the simulated MIS as it was made, so the same ones every time; nothing is written here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mis_connectors.simulators import school as simulated
from mis_connectors.simulators.model import Contact, Link

EVERYWHERE = (
    "kept", "taken", "both_schools", "email_only", "invited", "lapsed", "asked_today", "asked_long_ago", "to_copy",
)  # fmt: skip
"""Who is at either school."""
ONCE = (
    "invited_by_text", "letter", "waiting", "updated", "rejected", "expired", "withdrawn", "frozen", "done", "differs",
    "not_my_child", "two_records", "merged", "leaver",
)  # fmt: skip
"""Who is at the first school only."""
OF_TWO_RECORDS = ("two_records", "merged")
"""Who has a second record in the MIS, for another child."""
OF_SEVERAL = (*OF_TWO_RECORDS, "not_my_child")
"""Who has more than one child at the school."""
Edit = list[Any]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays what, by record of the MIS, and what the MIS must say for it before the first night."""

    records: dict[str, int]
    edits: list[Edit] = field(default_factory=list)


def chosen(found: simulated.School, *, all_of_it: bool) -> Cast:
    """Return the cast among the people of a school as it was made, `all_of_it` or only who is at either school."""
    parents = alone(found)
    records = {"offered": _without_mobile(found)} if all_of_it else {}
    mother, father = _couple(found)
    couple = {"shares": mother, "shares_too": father} if all_of_it else {}
    families = {_surname(found, mother)} if couple else set()
    links = _links(found)
    free = list(of_other_names(one for one in parents if one.surname not in families))
    for part in (*EVERYWHERE, *ONCE) if all_of_it else EVERYWHERE:
        wanted = next(one for one in free if len(links[one.id]) > 1 or part not in OF_SEVERAL)
        records[part] = wanted.id
        free.remove(wanted)
    return Cast(records | couple, _edits(found, records | couple))


def _edits(found: simulated.School, records: dict[str, int]) -> list[Edit]:
    """What makes the cast what it is: one person at two schools, one email of two parents, two records of one."""
    edits: list[Edit] = [
        ["rename_contact", records["both_schools"], "Ms", "Adaeze", "Nwosu"],
        [
            "change_email",
            records["both_schools"],
            "adaeze@example.org" if "shares" in records else "adaeze.n@example.org",
        ],
    ]
    if "shares" in records:
        together = f"family.{_surname(found, records['shares']).lower()}@example.org"
        edits += [["change_email", records[part], together] for part in ("shares", "shares_too")]
    for number, part in enumerate(OF_TWO_RECORDS):
        if part in records:
            pupil = _links(found)[records[part]][0].pupil_id
            edits.append(
                ["record_again", records[part], pupil, f"07700 90098{number}", f"{part.replace('_', '.')}@example.org"]
            )
    return edits


def alone(found: simulated.School) -> list[Contact]:
    """Parents with an email and a mobile of their own and a name that nobody else has, with a child on roll."""
    names = Counter((one.forename, one.surname) for one in found.contacts.values())
    return [
        one
        for one in found.reachable_parents()
        if one.forename and one.surname.isascii() and one.surname.isalpha() and names[(one.forename, one.surname)] == 1
    ]


def of_other_names(parents: Iterable[Contact]) -> Iterator[Contact]:
    """Those of them whose forename and surname no earlier one has."""
    seen: set[str] = set()
    for one in parents:
        if one.forename not in seen and one.surname not in seen:
            seen |= {one.forename or "", one.surname}
            yield one


def _couple(found: simulated.School) -> tuple[int, int]:
    """Return two parents of one child, each with a mobile."""
    reachable = {one.id for one in alone(found)}
    for pupil in reversed(found.on_roll()):
        both = [link.contact_id for link in found.links[pupil.id] if link.contact_id in reachable]
        if len(both) > 1:
            return both[0], both[1]
    raise LookupError("This school has no two parents of one child who can both be reached.")


def _without_mobile(found: simulated.School) -> int:
    """Return a parent with an email and no telephone at all."""
    on_roll = {link.contact_id for pupil in found.on_roll() for link in found.links[pupil.id] if link.responsibility}
    return next(
        one.id
        for one in found.contacts.values()
        if one.id in on_roll and one.forename and one.emails and not one.telephones
    )


def _surname(found: simulated.School, record: int) -> str:
    return found.contacts[record].surname


def _links(found: simulated.School) -> dict[int, list[Link]]:
    links: dict[int, list[Link]] = {}
    for pupil in found.on_roll():
        for link in found.links[pupil.id]:
            links.setdefault(link.contact_id, []).append(link)
    return links
