"""Whom a member of a school may see, and the lists of them. No writes; every query is of one school."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Case, Count, Exists, OuterRef, Prefetch, Q, QuerySet, When

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.models import School
from hub.core.prepared import Given, Prepared
from hub.people.models import (
    Connection,
    Contact,
    ContactDetail,
    Group,
    GroupKind,
    GroupMember,
    ImportExclusion,
    MisIdentity,
    Pupil,
    PupilContact,
    Staff,
)

_MERGES_IN_A_ROW = 10


def at_school(on: dt.date) -> Q:
    """The pupils or staff who have not left by this day."""
    return Q(leaving_date=None) | Q(leaving_date__gt=on)


def with_sight(on: dt.date | Given) -> Q:
    """The links by which a parent sees a pupil on this day: access, not ended, not “not my child”, still at school."""
    here = Q(pupil__leaving_date=None) | Q(pupil__leaving_date__gt=on)
    return Q(access=True, ended_on=None, denied_at=None) & here


def sees_everybody(membership: Membership) -> bool:
    """Whether this member sees the whole school; a teacher sees the own groups."""
    return membership.role != Role.TEACHER


def pupils(membership: Membership) -> QuerySet[Pupil]:
    """Return the pupils this member may see, those who left too, by name."""
    found = Pupil.objects.filter(school_id=membership.school_id).order_by("surname", "forename", "id")
    return found if sees_everybody(membership) else found.filter(Exists(_own_groups(membership)))


def _own_groups(membership: Membership) -> QuerySet[GroupMember]:
    return GroupMember.objects.filter(
        school_id=membership.school_id, pupil=OuterRef("pk"), group__access__membership=membership
    )


def contacts(membership: Membership) -> QuerySet[Contact]:
    """Return the contacts this member may see, by name; a teacher those of the own groups who have access now.

    A record that was merged into another is that other one: it is in no list.
    """
    found = merged_too(membership).filter(merged_into=None)
    if sees_everybody(membership):
        return found
    return found.filter(Exists(links(membership).filter(contact=OuterRef("pk"))))


def merged_too(membership: Membership) -> QuerySet[Contact]:
    """Return every contact of the school, also those merged into another: to say where they went."""
    return Contact.objects.filter(school_id=membership.school_id).order_by("surname", "forename", "id")


def kept_of(membership: Membership, contact_id: int) -> Contact | None:
    """Return whom a merged record was merged into, as far as this member may see them; None where it was not."""
    gone = merged_too(membership).filter(pk=contact_id).exclude(merged_into=None).first()
    for _ in range(_MERGES_IN_A_ROW):
        if gone is None or gone.merged_into_id is None:
            break
        gone = merged_too(membership).filter(pk=gone.merged_into_id).first()
    return gone and contacts(membership).filter(pk=gone.pk).first()


def links(membership: Membership) -> QuerySet[PupilContact]:
    """Return the links this member may see; a teacher those that give sight, of the pupils in the own groups."""
    found = PupilContact.objects.filter(school_id=membership.school_id)
    if sees_everybody(membership):
        return found
    mine = pupils(membership).order_by().values("pk")
    return found.filter(pupil__in=mine, ended_on=None, access=True, denied_at=None)


def staff(membership: Membership) -> QuerySet[Staff]:
    """Return the staff this member may see, by name: a teacher nobody."""
    found = Staff.objects.filter(school_id=membership.school_id).order_by("surname", "forename", "id")
    return found if sees_everybody(membership) else found.none()


def current_contacts(membership: Membership) -> QuerySet[Contact]:
    """Return the contacts who belong to somebody now: any link stands, or they were added by hand."""
    return contacts(membership).filter(Q(made_by_hand=True) | Exists(_standing()))


def recipients(membership: Membership) -> QuerySet[Contact]:
    """Return the contacts whom the school would write to: a link with access stands, or added by hand.

    Nobody is written to about a pupil who they say is not their child.
    """
    return contacts(membership).filter(Q(made_by_hand=True) | Exists(_standing().filter(access=True, denied_at=None)))


def _standing() -> QuerySet[PupilContact]:
    return PupilContact.objects.filter(school_id=OuterRef("school_id"), contact=OuterRef("pk"), ended_on=None)


def with_details(found: QuerySet[Contact], membership: Membership) -> QuerySet[Contact]:
    """Load what a row about a contact shows, in a fixed number of queries."""
    standing = links(membership).filter(ended_on=None).select_related("pupil").order_by("pupil__surname", "pupil_id")
    return found.prefetch_related(
        Prefetch("details", _details(membership.school_id, staff=None)),
        Prefetch("connections", _open_connections(), to_attr="open_connections"),
        Prefetch("links", standing, to_attr="standing_links"),
    )


def staff_with_details(found: QuerySet[Staff], membership: Membership) -> QuerySet[Staff]:
    """Load what a row about a member of staff shows, in a fixed number of queries."""
    return found.prefetch_related(
        Prefetch("details", _details(membership.school_id, contact=None)),
        Prefetch("connections", _open_connections(), to_attr="open_connections"),
    )


def details_of(person: Contact | Staff) -> QuerySet[ContactDetail]:
    """Return a person's email and mobile, as far as there are any."""
    if isinstance(person, Staff):
        return _details(person.school_id, staff=person, contact=None)
    return _details(person.school_id, contact=person, staff=None)


