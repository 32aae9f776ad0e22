"""What users see of some fifty small made-up runs, written to a folder, and compared with another.

    python benchmarks/same_runs.py write FOLDER [NAME …]
    python benchmarks/same_runs.py compare OLD NEW

For changes of the code that are to change no document, screen or database: ``write`` before and
after, each with its own checkout, then ``compare``. A run is carried out by the plugins of
``tests/support`` and of ``same_runs_plugins.py``, by the command line alone, in a folder of its
own. Of each are written

- ``screens/``: the standard output, the messages and the exit code of each command;
- ``reports/``: the documents and pages;
- ``tables/``: the rows of the database, sorted, a file for each table;
- ``records/``: journal, ledgers and ratings, and the store's artifacts: key, facts and digests.

What the clock and the machine decide is replaced by a mark in angle brackets. Keys and digests are
kept: they may not change either. They depend on the bytes of the plugins that a run names, so
those are the same in both checkouts, or ``compare`` names every file.

``compare`` says of each run how many files are equal, shows the first lines of the difference of
each other file, and exits with 1 where there is one. The ports are the same in each call, so two
calls at a time wait for one another at the runs with a server.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import difflib
import io
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.chat_server import SECRET, Answer, Server, said  # noqa: E402
from tests.support.project import Project, Result  # noqa: E402

SUPPORT = ROOT / "tests" / "support"
OWN = Path(__file__).with_name("same_runs_plugins.py")
AT_A_TIME = 2
SHOWN = 40
"""Lines of the difference of one file that are shown."""

# -- what is written, without what the clock and the machine decide --------------------------------

VARYING = frozenset(
    ("seconds", "seconds_by_stage", "dates", "started", "finished", "began", "ended", "at", "seal",
     "opening")
)  # fmt: skip
"""Keys of documents and columns of tables whose values the clock decides, or a random draw."""
UNITS = r"(?:ms|s|sec|seconds?|min|minutes?|h|hours?|kB|KB|KiB|MB|MiB|GB|GiB|TB)"
MARKS = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
    (r"\b20\d\d-\d\d-\d\d\b", "<date>"),
    (r"\b20\d{12}\b|\b\d\d:\d\d UTC", "<time>"),
    (rf"(?:[≤<] )?(?<![\w.-])\d[\d.,]* {UNITS}(?: \d+ {UNITS})?(?![\w])", "<measured>"),
    (r"\bpid \d+", "pid <number>"),
    (r"\b[0-9a-f]{32}\b", "<random>"),  # keys have 24 or 64 digits
    # Which stages took longest, in the appendix of a report.
    (r"(?:[a-z][\w ]*? <measured>, )+[a-z][\w ]*? <measured>", "<times>"),
    (
        r'(?:<tr><th scope="row"><bdi>[^<]*</bdi></th><td class="n"><bdi><measured></bdi></td>'
        r"</tr>\s*)+",
        "<times>",
    ),
)


def _varies(key: str, value: Any) -> bool:
    """A signature that is a digest is one by the user's own key."""
    return key in VARYING or (
        key == "signature" and re.fullmatch("[0-9a-f]{64}", str(value)) is not None
    )


