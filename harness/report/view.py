"""``harness.open_run``: what commands and other programs may ask of a run of this folder."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.boundary import results
from harness.config.finding import FILE_NAME
from harness.errors import ConfigError, DataError, HarnessError, UsageError, Waiting
from harness.kit import yaml_file
from harness.kit.blocks import Answers, Block, Heading, Note, of_sections
from harness.kit.inside import inside
from harness.kit.lock import exclusive
from harness.kit.remote.spending import counting
from harness.kit.terminal.streams import say
from harness.opened.branches import Branches
from harness.opened.models import RoundModels
from harness.opened.pool import PoolModels
from harness.opened.replay import (
    Answered,
    NotStored,
    StoredRun,
    StoredSteps,
    answered,
    opened,
    replay,
)
from harness.opened.rounds import RoundReader, StoredRound
from harness.records import (
    BASE_ARM,
    Checkpoint,
    Example,
    Message,
    Prediction,
    from_json,
    system_turns_of,
)
from harness.records.analysis import Analysis
from harness.records.context import Quiet, Report, Watcher, silent
from harness.records.live import Live
from harness.registry import Registry
from harness.report.annotators import plugins_of
from harness.report.folders import current_reports
from harness.report.reading import read_analysis
from harness.report.refresh import outdated
from harness.report.sections import for_reporters
from harness.run import resume_command
from harness.run.at import At
from harness.run.journal import ClosedRounds
from harness.run.live import read_live
from harness.run.pins import TRAIN
from harness.run.places import CONFIG, JOURNAL, MACHINE_FOLDER, REPORTS_FOLDER
from harness.run.run import Run
from harness.run.shared_run import driving
from harness.run.trust import as_allowed
from harness.scoring import right
from harness.stages import AnswerValues
from harness.stats import decision
from harness.steps import Steps
from harness.steps.measure import score

if TYPE_CHECKING:
    from harness.database.writing import QueryResult

OPENED = 2
"""Parts of the report that a notebook shows at once: the verdict, and the rounds."""
SAMPLES = 20
"""Answers of a list that a notebook shows, whose file holds all of them; the page has the rest."""


class RunView:
    """A run of this folder, seen from outside: its rounds, rows, answers and values.

    Nothing of it changes, but that scores which are not stored may be computed and pool rows
    answered. The run's config and plugins are loaded when something is asked that needs them;
    that raises :class:`harness.UsageError` where no run of that name was begun here. In a notebook
    it shows its report.

    Attributes:
        name: of the run.
        folder: where its journal lies.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = Path(MACHINE_FOLDER) / "runs" / name

    @property
    def level(self) -> float:
        """Confidence of each one-sided bound of its verdicts, 1 - .05/R for R rounds."""
        return decision.level(self._run.config.settings.rounds)

    @property
    def waits(self) -> bool:
        """Whether a round waits for people."""
        return ClosedRounds(self.folder / JOURNAL).waiting() is not None

    def live(self) -> Live | None:
        """What the command that carries it out is doing now, or how the last one ended.

        None where no command has written it, or what lies there cannot be read.
        """
        return read_live(self.folder)

    @property
    def closed(self) -> list[int]:
        """The closed rounds of the main arm.

        Raises:
            DataError: none is.
        """
        closed = [result.round for result in self._run.journal.rounds(BASE_ARM)]
        if not closed:
            raise NotStored("no round of it is closed yet", where=self.name, hint="harness iterate")
        return closed

    @property
    def best(self) -> int:
        """The best round so far; 0, the base model, where none became it."""
        return max(
            (result.round for result in self._run.journal.rounds(BASE_ARM) if result.kept),
            default=0,
        )

    @property
    def answered(self) -> list[int]:
        """The rounds whose answers to dev are stored, one that waits for people among them.

        Raises:
            DataError: there is none.
        """
        return list(self._answered)

    def config(self) -> Mapping[str, Any]:
        """The config that it began with, every default filled in; empty if that is not known."""
        try:
            return yaml_file.read_dumped(self.folder / CONFIG)
        except ConfigError:
            return {}

    def command(self, **settings: object) -> list[str]:
        """The words of the command that goes on with it.

        Args:
            settings: keys of the config that it shall set, in place of what it sets them to.
        """
        words = resume_command.read(self.folder) or list(resume_command.PLAIN)
        for key, value in settings.items():
            words = [*resume_command.without(words, key), "--set", f"{key}={value}"]
        return words

    @property
    def config_file(self) -> Path:
        """The config file that this command reads, whether it is there or not."""
        return resume_command.config_of(self.command()) or Path(FILE_NAME)

    def query(self, sql: str, limit_rows: int = 100, limit_seconds: float = 30.0) -> QueryResult:
        """The answer of its database to a question in SQL, as `harness query` gives it.

        The reports are made again first where they are outdated; rows of test are left out.

        Args:
            limit_rows: most rows; ``cut`` of the result says whether there are more.

        Raises:
            UsageError: no round is closed yet; wrong SQL, or the time is over.
            DataError: another version built the database, and it lacks what is asked for.
        """
        from harness.database.asking import safe_query

        database = current_reports(self.name) / "run.duckdb"
        return safe_query(database, sql, limit_seconds, limit_rows)

    def explained(self, row: str, *, open_test: bool = False) -> Sequence[Block]:
        """What its database knows of a row, as `harness why` shows it, to be drawn.

        The reports are not made again, and no plugin of the run's config is asked.

        Args:
            row: its id.
            open_test: it may be a row of test; a look at one is counted before it happens.

        Raises:
            UsageError: no row has that id; it is of test, which is sealed; there is no database.
            DataError: another version built the database, or the test set was not opened yet.
        """
        hook = self._installed.only
        given = hook("explained_row", folder=self.reports, row=row, open_test=open_test)
        return cast(Sequence[Block], results.checked(Sequence[Block], given, "explained_row()"))

    @property
    def reports(self) -> Path:
        """The folder of its reports, whether there are any or not.

        Raises:
            DataError: it is none below this folder: its name is no name, or it is a link.
        """
        return inside(Path(), REPORTS_FOLDER, self.name)

    def report(self) -> Analysis:
        """What reporters are given of it, as it was made last: nothing is written, or made again.

        Each of its ``sections`` has the name of its plugin and its blocks;
        ``harness.kit.blocks.of_sections`` gives them as records.
        :func:`harness.current_reports` makes it again where it is outdated.

        Raises:
            UsageError: no report of it was made yet.
            DataError: the report is not whole, or another version made it.
        """
        return for_reporters(read_analysis(self.reports), Path(), self._shown_with)

    @property
    def outdated(self) -> str:
        """Why its report, as it was made last, does not say all that is known; empty if it does."""
        return outdated(self.reports, self._shown_with)

    def _repr_html_(self) -> str:
        """Its report for a notebook, made again first where it is outdated.

        The verdict and the rounds are seen at once, the other parts are folded away. ``harness
        report --html FILE`` writes the same as a page.
        """
        from harness.kit.html.notebook import in_notebook

        return in_notebook(self._report(), opened=OPENED)

    def _report(self) -> Iterator[Block]:
        try:
            current_reports(self.name)
            analysis = self.report()
        except HarnessError as error:  # a notebook would show it as a failure of ours
            yield from (Heading(f"Run {self.name}"), Note(error.placed, failed=True))
            return
        for block in of_sections(analysis):
            if isinstance(block, Answers):
                block = dataclasses.replace(block, samples=block.samples[:SAMPLES])
            yield block

    def rows(self, split: str) -> Sequence[Example]:
        """The rows of a split but test, which is sealed."""
        if split == "test":
            raise UsageError("the test set is sealed")
        return self._steps.data().split(split)

    @property
    def system_turns(self) -> tuple[Message, ...]:
        """The system turns with which every row of dev begins; empty where they differ."""
        first, *others = system_turns_of(self.rows("dev"))
        return () if others else first

    def round(self, number: int) -> StoredRound:
        """A closed round of the main arm whole; nothing that is not stored is made.

        Raises:
            DataError: it is not closed, or something of it is not stored any more.
        """
        return self._rounds.round(number)

    def in_test(self, name: str) -> bool:
        """Whether an id is of the test set, whose rows are sealed."""
        return self._rounds.in_test(name)

    def count_look(self, purpose: str) -> None:
        """Count a look at single rows of the test set in the folder's ledger, before it happens.

        Args:
            purpose: what they are looked at for; the same look of one run counts once.
        """
        self._rounds.count_look(purpose)

    def answers(self, number: int) -> Sequence[Prediction]:
        """A round's answers to dev, in the order of its rows.

        Raises:
            UsageError: the run has no such round.
            DataError: they are gone, or are not those to today's rows.
        """
        return self._answers(number).predictions

    def values(self, number: int) -> Mapping[str, Sequence[float | None]]:
        """Score name -> each dev row's value in a round, turned so that more is better.

        A metric that waits for people is left out; what is not stored is scored now.
        """
        return self._oriented(number, every=True)

    def primary_values(self, number: int) -> Sequence[float | None]:
        """The same of the primary score alone; None for each where its metric waits for people."""
        primary = self._oriented(number, every=False).get(self._run.config.settings.primary)
        return [None] * len(self.rows("dev")) if primary is None else primary

    def right(self, number: int) -> Sequence[bool | None]:
        """Whether each answer to dev counts as right by the primary score; None if unknown."""
        metric = self._steps.primary_entry().metric
        sign = 1.0 if metric.higher_is_better else -1.0  # turned back: the metric's own direction
        return [
            right(metric, None if value is None else sign * value)
            for value in self.primary_values(number)
        ]

    def all_values(self) -> AnswerValues:
        """What the automatic metrics say of every answer to dev, in every round and arm."""
        steps, history = replay(self._run)
        return history.answer_values(steps.config.metrics)

    def model(self, number: int | None = None) -> Checkpoint:
        """What a round's training left (of the best round by default), every byte checked.

        Of kind ``adapter`` the files are in ``path`` and the base model's in ``base_path``.

        Raises:
            UsageError: the round is not closed, or is round 0, which is the base model itself.
            DataError: its files are not stored any more.
        """
        closed = {result.round: result for result in self._run.journal.rounds(BASE_ARM)}
        if number is None:
            number = self.best
        if number not in closed:
            others = ", ".join(map(str, closed))
            raise UsageError(
                f"run {self.name} has no closed round {number}", hint=f"closed: {others}"
            )
        if number == 0:
            raise UsageError(f"round 0 of run {self.name} is the base model, which was not trained")
        artifact = self._run.artifacts.with_digest(TRAIN, closed[number].keys.get(TRAIN, ""))
        if artifact is None:
            raise DataError(
                f"the model of round {number} of run {self.name} is not stored",
                hint="harness iterate with the run's config trains it again",
            )
        if not self._run.artifacts.complete(artifact.path):
            raise DataError(
                f"the model of round {number} of run {self.name} was removed by harness clean",
                hint=f"harness iterate --reopen {number} trains it again, and decides that round "
                "and all later ones again",
            )
        checkpoint = from_json(Checkpoint, artifact.facts["checkpoint"])
        checkpoint = as_allowed(checkpoint, self._run.config)
        return dataclasses.replace(checkpoint, path=str(artifact.path), digest=artifact.digest)

    def models(self, numbers: Sequence[int], report: Report = silent) -> RoundModels:
        """The base model and those of these rounds, to answer any prompts.

        Raises:
            UsageError, DataError: as :meth:`model` does; the base model is another one by now.
            EnvironmentFailure: the base model is not where the run's config says.
        """
        trained = {number: self.model(number) for number in numbers}
        return RoundModels(self._run, trained, report)

    def pool(self, numbers: Sequence[int], otherwise: str = "") -> PoolModels:
        """The models of these rounds, to answer rows of the pool; see :class:`PoolModels`."""
        return PoolModels(self._run, numbers, otherwise)

    @contextlib.contextmanager
    def branches(self, watcher: Watcher | None = None) -> Iterator[Branches]:
        """The run for whoever tries something beside its rounds; nobody else works on it meanwhile.

        What branches are trained and answer is kept in the run's store, and found again there.

        Args:
            watcher: is told what is being done.

        Raises:
            EnvironmentFailure: another process works on the run.
            DataError: not even its first round is whole.
        """
        run = Run(self._run.config, watcher or Quiet(), name=self.name)
        _, history = replay(self._run)
        with driving(run), run.workers, counting(run.spending):
            yield Branches(Steps(run), history)

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else works on the run meanwhile.

        Raises:
            EnvironmentFailure: another process does; names its PID and host.
        """
        return exclusive(self._run.folder / "lock")

    @functools.cached_property
    def _shown_with(self) -> Registry:
        return plugins_of(self.folder, say)

    @functools.cached_property
    def _installed(self) -> Registry:
        return Registry.build()

    @functools.cached_property
    def _run(self) -> StoredRun:
        return opened(self.name, Quiet())

    @functools.cached_property
    def _steps(self) -> StoredSteps:
        return StoredSteps(self._run)

    @functools.cached_property
    def _rounds(self) -> RoundReader:
        return RoundReader(self.name)

    @functools.cached_property
    def _answered(self) -> dict[int, Answered]:
        return {entry.round: entry for entry in answered(self._run)}

    def _oriented(self, number: int, *, every: bool) -> dict[str, list[float | None]]:
        """Score name -> each dev row's value, turned so that more is better; scored if need be.

        Args:
            every: of all metrics but those that wait for people; False: of the primary score's.
        """
        steps, at, rows = self._steps, At(number), self.rows("dev")
        answers, pinned = self._answers(number), self._steps.pins(at)
        values: dict[str, list[float | None]] = {}
        for entry, metric in zip(steps.config.metrics, steps.metric_entries(), strict=True):
            if not every and steps.config.settings.primary not in metric.score_names:
                continue
            try:
                measured, _ = score(
                    steps, entry, answers.predictions, answers.digest, rows, at,
                    pinned=pinned.get(f"score {entry.name}"),
                )  # fmt: skip
            except Waiting:
                continue
            sign = 1.0 if metric.metric.higher_is_better else -1.0
            for name in metric.score_names:
                own = (row.values.get(name) for row in measured)
                values[name] = [
                    None if value is None or math.isnan(value) else sign * value for value in own
                ]
        return values

    def _answers(self, number: int) -> Answered:
        if number not in self._answered:
            others = ", ".join(map(str, self._answered))
            raise UsageError(f"run {self.name} has no round {number}", hint=f"there are: {others}")
        answered_ = self._answered[number]
        if [p.example_id for p in answered_.predictions] != [row.id for row in self.rows("dev")]:
            raise DataError(
                f"the answers of round {number} are not those to today's rows of dev",
                where=self.name,
                hint="the source gives other rows than before; iterate makes a new run of them",
            )
        return answered_


def open_run(name: str | None = None) -> RunView:
    """A run of this folder; the latest that has answered something where none is named.

    Raises:
        UsageError: none is named, and none has answered anything yet.
    """
    if name is not None:
        return RunView(name)
    latest = max(_answering(), key=lambda path: path.stat().st_mtime, default=None)
    if latest is None:
        raise UsageError("no run of this folder has answered anything yet", hint="harness iterate")
    return RunView(latest.parent.name)


def _answering() -> Iterator[Path]:
    runs = Path(MACHINE_FOLDER) / "runs"
    yield from runs.glob("*/journal.jsonl")
    # Of a run that waits in its first round.
    yield from runs.glob("*/waiting.json")
