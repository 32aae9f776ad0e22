"""How many jobs share the prompts of a generator."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import PluginError
from harness.records import Example
from harness.stages.generator import shares_of

ROWS = [Example(text, ({"role": "user", "content": text},)) for text in ("aaa", "b", "cc")]


def shares(jobs: Any, rows: list[Example] = ROWS) -> list[list[int]]:
    generator: Any = SimpleNamespace(jobs=lambda: jobs)
    return shares_of(generator, rows)


def test_each_row_is_in_one_share_and_no_share_is_empty() -> None:
    assert shares(1) == [[0, 1, 2]]
    assert shares(2) == [[0], [1, 2]]
    assert shares(5) == [[0], [2], [1]]
    assert shares(3, []) == []


@pytest.mark.parametrize("jobs", [0, -1, "2", None])
def test_what_is_no_count_is_refused(jobs: Any) -> None:
    with pytest.raises(PluginError, match=r"jobs\(\)"):
        shares(jobs)