class Marks:
    """The places of one run, which are replaced by marks."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = sorted(places.items(), key=lambda place: -len(place[0]))

    def text(self, text: str) -> str:
        for place, mark in self._places:
            text = text.replace(place, mark)
        for pattern, mark in MARKS:
            text = re.sub(pattern, mark, text)
        return text

    def screen(self, text: str) -> str:
        """The same of a screen, whose columns are as wide as what they hold."""
        lines = [line.rstrip() for line in self.text(text).splitlines()]
        return "".join(f"{self._evened(line)}\n" for line in lines)

    def page(self, text: str) -> str:
        """The same of an HTML page, a line for each element."""
        return self.screen(re.sub(r"(</?\w)", r"\n\1", self.text(text)))

    def _evened(self, line: str) -> str:
        line = re.sub(r"([─━═-])\1{3,}", r"\1\1\1", line)
        return re.sub(r" {2,}", "  ", line)

    def value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): "<varies>" if _varies(key, item) else self.value(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))

    def document(self, text: str) -> str:
        return json.dumps(self.value(json.loads(text)), indent=1, ensure_ascii=False) + "\n"

    def lines(self, text: str) -> str:
        """Lines of JSON, in any order: those who write them at a time may overtake one another."""
        made = [self.value(json.loads(line)) for line in text.splitlines() if line.strip()]
        return "".join(sorted(json.dumps(one, ensure_ascii=False) + "\n" for one in made))


class Desk:
    """One run: its folder, what is written to it, and what is written down of it.

    Attributes:
        project: where commands are run; :meth:`at` is another place beside it.
    """

    def __init__(self, name: str, home: Path, output: Path) -> None:
        self.name, self.home, self.output = name, home / name, output / name
        places = {
            str(self.home): "<folder>", str(home): "<home>", str(ROOT): "<repository>",
            sys.prefix: "<python>", os.path.realpath(sys.executable): "<python>/bin/python",
        }  # fmt: skip
        self.marks = Marks(places)
        self._number = 0
        self.project = self.at("here")

    def at(self, place: str) -> Project:
        """A project of its own beside the others, with all plugins in its folder."""
        folder = self.home / place
        folder.mkdir(parents=True)
        for path in sorted(SUPPORT.glob("*.py")):
            shutil.copy(path, folder)
        shutil.copy(OWN, folder)
        return Project(folder)

    def write(self, config: str, name: str = "harness.yaml") -> None:
        self.project.write(config, name)

    def do(self, *words: str, project: Project | None = None, **environment: str) -> Result:
        """Run a command in this process, and write down what it shows."""
        given = {"COLUMNS": "160", "TERMINAL_WIDTH": "160", **environment}
        return self._noted(words, (project or self.project).inside(*words, **given))

    def forked(self, *words: str, **environment: str) -> Result:
        """The same in a process of its own, which may be killed."""
        return self._noted(words, self.project.harness(*words, COLUMNS="160", **environment))

    def _noted(self, words: Sequence[str], done: Result) -> Result:
        self._number += 1
        kind = re.sub(r"[^\w]+", "-", self.marks.text(" ".join(words[:3]))).strip("-")[:40]
        command = f"$ harness {shlex.join(words)}\n"
        shown = self.marks.screen(done.out)
        if "--json" in words and done.out.lstrip().startswith(("{", "[")):
            shown = self.marks.document(done.out)
        errors = self.marks.screen(done.err)
        text = f"{self.marks.text(command)}{shown}--- messages\n{errors}--- exit code {done.code}\n"
        self.keep(f"screens/{self._number:02}-{kind}.txt", text)
        return done

    def keep(self, name: str, text: str) -> None:
        path = self.output / self.marks.text(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def shown(self) -> None:
        """All commands that show a run."""
        for command in (
            "report", "report --full", "report --brief", "errors --limit 5", "why dev-4",
            "why train-1", "why test-3", "runs", "advise", "advise --json", "plan", "check",
            "compare 0 1", "query 'FROM rounds'", "query 'FROM scores' --csv",
            "query 'FROM runs' --json", "config show", "jobs", "clean --dry-run",
        ):  # fmt: skip
            self.do(*shlex.split(command))

    # -- what lies in the folders at the end

    def collected(self) -> None:
        for folder in sorted(path for path in self.home.iterdir() if path.is_dir()):
            if not (folder / ".harness").is_dir():
                continue
            for path in sorted((folder / "reports").rglob("*")):
                if path.is_file():
                    self._report(
                        path, f"reports/{folder.name}/{path.relative_to(folder / 'reports')}"
                    )
            self._records(folder)

    def _report(self, path: Path, name: str) -> None:
        if path.suffix == ".duckdb":
            self._database(path, f"tables/{'/'.join(name.split('/')[1:-1])}")
        elif path.suffix == ".json":
            self.keep(name, self.marks.document(path.read_text("utf-8")))
        elif path.suffix == ".html":
            self.keep(name, self.marks.page(path.read_text("utf-8")))
        else:
            self.keep(name, self.marks.screen(path.read_text("utf-8")))

    def _database(self, path: Path, name: str) -> None:
        with duckdb.connect(str(path), read_only=True) as database:
            for (table,) in database.execute("SHOW TABLES").fetchall():
                asked = database.execute(f'SELECT * FROM "{table}"')
                columns = [column[0] for column in asked.description]
                kinds = {column[0]: str(column[1]) for column in asked.description}
                rows = (
                    self.marks.value(dict(zip(columns, row, strict=True)))
                    for row in asked.fetchall()
                )
                lines = sorted(json.dumps(row, ensure_ascii=False) for row in rows)
                self.keep(f"{name}/{table}.jsonl", "\n".join([json.dumps(kinds), *lines, ""]))

    def _records(self, folder: Path) -> None:
        machine, name = folder / ".harness", f"records/{folder.name}"
        files = [path for path in sorted(machine.rglob("*")) if path.is_file()]
        listed = []
        for path in files:
            place = path.relative_to(machine).as_posix()
            if place.startswith("work/") or path.name in VOLATILE:
                continue
            listed.append(self.marks.text(place))
            if path.name == "manifest.json":
                self.keep(f"{name}/{place}", self._manifest(path))
            elif path.suffix == ".jsonl" and not place.startswith("artifacts/"):
                self.keep(f"{name}/{place}", self.marks.lines(path.read_text("utf-8")))
        self.keep(f"{name}/files.txt", "".join(f"{place}\n" for place in listed))

    def _manifest(self, path: Path) -> str:
        """Of what holds seconds itself there is no digest."""
        known = json.loads(path.read_text("utf-8"))
        if path.parent.parent.name == "summary":
            known["files"] = dict.fromkeys(known["files"], "<varies>")
        return json.dumps(self.marks.value(known), indent=1, ensure_ascii=False) + "\n"


VOLATILE = frozenset({"harness.log", "live.json", "own.sig", "folder-id"})
"""Files of ``.harness`` that say when, where and by whom, and no more."""

MONOTONIC = time.monotonic


def stop_the_clock() -> None:
    """No stage takes any time from here on: advice and appendices are in the order of times.

    The waits of the standard library have clocks of their own, and go on.
    """
    now = MONOTONIC()
    time.monotonic = lambda: now


# -- the runs --------------------------------------------------------------------------------------

PARTS = {
    "rounds": "2", "seed": "7", "plugins": "[fakes.py, same_runs_plugins.py]",
    "data": "{source: fake}", "model": "{source: fake}", "train": "{plugin: fake}",
    "generate": "{plugin: fake}", "metrics": "[{plugin: overlap}]", "primary": "overlap",
    "detect": "[fake]", "analyze": "[fake]", "augment": "[{plugin: fake, rows: 10}]",
    "probes": "[]", "execution": "{launcher: inline}",
}  # fmt: skip
RUNS: dict[str, Callable[[Desk], None]] = {}


def config(*files: str, **parts: str) -> str:
    """A config of the fakes, with other parts, and with further plugin files."""
    plugins = f"[{', '.join(['fakes.py', OWN.name, *files])}]"
    return "".join(f"{k}: {v}\n" for k, v in {**PARTS, "plugins": plugins, **parts}.items())


def run(work: Callable[[Desk], None]) -> Callable[[Desk], None]:
    RUNS[work.__name__] = work
    return work


def plain(name: str, *files: str, commands: Sequence[str] = ("iterate",), **parts: str) -> None:
    """A run of one config: these commands, then all that show it."""

    def work(desk: Desk) -> None:
        desk.write(config(*files, **parts))
        for command in commands:
            desk.do(*shlex.split(command))
        desk.shown()

    RUNS[name] = work


REPORTS = "[terminal, full, markdown, brief, html]"
ONE = {"rounds": "1", "report": "[markdown]"}
SMALL = "{source: fake, train: 24, pool: 20, dev: 40, test: 24, groups: 20}"
VALLEY = {"train": "{plugin: valley}", "data": "{source: fake, pool: 0, dev: 24, test: 12}",
          "augment": "[]", **ONE}  # fmt: skip

# plain rounds
plain("improved", "showing.py", commands=["plan", "iterate", "iterate --json"],
      train="{plugin: showing, remark: a remark}", rounds="3", report=REPORTS)  # fmt: skip
plain("no_evidence", train="{plugin: fake, gain: 0.0006}", rounds="1")
plain("regressed", train="{plugin: fake, drop_in_round: 1}", rounds="1")
plain("regressed_later", train="{plugin: fake, drop_in_round: 2}", rounds="3", report="[markdown]")
plain("nothing_kept", train="{plugin: fake, gain: 0}", rounds="1",
      commands=["iterate --require improved"])  # fmt: skip
plain("few_rows", data="{source: fake, train: 12, pool: 4, dev: 8, test: 6, groups: 4}", **ONE)
plain("min_gain_objective", min_gain="0.05", rounds="2",
      objective="{metric: overlap, target: 0.9, statement: repeat all}")  # fmt: skip

# beside the rounds
plain("arms", "faulty.py", rounds="1", worth="0.1", report=REPORTS, arms="""
- {name: more, set: {train.gain: 0.01}}
- {name: nothing, set: {train.gain: 0.0}}
- {name: broken, set: {train: {plugin: faulty, fault: value}}}""")  # fmt: skip
plain("control_random", augment="[{plugin: fake, rows: 10, control: random, aim: true}]",
      rounds="2", report=REPORTS)  # fmt: skip
plain("control_none", augment="[{plugin: fake, rows: 10, control: none}]", rounds="2",
      train="{plugin: fake, hard_gain: 0.01}")  # fmt: skip
plain("control_short", augment="[{plugin: fake, rows: 10, control: random, short: true}]")
plain("curve", curve="true", **ONE)
plain("seeds", seeds="5", arms="[{name: more, set: {train.gain: 0.01}}]", **ONE)
plain("loop_seeds", seeds="{count: 5, of: loop}", **ONE)
plain("search", "searching.py", **VALLEY, search="{trials: 6, folds: 2, startup: 3, over: {"
      "train.rate: {low: 1e-5, high: 1e-1, log: true}, train.size: [8, 16, 32]}}")  # fmt: skip
plain("search_memory", "searching.py", **{**VALLEY, "train": "{plugin: valley, fail_above: 16}"},
      search="{trials: 4, over: {train.size: [8, 16, 32]}}")  # fmt: skip
plain("models", models="[{source: fake, skill: 0.5}, {source: fake, skill: 0.21}]", **ONE)
plain("baselines", generate="{plugin: listening, examples: 0.3}",
      baselines="[prompted, few-shot]", rounds="1", report=REPORTS)  # fmt: skip
plain(
    "baselines_better",
    generate="{plugin: listening, system: 0.8}",
    baselines="[prompted, {plugin: few-shot, k: 1}, {plugin: few-shot, name: two, k: 2}]",
    **ONE,
)
plain("guard", data="{source: fake, groups: 48}", rounds="1",
      metrics="[{plugin: overlap}, {plugin: mirror}]",
      guard="[mirror, {where: {kind: easy}, max_loss: 0.05}]", report=REPORTS)  # fmt: skip
plain(
    "guard_holds",
    data="{source: fake, groups: 48}",
    guard="[{where: {kind: easy}, max_loss: 0.5, required: true}]",
    **ONE,
)
plain("guard_unjudged", guard="[{where: {kind: hard}, required: true}]", **ONE)
plain("forgetting", generate="{plugin: reading, rise: 0.3}", rounds="1", probes="[general, safety]",
      guard="""[{forgetting: 0.1}, {answered: harmful requests refused, max_loss: 0.1}]""",
      report=REPORTS)  # fmt: skip
plain("replay", generate="{plugin: reading}", probes="[general]", replay="0.2", **ONE)

# weak places, causes, rows
plain("slices", analyze="[slices, causes]", detect="[basic, fake]",
      train="{plugin: fake, hard_gain: -0.004}", report=REPORTS,
      augment="[{plugin: pool, rows: 8}, {plugin: fake, rows: 4}]",
      metrics="[{plugin: overlap}, {plugin: exact}, {plugin: bleu}, {plugin: rouge}]")  # fmt: skip
plain("paraphrase", augment="[{plugin: paraphrase, rows: 6}, {plugin: pool, rows: 4}]",
      plan="{strategy: random}", **ONE)  # fmt: skip
plain("losses", "losing.py", generate="{plugin: losing}", analyze="[causes]",
      commands=["iterate", "data suspects"], **ONE)  # fmt: skip
plain("leaks", augment="[{plugin: fake, rows: 6, leak: true, control: random}]")
plain("near_refused", filters="{source: refuse, near: 0.4}", **ONE)
plain("two_references", "two_references.py", data="{source: two}", primary="nearest", rounds="1",
      metrics="[nearest, wrong, asking, failing, whole]", report=REPORTS)  # fmt: skip

# trainers
plain("two_trainers", "polishing.py", data="{source: rejecting}", rounds="1", report=REPORTS,
      train="[{plugin: fake}, {plugin: polish}]")  # fmt: skip
plain("preferences", "polishing.py", data="{source: rejecting}", augment="[]",
      train="{plugin: polish, gain: .05}", **ONE)  # fmt: skip
plain("nothing_to_learn", "polishing.py", data="{source: rejecting, rejected: 0}",
      train="[{plugin: fake}, {plugin: polish}]", **ONE)  # fmt: skip

# what fails
plain("failing_trainer", "faulty.py", train="{plugin: faulty, fault: value}", **ONE)
plain("failing_memory", "faulty.py", train="{plugin: faulty, fault: memory}", **ONE)
plain("failing_row", metrics="[{plugin: overlap, fail_on: dev-3}]", **ONE)
plain("not_a_number", metrics="[{plugin: overlap, fail_on: dev-3, give: nan}]", **ONE)
plain("failing_analyzer", "faulty.py", analyze="[{plugin: fake, fail: true}]",
      sections="[{plugin: faulty, fault: value}, longest]", rounds="1", report=REPORTS)  # fmt: skip
plain("wrong_results", "faulty.py", detect="[{plugin: faulty, fault: wrong}]", **ONE)
plain("wrong_config", trian="{plugin: fake}", rounds="many", primary="overlapp")

# where the work is done
plain("side_by_side", execution="{launcher: local, workers: 2}", rounds="1", curve="true",
      augment="[{plugin: fake, rows: 10, control: random}]", baselines="[few-shot]",
      arms="[{name: more, set: {train.gain: 0.01}}]", report="[markdown]")  # fmt: skip


@run
def no_test(desk: Desk) -> None:
    desk.write(config(**ONE))
    desk.do("iterate", "--no-test")
    desk.shown()
    desk.do("test")
    desk.do("test", "--json")
    desk.shown()


@run
def several_runs(desk: Desk) -> None:
    """Two runs open one test set; they are compared, and one decides again."""
    desk.write(config(rounds="2", report="[markdown]"))
    first = desk.do("iterate", "--json").document["run"]
    second = desk.do("iterate", "--json", "--set", "train.gain=0.02").document["run"]
    desk.do("iterate", "--as-new-run", "--rounds", "1")
    desk.do("compare", first, second)
    desk.do("compare", "--all")
    desk.do("compare", first, second, "--json")
    desk.do("runs", "--json")
    desk.do("report", "--all", "--html", "all.html")
    page = (desk.project.folder / "all.html").read_text("utf-8")
    desk.keep("reports/all.html", desk.marks.page(page))
    desk.do("iterate", "--reopen", "2")
    desk.do("rebuild", first)
    desk.do("export", first, "--to", "lm-eval", "-o", "task")
    desk.shown()


@run
def interrupted(desk: Desk) -> None:
    desk.write(config(train="{plugin: interrupted}"))
    desk.do("iterate")
    desk.shown()
    desk.do("iterate")
    desk.shown()


@run
def killed(desk: Desk) -> None:
    """The run's process is killed in the midst of a stage; the same command goes on."""
    desk.write(config(report="[markdown]"))
    for _ in range(3):
        desk.forked("iterate", FAKE_KILLS=f"{desk.home}/kills")
    desk.do("report")
    desk.do("iterate")
    desk.shown()


