"""Progresso keeps to what every connector that fetches keeps to."""

from __future__ import annotations

from typing import ClassVar

from mis_connectors.progresso.connector import ProgressoConnector
from mis_connectors.simulators.progresso_api import ProgressoApi
from mis_connectors.testing.pull import PullContract


class TestProgresso(PullContract):
    api_class: ClassVar = ProgressoApi

    def connector(self) -> ProgressoConnector:
        return ProgressoConnector()
