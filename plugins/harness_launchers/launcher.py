"""Launchers: jobs that run elsewhere are submitted, looked after, and found again by their ids.

A job's folder holds ``submitted.json`` from the moment before it is submitted until the run
has what it left. A run that starts again finds it there, and waits for the same job.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import harness
from harness.kit import gate, own
from harness.kit.files import digest, read_json, remove, write_json
from harness.kit.numbers import counted, duration
from harness.kit.text import given, one_line
from harness_launchers import node
from harness_launchers.node import DESCRIPTION, OUTPUT, RESULT

SUBMITTED = "submitted.json"
"""In a job's folder: which job works there. The core leaves such a folder as it is."""
JobState = Literal["waiting", "running", "ended", "failed", "gone"]
"""``ended``: with exit code 0; ``gone``: cancelled, or unknown to the launcher."""
STATES: tuple[JobState, ...] = ("waiting", "running", "ended", "failed", "gone")
POLL_SECONDS = 0.05
"""Between two looks at what a job says; ten times as long once it has taken a minute."""
LOOKS = (1.0, 1.0, 2.0, 2.0, 5.0, 5.0, 15.0)
"""Seconds between two questions to the launcher; the last ones from then on."""
LATE_SECONDS = 60.0
"""For which a shared folder may lack what a job says that it left."""
DEAD_SECONDS = 5.0
"""The same for the last words of one that has failed."""
SILENT_SECONDS = 900.0
"""For which a launcher may not answer."""
END_SECONDS = 120.0
"""For which a job that was cancelled may go on: to its next step, and to save there."""
AT_WORK = ("waiting", "running")
WAITS = 120.0
"""Seconds for which a launcher that is tried out may let its job wait."""
NOBODYS = "999999999"
"""An id that no job has. 0 is none: to who waits for processes it means any of its own."""

_AS_GIVEN = harness.Resources()


@dataclass(frozen=True, slots=True)
class LaunchedJob:
    """A job to be run: a folder that says what to do, and the command that does it.

    Attributes:
        name: no other job has it; letters, digits and ``-``.
        folder: with all that the job needs and leaves; each machine that runs jobs sees it.
        command: does the job. It ends by itself, asks for nothing, and stops in order at SIGTERM.
            ``Carrier().do(folder, name)`` is the same within a process that stays for the next job
            (:class:`harness_launchers.Carrier`).
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    resources: harness.Resources = _AS_GIVEN


@dataclass(frozen=True, slots=True)
class Launched:
    """How a job is.

    Attributes:
        said: where it runs, why it waits or why it ended, in a few words of the launcher.
        out_of_memory: whether it was ended because it took too much.
        out_of_time: whether it was ended because its time was over.
    """

    state: JobState
    said: str = ""
    out_of_memory: bool = False
    out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """What stands in :data:`SUBMITTED`.

    Attributes:
        name: of this attempt.
        id: the launcher's; empty until it is known.
        plugin, options: of the launcher.
        files: one-file plugins of the run.
        job: digest of the job's description.
        label: what people call it.
        at: seconds since 1970, by the clock of the run's machine.
        signature: of the user who submitted it (:mod:`harness.kit.own`).
    """

    name: str
    id: str
    plugin: str
    options: dict[str, Any]
    files: tuple[str, ...]
    job: str
    label: str
    at: float
    signature: str = ""


def submitted_in(folder: Path) -> Submitted | None:
    """Which job was submitted in a folder; None if none was."""
    try:
        return harness.from_json(Submitted, read_json(folder / SUBMITTED))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def submitted_below(root: Path) -> Iterator[tuple[Path, str]]:
    """The folders of submitted jobs below a working folder, each with the name of its run."""
    work = root / own.MACHINE_FOLDER / "work"
    # A walk passes over folders that go meanwhile, a glob does not.
    for top, _, names in os.walk(work):
        if SUBMITTED in names:
            yield Path(top), run_of(Path(top), root)


def run_of(folder: Path, root: Path) -> str:
    """The name of the run to which the folder of a job belongs."""
    work = root / own.MACHINE_FOLDER / "work"
    return folder.parent.relative_to(work).parts[0].removesuffix(".arms")


def note_submitted(folder: Path, note: Submitted) -> Submitted:
    """Write it down in the job's folder, signed; returns it as it is there."""
    note = dataclasses.replace(note, signature="")
    place = folder / SUBMITTED
    note = dataclasses.replace(note, signature=own.signed(place, digest(harness.to_json(note))))
    write_json(place, harness.to_json(note))
    return note


