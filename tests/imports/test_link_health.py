"""`/health` counts the links at which a night stays away, and names none."""

from __future__ import annotations

import datetime as dt

from django.test import Client

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from imports.link import health, links, nights
from tests.factories.links import an_import, enabled_link

DAY = dt.timedelta(days=1)


def test_a_night_that_stays_away_is_counted_until_it_comes(
    school: School, other_school: School, administrator: Account, stranger: Account, now: dt.datetime
) -> None:
    link = enabled_link(school, by=administrator, since=now - 2 * DAY)
    with scope.schools(other_school.pk):
        elsewhere = enabled_link(other_school, by=stranger, since=now)
    found = health.look(now)
    assert (found.ok, found.facts) == (False, {"enabled": 2, "overdue": 1})

    nights.claim(link=link, run=an_import(link, at=now), now=now)
    assert health.look(now).ok

    with scope.schools(other_school.pk):
        links.disable(link=elsewhere, by=stranger, now=now)
    assert health.look(now).facts == {"enabled": 1, "overdue": 0}


def test_health_shows_the_links_to_machines(school: School, administrator: Account) -> None:
    checks = Client().get("/health").json()["checks"]

    assert checks["links"] == {"ok": True, "enabled": 0, "overdue": 0}
