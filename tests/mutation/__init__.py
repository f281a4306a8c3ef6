"""Breaks each rule of the fold on purpose, to see that a test notices: ``make mutate``."""

from __future__ import annotations

from tests.mutation import of_operations, of_statements

MUTATIONS = (*of_statements.MUTATIONS, *of_operations.MUTATIONS)
