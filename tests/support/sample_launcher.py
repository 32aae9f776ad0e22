"""The launcher ``sample``."""

from __future__ import annotations

import os
import signal

import harness
from harness.kit import gate
from harness_launchers import Launched, LaunchedJob, Launcher


class Sample(Launcher):
    """Starts processes of this machine. Put a queue of your own in place of it."""

    name = "sample"

    class Options(harness.Options):
        nice: int = 0

    def submit(self, job: LaunchedJob) -> str:
        note = job.folder / f"{job.name}.pid"
        if note.is_file():  # it was submitted before
            return note.read_text()
        words = ["nice", "-n", str(self.options.nice), *job.command]
        # In a session of its own it outlives this process.
        process = gate.start_apart(words, by="launcher 'sample'")
        note.write_text(str(process))
        return str(process)

    def state(self, id: str) -> Launched:
        try:
            ended, status = os.waitpid(int(id), os.WNOHANG)
            if ended:
                return Launched("failed" if status else "ended")
        except ChildProcessError:  # of an earlier run, or it was seen to end
            if int(id) not in _processes():
                return Launched("gone")
        return Launched("running")

    def cancel(self, id: str) -> None:
        if self.state(id).state == "running":
            os.killpg(int(id), signal.SIGTERM)


def _processes() -> set[int]:
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


@harness.hookimpl
def register_runners() -> list[type[harness.Runner]]:
    return [Sample]
