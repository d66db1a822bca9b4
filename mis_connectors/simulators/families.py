"""Makes households, parents and their children: the shapes real schools have, in real proportions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from random import Random

from mis_connectors.simulators import details, names
from mis_connectors.simulators.model import Contact, Email, Link, People, Pupil

GROUP_SIZE = 30


class Families:
    """Adds people to `school`, drawing every choice from `rng`."""

    def __init__(self, rng: Random, school: People) -> None:
        self.rng = rng
        self.school = school

    def new_id(self) -> int:
        self.school.next_id += 1
        return self.school.next_id

    def guid(self) -> str:
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def family(self, years: list[int]) -> list[Pupil]:
        """Add one family with a child in each of these years; returns the children."""
        surname = self.rng.choice(names.SURNAMES)
        parents = self.parents(surname)
        others = self._others(surname, parents[0][0])
        children = [self.pupil(year, surname) for year in years]
        self.link(children, parents, others)
        return children

    def pupil(self, year: int, surname: str) -> Pupil:
        """Add a pupil of this year, without contacts yet."""
        rng, school = self.rng, self.school
        start = school.today.year if school.today.month >= 9 else school.today.year - 1
        born = dt.date(start - 5 - year, 9, 1) + dt.timedelta(days=rng.randrange(365))
        girl = rng.random() < 0.5
        forename = rng.choice(names.GIRLS if girl else names.BOYS)
        entry = start - (year if school.phase == "primary" else year - 7)
        school.next_adno += 1
        pupil = Pupil(
            id=self.new_id(),
            guid=self.guid(),
            adno=f"{school.next_adno:06d}",
            forename=forename,
            surname=surname,
            dob=born,
            gender="Female" if girl else "Male",
            year=year,
            upn=details.new_upn(rng, school, entry),
            middle_names=rng.choice(names.MIDDLE) if rng.random() < 0.5 else None,
            chosen_name=names.KNOWN_AS.get(forename) if rng.random() < 0.2 else None,
            legal_surname=f"{surname}-{rng.choice(names.SURNAMES)}" if rng.random() < 0.04 else surname,
            house=rng.choice(names.HOUSES) if rng.random() < 0.97 else None,
            admission_date=dt.date(entry, 9, 3),
        )
        pupil.reg = self.group(year)
        pupil.class_name = (
            pupil.reg if school.phase == "primary" else f"{year}{rng.choice('xy')}/Ma{rng.randrange(1, 5)}"
        )
        school.pupils[pupil.id] = pupil
        school.links[pupil.id] = []
        return pupil

    def group(self, year: int) -> str:
        """Return one of the registration groups of this year."""
        each_year = max(1, round(self.school.size / len(self.school.years()) / GROUP_SIZE))
        letter = self.rng.randrange(each_year)
        return group_name(year, letter)

    def parents(self, surname: str) -> list[tuple[Contact, str, bool]]:
        """Return the parents with their relationship and whether the children live with them."""
        rng = self.rng
        address, postcode = self._home()
        if rng.random() < 0.015:
            joint = self.contact("Mr & Mrs", None, surname, None, address, postcode, "mum")
            return [(joint, "Parents", True)]
        mother_surname = surname if rng.random() < 0.7 else rng.choice(names.SURNAMES)
        title = rng.choice(("Mrs", "Mrs", "Ms", "Miss", "Dr"))
        mother = self.contact(title, rng.choice(names.WOMEN), mother_surname, "Female", address, postcode, "mum")
        if rng.random() < 0.14:
            return [(mother, "Mother", True)]
        apart = rng.random() < 0.22
        if apart:
            address, postcode = self._home()
        father = self.contact("Mr", rng.choice(names.MEN), surname, "Male", address, postcode, "dad")
        if not apart:
            self._share(mother, father)
        return [(mother, "Mother", True), (father, "Father", not apart)]

    def _share(self, one: Contact, other: Contact) -> None:
        chance = self.rng.random()
        if chance < 0.08:
            other.emails = [replace(email) for email in one.emails]
        elif chance < 0.12:
            other.telephones = [replace(telephone) for telephone in one.telephones]

    def _others(self, surname: str, parent: Contact) -> list[tuple[Contact, str, bool]]:
        rng, found = self.rng, []
        for chance in (0.6, 0.15):
            if rng.random() >= chance:
                break
            relationship, gender = rng.choice(names.OTHER_RELATIONS)
            woman = gender == "F"
            shares = relationship == "Step Father"
            address, postcode = (parent.address, parent.postcode) if shares else self._home()
            other = self.contact(
                "Mrs" if woman else "Mr",
                rng.choice(names.WOMEN if woman else names.MEN),
                surname if rng.random() < 0.5 else rng.choice(names.SURNAMES),
                "Female" if woman else "Male",
                address,
                postcode,
                "gran" if woman else "grandad",
            )
            found.append((other, relationship, shares))
        return found

    def contact(
        self,
        title: str,
        forename: str | None,
        surname: str,
        gender: str | None,
        address: str,
        postcode: str,
        who: str,
    ) -> Contact:
        contact = Contact(self.new_id(), self.guid(), title, forename, surname, gender, address, postcode)
        contact.telephones = details.telephones(self.rng, self.school, who)
        contact.emails = details.emails(self.rng, contact)
        contact.language = self.rng.choice(names.LANGUAGES) if self.rng.random() < 0.6 else None
        self.school.contacts[contact.id] = contact
        return contact

    def link(
        self,
        children: list[Pupil],
        parents: list[tuple[Contact, str, bool]],
        others: list[tuple[Contact, str, bool]],
    ) -> None:
        """Link a family; the flags are alike for siblings, as schools keep them."""
        rng = self.rng
        tied, unnumbered = rng.random() < 0.04, rng.random() < 0.03
        order_at = 1 if len(parents) > 1 and rng.random() < 0.02 else None
        unsaid = rng.random() < 0.05
        for place, (contact, relationship, lives_with) in enumerate(parents):
            court_order = place == order_at
            responsibility = None if unsaid else not (court_order and rng.random() < 0.4)
            priority = None if unnumbered else 1 if tied else place + 1
            for child in children:
                link = Link(child.id, contact.id, relationship, priority, responsibility, court_order, lives_with)
                link.correspondence = not court_order
                self.school.links[child.id].append(link)
        applicant = rng.random() < 0.015
        for place, (contact, relationship, lives_with) in enumerate(others, len(parents) + 1):
            priority = place if rng.random() < 0.95 else rng.choice((0, 7, 9))
            responsibility = rng.choice((False, False, False, None))
            for child in children:
                link = Link(child.id, contact.id, relationship, priority, responsibility, None, lives_with, False)
                link.applicant = applicant
                self.school.links[child.id].append(link)

    def _home(self) -> tuple[str, str]:
        rng = self.rng
        street, town = rng.choice(names.STREETS), rng.choice(names.TOWNS)
        return f"{rng.randrange(1, 120)} {street}, {town}", f"ZZ{rng.randrange(1, 20)} {rng.randrange(1, 10)}ZZ"


def group_name(year: int, letter: int) -> str:
    """Return `6C`, `RA`, `N2B`."""
    start = str(year) if year > 0 else "R" if year == 0 else "N2"
    return f"{start}{chr(ord('A') + letter % 26)}{letter // 26 or ''}"


def named_alike(families: Families) -> None:
    """Give two families each a mother of one name, title and gender: two people all the same."""
    mothers = [
        families.school.contacts[links[0].contact_id]
        for links in families.school.links.values()
        if links and links[0].relationship == "Mother"
    ]
    first = mothers[0] if mothers else None
    others = [mother for mother in mothers if first and mother.address != first.address and mother is not first]
    for mother in [first, *others[:1]] if first else []:
        mother.title, mother.forename, mother.surname = "Mrs", "Wendy", "Bradshaw"
        mother.emails = [Email(details.address_of("Wendy", "Bradshaw", mother.id))]
