"""Tags of YAML make no objects: a config or a rubric of a stranger runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.kit import yaml_file
from harness_rating.rubric import file


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch ran']",
        "!!python/name:os.system ''",
        "!!python/object/new:type {}",
        "!include other.yaml",
    ],
)
def test_a_tag_runs_nothing(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "own.yaml"
    path.write_text(f"name: {value}\n")
    with pytest.raises(ConfigError):
        yaml_file.read(path)
    with pytest.raises(ConfigError):
        file.read(path)
    assert sorted(tmp_path.iterdir()) == [path]
