"""A run in the shared store: numbered states, each with the driver that wrote it.

A state names the files of the run's folder by digest. Whoever carries a run out (its driver) claims
the next number at its start, and one after each round, so that a second driver, or one that was
taken for dead, finds its number taken and stops before it could decide anything. Which driver lives
is told by a heartbeat that is seen to change; clocks are not compared.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from harness.config.finding import shipped
from harness.errors import EnvironmentFailure, HarnessError, UsageError, near
from harness.errors.machine import storing
from harness.kit import own, processes
from harness.kit.files import canonical, digest, file_digest, read_json, remove, write_json
from harness.kit.inside import Outside, inside, is_below
from harness.kit.lock import exclusive
from harness.kit.readers import SUFFIXES
from harness.records.context import unheard
from harness.run import dev_ledger, objects
from harness.run.ledger import Ledger
from harness.run.places import JOURNAL, LEDGER, LIVE, MACHINE_FOLDER, REPORTS_FOLDER
from harness.run.run import Driver, Run
from harness.run.stage_keys import entry_files
from harness.stages.runner import SUBMITTED
from harness.stages.store import Store, StoreError

MARK = "in-store.json"
"""In a run's folder: which state of the store it has, and what its files were then."""
SCHEMA = 1
BEAT = 15.0
"""Seconds between two heartbeats."""
WATCH = 60.0
"""Seconds for which a heartbeat has to stand still before its driver counts as dead."""
KEEP = 300.0
"""Seconds between two states of a stage that takes long."""
_OF_THIS_MACHINE = (
    "lock", "reports.lock", "calling.json", "harness.log", LIVE, MARK, own.SIGNATURE,
)  # fmt: skip
"""What is of one machine alone."""
PROJECT = (*SUFFIXES, ".yaml", ".yml", ".toml", ".txt", ".md", ".jinja")
"""Endings of what a run rests on, of its rows, config, rubrics, prompts and templates."""
Files = Mapping[str, str]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class State:
    """A state of a run.

    Attributes:
        number: from 1 on; 0: the store does not know the run.
        driver: ``token``, ``host``, ``pid``, ``process`` (:func:`processes.this_process`).
        ended: whether the driver has ended, so that another one may begin.
        files: path below the folder of all runs -> sha256.
        project: path below the working folder -> sha256, of files that the results depend on.
        outside: such files that lie elsewhere, and are not in the store.
    """

    number: int = 0
    driver: Mapping[str, Any] | None = None
    ended: bool = True
    files: Files = field(default_factory=dict)
    project: Files = field(default_factory=dict)
    outside: Sequence[str] = ()


