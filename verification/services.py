"""Everything that may be done about what people confirm, in one place; each theme has its own module."""

from verification.changes.answering import Answered, approve, reject
from verification.changes.changing import Started, cancel, prove, send_again, start_change, take_out
from verification.changes.freezing import lift, not_me, not_me_signed_in
from verification.changes.proposing import Edited, Outcome, Typed, ask_again, edit_many, edit_or_propose, withdraw
from verification.children import give_back, not_my_child
from verification.invitations.inviting import Invited, Planned, invite, invite_all, plan, resend, void
from verification.invitations.letter_making import Printed, enter, print_letter, print_letters
from verification.registration.joining import Answers, Guest, Joined, join, look

__all__ = [
    "Answered",
    "Answers",
    "Edited",
    "Guest",
    "Invited",
    "Joined",
    "Outcome",
    "Planned",
    "Printed",
    "Started",
    "Typed",
    "approve",
    "ask_again",
    "cancel",
    "edit_many",
    "edit_or_propose",
    "enter",
    "give_back",
    "invite",
    "invite_all",
    "join",
    "lift",
    "look",
    "not_me",
    "not_me_signed_in",
    "not_my_child",
    "plan",
    "print_letter",
    "print_letters",
    "prove",
    "reject",
    "resend",
    "send_again",
    "start_change",
    "take_out",
    "void",
    "withdraw",
]
