"""Secrets that travel in a link: made here, kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets


def make() -> tuple[str, str]:
    """Return a new token of 256 bits, to be sent, and its hash, to be kept."""
    token = secrets.token_urlsafe(32)
    return token, hashed(token)


def hashed(token: str) -> str:
    """Return the hash by which a token is found again. It is random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
