"""ScholarPack keeps to the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mis_connectors.errors import ConnectorError
from mis_connectors.scholarpack.connector import ScholarpackConnector
from mis_connectors.simulators.scholarpack_api import ScholarpackApi
from mis_connectors.simulators.server import Fault, SimulatorServer
from mis_connectors.testing.pull import PullContract


class TestScholarPack(PullContract):
    api_class = ScholarpackApi
    expected: ClassVar[Mapping[Fault, type[ConnectorError] | None]] = {Fault.EXPIRED_TOKEN: None}
    platform_is_used_under: ClassVar = Fault.EXPIRED_TOKEN
    """The hub's own client secret is asked for where a token is renewed."""

    def connector(self) -> ScholarpackConnector:
        return ScholarpackConnector()

    def secrets(self, server: SimulatorServer, dfe_number: str) -> dict[str, str]:
        assert isinstance(server.api, ScholarpackApi)
        return server.api.secrets(dfe_number)
