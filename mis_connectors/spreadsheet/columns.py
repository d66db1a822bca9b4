"""The captions of both kinds of sheet, what each fills, and which caption a wrong one was meant to be. Pure."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping

PUPILS = (
    "StudentForename", "StudentSurname", "StudentID", "Year", "Reg", "DOB", "Gender", "Relationship", "Title",
    "ContactForename", "ContactSurname", "ContactID", "PrimaryEmail", "MobileNumber", "HouseName", "HouseNumber",
    "Street", "District", "Town", "County", "Postcode", "Priority",
)  # fmt: skip
"""ParentMail's published 22 columns, in their order."""
MORE = ("UPN", "PreAdmission")
"""Columns of our own that may stand beside them."""
STAFF = (
    "StaffForename", "StaffSurname", "StaffID", "Title", "StaffCode", "Role", "Reg", "PrimaryEmail", "MobileNumber",
)  # fmt: skip
"""Our own, by the same pattern."""
OF_PUPIL = ("StudentForename", "StudentSurname", "StudentID", "Year", "Reg", "DOB", "Gender", *MORE)
OF_CONTACT = tuple(caption for caption in PUPILS if caption not in OF_PUPIL)
NEEDED = {
    "pupils": ("StudentForename", "StudentSurname", "StudentID", "DOB"),
    "staff": ("StaffForename", "StaffSurname", "StaffID"),
}
NEEDED_OF_CONTACTS = ("ContactForename", "ContactSurname", "Relationship")
"""Needed where any column of a contact stands."""
FILLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pupils": {
        "pupil.year_group": ("Year",),
        "pupil.registration_group": ("Reg",),
        "pupil.gender": ("Gender",),
        "pupil.upn": ("UPN",),
        "pupil.pre_admission": ("PreAdmission",),
        "contact.title": ("Title",),
        "contact.emails": ("PrimaryEmail",),
        "contact.telephones": ("MobileNumber",),
        "contact.address": ("HouseName", "HouseNumber", "Street", "District", "Town", "County"),
        "contact.postcode": ("Postcode",),
        "link.priority": ("Priority",),
    },
    "staff": {
        "staff.title": ("Title",),
        "staff.code": ("StaffCode",),
        "staff.role": ("Role",),
        "staff.tutor_of": ("Reg",),
        "staff.emails": ("PrimaryEmail",),
        "staff.telephones": ("MobileNumber",),
    },
}
"""The fields whose columns a school may leave out: the field is then left as it is."""
NEVER_LACKING = frozenset(
    {
        "pupil.forename", "pupil.surname", "pupil.admission_number", "pupil.date_of_birth",
        "contact.forename", "contact.surname", "link.relationship", "staff.forename", "staff.surname",
    }
)  # fmt: skip
HELP = {
    "StudentForename": "Needed. Legal forename, the same in every row of the pupil.",
    "StudentSurname": "Needed. Legal surname.",
    "StudentID": "Needed. The admission number, or MAN-1, MAN-2 … for a pupil without one. It must never change.",
    "Year": "1 to 13, Reception or R, Nursery or N.",
    "Reg": "Registration group, such as 6B.",
    "DOB": "Needed. Day, month and four-digit year: 09/03/2015.",
    "Gender": "M, F or U.",
    "Relationship": "Needed. Mother, Father, Step Mother, Grandfather, Carer …",
    "Title": "Mr, Mrs, Ms, Dr …",
    "ContactForename": "Needed. One row per contact: repeat the pupil's details in each.",
    "ContactSurname": "Needed.",
    "ContactID": "The same number in every row of one person, also beside brothers and sisters. May be left empty.",
    "PrimaryEmail": "One address.",
    "MobileNumber": "One number, 07700 900123. Format the column as text, or the leading zero gets lost.",
    "HouseName": "A flat or the name of a house.",
    "HouseNumber": "Such as 14 or 14a.",
    "Street": "",
    "District": "",
    "Town": "",
    "County": "",
    "Postcode": "Such as AB1 2CD.",
    "Priority": "1 for whoever is called first.",
    "UPN": "Column may be left out.",
    "PreAdmission": "Yes for a pupil who starts later. Column may be left out.",
    "StaffForename": "Needed.",
    "StaffSurname": "Needed.",
    "StaffID": "Needed. Any number or code of their own that never changes.",
    "StaffCode": "Such as KMO.",
    "Role": "Such as Teacher.",
}
_ALIASES = {
    "StudentForename": ("forename", "firstname", "pupilforename", "legalforename", "studentfirstname"),
    "StudentSurname": ("surname", "lastname", "pupilsurname", "legalsurname", "studentlastname", "familyname"),
    "StudentID": ("admissionnumber", "adno", "admissionno", "pupilid", "id", "studentnumber", "admno"),
    "Year": ("yeargroup", "ncyear", "nationalcurriculumyear"),
    "Reg": ("registrationgroup", "reggroup", "class", "form", "tutorgroup"),
    "DOB": ("dateofbirth", "birthdate", "birthday", "born"),
    "Gender": ("sex",),
    "Relationship": ("relation", "relationtype", "relationshiptype"),
    "ContactForename": ("parentforename", "contactfirstname", "parentfirstname"),
    "ContactSurname": ("parentsurname", "contactlastname", "parentlastname"),
    "ContactID": ("parentid", "contactnumber"),
    "PrimaryEmail": ("email", "emailaddress", "e-mail", "contactemail", "parentemail", "workemail"),
    "MobileNumber": ("mobile", "phone", "telephone", "mobilephone", "contactmobile", "tel", "phonenumber"),
    "HouseName": ("addressline1",),
    "Postcode": ("zip", "zipcode", "postalcode"),
    "Priority": ("contactpriority", "order", "contactorder"),
    "PreAdmission": ("preadmissions", "applicant", "newstarter"),
    "StaffID": ("employeeid", "staffnumber", "payrollnumber"),
    "StaffForename": ("stafffirstname",),
    "StaffSurname": ("stafflastname",),
    "StaffCode": ("initials", "shortname"),
    "Role": ("jobtitle", "post", "position"),
}
_CLOSE = 0.82


def folded(caption: object) -> str:
    """Return a caption as it is compared: letters and digits only, hidden characters gone."""
    text = unicodedata.normalize("NFKC", str(caption if caption is not None else ""))
    return "".join(char for char in text.casefold() if char.isalnum())


KNOWN = {
    "pupils": {folded(caption): caption for caption in (*PUPILS, *MORE)},
    "staff": {folded(caption): caption for caption in STAFF},
}


def suggestion(wrong: str, missing: Iterable[str]) -> str:
    """Return the one of the `missing` captions that a wrong one was most likely meant to be, or nothing."""
    said = folded(wrong)
    if not said:
        return ""
    best, found = _CLOSE, ""
    for caption in missing:
        if said in _ALIASES.get(caption, ()):
            return caption
        likeness = difflib.SequenceMatcher(None, said, folded(caption)).ratio()
        if likeness >= best:
            best, found = likeness, caption
    return found


def letter(index: int) -> str:
    """Return `A` for 0, `AB` for 27."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
