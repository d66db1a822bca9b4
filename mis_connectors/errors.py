"""What can go wrong between an MIS and us.

`message` is a sentence for a school office: what was wrong and what to do. `detail` is for the
log and for support; it never holds a secret or personal data.
"""

from __future__ import annotations


class ConnectorError(Exception):
    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class ConnectorConfigError(ConnectorError):
    """The link's settings cannot work; somebody must change them."""


class ConnectorPlatformError(ConnectorConfigError):
    """The MIS refuses what the operator set for the whole hub, such as a partner key: no school can put that right.

    Where an MIS may say so too while it has not let a school in yet, the hub takes it for that as long as it waits.
    """


class ConnectorAuthError(ConnectorError):
    """The MIS refuses us: no access yet, credentials not right, or access withdrawn."""


class ConnectorAnotherSchool(ConnectorAuthError):
    """The MIS lets us in, but at another school than the one we came for."""


class ConnectorUnavailable(ConnectorError):
    """The MIS does not answer now; trying again may help, not before `retry_after` seconds.

    `address`: it is the address that cannot be asked; nobody answered there, or nobody who may.
    """

    def __init__(
        self, message: str, *, detail: str = "", retry_after: float | None = None, address: bool = False
    ) -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after
        self.address = address


class SnapshotFormatError(ConnectorError):
    """What came is not what this MIS sends: cut short, not XML, identity columns missing. The payload is kept."""
