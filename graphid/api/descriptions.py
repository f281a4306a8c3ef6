"""What the schema says of its smaller parts: arguments, fields of inputs, values of enums, unions.

Each is one line that a client's editor shows. What is described where it is defined keeps that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)

BY_NAME: Mapping[str, str] = {
    "(first:)": "How many at most: 1 to 200, from the beginning of the list.",
    "(last:)": "How many at most: 1 to 200, from the end of the list.",
    "(after:)": "The `endCursor` of the page before this one.",
    "(before:)": "The `startCursor` of the page behind this one.",
    "(from:)": "Nothing that is over by then.",
    "(to:)": "Nothing that begins then or later.",
    "(at:)": "The moment in the world.",
    "(asKnownAt:)": "The moment up to which this service's knowledge counts.",
    "(input:)": "What is sent.",
    "(id:)": "Its id.",
    "(reason:)": "Why; explanations quote it.",
    "(a:)": "The id of one node.",
    "(b:)": "The id of the other node.",
    "(around:)": "The id of the node in the middle.",
    "(maxHops:)": "How many edges away it reaches.",
    "(maxNodes:)": "How many nodes it has at most.",
    "(minPeople:)": "On how many people it must have been at least.",
    "(since:)": "Only what was seen since then.",
    "(text:)": "What is looked for.",
    "(personId:)": "The id of the person who is followed.",
    "(afterSequence:)": "The `sequence` of the last change that was received.",
    ".context": "Where and when it happened.",
    ".messageId": "What is sent again under it is done once; up to 256 characters.",
    ".chatId": "The id of the chat; up to 256 characters.",
    ".cookieId": "The cookie's id; up to 256 characters.",
    ".occurredAt": "When it happened; left out: when it arrives.",
    ".properties": "Whatever else is known of it, as an object: up to 32,768 characters of JSON.",
    ".traits": "What is known of the person.",
    ".identifiers": "Up to 50 identifiers of the person.",
}
"""Of arguments (``(name:)``) and fields of inputs (``.name``) that mean the same everywhere."""

BY_COORDINATE: Mapping[str, str] = {
    "LinkTarget": "What a link leads to.",
    "PageResult": "What became of a page.",
    "TrackResult": "What became of a tracked event.",
    "LogoutResult": "What became of a logout.",
    "StartChatResult": "What became of the beginning of a chat.",
    "SendChatMessageResult": "What became of a chat message.",
    "EndChatResult": "What became of the end of a chat.",
    "AuthenticateChatResult": "What became of a login in a chat. Refused: the provider does not "
    "vouch for it.",
    "SaveContactResult": "What became of a record.",
    "ChangeResult": "What became of an operator's act.",
    "SetPolicyResult": "The policy that is in force now, or what is wrong with the document.",
    "CreateKeyResult": "What became of the wish for a key.",
    "RotateKeyResult": "What became of a key's rotation.",
    "RevokeKeyResult": "What became of a key's end.",
    "SetProviderResult": "What became of a provider's settings.",
    "RemoveProviderResult": "What became of a provider's removal.",
    "PersonKind.ANONYMOUS": "A visitor whom nobody has identified, or "
    "somebody of whose contacts none holds anything or comes from a source.",
    "PersonKind.KNOWN": "Somebody of whom a contact holds an identifier or comes from a source.",
    "Assurance.CLAIMED": "Said by a browser: it may be anybody's word.",
    "Assurance.ASSERTED": "Said by a server that holds a secret key.",
    "Assurance.VERIFIED": "Proven by an identity provider, or by the site's signature.",
    "ContactState.IDENTIFIED": "Made or joined automatically.",
    "ContactState.CURATED": "Confirmed by a human or a CRM.",
    "LinkKind.IDENTIFIED_AS": "A visitor is this contact.",
    "LinkKind.HAS_IDENTIFIER": "A contact has this identifier.",
    "LinkKind.SAME_AS": "Two contacts are one person's.",
    "LinkKind.NOT_SAME_AS": "Two contacts are kept apart.",
    "LinkState.ACTIVE": "It stands.",
    "LinkState.ENDED": "It is over since `endedAt`; what was before stays attributed.",
    "LinkState.SEVERED": "It was withdrawn, and explains by what; it counts for nothing.",
    "JourneyEventType.PAGE": "A page was seen.",
    "JourneyEventType.TRACK": "Something happened that the site has a name for.",
    "JourneyEventType.IDENTIFY": "Somebody said who they are.",
    "JourneyEventType.LOGOUT": "The human on a cookie left.",
    "JourneyEventType.CHAT_START": "A conversation began.",
    "JourneyEventType.CHAT_MESSAGE": "Something was said in a chat.",
    "JourneyEventType.CHAT_AUTHENTICATED": "A provider vouched for the visitor in a chat.",
    "JourneyEventType.CHAT_END": "A conversation ended.",
    "JourneyEventType.MERGE": "People became one.",
    "JourneyEventType.UNMERGE": "What had been one person was parted.",
    "JourneyEventType.SEVER": "A link was withdrawn.",
    "ChatAuthor.CUSTOMER": "Whoever sits at the browser.",
    "ChatAuthor.AGENT": "Whoever answers for the organisation.",
    "ChatAuthor.SYSTEM": "A program.",
    "AttributionBasis.AUTHENTICATED": "At or after a login that was vouched for.",
    "AttributionBasis.IDENTIFIED": "At or after another identify of the same visitor.",
    "AttributionBasis.RETROACTIVE": "Before the first identify of the same visitor.",
    "AttributionBasis.UNATTENDED": "Long after the visitor's last identify, with somebody else "
    "coming later and no logout in between: it may be either's.",
    "AttributionBasis.ANONYMOUS": "Nobody's.",
    "ReviewKind.TAKEN_IDENTIFIER": "Somebody else holds an identifier that was named.",
    "ReviewKind.LIMIT_REACHED": "A person would have become larger than the policy allows.",
    "ReviewKind.SUGGESTED_MERGE": "Two may be one: only assurance or curation is missing.",
    "ReviewState.OPEN": "Nobody has decided.",
    "ReviewState.ACCEPTED": "They are one.",
    "ReviewState.REJECTED": "They are kept apart.",
    "ReviewState.OBSOLETE": "What it asked about is no longer so.",
    "KeyKind.PUBLISHABLE": "For the pages of a site.",
    "KeyKind.SECRET": "For servers.",
    "SigningMethod.HS256": "With a secret that we make.",
    "SigningMethod.PUBLIC_KEY": "With a key of the site's own: RS256, ES256 or EdDSA.",
    "ClientAuthMethod.CLIENT_SECRET_BASIC": "In a header.",
    "ClientAuthMethod.CLIENT_SECRET_POST": "In the form.",
    "ClientAuthMethod.NONE": "There is none: a public client.",
    "AuditOutcome.DONE": "It was done, or answered.",
    "AuditOutcome.PREVIEWED": "It was a dry run.",
    "AuditOutcome.REFUSED": "Rules or rights forbid it.",
    "AuditOutcome.FAILED": "It was not answered; an act may be done nevertheless.",
    "Query.node(id:)": "Any id that was ever given out.",
    "Query.person(id:)": "Of a person, a merged person, a contact or a visitor.",
    "Query.personByIdentifier(type:)": "Its type, as `email`.",
    "Query.personByIdentifier(value:)": "Its value, in any spelling.",
    "Query.personByCookie(cookieId:)": "The cookie's id.",
    "Query.personByCookie(at:)": "Whoever used it then; left out: now.",
    "Query.contact(source:)": "Where the record is from, as `crm`.",
    "Query.contact(sourceId:)": "The record's id there.",
    "Query.event(messageId:)": "The message's id.",
    "Query.reviews(state:)": "Those in this state; null: in any.",
    "Query.audit(actor:)": "Only what this key or person did.",
    "Query.audit(subject:)": "Only what concerned this id.",
    "Query.policy(version:)": "Which one; left out: the one in force.",
    "Person.links(state:)": "Those in this state; left out: in any.",
    "Person.chats(open:)": "True: those under way; false: those that are over.",
    "Person.journey(first:)": "How many at most, the newest first: 1 to 200.",
    "Person.journey(last:)": "How many at most, the oldest: 1 to 200.",
    "Person.journey(types:)": "Only lines of these types.",
    "Mutation.promoteContact(id:)": "Of a contact.",
    "Mutation.mergePeople(ids:)": "Of people, contacts or visitors: two or more.",
    "Mutation.unmerge(id:)": "Of a merge's operation, or of a SAME_AS link.",
    "Mutation.severLink(id:)": "Of a link.",
    "Mutation.restoreLink(id:)": "Of a link, or of the operation that withdrew it.",
    "Mutation.blockIdentifier(type:)": "Its type, as `email`.",
    "Mutation.blockIdentifier(value:)": "Its value, in any spelling.",
    "Mutation.decideReview(id:)": "Of a review.",
    "Mutation.decideReview(accept:)": "True: they are one. False: they are kept apart.",
    "Mutation.erasePerson(id:)": "Of a person, or of a contact or a visitor of theirs.",
    "Mutation.setPolicy(document:)": "The whole policy, as docs/policy.md has it.",
    "Mutation.rotateKey(id:)": "The middle part of the key's text.",
    "Mutation.revokeKey(id:)": "The middle part of the key's text.",
    "ContextInput.deviceId": "The device's id, where one is known; up to 256 characters.",
    "ContextInput.sessionId": "The session's id; left out: sessions are told apart by time.",
    "PageInput.url": "Its address; up to 4,096 characters.",
    "PageInput.title": "Its title; up to 512 characters.",
    "PageInput.referrer": "The address that led there; up to 4,096 characters.",
    "TrackInput.name": "What the site calls it; up to 512 characters.",
    "IdentifyInput.idToken": "An ID token of a provider that is set up: VERIFIED.",
    "IdentifyInput.signedIdentity": "A JWT that the site signed: VERIFIED.",
    "IdentifyInput.assurance": "May only lower what the key gives.",
    "TraitsInput.email": "An e-mail address; up to 512 characters.",
    "TraitsInput.phone": "A phone number; up to 512 characters.",
    "TraitsInput.firstName": "Up to 512 characters.",
    "TraitsInput.lastName": "Up to 512 characters.",
    "TraitsInput.custom": "Other traits, as an object: up to 32,768 characters of JSON.",
    "IdentifierInput.type": "Its type, as `email`, `phone` or a name of your own.",
    "IdentifierInput.value": "Its value, in any spelling; up to 512 characters.",
    "StartChatInput.chatId": "Your id for it, which should be random; left out: one is made.",
    "StartChatInput.channel": "What it is held over, as `web`; up to 64 characters.",
    "ChatMessageInput.author": "Who said it.",
    "ChatMessageInput.text": "What was said; up to 16,384 characters.",
    "AuthenticateChatInput.authCode": "The code that the provider sent back.",
    "AuthenticateChatInput.redirectUri": "Where it was sent, character by character.",
    "AuthenticateChatInput.codeVerifier": "Of PKCE: what the challenge was made of.",
    "AuthenticateChatInput.nonce": "That of the login's request.",
    "AuthenticateChatInput.iss": "Which provider, where several are set up.",
    "ContactInput.source": "Where the record is from, as `crm`.",
    "ContactInput.sourceId": "The record's id there.",
    "ContactInput.deleted": "True: the source no longer has it.",
    "ContactInput.curated": "True: a human or the CRM vouches for it.",
    "ContactInput.occurredAt": "When the record was so; left out: when it arrives.",
    "CreateKeyInput.name": "What it is called, for people; up to 100 characters.",
    "CreateKeyInput.kind": "Who it is for.",
    "CreateKeyInput.scopes": "What it may do, as `event:write`.",
    "CreateKeyInput.origins": "Of the pages that may send with it; left out: pages of any.",
    "CreateKeyInput.limits": "How much may be asked with it; left out: no more than by all.",
    "CreateKeyInput.expiresAt": "When it ends by itself; left out: never.",
    "CreateKeyInput.signing": "How identities are signed; left out: none are taken with it.",
    "CreateKeyInput.signingPublicKey": "For PUBLIC_KEY: the site's key, as PEM.",
    "KeyLimitsInput.requestsPerSecond": "Requests begun in a second.",
    "KeyLimitsInput.eventsPerSecond": "Messages sent in a second.",
    "KeyLimitsInput.concurrentRequests": "Requests at one moment.",
    "KeyLimitsInput.costPerMinute": "Fields that the answers of a minute may hold.",
}
"""Of single parts: ``Type``, ``Type.member``, ``Type.field(argument:)``."""


class Described(Protocol):
    """A part of a schema, as graphql-core has it."""

    description: str | None


def describe(schema: GraphQLSchema) -> None:
    """Describe the parts of a schema that are not described where they are defined."""
    for coordinate, name, part in parts_of(schema):
        if not part.description:
            part.description = BY_COORDINATE.get(coordinate, BY_NAME.get(name))


def parts_of(schema: GraphQLSchema) -> Iterator[tuple[str, str, Described]]:
    """All types, fields, arguments, fields of inputs and values of enums of a schema, but those
    of introspection: the coordinate, the key in ``BY_NAME``, and the part."""
    for type_name, type in schema.type_map.items():
        if type_name.startswith("__"):
            continue
        yield type_name, "", type
        if isinstance(type, GraphQLEnumType):
            for name, value in type.values.items():
                yield f"{type_name}.{name}", "", value
        elif isinstance(type, GraphQLInputObjectType):
            for name, sent in type.fields.items():
                yield f"{type_name}.{name}", f".{name}", sent
        elif isinstance(type, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type.fields.items():
                yield f"{type_name}.{name}", "", field
                for argument, taken in field.args.items():
                    yield f"{type_name}.{name}({argument}:)", f"({argument}:)", taken
