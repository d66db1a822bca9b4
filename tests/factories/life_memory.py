"""Deeds in memory: the oracle says what is in use, and the engine's own plans are made over it."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from imports.types import CONTACT, Detail, Key, Owner
from tests.factories.desk import MIS, Desk, Record
from tests.factories.life import Life
from tests.factories.planning import Hub


@dataclass
class InMemory:
    """See `tests.factories.life.Deeds`. What only moves values is the oracle's to do: `done` writes it down."""

    desk: Desk = field(default_factory=Desk)
    hubs: tuple[Hub, Hub] = field(default_factory=lambda: (Hub(), Hub()))
    moved: dict[tuple[int, int], tuple[set[Key], dict[tuple[int, int], Any], set[tuple[int, int]]]] = field(
        default_factory=dict
    )

    def hub(self, place: int) -> Hub:
        return self.hubs[place]

    def name(self, record: Record) -> tuple[str, str, str]:
        kind, pk = record[1]
        person = self.hubs[record[0]].people[kind][pk]
        return person.get("title", ""), person["forename"], person["surname"]

    def merge(self, login: int, place: int, kept: Owner, gone: Owner) -> None:
        """Every record and link of the one is the other's, and all are read again."""
        hub = self.hubs[place]
        moved = {key for key, known in hub.identities.items() if (key[0], known.person_id) == gone}
        links = {pair: values for pair, values in hub.links.items() if pair[1] == gone[1]}
        made: set[tuple[int, int]] = set()
        for key in moved:
            hub.identities[key] = replace(hub.identities[key], person_id=kept[1])
        self._read_again(hub, kept)
        for pair, values in links.items():
            del hub.links[pair]
            if (pair[0], kept[1]) not in hub.links:
                hub.links[(pair[0], kept[1])] = {**values, "id": hub.new_id(), "contact_id": kept[1]}
                made.add((pair[0], kept[1]))
        self.moved[(place, gone[1])] = (moved, links, made)

    def undo_merge(self, place: int, kept: Owner, gone: Owner) -> None:
        hub = self.hubs[place]
        moved, links, made = self.moved.pop((place, gone[1]))
        for key in moved:
            hub.identities[key] = replace(hub.identities[key], person_id=gone[1])
        for pair in made:
            hub.links.pop(pair, None)
        hub.links |= links
        self._read_again(hub, kept, found_out=True)
        self._read_again(hub, gone, found_out=True)

    @staticmethod
    def _read_again(hub: Hub, owner: Owner, *, found_out: bool = False) -> None:
        """Have a person's records heard by the next night; `found_out`: also whether they are gone."""
        for key, known in hub.identities.items():
            if (key[0], known.person_id) == owner and key[0] == CONTACT:
                hub.identities[key] = replace(known, digest=b"", gone=known.gone and not found_out)

    def done(self, desk: Desk) -> None:
        for place, hub in enumerate(self.hubs):
            hub.connected = {owner for at, owner in desk.logins if at == place}
        for (place, owner, kind), held in desk.values.items():
            hub = self.hubs[place]
            known = hub.details.get((owner, kind))
            if (held.value, held.source) == ((known.value, known.source) if known else ("", MIS)):
                continue
            known = known or Detail(hub.new_id(), "", "", held.source)
            hub.details[(owner, kind)] = replace(known, value=held.value, source=held.source)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a copy asks how it is made
            raise AttributeError(name)
        return _nothing


def _nothing(*_args: Any, **_how: Any) -> None:
    """A deed of which the hub in memory has nothing to say."""


@cache
def _begun() -> bytes:
    return pickle.dumps(Life(InMemory()))


def a_life() -> Life:
    """Return a life in memory that has begun: a copy, because its first nights are the same each time."""
    life: Life = pickle.loads(_begun())
    return life
