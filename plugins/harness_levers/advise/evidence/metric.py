"""Does the primary score say what it is meant to say?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from harness.kit.text import one_line
from harness_levers.advise.options import Option
from harness_levers.advise.run import Run

READ = 40
"""Answers that people would rate first."""
NAME = 60
CREATE = "harness rate create --rubric everyday --raters NAME"


def metric(run: Run) -> Iterator[Option]:
    """Let people judge the answers, where the best round is at the level of references.

    *Likely* where the two are shown to differ by less than ``worth``, *open* where the round is
    better than a reference. There is no gain to expect: it would be told in the very score that is
    in doubt.
    """
    evidence, equal = _level(run)
    if evidence:
        yield Option(
            lever="metric", state="likely" if equal else "open",
            action=f"let people rate answers: '{one_line(run.primary, NAME)}' may no longer tell "
            "which are better",
            evidence=(evidence,), command=f"{CREATE} --round {run.kept} -n {READ}", read=READ,
            urgency=1,
        )  # fmt: skip


def ratings(run: Run) -> Iterator[Option]:
    """Ask for more ratings where less than half of what was to be rated is.

    *Likely* where the primary score is made from them: whatever gain is told rests on few. Batches
    of other rows than dev, or to find errors, decide nothing.
    """
    batches = [
        row
        for row in run.document.tables.get("rated", ())
        if row["split"] == "dev" and row["verdicts"] and 0 < row["rated"] < row["items"]
    ]
    if not batches or 2 * batches[-1]["rated"] >= batches[-1]["items"]:
        return
    last = batches[-1]
    yield Option(
        lever="ratings", state="likely" if run.document.by_people else "open",
        action="rate more answers", read=last["items"] - last["rated"],
        evidence=(f"{last['rated']} of {last['items']} items are rated",),
        command=f"harness rate serve {shlex.quote(str(last['batch']))}",
    )  # fmt: skip


def _level(run: Run) -> tuple[str, bool]:
    """Whether the best round is at the level of references: the evidence, and whether the two are
    shown to differ by less than ``worth``.

    A round that is better than references may write what they have in common, or they may be
    alternatives that were never meant to resemble each other: then their level is no ceiling.
    """
    level = run.document.between_references
    if not level or level.round != run.kept:
        return "", False
    low, high, worth = level.difference.low, level.difference.high, run.worth or 0.0
    if low is None or high is None:
        return "", False
    if not (low > -worth or low >= 0):
        return "", False
    who = f"round {run.kept}" if run.kept else "the base model"
    sentence = (
        f"a reference scored against the other references of its row gets "
        f"{run.estimated(level.references)}, and {who} {run.estimated(level.model)} against "
        f"the same ones ({level.rows} rows): a higher score need not mean a better answer"
    )
    if high < worth:
        return f"{sentence}, as the two differ by less than {run.shown(worth)}", True
    return (
        f"{sentence}, unless references are alternatives that need not resemble each other",
        False,
    )
