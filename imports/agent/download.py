"""The agent as it is downloaded: a connector's one file with its configuration block filled in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from mis_connectors.registry import agent_source

FILENAME = "schoolgate_agent.py"
_BLOCK = re.compile(r"(?ms)^# ==== configuration.* begin$\n(.*?)^# ==== configuration.* end$")
_LINE = re.compile(r"(?m)^([A-Z_]+) = .*?(  # .*)?$")


class NoAgent(LookupError):
    """This MIS is not sent by an agent."""


def filled(
    *,
    connector: str,
    hub: str,
    school: str,
    link: int,
    token: str,
    run_at: dt.time,
    weekdays: Sequence[int],
) -> str:
    """Return the agent ready to run for one school. Raises `NoAgent`.

    Every value is written as an ASCII Python literal: no name of a school can become code.
    """
    source = agent_source(connector)
    if source is None:
        raise NoAgent(connector)
    return fill(
        source,
        {
            "HUB": hub,
            "SCHOOL": school,
            "LINK": link,
            "TOKEN": token,
            "RUN_AT": f"{run_at:%H:%M}",
            "WEEKDAYS": sorted(weekdays),
        },
    )


def fill(source: str, values: Mapping[str, str | int | list[int]]) -> str:
    """Return `source` with the assignments of its configuration block replaced.

    Raises `ValueError` where the block is missing or does not assign just these names.
    """
    block = _BLOCK.search(source)
    if block is None:
        raise ValueError("The agent has no configuration block.")
    found = [match.group(1) for match in _LINE.finditer(block.group(1))]
    if sorted(found) != sorted(values):
        raise ValueError(f"The agent's configuration block assigns {found}, not {sorted(values)}.")
    lines = _LINE.sub(lambda m: f"{m.group(1)} = {values[m.group(1)]!a}{m.group(2) or ''}", block.group(1))
    return source[: block.start(1)] + lines + source[block.end(1) :]
