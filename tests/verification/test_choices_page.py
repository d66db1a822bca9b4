"""What a school chooses about confirming."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from hub.accounts.models import Account
from hub.core.models import AuditEntry, School
from verification.models import Choices

SignIn = Callable[[Account], Client]


def address(school: School) -> str:
    return reverse("verification:choices", args=[school.slug])


def test_an_administrator_chooses_and_the_audit_says_what(
    school: School, administrator: Account, signed_in: SignIn
) -> None:
    client = signed_in(administrator)
    assert "List it" in client.get(address(school)).content.decode()
    assert address(school) in client.get(reverse("overview:settings", args=[school.slug])).content.decode()
    said = {"drift": "ask", "leaver_login_days": "30", "letter_days": "21"}
    assert client.post(address(school), said)["Location"] == address(school)
    held = Choices.objects.get()
    assert (held.propose_drift, held.weekly_summary, held.leaver_login_days, held.letter_days) == (True, False, 30, 21)
    changed = {"propose_drift": True, "weekly_summary": False, "leaver_login_days": 30, "letter_days": 21}
    assert AuditEntry.objects.get().data == changed
    client.post(address(school), said)
    assert AuditEntry.objects.count() == 1, "nothing changed"


def test_nonsense_is_refused_with_a_sentence(school: School, administrator: Account, signed_in: SignIn) -> None:
    good = {"drift": "list", "leaver_login_days": "30", "letter_days": "10"}
    nonsense = [("leaver_login_days", "0"), ("leaver_login_days", "731"), ("letter_days", "2"), ("letter_days", "57")]
    for name, days in [*nonsense, ("leaver_login_days", "soon"), ("leaver_login_days", ""), ("letter_days", "")]:
        response = signed_in(administrator).post(address(school), good | {name: days})
        assert response.status_code == 422, (name, days)
    assert not Choices.objects.exists()


def test_only_an_administrator_chooses(
    school: School, office: Account, teacher: Account, stranger: Account, signed_in: SignIn
) -> None:
    for account, status in ((office, 403), (teacher, 403), (stranger, 404)):
        for answer in (signed_in(account).get(address(school)), signed_in(account).post(address(school))):
            assert answer.status_code == status
