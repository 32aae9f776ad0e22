"""What a shared store costs: requests and milliseconds for an artifact, beside the folder alone.

    python benchmarks/store.py [--artifacts 60]

Each artifact is one of answers: three files of 4, 40 and 400 KB. It is published, found again in
the same folder, found by another machine (an empty folder), and asked for where there is none; an
opening of a test set is counted, too. The server is moto's on the loopback, in this process, behind
a door that counts: a real one adds its own time for each request. Medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.records import Example
from harness.run import objects
from harness.run.artifacts import Artifacts
from harness.run.ledger import Ledger
from harness.run.places import LEDGER

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.object_store import URL, ObjectStore, serving

SIZES = {"predictions.jsonl": 400_000, "made.json": 4_000, "losses.bin": 40_000}


def made(root: Path, number: int) -> Path:
    work = root / "made"
    work.mkdir(parents=True)
    for name, size in SIZES.items():
        (work / name).write_bytes(f"{number:08d}".encode() * (size // 8))
    return work


class Measured:
    """Medians of what was done: milliseconds and requests."""

    def __init__(self, server: ObjectStore | None) -> None:
        self.server = server
        self.seconds: dict[str, list[float]] = {}
        self.requests: dict[str, list[int]] = {}

    def do(self, what: str, task: Callable[[], object]) -> None:
        before = self.server.requests.total() if self.server else 0
        begun = time.perf_counter()
        task()
        self.seconds.setdefault(what, []).append(time.perf_counter() - begun)
        after = self.server.requests.total() if self.server else 0
        self.requests.setdefault(what, []).append(after - before)

    def lines(self) -> list[tuple[str, float, float]]:
        return [
            (what, 1000 * statistics.median(seconds), statistics.median(self.requests[what]))
            for what, seconds in self.seconds.items()
        ]


def measure(root: Path, count: int, server: ObjectStore | None, url: str | None) -> Measured:
    measured = Measured(server)
    one, two = root / "one", root / "two"
    for folder in (one, two):
        objects.attach(folder, url)
    rows = [Example(f"e{n}", ({"role": "user", "content": f"text {n}"},)) for n in range(200)]
    for number in range(count):
        key, missing = f"{number:064x}", f"{number + 10**6:064x}"
        work = made(one, number)
        first = Artifacts(one / "artifacts")
        measured.do("publish", lambda: first.publish("generate", key, work, {}, 1.0))  # noqa: B023
        again = Artifacts(one / "artifacts")
        measured.do("find, here", lambda: again.find("generate", key))  # noqa: B023
        if url is not None:
            other = Artifacts(two / "artifacts")
            measured.do("find, elsewhere", lambda: other.find("generate", key))  # noqa: B023
        measured.do("find nothing", lambda: again.find("generate", missing))  # noqa: B023
        if number < 20:
            ledger = Ledger(one / LEDGER)
            measured.do("count an opening", lambda: ledger.open(rows, f"run {number}"))  # noqa: B023
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=int, default=60)
    count = parser.parse_args().artifacts
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        root = Path(folder)
        os.environ |= server.environment
        (root / "shared").mkdir()
        results = {
            "this folder alone": measure(root / "alone", count, None, None),
            "file://": measure(root / "by-folder", count, None, f"file://{root}/shared"),
            "s3://": measure(root / "by-bucket", count, server, URL),
        }
        assert server.requests["LIST"] == 0
    print(f"| {count} artifacts | ms | requests |\n|---|---:|---:|")
    for where, measured in results.items():
        for what, milliseconds, requests in measured.lines():
            asked = f"{requests:.0f}" if where.startswith("s3") else ""
            print(f"| {where}: {what} | {milliseconds:.1f} | {asked} |")


if __name__ == "__main__":
    main()
