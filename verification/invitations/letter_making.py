"""Verbs about invitations on paper: printing makes their codes, and a code typed in finds the invitation again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from hub.accounts.models import Account
from hub.core import audit, scope
from hub.core.models import School
from hub.people.models import Contact, PupilContact, Staff
from hub.people.selectors import with_sight
from verification.errors import InvitationRefused, InvitationTrouble
from verification.invitations import inviting, letters, rules
from verification.invitations.inviting import Owner
from verification.invitations.letters import Letter
from verification.invitations.rules import LETTER, Ask, Refusal
from verification.invitations.selectors import open_letters, record_of
from verification.invitations.words import refusal_sentence
from verification.models import Invitation
from verification.selectors import letter_life

AT_ONCE = 250
"""Letters in one PDF: what a school printer takes, and what is made within seconds."""
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Printed:
    """The PDF of letters, how many there are in it, and how many are still to be printed."""

    pdf: bytes
    count: int
    left: int


@transaction.atomic
def print_letter(*, owner: Owner, by: Account, again: bool = False, now: dt.datetime) -> Printed:
    """Make a letter for one person and void what was open. `again`: for one who lost everything and was reset.

    Raises `InvitationRefused` where the rules leave nothing to connect to.
    """
    inviting.one_at_a_time(owner.school)
    decided = rules.decide(record_of(owner, now), channel=LETTER, now=now)
    if isinstance(decided, Refusal):
        raise InvitationRefused(InvitationTrouble.RULES, refusal_sentence(decided, str(owner)))
    made = _make(owner.school, [owner], by, again, now)
    if not made:
        refusal = Refusal(rules.Reason.CONNECTED)
        raise InvitationRefused(InvitationTrouble.RULES, refusal_sentence(refusal, str(owner)))
    inviting.write_down(owner, by, "person.letter_printed", {}, now)
    return Printed(letters.pdf(made), 1, 0)


@transaction.atomic
def print_letters(*, school: School, by: Account, now: dt.datetime) -> Printed:
    """Make letters for the parents who have neither email nor mobile and no letter that is still good.

    At most `AT_ONCE`, in the order of the forms: printing once more makes the next ones.
    """
    inviting.one_at_a_time(school)
    wanted = without_letter(school, inviting.plan(school=school, now=now).letters, now)
    owners = _by_form(school, wanted, now)
    made = _make(school, owners[:AT_ONCE], by, False, now)
    audit.record(school=school, by=by, action="people.letters_printed", data={"letters": len(made)}, now=now)
    return Printed(letters.pdf(made), len(made), len(owners) - len(made))


def without_letter(school: School, contact_ids: Iterable[int], now: dt.datetime) -> list[int]:
    """Return those of these parents who hold no letter that is still good."""
    holding = open_letters(school, now)
    return [one for one in contact_ids if one not in holding]


def enter(*, number: str, code: str, now: dt.datetime) -> Invitation:
    """Return the open invitation of a letter's number and code.

    A right code opens whatever was typed before it, so that nobody can keep anybody else's letter shut; that
    guessing is hopeless rests on the code alone (`rules.CODE_LENGTH`). Raises `InvitationRefused` with the
    same sentence whatever is wrong, and compares as much.
    """
    number, code = rules.typed_number(number), rules.typed_code(code)
    with scope.every_school():
        found = Invitation.objects.filter(letter_number=number).select_related("school", "contact", "staff").first()
    right = constant_time_compare(found.letter_hash if found else "", _hashed(number, code))
    opens = found is not None and (found.used_at, found.voided_at) == (None, None) and found.expires_at > now
    if found is not None and opens and right:
        return found
    raise _wrong()


def _wrong() -> InvitationRefused:
    """The same for an unknown number, a wrong code, a letter that was used or has lapsed."""
    return InvitationRefused(
        InvitationTrouble.UNKNOWN,
        _(
            "That number and code do not belong together, or the letter is not good any more. Check both against the "
            "letter, or ask the school office for a new one."
        ),
    )


def _hashed(number: str, code: str) -> str:
    return salted_hmac("verification.letter", f"{number}:{code}", algorithm="sha256").hexdigest()


def _make(school: School, owners: Sequence[Owner], by: Account, again: bool, now: dt.datetime) -> list[Letter]:
    """Write the invitations; return the letters, which alone hold the codes."""
    made, written = [], []
    owners = inviting.claim(school, owners, now)
    pupils = _pupils(school, owners, now)
    numbers, good_for = _numbers(len(owners)), letter_life(school)
    for owner, number in zip(owners, numbers, strict=True):
        invitation, token = inviting.make(owner, Ask(LETTER, ""), by, now, good_for=good_for)
        code = rules.make_code()
        invitation.letter_number = number
        invitation.letter_hash = _hashed(number, rules.typed_code(code))
        made.append((owner, invitation))
        written.append(
            Letter(
                school=school.name,
                person=str(owner),
                pupils=pupils.get(owner.pk, ()) if isinstance(owner, Contact) else (owner.role,),
                staff=isinstance(owner, Staff),
                address=getattr(owner, "address", ""),
                postcode=getattr(owner, "postcode", ""),
                number=number,
                code=code,
                link=inviting.link(token),
                page=urlsplit(settings.PUBLIC_URL).netloc + reverse("join:letter"),
                made=now,
                until=invitation.expires_at,
                office=school.office_email,
                again=again,
            )
        )
    inviting.keep(school, made, now)
    return written


def _numbers(count: int) -> list[str]:
    """Return numbers that no letter has had, whatever its school."""
    with scope.every_school():
        for _attempt in range(_ATTEMPTS):
            numbers = {rules.make_number() for _number in range(count)}
            taken = Invitation.objects.filter(letter_number__in=numbers).exists()
            if len(numbers) == count and not taken:
                return sorted(numbers)
    raise IntegrityError("No free letter numbers were found.")


def _pupils(school: School, owners: Sequence[Owner], now: dt.datetime) -> dict[int, tuple[str, ...]]:
    """Return, per parent, whose book bag the letter may go into."""
    ids = [owner.pk for owner in owners if isinstance(owner, Contact)]
    links = _links(school, now).filter(contact__in=ids)
    found: dict[int, tuple[str, ...]] = {}
    for link in links:
        form = link.pupil.registration_group or link.pupil.year_group
        found[link.contact_id] = (*found.get(link.contact_id, ()), f"{link.pupil}{f', {form}' if form else ''}")
    return found


def _by_form(school: School, contact_ids: list[int], now: dt.datetime) -> list[Contact]:
    """Return these parents in the order in which their letters are handed out: by form, then by pupil."""
    links = Prefetch("links", _links(school, now), to_attr="seen_links")
    found = Contact.objects.filter(school=school, pk__in=contact_ids).prefetch_related(links)
    return sorted(found, key=_place)


def _place(contact: Contact) -> tuple[str, str, str, int]:
    first: PupilContact | None = next(iter(contact.seen_links), None)  # type: ignore[attr-defined]
    if first is None:
        return ("~", contact.surname, contact.forename, contact.pk)
    return (
        first.pupil.registration_group or first.pupil.year_group,
        first.pupil.surname,
        first.pupil.forename,
        contact.pk,
    )


def _links(school: School, now: dt.datetime) -> QuerySet[PupilContact]:
    seen = PupilContact.objects.filter(with_sight(timezone.localdate(now)), school=school).select_related("pupil")
    return seen.order_by("pupil__registration_group", "pupil__surname", "pupil__forename", "pupil_id")
