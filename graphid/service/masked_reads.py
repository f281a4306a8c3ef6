"""What readers found, as a caller is shown it who may not see identifiers.

Every kind of record that holds a value of a person is masked here, before anything is made of it:
display names, sentences and lines of a journey then hold nothing else. Ids are hashes, and stay;
so do the id of a record in its source and the source's name, unless the same value is held as an
identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

import msgspec
from msgspec.structs import replace

from graphid.identity.policy import PolicyVersion
from graphid.identity.values import TraitValue
from graphid.service.chats import ChatRecord, MessageRecord
from graphid.service.joins import JoinRecord
from graphid.service.journey import EventRecord
from graphid.service.ledger import RecordedOperation
from graphid.service.links import LinkRecord, NamedIdentifier, ReviewRecord
from graphid.service.masking import NOTHING_HELD, Held, Mask, masked_identifier
from graphid.service.operations.changes import Change
from graphid.service.pages import Page
from graphid.service.people import ContactRecord, IdentifierRecord, PersonRecord
from graphid.service.reads import Reads

T = TypeVar("T")

SUBJECT = "sub"
"""Whom a provider vouched for is an identifier of that provider's."""

_json = msgspec.json.Encoder()


class MaskedReads:
    """Masks what the readers of one graph found."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def shown(self, found: T) -> T:
        """The same records, pages or lists, masked; what holds nothing of anybody as it is."""
        policy = (await self._reads.policies.current()).policy
        masking = _Masking(Mask(policy), await self._held_by_owners(found))
        return cast(T, masking.of(found))

    async def _held_by_owners(self, found: Any) -> dict[str, Held]:
        """What the owners of the lines hold, by the person, or the id of the chat message."""
        events = [line for line in _each(found) if isinstance(line, EventRecord)]
        messages = [line for line in _each(found) if isinstance(line, MessageRecord)]
        if not events and not messages:
            return {}
        owners = {line.owner.person: line.owner.person for line in events}
        if messages:
            places = await self._reads.visitors.owners(
                {(line.cookie, line.position) for line in messages}
            )
            for line in messages:
                owner = places.get((line.cookie, line.position))
                if owner is not None:
                    owners[line.message_id] = owner.person
        people = await self._reads.people.by_id(list(set(owners.values())))
        held = {id: _held_by(person) for id, person in people.items()}
        return {key: held[person] for key, person in owners.items() if person in held}


class _Masking:
    """``held``: what the owner of a line holds, by the person or the chat message."""

    def __init__(self, mask: Mask, held: Mapping[str, Held]) -> None:
        self._mask = mask
        self._held = held
        self._by_kind: dict[type[Any], Callable[[Any], Any]] = {
            list: self._list,
            tuple: self._tuple,
            Page: self._page,
            Change: self._change,
            PersonRecord: self._person,
            ContactRecord: self._contact,
            EventRecord: self._event,
            JoinRecord: self._join,
            ChatRecord: self._chat,
            MessageRecord: self._message,
            LinkRecord: self._link,
            NamedIdentifier: self._identifier,
            ReviewRecord: self._review,
            RecordedOperation: self._operation,
            PolicyVersion: self._policy,
        }

    def of(self, found: Any) -> Any:
        mask = self._by_kind.get(type(found))
        return found if mask is None else mask(found)

    def _list(self, found: list[Any]) -> list[Any]:
        return [self.of(one) for one in found]

    def _tuple(self, found: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(map(self.of, found))

    def _page(self, found: Page[Any]) -> Page[Any]:
        return replace(found, items=self._tuple(found.items))

    def _change(self, found: Change) -> Change:
        return replace(found, before=self._tuple(found.before), after=self._tuple(found.after))

    # ------------------------------------------------------------------ people

    def _person(self, person: PersonRecord) -> PersonRecord:
        held = _held_by(person)
        return replace(
            person,
            contacts=tuple(self._contact(contact, held) for contact in person.contacts),
            traits=self._traits(person.traits, held),
        )

    def _contact(self, contact: ContactRecord, held: Held | None = None) -> ContactRecord:
        """``held``: by the person; else by the contact itself."""
        if held is None:
            held = _held(contact.identifiers)
        source, source_id = contact.source, contact.source_id
        return replace(
            contact,
            source=None if source is None else self._mask.text(source, held),
            source_id=None if source_id is None else self._mask.text(source_id, held),
            traits=self._traits(contact.traits, held),
            identifiers=tuple(
                replace(one, value=masked_identifier(one.type, one.value))
                for one in contact.identifiers
            ),
        )

    def _traits(self, traits: Mapping[str, TraitValue], held: Held) -> dict[str, TraitValue]:
        return {
            self._mask.text(name, held): replace(
                trait,
                value=self._mask.json(trait.value, held, type=self._mask.type_named(name)),
                source=self._mask.text(trait.source, held),
            )
            for name, trait in traits.items()
        }

    # ------------------------------------------------------------------ what happened

    def _event(self, event: EventRecord) -> EventRecord:
        """What a line claims is masked in it whether or not its owner holds that."""
        detail = event.detail
        subject = detail.pop("subject", None)
        claimed = detail.pop("identifiers", None)
        claims = [(claim["type"], claim["value"]) for claim in claimed or ()]
        if subject is not None:
            claims.append((SUBJECT, subject))
        held = self._held.get(event.owner.person, NOTHING_HELD)
        masked = self._mask.json(detail, held.and_claimed(claims))
        if subject is not None:
            masked["subject"] = masked_identifier(SUBJECT, subject)
        if claimed is not None:
            masked["identifiers"] = [
                {**claim, "value": masked_identifier(claim["type"], claim["value"])}
                for claim in claimed
            ]
        return replace(event, detail_json=_json.encode(masked).decode())

    def _chat(self, chat: ChatRecord) -> ChatRecord:
        subject = None if chat.subject is None else masked_identifier(SUBJECT, chat.subject)
        return replace(chat, subject=subject)

    def _message(self, message: MessageRecord) -> MessageRecord:
        held = self._held.get(message.message_id, NOTHING_HELD)
        return replace(message, text=self._mask.text(message.text, held))

    # ------------------------------------------------------------------ what joins them

    def _link(self, record: LinkRecord) -> LinkRecord:
        """Why an operator withdrew it is told in their own words."""
        link, identifier = record.link, record.identifier
        if link.reason is not None:
            link = replace(link, reason=self._mask.text(link.reason))
        return LinkRecord(link, None if identifier is None else self._identifier(identifier))

    def _join(self, join: JoinRecord) -> JoinRecord:
        return replace(join, record=self._link(join.record))

    def _identifier(self, named: NamedIdentifier) -> NamedIdentifier:
        return replace(named, value=masked_identifier(named.type, named.value))

    def _review(self, review: ReviewRecord) -> ReviewRecord:
        if review.identifier is None:
            return review
        type, _, value = review.identifier.partition(":")
        return replace(review, identifier=f"{type}:{masked_identifier(type, value)}")

    def _operation(self, recorded: RecordedOperation) -> RecordedOperation:
        reason = self._mask.text(recorded.piece.reason)
        return replace(recorded, piece=replace(recorded.piece, reason=reason))

    def _policy(self, version: PolicyVersion) -> PolicyVersion:
        blocked = tuple(map(self._mask.blocked, version.policy.blocked))
        policy = replace(version.policy, blocked=blocked)
        return replace(version, policy=policy)


def _each(found: Any) -> Iterator[Any]:
    """The records in what was found."""
    if isinstance(found, Page):
        found = found.items
    if isinstance(found, list | tuple):
        for one in found:
            yield from _each(one)
    else:
        yield found


def _held_by(person: PersonRecord) -> Held:
    return _held(person.identifiers)


def _held(identifiers: Iterable[IdentifierRecord]) -> Held:
    return Held((one.type, one.value) for one in identifiers)
