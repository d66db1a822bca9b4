"""The schools a simulated MIS holds, what has happened to each, and the fault it is told to have."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mis_connectors.simulators import school as schools
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.school import School

T = TypeVar("T")


@dataclass(slots=True)
class Hosted:
    """One school, and what is wrong with it."""

    school: School
    told: dict[str, Any] = field(default_factory=dict)
    """The state it was made of, with all that has happened since: made of it again, it is the same."""
    fault: Fault | None = None
    seconds: float = 1.0
    """How slow is slow, and what `Retry-After` says."""
    times: int | None = None
    """So many requests the fault is still there for; None: until it is ended."""
    requests: int = 0
    revision: int = 0
    """How often somebody said that the school is not what it was."""
    added: set[int] = field(default_factory=set)
    """Pupils who were added between two pages."""
    _seen: School | None = None
    """The school as its fault shows it, made once."""

    def takes_fault(self) -> Fault | None:
        """Count a request, and return the fault it meets."""
        self.requests += 1
        if self.times is not None:
            if self.times <= 0:
                self.set(None)
            else:
                self.times -= 1
        return self.fault

    def set(self, fault: Fault | None, *, seconds: float = 1.0, times: int | None = None) -> None:
        self.fault, self.seconds, self.times, self._seen = fault, seconds, times, None
        if fault is Fault.ADDED_BETWEEN_PAGES:
            self.added = set()

    def changed(self) -> None:
        """Say that the school is not what it was."""
        self.revision += 1
        self._seen = None

    def people(self) -> School:
        """Return the school as it is seen tonight: half of it, or with two records merged, under those faults."""
        if self.fault not in (Fault.HALF, Fault.MERGED):
            return self.school
        if self._seen is None:
            self._seen = copy.deepcopy(self.school)
            if self.fault is Fault.HALF:
                self._seen.drop_half()
            elif pair := two_of_one(self._seen):
                self._seen.merge_contacts(gone_id=pair[1], kept_id=pair[0])
        return self._seen

    def page(self, items: Sequence[T], start: int, count: int) -> list[T]:
        """Return `count` items from `start`, with what goes wrong between pages; sorted as a MIS would not."""
        if start and self.fault is Fault.DUPLICATE_PAGE:
            start = max(0, start - count)
        ordered = sorted(items, key=lambda item: getattr(item, "id", None) not in self.added) if self.added else items
        return list(ordered[start : start + count])

    def between_pages(self, start: int) -> None:
        """Add a pupil before any but the first page, once; call it before the list is made."""
        if start and self.fault is Fault.ADDED_BETWEEN_PAGES and not self.added:
            self.added.add(self.school.add_pupil().id)
            self.told.setdefault("edits", []).append(["add_pupil"])
            self.changed()


def two_of_one(people: School) -> tuple[int, int] | None:
    """Return the records of one contact who has two: title, names and home agree."""
    seen: dict[tuple[str | None, ...], int] = {}
    for contact in people.contacts.values():
        key = (contact.title, contact.forename, contact.surname, contact.address, contact.postcode)
        if key in seen:
            return seen[key], contact.id
        seen[key] = contact.id
    return None


class Simulation:
    """Every school of one simulated MIS, by DfE number.

    Made from states as `school.of_state` takes them, with `fault`, `seconds` and `times` beside.
    """

    def __init__(self, states: Iterable[dict[str, Any]] = ()) -> None:
        self.schools: dict[str, Hosted] = {}
        for state in states:
            self.add(state)

    def add(self, state: dict[str, Any]) -> Hosted:
        """Take a school in; raises ValueError for a fault that is unknown."""
        hosted = Hosted(schools.of_state(state), {**state, "edits": list(state.get("edits", []))})
        self.schools[hosted.school.dfe_number] = hosted
        if fault := state.get("fault"):
            hosted.set(Fault(fault), seconds=float(state.get("seconds", 1.0)), times=state.get("times"))
        return hosted

    def only(self) -> Hosted | None:
        """Return the school, where there is but one."""
        return next(iter(self.schools.values())) if len(self.schools) == 1 else None

    def set_fault(
        self, fault: str | None = None, school: str | None = None, seconds: float = 1.0, times: int | None = None
    ) -> None:
        """Switch a fault on, or off with None, for a school or for all; raises KeyError and ValueError."""
        chosen = Fault(fault) if fault else None
        for hosted in self._of(school):
            hosted.set(chosen, seconds=seconds, times=times)

    def edit(self, edits: list[list[Any]], school: str | None = None) -> None:
        """Make edits of `school.EDITS`; raises KeyError and TypeError."""
        for hosted in self._of(school):
            for name, *arguments in edits:
                schools.EDITS[name](hosted.school, *arguments)
                hosted.told.setdefault("edits", []).append([name, *arguments])
            hosted.changed()

    def night(self, school: str | None = None) -> None:
        """Let a night pass."""
        for hosted in self._of(school):
            self.edit([["night", _nights(hosted) + 1]], hosted.school.dfe_number)

    def told(self) -> list[dict[str, Any]]:
        """Return the states that make these schools again as they are now, without their faults."""
        faults = ("fault", "seconds", "times")
        return [
            {name: value for name, value in hosted.told.items() if name not in faults}
            for hosted in self.schools.values()
        ]

    def state(self) -> dict[str, Any]:
        """Return what can be known of each school without its people."""
        return {"schools": [self._state(hosted) for hosted in self.schools.values()], "faults": [*Fault]}

    def _of(self, school: str | None) -> list[Hosted]:
        return [self.schools[school]] if school else list(self.schools.values())

    @staticmethod
    def _state(hosted: Hosted) -> dict[str, Any]:
        return {
            "dfe_number": hosted.school.dfe_number,
            "name": hosted.school.name,
            "fault": hosted.fault,
            "nights": _nights(hosted),
            "requests": hosted.requests,
            "pupils": len(hosted.school.pupils),
            "contacts": len(hosted.school.contacts),
            "staff": len(hosted.school.staff),
        }


def _nights(hosted: Hosted) -> int:
    """Return how many nights have passed."""
    since = [edit for edit in hosted.told.get("edits", []) if edit[0] == "night"]
    return int(hosted.told.get("night", 0)) + len(since)
