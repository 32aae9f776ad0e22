"""Stages that give data and answers: source, model, trainer, generator."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NotRequired

from typing_extensions import TypedDict

from harness.boundary.results import checked, each, refused, returned, short, wrong
from harness.errors import EnvironmentFailure, UsageError
from harness.kit.shares import deal
from harness.records import (
    Checkpoint,
    Example,
    Prediction,
    Rendered,
    Schedule,
)
from harness.records.context import Context
from harness.stages.base import Plugin

MOST_ROWS = 5_000_000
"""Rows of a source, beyond which it is taken for one that does not end."""


class Source(Plugin):
    """Gives the examples. ``split`` is set on each; ``valid`` may be missing: the core cuts it."""

    stage = "source"

    def load(self, context: Context) -> Iterable[Example]:
        """All examples of the data set.

        Raises:
            harness.errors.DataError: something in the data cannot be used.
        """
        raise NotImplementedError


def rows_of(source: Source, context: Context) -> Iterator[Example]:
    """The rows of a source, each with turns and an id of its own.

    Raises:
        PluginError: it gives something else.
    """
    return with_ids(returned(Source.load, source.load(context), most=MOST_ROWS), "load()")


def with_ids(rows: Iterable[Example], call: str) -> Iterator[Example]:
    """The rows; each has a turn, and an id that none before it had."""
    names: set[str] = set()
    for place, row in enumerate(rows, start=1):
        if not row.messages or row.id in names:
            why = "an id that was there before" if row.messages else "no turn in its messages"
            raise refused(f"{call}: item {place} ('{short(row.id)}') has {why}")
        names.add(row.id)
        yield row


class Model(Plugin):
    """Gives the base model."""

    stage = "model"

    def fetch(self, context: Context) -> Checkpoint:
        """A checkpoint of kind ``base`` whose ``path`` stays where it is (a cache, a folder).

        A model without files, as one behind a service, names ``context.output``: nothing is read
        from there.

        Raises:
            harness.errors.EnvironmentFailure: it is not available here.
        """
        raise NotImplementedError

    def at_hand(self) -> bool:
        """Whether :meth:`fetch` needs neither the network nor much time. Loads nothing heavy."""
        return True


def fetched(model: Model, context: Context) -> Checkpoint:
    """The base model that a plugin gives."""
    return returned(Model.fetch, model.fetch(context))


def exercise_model(model: Model, context: Context) -> Checkpoint:
    """All that a model is asked, where it is at hand."""
    if not returned(Model.at_hand, model.at_hand()):
        raise EnvironmentFailure("fetch() needs the network, or much time")
    checkpoint = fetched(model, context)
    if checkpoint.kind != "base":
        raise refused(f"fetch() gives the kind '{checkpoint.kind}', where 'base' is due")
    return checkpoint


class Trainer(Plugin):
    """Learns from the ``train`` rows. Runs in a job of its own.

    Attributes:
        produces: kind of the checkpoint that it returns.
        accepts: kinds of checkpoints that it can start from. In a list under ``train`` it starts
            from what the trainer before it returned.
        same_pace: options that change what is learned, and not how long a row takes each time
            that it is learned (``learning_rate``; ``epochs``, which :meth:`schedule` tells of). How
            long a training with other values of these takes is then known from one that was
            measured.
    """

    stage = "trainer"
    produces: ClassVar[str] = "adapter"
    accepts: ClassVar[frozenset[str]] = frozenset({"base"})
    same_pace: ClassVar[Sequence[str]] = ()

    def loading(self) -> Mapping[str, Any]:
        """How it loads the base model, where that changes what the model computes.

        As ``{"quantization": "4bit"}``: JSON scalars that the core puts into the ``info`` of the
        base checkpoint and into its digest. Round 0 and every later answer then come from the
        model as it is trained, and need no more memory than training does.
        """
        return {}

    def learns(self, row: Example) -> bool:
        """Whether a row has something to learn for it; it is given no other rows.

        By default: not where all that the row has are rejected answers. Known from the options
        alone; loads nothing heavy.
        """
        return bool(row.references) or not row.rejected

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
        (``{"step", "epoch", "loss"}`` and ``{"step", "epoch", "eval_loss"}``) is shown. With
        ``learning_rate`` in the former, and in the latter ``eval_rows`` and ``train_rows`` of the
        same rows every time (``{"of": rows there are, "losses": [sum of each row], "tokens":
        [learned tokens of each]}``), it is said whether the training overfitted. ``"kept": true``
        and ``"stopped": true`` mark the step that was kept, and the one where it was stopped.
        Where ``context.whole_valid`` is set, trainings are compared: the last ``eval_loss`` is
        then to be that of all rows of ``valid`` (or of the same ones in each training). Where
        ``context.limits`` are given besides, the loss on rows of ``valid`` that are the same in
        each training is measured at those shares of the training's steps, told as ``{"step",
        "epoch", "share", "share_loss"}``; above its limit, the training ends there with ``"ended":
        true`` in that line, and what it returns is not used. Optional.
        """
        raise NotImplementedError

    def rendered(
        self, base: Checkpoint, rows: Sequence[Example], context: Context
    ) -> Iterator[Rendered]:
        """The rows as :meth:`train` gives them to the model, one for each, in order. Optional.

        It reads the tokenizer and no weights. A row that training would refuse is told by its
        ``problem``; one without a reference is its prompt alone.

        Raises:
            harness.errors.UsageError: this trainer cannot show rows.
        """
        raise UsageError(
            f"the trainer '{self.name}' cannot show rows as its model sees them",
            hint="a trainer that can has a method rendered()",
        )

    def schedule(self, rows: int) -> Schedule | None:
        """The steps of :meth:`train` over so many rows, known from the options alone. Optional.

        They are those of ``context.progress``. Loads nothing heavy. None: it cannot be said.
        """
        return None


