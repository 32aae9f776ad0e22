"""What the command line of ``harness score`` asks for, checked before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from harness.errors import UsageError
from harness.records import SPLITS
from harness.terminal.targets import check_target
from harness.verdicts.pairs import Test


@dataclass(frozen=True, slots=True)
class Request:
    """The options as they were given."""

    predictions: Sequence[str]
    references: Sequence[str]
    baseline: str | None
    metrics: str | None
    options: Sequence[str]
    plugins: Sequence[Path]
    config: Path | None
    sets: Sequence[str]
    run: str | None
    split: str
    open_test: bool
    by: Sequence[str]
    group: str | None
    per_example: Path | None
    test: str
    seed: int | None
    workers: int | None
    as_json: bool

    @property
    def files(self) -> list[str]:
        """The systems' files, the baseline last."""
        return [*self.predictions, *([self.baseline] if self.baseline else [])]

    @property
    def test_kind(self) -> Test:
        """``--test``, once :meth:`check` has found it right."""
        return next(kind for kind in get_args(Test) if kind == self.test)

    def check(self) -> None:
        """Raises UsageError for what cannot be meant."""
        if self.test not in get_args(Test):
            raise UsageError(f"--test takes {', '.join(get_args(Test))}, not '{self.test}'")
        if self.split not in SPLITS:
            raise UsageError(f"--split takes {', '.join(SPLITS)}, not '{self.split}'")
        if self.sets and self.config is None:
            raise UsageError("--set overrides a key of --config, which is not given")
        if self.plugins and self.metrics is None:
            raise UsageError("--plugin loads metrics for --metrics, which is not given")
        self._check_rows_path()
        if self.run is None:
            self._check_sources()
        elif self.predictions or self.references or self.config:
            raise UsageError("--run brings its own answers and references")
        elif (self.group, self.seed, self.workers) != (None, None, None):
            raise UsageError("--group, --seed and --workers are not for --run")

    def check_sealed(self) -> None:
        """Raises UsageError for a look at the test set that was not asked for in so many words."""
        if self.split == "test" and not self.open_test:
            raise UsageError(
                "the test set is sealed: each look at it is counted, and takes from what it is "
                "worth",
                hint="--split dev, or --open-test to look all the same",
            )

    def check_scores(self, names: Sequence[str]) -> None:
        """Raises UsageError where a score's name is one that ``--per-example`` needs itself."""
        taken = {"id", "system"}.intersection(names)
        if self.per_example is not None and taken:
            raise UsageError(
                f"--per-example writes columns of its own called {' and '.join(sorted(taken))}",
                hint="name the metric: --metrics other=METRIC",
            )

    def _check_sources(self) -> None:
        if not self.predictions:
            raise UsageError("there is nothing to score", hint="--predictions FILE, or --run RUN")
        if bool(self.references) == (self.config is not None):
            what = "both are given" if self.references else "neither is given"
            raise UsageError(f"references come from --references or from --config; {what}")
        sources = [*self.files, *self.references]
        if sum(source == "-" or source.startswith("-:") for source in sources) > 1:
            raise UsageError("standard input (-) can be read only once")
        if len(set(self.files)) < len(self.files):
            raise UsageError("two of the systems are the same file")

    def _check_rows_path(self) -> None:
        """Whether rows can be written where ``--per-example`` says, known before any work."""
        path = self.per_example
        if path is None:
            return
        if path.suffix not in (".jsonl", ".ndjson", ".parquet"):
            raise UsageError(f"--per-example {path}: the name has to end in .jsonl or .parquet")
        check_target("--per-example", path)
        for source in [*self.files, *self.references]:
            read = Path(source) if Path(source).exists() else Path(source.rpartition(":")[0])
            if path.exists() and read.exists() and path.samefile(read):
                raise UsageError(f"--per-example {path}: this file is read")
