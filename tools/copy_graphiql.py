"""Copy GraphiQL into the package, with the licences of what is in it.

    npm ci --ignore-scripts    # in tests/acceptance/npm, whose lock says which versions
    python tools/copy_graphiql.py tests/acceptance/npm/node_modules

A test compares what is committed with what this makes. Fonts are left out, of which GraphiQL's
style sheet holds 300 kB: browsers take their own. So are source maps.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

TARGET = Path(__file__).parents[1] / "graphid" / "static" / "graphiql"
BUNDLE = "graphiql/graphiql.min.js"
COPIED = (
    BUNDLE,
    "graphiql/graphiql.min.css",
    "react/umd/react.production.min.js",
    "react-dom/umd/react-dom.production.min.js",
)
NOTICE = "NOTICE.txt"

_FONT = re.compile(r"@font-face\s*\{[^}]*\}")
_SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=\S*")
_PACKAGE = re.compile(r"node_modules/((?:@[^/]+/)?[^/]+)/")
_OWN = (
    *("graphiql", "@graphiql/react", "@graphiql/toolkit", "@graphiql/plugin-doc-explorer"),
    *("@graphiql/plugin-history", "codemirror-graphql", "graphql-language-service"),
)
"""GraphiQL's own packages, which the bundle was made from as sources."""
_BESIDE = {
    "@graphiql/plugin-doc-explorer": "graphiql",
    "@graphiql/plugin-history": "graphiql",
    "@radix-ui/react-use-escape-keydown": "@radix-ui/react-dialog",
    "@react-aria/utils": "react-aria",
    "react-compiler-runtime": "react",
    "react-remove-scroll-bar": "react-remove-scroll",
    "toggle-selection": "copy-to-clipboard",
}
"""Packages that come without the text of their licence, or have been merged into others since the
bundle was made: a package of the same authors that has it."""
_COPYRIGHT = re.compile(r"^[ \t]*(?:copyright )?(?:\(c\)|©|copyright \d).*$", re.I | re.M)

HEAD = """\
graphid serves GraphiQL ({version}) from this folder. graphiql.min.js, graphiql.min.css,
react.production.min.js and react-dom.production.min.js are not graphid's own work: they hold the
packages below, which come under the licences that follow. index.html, page.js and page.css are
graphid's. Made by tools/copy_graphiql.py.
"""


def files_of(modules: Path) -> dict[str, str]:
    """What belongs into the package, by name; ``modules``: npm's node_modules."""
    files = {Path(name).name: _without_extras(_read(modules / name)) for name in COPIED}
    return {**files, NOTICE: _notice(modules)}


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")  # line ends as they are


def _without_extras(text: str) -> str:
    return _SOURCE_MAP.sub("", _FONT.sub("", text)).rstrip("\n") + "\n"


def _notice(modules: Path) -> str:
    licences: dict[str, tuple[str, list[str]]] = {}
    for name in sorted(_bundled(modules)):
        package = modules / _BESIDE.get(name, name)
        licence = json.loads(_read(package / "package.json"))["license"]
        text = _licence_text(package)
        holders = [" ".join(line.split()) for line in _COPYRIGHT.findall(text)]
        terms = re.sub(r"\s*\n\s*\n\s*", "\n\n", _COPYRIGHT.sub("", text).strip())
        _, held = licences.setdefault(" ".join(terms.lower().split()), (terms, []))
        held.append(f"  {name} ({licence})")
        held += [f"    {holder}" for holder in dict.fromkeys(holders)]
    version = json.loads(_read(modules / "graphiql/package.json"))["version"]
    parts = [HEAD.format(version=version)]
    for terms, held in licences.values():
        parts += ["-" * 78 + "\n", "\n".join(held) + "\n", terms + "\n"]
    return "\n".join(parts)


def _bundled(modules: Path) -> set[str]:
    """The packages whose code is in what is copied."""
    sources = json.loads(_read(modules / f"{BUNDLE}.map"))["sources"]
    found = {names[-1] for source in sources if (names := _PACKAGE.findall(source))}
    return {*found, *_OWN, "react", "react-dom"}


def _licence_text(package: Path) -> str:
    found = [path for path in package.iterdir() if re.match(r"licen[cs]e", path.name, re.I)]
    return _read(min(found)).replace("\r\n", "\n")


def _written(files: Mapping[str, str]) -> Iterator[str]:
    for name, text in files.items():
        (TARGET / name).write_bytes(text.encode())
        yield f"{name}: {len(text.encode()):,} bytes"


if __name__ == "__main__":
    print("\n".join(_written(files_of(Path(sys.argv[1])))))
