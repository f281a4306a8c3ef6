"""The whole demo, in one process: the service serves while a thread plays its clients."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from rich.console import Console

from graphid.demo.reading import as_command, read_story
from graphid.demo.stage import GraphQL, Keys, Stage
from graphid.demo.story import tell
from graphid.demo.telling import show_story
from graphid.errors import InternalError
from graphid.graph.engine import Progress
from graphid.settings import Settings
from graphid.wiring import run_service

USUAL_PORT = 8080
GRAPHIQL = "/graphiql"

CREATE_KEY = """mutation Create($input: CreateKeyInput!) {
  createKey(input: $input) { ... on IssuedKey { text } ... on Problem { code message } }
}"""


DAYS = 7
"""How long the keys of a demo live: what was shown on a terminal is not to work for ever."""


def with_key(settings: Settings, key: str) -> Settings:
    """Settings under which this secret key works beside those that there are."""
    return settings.model_copy(update={"secret_keys": (*settings.secret_keys, SecretStr(key))})


def make_keys(ask: GraphQL, now: datetime) -> Keys:
    """A key for the demo's browsers and one for its servers, made as an operator makes them."""
    ends = (now + timedelta(days=DAYS)).isoformat()
    publishable = {"name": "demo, browsers", "kind": "PUBLISHABLE", "expiresAt": ends}
    scopes = ["event:write", "chat:write", "contact:edit", "journey:view", "identifier:view"]
    secret = {"name": "demo, servers", "kind": "SECRET", "scopes": scopes, "expiresAt": ends}
    return Keys(_made(ask, publishable), _made(ask, secret))


def _made(ask: GraphQL, key: Mapping[str, object]) -> str:
    answered = ask(CREATE_KEY, input=key)["createKey"]
    if "text" not in answered:
        raise InternalError(f"createKey answered {answered}")
    return str(answered["text"])


def free_or_any(port: int) -> int:
    """The port, or 0 (any) where somebody has it."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return 0
    return port


def play(
    settings: Settings, console: Console, progress: Progress, *, stay: bool, now: datetime
) -> None:
    """Start everything, tell the story twice, show it; with ``stay`` serve on until a signal.

    Raises what ``run_service`` raises, and InternalError where the story goes otherwise.
    """
    opener = secrets.token_hex(24)
    performance = _Performance(console, progress, opener, stay=stay, now=now)
    shown = with_key(settings, opener).model_copy(update={"graphiql": stay})
    run_service(shown, progress=progress, on_ready=performance.begin)
    performance.require_success()


class _Performance:
    """The clients' side of the demo, on a thread of its own."""

    def __init__(
        self, console: Console, progress: Progress, opener: str, *, stay: bool, now: datetime
    ) -> None:
        self._console = console
        self._progress = progress
        self._opener = opener
        self._stay = stay
        self._now = now
        self._error: BaseException | None = None
        self._is_over = False

    def begin(self, url: str) -> None:
        """Called by the service once it answers."""
        threading.Thread(target=self._run, args=(url,), name="demo", daemon=True).start()

    def require_success(self) -> None:
        """Raise what went wrong. A service that was stopped early is nothing wrong."""
        if self._is_over and self._error is not None:
            raise self._error

    def _run(self, url: str) -> None:
        try:
            self._perform(url)
        except BaseException as error:  # rich ends a thread whose reader has gone by SystemExit
            self._error = error
        self._is_over = True
        if self._error is not None or not self._stay:
            # The service runs in the main thread, which signals reach.
            os.kill(os.getpid(), signal.SIGINT)

    def _perform(self, url: str) -> None:
        with closing(GraphQL(url, self._opener)) as operator:
            keys = make_keys(operator, self._now)
        with closing(Stage(url, keys, self._now)) as stage:
            self._progress.step(f"the service answers at {url}; two days pass")
            with stage.telling():
                tell(stage)
            story = read_story(stage.server)
            self._require_two(story)
            with stage.telling():
                tell(stage)
            self._require_no_change(stage, story, read_story(stage.server))
        self._console.print()
        show_story(self._console, story)
        self._say_what_was_shown(stage)
        self._say_where(url, keys)

    def _require_two(self, story: dict[str, object]) -> None:
        if not all(story.values()):
            raise InternalError("The story has two people, and the graph does not.")

    def _require_no_change(self, stage: Stage, before: object, after: object) -> None:
        if stage.known_before != stage.sent or before != after:
            raise InternalError("The story was told twice, and the second time changed something.")

    def _say_what_was_shown(self, stage: Stage) -> None:
        self._console.print(
            "\nThe anonymous visitor of the first day is John, with one journey: his e-mail was "
            "new to the CRM, his account number was not. His football boots are not in Jane's, "
            "although it is one tablet and one cookie.",
        )
        self._console.print(
            f"All of it was sent twice ({stage.by_segment} calls by Segment's Python SDK, "
            f"{stage.sent} mutations by GraphQL), and nothing changed: the second time each "
            "mutation said duplicate, and both journeys were the same, letter for letter.",
            style="dim",
        )

    def _say_where(self, url: str, keys: Keys) -> None:
        self._console.print("\n[bold]The same as one query[/bold]")
        # One line, however narrow the terminal: it is there to be pasted.
        command = as_command(url, keys.secret)
        self._console.print(command, soft_wrap=True, highlight=False, markup=False)
        if self._stay:
            self._console.print(
                f"\nThe service runs at [bold]{url}[/bold] (GraphQL at /graphql, Segment's SDKs "
                f"at /v1) until Ctrl-C. To try queries: [bold]{url}{GRAPHIQL}[/bold]\n"
                f"Keys, for {DAYS} days: {keys.secret} reads and sends, {keys.publishable} is for "
                "browsers.",
                highlight=False,
            )


def utc_now() -> datetime:
    """The time by this machine's clock."""
    return datetime.now(UTC)
