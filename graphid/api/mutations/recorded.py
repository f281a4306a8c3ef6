"""Acts that the audit tells of: also those that were refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from graphid import errors
from graphid.api.context import Info, RequestContext
from graphid.service.audit.entries import Outcome

A = TypeVar("A")


async def recorded(
    info: Info,
    act: Awaitable[A],
    *,
    about: Callable[[A], str],
    asked: Iterable[str] = (),
) -> A:
    """What the act answers, once it is in the audit with what it was ``about``.

    ``asked``: what it names that is there, for where it is refused. Input that is not valid asks
    for nothing, and is not kept. Raises what the act raises, and as ``RequestContext.record``.
    """
    context, action = info.context, info.field_name
    try:
        with or_failed(context, action):
            done = await act
    except errors.Refused:
        await context.record(action, subjects=asked, outcome=Outcome.REFUSED)
        raise
    except errors.NotFound:
        # It may name anything, an e-mail address included.
        await context.record(action, outcome=Outcome.REFUSED)
        raise
    await context.record(action, subjects=[about(done)])
    return done


@contextmanager
def or_failed(context: RequestContext, action: str, subjects: Iterable[str] = ()) -> Iterator[None]:
    """Tell the audit of an act that fails for no reason of its own: it may be done nevertheless,
    where nobody knows what became of a commit, or the process stops and waits for it no longer."""
    try:
        yield
    except (errors.InvalidInput, errors.NotFound, errors.Refused, errors.StaleGraph):
        raise
    except BaseException:
        if context.audit is not None:
            context.audit.note(action, subjects=subjects, outcome=Outcome.FAILED)
        raise
