"""Who may select what.

Every field names the scopes that open it, any one of which is enough. An operation is judged
whole, before anything of it is executed: all fields in it, in its fragments, under every alias
and type condition, and those that ``@skip`` or ``@include`` might leave out.

A publishable key sends and reads nothing about anybody: it may select what it sent itself
(``RECEIPT`` below) and what is wrong with it. Nothing that depends on what others have sent is
there, not even whether an identify made a contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)

from graphid.auth.scopes import Scope
from graphid.errors import Forbidden

Scopes = frozenset[Scope]

SEND = frozenset({Scope.EVENT_WRITE})
CHAT = frozenset({Scope.CHAT_WRITE})
EDIT = frozenset({Scope.CONTACT_EDIT})
VIEW = frozenset({Scope.JOURNEY_VIEW})
GRAPH = frozenset({Scope.JOURNEY_VIEW, Scope.GRAPH_VIEW})
"""Who is there, what joins them, and which devices they share: no line of what anybody did."""
EXPLORE = frozenset({Scope.GRAPH_VIEW})
"""Who is around whom: whoever serves one customer has no need to go on to the others."""
POLICY = frozenset({Scope.POLICY_EDIT})
OPERATE = frozenset({Scope.IDENTITY_EDIT})
ERASE = frozenset({Scope.PRIVACY_EDIT})
INTEGRATE = frozenset({Scope.INTEGRATION_EDIT})
AUDIT = frozenset({Scope.AUDIT_VIEW})
OPERATIONS = (
    *("promoteContact", "mergePeople", "unmerge", "severLink", "restoreLink"),
    *("blockIdentifier", "decideReview"),
)
RECEIPT = SEND | CHAT | VIEW
"""What the sender of a message may know of it."""

SCOPES: Mapping[str, Scopes] = {
    **{f"Mutation.{name}": SEND for name in ("page", "track", "identify", "logout")},
    **{
        f"Mutation.{name}": CHAT
        for name in ("startChat", "sendChatMessage", "endChat", "authenticateChat")
    },
    "Mutation.saveContact": EDIT,
    "Mutation.setPolicy": POLICY,
    **{f"Mutation.{name}": OPERATE for name in OPERATIONS},
    "Mutation.erasePerson": ERASE,
    **{f"Mutation.{name}": INTEGRATE for name in ("createKey", "rotateKey", "revokeKey")},
    "Query.keys": INTEGRATE,
    "Query.providers": INTEGRATE,
    **{f"Mutation.{name}": INTEGRATE for name in ("setProvider", "removeProvider")},
    **dict.fromkeys(("OidcProvider", "IdentifierClaim", "ProviderRemoved"), INTEGRATE),
    **dict.fromkeys(("AccessKey", "KeyLimits", "IssuedKey"), INTEGRATE),
    **dict.fromkeys(("AccessKeyEdge", "AccessKeyConnection"), INTEGRATE),
    "Change": OPERATE | ERASE | VIEW,
    "StaleGraph": OPERATE | ERASE,
    "Query.audit": AUDIT,
    **dict.fromkeys(("AuditConnection", "AuditEdge", "AuditEntry"), AUDIT),
    "Query.policy": VIEW | POLICY,
    "Policy": VIEW | POLICY,
    **{f"ContactSaved.{name}": EDIT | VIEW for name in ("created", "duplicate", "warnings")},
    "EventAccepted": RECEIPT,
    **{f"Identified.{name}": RECEIPT for name in ("event", "duplicate", "warnings")},
    **{f"LoggedOut.{name}": RECEIPT for name in ("event", "duplicate", "nextCookieId")},
    "ChatStarted": RECEIPT,
    "ChatAuthenticated.chat": RECEIPT,
    "ChatAuthenticated": VIEW,
    **{f"JourneyEvent.{name}": RECEIPT for name in ("id", "messageId", "occurredAt", "receivedAt")},
    **{f"Chat.{name}": RECEIPT for name in ("id", "startedAt", "authenticated", "authenticatedAt")},
    "Node": RECEIPT | GRAPH,
    **{f"Query.{name}": GRAPH for name in ("node", "person", "device")},
    **{f"Query.{name}": GRAPH for name in ("whyLinked", "whyNotLinked")},
    **{f"Person.{name}": GRAPH for name in ("id", "kind", "displayName", "mergedFrom")},
    **{f"Person.{name}": GRAPH for name in ("devices", "links", "contacts")},
    **{f"Contact.{name}": GRAPH for name in ("id", "source", "state", "person", "links")},
    **dict.fromkeys(("Device", "DevicePerson", "DeviceUse", "Cookie", "Visitor"), GRAPH),
    **dict.fromkeys(("Link", "IdentifierNode"), GRAPH),
    **{f"Query.{name}": EXPLORE for name in ("cluster", "sharedDevices")},
    **dict.fromkeys(("Cluster", "ClusterEdge", "RiskSignal"), EXPLORE),
    **dict.fromkeys(("DeviceConnection", "DeviceEdge"), EXPLORE),
    **dict.fromkeys(("Subscription.identityChanges", "IdentityChange"), GRAPH),
    "Subscription.journey": VIEW,
    "PageInfo": GRAPH | INTEGRATE | AUDIT,
    "Warning": RECEIPT | EDIT,
    **dict.fromkeys(
        ("Problem", "InvalidInput"), RECEIPT | EDIT | POLICY | OPERATE | ERASE | INTEGRATE
    ),
    **dict.fromkeys(("NotFound", "Refused"), RECEIPT | EDIT | OPERATE | ERASE | INTEGRATE),
    **dict.fromkeys(
        (
            *("Query", "Identified", "LoggedOut", "ContactSaved", "JourneyEvent", "Chat"),
            *("Person", "Contact", "Trait", "Identifier", "ReviewItem"),
            *("ReviewEdge", "ReviewConnection"),
            *("PersonEdge", "PersonConnection"),
            *("Session", "SessionEdge", "SessionConnection"),
            *("Attribution", "JourneyEdge", "JourneyConnection"),
            *("ChatMessage", "ChatMessageEdge", "ChatMessageConnection", "ChatEdge"),
            *("ChatConnection",),
        ),
        VIEW,
    ),
}
"""By ``Type.field``, else by type. A field that is in neither is open to nobody."""


@dataclass(frozen=True)
class Need:
    """A field that an operation selects, and what opens it."""

    coordinate: str
    scopes: Scopes


def scopes_of(type: str, field: str) -> Scopes:
    """The scopes of which any one opens a field; none at all for what nobody may select."""
    if field == "__typename":
        return frozenset(Scope)
    if field.startswith("__") or type.startswith("__"):
        return GRAPH
    return SCOPES.get(f"{type}.{field}", SCOPES.get(type, frozenset()))


def require(needs: tuple[Need, ...], held: Scopes) -> None:
    """Raises Forbidden, naming the first field that ``held`` does not open."""
    for need in needs:
        if held.isdisjoint(need.scopes):
            scopes = " or ".join(sorted(scope.value for scope in need.scopes)) or "no scope"
            raise Forbidden(f"This key may not select {need.coordinate}: it needs {scopes}.")


def needs_of(schema: GraphQLSchema, document: DocumentNode) -> dict[str | None, tuple[Need, ...]]:
    """What each operation of a valid document selects, by the operation's name."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    found = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            root = schema.get_root_type(definition.operation)
            walk = _Walk(schema, fragments)
            if root is not None:
                walk.visit(definition.selection_set, root.name)
            name = definition.name.value if definition.name else None
            found[name] = tuple(Need(at, scopes_of(*at.split("."))) for at in walk.selected)
    return found


class _Walk:
    """Collects ``Type.field`` of all that is selected; each fragment is walked once."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._walked: set[str] = set()
        self.selected: dict[str, None] = {}

    def visit(self, selections: SelectionSetNode, parent: str) -> None:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                self._visit_field(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                self.visit(selection.selection_set, condition.name.value if condition else parent)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in self._walked:
                    self._walked.add(name)
                    fragment = self._fragments[name]
                    self.visit(fragment.selection_set, fragment.type_condition.name.value)

    def _visit_field(self, field: FieldNode, parent: str) -> None:
        name = field.name.value
        self.selected[f"{parent}.{name}"] = None
        if field.selection_set is None or name.startswith("__"):
            # What introspection tells is one thing: whoever may ask it at all may ask it whole.
            return
        definition = self._schema.get_field(self._schema.type_map[parent], name)  # type: ignore[arg-type]
        if definition is not None:
            type = get_named_type(definition.type)
            if is_composite_type(type):
                self.visit(field.selection_set, type.name)
