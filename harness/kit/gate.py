"""The one gate: what starts a process, asks an address, reads a secret or imports a file.

Nothing else in the program does one of these four things; ``tests/repository/test_gate.py`` reads
the code and says where. So the gate can be closed: when somebody else's config is put to use
(:func:`close`), nothing is run, asked, read or imported for it, whatever it names and whichever
plugin acts on it. For the user's own configs it is open, and ``--trust`` keeps it open
(:func:`fresh`).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import (
    DEVNULL as DEVNULL,
    PIPE as PIPE,
    STDOUT as STDOUT,
    CompletedProcess,
    Popen as Popen,
    SubprocessError as SubprocessError,
    TimeoutExpired as TimeoutExpired,
)
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.errors import UsageError
from harness.kit.text import one_line

if TYPE_CHECKING:
    from urllib.request import Request


class Untrusted(UsageError):
    """A config that is not the person's own asks for one of the four things (exit 2)."""


@dataclass
class _State:
    trusting: bool = False
    strangers: list[str] = field(default_factory=list)


_CLOSED = "HARNESS_GATE_CLOSED_FOR"
"""Environment variable: for whose config a process of ours finds its gate closed."""


def _opened(trusting: bool = False) -> _State:
    whose = os.environ.get(_CLOSED)
    return _State(trusting, [whose] if whose else [])


_state = _opened()
"""Of the process and not of a thread: plugins ask from threads of their own."""


@contextlib.contextmanager
def fresh(*, trusting: bool = False) -> Iterator[None]:
    """A gate that is open until :func:`close` is called, for one command; then the one before.

    Args:
        trusting: it stays open whatever happens: the person at the terminal said so.
    """
    global _state
    before, _state = _state, _opened(trusting)
    try:
        yield
    finally:
        _state = before


def close(whose: str) -> None:
    """Close it: a config that is not the person's own is put to use from here on.

    Args:
        whose: as in ``run desk-1f2e3d4c, which was not begun here``.
    """
    if whose not in _state.strangers:
        _state.strangers.append(whose)


def closed_for() -> str:
    """Whose config it is closed for; empty where it is open."""
    return "" if _state.trusting else ", ".join(_state.strangers)


def is_trusting() -> bool:
    """Whether the person at the terminal trusts whatever is put to use."""
    return _state.trusting


def refuse(what: str, by: str, whose: str) -> Untrusted:
    """The message of a closed door.

    Args:
        what: is not done, as in ``the program 'sh' is not started``.
        by: who asked for it.
        whose: see :func:`close`.
    """
    return Untrusted(
        f"{one_line(what, 300)}: it is asked for by {one_line(whose, 200)}",
        where=by,
        hint="read that config and what it names; then the same command with --trust",
    )


def _pass(what: str, by: str) -> None:
    if whose := closed_for():
        raise refuse(what, by, whose)


# -- start a process -----------------------------------------------------------------------------


def start(command: Sequence[str], *, by: str, **how: Any) -> Popen[Any]:
    """A program that a config, or what a config names, has started.

    Args:
        by: who asks: the plugin's entry as messages name it, or a command.
        how: as for :class:`subprocess.Popen`.

    Raises:
        Untrusted: the gate is closed.
        OSError: it cannot be started.
    """
    _pass(f"the program '{command[0]}' is not started", by)
    return Popen(command, **how)


def run(command: Sequence[str], *, by: str, **how: Any) -> CompletedProcess[Any]:
    """The same, to its end; ``how`` as for :func:`subprocess.run`."""
    _pass(f"the program '{command[0]}' is not started", by)
    return subprocess.run(command, **how)


def start_apart(command: Sequence[str], *, by: str) -> int:
    """A program in a session of its own, which outlives this process; returns its PID.

    Raises:
        Untrusted, OSError: see :func:`start`.
    """
    _pass(f"the program '{command[0]}' is not started", by)
    return os.posix_spawnp(command[0], [*command], os.environ, setsid=True)


