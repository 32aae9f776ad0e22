"""The figures of rating: the server under load, killed and restarted, the page, and agreement.

    python benchmarks/rating.py [--ratings N] [--raters N] [--restarts N] [--markdown]
                                [--only server restarts page agreement] [--json FILE]

Everything is real: ``harness rate serve`` as a process on loopback, links and cookies, an fsync
before each acknowledgment, Chromium. Each rater is a client of its own that keeps one connection
and sends its next rating once the one before is acknowledged. What the files hold is compared
with what was sent, line by line and folded. Run it alone: other work spoils it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rating_batch import examples_for, made, planned, write
from rating_page import chromium, empty_page, first_page, keystrokes, spread
from rating_server import HARNESS, Server, ceiling, kept, sent, serving
from rich.console import Console
from rich.table import Table

from harness_rating.batches.records import FOLDER, Batch
from harness_rating.ratings.events import Events
from harness_rating.ratings.folding import fold

OUTPUT = Path(__file__).resolve().parent / "recorded" / "rating.json"
OPENINGS, KEYS = 20, 100
PAGE_EXAMPLES = 60
HEAD = ("figure", "asked", "measured", "met")


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        met: None where nothing is asked.
    """

    figure: str
    asked: str
    measured: str
    met: bool | None = None


@dataclass(frozen=True)
class Wanted:
    ratings: int
    raters: int
    restarts: int


def cells(row: Row) -> tuple[str, ...]:
    """A row as it is printed."""
    met = "" if row.met is None else "yes" if row.met else "NO"
    return row.figure, row.asked, row.measured, met


def batch_of(folder: Path, wanted: Wanted) -> Batch:
    examples = examples_for(wanted.ratings, wanted.raters)
    return made(folder / FOLDER, wanted.raters, examples, overlap=1.0)


# -- the server ---------------------------------------------------------------------------------


def server(folder: Path, wanted: Wanted, raw: dict[str, Any]) -> Iterator[Row]:
    """All raters at once, as fast as the server takes it."""
    batch = batch_of(folder, wanted)
    plan = planned(batch, wanted.ratings)
    most = ceiling(plan)
    with serving(folder, batch) as running:
        before = running.usage["cpu"]
        found = sent(running.port, running.links, plan)
        usage = running.usage
    rate = len(found.acknowledged) / found.wall
    p50, p95, p99 = (found.percentile(share) for share in (0.5, 0.95, 0.99))
    state = kept(folder, batch, plan, found.acknowledged)
    raw |= {
        "per_second": rate, "p50": p50, "p95": p95, "p99": p99, "worst": found.percentile(1),
        "seconds": found.wall, "clients_most_per_second": most, "clients_cpu": found.cpu,
        "server_cpu": usage["cpu"] - before, "server_mib": usage["mib"], **state,
    }  # fmt: skip
    title = f"{wanted.raters} raters, {wanted.ratings:,} ratings"
    yield _whole(title, state)
    yield Row("p50 until acknowledged", "", f"{p50:.0f} ms")
    yield Row("p95", "< 250 ms", f"{p95:.0f} ms", p95 < 250)
    yield Row("p99", "< 1 s", f"{p99:.0f} ms", p99 < 1000)
    yield Row("ratings a second", "", f"{rate:,.0f} (the clients alone: {most:,.0f})")
    yield Row("memory of the server, peak", "", f"{usage['mib']:.0f} MiB")


def _whole(title: str, state: dict[str, Any]) -> Row:
    fine = state["fold_right"] and state["acknowledged"] == state["sent"]
    wrong = {name: state[name] for name in ("lost", "doubled", "unknown")}
    fine = fine and not any(wrong.values())
    text = ", ".join(f"{count} {name}" for name, count in wrong.items())
    text += f"; {state['folded']:,} stand, {'all right' if state['fold_right'] else 'NOT RIGHT'}"
    return Row(title, "none lost, none doubled", text, fine)


def restarts(folder: Path, wanted: Wanted, raw: dict[str, Any]) -> Iterator[Row]:
    """The same while the server is killed and started again."""
    batch = batch_of(folder, wanted)
    plan = planned(batch, wanted.ratings)
    running = Server(folder, batch)
    running.start()
    links = dict(running.links)

    def interrupt() -> None:
        running.kill()
        running.start()

    try:
        found = sent(running.port, links, plan, interrupt, wanted.restarts)
    finally:
        running.stop()
    state = kept(folder, batch, plan, found.acknowledged)
    raw |= {
        "kills": wanted.restarts, "sent_again": found.again, "outages": found.outages,
        "seconds": found.wall, **state,
    }  # fmt: skip
    yield _whole(f"the same, killed (-9) {wanted.restarts} times", state)
    yield Row("tries that failed and were repeated", "", f"{found.again:,}")
    if found.outages:
        yield Row("from a kill to ratings again", "", f"{max(found.outages):.1f} s at most")


# -- the page -----------------------------------------------------------------------------------


