"""Scenarios against a running service, over GraphQL.

All scenarios share one graph. Each has cookies, devices, messages, records and identifiers of
its own: every id gets the scenario's name, and so does every identifier, in a way that keeps
what the scenario is about (spelling, case, placeholders).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.policy import Policy
from tests.scenarios.operators import Operator
from tests.scenarios.scenario import OPERATOR, Answers, Scenario, Step, identifiers_of

Ask = Callable[..., dict[str, Any]]
"""Sends a document and variables with one key; the ``data`` of the answer."""

ALIASES = 10
"""Questions asked in one query."""

SEND = {
    "page": ("page", "PageInput", "... on EventAccepted { duplicate }"),
    "track": ("track", "TrackInput", "... on EventAccepted { duplicate }"),
    "logout": ("logout", "LogoutInput", "... on LoggedOut { duplicate }"),
    "chat_start": ("startChat", "StartChatInput", "... on ChatStarted { duplicate }"),
    "chat_message": ("sendChatMessage", "ChatMessageInput", "... on EventAccepted { duplicate }"),
    "chat_end": ("endChat", "EndChatInput", "... on EventAccepted { duplicate }"),
    "identify": (
        "identify",
        "IdentifyInput",
        "... on Identified { duplicate } ... on EventAccepted { duplicate }",
    ),
    "contact": ("saveContact", "ContactInput", "... on ContactSaved { duplicate }"),
}

TOLD = {
    "identify": """... on Identified { duplicate switched reviews { kind } warnings { code } }
      ... on EventAccepted { duplicate warnings { code } }""",
    "contact": "... on ContactSaved { duplicate reviews { kind } warnings { code } }",
}
"""What the answer tells besides, to those who may read."""


class OverGraphQL:
    """One playing of a scenario. ``name`` sets it apart from every other on the same graph."""

    def __init__(
        self, scenario: Scenario, name: str, *, browser: Ask, server: Ask, start: datetime
    ) -> None:
        self.answers = Answers()
        self._scenario = scenario
        self._name = name.lower()
        self._browser = browser
        self._server = server
        self._start = start
        self._chats = scenario.cookie_of_chat
        self._steps = {step["id"]: step for step in scenario.steps}
        self._seen: dict[str, dict[str, Any]] = {}
        self._sent: set[str] = set()
        self._operator = Operator(server, self._steps, self._id, self._moment)

    # ------------------------------------------------------------------ sending

    def send(self, step: Step) -> None:
        """Deliver a step, with the key that its sender has."""
        self._seen.clear()
        if step["op"] in OPERATOR:
            if not self._operator.act(step):
                self.answers.refused.add(step["id"])
            return
        asserted = step.get("assurance") == "ASSERTED" or step["op"] == "contact"
        agent = step["op"] == "chat_message" and step["author"] != "CUSTOMER"
        ask = self._server if asserted or agent else self._browser
        field, kind, selection = SEND[step["op"]]
        message = self._message(step, from_browser=ask is self._browser)
        sent = self._mutate(ask, field, kind, selection, message)
        assert sent["duplicate"] is (step["id"] in self._sent), (step, sent)
        self._sent.add(step["id"])
        if step["op"] in TOLD and step["id"] not in self.answers.reviews:
            # A browser's key is told nothing; a repeated delivery gets the first one's answer.
            told = self._mutate(self._server, field, kind, TOLD[step["op"]], message)
            self._remember(step["id"], told)

    def _mutate(
        self, ask: Ask, field: str, kind: str, selection: str, message: dict[str, Any]
    ) -> dict[str, Any]:
        document = f"""mutation ($input: {kind}!) {{
          sent: {field}(input: $input) {{ __typename {selection} ... on Problem {{ message }} }}
        }}"""
        sent: dict[str, Any] = ask(document, input=message)["sent"]
        assert "duplicate" in sent, (message, sent)
        return sent

    def _remember(self, id: str, told: dict[str, Any]) -> None:
        assert told["duplicate"] is True
        if told.get("switched"):
            self.answers.switched.add(id)
        self.answers.reviews[id] = [review["kind"] for review in told.get("reviews", ())]
        self.answers.warnings[id] = [warning["code"] for warning in told["warnings"]]

    def _message(self, step: Step, *, from_browser: bool) -> dict[str, Any]:
        said: dict[str, Any] = {}
        op = step["op"]
        if op in ("identify", "contact"):
            said["identifiers"] = [
                {"type": type, "value": self.own(type, value)}
                for type, value in identifiers_of(step)
            ]
            if step.get("traits"):
                said["traits"] = step["traits"]
        match op:
            case "contact":
                said |= {"source": step["source"], "sourceId": self._id(step["source_id"])}
                said["curated"] = bool(step.get("curated"))
            case "page":
                said["url"] = f"https://shop.example/{step['id']}"
            case "track":
                said["name"] = "Something"
            case "chat_start" | "chat_message" | "chat_end":
                said["chatId"] = self._id(step["chat"])
        if op == "chat_message":
            said |= {"author": step["author"], "text": f"This is {step['id']}"}
        if op in ("chat_message", "chat_end") and from_browser:
            said["cookieId"] = self._id(self._chats[step["chat"]])
        if op in ("contact", "chat_message", "chat_end"):
            return said | {"messageId": self._id(step["id"]), "occurredAt": self._time(step)}
        context = {
            "messageId": self._id(step["id"]),
            "cookieId": self._id(step["cookie"]),
            "occurredAt": self._time(step),
        }
        if step.get("device"):
            context["deviceId"] = self._id(step["device"])
        if step.get("session"):
            context["sessionId"] = step["session"]
        return said | {"context": context}

    def _time(self, step: Step) -> str | None:
        """When it happened; None: as it is sent."""
        return None if step["at"] is None else self._moment(step["at"])

    def _moment(self, seconds: float) -> str:
        return (self._start + timedelta(seconds=seconds)).isoformat()

    def _id(self, id: str) -> str:
        return f"{self._name}/{id}"

    def own(self, type: str, value: str) -> str:
        """This playing's own identifier for one of the scenario's."""
        try:
            key = normalise(type, value)
        except InvalidIdentifier:
            return value
        if Policy().is_blocked(key):
            return value
        if type == "email":
            local, _, domain = value.rpartition("@")
            return f"{local}.{self._name}@{domain}"
        if type == "phone":
            return self._own_phone(key, value)
        body = value.rstrip()
        return f"{body}-{self._name}{value[len(body) :]}"

    def _own_phone(self, key: str, value: str) -> str:
        """The same spelling, with other digits at its end."""
        hashed = hashlib.sha256(f"{self._name} {key}".encode()).digest()
        digits = [str(byte % 10) for byte in hashed[:6]]
        places = [match.start() for match in re.finditer(r"\d", value)][-6:]
        spelled = list(value)
        for at, digit in zip(places, digits, strict=True):
            spelled[at] = digit
        return "".join(spelled)

    # ------------------------------------------------------------------ reading

    def look(self, refs: Iterable[str], held: Iterable[str]) -> None:
        """Ask for all of these at once, instead of one by one."""
        questions = [*(self._question_of(ref) for ref in refs), *map(self._question_held, held)]
        missing = [question for question in dict.fromkeys(questions) if question not in self._seen]
        for first in range(0, len(missing), ALIASES):
            self._ask(missing[first : first + ALIASES])

    def _ask(self, questions: Sequence[str]) -> None:
        aliased = "\n".join(f"q{n}: {question}" for n, question in enumerate(questions))
        found = self._server(f"{{ {aliased} }}")
        self._seen |= {question: found[f"q{n}"] for n, question in enumerate(questions)}

    def _answer(self, question: str) -> Any:
        if question not in self._seen:
            self._ask([question])
        return self._seen[question]

    def _question_of(self, ref: str) -> str:
        step = self._steps[ref]
        if step["op"] == "contact":
            source, id = _quoted(step["source"]), _quoted(self._id(step["source_id"]))
            return f"contact(source: {source}, sourceId: {id}) {{ person {{ id kind }} }}"
        id = _quoted(self._id(ref))
        return f"event(messageId: {id}) {{ person {{ id kind }} attribution {{ basis }} }}"

    def _question_held(self, key: str) -> str:
        type, value = key.split(":", 1)
        own = _quoted(self.own(type, value))
        return f"personByIdentifier(type: {_quoted(type)}, value: {own}) {{ id }}"

    def owner(self, ref: str) -> str:
        return str(self._answer(self._question_of(ref))["person"]["id"])

    def is_known(self, ref: str) -> bool:
        return bool(self._answer(self._question_of(ref))["person"]["kind"] == "KNOWN")

    def basis(self, ref: str) -> str:
        return str(self._answer(self._question_of(ref))["attribution"]["basis"])

    def holder(self, type: str, value: str) -> str | None:
        found = self._answer(self._question_held(f"{type}:{value}"))
        return None if found is None else str(found["id"])


def set_policy(server: Ask, document: Mapping[str, Any]) -> None:
    """Have the service follow a policy; what the document leaves out is the default."""
    found = server(
        """mutation ($policy: JSON!) { setPolicy(document: $policy) {
             __typename ... on Problem { message } } }""",
        policy=document,
    )
    assert found["setPolicy"]["__typename"] == "Policy", found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
