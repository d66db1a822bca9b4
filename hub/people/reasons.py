"""Why an email or a mobile was refused or altered: a closed set, each with a sentence and what to do about it."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Codes are stored with rejected records: add to them, never rename one."""

    NOT_GIVEN = "not_given"
    SEVERAL_EMAILS = "several_emails"
    SEVERAL_NUMBERS = "several_numbers"
    TEXT_REMOVED = "text_removed"
    NOT_AN_EMAIL = "not_an_email"
    EMAIL_HAS_SPACES = "email_has_spaces"
    EMAIL_TOO_LONG = "email_too_long"
    EMAIL_NOT_PLAIN = "email_not_plain"
    EMAIL_DOMAIN = "email_domain"
    NOT_A_NUMBER = "not_a_number"
    LETTERS_IN_NUMBER = "letters_in_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LANDLINE = "landline"
    PERSONAL_NUMBER = "personal_number"
    PAGER = "pager"
    SPECIAL_RATE = "special_rate"
    NOT_A_UK_MOBILE = "not_a_uk_mobile"
    NOT_A_MOBILE_ABROAD = "not_a_mobile_abroad"


NOTES = frozenset({Reason.SEVERAL_EMAILS, Reason.SEVERAL_NUMBERS, Reason.TEXT_REMOVED})
"""Reasons that come with a value: something else in the field was left out."""


def N_(sentence: str) -> str:
    """Mark a sentence for the catalogues of translations; whoever shows it to a parent translates it."""
    return sentence


SENTENCES: dict[Reason, str] = {
    Reason.NOT_GIVEN: N_("Nothing was given."),
    Reason.SEVERAL_EMAILS: N_("There are several email addresses in one field. The first was taken."),
    Reason.SEVERAL_NUMBERS: N_("There are several numbers in one field. The first mobile was taken."),
    Reason.TEXT_REMOVED: N_("There is other text beside it in the field. The text was left out."),
    Reason.NOT_AN_EMAIL: N_("This is not an email address."),
    Reason.EMAIL_HAS_SPACES: N_("There is a space or a comma inside the address, so it is not certain what is meant."),
    Reason.EMAIL_TOO_LONG: N_("This is too long to be an email address."),
    Reason.EMAIL_NOT_PLAIN: N_("The part before the @ has accents or other signs that mail cannot be sent to."),
    Reason.EMAIL_DOMAIN: N_("The part after the @ is not a place that receives mail."),
    Reason.NOT_A_NUMBER: N_("There is no telephone number in this field."),
    Reason.LETTERS_IN_NUMBER: N_("There are letters inside the number."),
    Reason.TOO_SHORT: N_("The number is too short: a UK mobile has 11 digits."),
    Reason.TOO_LONG: N_("The number is too long: a UK mobile has 11 digits."),
    Reason.LANDLINE: N_("This is a landline: texts cannot be sent to it."),
    Reason.PERSONAL_NUMBER: N_("Numbers that begin with 070 are forwarding numbers, not mobiles."),
    Reason.PAGER: N_("Numbers that begin with 076 are pagers, not mobiles."),
    Reason.SPECIAL_RATE: N_("This is a freephone or special-rate number, not a mobile."),
    Reason.NOT_A_UK_MOBILE: N_("This is not a UK mobile number."),
    Reason.NOT_A_MOBILE_ABROAD: N_("This is not a mobile number of the country that its first digits name."),
}

_EMAIL = "Put one address alone into the email field in the MIS."
_NUMBER = "Put the number alone into the telephone field in the MIS."
_MOBILE = "Ask for the mobile number and put it into the telephone field in the MIS."
_COMPLETE = "Check the number with the person and correct it in the telephone field in the MIS."

ADVICE: dict[Reason, str] = {
    Reason.NOT_GIVEN: "Ask for it and enter it in the MIS, or leave the field empty.",
    Reason.SEVERAL_EMAILS: "Put one address into each email field in the MIS.",
    Reason.SEVERAL_NUMBERS: "Put one number into each telephone field in the MIS.",
    Reason.TEXT_REMOVED: "Nothing needs to be done. To be tidy, move the text to the notes in the MIS.",
    Reason.NOT_AN_EMAIL: "Check the address with the person and correct the email field in the MIS.",
    Reason.EMAIL_HAS_SPACES: "Take out the space or the comma, and anything that is not the address, in the MIS.",
    Reason.EMAIL_TOO_LONG: _EMAIL,
    Reason.EMAIL_NOT_PLAIN: "Check the address with the person and type it again in the MIS.",
    Reason.EMAIL_DOMAIN: "Check the part after the @ with the person and correct it in the MIS.",
    Reason.NOT_A_NUMBER: _NUMBER,
    Reason.LETTERS_IN_NUMBER: _NUMBER,
    Reason.TOO_SHORT: _COMPLETE,
    Reason.TOO_LONG: _COMPLETE,
    Reason.LANDLINE: _MOBILE,
    Reason.PERSONAL_NUMBER: _MOBILE,
    Reason.PAGER: _MOBILE,
    Reason.SPECIAL_RATE: _MOBILE,
    Reason.NOT_A_UK_MOBILE: "Check the number. A number from abroad begins with + and the country, such as +353.",
    Reason.NOT_A_MOBILE_ABROAD: _COMPLETE,
}
