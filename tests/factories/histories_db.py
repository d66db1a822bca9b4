"""The real database as a hub that histories are lived through, by `imports.state` and `imports.apply`."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any

from django.db import connection, transaction

from hub.accounts.models import Account
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Connection, Contact, Staff
from imports import apply, reading, state, undoing
from imports.link import links
from imports.models import Import, ImportState
from imports.planning.plan import build_plan
from imports.types import CONTACT, KINDS, Detail, Facts, Identity, Key, Owner, Plan, State, Values
from tests.factories.planning import Hub, a_reading

BEGAN = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)


class DatabaseHub:
    """See `tests.factories.histories.AnyHub`."""

    def __init__(self, school: School) -> None:
        self.school = school
        self.link = links.create_link(school=school, connector="sims", by=None, now=BEGAN)
        self.office = Account.objects.create_user(f"o{school.pk}@example.org", name="The office", password="x" * 12)
        self.now = BEGAN
        self.last: Import | None = None

    @cached_property
    def _held(self) -> State:
        known = state.load_identities(self.link.source)
        return state.load(self.link.source, known, facts=(), absent=list(known.values()))

    def _moved(self) -> None:
        self.__dict__.pop("_held", None)
        self.now += dt.timedelta(minutes=5)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    @property
    def identities(self) -> dict[Key, Identity]:
        return self._held.identities

    @property
    def links(self) -> dict[tuple[int, int], Values]:
        return self._held.links

    @property
    def details(self) -> dict[tuple[Owner, str], Detail]:
        return self._held.details

    @property
    def connected(self) -> set[Owner]:
        return self._held.connected

    def night(self, *facts: Facts, everything: bool = False, complete: Any = KINDS) -> Plan:
        """Import as `imports.services` does, from the reading on and without holds."""
        source = self.link.source
        known = state.load_identities(source)
        said = self._reading(*facts, everything=everything, complete=complete)
        absent = [one for one in known.values() if not one.gone and one.key[0] in complete]
        absent = [one for one in absent if one.key[:2] not in said.present]
        absent += reading._of_returning(self.link, known, said.present) + reading._parted(said, known)
        held = state.load(source, known, facts=said.facts, absent=absent)
        plan = build_plan(held, said, now=self.now)
        run = Import.objects.create(
            school=self.school, link=self.link, kind="upload", state=ImportState.APPLIED, created_at=self.now,
            finished_at=self.now,
        )  # fmt: skip
        with transaction.atomic():
            apply.apply(plan, run=run, source=source, now=self.now, today=self.now.date())
            apply.remember_passed(plan.passed, said.opened, source=source)
        self.last = run
        self._moved()
        return plan

    def _reading(self, *facts: Facts, everything: bool, complete: Any) -> Any:
        if everything:
            return a_reading(*facts, complete=complete)
        hub = Hub(identities=self.identities, links=self.links, passed=state.load_passed(self.link.source))
        return hub.opened(*facts, complete=complete)

    def undo(self) -> bool:
        if self.last is None:
            return False
        undoing.undo(self.last, now=self.now)
        self.last = None
        self._moved()
        return True

    def _person(self, owner: Owner) -> Contact | Staff:
        table: Any = Contact if owner[0] == CONTACT else Staff
        found: Contact | Staff = table.objects.get(pk=owner[1])
        return found

    def connect_owner(self, owner: Owner, verified: dict[str, str]) -> None:
        person = self._person(owner)
        account = Account.objects.create_user(
            f"{owner[0]}{owner[1]}-{self.now:%d%H%M}@example.org", name=str(person), password="x" * 12
        )  # fmt: skip
        people.connect(
            contact=person if isinstance(person, Contact) else None,
            staff=person if isinstance(person, Staff) else None,
            account=account, verified=verified, by_name=str(person), now=self.now,
        )  # fmt: skip
        self._moved()

    def disconnect(self, owner: Owner) -> None:
        Connection.objects.filter(**{f"{owner[0]}_id": owner[1]}).update(ended_at=self.now)
        self._moved()

    def edit_owner(self, owner: Owner, kind: str, value: str) -> None:
        people.edit_detail(owner=self._person(owner), kind=kind, value=value, by=self.office, now=self.now)
        self._moved()
