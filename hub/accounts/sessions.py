"""Browser sessions in PostgreSQL that know whose they are, since when, and until when at most."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from hub.accounts import devices
from hub.accounts.models import Account, Session
from hub.core.prepared import Given, Prepared

DEVICE, SIGNED_IN_AT = "device", "signed_in_at"
"""Where the session keeps what the list of devices shows; set on the way in."""
IDLE = "idle"
"""Where the session keeps how many seconds it lives unused; its end at the latest is Django's own expiry."""

_session = Prepared(lambda: Session.objects.filter(session_key=Given("key"), expire_date__gt=Given("now")))


class SessionStore(DatabaseStore):
    """Django's store, with the account beside the data: so sessions can be listed and ended."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the table of sessions."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        found = _session(key=self.session_key, now=timezone.now())
        self.row = found[0] if found else None
        if self.row is None:
            self._session_key = None
        return self.row

    def create_model_instance(self, data: Any) -> Session:
        """Return the row of a session, with what it says of its account."""
        made = super().create_model_instance(data)
        assert isinstance(made, Session)
        who, now = data.get(SESSION_KEY), timezone.now()
        made.account_id = Account._meta.pk.to_python(who) if who is not None else None
        made.device = str(data.get(DEVICE, ""))[:100]
        made.signed_in_at = data.get(SIGNED_IN_AT)
        made.seen_at = now
        made.expire_date = self._alive_until(data, now)
        return made

    def seen(self, now: dt.datetime) -> None:
        """Note that the session is in use: in the table every few minutes only, in one statement."""
        row = self.row
        if row is None or not self.session_key or (row.seen_at and row.seen_at > now - devices.SEEN_EVERY):
            return
        row.seen_at = now
        devices.saw(session_key=self.session_key, expires=self._alive_until(self, now), now=now)

    def _alive_until(self, data: Any, now: dt.datetime) -> dt.datetime:
        latest = self.get_expiry_date(modification=now, expiry=data.get("_session_expiry"))
        idle = data.get(IDLE)
        return min(latest, now + dt.timedelta(seconds=idle)) if idle else latest
