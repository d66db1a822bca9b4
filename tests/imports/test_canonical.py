"""From raw records to facts: what is normalised, split, cut, rejected and named."""

from __future__ import annotations

from typing import Any

import pytest

from imports.canonical import canonical, split_joint
from imports.types import FIELDS, AccessRule, Facts, Reading
from mis_connectors.records import (
    ContactRecord,
    Kind,
    LinkRecord,
    Opened,
    PupilRecord,
    Record,
    RecordProblem,
    Severity,
    Snapshot,
    SourceRecord,
    StaffRecord,
)

EVERYTHING = frozenset(f"{kind}.{name}" for kind, names in FIELDS.items() for name in names)
GOOD_UPN = "A823300116001"


def source(record: Record | None, external_id: str = "1", *problems: RecordProblem) -> SourceRecord:
    kinds = {PupilRecord: Kind.PUPIL, ContactRecord: Kind.CONTACT, StaffRecord: Kind.STAFF}
    kind = kinds[type(record)] if record else Kind.PUPIL  # type: ignore[index]
    return SourceRecord(
        kind=kind, external_id=external_id, digest=b"d" * 16, file="x.xml", row=3,
        open=lambda: Opened(record, tuple(problems)),
    )  # fmt: skip


def read(*records: SourceRecord, **more: Any) -> Reading:
    snapshot = Snapshot(records=records, complete=frozenset(Kind), dfe_numbers=frozenset({"8233001"}))
    more = {"records": records, "supplies": EVERYTHING, "rule": AccessRule()} | more
    return canonical(snapshot, **more)


def one(record: Record, **more: Any) -> Facts:
    (fact,) = read(source(record), **more).facts
    return fact


def a_contact(*links: LinkRecord, **values: Any) -> ContactRecord:
    links = links or (LinkRecord(pupil_external_id="1", parental_responsibility=True),)
    return ContactRecord(**{"forename": "Ngozi", "surname": "Okafor", "links": links} | values)


def test_white_space_is_folded_and_text_is_cut_to_its_column() -> None:
    fact = one(PupilRecord(forename="Mary  \n Ann", surname="X" * 300, admission_number="0" * 40))
    assert fact.values["forename"] == "Mary Ann"
    assert len(fact.values["surname"]) == 100
    assert len(fact.values["admission_number"]) == 20


def test_no_text_carries_a_character_that_postgresql_refuses() -> None:
    assert one(PupilRecord(forename="Ma\x00ry", surname="Okafor")).values["forename"] == "Mary"


def test_only_what_the_mis_supplies_is_said() -> None:
    fact = one(PupilRecord(surname="Okafor"), supplies=frozenset({"pupil.surname", "pupil.upn"}))
    assert set(fact.values) == {"surname", "upn"}


def test_what_an_mis_does_not_say_is_blank_or_null_and_null_is_not_false() -> None:
    fact = one(PupilRecord(surname="Okafor"))
    assert fact.values["house"] == ""
    assert fact.values["pre_admission"] is None
    link = one(a_contact(LinkRecord(pupil_external_id="1"))).links[0]
    assert link.values["parental_responsibility"] is None
    assert link.values["court_order"] is None


def test_a_record_without_a_name_is_rejected_whole_and_remembered() -> None:
    reading = read(source(PupilRecord(upn=GOOD_UPN)))
    assert reading.facts == ()
    assert reading.unread == {("pupil", "1"): b"d" * 16}
    assert [(p.severity, p.reason, p.row) for p in reading.problems] == [("row", "no_name", 3)]
    assert reading.present == {("pupil", "1")}, "it is there all the same, so nobody left"


def test_what_a_connector_rejects_is_passed_on_with_its_place() -> None:
    problem = RecordProblem(
        severity=Severity.ROW, reason="two_dates", message="Two dates.", advice="Mend.", value="v" * 900
    )  # fmt: skip
    (found,) = read(source(None, "7", problem)).problems
    assert (found.external_id, found.file, found.row, found.reason) == ("7", "x.xml", 3, "two_dates")
    assert len(found.value) == 500


def test_an_upn_that_is_none_is_left_out_and_named() -> None:
    reading = read(source(PupilRecord(surname="Okafor", upn="NOT A UPN")))
    assert reading.facts[0].values["upn"] == ""
    assert [(p.severity, p.field, p.value) for p in reading.problems] == [("part", "upn", "NOT A UPN")]


def test_pre_admissions_come_only_where_the_school_wants_them() -> None:
    record = PupilRecord(surname="Okafor", pre_admission=True)
    assert read(source(record)).facts == ()
    assert read(source(record)).unread
    assert read(source(record), rule=AccessRule(include_pre_admissions=True)).facts


