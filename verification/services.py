"""Everything that may be done about what people confirm, in one place; each theme has its own module."""

from verification.answering import Answered, approve, reject
from verification.changing import Started, cancel, prove, send_again, start_change, take_out
from verification.freezing import lift, not_me, not_me_signed_in
from verification.proposing import Edited, Outcome, Typed, ask_again, edit_many, edit_or_propose, withdraw

__all__ = [
    "Answered",
    "Edited",
    "Outcome",
    "Started",
    "Typed",
    "approve",
    "ask_again",
    "cancel",
    "edit_many",
    "edit_or_propose",
    "lift",
    "not_me",
    "not_me_signed_in",
    "prove",
    "reject",
    "send_again",
    "start_change",
    "take_out",
    "withdraw",
]
