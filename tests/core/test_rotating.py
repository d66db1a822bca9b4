"""A new key: everything that is stored comes under it, in batches, and nothing is lost on the way."""

from __future__ import annotations

import ast
import io
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from django.utils import timezone

from hub.accounts.models import Account, TimeCode
from hub.core import keyring, rotating
from hub.core.models import School
from hub.embedded.services import PROJECT
from hub.messaging.models import Notice
from imports.link import links, secrets
from imports.models import MisLink, Payload, PayloadChunk

NOT_SECRET = {
    "accounts_passkey.credential_id", "accounts_passkey.public_key", "imports_passedrecord.digest",
    "imports_payload.content_digest", "people_misidentity.digest",
}  # fmt: skip
WRITERS = {
    "hub/accounts/second_factor.py": "accounts_timecode.sealed_secret",
    "hub/core/keyring.py": "",
    "hub/messaging/notices.py": "messaging_notice.sealed",
    "imports/link/consent.py": "",  # into the session, for ten minutes
    "imports/link/secrets.py": "imports_mislink.secrets",
    "imports/payloads.py": "imports_payloadchunk.body",
    "verification/recovery/recovering.py": "verification_recoveryrequest.sealed_name",
}
"""Every module that encrypts, and the column it writes. Add a column to its model's `sealed_columns` as well."""


def new_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def stored(school: School, administrator: Account, settings: Any) -> str:
    """Rows of several kinds under an old key, and a new key in front of it; returns the old key."""
    settings.KEY_RING = [old := new_key()]
    now = timezone.now()
    link = links.create_link(school=school, connector="sims", by=administrator, now=now)
    MisLink.objects.filter(pk=link.pk).update(secrets=secrets.sealed({"password": "hidden"}))
    payload = Payload.objects.create(
        school=school, link=link, run_id="1", filename="a.zip", content_digest=b"", size=1, received_at=now
    )
    for number in range(rotating.BATCH * 2 + 3):
        body = keyring.encrypt(str(number).encode())
        PayloadChunk.objects.create(school=school, payload=payload, number=number, body=body)
    TimeCode.objects.create(account=administrator, sealed_secret=keyring.encrypt(b"ABC"), made_at=now)
    Notice.objects.create(kind="x", channel="email", to="a@example.org", sealed=None, made_at=now, not_before=now)
    settings.KEY_RING = [new_key(), old]
    return old


def counts() -> dict[str, tuple[int, int, int]]:
    return {one.column: (one.seen, one.renewed, one.unreadable) for one in rotating.rotate() if one.seen}


def test_everything_comes_under_the_new_key_and_the_old_one_can_go(stored: str, settings: Any) -> None:
    assert counts() == {
        "accounts_timecode.sealed_secret": (1, 1, 0),
        "imports_mislink.secrets": (1, 1, 0),
        "imports_payloadchunk.body": (35, 35, 0),
    }
    settings.KEY_RING = settings.KEY_RING[:1]
    assert secrets.secrets_of(MisLink.objects.get()) == {"password": "hidden"}
    read = [keyring.decrypt(bytes(chunk.body)).decode() for chunk in PayloadChunk.objects.order_by("number")]
    assert read == [str(number) for number in range(35)]
    assert keyring.decrypt(bytes(TimeCode.objects.get().sealed_secret)) == b"ABC"


def test_what_was_stopped_goes_on_and_a_second_time_nothing_is_written(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = keyring.renew, [20]

    def dies(sealed: bytes) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(sealed)

    monkeypatch.setattr(keyring, "renew", dies)
    with pytest.raises(KeyboardInterrupt):
        counts()
    monkeypatch.setattr(keyring, "renew", real)
    renewed = sum(renewed for _, renewed, _ in counts().values())
    assert 0 < renewed < 37
    assert sum(renewed for _, renewed, _ in counts().values()) == 0


def test_what_no_key_opens_is_counted_left_and_fails_the_command(stored: str, settings: Any) -> None:
    settings.KEY_RING = [new_key()]
    said = io.StringIO()
    with pytest.raises(CommandError, match="37 rows can be opened with no key"):
        call_command("rotate_keys", stdout=said)
    assert "imports_payloadchunk.body: 35 looked at, 0 renewed, 35 that no key opens" in said.getvalue()
    settings.KEY_RING = [stored]
    assert secrets.secrets_of(MisLink.objects.get()) == {"password": "hidden"}


def test_the_command_says_what_it_did(stored: str) -> None:
    said = io.StringIO()
    call_command("rotate_keys", stdout=said)
    assert "imports_mislink.secrets: 1 looked at, 1 renewed" in said.getvalue()
    assert "The older keys may be taken away now." in said.getvalue()


def test_every_column_of_bytes_is_declared_or_no_secret() -> None:
    columns = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.BinaryField)
    }
    declared = {f"{model._meta.db_table}.{column}" for model, column in rotating.sealed_columns()}
    assert columns - NOT_SECRET == declared


def test_every_module_that_encrypts_writes_a_declared_column() -> None:
    callers = {
        str(path.relative_to(PROJECT))
        for place in ("hub", "imports", "verification")
        for path in (PROJECT / place).rglob("*.py")
        if _encrypts(path)
    }
    declared = {f"{model._meta.db_table}.{column}" for model, column in rotating.sealed_columns()}
    assert callers == set(WRITERS)
    assert {column for column in WRITERS.values() if column} == declared


def _encrypts(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    if "encrypt" not in text:
        return False
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return any(getattr(call, "attr", getattr(call, "id", "")) == "encrypt" for call in calls)
