"""Which fields a key opens; judged on the text alone, before anything is executed."""

from __future__ import annotations

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, parse, validate

from graphid.api.rights import SCOPES, needs_of, require, scopes_of
from graphid.api.schema import executable
from graphid.auth.scopes import BROWSER, SERVER, Scope
from graphid.errors import Forbidden

COMPOSITE = [
    type
    for name, type in executable.type_map.items()
    if isinstance(type, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
]


def refusal(text: str, held: frozenset[Scope] = BROWSER) -> str | None:
    """Why an operation is refused; None where it is not."""
    document = parse(text)
    assert validate(executable, document) == []
    (needs,) = needs_of(executable, document).values()
    try:
        require(needs, held)
    except Forbidden as error:
        return error.message
    return None


def test_every_field_declares_its_scope() -> None:
    undeclared = [
        f"{type.name}.{field}"
        for type in COMPOSITE
        for field in type.fields
        if not scopes_of(type.name, field)
    ]
    assert undeclared == []


def test_no_scope_is_declared_for_what_is_not_there() -> None:
    there = {type.name for type in COMPOSITE} | {
        f"{type.name}.{field}" for type in COMPOSITE for field in type.fields
    }
    assert [name for name in SCOPES if name not in there] == []


def test_exactly_this_is_open_to_a_browser() -> None:
    open_to_browsers = {
        f"{type.name}.{field}"
        for type in COMPOSITE
        for field in type.fields
        if not BROWSER.isdisjoint(scopes_of(type.name, field))
    }
    assert open_to_browsers == {
        *(f"Mutation.{m}" for m in ("page", "track", "identify", "logout")),
        *(f"Mutation.{m}" for m in ("startChat", "sendChatMessage", "endChat")),
        "Mutation.authenticateChat",
        "ChatAuthenticated.chat",
        *(f"EventAccepted.{f}" for f in ("event", "duplicate", "warnings")),
        *(f"Identified.{f}" for f in ("event", "duplicate", "warnings")),
        *(f"LoggedOut.{f}" for f in ("event", "duplicate", "nextCookieId")),
        *(f"ChatStarted.{f}" for f in ("chat", "duplicate")),
        *(f"JourneyEvent.{f}" for f in ("id", "messageId", "occurredAt", "receivedAt")),
        *(f"Chat.{f}" for f in ("id", "startedAt", "authenticated", "authenticatedAt")),
        *(f"Warning.{f}" for f in ("code", "message")),
        *(f"Problem.{f}" for f in ("code", "message")),
        *(f"InvalidInput.{f}" for f in ("code", "message", "path")),
        *(f"NotFound.{f}" for f in ("code", "message")),
        *(f"Refused.{f}" for f in ("code", "message", "reasons")),
        "Node.id",
    }


@pytest.mark.parametrize("type", COMPOSITE, ids=lambda type: type.name)
def test_a_server_reads_everything(type: GraphQLObjectType) -> None:
    assert all(not SERVER.isdisjoint(scopes_of(type.name, field)) for field in type.fields)


IDENTIFY = 'mutation {{ identify(input: {{context: {{cookieId: "c"}}}}) {{ {} }} }}'


@pytest.mark.parametrize(
    "selected",
    [
        "__typename",
        "... on Identified { duplicate warnings { code message } event { id messageId } }",
        "... on EventAccepted { event { occurredAt receivedAt __typename } }",
        "... on InvalidInput { code message path }",
        "... on Problem { code message }",
        "... on Refused { reasons }",
    ],
)
def test_a_browser_selects_what_it_sent(selected: str) -> None:
    assert refusal(IDENTIFY.format(selected)) is None


@pytest.mark.parametrize(
    ("selected", "named"),
    [
        ("... on Identified { created }", "Identified.created"),
        ("... on Identified { switched }", "Identified.switched"),
        ("... on Identified { person { id } }", "Identified.person"),
        ("... on Identified { contact { id } }", "Identified.contact"),
        ("... on Identified { links { id } }", "Identified.links"),
        ("... on Identified { reviews { id } }", "Identified.reviews"),
        ("... on Identified { harmless: person { id } }", "Identified.person"),
        ("... on Identified { person @skip(if: true) { id } }", "Identified.person"),
        ("... on Identified @include(if: false) { created }", "Identified.created"),
        ("... on EventAccepted { event { person { id } } }", "JourneyEvent.person"),
        ("... on EventAccepted { event { detail } }", "JourneyEvent.detail"),
        (
            "... on EventAccepted { event { ... on Node { ... on JourneyEvent { cookieId } } } }",
            "JourneyEvent.cookieId",
        ),
    ],
)
def test_a_browser_selects_nothing_else(selected: str, named: str) -> None:
    message = refusal(IDENTIFY.format(selected))
    assert message is not None
    assert named in message
    assert "journey:view" in message


@pytest.mark.parametrize(
    "text",
    [
        '{ person(id: "x") { id } }',
        '{ node(id: "x") { id } }',
        "{ __schema { types { name } } }",
        '{ __type(name: "Person") { name } }',
        """mutation { saveContact(input: {source: "s", sourceId: "1", identifiers: []}) {
          __typename } }""",
        """query Q { ...Q } fragment Q on Query { ...R }
          fragment R on Query { chat(id: "x") { id } }""",
    ],
)
def test_a_browser_asks_and_saves_nothing(text: str) -> None:
    assert refusal(text) is not None
    assert refusal(text, SERVER) is None


@pytest.mark.parametrize(
    "text", ["{ __schema { types { name } } }", '{ __type(name: "T") { name } }']
)
@pytest.mark.parametrize("scope", Scope)
def test_introspection_is_for_who_may_read_the_graph(scope: Scope, text: str) -> None:
    said = refusal(text, frozenset({scope}))
    if scope in {Scope.JOURNEY_VIEW, Scope.GRAPH_VIEW}:
        assert said is None
    else:
        assert said is not None
        assert said.endswith("it needs graph:view or journey:view.")
    assert refusal("{ __typename }", frozenset({scope})) is None


def test_fragments_are_judged_for_the_type_that_they_are_on() -> None:
    text = """mutation { page(input: {context: {cookieId: "c"}, url: "u"}) { ...Kept } }
      fragment Kept on EventAccepted { event { ...Line } }
      fragment Line on JourneyEvent { id attribution { basis } }"""
    assert "JourneyEvent.attribution" in (refusal(text) or "")


def test_the_root_type_may_be_named() -> None:
    assert refusal("{ __typename }") is None


ANALYST = frozenset({Scope.GRAPH_VIEW})
DEVICE = """{ device(id: "d") { shared personCount uses { startedAt visitor { cookie { id } } }
  personAt(at: "2026-03-01T09:30:00Z") { id kind displayName }
  people { authenticated person { id links { explanation reason from { id } to {
    ... on Contact { source person { id } } ... on IdentifierNode { type value } } } } } } }"""


def test_who_explores_devices_reads_who_is_on_them_and_what_joins_them() -> None:
    assert refusal(DEVICE, ANALYST) is None


@pytest.mark.parametrize(
    "selected",
    [
        "journey { edges { node { id } } }",
        "sessions { edges { node { id } } }",
        "chats { edges { node { id } } }",
        "traits { value }",
        "identifiers { value }",
        "reviews { id }",
        "contacts { traits { value } }",
    ],
)
def test_who_explores_devices_reads_nothing_that_was_done_or_said(selected: str) -> None:
    text = f'{{ device(id: "d") {{ people {{ person {{ {selected} }} }} }} }}'
    assert "journey:view" in (refusal(text, ANALYST) or "")
    assert refusal(text, frozenset({Scope.JOURNEY_VIEW})) is None


def test_who_saves_records_is_told_what_became_of_them_and_no_more() -> None:
    importer = frozenset({Scope.CONTACT_EDIT})
    text = """mutation {{ saveContact(input: {{source: "s", sourceId: "1", identifiers: []}}) {{
      ... on ContactSaved {{ created duplicate warnings {{ code }} {} }}
      ... on Problem {{ code message }} ... on Refused {{ reasons }} }} }}"""
    assert refusal(text.format(""), importer) is None
    for selected in ("person { id }", "links { id }", "reviews { id }"):
        assert refusal(text.format(selected), importer) is not None
