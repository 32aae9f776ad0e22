"""What happens in a run, written to ``live.json`` in its folder while its command is at work.

Whoever shows a run to people reads it there (:meth:`harness.RunView.live`). It costs the run next
to nothing, and nothing that goes wrong with it is told: a thread writes once a second at most,
without waiting for the disk, and less often where writing is slow.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import itertools
import json
import math
import os
import shlex
import socket
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from harness.errors import STOPPING, HarnessError, Waiting, reason
from harness.kit.files import canonical, read_whole, write_bytes
from harness.kit.inside import inside
from harness.kit.lock import is_held
from harness.kit.remote.spending import Cost
from harness.kit.text import one_line, storable_json
from harness.records import RoundResult, Score, to_json
from harness.records.context import Report, values_in
from harness.records.live import (
    CURVES,
    LABEL,
    LINE,
    LINES,
    LIVE_SCHEMA,
    MOST,
    POINTS,
    SCORES,
    Live,
    LiveCurve,
    LiveLine,
    LiveScore,
    LiveStage,
    LiveState,
)
from harness.run import resume_command
from harness.run.beginning import now
from harness.run.places import LIVE, LOCK

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from harness.kit.terminal.progress import Display, Step
    from harness.run.run import Run

EVERY = 1.0
"""Seconds between two writes, at least."""
BEAT = 60.0
"""Seconds after which it is written where nothing has changed, too."""
STALE = 3 * BEAT
"""Seconds after which a process on another machine, that has written nothing, counts as gone."""
PATIENCE = 400
"""So many times as long as a write took is waited until the next one, but no longer than a beat."""
SPENT = 10.0
"""Seconds between two looks at what requests cost, at least."""
LARGEST = 1 << 20
"""Bytes of a file that is read."""


class LiveFile:
    """Writes what a run does to its ``live.json``, and hands everything on to the display.

    Implements :class:`harness.records.context.Watcher`. As a context manager it writes from the
    beginning to the end of a command, and at the end how that ended.
    """

    def __init__(self, run: Run, display: Display) -> None:
        self._run, self._display = run, display
        self._path = run.folder / LIVE
        self._host, self._started = one_line(socket.gethostname(), LABEL), now()
        self._lock = threading.Lock()
        self._curves = _begun(run.folder)
        self._scores: dict[tuple[str, str], LiveScore] = {}
        self._lines: collections.deque[LiveLine] = collections.deque(maxlen=LINES)
        self._requests = 0
        self._money: float | None = None
        self._spent_again = 0.0
        self._changed = True
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="harness-live", daemon=True)

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):  # what a kill has left half written
            for left in self._path.parent.glob(f".{LIVE}.*.tmp"):
                left.unlink()
        with contextlib.suppress(RuntimeError):  # memory, or a limit on threads
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        state, why, commands = _end(error)
        self._spent_again = 0.0
        self._write(state, why, commands)

    def stage(self, label: str) -> Report:
        shown, curves = self._display.stage(label), one_line(label, LABEL)

        def report(done: int, total: int, what: str) -> None:
            shown(done, total, what)
            for name, value in values_in(f"{what}"):
                self._point(curves, name, done, value)
            self._changed = True

        return report

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        self._display.stage_done(stage, label, seconds, cached)
        self._changed = True

    def scored(self, label: str, scores: Mapping[str, Score]) -> None:
        self._display.scored(label, scores)
        label = one_line(label, LABEL)
        with self._lock:
            for name, score in scores.items():
                name = one_line(name, LABEL)
                value, low, high = map(_finite, (score.value, score.low, score.high))
                self._scores.pop((label, name), None)
                self._scores[label, name] = LiveScore(label, name, value, low, high, score.n)
            while len(self._scores) > SCORES:
                del self._scores[next(iter(self._scores))]
        self._changed = True

    def say(self, sentence: str) -> None:
        self._display.say(sentence)
        self._line(sentence)

    def round_closed(self, result: RoundResult) -> None:
        """A round was decided."""
        from harness.kit.terminal.progress import in_words

        self._display.round_closed(result)
        if line := "".join(in_words(result)):
            self._line(line)

    def _line(self, text: str) -> None:
        with self._lock:
            self._lines.append(LiveLine(now(), one_line(text, LINE)))
        self._changed = True

    def _point(self, label: str, name: str, step: int, value: float) -> None:
        name = one_line(name, LABEL)
        if not math.isfinite(value):
            return
        with self._lock:
            if (curve := self._curves.get((label, name))) is None:
                curve = self._curves[label, name] = Curve()
                if len(self._curves) > CURVES:
                    del self._curves[next(iter(self._curves))]
            curve.add(_count(step), value)

    def _follow(self) -> None:
        """Write what has changed, until the command ends."""
        written, pause = -math.inf, 0.0
        while not self._over.wait(pause):
            pause, begin = EVERY, time.monotonic()
            if self._changed or begin - written >= BEAT:
                self._changed, written = False, begin
                self._write("running")
                pause = min(max(EVERY, PATIENCE * (time.monotonic() - begin)), BEAT)

    def _write(self, state: LiveState, why: str = "", commands: tuple[str, ...] = ()) -> None:
        with contextlib.suppress(OSError, HarnessError, MemoryError):
            self._look_at_costs()
            live = self._document(state, why, commands)
            data = json.dumps(live, allow_nan=False, default=_plain).encode()
            write_bytes(self._path, data, durable=False)

    def _document(self, state: LiveState, why: str, commands: tuple[str, ...]) -> Live:
        share, left = self._display.share_and_left()
        if state == "finished":
            share, left = 1.0, 0.0
        elif state != "running":
            left = None
        stages = tuple(map(_stage, self._display.at_work()))
        command = resume_command.way_on(self._run.folder, self._run.config)
        with self._lock:
            by_stage = collections.defaultdict[str, list[LiveCurve]](list)
            for (label, name), curve in self._curves.items():
                by_stage[label].append(LiveCurve(label, name, tuple(curve.points)))
            scores, lines = tuple(self._scores.values()), tuple(self._lines)
        return Live(
            schema=LIVE_SCHEMA, run=self._run.name, state=state, why=one_line(why, LINE),
            commands=tuple(one_line(command, LINE) for command in commands[:LINES]),
            command=one_line(shlex.join(command), 4000), started=self._started, updated=now(),
            host=self._host, pid=os.getpid(), done=min(1.0, max(0.0, _finite(share) or 0.0)),
            left=_finite(left), stages=stages,
            curves=tuple(itertools.chain(*by_stage.values())), scores=scores, lines=lines,
            requests=self._requests, money=self._money,
        )  # fmt: skip

    def _look_at_costs(self) -> None:
        """Sum up what requests have cost; seldom where that takes long, as of very many."""
        begin = time.monotonic()
        if begin < self._spent_again:
            return
        costs: Collection[Cost] = ()
        with contextlib.suppress(OSError, HarnessError):
            costs = self._run.spending.costs().values()
        priced = [cost.money for cost in costs if cost.money is not None]
        self._requests = sum(cost.requests for cost in costs)
        self._money = sum(priced) if priced else None
        end = time.monotonic()
        self._spent_again = end + max(SPENT, PATIENCE * (end - begin))


class Curve:
    """Points of a curve by step, evenly thinned: each second one goes where there are too many.

    Attributes:
        points: step and value; the last one is the latest, whatever was left out before it.
    """

    def __init__(self, points: Iterable[tuple[int, float]] = ()) -> None:
        self.points = list(points)
        self._every, self._count = 1, len(self.points)

    def add(self, step: int, value: float) -> None:
        """The latest point; a step that was there before begins again from there."""
        while self.points and self.points[-1][0] >= step:
            self.points.pop()
            self._count = (len(self.points) - 1) * self._every + 1 if self.points else 0
        if self.points and (self._count - 1) % self._every:
            self.points.pop()  # it was there as the latest one alone
        self.points.append((step, value))
        self._count += 1
        if len(self.points) > POINTS:
            self.points, self._every = self.points[::2], 2 * self._every


def read_live(folder: Path) -> Live | None:
    """What ``live.json`` in a run's folder says; None where there is none that could be read.

    Args:
        folder: of the run; it may be a stranger's.
    """
    try:
        document = json.loads(read_whole(inside(folder, LIVE), LARGEST))
        text = json.dumps(storable_json(document), allow_nan=False)
        live = _adapter().validate_json(text, strict=True)
        canonical(to_json(live))  # an integer beyond any float became an infinity
    except (OSError, HarnessError, ValueError, RecursionError):
        return None
    if live.state == "gone" or (live.state == "running" and _is_gone(live, folder)):
        return dataclasses.replace(live, state="gone", left=None)
    return live


def _begun(folder: Path) -> dict[tuple[str, str], Curve]:
    """The curves of a command that has not come to its end: a training may go on from there."""
    before = read_live(folder)
    if before is None or before.state == "finished":
        return {}
    return {(curve.label, curve.name): Curve(curve.points) for curve in before.curves}


@functools.cache
def _adapter() -> TypeAdapter[Live]:
    from pydantic import TypeAdapter

    return TypeAdapter(Live)


def _is_gone(live: Live, folder: Path) -> bool:
    if live.host == one_line(socket.gethostname(), LABEL):
        return not is_held(folder / LOCK)
    try:
        updated = datetime.fromisoformat(live.updated)
        return (datetime.now(UTC) - updated).total_seconds() > STALE
    except (ValueError, TypeError):
        return True


def _end(error: BaseException | None) -> tuple[LiveState, str, tuple[str, ...]]:
    """How a command ended, why, and what people have to run."""
    if error is None:
        return "finished", "", ()
    if isinstance(error, Waiting):
        return "waiting", error.placed, error.commands
    if isinstance(error, STOPPING):
        return "interrupted", str(error), ()
    return "failed", error.placed if isinstance(error, HarnessError) else reason(error), ()


def _plain(record: Any) -> dict[str, Any]:
    """As :func:`to_json`, for an encoder that goes through tuples by itself, and fast."""
    return {field: getattr(record, field) for field in record.__slots__}


def _stage(step: Step) -> LiveStage:
    return LiveStage(
        one_line(step.label, LABEL), one_line(step.what, LABEL), _count(step.done),
        _count(step.total), time.monotonic() - step.begun, _finite(step.seconds_left),
    )  # fmt: skip


def _count(number: float) -> int:
    """What a plugin has given as a number of steps."""
    if isinstance(number, float) and not math.isfinite(number):
        return 0
    return min(max(0, int(number)), MOST)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
