"""How one login wants each kind of notice: the only writer of those choices, and who asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hub.accounts.models import Account
from hub.core.errors import HubError
from hub.messaging.kinds import KINDS, Kind, kinds_for
from hub.messaging.models import How, NoticeChoice

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


WAYS: dict[How, StrOrPromise] = {
    How.INSTANT: _("At once"),
    How.SUMMARY: _("Daily summary"),
    How.NEVER: _("Not at all"),
}


class ChoiceRefused(HubError):
    """A way that this kind of notice does not come in."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of notice and how the login has it now."""

    kind: Kind
    how: How

    @property
    def field(self) -> str:
        """The name of its field in a form."""
        return f"how-{self.kind.key}"

    @property
    def options(self) -> list[tuple[str, StrOrPromise, bool]]:
        """The ways it comes in: value, words, and whether it is the one chosen."""
        words = WAYS | {How.INSTANT: self.kind.instant or WAYS[How.INSTANT]}
        return [(way.value, words[way], way == self.how) for way in self.kind.ways]


def how(kind: Kind, account: Account | None) -> How:
    """Return how a login wants a kind of notice; nobody's choice counts for kinds that always come."""
    return hows([(kind, account)])[0]


def hows(wanted: Iterable[tuple[Kind, Account | None]]) -> list[How]:
    """Return the same for many, in the same order: in one query, or none where nobody may choose."""
    asked = list(wanted)
    may_choose = {account.pk for kind, account in asked if account is not None and kind.choosable}
    held = NoticeChoice.objects.filter(account__in=may_choose) if may_choose else NoticeChoice.objects.none()
    chosen = {(account, key): value for account, key, value in held.values_list("account_id", "kind", "how")}
    return [_allowed(kind, chosen.get((account.pk, kind.key)) if account else None) for kind, account in asked]


def choices_of(account: Account, audience: str) -> list[Choice]:
    """Return the kinds that this audience gets and how the login has each, those it may choose about first."""
    chosen = dict(NoticeChoice.objects.filter(account=account).values_list("kind", "how"))
    return [Choice(kind, _allowed(kind, chosen.get(kind.key))) for kind in kinds_for(audience)]


def choose(*, account: Account, kind: str, how: str) -> None:
    """Remember how a login wants a kind of notice. Raises `ChoiceRefused` for a way that it does not come in."""
    choose_all(account=account, wanted={kind: how})


@transaction.atomic
def choose_all(*, account: Account, wanted: Mapping[str, str]) -> None:
    """Remember how a login wants several kinds, all or none.

    Raises `ChoiceRefused` for a kind there is not, or a way that the kind does not come in.
    """
    for key, value in wanted.items():
        if key not in KINDS or value not in KINDS[key].ways:
            raise ChoiceRefused(gettext("This notice does not come in that way. Choose one of those shown."))
    NoticeChoice.objects.bulk_create(
        [NoticeChoice(account=account, kind=key, how=value) for key, value in wanted.items()],
        update_conflicts=True,
        unique_fields=["account", "kind"],
        update_fields=["how"],
    )


def _allowed(kind: Kind, chosen: str | None) -> How:
    return How(chosen) if chosen in kind.ways else kind.default