@run
def job_died(desk: Desk) -> None:
    """A job of a worker is killed; the same command goes on."""
    desk.write(
        config(train="{plugin: fake, die_in_round: 1}", execution="{launcher: local}", **ONE)
    )
    desk.do("iterate")
    desk.shown()


@run
def stopped_by_time(desk: Desk) -> None:
    desk.write(config(execution="{launcher: inline, budget: {hours: 0.0000001}}", **ONE))
    time.monotonic = MONOTONIC
    desk.do("iterate")
    stop_the_clock()
    desk.do("iterate", "--set", "execution.budget.hours=1")
    desk.shown()


@run
def waiting(desk: Desk) -> None:
    desk.write(config(metrics="[{plugin: asked}, {plugin: overlap}]", **ONE))
    desk.do("iterate")
    desk.shown()
    (desk.project.folder / "people.txt").write_text("done")
    desk.do("iterate")
    desk.shown()


RUBRIC = """\
schema: harness.rubric/1
id: short
version: 1
title: Short
instructions: Read the answer, then judge it.
criteria:
  - id: right
    title: Right
    question: Is the answer right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - id: faults
    title: Faults
    question: What is wrong?
    scale: {kind: choices, choices: [wrong facts, wrong tone]}
    use_as: error_category
  - id: better
    title: Better
    question: What would be better?
    scale: text
    use_as: reference
judge: {bar: 0.6, items: 20, samples: 1}
"""


