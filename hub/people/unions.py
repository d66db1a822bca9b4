"""What holds of a link where two records tell of one parent and one pupil. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAID = ("relationship", "priority", "parental_responsibility", "court_order", "lives_with", "correspondence")
"""What the MIS says of a link; null or blank: it did not say."""


def united(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return what holds of a link that both records tell of. `first` is the older record's.

    1. Whichever denies access is heard, so there is access only where neither denies it.
    2. Otherwise the older record is heard.
    3. What the one that is heard leaves open, the other fills: null never beats a value.
    4. A court order that either names stands.
    """
    heard, other = (second, first) if second["access"] < first["access"] else (first, second)
    values = {**heard, **{name: other[name] for name in SAID if heard[name] in (None, "")}}
    values["court_order"] = True if other["court_order"] is True else values["court_order"]
    return values
