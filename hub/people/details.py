"""Emails and mobiles as people type them, made into one form or refused with a reason. Pure.

A field that is not certain is refused rather than guessed: a wrong guess writes to a stranger.
What is clean already passes by one precompiled expression, because an import judges thousands.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from hub.people.reasons import ADVICE, NOTES, SENTENCES, Reason

__all__ = ["ADVICE", "NOTES", "SENTENCES", "Judged", "Reason", "display_mobile", "email", "mobile"]


@dataclass(frozen=True, slots=True)
class Judged:
    """The value, or the reason why there is none; with both, the reason says what was left out."""

    value: str | None
    reason: Reason | None = None


_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_CLEAN_EMAIL = re.compile(
    rf"(?=.{{6,254}}\Z)(?=[^@]{{1,64}}@)(?!'){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+"
    r"(?!(?:arpa|invalid|local|localhost|onion|test)\Z)[a-z]{2,24}\Z"
).match
_CLEAN_MOBILE = re.compile(r"07(?:[1-57-9][0-9]{8}|624[0-9]{6})\Z").match

_NOTHING = {
    "n/a",
    "na",
    "n/k",
    "nk",
    "none",
    "nonegiven",
    "nil",
    "null",
    "no",
    "unknown",
    "tba",
    "tbc",
    "x",
    "xx",
    "xxx",
}
_NOTHING |= {"withheld", "refused", "declined", "notgiven", "notknown", "notprovided", "notapplicable"}
_NOTHING |= {"noemail", "noemailaddress", "nomobile", "nophone", "nonumber"}
_CURLY = str.maketrans({"‘": "'", "’": "'", "‛": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"'})
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_MOST = 500


def email(raw: str) -> Judged:
    """Return the lower-cased address, or why there is none."""
    text = raw.lower()
    if _CLEAN_EMAIL(text):
        return Judged(text)
    return _email_slowly(raw)


def mobile(raw: str) -> Judged:
    """Return the number in E.164, `+447700900123`, or why there is none.

    A UK mobile begins 071 to 075, 07624 or 077 to 079. A number of another country is taken where
    it is written with + or 00 and that country's numbering plan may use it for mobiles.
    """
    if _CLEAN_MOBILE(raw):
        return Judged("+44" + raw[1:])
    return _mobile_slowly(raw)


@lru_cache(maxsize=1024)
def display_mobile(value: str) -> str:
    """Return a mobile as people write it: `07700 900123`, or `+353 85 012 3456` for one abroad."""
    if value.startswith("+44") and len(value) == 13:
        return f"0{value[3:7]} {value[7:]}"
    try:
        return phonenumbers.format_number(phonenumbers.parse(value, None), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return value


# Both kinds


def _readable(raw: str) -> str:
    """One line of ordinary characters: full-width forms folded, invisible ones gone."""
    text = raw[:_MOST]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_CURLY)).translate(_CURLY).translate(_DASHES)
        text = "".join(_ascii_digit(char) for char in text if unicodedata.category(char) not in ("Cf", "Cs", "Mn"))
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _ascii_digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def _says_nothing(text: str) -> bool:
    letters = re.sub(r"[\s.\-_()*?]", "", text.lower())
    return letters in _NOTHING or not any(char.isalnum() for char in letters)


# Email

_PART = r"""[^\s@,;|<>:()\[\]"]"""
_IN_TEXT = re.compile(
    rf"""(?P<lead>[^@]*?(?:[:<]\s*|["'(\[]+))??(?P<address>{_PART}+@{_PART}+)(?P<rest>.*)\Z""", re.DOTALL
)
_REST = re.compile(r"""[>)\]"',;:|/]*(?:\s+(?!\.|(?:uk|com|co|org|net|ac|sch|gov|me|ie)\b).*)?\Z""", re.DOTALL)


@lru_cache(maxsize=4096)
def _email_slowly(raw: str) -> Judged:
    text = _readable(raw)
    if _says_nothing(text):
        return Judged(None, Reason.NOT_GIVEN)
    text = re.sub(r"\s*@\s*", "@", text)
    if text.count("@") > 1:
        return _first_email(text)
    found = _IN_TEXT.match(text)
    if not found:
        return Judged(None, Reason.NOT_AN_EMAIL if "@" not in text[1:-1] else Reason.EMAIL_HAS_SPACES)
    address, rest = found["address"].rstrip("'/"), found["rest"]
    unsure = address.endswith(".") and rest.strip(" .'\">)]")
    if unsure or not _REST.match(rest):
        return Judged(None, Reason.EMAIL_HAS_SPACES)
    lead = (found["lead"] or "").lower().strip(" <\"'([:")
    beside = lead not in ("", "mailto", "email", "e-mail") or rest.strip(" .,;:>\"')]|/")
    return _valid_email(address, Reason.TEXT_REMOVED if beside else None)


def _first_email(text: str) -> Judged:
    """Take the first of several that is an address by itself; commas and slashes stand between them."""
    pieces = re.split(r"[\s,;|<>()\"/]+", text)
    addresses = [piece.removeprefix("mailto:") for piece in pieces if "@" in piece.strip("@")]
    judged = [_valid_email(address, Reason.SEVERAL_EMAILS) for address in addresses]
    taken = next((one for one in judged if one.value), None)
    if taken is None:
        return judged[0] if judged else Judged(None, Reason.NOT_AN_EMAIL)
    same = {one.value for one in judged} == {taken.value}
    return Judged(taken.value, Reason.TEXT_REMOVED if same else Reason.SEVERAL_EMAILS)


def _valid_email(address: str, note: Reason | None) -> Judged:
    address = address.strip(".'/").lower()
    if _CLEAN_EMAIL(address):
        return Judged(address, note)
    local, _, domain = address.rpartition("@")
    if len(address) > 254 or len(local) > 64:
        return Judged(None, Reason.EMAIL_TOO_LONG)
    if not local.isascii():
        return Judged(None, Reason.EMAIL_NOT_PLAIN)
    try:
        value = validate_email(address, check_deliverability=False, allow_smtputf8=False).ascii_email
    except (EmailNotValidError, ValueError):
        return Judged(None, Reason.EMAIL_DOMAIN if _is_local(local) and domain else Reason.NOT_AN_EMAIL)
    return Judged(value.lower(), note) if value else Judged(None, Reason.EMAIL_DOMAIN)


def _is_local(local: str) -> bool:
    return re.fullmatch(rf"{_ATOM}(?:\.{_ATOM})*", local) is not None


# Mobile

_CHUNK = re.compile(r"[+(]*[0-9][0-9 ().\-]*")
_MOBILES = re.compile(r"(?:\+?(?:0044|44)0?|0)7[0-9]{9}")
_LEAST = 7
"""Fewer digits than this are a house or extension number beside the telephone number."""
_UK = {"1": Reason.LANDLINE, "2": Reason.LANDLINE, "3": Reason.LANDLINE, "8": Reason.SPECIAL_RATE}
_UK |= {"9": Reason.SPECIAL_RATE}


@lru_cache(maxsize=8192)
def _mobile_slowly(raw: str) -> Judged:
    text = re.sub(r"\(\s*0\s*\)|(?<=[0-9]{9})\.0\Z", " ", _readable(raw))  # a spreadsheet turns it into 7700900123.0
    if _says_nothing(text) or not text.strip(" 0+-().") or text.lower() in ("0", "00"):
        return Judged(None, Reason.NOT_GIVEN)
    if len(raw) > _MOST:
        return Judged(None, Reason.TOO_LONG)
    chunks = [one for chunk in _CHUNK.findall(text) for one in _apart(chunk)]
    judged = [_judge(chunk) for chunk in chunks if sum(map(str.isdigit, chunk)) >= _LEAST]
    taken = next((one for one in judged if one.value), None)
    if taken is None:
        return _none_taken(text, judged)
    others = any(one.value != taken.value for one in judged)
    if others:
        return Judged(taken.value, Reason.SEVERAL_NUMBERS)
    words = re.search(r"[^\W\d_]", re.sub(r"(?i)\b(?:mobile|mob|tel|m)\b", "", text))
    return Judged(taken.value, Reason.TEXT_REMOVED if words else None)


def _none_taken(text: str, judged: list[Judged]) -> Judged:
    """Say why no number in the text is a mobile, or read one that separators cut in pieces."""
    letters = re.search(r"[^\W\d_]", text)
    digits = re.sub(r"[^0-9+]", "", text)
    if not letters and len(judged) < 2 and _plausible(digits):
        whole = _judge(digits)
        if whole.value or not judged:
            return whole
    if letters and re.search(r"[0-9][^\W\d_]+[0-9]", text):
        return Judged(None, Reason.LETTERS_IN_NUMBER)
    if judged:
        return judged[0]
    if not digits:
        return Judged(None, Reason.NOT_A_NUMBER)
    return Judged(None, Reason.LETTERS_IN_NUMBER if letters else Reason.TOO_SHORT)


def _plausible(digits: str) -> bool:
    return 10 <= len(digits) <= 15 and "+" not in digits[1:]


def _apart(chunk: str) -> list[str]:
    """Part numbers that only a space keeps apart: `07700 900123 07700 900456`."""
    digits = _only_digits(chunk)
    if len(digits) <= 15:
        return [chunk]
    numbers = _MOBILES.findall(digits)
    return numbers if "".join(numbers) == digits else [chunk]


def _only_digits(chunk: str) -> str:
    return ("+" if "+" in chunk else "") + re.sub(r"[^0-9]", "", chunk)


def _judge(chunk: str) -> Judged:
    digits = _only_digits(chunk)
    if digits.startswith("00") and not digits.startswith("007"):
        digits = "+" + digits[2:]
    if digits.startswith(("+0", "007")):
        digits = "0" + digits.lstrip("+0")
    if digits.startswith("+44") or (digits.startswith("44") and len(digits) > 11):
        return _judge_uk(digits.removeprefix("+")[2:].removeprefix("0"))
    if digits.startswith("+"):
        return _judge_abroad(digits)
    if digits.startswith("0"):
        return _judge_uk(digits[1:])
    if len(digits) <= 10:
        return _judge_uk(digits) if len(digits) == 10 else Judged(None, Reason.TOO_SHORT)
    return Judged(None, Reason.TOO_LONG if digits.startswith("7") else Reason.NOT_A_UK_MOBILE)


def _judge_uk(national: str) -> Judged:
    """Judge the digits after the leading zero or +44."""
    if national.startswith("7"):
        return _judge_mobile(national)
    if len(national) < _LEAST:
        return Judged(None, Reason.TOO_SHORT)
    return Judged(None, Reason.TOO_LONG if len(national) > 10 else _UK.get(national[:1], Reason.NOT_A_UK_MOBILE))


def _judge_mobile(national: str) -> Judged:
    if len(national) != 10:
        return Judged(None, Reason.TOO_LONG if len(national) > 10 else Reason.TOO_SHORT)
    if national[1] == "0":
        return Judged(None, Reason.PERSONAL_NUMBER)
    if national[1] == "6" and not national.startswith("7624"):
        return Judged(None, Reason.PAGER)
    return Judged("+44" + national)


_MAY_BE_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def _judge_abroad(digits: str) -> Judged:
    try:
        number = phonenumbers.parse(digits, None)
    except NumberParseException:
        return Judged(None, Reason.TOO_LONG if len(digits) > 16 else Reason.NOT_A_UK_MOBILE)
    if phonenumbers.number_type(number) not in _MAY_BE_MOBILE:
        return Judged(None, Reason.NOT_A_MOBILE_ABROAD)
    return Judged(phonenumbers.format_number(number, PhoneNumberFormat.E164))
