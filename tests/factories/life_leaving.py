"""What a life has besides: edits of many at once, and parents whose children leave and come back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from imports.types import CONTACT, EMAIL, MOBILE, PUPIL
from tests.factories.desk import Record, Slot
from tests.factories.front import Pair
from tests.factories.life_joining import ADDRESSES, agreed

if TYPE_CHECKING:
    from tests.factories.desk import Desk
    from tests.factories.life_places import Deeds, Place

NEITHER = "neither an email nor a mobile"
DAYS = (1, 13, 14, 15, 76, 77, 90, 91)


class Leaving:
    deeds: Deeds
    desk: Desk
    places: list[Place]

    # Many at once.

    def edit_many(self, place: int, which: int, how: int) -> None:
        """A page of edits: each is saved, asked or refused on its own, and one that fails keeps no other back."""
        owners = self.places[place].owners()
        chosen = dict.fromkeys(owners[(which + at * (1 + how % 3)) % len(owners)] for at in range(4)) if owners else {}
        typed: dict[Slot, str] = {}
        for at, owner in enumerate(chosen):
            for kind in (EMAIL, MOBILE)[at % 2 : at % 2 + 1 + (how + at) % 2]:
                values = (*ADDRESSES[kind], NEITHER, "")
                typed[(place, owner, kind)] = values[(how // 2 + at) % (5 if (place, owner) in self.desk.logins else 6)]
        answered = self.deeds.edit_many(place, typed)
        expected = [self._edit_one(slot, value) for slot, value in typed.items()]
        assert answered in (None, expected), f"{typed}: {answered}, not {expected}"

    def _edit_one(self, slot: Slot, value: str) -> str:
        if value == NEITHER:
            return "failed"
        same = self.desk.value(slot).value == value
        self.desk.edit(slot, value)
        return "same" if same else "asked" if slot[:2] in self.desk.logins else "saved"

    # Leavers.

    def leavers(self, place: int, which: int, how: int) -> None:
        """What is done every day: clocks start and stop, ends are announced, logins end."""
        self.deeds.leavers()
        parents = [record for record in sorted(self.desk.logins) if record[1][0] == CONTACT]
        for record in self.desk.leavers.sweep(parents, self.sees, self.desk.now):
            self.desk.disconnect(record)
            self.desk.leavers.forget(record)

    def sees(self, record: Record) -> bool:
        return bool(self.places[record[0]].seen(record[1]))

    def days(self, place: int, which: int, how: int) -> None:
        self.desk.now += dt.timedelta(days=DAYS[how % len(DAYS)])
        self.sweep()
        self.leavers(place, which, how)

    def all_leave(self, place: int, which: int, how: int) -> None:
        """Every child of a Connected parent leaves; time passes, and perhaps one comes back in time."""
        found = [one for one in sorted(self.desk.logins) if one[0] == place and self.sees(one)]
        if not found:
            return
        record = found[which % len(found)]
        here = self.places[place]
        pupils = {pair[0] for pair in here.seen(record[1])}
        theirs = [key[1] for key, known in here.hub.identities.items() if key[0] == PUPIL and known.person_id in pupils]
        self._on_roll(place, theirs, on_roll=False)
        assert not pupils & {pair[0] for pair in here.seen(record[1])}, "a parent sees a child who has left"
        for days in ((), (76, 13, 1), (90, 13, 1), (76, 14))[how % 4]:
            self.days(place, which, DAYS.index(days))
            self.done()
            if how // 4 % 3 == 0 and days != 1:
                self._on_roll(place, theirs[:1], on_roll=True)

    def _on_roll(self, place: int, pupils: list[str], *, on_roll: bool) -> None:
        self.places[place].pupils |= dict.fromkeys(pupils, on_roll)
        self.at("night", place, 0, 0)
        self.done()

    # Undoing.

    def brought(self, place: int, which: int, how: int) -> None:
        """An import brings a child and a colleague, something is said of them, and it is undone."""
        here = self.places[place]
        here.mis_new_staff(which, how)
        here.mis_new_pupil(which, how)
        known = {*here.owners(), *here.hub.links}
        self.at("night", place, 0, 0)
        self.done()
        for owner in [one for one in here.owners() if one not in known][: how % 3]:
            slot, value = (place, owner, MOBILE), ADDRESSES[MOBILE][which % 4]
            agreed(True, self.deeds.edit(slot, value), "edit")
            self.desk.edit(slot, value)
            self.done()
        told = [
            pair for at, owner in sorted(self.desk.logins) if at == place and owner[0] == CONTACT
            for pair in here.seen(owner) if pair not in known and self._acts((at, owner))
        ]  # fmt: skip
        for pair in told[: how // 3 % 3]:
            self._deny(place, pair)
            self.done()
            if how % 2:
                agreed(True, self.deeds.give_back(place, pair), f"to give back {pair}")
                self.desk.front.give_back(place, pair)
        self.at("undo", place, 0, 0)

    def said_and_undone(self, place: int, which: int, how: int) -> None:
        """The MIS begins to have what a Connected person has not, they may be asked and answer, and it is undone."""
        found = [one for one in sorted(self.desk.logins) if one[0] == place]
        if not found:
            return
        here, record = self.places[place], found[which % len(found)]
        kinds = [kind for kind in (EMAIL, MOBILE) if (record[1], kind) not in here.hub.details]
        kind = kinds[0] if kinds else (EMAIL, MOBILE)[which % 2]
        if how % 3 and place not in self.desk.proposes:
            self.propose_drift(place, which, how)
        here.say(record[1], kind, ADDRESSES[kind][how % 4])
        self.at("night", place, 0, 0)
        self.done()
        for answer in ((), (self.approve,), (self.approve, self.prove), (self.decline,), (self.reject,))[how // 3 % 5]:
            answer(place, which, how)
            self.done()
        self.at("undo", place, 0, 0)

    # After “this was not me”.

    def hijacked(self, place: int, which: int, how: int) -> None:
        """Somebody else changed what a login has; the office disconnects it, and its owner joins anew."""
        for deed in (self.start, self.prove, self.not_me):
            deed(place, which, how)
            self.done()
        for record in [one for one in sorted(self.desk.logins) if self.desk.is_frozen(self.desk.logins[one])]:
            agreed(True, self.deeds.disconnect(record), "disconnect")
            self.desk.disconnect(record)
            self.done()
            self._join(record, which, 3 * how)  # with a login of their own
            self.done()
            login, new = self.desk.logins.get(record), ADDRESSES[EMAIL][how % 4]
            if login is not None and self.desk.value((*record, EMAIL)).value != new:
                agreed(True, self.deeds.start(login, [record], EMAIL, new), "start")
                self.desk.start(login, [record], EMAIL, new)

    # As a life has them.

    def _acts(self, record: Record) -> bool: ...
    def _deny(self, place: int, pair: Pair) -> None: ...
    def _join(self, record: Record, which: int, how: int) -> None: ...
    def start(self, place: int, which: int, how: int) -> None: ...
    def not_me(self, place: int, which: int, how: int) -> None: ...
    def approve(self, place: int, which: int, how: int) -> None: ...
    def prove(self, place: int, which: int, how: int) -> None: ...
    def decline(self, place: int, which: int, how: int) -> None: ...
    def reject(self, place: int, which: int, how: int) -> None: ...
    def propose_drift(self, place: int, which: int, how: int) -> None: ...
    def at(self, name: str, place: int, which: int, how: int) -> None: ...
    def sweep(self) -> None: ...
    def done(self) -> None: ...
