"""SIMS keeps to the contract."""

from __future__ import annotations

import datetime as dt

from mis_connectors.sims.connector import SimsConnector
from mis_connectors.simulators.school import School
from mis_connectors.simulators.sims_xml import bundle
from mis_connectors.testing.contract import ConnectorContract

BEGAN = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)


class TestSims(ConnectorContract):
    def connector(self) -> SimsConnector:
        return SimsConnector()

    def payload(self, school: School) -> bytes:
        return bundle(school, "run-1", BEGAN)
