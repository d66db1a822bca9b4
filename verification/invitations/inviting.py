"""Verbs by which the office invites people to connect: one, again, all, or not after all.

One record has one open invitation: a newer one voids it. The secret of a link exists only in the
notice that carries it; here is its hash.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from hub.accounts import tokens
from hub.accounts.models import Account
from hub.core import audit, scope
from hub.core.models import School
from hub.core.prepared import Given, Prepared
from hub.messaging import notices
from hub.messaging.models import Channel
from hub.people import inviting as people
from hub.people.models import Connection, Contact, Staff
from verification.errors import InvitationRefused, InvitationTrouble
from verification.invitations import rules, selectors
from verification.invitations.rules import Ask, Refusal
from verification.invitations.words import refusal_sentence
from verification.models import Invitation

Owner = Contact | Staff


@dataclass(frozen=True, slots=True)
class Planned:
    """What inviting everybody would do: who is asked where, who needs a letter, and who is left out and why."""

    asks: dict[int, Ask]
    letters: list[int]
    skipped: dict[int, Refusal]

    @property
    def by_channel(self) -> Counter[str]:
        """Return how many go by email and by text."""
        return Counter(ask.channel for ask in self.asks.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """What inviting everybody did: `sent` by channel, who still needs a letter, who was left out and why."""

    sent: Counter[str]
    letters: int
    skipped: dict[int, Refusal] = field(default_factory=dict)


@transaction.atomic
def invite(*, owner: Owner, by: Account, channel: str | None = None, now: dt.datetime) -> Invitation:
    """Invite one person by email, else by text (or by the channel that is asked for), and void what was open.

    Raises `InvitationRefused` with the reason where the rules say no; where there is neither email nor
    mobile it says that a letter can be printed.
    """
    one_at_a_time(owner.school)
    decided = rules.decide(selectors.record_of(owner, now), channel=channel, now=now)
    if isinstance(decided, Refusal):
        raise InvitationRefused(InvitationTrouble.RULES, refusal_sentence(decided, str(owner)))
    if decided.channel == rules.LETTER:
        raise InvitationRefused(
            InvitationTrouble.RULES, f"{owner} has neither an email nor a mobile here. Print a letter instead."
        )
    sent = _send(owner.school, [(owner, decided)], by, now)
    if not sent:
        raise InvitationRefused(InvitationTrouble.RULES, refusal_sentence(Refusal(rules.Reason.CONNECTED), str(owner)))
    made = sent[0]
    write_down(owner, by, "person.invited", {"channel": decided.channel}, now)
    return made


def resend(*, owner: Owner, by: Account, now: dt.datetime) -> Invitation:
    """Invite again, as the rules allow: the link that was sent before opens nothing any more."""
    return invite(owner=owner, by=by, now=now)


@transaction.atomic
def void(*, owner: Owner, by: Account, now: dt.datetime) -> bool:
    """Take the open invitation back; the record is Not connected again. Returns whether there was one."""
    one_at_a_time(owner.school)
    voided = void_open(owner.school, [owner], now)
    people.no_longer_invited(owner=owner, now=now)
    if voided:
        write_down(owner, by, "person.invitation_taken_back", {}, now)
    return voided > 0


def plan(*, school: School, now: dt.datetime) -> Planned:
    """Decide for every parent who is not Connected, in a fixed number of queries. Changes nothing."""
    asks, letters, skipped = {}, [], {}
    held = selectors.open_letters(school, now)
    for contact_id, record in selectors.records(school, now).items():
        decided = rules.decide(record, now=now)
        if isinstance(decided, Refusal):
            skipped[contact_id] = decided
        elif decided.channel == rules.LETTER:
            letters.append(contact_id)
        elif contact_id in held:  # somebody has handed it to them: it must not be void by the time they type its code
            skipped[contact_id] = Refusal(rules.Reason.HAS_LETTER, again=held[contact_id])
        else:
            asks[contact_id] = decided
    return Planned(asks, letters, skipped)


@transaction.atomic
def invite_all(*, school: School, by: Account, now: dt.datetime) -> Invited:
    """Invite every parent who is not Connected and may be asked; letters are only counted, printing makes them."""
    one_at_a_time(school)
    planned = plan(school=school, now=now)
    contacts = Contact.objects.filter(school=school).in_bulk(list(planned.asks))
    made = _send(school, [(contacts[one], ask) for one, ask in planned.asks.items()], by, now)
    sent = Counter(invitation.channel for invitation in made)
    audit.record(
        school=school, by=by, action="people.invited", data=dict(sent) | {"letters": len(planned.letters)}, now=now
    )
    return Invited(sent=sent, letters=len(planned.letters), skipped=planned.skipped)


def find(*, token_hash: str, now: dt.datetime) -> Invitation:
    """Return the invitation a link belongs to, with its person and school. Changes nothing.

    Raises `InvitationRefused` if it opens nothing; `trouble` says why.
    """
    with scope.every_school():
        found = next(iter(_behind(token_hash=token_hash)), None) if token_hash else None
    if found is None:
        raise InvitationRefused(InvitationTrouble.UNKNOWN)
    for trouble, so in (
        (InvitationTrouble.USED, found.used_at is not None),
        (InvitationTrouble.VOIDED, found.voided_at is not None),
        (InvitationTrouble.LAPSED, found.expires_at <= now),
    ):
        if so:
            raise InvitationRefused(trouble, invitation=found)
    return found


_behind = Prepared(
    lambda: Invitation.objects.filter(token_hash=Given("token_hash")).select_related("school", "contact", "staff")
)
"""What a link opens: asked at every step of registering."""


def owner_of(invitation: Invitation) -> Owner:
    """Return whom an invitation invites."""
    owner = invitation.contact or invitation.staff
    assert owner is not None
    return owner


def link(token: str) -> str:
    """Return the address that is sent: it opens a page, and only a button there begins."""
    return settings.PUBLIC_URL + reverse("join:link", args=[token])


def make(
    owner: Owner, ask: Ask, by: Account, now: dt.datetime, *, good_for: dt.timedelta = rules.GOOD_FOR
) -> tuple[Invitation, str]:
    """Return an unsaved invitation and the token of its link."""
    token, token_hash = tokens.make()
    made = Invitation(
        school_id=owner.school_id,
        channel=ask.channel,
        sent_to=ask.to,
        token_hash=token_hash,
        sent_by=str(by)[:200],
        sent_at=now,
        expires_at=now + good_for,
        **{owner_field(owner): owner},
    )
    return made, token


def owner_field(owner: Owner) -> str:
    """Return the column that points at a parent, or at a member of staff."""
    return "contact" if isinstance(owner, Contact) else "staff"


def void_open(school: School, owners: Iterable[Owner], now: dt.datetime) -> int:
    """Void the open invitations of these people, in a fixed number of statements; returns how many there were."""
    voided = 0
    for name, ids in _ids(owners):
        waiting = Invitation.objects.filter(school=school, used_at=None, voided_at=None, **{f"{name}_id__in": ids})
        voided += waiting.update(voided_at=now)
    return voided


def void_outdated(*, school: School, owner: Owner | None = None, now: dt.datetime) -> int:
    """Void the invitations that went to an address which is no longer their record's; returns how many.

    In the caller's transaction, which has changed addresses. Whoever is registering at this moment is
    left: they wait for that change, and find it (`registration.joining`).
    """
    whom = {} if owner is None else {owner_field(owner): owner}
    waiting = Invitation.objects.filter(school=school, used_at=None, voided_at=None, **whom)
    gone = waiting.exclude(selectors.at_their_address()).select_for_update(skip_locked=True)
    ids = list(gone.values_list("pk", flat=True))
    return Invitation.objects.filter(pk__in=ids).update(voided_at=now) if ids else 0


def claim(school: School, owners: Sequence[Owner], now: dt.datetime) -> list[Owner]:
    """Void what is open of these people, and return those who are to be invited even so.

    Whoever registers at this moment has used their invitation up before this comes to it, and is
    Connected; or comes after it, and finds nothing open any more.
    """
    void_open(school, owners, now)
    connected = {
        (name, pk)
        for name, ids in _ids(owners)
        for pk in Connection.objects.filter(
            school=school, connected_at__isnull=False, ended_at=None, **{f"{name}_id__in": ids}
        ).values_list(f"{name}_id", flat=True)
    }
    return [owner for owner in owners if (owner_field(owner), owner.pk) not in connected]


def keep(school: School, made: list[tuple[Owner, Invitation]], now: dt.datetime) -> None:
    """Save new invitations of people who are `claim`ed, and make their records Invited."""
    Invitation.objects.bulk_create([invitation for _, invitation in made], batch_size=1000)
    for name, ids in _ids(owner for owner, _ in made):
        people.mark_invited(school=school, now=now, **{f"{name}_ids": ids})


def _ids(owners: Iterable[Owner]) -> Iterator[tuple[str, list[int]]]:
    by_kind: dict[str, list[int]] = {}
    for owner in owners:
        by_kind.setdefault(owner_field(owner), []).append(owner.pk)
    yield from by_kind.items()


def _send(school: School, asks: list[tuple[Owner, Ask]], by: Account, now: dt.datetime) -> list[Invitation]:
    """Write the invitations and their notices, which leave after the commit."""
    wanted = {(owner_field(owner), owner.pk): ask for owner, ask in asks}
    claimed = claim(school, [owner for owner, _ask in asks], now)
    made = [(owner, *make(owner, wanted[owner_field(owner), owner.pk], by, now)) for owner in claimed]
    keep(school, [(owner, invitation) for owner, invitation, _ in made], now)
    tellings = (
        notices.Telling(
            kind="invitation",
            channel=Channel.EMAIL if invitation.channel == rules.EMAIL else Channel.TEXT,
            to=invitation.sent_to,
            template="invitation_staff" if isinstance(owner, Staff) else "invitation",
            context={
                "name": str(owner),
                "school": school.name,
                "link": link(token),
                "until": invitation.expires_at,
                "office": school.office_email,
            },
        )
        for owner, invitation, token in made
    )
    notices.send_many(tellings, now=now)
    return [invitation for _, invitation, _ in made]


def one_at_a_time(school: School) -> None:
    """Let two members of the office invite one after the other, so that nobody is asked twice."""
    School.objects.select_for_update(no_key=True).get(pk=school.pk)


def write_down(owner: Owner, by: Account, action: str, data: dict[str, str], now: dt.datetime) -> None:
    """Write into the audit what the office did about one person's invitation."""
    audit.record(
        school=owner.school,
        by=by,
        action=action,
        object_kind=owner_field(owner),
        object_id=owner.pk,
        data=data,
        now=now,
    )
