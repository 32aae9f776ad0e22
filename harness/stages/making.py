"""Stages that give data and answers: source, model, trainer, generator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from harness.context import Context
from harness.errors import UsageError
from harness.records import (
    Checkpoint,
    Example,
    Prediction,
    Rendered,
    Schedule,
)
from harness.stages.base import Plugin


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
    """Gives the base model."""

    stage = "model"

    def fetch(self, context: Context) -> Checkpoint:
        """A checkpoint of kind ``base`` whose ``path`` stays where it is (a cache, a folder).

        Raises:
            harness.errors.EnvironmentFailure: it is not available here.
        """
        raise NotImplementedError

    def at_hand(self) -> bool:
        """Whether :meth:`fetch` needs neither the network nor much time. Loads nothing heavy."""
        return True


class Trainer(Plugin):
    """Learns from the ``train`` rows. Runs in a job of its own.

    Attributes:
        produces: kind of the checkpoint that it returns.
        same_pace: options that change what is learned, and not how long a row takes each time
            that it is learned (``learning_rate``; ``epochs``, which :meth:`schedule` tells of). How
            long a training with other values of these takes is then known from one that was
            measured.
    """

    stage = "trainer"
    produces: ClassVar[str] = "adapter"
    same_pace: ClassVar[Sequence[str]] = ()

    def loading(self) -> Mapping[str, Any]:
        """How it loads the base model, where that changes what the model computes.

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
