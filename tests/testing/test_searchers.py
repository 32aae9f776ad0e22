"""The rule for searchers: it finds what would make a search go on differently after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import harness
from harness.testing import rules

RULE = next(rule for rule in rules("searcher") if rule.id == "proposals")


class Fine(harness.Searcher):
    """Tries numbers in order."""

    name = "fine-one"

    def space(self) -> dict[str, list[Any]]:
        return {"train.r": [1, 99]}

    def propose(self, trials: Any, seed: int, higher_is_better: bool) -> Any:
        return {"train.r": len(trials)} if len(trials) < 4 else None


class Remembers(Fine):
    """Counts its calls."""

    calls = 0

    def propose(self, trials: Any, seed: int, higher_is_better: bool) -> Any:
        type(self).calls += 1
        return {"train.r": self.calls}


class Wanders(Fine):
    """Gives a key that it has not named."""

    def propose(self, trials: Any, seed: int, higher_is_better: bool) -> Any:
        return {"train.alpha": 1}


class Bare(Fine):
    """Has options of its own alone."""

    class Options(harness.Options):
        pass


class Unsure(Fine):
    """Answers in words."""

    def hopeless(self, folds: Any, trials: Any, higher_is_better: bool) -> Any:
        return "perhaps"


class Vague(Fine):
    """Names more limits than a course has places."""

    def limits(self, trials: Any) -> Any:
        return (1.0,) * 9


def test_the_example_of_the_docs_passes(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text("utf-8")
    code = page.partition("## Searchers")[2].partition("```python\n")[2].partition("```")[0]
    (tmp_path / "halving.py").write_text(code)
    searcher = harness.Registry.build([tmp_path / "halving.py"]).get("searcher", "halving").plugin
    RULE.check(searcher)


def test_a_searcher_that_computes_from_the_record_passes() -> None:
    RULE.check(Fine)


@pytest.mark.parametrize(
    ("searcher", "said"),
    [
        (Remembers, "one record gives two proposals"),
        (Wanders, "a value of each key of space"),
        (Bare, "lack those of a search"),
        (Unsure, "True or False is due"),
        (Vague, "at most 3 of numbers and None"),
    ],
)
def test_what_breaks_the_rule_is_named(searcher: type[harness.Searcher], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        RULE.check(searcher)
