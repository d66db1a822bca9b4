"""Registering: what an open invitation offers, and the one transaction by which a person becomes Connected.

Until that last step nothing takes effect: what is said on the way is kept by the caller.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from hub.accounts import passwords
from hub.accounts.models import Account
from hub.accounts.selectors import name_is_taken
from hub.accounts.services import claim_sign_in_name
from hub.core import scope
from hub.core.models import School
from hub.core.prepared import Given, Prepared
from hub.people import selectors as people
from hub.people.connecting import connect
from hub.people.models import Connection, ContactDetail, PupilContact, Staff
from verification import children, telling
from verification.changes import effects
from verification.changes.drafting import draft
from verification.errors import InvitationRefused, InvitationTrouble
from verification.invitations import inviting
from verification.invitations.rules import LETTER, Refusal, decide
from verification.invitations.selectors import at_their_address, can_reach, record_of
from verification.models import DetailChange, Invitation, Origin, Status
from verification.owners import Owner, circle_of, lock
from verification.registration import elsewhere, rules
from verification.registration.rules import Known, Said, Told
from verification.reporting import settling


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Whom an open invitation invites, and what the school has written down about them."""

    invitation: Invitation
    owner: Owner
    school: School
    known: dict[str, Known]
    children: list[PupilContact]
    second: str
    """Which detail must be proved beside the link, if any."""
    texts: bool
    """Whether a code can go to a mobile here; else a mobile is neither asked for nor proved."""

    @property
    def subject(self) -> str:
        """Whose codes these are: codes count per record."""
        return f"{inviting.owner_field(self.owner)}:{self.owner.pk}"

    @property
    def proved_by_link(self) -> str:
        """The email that the link came to: whoever opened it there has shown that it is theirs."""
        return self.invitation.sent_to if self.invitation.channel == "email" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All that a person said on the way: their details, and of each child (by link) whether it is theirs."""

    details: Mapping[str, Told]
    mine: Mapping[int, bool]


@dataclass(frozen=True, slots=True)
class Joined:
    """The login and its new connection."""

    account: Account
    connection: Connection
    is_new: bool


def look(*, token_hash: str, now: dt.datetime) -> Guest:
    """Return what an invitation offers; changes nothing. Call it anywhere: it opens its own scope.

    Raises `InvitationRefused` where the link opens nothing, or there is nothing to connect to any more.
    """
    invitation = inviting.find(token_hash=token_hash, now=now)
    with scope.schools(invitation.school_id):
        return _guest(invitation, now)


def _guest(invitation: Invitation, now: dt.datetime) -> Guest:
    owner = inviting.owner_of(invitation)
    decided = decide(record_of(owner, now), channel=LETTER, now=now)
    if isinstance(decided, Refusal):
        gone = InvitationTrouble.CONNECTED if decided.reason == "connected" else InvitationTrouble.GONE
        raise InvitationRefused(gone, invitation=invitation)
    if not _still_theirs(id=invitation.pk):
        raise InvitationRefused(InvitationTrouble.GONE, invitation=invitation)
    known, texts = _known(owner, invitation.sent_to), can_reach(rules.MOBILE)
    second = _second(invitation, owner, known)
    if second == rules.MOBILE and not texts:
        raise InvitationRefused(InvitationTrouble.LETTER, invitation=invitation)
    return Guest(
        invitation=invitation,
        owner=owner,
        school=invitation.school,
        known=known,
        children=_children(owner, now),
        second=second,
        texts=texts,
    )


def _second(invitation: Invitation, owner: Owner, known: dict[str, Known]) -> str:
    """Return which detail must be proved beside the link: whoever shares its address may be at another school."""
    went = {"email": rules.EMAIL, "text": rules.MOBILE}.get(invitation.channel)
    if went and not known[went].shared and elsewhere.is_anothers(owner, went, known[went].value):
        known = known | {went: Known(known[went].value, shared=True)}
    second = rules.second_proof(invitation.channel, invitation.sent_to, known)
    return "" if second and elsewhere.is_anothers(owner, second, known[second].value) else second


def _known(owner: Owner, went_to: str) -> dict[str, Known]:
    """Return the email and mobile that messages reach, or this link has, and whether anybody else here has them too.

    Also what only the MIS still says of the other: who has changed their email here may still read the old one.
    """
    known = _known_of_staff if isinstance(owner, Staff) else _known_of_contact
    held = {
        one.kind: Known(one.value, one.shared) for one in known(school=owner.school_id, id=owner.pk, went_to=went_to)
    }
    return {kind: held.get(kind, Known()) for kind in rules.KINDS}


def _known_of(**owner: Any) -> QuerySet[Any]:
    same = Q(value=OuterRef("value")) | Q(mis_value=OuterRef("value"))
    others = ContactDetail.objects.filter(same, school=Given("school"), kind=OuterRef("kind"))
    others = others.exclude(pk=OuterRef("pk")).exclude(contact__merged_into__isnull=False)
    reached = Q(deliverable=True) | Q(value=Given("went_to"))
    held = ContactDetail.objects.filter(reached, school=Given("school"), **owner).exclude(value="")
    return held.annotate(shared=Exists(others))


def _children(owner: Owner, now: dt.datetime) -> list[PupilContact]:
    if isinstance(owner, Staff):
        return []
    return _children_of(school=owner.school_id, id=owner.pk, on=timezone.localdate(now))


# Asked at every step: writing these out takes Django longer than all the rest.
_still_theirs = Prepared(lambda: Invitation.objects.filter(at_their_address(), pk=Given("id")))
_known_of_contact: Prepared[Any] = Prepared(lambda: _known_of(contact=Given("id"), staff=None))
_known_of_staff: Prepared[Any] = Prepared(lambda: _known_of(staff=Given("id"), contact=None))
_children_of = Prepared(
    lambda: (
        PupilContact.objects.filter(people.with_sight(Given("on")), school=Given("school"), contact=Given("id"))
        .select_related("pupil")
        .order_by("pupil__date_of_birth", "pupil__forename", "pk")
    )
)


def refuse_stranger(guest: Guest, account: Account) -> None:
    """Raise `InvitationRefused` where the login is somebody else at this school: two parents share no login.

    A second record of the same person is theirs to connect.
    """
    with circle_of(account) as circle:
        if effects.is_frozen(circle):
            raise InvitationRefused(InvitationTrouble.FROZEN, str(effects.FROZEN), invitation=guest.invitation)
    theirs = [one for one in people.connections_of(account) if one.school_id == guest.school.pk]
    for connection in theirs:
        other = connection.contact or connection.staff
        assert other is not None
        if not rules.may_be_one(elsewhere.name_of(guest.owner), elsewhere.name_of(other)):
            raise InvitationRefused(
                InvitationTrouble.NOT_YOURS,
                _("You are connected at %(school)s as %(you)s, and this invitation is for %(other)s.")
                % {"school": guest.school.name, "you": other, "other": guest.owner},
                invitation=guest.invitation,
            )


def proven_elsewhere(account: Account | None) -> dict[str, set[str]]:
    """Return what this login has proved to be its own at the schools it is connected to, by kind."""
    if account is None:
        return {kind: set() for kind in rules.KINDS}
    with circle_of(account) as circle:
        return {kind: set(effects.proven_values(circle, kind)) for kind in rules.KINDS}


def sign_in_by(proved: Mapping[str, str]) -> str:
    """Return which proved detail a new login would sign in by: one that signs nobody else in; blank if none."""
    taken = {kind for kind, value in proved.items() if name_is_taken(column=kind, value=value)}
    return rules.sign_in_kind(dict(proved), taken)


def join(
    *,
    guest: Guest,
    answers: Answers,
    account: Account | None,
    password: str = "",
    passkey: Callable[[Account], object] | None = None,
    now: dt.datetime,
) -> Joined:
    """Use the invitation up and connect its record, all at once or not at all.

    Without an `account` a login is made, with `password` or by `passkey`, which keeps one for it.
    Raises `InvitationRefused` if the link opens nothing any more – of two tabs one wins – or if what
    was proved is not enough, and whatever `passkey` raises.
    """
    with scope.schools(guest.school.pk), transaction.atomic():
        _use_up(guest.invitation, now)
        lock([guest.owner], links=not all(answers.mine.values()))
        guest = _guest(guest.invitation, now)
        if not rules.enough(dict(answers.details), guest.second, guest.known):
            raise InvitationRefused(InvitationTrouble.RULES, _("Confirm your email or mobile by a code first."))
        if account is not None:
            refuse_stranger(guest, account)
        login = account or _new_login(guest.owner, _proved(answers), password, passkey, now)
        connection = _connect(guest, answers, login, now)
    return Joined(login, connection, account is None)


def _use_up(invitation: Invitation, now: dt.datetime) -> None:
    opens = Invitation.objects.filter(pk=invitation.pk, used_at=None, voided_at=None, expires_at__gt=now)
    if not opens.update(used_at=now):
        inviting.find(token_hash=invitation.token_hash, now=now)
        raise InvitationRefused(InvitationTrouble.USED, invitation=invitation)


def _proved(answers: Answers) -> dict[str, str]:
    return {kind: told.value for kind, told in answers.details.items() if told.said == Said.PROVED}


def _new_login(
    owner: Owner,
    proved: dict[str, str],
    password: str,
    passkey: Callable[[Account], object] | None,
    now: dt.datetime,
) -> Account:
    """Make a login that signs in by what is free of what was proved; it may be a passkey alone."""
    name = " ".join(part for part in (owner.forename, owner.surname) if part)
    account = Account.objects.create_user(None, name=name)
    named = [claim_sign_in_name(account=account, **{kind: value}) for kind, value in sorted(proved.items())]
    if passkey is not None:
        passkey(account)
    elif password and any(named):
        passwords.set_password(account=account, password=password, now=now)
    else:
        raise InvitationRefused(
            InvitationTrouble.RULES, _("Your email and your mobile sign in other people here. Use a passkey instead.")
        )
    return account


def _connect(guest: Guest, answers: Answers, account: Account, now: dt.datetime) -> Connection:
    """Connect, confirm what stays, and write down what is corrected, taken out, or not their child."""
    owner, by_name = guest.owner, str(guest.owner)
    held = {one.kind: one.value for one in effects.all_held(owner)}
    stays = {kind: value for kind, value in _proved(answers).items() if held.get(kind) == value}
    connection = connect(
        contact=None if isinstance(owner, Staff) else owner,
        staff=owner if isinstance(owner, Staff) else None,
        account=account,
        verified=stays,
        by_name=by_name,
        now=now,
    )
    changed: list[DetailChange] = []
    for kind, told in answers.details.items():
        new = told.value if told.said == Said.PROVED else ""
        if told.said != Said.KEPT and new != held.get(kind, ""):
            row = draft(
                owner=owner,
                field=kind,
                new_value=new,
                origin=Origin.PERSON,
                made_by=by_name,
                account=account,
                status=Status.APPROVED,
                now=now,
            )
            effects.make_effective(row, owner=owner, account=account, by_name=by_name, now=now)
            changed.append(row)
    for link in guest.children:
        if answers.mine.get(link.pk) is False:
            children.not_my_child(account=account, link=link, by_name=by_name, now=now)
    for row in changed:
        telling.tell_changed([row], account=account, proven=_proved(answers).values(), now=now)
    settling.settle_owner(owner=owner, now=now)
    return connection
