"""How often one may guess: counters of wrong tries that rest for a while, and never lock the rightful person out.

A try is claimed before it is checked, in one conditional statement, so that a hundred at once are no
more than a hundred one by one; a right one is given back. A name rests for the network that guessed
at it, and, whatever the network, once many have; a browser that has signed this login in before has
a counter of its own. Names known and unknown are counted alike, and kept as a keyed hash.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from hub.accounts.models import SignInLimit

MINUTES = dt.timedelta(minutes=1)
FORGOTTEN = dt.timedelta(days=1)
"""How long after its last try a counter is kept."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` tries, then a rest. `quiet`: how long nobody may have tried for the count to begin again.

    With `from_first` the count begins again that long after its first try instead.
    """

    word: str
    most: int
    rest: dt.timedelta
    quiet: dt.timedelta
    from_first: bool = False


FROM_A_NETWORK = Limit("network", most=5, rest=15 * MINUTES, quiet=15 * MINUTES)
FROM_A_DEVICE = Limit("device", most=5, rest=15 * MINUTES, quiet=15 * MINUTES)
IN_ALL = Limit("all", most=5, rest=5 * MINUTES, quiet=5 * MINUTES)
"""Whatever the network. A login with an email and a mobile has two names: ten guesses in five minutes at most.

Three of these rests fit into a quarter of an hour, so guessing from two networks cannot keep a name
at rest for one; where many guess, a known device, a passkey and recovery still open at once.
"""
FROM_AN_ADDRESS = Limit("address", most=100, rest=15 * MINUTES, quiet=15 * MINUTES, from_first=True)
"""Whatever the name; generous, as a whole school shares one."""


@dataclass(frozen=True, slots=True)
class Try:
    """A claimed try: the counters it was taken from. `rests_until` says that it may not be made."""

    taken: tuple[str, ...] = ()
    rests_until: dt.datetime | None = None


def claim(*, what: str, name: str, device: str, network: str, now: dt.datetime) -> Try:
    """Take one try at `what` ("password", "code") of `name`. Where `rests_until` is set, it may not be made.

    `device` is what a known browser is called, else blank. A try refused counts nowhere.
    """
    everybody = [(FROM_AN_ADDRESS, "", network), (FROM_A_NETWORK, name, network), (IN_ALL, name, "")]
    taken: list[str] = []
    for limit, whose, where in [(FROM_A_DEVICE, name, device)] if device else everybody:
        key = _key(limit.word, what, whose, where)
        rests_until = _take(key, limit, now)
        if rests_until is not None:
            give_back(taken)
            return Try(rests_until=rests_until)
        taken.append(key)
    return Try(tuple(taken))


def give_back(taken: Iterable[str]) -> None:
    """Count a try as not made: it was right, or not made after all."""
    SignInLimit.objects.filter(key__in=list(taken)).update(tries=Greatest(F("tries") - 1, 0), rests_until=None)


def forgive(claimed: Try) -> None:
    """Begin the counts anew after a right try; of the address and of all networks only this one is taken back."""
    give_back(claimed.taken)
    SignInLimit.objects.filter(
        key__in=[key for key in claimed.taken if key.startswith(("network:", "device:"))]
    ).delete()


def network_of(request: HttpRequest) -> str:
    """Return the network a request came from: the address, of IPv6 the part one household or school has.

    Behind a proxy of ours it is the last address that the proxy wrote down.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER and (passed := request.headers.get("X-Forwarded-For")):
        address = passed.rpartition(",")[2].strip()
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 56), strict=False))
    return str(found)


def sweep(now: dt.datetime) -> int:
    """Forget counters that count nothing any more; returns how many."""
    return SignInLimit.objects.filter(since__lt=now - FORGOTTEN).delete()[0]


def _key(word: str, *about: str) -> str:
    hashed = salted_hmac("hub.accounts.limits", "\0".join((word, *about)), algorithm="sha256").hexdigest()
    return str(f"{word}:{hashed}"[:64])


def _take(key: str, limit: Limit, now: dt.datetime) -> dt.datetime | None:
    """Count a try, or return until when the counter rests."""
    values: dict[str, str | int | dt.datetime] = {
        "key": key,
        "now": now,
        "most": limit.most,
        "until": now + limit.rest,
        "begins": now - limit.quiet,
        "from_first": limit.from_first,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        if cursor.fetchone():
            return None
        cursor.execute("SELECT rests_until FROM accounts_signinlimit WHERE key = %(key)s", values)
        found = cursor.fetchone()
    until: dt.datetime | None = found[0] if found else None
    return until or now


_TAKE = """
INSERT INTO accounts_signinlimit AS kept (key, tries, since, rests_until)
VALUES (%(key)s, 1, %(now)s, NULL)
ON CONFLICT (key) DO UPDATE SET
  tries = CASE WHEN kept.rests_until IS NOT NULL OR kept.since <= %(begins)s THEN 1 ELSE kept.tries + 1 END,
  since = CASE WHEN %(from_first)s AND kept.rests_until IS NULL AND kept.since > %(begins)s
               THEN kept.since ELSE %(now)s END,
  rests_until = CASE WHEN kept.rests_until IS NULL AND kept.since > %(begins)s AND kept.tries + 1 >= %(most)s
                     THEN %(until)s END
WHERE kept.rests_until IS NULL OR kept.rests_until <= %(now)s
RETURNING tries
"""
"""One statement: a counter at rest is left alone, one whose time is over begins again, the last try brings the rest."""
