"""Deeds in PostgreSQL: by the services that pages and tasks use, each compared with the oracle afterwards."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connection

from hub.accounts.models import Account
from hub.core import scope
from hub.core.errors import HubError
from hub.core.models import School
from hub.people.models import Connection, Contact, ContactDetail, Pupil, Staff
from imports import decisions, state
from imports.types import CONTACT, EMAIL, MOBILE, STAFF, Facts, Identity, Key, Owner, Plan, State, Values
from tests.factories.desk import BEGAN, WEEK, Desk, Record, Row, Slot, Value
from tests.factories.desk_rows import OPEN, PERSON, REPLACED
from tests.factories.histories_db import DatabaseHub
from tests.factories.leavers import today
from tests.factories.life_db_joining import JoiningInDatabase
from tests.factories.life_db_leaving import LeavingInDatabase
from verification import sweeping
from verification.changes import answering, changing, declining, freezing, proposing
from verification.invitations import inviting
from verification.lifecycle import leaving, merging
from verification.models import ChangeLink, Choices, DetailChange, Merge, ProofCode
from verification.registration import joining
from verification.reporting import marking, settling

CODE = "123456"
"""What every code is: the test sees to it."""


class SchoolHub(DatabaseHub):
    """A school's hub whose clock is the desk's, and whose imports settle what they show."""

    def __init__(self, school: School, desk: Desk) -> None:
        self.desk = desk
        super().__init__(school)

    @property
    def now(self) -> dt.datetime:
        return self.desk.now

    @now.setter
    def now(self, moment: dt.datetime) -> None:
        """The desk's clock moves by itself."""

    def night(self, *facts: Facts, **how: Any) -> Plan:
        with scope.schools(self.school.pk):
            plan = super().night(*facts, **how)
            assert self.last
            settling.settle(school=self.school, import_id=self.last.pk, now=self.now)
            inviting.void_outdated(school=self.school, now=self.now)
        return plan

    @cached_property
    def _known(self) -> State:
        """What only an import, its undo or a merge can move: asked for at every step, so kept."""
        known = State(identities=state.load_identities(self.link.source))
        state._Loader(self.school.pk, known).contacts(_people(known, CONTACT), [])
        return known

    @cached_property
    def _held(self) -> State:
        """What anybody moves: details, and who is connected."""
        held = State(identities=self.identities)
        loader = state._Loader(self.school.pk, held)
        for kind in (CONTACT, STAFF):
            loader._details(kind, _people(held, kind))
        return held

    @property
    def identities(self) -> dict[Key, Identity]:
        return self._known.identities

    @property
    def links(self) -> dict[tuple[int, int], Values]:
        return self._known.links

    def _moved(self) -> None:
        self.__dict__.pop("_known", None)
        self.__dict__.pop("_leaving", None)
        self.changed()

    def changed(self) -> None:
        self.__dict__.pop("_held", None)

    @cached_property
    def _leaving(self) -> dict[int, dt.date | None]:
        return dict(Pupil.objects.filter(school=self.school).values_list("pk", "leaving_date"))

    def here(self) -> set[int]:
        return {pk for pk, day in self._leaving.items() if day is None or day > today(self.now)}

    def undo(self) -> bool:
        if self.last is None:
            return False
        with scope.schools(self.school.pk):
            decisions.undo(run=self.last, by=self.office, now=self.now)
        self.last = None
        self._moved()
        return True


def _people(known: State, kind: str) -> set[int]:
    return {one.person_id for key, one in known.identities.items() if key[0] == kind}


