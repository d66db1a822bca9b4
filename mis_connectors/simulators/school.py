"""A seeded school: the same seed, size and night always give the same people.

`generate` makes it, `night` lets a night pass, the edits change one thing on purpose, and `of_state`
does all of it from a small file. Assumptions are in `README.md`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from mis_connectors.simulators import details, names
from mis_connectors.simulators.families import Families, group_name, named_alike
from mis_connectors.simulators.model import Contact, Email, Link, People, Pupil, Staff, Telephone

_PLAIN_MOBILE = re.compile(r"07700 ?900\d{3}")
_PLAIN_EMAIL = re.compile(r"[a-z0-9.-]+@example\.org")
FIRST_DAY = dt.date(2026, 11, 22)


class School(People):
    """One school, with the things that happen to it."""

    __slots__ = ()

    def _families(self, what: str) -> Families:
        self.edits += 1
        return Families(details.chance(self.seed, what, self.edits), self)

    def change_mobile(self, contact_id: int, number: str) -> None:
        """The MIS now has this mobile, and no other, for a contact."""
        contact = self.contacts[contact_id]
        kept = [telephone for telephone in contact.telephones if telephone.number.startswith("01")]
        contact.telephones = [Telephone(number), *(Telephone(old.number, old.location, False) for old in kept)]

    def change_email(self, contact_id: int, address: str) -> None:
        """The MIS now has this email, and no other, for a contact."""
        self.contacts[contact_id].emails = [Email(address)]

    def rename_contact(self, contact_id: int, title: str, forename: str, surname: str) -> None:
        contact = self.contacts[contact_id]
        contact.title, contact.forename, contact.surname = title, forename, surname

    def record_again(self, contact_id: int, pupil_id: int, number: str, address: str) -> Contact:
        """A parent has a second record: for one child, with another mobile and email; returns it."""
        families, known = self._families("again"), self.contacts[contact_id]
        again = replace(known, id=families.new_id(), guid=families.guid())
        again.telephones, again.emails = [Telephone(number)], [Email(address)]
        self.contacts[again.id] = again
        self.link_between(pupil_id, contact_id).contact_id = again.id
        return again

    def change_group(self, pupil_id: int, group: str) -> None:
        self.pupils[pupil_id].reg = group

    def set_court_order(self, pupil_id: int, contact_id: int) -> None:
        """From now on a court order stands between the two."""
        self.link_between(pupil_id, contact_id).court_order = True

    def withdraw_responsibility(self, pupil_id: int, contact_id: int) -> None:
        self.link_between(pupil_id, contact_id).responsibility = False

    def link_between(self, pupil_id: int, contact_id: int) -> Link:
        return next(link for link in self.links[pupil_id] if link.contact_id == contact_id)

    def drop_pupil(self, pupil_id: int) -> None:
        """A pupil vanishes without a date, with the contacts nobody else has."""
        del self.pupils[pupil_id]
        gone = {link.contact_id for link in self.links.pop(pupil_id)}
        for contact_id in gone - {link.contact_id for link in self.all_links()}:
            del self.contacts[contact_id]

    def leave(self, pupil_id: int, day: dt.date | str | None = None) -> None:
        """A pupil leaves in order: with a date (tonight's, or one as `2026-12-18`), and still in the report."""
        self.pupils[pupil_id].leaving_date = _day(day) or self.today

    def drop_contact(self, contact_id: int) -> None:
        """A contact is deleted."""
        del self.contacts[contact_id]
        for pupil_id, links in self.links.items():
            self.links[pupil_id] = [link for link in links if link.contact_id != contact_id]

    def merge_contacts(self, gone_id: int, kept_id: int) -> None:
        """Two records of one contact become one: the links of the first go to the second."""
        del self.contacts[gone_id]
        for links in self.links.values():
            for link in links:
                if link.contact_id == gone_id:
                    link.contact_id = kept_id

    def add_pupil(self, year: int | None = None) -> Pupil:
        """A pupil joins, with a family of its own; returns the pupil."""
        families = self._families("join")
        chosen = families.rng.choice(self.years()) if year is None else year
        (pupil,) = families.family([chosen])
        pupil.admission_date = self.today
        return pupil

    def drop_half(self) -> None:
        """Half of the pupils are missing from the reports, and of the staff too."""
        for pupil_id in list(self.pupils)[::2]:
            del self.pupils[pupil_id]
            del self.links[pupil_id]
        used = {link.contact_id for link in self.all_links()}
        self.contacts = {key: contact for key, contact in self.contacts.items() if key in used}
        for staff_id in list(self.staff)[::2]:
            del self.staff[staff_id]

    def staff_leave(self, staff_id: int, day: dt.date | str | None = None) -> None:
        self.staff[staff_id].leaving_date = _day(day) or self.today

    def roll_over(self) -> None:
        """Summer: everybody a year on, groups renamed, the top year gone, the new ones in."""
        first, last = self.years()[0], self.years()[-1]
        self.today = max(self.today, dt.date(self.today.year, 9, 1))
        families = self._families("summer")
        for pupil in self.pupils.values():
            if pupil.leaving_date:
                continue
            if pupil.pre_admission:
                pupil.pre_admission, pupil.year = False, first
                pupil.reg = pupil.class_name = families.group(first)
            elif pupil.year >= last:
                pupil.leaving_date = dt.date(self.today.year, 7, 21)
            else:
                letter = ord((pupil.reg or "A").rstrip("0123456789")[-1]) - ord("A")
                pupil.year += 1
                pupil.reg = group_name(pupil.year, letter)
                pupil.class_name = pupil.reg if self.phase == "primary" else pupil.class_name
        newcomers = sum(1 for pupil in self.pupils.values() if pupil.leaving_date == dt.date(self.today.year, 7, 21))
        for _ in range(newcomers - sum(pupil.year == first for pupil in self.on_roll())):
            families.family([first])
        add_pre_admissions(families)

    def reachable_parents(self) -> list[Contact]:
        """Contacts of pupils on roll who may be told things and have a plain mobile and email of their own."""
        everyone = [*self.contacts.values()]
        numbers = Counter(telephone.number for contact in everyone for telephone in contact.telephones)
        addresses = Counter(email.address for contact in everyone for email in contact.emails)
        wanted = {
            link.contact_id
            for pupil in self.on_roll()
            for link in self.links[pupil.id]
            if link.responsibility and not link.court_order and not link.applicant
        }
        return [
            contact
            for contact in everyone
            if contact.id in wanted
            and contact.telephones
            and contact.emails
            and contact.telephones[0].location == "M"
            and _PLAIN_MOBILE.fullmatch(contact.telephones[0].number)
            and _PLAIN_EMAIL.fullmatch(contact.emails[0].address)
            and numbers[contact.telephones[0].number] == addresses[contact.emails[0].address] == 1
        ]

    def forget_old_leavers(self) -> None:
        """Leavers stand in the reports for a year."""
        for pupil in list(self.pupils.values()):
            if pupil.leaving_date and pupil.leaving_date < self.today - dt.timedelta(days=365):
                self.drop_pupil(pupil.id)


def generate(
    *,
    seed: int = 1,
    size: int = 210,
    dfe_number: str = "8233001",
    name: str = "Larch Hill Primary",
    phase: str = "primary",
    today: dt.date = FIRST_DAY,
) -> School:
    """Return a school with `size` pupils on roll, and leavers and pre-admissions beside them."""
    school = School(dfe_number, name, phase, seed, size, today)
    families = Families(details.chance(seed, dfe_number, size), school)
    rng, years = families.rng, list(school.years())
    while len(school.pupils) < size:
        wanted = min(rng.choices((1, 2, 3, 4), (64, 28, 7, 1))[0], size - len(school.pupils))
        families.family(sorted(rng.choice(years) for _ in range(wanted)))
    named_alike(families)
    for _ in range(size // 33):
        (pupil,) = families.family([rng.choice(years)])
        pupil.leaving_date = today - dt.timedelta(days=rng.randrange(10, 360))
    add_pre_admissions(families)
    _add_staff(families)
    return school


def add_pre_admissions(families: Families) -> None:
    """Add the accepted applicants of next September: no group yet."""
    school = families.school
    first = school.years()[0]
    for _ in range(school.size // 40):
        (pupil,) = families.family([first - 1])
        pupil.pre_admission, pupil.reg, pupil.house, pupil.class_name = True, None, None, None
        year = school.today.year + (school.today.month >= 9)
        pupil.admission_date = dt.date(year, 9, 3)


def _add_staff(families: Families) -> None:
    school, rng = families.school, families.rng
    groups = sorted({pupil.reg for pupil in school.pupils.values() if pupil.reg})
    mothers = [contact for contact in school.contacts.values() if contact.gender == "Female" and contact.forename]
    for number in range(len(groups) + max(3, school.size // 30)):
        is_parent = number % 9 == 4 and bool(mothers)
        parent = rng.choice(mothers) if is_parent else None
        forename = parent.forename if parent and parent.forename else rng.choice(names.WOMEN + names.MEN)
        surname = parent.surname if parent else rng.choice(names.SURNAMES)
        tutor = number < len(groups)
        member = Staff(
            id=families.new_id(),
            guid=families.guid(),
            code=f"{forename[:1]}{surname[:2]}{number}".upper(),
            title=parent.title or "Ms" if parent else rng.choice(("Mr", "Mrs", "Ms", "Miss")),
            forename=forename,
            surname=surname,
            chosen_name=names.KNOWN_AS.get(forename) if rng.random() < 0.25 else None,
            role="Teacher" if tutor else names.ROLES[number % len(names.ROLES)],
            reg=groups[number] if tutor else None,
            telephone=Telephone(details.spaced(details.next_mobile(school)), "M") if rng.random() < 0.6 else None,
        )
        work = details.address_of(forename, surname, number).replace("@", f"@{school.dfe_number}.")
        member.emails = [Email(work, "W")]
        if parent and parent.emails and _PLAIN_EMAIL.fullmatch(parent.emails[0].address):
            member.emails.append(Email(parent.emails[0].address, "H", False))
        school.staff[member.id] = member


def night(school: School, number: int) -> None:
    """Let one night pass: a few details, groups, joiners and leavers; the summer when its day has come."""
    rng = details.chance(school.seed, "night", number)
    before = school.today
    school.today += dt.timedelta(days=1)
    for _ in range(_about(rng, len(school.contacts) * 0.0012)):
        school.change_mobile(rng.choice(list(school.contacts)), details.spaced(details.next_mobile(school)))
    for _ in range(_about(rng, len(school.contacts) * 0.0008)):
        contact = school.contacts[rng.choice(list(school.contacts))]
        address = details.address_of(contact.forename or "family", contact.surname, 10_000 + number)
        school.change_email(contact.id, address)
    for _ in range(_about(rng, len(school.pupils) * 0.0008)):
        pupil = rng.choice(school.on_roll())
        school.change_group(pupil.id, group_name(pupil.year, rng.randrange(3)))
    for _ in range(_about(rng, len(school.pupils) * 0.0005)):
        school.add_pupil()
    for _ in range(_about(rng, len(school.pupils) * 0.0005)):
        pupil = rng.choice(school.on_roll())
        school.leave(pupil.id) if rng.random() < 0.6 else school.drop_pupil(pupil.id)
    school.forget_old_leavers()
    if before.month == 8 and school.today.month == 9:
        school.roll_over()


def _day(day: dt.date | str | None) -> dt.date | None:
    return dt.date.fromisoformat(day) if isinstance(day, str) else day


def _about(rng: Random, expected: float) -> int:
    """Return a whole number that is `expected` on average."""
    whole = int(expected)
    return whole + (rng.random() < expected - whole)


EDITS: dict[str, Callable[..., Any]] = {
    name: getattr(School, name)
    for name in names.words(
        "change_mobile change_email rename_contact record_again change_group set_court_order withdraw_responsibility "
        "drop_pupil leave drop_contact merge_contacts add_pupil drop_half staff_leave roll_over"
    )
}
EDITS["night"] = night
"""What a state file may ask for, by name; `["night", 3]` lets the third night pass."""


def of_state(state: dict[str, Any]) -> School:
    """Return the school a state file describes: `seed`, `size`, `dfe_number`, `name`, `phase`, `night`, `edits`.

    `edits` is a list of lists: the name of an edit, then its arguments.
    """
    given = {key: state[key] for key in ("seed", "size", "dfe_number", "name", "phase") if key in state}
    school = generate(**given)
    for number in range(1, int(state.get("night", 0)) + 1):
        night(school, number)
    for name, *arguments in state.get("edits", []):
        EDITS[name](school, *arguments)
    return school
