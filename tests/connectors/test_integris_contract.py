"""RM Integris keeps to what every connector that fetches keeps to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mis_connectors.errors import ConnectorError, ConnectorPlatformError
from mis_connectors.integris.connector import IntegrisConnector
from mis_connectors.simulators.integris_api import IntegrisApi
from mis_connectors.simulators.server import Fault
from mis_connectors.testing.pull import PullContract


class TestIntegris(PullContract):
    api_class: ClassVar = IntegrisApi
    expected: ClassVar[Mapping[Fault, type[ConnectorError] | None]] = {Fault.EXPIRED_TOKEN: ConnectorPlatformError}
    """All we sign in with is the operator's key."""

    def connector(self) -> IntegrisConnector:
        return IntegrisConnector()
