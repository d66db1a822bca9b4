"""The kinds of notice: what each is called, who gets it, and how far one may choose. No database, no sending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from hub.messaging.models import How

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

STAFF, PARENTS = "staff", "parents"
"""The two audiences: who works at a school, and who is connected as somebody's parent."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice. The first of `ways` is how it comes to one who has not chosen."""

    key: str
    label: StrOrPromise
    about: StrOrPromise
    """A sentence: what these notices tell; where they cannot be switched off, why."""
    audiences: frozenset[str]
    ways: tuple[How, ...] = (How.INSTANT,)
    secret: bool = False
    """Holds a code or a link that opens something: its words are wiped as soon as it is sent."""
    instant: StrOrPromise = ""
    """What *at once* is called, for a kind that has its own day."""

    @property
    def default(self) -> How:
        return self.ways[0]

    @property
    def choosable(self) -> bool:
        return len(self.ways) > 1

    @property
    def for_staff(self) -> bool:
        return STAFF in self.audiences

    @property
    def for_parents(self) -> bool:
        return PARENTS in self.audiences


_ALL = frozenset({STAFF, PARENTS})
_PARENTS = frozenset({PARENTS})
_STAFF = frozenset({STAFF})
_ANY_WAY = (How.INSTANT, How.SUMMARY, How.NEVER)

KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "code",
            _("Codes"),
            _("You ask for each of them yourself, and they are good for minutes only."),
            _ALL,
            secret=True,
        ),
        Kind(
            "invitation",
            _("Invitations"),
            _("A school invites you: as a parent at most once a week."),
            _ALL,
            secret=True,
        ),
        Kind(
            "recovery",
            _("Getting back in"),
            _("You ask for them yourself, when you cannot sign in."),
            _ALL,
            secret=True,
        ),
        Kind(
            "security",
            _("Your sign-in"),
            _("A new device, password or passkey: so that nobody can take your login without your knowing."),
            _ALL,
            secret=True,
        ),
        Kind(
            "change_made",
            _("Your email or mobile was changed"),
            _("It goes to the old address too: so that nobody can change your details without your knowing."),
            _PARENTS,
            secret=True,
        ),
        Kind(
            "proposal",
            _("The school asks you to approve a change"),
            _("A question with a deadline, so it always comes: at once or in the summary."),
            _PARENTS,
            ways=(How.INSTANT, How.SUMMARY),
        ),
        Kind(
            "reminder",
            _("Reminders"),
            _("A change still waits for your answer: on the third and on the sixth day."),
            _PARENTS,
            ways=_ANY_WAY,
        ),
        Kind(
            "answer",
            _("What became of a change"),
            _("A change that waited for you ended without your answer, was taken back, or was made."),
            _PARENTS,
            ways=_ANY_WAY,
        ),
        Kind(
            "proposal_answered",
            _("A parent answered"),
            _("A change that the office proposed was approved, rejected, or ended without an answer."),
            _STAFF,
            ways=_ANY_WAY,
        ),
        Kind(
            "concern",
            _("“This was not me” and “not my child”"),
            _("Somebody may be at risk, so it always comes at once."),
            _STAFF,
        ),
        Kind(
            "weekly_report",
            _("What is still to copy to the MIS"),
            _("Once a week, until nothing is left to copy."),
            _STAFF,
            ways=(How.INSTANT, How.NEVER),
            instant=_("On Mondays"),
        ),
        Kind("summary", _("The daily summary"), _("What you asked to have in it."), frozenset()),
    )
}
"""Every kind, by its key, in the order in which people read them."""


def kinds_for(audience: str) -> list[Kind]:
    """Return the kinds that this audience gets: those one may choose about first."""
    return sorted((one for one in KINDS.values() if audience in one.audiences), key=lambda one: not one.choosable)
