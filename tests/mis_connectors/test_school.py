"""The simulated school: the same every time, shaped like a real one, and changed as asked."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections import Counter

import pytest

from hub.people import identifiers
from mis_connectors.simulators import sims_xml
from mis_connectors.simulators.details import upn
from mis_connectors.simulators.school import School, generate, night, of_state


def said(school: School) -> dict[str, bytes]:
    return sims_xml.reports(school)


def numbers(school: School) -> dict[int, list[str]]:
    return {contact.id: [one.number for one in contact.telephones] for contact in school.contacts.values()}


def test_the_same_seed_gives_the_same_school_and_another_seed_another() -> None:
    assert said(generate(seed=5, size=80)) == said(generate(seed=5, size=80))
    assert said(generate(seed=5, size=80)) != said(generate(seed=6, size=80))


@pytest.mark.parametrize(("size", "phase"), [(20, "primary"), (210, "primary"), (900, "secondary")])
def test_a_school_has_the_size_that_was_asked_for(size: int, phase: str) -> None:
    school = generate(size=size, phase=phase)
    assert len(school.on_roll()) == size
    assert {pupil.year for pupil in school.on_roll()} <= set(school.years())
    assert size * 1.5 < len(school.contacts) < size * 2.5
    assert all(link.contact_id in school.contacts for link in school.all_links())


def test_a_school_has_the_families_of_a_real_one() -> None:
    school = generate(seed=2, size=400)
    links = list(school.all_links())
    children = Counter(link.contact_id for link in links)
    assert max(children.values()) >= 2
    assert any(contact.title == "Mr & Mrs" for contact in school.contacts.values())
    assert any(link.court_order for link in links)
    assert any(link.applicant for link in links)
    assert {link.responsibility for link in links} == {True, False, None}
    assert {0, 1, 2, None} <= {link.priority for link in links}
    assert any(count > 1 for count in Counter(one.relationship for one in links).values())
    assert any(pupil.leaving_date for pupil in school.pupils.values())
    assert any(pupil.pre_admission for pupil in school.pupils.values())
    emails = Counter(email.address for contact in school.contacts.values() for email in contact.emails)
    assert emails.most_common(1)[0][1] > 1
    parents = {email.address for contact in school.contacts.values() for email in contact.emails}
    assert any(email.address in parents for member in school.staff.values() for email in member.emails)
    assert any(member.reg for member in school.staff.values())


def test_two_parents_may_be_named_alike_and_are_two() -> None:
    school = generate(size=60)
    alike = [
        contact for contact in school.contacts.values() if contact.forename == "Wendy" and contact.surname == "Bradshaw"
    ]
    assert len(alike) >= 2
    assert alike[0].address != alike[1].address
    assert {contact.title for contact in alike[:2]} == {"Mrs"}


def test_separated_parents_live_apart() -> None:
    school = generate(size=200)
    apart = [link for link in school.all_links() if link.relationship == "Father" and not link.lives_with]
    assert apart
    for link in apart:
        mother = school.contacts[school.links[link.pupil_id][0].contact_id]
        assert mother.address != school.contacts[link.contact_id].address


def test_details_are_typed_as_offices_type_them() -> None:
    typed = {number for listed in numbers(generate(size=1500)).values() for number in listed}
    for pattern in (
        r"07700 900\d{3}", r"07700900\d{3}", r"07700 900\d{3} mum", r"07700900\d{3} / .+", r"\+44 \(0\)7700 900\d{3}",
        r"00447700900\d{3}", "[\uff10-\uff19]{11}", r"01632 960\d{3}", "n/a", r"07700900\d{4}",
    ):  # fmt: skip
        assert any(re.fullmatch(pattern, text) for text in typed), pattern
    school = generate(size=1500)
    addresses = {email.address for contact in school.contacts.values() for email in contact.emails}
    for pattern in (r"“.+”", r".+\.org\.", "n/a", r".+ @ .+"):
        assert any(re.fullmatch(pattern, text) for text in addresses), pattern
    assert any(not contact.telephones for contact in school.contacts.values())
    assert any(
        one.location in ("H", "W") and one.number.startswith("07")
        for contact in school.contacts.values()
        for one in contact.telephones
    )


def test_every_number_and_address_is_reserved_for_fiction() -> None:
    school = generate(size=1500)
    for contact in school.contacts.values():
        for one in contact.telephones:
            digits = "".join(filter(str.isdigit, unicodedata.normalize("NFKC", one.number)))
            assert not digits or re.match(r"(44|0044|0|440)?(7700900|1632960)", digits), one.number
        for email in contact.emails:
            assert email.address == "n/a" or "example.org" in email.address
    for member in school.staff.values():
        assert all(email.address.endswith("example.org") for email in member.emails)


def test_identifiers_are_well_formed() -> None:
    school = generate(size=1000)
    assert upn("674123101121") == "R674123101121"
    given = [pupil.upn for pupil in school.pupils.values()]
    judged = [identifiers.upn(text) for text in given if text]
    assert all(one.problem is None for one in judged)
    assert any(one.temporary for one in judged)
    assert None in given
    permanent = [text for text in given if text and text[-1].isdigit()]
    assert len(set(permanent)) == len(permanent)
    adnos = [pupil.adno for pupil in school.pupils.values()]
    assert len(set(adnos)) == len(adnos)
    assert all(re.fullmatch(r"0\d{5}", adno) for adno in adnos)


def test_reachable_parents_have_a_plain_mobile_of_their_own() -> None:
    parents = generate(size=120).reachable_parents()
    assert len(parents) > 20
    assert len({parent.telephones[0].number for parent in parents}) == len(parents)


def test_a_night_changes_a_little_and_the_same_each_time() -> None:
    one, two = generate(size=600), generate(size=600)
    before = said(one)
    for number in range(1, 6):
        night(one, number)
        night(two, number)
    assert said(one) == said(two)
    assert said(one) != before
    assert one.today == dt.date(2026, 11, 27)


def test_a_year_of_nights_ends_the_same_and_keeps_its_size() -> None:
    def after_a_year() -> School:
        school = generate(size=150)
        for number in range(1, 366):
            night(school, number)
        return school

    school = after_a_year()
    assert said(school) == said(after_a_year())
    assert 110 < len(school.on_roll()) < 190
    assert {pupil.year for pupil in school.on_roll()} == set(range(7))
    assert all(link.contact_id in school.contacts for link in school.all_links())


def test_summer_moves_everybody_up_and_the_top_year_out() -> None:
    school = generate(size=210)
    before = {pupil.id: (pupil.year, pupil.reg) for pupil in school.on_roll()}
    coming = [pupil.id for pupil in school.pupils.values() if pupil.pre_admission]
    school.roll_over()
    for pupil_id, (year, reg) in before.items():
        pupil = school.pupils[pupil_id]
        if year == 6:
            assert pupil.leaving_date
        else:
            assert (pupil.year, pupil.leaving_date) == (year + 1, None)
            assert pupil.reg != reg
    assert coming
    assert all(school.pupils[pupil_id].year == 0 and school.pupils[pupil_id].reg for pupil_id in coming)
    assert 200 <= len(school.on_roll()) <= 220


def test_edits_change_what_they_name_and_nothing_else() -> None:
    school = generate(size=60)
    before = numbers(school)
    parent = school.reachable_parents()[0]
    school.change_mobile(parent.id, "07700 900999")
    after = numbers(school)
    assert after.pop(parent.id)[0] == "07700 900999"
    assert after == {key: value for key, value in before.items() if key != parent.id}


def test_a_pupil_dropped_takes_the_contacts_nobody_else_has() -> None:
    school = generate(size=60)
    pupil = next(pupil for pupil in school.on_roll() if len(school.links[pupil.id]) > 1)
    school.drop_pupil(pupil.id)
    used = {link.contact_id for link in school.all_links()}
    assert pupil.id not in school.pupils
    assert set(school.contacts) == used


def test_half_a_school_is_half() -> None:
    school = generate(size=100)
    everybody = len(school.pupils)
    school.drop_half()
    assert len(school.pupils) == everybody // 2


def test_a_merged_contact_leaves_its_links_to_the_other() -> None:
    school = generate(size=60)
    one, other = list(school.contacts)[:2]
    school.merge_contacts(one, other)
    assert one not in school.contacts
    assert all(link.contact_id != one for link in school.all_links())


def test_a_state_file_says_everything() -> None:
    school = generate(seed=9, size=60)
    night(school, 1)
    parent, pupil = school.reachable_parents()[0], school.on_roll()[0]
    edits = [["change_mobile", parent.id, "07700 900999"], ["leave", pupil.id, "2026-12-18"], ["add_pupil", 3]]
    made = of_state(json.loads(json.dumps({"seed": 9, "size": 60, "night": 1, "edits": edits})))
    school.change_mobile(parent.id, "07700 900999")
    school.leave(pupil.id, dt.date(2026, 12, 18))
    school.add_pupil(3)
    assert said(made) == said(school)
