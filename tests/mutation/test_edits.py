"""The edits still fit the fold that they break."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphid.identity import fold
from tests.mutation import MUTATIONS
from tests.mutation.edits import Mutation

IDENTITY = Path(fold.__file__).parent


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_it_is_in_its_module_once(mutation: Mutation) -> None:
    text = (IDENTITY / f"{mutation.module}.py").read_text("utf-8")
    assert text.count(mutation.old) == 1
    compile(text.replace(mutation.old, mutation.new), mutation.module, "exec")
