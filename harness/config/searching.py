"""What a config's ``search`` may vary: each key and value checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.boundary import searching as boundary
from harness.boundary.calls import plainly
from harness.config import dotted
from harness.config.arms import SEARCH, in_one_line, settings_of
from harness.config.loading import Config
from harness.config.overriding import overridden
from harness.config.plugin_entries import PluginEntry
from harness.context import derive_seed
from harness.errors import ConfigError
from harness.kit.files import digest
from harness.kit.problems import Problems
from harness.records.arms import Arm

WHERE = "search"
LOSS = "loss"


def checked(config: Config) -> None:
    """Check the search of a config, if it has one.

    Raises:
        ConfigError: with all that is wrong with it.
        PluginError: the searcher does not say what it varies.
    """
    entry = config.search
    if entry is None:
        return
    problems = Problems(config.path, config.lines)
    if wrong := _flaw_of_by(config, entry.instance.options.by):
        problems.add((WHERE, "by"), wrong)
    for key, values in space_of(entry).items():
        if wrong := _flaw(config, entry, key, values):
            problems.add((WHERE, "over", key), wrong)
    problems.done()


def space_of(entry: PluginEntry) -> dict[str, tuple[Any, ...]]:
    """Dotted key -> values that the searcher may give it."""
    with plainly(entry.named):
        return boundary.space(entry.instance.space())


def _flaw_of_by(config: Config, by: str) -> str:
    """Why trials cannot be judged by it, or an empty text."""
    if by == LOSS:
        return ""
    found = next((one for one in config.metrics if by in one.score_names), None)
    if found is None:
        known = ", ".join(name for one in config.metrics for name in one.score_names)
        return f"no score is called '{by}'; it is '{LOSS}', or one of {known}"
    if found.instance.by_people:
        return f"'{by}' comes from raters, who rate the answers of rounds only"
    return ""


def _flaw(config: Config, entry: PluginEntry, key: str, values: Sequence[Any]) -> str:
    """Why a key cannot be searched, or an empty text."""
    head = key.split(".")[0]
    if head == "seed":
        return "the best of several seeds would be luck; seeds: 5 repeats a training"
    if head == "generate" and entry.instance.options.by == LOSS:
        return "it has no effect on the validation loss; by: names a score of the answers"
    keys = set()
    for value in values:
        try:
            keys.add(digest(overridden(config, {key: value}, WHERE).key()))
        except ConfigError as error:
            return in_one_line(config, error).removeprefix(f"{key}: ")
    return "" if len(keys) > 1 else "whatever its value is, results are the same"


def own_values(config: Config, keys: Sequence[str]) -> dict[str, Any]:
    """The run's own values of these keys; without those that it leaves out."""
    found = {}
    for key in keys:
        value: Any = config.shown()
        try:
            for part in dotted.place_of(key):
                value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        found[key] = value
    return found


def config_with(config: Config, values: Mapping[str, Any]) -> Config:
    """The config of a trial."""
    return overridden(config, changed(config, values), WHERE)


def changed(config: Config, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a trial's values that are not the run's own."""
    own = own_values(config, list(values))
    return {key: value for key, value in values.items() if key not in own or own[key] != value}


def arm_of(config: Config, values: Mapping[str, Any]) -> Arm:
    """The arm that is trained with a trial's values."""
    seeds = config.settings.seeds
    repeats = seeds.count if seeds is not None and seeds.of == "training" else 1
    given = changed(config, values)
    settings = settings_of(config, given, WHERE)
    return Arm(SEARCH, "settings", given, seeds=repeats, settings=settings)


def most_trainings(config: Config) -> int:
    """How many trainings a search may take, that of the arm included; fewer are pruned."""
    if config.search is None:
        return 0
    options = config.search.instance.options
    return int(options.trials * options.folds + 1)


def seed_of(config: Config, entry: PluginEntry) -> int:
    """What a searcher draws from."""
    given: int | None = entry.instance.options.seed
    return derive_seed(config.settings.seed, WHERE, 0) if given is None else given


def identity(config: Config, entry: PluginEntry) -> str:
    """What makes a search the same one: all but the number of its trials."""
    key = entry.key()
    options = {name: value for name, value in key["options"].items() if name != "trials"}
    return digest({**key, "options": options, "seed": seed_of(config, entry)})


def asked(config: Config) -> str | None:
    """A search with its number of trials: what has to be done before a run is finished."""
    entry = config.search
    if entry is None:
        return None
    return f"{identity(config, entry)} x {entry.instance.options.trials}"
