"""Planning contacts: many records may be one person, and each brings links. Pure."""

from __future__ import annotations

from collections import defaultdict

from imports.planning.details import Details, Said
from imports.planning.drafting import Draft, pupil_keys
from imports.planning.links import Links
from imports.planning.people import People, shown
from imports.types import CONTACT, PUPIL, WAITING, Action, Facts, Identity, NewIdentity, Problem, Why


class Contacts:
    """Adds and updates contacts, with their links and details."""

    def __init__(self, draft: Draft, people: People, links: Links, details: Details) -> None:
        self._draft, self._people, self._links, self._details = draft, people, links, details

    def records(self, facts: list[Facts]) -> None:
        """Plan every contact's records, person by person."""
        draft = self._draft
        groups: dict[int, list[Facts]] = defaultdict(list)
        for fact in facts:
            identity = draft.state.identities.get(fact.key)
            if identity is None and not self._is_recipient(fact):
                draft.plan.passed[fact.key[:2]] = self._digest(fact)
                continue
            person_id = identity.person_id if identity else self._find(fact)
            groups[person_id].append(fact)
        for person_id, records in groups.items():
            if person_id < 0:
                self._add(person_id, records)
            else:
                self._known(person_id, records)

    def _is_recipient(self, fact: Facts) -> bool:
        """Say whether a new record's links admit it, to at least one pupil who is here."""
        return any(
            link.values["access"] and (PUPIL, link.pupil_external_id, 0) in self._draft.person_of for link in fact.links
        )

    def _find(self, fact: Facts) -> int:
        draft = self._draft
        pupil_ids = {draft.person_of[key] for key in pupil_keys(fact) if key in draft.person_of}
        same, doubtful = draft.matcher.contact(fact, pupil_ids)
        if same is not None:
            return draft.united.get(same, same)
        if doubtful is not None:
            draft.plan.problems.append(_possible_duplicate(fact))
            draft.plan.stats[CONTACT].doubles += draft.matcher.is_vacant(CONTACT, doubtful)
        person_id = draft.new_id()
        draft.matcher.add_contact(person_id, fact, pupil_ids)
        return person_id

    def _digest(self, fact: Facts) -> bytes:
        """Return the digest to remember, marked while a link leads to a pupil who is not here."""
        is_waiting = any(key not in self._draft.person_of for key in pupil_keys(fact))
        return WAITING + fact.digest if is_waiting else fact.digest

    def _add(self, person_id: int, records: list[Facts]) -> None:
        draft = self._draft
        first = records[0]
        draft.plan.inserts[CONTACT].append((person_id, first.values))
        after = shown(first.values)
        after |= self._details.first((CONTACT, person_id), *_said(records))
        self._links.of_new(person_id, records)
        after["pupils"] = [link.values["relationship"] for link in first.links]
        for fact in records:
            draft.plan.new_identities.append(
                NewIdentity(fact.key, person_id, self._digest(fact), fact.emails, fact.mobiles)
            )
            draft.person_of[fact.key] = person_id
        draft.change(Action.ADDED, CONTACT, person_id, (CONTACT, person_id), {}, after, Why.NEW, first.label)
        draft.plan.stats[CONTACT].added += 1

    def _known(self, person_id: int, records: list[Facts]) -> None:
        draft = self._draft
        identities = draft.state.identities
        records.sort(key=lambda fact: known.id if (known := identities.get(fact.key)) else 1 << 62)
        owner = (CONTACT, person_id)
        unheard = draft.unheard(owner, records)
        is_settled = not unheard and not self._links.undecided(person_id, records)
        back = False
        for fact in records:
            identity = identities.get(fact.key)
            if identity:
                back |= identity.gone
                draft.seen(identity, fact, self._digest(fact) if is_settled else b"")
            else:
                self._people.adopt(fact, person_id, self._digest(fact))
            draft.person_of[fact.key] = person_id
        changed = False
        if self._speaks_first(records[0], unheard):
            changed |= self._people.update(records[0], person_id, back=back)
        changed |= self._links.of_known(person_id, records, all_heard=not unheard)
        changed |= self._details.of_known(owner, *_said(self._heard(records, unheard)), records[0].label)
        draft.count_update(owner, changed)

    def _speaks_first(self, fact: Facts, unheard: list[Identity]) -> bool:
        """Say whether no older record of the person stands in the snapshot unread."""
        known = self._draft.state.identities.get(fact.key)
        return not unheard or (known is not None and known.id < min(other.id for other in unheard))

    def _heard(self, records: list[Facts], unheard: list[Identity]) -> list[Facts | Identity]:
        """Return all that speak for a contact: the oldest identity first, those not read as they last were."""
        identities = self._draft.state.identities
        known = [fact for fact in records if fact.key in identities]
        new = [fact for fact in records if fact.key not in identities]
        ordered: list[Facts | Identity] = [*known, *unheard]
        return sorted(ordered, key=lambda record: identities[record.key].id) + new


def _said(records: list[Facts] | list[Facts | Identity]) -> tuple[Said, Said]:
    """Return emails and mobiles by the rule: record after record, each in its own order."""
    return (
        tuple(email for record in records for email in record.emails),
        tuple(mobile for record in records for mobile in record.mobiles),
    )


def _possible_duplicate(fact: Facts) -> Problem:
    return Problem(
        severity="warning", kind=CONTACT, external_id=fact.key[1], label=fact.label, file="", row=None,
        field="name", value=fact.label, reason="possible_duplicate",
        message="A parent of the same name belongs to the same family already, with another email and mobile.",
        advice="If the two are one person, merge them in the MIS. If they are two, nothing needs doing.",
    )  # fmt: skip
