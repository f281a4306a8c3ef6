"""What the acceptance tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.npm.node import Node, installed
from tests.acceptance.oidc.provider import CertifiedProvider, running_provider


@pytest.fixture(scope="session")
def certified_provider(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CertifiedProvider]:
    """An identity provider that is certified, as a process of its own, for the whole run."""
    with running_provider(tmp_path_factory.mktemp("oidc-provider")) as provider:
        yield provider


@pytest.fixture(scope="session")
def npm_clients(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Programs that use clients from npm, with their packages, for the whole run."""
    return installed(tmp_path_factory.mktemp("npm-clients"))
