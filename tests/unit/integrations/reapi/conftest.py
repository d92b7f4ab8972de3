"""A farm inside the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from farms import Farm, address_of, serving

from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection


@pytest.fixture
def farm() -> Iterator[Farm]:
    with serving() as farm:
        yield farm


@pytest.fixture
def connection(farm: Farm) -> Iterator[Connection]:
    with Connection(address_of(farm)) as connection:
        yield connection


@pytest.fixture
def cas(connection: Connection) -> Cas:
    return Cas(connection)
