"""How quick the page of runs answers on 100,000 rows of dev with three rounds.

    python benchmarks/view.py [--rows N] [--words 40] [--requests 40] [--viewers 20] [--keep DIR]

A run is carried out on rows of so many words (in prompt, reference and answers alike; model,
trainer and generator are the tiny ones of the tests), unless DIR holds one of before. `harness
view` serves it, and a client asks for pages of each kind, one after another, then so many at once,
who read for five seconds between two requests. Printed are medians and 95th percentiles in
milliseconds, from the request to the last byte. The first request of each kind, which reads what
all later ones share, stands apart. Alone on the machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

FAKES = Path(__file__).resolve().parents[1] / "tests" / "support" / "fakes.py"
CONFIG = f"""\
rounds: 3
plugins: [{FAKES}]
data: {{source: jsonl, path: rows.jsonl}}
model: {{source: fake}}
train: {{plugin: fake}}
generate: {{plugin: fake}}
metrics: [{{plugin: overlap}}]
primary: overlap
detect: [fake]
analyze: [fake]
augment: [{{plugin: fake, rows: 200}}]
execution: {{launcher: inline}}
"""
TARGET = 200
"""Milliseconds at the 95th percentile (of all kinds together)."""
READING = 5.0
"""Seconds between two requests of one of many viewers."""
WORDS = [f"{a}{b}" for a in ("am", "bir", "ced", "del", "em", "fjo", "gro", "hea", "in", "jet")
         for b in ("ber", "ch", "ar", "ta", "let", "rd", "ve", "th")]  # fmt: skip


def made(folder: Path, rows: int, words: int) -> str:
    """A run of so many rows of dev in the folder, unless there is one; its name."""
    if not [*folder.glob("reports/*/run.duckdb")]:
        folder.mkdir(parents=True, exist_ok=True)
        draw = random.Random(7)
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as stream:
            for split, count in (("train", 2000), ("pool", 1000), ("dev", rows), ("test", 1000)):
                for number in range(count):
                    text = " ".join([*draw.choices(WORDS, k=words), f"{split}{number}"])
                    row = {
                        "id": f"{split}-{number}",
                        "split": split,
                        "messages": [{"role": "user", "content": f"repeat: {text}"}],
                        "references": [text],
                        "group": f"{split}-g{number % (count // 5)}",
                        "meta": {"kind": "hard" if number % 4 == 0 else "easy"},
                    }
                    stream.write(json.dumps(row) + "\n")
        (folder / "harness.yaml").write_text(CONFIG, encoding="utf-8")
        begin = time.monotonic()
        subprocess.run([sys.executable, "-m", "harness.cli", "iterate"], cwd=folder, check=True)
        print(f"the run took {time.monotonic() - begin:.0f} s")
    return next(folder.glob("reports/*/run.duckdb")).parent.name


class Client:
    """A browser's requests, over one connection."""

    def __init__(self, link: str) -> None:
        host, self._token = re.findall(r"http://([^/]+)/in/(\S+)", link)[0]
        self._port = int(host.rpartition(":")[2])
        self._connection = http.client.HTTPConnection(host)

    def milliseconds(self, target: str) -> float:
        begin = time.perf_counter()
        self._connection.request(
            "GET", target, headers={"Cookie": f"view-{self._port}={self._token}"}
        )
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:500]
        return 1000 * (time.perf_counter() - begin)


def kinds(run: str, rows: int) -> dict[str, Callable[[random.Random], str]]:
    """What is asked for, each kind with other rows every time."""
    here = f"/view/run/{run}"

    def table(**asked: object) -> str:
        return f"{here}/rows?{urlencode(asked, quote_via=quote)}"

    return {
        "now": lambda _: f"{here}/now",
        "rounds": lambda _: f"{here}/rounds",
        "rows, a page": lambda draw: table(page=draw.randint(1, rows // 25)),
        "by score": lambda draw: table(sort="-score", first=1, page=draw.randint(1, 20)),
        "fails": lambda draw: table(show="fails", page=draw.randint(1, 20)),
        "a slice": lambda draw: table(slice="kind = hard", page=draw.randint(1, 20)),
        "words": lambda draw: table(words=" ".join(draw.choices(WORDS, k=draw.randint(1, 2)))),
        "words of none": lambda draw: table(words=f"never said {draw.random()}"),
        "all filters": lambda draw: table(
            words=draw.choice(WORDS), show="fails", slice="kind = hard", first=1, second=3
        ),
        "a row": lambda draw: f"{here}/row?id=dev-{draw.randrange(rows)}",
        "added rows": lambda draw: f"{here}/added?page={draw.randint(1, 8)}",
    }


def percentile(times: list[float]) -> float:
    return sorted(times)[int(0.95 * (len(times) - 1))]


def viewer(link: str, asked: list[str], times: list[float]) -> None:
    client = Client(link)
    for target in asked:
        times.append(client.milliseconds(target))
        time.sleep(READING)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=40)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        run = made(folder, given.rows, given.words)
        command = [sys.executable, "-m", "harness.cli", "view", "--port", "8699"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            link = next(line for line in server.stdout if "/in/" in line).strip()
            time.sleep(1)
            measure(link, kinds(run, given.rows), given.requests, given.viewers)
            server.terminate()


def measure(
    link: str, asked: dict[str, Callable[[random.Random], str]], requests: int, viewers: int
) -> None:
    draw, client = random.Random(7), Client(link)
    every: list[float] = []
    print(f"{'':15}  first  median    95 %")
    for kind, target in asked.items():
        first = client.milliseconds(target(draw))
        times = [client.milliseconds(target(draw)) for _ in range(requests)]
        every += times
        print(f"{kind:15} {first:6.0f} {statistics.median(times):7.0f} {percentile(times):7.0f}")
    reached = "reached" if percentile(every) < TARGET else "not reached"
    print(f"all kinds: {percentile(every):.0f} ms at the 95th percentile ({TARGET}: {reached})")
    shared: list[float] = []
    targets = [target(draw) for target in asked.values()]
    threads = []
    for _ in range(viewers):
        draw.shuffle(targets)
        threads.append(threading.Thread(target=viewer, args=(link, [*targets], shared)))
    for thread in threads:
        thread.start()
        time.sleep(READING / viewers)
    for thread in threads:
        thread.join()
    median, slowest = statistics.median(shared), percentile(shared)
    print(f"{viewers} viewers: median {median:.0f} ms, 95 % {slowest:.0f} ms")


if __name__ == "__main__":
    main()
