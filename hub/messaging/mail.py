"""Plain mails from `templates/mail/*.txt`: the first line is the subject, the rest the text."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.mail import EmailMessage
from django.template import Context, engines
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template

from hub.core.errors import HubError

logger = logging.getLogger(__name__)


class MailNotSent(HubError):
    """The mail server did not take the mail."""


def send(*, to: str, template: str, context: Mapping[str, Any]) -> None:
    """Send `templates/mail/<template>.txt` to one address. Call it after the commit it speaks of.

    A line break in a value cannot make a header: the subject is one line, whatever is in it.
    Raises `MailNotSent` if the server refuses or does not answer.
    """
    mail = EmailMessage(subject=subject(template, context), body=body(template, context), to=[to])
    try:
        mail.send()
    except (OSError, ValueError) as error:  # smtplib's errors are OSErrors; Django's for bad headers are ValueErrors
        logger.warning("Mail %s was not sent: %s", template, type(error).__name__)
        raise MailNotSent("The mail could not be sent. Check the address and try again in a few minutes.") from error


def subject(template: str, context: Mapping[str, Any]) -> str:
    """Return the first line of the template, filled in, as one line."""
    return " ".join(_filled(_parts(template)[0], context).split())


def body(template: str, context: Mapping[str, Any]) -> str:
    """Return everything after the first line, filled in. It is text: nothing is escaped."""
    return _filled(_parts(template)[1], context).strip() + "\n"


def _parts(template: str) -> tuple[str, str]:
    source: str = get_template(f"mail/{template}.txt").template.source  # type: ignore[attr-defined]
    first, _, rest = source.partition("\n")
    return first, rest


def _filled(source: str, context: Mapping[str, Any]) -> str:
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)
    return engine.engine.from_string(source).render(Context(dict(context), autoescape=False))
