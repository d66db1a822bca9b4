"""Planning emails and mobiles: what `imports.planning.who_wins` settles, written down. Pure."""

from __future__ import annotations

from imports.planning import who_wins
from imports.planning.drafting import Draft
from imports.planning.who_wins import Outcome
from imports.types import DETAIL, EMAIL, MOBILE, Detail, DetailWrite, Owner, Values

_SUPPLIED_AS = {EMAIL: "emails", MOBILE: "telephones"}
Said = tuple[str, ...]
"""What the MIS says, in its order of preference: the first is the one it is taken to mean."""


class Details:
    """Adds a person's details to the plan."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def first(self, owner: Owner, emails: Said, mobiles: Said) -> Values:
        """Plan the details of somebody who is being added; return them as they are shown."""
        shown: Values = {}
        for kind, values in ((EMAIL, emails), (MOBILE, mobiles)):
            if values:
                shown[kind] = values[0]
                self._draft.plan.details.append(
                    DetailWrite(0, owner, kind, values[0], values[0], who_wins.MIS, "", True, -1)
                )
        return shown

    def of_known(self, owner: Owner, emails: Said, mobiles: Said, label: str) -> bool:
        """Plan what becomes of a known person's details; say whether a value changes."""
        state = self._draft.state
        changed = False
        for kind, values in ((EMAIL, emails), (MOBILE, mobiles)):
            if f"{owner[0]}.{_SUPPLIED_AS[kind]}" in self._draft.reading.unsaid:
                continue
            detail = state.details.get((owner, kind))
            outcome = who_wins.settle(detail, values[0] if values else "", connected=owner in state.connected)
            if outcome is not None:
                self._write(owner, kind, detail, outcome, label)
                changed |= outcome.takes_value
        return changed

    def _write(self, owner: Owner, kind: str, detail: Detail | None, outcome: Outcome, label: str) -> None:
        held = detail or Detail(0, "", "", "")
        before = {"kind": kind, "value": held.value, "mis_value": held.mis_value, "source": held.source}
        after = {"kind": kind, "value": outcome.value, "mis_value": outcome.mis_value, "source": outcome.source}
        plan = self._draft.plan
        plan.details.append(
            DetailWrite(
                held.id,
                owner,
                kind,
                outcome.value,
                outcome.mis_value,
                outcome.source,
                held.value,
                outcome.takes_value,
                len(plan.changes),
            )
        )
        self._draft.change(outcome.action, DETAIL, held.id, owner, before, after, outcome.why, label)
