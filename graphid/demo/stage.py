"""Who acts in the story. Browsing goes through Segment's own Python SDK; chats, the agent and
the CRM speak GraphQL over HTTP. Message ids are numbered, so that a second telling sends the
very same messages.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import httpx
from segment.analytics.client import Client

from graphid.demo.reading import message_id, start_of
from graphid.errors import InternalError

When = tuple[int, str]
"""Day of the story, from 0, and the time of day in UTC."""

PATIENCE = 30.0
"""Seconds for one request of the demo."""

SITE = "https://shop.example"


@dataclass(frozen=True)
class Keys:
    """The keys that the demo's clients show: one of browsers, one of servers."""

    publishable: str
    secret: str


class GraphQL:
    """A client of ``/graphql`` with a key. Raises InternalError for whatever goes wrong."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
        )

    def __call__(self, document: str, **variables: Any) -> dict[str, Any]:
        """The ``data`` of the answer."""
        answer = self._http.post("/graphql", json={"query": document, "variables": variables})
        try:
            found = answer.json()
        except ValueError:
            found = {}
        if not isinstance(found, dict) or found.get("errors") or not found.get("data"):
            raise InternalError(f"GraphQL answered {answer.status_code}: {answer.text[:500]}")
        data: dict[str, Any] = found["data"]
        return data

    def close(self) -> None:
        self._http.close()


class Stage:
    """Everybody's clients, and the calendar of the story."""

    def __init__(self, url: str, keys: Keys, now: datetime) -> None:
        self.sent = self.known_before = 0
        """Messages sent by GraphQL, and how many of them the service had already."""
        self.by_segment = 0
        """Messages sent by Segment's SDK, which does not tell what becomes of them."""
        self.server = GraphQL(url, keys.secret)
        self.public = GraphQL(url, keys.publishable)
        self.start = start_of(self.server, now)
        self._numbers = itertools.count(1)
        self._segment = Client(
            keys.publishable,
            host=url,
            gzip=True,
            upload_interval=0.05,
            max_retries=3,
            timeout=PATIENCE,
            on_error=lambda error, _calls: self._errors.append(error),
        )
        self._errors: list[Exception] = []

    def close(self) -> None:
        """End the SDK's thread and close the connections."""
        self._segment.shutdown()
        self.server.close()
        self.public.close()

    @contextmanager
    def telling(self) -> Iterator[Stage]:
        """One telling of the story, from its first message on; all has arrived at its end."""
        self._numbers = itertools.count(1)
        self.sent = self.known_before = self.by_segment = 0
        yield self
        self.flush()

    def at(self, when: When) -> datetime:
        """The moment that a time of the story is."""
        day, clock = when
        of_day = time.fromisoformat(clock)
        return self.start + timedelta(days=day, hours=of_day.hour, minutes=of_day.minute)

    def next_id(self) -> str:
        """The id of the next message."""
        return message_id(next(self._numbers))

    def send(self, client: GraphQL, field: str, kind: str, message: Mapping[str, Any]) -> None:
        """Send one message by GraphQL, once everything sent before it has arrived."""
        self.flush()
        document = f"""mutation Send($input: {kind}!) {{
          sent: {field}(input: $input) {{ __typename {_DUPLICATE[field]} {_PROBLEMS} }}
        }}"""
        sent = client(document, input=message)["sent"]
        if "duplicate" not in sent:
            raise InternalError(f"{field} answered {sent}")
        self.sent += 1
        self.known_before += sent["duplicate"]

    def segment(self, call: str, **fields: Any) -> None:
        """Hand one call to the SDK, which sends it when it sees fit."""
        self.by_segment += 1
        getattr(self._segment, call)(**fields)

    def flush(self) -> None:
        """Wait until the SDK has sent everything; raises InternalError where it gave up."""
        self._segment.flush()
        if self._errors:
            raise InternalError(f"Segment's SDK gave up: {self._errors[0]}")

    def save_contact(
        self,
        when: When,
        *,
        source: str,
        source_id: str,
        identifiers: Mapping[str, str],
        first_name: str,
        last_name: str,
    ) -> None:
        """The CRM tells what it holds of a human."""
        message = {
            "messageId": self.next_id(),
            "source": source,
            "sourceId": source_id,
            "identifiers": [{"type": t, "value": v} for t, v in identifiers.items()],
            "traits": {"firstName": first_name, "lastName": last_name},
            "curated": True,
            "occurredAt": self.at(when).isoformat(),
        }
        self.send(self.server, "saveContact", "ContactInput", message)

    def browser(self, *, cookie: str, device: str) -> Browser:
        """Somebody's browser."""
        return Browser(self, f"demo-{cookie}", f"demo-{device}")


