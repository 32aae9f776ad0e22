"""Jobs that a launcher runs elsewhere: submitted, looked after, and found again by their ids.

A job's folder holds ``submitted.json`` from the moment before it is submitted until the run
has what it left. A run that starts again finds it there, and waits for the same job.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.config.making import make_plugin
from harness.config.plugin_entries import PluginEntry
from harness.errors import (
    Cancelled,
    EnvironmentFailure,
    HarnessError,
    JobDied,
    OutOfMemory,
)
from harness.kit import gate, own
from harness.kit.files import digest, read_json, remove, write_json
from harness.kit.numbers import duration
from harness.kit.text import one_line
from harness.records import from_json, to_json
from harness.records.context import Report
from harness.run import carrying, channel
from harness.run.job import DESCRIPTION
from harness.run.scratch import SUBMITTED
from harness.stages import launching
from harness.stages.launching import RESULT, Launched, LaunchedJob, Resources

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
        return from_json(Submitted, read_json(folder / SUBMITTED))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note_submitted(folder: Path, note: Submitted) -> Submitted:
    """Write it down in the job's folder, signed; returns it as it is there."""
    note = dataclasses.replace(note, signature="")
    place = folder / SUBMITTED
    note = dataclasses.replace(note, signature=own.signed(place, digest(to_json(note))))
    write_json(place, to_json(note))
    return note


def is_ours(folder: Path, note: Submitted) -> bool:
    """Whether this user has submitted the job here: its launcher may be asked then, and no other.

    A launcher runs programs by its options, and may be a file.
    """
    text = digest(to_json(dataclasses.replace(note, signature="")))
    return gate.is_trusting() or own.is_signed(folder / SUBMITTED, text, note.signature)


class _SilentError(EnvironmentFailure):
    """The launcher has not answered for long, and its job may be at work all the same."""


