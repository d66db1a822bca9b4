"""Safe, streaming reading of XML that an MIS sent: bytes in, one element per record out.

Knows bytes, encodings and limits, and nothing of what the records mean. Every refusal is a
`SnapshotFormatError` whose sentence an office understands.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from lxml import etree

from mis_connectors.errors import SnapshotFormatError

HEAD = 64 * 1024
"""So much of a file is looked at before any of it is given to the XML parser."""
WITHOUT_A_RECORD = 16 * 1024 * 1024
"""More bytes than this without one whole record are not a report."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WITHOUT_BOM = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(r"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_LATIN = {
    "iso-8859-1",
    "iso8859-1",
    "iso_8859-1",
    "latin1",
    "latin-1",
    "l1",
    "us-ascii",
    "ascii",
    "cp1252",
    "windows-1252",
}
_UNICODE = {"utf-8", "utf8", "utf-16", "utf16", "ucs-2", "utf-32"}
_SINGLE_BYTE = re.compile(r"(iso-8859-|windows-125|cp125)\d{1,2}|macintosh")
_CONTROLS = re.compile(rb"\xc2[\x80-\x9f]")
_LETTERS = {
    bytes((0xC2, byte)): bytes((byte,)).decode("windows-1252", "replace").encode() for byte in range(0x80, 0xA0)
}
"""What iso-8859-1 makes control characters of, as UTF-8 → the letters they are in windows-1252."""
_INVALID_BYTES = 81
_NOT_CUT_SHORT = {5, 76, _INVALID_BYTES}
"""Errors of libxml2 that a file cut short cannot make: extra content, mismatched tags, invalid bytes."""
_SCHEMA_ELEMENT = "{http://www.w3.org/2001/XMLSchema}element"
_ERROR_TEXT = re.compile(r"^<CommandReporterError\b", re.IGNORECASE)
_TAGS = re.compile(r"<[^>]*>")


class Readable(Protocol):
    """All that is asked of a file."""

    def read(self, size: int = -1, /) -> bytes: ...


class NotUtf8(SnapshotFormatError):
    """The bytes are not the UTF-8 that they are said to be: read the file again as windows-1252."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the first bytes of a file say of the rest."""

    encoding: str
    """As Python calls it."""
    falls_back: bool
    """Bytes that are not UTF-8 may be read as windows-1252."""