def rated(desk: Desk, raters: str, *words: str) -> str:
    """A batch that everybody has rated by a sheet, lower for each `hm` in it; its name."""
    made = desk.do("rate", "create", "--rubric", "short.yaml", "--raters", raters, "--json", *words)
    batch: str = made.document["batch"]
    for lower, rater in enumerate(raters.split(",")):
        sheet = desk.project.folder / f"{batch}-{rater}.csv"
        desk.do("rate", "export", batch, "--to", "sheet", "--rater", rater, "-o", sheet.name)
        rows = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
        with sheet.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows({**row, "value": _rating(row, lower)} for row in rows)
        desk.do("rate", "import", sheet.name)
    _as_events(desk, batch)
    desk.do("rate", "status", batch)
    return batch


def _as_events(desk: Desk, batch: str) -> None:
    """Take the same ratings in by the file of a page, in which they have times and names of ours.

    Keys of what is scored by ratings depend on these.
    """
    given = desk.project.inside("rate", "export", batch, "--to", "jsonl").out.splitlines()
    lines = []
    for place, event in enumerate(map(json.loads, given[1:])):
        at = f"2026-11-25T12:{place // 60:02}:{place % 60:02}.000Z"
        named = {**event, "id": f"{place:032x}", "at": at}
        text = json.dumps(named, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        lines.append(f"{text}\n".encode())
    head = {**json.loads(given[0]), "crc32": f"{zlib.crc32(b''.join(lines)):08x}"}
    file = desk.project.folder / f"{batch}.jsonl"
    file.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(lines))
    shutil.rmtree(desk.project.folder / ".harness" / "ratings" / batch / "events")
    desk.do("rate", "import", file.name, "--all-raters")


