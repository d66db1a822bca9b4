"""Deeds in PostgreSQL of many at once and of leavers; and what parents see, by the portal's own queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.accounts.models import Account
from hub.people.models import Connection
from hub.portal import selectors as portal
from imports.types import CONTACT
from tests.factories.desk import Desk, Record, Slot
from tests.factories.leavers import Clock, today
from verification import services
from verification.changes.proposing import Typed
from verification.lifecycle import leavers

if TYPE_CHECKING:
    import datetime as dt

    from tests.factories.life_db import SchoolHub


class LeavingInDatabase:
    hubs: list[SchoolHub]
    office: Account
    now: dt.datetime
    person: Callable[[Record], Any]
    _record: Callable[[Any], Record]

    def edit_many(self, place: int, typed: dict[Slot, str]) -> list[str]:
        rows = [Typed(self.person(slot[:2]), slot[2], value) for slot, value in typed.items()]
        edited = services.edit_many(school=self.hubs[place].school, rows=rows, by=self.office, now=self.now)
        self.hubs[place].changed()
        return [str(one.outcome) for one in edited]

    def leavers(self) -> None:
        leavers.sweep_leavers(self.now)
        for hub in self.hubs:
            hub.changed()

    def check_leavers(self, desk: Desk) -> None:
        """Compare the clocks, and whom each Connected parent sees in the portal."""
        ties = list(
            Connection.objects.filter(ended_at=None, connected_at__isnull=False, contact__isnull=False).select_related(
                "contact__school"
            )
        )
        clocks = {
            self._record(one): Clock(one.no_child_since, one.ending_told_at) for one in ties if one.no_child_since
        }
        parents = {record for record in desk.logins if record[1][0] == CONTACT}
        assert clocks == {record: clock for record, clock in desk.leavers.clocks.items() if record in parents}
        seen: dict[Record, set[int]] = {self._record(one): set() for one in ties}
        records = {one.contact_id: self._record(one) for one in ties}
        for link in portal._seen_links(**portal._ids(ties), on=today(self.now)):
            seen[records[link.contact_id]].add(link.pupil_id)
        assert seen == desk.leavers.seen, "a parent sees in the portal whom they may not, or not whom they may"
