"""One run at a time renews what lets a link in: a fetch and a test of the link may find at once that it has run out.

Who is about it is kept beside the secrets, under the link's lock, for seconds only: no connection, lock or transaction
is held while the MIS is waited for.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from hub.core import scope
from imports.link import secrets
from imports.models import MisLink
from mis_connectors.errors import ConnectorUnavailable

logger = logging.getLogger(__name__)
LIFE = dt.timedelta(seconds=90)
"""Whoever renews has had an answer by then, or has died."""
_NAME = "renewing_until"
_PAUSE = 0.2
_BUSY = (
    "Another run is renewing what lets us in at the MIS, and has not had an answer yet. Nothing was changed. "
    "Try again in two minutes."
)


@contextmanager
def one_at_a_time(
    link_id: int, school_id: int, *, patience: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Wait until nobody else renews the link's credentials, and keep others from it for the length of the block.

    Raises `ConnectorUnavailable` after `patience` seconds.
    """
    ends = time.monotonic() + patience
    while not (mine := _claim(link_id, school_id)):
        if time.monotonic() >= ends:
            raise ConnectorUnavailable(_BUSY, detail="renewal under way")
        sleep(_PAUSE)
    try:
        yield
    finally:
        try:
            _let_go(link_id, school_id, mine)
        except DatabaseError:
            logger.warning("A renewal at link %s is left to lapse", link_id)


def _claim(link_id: int, school_id: int) -> str:
    """Return what was written for us, or blank where somebody else is about it."""
    with _locked(link_id, school_id) as link:
        now = timezone.now()  # by now somebody else may have claimed it, whom we waited for
        if _holds(secrets.secrets_of(link).get(_NAME, ""), now=now):
            return ""
        until = (now + LIFE).isoformat()
        _write(link, until)
    return until


def _let_go(link_id: int, school_id: int, mine: str) -> None:
    with _locked(link_id, school_id) as link:
        if secrets.secrets_of(link).get(_NAME) == mine:
            _write(link, "")


def _holds(said: str, *, now: dt.datetime) -> bool:
    """Whether somebody is about it; a time that a clock far ahead wrote keeps nobody waiting."""
    return bool(said) and now < dt.datetime.fromisoformat(said) <= now + 2 * LIFE


def _write(link: MisLink, until: str) -> None:
    secrets.merge(link, {_NAME: until})
    link.save(update_fields=["secrets"])


@contextmanager
def _locked(link_id: int, school_id: int) -> Iterator[MisLink]:
    """Open a transaction of its own, and give the connection back: whoever calls this waits for an MIS."""
    with scope.schools(school_id):
        try:
            with transaction.atomic():
                yield MisLink.objects.select_for_update(of=("self",)).only("secrets").get(pk=link_id)
        finally:
            if not connection.in_atomic_block:
                connection.close()
