"""The runner that is there without any plugin: workers on the run's own machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.kit import gate
from harness.records.context import Report
from harness.run.worker import DEVICES, Worker
from harness.stages import Resources, Runner


class LocalRunner(Runner):
    """Does each job in one of several workers, which are begun as they are needed.

    Args:
        count: of jobs at a time.
        resources: that jobs need, by stage.
    """

    name = "local"

    def __init__(self, count: int, resources: Mapping[str, Resources]) -> None:
        super().__init__()
        self._count, self._resources = count, resources
        self._all: list[Worker] = []
        self._idle: list[Worker] = []
        self._choosing = threading.Lock()

    def do(
        self,
        folder: Path,
        resources: Resources,
        label: str,
        report: Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Any:
        worker = self._taken()
        try:
            return worker.do(folder, report, cancelled, say)
        finally:
            self._idle.append(worker)

    def load(self, folder: Path) -> None:
        worker = self._taken()
        worker.load(folder)
        self._idle.append(worker)

    def close(self) -> None:
        for worker in self._all:
            worker.close()

    def _taken(self) -> Worker:
        with self._choosing:
            if not self._idle:
                self._all.append(Worker(self.devices(len(self._all))))
                self._idle.append(self._all[-1])
            return self._idle.pop()

    def devices(self, number: int) -> str | None:
        """The GPUs of a worker, where each has some of its own (``resources``); None: all."""
        each = max((needs.gpus for needs in self._resources.values()), default=0)
        if self._count == 1 or not each:
            return None
        devices = visible_devices()
        # In turn: where there are fewer than all workers ask for, some share one.
        own = [devices[(number * each + n) % len(devices)] for n in range(min(each, len(devices)))]
        return ",".join(own) if devices else None


def visible_devices() -> list[str]:
    """Numbers of the GPUs that this process sees; asks the driver's program, not a library."""
    if (names := os.environ.get(DEVICES)) is not None:
        return [name for name in names.split(",") if name.strip()]
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        asked = gate.run(command, by="workers", capture_output=True, text=True, timeout=60)
        return str(asked.stdout).split()
    except (OSError, gate.SubprocessError):
        return []
