"""Which logins an address leads to, and whose else it is. No writes; spans schools: people do."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache, partial
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from hub.accounts import recovery_codes, selectors
from hub.accounts.models import Account, Passkey, TimeCode
from hub.core import scope
from hub.core.models import School
from hub.core.prepared import AmongGiven, Given, Prepared
from hub.messaging import channels
from hub.messaging.models import Channel
from hub.people.models import Connection, Contact, ContactDetail, DetailKind, DetailSource, IdentityKind, MisIdentity
from verification.lifecycle.merging import MERGED
from verification.models import DetailChange, Invitation, Origin, Status
from verification.recovery.rules import Proven, Standing

Record = tuple[int, int | None, int | None]
"""School, contact, member of staff: one of the two is none."""
_CARRIER: dict[str, Channel] = {DetailKind.EMAIL: Channel.EMAIL, DetailKind.MOBILE: Channel.TEXT}
_LISTS = {DetailKind.EMAIL: "emails", DetailKind.MOBILE: "mobiles"}


def logins_reached_by(kind: str, value: str) -> list[Account]:
    """Return the logins that sign in by this address, or whose owner has proved it to be theirs."""
    if not value:
        return []
    with scope.every_school():
        details = ContactDetail.objects.filter(
            school__in=_schools(), kind=kind, value=value, source=DetailSource.PERSON, verified_at__isnull=False
        )
        having = list(details.values_list("school_id", "contact_id", "staff_id"))
        ties = Connection.objects.filter(_whose(having), connected_at__isnull=False, ended_at=None)
        logins = list(ties.values_list("account", flat=True)) if having else []
        found = Account.objects.filter(Q(**{kind: value}) | Q(pk__in=logins))
        return list(found.filter(is_active=True).order_by("pk"))


def _schools() -> list[int]:
    """Every school, for the indexes: all of them begin with the school."""
    return list(School.objects.values_list("pk", flat=True))


def _whose(having: Iterable[Record]) -> Q:
    """The rows of these records."""
    known = list(having)
    contacts = Q(contact_id__in={contact for _, contact, _ in known if contact}, staff=None)
    staff = Q(staff_id__in={staff for _, _, staff in known if staff}, contact=None)
    return Q(school_id__in={school for school, _, _ in known}) & (contacts | staff)


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
        self.schools = _schools()
        self.records: set[Record] = set(ties.values_list("school_id", "contact_id", "staff_id"))
        merged = Contact.objects.filter(merged_into__in=[contact for _, contact, _ in self.records if contact])
        self.records |= {(school, pk, None) for school, pk in merged.values_list("school_id", "pk")}
        self.records |= self._twins()
        self._shared: dict[tuple[str, str], bool] = {}

    def _twins(self) -> set[Record]:
        """Return records of no other login that are the same person's without doubt: name, email and mobile agree.

        A parent who is connected at one school and not yet at the other shares nothing with anybody.
        """
        proven = ContactDetail.objects.filter(self.mine(), source=DetailSource.PERSON, verified_at__isnull=False)
        having: list[set[int | None]] = []
        for kind in DetailKind:
            values = list(proven.filter(kind=kind).exclude(value="").values_list("value", flat=True))
            held = [rows.filter(kind=kind, staff=None) for rows in self._details(values)]
            having.append({pk for rows in held for pk in rows.values_list("contact_id", flat=True)})
        own = {contact for _, contact, _ in self.records if contact}
        known = {one for one in Contact.objects.filter(pk__in=own).values_list("forename", "surname") if one[0]}
        names = {(forename.casefold(), surname.casefold()) for forename, surname in known}
        found = Contact.objects.filter(pk__in={one for one in set.intersection(*having) if one} - own)
        twins = {one for one in found if (one.forename.casefold(), one.surname.casefold()) in names}
        records: set[Record] = {(one.school_id, one.pk, None) for one in twins}
        others = Connection.objects.filter(_whose(records), connected_at__isnull=False).exclude(account=self.account)
        taken = set(others.values_list("contact_id", flat=True)) if records else set()
        return {record for record in records if record[1] not in taken}

    def mine(self) -> Q:
        return _whose(self.records)

    def _details(self, values: Collection[str]) -> list[QuerySet[ContactDetail]]:
        return _having(ContactDetail.objects.filter(school__in=self.schools), value__in=values)

    def is_shared(self, kind: str, value: str) -> bool:
        """Whether anybody else has this address, is said by an MIS to have it, or had it: who read it once may still.

        Only what was in use or what a school believed counts: nobody makes another's address a shared
        one by typing it.
        """
        if (kind, value) not in self._shared:
            self._shared[kind, value] = self._is_anothers(kind, value)
        return self._shared[kind, value]

    def _is_anothers(self, kind: str, value: str) -> bool:
        own = self.records
        said = {
            "value": value,
            "values": [value],
            "schools": self.schools,
            "at": sorted({school for school, _, _ in own}),
            "contacts": sorted({contact for _, contact, _ in own if contact}),
            "staff": sorted({staff for _, _, staff in own if staff}),
        }
        return any(ask(**said) for ask in _anybodys(kind)) or self._signs_in(kind, value)

    def _signs_in(self, kind: str, value: str) -> bool:
        return Account.objects.filter(**{kind: value}).exclude(pk=self.account.pk).exists()


def _having(found: QuerySet[ContactDetail], **value: Any) -> list[QuerySet[ContactDetail]]:
    """Whoever has this, and whoever only an MIS says has: two questions, an index each."""
    of_mis = {f"mis_{name}": wanted for name, wanted in value.items()}
    return [found.filter(**value), found.filter(**of_mis).exclude(mis_value=F("value"))]


@cache
def _anybodys(kind: str) -> tuple[Prepared[Any], ...]:
    """Each finds somebody else by an index: an address is asked about while they wait, at all schools together.

    They are written out once: building their SQL takes Django longer than all the rest.
    """
    at, value = AmongGiven("school_id", "schools"), Given("value")
    changes = DetailChange.objects.filter(at, field=kind)
    was_believed = Q(status__in=[Status.KEPT, Status.OFFER]) | Q(origin__in=[Origin.ORGANISATION, Origin.IMPORT])
    of_mis = MisIdentity.objects.filter(**{f"{_LISTS[DetailKind(kind)]}__contains": Given("values")})
    found: list[QuerySet[Any]] = [
        *_having(ContactDetail.objects.filter(at, kind=kind), value=value),
        changes.filter(old_value=value),
        changes.filter(Q(effective_at__isnull=False) | was_believed, new_value=value),
        Invitation.objects.filter(at, sent_to=value),
        of_mis.exclude(kind=IdentityKind.PUPIL),
    ]
    return tuple(Prepared(partial(_first_of_others, rows)) for rows in found)


def _first_of_others(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out whatever is of the records given as `at`, `contacts` and `staff`; what is of nobody stays."""
    contacts = Q(Coalesce(AmongGiven("contact_id", "contacts"), Value(False)), staff=None)
    staff = Q(Coalesce(AmongGiven("staff_id", "staff"), Value(False)), contact=None)
    return rows.filter(~(Q(AmongGiven("school_id", "at")) & (contacts | staff)))[:1]
