"""Make the committed list of jars of each release: ``make jars``, after changing ``releases.py``.

Resolves Neo4j's dependency tree with jgo, fetches every jar into a folder that is thrown away
afterwards (or the one named as the argument), and writes coordinates and SHA-256. Takes minutes.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Dependency, MavenContext

from graphid.graph.engine import jars
from graphid.graph.engine.jars import Jar
from graphid.graph.engine.releases import RELEASES

# What Neo4j's packages ask for and a server with Bolt alone never loads. Found by logging every
# class that is loaded (-Xlog:class+load) while tests, every kind of index, `database import full`,
# `check`, `dump` and a restart ran: none of these was touched. What is small or doubtful stays.
UNUSED = {
    "test libraries": r"junit:|org\.mockito:|org\.hamcrest:|net\.bytebuddy:|org\.objenesis:",
    "import from Parquet": (
        r"org\.apache\.parquet:|org\.apache\.hadoop|blue\.strategic\.parquet:|"
        r"org\.xerial\.snappy:"
    ),
    "making certificates": r"org\.bouncycastle:",
    "the HTTP server, which is off": r"org\.eclipse\.jetty|org\.glassfish\.|com\.sun\.xml\.",
    "listing processes on Windows": r"org\.jprocesses:|com\.profesorfalken:",
}


def main() -> None:
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(given[0] if given else scratch), timeout=120)
        for release in RELEASES.values():
            text = make_list(context, release.version)
            file = Path(jars.__file__).with_name(release.jar_list)
            file.write_text(text, "utf-8")
            print(f"{file.name}: {len(jars.parse(text))} jars")


def make_list(context: MavenContext, version: str) -> str:
    """The text of the list for one version of Neo4j."""
    root = context.create_dependency(f"org.neo4j:neo4j:{version}")
    inputs, transitive = context.resolver.resolve([root])
    unused = re.compile("|".join(UNUSED.values()))
    wanted = [d for d in (*inputs, *transitive) if not unused.match(f"{d.groupId}:{d.artifactId}")]
    with ThreadPoolExecutor(8) as threads:
        lines = sorted(str(jar) + f" {jar.sha256}" for jar in threads.map(fetch, wanted))
    head = [
        f"# The jars of Neo4j {version}: group:artifact:version[:classifier] sha256",
        "# Made by `make jars` (tools/list_jars.py). Left out, because nothing loads them:",
        *(f"#   {reason}" for reason in UNUSED),
    ]
    return "\n".join([*head, *lines]) + "\n"


def fetch(dependency: Dependency) -> Jar:
    file = dependency.artifact.resolve()
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return Jar(
        dependency.groupId,
        dependency.artifactId,
        dependency.version,
        dependency.classifier or "",
        sha256,
    )


if __name__ == "__main__":
    main()
