"""What is said while a run waits for ratings."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import Example, Rubric
from harness_rating.batches.records import Batch
from harness_rating.ratings.by_answer import AnswerPairs, shows
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric_scores import Pairs


@dataclass(frozen=True, slots=True)
class CurrentBatches:
    """The batches in which raters are asked about these answers already.

    Attributes:
        open: name -> items that raters have still before them, all raters together.
        skipped: items that somebody skipped.
        examples: of the largest of these batches.
    """

    open: Mapping[str, int]
    skipped: int = 0
    examples: int = 0

    @property
    def words(self) -> str:
        """What stands in their way, behind "... are waited for"."""
        if any(self.open.values()):
            counts = ", ".join(f"{count} of {name}" for name, count in self.open.items() if count)
            return f"; still to be rated: {counts}"
        if not self.skipped:
            return ""
        items = "1 item was" if self.skipped == 1 else f"{self.skipped} items were"
        return f"; {items} skipped, and can be gone back to"


def current_batches(
    folder: RatingsFolder, rubric: Rubric, answers: Pairs, pairs: AnswerPairs | None
) -> CurrentBatches:
    """The batches by this rubric that show these answers, or with ``pairs`` both of each pair."""
    texts = {row.id: answer.text for answer, row in answers}
    open_items: dict[str, int] = {}
    skipped = examples = 0
    for batch in folder.by_rubric(rubric):
        is_current = _shows(batch, texts) if pairs is None else shows(batch, pairs)
        if not is_current:
            continue
        states = [folder.state(batch, rater) for rater in batch.raters]
        open_items[batch.name] = sum(state.count("open") for state in states)
        skipped += sum(state.count("skipped") for state in states)
        names = {placing.example_id for placing in batch.placings.values()}
        examples = max(examples, len(names))
    return CurrentBatches(open_items, skipped, examples)


def _shows(batch: Batch, texts: Mapping[str, str]) -> bool:
    """Whether each of the batch's examples is there with its present answer."""
    examples = {placing.example_id for placing in batch.placings.values()}
    shown = {
        batch.placings[item.id].example_id
        for item in batch.items
        if texts.get(batch.placings[item.id].example_id) in item.answers
    }
    return examples == shown


def lacking(rated: Sequence[Example], rows: Sequence[Example]) -> str:
    """How many answers a verdict takes, while those that are rated carry none but all would."""
    from harness.stats.decision import MIN_GROUPS

    groups_rated = {row.group or row.id for row in rated}
    groups = {row.group or row.id for row in rows}
    if len(groups_rated) >= MIN_GROUPS or len(groups) < MIN_GROUPS:
        return ""
    return f" (a verdict needs answers from {MIN_GROUPS} groups of rows or more)"


def commands(
    rubric: Path, batches: CurrentBatches, rated: int, wanted: int, most: int
) -> list[str]:
    """What raters run next: go on with what is open, or make a batch that is large enough.

    Args:
        most: answers that there are.
    """
    names = [name for name, count in batches.open.items() if count]
    if not names and batches.examples >= most:
        names = list(batches.open)  # no draw can be larger: what was skipped is left
    if names:
        return [f"harness rate serve {name}" for name in names]
    # The same draw goes on: a larger one holds the smaller one's examples.
    n = wanted
    if batches.examples:
        n = max(wanted, batches.examples + wanted - rated)
    n = min(most, n)
    path = shlex.quote(_as_typed(rubric))
    return [
        f"harness rate create --rubric {path} --run RUN --round ROUND [--vs KEPT] -n {n} "
        "--raters NAME",
        "harness rate serve",
    ]


def _as_typed(path: Path) -> str:
    """A path as a person would type it here."""
    whole = str(path.resolve())
    try:
        return min(os.path.relpath(whole), whole, key=len)
    except ValueError:  # another drive
        return whole