def page(folder: Path, wanted: Wanted, raw: dict[str, Any]) -> Iterator[Row]:
    """One rater in Chromium; each opening has an empty cache and its own context."""
    batch = made(folder / FOLDER, 2, PAGE_EXAMPLES, overlap=0.3)
    with serving(folder, batch) as running, chromium() as browser:
        links = [f"http://127.0.0.1:{running.port}{running.links[rater]}" for rater in batch.raters]
        openings = [first_page(browser, links[1]) for _ in range(OPENINGS)]
        empty = [empty_page(browser, f"http://127.0.0.1:{running.port}/") for _ in range(OPENINGS)]
        best = [f"{one.scale.most:g}" for one in batch.rubric.criteria if one.scale.most]
        keys = keystrokes(browser, links[0], best, KEYS)
    first = spread([one["ms"] for one in openings[1:]])
    empty_ms = spread(empty)
    seen, saved = (spread([one[name] for one in keys]) for name in ("seen", "saved"))
    files, everything = openings[0]["files"], openings[0]["all"]
    raw |= {
        "first_ms": first, "very_first_ms": openings[0]["ms"], "files_bytes": files,
        "empty_page_ms": empty_ms, "all_bytes": everything, "seen_ms": seen, "saved_ms": saved,
    }  # fmt: skip
    yield _within("a keystroke is on the screen", 50, seen)
    yield _within("a keystroke is saved", 150, saved)
    yield _within("first item on the screen, empty cache", 300, first)
    yield Row("a page of one line, for comparison", "", f"{empty_ms['median']:.0f} ms")
    yield Row("the very first opening of a server", "", f"{openings[0]['ms']:.0f} ms")
    yield Row("page, script and style over the wire", "< 60 kB", f"{files / 1000:.1f} kB",
              files < 60_000)  # fmt: skip
    yield Row("the same with rubric and first item", "", f"{everything / 1000:.1f} kB")


def _within(title: str, limit: float, found: dict[str, float]) -> Row:
    text = f"{found['median']:.0f} ms (worst {found['worst']:.0f})"
    return Row(title, f"< {limit:.0f} ms", text, found["worst"] < limit)


# -- agreement ----------------------------------------------------------------------------------


def agreement(folder: Path, wanted: Wanted, raw: dict[str, Any]) -> Iterator[Row]:
    """The command as a process, then its work within this one, without imports."""
    from harness_rating.agreement.document import agreement_of

    batch = batch_of(folder, wanted)
    write(folder / FOLDER, batch, planned(batch, wanted.ratings))
    command = [*HARNESS, "rate", "agreement", batch.name, "--json"]
    whole, document = _timed(lambda: subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                                                    check=True).stdout)  # fmt: skip
    figures = json.loads(document)["criteria"]
    assert all(one["alpha"]["low"] is not None for one in figures), "an interval is missing"

    def work() -> Any:
        said = [Events(folder / FOLDER / batch.name, rater).all() for rater in batch.raters]
        return agreement_of(batch, [one for events in said for one in fold(events).values()])

    work()
    inside, _ = _timed(work)
    raw |= {"process_seconds": whole, "in_process_seconds": inside}
    title = f"agreement of {wanted.ratings:,} ratings with intervals"
    yield Row(f"{title}, whole process", "< 5 s", f"{whole:.1f} s", whole < 5)
    yield Row("the same within a process", "", f"{inside:.1f} s")


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


# -- running ------------------------------------------------------------------------------------

WORKS = {"server": server, "restarts": restarts, "page": page, "agreement": agreement}


def measured(name: str, wanted: Wanted) -> dict[str, Any]:
    """One part, in a folder of its own: its rows, and the numbers that these are made of."""
    raw: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="rating-") as folder:
        rows = list(WORKS[name](Path(folder), wanted, raw))
    return {"wanted": asdict(wanted), "rows": rows, "raw": raw}


def shown(rows: list[Row], markdown: bool) -> None:
    if markdown:
        lines = (HEAD, ("---",) * len(HEAD), *map(cells, rows))
        print(*(f"| {' | '.join(line)} |" for line in lines), sep="\n")
        return
    table = Table(*HEAD)
    for row in rows:
        table.add_row(*cells(row))
    Console(width=120).print(table)


def main() -> None:
    """Measure, print a table, write the JSON; parts that are not measured stay in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=20_000)
    parser.add_argument("--raters", type=int, default=50)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=list(WORKS), default=list(WORKS))
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    parser.add_argument("--json", type=Path, default=OUTPUT)
    options = parser.parse_args()
    wanted = Wanted(options.ratings, options.raters, options.restarts)
    parts = {name: measured(name, wanted) for name in options.only}
    shown([row for part in parts.values() for row in part["rows"]], options.markdown)
    for part in parts.values():
        part["rows"] = [asdict(row) for row in part["rows"]]
    before = json.loads(options.json.read_bytes()) if options.json.exists() else {}
    document = {**before, "python": platform.python_version(), "cores": os.cpu_count(), **parts}
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
