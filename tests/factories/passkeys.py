"""An authenticator in software: it makes passkeys and signs with them, well or badly as a test wants."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


@dataclass
class Authenticator:
    """One credential. `origin` and `host` say which page it believes to be on; `verified` that it checked a finger."""

    origin: str = "http://testserver"
    host: str = "testserver"
    verified: bool = True
    count: int = 0
    handle: str = ""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any], **more: str) -> dict[str, Any]:
        """Answer `navigator.credentials.create`."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        kept = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + encode_cbor(public)
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + kept}
        return (
            self._answer(
                {
                    "clientDataJSON": self._client("webauthn.create", options["challenge"]),
                    "attestationObject": encode_cbor(attestation),
                },
                transports=["internal"],
            )
            | more
        )

    def use(self, options: dict[str, Any], **more: str) -> dict[str, Any]:
        """Answer `navigator.credentials.get`."""
        self.count += 1
        data, client = self._data(0), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return (
            self._answer(
                {"clientDataJSON": client, "authenticatorData": data, "signature": signature}, userHandle=self.handle
            )
            | more
        )

    def _answer(self, parts: dict[str, bytes], **more: Any) -> dict[str, Any]:
        response = {name: bytes_to_base64url(part) for name, part in parts.items()} | more
        name = bytes_to_base64url(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verified else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()
