"""Starts the ranks of a stage, hears what they say, and ends them all when one is lost.

They are started by torch's elastic launcher, the one of ``torchrun``, and Accelerate joins them.
Each keeps a connection to this process: what it tells goes up by that, and when this process dies,
the ranks see the connection end, and end too.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import selectors
import shutil
import signal
import socket
import statistics
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import write_json, write_jsonl
from harness.kit.inside import inside

WORK = "work.json"
TRAIN = "train"
"""The work in which ranks wait for each other."""
POLL_SECONDS = 0.2
EXIT_SECONDS = 2
"""Until the exit code of a process is known that has spoken its last words."""
CANCELLED = "Cancelled"
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
    token = secrets.token_hex(16)
    door = socket.create_server(("127.0.0.1", 0))
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
            "work": work, "door": door.getsockname()[1], "token": token,
            "output": str(context.output), "scratch": context.scratch and str(context.scratch),
            "context": {name: getattr(context, name) for name in names}, **described,
        }  # fmt: skip
        write_json(folder / WORK, said)
        with _started(folder, count) as processes:
            members = Members(door, token, processes, count, patience, together=work == TRAIN)
            try:
                answers = members.followed(context)
            finally:
                members.close()
    finally:
        door.close()
        shutil.rmtree(folder, ignore_errors=True)
    context.facts.update(answers[0]["facts"])
    for remark in [remark for each in answers[1:] for remark in each["facts"].get("remarks", ())]:
        if remark not in context.facts.get("remarks", ()):
            context.remark(remark)
    return [answer["answer"] for answer in answers]


@contextlib.contextmanager
def _started(folder: Path, count: int) -> Iterator[Any]:
    """The ranks as processes, of which none is left afterwards."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, start_processes

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
    envs = {rank: {**common, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(count)}
    call = ("-P", "-m", "harness_transformers.ranks.member", str(folder))
    with _signals_kept():
        processes = start_processes(
            "ranks", sys.executable, dict.fromkeys(envs, call), envs, DefaultLogsSpecs(os.devnull)
        )
    try:
        yield processes
    finally:
        for pid in processes.pids().values():
            # Each leads a group of its own. A process that is stopped hears no other signal.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        processes.close(timeout=5)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """The launcher would put handlers of its own in the place of this process's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Members:
    """The connections of the ranks, and what was heard by them."""

    def __init__(
        self, door: socket.socket, token: str, processes: Any, count: int, patience: float,
        *, together: bool,
    ) -> None:  # fmt: skip
        self.door, self.token, self.processes = door, token, processes
        self.count, self.patience, self.together = count, patience, together
        self.selector = selectors.DefaultSelector()
        self.selector.register(door, selectors.EVENT_READ)
        self.pending: dict[socket.socket, bytes] = {}
        self.sockets: dict[int, socket.socket] = {}
        self.signs = [0] * count
        self.heard = 0.0  # when the last sign came
        self.gone: set[int] = set()  # whose connection has ended
        self.steps: deque[float] = deque(maxlen=100)
        self.times: list[deque[float]] = [deque(maxlen=100) for _ in range(count)]  # of signs
        self.done: dict[int, tuple[int, int]] = {}
        self.failures: list[tuple[int, dict[str, Any]]] = []
        self.answers: dict[int, Any] = {}

    def followed(self, context: harness.Context) -> list[Any]:
        """Pass on what the ranks say until all have answered; see :func:`spread`."""
        asked = False
        while len(self.answers) < self.count:
            if context.cancelled() and not asked and len(self.sockets) == self.count:
                asked = True
                for connection in self.sockets.values():
                    with contextlib.suppress(OSError):
                        connection.sendall(b"stop\n")
            self._hear(context, POLL_SECONDS)
            self._look(context)
            self._wait_no_longer()
        return [self.answers[rank] for rank in range(self.count)]

    def close(self) -> None:
        """End all connections."""
        self.selector.close()
        for connection in self.pending:
            connection.close()

    def _hear(self, context: harness.Context, seconds: float) -> None:
        while keys := self.selector.select(seconds):
            seconds = 0
            for key, _ in keys:
                connection: Any = key.fileobj
                if connection is self.door:
                    guest, _ = self.door.accept()
                    self.selector.register(guest, selectors.EVENT_READ)
                    self.pending[guest] = b""
                    continue
                try:
                    data = connection.recv(1 << 20)
                except OSError:
                    data = b""
                if not data:
                    self.selector.unregister(connection)
                    self.gone |= {r for r, known in self.sockets.items() if known is connection}
                    continue
                *lines, self.pending[connection] = (self.pending[connection] + data).split(b"\n")
                for line in lines:
                    if (message := self._of_a_rank(line)) is None:
                        self.selector.unregister(connection)
                        connection.close()
                        break
                    self._take(connection, message, context)

    def _of_a_rank(self, line: bytes) -> list[Any] | None:
        """``[rank, kind, ...]`` behind the token; None of others, who are not listened to: any
        program of this machine may come to the door."""
        try:
            token, *message = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            return None
        known = secrets.compare_digest(str(token).encode("utf-8", "replace"), self.token.encode())
        return message if known else None

    def _take(self, connection: socket.socket, message: list[Any], context: Any) -> None:
        rank, kind, *parts = message
        self.sockets[rank] = connection
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
        outcome = self.processes.wait(0)
        until = time.monotonic() + EXIT_SECONDS
        while outcome is None and self._lost() and time.monotonic() < until:
            time.sleep(0.05)
            outcome = self.processes.wait(0)
        self._hear(context, 0)
        codes = {r: failure.exitcode for r, failure in outcome.failures.items()} if outcome else {}
        ended = {rank: code for rank, code in codes.items() if code != -signal.SIGTERM}
        for rank, code in sorted(ended.items()):
            if code < 0:
                raise self._died(rank, code)
        for rank in sorted(self._silent() - {*codes}):
            raise self._died(rank, 0)
        stopped = {reason["kind"] for _, reason in self.failures} == {CANCELLED}
        if stopped and not self.together and len(self.failures) + len(self.answers) < self.count:
            return  # each saves what it has done
        for rank, failure in self.failures:
            raise _raised(failure, f"rank {rank} of {self.count}")
        for rank, code in sorted((ended or codes).items()):
            raise self._died(rank, code)

    def _silent(self) -> set[int]:
        """The ranks that have ended without a word."""
        return self.gone - {*self.answers} - {rank for rank, _ in self.failures}

    def _lost(self) -> bool:
        """Whether a rank has ended, or is about to, that was not asked to stop."""
        failed = any(failure["kind"] != CANCELLED for _, failure in self.failures)
        return failed or bool(self._silent())

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


def _raised(failure: Mapping[str, Any], who: str) -> Exception:
    """The exception that a rank described (:func:`harness_transformers.ranks.member.described`)."""
    if failure["kind"] == CANCELLED:
        return harness.Cancelled()
    kind: type[harness.HarnessError] = getattr(harness, failure["kind"])
    error = kind(
        failure["what"], where=failure["where"], hint=failure["hint"], details=failure["details"]
    )
    error.add_note(f"{who}:\n{failure['traceback']}")
    return error
