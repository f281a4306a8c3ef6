"""Every error that graphid raises on purpose, in one tree, branched by what the caller can do.

    GraphidError
    ├── InvalidInput                  change the request
    │   ├── TooLarge                  send less
    │   └── InvalidPolicy             change the policy; all of its faults are listed
    ├── NotFound                      ask for something else
    ├── Refused                       the rules forbid it; read the reasons
    ├── Unauthorized                  show a (valid) credential
    │   └── Forbidden                 show a credential that may do this
    ├── StaleGraph                    look again, and decide again
    ├── StaleSchema                   migrate the graph, or run the graphid that fits it
    ├── Retryable                     send the same request again, after ``retry_after`` seconds
    │   ├── RateLimited               and less of them in a time
    │   ├── DatabaseUnavailable       the database cannot be reached
    │   ├── Busy                      the work did not fit its deadline
    │   ├── Overrun                   what a subscription told was not read fast enough
    │   └── Pending                   stored, and not worked out yet
    ├── SettingsError                 correct the settings and start again
    └── InternalError                 report it with the request id; nothing else helps

The first line of a class's docstring is the default message, so it is a sentence for whoever
sent the request: it never holds Cypher, a stack trace or personal data. ``code`` is what programs
branch on (GraphQL ``extensions.code``, the ``code`` of a problem) and never changes.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import ClassVar


class GraphidError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str | None = None, *, path: Sequence[str] | None = None) -> None:
        self.message = message or default_message(type(self))
        self.path: tuple[str, ...] | None = None if path is None else tuple(path)
        """Where in the input, outermost name first; list indexes as decimal digits."""
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.message}" if self.path else self.message


def default_message(kind: type[GraphidError]) -> str:
    """The first line of the class's own docstring."""
    return inspect.cleandoc(kind.__doc__ or "Something went wrong.").splitlines()[0]


class InvalidInput(GraphidError):
    """The input is not valid.

    Say in the message which limit or form was missed; ``path`` names the field.
    """

    code = "INVALID_INPUT"


class TooLarge(InvalidInput):
    """The input is larger than allowed."""

    code = "TOO_LARGE"


class InvalidPolicy(InvalidInput):
    """The policy is not valid.

    ``faults`` are all of them, each with its path in the document; ``path`` is the first one's.
    """

    TOLD = 10
    """How many of the faults the message tells; a list that went wrong goes wrong often."""

    def __init__(self, faults: Sequence[tuple[tuple[str, ...], str]]) -> None:
        self.faults = tuple(faults)
        first, *others = [f"{'.'.join(path)}: {reason}" for path, reason in self.faults]
        message = f"{first}."
        if others:
            end = "." if len(self.faults) <= self.TOLD else "; …"
            noun = "fault" if len(others) == 1 else "faults"
            message += f" {len(others)} more {noun}: {'; '.join(others[: self.TOLD - 1])}{end}"
        super().__init__(message, path=self.faults[0][0])

    def __str__(self) -> str:
        return self.message  # it names the path of each fault


class NotFound(GraphidError):
    """There is no such thing."""

    code = "NOT_FOUND"


class Refused(GraphidError):
    """The rules of identity forbid this.

    ``reasons`` are sentences for the operator, one for each rule that forbids it.
    """

    code = "REFUSED"

    def __init__(
        self,
        message: str | None = None,
        *,
        reasons: Sequence[str] = (),
        path: Sequence[str] | None = None,
    ) -> None:
        super().__init__(message, path=path)
        self.reasons = tuple(reasons)


class Unauthorized(GraphidError):
    """A valid key is needed."""

    code = "UNAUTHORIZED"


class Forbidden(Unauthorized):
    """This key may not do that."""

    code = "FORBIDDEN"


class StaleGraph(GraphidError):
    """The graph has changed since the preview: look at a new one, and decide again."""

    code = "STALE_GRAPH"


class StaleSchema(GraphidError):
    """The schema of the graph does not fit this version of graphid.

    It is met when the service starts, and no client is ever told of it, so that it can share its
    code with ``StaleGraph``.
    """

    code = "STALE_GRAPH"


class Retryable(GraphidError):
    """This did not work just now; send the same message again.

    Safe because every message carries an id and is stored once. ``retry_after`` is in seconds.
    """

    code = "RETRYABLE"

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float = 1.0,
        path: Sequence[str] | None = None,
    ) -> None:
        super().__init__(message, path=path)
        self.retry_after = retry_after


class RateLimited(Retryable):
    """This is more than the limits allow just now.

    Nothing of the request was done. Say in the message which limit it was.
    """

    code = "RATE_LIMITED"


class DatabaseUnavailable(Retryable):
    """The database cannot be reached just now; send the same message again."""

    code = "DATABASE_UNAVAILABLE"


class Busy(Retryable):
    """This took too long and was given up; send the same message again."""

    code = "BUSY"


class Overrun(Retryable):
    """More was waiting for this client than may wait; subscribe again behind what came last."""

    code = "OVERRUN"


class Pending(Retryable):
    """This is stored, and what follows from it is still being worked out; ask again."""

    code = "PENDING"


class SettingsError(GraphidError):
    """The settings are not valid.

    ``faults`` are all of them, one line each, so that they can be mended in one go.
    """

    code = "SETTINGS"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["The settings are not valid:", *(f"  {f}" for f in faults)]))


class InternalError(GraphidError):
    """Something went wrong on our side.

    The cause goes to the log, with the request id, and never to the caller.
    """

    code = "INTERNAL"
