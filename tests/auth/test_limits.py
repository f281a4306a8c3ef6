"""Limits of a caller: what they may be."""

from __future__ import annotations

import pytest

from graphid.api.limits import MAX_COST
from graphid.auth.keys import Keys
from graphid.auth.limits import BOUNDS, LEAST_COST, Limits
from graphid.errors import InvalidInput


@pytest.mark.parametrize("field", sorted(BOUNDS))
def test_a_limit_out_of_bounds_is_named_with_them(field: str) -> None:
    name, least, most = BOUNDS[field]
    for wrong in (least - 1, most + 1):
        with pytest.raises(InvalidInput, match=f"{name} must be from {least} to {most}") as caught:
            Limits(**{field: wrong})
        assert caught.value.path == (name,)
    assert getattr(Limits(**{field: most}), field) == most


def test_any_operation_fits_into_the_smallest_budget() -> None:
    assert LEAST_COST >= MAX_COST


def test_the_keys_of_the_settings_have_none() -> None:
    keys = Keys.of(secret=["sk_1"], publishable=["pk_1"])
    assert keys.find("sk_1").limits is None
    assert keys.find("pk_1").limits is None
