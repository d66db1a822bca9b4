"""Why an invitation does not go, and why a link opens nothing, in sentences."""

from __future__ import annotations

from hub.core.templatetags.frame import day, when
from verification.invitations.rules import MOST, Reason, Refusal

HEADINGS: dict[Reason, str] = {
    Reason.TOO_SOON: "Invited less than a week ago",
    Reason.TEN_TIMES: "Asked ten times in all",
    Reason.HAS_LETTER: "Hold a letter that is still good",
    Reason.NOT_MY_CHILD: "Say that it is not their child",
    Reason.NO_ACCESS: "Receive nothing, by the school’s rule or a court order",
    Reason.NO_CHILD: "Have no child here now",
    Reason.LEFT: "Have left",
    Reason.CONNECTED: "Connected",
    Reason.MERGED: "Merged into another record",
    Reason.NO_ADDRESS: "Have no such address",
}
"""What a list of people left out is headed by."""


def short_reason(refusal: Refusal) -> str:
    """`invited on Tue 17 Nov, may be asked again on Tue 24 Nov`, to stand behind a name."""
    if refusal.reason == Reason.TOO_SOON:
        return f"invited on {day(refusal.last)}, may be asked again on {day(refusal.again)}"
    if refusal.reason == Reason.TEN_TIMES:
        return f"asked {MOST} times, last on {day(refusal.last)}"
    if refusal.reason == Reason.HAS_LETTER:
        return f"until {when(refusal.again)}"
    return {
        Reason.NOT_MY_CHILD: "says: not my child",
        Reason.NO_ACCESS: "receives nothing",
        Reason.NO_CHILD: "no child here",
        Reason.LEFT: "has left",
        Reason.CONNECTED: "connected",
        Reason.MERGED: "merged into another record",
        Reason.NO_ADDRESS: "no such address",
    }[refusal.reason]


def refusal_sentence(refusal: Refusal, name: str) -> str:
    """Return what the office is told who wanted to invite `name`."""
    if refusal.reason == Reason.TOO_SOON:
        return (
            f"{name} was invited on {day(refusal.last)} and may be asked again on {day(refusal.again)}: at most once "
            "a week. Print a letter, or correct the address, to invite them sooner."
        )
    if refusal.reason == Reason.TEN_TIMES:
        return (
            f"{name} was asked {MOST} times, last on {day(refusal.last)}, which is the most. Print a letter, or ask "
            "them for another email or mobile."
        )
    return {
        Reason.NOT_MY_CHILD: f"{name} has said that this is not their child. Give access back first, if that is wrong.",
        Reason.NO_ACCESS: f"{name} receives nothing, by the school’s rule of who is imported or a court order.",
        Reason.NO_CHILD: f"{name} has no child here now, so there is nothing to connect to.",
        Reason.LEFT: f"{name} has left, as the MIS says.",
        Reason.CONNECTED: f"{name} is connected already.",
        Reason.MERGED: f"{name} was merged into another record. Invite that one.",
        Reason.NO_ADDRESS: f"{name} has no such address here that messages reach.",
    }[refusal.reason]
