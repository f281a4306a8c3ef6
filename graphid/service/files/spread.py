"""Events of files, each at a moment of its own, whatever list of them it is sent in.

Which moment that is follows from the lines before it: so a line that is read again, after a crash
or from the beginning, has the one that it had, and a file has those that a load of it makes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from graphid.service.files.reading import REMEMBERED
from graphid.service.messages import ChatLine, Contact, Message, Plain
from graphid.service.moments import Moments, Recent
from graphid.service.recording import micros

SENT_AGAIN = 10_000
"""Events that are told from the same ones, sent again: what follows is where it was without them
where fewer than so many others are between them."""


class Spread:
    """Spreads equal times on one cookie in the order of the lines, where fewer than ``REMEMBERED``
    other events are between them."""

    def __init__(self) -> None:
        self._moments = Moments(most=2 * REMEMBERED)  # one that is moved takes two
        self._given: Recent[str, datetime] = Recent(SENT_AGAIN)

    def place(self, message: Message) -> Message:
        """The message, at its moment: the one that it had, where it came before under its id."""
        if isinstance(message, Plain):
            at = self._free(message.message_id, message.cookie, message.at)
            return message if at == message.at else message._replace(at=at)
        if isinstance(message, Contact | ChatLine):
            return message
        context = message.context
        if context.message_id is None or context.occurred_at is None:
            return message
        at = self._free(context.message_id, context.cookie_id, context.occurred_at)
        if at == context.occurred_at:
            return message
        return message.model_copy(
            update={"context": context.model_copy(update={"occurred_at": at})}
        )

    def _free(self, id: str, cookie: str, said: datetime) -> datetime:
        at = self._given.get(id)
        if at is None:
            moment = micros(said)
            try:
                at = said + timedelta(microseconds=self._moments.free(cookie, moment) - moment)
            except OverflowError:
                at = said  # the end of all time is cut to receipt
            self._given.note(id, at)
        return at
