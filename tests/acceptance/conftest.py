"""One running service for the tests that talk GraphQL to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graphid.graph.engine import Address
from tests.service import Service, running_service


@pytest.fixture(scope="session")
def graphid(database: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """``graphid serve`` as a process of its own."""
    with running_service(database, tmp_path_factory.mktemp("graphql")) as running:
        yield running
