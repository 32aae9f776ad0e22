"""The contracts of the stages: one base class per kind of plugin.

A plugin is a class with a ``name``, a nested ``Options`` model and one or two methods. The
config names it, the core validates its options, makes an instance and calls it. Nothing in
this module knows any plugin, and plugins import only ``harness``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from harness.context import Context
from harness.records import (
    Checkpoint,
    Dataset,
    ErrorLabel,
    Example,
    Findings,
    PlanItem,
    Prediction,
    Problem,
    ScoredExample,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from rich.console import Console

    from harness.rubrics import Item, Judgement, Rubric

    Floats = npt.NDArray[np.float64]


class Options(BaseModel):
    """Base of every plugin's options: unknown keys are refused, values are frozen.

    Relative paths in options are relative to the config file; use :class:`pathlib.Path` as
    the type and the core resolves them.
    """

    # A default of 32 for a float has to be 32.0, as it is when it is read from a file: the keys
    # of stages are made of options.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Plugin:
    """What all stages share.

    Attributes:
        name: what the config calls it (lower case, dashes); unique within its stage.
        revision: raise it by hand whenever the same options give other results.
        libraries: the distributions whose versions make its results, as ``("sacrebleu",)``: a
            result made under another version is not the same. None stands for the distribution
            that the plugin comes from; name it too where it counts beside others.
        known_as: what others call such a plugin; a config that does so is told the name.
        synonyms: what others call an option -> its name here, told likewise.
    """

    stage: ClassVar[str] = ""
    name: ClassVar[str] = ""
    revision: ClassVar[int] = 1
    libraries: ClassVar[Sequence[str] | None] = None
    known_as: ClassVar[Sequence[str]] = ()
    synonyms: ClassVar[Mapping[str, str]] = {}

    class Options(Options):
        pass

    options: Any

    def __init__(self, options: Any = None) -> None:
        self.options = self.Options() if options is None else options

    def inputs(self) -> Sequence[Path]:
        """Files that the results depend on; their content becomes part of the stage's key.

        What options of the type :class:`pathlib.Path` name counts by content all the same; a
        place to write to is a ``str``.
        """
        return ()

    def environment(self) -> Mapping[str, str]:
        """What of this machine makes the results of a trainer or generator.

        As ``{"device": "cuda 9.0", "dtype": "bfloat16"}``. It may import what the work imports:
        it is asked in a process of its own, and only before something is made.
        """
        return {}

    def growing(self) -> Sequence[Path]:
        """The same for files that people add to while the run goes on, such as ratings.

        They are part of a stage's key, and not of the run's: the run stays the same one.
        """
        return ()

    def check(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """What can be known before anything heavy is loaded: asked by ``harness check``.

        ``harness iterate`` asks too, before it begins. Take a second at most, import nothing
        heavy, change nothing. What cannot be known here is ``unknown``, never left out. Whatever
        it raises is told, and stops nothing.

        Args:
            settings: the whole config with every default, as ``harness config show`` prints it
                (paths are whole). An entry that cannot be read is not in it.
        """
        return ()


class Source(Plugin):
    """Gives the examples. ``split`` is set on each; ``valid`` may be missing: the core cuts it."""

    stage = "source"

    def load(self, context: Context) -> Iterable[Example]:
        """All examples of the data set.

        Raises:
            harness.errors.DataError: something in the data cannot be used.
        """
        raise NotImplementedError


class Model(Plugin):
    """Gives the untouched model."""

    stage = "model"

    def fetch(self, context: Context) -> Checkpoint:
        """A checkpoint of kind ``base`` whose ``path`` stays where it is (a cache, a folder).

        Raises:
            harness.errors.EnvironmentFailure: it cannot be had here.
        """
        raise NotImplementedError


class Trainer(Plugin):
    """Learns from the ``train`` rows. Runs in a job of its own.

    Attributes:
        produces: kind of the checkpoint that it returns.
    """

    stage = "trainer"
    produces: ClassVar[str] = "adapter"

    def loading(self) -> Mapping[str, Any]:
        """How it loads the untouched model, where that changes what the model computes.

        As ``{"quantization": "4bit"}``: JSON scalars that the core puts into the ``info`` of the
        base checkpoint and into its digest. Round 0 and every later answer then come from the
        model as it is trained, and need no more memory than training does.
        """
        return {}

    def train(
        self,
        base: Checkpoint,
        train: Sequence[Example],
        valid: Sequence[Example],
        context: Context,
    ) -> Checkpoint:
        """Train from ``base`` and write the files into ``context.output``.

        The returned checkpoint's ``path`` is ``context.output`` and its ``digest`` may be
        empty: the core fills both in after publishing. A ``log.jsonl`` left in the folder
        (``{"step", "epoch", "loss"}`` and ``{"step", "epoch", "eval_loss"}``) is shown.
        """
        raise NotImplementedError


class Generator(Plugin):
    """Answers prompts. Runs in a job of its own.

    Attributes:
        accepts: kinds of checkpoints that it can load.
    """

    stage = "generator"
    accepts: ClassVar[frozenset[str]] = frozenset({"base", "adapter"})

    def generate(
        self, checkpoint: Checkpoint, examples: Sequence[Example], context: Context
    ) -> Iterator[Prediction]:
        """One prediction per example, in any order. References must not be looked at."""
        raise NotImplementedError


class Metric(Plugin):
    """Scores answers.

    The least that a metric defines is :meth:`measure`. What it returns must *add up*: the
    core sums (weighted) statistics over examples and hands them to :meth:`aggregate`, which
    is how intervals and tests come for free.

    Attributes:
        higher_is_better: direction of all its scores.
        bounds: least and greatest possible value.
        right_at: an example whose own value is at least this good counts as right; None if
            the metric cannot say. An option called ``right_at`` overrides it.
        additive: False = no sufficient statistics; override :meth:`corpus`, no interval.
        needs_references: only for ``additive = False``: examples without any are left out.
        by_people: its values are what people said, so nothing is learned by comparing them.
    """

    stage = "metric"
    higher_is_better: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    right_at: ClassVar[float | None] = None
    additive: ClassVar[bool] = True
    needs_references: ClassVar[bool] = False
    by_people: ClassVar[bool] = False

    def score_names(self) -> Sequence[str]:
        """Names of the scores, in the order of :meth:`aggregate`'s last axis."""
        return (self.name,)

    def signature(self) -> str:
        """What a reader needs to compare the numbers: name, version, options."""
        options = self.options.model_dump(mode="json")
        settings = "|".join(f"{key}:{value}" for key, value in sorted(options.items()))
        return f"{self.name}|rev:{self.revision}" + (f"|{settings}" if settings else "")

    def ready(self, pairs: Sequence[tuple[Prediction, Example]]) -> None:
        """Told of all answers to a split before any of them is measured.

        Raises:
            Waiting: the metric needs people first.
            EnvironmentFailure: what it needs cannot be had here.
        """

    @staticmethod
    def progress(done: int, total: int, what: str) -> None:
        """Where :meth:`ready` says how far it is, if it takes long; the core sets it.

        Raises:
            Cancelled: the user pressed Ctrl-C.
        """

    def beside(
        self,
        own: Sequence[tuple[Prediction, Example]],
        others: Sequence[tuple[Prediction, Example]],
    ) -> Metric:
        """The metric that measures ``own`` answers for a comparison with ``others``.

        Mostly itself. Where people rate, only those who rated both answers can compare them; its
        :meth:`ready` may wait for such ratings.
        """
        return self

    def measure(self, prediction: Prediction, example: Example) -> float | Sequence[float] | None:
        """The example's sufficient statistics; None = not scored (never use 0 for that).

        Whatever it raises leaves this example unscored, with the reason recorded.
        """
        raise NotImplementedError

    def measure_all(
        self, pairs: Sequence[tuple[Prediction, Example]]
    ) -> Iterable[float | Sequence[float] | None]:
        """Statistics of many examples at once; override where a batch is faster.

        The core hands over blocks, perhaps to several processes: an example's statistics must
        not depend on which others are in its block.

        If it raises, the core falls back to :meth:`measure` for each, to find the culprit.
        """
        return [self.measure(prediction, example) for prediction, example in pairs]

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """Scores from weighted sums of statistics.

        Args:
            sums: ``(..., k)``: sums over examples of weight x statistic.
            weights: ``(...)``: sums of the weights.

        Returns:
            ``(..., m)`` with ``m = len(score_names())``; the default is the weighted mean.
        """
        return sums / weights[..., None]

    def values(self, statistics: Floats) -> Floats:
        """Each example's own scores ``(n, m)`` from its statistics ``(n, k)``."""
        import numpy as np

        return self.aggregate(statistics, np.ones(len(statistics)))

    def corpus(self, pairs: Sequence[tuple[Prediction, Example]]) -> Mapping[str, float]:
        """Only for ``additive = False``: score name -> value of the whole set."""
        raise NotImplementedError

    def caveat(self) -> str:
        """A word or two that stands beside its scores wherever they are shown (*uncalibrated*).

        Empty where the scores can be taken as they are. Nobody is asked for it.
        """
        return ""

    def remarks(self, pairs: Sequence[tuple[Prediction, Example]]) -> Sequence[str]:
        """What a reader of these scores has to know, in sentences with counts.

        Shown beside the scores, as "the tokenizer drops most of 12 of 200 texts".
        """
        return ()