def _details(school_id: int, **owner: Contact | Staff | None) -> QuerySet[ContactDetail]:
    """Details of one kind of owner: naming the other as none lets PostgreSQL use the unique index."""
    return ContactDetail.objects.filter(school_id=school_id, **owner)


def _open_connections() -> QuerySet[Connection]:
    return Connection.objects.filter(ended_at=None)


# Lists that need a person


def without_details(membership: Membership, *kinds: str) -> QuerySet[Contact]:
    """Return the recipients who have no usable detail of any of these kinds."""
    return recipients(membership).exclude(
        Exists(
            ContactDetail.objects.filter(
                school_id=OuterRef("school_id"), contact=OuterRef("pk"), staff=None, kind__in=kinds, deliverable=True
            ).exclude(value="")
        )
    )


def not_connected(membership: Membership) -> QuerySet[Contact]:
    """Return the recipients who are not Connected."""
    return recipients(membership).exclude(
        Exists(
            Connection.objects.filter(
                school_id=OuterRef("school_id"), contact=OuterRef("pk"), connected_at__isnull=False, ended_at=None
            )
        )
    )


def court_orders(membership: Membership, on: dt.date) -> QuerySet[PupilContact]:
    """Return the links with a court order, of pupils who are at the school on this day, by pupil."""
    return (
        links(membership)
        .filter(court_order=True, ended_on=None)
        .filter(Q(pupil__leaving_date=None) | Q(pupil__leaving_date__gt=on))
        .select_related("pupil", "contact")
        .order_by("pupil__surname", "pupil__forename", "pupil_id", "priority", "id")
    )


# One person


def links_of_pupil(membership: Membership, pupil: Pupil) -> QuerySet[PupilContact]:
    """Return a pupil's links with their contacts and details: those that stand first, then by priority."""
    return (
        links(membership)
        .filter(pupil=pupil)
        .select_related("contact")
        .prefetch_related(
            Prefetch("contact__details", _details(pupil.school_id, staff=None)),
            Prefetch("contact__connections", _open_connections(), to_attr="open_connections"),
        )
        .order_by("-ended_on", "priority", "id")
    )


def links_of_contact(membership: Membership, contact: Contact) -> QuerySet[PupilContact]:
    """Return a contact's links with their pupils: those that stand first, then by pupil."""
    found = links(membership).filter(contact=contact).select_related("pupil")
    return found.order_by("-ended_on", "pupil__surname", "pupil__forename", "id")


def groups_of_pupil(pupil: Pupil) -> QuerySet[Group]:
    """Return the groups a pupil is in, the largest kind first."""
    kinds = Case(*(When(kind=kind, then=place) for place, kind in enumerate(GroupKind)))
    return Group.objects.filter(school_id=pupil.school_id, members__pupil=pupil).order_by(kinds, "name")


def open_connection(person: Contact | Staff) -> Connection | None:
    """Return the open connection of a person: invited or connected."""
    return person.connections.filter(ended_at=None).select_related("account").first()


_connections = Prepared(
    lambda: (
        Connection.objects.filter(account=Given("account"), connected_at__isnull=False, ended_at=None)
        .select_related("school", "contact", "staff")
        .order_by("school__name", "id")
    )
)


def connections_of(account: Account) -> tuple[Connection, ...]:
    """Return the records this login is connected to, at every school, each with its person and school."""
    with scope.every_school():
        return tuple(_connections(account=account.pk))


def identities(person: Pupil | Contact | Staff) -> list[tuple[MisIdentity, ImportExclusion | None]]:
    """Return the records of the MIS that are this person, each with its place on the "do not import" list."""
    found = list(person.identities.select_related("source").order_by("-source__generation", "external_id", "part"))
    excluded = exclusions_of(person.school_id, found)
    return [(one, excluded.get((one.source_id, one.kind, one.external_id))) for one in found]


def exclusions_of(school_id: int, found: Iterable[MisIdentity]) -> dict[tuple[int, str, str], ImportExclusion]:
    """Return the exclusions of these records, by source, kind and record."""
    wanted = [one.external_id for one in found]
    listed = ImportExclusion.objects.filter(school_id=school_id, external_id__in=wanted)
    return {(one.source_id, one.kind, one.external_id): one for one in listed}


def exclusions(school: School) -> QuerySet[ImportExclusion]:
    """Return the "do not import" list, by name."""
    return ImportExclusion.objects.filter(school=school).select_related("source").order_by("label", "id")


# Groups


def groups(school: School) -> QuerySet[Group]:
    """Return the groups that have members, with `size`, by kind and name; for choosing a teacher's groups."""
    return (
        Group.objects.filter(school=school).annotate(size=Count("members")).filter(size__gt=0).order_by("kind", "name")
    )