def test_usable_emails_and_mobiles_come_in_order_once_and_landlines_without_a_word() -> None:
    reading = read(
        source(
            a_contact(
                telephones=("01632 960123", "07700 900123 mum", "+44 (0)7700 900124", "07700900123"),
                emails=("A@Example.org", "a@example.org", "n/a"),
            )
        )
    )
    (fact,) = reading.facts
    assert fact.mobiles == ("+447700900123", "+447700900124")
    assert fact.emails == ("a@example.org",)
    assert {p.field for p in reading.problems if p.severity == "part"} <= {"email"}
    assert not [p for p in reading.problems if "960123" in p.value]


def test_a_value_that_is_neither_is_named_with_what_to_do() -> None:
    reading = read(source(a_contact(emails=("ngozi at example",))))
    (problem,) = reading.problems
    assert (problem.severity, problem.field, problem.value) == ("part", "email", "ngozi at example")
    assert problem.message
    assert problem.advice


@pytest.mark.parametrize(
    ("title", "forename", "expected"),
    [
        ("Mr & Mrs", "", [("Mr", ""), ("Mrs", "")]),
        ("Mr and Mrs", "Joe and Ann", [("Mr", "Joe"), ("Mrs", "Ann")]),
        ("Mr/Ms", "N & T", [("Mr", "N"), ("Ms", "T")]),
        ("Mr & Mrs", "Joe", [("Mr", "Joe"), ("Mrs", "")]),
        ("", "Joe + Ann", [("", "Joe"), ("", "Ann")]),
        ("Dr", "Sandy", [("Dr", "Sandy")]),
        ("Mrs", "Andrea", [("Mrs", "Andrea")]),
        ("", "", [("", "")]),
    ],
)
def test_a_joint_record_is_two_people(title: str, forename: str, expected: list[tuple[str, str]]) -> None:
    found = split_joint({"title": title, "forename": forename, "surname": "Bloggs", "gender": "Male"})
    assert [(values["title"], values["forename"]) for values in found] == expected


def test_both_of_a_joint_record_share_its_details_and_links() -> None:
    reading = read(source(a_contact(title="Mr & Mrs", forename="", emails=("b@example.org",))))
    first, second = reading.facts
    assert (first.key, second.key) == (("contact", "1", 0), ("contact", "1", 1))
    assert first.emails == second.emails == ("b@example.org",)
    assert first.links == second.links


@pytest.mark.parametrize(
    ("rule", "link", "admitted"),
    [
        (AccessRule(), {"parental_responsibility": True}, True),
        (AccessRule(), {}, True),
        (AccessRule(), {"parental_responsibility": False}, False),
        (AccessRule(), {"parental_responsibility": True, "court_order": True}, False),
        (AccessRule("priority", 2), {"priority": 2, "parental_responsibility": False}, True),
        (AccessRule("priority", 2), {"priority": 3}, False),
        (AccessRule("priority", 2), {}, False),
        (AccessRule("all"), {"court_order": True}, True),
    ],
)
def test_who_is_imported_is_the_schools_rule(rule: AccessRule, link: dict[str, Any], admitted: bool) -> None:
    fact = one(a_contact(LinkRecord(pupil_external_id="1", **link)), rule=rule)
    assert fact.links[0].values["access"] is admitted


def test_a_link_that_stands_on_an_application_only_is_none() -> None:
    fact = one(a_contact(LinkRecord(pupil_external_id="1"), LinkRecord(pupil_external_id="2", applicant_only=True)))
    assert [link.pupil_external_id for link in fact.links] == ["1"]


def test_an_excluded_record_is_not_opened() -> None:
    def burn() -> Opened:
        raise AssertionError("opened")

    record = SourceRecord(kind=Kind.PUPIL, external_id="1", digest=b"", file="", row=1, open=burn)
    reading = read(record, excluded=frozenset({("pupil", "1")}))
    assert reading.facts == ()
    assert reading.excluded == {("pupil", "1")}


def test_rows_that_name_nobody_are_named() -> None:
    orphan = source(PupilRecord(surname="X"), "")
    problem = RecordProblem(severity=Severity.ROW, reason="no_identity", message="m", advice="a")
    snapshot = Snapshot(records=(), complete=frozenset(), dfe_numbers=frozenset(), orphans=((orphan, problem),))
    reading = canonical(snapshot, records=(), supplies=EVERYTHING, rule=AccessRule())
    assert [(p.label, p.reason) for p in reading.problems] == [("Nobody named", "no_identity")]


def test_staff_bring_names_and_details() -> None:
    fact = one(StaffRecord(surname="Marsh", forename="Tom", telephones=("07700900009",), emails=("t@example.org",)))
    assert (fact.mobiles, fact.emails, fact.label) == (("+447700900009",), ("t@example.org",), "Tom Marsh")
