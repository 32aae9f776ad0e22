"""The workers of a run, and what goes on side by side in its process.

Whatever the run's process does itself it does in turns: whoever walks through stages holds the
turn, and lends it only while a job is at work elsewhere. So branches that are carried out side by
side share records, journals and plugins of this process, and none of these needs a lock.
"""

from __future__ import annotations

import collections
import contextlib
import contextvars
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import Cancelled, HarnessError, JobDied, JobKilled
from harness.kit.files import remove
from harness.records.context import Report, unheard
from harness.run.at_work import AtWork
from harness.run.job import ERROR
from harness.run.local_runner import LocalRunner
from harness.run.worker import POLL_SECONDS
from harness.stages import Resources, Runner
from harness.stages.runner import RESULT, SUBMITTED

Result = TypeVar("Result")
ATTEMPTS = 3
"""At a job whose process dies: another program may have taken its memory, or a node may fail."""
_NONE: Mapping[str, Resources] = {}

_STOPS: contextvars.ContextVar[tuple[threading.Event, ...]] = contextvars.ContextVar(
    "stops", default=()
)
"""Set where nobody waits any more for what this thread does."""


class Workers:
    """Does the jobs of one run, so many at a time. As a context manager it leaves nothing behind.

    Args:
        count: of jobs at a time.
        runner: has them done; None: workers on this machine do.
        resources: that a job of ``train`` or ``generate`` needs.
        withdraw: ends a job that another runner has at work in a folder.
    """

    def __init__(
        self,
        count: int = 1,
        runner: Runner | None = None,
        resources: Mapping[str, Resources] = _NONE,
        withdraw: Callable[[Path, Callable[[], bool]], object] | None = None,
    ) -> None:
        self.count, self._resources, self._withdraw = count, resources, withdraw
        self.runner = runner or LocalRunner(count, resources)
        self._turn = threading.Lock()
        self._turn.acquire()  # by whoever makes it, and from then on by one thread at a time
        self._free = threading.Semaphore(count)
        self._making: dict[Hashable, threading.Event] = {}
        self._ahead: dict[Hashable, HarnessError | None] = {}
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers with the jobs at work; the next job gets others."""
        self._closed.set()
        # Whoever was at work keeps the event that is set; what is begun later gets the new one.
        self._closed = threading.Event()
        if not self.runner.elsewhere:
            self.runner.close()  # with the jobs at work
        with self._lent():
            while self._threads:
                self._threads.pop().join()
        if self.runner.elsewhere:
            self.runner.close()  # they go on, and nobody asks for them any more

    def load(self, folder: Path) -> None:
        """Let what the plugins of a job in ``folder`` load ahead be loaded, and go on here."""
        self.runner.load(folder)

    def do(
        self,
        folder: Path,
        report: Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None] = unheard,
        *,
        stage: str = "train",
        label: str = "",
    ) -> Any:
        """Have the job in ``folder`` done, and wait for it; returns its ``result.json``.

        One that dies is begun again, and goes on from what it has saved.

        Args:
            stage: ``train`` or ``generate``: whose resources it needs.
            label: what people call it.

        Raises:
            Cancelled: it was asked to stop; one that is done elsewhere may go on.
            HarnessError: as the job raised it; JobDied or JobKilled where it died each time.
        """
        stops = (*_STOPS.get(), self._closed)

        def stopped() -> bool:
            return cancelled() or any(stop.is_set() for stop in stops)

        with self._lent():
            while not self._free.acquire(timeout=POLL_SECONDS):
                if stopped():
                    raise Cancelled
        try:
            attempt = 1
            while True:
                try:
                    return self._done(folder, report, stopped, say, stage, label)
                except (JobDied, JobKilled) as error:
                    if stopped():
                        raise
                    if attempt == ATTEMPTS:
                        error.details += (f"it died in each of {ATTEMPTS} attempts",)
                        raise
                    say(f"{error.what}; it is begun again")
                for path in (folder / "output", folder / RESULT, folder / ERROR):
                    remove(path)
                (folder / "output").mkdir()
                attempt += 1
        finally:
            self._free.release()

    def _done(
        self, folder: Path, report: Report, stopped: Callable[[], bool],
        say: Callable[[str], None], stage: str, label: str,
    ) -> Any:  # fmt: skip
        runner, needs = self.runner, self._resources.get(stage, Resources())
        if self._withdraw and not runner.elsewhere and (folder / SUBMITTED).is_file():
            # The run was begun with another runner, whose job still writes to this folder.
            with self._lent():
                self._withdraw(folder, stopped)
        with AtWork(folder, label, runner.name) as at_work, self._lent():
            return runner.do(folder, needs, label, at_work.hearing(report), stopped, say)

    @contextlib.contextmanager
    def _lent(self) -> Iterator[None]:
        """Within it others may go on in this process."""
        self._turn.release()
        try:
            yield
        finally:
            self._turn.acquire()

    def check(self) -> None:
        """Before something is begun.

        Raises:
            Cancelled: nobody waits for it any more.
        """
        if any(stop.is_set() for stop in _STOPS.get()):
            raise Cancelled

    def side_by_side(
        self, tasks: Sequence[Callable[[], Result]], window: int | None = None
    ) -> Iterator[Result]:
        """What each task gives, in their order, whichever comes to its end first.

        With one worker each is carried out when what it gives is asked for. With several they are
        begun in their order; what one raises is raised in its place, and ends those that follow.

        Args:
            window: a task begins when all those have ended that are so many places, or more,
                before it.
        """
        if self.count == 1 or len(tasks) < 2:
            for task in tasks:
                yield task()
            return
        futures, stop, threads = self._begun(tasks, window or len(tasks))
        try:
            for future in futures:
                with self._lent():
                    wait([future])
                yield future.result()
        finally:
            stop.set()
            with self._lent():
                for thread in threads:
                    thread.join()

    def ahead(self, task: Callable[[], object]) -> None:
        """Begin what will be asked for soon; with one worker nothing is.

        Whoever asks finds what it made in the store, or meets its failure (:meth:`asked_for`).
        """
        if self.count > 1:
            self._threads += self._begun([task], 1)[2]

    def _begun(
        self, tasks: Sequence[Callable[[], Result]], window: int
    ) -> tuple[list[Future[Result]], threading.Event, list[threading.Thread]]:
        stop, left = threading.Event(), collections.deque(enumerate(tasks))
        futures: list[Future[Result]] = [Future() for _ in tasks]
        waiting = collections.deque(futures)
        stops = (*_STOPS.get(), stop, self._closed)

        def work() -> None:
            _STOPS.set(stops)
            with self._turn:
                while left and not any(event.is_set() for event in stops):
                    (number, task), future = left.popleft(), waiting.popleft()
                    try:
                        self._await(futures[: max(0, number - window + 1)])
                        future.set_result(task())
                    except BaseException as error:
                        left.clear()  # those before it go on
                        future.set_exception(error)
                while waiting:  # whoever waits for one of these would wait for ever
                    waiting.popleft().set_exception(Cancelled())

        threads = []
        for _ in range(min(self.count, len(tasks))):
            # Daemons: a second Ctrl-C waits for nobody.
            context = contextvars.copy_context()
            threads.append(threading.Thread(target=context.run, args=(work,), daemon=True))
            threads[-1].start()
        return futures, stop, threads

    def _await(self, before: Sequence[Future[Any]]) -> None:
        """Wait for what comes before.

        Raises:
            Cancelled: it failed, or nobody waits any more.
        """
        if before:
            with self._lent():
                wait(before)
            self.check()
            if any(task.exception() for task in before):
                raise Cancelled

    @contextlib.contextmanager
    def alone(self, what: Hashable) -> Iterator[None]:
        """Within it nobody else makes the same; whoever comes second waits for the first."""
        while (made := self._making.get(what)) is not None:
            with self._lent():
                made.wait()
        self._making[what] = made = threading.Event()
        try:
            yield
        finally:
            del self._making[what]
            made.set()

    @property
    def making(self) -> Sequence[Any]:
        """What is made by one of those side by side (:meth:`alone`)."""
        return [*self._making]

    def note_ahead(self, what: Hashable, failure: HarnessError | None) -> None:
        """Something was made ahead, or failed."""
        self._ahead[what] = failure

    def asked_for(self, what: Hashable) -> bool:
        """Whether it was made ahead, and nobody has asked for it since.

        Raises:
            HarnessError: it failed.
        """
        if what not in self._ahead:
            return False
        if (failure := self._ahead.pop(what)) is not None:
            raise failure
        return True
