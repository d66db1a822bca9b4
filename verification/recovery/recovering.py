"""Getting back into a login: asking, the link or code that comes, the second proof, the new password.

Of two parents who share a mailbox each gets back into their own login and neither into the other's:
the mail has a link per login, named by the first name alone, and each link asks for what only its
owner has. In the request that asks nothing is looked up, so neither words nor time say whether an
address is known. Opening a link changes nothing; it is used up by the new password.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from hub.accounts import devices, names, passwords, second_factor, tokens
from hub.accounts.models import Account
from hub.core import keyring, sweeps
from hub.messaging import notices
from hub.messaging.models import Channel
from hub.people.models import DetailKind
from verification import codes
from verification.errors import CodeRefused, CodeTrouble, LinkRefused
from verification.models import ProofCode, RecoveryLink, RecoveryRequest
from verification.recovery import reach, rules
from verification.recovery.rules import Proven, Standing, Way
from verification.telling import channel_of

PURPOSE = "recover"
OF_A_REQUEST = "recovery request:"
"""How the subject of a code begins that a request was answered by."""
KEPT_FOR = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Recovery:
    """An open link: whose login it opens, and what is still to be shown."""

    link: RecoveryLink
    account: Account
    standing: Standing | None
    """None for a letter: the office has vouched, and the factors are reset."""

    @property
    def needs_second(self) -> bool:
        return self.standing is not None and rules.needs_second(self.standing)

    @property
    def ways(self) -> list[Way]:
        return rules.ways(self.standing) if self.standing else []

    @property
    def signs_in_by_name(self) -> bool:
        """Whether a password would serve: a login without a name signs in by passkeys alone."""
        return bool(self.account.email or self.account.mobile)


# Asking


@transaction.atomic
def ask(*, typed: str, now: dt.datetime) -> RecoveryRequest:
    """Write down that somebody cannot sign in; a task does the rest. The same work for every address."""
    from verification.tasks import answer_recovery  # the task calls this module

    name = names.read(typed)
    made = RecoveryRequest.objects.create(
        sealed_name=keyring.encrypt(name.value.encode()),
        name_hash=_name_hash(name.value),
        kind=name.column,
        code_hash=_hashed(secrets.token_urlsafe(16)),
        made_at=now,
        expires_at=now + rules.CODE_GOOD_FOR,
    )
    transaction.on_commit(lambda: _enqueue(answer_recovery, made.pk), robust=True)
    return made


def _enqueue(task: object, request_id: int) -> None:
    """Without a broker nothing happens: the sweep asks again."""
    try:
        task.apply_async((request_id,), retry=False)  # type: ignore[attr-defined]
    except task.OperationalError:  # type: ignore[attr-defined]
        return


@transaction.atomic
def answer(*, request_id: int, now: dt.datetime) -> None:
    """Send what a request asks for, if anybody has the address; once, however often it is called."""
    fresh = RecoveryRequest.objects.filter(pk=request_id, answered_at=None, expires_at__gt=now)
    if not fresh.update(answered_at=now):
        return
    request = RecoveryRequest.objects.get(pk=request_id)
    codes.one_at_a_time(request.name_hash)
    value, by_link = _name_of(request), request.kind == DetailKind.EMAIL
    if not rules.may_send(_sent_to(value, now, by_link=by_link), now, by_link=by_link):
        return
    logins = reach.logins_reached_by(request.kind, value)
    if logins and by_link:
        _mail_links(value, logins, now)
    elif logins:
        _text_code(request, value, now)


def _sent_to(value: str, now: dt.datetime, *, by_link: bool) -> list[dt.datetime]:
    """Return when messages went to an address in the last day. What was asked for and not sent does not count:
    else whoever goes on asking would let nothing be sent at all.
    """
    since = now - dt.timedelta(days=1)
    if by_link:
        links = RecoveryLink.objects.filter(sent_to=value, made_at__gt=since)
        # One mail has a link for each of several logins: of one login there are as many links as there were mails.
        counted = links.order_by("made_at").values_list("made_at", "account").annotate(mails=Count("pk"))
        mails: dict[dt.datetime, int] = {}
        for at, _account, times in counted:
            mails[at] = max(times, mails.get(at, 0))
        return [at for at, times in mails.items() for _ in range(times)]
    texts = ProofCode.objects.filter(address=value, purpose=PURPOSE, made_at__gt=since)
    return list(texts.filter(subject__startswith=OF_A_REQUEST).values_list("made_at", flat=True))


def _mail_links(value: str, logins: list[Account], now: dt.datetime) -> None:
    """Send one mail with a link per login: whoever reads it learns first names, which a family knows."""
    links = []
    for account, label in zip(logins, rules.labels(_called(one) for one in logins), strict=True):
        token, _link = _make_link(account, value, now)
        links.append({"name": label, "link": settings.PUBLIC_URL + reverse("recovery:link", args=[token])})
    notices.send(
        kind="recovery",
        channel=Channel.EMAIL,
        to=value,
        template="recover",
        context={"links": links, "minutes": int(rules.LINK_GOOD_FOR.total_seconds() // 60)},
        good_until=now + rules.LINK_GOOD_FOR,
        now=now,
    )


def _text_code(request: RecoveryRequest, value: str, now: dt.datetime) -> None:
    subject = f"{OF_A_REQUEST}{request.pk}"
    if not codes.count_elsewhere(subject=subject, purpose=PURPOSE, kind=DetailKind.MOBILE, address=value, now=now):
        return
    digits = f"{secrets.randbelow(10**codes.DIGITS):0{codes.DIGITS}d}"
    RecoveryRequest.objects.filter(pk=request.pk).update(code_hash=_hashed(digits))
    notices.send(
        kind="recovery",
        channel=Channel.TEXT,
        to=value,
        template="recover_code",
        context={"code": digits, "minutes": int(rules.CODE_GOOD_FOR.total_seconds() // 60)},
        good_until=request.expires_at,
        now=now,
    )


def _called(account: Account) -> str:
    return account.name


def _make_link(account: Account, sent_to: str, now: dt.datetime) -> tuple[str, RecoveryLink]:
    token, token_hash = tokens.make()
    made = RecoveryLink.objects.create(
        account=account,
        token_hash=token_hash,
        sent_to=sent_to,
        made_at=now,
        expires_at=now + rules.LINK_GOOD_FOR,
    )
    return token, made


# The first proof


def check_mobile(*, request_id: int, typed: str, now: dt.datetime) -> list[Account]:
    """Use a mobile's code up and return the logins it leads to. Raises CodeRefused, in the same words for an unknown.

    Refuses to run inside a transaction: a try that was rolled back would not have counted.
    """
    digits = "".join(char for char in typed if char.isdecimal())
    if len(digits) != codes.DIGITS:
        raise CodeRefused(CodeTrouble.WRONG, _("A code has 6 digits. Look at the newest message and try again."))
    mine = RecoveryRequest.objects.filter(pk=request_id, kind=DetailKind.MOBILE)
    with transaction.atomic(durable=True):
        usable = mine.filter(used_at=None, expires_at__gt=now, tries__lt=rules.CODE_TRIES)
        counted = usable.update(tries=F("tries") + 1) > 0
        found = mine.first()
        right = counted and found is not None and _is_it(found.code_hash, digits)
        used = right and mine.filter(used_at=None).update(used_at=now) > 0
    if found is None or not used:
        raise _wrong_code(found, now)
    return reach.logins_reached_by(DetailKind.MOBILE, _name_of(found))


def _wrong_code(found: RecoveryRequest | None, now: dt.datetime) -> CodeRefused:
    begin = _("Ask for a new code.")
    if found is None or found.used_at is not None or found.expires_at <= now:
        return CodeRefused(CodeTrouble.TOO_OLD, _("That code is no longer good.") + " " + begin)
    if found.tries >= rules.CODE_TRIES:
        return CodeRefused(CodeTrouble.TRIED_OUT, _("That was not the code, five times.") + " " + begin)
    left = rules.CODE_TRIES - found.tries
    return CodeRefused(CodeTrouble.WRONG, _("That is not the code. Tries left: %(left)d.") % {"left": left})


def link_for(*, account: Account, request_id: int, now: dt.datetime) -> str:
    """Return the hash of a link, never sent, for a login that a proven mobile leads to. Raises LinkRefused."""
    proved = RecoveryRequest.objects.filter(
        pk=request_id, kind=DetailKind.MOBILE, used_at__gt=now - rules.SECOND_GOOD_FOR
    ).first()
    value = _name_of(proved) if proved else ""
    if account not in reach.logins_reached_by(DetailKind.MOBILE, value):
        raise LinkRefused(_("Please begin again: this page was open for too long."))
    return _make_link(account, value, now)[1].token_hash


def look(*, token_hash: str, now: dt.datetime) -> Recovery:
    """Return what an open link leads to; changes nothing. Raises LinkRefused for one that opens nothing."""
    link = RecoveryLink.objects.select_related("account").filter(token_hash=token_hash).first()
    if link is None or link.used_at is not None or link.expires_at <= now or not link.account.is_active:
        raise LinkRefused(_("This link opens nothing: it was used, or it is too old. Ask for a new one."))
    if link.by_office:
        if not reach.opens_only(link.account, link.by_school or 0):
            raise LinkRefused(
                _("This letter is no longer good: your login opens more than this school now. Ask the school office.")
            )
        return Recovery(link, link.account, None)
    if _waits_for_letter(link.account):
        raise LinkRefused(_("The school office has reset this login and made a letter for it: only that opens it now."))
    kind = _kind_of(link.sent_to)
    if link.account not in reach.logins_reached_by(kind, link.sent_to):
        raise LinkRefused(_("This link opens nothing: the address it was sent to is no longer yours."))
    return Recovery(link, link.account, reach.standing_of(link.account, kind, link.sent_to))


def _waits_for_letter(account: Account) -> bool:
    """Whether an office has emptied the login and its letter was not used: the mailbox alone must not do instead.

    Else whoever reads the mailbox would only have to talk an office into taking the owner's factors away.
    """
    letters = RecoveryLink.objects.filter(account=account, used_at=None).exclude(by_office="")
    return letters.exists() and not account.has_usable_password() and not second_factor.has_one(account)


# The second proof


def send_second(*, recovery: Recovery, way: Way, now: dt.datetime) -> ProofCode:
    """Send a code to another address of the login's owner. Raises LinkRefused where it takes none, CodeRefused."""
    proven = _address_for(recovery, way)
    return codes.send_code(
        subject=_subject(recovery),
        purpose=PURPOSE,
        kind=proven.kind,
        address=proven.value,
        account=recovery.account,
        now=now,
    )


