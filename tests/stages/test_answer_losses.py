"""What generators say of the answers of rows."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import PluginError
from harness.records import Checkpoint, Example
from harness.records.context import Context
from harness.stages.generator import answer_losses_of

BASE = Checkpoint("base", "/x", "d")
ROWS = [Example(name, ({"role": "user", "content": "?"},), ("yes",)) for name in "ab"]


def measured(value: Any) -> Any:
    generator: Any = SimpleNamespace(answer_losses=lambda *asked: value)
    return answer_losses_of(generator, BASE, ROWS, Context(Path()))


def test_what_is_right_passes() -> None:
    assert measured(iter([[0.5, 1], []])) == [[0.5, 1], []]


def test_what_is_wrong_is_named() -> None:
    for value, said in [
        ([[0.5]], "1 results for 2 rows"),
        (iter(lambda: [0.5], None), "more than 2 of them"),
        ([[0.5], 0.5], "item 2 is the number 0.5"),
        ([[0.5], ["[b]"]], "item 2"),
        ([[0.5], [math.nan]], "item 2: [0] is the number nan"),
        (None, "an iterable of"),
    ]:
        with pytest.raises(PluginError) as refused:
            measured(value)
        assert said in refused.value.what, value
