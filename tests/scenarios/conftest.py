"""One service for all scenarios: a process of its own, real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graphid.graph.engine import Address
from tests.scenarios.over_graphql import Ask
from tests.service import PUBLISHABLE_KEY, Service, running_service


@pytest.fixture(scope="session")
def service(database: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(database, tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(service: Service) -> Ask:
    """GraphQL with a publishable key."""
    return service.client(PUBLISHABLE_KEY).graphql


@pytest.fixture(scope="session")
def server(service: Service) -> Ask:
    """GraphQL with a secret key."""
    return service.client().graphql
