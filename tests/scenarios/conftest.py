"""One service for all scenarios: a process of its own, real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graphid.graph.engine import Address
from tests.service import Service, running_service


@pytest.fixture(scope="session")
def service(database: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(database, tmp_path_factory.mktemp("service")) as running:
        yield running
