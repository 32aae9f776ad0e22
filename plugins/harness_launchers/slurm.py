"""The launcher ``slurm``: jobs by sbatch, looked at by scontrol; it needs no accounting.

The working folder and the environment of Python lie where all nodes see them under one path.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

import harness
from harness.kit import gate
from harness.kit.text import one_line
from harness_launchers.launcher import Launched, LaunchedJob, Launcher

SECONDS = 60
"""For which one of SLURM's programs may take."""
_WAITING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD"}
_RUNNING = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}
_GONE = {"CANCELLED", "PREEMPTED", "REVOKED"}
_LOG = 8_000
"""Last characters of what a job's script printed."""


class Slurm(Launcher):
    """Jobs by sbatch, on a cluster whose nodes see this folder."""

    name = "slurm"
    known_as = ("sbatch",)
    runs_code = ("setup",)

    class Options(harness.Options):
        partition: str = Field("", description="where jobs queue; empty: the cluster's default")
        account: str = Field("", description="whom they are charged to; empty: the user's default")
        modules: list[str] = Field([], description="loaded by `module load` before a job")
        setup: list[str] = Field([], description="lines of bash before a job: `source …/activate`")
        flags: list[str] = Field([], description="further ones of sbatch, such as --qos=long")

    options: Options

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """Whether SLURM's programs are here."""
        for program in ("sbatch", "squeue", "scontrol", "scancel"):
            if shutil.which(program) is None:
                message = f"there is no {program} on this machine: begin the run on a login node"
                yield harness.Problem(message, level="environment")
                return

    def submit(self, job: LaunchedJob) -> str:
        queued = _said(["squeue", "--noheader", "--format=%i", f"--name={job.name}"]).split()
        if queued:
            return queued[0]
        log = job.folder / "slurm-%j.log"
        command = [
            "sbatch", "--parsable", f"--job-name={job.name}", f"--output={log}",
            f"--chdir={Path.cwd()}", *self._asked(job.resources), *self.options.flags,
        ]  # fmt: skip
        # With --parsable: ID, or ID;CLUSTER.
        return _said(command, self._script(job.command)).strip().partition(";")[0]

    def _asked(self, needs: harness.Resources) -> Iterator[str]:
        if self.options.partition:
            yield f"--partition={self.options.partition}"
        if self.options.account:
            yield f"--account={self.options.account}"
        if needs.gpus:
            yield f"--gres=gpu:{needs.gpus}"
        if needs.cpus:
            yield f"--cpus-per-task={needs.cpus}"
        if needs.memory:
            yield f"--mem={needs.memory}M"
        if needs.hours:
            yield f"--time={max(1, round(60 * needs.hours))}"

    def _script(self, command: Sequence[str]) -> str:
        lines = ["#!/bin/bash", *(f"module load {shlex.quote(m)}" for m in self.options.modules)]
        # exec: SIGTERM of scancel has to reach the job itself.
        return "\n".join([*lines, *self.options.setup, f"exec {shlex.join(command)}"]) + "\n"

    def state(self, id: str) -> Launched:
        job = _job(id)
        if job is None:
            return Launched("gone", "SLURM does not know it any more")
        state, reason = job["JobState"], job.get("Reason", "None")
        said = state.lower() if reason == "None" else f"{state.lower()}, {reason}"
        if state in _WAITING:
            return Launched("waiting", reason if reason != "None" else "")
        if state in _RUNNING:
            return Launched("running", f"on {job.get('NodeList', '?')}")
        if state == "COMPLETED":
            return Launched("ended")
        if state in _GONE:
            return Launched("gone", said)
        code = job.get("ExitCode", "").partition(":")[0]
        said += f", exit code {code}" if code not in ("", "0") else ""
        return Launched(
            "failed", said, out_of_memory=state == "OUT_OF_MEMORY", out_of_time=state == "TIMEOUT"
        )

    def cancel(self, id: str) -> None:
        job = _job(id)
        if job is not None and job["JobState"] in _WAITING | _RUNNING:
            _said(["scancel", id])

    def logs(self, id: str) -> str:
        path = (_job(id) or {}).get("StdOut", "")
        try:
            return Path(path).read_text("utf-8", "replace")[-_LOG:] if path else ""
        except OSError:
            return ""


def _job(name: str) -> dict[str, str] | None:
    """What SLURM says of a job; None where it does not know it, or not any more."""
    try:
        line = _said(["scontrol", "show", "job", "--oneliner", name])
    except harness.EnvironmentFailure as error:
        if "Invalid job id" in error.what:
            return None
        raise
    words = (word.partition("=") for word in line.split(" "))
    job = {key: value for key, _, value in words}
    return job if job.get("JobId") == name else None  # of 0 it shows all that there are


def _said(command: Sequence[str], script: str | None = None) -> str:
    """What one of SLURM's programs prints.

    Raises:
        EnvironmentFailure: it is not there, takes too long, or refuses.
    """
    try:
        done = gate.run(
            command, by="launcher 'slurm'", input=script, capture_output=True, text=True,
            errors="replace", timeout=SECONDS,
        )  # fmt: skip
    except gate.TimeoutExpired:
        raise harness.EnvironmentFailure(f"{command[0]} has not answered for {SECONDS} s") from None
    except OSError as error:
        raise harness.EnvironmentFailure(f"{command[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        why = one_line(done.stderr.strip() or f"exit code {done.returncode}", 300)
        raise harness.EnvironmentFailure(f"{command[0]} refuses: {why}")
    return str(done.stdout)
