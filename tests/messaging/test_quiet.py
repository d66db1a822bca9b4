"""No address, no code and no word of a notice is in a log, a task's arguments or a reason."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest
from django.test import Client

from hub.messaging import channels, notices, tasks
from hub.messaging.channels import Receipt, Refused, Unanswered
from hub.messaging.email import Email
from hub.messaging.models import Notice
from tests.factories.inbox import swept

CANARIES = ("canary.parent@example.org", "canary.parent", "7700900987", "918273", "918 273", "CANARYWORD")


class Troubled:
    """Fails with what it was given in its own error, as careless libraries do."""

    knows_references = False
    errors: list[type[Exception]] = [Refused, Unanswered]

    def available(self) -> bool:
        return True

    def deliver(self, *, to: str, subject: str, body: str, reference: str) -> Receipt:
        try:
            raise OSError(f"{to} {subject} {body}")
        except OSError as error:
            raise self.errors[len(to) % 2]("It failed.") from error


@pytest.mark.django_db(transaction=True)
def test_nothing_personal_is_logged_or_handed_to_the_broker(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, settings: Any, now: dt.datetime
) -> None:
    caplog.set_level(logging.DEBUG)
    asked: list[Any] = []
    monkeypatch.setattr(tasks.deliver_notice, "apply_async", lambda args, **more: asked.append((args, more)))
    for carrier in (Email(), Troubled()):
        monkeypatch.setattr(channels, "carrier", lambda channel, carrier=carrier: carrier)
        for channel, to in (("email", CANARIES[0]), ("text", "+447700900987"), ("email", "x" + CANARIES[0])):
            context = {"code": "918273", "why": "CANARYWORD asks."}
            made = notices.send(kind="code", channel=channel, to=to, template="code", context=context, now=now)
            assert made is not None
            tasks.deliver_notice(made.pk)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    monkeypatch.setattr(channels, "carrier", lambda channel: Email())
    refused = notices.send(
        kind="code", channel="email", to=CANARIES[0], template="code", context={"code": "918273"}, now=now
    )
    assert refused is not None
    tasks.deliver_notice(refused.pk)
    swept(now=now + dt.timedelta(hours=1))
    assert Notice.objects.filter(state="sent").count() == 3
    said = caplog.text + str(asked) + str(list(Notice.objects.values_list("trouble", flat=True)))
    assert len(asked) == 7
    assert [word for word in CANARIES if word in said] == []


def test_the_inbox_page_is_not_there_in_a_real_installation(db: None, settings: Any) -> None:
    settings.LOCAL_INBOX = False
    assert Client().get("/inbox/?to=x").status_code == 404