def _rating(row: Mapping[str, str], lower: int) -> str:
    answer = next(row[key] for key in ("answer", "answer A", "answer_a") if key in row)
    bad = answer.split().count("hm")
    if row["criterion"] == "right":
        return str(max(1, 5 - bad - lower))
    if row["criterion"] == "faults":
        return '["wrong facts"]' if bad else "[]"
    return answer.replace("hm", "amber") if bad == 1 and not lower else ""


@run
def rated_metric(desk: Desk) -> None:
    """A run whose metric is what raters say: it waits twice, and goes on."""
    desk.write(RUBRIC, "short.yaml")
    metrics = "[{plugin: overlap}, {plugin: rubric, rubric: short.yaml, enough: 20}]"
    desk.write(
        config(metrics=metrics, detect="[fake, {plugin: rubric, rubric: short.yaml}]", **ONE)
    )
    desk.do("iterate")
    rated(desk, "ana", "--round", "0", "-n", "20", "--repeats", "0")
    desk.do("iterate")
    rated(desk, "ana", "--round", "1", "--vs", "0", "-n", "20", "--repeats", "0")
    desk.do("iterate")
    desk.shown()


@run
def late_ratings(desk: Desk) -> None:
    """A run that is rated when it has ended; typed answers become references of another one."""
    desk.write(RUBRIC, "short.yaml")
    desk.write(config(**{**ONE, "report": REPORTS}))
    desk.do("iterate")
    batch = rated(desk, "ana,bo", "--round", "1", "--vs", "0", "-n", "30", "--overlap", "1")
    for command in ("agreement", "verdict", "validity", "status"):
        desk.do("rate", command)
        desk.do("rate", command, "--json")
    desk.do("rate", "export", batch, "--to", "jsonl")
    desk.shown()
    desk.do("rate", "accept", batch, "-o", "better.jsonl")
    better = desk.project.folder / "better.jsonl"
    same = re.sub(r'"at": ?"[^"]*"', '"at":"2026-12-01T12:00:00.000Z"', better.read_text("utf-8"))
    better.write_text(same, encoding="utf-8")  # it is part of the run's name
    desk.write(config(**ONE, corrections="better.jsonl"))
    desk.do("iterate")
    desk.shown()


