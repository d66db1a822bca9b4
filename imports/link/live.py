"""*Test link* over an MIS we fetch from: each part is tried now, within seconds; nothing of it is kept."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Sequence
from typing import cast

from django.db import connection

from hub.core.keyring import KeyringError
from imports.link.access import access_of
from imports.link.checks import Part
from imports.models import MisLink
from mis_connectors import registry
from mis_connectors.base import Access, Check, CheckState, Delivery, PullConnector
from mis_connectors.checks import failed
from mis_connectors.errors import ConnectorConfigError, ConnectorError

logger = logging.getLogger(__name__)
BUDGET_SECONDS = 20.0
"""All requests of one test together: somebody waits for it."""
NAMES = {
    "address": "The address",
    "credentials": "Our credentials",
    "permissions": "Permissions",
    "fields": "Fields",
    "sample": "A sample of pupils",
}
AN_ANSWER = "An answer"
"""What is wrong where the MIS does not answer as it should: not the part that was asked for, and not its address."""
_TONES = {
    CheckState.OK: "good",
    CheckState.FAILED: "bad",
    CheckState.WAITING: "quiet",
    CheckState.UNANSWERED: "bad",
}
UNREADABLE = "What was typed in for this link can no longer be opened on this hub. Type it in again."


def can_be_tested(link: MisLink) -> bool:
    """Whether the link's MIS can be asked now."""
    made = registry.connectors().get(link.source.connector)
    return made is not None and made.info.delivery is Delivery.PULL


def run(link: MisLink) -> list[Check]:
    """Try each part at the MIS and return what was found, up to the first that failed.

    The database is let go of meanwhile; only rotated credentials are written, at once. Raises nothing.
    """
    made = cast(PullConnector, registry.connector(link.source.connector))
    try:
        access = access_of(link, deadline_seconds=BUDGET_SECONDS)
    except ConnectorConfigError as error:
        return [failed("address", error)]
    except KeyringError:
        return [failed("credentials", UNREADABLE)]
    let_go()
    with access.http:
        return list(_tried(made, access))


def let_go() -> None:
    """Give the connection back while the MIS is waited for; the next query opens one in the same scope."""
    if not connection.in_atomic_block:
        connection.close()


def parts(checks: Sequence[Check]) -> Iterator[Part]:
    """Yield what each check says, and which parts were not reached; a sample is shown beside, not among them."""
    said = {check.key: check for check in checks}
    stopped = any(check.state is not CheckState.OK for check in checks)
    for key, name in NAMES.items():
        if check := said.get(key):
            yield Part(_named(check), _tone(check), check.sentence, check.advice)
        elif stopped:
            yield Part(name, "quiet", "Not reached.")


def verdict(checks: Sequence[Check], *, mis_name: str) -> Part:
    """Return the whole in one sentence: what failed or is waited for, else what is withheld, else that all works."""
    for tones in (("bad", "quiet"), ("warn",)):
        for check in checks:
            if _tone(check) in tones:
                return Part(_named(check), _tone(check), check.sentence, check.advice)
    return Part("", "good", f"{mis_name} lets us in and gives us what we ask for.")


def _named(check: Check) -> str:
    return AN_ANSWER if check.state is CheckState.UNANSWERED else NAMES.get(check.key, "")


def _tone(check: Check) -> str:
    """Return how a part is marked: one that works, but from which the school could have more, needs a look."""
    return "warn" if check.state is CheckState.OK and check.lacking and check.advice else _TONES[check.state]


def _tried(made: PullConnector, access: Access) -> Iterator[Check]:
    reached = list(NAMES)
    try:
        for check in made.test(access):
            yield check
            reached = list(NAMES)[list(NAMES).index(check.key) + 1 :] if check.key in NAMES else reached
            if check.state is not CheckState.OK:
                return
    except ConnectorError as error:
        yield failed((reached or ["sample"])[0], error)
    except Exception as error:  # noqa: BLE001  (a connector's own fault; its message may hold anything)
        logger.error(
            "Testing a link stopped: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
        )
        yield Check(
            key=(reached or ["sample"])[0],
            state=CheckState.FAILED,
            sentence="Something went wrong on our side while testing.",
            advice="Send the details to support.",
        )