def trainers_in(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries under ``train`` of a config's settings, in the order of their work.

    Args:
        settings: as plugins and reports are given them, with every default.
    """
    entries = settings.get("train") or []
    return [entry for entry in (entries if isinstance(entries, list) else [entries]) if entry]


def learned(trainer: Trainer, rows: Sequence[Example]) -> list[Example]:
    """The rows that have something to learn for it."""
    return [row for row in rows if returned(Trainer.learns, trainer.learns(row))]


def trained(
    trainer: Trainer,
    base: Checkpoint,
    train: Sequence[Example],
    valid: Sequence[Example],
    context: Context,
) -> Checkpoint:
    """What a trainer makes of a checkpoint; its log, where it leaves one, can be read."""
    checkpoint = returned(Trainer.train, trainer.train(base, train, valid, context))
    training_log(context.output / "log.jsonl")
    return checkpoint


def exercise_trainer(
    trainer: Trainer,
    base: Checkpoint,
    train: Sequence[Example],
    valid: Sequence[Example],
    context: Context,
) -> Checkpoint:
    """All that a trainer is asked."""
    train, valid = learned(trainer, train), learned(trainer, valid)
    scheduled(trainer, len(train))
    if type(trainer).rendered is not Trainer.rendered:
        list(rendered(trainer, base, train, context))
    checkpoint = trained(trainer, base, train, valid, context)
    if checkpoint.kind != trainer.produces:
        made = f"train() gives the kind '{checkpoint.kind}'"
        raise refused(f"{made}, where `produces` says {trainer.produces!r}")
    return checkpoint


def rendered(
    trainer: Trainer, base: Checkpoint, rows: Sequence[Example], context: Context
) -> Iterator[Rendered]:
    """The rows as a trainer shows them, one for each, in order."""
    renderings = iter(returned(Trainer.rendered, trainer.rendered(base, rows, context)))
    for row in rows:
        what, shown = f"rendered() of '{short(row.id)}'", next(renderings, None)
        if shown is None:
            raise refused(f"{what} is missing")
        if shown.id != row.id:
            raise refused(f"{what} has the id '{short(shown.id)}'")
        if not 0 <= shown.cut <= len(shown.tokens) == len(shown.trained):
            sizes = f"{len(shown.tokens)} tokens, {len(shown.trained)} trained, {shown.cut} cut"
            due = "one truth value for each token, and no more cut than there are"
            raise refused(f"{what} has {sizes}, where {due} is due")
        yield shown


def scheduled(plugin: Trainer | Generator, rows: int) -> Schedule | None:
    """What a trainer or generator says of its steps over so many rows."""
    schedule = returned(Trainer.schedule, plugin.schedule(rows))
    if schedule is not None and (schedule.steps < 0 or schedule.passes <= 0):
        what = f"schedule() gives {schedule.steps} steps, {schedule.passes} passes"
        due = "no negative number of steps, and more than no pass"
        raise refused(f"{what}, where {due} is due")
    return schedule


class _RowLosses(TypedDict):
    """Losses of single rows, each in sum over its tokens; see :meth:`Trainer.train`."""

    losses: list[float]
    tokens: list[float]
    of: NotRequired[int | None]


class _LogLine(TypedDict, total=False):
    """What is read of a line of ``log.jsonl``."""

    step: float | None
    epoch: float | None
    loss: float | None
    eval_loss: float | None
    learning_rate: float | None
    share: float | None
    share_loss: float | None
    eval_rows: _RowLosses | None
    train_rows: _RowLosses | None


def training_log(path: Path) -> list[Mapping[str, Any]]:
    """The lines of a trainer's ``log.jsonl``; empty where there is none.

    Raises:
        PluginError: a line is something else than :meth:`Trainer.train` says.
    """
    lines: list[Mapping[str, Any]] = []
    for place, line in enumerate(path.read_bytes().split(b"\n") if path.exists() else (), start=1):
        if not line.strip():
            continue
        what = f"log.jsonl, line {place}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            due = 'an object such as {"step": 1, "epoch": 0.5, "loss": 2.1}'
            raise refused(f"{what} is no JSON, where {due} is due") from None
        checked(_LogLine, value, what)
        for name in ("eval_rows", "train_rows"):
            if (rows := value.get(name)) is None:
                continue
            losses, tokens = rows["losses"], rows["tokens"]
            if len(losses) != len(tokens) or min(tokens, default=0) <= 0:
                due = "as many losses as tokens, each of one token or more"
                raise wrong(f"{what}: {name}", rows, due)
        lines.append(value)
    return lines


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

    def holds_both(self) -> bool:
        """Whether one process of it answers for two checkpoints (:meth:`generate_both`). Optional.

        Where answers depend on the process that gives them, as those of a server may, both sides of
        a verdict come from one then. Known from the options alone.
        """
        return False

    def generate_both(
        self,
        checkpoints: tuple[Checkpoint, Checkpoint],
        examples: Sequence[Example],
        context: Context,
    ) -> Iterator[tuple[int, Prediction]]:
        """Answers of two checkpoints in one pass of one process, their rows interleaved. Optional.

        Yields:
            0 or 1 for the checkpoint, with its answer: one for each example, in any order.
        """
        raise NotImplementedError

    def asked_again(self) -> int:
        """Rows that the base model is asked again for each verdict, in a process of its own.

        Optional: 0 where a prompt is answered alike in each process, or where one process answers
        both sides. Where the scores of the rows are shown to be others than before, there is no
        verdict. Known from the options alone.
        """
        return 0

    def losses(
        self, checkpoint: Checkpoint, texts: Sequence[str], context: Context
    ) -> Iterable[tuple[float, int]]:
        """How well a checkpoint predicts each text, in order. Optional.

        Runs in a job of its own, as :meth:`generate` does. A text is read as it is, without a chat
        template; of one that is longer than the model's context the beginning counts.

        Returns:
            For each text the sum of the negative log likelihood (nats) over its predicted tokens,
            and their number: 0 where nothing is predicted, as in an empty text.
        """
        raise NotImplementedError

    def answer_losses(
        self, checkpoint: Checkpoint, rows: Sequence[Example], context: Context
    ) -> Iterable[Sequence[float]]:
        """How well a checkpoint predicts the first reference of each row, in order. Optional.

        Runs in a job of its own. Prompt and reference are laid out as for training.

        Returns:
            For each row the negative log likelihood (nats) of each token of its reference, the end
            of the turn included; nothing where the row is longer than the model's context.
        """
        raise NotImplementedError

    def jobs(self) -> int:
        """Jobs that share the prompts of a pass, each on a worker of its own. Optional: 1.

        Known from the options alone. Where the others of a batch decide an answer,
        :meth:`environment` says their number too, so that they name the answers.
        """
        return 1

    def brief(self, tokens: int) -> Generator | None:
        """This generator for short answers: the likeliest tokens, at most so many. Optional.

        Of the same class, with other options. None: it has no such answers.
        """
        return None

    def schedule(self, rows: int) -> Schedule | None:
        """The steps (batches) in which so many prompts are answered. Optional.

        Known from the options alone; loads nothing heavy. None: it cannot be said.
        """
        return None


Loss = tuple[float | None, int]
"""Sum of the negative log likelihood over a text's predicted tokens, None where that is no finite
number; and the number of these tokens."""


def answered(
    generator: Generator, checkpoint: Checkpoint, examples: Sequence[Example], context: Context
) -> list[Prediction]:
    """One prediction for each example, in the order of the examples."""
    predictions = generator.generate(checkpoint, examples, context)
    return in_order(returned(Generator.generate, predictions), examples)


def answered_both(
    generator: Generator,
    checkpoints: tuple[Checkpoint, Checkpoint],
    examples: Sequence[Example],
    context: Context,
) -> list[list[Prediction]]:
    """The same of two checkpoints, asked in one pass."""
    answers = generator.generate_both(checkpoints, examples, context)
    sides: list[list[Prediction]] = [[], []]
    for side, prediction in returned(Generator.generate_both, answers):
        if side not in (0, 1):
            raise wrong("generate_both()", side, "0 or 1, and an answer")
        sides[side].append(prediction)
    return [in_order(predictions, examples) for predictions in sides]


def in_order(predictions: Iterable[Prediction], examples: Sequence[Example]) -> list[Prediction]:
    """One prediction for each example, in the order of the examples.

    The first that was not asked for ends it, so that a plugin without an end does not hang.
    """
    asked = {row.id for row in examples}
    by_id: dict[str, Prediction] = {}
    for prediction in predictions:
        name = prediction.example_id
        if name in by_id:
            raise refused(f"it answered '{short(name)}' twice")
        if name not in asked:
            raise refused(f"it answered '{short(name)}', which it was not asked")
        by_id[name] = prediction
    if missing := [row.id for row in examples if row.id not in by_id]:
        of_all = f"{len(missing)} of {len(examples)} prompts"
        raise refused(f"it left {of_all} unanswered, first '{short(missing[0])}'")
    return [by_id[row.id] for row in examples]


def exercise_generator(
    generator: Generator, checkpoint: Checkpoint, examples: Sequence[Example], context: Context
) -> list[Prediction]:
    """All that a generator is asked, where it takes such a checkpoint."""
    if checkpoint.kind not in generator.accepts:
        raise EnvironmentFailure(f"it takes no checkpoint of the kind '{checkpoint.kind}'")
    scheduled(generator, len(examples))
    predictions = answered(generator, checkpoint, examples, context)
    if holds_both(generator):
        answered_both(generator, (checkpoint, checkpoint), examples, context)
    rows_asked_again(generator)
    shares_of(generator, examples)
    if type(generator).losses is not Generator.losses:
        losses_of(generator, checkpoint, [row.prompt for row in examples], context)
    if type(generator).answer_losses is not Generator.answer_losses:
        # What was asked has no references, and a loss needs one.
        rows = [replace(row, references=(row.prompt,)) for row in examples]
        answer_losses_of(generator, checkpoint, rows, context)
    return predictions


def holds_both(generator: Generator) -> bool:
    """Whether one process of it answers both sides of a verdict."""
    return returned(Generator.holds_both, generator.holds_both())


def shares_of(generator: Generator, examples: Sequence[Example]) -> list[list[int]]:
    """The places of the examples for each of the jobs that share them."""
    count = returned(Generator.jobs, generator.jobs())
    if count < 1:
        raise wrong("jobs()", count, "a count of jobs, 1 or more")
    sizes = [len(row.prompt) for row in examples]
    return [share for share in deal(sizes, min(count, max(1, len(sizes)))) if share]


def rows_asked_again(generator: Generator) -> int:
    """How many rows of the base model are asked again for a verdict."""
    count = returned(Generator.asked_again, generator.asked_again())
    if count < 0:
        raise wrong("asked_again()", count, "a count of rows")
    return count


NO_LOSSES = "the generator '{}' has no losses(), so the loss on general text cannot be measured"


def measures_losses(generator: Generator) -> bool:
    """Whether a generator says how well a model predicts a text."""
    return type(generator).losses is not Generator.losses


def losses_of(
    generator: Generator, checkpoint: Checkpoint, texts: Sequence[str], context: Context
) -> list[Loss]:
    """How well a checkpoint predicts each text.

    A loss that is no finite number is what a generator says of a model that is broken: it is None.
    """
    losses: list[Loss] = []
    # One more than is due is enough to see that there are too many.
    results = itertools.islice(
        each(generator.losses(checkpoint, texts, context), "losses()", "(loss, tokens)"),
        len(texts) + 1,
    )
    for place, value in enumerate(results, start=1):
        what = f"losses(): text {place}"
        if isinstance(value, (tuple, list)) and len(value) == 2 and _broken(value[0]):
            losses.append((None, checked(int, value[1], what)))
            continue
        loss, tokens = checked(tuple[float, int], value, what)
        if tokens < 0:
            raise wrong(what, tokens, "a count of tokens")
        losses.append((float(loss), tokens))
    if len(losses) != len(texts):
        raise refused(f"losses() gives {len(losses)} results for {len(texts)} texts")
    return losses


def answer_losses_of(
    generator: Generator, checkpoint: Checkpoint, rows: Sequence[Example], context: Context
) -> list[Sequence[float]]:
    """How well a checkpoint predicts the first reference of each row, token by token.

    Raises:
        PluginError: it gives something else, or a loss is no finite number.
    """
    results = generator.answer_losses(checkpoint, rows, context)
    losses = list(returned(Generator.answer_losses, results, most=len(rows)))
    if len(losses) != len(rows):
        raise refused(f"answer_losses() gives {len(losses)} results for {len(rows)} rows")
    return losses


def _broken(loss: object) -> bool:
    return isinstance(loss, float) and not math.isfinite(loss)