class SharedRun(Driver):
    """One run in the store, for its driver.

    Args:
        machine: the folder of all runs.
        project: of the run: path -> file, and what lies elsewhere.
    """

    def __init__(
        self,
        store: Store,
        machine: Path,
        name: str,
        project: Callable[[], tuple[Mapping[str, Path], Sequence[str]]] = lambda: ({}, ()),
    ) -> None:
        self.store, self.name = store, name
        self._runs, self._project = machine / "runs", project
        self._folder = inside(machine, "runs", name)
        self._prefix = f"runs/{objects.as_part(name)}"
        self._token = uuid.uuid4().hex
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._lost: HarnessError | None = None
        self._kept = 0.0

    def begin(self, say: Say) -> None:
        """Have all that others did, and become the driver.

        Raises:
            EnvironmentFailure: another process drives it, or has gone on with other results.
        """
        last, mark = self.last(), self._mark
        if not last.ended and (last.driver or {})["token"] != mark["token"]:
            self._watch(last, say)
            if self.last().number != last.number:
                raise self._taken()
        if last.number > mark["number"]:
            self.take(last)
        mark = self._mark
        self._mark_as(last.number, mark["files"], mark["project"])
        self.keep()
        threading.Thread(target=self._beat, daemon=True).start()

    def check(self) -> None:
        """Nobody else has gone on with the run.

        Raises:
            EnvironmentFailure: another driver has.
        """
        with self._lock:  # or a state that the heart is about to keep would seem another driver's
            number = self._mark["number"] + 1
            if self._lost is None and self.store.get(objects.number_key(self._prefix, number)):
                self._lost = self._taken()
            if self._lost is not None:
                raise self._lost

    def end(self) -> None:
        """The last state; whoever comes may begin at once."""
        self.stop()
        self.keep(ended=True)

    def stop(self) -> None:
        """Show no more that this process lives."""
        self._ended.set()

    def keep(self, *, ended: bool = False, unless_ended: bool = False) -> None:
        """Put the run's files of now into the store.

        Args:
            ended: the driver has ended with this state.
            unless_ended: not where it has meanwhile, after which there is no further state.

        Raises:
            EnvironmentFailure: another driver has gone on with the run.
            StoreError: the store does not answer.
        """
        with self._lock:
            if unless_ended and self._ended.is_set():
                return
            if self._lost is not None:
                raise self._lost
            mark = self._mark
            files = self._files()
            for path in [
                path for path, sha256 in files.items() if sha256 not in mark["files"].values()
            ]:
                # Read once: it may be appended to meanwhile.
                data = (self._runs / path).read_bytes()
                files[path] = hashlib.sha256(data).hexdigest()
                self.store.put(objects.file_key(files[path]), data)
            named = self._sent_project
            number = mark["number"] + 1
            document = {
                "schema": SCHEMA, "run": self.name, "ended": ended, "files": files,
                "project": named, "outside": list(self._named[1]),
                "driver": {
                    "token": self._token, "host": socket.gethostname(), "pid": os.getpid(),
                    "process": processes.this_process(),
                },
            }  # fmt: skip
            document["seal"] = digest(document)
            if not self.store.create(objects.number_key(self._prefix, number), canonical(document)):
                self._lost = self._taken()
                raise self._lost
            self._mark_as(number, files, named)
            self._kept = time.monotonic()

    @functools.cached_property
    def _named(self) -> tuple[Mapping[str, Path], Sequence[str]]:
        return self._project()

    @functools.cached_property
    def _sent_project(self) -> Files:
        """The project's files in the store: path -> sha256. They are part of the run's name."""
        sent = {}
        for path, file in self._named[0].items():
            sent[path] = sha256 = file_digest(file)
            if sha256 not in self._mark["project"].values():
                self.store.send(objects.file_key(sha256), file)
                if file_digest(file) != sha256:
                    self.store.delete(objects.file_key(sha256))
                    raise EnvironmentFailure("it was changed meanwhile", where=str(file))
        return sent

    def last(self) -> State:
        """The latest state of the store."""
        number = objects.last_number(self.store, self._prefix, self._mark["number"])
        if not number:
            return State()
        data = self.store.get(objects.number_key(self._prefix, number))
        return _state(data, number, self.name, self.store)

    def take(self, state: State) -> None:
        """Have the files of a state here.

        Raises:
            EnvironmentFailure: rounds were closed here of which it does not know.
        """
        mine, mark = self._files(), self._mark
        changed = {path for path, sha256 in mine.items() if mark["files"].get(path) != sha256}
        with storing(self._folder):
            work = inside(self._runs.parent, "work", f"{uuid.uuid4().hex[:12]}.removed")
            work.mkdir(parents=True)
        try:
            fetched = {
                # Under a name of its own: several files of a run may be equal.
                path: _fetched(self.store, sha256, inside(work, str(place)))
                for place, (path, sha256) in enumerate(state.files.items())
                if mine.get(path) != sha256
            }
            for path in sorted(changed & fetched.keys()):
                here, there = (self._runs / path).read_bytes(), fetched[path].read_bytes()
                if path.endswith(".jsonl") and here.startswith(there):
                    del fetched[path]  # nothing was appended there since
                elif Path(path).name == JOURNAL and not there.startswith(here):
                    raise EnvironmentFailure(
                        "rounds were closed here, and others on another machine, without knowing "
                        "of each other",
                        where=f"run {self.name}",
                        hint=f"move {self._folder} away; the same command goes on with the run "
                        "of the store",
                    )
            for path, file in fetched.items():
                target = inside(self._runs, *path.split("/"))
                with storing(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(file, target)
        finally:
            remove(work)
        self._mark_as(state.number, state.files, state.project, token="")

    @property
    def _mark(self) -> dict[str, Any]:
        try:
            mark: dict[str, Any] = read_json(self._folder / MARK)
            if mark["store"] == self.store.id:
                return mark
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return {"number": 0, "token": "", "files": {}, "project": {}}

    def _mark_as(self, number: int, files: Files, project: Files, token: str | None = None) -> None:
        write_json(
            self._folder / MARK,
            {
                "store": self.store.id, "number": number, "files": dict(files),
                "project": dict(project),
                "token": self._token if token is None else token,
            },
        )  # fmt: skip

    def _files(self) -> dict[str, str]:
        """Path below the folder of all runs -> sha256, of the run and its arms."""
        digests = {}
        for top in (self._folder, self._folder.with_name(f"{self.name}.arms")):
            for path in sorted(top.rglob("*")) if top.is_dir() else ():
                stays = path.name in _OF_THIS_MACHINE or path.name.endswith(".tmp")
                if not stays and path.is_file() and not path.is_symlink():
                    with contextlib.suppress(FileNotFoundError):
                        digests[path.relative_to(self._runs).as_posix()] = file_digest(path)
        return digests

    def _taken(self) -> HarnessError:
        last = self.last()
        return _driven(self.name, last, "another process has gone on with this run meanwhile")

    def _watch(self, last: State, say: Say) -> None:
        """Wait until it is known whether a driver lives.

        Raises:
            EnvironmentFailure: it does.
        """
        driver = last.driver or {}
        if processes.is_gone(driver["process"]):
            return
        say(
            f"note: by what the store says, PID {driver['pid']} on {driver['host']} is at work on "
            f"this run; {WATCH:.0f} s are waited to see whether it is alive"
        )
        key, late = f"{self._prefix}/beat/{driver['token']}", False
        first, deadline = self.store.get(key), time.monotonic() + WATCH
        while not late:
            time.sleep(min(WATCH / 12, BEAT / 3))
            late = time.monotonic() >= deadline  # the store may be slow: one look is after that
            if self.store.get(key) != first:
                raise _driven(self.name, last, "this run is already in progress")
        say("note: it is not, and this process goes on with the run")

    def _beat(self) -> None:
        """Show that this process lives, and keep what a long stage has written meanwhile."""
        key, count = f"{self._prefix}/beat/{self._token}", 0
        while not self._ended.wait(BEAT if count else 0.0):
            count += 1
            with contextlib.suppress(HarnessError, OSError):
                self.store.put(key, str(count).encode())
                if time.monotonic() - self._kept > KEEP:
                    self.keep(unless_ended=True)


@contextlib.contextmanager
def driving(run: Run, say: Say = unheard, *, anew: bool = False) -> Iterator[None]:
    """Carry a run out: no other process does meanwhile, on this machine or on one that shares its
    store.

    Args:
        anew: it has to be a run that nobody has begun.

    Raises:
        EnvironmentFailure: another process carries it out; names its PID and host.
        StoreError: the store cannot be used.
    """
    with exclusive(run.folder / "lock"):
        execution = run.config.settings.execution
        store = objects.attach(run.machine, execution.store)
        if store is None:
            yield
            return
        shared = SharedRun(store, run.machine, run.name, lambda: project_files(run))
        if anew and shared.last().number and not (run.folder / JOURNAL).exists():
            raise UsageError(
                f"a run {run.name} was begun on another machine",
                hint=f"harness pull {run.name}; then the same command begins the next one",
            )
        if execution.cache and not _others_at_work(run):
            run.artifacts.trim(execution.cache * 2**20)
        shared.begin(say)
        try:
            run.ledger.catch_up()
            dev_ledger.catch_up(run.machine)
            run.driver = shared
            yield
        except StoreError:
            raise  # it would be asked in vain once more
        except BaseException:
            with contextlib.suppress(HarnessError, OSError):  # what went wrong is what is told
                shared.end()
            raise
        else:
            shared.end()
        finally:
            shared.stop()  # a process that lives on, as a notebook's, is at work no more
            run.driver = Driver()


def project_files(run: Run) -> tuple[dict[str, Path], list[str]]:
    """Files that the results of a run depend on: those below the working folder, and the others."""
    config, root = run.config, run.root.resolve()
    files = [file for entry in config.makers() for file in entry_files(entry)]
    files += [config.path] if config.path else []
    files += [Path(name) for name in run.plugin_files]
    below: dict[str, Path] = {}
    elsewhere: set[str] = set()
    for file in (file.resolve() for file in files if file.is_file()):
        path = file.relative_to(root).as_posix() if root in file.parents else ""
        if path and _below(path):
            below[path] = file
        elif shipped(".").resolve() not in file.parents:
            elsewhere.add(str(file))
    return below, sorted(elsewhere)


def _others_at_work(run: Run) -> bool:
    folders = [
        path.parent for path in run.folder.parent.glob("*/lock") if path.parent != run.folder
    ]
    for folder in folders:
        try:
            with exclusive(folder / "lock"):
                pass
        except EnvironmentFailure:
            return True
    return any((run.machine / "work").glob(f"*/*/{SUBMITTED}"))


def _names(store: Store) -> list[str]:
    return sorted(map(objects.as_name, store.below("runs")))


def stored_runs(url: str | None = None) -> list[str]:
    """The runs of a shared store, by name; ``url`` as for :func:`pull_run`."""
    return _names(objects.meant(url))


def pull_run(name: str, url: str | None = None, *, code: bool = False) -> list[str]:
    """Have a run of a shared store in this folder: the run itself, the ledgers, and what its
    results depend on.

    The working folder belongs to the store from then on. Artifacts come when they are asked for.

    Args:
        url: of the store; None: the one that this folder belongs to, or that ./harness.yaml names.
        code: take Python files, too.

    Returns:
        sentences about what is not here.

    Raises:
        UsageError: there is no store, or it has no such run.
        EnvironmentFailure: the run is in progress here; or the store does not answer.
    """
    store, machine = objects.meant(url), Path(MACHINE_FOLDER).absolute()
    _check_name(name)
    shared = SharedRun(store, machine, name)
    last = shared.last()
    if not last.number:
        runs = _names(store)
        others = f"; there are: {', '.join(runs[:5])}" if runs else ""
        raise UsageError(f"the store has no run '{name}'{near(name, runs)}{others}")
    folder = inside(machine, "runs", name)
    with exclusive(folder / "lock"):
        shared.take(last)
        objects.attach(machine, store.url)
        Ledger(machine / LEDGER).catch_up()
        dev_ledger.catch_up(machine)
    return [*_take_project(store, machine, last, code=code), *(
        f"{path} lies outside of the project, and is not in the store" for path in last.outside
    )]  # fmt: skip


def _take_project(store: Store, machine: Path, state: State, *, code: bool) -> Iterator[str]:
    """Write the files that the results depend on where there are none; say which are not taken.

    What is written is noted as pulled: it never counts as the user's own, whatever its name.

    Args:
        code: take Python files, too.
    """
    root, targets = machine.parent, {}
    for path, sha256 in sorted(state.project.items()):
        suffix = PurePosixPath(path).suffix.lower()
        try:
            target = inside(root, *path.split("/"))
        except Outside as error:
            yield f"{path} is not taken: {error.placed}"
            continue
        if target.is_file():
            if file_digest(target) != sha256:
                yield f"{path} is another one here than the run has used: it stays as it is"
        elif suffix == ".py" and not code:
            yield f"{path} is code, and is not taken: --trust takes it"
        elif suffix not in (*PROJECT, ".py"):
            yield f"{path} is not taken: {suffix or 'no ending'} is no kind of rows, config or text"
        else:
            targets[path] = target
    if targets:  # noted before anything is there: whatever ends this, nothing of it is one's own
        own.note_pulled(machine, {path: state.project[path] for path in targets})
    for path, target in targets.items():
        with storing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{uuid.uuid4().hex[:8]}.tmp")
            try:
                os.replace(_fetched(store, state.project[path], temporary), target)
            finally:
                temporary.unlink(missing_ok=True)


def _fetched(store: Store, sha256: str, target: Path) -> Path:
    if not store.fetch(objects.file_key(sha256), target) or file_digest(target) != sha256:
        raise StoreError(
            f"the file {sha256[:12]} of the run is not there, or was changed", where=store.url
        )
    return target


def _state(data: bytes | None, number: int, name: str, store: Store) -> State:
    try:
        document = json.loads(data or b"")
        seal = document.pop("seal")
        tops = (name, f"{name}.arms")
        if (
            document["schema"] == SCHEMA
            and seal == digest(document)
            and document["run"] == name
            and all(_below(path, tops) for path in document["files"])
            and all(_below(path) for path in document["project"])
            and all(
                map(objects.is_digest, [*document["files"].values(), *document["project"].values()])
            )
        ):
            driver = {key: document["driver"][key] for key in ("token", "host", "pid")}
            driver["process"] = document["driver"].get("process")  # earlier versions had none
            return State(
                number, driver, document["ended"] is True, document["files"], document["project"],
                tuple(map(str, document["outside"])),
            )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise StoreError(
        f"state {number} of run {name} in the store was changed, or another version wrote it",
        where=store.url,
    )


def _below(path: str, tops: Sequence[str] = ()) -> bool:
    """Whether a path stays below its folder, and in none that is the program's own."""
    if not is_below(path) or "\\" in path:
        return False
    parts = path.split("/")
    if tops:
        return parts[0] in tops and len(parts) > 1 and parts[-1] not in _OF_THIS_MACHINE
    return not any(part.startswith(".") for part in parts) and parts[0] != REPORTS_FOLDER


def _check_name(name: str) -> None:
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise UsageError(f"{name!r} is no name of a run")


def _driven(name: str, last: State, what: str) -> EnvironmentFailure:
    driver = last.driver or {}
    return EnvironmentFailure(
        f"{what}: PID {driver.get('pid')} on {driver.get('host')}",
        where=f"run {name}",
        hint="wait for it, or stop it first; the same command goes on with what it has done",
    )
