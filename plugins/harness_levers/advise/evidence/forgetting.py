"""Did the model lose what it could do beside the task?"""

from __future__ import annotations

from collections.abc import Iterator

from harness.kit.numbers import signed
from harness_levers.advise.options import Option
from harness_levers.advise.run import Run

SHARE, MOST_SHARE = 0.2, 0.5
"""Share of general rows that is proposed first, and the largest one."""
MEASURED = (
    "in the default task a fifth of general rows (`replay: 0.2`) kept 86 % of the instructions "
    "that were answered right before, at 0.743 on dev (5 draws of rows); without them 32 % were "
    "left, at 0.708 (3 of the draws)"
)
"""Stands in the page *Forgetting* of the docs."""


def replay(run: Run) -> Iterator[Option]:
    """General rows beside those of the task, where something is shown to be lost."""
    lost = tuple(_lost(run))
    if not lost:
        return
    last = run.rounds[-1]
    general = last.replayed
    share = round(general / (general + last.train_rows), 1) if general else 0.0
    wanted = SHARE if share < SHARE else min(2 * share, MOST_SHARE)
    if wanted <= share:
        yield Option(
            lever="replay", state="likely",
            action="train less: a lower learning rate, fewer epochs or a smaller r",
            evidence=(*lost, f"of its training rows, {100 * share:.0f} % are general ones already"),
        )  # fmt: skip
        return
    yield Option(
        lever="replay", state="likely",
        action=f"train on general rows beside those of the task, {100 * wanted:.0f} % of all",
        evidence=(*lost, *(() if share else (MEASURED,))),
        seconds=(len(run.rounds) - 1) * run.seconds_of_one / (1 - wanted),
        command=run.command(f"replay={wanted:g}", another=True),
    )  # fmt: skip


def _lost(run: Run) -> Iterator[str]:
    """What is shown to be lost, a sentence each."""
    forgot = run.document.forgot
    if not forgot:
        return
    if answers := forgot.instructions:
        right = f"{answers.after} of {answers.n} general instructions right"
        yield f"round {forgot.round} answers {right}, the base model {answers.before}"
    loss = forgot.loss
    if loss and loss.before is not None and loss.after is not None:
        rise = signed(loss.after - loss.before, 3)
        yield f"round {forgot.round} predicts general text worse: {rise} nats per token"
