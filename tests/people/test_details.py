"""Emails and mobiles as offices type them."""

from __future__ import annotations

import re

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from hub.people.details import _CLEAN_EMAIL, _CLEAN_MOBILE, _mobile_slowly, display_mobile, email, mobile
from hub.people.reasons import ADVICE, NOTES, SENTENCES, Reason
from tests.factories.letters import LETTERS

MOBILE = "+447700900123"


@pytest.mark.parametrize(
    "raw",
    [
        "07700900123",
        "07700 900123",
        " 0770 090 0123 ",
        "07700.900.123",
        "(07700) 900-123",
        "07700/900123",
        "+44 (0)7700 900123",
        "+44 7700 900123",
        "+4407700900123",
        "+07700900123",
        "0044 7700 900123",
        "0044 (0) 7700 900123",
        "44 7700 900123",
        "7700900123",
        "7700900123.0",
        "０７７００９００１２３",
        "٠٧٧٠٠٩٠٠١٢٣",
        "07700\u200b900\u00a0123\ufeff",
        "07700‑900‑123",
        "mob: 07700900123",
        "07700900123;",
    ],
)
def test_a_mobile_is_read_however_it_is_written(raw: str) -> None:
    judged = mobile(raw)
    assert (judged.value, judged.reason) == (MOBILE, None)


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ("07700 900123 mum", Reason.TEXT_REMOVED),
        ("Gran (daytime) 07700900123", Reason.TEXT_REMOVED),
        ("07700 900123 ext 4", Reason.TEXT_REMOVED),
        ("07700900123 / 07700900456", Reason.SEVERAL_NUMBERS),
        ("07700 900123 07700 900456", Reason.SEVERAL_NUMBERS),
        ("mum 07700 900123 dad 07700 900456", Reason.SEVERAL_NUMBERS),
        ("01632 960001 or 07700 900123", Reason.SEVERAL_NUMBERS),
    ],
)
def test_the_first_mobile_is_taken_and_what_was_left_out_is_noted(raw: str, note: Reason) -> None:
    judged = mobile(raw)
    assert (judged.value, judged.reason) == (MOBILE, note)
    assert note in NOTES


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", Reason.NOT_GIVEN),
        (" ", Reason.NOT_GIVEN),
        ("-", Reason.NOT_GIVEN),
        ("N/A", Reason.NOT_GIVEN),
        ("none", Reason.NOT_GIVEN),
        ("not known", Reason.NOT_GIVEN),
        ("0", Reason.NOT_GIVEN),
        ("00000 000000", Reason.NOT_GIVEN),
        ("01632 960001", Reason.LANDLINE),
        ("1632960001", Reason.LANDLINE),
        ("+44 1632 960001", Reason.LANDLINE),
        ("020 7946 0000", Reason.LANDLINE),
        ("0300 123 4567", Reason.LANDLINE),
        ("0770090012", Reason.TOO_SHORT),
        ("900123", Reason.TOO_SHORT),
        ("123", Reason.TOO_SHORT),
        ("077009001234", Reason.TOO_LONG),
        ("+44 7700 9001234", Reason.TOO_LONG),
        ("07700 9oo123", Reason.LETTERS_IN_NUMBER),
        ("O7700 9OO123", Reason.LETTERS_IN_NUMBER),
        ("07700900l23", Reason.LETTERS_IN_NUMBER),
        ("ask mum", Reason.NOT_A_NUMBER),
        ("Bad data " * 40, Reason.NOT_A_NUMBER),
        ("07000 900123", Reason.PERSONAL_NUMBER),
        ("07600 900123", Reason.PAGER),
        ("0800 123 4567", Reason.SPECIAL_RATE),
        ("0900 123 4567", Reason.SPECIAL_RATE),
        ("056 1234 5678", Reason.NOT_A_UK_MOBILE),
        ("353850123456", Reason.NOT_A_UK_MOBILE),
        ("+999 123 4567", Reason.NOT_A_UK_MOBILE),
        ("+33 1 42 68 53 00", Reason.NOT_A_MOBILE_ABROAD),
    ],
)
def test_a_number_that_takes_no_texts_is_refused_with_the_reason(raw: str, reason: Reason) -> None:
    judged = mobile(raw)
    assert (judged.value, judged.reason) == (None, reason)


def test_mobiles_of_the_isle_of_man_and_of_other_countries_are_taken() -> None:
    assert mobile("07624 900123").value == "+447624900123"
    assert mobile("+353 (0)85 012 3456").value == "+353850123456"
    assert mobile("00353 85 012 3456").value == "+353850123456"
    assert mobile("+33 6 12 34 56 78").value == "+33612345678"


def test_a_mobile_is_shown_as_people_write_it() -> None:
    assert display_mobile(MOBILE) == "07700 900123"
    assert display_mobile("+353850123456") == "+353 85 012 3456"
    assert display_mobile("") == ""


ADDRESS = "jane@example.org"


