"""What a failure of the driver means for the unit of work that met it."""

from __future__ import annotations

from enum import Enum, auto

from neo4j.exceptions import (
    ConnectionAcquisitionTimeoutError,
    DatabaseUnavailable,
    ForbiddenOnReadOnlyDatabase,
    Neo4jError,
    NotALeader,
    ServiceUnavailable,
    SessionExpired,
)


class Retry(Exception):
    """A unit of work raises this to be run again from the start, on what is there by then.

    ``reason`` is a word or two for the counter of retries; no data.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Verdict(Enum):
    """What can be done about a failure."""

    CONTENTION = auto()
    """Others were there first (deadlock, ``Retry``): again, until the deadline."""
    RACE = auto()
    """Would also fail for ever if the statement were wrong: again, a few times."""
    UNAVAILABLE = auto()
    """No server: again, a few times, then the caller's turn."""
    TIMEOUT = auto()
    """The deadline was met by the server or the pool."""
    UNKNOWN_BOOKMARK = auto()
    """The caller waits for a state that this database never gave a name to."""
    FAULT = auto()
    """Ours, or the server's: nothing helps."""


RACES = frozenset(
    {
        "Neo.ClientError.Schema.ConstraintValidationFailed",
        "Neo.ClientError.Statement.EntityNotFound",
        # Several processes that create the schema at once: the second try finds it there.
        "Neo.ClientError.Schema.ConstraintAlreadyExists",
        "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
        "Neo.ClientError.Schema.IndexAlreadyExists",
        "Neo.ClientError.Schema.ConstraintWithNameAlreadyExists",
        "Neo.ClientError.Schema.IndexWithNameAlreadyExists",
    }
)
TIMEOUTS = frozenset(
    {
        "Neo.ClientError.Transaction.TransactionTimedOut",
        "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
    }
)
BOOKMARKS = frozenset(
    {
        "Neo.ClientError.Transaction.InvalidBookmark",
        "Neo.ClientError.Transaction.InvalidBookmarkMixture",
    }
)
STOPPING = frozenset(
    {
        # What a transaction meets whose server is going down, or that an operator ended.
        "Neo.ClientError.Transaction.Terminated",
        "Neo.ClientError.Transaction.LockClientStopped",
        "Neo.TransientError.Transaction.Terminated",
        "Neo.TransientError.Transaction.LockClientStopped",
        "Neo.TransientError.General.DatabaseUnavailable",
        "Neo.TransientError.Database.DatabaseUnavailable",
    }
)
CANNOT_WRITE = frozenset(
    {
        # A full disk: Neo4j refuses all that comes after the first of these, until it is started
        # again. Nothing of such a transaction is there, or its message ids tell.
        "Neo.DatabaseError.Transaction.TransactionLogError",
        "Neo.DatabaseError.Transaction.TransactionStartFailed",
        "Neo.DatabaseError.Transaction.TransactionCommitFailed",
    }
)


def judge(error: BaseException) -> tuple[Verdict, str]:
    """The verdict, and a code to count it by (the server's, else the class's name)."""
    if isinstance(error, Retry):
        return Verdict.CONTENTION, f"Retry:{error.reason}"
    if isinstance(error, Neo4jError):
        return _judge_answer(error), error.code
    if isinstance(error, ConnectionAcquisitionTimeoutError):
        return Verdict.TIMEOUT, type(error).__name__
    # IncompleteCommit is a ServiceUnavailable: it may be committed, and the message id tells.
    if isinstance(error, ServiceUnavailable | SessionExpired):
        return Verdict.UNAVAILABLE, type(error).__name__
    if error.__cause__ is not None:
        # "Transaction failed": the driver's word for a statement after the one that failed.
        return judge(error.__cause__)
    return Verdict.FAULT, type(error).__name__


def _judge_answer(error: Neo4jError) -> Verdict:
    if error.code in RACES:
        return Verdict.RACE
    if error.code in TIMEOUTS:
        return Verdict.TIMEOUT
    if error.code in BOOKMARKS:
        return Verdict.UNKNOWN_BOOKMARK
    gone = DatabaseUnavailable | NotALeader | ForbiddenOnReadOnlyDatabase
    if error.code in STOPPING | CANNOT_WRITE or isinstance(error, gone):
        return Verdict.UNAVAILABLE
    return Verdict.CONTENTION if error.is_retryable() else Verdict.FAULT