def is_ours(folder: Path, note: Submitted) -> bool:
    """Whether this user has submitted the job here: its launcher may be asked then, and no other.

    A launcher runs programs by its options, and may be a file.
    """
    text = digest(harness.to_json(dataclasses.replace(note, signature="")))
    return gate.is_trusting() or own.is_signed(folder / SUBMITTED, text, note.signature)


class _SilentError(harness.EnvironmentFailure):
    """The launcher has not answered for long, and its job may be at work all the same."""


class Launcher(harness.Runner):
    """Has jobs run: submits, looks, cancels. What they leave stands in their folders.

    It keeps nothing in memory that matters: another process, with the same options, has to find a
    job by its id. Several threads call it, one at a time.
    """

    elsewhere: ClassVar[bool] = True

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self._turn = threading.Lock()

    def submit(self, job: LaunchedJob) -> str:
        """Have it run; gives its id, one line. A job of that name that has not ended is the same
        one: its id is given again, and nothing is submitted.

        Raises:
            harness.EnvironmentFailure: it cannot be submitted from here.
        """
        raise NotImplementedError

    def state(self, id: str) -> Launched:
        """How it is now; ``gone`` for an id that is not known any more.

        Raises:
            harness.EnvironmentFailure: nobody answers; it is asked again later.
        """
        raise NotImplementedError

    def cancel(self, id: str) -> None:
        """End it; nothing happens where it has ended."""
        raise NotImplementedError

    def logs(self, id: str) -> str:
        """What the launcher itself wrote of it, such as why it never began. Optional."""
        return ""

    def close(self) -> None:
        """The run's process ends. Jobs go on, unless they run in something that it started."""

    def do(
        self,
        folder: Path,
        resources: harness.Resources,
        label: str,
        report: harness.Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Any:
        """Have the job in ``folder`` done, or wait for the one at it; returns its ``result.json``.

        Raises:
            Cancelled: the user asked to stop; the job stays, and is found by the next start.
            EnvironmentFailure: the launcher falls silent; the same.
            HarnessError: as the job raised it, or as the launcher did.
        """
        note = self._submitted(folder.absolute(), resources, label, cancelled)
        try:
            answer = self._awaited(folder, note, report, cancelled, say)
        except (harness.Cancelled, _SilentError):
            raise
        except harness.HarnessError:
            remove(folder / SUBMITTED)  # the next attempt is another job
            raise
        remove(folder / SUBMITTED)
        return answer

    def _submitted(
        self, folder: Path, resources: harness.Resources, label: str, cancelled: Callable[[], bool]
    ) -> Submitted:
        options = self.options.model_dump(mode="json")
        description = read_json(folder / DESCRIPTION)
        job = digest(description)
        note = submitted_in(folder)
        if note is not None and not is_ours(folder, note):
            note = None  # somebody else's: no job of this user waits there
        if note is not None and (note.job, note.plugin) != (job, self.name):
            withdraw([folder], cancelled)
            note = None
        if note is not None:
            new = next(node.messages(node.messages_file(folder, note.name)))
            if any(message[0] == "done" and not node.was_stopped(message) for message in new):
                return note
            if note.id:  # without one nobody knows whether it was submitted: it is, by its name
                if self._state(note.id).state in AT_WORK:
                    return note
                note = None
        if note is None:
            name = f"harness-{secrets.token_hex(8)}"
            for path in (folder / OUTPUT, folder / RESULT, *folder.glob("told-*.jsonl")):
                remove(path)
            (folder / OUTPUT).mkdir()
            node.messages_file(folder, name).touch()
            files = tuple(description["plugins"])
            note = Submitted(name, "", self.name, options, files, job, label, time.time())
            note = note_submitted(folder, note)
        command = node.command_of(folder, note.name)
        with self._turn:
            name = submitted(self, LaunchedJob(note.name, folder, command, resources))
        return note_submitted(folder, dataclasses.replace(note, id=name))

    def _state(self, name: str) -> Launched:
        with self._turn:
            return state_of(self, name)

    def interrupted(self, run: str, ask: Callable[[str], str], say: Callable[[str], None]) -> None:
        folders = [folder for folder, of in submitted_below(Path.cwd()) if of == run]
        if not folders:
            return
        count = counted(len(folders), "job")
        answer = ask(f"{count} elsewhere: Enter leaves them running, c cancels them")
        if answer.lower().startswith("c"):
            say("they end after their present step")
            withdraw(folders)
            say(f"{count} cancelled")
        else:
            say(f"{count} left running: harness jobs shows them, the same command finds them")

    def exercise(self, job: Path) -> Any:
        """Submit a job twice under one name, look at it to its end, and cancel it then."""
        name = f"harness-kit-{time.time_ns()}"
        asked = LaunchedJob(name, job, node.command_of(job, name))
        id = submitted(self, asked)
        if (again := submitted(self, asked)) != id:
            raise harness.PluginError(
                f"submit() gives one job two ids: {given(id)} and {given(again)}"
            )
        over = time.monotonic() + WAITS
        while (how := state_of(self, id)).state in AT_WORK:
            if time.monotonic() > over:
                self.cancel(id)
                raise harness.PluginError(f"a job without work has not ended after {WAITS:.0f} s")
            time.sleep(0.2)
        if how.state not in ("ended", "gone"):
            raise harness.PluginError(f"a job without work is '{how.state}' ({how.said})")
        if not (job / RESULT).is_file():
            raise harness.PluginError(
                f"a job that was submitted and is '{how.state}' was never done"
            )
        self.cancel(id)
        self.logs(id)
        if state_of(self, NOBODYS).state != "gone":
            raise harness.PluginError(
                "state() of an id that nobody has is something else than 'gone'"
            )
        return id

    def _awaited(
        self,
        folder: Path,
        note: Submitted,
        report: harness.Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Any:
        messages = node.messages(node.messages_file(folder, note.name))
        looks, place = list(LOOKS), f"{self.name} {note.id}"
        begun = heard = time.monotonic()
        look, ended_at, waits, stopped = begun + looks[0], 0.0, False, False
        while True:
            for message in next(messages):
                match message:
                    case ["step", done, total, what]:
                        report(done, total, what)
                    case ["say", sentence]:
                        say(sentence)
                    case ["at", host]:
                        place = f"{self.name} {note.id} on {one_line(host, 40)}"
                        report(0, 0, f"({place})")
                    case ["done", outcome]:
                        if node.was_stopped(message):
                            stopped = True  # from outside; what is requeued goes on
                            continue
                        if outcome["failure"] is not None:
                            raise harness.raised(outcome["failure"])
                        return self._left(folder, outcome["left"])
            if cancelled():
                raise harness.Cancelled
            now = time.monotonic()
            if now >= look:
                look = now + (looks.pop(0) if len(looks) > 1 else looks[0])
                try:
                    job = self._state(note.id)
                except harness.EnvironmentFailure as error:
                    if now - heard > SILENT_SECONDS:
                        raise _SilentError(error.what, hint="the same command goes on with the "
                                           "jobs that were submitted") from error  # fmt: skip
                    report(0, 0, f"({one_line(error.what, 60)})")
                    continue
                heard = now
                if job.state == "waiting":
                    report(0, 0, f"(waits: {place} {one_line(job.said, 60)})")
                    if not waits and now - begun > 60:
                        waits = True
                        say(f"waits for {duration(now - begun)}: {place} {one_line(job.said, 60)}")
                if job.state in AT_WORK:
                    ended_at = 0.0
                elif stopped:
                    raise self._stopped(note, job)
                elif not ended_at:
                    ended_at = now
                elif now - ended_at > (LATE_SECONDS if job.state == "ended" else DEAD_SECONDS):
                    raise self._died(note, job)
            time.sleep(POLL_SECONDS if now - begun < 60 else 10 * POLL_SECONDS)

    def _left(self, folder: Path, left: dict[str, Any]) -> Any:
        """What the job left, as soon as this machine sees all of it."""
        end = time.monotonic() + LATE_SECONDS
        while True:
            try:
                if node.left_by(folder) == left:
                    return read_json(folder / RESULT)
            except (OSError, ValueError):
                pass
            if time.monotonic() > end:
                raise harness.EnvironmentFailure(
                    f"after {duration(LATE_SECONDS)} {folder} is not what the job left there",
                    hint="is this folder the same one on all machines that run jobs?",
                )
            time.sleep(POLL_SECONDS)

    def _stopped(self, note: Submitted, job: Launched) -> Exception:
        if job.out_of_time:
            return self._out_of_time(note)
        reason = f" ({one_line(job.said, 200)})" if job.said else ""
        return harness.EnvironmentFailure(
            f"the job {note.id} of {self.name} was stopped from outside{reason}",
            hint="it was cancelled, or its time was over (execution.resources): the same command "
            "goes on from what it has saved",
        )  # fmt: skip

    def _out_of_time(self, note: Submitted) -> Exception:
        return harness.EnvironmentFailure(
            f"the time of the job {note.id} of {self.name} was over before it ended",
            hint="ask for more hours under execution.resources; the same command goes on from what "
            "it has saved",
        )

    def _died(self, note: Submitted, job: Launched) -> Exception:
        with self._turn, harness.plainly(_named(self)):
            logs = self.logs(note.id)
        lines = [one_line(line, 200) for line in logs.strip().splitlines()[-5:]]
        reason = f": {one_line(job.said, 200)}" if job.said else ""
        what = f"the job {note.id} of {self.name} ended without an answer{reason}"
        if job.out_of_time:
            return self._out_of_time(note)
        if job.out_of_memory:
            hint = "ask for more under execution.resources, or for less at once"
            return harness.OutOfMemory(what, details=lines, hint=hint)
        if job.state == "gone":
            return harness.EnvironmentFailure(
                what, details=lines, hint="the same command tries again"
            )
        return harness.JobDied(what, details=lines)


def withdraw(folders: Sequence[Path], cancelled: Callable[[], bool] = lambda: False) -> None:
    """Cancel the jobs that were submitted in folders, and wait for their ends: until then they
    write there.

    Raises:
        Cancelled: the user asked to stop meanwhile.
        EnvironmentFailure: a job does not end.
        HarnessError: a launcher cannot be asked.
        Untrusted: somebody else has noted a job.
    """
    notes = {folder: note for folder in folders if (note := submitted_in(folder)) is not None}
    for folder, note in notes.items():
        if not is_ours(folder, note):
            what = f"the job {note.id} of {note.plugin} is not cancelled"
            raise gate.refuse(what, "jobs", f"{folder / SUBMITTED}, which was not written here")
    launchers = {folder: launcher_of(note) for folder, note in notes.items() if note.id}
    for folder, launcher in launchers.items():
        with harness.plainly(_named(launcher)):
            launcher.cancel(notes[folder].id)
    deadline = time.monotonic() + END_SECONDS
    for folder in folders:
        while folder in launchers and _at_work(launchers[folder], notes[folder]):
            if cancelled():
                raise harness.Cancelled
            if time.monotonic() > deadline:
                raise harness.EnvironmentFailure(
                    f"the job {notes[folder].id} of {notes[folder].plugin} was cancelled, and has "
                    f"not ended after {duration(END_SECONDS)}",
                    hint="harness jobs shows it; end it by its launcher's own means",
                )
            time.sleep(4 * POLL_SECONDS)
        remove(folder / SUBMITTED)


def _at_work(launcher: Launcher, note: Submitted) -> bool:
    return state_of(launcher, note.id).state in AT_WORK


def launcher_of(note: Submitted) -> Launcher:
    """The launcher of a job, made again.

    Raises:
        HarnessError: it is not installed any more.
    """
    files = [Path(path) for path in note.files]
    launcher = harness.make_plugin(Launcher.stage, note.plugin, note.options, files)
    if not isinstance(launcher, Launcher):
        raise harness.PluginError(f"the {Launcher.stage} '{note.plugin}' launches no jobs")
    return launcher


def submitted(launcher: Launcher, job: LaunchedJob) -> str:
    """The id of a job that was handed over."""
    with harness.plainly(_named(launcher)):
        name: Any = launcher.submit(job)
        if not isinstance(name, str) or len(name.splitlines()) != 1 or len(name) > 200:
            raise harness.PluginError(
                f"submit() gives {given(name)}, where an id of one line is due"
            )
    return name


def state_of(launcher: Launcher, name: str) -> Launched:
    """How a job is."""
    with harness.plainly(_named(launcher)):
        job: Any = launcher.state(name)
        if not isinstance(job, Launched) or job.state not in STATES:
            raise harness.PluginError(
                f"state() gives {given(job)}, where a Launched is due, in one of the states "
                f"{', '.join(STATES)}"
            )
    return job


def _named(launcher: Launcher) -> str:
    return f"launcher '{launcher.name}'"
