"""The runner ``sample``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness


class Sample(harness.Runner):
    """Does jobs in the run's own process. Put a queue of your own in place of it."""

    name = "sample"

    def do(
        self,
        folder: Path,
        resources: harness.Resources,
        label: str,
        report: harness.Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Any:
        return harness.do_job(folder, report, cancelled, say)


@harness.hookimpl
def register_runners() -> list[type[harness.Runner]]:
    return [Sample]
