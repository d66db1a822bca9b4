"""Hostile, broken and oddly encoded files: each is refused in a sentence, or simply read."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.xml import Budget, NotUtf8, Records, inspect_head

WHOLE = "<SuperStarReport><Record><Surname>{}</Surname></Record></SuperStarReport>"


def surnames(data: bytes, *, limit: int = 1 << 24, encoding: str | None = None) -> list[str]:
    records = Records(io.BytesIO(data), name="pupils.xml", budget=Budget(limit), encoding=encoding)
    return [str(record.findtext("{*}Surname")) for record in records]


def refusal(data: bytes, *, limit: int = 1 << 24) -> str:
    with pytest.raises(SnapshotFormatError) as caught:
        surnames(data, limit=limit)
    return caught.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_every_unicode_encoding_is_read_with_or_without_a_declaration(encoding: str) -> None:
    assert surnames(WHOLE.format("O’Neill Zoë").encode(encoding)) == ["O’Neill Zoë"]


def test_a_declared_encoding_rules() -> None:
    text = '<?xml version="1.0" encoding="iso-8859-2"?>' + WHOLE.format("Wójcik Łuk")
    assert surnames(text.encode("iso-8859-2")) == ["Wójcik Łuk"]


@pytest.mark.parametrize("declared", ["iso-8859-1", "ISO-8859-1", "latin1", "windows-1252", "us-ascii"])
def test_latin_is_read_as_windows_1252(declared: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}" standalone="yes"?>' + WHOLE.format("O’Neill Zoë €")
    assert surnames(text.encode("windows-1252")) == ["O’Neill Zoë €"]


def test_a_byte_that_windows_1252_does_not_know_costs_one_letter() -> None:
    assert surnames(b'<?xml version="1.0" encoding="iso-8859-1"?>' + WHOLE.encode().replace(b"{}", b"O\x81k")) == [
        "O\ufffdk"
    ]


def test_every_byte_of_windows_1252_is_its_own_letter() -> None:
    data = bytes(byte for byte in range(0x80, 0x100))
    head = b'<?xml version="1.0" encoding="iso-8859-1"?><S><Record><Surname>'
    assert surnames(head + data + b"</Surname></Record></S>") == [data.decode("windows-1252", "replace")]


def test_utf_8_that_says_it_is_utf_16_is_read() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?>' + WHOLE.format("Zoë")
    assert surnames(text.encode()) == ["Zoë"]


def test_bytes_that_are_not_utf_8_ask_for_a_second_reading() -> None:
    data = WHOLE.format("Zoë").encode("windows-1252")
    with pytest.raises(NotUtf8):
        surnames(data)
    assert surnames(data, encoding="windows-1252") == ["Zoë"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1252"]
)
def test_a_doctype_is_refused_in_any_encoding(encoding: str) -> None:
    data = ("<!DOCTYPE SuperStarReport>" + WHOLE.format("x")).encode(encoding)
    assert "DOCTYPE" in refusal(data)


def test_a_doctype_behind_a_long_comment_is_refused() -> None:
    bomb = '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    data = f"<!--{'x' * 200_000}-->{bomb}{WHOLE.format('&c;')}".encode()
    assert "DOCTYPE" in refusal(data)
    assert "DOCTYPE" in refusal(f"<!--{'x' * 200_000}--><!DOCTYPE s><s/>".encode())


def test_an_external_entity_is_never_fetched() -> None:
    data = f'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]>{WHOLE.format("&x;")}'.encode()
    assert "DOCTYPE" in refusal(data)


@pytest.mark.parametrize("keep", [30, 60, 75, 85, 95])
def test_a_file_that_ends_in_the_middle_is_cut_short(keep: int) -> None:
    data = ("<SuperStarReport>" + "<Record><Surname>Okafor</Surname></Record>" * 2 + "</SuperStarReport>").encode()
    assert "pupils.xml is cut short" in refusal(data[: len(data) * keep // 100])


def test_a_tear_says_after_how_many_records() -> None:
    assert "after 1 record." in refusal(b"<S><Record><Surname>x</Surname></Record><Record><Sur")


def test_crossed_tags_are_damage_and_not_a_tear() -> None:
    assert "damaged in line 2" in refusal(b"<S><Record>\n<Surname>x</Forename></Record></S>")


def test_an_empty_file_has_its_own_sentence() -> None:
    assert refusal(b"") == "pupils.xml is empty: nothing was written into it. Run the report again, and send it whole."
    assert (
        refusal(b" \r\n ")
        == "pupils.xml is empty: nothing was written into it. Run the report again, and send it whole."
    )


@pytest.mark.parametrize("data", [b"hello", b"PupilID,Surname\r\n1,Okafor", b"%PDF-1.7", b"\x00\x01\x02\x03"])
def test_what_is_not_xml_is_said_to_be_so(data: bytes) -> None:
    assert refusal(data) == "pupils.xml is not XML."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_the_error_text_of_the_mis_is_passed_on(encoding: str) -> None:
    text = "<CommandReporterError><Message>Report not found:\r\n Schoolgate</Message></CommandReporterError>"
    assert refusal(text.encode(encoding)).endswith("Report not found: Schoolgate")
    assert refusal(('<?xml version="1.0"?>\n' + text).encode(encoding)).endswith("Report not found: Schoolgate")


def test_an_unknown_encoding_is_refused_plainly() -> None:
    for declared in ("klingon", "utf-7", "iso-8859-99", "zlib"):
        said = refusal(f'<?xml version="1.0" encoding="{declared}"?>{WHOLE}'.encode())
        assert f"encoding {declared}" in said


def test_unpacking_stops_at_the_limit() -> None:
    assert "larger than the 1 MB" in refusal(WHOLE.format("x" * 2 * 1024 * 1024).encode(), limit=1024 * 1024)


def test_a_file_without_records_does_not_fill_the_memory() -> None:
    data = b"<S>" + b"<Filler>nothing at all</Filler>" * 700_000 + b"</S>"
    assert "without a single record" in refusal(data, limit=1 << 30)


def test_memory_stays_flat_however_many_records_there_are() -> None:
    data = b"<S>" + b"<Record><Surname>Okafor</Surname></Record>\n" * 10_000 + b"</S>"
    tracemalloc.start()
    try:
        count = sum(1 for _ in Records(io.BytesIO(data), name="x", budget=Budget(1 << 30)))
        assert tracemalloc.get_traced_memory()[1] < 400_000
    finally:
        tracemalloc.stop()
    assert count == 10_000


def test_depth_and_length_have_limits() -> None:
    assert refusal(b"<S><Record>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Record></S>")
    assert refusal(b"<S><Record><a>" + b"x" * 11_000_000 + b"</a></Record></S>", limit=1 << 30)


def test_other_children_comments_and_namespaces_do_not_disturb() -> None:
    data = (
        b'<S xmlns="urn:sims"><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/><!-- c --><?pi x?>'
        b"<Record><!-- c --><Surname>O<![CDATA[kafo]]>r</Surname></Record><Other/></S>"
    )
    assert surnames(data) == ["Okafor"]


def test_an_inline_schema_names_the_columns_of_a_report_without_records() -> None:
    data = (
        b'<SuperStarReport><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        b'<xs:element name="StaffID"/></xs:schema></SuperStarReport>'
    )
    records = Records(io.BytesIO(data), name="x", budget=Budget(1 << 20))
    assert list(records) == []
    assert (records.root, records.declared) == ("SuperStarReport", frozenset({"StaffID"}))


def test_the_head_alone_decides_the_encoding() -> None:
    assert inspect_head(b"<S/>", name="x").falls_back
    assert inspect_head(b'<?xml version="1.0" encoding="iso-8859-1"?><S/>', name="x").encoding == "windows-1252"
