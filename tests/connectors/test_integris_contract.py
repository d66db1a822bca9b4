"""RM Integris keeps to what every connector that fetches keeps to."""

from __future__ import annotations

from typing import ClassVar

from mis_connectors.integris.connector import IntegrisConnector
from mis_connectors.simulators.integris_api import IntegrisApi
from mis_connectors.testing.pull import PullContract


class TestIntegris(PullContract):
    api_class: ClassVar = IntegrisApi

    def connector(self) -> IntegrisConnector:
        return IntegrisConnector()
