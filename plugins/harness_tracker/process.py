"""The process that holds a tracker's library: requests as JSON lines in, an answer to each out.

It ends when its input does, within the limit that it is given: whoever ran it may be gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from harness_tracker import backends


def main(limit: float) -> None:
    """The process's whole life."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes to the log
    tracked: Any = None
    finished = False
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            with _ending_after(limit + 5):
                if "tracker" in asked:
                    tracked = backends.begin(asked)
                    answer = {"id": tracked.id}
                elif "end" in asked:
                    finished = True
                    tracked.end(finished=True)
                else:
                    tracked.send(asked["step"], asked["numbers"], asked["texts"])
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            text = str(error).strip() or "no reason given"
            answer = {"error": f"{type(error).__name__}: {text}"}
        answers.write(json.dumps(answer) + "\n")
    if tracked is not None and not finished:
        with _ending_after(limit):
            tracked.end(finished=False)
    sys.stderr.flush()
    os._exit(0)


@contextlib.contextmanager
def _ending_after(seconds: float) -> Iterator[None]:
    """The process ends if what is within takes longer: nobody else may be there to end it."""
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


if __name__ == "__main__":
    main(float(sys.argv[1]))