def check_second(*, recovery: Recovery, code_id: int, typed: str, now: dt.datetime) -> Way:
    """Use such a code up and return which way it was. Raises CodeRefused, LinkRefused."""
    proof = codes.check_code(code_id=code_id, subject=_subject(recovery), purpose=PURPOSE, typed=typed, now=now)
    way = Way(proof.kind)
    if _address_for(recovery, way).value != proof.address:
        raise LinkRefused(_("That address proves nothing any more. Please begin again."))
    return way


def _address_for(recovery: Recovery, way: Way) -> Proven:
    usable = rules.usable(recovery.standing) if recovery.standing and way in recovery.ways else []
    found = next((one for one in usable if one.kind == way), None)
    if found is None:
        raise LinkRefused(_("This login cannot be proved that way. Choose another, or ask the school office."))
    return found


def _subject(recovery: Recovery) -> str:
    """Whose proof: of this very link, so that a code sent for one login opens no other."""
    return f"recovery:{recovery.account.pk}:{recovery.link.pk}"


# The end


def finish(*, recovery: Recovery, second: str, password: str, now: dt.datetime) -> Account:
    """Use the link up, set the password (blank for a login that signs in by passkeys), end every session, tell.

    `second` is how the second proof was given, or blank. Raises LinkRefused where one is missing, or
    where the link was used meanwhile: of two tabs one wins.
    """
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=recovery.account.pk)
        recovery = look(token_hash=recovery.link.token_hash, now=now)
        if recovery.needs_second and second not in recovery.ways:
            raise LinkRefused(_("First show that this login is yours."))
        if bool(password) != recovery.signs_in_by_name:
            raise LinkRefused(_("Choose a password for this login first."))
        void_links(account, now)
        if password:
            passwords.set_password(account=account, password=password, tell=False, now=now)
        else:
            devices.end_all(account=account)
        _tell(account, now)
    account.refresh_from_db()
    return account


