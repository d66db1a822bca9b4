"""What the verification domain refuses, in words for the person who asked."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from hub.core.errors import HubError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from verification.models import Invitation


class ChangeRefused(HubError):
    """A change, an answer or a proof that is not possible now; the sentence says why and what to do."""

    def __init__(self, message: StrOrPromise) -> None:
        super().__init__(str(message))


class CodeTrouble(StrEnum):
    WRONG = "wrong"
    TOO_OLD = "too_old"
    USED = "used"
    TRIED_OUT = "tried_out"
    REPLACED = "replaced"
    TOO_MANY = "too_many"
    UNKNOWN = "unknown"
    NO_WAY = "no_way"


class CodeRefused(HubError):
    """A code that proves nothing, or one that is not sent; `trouble` says which."""

    def __init__(self, trouble: CodeTrouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


class LinkRefused(HubError):
    """A link that opens nothing: unknown, used or too old."""

    def __init__(self, message: StrOrPromise) -> None:
        super().__init__(str(message))


class InvitationTrouble(StrEnum):
    RULES = "rules"
    LETTER = "letter"
    UNKNOWN = "unknown"
    USED = "used"
    VOIDED = "voided"
    LAPSED = "lapsed"
    CONNECTED = "connected"
    GONE = "gone"
    NOT_YOURS = "not_yours"
    FROZEN = "frozen"


class InvitationRefused(HubError):
    """An invitation that is not sent, or one that opens nothing; `trouble` says which."""

    def __init__(self, trouble: InvitationTrouble, message: str = "", *, invitation: Invitation | None = None) -> None:
        super().__init__(message or f"This invitation opens nothing ({trouble}).")
        self.trouble = trouble
        self.invitation = invitation
