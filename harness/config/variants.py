"""A config with some of its keys changed, for what is trained beside the rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.boundary.calls import PluginCall, plainly
from harness.config import dotted, loading
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.config.settings import PLUGIN_KEYS
from harness.data import replay
from harness.errors import ConfigError
from harness.kit.files import digest
from harness.kit.problems import Problems
from harness.records import Schedule
from harness.records.context import derive_seed
from harness.stages.schedule import scheduled

MAY_DIFFER = ("model", "train", "generate", "seed")
"""Keys in which a branch may differ: its rows and its scores are the run's."""
_NOT_BESIDE: Mapping[str, Any] = {
    key: [] if kind.many else None for key, kind in PLUGIN_KEYS.items() if not kind.in_branches
}
_NOT_IN_A_TRAINING: Mapping[str, Any] = {
    "rounds": 1, "augment": [], "analyze": [], "guard": [], "objective": None,
}  # fmt: skip


class Variants:
    """A run's config, and what it is with some keys changed.

    Attributes:
        config: of the run.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def seed(self) -> int:
        return self.config.settings.seed

    def derived_seed(self, purpose: str, number: int) -> int:
        """Another seed that follows from the run's."""
        return derive_seed(self.seed, purpose, number)

    @property
    def primary(self) -> str:
        """Name of the score that decides."""
        return self.config.settings.primary

    def metric(self, score: str) -> PluginEntry | None:
        """The entry of the metric that gives a score."""
        return next((entry for entry in self.config.metrics if score in entry.score_names), None)

    @property
    def scores(self) -> list[str]:
        """Names of all scores."""
        return [name for entry in self.config.metrics for name in entry.score_names]

    def entry(self, key: str) -> PluginEntry | None:
        """The plugin under a key of the config that names one."""
        return next(iter(self.config.entries[key]), None)

    def asking(self, entry: PluginEntry) -> PluginCall:
        """Around a call of a plugin: what it raises is an error of that plugin, by its name."""
        return plainly(entry.named)

    def schedule(self, key: str, rows: int) -> Schedule | None:
        """What its trainer or generator says of its steps over so many rows; None where nothing.

        Args:
            key: ``train`` or ``generate``.

        Raises:
            PluginError: it says something else, or fails.
        """
        entry = self.config.entries[key][0]
        with plainly(f"{entry.named}, schedule()"):
            return scheduled(entry.instance, rows) if rows else None

    def replayed(self, rows: int) -> int:
        """General rows that a training learns beside so many of the task."""
        return replay.wanted(rows, self.config.settings.replay)

    def problems(self) -> Problems:
        """What is wrong with the config, to be added to, each with its line."""
        return Problems(self.config.path, self.config.lines)

    def own(self, keys: Sequence[str]) -> dict[str, Any]:
        """The run's own values of these dotted keys; without those that it leaves out."""
        values = {}
        for key in keys:
            value: Any = self.config.shown()
            try:
                for part in dotted.place_of(key):
                    value = value[part]
            except (KeyError, IndexError, TypeError):
                continue
            values[key] = value
        return values

    def changed(self, changes: Mapping[str, Any], where: str) -> Config:
        """The config of a training beside the rounds.

        Args:
            changes: dotted key -> value.
            where: the place in the run's config that asks for it.

        Raises:
            ConfigError: a key is none that may differ, is unknown, or has no such value.
        """
        _check_heads(changes, where)
        return self._with({**self._of_answers(), **_NOT_IN_A_TRAINING}, changes, where)

    def looped(self, seed: int, where: str) -> Config:
        """The config of the whole loop with another seed: all rounds, and nothing beside them."""
        return self._with(self._of_answers(), {"seed": seed}, where)

    def digest(self, changes: Mapping[str, Any], where: str = "") -> str:
        """Of all that decides what a training with these changes gives.

        Raises:
            ConfigError: as :meth:`changed`.
        """
        return digest(self.changed(changes, where).key())

    def in_one_line(self, error: ConfigError) -> str:
        """What is wrong with a changed config, without the file's name."""
        file = f"{self.config.path}: " if self.config.path else ""
        lines = [line.removeprefix(file) for line in error.details if line[:6] != "note: "]
        return "; ".join(lines or filter(None, (error.what, error.hint)))

    def _of_answers(self) -> dict[str, Any]:
        """The config with nothing beside its rounds, and without the scores of people, who rate
        the answers of rounds alone.
        """
        config, values = self.config, self.config.shown()
        for entry in config.experiments:
            for name in type(entry.instance.options).model_fields:
                del values[name]
        shown = zip(values["metrics"], config.metrics, strict=True)
        scored = [metric for metric, entry in shown if not entry.instance.by_people]
        return {**values, **_NOT_BESIDE, "metrics": scored}

    def _with(self, values: dict[str, Any], changes: Mapping[str, Any], where: str) -> Config:
        try:
            for key, value in changes.items():
                dotted.assign(values, dotted.place_of(key), value, "set")
            return loading.check(values, self.config.path, {}, {}, registry=self.config.registry)
        except ConfigError as error:
            raise ConfigError(
                error.what, where=where, hint=error.hint, details=error.details
            ) from error


def _check_heads(changes: Mapping[str, Any], where: str) -> None:
    for key in changes:
        inner = next((other for other in changes if other.startswith(f"{key}.")), None)
        if inner is not None:
            raise ConfigError(
                f"'{key}' and '{inner}' are both given, and one holds the other", where=where,
                hint=f"put it into '{key}'",
            )  # fmt: skip
        if dotted.place_of(key)[0] not in MAY_DIFFER:
            raise ConfigError(
                f"'{key}' cannot differ between trainings that are compared: they have the same "
                "rows and scores",
                where=where,
                hint="keys of model, train and generate can; for another one begin another run",
            )
