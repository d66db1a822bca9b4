"""My details: the states in words, a new value and its proof, taking out, "this was not me"."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from hub.core import scope
from hub.people.models import ContactDetail
from tests.factories.changes import make_change
from tests.factories.inbox import last_code, mails_to
from tests.factories.parents import EMAIL, value_of
from tests.portal.conftest import DAY, Parent, ask
from verification.models import DetailChange, Status

DETAILS = reverse("portal:details")
NEW = "+447700900555"


def details(parent: Parent) -> str:
    return parent.client.get(DETAILS).text.replace("\u00a0", " ").replace("<wbr>", "")


def begin(parent: Parent, value: str = "07700 900555", kind: str = "mobile", **data: object) -> str:
    answer = parent.client.post(reverse("portal:change", args=[kind]), {"value": value, **data})
    assert answer.status_code == 302, answer.text
    return str(answer["Location"])


# What stands


def test_equal_values_are_one_line_with_both_schools(ngozi_at_both: Parent) -> None:
    page = details(ngozi_at_both)
    assert page.count(f'<p class="big-value breaks">{EMAIL}</p>') == 1
    assert "at Beck Road Academy and Larch Hill Primary" in page


def test_where_schools_differ_each_state_names_its_school(ngozi_at_both: Parent) -> None:
    page = details(ngozi_at_both)
    assert "<strong>Larch Hill Primary:</strong> You confirmed it on" in page
    assert "<strong>Beck Road Academy:</strong> It came from the school&#x27;s own records" in page


def test_a_value_the_mis_does_not_have_yet_says_so(ngozi: Parent) -> None:
    ContactDetail.objects.filter(contact=ngozi.contact, kind="mobile").update(mis_value="+447700900199")
    page = details(ngozi)
    assert "still say 07700 900199. The office has been asked to correct them." in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mis_state": "to_update"}, "The office has been asked to put it into the school&#x27;s own records."),
        ({"mis_state": "differs"}, "say something else again"),
        ({"mis_state": "updated", "settled_at": timezone.now()}, "own records have said so since"),
        ({"mis_state": "done", "settled_at": timezone.now()}, "The office put it into"),
        ({"mis_state": "replaced"}, "Replaced by a later change."),
        ({"status": "rejected", "answered_at": timezone.now(), "reason": "Old."}, "“Old.”"),
        ({"status": "expired", "origin": "organisation", "deadline": timezone.now()}, "Nobody answered by"),
        ({"status": "expired", "deadline": timezone.now()}, "The code was not typed by"),
        (
            {"status": "expired", "origin": "organisation", "deadline": timezone.now(), "answered_at": timezone.now()},
            "The code was not typed by",
        ),
        ({"status": "withdrawn", "answered_at": timezone.now()}, "Nothing changed by it."),
        ({"status": "frozen"}, "the office is looking into it"),
        ({"status": "frozen", "settled_at": timezone.now()}, "the office looked into it on"),
        ({"status": "kept"}, "What you confirmed stays."),
        ({"status": "pending", "deadline": timezone.now() - DAY, "origin": "organisation"}, "Nobody answered by"),
    ],
)
def test_every_state_of_a_change_is_said_in_words(ngozi: Parent, fields: dict[str, object], words: str) -> None:
    make_change(ngozi.contact, **{"made_at": timezone.now() - DAY, **fields})
    assert words in details(ngozi)


def test_what_an_earlier_owner_of_the_record_did_is_not_shown(ngozi: Parent) -> None:
    before = ngozi.connections[0].connected_at
    assert before is not None
    make_change(ngozi.contact, made_at=before - DAY, new_value="+447700900001")
    assert "07700 900001" not in details(ngozi)


# A new value


def test_a_new_mobile_counts_once_its_code_is_typed(ngozi: Parent) -> None:
    proof = begin(ngozi)
    assert "We sent six digits to" in ngozi.client.get(proof).text
    assert value_of(ngozi.contact, "mobile") != NEW
    answer = ngozi.client.post(proof, {"code": last_code(NEW)}, follow=True)
    assert "Confirmed. Your schools reach you there from now on." in answer.text
    assert value_of(ngozi.contact, "mobile") == NEW


def test_it_goes_to_the_chosen_schools_only(ngozi_at_both: Parent) -> None:
    proof = begin(ngozi_at_both, where=[ngozi_at_both.connections[0].pk])
    ngozi_at_both.client.post(proof, {"code": last_code(NEW)})
    assert value_of(ngozi_at_both.contact, "mobile") == NEW
    assert value_of(ngozi_at_both.elsewhere, "mobile") != NEW


def test_all_schools_are_ticked_to_begin_with(ngozi_at_both: Parent) -> None:
    page = ngozi_at_both.client.get(reverse("portal:change", args=["mobile"])).text
    assert page.count(" checked") == 2


def test_a_connection_of_somebody_else_is_no_choice(ngozi_at_both: Parent, tom: Parent) -> None:
    path = reverse("portal:change", args=["mobile"])
    answer = ngozi_at_both.client.post(path, {"value": "07700 900555", "where": [tom.connections[0].pk]})
    assert answer.status_code == 422


def test_what_is_no_mobile_is_refused_in_words(ngozi: Parent) -> None:
    answer = ngozi.client.post(reverse("portal:change", args=["mobile"]), {"value": "01632 960123"})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text


def test_a_wrong_code_says_so_and_leaves_the_right_one_good(ngozi: Parent) -> None:
    proof = begin(ngozi)
    code = last_code(NEW)
    wrong = "000000" if code != "000000" else "111111"
    answer = ngozi.client.post(proof, {"code": wrong})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    ngozi.client.post(proof, {"code": f"{code[:3]} {code[3:]}"})
    assert value_of(ngozi.contact, "mobile") == NEW


def test_only_the_newest_code_counts(ngozi: Parent) -> None:
    proof = begin(ngozi)
    old = last_code(NEW)
    ngozi.client.post(f"{proof}again/")
    new = last_code(NEW)
    if old != new:
        assert ngozi.client.post(proof, {"code": old}).status_code == 422
    ngozi.client.post(proof, {"code": new})
    assert value_of(ngozi.contact, "mobile") == NEW


def test_on_another_device_a_new_code_is_asked_for(ngozi: Parent, signed_in: object) -> None:
    proof = begin(ngozi)
    other = signed_in(ngozi.account)  # type: ignore[operator]
    assert "Ask for a new code" in other.get(proof).text
    other.post(f"{proof}again/")
    other.post(proof, {"code": last_code(NEW)})
    assert value_of(ngozi.contact, "mobile") == NEW


def test_a_change_can_be_taken_back_before_its_proof(ngozi: Parent) -> None:
    proof = begin(ngozi)
    assert "Taken back" in ngozi.client.post(f"{proof}cancel/", follow=True).text
    assert DetailChange.objects.get().status == Status.WITHDRAWN
    assert "There is no code to type" in ngozi.client.get(proof, follow=True).text


def test_confirming_what_is_used_already_needs_its_code_too(ngozi_at_both: Parent) -> None:
    only_there = ngozi_at_both.connections[1]
    with scope.schools(only_there.school_id):
        ContactDetail.objects.filter(contact=only_there.contact, kind="mobile").update(value="+447700900199")
    assert "It is mine: send me a code" in details(ngozi_at_both)
    proof = begin(ngozi_at_both, "07700 900199", where=[only_there.pk])
    ngozi_at_both.client.post(proof, {"code": last_code("+447700900199")})
    with scope.schools(only_there.school_id):
        assert ContactDetail.objects.get(contact=only_there.contact, kind="mobile").verified_at


def test_what_is_proved_at_one_school_is_confirmed_at_the_other_without_a_code(ngozi_at_both: Parent) -> None:
    assert begin(ngozi_at_both, EMAIL, "email", where=[ngozi_at_both.connections[1].pk]) == DETAILS


# Taking out, and denying


def test_a_mobile_can_be_taken_out_but_not_the_last_proven_way(ngozi: Parent) -> None:
    answer = ngozi.client.post(reverse("portal:take_out", args=["mobile"]), follow=True)
    assert "Taken out." in answer.text
    assert value_of(ngozi.contact, "mobile") == ""
    refused = ngozi.client.post(reverse("portal:take_out", args=["email"]))
    assert refused.status_code == 422
    assert value_of(ngozi.contact, "email") == EMAIL
    assert "Take it out" not in details(ngozi)


def test_this_was_not_me_takes_the_change_back_and_freezes(ngozi: Parent) -> None:
    proof = begin(ngozi)
    ngozi.client.post(proof, {"code": last_code(NEW)})
    path = reverse("portal:not_me", args=[DetailChange.objects.get().batch])
    assert path in details(ngozi)
    assert "Did somebody else make this change?" in ngozi.client.get(path).text
    assert value_of(ngozi.contact, "mobile") == NEW
    ngozi.client.post(path)
    assert value_of(ngozi.contact, "mobile") == "+447700900123"
    page = details(ngozi)
    assert "Your details are frozen" in page
    assert "Change my mobile" not in page
    assert ngozi.client.post(reverse("portal:change", args=["mobile"]), {"value": "07700 900556"}).status_code == 422


@pytest.mark.parametrize("page", ["portal:change", "portal:take_out"])
def test_a_frozen_login_is_told_before_it_types_anything(ngozi: Parent, page: str) -> None:
    make_change(ngozi.contact, status="frozen")
    answer = ngozi.client.get(reverse(page, args=["mobile"]))
    assert answer.status_code == 200
    assert "Ring the school office" in answer.text
    assert ngozi.contact.school.name in answer.text
    assert ngozi.contact.school.office_email in answer.text
    assert 'name="value"' not in answer.text
    assert ngozi.client.post(reverse(page, args=["mobile"]), {"value": "07700 900556"}).status_code == 422


def test_a_question_to_a_frozen_login_says_why_it_cannot_be_answered(ngozi: Parent) -> None:
    change = ask(ngozi.contact)
    make_change(ngozi.contact, field="mobile", status="frozen")
    for path in (reverse("portal:approvals"), reverse("portal:approval", args=[change.pk])):
        assert "no question can be answered" in ngozi.client.get(path).text
    refused = ngozi.client.get(reverse("portal:no", args=[change.pk]))
    assert "Your details are frozen" in refused.text
    assert "data-once" not in refused.text


def test_after_seven_days_it_is_the_offices_matter(ngozi: Parent) -> None:
    change = make_change(ngozi.contact, made_at=timezone.now() - 8 * DAY)
    path = reverse("portal:not_me", args=[change.batch])
    assert path not in details(ngozi)
    assert "cannot be taken back here any more" in ngozi.client.get(path, follow=True).text


def test_a_proposal_is_shown_beside_the_value(ngozi: Parent) -> None:
    change = ask(ngozi.contact)
    page = details(ngozi)
    assert f"Larch Hill Primary has asked to change {EMAIL} to <strong>new@example.org</strong>" in page
    assert reverse("portal:approval", args=[change.pk]) in page


def test_the_old_number_hears_of_the_change(ngozi: Parent) -> None:
    ngozi.client.post(begin(ngozi), {"code": last_code(NEW)})
    assert any("Not you?" in one.body for one in mails_to("+447700900123"))
