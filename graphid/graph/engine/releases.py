"""The Neo4j versions that the local engine can start."""

from __future__ import annotations

from dataclasses import dataclass

from graphid.graph.engine.errors import EngineError


@dataclass(frozen=True)
class Release:
    """One version of Neo4j Community, and what it wants."""

    version: str
    java: int
    """The major version of Java that its makers support and that we test."""
    main_class: str
    configuration: tuple[str, ...] = ()
    """Lines of neo4j.conf that other releases do not know (an unknown name is refused)."""

    @property
    def jar_list(self) -> str:
        """The file beside this module that names the jars."""
        return f"neo4j-{self.version}.jars"


DEFAULT_VERSION = "2026.08.1"

RELEASES = {
    release.version: release
    for release in (
        Release(
            version=DEFAULT_VERSION,
            java=25,
            main_class="org.neo4j.server.Neo4jCommunity",
            configuration=(
                # Neo4j waits this long for clients to come back before it stops: 2 s twice.
                "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration=0s",
                # No offers to be managed from outside, no broadcasts on the network.
                "dbms.fleet_manager.enabled=false",
                "server.fleet_discovery.enabled=false",
            ),
        ),
        Release(
            version="5.26.30",
            java=21,
            main_class="org.neo4j.server.CommunityEntryPoint",
            configuration=("internal.dbms.bolt.netty_server_shutdown_quiet_period=0",),
        ),
    )
}


def release_of(version: str) -> Release:
    """The release with this version or, where it is the only one, in this series ("5.26").

    Raises EngineError that lists what there is.
    """
    if version in RELEASES:
        return RELEASES[version]
    in_series = [r for r in RELEASES.values() if r.version.startswith(f"{version}.")]
    if version and len(in_series) == 1:
        return in_series[0]
    raise EngineError(
        f"There is no local engine {version!r}; set GRAPHID_ENGINE_VERSION to one of "
        f"{', '.join(RELEASES)}, or GRAPHID_NEO4J_URI to a database that runs already."
    )
