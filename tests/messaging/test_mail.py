"""Plain mails, and the inbox that keeps them in the demo."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail import EmailMessage, get_connection
from django.template import engines
from django.test import Client

from hub.messaging import mail
from hub.messaging.models import InboxMail

CONTEXT = {"name": "", "inviter": "Helen Ward", "role": "office", "link": "https://hub.example.org/x", "until": "soon"}
LOCAL = "hub.messaging.backends.LocalInboxBackend"


class Named:
    name = "St Mary's & All Saints"
    dfe_display = "823/3001"

    def __str__(self) -> str:
        return self.name


def send(**more: Any) -> EmailMessage:
    mail.send(to="new@example.org", template="staff_invitation", context={**CONTEXT, "school": Named(), **more})
    return outbox.outbox[-1]


def test_the_first_line_is_the_subject_and_nothing_is_escaped() -> None:
    sent = send()
    assert sent.subject == "Helen Ward invites you to St Mary's & All Saints on Schoolgate"
    assert sent.to == ["new@example.org"]
    assert sent.body.startswith("Hello,\n")
    assert "St Mary's & All Saints (823/3001)" in sent.body


def test_a_line_break_in_a_name_makes_no_header() -> None:
    sent = send(inviter="Eve\r\nBcc: all@example.org")
    assert sent.subject == "Eve Bcc: all@example.org invites you to St Mary's & All Saints on Schoolgate"
    assert sent.message()["Bcc"] is None


def test_a_line_break_in_an_address_is_refused() -> None:
    with pytest.raises(mail.MailNotSent):
        mail.send(to="a@example.org\nBcc: b@example.org", template="staff_invitation", context=CONTEXT)


def test_a_server_that_refuses_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: EmailMessage, fail_silently: bool = False) -> int:
        raise smtplib.SMTPRecipientsRefused({})

    monkeypatch.setattr(EmailMessage, "send", refuse)
    with pytest.raises(mail.MailNotSent, match="could not be sent"):
        send()


def test_every_template_has_a_subject() -> None:
    engine: Any = engines["django"].engine
    for folder in engine.dirs:
        for path in (folder / "mail").glob("*.txt"):
            assert path.read_text(encoding="utf-8").split("\n")[0].strip(), path


def test_in_the_demo_mail_stays_in_the_inbox(db: None, settings: Any) -> None:
    settings.LOCAL_INBOX = True
    settings.EMAIL_BACKEND = LOCAL
    mails = [EmailMessage(f"Subject {n}", "Text <b>", to=["a@example.org", "b@example.org"]) for n in range(2)]
    assert get_connection().send_messages(mails) == 2
    assert InboxMail.objects.count() == 4
    held = InboxMail.objects.order_by("id").first()
    page = Client().get("/inbox/")
    assert "Subject 1" in page.text
    assert "Text &lt;b&gt;" in Client().get(f"/inbox/{held.pk}/").text
    assert Client().post("/inbox/").status_code == 405


def test_the_inbox_refuses_a_header_in_a_subject(db: None, settings: Any) -> None:
    settings.EMAIL_BACKEND = LOCAL
    with pytest.raises(ValueError, match="newline"):
        EmailMessage("One\nBcc: x@example.org", "Text", to=["a@example.org"]).send()
    assert not InboxMail.objects.exists()


@pytest.mark.parametrize("path", ["/inbox/", "/inbox/1/"])
def test_a_real_installation_has_no_inbox(db: None, settings: Any, path: str) -> None:
    settings.LOCAL_INBOX = False
    assert Client().get(path).status_code == 404
