"""Which logins an address leads to, and whose else it is. No writes; spans schools: people do."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from hub.accounts import recovery_codes, selectors
from hub.accounts.models import Account, Passkey, TimeCode
from hub.core import scope
from hub.messaging import channels
from hub.messaging.models import Channel
from hub.people.models import Connection, Contact, ContactDetail, DetailKind, DetailSource, MisIdentity
from verification.lifecycle.merging import MERGED
from verification.models import DetailChange, Invitation, Origin, Status
from verification.recovery.rules import Proven, Standing

_CARRIER: dict[str, Channel] = {DetailKind.EMAIL: Channel.EMAIL, DetailKind.MOBILE: Channel.TEXT}
_LISTS = {DetailKind.EMAIL: "emails", DetailKind.MOBILE: "mobiles"}


def logins_reached_by(kind: str, value: str) -> list[Account]:
    """Return the logins that sign in by this address, or whose owner has proved it to be theirs."""
    if not value:
        return []
    with scope.every_school():
        details = ContactDetail.objects.filter(
            kind=kind, value=value, source=DetailSource.PERSON, verified_at__isnull=False
        )
        theirs = Q(contact__in=details.values("contact")) | Q(staff__in=details.values("staff"))
        ties = Connection.objects.filter(theirs, connected_at__isnull=False, ended_at=None).values("account")
        found = Account.objects.filter(Q(**{kind: value}) | Q(pk__in=list(ties.values_list("account", flat=True))))
        return list(found.filter(is_active=True).order_by("pk"))


def standing_of(account: Account, kind: str, value: str) -> Standing:
    """Return how a login stands towards somebody who holds this address."""
    with scope.every_school():
        own = _Own(account)
        details = ContactDetail.objects.filter(own.mine(), source=DetailSource.PERSON, verified_at__isnull=False)
        proven = details.filter(deliverable=True).exclude(value="").order_by("-verified_at", "-pk")
        others = [
            one for one in dict.fromkeys(proven.values_list("kind", "value")) if channels.available(_CARRIER[one[0]])
        ]
        return Standing(
            first=Proven(kind, value, own.is_shared(kind, value)),
            others=tuple(Proven(one, held, own.is_shared(one, held)) for one, held in others),
            time_code=TimeCode.objects.filter(account=account, confirmed_at__isnull=False).exists(),
            recovery_codes=recovery_codes.left(account) > 0,
            passkey=Passkey.objects.filter(account=account).exists(),
            staff=account.is_operator or bool(selectors.open_memberships(account)),
        )


def proven_addresses(account: Account) -> list[str]:
    """Return every address that the login's owner has proved, or signs in by: whom to tell."""
    with scope.every_school():
        details = ContactDetail.objects.filter(
            _Own(account).mine(), source=DetailSource.PERSON, verified_at__isnull=False
        )
        found = list(details.exclude(value="").order_by("pk").values_list("value", flat=True))
    return list(dict.fromkeys([*found, *(name for name in (account.email, account.mobile) if name)]))


def opens_only(account: Account, school_id: int) -> bool:
    """Whether a login opens nothing but parents' records of this one school: an office may then vouch for it."""
    with scope.every_school():
        if account.is_operator or account.memberships.filter(ended_at=None).exists():
            return False
        ties = Connection.objects.filter(account=account, ended_at=None)
        return ties.exists() and not ties.exclude(school_id=school_id, staff=None).exists()


def opens_nothing(account: Account) -> bool:
    """Whether a login has no tie left: no open connection, no membership, not an operator."""
    with scope.every_school():
        return not (
            account.is_operator
            or account.memberships.filter(ended_at=None).exists()
            or Connection.objects.filter(account=account, ended_at=None).exists()
        )


class _Own:
    """The records of a login, also those merged away; everything else is somebody else's. Inside `every_school`."""

    def __init__(self, account: Account) -> None:
        self.account = account
        ties = Connection.objects.filter(account=account, connected_at__isnull=False)
        ties = ties.filter(Q(ended_at=None) | Q(ended_why=MERGED))
        pairs = list(ties.values_list("contact_id", "staff_id"))
        self.contacts = {contact for contact, _ in pairs if contact}
        self.staff = {staff for _, staff in pairs if staff}
        self.contacts |= set(Contact.objects.filter(merged_into__in=self.contacts).values_list("pk", flat=True))
        self.contacts |= self._twins()

    def _twins(self) -> set[int]:
        """Return records of no other login that are the same person's without doubt: name, email and mobile agree.

        A parent who is connected at one school and not yet at the other shares nothing with anybody.
        """
        proven = ContactDetail.objects.filter(self.mine(), source=DetailSource.PERSON, verified_at__isnull=False)
        having: list[set[int | None]] = []
        for kind in DetailKind:
            values = list(proven.filter(kind=kind).exclude(value="").values_list("value", flat=True))
            held = ContactDetail.objects.filter(Q(value__in=values) | Q(mis_value__in=values), kind=kind, staff=None)
            having.append(set(held.values_list("contact_id", flat=True)))
        known = {
            one for one in Contact.objects.filter(pk__in=self.contacts).values_list("forename", "surname") if one[0]
        }
        names = {(forename.casefold(), surname.casefold()) for forename, surname in known}
        found = Contact.objects.filter(pk__in={one for one in set.intersection(*having) if one} - self.contacts)
        others = Connection.objects.filter(contact__in=found, connected_at__isnull=False).exclude(account=self.account)
        alone = found.exclude(pk__in=others.values("contact"))
        return {one.pk for one in alone if (one.forename.casefold(), one.surname.casefold()) in names}

    def mine(self) -> Q:
        return Q(contact__in=self.contacts, staff=None) | Q(staff__in=self.staff, contact=None)

    def is_shared(self, kind: str, value: str) -> bool:
        """Whether anybody else has this address, is said by an MIS to have it, or had it: who read it once may still.

        Only what was in use or what a school believed counts: nobody makes another's address a shared
        one by typing it.
        """
        return any(rows.exclude(self.mine()).exists() for rows in self._anybodys(kind, value)) or self._signs_in(
            kind, value
        )

    def _anybodys(self, kind: str, value: str) -> list[QuerySet[ContactDetail] | QuerySet[DetailChange]]:
        changes = DetailChange.objects.filter(field=kind)
        was_used = Q(old_value=value) | Q(new_value=value, effective_at__isnull=False)
        was_believed = Q(new_value=value) & (
            Q(status__in=[Status.KEPT, Status.OFFER]) | Q(origin__in=[Origin.ORGANISATION, Origin.IMPORT])
        )
        records = MisIdentity.objects.filter(**{f"{_LISTS[DetailKind(kind)]}__contains": [value]})
        found = [
            ContactDetail.objects.filter(Q(value=value) | Q(mis_value=value), kind=kind),
            changes.filter(was_used | was_believed),
            Invitation.objects.filter(sent_to=value),
            records,
        ]
        return found  # type: ignore[return-value]

    def _signs_in(self, kind: str, value: str) -> bool:
        return Account.objects.filter(**{kind: value}).exclude(pk=self.account.pk).exists()
