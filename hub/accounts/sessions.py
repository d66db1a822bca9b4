"""Browser sessions in PostgreSQL that know whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from hub.accounts.models import Account, Session

DEVICE, SIGNED_IN_AT = "device", "signed_in_at"
"""Where the session keeps what the list of devices shows; set on the way in."""


class SessionStore(DatabaseStore):
    """Django's store, with the account beside the data: so sessions can be listed and ended."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the table of sessions."""
        return Session

    def create_model_instance(self, data: Mapping[str, Any]) -> Session:
        """Return the row of a session, with what it says of its account."""
        made = super().create_model_instance(data)
        assert isinstance(made, Session)
        who = data.get(SESSION_KEY)
        made.account_id = Account._meta.pk.to_python(who) if who is not None else None
        made.device = str(data.get(DEVICE, ""))[:100]
        made.signed_in_at = data.get(SIGNED_IN_AT)
        return made
