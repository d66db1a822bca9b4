"""ScholarPack keeps to the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from mis_connectors.base import Access
from mis_connectors.errors import ConnectorError
from mis_connectors.scholarpack.connector import ScholarpackConnector
from mis_connectors.simulators.scholarpack_api import ScholarpackApi
from mis_connectors.simulators.server import Fault, SimulatorServer
from mis_connectors.testing.pull import PullContract, Recorded


class TestScholarPack(PullContract):
    api_class = ScholarpackApi
    expected: ClassVar[Mapping[Fault, type[ConnectorError] | None]] = {Fault.EXPIRED_TOKEN: None}

    def connector(self) -> ScholarpackConnector:
        return ScholarpackConnector()

    def secrets(self, server: SimulatorServer, dfe_number: str) -> dict[str, str]:
        assert isinstance(server.api, ScholarpackApi)
        return server.api.secrets(dfe_number)

    def access(self, server: Recorded, dfe_number: str, *, wrong: bool = False, **given: Any) -> Access:
        """Wrong are the school's tokens: the hub's own client secret is the operator's, and another error."""
        made = super().access(server, dfe_number, wrong=wrong, **given)
        return replace(made, platform=server.api.platform(server.address))
