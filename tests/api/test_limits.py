"""How large an operation may be, and how lists are bounded."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import parse

from graphid.api.cursors import MOST, BadCursor, bounded, cursor, either_way, key_of
from graphid.api.execution import prepare
from graphid.api.limits import MAX_ALIASES, MAX_COST, MAX_DEPTH, MAX_TOKENS, require_small
from graphid.api.schema import executable
from graphid.errors import InvalidInput, TooLarge
from graphid.identity.values import Kind, place
from graphid.service.clusters.clusters import MOST_NODES

DOCUMENTS = Path(__file__).parents[2] / "docs" / "operations"


def cost(text: str, **variables: object) -> int:
    return require_small(executable, parse(text), None, variables).cost


def test_cost_is_the_fields_that_an_answer_may_hold() -> None:
    journey = '{ person(id: "x") { journey%s { edges { node { id type } } } } }'
    assert cost(journey % "(first: 1)") == 1 + 1 + 1 + 1 + 2
    assert cost(journey % "(first: 10)") == 1 + 1 + 10 * (1 + 1 + 2)
    assert cost(journey % "(last: 10)") == cost(journey % "(first: 10)")
    assert cost(journey % "") == cost(journey % "(first: 50)")


def test_a_variable_counts_as_what_it_is() -> None:
    text = 'query ($n: Int) { person(id: "x") { journey(first: $n) { edges { node { id } } } } }'
    assert cost(text, n=7) == cost(text.replace("$n)", "7)").replace("($n: Int)", ""))


def test_lists_of_lists_multiply() -> None:
    text = """{ person(id: "x") { chats(first: 200) { edges { node {
        messages(first: 200) { edges { node { text } } } } } } } }"""
    with pytest.raises(TooLarge, match=str(MAX_COST)):
        cost(text)


def test_a_fragment_costs_as_often_as_it_is_spread() -> None:
    bomb = '{ person(id: "x") { ...F0 } }'
    for level in range(30):
        below = f"reviews {{ people {{ ...F{level + 1} }} }}"
        bomb += f" fragment F{level} on Person {{ a: {below} b: {below} }}"
    bomb += " fragment F30 on Person { id }"
    with pytest.raises(TooLarge):
        cost(bomb)


def test_of_types_that_exclude_each_other_the_most_counts() -> None:
    around = '{ cluster(around: "x", maxNodes: 10) { nodes { %s } } }'
    person, device = "... on Person { id kind }", "... on Device { id }"
    alone = cost(around % person)
    assert cost(around % f"{person} {device}") == alone
    assert cost(around % f"{person} ... on Person {{ displayName }}") == alone + 10
    assert cost(around % f"{person} ...D" + " fragment D on Device { id }") == alone
    # A node may be both: a person, and what has an id.
    assert cost(around % f"{person} ... on Node {{ __typename }}") == alone + 10


def test_the_documented_query_may_ask_for_a_whole_cluster() -> None:
    document = (DOCUMENTS / "cluster.graphql").read_text("utf-8")
    largest = document.replace("maxNodes: 300", f"maxNodes: {MOST_NODES}")
    assert largest != document
    assert cost(largest) <= MAX_COST


def test_each_field_below_none_may_be_a_message() -> None:
    page = 'page(input: {context: {cookieId: "c"}, url: "u"}) { __typename }'
    text = f"""mutation M {{ a: {page} ...F ... on Mutation {{ b: {page} }} ...F }}
      fragment F on Mutation {{ c: {page} d: {page} }} query Q {{ __typename }}"""
    assert require_small(executable, parse(text), "M", {}).roots == 6
    assert require_small(executable, parse(text), "Q", {}).roots == 1


def test_depth() -> None:
    def nested(times: int) -> str:
        return (
            "{"
            + 'event(messageId: "x") { person {' * 1
            + "reviews { people {" * times
            + "id"
            + "}}" * times
            + "}}}"
        )

    with pytest.raises(TooLarge, match=f"limit is {MAX_DEPTH}"):
        cost(nested(MAX_DEPTH))
    assert cost(nested(1)) > 0


def test_aliases() -> None:
    many = " ".join(f'a{i}: event(messageId: "{i}") {{ id }}' for i in range(MAX_ALIASES + 1))
    with pytest.raises(TooLarge, match="aliases"):
        cost(f"{{ {many} }}")


def test_tokens_are_counted_before_anything_is_built() -> None:
    prepared = prepare("{ " + "__typename " * MAX_TOKENS + "}")
    assert prepared.document is None
    assert "token" in prepared.errors[0].message


@pytest.mark.parametrize("text", ["{" * 50_000, "{a" + "{a" * 3000 + "}" * 3001, "[" * 3999])
def test_nesting_bombs_are_faults_of_the_text(text: str) -> None:
    assert prepare.__wrapped__(text).errors


def test_bounds_name_the_field_and_the_limit() -> None:
    for wrong in (0, -1, MOST + 1):
        with pytest.raises(InvalidInput, match=f"first must be from 1 to {MOST}") as caught:
            bounded(wrong, "first", default=20)
        assert caught.value.path == ("first",)
    assert bounded(None, "first", default=20) == 20
    with pytest.raises(InvalidInput, match="not for both"):
        either_way("x", first=1, last=1, after=None, before=None, default=5)


def test_a_cursor_is_of_one_list() -> None:
    assert key_of("search-1", cursor("search-1", "key:with:colons ü"), "after") == (
        "key:with:colons ü"
    )
    position = place(1_790_000_000_000_000, Kind.EVENT, "id:with:colons ü")
    for key in (position, position + "link_0a1"):
        assert key_of("journey", cursor("journey", key), "after") == key
    good = cursor("journey", position)
    wrong = ["", "?", "x", good[:-2], good + "=", good + "!", "é", "A" * 5000]
    wrong += [cursor("chats", position), cursor("journey", ""), cursor("journey", "key")]
    wrong += [cursor("journey", position + "link_ü"), cursor("journey", "9" + position)]
    for given in wrong:
        with pytest.raises(BadCursor) as caught:
            key_of("journey", given, "after")
        assert caught.value.code == "BAD_CURSOR"
        assert caught.value.path == ("after",)


@pytest.mark.parametrize(
    ("list", "good", "wrong"),
    [
        ("sharedDevices", place(1_790_000_000_000_000, Kind.STATEMENT, "é"), "1790000000000000"),
        ("reviews", "1790000000000000review_0a1", "1790000000000000link_0a1"),
        ("keys", "1790000000000000abc123", "1790000000000000 abc"),
        ("audit", "1790000000000000audit_0a1", "audit_0a1"),
    ],
)
def test_a_cursor_looks_as_those_of_its_list(list: str, good: str, wrong: str) -> None:
    assert key_of(list, cursor(list, good), "after") == good
    with pytest.raises(BadCursor):
        key_of(list, cursor(list, wrong), "after")
