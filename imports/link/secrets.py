"""What a school entrusts to a link: encrypted under the key ring, decrypted only to be handed to the connector."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from django.db import connection, transaction

from hub.core import audit, keyring, scope
from imports.models import MisLink


def secrets_of(link: MisLink) -> dict[str, str]:
    """Return a link's secrets by name. Raises `KeyringError` where no key of the ring opens them."""
    sealed = bytes(link.secrets)
    return dict(json.loads(keyring.decrypt(sealed))) if sealed else {}


def sealed(values: Mapping[str, str]) -> bytes:
    """Return secrets as `MisLink.secrets` keeps them."""
    return keyring.encrypt(json.dumps(dict(values), sort_keys=True).encode()) if values else b""


def keep(link_id: int, school_id: int, values: Mapping[str, str], *, now: dt.datetime) -> None:
    """Merge `values` into a link's secrets at once, whatever becomes of the run; an empty one is taken out.

    In a transaction of its own; the connection is given back, because whoever calls this waits for an MIS.
    Audited by names only.
    """
    with scope.schools(school_id):
        try:
            with transaction.atomic():
                link = MisLink.objects.select_for_update(of=("self",)).select_related("school").get(pk=link_id)
                merge(link, values)
                link.save(update_fields=["secrets"])
                audit.record(
                    school=link.school, by=None, action="link.secrets_kept", object_kind="link", object_id=link.pk,
                    data={"names": sorted(values)}, now=now,
                )  # fmt: skip
        finally:
            if not connection.in_atomic_block:
                connection.close()


def reread(link_id: int, school_id: int) -> dict[str, str]:
    """Return a link's secrets as they are by now, and give the connection back as `keep` does."""
    with scope.schools(school_id):
        try:
            return secrets_of(MisLink.objects.only("secrets").get(pk=link_id))
        finally:
            if not connection.in_atomic_block:
                connection.close()


def merge(link: MisLink, values: Mapping[str, str]) -> None:
    """Put `values` beside the secrets the link has; the caller holds the link's lock and saves it."""
    link.secrets = sealed({name: value for name, value in {**secrets_of(link), **values}.items() if value})
