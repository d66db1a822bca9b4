"""Whose consent it is: the school that ScholarPack names, held against the one we came for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mis_connectors import values
from mis_connectors.base import Access
from mis_connectors.errors import ConnectorAnotherSchool
from mis_connectors.scholarpack import wording

_DIGITS = re.compile(r"\d{7}", re.ASCII)


def number_of(school: Mapping[str, Any]) -> str:
    """Return `8233001` for `823/3001` too; empty where ScholarPack does not say, or says no DfE number."""
    digits = re.sub(r"[\s/\\-]", "", _said(school, "dfe_number"))
    return digits if _DIGITS.fullmatch(digits) else ""


def name_of(school: Mapping[str, Any]) -> str:
    """Return the school's name and number, as an office knows them."""
    name, number = _said(school, "name")[:80], number_of(school)
    return f"{name} ({number[:3]}/{number[3:]})" if name and number else name or number or "a school without a name"


def require_ours(access: Access, school: Mapping[str, Any]) -> None:
    """Raise `ConnectorAnotherSchool` for another school's consent. A school without a number is let pass."""
    number = number_of(school)
    if number and number != access.dfe_number:
        raise ConnectorAnotherSchool(
            wording.ANOTHER_SCHOOL.format(theirs=name_of(school)), detail=f"school: {number}, not {access.dfe_number}"
        )


def _said(school: Mapping[str, Any], name: str) -> str:
    try:
        return values.text(school.get(name)) or ""
    except ValueError:
        return ""
