"""The two kinds of caller that scenarios are played by."""

from __future__ import annotations

import pytest

from tests.scenarios.over_graphql import Ask
from tests.service import PUBLISHABLE_KEY, Service


@pytest.fixture(scope="session")
def browser(graphid: Service) -> Ask:
    """GraphQL with a publishable key."""
    return graphid.client(PUBLISHABLE_KEY).graphql


@pytest.fixture(scope="session")
def server(graphid: Service) -> Ask:
    """GraphQL with a secret key."""
    return graphid.client().graphql