def void_links(account: Account, now: dt.datetime) -> None:
    """Let no link or letter of this login open anything any more."""
    RecoveryLink.objects.filter(account=account, used_at=None).update(used_at=now)


def _tell(account: Account, now: dt.datetime) -> None:
    """Tell every address that is proven: whoever did not do this themselves must hear of it."""
    for address in reach.proven_addresses(account):
        notices.send(
            kind="security",
            channel=channel_of(address),
            to=address,
            template="recovered",
            context={"name": account.name, "at": now},
            account=account,
            now=now,
        )


def sweep(now: dt.datetime) -> int:
    """Ask again for requests that no task has answered, and forget old ones; returns how many were answered."""
    waiting = RecoveryRequest.objects.filter(answered_at=None, made_at__lt=now - dt.timedelta(seconds=10))
    ids = list(waiting.filter(expires_at__gt=now).order_by("pk").values_list("pk", flat=True)[:100])
    RecoveryRequest.objects.filter(made_at__lt=now - KEPT_FOR).delete()
    # A letter that was not used stays: it still says that the mailbox alone does not open this login.
    RecoveryLink.objects.filter(expires_at__lt=now - KEPT_FOR, by_office="").delete()
    sweeps.each(ids, lambda request_id: answer(request_id=request_id, now=now))
    return len(ids)


def _name_of(request: RecoveryRequest) -> str:
    return keyring.decrypt(bytes(request.sealed_name)).decode()


def _kind_of(address: str) -> str:
    return DetailKind.EMAIL if "@" in address else DetailKind.MOBILE


def _name_hash(value: str) -> str:
    return salted_hmac("verification.recovery.recovering.name", value, algorithm="sha256").hexdigest()


def _hashed(digits: str, salt: str = "") -> str:
    salt = salt or secrets.token_urlsafe(9)
    return f"{salt}${salted_hmac(f'verification.recovery.recovering.{salt}', digits, algorithm='sha256').hexdigest()}"


def _is_it(code_hash: str, digits: str) -> bool:
    return constant_time_compare(code_hash, _hashed(digits, code_hash.partition("$")[0]))
