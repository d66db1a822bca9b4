"""Every button pressed twice at once, in real transactions: one effect, one notice, and the other is told."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
from django.utils import timezone

from hub.accounts.models import Account, Role
from hub.accounts.tokens import hashed
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.messaging.models import Notice
from hub.people.models import Connection, Contact, PupilContact
from tests.conftest import join, make_school
from tests.factories.changes import make_change
from tests.factories.inbox import last_code, last_link
from tests.factories.parents import EMAIL, MOBILE, make_parent
from tests.factories.people import give, make_contact, make_pupil
from tests.verification.test_races import NEW, approving, ask, proving, refused, starting, together
from verification import children, codes, services
from verification.changes import changing, declining, freezing
from verification.invitations import inviting
from verification.lifecycle import leaving, merging
from verification.models import DetailChange, Invitation, Merge, ProofCode, Status
from verification.recovery import recovering
from verification.registration import joining
from verification.registration.joining import Answers
from verification.registration.rules import Said, Told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def larch() -> Iterator[School]:
    made = make_school("Larch Hill Primary", "8233001")
    with scope.schools(made.pk):
        yield made


@pytest.fixture
def priya(larch: School) -> Account:
    return join(larch, "office@example.org", "Priya Shah", Role.OFFICE)


@pytest.fixture
def ngozi(larch: School) -> Connection:
    return make_parent(larch)


def login_of(one: Connection) -> Account:
    assert one.account is not None
    return one.account


def contact_of(one: Connection) -> Contact:
    assert one.contact is not None
    return one.contact


def audited(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def test_a_yes_that_needs_no_code(larch: School, priya: Account, ngozi: Connection, now: dt.datetime) -> None:
    with scope.schools(larch.pk):
        change = services.edit_or_propose(owner=contact_of(ngozi), kind="mobile", value="", by=priya, now=now)
    assert change is not None
    assert refused(together(*[approving(ngozi, change, now)] * 2)) == 1
    assert audited("detail.changed") == 1
    assert Notice.objects.filter(kind="proposal_answered").count() == 1


def test_a_yes_that_needs_a_code(larch: School, priya: Account, ngozi: Connection, now: dt.datetime) -> None:
    change = ask(ngozi, priya, now)
    assert refused(together(*[approving(ngozi, change, now)] * 2)) == 1
    assert ProofCode.objects.count() == 1


def test_taking_out(larch: School, ngozi: Connection, now: dt.datetime) -> None:
    def take() -> object:
        return changing.take_out(account=login_of(ngozi), connections=[ngozi], kind="mobile", by_name="Ngozi", now=now)

    assert refused(together(take, take)) == 1
    assert DetailChange.objects.count() == audited("detail.changed") == 1


def test_turning_an_offer_down(larch: School, ngozi: Connection, now: dt.datetime) -> None:
    offer = make_change(contact_of(ngozi), status=Status.OFFER, origin="import", mis_state="", effective_at=None)

    def decline() -> object:
        return declining.decline(account=login_of(ngozi), offer=offer, by_name="Ngozi", now=now)

    assert refused(together(decline, decline)) == 1
    assert audited("detail.offer_declined") == 1


def test_this_was_not_me(larch: School, ngozi: Connection, now: dt.datetime) -> None:
    proving(ngozi, starting(ngozi, NEW, now)(), NEW, now)()
    token = last_link(EMAIL).rstrip("/").rpartition("/")[2]

    def link() -> object:
        return freezing.not_me(token_hash=hashed(token), now=now)

    assert refused(together(link, link, link)) == 2
    assert audited("detail.frozen") == 1


def test_lifting_a_freeze(larch: School, priya: Account, ngozi: Connection, now: dt.datetime) -> None:
    frozen = make_change(contact_of(ngozi), status=Status.FROZEN, mis_state="")

    def lift() -> object:
        return freezing.lift(change=frozen, by=priya, now=now)

    assert refused(together(lift, lift, school=larch)) == 1
    assert audited("detail.freeze_lifted") == 1


def test_not_my_child_and_giving_back(larch: School, priya: Account, ngozi: Connection, now: dt.datetime) -> None:
    link = PupilContact.objects.select_related("contact").get(contact=ngozi.contact)

    def deny() -> DetailChange:
        return children.not_my_child(account=login_of(ngozi), link=link, by_name="Ngozi", now=now)

    first, second = together(deny, deny, school=larch)
    assert first == second, "said twice it is the same row"
    assert audited("child.denied") == 1

    def give_back() -> object:
        return children.give_back(change=first, by=priya, now=now)

    assert refused(together(give_back, give_back, school=larch)) == 1
    assert audited("child.given_back") == 1


def test_merging_and_undoing(larch: School, priya: Account, ngozi: Connection, now: dt.datetime) -> None:
    other = contact_of(make_parent(larch, ngozi.account, email="", mobile=""))

    def merge() -> Merge:
        return merging.merge(account=login_of(ngozi), kept=contact_of(ngozi), gone=other, by_name="Ngozi", now=now)

    assert refused(together(merge, merge)) == 1
    done = Merge.objects.get()

    def undo() -> object:
        return merging.undo_merge(merge=done, by=priya, now=now)

    assert refused(together(undo, undo, school=larch)) == 1
    assert audited("person.merge_undone") == 1


def test_disconnecting(larch: School, priya: Account, ngozi: Connection, now: dt.datetime) -> None:
    def end() -> object:
        return leaving.disconnect(owner=contact_of(ngozi), by=priya, why="moved away", now=now)

    assert refused(together(end, end, school=larch)) == 1
    assert audited("person.disconnected") == 1


def test_registering_by_one_link(larch: School, priya: Account, now: dt.datetime) -> None:
    mother = make_contact(larch, "Nell", "Frost", make_pupil(larch))
    give(mother, "email", "nell@example.org")
    guest = joining.look(token_hash=inviting.invite(owner=mother, by=priya, now=now).token_hash, now=now)
    said = Answers(details={"email": Told(Said.PROVED, "nell@example.org")}, mine={guest.children[0].pk: True})

    def register() -> object:
        return joining.join(guest=guest, answers=said, account=None, password="correct horse battery", now=now)

    assert refused(together(register, register, register)) == 2
    assert Account.objects.filter(email="nell@example.org").count() == 1
    assert Connection.objects.filter(contact=mother).count() == audited("person.connected") == 1
    assert Invitation.objects.get().used_at == now


def test_a_new_password_by_one_recovery_link(ngozi: Connection) -> None:
    now = timezone.now()
    recovering.ask(typed=EMAIL, now=now)
    found = recovering.look(token_hash=hashed(last_link(EMAIL).rstrip("/").rpartition("/")[2]), now=now)

    def finish() -> object:
        return recovering.finish(recovery=found, second="", password=f"{uuid.uuid4()} words", now=now)

    assert refused(together(finish, finish)) == 1
    assert login_of(ngozi).security_events.filter(what="password_set").count() <= 1


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovering, "_enqueue", lambda task, request_id: None)


def test_a_mailbox_is_not_filled_however_many_ask_at_once(ngozi: Connection, no_worker: None, now: dt.datetime) -> None:
    requests = [recovering.ask(typed=EMAIL, now=now).pk for _ in range(12)]
    together(*[lambda pk=pk: recovering.answer(request_id=pk, now=now) for pk in requests])  # type: ignore[misc]
    assert Notice.objects.filter(kind="recovery").count() == 4, "four in a quarter of an hour"


def test_texts_to_get_back_in_are_among_the_days_codes_of_a_number(
    ngozi: Connection, no_worker: None, now: dt.datetime
) -> None:
    def text() -> None:
        recovering.answer(request_id=recovering.ask(typed=MOBILE, now=now).pk, now=now)

    text()
    sent = [
        codes.send_code(subject=f"contact:{n}", purpose="join", kind="mobile", address=MOBILE, now=now)
        for n in range(19)
    ]
    assert len(sent) == 19
    with pytest.raises(codes.CodeRefused):
        codes.send_code(subject="contact:20", purpose="join", kind="mobile", address=MOBILE, now=now)
    text()
    assert Notice.objects.filter(kind="recovery").count() == 1


def test_the_days_codes_of_a_person_count_for_every_purpose_together(ngozi: Connection, now: dt.datetime) -> None:
    subject = changing.subject_of(login_of(ngozi))

    def send(number: int) -> object:
        purpose = ("change-email", "change-mobile", "recover")[number % 3]
        address = f"one{number}@example.org"
        return codes.send_code(subject=subject, purpose=purpose, kind="email", address=address, now=now)

    results = together(*[lambda n=n: send(n) for n in range(24)])  # type: ignore[misc]
    assert refused(results) == 4
    assert ProofCode.objects.count() == codes.A_DAY


def test_a_code_of_one_purpose_or_person_is_none_for_another(ngozi: Connection, now: dt.datetime) -> None:
    sent = codes.send_code(subject="account:1", purpose="change-email", kind="email", address=NEW, now=now)
    typed = last_code(NEW)
    for subject, purpose in (
        ("account:1", "change-mobile"), ("account:1", "recover"), ("account:1", "join-email"),
        ("account:2", "change-email"), ("contact:1", "change-email"),
    ):  # fmt: skip
        with pytest.raises(codes.CodeRefused):
            codes.check_code(code_id=sent.pk, subject=subject, purpose=purpose, typed=typed, now=now)
    assert codes.check_code(code_id=sent.pk, subject="account:1", purpose="change-email", typed=typed, now=now)
