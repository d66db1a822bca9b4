"""Every setting an operator can make, in one table: name, kind, default and what it is for.

`docs/settings.md` shows this table and a test holds the two together. A setting ending in a
secret can also be given as a file: `NAME_FILE=/run/secrets/name`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit


class SettingError(Exception):
    """A setting is missing or cannot be read; the message says which and what to write."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable. `default` None means it must be given."""

    name: str
    default: str | None
    meaning: str
    secret: bool = False


TABLE: tuple[Setting, ...] = (
    Setting("DATABASE_URL", None, "PostgreSQL 15 or newer: `postgresql://user:password@host:5432/name`.", secret=True),
    Setting("REDIS_URL", None, "Valkey or Redis, the broker: `redis://host:6379/0`.", secret=True),
    Setting("SCHOOLGATE_SECRET_KEY", None, "Signs sessions and links; 50 characters or more.", secret=True),
    Setting(
        "SCHOOLGATE_KEYS",
        None,
        "The key ring that encrypts secrets and payloads: Fernet keys, comma separated, newest first.",
        secret=True,
    ),
    Setting("SCHOOLGATE_URL", "http://127.0.0.1:8000", "The address under which people reach this hub."),
    Setting("SCHOOLGATE_ALLOWED_HOSTS", "", "More host names to answer to, comma separated."),
    Setting("SCHOOLGATE_DEBUG", "0", "1 shows error pages to developers. Never in production."),
    Setting(
        "SCHOOLGATE_TRUST_PROXY", "0", "1 when a reverse proxy in front sets X-Forwarded-Proto and X-Forwarded-For."
    ),
    Setting("SCHOOLGATE_OPERATOR_EMAIL", "", "Who is told when a school's import fails or stays away."),
    Setting(
        "SCHOOLGATE_SUPPORT_EMAIL",
        "",
        "Where *Send details to support* mails to; without it, the operator. The details hold no personal data.",
    ),
    Setting("SCHOOLGATE_SUPPORT_CHAT_URL", "", "The operator's live chat, shown beside it."),
    Setting("SCHOOLGATE_FROM_EMAIL", "Schoolgate <schoolgate@localhost>", "The sender of every mail."),
    Setting(
        "SCHOOLGATE_SMTP_URL", "", "`smtp://user:password@host:587`; `smtps://` for TLS from the start.", secret=True
    ),
    Setting(
        "SCHOOLGATE_TEXT_URL",
        "",
        "Where text messages are handed over (docs/messaging.md); without it nobody is sent a text.",
    ),
    Setting("SCHOOLGATE_TEXT_KEY", "", "The key that the text gateway asks for.", secret=True),
    Setting("SCHOOLGATE_TEXT_SENDER", "Schoolgate", "The sender of every text: 11 letters and digits, or a number."),
    Setting("SCHOOLGATE_LOCAL_INBOX", "0", "1 keeps all mail in the hub and shows it under /inbox/ (the demo)."),
    Setting("SCHOOLGATE_UPLOAD_LIMIT_MIB", "64", "The largest upload accepted, compressed, in MiB."),
    Setting("SCHOOLGATE_UNPACKED_LIMIT_MIB", "1024", "The largest upload accepted, unpacked, in MiB."),
    Setting("SCHOOLGATE_PAYLOAD_NIGHTS", "14", "How many nights what an MIS sent is kept."),
    Setting("SCHOOLGATE_MIS_LOOPBACK", "0", "1 lets links fetch from simulators on this machine. Never in production."),
    Setting(
        "SCHOOLGATE_MIS_PROXY",
        "",
        "`http://user:password@host:3128`: links fetch through this proxy. HTTPS_PROXY is not looked at.",
        secret=True,
    ),
    Setting(
        "SCHOOLGATE_APPS",
        "",
        "Connectors of your own (docs/writing-a-connector.md): Python packages that can be imported, comma separated.",
    ),
    Setting("SCHOOLGATE_LOG_LEVEL", "INFO", "Python's logging level."),
)
_BY_NAME = {setting.name: setting for setting in TABLE}
_OF_AN_MIS = "SCHOOLGATE_MIS_"
"""How the settings of one MIS begin; which there are, its connector says (`ConnectorInfo.platform_fields`)."""


def read(name: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the setting `name` as text.

    Raises `SettingError` if it has no default and is neither given nor given as a file,
    and `KeyError` if it is not in the table.
    """
    setting = _BY_NAME[name]
    environ = os.environ if environ is None else environ
    if value := environ.get(name):
        return value
    if setting.secret and (path := environ.get(f"{name}_FILE")):
        return _from_file(f"{name}_FILE", path)
    if setting.default is None:
        raise SettingError(f"{name} is not set. {setting.meaning}")
    return setting.default


def flag(name: str) -> bool:
    """Return a 0/1 setting as a bool; raises `SettingError` for anything else."""
    value = read(name)
    if value not in {"0", "1"}:
        raise SettingError(f"{name} is {value!r}; write 0 or 1.")
    return value == "1"


def number(name: str) -> int:
    """Return a whole-number setting; raises `SettingError` for anything else."""
    value = read(name)
    if not value.isdecimal():
        raise SettingError(f"{name} is {value!r}; write a whole number.")
    return int(value)


def address(name: str) -> str:
    """Return a web address, or "" where none is given; raises `SettingError` where a key would travel in the clear."""
    value = read(name)
    parts = urlsplit(value)
    if value and not (parts.hostname and (parts.scheme == "https" or _is_here(parts))):
        raise SettingError(f"{name} is {value!r}; write an address that begins with https://.")
    return value


def _is_here(parts: SplitResult) -> bool:
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}


def names(name: str) -> list[str]:
    """Return a comma-separated setting as a list without blanks."""
    return [part.strip() for part in read(name).split(",") if part.strip()]


def platforms(environ: Mapping[str, str] | None = None) -> dict[str, dict[str, str]]:
    """Return what is set of each MIS, `SCHOOLGATE_MIS_<SLUG>_<NAME>`, by slug and name in lower case.

    Each may be given as a file. Raises `SettingError` for a file that cannot be read.
    """
    environ = os.environ if environ is None else environ
    found: dict[str, dict[str, str]] = {}
    for name, value in sorted(environ.items()):
        slug, _, field = name.removeprefix(_OF_AN_MIS).lower().partition("_")
        if not name.startswith(_OF_AN_MIS) or name in _BY_NAME or not field or not value:
            continue
        if field.endswith("_file"):
            field, value = field.removesuffix("_file"), _from_file(name, value)
        found.setdefault(slug, {})[field] = value
    return found


def _from_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(f"{name} names {path}, which cannot be read: {error.strerror}.") from error
