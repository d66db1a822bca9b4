"""Letters: one page each, names with accents, codes that only the paper holds, and the door they open."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from hub.accounts.models import Account
from hub.core import paper
from hub.core.models import School
from hub.core.templatetags import frame
from hub.people.models import Contact
from tests.conftest import NOW
from tests.factories.people import give, make_contact, make_pupil, tie
from tests.portal import pseudo
from tests.portal.conftest import pseudo_language
from verification.errors import InvitationRefused
from verification.invitations import letter_making, letters, rules
from verification.invitations.letters import Letter
from verification.models import Choices, Invitation

MINUTE = dt.timedelta(minutes=1)
__all__ = ["pseudo_language"]


@pytest.fixture
def nobody(school: School) -> Contact:
    """Has neither email nor mobile."""
    pupil = make_pupil(school, "Zoë", "Bradshaw", registration_group="6HB")
    return make_contact(school, "Wendy", "Bradshaw", pupil, address="1 Beck Road, Leeds", postcode="LS1 1AA")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Letter]:
    """The letters that were drawn."""
    seen: list[Letter] = []

    def keep(made: list[Letter]) -> bytes:
        seen.extend(made)
        return b"%PDF-"

    monkeypatch.setattr(letters, "pdf", keep)
    return seen


def a_letter(**fields: object) -> Letter:
    said = {
        "school": "Larch Hill Primary",
        "person": "Mrs Łucja Ọláyẹmí-Okafor",
        "pupils": ("Zoë Okafor, 6HB",),
        "address": "1 Beck Road, Leeds",
        "postcode": "LS1 1AA",
        "number": "48210375",
        "code": "K7PM-3XQA-TR9D",
        "link": "https://hub.example.org/join/abc/",
        "page": "hub.example.org/join/letter/",
        "made": NOW,
        "until": NOW + rules.GOOD_FOR,
    }
    return Letter(**{**said, **fields})  # type: ignore[arg-type]


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


class TestThePaper:
    def test_one_page_each(self) -> None:
        assert pages(letters.pdf([a_letter()] * 3)) == 3

    def test_the_longest_of_everything_stays_on_one_page(self) -> None:
        long = a_letter(
            school="The Very Reverend Archbishop Wilberforce Memorial Church of England Voluntary Aided Primary School",
            person="Professor Wilhelmina-Alexandrina Featherstonehaugh-Cholmondeley-Marjoribanks",
            pupils=tuple(f"Bartholomew-Maximilian Featherstonehaugh-Cholmondeley {n}, 6HB" for n in range(6)),
            address=", ".join(["Flat 12 The Old Cotton Mill Apartments"] * 9),
            office="a-very-long-address-of-the-office@some-very-long-name-of-a-school.example.org",
            page="a-very-long-host-name-of-a-hub.for-several-schools.example.org/join/letter/",
            link="https://a-very-long-host-name-of-a-hub.for-several-schools.example.org/join/" + "x" * 43,
        )
        assert pages(letters.pdf([long])) == 1

    def test_accents_print_and_other_scripts_are_marked(self) -> None:
        assert paper.printable("Łucja Ọláyẹmí Nguyễn Ґалаґан Ωμέγα Müßig") == "Łucja Ọláyẹmí Nguyễn Ґалаґан Ωμέγα Müßig"
        assert paper.printable("Zoe\u0308") == "Zoë"
        assert paper.printable("李 A\u200b\nB") == "? A B"

    def test_says_until_which_hour_it_is_good(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[str] = []
        monkeypatch.setattr(letters, "_text", lambda page, text, **how: said.append(text))
        letters.pdf([a_letter()])
        assert any("Good once, until Thu 3 Dec, 08:00." in one for one in said)

    def test_the_font_is_inside(self) -> None:
        assert b"DejaVuSansCondensed" in letters.pdf([a_letter()])


class TestPrinting:
    def test_makes_the_codes_and_keeps_only_hashes(self, nobody: Contact, office: Account, drawn: list[Letter]) -> None:
        printed = letter_making.print_letter(owner=nobody, by=office, now=NOW)
        (letter,) = drawn
        made = Invitation.objects.get(contact=nobody)
        assert (printed.count, printed.left) == (1, 0)
        assert made.letter_number == letter.number
        assert rules.typed_code(letter.code) not in made.letter_hash
        assert made.expires_at == NOW + dt.timedelta(days=10)
        assert letter.pupils == ("Zoë Bradshaw, 6HB",)
        assert letter.page.endswith("/join/letter/")

    def test_is_good_for_as_long_as_the_school_chose(
        self, nobody: Contact, office: Account, drawn: list[Letter]
    ) -> None:
        Choices.objects.create(school=nobody.school, letter_days=28)
        letter_making.print_letter(owner=nobody, by=office, now=NOW)
        assert drawn[0].until == Invitation.objects.get().expires_at == NOW + dt.timedelta(days=28)

    def test_again_makes_a_new_one_and_voids_the_old(
        self, nobody: Contact, office: Account, drawn: list[Letter]
    ) -> None:
        letter_making.print_letter(owner=nobody, by=office, now=NOW)
        letter_making.print_letter(owner=nobody, by=office, now=NOW + MINUTE)
        old, new = drawn
        with pytest.raises(InvitationRefused):
            letter_making.enter(number=old.number, code=old.code, now=NOW + MINUTE)
        assert letter_making.enter(number=new.number, code=new.code, now=NOW + MINUTE).contact == nobody

    def test_many_by_form_only_those_with_neither_and_without_a_letter(
        self, school: School, nobody: Contact, office: Account, drawn: list[Letter]
    ) -> None:
        reached = make_contact(school, "Ngozi", "Okafor", make_pupil(school))
        give(reached, "email", "ngozi@example.org")
        tie(make_contact(school, "Con", "Nected", make_pupil(school)), office)
        first = make_contact(school, "Ada", "Zeller", make_pupil(school, "Al", "Zeller", registration_group="1AB"))
        printed = letter_making.print_letters(school=school, by=office, now=NOW)
        assert [letter.person for letter in drawn] == [str(first), str(nobody)]
        assert (printed.count, printed.left) == (2, 0)
        assert letter_making.print_letters(school=school, by=office, now=NOW + MINUTE).count == 0

    def test_a_big_pile_comes_in_batches(
        self, school: School, office: Account, drawn: list[Letter], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(letter_making, "AT_ONCE", 2)
        pupil = make_pupil(school)
        for place in range(3):
            make_contact(school, f"Parent{place}", "Okafor", pupil)
        printed = letter_making.print_letters(school=school, by=office, now=NOW)
        assert (printed.count, printed.left) == (2, 1)
        assert letter_making.print_letters(school=school, by=office, now=NOW + MINUTE).count == 1
        assert len({letter.number for letter in drawn}) == 3


class TestTheDoor:
    @pytest.fixture
    def letter(self, nobody: Contact, office: Account, drawn: list[Letter]) -> Letter:
        letter_making.print_letter(owner=nobody, by=office, now=NOW)
        return drawn[0]

    def test_opens_by_number_and_code_however_they_are_typed(self, letter: Letter, nobody: Contact) -> None:
        typed = {"number": f" {letter.number[:4]} {letter.number[4:]}", "code": letter.code.lower().replace("-", " ")}
        assert letter_making.enter(**typed, now=NOW).contact == nobody

    def test_nobody_keeps_a_letter_shut_by_typing_wrong_codes(self, letter: Letter, nobody: Contact) -> None:
        for second in range(60):
            with pytest.raises(InvitationRefused):
                letter_making.enter(
                    number=letter.number, code=f"AAAA-AAAA-AA{second}", now=NOW + second * dt.timedelta(seconds=1)
                )
        assert letter_making.enter(number=letter.number, code=letter.code, now=NOW + MINUTE).contact == nobody

    def test_whoever_guesses_day_and_night_has_no_hope_while_a_letter_is_good(self) -> None:
        a_second, longest = 10_000, dt.timedelta(days=90)
        assert a_second * longest.total_seconds() / len(rules.ALPHABET) ** rules.CODE_LENGTH < 1e-6

    def test_lapses_after_ten_days(self, letter: Letter) -> None:
        last = NOW + dt.timedelta(days=10)
        assert letter_making.enter(number=letter.number, code=letter.code, now=last - dt.timedelta(seconds=1))
        with pytest.raises(InvitationRefused):
            letter_making.enter(number=letter.number, code=letter.code, now=last)

    def test_asks_the_database_as_much_of_a_number_that_no_letter_has(self, letter: Letter) -> None:
        asked = []
        for number in (letter.number, "99999999"):
            with CaptureQueriesContext(connection) as queries, pytest.raises(InvitationRefused):
                letter_making.enter(number=number, code="AAAA-AAAA-AAAA", now=NOW)
            asked.append([one["sql"].split()[0] for one in queries if "_invitation" in one["sql"]])
        assert asked[0] == asked[1]

    def test_answers_the_same_whatever_is_wrong(self, letter: Letter) -> None:
        client = Client()
        answers = [
            client.post("/join/letter/", {"number": number, "code": code})
            for number, code in ((letter.number, "AAAA-AAAA-AAAA"), ("99999999", letter.code), ("99999999", "AAAA"))
        ]
        bodies = {re.sub(r'value="[^"]*"|[A-Za-z0-9]{64}', "", answer.content.decode()) for answer in answers}
        assert {answer.status_code for answer in answers} == {422}
        assert len(bodies) == 1


@pytest.mark.parametrize("kind", [{}, {"staff": True}, {"again": True}, {"recovers": True}])
def test_all_that_a_letter_says_can_be_said_in_another_language(
    pseudo_language: None, monkeypatch: pytest.MonkeyPatch, kind: dict[str, bool]
) -> None:
    letter = a_letter(**kind)
    said: list[str] = []
    text, cell = letters._text, letters._cell
    monkeypatch.setattr(letters, "_text", lambda page, words, **how: (said.append(words), text(page, "x", **how)))
    monkeypatch.setattr(
        letters, "_cell", lambda page, words, *a, **how: (said.append(words), cell(page, "x", *a, **how))
    )
    with translation.override(pseudo.LANGUAGE):
        letters.pdf([letter])
        when = frame.when(letter.until)
    values = {letter.school, letter.person, letter.postcode, letter.code, "4821 0375", *letter.pupils}
    values |= {part.strip() for part in letter.address.split(",")}
    rest = [one for one in said if one not in values]
    for _ in range(3):  # dates and sentences stand within sentences
        rest = [re.sub(r"\[!![^\[\]]*!!\]", "", one) for one in rest]
    rest = [one for one in rest if re.search(r"\w", re.sub(r"\d", "", one))]
    assert rest == []
    assert len(said) > len(values)
    assert any(when in one for one in said)
