"""Does the primary score say what it is meant to say?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from harness.kit.text import one_line
from harness_advise.options import Option
from harness_advise.raters import NAME, Raters
from harness_advise.run import Run

READ = 40
"""Answers that people would rate first."""
CREATE = "harness rate create --rubric everyday --raters NAME"


def metric(run: Run) -> Iterator[Option]:
    """Let people judge the answers, or another score decide.

    *Likely* where the best round is as good as a reference, by the score and within ``worth``, or
    where raters contradict the score; *open* where it is better than a reference, or where the
    score is not shown to order answers as raters do. There is no gain to expect: it would be told
    in the very score that is in doubt.
    """
    raters = Raters(run)
    against, doubts = tuple(raters.against_the_score()), tuple(raters.doubts())
    level, equal = ((), False) if against or raters.confirm else _level(run)
    signs, spoken = (*against, *doubts, *level), bool(against or doubts)
    if not signs:
        return
    action, command, read = _by_raters(run, raters) if spoken else _by_level(run, raters)
    better = raters.better_score if spoken else None
    yield Option(
        lever="metric", state="likely" if against or equal else "open", action=action,
        evidence=(*signs, str(better["sentence"])) if better else signs, command=command, read=read,
        urgency=len(signs),
    )  # fmt: skip


def ratings(run: Run) -> Iterator[Option]:
    """Make raters agree first, where they are shown to agree too little.

    *Likely* where the primary score is what they say; else what they say counts for nothing here.
    """
    for batch, sentence in Raters(run).disagreements.items():
        decides = bool(run.document.get("by_people"))
        yield Option(
            lever="ratings", state="likely" if decides else "open",
            action="find out what raters disagree on, and make the rubric say it",
            evidence=(
                sentence,
                "the primary score is made from such ratings" if decides
                else "what they say is left out of this advice",
            ),
            command=f"harness rate agreement {shlex.quote(batch)}",
        )  # fmt: skip


def _by_raters(run: Run, raters: Raters) -> tuple[str, str, int]:
    """Action, command and answers to read, where ratings speak against the score."""
    score = one_line(run.primary, NAME)
    if better := raters.better_score:
        name = str(better["metric"])
        action = f"make '{one_line(name, NAME)}' the primary score, in place of '{score}'"
        return action, run.command(f"primary={name}", another=True), 0
    action = f"let ratings or another score decide: raters and '{score}' do not say the same"
    batch = [shlex.quote(str(raters.order["batch"]))] if raters.order else []
    return action, " ".join(["harness rate validity", *batch]), 0


def _by_level(run: Run, raters: Raters) -> tuple[str, str, int]:
    """The same, where nobody has contradicted the score."""
    doubted = f"'{one_line(run.primary, NAME)}' may no longer tell which are better"
    if raters.have_rated(run.kept):
        return f"go by ratings of the answers: {doubted}", "", 0
    return f"let people rate answers: {doubted}", f"{CREATE} --round {run.kept} -n {READ}", READ


def _level(run: Run) -> tuple[tuple[str, ...], bool]:
    """Whether the best round is at the level of references: the evidence, and whether the two are
    shown to differ by less than ``worth``.

    A round that is better than references may write what they have in common, or they may be
    alternatives that were never meant to resemble each other: then their level is no ceiling.
    """
    found = run.document.get("between_references")
    if not found or found["round"] != run.kept or found["difference"]["low"] is None:
        return (), False
    low, high, worth = found["difference"]["low"], found["difference"]["high"], run.worth or 0.0
    if not (low > -worth or low >= 0):
        return (), False
    who = f"round {run.kept}" if run.kept else "the base model"
    told = (
        f"a reference scored against the other references of its row gets "
        f"{run.estimated(found['references'])}, and {who} {run.estimated(found['model'])} against "
        f"the same ones ({found['rows']} rows): a higher score need not mean a better answer"
    )
    if high < worth:
        return (f"{told}, as the two differ by less than {run.shown(worth)}",), True
    return (f"{told}, unless references are alternatives that need not resemble each other",), False
