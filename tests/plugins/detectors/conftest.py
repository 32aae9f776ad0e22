from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.records import Example, Prediction, ScoredExample
from harness_detectors import Basic

PROMPT = "def total(items): return the sum of all the prices in the list of items that were given"
REFERENCE = "Return the total price of the items, taxes included."


def scored(
    text: str, *references: str, prompt: str = PROMPT, finish: str = "stop"
) -> ScoredExample:
    example = Example("e", ({"role": "user", "content": prompt},), references, "dev")
    return ScoredExample(example, Prediction("e", text, finish), {})


@pytest.fixture
def labels() -> Callable[..., dict[str, str]]:
    """(answer, *references, prompt, finish, options) -> category -> evidence."""

    def look(text: str, *references: str, **given: Any) -> dict[str, str]:
        row = {key: given.pop(key) for key in ("prompt", "finish") if key in given}
        detector = Basic(Basic.Options(**given))
        found = list(detector.detect(scored(text, *references, **row)))
        assert all(x.example_id == "e" and x.found_by == "basic" and x.evidence for x in found)
        assert {x.category for x in found} <= set(detector.categories())
        assert len({x.category for x in found}) == len(found)
        return {x.category: x.evidence for x in found}

    return look
