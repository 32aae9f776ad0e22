"""What models that have not learned a row lose on answers to it: rows held out in turn."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import harness

Losses = Sequence[float]
"""Nats, token by token; empty where the row is longer than the model's context."""


def out_of_fold(
    run: harness.Branches,
    rows: Sequence[harness.Example],
    variants: Mapping[str, Sequence[harness.Example]],
    folds: int,
) -> dict[str, list[Losses]]:
    """Id of each row -> the losses on its variants, by a model that was not trained on the row.

    What belongs together, by group or by lineage, is held out together.

    Args:
        variants: id of each row -> what the model is asked about it: its prompt with answers, its
            answer under prompts.

    Raises:
        DataError: there are fewer groups than folds.
        UsageError: the run's generator cannot say how well a model predicts an answer.
    """
    seed = run.variants.seed
    parts = harness.in_parts(rows, folds, seed)
    if not all(parts):
        raise harness.DataError(
            f"the rows of train have fewer than {folds} groups, so they cannot be held out in "
            f"{folds} parts",
            hint="fewer --folds, or rows in more groups",
        )
    branch = run.branch({}, "suspects", where="data suspects", split="valid")

    def measured(number: int) -> dict[str, list[Losses]]:
        """Of the rows of one part, by a model that learned the others."""
        held = [row for row in rows if row.id in parts[number]]
        learned = [row for row in rows if row.id not in parts[number]]
        of_part = branch.part(f"part {number + 1} of {folds} held out")
        trained = of_part.train(learned, held)
        asked = [variant for row in held for variant in variants[row.id]]
        answered = iter(of_part.losses(trained, asked))
        return {row.id: [next(answered) for _ in variants[row.id]] for row in held}

    losses: dict[str, list[Losses]] = {}
    for part_losses in run.side_by_side(
        [functools.partial(measured, number) for number in range(folds)]
    ):
        losses |= part_losses
    return losses
