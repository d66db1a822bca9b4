"""Deeds in PostgreSQL by which people become Connected, and “not my child”; and what is compared of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.accounts.models import Account
from hub.people.models import Connection, PupilContact
from imports.types import CONTACT, EMAIL, MOBILE, Owner
from tests.factories.desk import Desk, Record
from tests.factories.front import Child, Pair, Sent
from verification import children
from verification.invitations import inviting, letter_making
from verification.models import DetailChange, Invitation
from verification.registration import joining
from verification.registration.rules import Said, Told
from verification.reporting import marking

if TYPE_CHECKING:
    import datetime as dt

    from tests.factories.life_db import SchoolHub


class JoiningInDatabase:
    accounts: dict[int, Account]
    guests: dict[Any, joining.Guest]
    hubs: list[SchoolHub]
    office: Account
    now: dt.datetime
    person: Callable[[Record], Any]
    _done: Callable[[Callable[[], object]], bool]
    _place: Callable[[int], int]

    # Inviting.

    def invite(self, record: Record) -> bool:
        return self._done(lambda: inviting.invite(owner=self.person(record), by=self.office, now=self.now))

    def invite_all(self, place: int) -> bool:
        return self._done(lambda: inviting.invite_all(school=self.hubs[place].school, by=self.office, now=self.now))

    def letter(self, record: Record) -> bool:
        return self._done(lambda: letter_making.print_letter(owner=self.person(record), by=self.office, now=self.now))

    def take_back(self, record: Record) -> bool:
        return inviting.void(owner=self.person(record), by=self.office, now=self.now)

    def _invitation(self, sent: Sent) -> Invitation:
        kind, pk = sent.record[1]
        return Invitation.objects.get(**{f"{kind}_id": pk}, sent_at=sent.at, channel=sent.channel)

    # Joining.

    def look(self, sent: Sent) -> bool:
        """Open the link; whoever has opened it once has the page before them from then on."""
        invitation = self._invitation(sent)

        def look() -> None:
            self.guests[invitation.pk] = joining.look(token_hash=invitation.token_hash, now=self.now)

        return self._done(look)

    def join(self, sent: Sent, login: int, proved: dict[str, str], strangers: list[Pair]) -> bool:
        guest, known = self.guests.get(self._invitation(sent).pk), self.accounts.get(login)
        if guest is None:
            return False
        links = PupilContact.objects.filter(contact_id=sent.record[1][1]) if sent.record[1][0] == CONTACT else ()
        mine = {link.pk: (link.pupil_id, link.contact_id) not in strangers for link in links}
        answers = joining.Answers(details=self._told(proved), mine=mine)

        def join() -> None:
            joined = joining.join(
                guest=guest,
                answers=answers,
                account=known,
                passkey=None if known else lambda account: None,
                now=self.now,
            )
            self.accounts[login] = joined.account

        return self._done(join)

    def _told(self, proved: dict[str, str]) -> dict[str, Told]:
        held = {kind: Told(Said.KEPT, "") for kind in (EMAIL, MOBILE)}
        return held | {kind: Told(Said.PROVED, value) for kind, value in proved.items()}

    # Children.

    def _link(self, pair: Pair) -> PupilContact:
        return PupilContact.objects.get(pupil_id=pair[0], contact_id=pair[1])

    def deny(self, login: int, place: int, pair: Pair) -> bool:
        link = self._link(pair)
        return self._done(
            lambda: children.not_my_child(
                account=self.accounts[login], link=link, by_name=f"Login {login}", now=self.now
            )
        )

    def give_back(self, place: int, pair: Pair) -> bool:
        row = children.row_of(self._link(pair))
        assert row is not None, f"nothing says who denied {pair}, so nobody can give it back"
        return self._done(lambda: children.give_back(change=row, by=self.office, now=self.now))

    def mark_child_done(self, row: Child) -> bool:
        found = DetailChange.objects.filter(
            field="child", pupil_id=row.pair[0], contact_id=row.pair[1], mis_state=row.mis_state
        )
        change = found.order_by("pk")[0]
        marking.mark_done(school=change.school, ids=[change.pk], by=self.office, now=self.now)
        return True

    # Comparing.

    def check_front(self, desk: Desk) -> None:
        """Compare the invitations, who is Invited and Connected, who is denied, and the rows about that."""
        front = desk.front
        assert self._sent() == Counter((s.record, s.channel, s.to, s.at, s.used, s.voided) for s in front.sent)
        ties = list(Connection.objects.filter(ended_at=None))
        logins = {self._record(one): one.account_id for one in ties if one.connected_at}
        assert logins == {record: self.accounts[login].pk for record, login in desk.logins.items()}
        assert {self._record(one) for one in ties if not one.connected_at} == front.invited
        denied = PupilContact.objects.exclude(denied_at=None)
        assert {
            (self._place(one.school_id), (one.pupil_id, one.contact_id)): one.denied_at for one in denied
        } == front.denied
        rows = DetailChange.objects.filter(field="child")
        assert Counter(
            (self._place(one.school_id), (one.pupil_id, one.contact_id), one.status, one.mis_state) for one in rows
        ) == Counter((one.place, one.pair, one.status, one.mis_state) for one in front.children)

    def _sent(self) -> Counter[Any]:
        return Counter(
            (self._record(one), one.channel, one.sent_to, one.sent_at, one.used_at is not None, bool(one.voided_at))
            for one in Invitation.objects.all()
        )

    def _record(self, row: Invitation | Connection) -> Record:
        owner: Owner = (CONTACT, row.contact_id) if row.contact_id else ("staff", row.staff_id or 0)
        return (self._place(row.school_id), owner)