class Detector(Plugin):
    """Names the kinds of errors that one answer shows."""

    stage = "detector"

    def prepare(self, train: Sequence[Example]) -> None:
        """Called before a round's answers are looked at: the rows that its model has learned.

        Empty for the untouched model. What was kept of an earlier call must be forgotten.
        """

    def categories(self) -> Mapping[str, str]:
        """Category -> one-line definition."""
        raise NotImplementedError

    def malformed(self) -> Collection[str]:
        """The categories that mean that an answer has not the form that was asked for.

        Where answers that show one of them no more carry most of a gain, the verdict says so.
        """
        return ()

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """Labels of one answer; several may hold."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an analyzer sees of a round.

    Attributes:
        scored: every dev example with its values.
        score: name of the primary score (a key of ``ScoredExample.values``).
        higher_is_better: its direction.
        labels: what the detectors found.
        right: example id -> whether the answer counts as right; None = cannot be said.
        base: the untouched model's answers to the same examples (empty in round 0).
        base_right: the same as ``right``, of the untouched model.
        train: the rows that the model of this round has learned (empty in round 0).
        seed: the run's, equal in all of its rounds.
    """

    scored: tuple[ScoredExample, ...]
    score: str
    higher_is_better: bool
    labels: tuple[ErrorLabel, ...] = ()
    right: Mapping[str, bool | None] = field(default_factory=dict)
    base: tuple[ScoredExample, ...] = ()
    base_right: Mapping[str, bool | None] = field(default_factory=dict)
    train: tuple[Example, ...] = ()
    seed: int = 0