def start_ours(program: str | Path, *words: str, **how: Any) -> Popen[Any]:
    """A program of ours in a Python of its own. No config says which, so no gate is closed to it.

    Args:
        program: a module of ``harness`` or of a package that it ships, or the file of one.
        how: as for :class:`subprocess.Popen`.
    """
    return Popen(_python(program, words), **_handed_on(how))


def run_ours(program: str | Path, *words: str, **how: Any) -> CompletedProcess[Any]:
    """The same, to its end; ``how`` as for :func:`subprocess.run`."""
    return subprocess.run(_python(program, words), **_handed_on(how))


def run_python(module: str, *words: str, by: str, **how: Any) -> CompletedProcess[Any]:
    """Somebody else's module in a Python of its own, as ``pip``; see :func:`run`."""
    _pass(f"the module '{module}' is not run", by)
    return subprocess.run([sys.executable, "-P", "-m", module, *words], **how)


def _python(program: str | Path, words: Sequence[str]) -> list[str]:
    module = [str(program)] if isinstance(program, Path) else ["-m", program]
    # -P: a file of the working folder (json.py) is not taken for a library.
    return [sys.executable, "-P", *module, *words]


def _handed_on(how: Mapping[str, Any]) -> dict[str, Any]:
    """The gate of a process of ours is closed where this one's is."""
    environment = dict(how.get("env") or os.environ)
    environment.pop(_CLOSED, None)
    if whose := closed_for():
        environment[_CLOSED] = whose
    return {**how, "env": environment}


# -- ask an address ------------------------------------------------------------------------------


def reach(address: str, *, by: str) -> str:
    """An address that a library, or a part of ours, is about to ask; returns it.

    Args:
        address: a URL, or a name such as ``the model hub``.

    Raises:
        Untrusted: the gate is closed.
    """
    # What stands before the host may be a password.
    _pass(f"{urlsplit(address).netloc.rpartition('@')[2] or address} is not asked", by)
    return address


def library(name: str, address: str, *, by: str) -> Any:
    """A library that asks addresses by itself, imported; see :func:`reach`.

    Raises:
        ImportError: it is not installed.
    """
    reach(address, by=by)
    return importlib.import_module(name)


def open_url(request: str | Request, *, by: str, timeout: float, proxies: bool = True) -> Any:
    """The response to one request; see :func:`reach`.

    Args:
        timeout: in seconds, for connecting and each read.
        proxies: whether those of the user's environment are asked in its place.

    Raises:
        OSError: there is none (``urllib.error``).
    """
    import urllib.request

    reach(request if isinstance(request, str) else request.full_url, by=by)
    handlers = () if proxies else (urllib.request.ProxyHandler({}),)
    return urllib.request.build_opener(*handlers).open(request, timeout=timeout)


# -- read a secret -------------------------------------------------------------------------------


def secret(name: str, *, by: str) -> str:
    """The value of an environment variable that a config names, without blanks around it.

    Raises:
        Untrusted: the gate is closed.
    """
    _pass(f"the environment variable {name} is not read", by)
    return os.environ.get(name, "").strip()


# -- import a file -------------------------------------------------------------------------------


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Compiles the file each time.

    Python's cache of byte code knows a file by its size and the second of its last change, so that
    a plugin that is edited and run again at once would run as it was.
    """

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def import_file(name: str, path: Path, *, by: str) -> ModuleType:
    """The module in a Python file, made anew and known to Python by that name.

    Raises:
        Untrusted: the gate is closed.
        Exception: whatever the file raises; the name stands for nothing then.
    """
    code(f"the file {path}", by=by)
    loader = _SourceLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None  # None is for a path that no loader knows
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def code(what: str, *, by: str) -> bool:
    """Whether code that comes with what a config names may be run by a library: always true.

    Args:
        what: as in ``the code of the model acme/chat``.

    Raises:
        Untrusted: the gate is closed.
    """
    _pass(f"{what} is not run", by)
    return True