class LaunchedJobs:
    """The jobs of one run under its launcher; each thread waits for one of them."""

    def __init__(self, entry: PluginEntry, files: Sequence[str] = ()) -> None:
        self.entry, self._files = entry, tuple(files)
        self._launcher: launching.Launcher = entry.instance
        self._turn = threading.Lock()

    def close(self) -> None:
        """The run's process ends; jobs stay."""
        with self._turn, plainly(self.entry.named):
            self._launcher.close()

    def do(
        self,
        folder: Path,
        resources: Resources,
        label: str,
        report: Report,
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
        except (Cancelled, _SilentError):
            raise
        except HarnessError:
            remove(folder / SUBMITTED)  # the next attempt is another job
            raise
        remove(folder / SUBMITTED)
        return answer

    def _submitted(
        self, folder: Path, resources: Resources, label: str, cancelled: Callable[[], bool]
    ) -> Submitted:
        options = self.entry.instance.options.model_dump(mode="json")
        job = digest(read_json(folder / DESCRIPTION))
        note = submitted_in(folder)
        if note is not None and not is_ours(folder, note):
            note = None  # somebody else's: no job of this user waits there
        if note is not None and (note.job, note.plugin) != (job, self.entry.plugin):
            withdraw([folder], cancelled)
            note = None
        if note is not None:
            new = next(carrying.messages(carrying.messages_file(folder, note.name)))
            if any(message[0] == "done" and not carrying.was_stopped(message) for message in new):
                return note
            if note.id:  # without one nobody knows whether it was submitted: it is, by its name
                if self._state(note.id).state in AT_WORK:
                    return note
                note = None
        if note is None:
            name = f"harness-{secrets.token_hex(8)}"
            for path in (folder / "output", folder / RESULT, *folder.glob("told-*.jsonl")):
                remove(path)
            (folder / "output").mkdir()
            carrying.messages_file(folder, name).touch()
            note = Submitted(
                name, "", self.entry.plugin, options, self._files, job, label, time.time()
            )
            note = note_submitted(folder, note)
        command = carrying.command_of(folder, note.name)
        with self._turn, plainly(self.entry.named):
            name = launching.submitted(
                self._launcher, LaunchedJob(note.name, folder, command, resources)
            )
        return note_submitted(folder, dataclasses.replace(note, id=name))

    def _state(self, name: str) -> Launched:
        with self._turn, plainly(self.entry.named):
            return launching.state_of(self._launcher, name)

    def _awaited(
        self,
        folder: Path,
        note: Submitted,
        report: Report,
        cancelled: Callable[[], bool],
        say: Callable[[str], None],
    ) -> Any:
        messages = carrying.messages(carrying.messages_file(folder, note.name))
        looks, place = list(LOOKS), f"{self.entry.plugin} {note.id}"
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
                        place = f"{self.entry.plugin} {note.id} on {one_line(host, 40)}"
                        report(0, 0, f"({place})")
                    case ["done", outcome]:
                        if carrying.was_stopped(message):
                            stopped = True  # from outside; what is requeued goes on
                            continue
                        if outcome["failure"] is not None:
                            raise channel.raised(outcome["failure"])
                        return self._left(folder, outcome["left"])
            if cancelled():
                raise Cancelled
            now = time.monotonic()
            if now >= look:
                look = now + (looks.pop(0) if len(looks) > 1 else looks[0])
                try:
                    job = self._state(note.id)
                except EnvironmentFailure as error:
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
                if carrying.left_by(folder) == left:
                    return read_json(folder / RESULT)
            except (OSError, ValueError):
                pass
            if time.monotonic() > end:
                raise EnvironmentFailure(
                    f"after {duration(LATE_SECONDS)} {folder} is not what the job left there",
                    hint="is this folder the same one on all machines that run jobs?",
                )
            time.sleep(POLL_SECONDS)

    def _stopped(self, note: Submitted, job: Launched) -> Exception:
        if job.out_of_time:
            return self._out_of_time(note)
        reason = f" ({one_line(job.said, 200)})" if job.said else ""
        return EnvironmentFailure(
            f"the job {note.id} of {self.entry.plugin} was stopped from outside{reason}",
            hint="it was cancelled, or its time was over (execution.resources): the same command "
            "goes on from what it has saved",
        )  # fmt: skip

    def _out_of_time(self, note: Submitted) -> Exception:
        return EnvironmentFailure(
            f"the time of the job {note.id} of {self.entry.plugin} was over before it ended",
            hint="ask for more hours under execution.resources; the same command goes on from what "
            "it has saved",
        )

    def _died(self, note: Submitted, job: Launched) -> Exception:
        with self._turn, plainly(self.entry.named):
            logs = self._launcher.logs(note.id)
        lines = [one_line(line, 200) for line in logs.strip().splitlines()[-5:]]
        reason = f": {one_line(job.said, 200)}" if job.said else ""
        what = f"the job {note.id} of {self.entry.plugin} ended without an answer{reason}"
        if job.out_of_time:
            return self._out_of_time(note)
        if job.out_of_memory:
            hint = "ask for more under execution.resources, or for less at once"
            return OutOfMemory(what, details=lines, hint=hint)
        if job.state == "gone":
            return EnvironmentFailure(what, details=lines, hint="the same command tries again")
        return JobDied(what, details=lines)


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
        with plainly(f"launcher '{notes[folder].plugin}'"):
            launcher.cancel(notes[folder].id)
    deadline = time.monotonic() + END_SECONDS
    for folder in folders:
        while folder in launchers and _at_work(launchers[folder], notes[folder]):
            if cancelled():
                raise Cancelled
            if time.monotonic() > deadline:
                raise EnvironmentFailure(
                    f"the job {notes[folder].id} of {notes[folder].plugin} was cancelled, and has "
                    f"not ended after {duration(END_SECONDS)}",
                    hint="harness jobs shows it; end it by its launcher's own means",
                )
            time.sleep(4 * POLL_SECONDS)
        remove(folder / SUBMITTED)


def _at_work(launcher: launching.Launcher, note: Submitted) -> bool:
    with plainly(f"launcher '{note.plugin}'"):
        return launching.state_of(launcher, note.id).state in AT_WORK


def launcher_of(note: Submitted) -> launching.Launcher:
    """The launcher of a job, made again.

    Raises:
        HarnessError: it is not installed any more.
    """
    files = [Path(path) for path in note.files]
    launcher = make_plugin(launching.Launcher.stage, note.plugin, note.options, files)
    assert isinstance(launcher, launching.Launcher)
    return launcher
