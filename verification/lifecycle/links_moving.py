"""Moving the links of a record to another that is the same person's, and back. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.people.models import Contact, PupilContact
from verification.lifecycle import merging_rules as rules

Moved = dict[str, Any]
"""How the links were, fit for JSON: `whole` moved as they are, `one` were two of one pupil."""


def take_links(*, kept: Contact, gone: Contact, kept_is_older: bool) -> Moved:
    """Give `kept` the links of `gone`; where both have the same pupil, one link remains. Returns how they were."""
    held = {link.pupil_id: link for link in _of(kept)}
    whole: list[int] = []
    one: list[Moved] = []
    for link in _of(gone):
        if link.pupil_id in held:
            one.append(_make_one(held[link.pupil_id], link, kept_is_older=kept_is_older))
        else:
            whole.append(link.pk)
    PupilContact.objects.filter(school_id=kept.school_id, pk__in=whole).update(contact=kept)
    return {"whole": whole, "one": one}


def _make_one(held: PupilContact, other: PupilContact, *, kept_is_older: bool) -> Moved:
    """Keep the row of whichever link was denied: the office's alert and the report lead to it."""
    before, theirs = _columns(held), _columns(other)
    after = rules.one_link(before, theirs, kept_is_older=kept_is_older)
    stays, goes = (other, held) if theirs["denied_at"] and not before["denied_at"] else (held, other)
    kept_id = held.contact_id
    PupilContact.objects.filter(school_id=goes.school_id, pk=goes.pk).delete()
    PupilContact.objects.filter(school_id=stays.school_id, pk=stays.pk).update(contact_id=kept_id, **after)
    return {
        "stays": stays.pk,
        "kept": rules.stored(before) | {"id": held.pk},
        "gone": rules.stored(theirs) | {"id": other.pk},
        "after": rules.stored(after),
    }


def give_links_back(moved: Mapping[str, Any], *, kept: Contact, gone: Contact, heard_since: bool) -> int:
    """Give `gone` its links again, as far as they are still there; returns how many are not.

    Where two had become one, each is as it was before, but what was lost since stays lost: see `merging_rules.parted`.
    """
    whole = PupilContact.objects.filter(school_id=kept.school_id, pk__in=moved["whole"], contact=kept)
    lost = len(moved["whole"]) - whole.update(contact=gone)
    for one in moved["one"]:
        lost += not _part(one, kept=kept, gone=gone, heard_since=heard_since)
    return lost


def _part(one: Mapping[str, Any], *, kept: Contact, gone: Contact, heard_since: bool) -> bool:
    link = PupilContact.objects.filter(school_id=kept.school_id, pk=one["stays"], contact=kept).first()
    if link is None:
        return False
    now, after = _columns(link), rules.restored(one["after"])
    records = ((kept, one["kept"]), (gone, one["gone"]))
    for owner, before in sorted(records, key=lambda record: bool(record[1]["id"] != link.pk)):  # what stays makes room
        PupilContact(
            pk=before["id"],
            school_id=kept.school_id,
            pupil_id=link.pupil_id,
            contact=owner,
            **rules.parted(rules.restored(before), after, now, heard_since=heard_since),
        ).save(force_update=before["id"] == link.pk, force_insert=before["id"] != link.pk)
    return True


def _of(contact: Contact) -> list[PupilContact]:
    links = PupilContact.objects.select_for_update(of=("self",)).filter(school_id=contact.school_id, contact=contact)
    return list(links.order_by("pk"))


def _columns(link: PupilContact) -> Moved:
    return {name: getattr(link, name) for name in rules.LINK}
