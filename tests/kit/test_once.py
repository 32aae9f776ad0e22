from __future__ import annotations

import pytest

from harness.kit.once import FOLDER, once


def test_a_part_is_made_once_and_the_same_value_both_times(tmp_path):
    calls = []

    def make():
        calls.append(1)
        return [("a", 0.1), None]

    first = once(tmp_path, "from 0", make)
    assert first == once(tmp_path, "from 0", make) == [["a", 0.1], None]
    assert len(calls) == 1
    assert once(tmp_path, "from 32", lambda: "other") == "other"


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b.replace(b"0.1", b"0.2")])
def test_a_damaged_part_is_made_again(tmp_path, damage):
    once(tmp_path, "x/../y", lambda: 0.1)
    [path] = (tmp_path / FOLDER).iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert once(tmp_path, "x/../y", lambda: 3) == 3
    assert once(tmp_path, "x/../y", lambda: 4) == 3


def test_outside_of_a_run_nothing_is_kept():
    assert once(None, "part", lambda: 1) == 1
    assert once(None, "part", lambda: 2) == 2


def test_what_is_no_json_value_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        once(tmp_path, "part", lambda: float("nan"))