@contextlib.contextmanager
def server(desk: Desk, says: Callable[[Any], Answer]) -> Iterator[str]:
    """A server at the port of this run; its address."""
    port = 27_400 + list(RUNS).index(desk.name)
    os.environ["BIG_KEY"] = SECRET
    over = time.monotonic() + 300
    while True:
        try:
            served = Server(says, port=port)
            break
        except OSError:  # another call is at this run
            if time.monotonic() > over:
                raise
            time.sleep(1)
    try:
        yield f"endpoint: '{served.url}', model: big, key: BIG_KEY, wait: 0, tries: 1"
    finally:
        served.close()


USAGE = {"prompt_tokens": 40, "completion_tokens": 10}


@run
def baseline_server(desk: Desk) -> None:
    def right(asked: Any) -> Answer:
        return said(asked.user.split(": ", 1)[1], usage=USAGE, model="big-2026")

    with server(desk, right) as big:
        entry = f"{{plugin: endpoint, {big}, price: {{in: 10, out: 20}}}}"
        desk.write(config(rounds="1", baselines=f"[prompted, {entry}]", report=REPORTS))
        desk.do("plan")
        desk.do("iterate")
        desk.shown()


@run
def baseline_server_fails(desk: Desk) -> None:
    with server(desk, lambda asked: Answer(503, b"too busy")) as big:
        desk.write(config(**ONE, baselines=f"[{{plugin: endpoint, {big}}}]"))
        desk.do("iterate")
        desk.shown()


@run
def teacher(desk: Desk) -> None:
    """A server writes rows; its money is capped, and the cap raised."""

    def writes(asked: Any) -> Answer:
        if "JSON array of objects" not in asked.user:
            return said(asked.user.split(": ", 1)[1], usage=USAGE)
        mark = sum(map(ord, asked.user)) % 10**6
        texts = [f"alpha {mark} beta {number}" for number in range(4)]
        rows = [{"prompt": f"repeat new{n}: {t}", "answer": t} for n, t in enumerate(texts)]
        return said(json.dumps(rows), usage=USAGE, model="big-2026")

    with server(desk, writes) as big:
        entry = f"{{plugin: teacher, rows: 6, {big}, concurrency: 1, max_tokens: 1000, "
        entry += "price: {in: 10, out: 20}, verify: [{agree: 2}, short]}"
        parts = {"augment": f"[{entry}]", "rounds": "2", "report": "[markdown]"}
        desk.write(config(**parts, execution="{launcher: inline, budget: {money: 0.034}}"))
        desk.do("iterate")
        desk.write(config(**parts))
        desk.do("iterate")
        desk.shown()
        desk.do("query", "FROM added")


@run
def served_model(desk: Desk) -> None:
    """The model of the run stands behind a server, which the run starts."""
    shutil.copy(ROOT / "tests" / "plugins" / "endpoint" / "stand_in.py", desk.project.folder)
    serve = "python stand_in.py {base} --repeat 0.3 --port {port} [--adapters {adapters}]"
    entry = json.dumps({"plugin": "endpoint", "serve": serve, "concurrency": 1})
    desk.write(config(**ONE, generate=entry))
    desk.do("iterate", PATH=f"{sys.prefix}/bin:{os.environ['PATH']}")
    desk.shown()


@run
def judge(desk: Desk) -> None:
    """A model behind a server rates what people have rated."""

    def judges(asked: Any) -> Answer:
        value: Any = ["wrong facts"] if "hm" in asked.user else []
        if "The criterion: Right" in asked.system:
            value = max(1, 5 - asked.user.count("hm"))
        return said(json.dumps({"evidence": "It says so.", "score": value}), usage=USAGE)

    desk.write(RUBRIC, "short.yaml")
    desk.write(config(**ONE))
    desk.do("iterate")
    batch = rated(desk, "ana,bo", "--round", "1", "-n", "30", "--overlap", "1", "--repeats", "0")
    with server(desk, judges) as big:
        options = re.sub(r", (?=\w+: )", "\n", big).replace("'", "").replace(": ", "=", 5)
        sets = [
            word
            for line in options.splitlines()
            for word in ("--set", line.replace(": ", "=", 1))
            if not line.startswith("key")
        ]
        desk.do("rate", "judge", batch, *sets)
        desk.do("rate", "judge", batch, "--json", *sets)
    desk.do("rate", "agreement")
    desk.shown()


