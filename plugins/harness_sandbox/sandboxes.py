"""Running a program where it can harm nothing: what holds it in, and what ends it.

Nothing here runs a program bare. :func:`chosen` gives a sandbox or says why there is none.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import secrets
import selectors
import shlex
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from harness import EnvironmentFailure
from harness.kit import gate
from harness.kit.processes import end
from harness.kit.text import one_line
from harness_sandbox.seccomp import syscall_filter

OUTPUT = 64 * 1024
"""Bytes of output after which a program is ended."""
PROCESSES = 64
"""Processes and threads of one program."""
FILES = 20_000
"""Files of one program: each takes memory of the kernel, even an empty one."""
NOBODY = 65534
_STEP = 0.05
"""Seconds between two looks at the memory that a program takes."""
_STARTING = 30.0
"""Seconds that the sandbox has to start in, which are not the program's."""
_ENDING = 5.0
"""Seconds that what was killed has to be gone."""
_MIB = 1024**2
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HOW_TO_GET = (
    "install bubblewrap (Debian, Fedora: the package bubblewrap), or sandlock (pip install "
    "'iteration-harness[sandlock]'), or name a command that holds programs in: sandbox: [docker, "
    "run, --rm, -i, --network=none, …]"
)
_OF_NAMED = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
    "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG",
    "DOCKER_CERT_PATH", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION", "CONTAINER_HOST",
    "CONTAINERS_CONF",
)  # fmt: skip
"""Variables that a sandbox which the user names is given: where it is, and how it is reached."""
_SOCKET = 416 * 1024
"""Bytes that wait in a socket at most (twice the usual ``net.core.wmem_max``): memory of the
kernel, which counts for no process."""
_ENVIRONMENT = {
    "PATH": _PATH,
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    # Libraries of numbers start a thread for each core, and each counts as a process.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may take.

    Attributes:
        seconds: by the clock, from outside.
        memory: MiB of all its processes together.
        disk: MiB of files.
        output: bytes of output.
    """

    seconds: float = 10.0
    memory: int = 1024
    disk: int = 64
    output: int = OUTPUT


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended.

    Attributes:
        code: its exit code; None where it was ended from outside.
        limit: what it went beyond (``time limit of 10 s``), or empty.
        output: what it wrote, both streams, as far as :attr:`Limits.output` lets it.
    """

    code: int | None
    limit: str
    output: bytes


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A way to hold a program in.

    Attributes:
        name: ``bubblewrap``, ``sandlock``, or the command that the user names.
        python: the Python in it.
        prefix: the command before a program's own, by its limits and the descriptor of the filter.
        filter: of system calls, which the command reads from a descriptor.
        by_user: it is a command that the user names, and finds its server by variables.
        writes: a program in it can write files.
    """

    name: str
    python: str
    prefix: Callable[[Limits, int], list[str]]
    filter: bytes = b""
    by_user: bool = False
    writes: bool = True

    def run(
        self,
        script: str,
        words: Sequence[str],
        fed: bytes,
        limits: Limits,
        beside: Mapping[str, str] = MappingProxyType({}),
    ) -> Ending:
        """Run a shell script with arguments, which reads ``fed`` on its standard input.

        Args:
            beside: variables that the command of the sandbox has, and no program in it should see.

        Raises:
            EnvironmentFailure: the sandbox itself could not be started.
        """
        # Whatever stands before the mark is the sandbox's own: a program that fails has begun.
        mark = secrets.token_hex(8)
        shell = ["/bin/sh", "-c", f"echo {mark}; {script}", "sh", *words]
        # What a sandbox is given a program in it may see, so no keys are in it.
        environment = {"PATH": _PATH}
        if self.by_user:
            environment = {name: os.environ[name] for name in _OF_NAMED if name in os.environ}
        with _readable(self.filter) as descriptor:
            command = [*self.prefix(limits, descriptor), *shell]
            inherited = [descriptor] if self.filter else []
            with _started(command, {**environment, **beside}, inherited) as process:
                ending = _followed(process, fed, limits)
        before, begun, after = ending.output.partition(f"{mark}\n".encode())
        if not begun:
            silent = f"nothing for {_STARTING:g} s" if ending.limit else "it ended"
            reason = one_line(before.decode(errors="replace"), 300) or silent
            raise EnvironmentFailure(
                f"the sandbox ({self.name}) cannot be started: {reason}",
                where="executes",
                hint="see docs/metrics/executes.md, or name another one as sandbox:",
            )
        return Ending(ending.code, ending.limit, before + after)


def chosen(command: Sequence[str]) -> Sandbox:
    """The command that the user names, else bubblewrap, else sandlock.

    Raises:
        EnvironmentFailure: there is no sandbox here: nothing is ever run without one.
    """
    if command:
        if shutil.which(command[0]) is None:
            raise EnvironmentFailure(
                f"there is no program '{one_line(command[0], 80)}'",
                where="executes: sandbox",
                hint="install it, or leave `sandbox` out to use bubblewrap or sandlock",
            )
        name = one_line(shlex.join(command), 60)
        return Sandbox(name, "python3", functools.partial(_named, command), by_user=True)
    refusals = []
    for sandbox in (_bubblewrap, _sandlock):
        try:
            return sandbox()
        except EnvironmentFailure as refusal:
            refusals.append(refusal.what)
    raise EnvironmentFailure(
        "there is no sandbox here, and code of answers is never run without one",
        where="executes",
        details=refusals,
        hint=_HOW_TO_GET,
    )


def _named(command: Sequence[str], limits: Limits, _: int) -> list[str]:
    # Whoever kills `docker run` does not end the container: it has to end by itself.
    return [*command, "timeout", "-s", "KILL", f"{limits.seconds + _ENDING:g}"]


def _bubblewrap() -> Sandbox:
    """Namespaces of its own for all that a program could reach.

    Raises:
        EnvironmentFailure: it is not installed, or the kernel refuses namespaces.
    """
    bwrap, nobody = _path("bwrap"), _as_nobody()
    python, folders = _python()
    own = f"--unshare-all --clearenv --cap-drop ALL --uid {NOBODY} --gid {NOBODY}".split()
    # No process of bubblewrap's own is in there: it would have no limits, and a memory that a
    # program of the same user can write.
    own += ["--as-pid-1", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    for name, value in _ENVIRONMENT.items():
        own += ["--setenv", name, value]
    own += ["--ro-bind", "/usr", "/usr"]
    for folder in map(Path, ("/bin", "/sbin", "/lib", "/lib64", "/lib32")):
        if folder.is_symlink():
            own += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.is_dir():
            own += ["--ro-bind", str(folder), str(folder)]
    for file in ("/etc/ld.so.cache", "/etc/alternatives"):
        own += ["--ro-bind-try", file, file]
    libraries = [word for folder in map(str, folders) for word in ("--ro-bind", folder, folder)]

    refused = syscall_filter()

    def prefix(limits: Limits, descriptor: int) -> list[str]:
        size = str(limits.disk * _MIB)
        # What bubblewrap makes itself (/, /dev) has no size: it may not be written.
        files = ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]
        files += ["--remount-ro", "/dev", "--size", size, "--tmpfs", "/tmp", "--chdir", "/tmp"]
        # After /tmp, for they may lie in it.
        files += [*libraries, "--remount-ro", "/"]
        seccomp = ["--seccomp", str(descriptor)] if refused else []
        # Bounds are set within, so that they count in the sandbox's own namespace of users alone.
        return [*nobody, bwrap, *own, *files, *seccomp, "--", *_bounds(limits, PROCESSES)]

    sandbox = Sandbox("bubblewrap", python, prefix, refused)
    sandbox.run("exit 0", [], b"", Limits())
    return sandbox


def _sandlock() -> Sandbox:
    """Landlock and seccomp, with the user's own files and processes around the program.

    Nothing may be written in it, since neither bounds how much a program writes.

    Raises:
        EnvironmentFailure: it is not installed, or the kernel lacks what it needs.
    """
    try:
        import sandlock
    except (ImportError, OSError, RuntimeError) as error:
        raise _no_sandbox(f"sandlock cannot be imported ({one_line(str(error), 100)})") from error
    needed, there = sandlock.min_landlock_abi(), sandlock.landlock_abi_version()
    if there < needed:
        raise _no_sandbox(f"sandlock needs Landlock {needed}, and this kernel has {max(there, 0)}")
    refused = syscall_filter(namespaces=False)
    if not refused:
        raise _no_sandbox(f"sandlock is not used on this processor ({platform.machine()})")
    nobody = _as_nobody()
    python, folders = _python()
    supervisor = str(Path(__file__).with_name("supervisor.py"))
    read = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache"]
    read += ["/etc/alternatives", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"]
    settings = {
        "library": str(Path(sandlock.__file__).parents[1]),
        "read": [*filter(os.path.exists, read), *map(str, folders)],
        "processes": PROCESSES,
        "environment": _ENVIRONMENT,
    }
    inner = [python, "-I", "-S", "-c", _FILTERED, refused.hex()]

    def prefix(limits: Limits, _: int) -> list[str]:
        # The kernel counts for all that the user runs; sandlock for this program, but no threads.
        bounds = _bounds(limits, _threads_of_user() + 4 * PROCESSES)
        outer = [sys.executable, "-P", supervisor, json.dumps(settings)]
        return [*outer, *nobody, *bounds, *inner]

    return Sandbox("sandlock", python, prefix, writes=False)


_FILTERED = """
import ctypes, os, sys

class Program(ctypes.Structure):
    _fields_ = [("steps", ctypes.c_ushort), ("first", ctypes.c_char_p)]

steps = bytes.fromhex(sys.argv[1])
prctl = ctypes.CDLL(None).prctl
prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
if prctl(22, 2, ctypes.byref(Program(len(steps) // 8, steps)), 0, 0):  # PR_SET_SECCOMP
    sys.exit("system calls cannot be refused here")
os.execv(sys.argv[2], sys.argv[2:])
"""


def _as_nobody() -> list[str]:
    """What makes the rest of a command somebody else's where it would be root's."""
    if os.geteuid() != 0:
        return []
    other = f"--reuid={NOBODY} --regid={NOBODY} --clear-groups --no-new-privs --"
    return [_path("setpriv"), *other.split()]


def _bounds(limits: Limits, processes: int) -> list[str]:
    bounds = [_path("prlimit"), f"--nproc={processes}", f"--as={limits.memory * _MIB}"]
    bounds += [f"--fsize={limits.disk * _MIB}", "--nofile=256", "--core=0", "--msgqueue=0"]
    return [*bounds, f"--cpu={int(limits.seconds) + 2}", "--"]


def _threads_of_user() -> int:
    """Threads of the user that programs run as, as the kernel counts them for its limit."""
    import psutil

    user, count = NOBODY if os.geteuid() == 0 else os.geteuid(), 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            count += process.num_threads() if process.uids().real == user else 0
    return count


def _python() -> tuple[str, list[Path]]:
    """The Python that runs answers, and its folders outside /usr.

    It is the one that runs us, with its libraries, unless whoever runs the programs cannot read it:
    then the system's.
    """
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
    folders = sorted(p for p in prefixes if not p.is_relative_to("/usr"))
    if os.geteuid() != 0 or all(map(_open_to_all, folders)):
        return sys.executable, folders
    return "/usr/bin/python3", []


def _open_to_all(folder: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def _path(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        package = {"bwrap": "bubblewrap"}.get(program, "util-linux")
        raise _no_sandbox(f"there is no program {program} here (package {package})")
    return path


def _no_sandbox(why: str) -> EnvironmentFailure:
    return EnvironmentFailure(why, where="executes", hint=_HOW_TO_GET)


@contextlib.contextmanager
def _readable(data: bytes) -> Iterator[int]:
    """A descriptor from which a few bytes can be read."""
    reading, writing = os.pipe()
    try:
        with open(writing, "wb") as pipe:
            pipe.write(data)
        yield reading
    finally:
        os.close(reading)


@contextlib.contextmanager
def _started(
    command: list[str], environment: Mapping[str, str], descriptors: list[int]
) -> Iterator[gate.Popen[bytes]]:
    """A command in an empty folder; its whole process group is gone after."""
    with tempfile.TemporaryDirectory(prefix="harness-sandbox-") as folder:
        os.chmod(folder, 0o755)  # whoever runs the program has to be able to stand in it
        try:
            process = gate.start(
                command,
                by="executes",
                stdin=gate.PIPE,
                stdout=gate.PIPE,
                stderr=gate.STDOUT,
                pass_fds=descriptors,
                start_new_session=True,
                cwd=folder,
                env=environment,
                bufsize=0,
            )
        except OSError as error:
            raise EnvironmentFailure(
                f"the sandbox cannot be started: {error.strerror or error}", where="executes"
            ) from error
        try:
            yield process
        finally:
            if process.poll() is None:
                # Asked first: the supervisor of sandlock ends then what nothing else finds.
                process.terminate()
                with contextlib.suppress(gate.TimeoutExpired):
                    process.wait(_ENDING)
            end(process)


def _followed(process: gate.Popen[bytes], fed: bytes, limits: Limits) -> Ending:
    assert process.stdin is not None and process.stdout is not None
    until = time.monotonic() + _STARTING
    look = 0.0
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        listening = True
        while listening or process.poll() is None:
            now = time.monotonic()
            if now > until:
                if process.poll() is not None:  # something that it left behind holds its output
                    break
                return Ending(None, f"time limit of {limits.seconds:g} s", bytes(output))
            if process.poll() is not None:
                until = min(until, now + 10 * _STEP)
            elif now > look:
                look = now + _STEP
                if _memory(process.pid, limits.memory * _MIB) > limits.memory * _MIB:
                    return Ending(None, f"memory limit of {limits.memory} MiB", bytes(output))
                if _files(process.pid, limits.disk * _MIB) > FILES:
                    return Ending(None, f"limit of {FILES} files", bytes(output))
            for key, _ in selector.select(max(min(_STEP, until - now), 0)):
                if key.fileobj is process.stdout:
                    piece = os.read(key.fd, 65536)
                    if not output:  # the program begins
                        until = time.monotonic() + limits.seconds
                    output += piece
                    if not piece:
                        selector.unregister(process.stdout)
                        listening = False
                    if len(output) > limits.output:
                        cut = bytes(output[: limits.output])
                        return Ending(None, f"output limit of {limits.output // 1024} KiB", cut)
                    continue
                try:
                    fed = fed[os.write(key.fd, fed[:65536]) :] if fed else fed
                except BlockingIOError:
                    continue
                except OSError:  # it reads no more
                    fed = b""
                if not fed:
                    selector.unregister(process.stdin)
                    process.stdin.close()
    return Ending(process.returncode, "", bytes(output))


def _memory(pid: int, limit: int) -> int:
    """Bytes that a process and all below it hold, those that may wait in sockets among them.

    What they share is counted for each of them, which is quick, and where that is more than
    ``limit`` once for all.
    """
    import psutil

    total = exact = 0
    sockets: set[str] = set()
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        processes = [top, *top.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
            sockets.update(_sockets(process.pid))
        total += (exact := len(sockets) * _SOCKET)
        if total > limit:
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    exact += process.memory_full_info().pss
            return exact
    return total


def _sockets(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if (opened := os.readlink(entry.path)).startswith("socket:"):
                    yield opened


def _files(pid: int, size: int) -> int:
    """Files in what bubblewrap made for a program's own: it has a size, and no limit of files."""
    import psutil

    most = 0
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(pid).children(recursive=True):
            for folder in ("tmp", "dev/shm"):
                with contextlib.suppress(OSError):
                    there = os.statvfs(f"/proc/{process.pid}/root/{folder}")
                    # Of another size it is the machine's own, which no program of ours can write.
                    if there.f_blocks * there.f_frsize == size:
                        most = max(most, there.f_files - there.f_ffree)
    return most
