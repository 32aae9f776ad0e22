"""A server with a model: started by the user's command, waited for, and ended."""

from __future__ import annotations

import contextlib
import re
import shlex
import socket
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import harness
from harness.kit import gate
from harness.kit.remote.client import Client
from harness.kit.remote.faults import Fault
from harness.kit.remote.options import ServerOptions
from harness.kit.text import one_line
from harness.kit.waiting import Patience

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_PLACES = re.compile(r"\{(\w+)\}")
BY = "generator 'endpoint'"
KNOWN = ("base", "adapter", "adapters", "port")
_ENDING = 10.0
"""Seconds that a server has to end by itself."""
_SETTLED = 10.0
"""Seconds for which a command is at work, and a server that is not seen to be its own has the
names that are asked for, until that counts as its own."""
_TAIL = 1500
"""Characters of its last words that are told."""


def places_of(template: str) -> set[str]:
    """The names in braces of a command."""
    return set(_PLACES.findall(template))


def words(
    template: str, values: Mapping[str, str], adapters: Mapping[str, str] | None = None
) -> list[str]:
    """The command for a model.

    A part in brackets is used where all its places are known: what an adapter needs is left out
    for the base model. Brackets without a place stay. A value is one word, whatever it holds.

    Args:
        adapters: name -> folder: the word ``{adapters}`` becomes ``NAME=FOLDER`` for each.
    """
    known = {*values, *(["adapters"] if adapters else [])}

    def part_of(optional: re.Match[str]) -> str:
        places = places_of(optional[1])
        if not places:  # brackets of the server's own, such as '["*"]'
            return optional[0]
        return optional[1] if places <= known else ""

    text = _OPTIONAL.sub(part_of, template)
    several = [f"{name}={folder}" for name, folder in (adapters or {}).items()]
    return [
        filled
        for word in shlex.split(text)
        for filled in (
            several if word == "{adapters}" else [_PLACES.sub(lambda place: values[place[1]], word)]
        )
    ]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def served(
    command: list[str],
    port: int,
    seconds: float,
    context: harness.Context,
    names: Collection[str] = (),
) -> Iterator[str]:
    """The address of a server that the command starts, until the block ends.

    The server is a child in the process group of this job, so that it ends with the job however
    that ends. Another server at the port is not taken for it.

    Args:
        names: by which its models are asked.

    Raises:
        EnvironmentFailure: the command cannot be started, ends, or does not answer in time; its
            last words are told.
    """
    address = f"http://127.0.0.1:{port}/v1"
    # No file of the artifact: what a server prints differs each time.
    with tempfile.TemporaryFile() as log:
        try:
            process = gate.start(command, by=BY, stdin=gate.DEVNULL, stdout=log, stderr=log)
        except OSError as error:
            raise harness.EnvironmentFailure(
                f"the server cannot be started: {error.strerror or error}",
                where=one_line(shlex.join(command), 200),
                hint="correct generate.serve, or install what it names",
            ) from None
        try:
            _wait(process, address, port, names, seconds, log, command, context)
            yield address
        finally:
            _end(process)


def _wait(
    process: gate.Popen[bytes],
    address: str,
    port: int,
    names: Collection[str],
    seconds: float,
    log: IO[bytes],
    command: list[str],
    context: harness.Context,
) -> None:
    begin, patience = time.monotonic(), Patience("the server that generate.serve starts")
    named_since: float | None = None
    other = ""
    # Whether the command is at work is asked first, and once more after a server has answered.
    while (code := process.poll()) is None:
        context.check()
        waited = time.monotonic() - begin
        listed = _listed(address)
        if listed is None:
            other, named_since = "", None
        elif _listens(process, port):
            if process.poll() is None:
                return
            continue
        else:
            # In a container it listens unseen. One that could not have the port ends soon.
            other = f"; another server answers at its port ({_shown(listed)})"
            if not {*names} & {*listed}:
                named_since = None
            elif named_since is None:
                named_since = waited
            elif waited - named_since >= _SETTLED and process.poll() is None:
                return
        if waited >= seconds:
            break
        patience.look()
        context.progress(0, 0, f"waiting for the server, {waited:.0f} s")
        time.sleep(0.2)
    why = f"does not answer within {seconds:g} s" if code is None else f"ended with {code}"
    raise harness.EnvironmentFailure(
        f"the server {why}{other}",
        where=one_line(shlex.join(command), 200),
        hint="run the command by hand, or raise generate.start_timeout",
        details=[one_line(line, 200) for line in _last(log).splitlines()[-12:]],
    )


def _listed(address: str) -> list[str] | None:
    """The names of the models at an address; none where a server does not say; None: nobody is up.

    One that loads says 503.
    """
    client = Client(ServerOptions(endpoint=address, model="", key="", timeout=2), "the server")
    try:
        entries = [entry for entry in client.models() if isinstance(entry, dict)]
    except Fault:
        return None
    except harness.EnvironmentFailure:  # it is up, and has no list
        return []
    finally:
        client.close()
    return [entry["id"] for entry in entries if isinstance(entry.get("id"), str)]


def _shown(names: Sequence[str]) -> str:
    return one_line(", ".join(names[:3]), 80) or "it lists no model"


def _listens(process: gate.Popen[bytes], port: int) -> bool:
    """Whether the command, or what it has started, listens at a port."""
    import psutil

    with contextlib.suppress(psutil.Error):
        own = psutil.Process(process.pid)
        for member in (own, *own.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                for connection in member.net_connections("tcp"):
                    if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                        return True
    return False


def _last(log: IO[bytes]) -> str:
    log.seek(0, 2)
    log.seek(max(0, log.tell() - _TAIL))
    return log.read().decode("utf-8", "replace")


def _end(process: gate.Popen[bytes]) -> None:
    """End the server with all that it has started."""
    import psutil

    with contextlib.suppress(psutil.Error):
        family = [*psutil.Process(process.pid).children(recursive=True)]
        process.terminate()
        with contextlib.suppress(gate.TimeoutExpired):
            process.wait(_ENDING)
        for member in family:
            with contextlib.suppress(psutil.Error):
                member.terminate()
        _, alive = psutil.wait_procs(family, _ENDING)
        for member in alive:
            with contextlib.suppress(psutil.Error):
                member.kill()
    if process.poll() is None:
        process.kill()
    process.wait()


_VERSION_OF = "import sys, importlib.metadata as m; print(*sys.argv[1:], m.version(sys.argv[1]))"


def version(template: str) -> str:
    """Name and version of the program of a command; empty where it says nothing.

    Where Python runs a module (``python -m sglang.launch_server``), it is the package's.
    """
    program, *rest = shlex.split(_OPTIONAL.sub(" ", template))
    name, ways = Path(program).name, [["--version"], ["version"]]
    if rest[:1] == ["-m"]:
        ways = [["-c", _VERSION_OF, rest[1].split(".")[0]]]
    for way in ways:
        with contextlib.suppress(OSError, gate.SubprocessError):
            done = gate.run(
                [program, *way], by=BY, stdin=gate.DEVNULL, capture_output=True, timeout=60
            )
            lines = (done.stdout or done.stderr).decode("utf-8", "replace").strip().splitlines()
            if done.returncode == 0 and lines:
                line = one_line(lines[-1], 100)
                named = name.lower() in line.lower() or rest[:1] == ["-m"]
                return line if named else f"{name} {line}"
    return ""


def folder_of(path: str | None) -> str | None:
    """A folder as a server is told of it, whatever the working folder is."""
    return None if path is None else str(Path(path).resolve())
