"""Branches of a run carried out side by side: the end is that of one after the other."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness_launchers.jobs import jobs_at_work
from tests.integration.test_search import SEARCH, VALLEY, iterate
from tests.support.arms import levers_of
from tests.support.launchers import SAMPLE
from tests.support.project import CONFIG, FAKES, Project

BRANCHES = (
    CONFIG.replace("rounds: 3", "rounds: 1")
    .replace("rows: 10}", "rows: 10, control: random}")
    .replace("launcher: inline", "launcher: local")
    + """
arms:
- {name: more, set: {train.gain: 0.01}}
models: [{source: fake, skill: 0.5}]
baselines: [{plugin: few-shot, k: 1}, {plugin: few-shot, name: two, k: 2}]
report: [markdown]
"""
)
MORE = "seeds: 5\ncurve: true\n"
CLOCKS = {"seconds", "began", "ended", "dates", "seconds_by_stage", "config"}


def told(value: Any) -> Any:
    """A document without what a clock says, and without the number of workers."""
    if isinstance(value, dict):
        timeless = {key: told(item) for key, item in value.items() if key not in CLOCKS}
        return {
            **timeless,
            **({"cached": sorted(timeless["cached"])} if "cached" in timeless else {}),
        }
    return [told(item) for item in value] if isinstance(value, list) else value


def tables(project: Project, run: str) -> dict[str, Any]:
    (path,) = (project.folder / "reports" / run).glob("*.duckdb")
    with duckdb.connect(str(path), read_only=True) as database:
        names = [name for (name,) in database.execute("SHOW TABLES").fetchall()]
        return {name: database.execute(f'SELECT * FROM "{name}"').df() for name in names}


def carried_out(
    project: Project, workers: int, more: str = "", text: str = BRANCHES, **environment: str
) -> tuple[Any, Any, dict[str, Any]]:
    """Documents and tables of a run; where its jobs are killed, the same command goes on."""
    text = text.replace("launcher: local", f"launcher: local, workers: {workers}")
    project.write(text + more)
    for _ in range(40):
        command = project.harness if environment else project.inside
        done = command("iterate", "--json", **environment)
        if done.code == 0 or not environment:
            break
    assert done.code == 0, done.err
    run = done.document["run"]
    analysis = json.loads((project.folder / "reports" / run / "analysis.json").read_text())
    return done.document, analysis, tables(project, run)


def check_same(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    for document, other in zip(first[:2], second[:2], strict=True):
        assert told(document) == told(other)
    assert first[2].keys() == second[2].keys()
    for name, table in first[2].items():
        same = [column for column in table if column not in CLOCKS]
        beside = second[2][name][same]
        assert table[same].equals(beside), table[same].compare(beside)


@pytest.mark.nightly
def test_the_end_is_that_of_one_branch_after_the_other(tmp_path: Path) -> None:
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    serial = carried_out(Project(tmp_path / "one"), 1)
    check_same(serial, carried_out(Project(tmp_path / "many"), 3))


MEETING = f"""
import os, runpy, time
from pathlib import Path
import harness

FAKES = runpy.run_path({str(FAKES)!r})

class Trains(FAKES["FakeTrainer"]):
    name = "trains"

    def train(self, base, train, valid, context):
        Path("trains.txt").touch()
        return super().train(base, train, valid, context)

class Answers(FAKES["FakeGenerator"]):
    name = "answers"

    def generate(self, checkpoint, examples, context):
        over = time.monotonic() + 100
        while checkpoint.kind == "base" and not Path("trains.txt").exists():
            assert time.monotonic() < over
            time.sleep(0.05)
        yield from super().generate(checkpoint, examples, context)

@harness.hookimpl
def register_trainers():
    return [Trains]

@harness.hookimpl
def register_generators():
    return [Answers]
"""


def test_the_first_training_does_not_wait_for_the_base_models_answers(project: Project) -> None:
    """Here these wait for it."""
    (project.folder / "meeting.py").write_text(MEETING)
    text = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, meeting.py]").replace("rounds: 3", "rounds: 1")
    text = text.replace("train: {plugin: fake}", "train: {plugin: trains}").replace(
        "generate: {plugin: fake}", "generate: {plugin: answers}"
    )
    project.write(text.replace("launcher: inline", "launcher: local, workers: 2"))
    done = project.inside("iterate", "--json")
    assert done.code == 0, done.err
    assert "train" not in " ".join(done.document["cached"]), "it was made by this very run"


DEALT = f"""
import runpy, time
from pathlib import Path
import harness