@pytest.mark.parametrize(
    "raw",
    [
        "jane@example.org",
        " Jane@Example.ORG ",
        "jane@example.org.",
        "jane@example.org,",
        "jane@example.org;",
        "jane@example.org:",
        "<jane@example.org>",
        "(jane@example.org)",
        "mailto:jane@example.org",
        "MAILTO:jane@example.org",
        "“jane@example.org”",
        "‘jane@example.org’",
        "'jane@example.org'",
        "jane @ example.org",
        "jane@exa\u200bmple.org\u00ad",
        "jane＠example.org",
        "\ufeffjane@example.org\u00a0",
        "email: jane@example.org",
    ],
)
def test_an_email_is_read_however_it_is_written(raw: str) -> None:
    judged = email(raw)
    assert (judged.value, judged.reason) == (ADDRESS, None)


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ("Jane Smith <jane@example.org>", Reason.TEXT_REMOVED),
        ("jane@example.org mum", Reason.TEXT_REMOVED),
        ("jane@example.org (work)", Reason.TEXT_REMOVED),
        ("jane@example.org jane@example.org", Reason.TEXT_REMOVED),
        ("jane@example.org; tom@example.org", Reason.SEVERAL_EMAILS),
        ("jane@example.org/tom@example.org", Reason.SEVERAL_EMAILS),
        ("jane@example.org or tom@example.org", Reason.SEVERAL_EMAILS),
        ("jane@localhost, jane@example.org", Reason.SEVERAL_EMAILS),
    ],
)
def test_the_first_address_is_taken_and_what_was_left_out_is_noted(raw: str, note: Reason) -> None:
    judged = email(raw)
    assert (judged.value, judged.reason) == (ADDRESS, note)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", Reason.NOT_GIVEN),
        ("n/a", Reason.NOT_GIVEN),
        ("None", Reason.NOT_GIVEN),
        ("-", Reason.NOT_GIVEN),
        ("No email", Reason.NOT_GIVEN),
        ("jane", Reason.NOT_AN_EMAIL),
        ("jane@", Reason.NOT_AN_EMAIL),
        ("@example.org", Reason.NOT_AN_EMAIL),
        ("jane..smith@example.org", Reason.NOT_AN_EMAIL),
        ("jane smith@example.org", Reason.EMAIL_HAS_SPACES),
        ("jane,smith@example.org", Reason.EMAIL_HAS_SPACES),
        ("jane@example.co .uk", Reason.EMAIL_HAS_SPACES),
        ("jane@example.co. uk", Reason.EMAIL_HAS_SPACES),
        ("jane@example.co uk", Reason.EMAIL_HAS_SPACES),
        ("jane@example.co,uk", Reason.EMAIL_HAS_SPACES),
        ("jane@example", Reason.EMAIL_DOMAIN),
        ("jane@localhost", Reason.EMAIL_DOMAIN),
        ("jane@school.test", Reason.EMAIL_DOMAIN),
        ("jane@example..org", Reason.EMAIL_DOMAIN),
        ("jané@example.org", Reason.EMAIL_NOT_PLAIN),
        ("j" * 65 + "@example.org", Reason.EMAIL_TOO_LONG),
        ("j" * 400 + "@example.org", Reason.EMAIL_TOO_LONG),
    ],
)
def test_an_address_that_is_not_certain_is_refused_with_the_reason(raw: str, reason: Reason) -> None:
    judged = email(raw)
    assert (judged.value, judged.reason) == (None, reason)


def test_a_curly_apostrophe_within_an_address_becomes_a_plain_one() -> None:
    assert email("o’brien@example.org").value == "o'brien@example.org"


def test_every_reason_has_a_sentence_and_advice() -> None:
    assert set(SENTENCES) == set(ADVICE) == set(Reason)
    assert all(text.endswith(".") for text in (*SENTENCES.values(), *ADVICE.values()))


FIELD = st.one_of(
    st.text(LETTERS, max_size=40),
    st.text("07+4 ()-./,;abm０\u200b", max_size=30),
    st.text("ab.@-'<>,; :/exampl\u00e9org", max_size=40),
    st.from_regex(r"\+[1-9][0-9]{5,14}", fullmatch=True, alphabet=LETTERS),
    st.from_regex(r"[a-z.]{1,5}@([a-z-]{1,6}\.){1,2}[a-z]{2,5}[ ,.;]?[a-z@.]{0,6}", fullmatch=True, alphabet=LETTERS),
)


@given(FIELD)
def test_judging_never_raises_and_its_result_stays_the_same(raw: str) -> None:
    for judge in (email, mobile):
        judged = judge(raw)
        assert (judged.value is None) == (judged.reason is not None and judged.reason not in NOTES)
        if judged.value is not None:
            again = judge(judged.value)
            assert (again.value, again.reason) == (judged.value, None)


@given(FIELD)
def test_values_have_one_shape(raw: str) -> None:
    number, address = mobile(raw).value, email(raw).value
    assert number is None or re.fullmatch(r"\+[1-9][0-9]{6,14}", number)
    assert address is None or (address.isascii() and address == address.lower() and len(address) <= 254)


@given(st.from_regex(r"[a-z0-9!'+=_.-]{1,12}@([a-z0-9-]{1,8}\.){1,3}[a-z]{1,10}", fullmatch=True, alphabet=LETTERS))
def test_the_quick_way_takes_only_what_the_validator_takes(address: str) -> None:
    if _CLEAN_EMAIL(address):
        assert validate_email(address, check_deliverability=False).normalized == address


@given(st.from_regex(r"07[0-9]{9}", fullmatch=True, alphabet=LETTERS))
def test_both_ways_judge_a_mobile_alike(number: str) -> None:
    judged = _mobile_slowly(number)
    assert bool(_CLEAN_MOBILE(number)) == (judged.value is not None)
    assert mobile(number) == judged
