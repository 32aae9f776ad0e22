"""The stage that learns from the rows of train: trainer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NotRequired

from typing_extensions import TypedDict

from harness.boundary.results import checked, refused, returned, short, wrong
from harness.errors import UsageError
from harness.records import (
    Checkpoint,
    Choice,
    Example,
    Rendered,
    Schedule,
)
from harness.records.context import STEPS, Context
from harness.stages.base import Plugin
from harness.stages.schedule import scheduled


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

    def choice(self) -> Choice | None:
        """Whether the run chooses what is kept of a training, by the primary score on valid.

        :meth:`train` leaves the checkpoints to choose from beside its own files, each whole in the
        folder that ``context.leave(step)`` gives, the last one included. The run's
        generator answers rows of valid with each of them, and the best one takes the place of
        what :meth:`train` returned. Known from the options alone. None: that is kept. Optional.
        """
        return None


def choice_of(trainer: Trainer) -> Choice | None:
    """What a trainer says of checkpoints to choose from."""
    choice = returned(Trainer.choice, trainer.choice())
    if choice is not None and (choice.checks < 1 or choice.rows < 1):
        what = f"choice() gives {choice.checks} checkpoints, {choice.rows} rows"
        raise refused(f"{what}, where at least one of each is due")
    return choice


def left_steps(folder: Path) -> list[int]:
    """The steps whose checkpoints a training left in its output.

    Raises:
        PluginError: it left none.
    """
    names = sorted(path.name for path in (folder / STEPS).glob("*") if path.is_dir())
    steps = sorted(int(name) for name in names if name.isascii() and name.isdigit())
    if not steps or len(steps) < len(names):
        shown = ", ".join(short(name) for name in names[:4]) or "nothing"
        due = "a checkpoint in a folder for each step, such as steps/120, is due"
        raise refused(f"train() leaves {shown} in {STEPS}/, where {due}")
    return steps


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
    if choice_of(trainer) is not None:
        left_steps(context.output)
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
    score: float | None
    score_rows: int | None
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
