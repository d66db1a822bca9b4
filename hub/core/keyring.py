"""Secrets and payloads at rest: encrypted under the newest key, readable with any key of the ring."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class KeyringError(Exception):
    """What is stored cannot be read with any key of the ring: SCHOOLGATE_KEYS lacks the one it was written with."""


def encrypt(plain: bytes) -> bytes:
    """Return `plain` encrypted under the newest key of SCHOOLGATE_KEYS."""
    return _ring(tuple(settings.KEY_RING)).encrypt(plain)


def decrypt(sealed: bytes) -> bytes:
    """Return what was encrypted. Raises `KeyringError` if no key of the ring opens it."""
    try:
        return _ring(tuple(settings.KEY_RING)).decrypt(bytes(sealed))
    except InvalidToken as error:
        raise KeyringError("No key in SCHOOLGATE_KEYS opens this. Was a key taken away too early?") from error


def is_newest(sealed: bytes) -> bool:
    """Whether what is stored was encrypted under the newest key, and can be read with it."""
    try:
        Fernet(settings.KEY_RING[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def renew(sealed: bytes) -> bytes:
    """Return what is stored encrypted under the newest key. Raises `KeyringError` if no key of the ring opens it."""
    return encrypt(decrypt(sealed))


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
