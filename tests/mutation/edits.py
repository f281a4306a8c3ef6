"""What a mutation is."""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """One edit of a module of graphid/identity, and the rule of model.md that it breaks.

    ``old`` occurs once in the module.
    """

    module: str
    old: str
    new: str
    rule: str
