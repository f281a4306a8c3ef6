"""What ``graphid rebuild`` says at its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphid import wiring_of_commands
from graphid.cli.upkeep import rebuild
from graphid.service.rebuilding import Rebuilt


@pytest.mark.parametrize(("in_force", "lines"), [(2, 1), (3, 2)])
def test_a_version_that_was_set_meanwhile_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    in_force: int,
    lines: int,
) -> None:
    file = tmp_path / "policy.json"
    file.write_text("{}")
    rebuilt = Rebuilt(version=2, pieces=5, seconds=1.0, in_force=in_force)
    monkeypatch.setattr(wiring_of_commands, "run_rebuild", lambda *_, **__: rebuilt)
    rebuild(file)
    told = capsys.readouterr().out.splitlines()
    assert len(told) == lines
    assert told[0].startswith("version 2 of the policy is applied")
    if in_force == 3:
        assert told[1].startswith("version 3 of the policy was set meanwhile and is in force")
        assert "graphid rebuild --policy" in told[1]
