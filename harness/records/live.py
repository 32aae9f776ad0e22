"""The document of a run at work: what ``live.json`` in its folder holds, stated once.

It is made from these types, and read by them. It is replaced whole, at most once a second, and is
no result: nothing that a run decides or reports rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen

from harness.records.summary import Seconds

LIVE_SCHEMA: Literal["harness.live/1"] = "harness.live/1"
LABEL = 200
"""Characters of a label, and of what a stage says of its step."""
LINE = 500
"""Characters of a sentence."""
LINES = 20
"""Sentences that are there: the last ones."""
POINTS = 200
"""Points of a curve, at most; of more every second one is left out, but for the latest."""
CURVES = 12
"""Curves that are there: the latest ones. Those of closed rounds are in the summary, too."""
SCORES = 400
"""Scores that are there: the latest ones."""

MOST = 2**53
"""What is counted, at most: every float and every browser has it exactly."""

LiveState = Literal["running", "finished", "waiting", "interrupted", "failed", "gone"]
Count = Annotated[int, Ge(0), Le(MOST)]
Label = Annotated[str, MaxLen(LABEL)]
Line = Annotated[str, MaxLen(LINE)]


@dataclass(frozen=True, slots=True)
class LiveStage:
    """A stage at work.

    Attributes:
        label: such as `round 2: train`, or `round 2: train (random)` of the arm `random`.
        what: what it says of its step, such as `steps, loss 0.83`.
        done, total: steps; 0 of 0 until it tells any.
        seconds: since it began, in this command.
        left: seconds that it still takes; None until its pace is steady enough to say it.
    """

    label: Label
    what: Label
    done: Count
    total: Count
    seconds: Seconds
    left: Seconds | None


@dataclass(frozen=True, slots=True)
class LiveCurve:
    """A number that a stage tells with its steps.

    A training that goes on where an earlier command was ended keeps the points until there.

    Attributes:
        label: of the stage.
        name: of the number: `loss`, `eval_loss`.
        points: step and value, by step.
    """

    label: Label
    name: Label
    points: Annotated[tuple[tuple[Count, float], ...], MaxLen(POINTS + 1)]


@dataclass(frozen=True, slots=True)
class LiveScore:
    """A score of dev.

    Attributes:
        label: whose: `round 2: dev`, or `round 2: dev (random)` of another arm, a prompt or a
            branch.
        name: of the score.
        value: the score; None where it cannot be computed.
        low, high: its 95 % interval.
        n: rows that were scored.
    """

    label: Label
    name: Label
    value: float | None
    low: float | None
    high: float | None
    n: Count


@dataclass(frozen=True, slots=True)
class LiveLine:
    """A sentence that was said at the terminal.

    Attributes:
        at: when, in UTC (`2026-11-26T18:30:00Z`).
        text: the sentence, in one line.
    """

    at: Label
    text: Line


@dataclass(frozen=True, slots=True)
class Live:
    """A run at work, or how its last command ended.

    Attributes:
        schema: the number rises when a key changes its meaning or goes.
        run: the run's name.
        state: `running`; at the end of the command `finished`, `waiting` (for people),
            `interrupted` (by Ctrl-C, or a budget that is spent) or `failed`. The file never says
            `gone`: whoever reads it does, where it says `running` and the process has ended.
        why: what it waits for, what ended it or what failed, as one sentence; otherwise empty.
        commands: what people have to run while it waits.
        command: the one that goes on with the run.
        started: when the command began, in UTC (`2026-11-26T18:30:00Z`).
        updated: when the file was written, in UTC.
        host, pid: of the process.
        done: share of the whole run, 0 to 1.
        left: seconds that the rest takes; None until the pace is steady enough to say it, and of a
            command that was ended.
        stages: at work now, one for each thread; of a command that was ended, those that it was at.
        curves: what stages tell with their steps, the latest of them; those of a stage together.
        scores: of dev, as soon as they are computed.
        lines: the last sentences that were said.
        requests: that were sent to servers with models, by all commands of the run.
        money: that these have cost; None where no price is known.
    """

    schema: Literal["harness.live/1"]
    run: Annotated[str, MaxLen(1000)]
    state: LiveState
    why: Line
    commands: Annotated[tuple[Line, ...], MaxLen(LINES)]
    command: Annotated[str, MaxLen(4000)]
    started: Label
    updated: Label
    host: Label
    pid: Count
    done: Annotated[float, Ge(0), Le(1)]
    left: Seconds | None
    stages: tuple[LiveStage, ...]
    curves: Annotated[tuple[LiveCurve, ...], MaxLen(CURVES)]
    scores: Annotated[tuple[LiveScore, ...], MaxLen(SCORES)]
    lines: Annotated[tuple[LiveLine, ...], MaxLen(LINES)]
    requests: Count
    money: Seconds | None
