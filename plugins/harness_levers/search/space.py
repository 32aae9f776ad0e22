"""What a config's ``search`` may vary: each key and value checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness.kit.files import digest

WHERE = "search"
LOSS = "loss"


def check(variants: harness.Variants) -> None:
    """Check the search of a config, if it has one.

    Raises:
        ConfigError: with all that is wrong with it.
        PluginError: the searcher does not say what it varies.
    """
    entry = variants.entry(WHERE)
    if entry is None:
        return
    problems = variants.problems()
    by = entry.instance.options.by
    if wrong := _flaw_of_by(variants, by):
        problems.add((WHERE, "by"), wrong)
    for key, values in space_of(variants).items():
        if wrong := _flaw(variants, by, key, values):
            problems.add((WHERE, "over", key), wrong)
    problems.done()


def space_of(variants: harness.Variants) -> dict[str, tuple[Any, ...]]:
    """Dotted key -> values that the searcher may give it; empty without a search."""
    entry = variants.entry(WHERE)
    if entry is None:
        return {}
    with variants.asking(entry):
        return harness.CheckedSearcher(entry.instance).space()


def _flaw_of_by(variants: harness.Variants, by: str) -> str:
    """Why trials cannot be judged by it, or an empty text."""
    if by == LOSS:
        return ""
    metric = variants.metric(by)
    if metric is None:
        known = ", ".join(variants.scores)
        return f"no score is called '{by}'; it is '{LOSS}', or one of {known}"
    if metric.instance.by_people:
        return f"'{by}' comes from raters, who rate the answers of rounds only"
    return ""


def _flaw(variants: harness.Variants, by: str, key: str, values: Sequence[Any]) -> str:
    """Why a key cannot be searched, or an empty text."""
    head = key.split(".")[0]
    if head == "seed":
        return "the best of several seeds would be luck; seeds: 5 repeats a training"
    if head == "generate" and by == LOSS:
        return "it has no effect on the validation loss; by: names a score of the answers"
    keys = set()
    for value in values:
        try:
            keys.add(variants.digest({key: value}, WHERE))
        except harness.ConfigError as error:
            return variants.in_one_line(error).removeprefix(f"{key}: ")
    return "" if len(keys) > 1 else "whatever its value is, results are the same"


def changed(variants: harness.Variants, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a trial's values that are not the run's own."""
    own = variants.own(list(values))
    return {key: value for key, value in values.items() if key not in own or own[key] != value}


def most_trainings(variants: harness.Variants) -> int:
    """How many trainings a search may take, that of the arm included; fewer are pruned."""
    entry = variants.entry(WHERE)
    if entry is None:
        return 0
    options = entry.instance.options
    return int(options.trials * options.folds + 1)


def seed_of(variants: harness.Variants) -> int:
    """What the searcher draws from."""
    seed: int | None = _options(variants).seed
    return variants.derived_seed(WHERE, 0) if seed is None else seed


def identity(variants: harness.Variants) -> str:
    """What makes a search the same one: all but the number of its trials."""
    entry = variants.entry(WHERE)
    assert entry is not None
    key = entry.key()
    usual = {"trials": key["options"]["trials"], "parallel": 1}
    options = {
        name: value for name, value in key["options"].items() if usual.get(name, ...) != value
    }
    return digest({**key, "options": options, "seed": seed_of(variants)})


def asked(variants: harness.Variants) -> str | None:
    """A search with its number of trials: what has to be done before a run is finished."""
    if variants.entry(WHERE) is None:
        return None
    return f"search {identity(variants)} x {_options(variants).trials}"


def _options(variants: harness.Variants) -> Any:
    entry = variants.entry(WHERE)
    assert entry is not None
    return entry.instance.options
