"""Approvals: yes at all schools or one, no with a reason, and plain words when it is too late."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from hub.core import scope
from tests.factories.inbox import last_code
from tests.factories.parents import EMAIL, value_of
from tests.portal.conftest import DAY, Parent, ask
from verification.models import DetailChange, Status

APPROVALS = reverse("portal:approvals")
NEW = "new@example.org"


def yes(parent: Parent, change: DetailChange, everywhere: str = "") -> str:
    answer = parent.client.post(reverse("portal:yes", args=[change.pk]), {"everywhere": everywhere})
    return str(answer["Location"])


def no_page(change: DetailChange) -> str:
    return reverse("portal:no", args=[change.pk])


def status_of(change: DetailChange) -> str:
    with scope.schools(change.school_id):
        return DetailChange.objects.get(pk=change.pk).status


def test_a_yes_is_proved_at_the_new_address(ngozi: Parent) -> None:
    change = ask(ngozi.contact)
    proof = yes(ngozi, change)
    assert proof == reverse("portal:proof", args=[change.batch])
    assert value_of(ngozi.contact, "email") == EMAIL
    ngozi.client.post(proof, {"code": last_code(NEW)})
    assert value_of(ngozi.contact, "email") == NEW
    page = ngozi.client.get(APPROVALS).text
    assert "Nothing to approve" in page
    assert "The school asked, and you agreed on" in page


def test_a_yes_everywhere_goes_to_every_school(ngozi_at_both: Parent) -> None:
    change = ask(ngozi_at_both.contact)
    proof = yes(ngozi_at_both, change, "1")
    ngozi_at_both.client.post(proof, {"code": last_code(NEW)})
    assert value_of(ngozi_at_both.contact, "email") == NEW
    assert value_of(ngozi_at_both.elsewhere, "email") == NEW


def test_a_yes_to_one_school_leaves_the_other(ngozi_at_both: Parent) -> None:
    change = ask(ngozi_at_both.contact)
    ngozi_at_both.client.post(yes(ngozi_at_both, change), {"code": last_code(NEW)})
    assert value_of(ngozi_at_both.contact, "email") == NEW
    assert value_of(ngozi_at_both.elsewhere, "email") == EMAIL


def test_a_yes_to_what_is_proved_already_needs_no_code(ngozi_at_both: Parent) -> None:
    change = ask(ngozi_at_both.elsewhere, "+447700900123", "mobile", old_value="+447700900199")
    assert yes(ngozi_at_both, change) == APPROVALS
    assert status_of(change) == Status.APPROVED


def test_a_no_gives_its_reason_to_the_office(ngozi: Parent) -> None:
    change = ask(ngozi.contact)
    page = ngozi.client.get(no_page(change)).text
    assert "Mine is right as it is." in page
    answer = ngozi.client.post(
        no_page(change), {"why": "The new one is old or mistyped.", "more": "I left that job."}, follow=True
    )
    assert "It stays as it is." in answer.text
    with scope.schools(change.school_id):
        change.refresh_from_db()
    assert (change.status, change.reason) == (Status.REJECTED, "The new one is old or mistyped. I left that job.")
    assert value_of(ngozi.contact, "email") == EMAIL


def test_something_else_wants_a_word(ngozi: Parent) -> None:
    change = ask(ngozi.contact)
    answer = ngozi.client.post(no_page(change), {"why": "else", "more": " "})
    assert answer.status_code == 422
    assert "Say in a few words why" in answer.text
    assert status_of(change) == Status.PENDING


def test_a_get_answers_nothing(ngozi: Parent) -> None:
    change = ask(ngozi.contact)
    assert ngozi.client.get(reverse("portal:yes", args=[change.pk])).status_code == 405
    assert ngozi.client.get(reverse("portal:decline", args=[change.pk])).status_code == 405
    ngozi.client.get(no_page(change))
    ngozi.client.get(reverse("portal:approval", args=[change.pk]))
    assert status_of(change) == Status.PENDING


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"status": "expired", "deadline": timezone.now() - DAY}, "The time to answer this is over."),
        ({"deadline": timezone.now() - DAY}, "The time to answer this is over."),
        ({"status": "rejected", "answered_at": timezone.now()}, "This has been answered already."),
        ({"status": "approved", "answered_at": timezone.now()}, "This has been answered already."),
        ({"status": "withdrawn", "answered_at": timezone.now()}, "This question is no longer asked."),
        ({"status": "waiting", "answered_at": timezone.now()}, "One step is missing: the code."),
    ],
)
def test_a_question_that_is_over_speaks_plainly(ngozi: Parent, fields: dict[str, object], title: str) -> None:
    change = ask(ngozi.contact, **fields)
    page = ngozi.client.get(reverse("portal:approval", args=[change.pk])).text
    assert title in page
    assert "Yes, change it" not in page


def test_whoever_answers_too_late_reads_what_became_of_it(ngozi: Parent) -> None:
    change = ask(ngozi.contact, deadline=timezone.now() - DAY)
    answer = ngozi.client.post(reverse("portal:yes", args=[change.pk]), follow=True)
    assert "The time to answer this is over." in answer.text
    assert value_of(ngozi.contact, "email") == EMAIL
    assert ngozi.client.get(no_page(change))["Location"] == reverse("portal:approval", args=[change.pk])


def test_the_tab_counts_what_waits(ngozi: Parent) -> None:
    assert 'class="count"' not in ngozi.client.get(APPROVALS).text
    ask(ngozi.contact)
    page = ngozi.client.get(reverse("portal:messages")).text
    assert '<span class="count">1<span class="hidden-text"> waiting for you</span></span>' in page


def test_a_no_to_what_two_schools_ask_alike_answers_both(ngozi_at_both: Parent) -> None:
    first, second = ask(ngozi_at_both.contact), ask(ngozi_at_both.elsewhere)
    third = ask(ngozi_at_both.elsewhere, "+447700900555", "mobile")
    page = ngozi_at_both.client.get(no_page(first)).text
    assert "Beck Road Academy and Larch Hill Primary asked for a change" in page
    ngozi_at_both.client.post(no_page(first), {"why": "Mine is right as it is."})
    assert (status_of(first), status_of(second), status_of(third)) == ("rejected", "rejected", "pending")


def test_of_two_schools_that_ask_alike_one_alone_can_be_told_yes(ngozi_at_both: Parent) -> None:
    first, second = ask(ngozi_at_both.contact), ask(ngozi_at_both.elsewhere)
    ngozi_at_both.client.post(yes(ngozi_at_both, second), {"code": last_code(NEW)})
    assert (status_of(first), status_of(second)) == ("pending", "approved")
    assert value_of(ngozi_at_both.contact, "email") == EMAIL


def test_a_yes_at_all_schools_answers_every_one_of_them(ngozi_at_both: Parent) -> None:
    first, second = ask(ngozi_at_both.contact, "one@example.org"), ask(ngozi_at_both.elsewhere, "two@example.org")
    ngozi_at_both.client.post(yes(ngozi_at_both, second, "1"), {"code": last_code("two@example.org")})
    assert value_of(ngozi_at_both.contact, "email") == value_of(ngozi_at_both.elsewhere, "email") == "two@example.org"
    assert status_of(first) == Status.WITHDRAWN
    assert "Nothing to approve" in ngozi_at_both.client.get(APPROVALS).text
