"""OAuth 2.0 as ScholarPack speaks it: where to send the browser, and how codes and refresh tokens become access.

The authorisation address and its scopes are documented; the token endpoint is RFC 6749 by assumption (`README.md`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from mis_connectors.base import Access
from mis_connectors.errors import ConnectorAuthError, ConnectorConfigError, ConnectorPlatformError, SnapshotFormatError
from mis_connectors.http import Reply
from mis_connectors.replies import by_name, object_of
from mis_connectors.scholarpack import wording

SCOPES = ("student:read", "student-contact:read", "staff:read")
EARLY = dt.timedelta(seconds=60)
"""So long before its end a token is taken for run out: a page may be long on its way."""
ASSUMED_LIFE = 3600
"""Seconds an access token is believed in where ScholarPack does not say."""
_CODES = frozenset({"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"})
"""RFC 6749 §5.2; nothing else that is answered goes into a log."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets us in; the names are those under which the secrets are kept."""

    access_token: str = ""
    refresh_token: str = ""
    expires_at: str = ""

    @classmethod
    def of(cls, secrets: Mapping[str, str]) -> Self:
        return cls(*(secrets.get(name, "") for name in ("access_token", "refresh_token", "expires_at")))

    def has_run_out(self, now: dt.datetime) -> bool:
        """Say whether to renew before asking; a time that cannot be read is left to ScholarPack to judge."""
        try:
            return bool(self.expires_at) and dt.datetime.fromisoformat(self.expires_at) - EARLY <= now
        except (ValueError, TypeError):
            return False

    def as_secrets(self) -> dict[str, str]:
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_at": self.expires_at,
        }


def address_of(access: Access) -> str:
    """Return ScholarPack's address without a slash at its end; raises `ConnectorConfigError`."""
    platform = access.platform
    if not all(platform.get(name) for name in ("address", "client_id", "client_secret")):
        raise ConnectorConfigError(wording.NOT_REGISTERED, detail="platform fields missing")
    return platform["address"].rstrip("/")


def authorise_url(access: Access, *, redirect_uri: str, state: str) -> str:
    """Return where the school's browser goes to sign in and consent; raises `ConnectorConfigError`."""
    address = address_of(access)
    query = urlencode(
        {
            "response_type": "code",
            "client_id": access.platform["client_id"],
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": state,
        },
        safe=":",
    )
    return f"{address}/oauth2/authorize/?{query}"


def exchange(access: Access, *, code: str, redirect_uri: str) -> Tokens:
    """Return the tokens for a code, which is good once; raises `ConnectorAuthError`."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return _granted(access, form, refused=wording.SIGN_IN_LAPSED)


def refresh(access: Access, tokens: Tokens) -> Tokens:
    """Return new tokens, kept already: the old refresh token is dead from here on.

    Where another run has renewed them meanwhile, its tokens are taken: using the old one again would end the consent.
    Raises `ConnectorAuthError` where the school's consent is gone.
    """
    with access.renewing():
        return _renewed_meanwhile(access, tokens) or _renewed(access, tokens)


def _renewed(access: Access, tokens: Tokens) -> Tokens:
    if not tokens.refresh_token:
        raise ConnectorAuthError(wording.WITHDRAWN if tokens.access_token else wording.NO_CONSENT, detail="no tokens")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    try:
        renewed = _granted(access, form, refused=wording.WITHDRAWN, kept=tokens.refresh_token)
    except ConnectorAuthError:
        if meanwhile := _renewed_meanwhile(access, tokens):
            return meanwhile
        raise
    access.save_secrets(renewed.as_secrets())
    return renewed


def _renewed_meanwhile(access: Access, tokens: Tokens) -> Tokens | None:
    kept = Tokens.of(access.load_secrets())
    is_another = kept.access_token not in ("", tokens.access_token) and kept.refresh_token != tokens.refresh_token
    return kept if is_another else None


def _granted(access: Access, form: Mapping[str, str], *, refused: str, kept: str = "") -> Tokens:
    address = address_of(access)
    asked_at = access.now()
    with by_name(wording.MIS):
        reply = access.http.post(
            f"{address}/oauth2/token/",
            form=form,
            headers={"Accept": "application/json"},
            auth=(access.platform["client_id"], access.platform["client_secret"]),
        )
    if reply.status != 200:
        raise _refusal(reply, refused)
    said = object_of(reply, wording.not_its_format("token"))
    token, renewal = said.get("access_token"), said.get("refresh_token") or kept
    if not isinstance(token, str) or not token or not isinstance(renewal, str):
        raise SnapshotFormatError(wording.NOT_ITS_FORMAT, detail="token: no access_token")
    return Tokens(token, renewal, (asked_at + dt.timedelta(seconds=_life(said))).isoformat())


def _refusal(reply: Reply, refused: str) -> Exception:
    """Return what a token endpoint's refusal means (RFC 6749 §5.2)."""
    try:
        code = str(object_of(reply, wording.not_its_format("token")).get("error", ""))
    except SnapshotFormatError:
        code = ""
    detail = f"token: {reply.status} {code if code in _CODES else 'no code of RFC 6749'}"
    if code == "invalid_grant":
        return ConnectorAuthError(refused, detail=detail)
    if code in ("invalid_client", "unauthorized_client") or reply.status == 401:
        return ConnectorPlatformError(wording.REGISTRATION_REFUSED, detail=detail)
    if reply.status == 404:
        return ConnectorConfigError(wording.NOT_THERE, detail=detail)
    return SnapshotFormatError(wording.NOT_ITS_FORMAT, detail=detail)


def _life(said: Mapping[str, Any]) -> int:
    life = said.get("expires_in")
    return life if isinstance(life, int) and not isinstance(life, bool) and 0 < life < 10**8 else ASSUMED_LIFE
