"""What a searcher proposes lies in the space that it named."""

from __future__ import annotations

from typing import Any

import pytest

from harness import CheckedSearcher, PluginError, Searcher

SPACE = {
    "rate": [1e-4, 1e-2], "r": [1, 99], "size": [8, 16, 32], "kind": ["a", "b"], "on": [True, 1],
}  # fmt: skip
WITHIN = {"rate": 1e-3, "r": 8, "size": 16, "kind": "b", "on": True}


class Proposing(Searcher):
    """Proposes what the test says."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def space(self) -> Any:
        return SPACE

    def propose(self, trials: Any, seed: int, higher_is_better: bool) -> Any:
        return self.values


def proposal(values: Any) -> Any:
    return CheckedSearcher(Proposing(values)).propose((), 0, False)


def test_what_lies_in_the_space_passes() -> None:
    for changed in [{}, {"rate": 1e-4}, {"rate": 1e-2}, {"r": 99}, {"r": 8.0}, {"on": 1}]:
        values = {**WITHIN, **changed}
        assert proposal(values) == values, changed


def test_what_lies_outside_is_refused() -> None:
    for changed, said in [
        ({"rate": 5.0}, "'rate' is the number 5.0, where a number from 0.0001 to 0.01 is due"),
        ({"rate": 0}, "a number from 0.0001"),
        ({"rate": "1e-3"}, "the text"),
        ({"rate": True}, "'rate' is True"),
        ({"r": 8.5}, "a number from 1 to 99"),
        ({"r": 100}, "a number from 1 to 99"),
        ({"size": 12}, "'size' is the number 12, where one of the 3 values that space() names"),
        ({"size": True}, "one of the 3"),
        ({"kind": "c"}, "one of the 2 values"),
        ({"kind": ["a"]}, "one of the 2 values"),
        ({"on": 0}, "one of the 2 values"),
    ]:
        with pytest.raises(PluginError) as caught:
            proposal({**WITHIN, **changed})
        assert said in caught.value.what, changed


def test_nothing_left_and_other_keys() -> None:
    assert proposal(None) is None
    with pytest.raises(PluginError, match="a value of each key"):
        proposal({"rate": 1e-3})
