"""What is counted of dev: a run that chooses by its rows looks at them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.numbers import counted
from harness.kit.text import one_line
from harness.records import Example
from harness.run import dev_ledger
from harness.run.row_keys import overlapping, row_keys
from harness.steps import Steps


def count_choosing(steps: Steps, dev: Sequence[Example]) -> None:
    """Count that the run is about to judge a round on these rows.

    A loop beside the rounds judges on the rows on which its run has judged already.

    Raises:
        DataError: the ledger of what was judged on dev cannot be read.
    """
    if steps.run.counts:
        dev_ledger.count(steps.run.machine, row_keys(dev), steps.run.name)


def note_opened(steps: Steps, dev: Sequence[Example]) -> None:
    """Note that these rows of dev were opened as a test set, by another run.

    Raises:
        DataError: a ledger cannot be read.
    """
    run = steps.run
    if not run.counts:
        return
    openings = run.ledger.openings()
    dev_ledger.check(run.machine)
    same = overlapping(row_keys(dev), [opening.rows for opening in openings])
    others = [
        opening.who for opening, is_same in zip(openings, same, strict=True)
        if is_same and not f"{opening.who} ".startswith(f"{run.name} ")
    ]  # fmt: skip
    if others:
        steps.note(
            "These rows of dev, or a tenth of them, were opened as a test set "
            f"{counted(len(others), 'time')} in this folder, last by {one_line(others[-1])}. "
            "Each run that chooses by them counts as one more opening of that test set."
        )
