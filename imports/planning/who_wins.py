"""Who wins, for one email or mobile: the MIS, the person or the office. Pure.

| person        | MIS since last | effective since last  | result                                        |
|---------------|----------------|-----------------------|-----------------------------------------------|
| Connected     | any            | any                   | it stays; a difference is drift, or an offer  |
| Not connected | changed        | from the MIS          | the MIS's                                     |
| Not connected | unchanged      | edited by the office  | the office's, listed as drift                 |
| Not connected | changed        | edited by the office  | the MIS's, with both shown in the import      |
"""

from __future__ import annotations

from dataclasses import dataclass

from imports.types import Action, Detail, Why

MIS = "mis"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a detail. `value` differs from the present one only where `takes_value`."""

    value: str
    mis_value: str
    source: str
    takes_value: bool
    action: Action
    why: Why


def settle(detail: Detail | None, mis: str, *, connected: bool) -> Outcome | None:
    """Return what to write of a detail when the MIS now says `mis` (blank: nothing), or None for nothing."""
    if detail is None:
        return _first(mis, connected=connected) if mis else None
    if mis == detail.mis_value:
        return None
    if connected:
        return Outcome(detail.value, mis, detail.source, False, Action.KEPT, _kept_why(detail, mis))
    if detail.source != MIS and not mis:
        return Outcome(detail.value, "", detail.source, False, Action.KEPT, Why.AGREES)
    why = Why.NOT_CONNECTED if detail.source == MIS else Why.OFFICE_OVERRULED
    if mis == detail.value:
        return Outcome(mis, mis, MIS, True, Action.KEPT, Why.AGREES)
    return Outcome(mis, mis, MIS, True, Action.UPDATED, why)


def _first(mis: str, *, connected: bool) -> Outcome:
    if connected:
        return Outcome("", mis, MIS, False, Action.KEPT, Why.OFFER)
    return Outcome(mis, mis, MIS, True, Action.UPDATED, Why.NOT_CONNECTED)


def _kept_why(detail: Detail, mis: str) -> Why:
    if not mis or mis == detail.value:
        return Why.AGREES
    return Why.KEPT_CONNECTED if detail.value else Why.OFFER
