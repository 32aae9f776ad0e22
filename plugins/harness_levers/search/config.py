"""The search that a config asks for: what it varies, checked before anything is trained."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness.kit.files import digest

WHERE = "search"
LOSS = "loss"


def measure(by: str) -> str:
    """What trials are compared by, as people call it."""
    return "validation loss" if by == LOSS else by


class SearchConfig:
    """The key ``search`` of a config.

    Args:
        entry: the searcher.

    Attributes:
        options: of the searcher.
        by: ``loss``, or the name of the score that trials are compared by.
    """

    def __init__(self, variants: harness.Variants, entry: harness.PluginEntry) -> None:
        self.variants, self.entry = variants, entry
        self.searcher = harness.CheckedSearcher(entry.instance)
        self.options = entry.instance.options
        self.by: str = self.options.by

    @classmethod
    def of(cls, variants: harness.Variants) -> SearchConfig | None:
        """The search of a config; None where it asks for none."""
        entry = variants.entry(WHERE)
        return None if entry is None else cls(variants, entry)

    @functools.cached_property
    def space(self) -> dict[str, tuple[Any, ...]]:
        """Dotted key -> values that the searcher may give it.

        Raises:
            PluginError: the searcher does not say what it varies.
        """
        with self.variants.asking(self.entry):
            return self.searcher.space()

    @property
    def seed(self) -> int:
        """What the searcher draws from."""
        seed: int | None = self.options.seed
        return self.variants.derived_seed(WHERE, 0) if seed is None else seed

    @property
    def higher_is_better(self) -> bool:
        metric = self.variants.metric(self.by)
        return metric is not None and bool(metric.instance.higher_is_better)

    @property
    def most_trainings(self) -> int:
        """How many it may take, that of the arm included; fewer where trials are pruned."""
        return int(self.options.trials * self.options.folds + 1)

    @property
    def identity(self) -> str:
        """What makes a search the same one: all but the number of its trials."""
        key = self.entry.key()
        usual = {"trials": key["options"]["trials"], "parallel": 1}
        options = {
            name: value for name, value in key["options"].items() if usual.get(name, ...) != value
        }
        return digest({**key, "options": options, "seed": self.seed})

    @property
    def part(self) -> str:
        """A search with its number of trials: what has to be done before a run is finished."""
        return f"search {self.identity} x {self.options.trials}"

    def changed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a trial's values that are not the run's own."""
        own = self.variants.own(list(values))
        return {key: value for key, value in values.items() if key not in own or own[key] != value}

    def check(self) -> None:
        """Check it before anything is trained.

        Raises:
            ConfigError: with all that is wrong with it.
            PluginError: the searcher does not say what it varies.
        """
        problems = self.variants.problems()
        if wrong := self._flaw_of_by():
            problems.add((WHERE, "by"), wrong)
        for key, values in self.space.items():
            if wrong := self._flaw(key, values):
                problems.add((WHERE, "over", key), wrong)
        problems.done()

    def _flaw_of_by(self) -> str:
        """Why trials cannot be judged by it, or an empty text."""
        if self.by == LOSS:
            return ""
        metric = self.variants.metric(self.by)
        if metric is None:
            known = ", ".join(self.variants.scores)
            return f"no score is called '{self.by}'; it is '{LOSS}', or one of {known}"
        if metric.instance.by_people:
            return f"'{self.by}' comes from raters, who rate the answers of rounds only"
        return ""

    def _flaw(self, key: str, values: Sequence[Any]) -> str:
        """Why a key cannot be searched, or an empty text."""
        head = key.split(".")[0]
        if head == "seed":
            return "the best of several seeds would be luck; seeds: 5 repeats a training"
        if head == "generate" and self.by == LOSS:
            return "it has no effect on the validation loss; by: names a score of the answers"
        keys = set()
        for value in values:
            try:
                keys.add(self.variants.digest({key: value}, WHERE))
            except harness.ConfigError as error:
                return self.variants.in_one_line(error).removeprefix(f"{key}: ")
        return "" if len(keys) > 1 else "whatever its value is, results are the same"
