"""What every part of the schema shares: nodes, enums, page information."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar, cast

import strawberry

from graphid.api.cursors import cursor
from graphid.auth.key_text import KeyKind
from graphid.auth.providers import ClientAuthMethod
from graphid.errors import InternalError
from graphid.identity.attribution import Basis
from graphid.identity.state import LinkKind, LinkState, ReviewKind
from graphid.identity.values import Assurance
from graphid.service.keymaking import SigningMethod
from graphid.service.messages import Author
from graphid.service.pages import Page

strawberry.enum(Basis, name="AttributionBasis", description="See model.md, Attribution basis.")
strawberry.enum(Assurance, description="Who vouches for it: a browser, a server, a login.")
strawberry.enum(LinkKind, description="What a link joins.")
strawberry.enum(LinkState, description="Whether a link stands, is over, or was withdrawn.")
strawberry.enum(ReviewKind, description="What a human is asked to look at.")
strawberry.enum(Author, name="ChatAuthor", description="Who wrote a chat message.")
strawberry.enum(
    KeyKind,
    description="PUBLISHABLE: for the pages of a site, where anybody may read it; it sends, and "
    "learns nothing about anybody. SECRET: for servers, which keep it to themselves.",
)
strawberry.enum(
    SigningMethod,
    description="How a site signs the identities that it vouches for. HS256: with a secret that "
    "we make. PUBLIC_KEY: with a key of its own (RS256, ES256 or EdDSA).",
)

strawberry.enum(
    ClientAuthMethod,
    description="How a client secret is shown. CLIENT_SECRET_BASIC: in a header. "
    "CLIENT_SECRET_POST: in the form. NONE: there is none.",
)


@strawberry.enum(description="Whether anybody knows who they are.")
class PersonKind(StrEnum):
    ANONYMOUS = "ANONYMOUS"
    KNOWN = "KNOWN"


@strawberry.enum(description="Made or joined automatically, or confirmed by a human or a CRM.")
class ContactState(StrEnum):
    IDENTIFIED = "IDENTIFIED"
    CURATED = "CURATED"


@strawberry.enum(
    description="What was decided of a review. OBSOLETE: nothing, and by what was learned later "
    "what it asked about is no longer so."
)
class ReviewState(StrEnum):
    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    OBSOLETE = "OBSOLETE"


@strawberry.enum(description="What a line of a journey is.")
class JourneyEventType(StrEnum):
    PAGE = "PAGE"
    TRACK = "TRACK"
    IDENTIFY = "IDENTIFY"
    LOGOUT = "LOGOUT"
    CHAT_START = "CHAT_START"
    CHAT_MESSAGE = "CHAT_MESSAGE"
    CHAT_AUTHENTICATED = "CHAT_AUTHENTICATED"
    CHAT_END = "CHAT_END"
    MERGE = "MERGE"
    UNMERGE = "UNMERGE"
    SEVER = "SEVER"


@strawberry.interface(description="Anything that has an id: `node(id)` finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Stable; tells nothing about anybody.")


@strawberry.type(description="Where in a list a page lies.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether the list goes on behind it.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before it.")
    start_cursor: str | None = strawberry.field(description="Of the first item, if any.")
    end_cursor: str | None = strawberry.field(description="Of the last item, if any.")


T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def computed(description: str, *, name: str | None = None) -> Callable[[F], F]:
    """Declares a field that a method computes. (strawberry's own decorator loses its type.)"""

    def declare(method: F) -> F:
        return cast(F, strawberry.field(method, name=name, description=description))

    return declare


def cursors_of(list: str, page: Page[Any]) -> list[str]:
    """The cursor of each item of a page of that list."""
    return [cursor(list, key) for key in page.keys]


def page_info(page: Page[Any], cursors: list[str]) -> PageInfo:
    """Where the page lies."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def found(record: T | None) -> T:
    """What the graph says must be there; InternalError where it is not."""
    if record is None:
        raise InternalError
    return record
