"""The one order in which whatever moves a school's people waits for whatever else does, so that none wait in a ring.

First the school, where a link or more than one of its people is meant; then the people, contacts before
staff, each by id; then the rows about them. An import holds the school and writes people and links in
any order: who holds two of its people, or one and a link, must not be able to wait for it in between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import connection

from hub.people.models import Contact, Staff

_SCHOOL = 0x5347


def lock_school(school_id: int) -> None:
    """Let one import, undo or merge at a time write who is who at a school, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_SCHOOL, school_id])


def lock_people(owners: Iterable[Contact | Staff], *, links: bool = False) -> None:
    """Lock these people, school after school, until the transaction ends; `links`: their links are written too."""
    places: dict[int, tuple[set[int], set[int]]] = {}
    for one in owners:
        contacts, staff = places.setdefault(one.school_id, (set(), set()))
        (contacts if isinstance(one, Contact) else staff).add(one.pk)
    for school_id in sorted(places):
        contacts, staff = places[school_id]
        lock_ids(school_id, contacts=contacts, staff=staff, links=links)


def lock_ids(
    school_id: int,
    *,
    contacts: Collection[int] = (),
    staff: Collection[int] = (),
    links: bool = False,
    school_is_held: bool = False,
) -> None:
    """Lock people of one school by their ids; call it once in a transaction and school."""
    if not school_is_held and (links or len(contacts) + len(staff) > 1):
        lock_school(school_id)
    for model, ids in ((Contact, contacts), (Staff, staff)):
        if ids:
            found = model._default_manager.filter(school_id=school_id, pk__in=ids)
            list(found.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
