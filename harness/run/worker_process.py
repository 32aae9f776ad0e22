"""The worker's own process: it loads what jobs share, and does each job in a fork of itself.

``python -m harness.run.worker_process`` reads what it is told (``channel.py``) on its standard
input. What plugins load ahead (:meth:`harness.Plugin.preload`) every job finds in memory. When the
run's process dies, the input ends, and the worker with the job at work ends at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
from pathlib import Path
from typing import NoReturn

from harness.kit.processes import end_group
from harness.run import channel, forked, job
from harness.run.channel import LOAD, STOP

log = logging.getLogger(__name__)


class Worker:
    """Does jobs until its input ends; where forks are not safe, one job.

    Args:
        messages: descriptor on which it tells of them.
    """

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.sound = True
        self.ended, self._wakes = os.pipe()
        for end in (self.ended, self._wakes):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """The worker's whole life."""
        # Without a handler of its own SIGCHLD would not wake anybody.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes)
        while self.sound and (line := forked.next_line()):
            if line == STOP:  # that came too late
                continue
            number, folder = json.loads(line)
            forked.log_to(Path(folder) / job.LOG)
            if number == LOAD:
                self._load(Path(folder))
            else:
                self._do(number, Path(folder))
            forked.log_to(Path(os.devnull))

    def _load(self, folder: Path) -> None:
        if forked.FORKS and not forked.load_ahead(folder):
            self.sound = False  # the next job gets another worker

    def _do(self, number: int, folder: Path) -> None:
        """Do a job."""
        if not forked.FORKS:
            channel.send(self.messages, number, "began", os.getpid())
            forked.perform(number, folder, self.messages)
        self._load(folder)
        process, asks = forked.fork(number, folder, self.messages, (self.ended, self._wakes))
        channel.send(self.messages, number, "began", process)
        code = self._watched(process, asks)
        end_group(process)
        os.close(asks)
        channel.send(self.messages, number, "ended", code, self.sound)

    def _watched(self, process: int, asks: int) -> int:
        """Pass a wish to stop on to the job until it ends; returns how it did."""
        while True:
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            readable, _, _ = select.select([forked.INPUT, self.ended], [], [])
            if self.ended in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.ended, 4096)
            if forked.INPUT in readable:
                line = forked.next_line()
                if not line:  # the run's process is dead
                    end_group(process)
                    os._exit(1)
                with contextlib.suppress(OSError):
                    os.write(asks, line + b"\n")


def main() -> NoReturn:
    """Begin: messages go where standard output was, and what libraries print to the log."""
    messages = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, forked.go_on)
    forked.prepare()
    code = 0
    try:
        Worker(messages).serve()
    except BaseException:
        log.exception("the worker failed")
        code = 1
    forked.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
