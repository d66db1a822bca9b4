"""A page of a parent that was left open: whatever happened meanwhile, its form is answered in words."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from hub.portal import selectors
from tests.factories.changes import make_change
from tests.factories.parents import value_of
from tests.portal.conftest import DAY, Parent, ask
from verification.models import DetailChange, Status

VERBS = ("yes", "no", "decline", "proof", "again", "cancel", "not_me")
BY_BATCH = ("proof", "again", "cancel", "not_me")
ORIGINS = ("person", "organisation", "import")
SAID = {"code": "123456", "why": "else", "more": "It is not mine.", "everywhere": "1"}


def path_of(verb: str, change: DetailChange) -> str:
    return reverse(f"portal:{verb}", args=[change.batch if verb in BY_BATCH else change.pk])


@pytest.mark.parametrize("frozen", [False, True])
def test_whatever_became_of_it_the_form_is_answered_in_words(ngozi: Parent, frozen: bool) -> None:
    change = ask(ngozi.contact)
    if frozen:
        make_change(ngozi.contact, status="frozen", mis_state="")
    before = value_of(ngozi.contact, "email")
    for at, status in enumerate(Status):
        # Frozen is a login, whoever asked: the forms of its rows are looked at under each origin in turn.
        for origin in [ORIGINS[at % len(ORIGINS)]] if frozen else ORIGINS:
            over: dict[str, Any] = {
                "status": status,
                "origin": origin,
                "deadline": timezone.now() - DAY,
                "made_at": timezone.now() - 8 * DAY,
                "mis_state": "replaced" if status in ("kept", "offer") else "",
                "batch": uuid.uuid4(),
            }
            DetailChange.objects.filter(pk=change.pk).update(**over)
            change.refresh_from_db()
            seen: set[str] = set()
            for verb in VERBS:
                with transaction.atomic():  # what one form did, the next one does not find
                    answer_in_words(ngozi, path_of(verb, change), seen, f"{verb} {status} {origin}")
                    now = DetailChange.objects.get(pk=change.pk)
                    assert (now.status, now.answered_at) == (status, change.answered_at), (verb, status, origin)
                    assert value_of(ngozi.contact, "email") == before, (verb, status, origin)
                    transaction.set_rollback(True)


def answer_in_words(parent: Parent, path: str, seen: set[str], which: str) -> None:
    """Look at the form, send it, and go where that leads, unless nothing was done and that page was `seen` so."""
    there = DetailChange.objects.count()
    for ask_for in (partial(parent.client.get, path), partial(parent.client.post, path, SAID)):
        answer = ask_for()
        place = answer["Location"] if answer.status_code == 302 else ""
        if place and (place not in seen or DetailChange.objects.count() != there):
            answer = parent.client.get(place, follow=True)
            assert answer.status_code in (200, 404), which
            seen.add(place)
        assert answer.status_code in (200, 302, 404, 405, 422), which


@pytest.mark.parametrize("verb", [*VERBS, "change", "take_out"])
def test_a_connection_that_ended_leaves_its_open_forms_without_effect(ngozi: Parent, verb: str) -> None:
    change = ask(ngozi.contact, status="waiting" if verb in BY_BATCH else "pending")
    path = reverse(f"portal:{verb}", args=["email"]) if verb in ("change", "take_out") else path_of(verb, change)
    ngozi.account.connections.update(ended_at=timezone.now())
    assert ngozi.client.post(path, {"value": "thief@example.org", **SAID}).status_code == 404
    assert value_of(ngozi.contact, "email") == "ngozi@example.org"
    assert DetailChange.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_no_to_what_was_answered_in_another_tab_just_now(
    ngozi: Parent, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    change = ask(ngozi.contact)
    monkeypatch.setattr(selectors, "asking_the_same", lambda *said: [])
    answer = getattr(ngozi.client, method)(path_of("no", change), SAID)
    assert (answer.status_code, answer["Location"]) == (302, reverse("portal:approval", args=[change.pk]))
    assert not list(ngozi.client.get(answer["Location"]).context["messages"])
