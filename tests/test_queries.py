"""The query files: each has a header that is true, is used, and is called with its parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import graphid
from graphid.graph.queries import (
    GIVEN,
    PARTS,
    Query,
    folder,
    included,
    load,
    of_one_map,
    parse,
)

PACKAGE = Path(graphid.__file__).parent
CALLS = {"rows": set[str](), "run": set[str](), "read_rows": {"within"}, "write_rows": {"within"}}
"""Methods that take a query, and their own keywords, which are no parameters."""

QUERIES = load()


def test_there_are_queries() -> None:
    assert len(QUERIES) > 3


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_file_is_named_area_and_verb_noun(name: str) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z]+(_[a-z]+)+", name)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_the_header_lists_the_parameters_of_the_text(name: str) -> None:
    assert parameters_of(QUERIES[name]) == QUERIES[name].parameters


def test_the_callers_pass_what_the_headers_list_and_every_file_is_used() -> None:
    sources = {str(file): file.read_text() for file in PACKAGE.rglob("*.py")}
    assert faults(sources, QUERIES) == []


def parameters_of(query: Query) -> frozenset[str]:
    bare = re.sub(r"//[^\n]*|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "", query.text)
    assert set(re.findall(r"\$(\w+)", bare)) <= {GIVEN}
    return frozenset(re.findall(rf"\${GIVEN}\.(\w+)", bare))


def faults(sources: Mapping[str, str], queries: Mapping[str, Query]) -> list[str]:
    """What does not fit between the files and the code, as far as reading the code can tell."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    named = {path: constants(tree) for path, tree in trees.items()}
    everywhere = {name: query for found in named.values() for name, query in found.items()}
    found: list[str] = []
    used: set[str] = set()
    for path, tree in trees.items():
        known = {name: everywhere[name] for name in imported(tree) if name in everywhere}
        known |= named[path]
        used |= {known[name] for name in loaded(tree) if name in known}
        for line, method, query, given, whole in calls(tree, known):
            if query not in queries:
                continue
            wanted = queries[query].parameters
            wrong = given - CALLS[method] - wanted
            missing = set[str]() if not whole else wanted - given
            clash = wanted & CALLS[method]
            found += [
                f"{path}:{line} {query}: ${name} is not a parameter" for name in sorted(wrong)
            ]
            found += [f"{path}:{line} {query}: ${name} is not passed" for name in sorted(missing)]
            found += [f"{path}:{line} {query}: ${name} is {method}'s own" for name in sorted(clash)]
    mentioned = {query for names in named.values() for query in names.values()}
    found += [f"{query}: no such file" for query in sorted(mentioned - set(queries))]
    found += [f"cypher/{query}.cypher is not used" for query in sorted(set(queries) - used)]
    return found


def constants(tree: ast.Module) -> dict[str, str]:
    """``NAME = query("area/verb_noun")``, by NAME."""
    return {
        target.id: str(call.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
        for call in [node.value]
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "query"
        and isinstance(call.args[0], ast.Constant)
    }


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def loaded(tree: ast.Module) -> set[str]:
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def calls(
    tree: ast.Module, known: Mapping[str, str]
) -> Iterator[tuple[int, str, str, set[str], bool]]:
    """Line, method, query, keywords, and whether those are all (no ``**``)."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CALLS
            and node.args
            and isinstance(node.args[0], ast.Name)
            and node.args[0].id in known
        ):
            given = {keyword.arg for keyword in node.keywords}
            names = {name for name in given if name is not None}
            yield node.lineno, node.func.attr, known[node.args[0].id], names, None not in given


def test_every_part_says_what_it_is_and_is_part_of_something() -> None:
    parts = [file.name.removesuffix(".cypher") for file in (folder() / PARTS).iterdir()]
    texts = [
        file.read_text()
        for area in folder().iterdir()
        for file in area.iterdir()
        if area.name != PARTS.rstrip("/")
    ]
    assert parts
    for part in parts:
        assert (folder() / PARTS / f"{part}.cypher").read_text().startswith("// Purpose: ")
        assert any(f"  // Include: {PARTS}{part}\n" in text for text in texts), part


def test_a_part_stands_where_it_is_named_without_its_header() -> None:
    parts = {"parts/columns": "// Purpose: to be tried.\n\na AS b\n"}
    assert included("RETURN c,\n  // Include: parts/columns\n", parts) == "RETURN c,\na AS b\n"


# The checks can fail ---------------------------------------------------------------------------

HEADER = "// Purpose: to be tried.\n// Parameters: {}\n// Columns: {}\n\n"


def made(parameters: str = "none.", columns: str = "none.", text: str = "RETURN 1") -> Query:
    return parse("trial/find_it", HEADER.format(parameters, columns) + text)


@pytest.mark.parametrize("field", ["Purpose", "Parameters", "Columns"])
def test_a_header_without_a_field_is_refused(field: str) -> None:
    text = HEADER.format("none.", "none.") + "RETURN 1"
    with pytest.raises(ValueError, match=f"cypher/trial/find_it.cypher: .* '// {field}: "):
        parse("trial/find_it", text.replace(field, "Else"))


def test_a_header_is_read() -> None:
    query = parse(
        "trial/find_it",
        "// Purpose: two\n//   lines.\n// Parameters: $a, one thing; $b, another ($c is none).\n"
        "// Columns: x, y.\n// Plan: offline\n\n// kept\nRETURN $a AS x, $b AS y;\n",
    )
    assert query.purpose == "two lines."
    assert query.columns == ("x", "y")
    assert query.offline
    assert query.text == "// kept\nRETURN $given.a AS x, $given.b AS y"
    assert query.given({"a": 1, "b": 2}) == {"given": {"a": 1, "b": 2}}


def test_parameters_in_comments_and_strings_do_not_count() -> None:
    assert parameters_of(made(text="RETURN $a // $b\n, '$c', \"$d\"")) == {"a"}


@pytest.mark.parametrize("kept", ["// $b", "'$b'", "'it\\'s $b'", '"$b"', "`$b`"])
def test_what_only_looks_like_a_parameter_is_sent_as_it_is(kept: str) -> None:
    assert of_one_map(f"RETURN $a, {kept}\n, $c.d") == f"RETURN $given.a, {kept}\n, $given.c.d"


GOOD = 'FIND = query("trial/find_it")\nasync def f(unit): await unit.rows(FIND, a=1)\n'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (GOOD, []),
        (GOOD.replace("a=1", "**given"), []),
        (GOOD.replace("a=1", "b=1"), ["$b is not a parameter", "$a is not passed"]),
        (GOOD.replace("find_it", "lose_it"), ["no such file", "is not used"]),
        (GOOD.splitlines()[0], ["is not used"]),
        (GOOD.replace("unit.rows", "unit.read_rows").replace("a=1", "a=1, within=2"), []),
    ],
)
def test_the_callers_check_finds_faults(source: str, expected: list[str]) -> None:
    found = faults({"m.py": source}, {"trial/find_it": made("$a, a number.", text="RETURN $a")})
    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True))
