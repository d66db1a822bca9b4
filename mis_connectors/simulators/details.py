"""Telephones, emails and UPNs as offices really type them: mostly well, sometimes not."""

from __future__ import annotations

import unicodedata
from random import Random

from mis_connectors.simulators.model import Contact, Email, People, Telephone

_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
_DRAMA = 1000
"""Ofcom keeps 07700 900000–900999 for drama: a large school must share."""


def chance(*of_what: object) -> Random:
    """Return a generator whose choices follow from these words alone."""
    return Random(":".join(map(str, of_what)))  # noqa: S311 - invented people, no secrets


def upn(number: str) -> str:
    """Return a UPN with its check letter over the twelve characters that follow it."""
    total = sum(place * (int(mark) if mark.isdigit() else _LETTERS.index(mark)) for place, mark in enumerate(number, 2))
    return _LETTERS[total % 23] + number


def new_upn(rng: Random, school: People, entry_year: int) -> str | None:
    """Return a permanent UPN; now and then a temporary one, or none yet."""
    serial = school.upn_serials.get(entry_year, 0) + 1
    school.upn_serials[entry_year] = serial
    authority, establishment = school.dfe_number[:3], (int(school.dfe_number[3:]) + serial // 1000) % 10000
    stem = f"{authority}{establishment:04d}{entry_year % 100:02d}"
    luck = rng.random()
    if luck < 0.02:
        return None
    if luck < 0.05:
        return upn(f"{stem}{serial % 100:02d}{_LETTERS[serial % 23]}")
    return upn(f"{stem}{serial % 1000:03d}")


def next_mobile(school: People) -> str:
    """Return the next number of the drama range, bare; the first thousand are all different."""
    number = (school.next_mobile * 387 + school.seed * 71) % _DRAMA
    school.next_mobile += 1
    return f"07700900{number:03d}"


def spaced(number: str) -> str:
    return f"{number[:5]} {number[5:]}"


def landline(rng: Random) -> str:
    return f"01632 960{rng.randrange(1000):03d}"


def telephones(rng: Random, school: People, who: str) -> list[Telephone]:
    """Return a contact's telephones, with the warts of `mis-formats.md` §11."""
    luck = rng.random()
    if luck < 0.03:
        return [Telephone("n/a", "M")] if luck < 0.004 else []
    if luck < 0.07:
        return [Telephone(landline(rng), "H")]
    number = next_mobile(school)
    if luck < 0.18:
        return _awkward(rng, school, number, who)
    written = number if rng.random() < 0.3 else spaced(number)
    found = [Telephone(written, "M")]
    luck = rng.random()
    if luck < 0.22:
        found.append(Telephone(landline(rng), "H", False))
    elif luck < 0.30:
        found.append(Telephone(landline(rng), "W", False))
    elif luck < 0.34:
        found.append(Telephone(spaced(next_mobile(school)), "M", False))
    return found


def _awkward(rng: Random, school: People, number: str, who: str) -> list[Telephone]:
    other = spaced(next_mobile(school)) if rng.random() < 0.15 else landline(rng)
    ways = (
        [Telephone(f"{spaced(number)} {who}", "M")],
        [Telephone(f"{number} / {other}", "M")],
        [Telephone(spaced(number), "H")],
        [Telephone(landline(rng), "H"), Telephone(spaced(number), "W", False)],
        [Telephone(f"+44 (0){number[1:5]} {number[5:]}", "M")],
        [Telephone(f"0044{number[1:]}", "M")],
        [Telephone(f"+44{number[1:]}", "M")],
        [Telephone(number.translate(_WIDE), "M")],
        [Telephone(f"{number[:5]}-{number[5:8]}-{number[8:]}", "M", None)],
        [Telephone(f"{number}7", "M")],
    )
    return rng.choice(ways)


def emails(rng: Random, contact: Contact) -> list[Email]:
    """Return a contact's emails: mostly one at home, some at work too, some spoiled."""
    luck = rng.random()
    if luck < 0.09:
        return []
    address = address_of(contact.forename or "family", contact.surname, contact.id)
    if luck < 0.10:
        return [Email("n/a")]
    if luck < 0.115:
        return [Email(f"“{address}”")]
    if luck < 0.125:
        return [Email(f"{address}.")]
    if luck < 0.135:
        return [Email(address.replace("@", " @ "))]
    found = [Email(address)]
    if rng.random() < 0.10:
        found.append(Email(address.replace("@", "@work."), "W", False))
    return found


def address_of(forename: str, surname: str, number: int) -> str:
    """Return a plain address of the reserved domain."""
    folded = unicodedata.normalize("NFKD", f"{forename}.{surname}".lower().replace("ł", "l"))
    plain = "".join(mark for mark in folded if mark.isascii() and (mark.isalnum() or mark in ".-"))
    return f"{plain.strip('.-')}{number}@example.org"
