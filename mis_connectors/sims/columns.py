"""The captions of our SIMS reports, and how the text in a column is read.

Captions are compared without case, with `_xHHHH_` decoded and spaces dropped, because SIMS writes a
caption `Legal Surname` as the element `Legal_x0020_Surname`. Only words of SIMS live here.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from functools import lru_cache

_PUPIL = (
    "UPN, FormerUPN, Adno, Forename, MiddleNames, ChosenName, Surname, Legal Surname, DOB, Gender, Year, Reg, House, "
    "Class, DateOfAdmission, LeavingDate, PreAdmission"
)
_CONTACT = (
    "ContactID, ContactExternalID, ContactTitle, ContactForename, ContactSurname, ContactGender, Relationship, "
    "Priority, Parental Responsibility, Court Order, Lives With, Correspondence, ApplicantLink, Telephone, "
    "TelephoneLocation, TelephoneMain, Email, EmailLocation, EmailMain, ContactAddress, ContactPostcode, "
    "ContactLanguage"
)
_STAFF = (
    "StaffID, StaffExternalID, StaffCode, StaffTitle, StaffForename, StaffSurname, StaffChosenName, StaffRole, "
    "StaffReg, StaffTelephone, StaffTelephoneLocation, StaffEmail, StaffEmailLocation, StaffLeavingDate"
)


def _plain(spelled: str) -> str:
    return spelled.replace(" ", "").lower()


SHOWN = {_plain(one): one for one in ", ".join((_PUPIL, _CONTACT, _STAFF)).split(", ")}
"""Caption ready to compare → as the report shows it."""
PUPIL_COLUMNS = frozenset(map(_plain, _PUPIL.split(", ")))
"""What a row says of a pupil beside naming it."""
CONTACT_COLUMNS = frozenset(map(_plain, _CONTACT.split(", ")))
STAFF_COLUMNS = frozenset(map(_plain, _STAFF.split(", ")))
PUPIL_IDS = ("pupilid", "primary_id")
"""Where a row names its pupil, in order of preference: `primary_id` accompanies every record of SIMS."""
CONTACT_ID = "contactid"
STAFF_ID = "staffid"
SCHOOL = "schooldfe"
KNOWN = PUPIL_COLUMNS | CONTACT_COLUMNS | STAFF_COLUMNS | {*PUPIL_IDS, "pupilexternalid", SCHOOL, "id"}
"""`ID` accompanies records too and is not read."""

_ESCAPED = re.compile(r"_[xX]([0-9A-Fa-f]{4})_")
_YEAR = re.compile(r"(?:year|yr|y)?\s*(\d{1,2})", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?")
_BRITISH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?")
_TRUE = frozenset({"t", "true", "yes", "y", "1"})
_FALSE = frozenset({"f", "false", "no", "n", "0"})
_SEVERAL = re.compile(r"[/,;|&\n]|\bor\b", re.IGNORECASE)
_UK_MOBILE = re.compile(r"(?:0{0,2}44)?0?7")


@lru_cache(maxsize=1024)
def caption(tag: str) -> str:
    """Return the caption an element's name stands for, ready to compare."""
    return "".join(spoken(tag).split()).lower()


@lru_cache(maxsize=1024)
def spoken(tag: str) -> str:
    """Return the caption as SIMS shows it: `Legal_x0020_Surname` is `Legal Surname`."""
    local = tag.rpartition("}")[2].rpartition(":")[2]
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), local)


def truth(text: str) -> bool | None:
    """Return what a box says; None for a word that is neither yes nor no."""
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def date(text: str) -> dt.date | None:
    """Return the day of `2015-03-09`, `2015-03-09T00:00:00` or `09/03/2015`; None for anything else."""
    try:
        if found := _DATE.fullmatch(text):
            year, month, day = map(int, found.groups())
        elif found := _BRITISH_DATE.fullmatch(text):
            day, month, year = map(int, found.groups())
        else:
            return None
        return dt.date(year, month, day)
    except ValueError:
        return None


def year_group(text: str) -> str:
    """Return `6` for `Year  6`, whatever the white space; `Reception`, `R`, `Nursery`, `N1` stay as they are."""
    found = _YEAR.fullmatch(text)
    return str(int(found.group(1))) if found else " ".join(text.split())


def looks_mobile(text: str) -> bool:
    """Return whether the digits of a telephone field are those of a UK mobile, whatever stands around them.

    Only for the order of preference; what may be used is judged elsewhere.
    """
    for part in _SEVERAL.split(unicodedata.normalize("NFKC", text)):
        digits = "".join(filter(str.isdigit, part.replace("(0)", "")))
        if len(digits) >= 10 and _UK_MOBILE.match(digits):
            return True
    return False
