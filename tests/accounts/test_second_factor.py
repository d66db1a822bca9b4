"""Time codes and recovery codes, and that staff are never without a second factor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from hub.accounts import recovery_codes, second_factor
from hub.accounts.models import Account, Passkey, RecoveryCode, TimeCode
from hub.accounts.second_factor import FactorRefused
from hub.core.models import AuditEntry, School

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HALF = dt.timedelta(seconds=30)


@pytest.fixture
def parent(db: None, now: dt.datetime) -> Account:
    account = Account.objects.create_user("parent@example.org", password="correct horse battery")
    second_factor.give_time_code(account=account, secret=SECRET, now=now)
    return account


def bare(account: Account) -> Account:
    """The login as it is before it has a second factor."""
    Account.objects.filter(pk=account.pk).update(second_factor_at=None)
    account.second_factor_at = None
    return account


# Time codes


def test_a_code_counts_half_a_minute_early_and_late_and_no_longer(parent: Account, now: dt.datetime) -> None:
    for off, good in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        TimeCode.objects.update(last_step=0)
        code = second_factor.current_code(parent, now + off * HALF)
        assert second_factor.check(parent, code, now) is good, off


def test_no_step_is_good_twice_nor_one_before_it(parent: Account, now: dt.datetime) -> None:
    before, this = (second_factor.current_code(parent, now + off * HALF) for off in (-1, 0))
    assert second_factor.check(parent, this, now)
    assert not second_factor.check(parent, this, now)
    assert not second_factor.check(parent, before, now)


@pytest.mark.parametrize("typed", ["", "000000", "١٢٣٤٥٦", "x" * 400, "12345"])
def test_anything_else_is_refused(parent: Account, now: dt.datetime, typed: str) -> None:
    assert not second_factor.check(parent, typed, now)


def test_the_secret_is_kept_encrypted(parent: Account) -> None:
    assert SECRET.encode() not in bytes(TimeCode.objects.get().sealed_secret)


def test_a_secret_is_kept_once_a_code_is_counted_with_it(db: None, now: dt.datetime) -> None:
    account = Account.objects.create_user("parent@example.org")
    begun = second_factor.begin_time_code(account=account)
    with pytest.raises(FactorRefused):
        second_factor.confirm_time_code(account=account, sealed=begun.sealed, typed="000000", now=now)
    assert not second_factor.has_one(account)
    again = second_factor.begin_time_code(account=account, sealed=begun.sealed)
    assert again.secret == begun.secret
    other = Account.objects.create_user("other@example.org")
    second_factor.give_time_code(account=other, secret=begun.secret, now=now)
    code = second_factor.current_code(other, now)
    second_factor.confirm_time_code(account=account, sealed=begun.sealed, typed=code, now=now)
    assert second_factor.has_one(account)
    assert not second_factor.check(account, code, now)  # spent by the confirmation


def test_a_secret_begun_for_one_login_is_no_others(parent: Account, now: dt.datetime) -> None:
    begun = second_factor.begin_time_code(account=parent)
    other = Account.objects.create_user("other@example.org")
    for sealed in (begun.sealed, "nonsense"):
        with pytest.raises(FactorRefused):
            second_factor.confirm_time_code(account=other, sealed=sealed, typed="000000", now=now)


def test_the_picture_needs_no_inline_style(parent: Account) -> None:
    begun = second_factor.begin_time_code(account=parent)
    assert begun.picture.startswith("data:image/svg+xml")
    assert begun.spaced.replace(" ", "") == begun.secret


# Recovery codes


def test_ten_codes_each_good_once_and_none_kept_in_clear(parent: Account, now: dt.datetime) -> None:
    codes = recovery_codes.make(account=parent, now=now)
    assert len(set(codes)) == 10
    kept = set(RecoveryCode.objects.values_list("code_hash", flat=True))
    assert not kept & set(codes)
    for left, code in zip(range(9, -1, -1), codes, strict=True):
        assert second_factor.check(parent, f" {code.upper()} ", now)
        assert not second_factor.check(parent, code, now)
        assert recovery_codes.left(parent) == left


def test_a_new_set_voids_the_old_and_is_nobody_elses(parent: Account, now: dt.datetime) -> None:
    old = recovery_codes.make(account=parent, now=now)[0]
    new = recovery_codes.make(account=parent, now=now)[0]
    other = Account.objects.create_user("other@example.org")
    assert not recovery_codes.use(account=parent, typed=old, now=now)
    assert not recovery_codes.use(account=other, typed=new, now=now)
    assert recovery_codes.use(account=parent, typed=new, now=now)


def test_a_recovery_code_is_worth_more_than_fifty_bits() -> None:
    assert len(set(recovery_codes.LETTERS)) ** recovery_codes.LENGTH > 2**50


# Taking away


def test_the_last_factor_of_staff_stays_a_parents_may_go(parent: Account, office: Account, now: dt.datetime) -> None:
    recovery_codes.make(account=parent, now=now)
    second_factor.remove_time_code(account=parent, now=now)
    assert parent.second_factor_at is None
    assert not RecoveryCode.objects.filter(account=parent).exists()
    second_factor.give_time_code(account=office, secret=SECRET, now=now)
    with pytest.raises(FactorRefused):
        second_factor.remove_time_code(account=office, now=now)
    passkey = Passkey.objects.create(account=office, credential_id=b"1", public_key=b"", name="Phone", made_at=now)
    second_factor.remove_time_code(account=office, now=now)
    with pytest.raises(FactorRefused):
        second_factor.remove_passkey(account=office, passkey=passkey, now=now)
    assert second_factor.has_one(office)


def test_whoever_signs_in_by_passkey_alone_keeps_one(db: None, now: dt.datetime) -> None:
    account = Account.objects.create_user(None, name="Ngozi Ade")
    first, second = (
        Passkey.objects.create(account=account, credential_id=one, public_key=b"", name="Phone", made_at=now)
        for one in (b"1", b"2")
    )
    second_factor.remove_passkey(account=account, passkey=first, now=now)
    with pytest.raises(FactorRefused, match="by this passkey alone"):
        second_factor.remove_passkey(account=account, passkey=second, now=now)


def test_a_reset_takes_all_and_is_in_the_audit(office: Account, administrator: Account, now: dt.datetime) -> None:
    second_factor.give_time_code(account=office, secret=SECRET, now=now)
    recovery_codes.make(account=office, now=now)
    second_factor.reset(account=office, by=administrator)
    assert not second_factor.has_one(office)
    assert not TimeCode.objects.exists()
    assert not RecoveryCode.objects.exists()
    entry = AuditEntry.objects.get(action="sign_in.factors_reset")
    assert entry.actor_name == "Helen Ward"


# The wall


def test_staff_without_a_factor_reach_no_page_and_no_action(
    school: School, administrator: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(bare(administrator))
    for path in ("/8233001/", "/8233001/people/?show=staff", "/8233001/settings/", "/schools/", "/"):
        answer = client.get(path)
        assert answer["Location"].startswith("/account/second-factor/?next="), path
    answer = client.get("/8233001/people/?show=staff", follow=True)
    assert "Staff sign in with a second factor. Set one up now; it takes a minute." in answer.text
    answer = client.post("/8233001/settings/school/", {"name": "Hacked"})
    assert answer["Location"] == "/account/second-factor/"
    school.refresh_from_db()
    assert school.name == "Larch Hill Primary"
    assert client.get("/8233001/", headers={"HX-Request": "true"})["HX-Redirect"] == "/account/second-factor/"


def test_a_stranger_without_a_factor_is_still_told_nothing(
    school: School, stranger: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert signed_in(bare(stranger)).get("/8233001/").status_code == 404


def test_the_wall_costs_no_query(
    school: School,
    office: Account,
    signed_in: Callable[[Account], Client],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(bare(office))
    client.get("/8233001/")
    with django_assert_max_num_queries(3 + 2):  # session, account, memberships; the scope set and set back
        client.get("/8233001/")


def test_setting_up_leads_back_to_where_one_was_going(
    school: School, office: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(office)
    second_factor.give_time_code(account=office, secret=SECRET, now=timezone.now())
    answer = client.get("/account/second-factor/?next=/8233001/people/")
    assert answer["Location"] == "/8233001/people/"
    assert client.get("/account/second-factor/?next=https://example.com/")["Location"] == "/account/"