class Budget:
    """How many bytes may still be unpacked."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit

    def fresh(self) -> Budget:
        """Return a budget of what is left, for a file that may have to be read a second time."""
        again = Budget(self._limit)
        again._left = self._left
        return again

    def spend(self, count: int) -> None:
        """Raises `SnapshotFormatError` when the limit is passed."""
        self._left -= count
        if self._left < 0:
            megabytes = self._limit // (1024 * 1024)
            raise SnapshotFormatError(
                f"Unpacked, this is larger than the {megabytes} MB that a school's reports may have.",
                detail="unpacked_limit",
            )


class Limited:
    """A file that refuses to unpack beyond its limit; the count is shared by all files of one payload."""

    def __init__(self, stream: Readable, budget: Budget, *, name: str) -> None:
        self._stream = stream
        self._budget = budget
        self._name = name
        self._pushed_back = b""
        self.convert: Callable[[bytes], bytes] | None = None
        """Turns what was read into UTF-8."""
        self.since_record = 0
        self.ended = False

    def read(self, size: int = -1, /) -> bytes:
        if self._pushed_back:
            data, self._pushed_back = self._pushed_back, b""
        else:
            data = self._stream.read(size)
            self._budget.spend(len(data))
            self.ended = not data
        self.since_record += len(data)
        if self.since_record > WITHOUT_A_RECORD:
            raise SnapshotFormatError(f"{self._name} is not a report: it goes on and on without a single record.")
        return self.convert(data) if self.convert else data

    def peek(self, size: int) -> bytes:
        """Return the first bytes without taking them; only before anything was read."""
        data = b""
        while len(data) < size:
            more = self._stream.read(size - len(data))
            if not more:
                break
            self._budget.spend(len(more))
            data += more
        self._pushed_back = data
        return data


class Records:
    """The records of one file, each as an element that is emptied when the next one is asked for.

    Iterating raises `SnapshotFormatError` – for an empty file, an error text instead of XML, a
    DOCTYPE, XML that is damaged or cut short – and `NotUtf8`, after which the caller may begin again
    with `encoding="windows-1252"`. An inline schema and other children are passed over.
    """

    def __init__(
        self, stream: Readable, *, name: str, budget: Budget, tag: str = "Record", encoding: str | None = None
    ) -> None:
        self._name = name
        self._tag = tag
        self._asked = encoding
        self._source = Limited(stream, budget, name=name)
        self.count = 0
        self.root = ""
        """The name of the outermost element; known when all was read."""
        self.declared: frozenset[str] = frozenset()
        """Names that an inline schema declares: the columns of a report without records."""

    def __iter__(self) -> Iterator[etree._Element]:
        source = self._source
        head = inspect_head(source.peek(HEAD), name=self._name)
        encoding = self._asked or head.encoding
        if encoding != "utf-8":
            source.convert = _converter(encoding)
        try:
            context = _parser(source, self._tag)
            yield from self._each(context)
        except etree.XMLSyntaxError as error:
            raise self._plain(error, may_retry=head.falls_back and not self._asked) from None
        self._look_back(context.root)

    def _each(self, context: etree.iterparse[tuple[str, etree._Element]]) -> Iterator[etree._Element]:
        for _, element in context:
            if not self.count:
                _refuse_doctype(element, self._name)
            self.count += 1
            self._source.since_record = 0
            yield element
            _forget(element)

    def _look_back(self, root: etree._Element | None) -> None:
        if root is None:
            return
        _refuse_doctype(root, self._name)
        self.root = etree.QName(root).localname
        if not self.count:
            self.declared = frozenset(str(found.get("name")) for found in root.iter(_SCHEMA_ELEMENT))

    def _plain(self, error: etree.XMLSyntaxError, *, may_retry: bool) -> SnapshotFormatError:
        name, code = self._name, int(getattr(error, "code", 0) or 0)
        detail = f"libxml2 error {code} in line {error.lineno} after {self.count} records"
        if may_retry and code == _INVALID_BYTES:
            return NotUtf8(f"{name} is not the UTF-8 that it says it is.", detail=detail)
        if self._source.ended and code not in _NOT_CUT_SHORT:
            records = "1 record" if self.count == 1 else f"{self.count} records"
            return SnapshotFormatError(f"{name} is cut short: it ends in the middle, after {records}.", detail=detail)
        return SnapshotFormatError(f"{name} cannot be read: the XML is damaged in line {error.lineno}.", detail=detail)


def inspect_head(head: bytes, *, name: str) -> Head:
    """Return how to read a file that begins so; raises `SnapshotFormatError` where it need not be read at all."""
    if not head.strip():
        raise SnapshotFormatError(
            f"{name} is empty: nothing was written into it. Run the report again, and send it whole."
        )
    by_bom = next((encoding for bom, encoding in _BOMS if head.startswith(bom)), None)
    wide = by_bom or next((encoding for start, encoding in _WITHOUT_BOM if head.startswith(start)), None)
    text = head.decode(wide or "windows-1252", "replace").lstrip("\ufeff").lstrip()
    body = _DECLARATION.sub("", text, count=1).lstrip()
    if _ERROR_TEXT.match(body):
        raise _said_instead(body, name)
    if not text.startswith("<"):
        raise SnapshotFormatError(f"{name} is not XML.", detail="does not begin with <")
    if "<!DOCTYPE" in text.upper():
        raise _doctype(name)
    if wide:
        return Head(wide, falls_back=wide == "utf-8")
    declared = _DECLARED.match(text)
    return _by_declaration(declared.group(1).lower() if declared else "utf-8", name)


def _converter(encoding: str) -> Callable[[bytes], bytes]:
    """Return what turns bytes of `encoding`, piece by piece, into UTF-8: Python is faster at it than the parser."""
    if encoding == "windows-1252":
        return _utf8_of_1252
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return lambda data: decoder.decode(data, final=not data).encode("utf-8", "replace")


def _utf8_of_1252(data: bytes) -> bytes:
    """Through iso-8859-1, at which Python is three times faster; an undefined byte costs one letter, not the night."""
    if data.isascii():
        return data
    return _CONTROLS.sub(lambda found: _LETTERS[found.group()], data.decode("iso-8859-1").encode())


def _by_declaration(declared: str, name: str) -> Head:
    if declared in _LATIN:
        return Head("windows-1252", falls_back=False)
    if declared in _UNICODE:  # .NET string writers say utf-16 of what is then saved as UTF-8
        return Head("utf-8", falls_back=True)
    if _SINGLE_BYTE.fullmatch(declared):
        try:
            return Head(codecs.lookup(declared).name, falls_back=False)
        except LookupError:
            pass
    raise SnapshotFormatError(f"{name} says that it is written in the encoding {declared}, which is not read.")


def _parser(source: Readable, tag: str) -> etree.iterparse[tuple[str, etree._Element]]:
    return etree.iterparse(
        source,
        events=("end",),
        tag="{*}" + tag,
        encoding="utf-8",
        attribute_defaults=False,
        dtd_validation=False,
        load_dtd=False,
        no_network=True,
        resolve_entities=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
        huge_tree=False,
        recover=False,
    )


def _forget(element: etree._Element) -> None:
    """Give back the memory of a record and of everything before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]


def _refuse_doctype(element: etree._Element, name: str) -> None:
    """The head was searched for one; this finds it behind a long comment or in an odd encoding."""
    if element.getroottree().docinfo.internalDTD is not None:
        raise _doctype(name)


def _doctype(name: str) -> SnapshotFormatError:
    return SnapshotFormatError(
        f"{name} holds a document type declaration (DOCTYPE). No MIS sends one, so it was not read."
    )


def _said_instead(body: str, name: str) -> SnapshotFormatError:
    said = " ".join(_TAGS.sub(" ", body[:2000]).split())[:300]
    return SnapshotFormatError(f"The MIS sent an error instead of {name}: {said or 'no reason was given'}")
