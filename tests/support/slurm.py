"""A SLURM of one node on this machine: munged, slurmctld and slurmd, without accounting."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def lacking() -> str:
    """What is not there for it; empty: nothing."""
    missing = [name for name in NEEDED if shutil.which(name, path=_path()) is None]
    if missing:
        return f"no {missing[0]} (Debian: slurm-wlm, munge)"
    return "" if os.geteuid() == 0 else "slurmd needs root"


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin"


@dataclass
class Slurm:
    """The cluster; its programs find it by SLURM_CONF.

    Attributes:
        commands: those that its daemons were started by.
    """

    folder: Path
    node: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def start(self, *command: str) -> None:
        self.commands[command[0]] = command
        environment = {**os.environ, "PATH": _path(), "SLURM_CONF": str(self.conf)}
        with (self.folder / f"{command[0]}.out").open("ab") as log:
            self.processes[command[0]] = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    @property
    def conf(self) -> Path:
        return self.folder / "slurm.conf"

    def scontrol(self, *words: str) -> str:
        done = subprocess.run(
            ["scontrol", *words], capture_output=True, text=True, timeout=30,
            env={**os.environ, "SLURM_CONF": str(self.conf)},
        )  # fmt: skip
        return done.stdout + done.stderr

    def idle(self) -> bool:
        return "State=IDLE" in self.scontrol("show", "node", self.node)

    def kill(self, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.processes[name].kill()
        self.processes[name].wait()


@contextlib.contextmanager
def one_node(folder: Path, cpus: int = 8) -> Iterator[Slurm]:
    """The cluster in an empty folder; SLURM_CONF names it meanwhile."""
    node = socket.gethostname().split(".")[0]
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir(mode=0o755)
    key, sock = folder / "munge" / "munge.key", folder / "munge" / "munge.socket"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    ports = [_free_port() for _ in range(2)]
    slurm = Slurm(folder, node)
    slurm.conf.write_text(
        f"""\
ClusterName=test
SlurmctldHost={node}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
AuthType=auth/munge
AuthInfo=socket={sock}
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=1,sched_min_interval=0
SlurmdParameters=config_overrides
KillWait=2
SlurmdTimeout=10
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=20000 State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""
    )
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(slurm.conf)
    try:
        slurm.start(
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={sock}",
            f"--log-file={folder}/munge/log", f"--pid-file={folder}/munge/pid",
            f"--seed-file={folder}/munge/seed",
        )  # fmt: skip
        slurm.start("slurmctld", "-D", "-f", str(slurm.conf))
        slurm.start("slurmd", "-D", "-f", str(slurm.conf), "-N", node)
        over = time.monotonic() + 60
        while not slurm.idle():
            if time.monotonic() > over:
                told = "\n".join(path.read_text() for path in folder.glob("*.log"))
                pytest.fail(f"SLURM does not start: {told[-2000:]}")
            time.sleep(0.2)
        yield slurm
    finally:
        subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=30)
        for name in reversed([*slurm.processes]):
            slurm.processes[name].terminate()
        for process in slurm.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before
