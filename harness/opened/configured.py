"""``harness.open_config``: what commands and other programs may ask of a config file."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.boundary.calls import aloud, plainly
from harness.boundary.lending import Lent
from harness.config import loading as configuration
from harness.config.loading import Config
from harness.config.making import metric_entry
from harness.config.plugin_entries import PluginEntry
from harness.config.sourcing import rows_of
from harness.data.correction_file import applied
from harness.data.screening import Screening, previewed
from harness.errors import DataError, UsageError
from harness.records import Checkpoint, Example, Level, Rendered
from harness.records.context import Context, Report, silent
from harness.run.ledger import Ledger, Opening, measuring
from harness.run.places import LEDGER, MACHINE_FOLDER
from harness.scoring import MetricEntry
from harness.stages.model import fetched
from harness.stages.trainer import rendered
from harness.steps.gate import screening_seed
from harness.steps.train import learned


class ConfigView:
    """A checked config: its metrics, and the rows of its source with corrections applied."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @property
    def metrics(self) -> list[MetricEntry]:
        """The entries of its ``metrics``."""
        return list(map(metric_entry, self._config.metrics))

    def rows(self, split: str) -> Sequence[Example]:
        """The rows of a split but test, which is sealed.

        Raises:
            DataError: there is none, or the source has a wrong row.
            PluginError: the source fails.
        """
        if split == "test":
            raise UsageError("the test set is sealed")
        return self._of(split)

    def open_test(
        self, purpose: str, answers: str, metrics: Sequence[MetricEntry]
    ) -> tuple[Sequence[Example], dict[str, Opening]]:
        """The rows of test, counted in this folder's ledger before they are returned.

        Args:
            purpose: who looks, as a command's name.
            answers: digest of the answers that will be scored.
            metrics: by which they will be scored. Each with its options is an opening of its own;
                the same answers, for the same purpose and by the same metric, count once.

        Returns:
            the rows, and by metric entry's name which opening of them it is.

        Raises:
            DataError: there is none, or the ledger is damaged.
        """
        rows, ledger = self._of("test"), Ledger(Path(MACHINE_FOLDER) / LEDGER)
        return rows, {
            entry.name: ledger.open(rows, measuring(purpose, entry), answers) for entry in metrics
        }

    def config(self) -> Mapping[str, Any]:
        """The whole config with every default, as ``harness config show`` prints it."""
        return self._config.shown()

    def ask_plugins(self) -> Sequence[tuple[Level, str]]:
        """What its plugins say of their entries and stops nothing: levels and lines.

        Raises:
            ConfigError, EnvironmentFailure: with all that stops a run.
        """
        return self._config.ask_plugins().remarks

    def libraries(self) -> Sequence[str]:
        """The distributions that make the results of its plugins, by name."""
        entries = (entry for named in self._config.entries.values() for entry in named)
        return sorted({name for entry in entries for name in entry.instance.libraries or ()})

    def at_hand(self) -> bool:
        """Whether the base model is on this machine, so that nothing has to be downloaded.

        Raises:
            PluginError: its plugin fails.
        """
        entry = self._config.model
        with plainly(f"{entry.named}, model"):
            return bool(entry.instance.at_hand())

    def every_row(self) -> Sequence[Example]:
        """The rows of all splits: to be counted and compared. No text of test may be shown.

        Raises:
            DataError: the source has a wrong row.
            PluginError: the source fails.
        """
        return self._rows

    def screened(self, report: Report = silent) -> Screening:
        """Rows of the source beside dev and test, as ``harness check`` counts them.

        Args:
            report: is told how many rows are done.

        Raises:
            DataError: the source has a wrong row.
            PluginError: the source fails.
        """
        settings = self._config.settings
        seed = screening_seed(settings.seed)
        return previewed(self._rows, settings.filters.rules(), seed, report)

    def base(self, report: Report = silent) -> Checkpoint:
        """The base model, outside of a run; its plugin fetches it where it is not here yet.

        Raises:
            EnvironmentFailure: it is not available.
            PluginError: its plugin fails.
        """
        entry = self._config.model
        call = plainly(f"{entry.named}, model", aloud)
        with tempfile.TemporaryDirectory(prefix="harness-") as folder, call:
            context = Context(Path(folder), stage="model", report=call.calls.hearing(report))
            return fetched(entry.instance, context)

    def rendered(self, rows: Sequence[Example], report: Report = silent) -> list[Rendered]:
        """Rows as the trainer gives them to the base model, token by token; no weights are read.

        Args:
            report: is told how many rows are done.

        Raises:
            UsageError: this trainer cannot show rows.
            ConfigError, EnvironmentFailure, PluginError: model or trainer cannot be used.
        """
        return self._rendered(self._config.train, rows, report)

    def refused(
        self, rows: Sequence[Example], general: Sequence[Example]
    ) -> list[tuple[Example, str]]:
        """The rows of which a training would refuse the first one that it meets, with why.

        Args:
            general: rows that the first trainer learns beside those of the task.

        Raises:
            UsageError: a trainer cannot show rows.
            ConfigError, EnvironmentFailure, PluginError: model or trainer cannot be used.
        """
        found = []
        for entry in self._config.trainers:
            its = learned(entry, [*rows, *(() if entry.index else general)])
            for row, shown in zip(its, self._rendered(entry, its), strict=True):
                if shown.problem:
                    found.append((row, shown.problem))
        return found

    def _rendered(
        self, entry: PluginEntry, rows: Sequence[Example], report: Report = silent
    ) -> list[Rendered]:
        base = self.base(report)
        call = plainly(f"{entry.named}, train", aloud, lent=Lent(rows))
        with tempfile.TemporaryDirectory(prefix="harness-") as folder, call:
            context = Context(Path(folder), stage="train", report=call.calls.hearing(report))
            return list(rendered(entry.instance, base, rows, context))

    def _of(self, split: str) -> Sequence[Example]:
        rows = [row for row in self._rows if row.split == split]
        if not rows:
            source = self._config.data.plugin
            raise DataError(f"the split '{split}' has no row", where=f"source '{source}'")
        return rows

    @functools.cached_property
    def _rows(self) -> Sequence[Example]:
        return applied(self._config.corrections, rows_of(self._config.data))


def open_config(path: Path | None = None, sets: Sequence[str] = ()) -> ConfigView:
    """A config file, checked whole.

    Args:
        path: None stands for ./harness.yaml, or the shipped config where there is none.
        sets: overrides, each ``KEY=VALUE``.

    Raises:
        ConfigError: with all that is wrong.
    """
    return ConfigView(configuration.load(path, sets=sets))
