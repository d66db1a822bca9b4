"""Which copy of the agent is speaking: a bearer token, looked up by its hash across schools."""

from __future__ import annotations

import datetime as dt

from hub.core import scope
from hub.core.errors import HubError
from imports import moments
from imports.link.links import TOKEN_PREFIX, hash_token
from imports.models import AgentToken

_DOWNLOAD = "Download a new copy from the hub: Settings, MIS Link."


class NotSignedIn(HubError):
    """The token is missing, unknown or ended; the message says so to the agent's user."""


def token_of(authorization: str, *, now: dt.datetime) -> AgentToken:
    """Return the open token of an Authorization header, with its link and school. Raises `NotSignedIn`."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(TOKEN_PREFIX):
        raise NotSignedIn(f"This copy of the agent has no token. {_DOWNLOAD}")
    with scope.every_school():
        tokens = AgentToken.objects.select_related("school", "link__school", "link__source")
        token = tokens.filter(token_hash=hash_token(secret.strip())).first()
    if token is None:
        raise NotSignedIn(f"The hub does not know this copy of the agent. {_DOWNLOAD}")
    if token.revoked_at is not None:
        when = moments.stamp(token.revoked_at, now=now)
        raise NotSignedIn(f"This copy of the agent was replaced on {when} by {token.revoked_by}. {_DOWNLOAD}")
    return token
