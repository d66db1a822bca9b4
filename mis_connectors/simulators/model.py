"""What a simulated MIS holds of one school: people under ids that never change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Telephone:
    number: str
    location: str | None = "M"
    main: bool | None = True


@dataclass(slots=True)
class Email:
    address: str
    location: str | None = "H"
    main: bool | None = True


@dataclass(slots=True)
class Contact:
    id: int
    guid: str
    title: str | None
    forename: str | None
    surname: str
    gender: str | None
    address: str
    postcode: str
    language: str | None = None
    telephones: list[Telephone] = field(default_factory=list)
    emails: list[Email] = field(default_factory=list)


@dataclass(slots=True)
class Link:
    """A contact of a pupil; None = the MIS has nothing there."""

    pupil_id: int
    contact_id: int
    relationship: str | None
    priority: int | None
    responsibility: bool | None
    court_order: bool | None = False
    lives_with: bool | None = True
    correspondence: bool | None = True
    applicant: bool = False


@dataclass(slots=True)
class Pupil:
    id: int
    guid: str
    adno: str
    forename: str
    surname: str
    dob: dt.date
    gender: str
    year: int
    """0 Reception, -1 and -2 nursery, 1 to 13."""
    upn: str | None = None
    former_upn: str | None = None
    middle_names: str | None = None
    chosen_name: str | None = None
    legal_surname: str | None = None
    reg: str | None = None
    house: str | None = None
    class_name: str | None = None
    admission_date: dt.date | None = None
    leaving_date: dt.date | None = None
    pre_admission: bool | None = False


@dataclass(slots=True)
class Staff:
    id: int
    guid: str
    code: str
    title: str
    forename: str
    surname: str
    chosen_name: str | None = None
    role: str | None = None
    reg: str | None = None
    telephone: Telephone | None = None
    emails: list[Email] = field(default_factory=list)
    leaving_date: dt.date | None = None


@dataclass(slots=True)
class People:
    """One school as its MIS sees it tonight."""

    dfe_number: str
    name: str
    phase: str
    """`primary` or `secondary`."""
    seed: int
    size: int
    today: dt.date
    pupils: dict[int, Pupil] = field(default_factory=dict)
    contacts: dict[int, Contact] = field(default_factory=dict)
    links: dict[int, list[Link]] = field(default_factory=dict)
    """By pupil."""
    staff: dict[int, Staff] = field(default_factory=dict)
    next_id: int = 2000
    next_adno: int = 4000
    next_mobile: int = 0
    upn_serials: dict[int, int] = field(default_factory=dict)
    edits: int = 0

    def all_links(self) -> Iterator[Link]:
        for links in self.links.values():
            yield from links

    def on_roll(self) -> list[Pupil]:
        """Pupils who are neither leavers nor still to come."""
        return [pupil for pupil in self.pupils.values() if not pupil.leaving_date and not pupil.pre_admission]

    def years(self) -> range:
        return range(7) if self.phase == "primary" else range(7, 14)