FAKES = runpy.run_path({str(FAKES)!r})

class Dealt(FAKES["FakeGenerator"]):
    name = "dealt"
    unkeyed = {{"jobs": "said by the environment"}}

    class Options(FAKES["FakeGenerator"].Options):
        jobs: int = 1

    def environment(self):
        return {{"jobs": str(self.options.jobs)}} if self.options.jobs > 1 else {{}}

    def jobs(self):
        return self.options.jobs

    def generate(self, checkpoint, examples, context):
        if Path("meet").exists() and checkpoint.kind == "base":
            Path(f"{{context.output.parent.name}}.met").touch()
            over = time.monotonic() + 60
            while len([*Path().glob("*.met")]) < self.options.jobs:
                assert time.monotonic() < over
                time.sleep(0.05)
        if Path("slow").exists():
            if checkpoint.kind == "base" and Path("slow").read_text():
                raise harness.EnvironmentFailure("the node is gone")
            time.sleep(0.5)
            Path("slow").write_text("fail")
        context.remark(f"{{len(examples) > 0}} of all")
        context.remark(f"{{examples[0].id}} is its first")
        yield from super().generate(checkpoint, examples, context)

@harness.hookimpl
def register_generators():
    return [Dealt]
"""
SHARING = (
    CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, dealt.py]")
    .replace("rounds: 3", "rounds: 1")
    .replace("generate: {plugin: fake}", "generate: {plugin: dealt, jobs: 2}")
)


@pytest.mark.nightly
def test_jobs_that_share_the_prompts_give_the_answers_of_one(tmp_path: Path) -> None:
    """With two workers these jobs wait for each other."""
    alone = SHARING.replace("jobs: 2", "jobs: 1")
    met = SHARING.replace("launcher: inline", "launcher: local")
    ends, answers = {}, {}
    for name, text in (("alone", alone), ("serial", SHARING), ("met", met)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dealt.py").write_text(DEALT)
        if name == "met":
            (tmp_path / name / "meet").touch()
        ends[name] = carried_out(Project(tmp_path / name), 2, text=text)
        files = (tmp_path / name / ".harness/artifacts/generate").glob("*/predictions.jsonl")
        answers[name] = sorted(file.read_bytes() for file in files)
    assert answers["alone"] == answers["serial"] == answers["met"]
    check_same(ends["serial"], ends["met"])
    notes = " ".join(ends["met"][0]["notes"])
    assert notes.count("of all") == notes.count("each of 2 jobs: True of all") == 1
    assert notes.count("is its first") == notes.count("1 of 2 jobs: ") > 1
    assert not [stage for stage in ends["met"][0]["seconds"] if stage[-1].isdigit()]
    stored = {path.name for path in (tmp_path / "met/.harness/artifacts").iterdir()}
    assert {"generate", "generate 1", "generate 2", "generate test"} <= stored


def test_time_of_jobs_that_were_done_before_a_pass_was_interrupted_counts(project: Project) -> None:
    (project.folder / "dealt.py").write_text(DEALT)
    project.write(SHARING)
    slow = project.folder / "slow"
    slow.touch()
    assert "the node is gone" in project.inside("iterate").err
    slow.unlink()
    done = project.inside("iterate", "--json")
    assert "round 0: generate 1" in done.document["cached"]
    assert done.document["seconds"]["generate"] >= 0.5


READING = f"""
import runpy, time
from pathlib import Path
import harness

FAKES = runpy.run_path({str(FAKES)!r})

class Reads(FAKES["FakeGenerator"]):
    name = "reads"

    class Options(FAKES["FakeGenerator"].Options):
        meet: bool = False

    def losses(self, checkpoint, texts, context):
        self.met(checkpoint, "reads", "answers", context)
        for text in texts:
            yield 2.0 * len(text) + checkpoint.info["skill"], len(text)

    def generate(self, checkpoint, examples, context):
        if len(examples) == 48:  # of dev
            self.met(checkpoint, "answers", "reads", context)
        yield from super().generate(checkpoint, examples, context)

    def met(self, checkpoint, mine, other, context):
        Path(f"{{mine}}-{{context.round}}.txt").touch()
        over = time.monotonic() + 100
        while self.options.meet and checkpoint.kind == "adapter":
            assert time.monotonic() < over
            if Path(f"{{other}}-{{context.round}}.txt").exists():
                return
            time.sleep(0.05)

