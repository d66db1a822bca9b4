"""Fixtures of the connectors' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.scholarpack_things import ScholarPack, started


@pytest.fixture
def pack() -> Iterator[ScholarPack]:
    """A simulated ScholarPack with one school that has consented."""
    server, api = started()
    with server:
        yield ScholarPack(server, api)
