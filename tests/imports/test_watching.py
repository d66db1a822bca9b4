"""Whoever watches a try at an MIS that waits to let us in is told how it ended, though it is no import."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import School
from imports import collecting, moments
from imports.link import links
from imports.models import Import, LinkState, MisLink
from mis_connectors.base import Access, SetUp, Sink
from mis_connectors.errors import ConnectorAuthError
from tests.factories.pulling import PulledMis, an_mis, install

SignIn = Callable[[Account], Client]
BASE = "/8233001/imports/"
LINK = "/8233001/settings/mis-link/"
DAY = dt.timedelta(days=1)


@pytest.fixture
def grant(monkeypatch: pytest.MonkeyPatch) -> PulledMis:
    def refuse(access: Access, sink: Sink) -> None:
        raise ConnectorAuthError("Granted does not let us in yet.")

    mis = an_mis("granted", SetUp.GRANT, grace=DAY, setup_template="mis_integris/setup.html")
    mis.answer = refuse
    install(monkeypatch, mis)
    return mis


@pytest.fixture
def watched(school: School, administrator: Account, grant: PulledMis) -> Import:
    """A try that has begun and waits for the MIS."""
    now = timezone.now()
    link = links.create_link(school=school, connector="granted", by=administrator, now=now)
    links.begin_waiting(link=link, by=administrator, now=now)
    run = collecting.begin(link_id=link.pk, now=now)
    assert run is not None
    return run


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(response.content.decode().split())


def test_the_page_of_a_try_ends_in_a_sentence_and_asks_no_more(
    watched: Import, administrator: Account, signed_in: SignIn
) -> None:
    client, page = signed_in(administrator), f"{BASE}{watched.pk}/"
    assert 'hx-trigger="every 1s"' in text(client, page)
    assert 'hx-trigger="every 1s"' in text(client, f"{page}phases/")

    collecting.collect(import_id=watched.pk, now=(tried := timezone.now()))

    assert not Import.objects.exists(), "it is no import, and no failed one"
    poll = client.get(f"{page}phases/")
    assert (poll.status_code, poll.headers["HX-Refresh"]) == (200, "true")
    shown = text(client, page)
    assert "<h1>Granted has not let us in yet</h1>" in shown
    assert f"Tried at {moments.stamp(tried)}. Nothing was changed, and this is no failed import." in shown
    assert "Granted takes up to 24 hours to let us in: look at Imports tomorrow." in shown
    assert "hx-trigger" not in shown
    assert "failed" not in text(client, BASE).lower()


@pytest.mark.parametrize(
    ("state", "title"),
    [(LinkState.RECONNECT, "Granted still does not let us in"), (LinkState.ENABLED, "Granted had not let us in yet")],
)
def test_it_is_as_true_later(
    watched: Import, administrator: Account, signed_in: SignIn, state: str, title: str
) -> None:  # fmt: skip
    collecting.collect(import_id=watched.pk, now=timezone.now())
    MisLink.objects.update(state=state)
    assert f"<h1>{title}</h1>" in text(signed_in(administrator), f"{BASE}{watched.pk}/")


def test_any_other_number_is_no_page_and_another_schools_try_neither(
    watched: Import, administrator: Account, stranger: Account, teacher: Account, signed_in: SignIn
) -> None:
    collecting.collect(import_id=watched.pk, now=timezone.now())
    for path in ("", "phases/"):
        assert signed_in(administrator).get(f"{BASE}{watched.pk + 1000}/{path}").status_code == 404
        assert signed_in(teacher).get(f"{BASE}{watched.pk}/{path}").status_code == 403
        assert signed_in(stranger).get(f"{BASE}{watched.pk}/{path}").status_code == 404


def test_the_page_of_the_link_is_drawn_anew_once_a_try_has_come_and_gone(
    watched: Import, administrator: Account, signed_in: SignIn
) -> None:
    client = signed_in(administrator)
    Import.objects.all().delete()
    MisLink.objects.update(tried_at=None)
    before = text(client, LINK)
    seen = before.partition("progress/?seen=")[2].partition('"')[0]
    assert client.get(f"{LINK}progress/?seen={seen}").status_code == 204

    run = collecting.begin(link_id=watched.link_id, now=timezone.now() + DAY)
    assert run is not None
    collecting.collect(import_id=run.pk, now=timezone.now() + DAY)

    assert client.get(f"{LINK}progress/?seen={seen}").headers["HX-Refresh"] == "true"
    assert "tried last" in text(client, LINK)


def test_asking_for_an_import_while_waiting_promises_none(
    watched: Import, administrator: Account, signed_in: SignIn
) -> None:
    response = signed_in(administrator).post(f"{LINK}import/", follow=True)
    assert "Granted is tried now; the first import begins once it lets us in." in response.content.decode()
