"""Does a launched job: ``python -m harness_launchers FOLDER NAME``."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import harness
from harness_launchers.node import carried_out


def main() -> int:
    """Do the job that the command line names, in a fork of this process."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    done = carried_out(Path(sys.argv[1]), sys.argv[2], stop.is_set, harness.fork_job)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
