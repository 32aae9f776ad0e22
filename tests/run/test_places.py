"""How runs are named, whatever the config's file is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.run import places


@pytest.mark.parametrize("stem", ["exp", "exp[1]", "exp*", "exp?", "[!a]"])
def test_each_new_run_has_a_number_of_its_own(tmp_path: Path, stem: str) -> None:
    first = places.first_name(Path(f"{stem}.yaml"), "0123456789")
    assert places.latest_name(tmp_path, first) == first
    for number in range(1, 4):
        name = places.latest_name(tmp_path, first, anew=number > 1)
        assert name == (first if number == 1 else f"{first}-{number}")
        (tmp_path / name).mkdir()
        assert places.latest_name(tmp_path, first) == name
