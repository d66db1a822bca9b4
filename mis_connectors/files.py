"""Files that a person uploads: what a connector can say of one before anything is imported.

A connector that reads such files may implement `ChecksFiles` beside the contract's two verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mis_connectors.records import IncomingPayload


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in a spreadsheet, as its program names it."""

    sheet: str
    """The sheet's name; empty where a file has no sheets."""
    row: int
    column: str
    """`A`, `AB`."""
    caption: str = ""
    who: str = ""
    """Whose row it is, by the names in it."""


Locate = Callable[[str, str, str, str, int | None], Cell | None]
"""Returns where `(kind, external id, field, value, row)` stands, for a problem that names them."""


@dataclass(frozen=True, slots=True)
class HeaderFault:
    """One thing wrong with the captions of a file."""

    message: str
    advice: str
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What can be said of a file by its cells."""

    header: tuple[HeaderFault, ...]
    """While there is one, no row is read."""
    locate: Locate


@dataclass(frozen=True, slots=True)
class Template:
    """A file to fill in."""

    key: str
    label: str
    filename: str
    content_type: str
    make: Callable[[], bytes]


@runtime_checkable
class ChecksFiles(Protocol):
    accepts: str
    """For the file chooser: `.csv,.xlsx`."""

    def check(self, payload: IncomingPayload) -> FileCheck:
        """Return what is wrong with the captions and where cells are; raises `SnapshotFormatError` for no such file."""
        ...

    def templates(self) -> Sequence[Template]:
        """Return the files to fill in."""
        ...
