"""Text messages by HTTP, in a small interface of our own (docs/messaging.md): a provider's adaptor speaks it.

POST {to, from, text, reference} → 202 {id}. The same reference again is answered with the first id
and sends nothing, so that a text whose answer was lost can be asked for again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from django.conf import settings

from hub.messaging import in_time
from hub.messaging.channels import Receipt, Refused, Unanswered

TIMEOUTS = (5.0, 20.0)
"""Seconds to connect, and to wait for each piece of the answer."""
ANSWER_WITHIN = 40.0
"""The whole conversation, however slowly each byte of it comes."""
LONGEST_ANSWER = 64 * 1024
_LATER = {429, 503}
_OURS = {401, 403, 404, 405}
"""The address or the key in the settings is wrong: nothing was sent, and somebody will put it right."""
_REFUSALS = {
    "invalid_number": ("The number takes no texts.", True),
    "too_long": ("The text is too long.", False),
    "invalid_sender": ("The sender's name was not accepted.", False),
}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Texting:
    """Sends through the gateway at SCHOOLGATE_TEXT_URL."""

    knows_references = True

    def available(self) -> bool:
        """Say whether a gateway is set up."""
        return bool(settings.TEXT_URL)

    def deliver(self, *, to: str, subject: str, body: str, reference: str) -> Receipt:
        """Hand one text to the gateway. Raises `Refused` or `Unanswered`."""
        if not settings.TEXT_URL:
            raise Refused("Text messages are not set up here.")
        asked = {"to": to, "from": settings.TEXT_SENDER, "text": body, "reference": reference}
        status, headers, answer = _post(asked)
        if status == 202:
            return Receipt(_id(answer))
        raise _meaning(status, headers, answer)


def _post(asked: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
    with in_time.session(ANSWER_WITHIN) as session:
        session.trust_env = urlsplit(settings.TEXT_URL).hostname not in LOOPBACK  # no proxy on the way to oneself
        try:
            with session.post(
                settings.TEXT_URL,
                json=asked,
                headers={"Authorization": f"Bearer {settings.TEXT_KEY}"},
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code, answer.headers, _read(answer)
        except requests.ConnectionError as error:
            raise _not_reached(error) from error
        except requests.RequestException as error:
            raise Unanswered("The text gateway did not answer.") from error


def _read(answer: requests.Response) -> bytes:
    read = b""
    for piece in answer.iter_content(4096):
        read += piece
        if len(read) > LONGEST_ANSWER:
            raise Unanswered("The text gateway's answer did not end.")
    return read


def _not_reached(error: requests.ConnectionError) -> Refused | Unanswered:
    """Tell a gateway that never heard of the text from one that broke off while it did."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    never = isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError)
    if never or isinstance(reason, urllib3.exceptions.NewConnectionError):
        return Refused("The text gateway could not be reached.", again=True)
    return Unanswered("The text gateway broke off the conversation.")


def _id(answer: bytes) -> str:
    found = _json(answer).get("id")
    if not isinstance(found, str) or not found:
        raise Unanswered("The text gateway's answer could not be read.")
    return found[:100]


def _meaning(status: int, headers: Mapping[str, str], answer: bytes) -> Refused | Unanswered:
    if status in _LATER:
        return Refused(f"The text gateway asked to try later ({status}).", again=True, after=_after(headers))
    if status in _OURS or 300 <= status < 400:
        return Refused(f"The text gateway did not let us in ({status}). Check its address and key.", again=True)
    if 400 <= status < 500:
        why, about = _REFUSALS.get(str(_json(answer).get("error")), (f"The text gateway refused it ({status}).", False))
        return Refused(why, about_address=about)
    return Unanswered(f"The text gateway failed ({status}).")


def _after(headers: Mapping[str, str]) -> dt.timedelta | None:
    seconds = headers.get("Retry-After", "").strip()
    return dt.timedelta(seconds=min(int(seconds), 86_400)) if seconds.isdecimal() and len(seconds) < 10 else None


def _json(answer: bytes) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
