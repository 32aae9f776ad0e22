"""Threads that a plugin leaves behind: the program ends all the same."""

from __future__ import annotations

import os
import threading
import time

from harness.kit.text import one_line

GRACE = 2.0
"""Seconds that threads have to come to an end by themselves, once all else is done."""


def end_without(code: int) -> None:
    """See to it that the process ends with this code, though threads go on for which Python waits.

    Nothing is done where there are none. The others end as always: only where Python has waited for
    :data:`GRACE` seconds the process ends at once, and a warning names whose threads they are.
    """
    if _left():
        threading.Thread(target=_watch, args=(code,), daemon=True, name="harness-end").start()


def _watch(code: int) -> None:
    threading.main_thread().join()  # from here on Python waits for the others
    time.sleep(GRACE)
    left = _left()
    if not left:
        return
    whose = ", ".join(dict.fromkeys(map(_whose, left)))
    what = "threads are" if len(left) > 1 else "a thread is"
    warning = f"warning: {what} still running that a plugin left behind ({whose}); the program ends"
    os.write(2, f"{warning}\n".encode())
    os._exit(code)


def _left() -> list[threading.Thread]:
    main = threading.main_thread()
    return [thread for thread in threading.enumerate() if thread is not main and not thread.daemon]


def _whose(thread: threading.Thread) -> str:
    """The package or file whose function it runs, as far as that is known."""
    work = getattr(thread, "_target", None) or type(thread).run
    module = str(getattr(work, "__module__", ""))
    if module in ("", threading.__name__):
        return one_line(thread.name, 60)
    package = module.removeprefix("harness_file_").split(".")[0]
    return one_line(f"{package}: {getattr(work, '__name__', thread.name)}", 80)
