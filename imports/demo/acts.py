"""What the parents of the demo and their offices do between the two nights, by the services that the pages use.

Everything happens at a moment of its own in the past fortnight, so that deadlines, reminders and
lapsed invitations are real ones. Each act is done once: whoever is connected or invited is left alone.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from django.db import transaction

from hub.accounts.models import Account
from hub.core.models import School
from hub.messaging import notices
from hub.messaging.models import Notice
from hub.people.models import Connection, Contact, PupilContact
from imports.demo.schools import give_password
from verification import children, sweeping
from verification.changes import answering, changing, effects, freezing, proposing
from verification.invitations import inviting, letter_making
from verification.lifecycle import leavers, merging
from verification.models import DetailChange
from verification.registration import joining
from verification.registration.rules import EMAIL, MOBILE, Said, Told
from verification.reporting import marking

UPDATED_EMAIL = "at.home@example.org"
"""What a parent changes theirs to, and the MIS has by the second night."""

TO_SIGN_IN = {
    "both_schools": "children at two schools; Beck Road asks about the mobile",
    "asked_long_ago": "was asked six days ago and reminded",
    "waiting": "a new mobile waits for its code: send it again, read it in the inbox",
    "two_records": "two records, which can be made one",
    "shares_too": "shares an email with the other parent, signs in by mobile",
    "frozen": "“this was not me” was said: frozen until the office lifts it",
}
"""Parents to sign in as, and what is to be seen there."""


@dataclass
class Stage:
    """One school in the morning after its first night: who is who in the hub, and who works in the office."""

    people: dict[str, Contact]
    office: Account
    now: dt.datetime
    logins: dict[str, Account] = field(default_factory=dict)

    def ago(self, *, days: float = 0, hours: float = 0) -> dt.datetime:
        return self.now - dt.timedelta(days=days, hours=hours)

    def join(self, part: str, *, kinds: tuple[str, ...] = (EMAIL, MOBILE), days: float = 12, login: str = "") -> None:
        """Invite a parent, and have them register with these details of theirs proved."""
        owner, then = self.people[part], self.ago(days=days)
        if _is_connected(owner):
            self.logins[part] = _login_of(owner)
            return
        held = {one.kind: one.value for one in effects.all_held(owner)}
        told = {kind: Told(Said.KEPT, held.get(kind, "")) for kind in (EMAIL, MOBILE)}
        told |= {kind: Told(Said.PROVED, held[kind]) for kind in kinds if held.get(kind)}
        invitation = inviting.invite(owner=owner, by=self.office, now=then - dt.timedelta(hours=3))
        guest = joining.look(token_hash=invitation.token_hash, now=then)
        joined = joining.join(
            guest=guest,
            answers=joining.Answers(details=told, mine={}),
            account=self.logins.get(login),
            passkey=None if login else give_password,
            now=then,
        )
        self.logins[part] = joined.account

    def invite(self, part: str, *, channel: str | None = None, days: float) -> None:
        inviting.invite(owner=self.people[part], by=self.office, channel=channel, now=self.ago(days=days))

    def asks(self, part: str, kind: str, value: str, *, days: float) -> DetailChange:
        """The office edits a Connected parent: that asks them."""
        change = proposing.edit_or_propose(
            owner=self.people[part], kind=kind, value=value, by=self.office, now=self.ago(days=days)
        )
        assert change is not None
        return change

    def changes(self, part: str, kind: str, value: str, *, days: float) -> DetailChange:
        """A parent changes their own, and proves it."""
        then = self.ago(days=days)
        with transaction.atomic():
            started = self.starts(part, kind, value, then)
            assert started.code is not None
            typed = _code_sent_to(started.code.address)
        (made,) = changing.prove(
            account=self.logins[part], batch=started.batch, code_id=started.code.pk, typed=typed, now=then
        )
        return made

    def starts(self, part: str, kind: str, value: str, then: dt.datetime) -> changing.Started:
        owner, account = self.people[part], self.logins[part]
        mine = list(Connection.objects.filter(contact=owner, account=account, ended_at=None))
        return changing.start_change(
            account=account, connections=mine, kind=kind, value=value, by_name=str(owner), now=then
        )


def _code_sent_to(address: str) -> str:
    """Read the newest code as its owner would, before the mail has left."""
    notice = Notice.objects.filter(kind="code", to=address).latest("pk")
    found = re.search(r"\b(\d{3} ?\d{3})\b", " ".join(notices.opened(notice)))
    assert found is not None
    return found[1]


def _is_connected(owner: Contact) -> bool:
    return owner.connections.filter(connected_at__isnull=False, ended_at=None).exists()


def _login_of(owner: Contact) -> Account:
    found = Account.objects.filter(connections__contact=owner, connections__ended_at=None).first()
    assert found is not None
    return found


def is_played(stage: Stage) -> bool:
    """Say whether it has all happened already."""
    return _is_connected(stage.people["kept"])


def play(stage: Stage, *, all_of_it: bool) -> None:
    """Let everything happen that is to be seen at one school; `all_of_it`: also what is only at the first."""
    _not_yet_connected(stage, all_of_it=all_of_it)
    for part in ("kept", "to_copy", "asked_today", "asked_long_ago"):
        stage.join(part)
    stage.join("email_only", kinds=(EMAIL,))
    stage.changes("to_copy", MOBILE, "07700900990", days=3)
    stage.asks("asked_today", EMAIL, "newer.address@example.org", days=2)
    stage.asks("asked_long_ago", MOBILE, "07700900991", days=6.2)
    if all_of_it:
        _connected(stage)
        _answers(stage)
        _marked(stage)
        _families(stage)
    sweeping.sweep(stage.ago(days=3))
    sweeping.sweep(stage.now)


def morning_after(school: School, now: dt.datetime) -> None:
    """Let what the clock does to leavers be seen at once; the beat comes to it within ten minutes."""
    leavers.sweep_school(school, now)


def _not_yet_connected(stage: Stage, *, all_of_it: bool) -> None:
    stage.invite("lapsed", days=11)
    stage.invite("invited", days=2)
    if all_of_it:
        stage.invite("invited_by_text", channel="text", days=1)
        letter_making.print_letter(owner=stage.people["letter"], by=stage.office, now=stage.ago(days=4))


def _connected(stage: Stage) -> None:
    for part in ("waiting", "updated", "leaver", "frozen"):
        stage.join(part)
    stage.join("offered", kinds=(EMAIL,))
    stage.changes("updated", EMAIL, UPDATED_EMAIL, days=2)
    stage.starts("waiting", MOBILE, "07700900992", stage.ago(hours=5))
    taken_over = stage.changes("frozen", EMAIL, "somebody.else@example.org", days=0.9)
    freezing.not_me_signed_in(account=stage.logins["frozen"], batch=taken_over.batch, now=stage.ago(days=0.8))


def _answers(stage: Stage) -> None:
    """No, with a reason; nobody answered; answered by a change of their own."""
    for part in ("rejected", "expired", "withdrawn"):
        stage.join(part)
    asked = stage.asks("rejected", EMAIL, "old.work@example.org", days=5)
    answering.reject(
        account=stage.logins["rejected"], change=asked, reason="I left that job in July.",
        by_name=str(stage.people["rejected"]), now=stage.ago(days=4),
    )  # fmt: skip
    stage.asks("expired", MOBILE, "07700900993", days=9)
    stage.asks("withdrawn", MOBILE, "07700900994", days=5)
    stage.changes("withdrawn", MOBILE, "07700900995", days=4.5)


def _marked(stage: Stage) -> None:
    """Typed into the MIS, says the office: last evening, and long enough ago that a night should have shown it."""
    for part, mobile, changed, marked in (("done", "07700900996", 2, 0.6), ("differs", "07700900997", 6, 4)):
        stage.join(part)
        change = stage.changes(part, MOBILE, mobile, days=changed)
        marking.mark_done(school=change.school, ids=[change.pk], by=stage.office, now=stage.ago(days=marked))


def _families(stage: Stage) -> None:
    """Not my child; one email of two parents; two records of one parent."""
    stage.join("not_my_child")
    link = PupilContact.objects.filter(contact=stage.people["not_my_child"], ended_on=None).order_by("pk")[1]
    children.not_my_child(
        account=stage.logins["not_my_child"], link=link, by_name=str(stage.people["not_my_child"]),
        now=stage.ago(days=1.5),
    )  # fmt: skip
    stage.join("shares")
    stage.join("shares_too", days=11)
    for part in ("two_records", "merged"):
        stage.join(part)
        stage.join(f"{part}_again", login=part, days=11)
    merging.merge(
        account=stage.logins["merged"], kept=stage.people["merged"], gone=stage.people["merged_again"],
        by_name=str(stage.people["merged"]), now=stage.ago(days=2.5),
    )  # fmt: skip


def join_both(first: Stage, second: Stage) -> Account:
    """Connect the parent who has children at both schools, with one login; the second school asks them something."""
    first.join("both_schools")
    second.logins["both_schools"] = account = first.logins["both_schools"]
    second.join("both_schools", login="both_schools", days=10)
    second.asks("both_schools", MOBILE, "07700900998", days=1.2)
    return account
