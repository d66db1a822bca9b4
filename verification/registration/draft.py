"""What somebody who is registering has said so far, kept in their session; nothing of it is in effect yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from verification.registration.rules import KINDS, Said, Told

KEY = "join"
GOOD_FOR = dt.timedelta(hours=1)
"""So long proofs count that the person has given on the way; then they begin again with the same link."""
NEW = "new"


@dataclass(frozen=True, slots=True)
class Sent:
    """The code that was sent last: which row, and to what address."""

    code_id: int
    address: str


@dataclass(slots=True)
class Draft:
    """The answers so far. `who` is blank, `new`, or the key of the login that is to be connected."""

    token_hash: str
    at: float = 0
    begun: bool = False
    too_old: bool = False
    """It was begun longer ago than proofs count, so it begins again."""
    who: str = ""
    told: dict[str, Told] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    mine: dict[int, bool] = field(default_factory=dict)

    def save(self, request: HttpRequest) -> None:
        """Keep it in the session."""
        request.session[KEY] = {
            "token": self.token_hash,
            "at": self.at,
            "begun": self.begun,
            "who": self.who,
            "told": {kind: [one.said.value, one.value] for kind, one in self.told.items()},
            "sent": {kind: [one.code_id, one.address] for kind, one in self.sent.items()},
            "mine": {str(link): yes for link, yes in self.mine.items()},
        }


def load(request: HttpRequest, now: dt.datetime) -> Draft:
    """Return what the session keeps; what is older than `GOOD_FOR` begins again with the link alone."""
    kept: dict[str, Any] = request.session.get(KEY) or {}
    draft = Draft(token_hash=str(kept.get("token", "")), at=now.timestamp())
    draft.too_old = bool(kept.get("begun")) and now.timestamp() - kept["at"] > GOOD_FOR.total_seconds()
    if not kept.get("begun") or draft.too_old:
        return draft
    draft.at, draft.begun, draft.who = kept["at"], True, kept["who"]
    draft.told = {kind: Told(Said(said), value) for kind, (said, value) in kept["told"].items() if kind in KINDS}
    draft.sent = {kind: Sent(code_id, address) for kind, (code_id, address) in kept["sent"].items()}
    draft.mine = {int(link): bool(yes) for link, yes in kept["mine"].items()}
    return draft


def open_link(request: HttpRequest, token_hash: str) -> None:
    """Put the link that was opened into the session, in place of any other; the same one goes on where it was."""
    kept = request.session.get(KEY) or {}
    if kept.get("token") != token_hash:
        request.session[KEY] = {"token": token_hash}


def forget(request: HttpRequest) -> None:
    """Drop it all."""
    request.session.pop(KEY, None)