@harness.hookimpl
def register_generators():
    return [Reads]
"""


@pytest.mark.nightly
def test_a_round_is_measured_on_general_text_while_it_answers_dev(tmp_path: Path) -> None:
    """With two workers each waits for the other one here."""
    ends = []
    for workers in (1, 2):
        project = Project(tmp_path / str(workers))
        project.folder.mkdir()
        (project.folder / "reading.py").write_text(READING)
        meet = "" if workers == 1 else ", meet: true"
        text = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, reading.py]").replace(
            "generate: {plugin: fake}", f"generate: {{plugin: reads{meet}}}"
        )
        text = text.replace("rounds: 3", "rounds: 2").replace("launcher: inline", "launcher: local")
        text = text.replace("source: fake}", "source: fake, test: 30}", 1)
        ends.append(carried_out(project, workers, "probes: [general]\n", text))
    assert told(ends[0][0]["rounds"]) == told(ends[1][0]["rounds"])
    assert ends[0][0]["rounds"][2]["forgetting"]


@pytest.mark.nightly
def test_jobs_that_are_killed_leave_the_end_as_it_is(tmp_path: Path) -> None:
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    serial = carried_out(Project(tmp_path / "one"), 1, MORE)
    kills = tmp_path / "kills.txt"
    many = carried_out(Project(tmp_path / "many"), 3, MORE, FAKE_KILLS=str(kills))
    assert len(kills.read_text().splitlines()) > 20
    for document in many[:2]:
        document["cached"] = serial[0]["cached"]  # a run that was begun again finds more
    check_same(serial, many)


@pytest.mark.nightly
def test_a_search_in_batches_is_the_same_on_one_worker_and_on_three(tmp_path: Path) -> None:
    documents = []
    for workers in (1, 3):
        project = Project(tmp_path / str(workers))
        project.folder.mkdir()
        project.write(
            VALLEY.replace("launcher: inline", f"launcher: local, workers: {workers}")
            + SEARCH.replace("trials: 6", "trials: 5, parallel: 3")
        )
        documents.append(told(iterate(project)))
    serial, many = documents
    assert serial == many
    trials = levers_of(serial)["search"]["trials"]
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3, 4]
    assert all(trial["state"] in ("done", "pruned") for trial in trials)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(4))
def test_a_run_and_its_launched_jobs_killed_at_random_end_as_without(
    tmp_path: Path, seed: int
) -> None:
    """Kills of the run's process and of jobs; nothing is submitted that no run finds again."""
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    serial = carried_out(Project(tmp_path / "one"), 1)
    draw, project = random.Random(seed), Project(tmp_path / "many")
    project.write(
        BRANCHES.replace(f"[{FAKES}]", f"[{FAKES}, {SAMPLE}]").replace(
            "launcher: local", "launcher: sample, workers: 3"
        )
    )
    kills = 0
    for attempt in range(60):
        run = project.start("iterate", "--json")
        # Later ones live longer, or no run would come to its end on a busy machine.
        end = time.monotonic() + draw.uniform(1, 4 + attempt)
        while run.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        jobs = [job for job in jobs_at_work(project.folder) if job.id.isdigit()]
        of_job = bool(jobs) and draw.random() < 0.5
        if of_job:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(draw.choice(jobs).id), signal.SIGKILL)
        if run.poll() is None and (not of_job or draw.random() < 0.5):
            run.kill()
        kills += 1
        out, err = run.communicate()
        if run.returncode == 0:
            break
    assert run.returncode == 0, err
    assert kills >= 2, "the last one came too late"
    assert jobs_at_work(project.folder) == []
    document = json.loads(out)
    analysis = json.loads(
        (project.folder / "reports" / document["run"] / "analysis.json").read_text()
    )
    for whole in (document, analysis):
        whole["cached"] = serial[0]["cached"]
    check_same(serial, (document, analysis, tables(project, document["run"])))
