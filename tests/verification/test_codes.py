"""Codes: six digits, ten minutes, once, five tries, twenty a day; guessing all day succeeds once in ten thousand."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from hub.messaging.models import Notice
from tests.factories.inbox import last_code, mails_to
from verification import codes
from verification.errors import CodeRefused, CodeTrouble
from verification.models import ProofCode

TO = "ngozi@example.org"
WHO = {"subject": "account:5", "purpose": "change-email"}
MINUTE = dt.timedelta(minutes=1)


def send(now: dt.datetime, **fields: Any) -> ProofCode:
    return codes.send_code(**({**WHO, "kind": "email", "address": TO, "now": now} | fields))


def check(code: ProofCode, typed: str, now: dt.datetime, **fields: Any) -> ProofCode:
    return codes.check_code(**({**WHO, "code_id": code.pk, "typed": typed, "now": now} | fields))


def wrong(right: str) -> str:
    return f"{(int(right) + 1) % 1_000_000:06d}"


def refused(code: ProofCode, typed: str, now: dt.datetime, **fields: Any) -> CodeRefused:
    with pytest.raises(CodeRefused) as refusal:
        check(code, typed, now, **fields)
    return refusal.value


def test_the_code_that_was_sent_proves_the_address(db: None, now: dt.datetime) -> None:
    made = send(now)
    found = check(made, last_code(TO), now + 9 * MINUTE)
    assert (found.pk, found.address, found.kind) == (made.pk, TO, "email")
    assert ProofCode.objects.get().used_at == now + 9 * MINUTE


def test_spaces_and_dashes_do_not_matter(db: None, now: dt.datetime) -> None:
    made = send(now)
    typed = last_code(TO)
    assert check(made, f" {typed[:3]}-{typed[3:]} ", now)


def test_a_code_to_a_mobile_goes_as_a_text(db: None, now: dt.datetime) -> None:
    made = send(now, kind="mobile", address="+447700900123")
    assert check(made, last_code("+447700900123"), now)
    assert Notice.objects.get().channel == "text"


def test_a_code_is_good_once(db: None, now: dt.datetime) -> None:
    made = send(now)
    typed = last_code(TO)
    check(made, typed, now)
    assert refused(made, typed, now).trouble == CodeTrouble.USED


def test_a_code_is_good_for_ten_minutes_to_the_second(db: None, now: dt.datetime) -> None:
    made = send(now)
    typed = last_code(TO)
    refusal = refused(made, typed, now + 10 * MINUTE)
    assert refusal.trouble == CodeTrouble.TOO_OLD
    assert "10 minutes" in refusal.message
    assert check(made, typed, now + 10 * MINUTE - dt.timedelta(seconds=1))


def test_after_five_wrong_tries_the_right_one_is_too_late(db: None, now: dt.datetime) -> None:
    made = send(now)
    typed = last_code(TO)
    said = [refused(made, wrong(typed), now) for _ in range(5)]
    assert [one.trouble for one in said] == [CodeTrouble.WRONG] * 4 + [CodeTrouble.TRIED_OUT]
    assert "4 more tries" in said[0].message
    assert "1 more try" in said[3].message
    assert refused(made, typed, now).trouble == CodeTrouble.TRIED_OUT


def test_what_cannot_be_a_code_costs_no_try(db: None, now: dt.datetime) -> None:
    made = send(now)
    for typed in ("", "12345", "1234567", "abcdef", "١٢٣٤٥٦"):
        assert refused(made, typed, now).trouble == CodeTrouble.WRONG
    assert ProofCode.objects.get().tries == 0
    assert check(made, last_code(TO), now)


def test_a_newer_code_voids_the_older_of_the_same_purpose_only(db: None, now: dt.datetime) -> None:
    first = send(now)
    typed = last_code(TO)
    other = send(now, purpose="change-mobile", kind="mobile", address="+447700900123")
    send(now + MINUTE)
    assert refused(first, typed, now + MINUTE).trouble == CodeTrouble.REPLACED
    assert check(other, last_code("+447700900123"), now, purpose="change-mobile")


def test_a_code_is_good_for_its_own_subject_and_purpose_only(db: None, now: dt.datetime) -> None:
    made = send(now)
    typed = last_code(TO)
    assert refused(made, typed, now, subject="account:6").trouble == CodeTrouble.UNKNOWN
    assert refused(made, typed, now, purpose="recover").trouble == CodeTrouble.UNKNOWN
    assert refused(made, typed, now, code_id=made.pk + 1).trouble == CodeTrouble.UNKNOWN
    assert ProofCode.objects.get().tries == 0


@pytest.mark.parametrize("fixed", [{"subject": "account:5"}, {"address": TO}])
def test_twenty_codes_a_day_for_one_subject_and_for_one_address(
    db: None, now: dt.datetime, fixed: dict[str, str]
) -> None:
    for number in range(codes.A_DAY):
        send(now + number * MINUTE, **({"subject": f"account:{number}", "address": f"{number}@example.org"} | fixed))
    with pytest.raises(CodeRefused) as refusal:
        send(now + 30 * MINUTE, **({"subject": "account:99", "address": "99@example.org"} | fixed))
    assert refusal.value.trouble == CodeTrouble.TOO_MANY
    assert send(now + dt.timedelta(hours=24), **({"subject": "account:99", "address": "99@example.org"} | fixed))


def test_a_guesser_succeeds_once_in_ten_thousand_days(db: None) -> None:
    assert codes.A_DAY * codes.TRIES / 10**codes.DIGITS <= 1e-4


def test_codes_are_spread_over_all_million(db: None, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(codes.secrets, "randbelow", lambda most: asked.append(most) or 7)
    made = send(now)
    assert asked == [1_000_000]
    assert last_code(TO) == "000007"
    assert check(made, "000007", now)


def test_the_code_is_kept_as_a_salted_hash_and_is_in_no_log(
    db: None, now: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = send(now)
    typed = last_code(TO)
    refused(made, wrong(typed), now)
    check(made, typed, now)
    salt = made.code_hash.partition("$")[0]
    assert typed not in made.code_hash
    assert codes._hashed(typed, made.subject, made.purpose) != made.code_hash
    assert codes._hashed(typed, made.subject, made.purpose, salt) == made.code_hash
    assert len(made.code_hash) <= 64
    assert not [line for line in caplog.messages if typed in line or TO in line]


def test_a_rolled_back_change_sends_nothing(db: None, now: dt.datetime) -> None:
    with transaction.atomic():
        send(now)
        transaction.set_rollback(True)
    assert mails_to(TO) == []


@pytest.mark.django_db(transaction=True)
def test_a_try_cannot_be_rolled_back_with_what_it_belongs_to(now: dt.datetime) -> None:
    made = send(now)
    with pytest.raises(RuntimeError), transaction.atomic():
        check(made, "000000", now)
    assert ProofCode.objects.get().tries == 0


def at_once(count: int, work: Any) -> list[Any]:
    """Run `work(n)` in as many threads, begun together."""
    gate, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        try:
            gate.wait()
            results[number] = work(number)
        except CodeRefused as refusal:
            results[number] = refusal.trouble
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_count_each(now: dt.datetime) -> None:
    made = send(now)
    typed = last_code(TO)
    at_once(12, lambda number: check(made, wrong(typed), now))
    assert ProofCode.objects.get().tries == codes.TRIES
    assert refused(made, typed, now).trouble == CodeTrouble.TRIED_OUT


@pytest.mark.django_db(transaction=True)
def test_of_two_who_type_the_right_code_at_once_one_is_served(now: dt.datetime) -> None:
    made = send(now)
    typed = last_code(TO)
    results = at_once(4, lambda number: check(made, typed, now))
    assert sum(isinstance(one, ProofCode) for one in results) == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_cannot_exceed_the_day(now: dt.datetime) -> None:
    for number in range(codes.A_DAY - 2):
        send(now + number * MINUTE)
    results = at_once(6, lambda number: send(now + 30 * MINUTE))
    assert sum(isinstance(one, ProofCode) for one in results) == 2
    assert ProofCode.objects.count() == codes.A_DAY


def test_where_no_texts_go_nobody_is_told_to_look_at_the_phone(db: None, now: dt.datetime, settings: Any) -> None:
    settings.NOTICE_CARRIERS = {**settings.NOTICE_CARRIERS, "text": "hub.messaging.texting.Texting"}
    settings.TEXT_URL = ""
    with pytest.raises(CodeRefused, match="sends no texts yet") as refusal:
        codes.send_code(subject="account:5", purpose="change-mobile", kind="mobile", address="+447700900111", now=now)
    assert refusal.value.trouble == CodeTrouble.NO_WAY
    assert not ProofCode.objects.exists()
    assert not Notice.objects.exists()
