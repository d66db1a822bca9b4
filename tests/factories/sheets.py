"""Spreadsheets for tests: rows under ParentMail's captions, as CSV or as a workbook."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from django.test import Client
from openpyxl import Workbook

from imports.models import Import
from mis_connectors.spreadsheet import columns, making

HEADER = columns.PUPILS
AMELIA: dict[str, Any] = {
    "StudentForename": "Amelia", "StudentSurname": "Okafor", "StudentID": "0042", "Year": "6", "Reg": "6B",
    "DOB": "09/03/2015", "Gender": "F", "Relationship": "Mother", "Title": "Mrs", "ContactForename": "Ngozi",
    "ContactSurname": "Okafor", "ContactID": "901", "PrimaryEmail": "ngozi@example.org",
    "MobileNumber": "07700 900123", "HouseNumber": "14", "Street": "High Street", "Town": "Ambleford",
    "Postcode": "AB1 2CD", "Priority": "1",
}  # fmt: skip


def row(header: Sequence[str] = HEADER, **values: Any) -> list[Any]:
    """Return Amelia's row with other values in it."""
    return [{**AMELIA, **values}.get(caption, "") for caption in header]


def csv(*rows: Sequence[Any], header: Sequence[str] = HEADER) -> bytes:
    return making.csv_of([header, *rows])


def xlsx(*rows: Sequence[Any], header: Sequence[str] = HEADER, title: str = "Pupils") -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for one in (header, *rows):
        sheet.append(list(one))
    return saved(book)


def saved(book: Workbook) -> bytes:
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def family(number: int, **values: Any) -> list[Any]:
    """Return the row of one of many different families."""
    return row(
        StudentForename=f"Child{number}", StudentSurname=f"Kin{number}", StudentID=str(1000 + number),
        DOB=f"{number % 27 + 1:02}/0{number % 9 + 1}/201{number % 5 + 2}", ContactForename=f"Parent{number}",
        ContactSurname=f"Kin{number}", ContactID=str(5000 + number), PrimaryEmail=f"kin{number}@example.org",
        MobileNumber=f"07700 900{number:03}", **values,
    )  # fmt: skip


def post(office: Client, name: str, data: bytes, **more: Any) -> Import:
    """Upload a file as the office does, and return its preview."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    answer = office.post("/8233001/imports/upload/", {"file": SimpleUploadedFile(name, data), **more})
    assert answer.status_code == 302, answer.content
    run = Import.objects.order_by("-pk").first()
    assert run is not None
    assert answer["Location"] == f"/8233001/imports/{run.pk}/sheet/"
    return run
