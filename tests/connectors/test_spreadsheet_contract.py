"""The spreadsheet keeps to the contract, as a workbook of pupils and staff."""

from __future__ import annotations

from mis_connectors.simulators.school import School
from mis_connectors.simulators.spreadsheet_file import PUPILS, STAFF, workbook
from mis_connectors.spreadsheet import columns
from mis_connectors.spreadsheet.connector import SpreadsheetConnector
from mis_connectors.testing.contract import ConnectorContract

LEFT_OUT = frozenset(PUPILS + STAFF) - {
    *columns.NEEDED["pupils"],
    *columns.NEEDED_OF_CONTACTS,
    *columns.NEEDED["staff"],
}


class TestSpreadsheet(ConnectorContract):
    filename = "people.xlsx"

    def connector(self) -> SpreadsheetConnector:
        return SpreadsheetConnector()

    def payload(self, school: School) -> bytes:
        return workbook(school)

    def withheld(self, school: School) -> bytes | None:
        """A workbook with the columns that are needed, and no other."""
        return workbook(school, leaving_out=LEFT_OUT)
