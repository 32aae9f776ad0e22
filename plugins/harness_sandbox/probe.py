"""Whether a sandbox holds in what it has to: tried before anything of a model is run in it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import EnvironmentFailure
from harness.kit.text import one_line
from harness_sandbox.sandboxes import PROCESSES, Limits, Sandbox

_MOST_FORKS = 4 * PROCESSES
_LIMITS = Limits(seconds=20.0)
_FILES = 30
"""Files of the home, and of the working folder, that the probe tries to find."""

_PROBE = r"""
import json, os, signal, socket, sys, time

given = json.loads(sys.stdin.buffer.read())
done = []

for path, size, changed in given["files"]:
    try:
        found = os.stat(path)
        if (found.st_size, found.st_mtime_ns) == (size, changed):
            with open(path, "rb") as file:
                file.read(1)
            done.append("read " + path)
            break
    except OSError:
        pass

if given["canary"] in "\0".join(os.environ.values()):
    done.append("read variables of the environment of harness")

try:
    socket.create_connection(("127.0.0.1", given["port"]), 1).close()
    done.append("connect to this machine")
except OSError:
    pass
for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as found:
            found.connect((address, 9))  # asks for a way there, and sends nothing
        done.append("reach a network")
        break
    except OSError:
        pass

written, kept = 0, []
block = b"x" * 1048576
for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/", "/dev", given["home"]):
    try:
        path = os.path.join(folder, given["word"])
        with open(path, "xb", buffering=0) as file:
            os.unlink(path)  # nothing stays, whatever ends the probe
            kept.append(os.dup(file.fileno()))
            while written < given["bytes"]:
                written += file.write(block)
    except OSError:
        pass
    if written >= given["bytes"]:
        done.append("write %d MiB" % (written // 1048576))
        break

children = []
try:
    while len(children) < given["forks"]:
        child = os.fork()
        if not child:
            signal.alarm(15)
            signal.pause()
            os._exit(0)
        children.append(child)
    done.append("start %d processes" % len(children))
except OSError:
    pass
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(json.dumps({"probe": given["word"], "done": done, "forks": len(children)}))
"""


def probe(sandbox: Sandbox, limits: Limits) -> None:
    """Try to leave a sandbox: read files and variables, connect, fork and write without end.

    Raises:
        EnvironmentFailure: one of it succeeds, or it cannot be tried.
    """
    with _listening() as port, _canary() as canary:
        word, secret = os.urandom(8).hex(), os.urandom(8).hex()
        task = {
            "word": word,
            "canary": secret,
            "files": [
                *_some_files(canary.parent),
                *_some_files(Path.home()),
                *_some_files(Path.cwd()),
            ],
            "port": port,
            "home": str(Path.home()),
            # Two folders of files may be filled, each to the limit.
            "bytes": (3 * limits.disk + 1) * 1024**2,
            "forks": _MOST_FORKS,
        }
        bounds = Limits(_LIMITS.seconds, limits.memory, limits.disk)
        words = [sandbox.python, "-s", "-B", "-c", _PROBE]
        beside = {"HARNESS_CANARY": secret}
        ending = sandbox.run('exec "$@"', words, json.dumps(task).encode(), bounds, beside)
    report = _report(ending.output, word)
    if report is None or not report["forks"]:
        last = one_line(ending.output.decode(errors="replace").strip().rpartition("\n")[2], 200)
        why = ending.limit or last or f"exit code {ending.code}"
        raise EnvironmentFailure(
            f"whether the sandbox ({sandbox.name}) holds programs in could not be tried: {why}",
            where="executes",
            hint="it has to have python3, sh and timeout, and standard input (docker run -i)",
        )
    if report["done"]:
        raise EnvironmentFailure(
            f"the sandbox ({sandbox.name}) does not hold programs in: nothing was run",
            where="executes",
            details=[f"a program in it can {one_line(str(what), 120)}" for what in report["done"]],
            hint="docs/metrics/executes.md says what a sandbox has to refuse",
        )


def _report(output: bytes, word: str) -> dict[str, Any] | None:
    for line in output.splitlines():
        with contextlib.suppress(ValueError):
            report = json.loads(line)
            if isinstance(report, dict) and report.get("probe") == word:
                return report
    return None


def _some_files(folder: Path) -> list[tuple[str, int, int]]:
    """A few files right in a folder: path, size, time of change in ns."""
    files = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_file(follow_symlinks=False) and entry.stat().st_size:
                    whole = str(Path(entry.path).absolute())
                    files.append((whole, entry.stat().st_size, entry.stat().st_mtime_ns))
            if len(files) == _FILES:
                break
    return files


@contextlib.contextmanager
def _canary() -> Iterator[Path]:
    """A file in a folder for temporary files, which anybody could read."""
    with tempfile.TemporaryDirectory(prefix="harness-probe-") as folder:
        os.chmod(folder, 0o755)
        file = Path(folder, "canary")
        file.write_text("a file of the user", encoding="utf-8")
        yield file


@contextlib.contextmanager
def _listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        yield port