class Browser:
    """A browser that visits the site: the cookie, the device, and who is logged in."""

    def __init__(self, stage: Stage, cookie: str, device: str) -> None:
        self._stage = stage
        self._cookie = cookie
        self._device = device
        self._user: str | None = None

    def page(self, when: When, path: str, title: str) -> None:
        """Look at a page."""
        self._call("page", when, properties={"url": SITE + path, "title": title})

    def track(self, when: When, event: str, **properties: Any) -> None:
        """Do something that the site tracks."""
        self._call("track", when, event=event, properties=properties)

    def identify(self, when: When, *, user_id: str, **traits: Any) -> None:
        """Log in: the site tells who this is, and says the user's id with all that follows."""
        self._user = user_id
        self._call("identify", when, traits=traits)

    def forget_user(self) -> None:
        """Half of what a site should do at a logout: the cookie stays as it is."""
        self._user = None

    def start_chat(self, when: When, name: str) -> ChatOnStage:
        """Open the chat window."""
        chat = f"demo-chat-{name}"
        context = {
            "messageId": self._stage.next_id(),
            "cookieId": self._cookie,
            "deviceId": self._device,
            "occurredAt": self._stage.at(when).isoformat(),
        }
        message = {"context": context, "chatId": chat}
        # By the messenger's own server, as many do: what a publishable key begins belongs to it,
        # and every demo makes keys of its own.
        self._stage.send(self._stage.server, "startChat", "StartChatInput", message)
        return ChatOnStage(self._stage, chat, self._cookie)

    def _call(self, call: str, when: When, **fields: Any) -> None:
        self._stage.segment(
            call,
            user_id=self._user,
            anonymous_id=self._cookie,
            context={"device": {"id": self._device}},
            timestamp=self._stage.at(when),
            message_id=self._stage.next_id(),
            **fields,
        )


class ChatOnStage:
    """A chat between whoever sits at a browser and an agent."""

    def __init__(self, stage: Stage, chat: str, cookie: str) -> None:
        self._stage = stage
        self._chat = chat
        self._cookie = cookie

    def customer(self, when: When, text: str) -> None:
        """The customer writes, in the browser."""
        message = {"cookieId": self._cookie, "author": "CUSTOMER", "text": text}
        self._send(self._stage.public, "sendChatMessage", "ChatMessageInput", when, message)

    def agent(self, when: When, text: str) -> None:
        """The agent writes, from the contact centre."""
        message = {"author": "AGENT", "text": text}
        self._send(self._stage.server, "sendChatMessage", "ChatMessageInput", when, message)

    def end(self, when: When) -> None:
        """The customer closes the window."""
        message = {"cookieId": self._cookie}
        self._send(self._stage.public, "endChat", "EndChatInput", when, message)

    def _send(
        self, client: GraphQL, field: str, kind: str, when: When, said: Mapping[str, Any]
    ) -> None:
        message = {
            "messageId": self._stage.next_id(),
            "chatId": self._chat,
            "occurredAt": self._stage.at(when).isoformat(),
            **said,
        }
        self._stage.send(client, field, kind, message)


_DUPLICATE = {
    "saveContact": "... on ContactSaved { duplicate }",
    "startChat": "... on ChatStarted { duplicate }",
    "sendChatMessage": "... on EventAccepted { duplicate }",
    "endChat": "... on EventAccepted { duplicate }",
}
_PROBLEMS = "... on Problem { code message }"
