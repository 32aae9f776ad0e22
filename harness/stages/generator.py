"""The stage that answers prompts: generator."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from harness.boundary.results import checked, each, refused, returned, short, wrong
from harness.errors import EnvironmentFailure
from harness.kit.forms import is_form
from harness.kit.shares import deal
from harness.records import (
    Checkpoint,
    Example,
    Form,
    Prediction,
    Schedule,
)
from harness.records.context import Context
from harness.stages.base import Plugin
from harness.stages.schedule import scheduled


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

    def form(self) -> Form | None:
        """What the options hold answers to. Optional: None, nothing.

        Raises:
            harness.errors.ConfigError: a file that says it cannot be read.
        """
        return None

    def held_to(self, form: Form) -> Generator | None:
        """This generator with answers held to a form. Optional.

        Of the same class, with other options. None: it cannot hold answers to one.

        Raises:
            harness.errors.EnvironmentFailure: what it needs for that is not installed.
            harness.errors.ConfigError: it knows no such schema.
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


def form_of(generator: Generator) -> Form | None:
    """What a generator holds answers to."""
    return checked_form(generator.form())


def checked_form(form: object) -> Form | None:
    """What a plugin's ``form()`` gave, once it is a form or None."""
    if form is not None and not is_form(form):
        raise wrong("form()", form, "texts that differ, a JSON Schema, or None")
    return form


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
