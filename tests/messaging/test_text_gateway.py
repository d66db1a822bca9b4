"""The stand-in for a text provider: a process of its own, over HTTP, into the local inbox."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from hub.embedded.services import PROJECT
from hub.messaging import notices, sending, text_gateway
from hub.messaging.models import InboxMail, Notice
from hub.messaging.texting import Texting
from tests.factories.inbox import swept

MOBILE = "+447700900123"
GOOD = {"to": MOBILE, "from": "Schoolgate", "text": "482 913 is your code.", "reference": "r1"}
USUAL = {"email": "hub.messaging.email.Email", "text": "hub.messaging.texting.Texting"}


def database_url() -> str:
    given = django_settings.DATABASES["default"]
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


def start(*more: str, **environ: str) -> subprocess.Popen[str]:
    return manage("text_gateway", "--port=0", *more, **environ)


def manage(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    given = {"DATABASE_URL": database_url(), "SCHOOLGATE_LOCAL_INBOX": "1", "SCHOOLGATE_TEXT_KEY": "a-key"}
    command = [sys.executable, "manage.py", *arguments]
    env = {**os.environ, **given, **environ}
    return subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(settings: Any, *more: str) -> Iterator[str]:
    process = start(*more)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, process.stderr and process.stderr.read()
        settings.TEXT_URL, settings.TEXT_KEY, settings.NOTICE_CARRIERS = found[0], "a-key", USUAL
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.django_db(transaction=True)
def test_a_text_goes_through_the_process_onto_the_inbox_page(settings: Any, now: Any) -> None:
    settings.LOCAL_INBOX = True
    with running(settings):
        sent = notices.send(
            kind="code", channel="text", to=MOBILE, template="code", context={"code": "482913"}, now=now
        )
        assert sent is not None
        sent.refresh_from_db()
        assert sent.state == "sent"
        page = Client().get("/inbox/?channel=text&to=07700900123").text
        assert "to 07700 900123" in page
        assert "482 913 is your Schoolgate code." in page
        assert '<output id="code-' in page
        # The answer is lost, and the same text asked for again: nobody gets it twice.
        Notice.objects.update(state="waiting", sealed=notices.sealed("", "482 913 is your Schoolgate code."))
        assert sending.deliver(sent.pk, now=now) == "sent"
        assert InboxMail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_takes_a_text_and_never_says_so_sends_one(
    settings: Any, now: Any, monkeypatch: pytest.MonkeyPatch, url: Callable[..., str]
) -> None:
    monkeypatch.setattr("hub.messaging.texting.TIMEOUTS", (2.0, 0.4))
    with running(settings, "--fault=hang"):
        given = {"kind": "code", "channel": "text", "to": MOBILE, "template": "code", "context": {"code": "482913"}}
        sent = notices.send(**given, now=now)
        assert sent is not None
        assert sending.deliver(sent.pk, now=now) == "waiting"
        sent.refresh_from_db()
        assert (sent.trouble, sent.tries) == ("The text gateway did not answer.", 2)
    settings.TEXT_URL = url()
    assert sending.deliver(sent.pk, now=now) == "sent"
    assert InboxMail.objects.count() == 1


@pytest.mark.parametrize(("inbox", "key"), [(False, "a-key"), (True, "")])
def test_it_runs_in_a_demo_only_and_with_a_key(settings: Any, inbox: bool, key: str) -> None:
    settings.LOCAL_INBOX, settings.TEXT_KEY = inbox, key
    with pytest.raises(CommandError, match="SCHOOLGATE_"):
        call_command("text_gateway", port=0)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_while_it_asks_sends_one_text(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = text_gateway.Gateway(0, key="a-key", fault="hang")
    threading.Thread(target=gateway.serve_forever, args=(0.01,), daemon=True).start()
    settings.TEXT_URL, settings.TEXT_KEY, settings.NOTICE_CARRIERS = gateway.url, "a-key", USUAL
    monkeypatch.setattr(notices, "ask", lambda notice_id, *, urgent: None)
    now = timezone.now()
    given = {"kind": "code", "channel": "text", "to": MOBILE, "template": "code", "context": {"code": "482913"}}
    sent = notices.send(**given, now=now)  # type: ignore[arg-type]
    assert sent is not None
    worker = manage(
        "shell",
        "-c",
        f"from hub.messaging.tasks import deliver_notice as task; task({sent.pk})",
        SCHOOLGATE_TEXT_URL=gateway.url,
    )
    try:
        wait_until(InboxMail.objects.exists)
    finally:
        worker.kill()
        worker.communicate()
    sent.refresh_from_db()
    assert sent.state == "sending"
    gateway.fault = ""
    later = now + dt.timedelta(minutes=6)
    assert swept(now=later) == [sent.pk]
    assert sending.deliver(sent.pk, now=later) == "sent"
    assert InboxMail.objects.count() == 1
    gateway.shutdown()
    gateway.server_close()


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def url(transactional_db: None) -> Iterator[Callable[..., str]]:
    """Start gateways in this process."""
    made: list[text_gateway.Gateway] = []

    def begin(fault: str = "") -> str:
        made.append(text_gateway.Gateway(0, key="a-key", fault=fault))
        threading.Thread(target=made[-1].serve_forever, args=(0.01,), daemon=True).start()
        return made[-1].url

    yield begin
    for one in made:
        one.shutdown()
        one.server_close()


def post(url: str, body: bytes | dict[str, Any] = GOOD, key: str = "a-key") -> tuple[int, dict[str, Any], Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Authorization": f"Bearer {key}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers


def test_the_same_reference_has_the_first_id_and_sends_nothing(url: Callable[..., str]) -> None:
    here = url()
    answers = [post(here)[:2], post(here)[:2], post(here, {**GOOD, "reference": "r2"})[:2]]
    assert [status for status, _ in answers] == [202, 202, 202]
    assert answers[0] == answers[1] != answers[2]
    assert InboxMail.objects.filter(channel="text").count() == 2


BAD: tuple[tuple[bytes | dict[str, Any], int, str], ...] = (
    ({**GOOD, "to": "07700 900123"}, 422, "invalid_number"),
    ({**GOOD, "to": "+442079460000"}, 422, "invalid_number"),
    ({**GOOD, "text": ""}, 422, "too_long"),
    ({**GOOD, "text": "x" * 919}, 422, "too_long"),
    ({**GOOD, "text": "ł" * 460}, 422, "too_long"),
    ({**GOOD, "from": "Larch Hill Primary"}, 422, "invalid_sender"),
    ({**GOOD, "reference": ""}, 422, "invalid_reference"),
    ({**GOOD, "text": None}, 400, "not_as_agreed"),
    (b"[]", 400, "not_as_agreed"),
    (b"{", 400, "not_json"),
    (b"x" * 20_000, 413, "too_long"),
)


def test_it_checks_what_a_provider_checks(url: Callable[..., str]) -> None:
    here = url()
    assert [post(here, asked)[:2] for asked, *_ in BAD] == [(status, {"error": error}) for _, status, error in BAD]
    assert not InboxMail.objects.exists()


def test_without_the_key_or_elsewhere_nothing_is_taken(url: Callable[..., str]) -> None:
    here = url()
    assert post(here, key="another")[:2] == (401, {"error": "wrong_key"})
    assert post(here.replace("/texts", "/other"))[0] == 404
    assert not InboxMail.objects.exists()


def test_it_fails_as_providers_do(url: Callable[..., str]) -> None:
    for fault, status, after in (("500", 500, None), ("429", 429, "30"), ("503", 503, None)):
        found, _, headers = post(url(fault))
        assert (found, headers["Retry-After"]) == (status, after)
    assert not InboxMail.objects.exists()


def test_garbage_after_the_text_was_taken_is_no_reason_to_send_it_twice(url: Callable[..., str], settings: Any) -> None:
    from hub.messaging.channels import Unanswered

    settings.TEXT_URL, settings.TEXT_KEY = url("garbage"), "a-key"
    given = {"to": MOBILE, "subject": "", "body": "482 913", "reference": "r1"}
    with pytest.raises(Unanswered):
        Texting().deliver(**given)
    settings.TEXT_URL = url()
    assert Texting().deliver(**given).id == f"text-{InboxMail.objects.get().pk}"
