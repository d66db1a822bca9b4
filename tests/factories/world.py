"""A school that lives: two nights of SIMS through the real connector and engine, and people who connected."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass

from hub.accounts.models import Account
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Contact, ContactDetail
from imports import services
from imports.link import links
from imports.models import Import, ImportKind, MisLink
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators import sims_xml


@dataclass
class World:
    """A school with its simulated SIMS. `kept` is Connected; `taken` is not."""

    school: School
    sims: simulated.School
    link: MisLink
    kept: Contact
    taken: Contact
    last: Import

    def bundle(self, run_id: str) -> bytes:
        """Return what tonight's run of the agent would send."""
        return sims_xml.bundle(self.sims, run_id, dt.datetime.now(dt.UTC))


def import_night(link: MisLink, sims: simulated.School, run_id: str, *, now: dt.datetime) -> Import:
    """Send and import one night; returns the finished run."""
    received = services.receive(
        link=link, stream=io.BytesIO(sims_xml.bundle(sims, run_id, now)), filename=f"{run_id}.zip", run_id=run_id,
        kind=ImportKind.AUTOLINK, start=False, now=now,
    )  # fmt: skip
    assert received.run is not None
    run = services.run(import_id=received.run.pk, now=now)
    assert run is not None
    return run


def a_world(school: School, *, by: Account, parent: Account, size: int = 16) -> World:
    """Build the world; call it in the school's scope. Last night came this morning at two."""
    this_morning = dt.datetime.now(dt.UTC).replace(hour=2, minute=4, second=0, microsecond=0)
    if this_morning > dt.datetime.now(dt.UTC):
        this_morning -= dt.timedelta(days=1)
    the_night_before = this_morning - dt.timedelta(days=1)
    sims = simulated.generate(seed=7, size=size, dfe_number=school.dfe_number, name=school.name)
    link = links.create_link(school=school, connector="sims", by=by, now=the_night_before - dt.timedelta(days=2))
    link = links.enable(link=link, by=by, now=the_night_before - dt.timedelta(hours=1))
    import_night(link, sims, "night-1", now=the_night_before)
    kept, taken = _two_with_mobiles()
    mobile = ContactDetail.objects.get(contact=kept, kind="mobile").value
    people.connect(contact=kept, account=parent, verified={"mobile": mobile}, by_name=str(kept), now=the_night_before)
    sims.change_mobile(_sims_id(kept), "07700 900801")
    sims.change_mobile(_sims_id(taken), "07700 900802")
    last = import_night(link, sims, "night-2", now=this_morning)
    return World(school, sims, link, kept, taken, last)


def _two_with_mobiles() -> tuple[Contact, Contact]:
    """Return two contacts of their own mobiles, one record each."""
    mobiles = ContactDetail.objects.filter(kind="mobile", contact__isnull=False).exclude(value="")
    alone = [
        detail.contact
        for detail in mobiles.select_related("contact").order_by("contact_id")
        if detail.contact and detail.contact.identities.count() == 1
        and not detail.contact.identities.filter(part=1).exists()
        and mobiles.filter(value=detail.value).count() == 1
    ]  # fmt: skip
    return alone[0], alone[1]


def _sims_id(contact: Contact) -> int:
    return int(contact.identities.get().external_id)