@run
def executes(desk: Desk) -> None:
    """Answers that are code, run in the sandbox."""
    lines = []
    for split, count in {"train": 12, "dev": 24, "test": 12}.items():
        for number in range(count):
            name = f"add{number}"
            asked = f"Write `{name}(x)` for {split} that adds {number}."
            row = {
                "id": f"{split}-{number}", "split": split,
                "messages": [{"role": "user", "content": asked}],
                "references": [f"def {name}(x):\n    return x + {number}\n"],
                "meta": {"tests": f"assert {name}(1) == {number + 1}", "kind": f"k{number % 3}"},
            }  # fmt: skip
            lines.append(json.dumps(row) + "\n")
    (desk.project.folder / "rows.jsonl").write_text("".join(lines))
    desk.write(
        config(
            data="{source: jsonl, path: rows.jsonl}", generate="{plugin: coding}",
            metrics="[executes]", primary="executes", detect="[executes]", augment="[]",
            train="{plugin: fake, gain: 0.02}", **ONE,
        )
    )  # fmt: skip
    desk.do("iterate")
    desk.shown()


def table(rows: Sequence[Mapping[str, str]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def questions(count: int, word: str = "amber") -> list[dict[str, str]]:
    words = ("birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty")
    return [
        {
            "question": f"Say {word} {words[n % 9]} {words[n * 5 % 7]} number {n * 37}",
            "answer": f"{word} {words[n % 9]} {words[n * 5 % 7]} number {n * 37}",
            "kind": words[n % 3],
        }
        for n in range(count)
    ]


ROWS = "{source: rows, path: rows.csv, columns: {meta: [kind]}, sizes: {train: 30, pool: 20, dev: 40, test: 20}}"  # noqa: E501


@run
def own_rows(desk: Desk) -> None:
    """A table of one's own: looked at, checked, learned from, and compared with live rows."""
    desk.write(table(questions(120)), "rows.csv")
    desk.write(config(data=ROWS, generate="{plugin: talking}", metrics="[exact, {plugin: overlap}]",
                      detect="[basic]", analyze="[slices, causes]",
                      augment="[{plugin: pool, rows: 5}]", **ONE))  # fmt: skip
    for command in ("data stats", "data check", "data preview --rows 2", "check", "iterate"):
        desk.do(*shlex.split(command))
    desk.shown()
    worst = desk.do("errors", "--json", "--limit", "2").document["rows"]
    desk.do("why", worst[0]["id"])
    live = [{"prompt": row["question"]} for row in questions(80, "larch")]
    desk.write(table(live), "live.csv")
    desk.do("drift", "live.csv")
    desk.do("drift", "live.csv", "--json")
    desk.do("data", "dedup", "rows.csv")


@run
def refused_rows(desk: Desk) -> None:
    """Rows that are refused, each with its line; then those that lack an answer are dropped."""
    rows = questions(120)
    for place in (3, 50):
        rows[place]["answer"] = ""
    desk.write(table(rows), "rows.csv")
    desk.write(config(data=ROWS, generate="{plugin: talking}", metrics="[exact, overlap]", **ONE))
    for command in ("check", "data check", "iterate", "iterate --set data.incomplete=drop"):
        desk.do(*shlex.split(command))
    lines = ['{"id": "a", "split": "dev"}', "not JSON", '{"id": 3, "split": "moon"}', "[]"]
    desk.write("\n".join(lines), "bad.jsonl")
    desk.do("check", "--set", "data={source: jsonl, path: bad.jsonl}")
    desk.do("iterate", "--set", "data={source: jsonl, path: bad.jsonl}")


@run
def launcher(desk: Desk) -> None:
    """Jobs go through the runner that `plugins new` writes."""
    desk.do("plugins", "new", "runner", "acme", "--folder", "acme")
    (made,) = desk.project.folder.glob("acme/acme.py")
    shutil.copy(made, desk.project.folder / "launching_acme.py")
    parts = {**ONE, "execution": "{launcher: acme, workers: 2}"}
    desk.write(config("launching_acme.py", **parts, arms="[{name: more, set: {train.gain: 0.01}}]"))
    desk.do("iterate")
    desk.shown()


@run
def shared_store(desk: Desk) -> None:
    """Two machines and one store: nothing is made again, and a third one has a look."""
    (desk.home / "store").mkdir()
    url = f"file://{desk.home}/store"
    text = config(**ONE, execution=f"{{launcher: inline, store: '{url}'}}")
    desk.write(text)
    name = desk.do("iterate", "--json").document["run"]
    desk.shown()
    second, third = desk.at("second"), desk.at("third")
    second.write(text)
    desk.do("iterate", project=second)
    desk.do("report", project=second)
    desk.do("pull", "--store", url, project=third)
    desk.do("--trust", "pull", name, "--store", url, project=third)
    for command in ("report", f"rebuild {name}", "report", "errors", "why dev-1", "runs"):
        desk.do("--trust", *shlex.split(command), project=third)
    desk.do("report", project=third)
    desk.do("--trust", "iterate", "--rounds", "2", project=third)


@run
def scored(desk: Desk) -> None:
    """Answers of two systems, without a run; and those of a run again by another metric."""
    rows = questions(60)
    for name, every in (("old", 2), ("new", 3)):
        lines = [
            {"id": f"{n}", "text": "hm" if n % every == 0 else row["answer"]}
            for n, row in enumerate(rows)
        ]
        desk.write("".join(json.dumps(line) + "\n" for line in lines), f"{name}.jsonl")
    good = [{"id": f"{n}", "references": [row["answer"]]} for n, row in enumerate(rows)]
    desk.write("".join(json.dumps(line) + "\n" for line in good), "good.jsonl")
    given = ("score", "-p", "new.jsonl", "-r", "good.jsonl", "-m", "bleu,exact,rouge")
    desk.do(*given)
    desk.do(*given, "-b", "old.jsonl")
    desk.do(*given, "-b", "old.jsonl", "--json")
    desk.write(config(**ONE))
    name = desk.do("iterate", "--json").document["run"]
    desk.do("score", "--run", name, "-m", "bleu,exact")
    desk.do("report", "--full")
    desk.do("query", "FROM scores")


@run
def first_day(desk: Desk) -> None:
    """What commands say that have nothing to show yet, and to words that are unknown."""
    desk.write(config(**ONE))
    commands = [
        "", "--help", "report", "errors", "runs", "advise", "plan", "compare 0 1", "clean",
        "report nowhere", "why dev-1", "query 'FROM rounds'", "rate status", "config show",
        "config show --origin", "docs verdicts", "docs config", "docs api", "plugins",
        "check --set train.gian=1", "iterate --set rounds=0", "itrate", "test",
    ]  # fmt: skip
    for command in (*commands, *(f"{name} --help" for name in _commands(desk))):
        desk.do(*shlex.split(command))


def _commands(desk: Desk) -> list[str]:
    text = desk.project.inside("--help", COLUMNS="100").out
    return sorted(re.findall(r"^  (\w+)  +\S", text, re.MULTILINE))


# -- write and compare -----------------------------------------------------------------------------


def write(output: Path, names: Sequence[str]) -> None:
    """Carry the runs out, a few at a time, each in a process of its own.

    Raises:
        SystemExit: one could not be carried out to its end.
    """
    since = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="same-runs-") as folder:
        home = Path(folder).resolve()
        os.environ.update(XDG_DATA_HOME=f"{home}/user", PYTHONPATH=str(ROOT))
        os.environ.pop("OPENAI_API_KEY", None)
        os.getloadavg = lambda: (0.0, 0.0, 0.0)
        os.fsync = lambda descriptor: None
        Project(home).inside("--help")  # what all import is loaded once
        at_work: dict[int, str] = {}
        for name in [*names, *[""] * AT_A_TIME]:
            if len(at_work) == AT_A_TIME or (not name and at_work):
                process, status = os.wait()
                done = at_work.pop(process)
                failed += [done] if status else []
                took = time.monotonic() - since
                print(f"{took:5.0f} s  {done}{'  FAILED' if status else ''}", flush=True)
            if name:
                shutil.rmtree(output / name, ignore_errors=True)
                at_work[_carried_out(name, home, output)] = name
    print(f"{len(names)} runs in {time.monotonic() - since:.0f} s")
    if failed:
        raise SystemExit(f"not carried out to the end: {', '.join(failed)}")


def _carried_out(name: str, home: Path, output: Path) -> int:
    """The process that carries a run out."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        stop_the_clock()
        desk = Desk(name, home, output)
        RUNS[name](desk)
        desk.collected()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def compare(old: Path, new: Path) -> bool:
    """Print what differs; whether all is equal."""
    equal = True
    for name in sorted({path.name for folder in (old, new) for path in folder.iterdir()}):
        files = sorted(
            {
                path.relative_to(folder)
                for folder in (old, new)
                for path in (folder / name).rglob("*")
                if path.is_file()
            }
        )
        different = [file for file in files if _bytes(old / file) != _bytes(new / file)]
        print(f"{name}: {len(files) - len(different)} of {len(files)} files equal")
        for file in different:
            equal = False
            _print_difference(old, new, file)
    print("all equal" if equal else "DIFFERENT")
    return equal


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _print_difference(old: Path, new: Path, file: Path) -> None:
    sides = [_bytes(folder / file) for folder in (old, new)]
    if None in sides:
        print(f"  {file}: only in {new if sides[0] is None else old}")
        return
    texts = [side.decode("utf-8", "replace").splitlines() for side in sides if side is not None]
    lines = list(difflib.unified_diff(*texts, f"old/{file}", f"new/{file}", n=1, lineterm=""))
    for line in lines[:SHOWN]:
        print(f"  {line[:240]}")
    if len(lines) > SHOWN:
        print(f"  … {len(lines) - SHOWN} more lines")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("folder", type=Path)
    writing.add_argument("names", nargs="*", metavar="NAME", help="of runs; all without")
    comparing = commands.add_parser("compare")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    asked = parser.parse_args()
    if asked.command == "write":
        if unknown := set(asked.names) - set(RUNS):
            parser.error(f"no run {', '.join(sorted(unknown))}; there are {', '.join(RUNS)}")
        write(asked.folder.resolve(), asked.names or list(RUNS))
    elif not compare(asked.old, asked.new):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