class InDatabase(JoiningInDatabase, LeavingInDatabase):
    """See `tests.factories.life.Deeds`. A deed that the hub refuses is False, and the oracle leaves it out."""

    def __init__(self, schools: tuple[School, School]) -> None:
        self.schools = schools
        self.desk = Desk()
        self.hubs = [SchoolHub(school, self.desk) for school in schools]
        self.accounts: dict[int, Account] = {}
        self.office = self.hubs[0].office
        self.guests: dict[Any, joining.Guest] = {}

    @property
    def now(self) -> dt.datetime:
        return self.desk.now

    def hub(self, place: int) -> SchoolHub:
        return self.hubs[place]

    def person(self, record: Record) -> Contact | Staff:
        return self.hubs[record[0]]._person(record[1])

    def _mine(self, row: Row, *statuses: str) -> DetailChange:
        (_place, owner, kind), field = row.slot, f"{row.slot[1][0]}_id"
        found = DetailChange.objects.filter(
            **{field: owner[1]}, field=kind, new_value=row.new, status__in=statuses or [row.status]
        )
        chosen = found.exclude(mis_state=REPLACED).order_by("-pk").first()
        assert chosen is not None, f"the hub has no such row: {row}"
        return chosen

    def name(self, record: Record) -> tuple[str, str, str]:
        person = self.person(record)
        return person.title, person.forename, person.surname

    # No longer connected.

    def disconnect(self, record: Record) -> bool:
        person = self.person(record)
        return self._done(
            lambda: leaving.disconnect(owner=person, by=self.office, why="As the test likes", now=self.now)
        )

    # The person.

    def _connections(self, login: int, records: list[Record]) -> list[Connection]:
        wanted = {(record[1][0], record[1][1]) for record in records}
        found = Connection.objects.filter(account=self.accounts[login], ended_at=None, connected_at__isnull=False)
        return [
            one
            for one in found
            if (("contact", one.contact_id) if one.contact_id else ("staff", one.staff_id)) in wanted
        ]

    def start(self, login: int, records: list[Record], kind: str, new: str) -> bool:
        return self._done(
            lambda: changing.start_change(
                account=self.accounts[login], connections=self._connections(login, records), kind=kind, value=new,
                by_name=f"Login {login}", now=self.now,
            )
        )  # fmt: skip

    def prove(self, login: int, rows: list[Row]) -> bool:
        batch, account = self._mine(rows[0]).batch, self.accounts[login]

        def prove() -> None:
            code = self._code(login, batch, rows[0])
            changing.prove(account=account, batch=batch, code_id=code.pk, typed=CODE, now=self.now)

        return self._done(prove)

    def _code(self, login: int, batch: Any, row: Row) -> ProofCode:
        """The newest code for this change; another is asked for where time or a newer change has voided it."""
        found = ProofCode.objects.filter(
            subject=f"account:{self.accounts[login].pk}", address=row.new, used_at=None, voided_at=None,
            expires_at__gt=self.now,
        ).order_by("-pk").first()  # fmt: skip
        return found or changing.send_again(account=self.accounts[login], batch=batch, now=self.now)

    def cancel(self, login: int, rows: list[Row]) -> bool:
        batch = self._mine(rows[0]).batch
        return self._done(lambda: changing.cancel(account=self.accounts[login], batch=batch, now=self.now))

    def take_out(self, login: int, slot: Slot) -> bool:
        return self._done(
            lambda: changing.take_out(
                account=self.accounts[login], connections=self._connections(login, [slot[:2]]), kind=slot[2],
                by_name=f"Login {login}", now=self.now,
            )
        )  # fmt: skip

    def approve(self, login: int, row: Row, *, everywhere: bool) -> bool:
        change = self._mine(row)
        return self._done(
            lambda: answering.approve(
                account=self.accounts[login],
                change=change,
                everywhere=everywhere,
                by_name=f"Login {login}",
                now=self.now,
            )
        )

    def reject(self, login: int, row: Row) -> bool:
        change = self._mine(row)
        return self._done(
            lambda: answering.reject(
                account=self.accounts[login], change=change, reason="No", by_name=f"Login {login}", now=self.now
            )
        )

    def decline(self, login: int, row: Row) -> bool:
        offer, account = self._mine(row), self.accounts[login]
        return self._done(
            lambda: declining.decline(account=account, offer=offer, by_name=f"Login {login}", now=self.now)
        )

    def refused(self, login: int, row: Row) -> bool:
        """Exactly at the deadline, or after it, nothing is accepted."""
        change = self._mine(row)
        try:
            if row.status == "pending":
                answering.approve(
                    account=self.accounts[login], change=change, everywhere=False, by_name="Late", now=self.now
                )
            else:
                changing.send_again(account=self.accounts[login], batch=change.batch, now=self.now)
        except HubError:
            return True
        raise AssertionError("an answer was taken after the deadline")

    def not_me(self, login: int, rows: list[Row], *, by_link: bool) -> bool:
        batch, account = self._of_row(rows[0]).batch, self.accounts[login]
        links = ChangeLink.objects.filter(batch=batch, used_at=None).order_by("-pk")
        if rows[0].previous.value not in ("", rows[0].new) and self.now < rows[0].came_at + WEEK:
            assert links, f"no old address was told of {rows[0]}"
        if not by_link or not links:
            return self._done(lambda: freezing.not_me_signed_in(account=account, batch=batch, now=self.now))
        opened = links[0].token_hash
        if not self._done(lambda: freezing.not_me(token_hash=opened, now=self.now)):
            return False
        assert not self._done(lambda: freezing.not_me(token_hash=opened, now=self.now)), "a link was good twice"
        return True

    def _of_row(self, row: Row) -> DetailChange:
        """Return the hub's row of a change that took effect, also where a later one has replaced it."""
        (_place, owner, kind), field = row.slot, f"{row.slot[1][0]}_id"
        found = DetailChange.objects.filter(
            **{field: owner[1]}, field=kind, new_value=row.new, status=row.status, effective_at=row.came_at
        )
        return found.get()

    # The office.

    def edit(self, slot: Slot, new: str) -> bool:
        return self._done(
            lambda: proposing.edit_or_propose(
                owner=self.person(slot[:2]), kind=slot[2], value=new, by=self.office, now=self.now
            )
        )

    def ask_again(self, row: Row) -> bool:
        change = self._mine(row)
        return self._done(lambda: proposing.ask_again(change=change, by=self.office, now=self.now))

    def withdraw(self, row: Row) -> bool:
        change = self._mine(row)
        return self._done(lambda: proposing.withdraw(change=change, by=self.office, now=self.now))

    def lift(self, rows: list[Row]) -> bool:
        change = self._mine(rows[0])
        return self._done(lambda: freezing.lift(change=change, by=self.office, now=self.now))

    def mark_done(self, row: Row) -> bool:
        change = self._mine(row)
        marking.mark_done(school=change.school, ids=[change.pk], by=self.office, now=self.now)
        return True

    def propose_drift(self, place: int, *, on: bool) -> bool:
        Choices.objects.update_or_create(school=self.schools[place], defaults={"propose_drift": on})
        return True

    # Children, and records that are one person.

    def merge(self, login: int, place: int, kept: Owner, gone: Owner) -> bool:
        one, other = Contact.objects.get(pk=kept[1]), Contact.objects.get(pk=gone[1])
        self.hubs[place]._moved()
        return self._done(
            lambda: merging.merge(
                account=self.accounts[login], kept=one, gone=other,
                by_name=f"Login {login}", now=self.now,
            )
        )  # fmt: skip

    def undo_merge(self, place: int, kept: Owner, gone: Owner) -> bool:
        self.hubs[place]._moved()
        merge = Merge.objects.get(kept_id=kept[1], gone_id=gone[1], undone_at=None)
        return self._done(lambda: merging.undo_merge(merge=merge, by=self.office, now=self.now))

    def sweep(self) -> None:
        sweeping.sweep(self.now)

    def _done(self, deed: Callable[[], object]) -> bool:
        try:
            deed()
        except HubError as refusal:
            print("The hub refused:", repr(refusal), refusal)
            return False
        finally:
            for hub in self.hubs:
                hub.changed()
        return True

    # Comparing.

    def done(self, desk: Desk) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        self.check_front(desk)
        self.check_leavers(desk)
        here, there = self._values(), {slot: held for slot, held in desk.values.items() if held.value}
        assert here == there, self._story(desk, {slot for slot, _held in here.items() ^ there.items()})
        rows = [row for row in desk.rows if row.record not in desk.away]
        listed, told = self._rows(), Counter(_as_compared(row) for row in rows)
        assert listed == told, self._story(desk, {one[0] for one in ((listed - told) + (told - listed))})

    def _story(self, desk: Desk, slots: set[Slot]) -> str:
        """Return what both sides have of these emails and mobiles, in the order in which it came."""
        lines = []
        for place, owner, kind in sorted(slots):
            slot = (place, owner, kind)
            lines.append(f"{slot}: {desk.value(slot)}, the MIS {desk.mis.get(slot)!r} since {desk.mis_since.get(slot)}")
            lines += [f"  oracle {row.status} {row.mis_state} {row.new} by {row.origin}, {row.made_at}, {row.came_at}"
                      for row in desk.rows if row.slot == slot]  # fmt: skip
            found = DetailChange.objects.filter(**{f"{owner[0]}_id": owner[1]}, field=kind)
            lines += [f"  hub {row.status} {row.mis_state} {row.new_value} by {row.origin}, {row.made_at} {row.reason}"
                      for row in found.order_by("pk")]  # fmt: skip
            held = ContactDetail.objects.filter(**{f"{owner[0]}_id": owner[1]}, kind=kind).values()
            lines += [f"  {one}" for one in held]
        return "\n".join(lines)

    def _values(self) -> dict[Slot, Value]:
        found = ContactDetail.objects.exclude(value="").values_list(
            "school_id", "contact_id", "staff_id", "kind", "value", "source", "verified_at"
        )
        return {
            (self._place(school), _owner(contact, staff), kind): Value(
                value, source, source == PERSON and verified_at is not None
            )
            for school, contact, staff, kind, value, source, verified_at in found
        }

    def _rows(self) -> Counter[Any]:
        found = DetailChange.objects.filter(field__in=[EMAIL, MOBILE], contact__merged_into=None).values_list(
            "school_id", "contact_id", "staff_id", "field", "status", "new_value", "mis_state", "origin", "deadline"
        )
        return Counter(
            (
                (self._place(school), _owner(contact, staff), field),
                status, new_value, mis_state, origin, deadline if status in OPEN else None,
            )
            for school, contact, staff, field, status, new_value, mis_state, origin, deadline in found
        )  # fmt: skip

    def _place(self, school_id: int) -> int:
        return 0 if school_id == self.schools[0].pk else 1


def _as_compared(row: Row) -> tuple[Any, ...]:
    return row.slot, row.status, row.new, row.mis_state, row.origin, row.deadline if row.status in OPEN else None


def _owner(contact: int | None, staff: int | None) -> Owner:
    return (CONTACT, contact) if contact else (STAFF, staff or 0)


__all__ = ["BEGAN", "OPEN", "InDatabase"]
