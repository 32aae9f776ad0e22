"""Starts the ranks of a stage, hears what they say, and ends them all when one is lost.

Each is a process of ours with two pipes: what it tells goes up by one, and when this process dies,
it sees the other one end, and ends too. Accelerate joins them by the variables of ``torchrun``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import selectors
import shutil
import signal
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness.kit import gate
from harness.kit.files import write_json, write_jsonl
from harness.kit.inside import inside
from harness.kit.processes import end

WORK = "work.json"
TRAIN = "train"
"""The work in which ranks wait for each other."""
POLL_SECONDS = 0.2
EXIT_SECONDS = 2
"""Until the exit code of a process is known that has spoken its last words."""
CANCELLED = harness.Cancelled.__name__
STEPS = 10
"""So many median steps without a sign of any rank are too many, if they are more than the option
allows."""


def spread(
    plugin: Any,
    work: str,
    rows: Mapping[str, Sequence[Sequence[Any]]],
    described: Mapping[str, Any],
    context: harness.Context,
    count: int,
    patience: float,
) -> list[Any]:
    """Have ``count`` ranks do a stage's work, and wait for them.

    Args:
        plugin: its class and options are those of the plugin in each rank.
        work: a function of :mod:`harness_transformers.ranks.member`, by name.
        rows: by name, for each rank JSON values; where there is one list, it is for all.
        described: further JSON values for the work.
        patience: seconds without a sign of any rank after which a training is given up; of answers,
            where ranks do not wait for each other, without a sign of one that has work left.

    Returns:
        The answer of each rank. The first one's facts are in the context, and the remarks of all.

    Raises:
        Cancelled: the user asked to stop, and the first rank did.
        JobKilled, JobDied: a rank was killed, or ended without a word: the job is begun again.
        EnvironmentFailure: a rank hangs.
        HarnessError: as a rank raised it.
    """
    folder = context.output / "ranks"
    try:
        folder.mkdir()
        for name, shares in rows.items():
            for rank, share in enumerate(shares):
                write_jsonl(inside(folder, f"{name}-{rank}.jsonl"), share)
        names = ("seed", "stage", "round", "arm", "run", "checkpoint_minutes", "probe",
                "whole_valid", "limits")  # fmt: skip
        said = {
            "class": [type(plugin).__module__, type(plugin).__qualname__],
            "options": plugin.options.model_dump(mode="json"),
            "work": work,
            "output": str(context.output), "scratch": context.scratch and str(context.scratch),
            "context": {name: getattr(context, name) for name in names}, **described,
        }  # fmt: skip
        write_json(folder / WORK, said)
        with _started(folder, count) as processes:
            members = Members(processes, patience, together=work == TRAIN)
            try:
                answers = members.followed(context)
            finally:
                members.selector.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    context.facts.update(answers[0]["facts"])
    for remark in [remark for each in answers[1:] for remark in each["facts"].get("remarks", ())]:
        if remark not in context.facts.get("remarks", ()):
            context.remark(remark)
    return [answer["answer"] for answer in answers]


@contextlib.contextmanager
def _started(folder: Path, count: int) -> Iterator[list[gate.Popen[bytes]]]:
    """The ranks as processes, of which none is left afterwards."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    store = TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
    common = {
        **os.environ,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, _cores() // count))),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0",
        "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count),
    }  # fmt: skip
    if sys.platform == "linux":  # gloo would ask for this machine's name, which may be nobody's
        common.setdefault("GLOO_SOCKET_IFNAME", "lo")
    processes: list[gate.Popen[bytes]] = []
    try:
        for rank in range(count):
            process = gate.start_ours(
                "harness_transformers.ranks.member", str(folder),
                stdin=gate.PIPE, stdout=gate.PIPE, start_new_session=True,
                env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            )  # fmt: skip
            processes.append(process)
        yield processes
    finally:
        for process in processes:
            end(process)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Members:
    """The ranks, and what was heard of them.

    Args:
        patience: seconds without a sign, see :func:`spread`.
        together: whether they wait for each other.
    """

    def __init__(
        self, processes: Sequence[gate.Popen[bytes]], patience: float, *, together: bool
    ) -> None:
        self.processes, self.patience, self.together = processes, patience, together
        self.count = count = len(processes)
        self.selector = selectors.DefaultSelector()
        for rank, process in enumerate(processes):
            assert process.stdout is not None
            self.selector.register(process.stdout, selectors.EVENT_READ, rank)
        self.pending = [b""] * count
        self.signs = [0] * count
        self.heard = 0.0  # when the last sign came
        self.steps: deque[float] = deque(maxlen=100)
        self.times: list[deque[float]] = [deque(maxlen=100) for _ in range(count)]  # of signs
        self.done: dict[int, tuple[int, int]] = {}
        self.failures: list[tuple[int, dict[str, Any]]] = []
        self.answers: dict[int, Any] = {}

    def followed(self, context: harness.Context) -> list[Any]:
        """Pass on what the ranks say until all have answered; see :func:`spread`."""
        asked = False
        while len(self.answers) < self.count:
            if context.cancelled() and not asked:
                asked = True
                for process in self.processes:
                    assert process.stdin is not None
                    with contextlib.suppress(OSError):
                        process.stdin.write(b"stop\n")
                        process.stdin.flush()
            self._hear(context, POLL_SECONDS)
            self._look(context)
            self._wait_no_longer()
        return [self.answers[rank] for rank in range(self.count)]

    def _hear(self, context: harness.Context, seconds: float) -> None:
        while keys := self.selector.select(seconds):
            seconds = 0
            for key, _ in keys:
                rank = key.data
                data = os.read(key.fd, 1 << 20)
                if not data:
                    self.selector.unregister(key.fileobj)
                *lines, self.pending[rank] = (self.pending[rank] + data).split(b"\n")
                for line in lines:
                    self._take(rank, json.loads(line), context)

    def _take(self, rank: int, message: list[Any], context: Any) -> None:
        kind, *parts = message
        match kind:
            case "sign":
                self.signs[rank] += 1
                self.heard = time.monotonic()
                self.times[rank].append(self.heard)
            case "step":
                self.steps.append(time.monotonic())
                done, total, what = parts
                self.done[rank] = (done, total)
                context.report(*map(sum, zip(*self.done.values(), strict=True)), what)
            case "say":
                context.say(*parts)
            case "failure":
                self.failures.append((rank, parts[0]))
            case "answer":
                self.answers[rank] = parts[0]

    def _look(self, context: harness.Context) -> None:
        """Whether a rank has failed or died.

        A rank that was killed makes the others fail: they lose its connection. So its death counts
        more than their words.
        """
        codes = self._codes()
        until = time.monotonic() + EXIT_SECONDS
        while not codes and self._has_failed() and time.monotonic() < until:
            time.sleep(0.05)
            codes = self._codes()
        self._hear(context, 0)
        spoken = {*self.answers, *(rank for rank, _ in self.failures)}
        for rank, code in codes.items():
            if code < 0 or rank not in spoken:
                raise self._died(rank, code)
        stopped = self.failures and not self._has_failed()
        if stopped and not self.together and len(spoken) < self.count:
            return  # each saves what it has done
        for rank, failure in self.failures:
            error = harness.raised(failure)
            error.add_note(f"in rank {rank} of {self.count}")
            raise error

    def _codes(self) -> dict[int, int]:
        """The exit codes of the ranks that have ended."""
        codes = {rank: process.poll() for rank, process in enumerate(self.processes)}
        return {rank: code for rank, code in codes.items() if code is not None}

    def _has_failed(self) -> bool:
        """Whether a rank says that it has failed, and not that it was asked to stop."""
        return any(failure["kind"] != CANCELLED for _, failure in self.failures)

    def _died(self, rank: int, code: int) -> harness.HarnessError:
        who = f"rank {rank} of {self.count}"
        if code == -signal.SIGKILL:
            return harness.JobKilled(
                f"the process of {who} was killed (signal 9), which mostly means that memory ran "
                "out; the others were ended",
                hint="take fewer processes, or ask for less at once; the same command goes on from "
                "the last checkpoint",
            )  # fmt: skip
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        return harness.JobDied(f"the process of {who} ended without an answer ({reason})")

    def _wait_no_longer(self) -> None:
        """Whether a rank hangs."""
        if self.together:
            behind = [rank for rank in range(self.count) if self.signs[rank] == min(self.signs)]
            self._check(behind, self.heard, self.steps)
            return
        # One that is loading yet gives no sign: its time begins when another one is at work.
        first = min((times[0] for times in self.times if times), default=0.0)
        over = {*self.answers, *(rank for rank, _ in self.failures)}
        for rank in sorted({*range(self.count)} - over):
            times = self.times[rank]
            self._check([rank], times[-1] if times else first, times)

    def _check(self, behind: Sequence[int], heard: float, times: Sequence[float]) -> None:
        """Raise if too much time has gone since a sign was heard (0: none yet).

        Args:
            times: of the signs before it, whose median distance is a step.
        """
        between = [after - before for before, after in itertools.pairwise(times)]
        limit = max(self.patience, STEPS * statistics.median(between) if between else 0)
        silent = time.monotonic() - heard if heard else 0.0
        if silent < limit:
            return
        if len(behind) == self.count:
            what = f"no rank has given a sign for {silent:.0f} s"
        else:
            who = f"rank {' and '.join(map(str, behind))} of {self.count}"
            waited = "the others have waited" if self.together else "it has given no sign"
            what = f"{who} hangs: {waited} for {silent:.0f} s"
        saved = "the last checkpoint" if self.together else "the answers that were saved"
        raise harness.EnvironmentFailure(
            f"{what}; all were ended",
            where=f"{'train' if self.together else 'generate'}.rank_timeout",
            hint=f"the same command goes on from {saved}; raise rank_timeout where "
            "a pause as long as that is in order",
        )  # fmt: skip