class Analyzer(Plugin):
    """Finds where the model is weak. Returns aggregates only, never texts of dev."""

    stage = "analyzer"

    def causes(self) -> Mapping[str, tuple[str, str, bool]]:
        """Cause -> definition, remedy, and whether new data can cure it: its diagnoses' causes."""
        return {}

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        raise NotImplementedError


class Augmenter(Plugin):
    """Proposes training rows for one item of the plan.

    Attributes:
        remedy: what the report calls it.
        draws_from: splits without a row of which it can propose nothing.
        moves: whether each row of these is proposed once at most, so that they run out.
    """

    stage = "augmenter"
    remedy: ClassVar[str] = "add rows"
    draws_from: ClassVar[Sequence[str]] = ()
    moves: ClassVar[bool] = False

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        """Rows for ``item`` (its slice, or anything where ``item.slice`` is None), lazily.

        The core takes rows until the item's budget of *accepted* rows is met; so yield the
        best first, and more than the budget. ``data`` holds only train and pool. A row that
        is moved from the pool keeps its id; a new one gets an id of its own and ``parent``.
        The core sets ``split`` and ``origin``.
        """
        raise NotImplementedError


class Reporter(Plugin):
    """Writes a report from the analysis document (see ``docs/analysis.md``)."""

    stage = "reporter"

    def write(self, document: Mapping[str, Any], folder: Path) -> Sequence[Path]:
        """Write into ``folder`` and return the files written.

        The folder may hold an earlier report: ``harness.write_text(path, text)`` replaces a file
        whole or not at all.
        """
        raise NotImplementedError

    def show(self, document: Mapping[str, Any], console: Console) -> bool:
        """Print the report for a person at a terminal.

        Returns:
            False if this reporter only writes files (the default).
        """
        return False


class Section(Plugin):
    """A section of one's own in every report: a table under a title.

    Attributes:
        title: its heading.
    """

    stage = "section"
    title: ClassVar[str] = ""

    def rows(self, document: Mapping[str, Any], database: Path) -> Sequence[Mapping[str, Any]]:
        """The rows of the table; all have the keys of the first, whose order is the columns'.

        Args:
            document: the analysis so far (see ``docs/analysis.md``).
            database: the run's ``run.duckdb``; ``harness.query(database, sql)`` asks it.
        """
        raise NotImplementedError


class Judge(Plugin):
    """A model that rates items by a rubric, as raters do.

    What it says is kept apart from what people say, and is called *uncalibrated* until enough
    ratings by people agree with it.
    """

    stage = "judge"

    def signature(self) -> str:
        """What decides what it says (the model above all); judgements are kept by it."""
        options = self.options.model_dump(mode="json")
        settings = "|".join(f"{key}:{value}" for key, value in sorted(options.items()))
        return f"{self.name}|rev:{self.revision}" + (f"|{settings}" if settings else "")

    def rate(self, rubric: Rubric, items: Sequence[Item], context: Context) -> Iterator[Judgement]:
        """One judgement for each criterion that is asked of each item, in any order.

        Each is kept as soon as it is yielded. A criterion of which the model says nothing that
        can be read has a judgement with an ``error``, never a value. What could not be asked
        (a service that fails) is left out, and told at the end by raising.

        Raises:
            harness.errors.EnvironmentFailure: some items could not be judged.
        """
        raise NotImplementedError


STAGES: Mapping[str, type[Plugin]] = {
    kind.stage: kind
    for kind in (
        Source, Model, Trainer, Generator, Metric, Detector, Analyzer, Augmenter, Reporter,
        Section, Judge,
    )
}  # fmt: skip
