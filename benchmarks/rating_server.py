"""``harness rate serve`` as a process that can be killed, many raters at it, and what it kept."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rating_batch import standing

from harness_rating.batches.records import FOLDER, Batch, Event
from harness_rating.page import payloads
from harness_rating.ratings.folder import RatingsFolder

CLIENTS = Path(__file__).with_name("rating_clients.py")
HARNESS = (sys.executable, "-c", "from harness.cli import main; main()")
LINK = re.compile(r"http://127\.0\.0\.1:\d+(/in/\S+)")
PATIENCE = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


class Server:
    """The command in a process; ``links`` has each rater's once it is up.

    Args:
        folder: the working folder that the batch lies in.
    """

    def __init__(self, folder: Path, batch: Batch) -> None:
        self.folder, self.batch, self.port = folder, batch, free_port()
        self.links: dict[str, str] = {}

    def start(self) -> None:
        command = [*HARNESS, "rate", "serve", self.batch.name, "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            said.append(line)
            if found := LINK.search(line):
                self.links[said[-2].strip()] = found[1]  # the line before names the rater
            elif line.startswith("Ctrl-C"):
                break
        else:
            raise SystemExit("the server does not start: " + "".join(said))
        end = time.monotonic() + PATIENCE
        while not self._listens():
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit("the server does not start")
            time.sleep(0.01)

    def _listens(self) -> bool:
        with socket.socket() as tried:
            return not tried.connect_ex(("127.0.0.1", self.port))

    def kill(self) -> None:
        """As ``kill -9`` does it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As Ctrl-C does it."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def usage(self) -> dict[str, float]:
        """CPU seconds so far and the peak of memory in MiB."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        return {
            "cpu": (int(stat[11]) + int(stat[12])) / 100,
            "mib": int(peak[1]) / 1024 if peak else 0.0,
        }


@contextmanager
def serving(folder: Path, batch: Batch) -> Iterator[Server]:
    server = Server(folder, batch)
    server.start()
    try:
        yield server
    finally:
        server.stop()


# -- many raters --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """What the clients tell of a run.

    Attributes:
        waited: seconds of each rating, sorted.
        acknowledged: ids of events.
        again: how often a rating was sent once more.
        wall, cpu: seconds of the run, and of a core that the clients used in it.
        outages: seconds from each kill until a rating was acknowledged again.
    """

    waited: list[float]
    acknowledged: list[str]
    again: int
    wall: float
    cpu: float
    outages: list[float]

    def percentile(self, share: float) -> float:
        """Milliseconds that so large a share of the ratings took at the most."""
        return 1000 * self.waited[min(len(self.waited) - 1, int(share * len(self.waited)))]


def sent(
    port: int,
    links: Mapping[str, str],
    plan: Mapping[str, Sequence[Event]],
    interrupt: Any = None,
    restarts: int = 0,
) -> Sent:
    """All events of the plan, each rater its own client, all at the same time.

    Args:
        interrupt: what kills the server and starts it again.
        restarts: how often, evenly over the ratings.
    """
    raters = [
        {"link": links[rater], "events": [payloads.event(event) for event in events]}
        for rater, events in plan.items()
    ]
    total = sum(map(len, plan.values()))
    due = [(n + 1) * total // (restarts + 1) for n in range(restarts)]
    clients = subprocess.Popen(
        [sys.executable, str(CLIENTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert clients.stdin and clients.stdout
    with clients.stdin as stream:
        json.dump({"port": port, "raters": raters}, stream)
    outages: list[float] = []
    down: tuple[float, int] | None = None
    last: Any = None
    for line in clients.stdout:
        last = json.loads(line)
        if not isinstance(last, int):
            break
        if down and last > down[1]:
            outages.append(time.perf_counter() - down[0])
            down = None
        if due and last >= due[0]:
            del due[0]
            down = time.perf_counter(), last + len(raters)
            interrupt()
    if clients.wait() or not isinstance(last, dict):
        raise SystemExit("the clients failed")
    return Sent(
        sorted(last["waited"]), last["acknowledged"], last["again"], last["wall"], last["cpu"],
        outages,
    )  # fmt: skip


def ceiling(plan: Mapping[str, Sequence[Event]]) -> float:
    """Ratings a second that the clients manage against a server that answers at once."""
    server = subprocess.Popen(
        [sys.executable, str(CLIENTS), "--echo"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    try:
        port = int(server.stdout.readline())
        found = sent(port, dict.fromkeys(plan, "/in/x"), plan)
        return len(found.acknowledged) / found.wall
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


# -- what is on the disk ------------------------------------------------------------------------


def kept(
    folder: Path, batch: Batch, plan: Mapping[str, Sequence[Event]], acknowledged: Sequence[str]
) -> dict[str, Any]:
    """What the files hold: lost, doubled and unknown events, and whether their fold is right."""
    lines = [
        json.loads(line)["id"]
        for rater in batch.raters
        for line in (folder / FOLDER / batch.name / "events" / f"{rater}.jsonl").open("rb")
    ]
    wanted = {event.id for events in plan.values() for event in events}
    folded = {
        (one.rater, one.item, one.criterion): list(one.value)
        if isinstance(one.value, tuple)
        else one.value
        for one in RatingsFolder(folder / FOLDER).ratings(batch)
    }
    return {
        "sent": len(wanted),
        "acknowledged": len(set(acknowledged)),
        "lost": len(set(acknowledged) - set(lines)),
        "doubled": sum(count - 1 for count in Counter(lines).values()),
        "unknown": len(set(lines) - wanted),
        "folded": len(folded),
        "fold_right": folded == standing(plan),
    }
