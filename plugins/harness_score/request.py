"""What the command line of ``harness score`` asks for, checked before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, get_args

import typer

from harness import UsageError, near
from harness.kit.terminal.options import Brief, Json, JUnit, Sets
from harness.kit.terminal.requirements import MinGain, Require, Requirement
from harness.kit.terminal.targets import check_target

if TYPE_CHECKING:
    from harness.stats.decision import Test


@dataclass(frozen=True, slots=True)
class Request:
    """The command line."""

    predictions: Annotated[
        list[str],
        typer.Option(
            "--predictions",
            "-p",
            metavar="FILE[:COLUMN]",
            help="answers; repeat for several systems; - is standard input",
        ),
    ] = field(default_factory=list)
    references: Annotated[
        list[str],
        typer.Option(
            "--references",
            "-r",
            metavar="FILE[:COLUMN]",
            help="good answers; repeat for several for each example",
        ),
    ] = field(default_factory=list)
    baseline: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            "--baseline",
            "-b",
            metavar="FILE[:COLUMN]",
            help="answers of the system to compare with",
        ),
    ] = None
    metrics: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--metrics",
            "-m",
            metavar="NAMES",
            help="comma-separated; NAME=METRIC names one (default: bleu,chrf,rouge,meteor)",
        ),
    ] = None
    options: Annotated[
        list[str],
        typer.Option(
            "--option",
            "-o",
            metavar="METRIC.KEY=VALUE",
            help="an option of a metric, as rouge.stemmer=true",
        ),
    ] = field(default_factory=list)
    plugins: Annotated[
        list[Path],
        typer.Option("--plugin", metavar="FILE", help="a one-file plugin to load"),
    ] = field(default_factory=list)
    config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--config", "-c", help="take the references (and metrics) of this config"),
    ] = None
    sets: Sets = None
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--run", metavar="RUN", help="score the stored answers of a run again"),
    ] = None
    split: Annotated[str, typer.Option("--split", help="with --config or --run: which rows")] = (
        "dev"
    )
    open_test: Annotated[
        bool,
        typer.Option(
            "--open-test", help="read the sealed test set; counts as a test-set evaluation"
        ),
    ] = False
    by: Annotated[
        list[str],
        typer.Option(
            "--by", metavar="FIELD", help="scores for each value of a field of the references"
        ),
    ] = field(default_factory=list)
    group: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--group",
            metavar="FIELD",
            help="rows with the same value belong together (default: field 'group')",
        ),
    ] = None
    per_example: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--per-example", metavar="FILE", help="write each answer's scores (.jsonl or .parquet)"
        ),
    ] = None
    test: Annotated[
        str, typer.Option("--test", help="significance test: auto, bootstrap or randomisation")
    ] = "auto"
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--seed", min=0, help="of the resampling (default: 7)"),
    ] = None
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--workers",
            min=1,
            help="maximum number of worker processes (default: one for each core)",
        ),
    ] = None
    primary: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--primary", metavar="SCORE", help="the score that decides"),
    ] = None
    require: Require = None
    min_gain: MinGain = None
    full: Annotated[bool, typer.Option("--full", help="show the signatures of scores")] = False
    brief: Brief = False
    junit: JUnit = None
    as_json: Json = False

    @property
    def files(self) -> list[str]:
        """The systems' files, the baseline last."""
        return [*self.predictions, *([self.baseline] if self.baseline else [])]

    @property
    def requirement(self) -> Requirement:
        """What exit code 0 asks for."""
        return Requirement(self.require, self.min_gain)

    @property
    def resampling_seed(self) -> int:
        """The seed of the resampling; by default that of ``harness compare``, too, so that the same
        rows have the same intervals."""
        from harness import Scorecard

        return Scorecard.seed if self.seed is None else self.seed

    @property
    def test_kind(self) -> Test:
        """``--test``, once :meth:`check` has found it right."""
        from harness.stats.decision import Test

        return next(kind for kind in get_args(Test) if kind == self.test)

    def check(self) -> None:
        """Raises UsageError for what cannot be meant."""
        from harness import SPLITS
        from harness.stats.decision import Test

        if sum((self.full, self.brief, self.as_json)) > 1:
            raise UsageError("--full, --brief and --json are forms of one output: one of them")
        if self.test not in get_args(Test):
            raise UsageError(f"--test takes {', '.join(get_args(Test))}, not '{self.test}'")
        if self.split not in SPLITS:
            raise UsageError(f"--split takes {', '.join(SPLITS)}, not '{self.split}'")
        if self.sets and self.config is None:
            raise UsageError("--set overrides a key of --config, which is not given")
        if self.plugins and self.metrics is None:
            raise UsageError("--plugin loads metrics for --metrics, which is not given")
        self._check_targets()
        self._check_requirement()
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
                "the test set is sealed: each evaluation is counted, and makes later "
                "verdicts stricter",
                hint="--split dev, or --open-test to read it all the same",
            )

    def check_scores(self, names: Sequence[str]) -> None:
        """Raises UsageError where a score's name is one that ``--per-example`` needs itself, or
        where it is not clear which score decides."""
        if self.primary is not None and self.primary not in names:
            raise UsageError(
                f"--primary: there is no score '{self.primary}'{near(self.primary, list(names))}",
                hint=f"there are: {', '.join(names)}",
            )
        if (self.requirement or self.brief) and self.primary is None and len(names) > 1:
            asks = "--require and --min-gain ask" if self.requirement else "--brief tells"
            raise UsageError(
                f"{asks} about one score, and there are {len(names)}",
                hint=f"--primary NAME, of {', '.join(names)}",
            )
        taken = {"id", "system"}.intersection(names)
        if self.per_example is not None and taken:
            raise UsageError(
                f"--per-example writes columns of its own called {' and '.join(sorted(taken))}",
                hint="name the metric: --metrics other=METRIC",
            )

    def _check_sources(self) -> None:
        if not self.predictions:
            raise UsageError("nothing to score", hint="--predictions FILE, or --run RUN")
        if self.references and self.config is not None:
            raise UsageError("references come from --references or from --config; both are given")
        sources = [*self.files, *self.references]
        if sum(source == "-" or source.startswith("-:") for source in sources) > 1:
            raise UsageError("standard input (-) can be read only once")
        if len(set(self.files)) < len(self.files):
            raise UsageError("two of the systems are the same file")

    def _check_requirement(self) -> None:
        self.requirement.check()
        count = None if self.run else len(self.files)
        if (self.requirement or self.junit) and count not in (None, 2):
            asks = "--require and --min-gain ask" if self.requirement else "--junit tells"
            what = f"{asks} about one system against one baseline"
            raise UsageError(what, hint="-p NEW -b OLD")
        if self.brief and (count or 0) > 2:
            raise UsageError("--brief tells of one system, alone or against one baseline")

    def _check_targets(self) -> None:
        """Whether files can be written where the options say, known before any work."""
        path = self.per_example
        if path is not None and path.suffix not in (".jsonl", ".ndjson", ".parquet"):
            raise UsageError(f"--per-example {path}: the name has to end in .jsonl or .parquet")
        for option, target in (("--per-example", path), ("--junit", self.junit)):
            if target is not None:
                self._check_target(option, target)

    def _check_target(self, option: str, path: Path) -> None:
        check_target(option, path)
        for source in [*self.files, *self.references]:
            read = Path(source) if Path(source).exists() else Path(source.rpartition(":")[0])
            if path.exists() and read.exists() and path.samefile(read):
                raise UsageError(f"{option} {path}: this file is read")
