"""Regular expressions that an operator writes: whatever is written, matching one is quick.

The engine is RE2, whose time grows with the length of the text and no faster; what it cannot do
in that time (look-around, references back) it does not know. The limits keep the rest small:
the slowest pattern found within them took 6 ms for the longest value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2

MAX_PATTERN = 256
"""The longest pattern, in characters."""

MAX_STEPS = 1000
"""The longest program that a pattern is compiled to; ``a{500}`` takes 501 steps or so."""

_MEMORY = 256 * 1024
"""Bytes that the engine may take for one pattern."""

Matches = Callable[[str], bool]


def is_unicode(text: str) -> bool:
    """Whether it can be stored: half a surrogate pair, as JSON may hold one, cannot."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


class InvalidPattern(ValueError):
    """The pattern cannot be used; the message says why, without the pattern."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Matches:
    """A case-insensitive search for the pattern, anywhere in a value.

    Raises InvalidPattern where it is malformed, too long, or found in every value there is.
    """
    if len(pattern) > MAX_PATTERN:
        raise InvalidPattern(f"must not be longer than {MAX_PATTERN} characters")
    if not is_unicode(pattern):
        raise InvalidPattern("must be valid Unicode")
    try:
        program = re2.compile(pattern, _options())
    except re2.error as error:
        # What follows the colon is a piece of the pattern, which may hold somebody's address.
        reason = error.args[0].decode("utf-8", "replace").partition(":")[0]
        raise InvalidPattern(f"is no regular expression that RE2 knows ({reason})") from None
    if program.programsize > MAX_STEPS:
        raise InvalidPattern(f"must not take more than {MAX_STEPS} steps")
    if program.search("") is not None:
        raise InvalidPattern("must not match the empty text, for then it matches every value")
    return lambda value: program.search(value) is not None


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    return options
