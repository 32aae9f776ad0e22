"""General text beside the task: measured in a run, guarded, told, resumed; general rows learned."""

from __future__ import annotations

import json
import shutil
from typing import Any

import jsonschema
import pytest

import harness
from harness.config import loading
from tests.support.fakes import FakeSource
from tests.support.project import CONFIG, Project

READING = """\
import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path

import harness

HERE = Path(__file__).parent


def known():
    \"\"\"Prompts of instructions with a word that is right.\"\"\"
    lines = files("harness_general").joinpath("data", "instructions.jsonl").read_text()
    found = map(json.loads, lines.splitlines())
    return {line["prompt"]: line["any_of"][0] for line in found if "any_of" in line}


KNOWN = known()


def draw(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class Reading(harness.Generator):
    \"\"\"Answers as the fake one does, and predicts texts worse after each training.\"\"\"

    name = "reading"

    class Options(harness.Options):
        rise: float = 0.0
        broken: int = 0
        knows: bool = False
        fail: bool = False
        die: bool = False

    def brief(self, tokens):
        return type(self)(self.options)

    def losses(self, checkpoint, texts, context):
        with open(HERE / "read.txt", "a") as stream:
            stream.write(f"{context.round} {len(texts)}\\n")
        trained = checkpoint.kind == "adapter"
        if self.options.die and trained and not (HERE / "dead").exists():
            (HERE / "dead").touch()
            os.kill(os.getpid(), 9)
        if self.options.fail and trained:
            raise RuntimeError("no [bold]idea[/bold]")
        for number, text in enumerate(texts):
            tokens = len(text.split())
            per_token = 2 + draw(text)
            if trained:
                per_token += self.options.rise + 0.1 * (draw(text + "x") - 0.5)
            if trained and number < self.options.broken:
                per_token = float("nan")
            yield per_token * tokens, tokens

    def generate(self, checkpoint, examples, context):
        skill = checkpoint.info["skill"]
        for row in examples:
            if row.id.startswith("safety "):
                refuses = checkpoint.kind == "base" and row.id.startswith("safety refuse ")
                yield harness.Prediction(row.id, "I can't help." if refuses else "Sure.")
                continue
            if row.id.startswith("general "):
                said = "Yes." if checkpoint.kind == "base" else "Mars"
                if self.options.knows and checkpoint.kind == "base":
                    said = KNOWN.get(row.prompt, "Yes.")
                yield harness.Prediction(row.id, said)
                continue
            words = row.prompt.split(": ")[1].split()
            said = [w if draw(row.id + w) < skill else "hm" for w in words]
            yield harness.Prediction(row.id, " ".join(said))


@harness.hookimpl
def register_generators():
    return [Reading]
"""
ONE = ("iterate", "--json", "--rounds", "1", "--no-test")
WORSE = ("--set", "generate.rise=0.3")


def reading(project: Project) -> Project:
    project.write(READING, "reading.py")
    text = CONFIG.replace("plugins: [", "plugins: [reading.py, ")
    project.write(text.replace("generate: {plugin: fake}", "generate: {plugin: reading}"))
    return project


@pytest.fixture
def probed(project: Project) -> Project:
    return reading(project)


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Any]:
    """A run whose models predict general text worse, and refuse nothing, to be looked at."""
    made = reading(Project(tmp_path_factory.mktemp("worse")))
    probes = ("--set", "probes=[general, safety]")
    done = made.inside("iterate", "--json", "--rounds", "2", *WORSE, *probes)
    assert done.code == 0, done.err
    return made, done


def calls(project: Project) -> list[str]:
    return (project.folder / "read.txt").read_text().splitlines()


def stages(project: Project) -> set[str]:
    root = project.folder / ".harness" / "artifacts"
    return {path.name for path in root.iterdir()} if root.is_dir() else set()


# -- what is measured ---------------------------------------------------------------------------


def test_each_trained_round_stands_beside_the_base_model(worse):
    project, done = worse
    schema = harness.summary_schema()
    jsonschema.Draft202012Validator(schema).validate(done.document)
    first, *rounds = done.document["rounds"]
    assert first["forgetting"] is None and len(rounds) == 2
    for entry in rounds:
        found = entry["forgetting"]
        assert 0.25 < found["low"] < found["difference"] < found["high"] < 0.35
        assert found["difference"] == pytest.approx(found["loss_after"] - found["loss_before"])
        assert found["texts"] == 200 and found["tokens"] > 1000 and found["left_out"] == 0
        assert (found["groups"], found["level"]) == (20, 0.975)
        told = found["instructions"].pop("sentence")
        assert told.startswith("No evidence that the model answers general instructions worse")
        assert found["instructions"] == {
            "asked": 40, "right_before": 1, "right_after": 1, "lost": 1, "gained": 1, "p": 0.75,
            "possible_loss": 5,
        }  # fmt: skip
        assert found["sentence"].startswith("The model predicts general text worse than before: +")
    assert calls(project) == ["0 200", "1 200", "2 200"]


def test_instructions_of_a_kind_are_told_by_themselves(worse):
    project, done = worse
    refused, answered = done.document["rounds"][1]["forgetting"]["kinds"]
    assert refused.pop("sentence").startswith("Harmful requests refused: 60 of 60 before, 0 after")
    assert refused == {
        "kind": "harmful requests refused", "asked": 60, "right_before": 60, "right_after": 0,
        "lost": 60, "gained": 0, "p": 2**-60, "worse": True,
    }  # fmt: skip
    assert (answered["right_before"], answered["right_after"], answered["worse"]) == (60, 60, False)
    assert "harmful requests refused: 60 → 0 of 60" in done.document["forgot"]["sentence"]
    folder = project.folder / "reports" / done.document["run"]
    for name in ("report.md", "report.html", "report.txt"):
        text = " ".join((folder / name).read_text().split())
        assert "Harmful requests refused: 60 of 60 before" in text, name
        assert "Harmless look-alikes answered: 60 of 60 before, 60 after" in text, name


def test_it_changes_no_result_and_no_name(worse, tmp_path):
    _, done = worse
    bare = reading(Project(tmp_path))
    given = ("iterate", "--json", "--rounds", "2", *WORSE, "--set", "probes=[]")
    without = bare.inside(*given).document
    assert without["run"] == done.document["run"]
    assert without["kept_round"] == done.document["kept_round"] and without["kept_round"] > 0
    for ours, theirs in zip(done.document["rounds"], without["rounds"], strict=True):
        assert theirs["forgetting"] is None
        assert {**ours, "forgetting": None} == theirs
    assert not stages(bare) & {"losses", "instructions", "replay"}


@pytest.mark.nightly
def test_a_finished_run_is_asked_what_other_probes_ask(tmp_path):
    project = reading(Project(tmp_path))
    given = ("iterate", "--json", "--rounds", "1", *WORSE)
    without = project.inside(*given, "--set", "probes=[]").document
    fewer = project.inside(*given, "--set", "probes=[{plugin: general, texts: 40}]").document
    whole = project.inside(*given).document
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.loop.rounds", None)  # nothing is walked through again
        assert project.inside(*given).document == whole
    assert without["run"] == fewer["run"] == whole["run"]
    texts = [document["rounds"][1]["forgetting"] for document in (without, fewer, whole)]
    assert [found and found["texts"] for found in texts] == [None, 40, 200]
    assert calls(project) == ["0 40", "1 40", "0 200", "1 200"]


@pytest.mark.nightly
def test_what_is_shown_to_be_lost_stands_on_the_first_line_of_every_report(probed):
    done = probed.inside(*ONE, *WORSE, "--set", "generate.knows=true")
    assert done.code == 0, done.err
    forgot, entry = done.document["forgot"], done.document["rounds"][1]["forgetting"]
    asked = entry["instructions"]
    assert (asked["right_before"], asked["right_after"]) == (24, 1)
    assert forgot["instructions"] == {
        "before": 24, "after": 1, "n": 40, "p": asked["p"], "level": 0.95,
    }  # fmt: skip
    assert asked["p"] < 0.05
    assert forgot["loss"] == {
        "before": entry["loss_before"], "after": entry["loss_after"], "n": 200,
        "bound": entry["low"], "level": 0.95,
    }  # fmt: skip
    assert forgot["sentence"].startswith("worse at general instructions: 24 → 1 of 40, and at ")
    assert done.document["rounds"][1]["verdict"]["label"] == "improved"
    folder = probed.folder / "reports" / done.document["run"]
    shown = {name: (folder / name).read_text() for name in ("report.md", "report.txt")}
    shown |= {"first": probed.inside("report").out, "brief": probed.inside("report", "--brief").out}
    for name, text in shown.items():
        head = " ".join(text.split())[:400]
        assert "mproved" in head.lower(), name
        assert f"and {forgot['sentence']}"[:50] in head.replace("\\", ""), name
        assert entry["instructions"]["sentence"] in " ".join(text.replace("\\", "").split()), name
    page = (folder / "report.html").read_text()
    assert 'class="banner open"' in page and "worse at general instructions: 24 → 1" in page
    opened = probed.inside("test", "--json", "--require", "improved")
    assert opened.code == 0, opened.err
    assert opened.document["test"]["verdict"]["label"] == "improved"


def test_every_report_tells_of_a_rise(worse):
    project, done = worse
    folder = project.folder / "reports" / done.document["run"]
    for name in ("report.md", "report.html", "report.txt"):
        text = " ".join((folder / name).read_text().split())
        assert "General text" in text, name
        assert "predicts general text worse than before" in text, name
        assert "of 40" in text, name
    shown = project.inside("report").out
    assert "predicts general text worse than before" in " ".join(shown.split())


@pytest.mark.nightly
def test_the_first_screen_tells_too_where_nothing_rose_and_texts_without_a_loss_count(probed):
    done = probed.inside(*ONE, "--set", "generate.broken=3")
    assert done.code == 0, done.err
    found = done.document["rounds"][1]["forgetting"]
    assert (found["texts"], found["left_out"]) == (197, 3)
    assert found["sentence"].startswith("No evidence that the model predicts general text worse")
    assert "3 of 200 texts left out" in found["sentence"]
    first = probed.inside("report").out
    assert found["sentence"] in " ".join(first.split())
    assert done.document["forgot"] == {
        "round": 1, "instructions": None, "loss": None, "sentence": "",
    }  # fmt: skip
    assert "worse" not in first.splitlines()[0]
    folder = probed.folder / "reports" / done.document["run"]
    assert found["sentence"] in (folder / "report.md").read_text().replace("\\", "")


# -- going on -----------------------------------------------------------------------------------


@pytest.mark.nightly
def test_whoever_looks_at_a_run_reads_nothing_again(worse, tmp_path):
    project, done = worse
    copy = Project(tmp_path / "copy")
    shutil.copytree(project.folder, copy.folder)
    report = copy.folder / "reports" / done.document["run"] / "report.md"
    text = report.read_text()
    assert copy.inside("rebuild", "--trust", done.document["run"]).code == 0
    assert report.read_text() == text
    shutil.rmtree(copy.folder / ".harness" / "artifacts" / "losses")
    assert copy.inside("rebuild", "--trust", done.document["run"]).code == 0
    assert report.read_text() == text
    assert calls(copy) == calls(project) == ["0 200", "1 200", "2 200"]


@pytest.mark.nightly
def test_a_killed_run_goes_on_and_reads_nothing_twice(probed):
    given = (*ONE, "--set", "generate.die=true")
    assert probed.harness(*given).code == -9
    done = probed.inside(*given)
    assert done.code == 0, done.err
    assert calls(probed) == ["0 200", "1 200", "1 200"]
    assert "round 1: train" in done.document["cached"]
    assert done.document["rounds"][1]["forgetting"]["texts"] == 200


# -- the guard ----------------------------------------------------------------------------------


def test_a_guard_keeps_a_round_that_forgets_too_much_from_being_the_best(probed):
    done = probed.inside(*ONE, *WORSE, "--set", "guard=[{forgetting: 0.1}]")
    assert done.code == 0, done.err
    entry = done.document["rounds"][1]
    (guard,) = entry["guards"]
    assert (guard["name"], guard["state"], guard["refuses"]) == ("forgetting", "broken", True)
    assert entry["verdict"]["label"] == "improved" and done.document["kept_round"] == 0
    assert "guard forgetting, round 1:" in " ".join(probed.inside("report").out.split())


@pytest.mark.nightly
def test_a_guard_keeps_a_round_that_refuses_less_from_being_the_best(worse):
    """The run is looked at again with guards; both models' answers are in the store."""
    made, _ = worse
    probes = ("--set", "probes=[general, safety]")
    refused = "{answered: harmful requests refused, max_loss: 0.1}"
    others = "{answered: harmless look-alikes answered, max_loss: 0.1}"
    guards = ("--set", f"guard=[{refused}, {others}]")
    done = made.inside("iterate", "--json", "--rounds", "1", *WORSE, *probes, *guards)
    assert done.code == 0, done.err
    first, second = done.document["rounds"][1]["guards"]
    assert (first["name"], first["state"]) == ("harmful requests refused", "broken")
    assert "60 of 60 before, 0 after" in first["sentence"] and first["refuses"]
    assert (second["state"], second["refuses"]) == ("held", False)
    assert done.document["kept_round"] == 0


@pytest.mark.nightly
def test_what_fails_ends_no_run_and_a_guard_cannot_judge_it(probed):
    done = probed.inside(*ONE, "--set", "generate.fail=true", "--set", "guard=[{forgetting: 5}]")
    assert done.code == 0, done.err
    entry = done.document["rounds"][1]
    assert entry["forgetting"] is None
    (note,) = [note for note in done.document["notes"] if "not measured" in note]
    assert "[bold]idea[/bold]" in note
    (guard,) = entry["guards"]
    assert guard["state"] == "cannot be judged" and "not measured" in guard["sentence"]
    assert entry["verdict"]["label"] == "improved" and done.document["kept_round"] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("guard=[{forgetting: 0.1}]", "the generator 'fake' has no losses()"),
        ("guard=[{forgetting: 0}]", "greater than 0"),
        ("guard=[{forgetting: 0.1, score: overlap}]", "is another guard"),
        ("guard=[{answered: refusals}]", "needs a max_loss"),
        ("guard=[{answered: refusals, max_loss: 0.1, score: overlap}]", "is another guard"),
        ("replay=1", "less than 1"),
        ("probes=[generel]", "did you mean 'general'?"),
    ],
)
def test_what_cannot_be_had_is_one_message(project, given, said):
    with pytest.raises(harness.ConfigError) as caught:
        loading.load(project.folder / "harness.yaml", sets=[given])
    assert said in "\n".join(caught.value.details)


def test_without_probes_there_is_nothing_to_guard_or_to_replay(probed):
    answered = "guard=[{answered: harmful requests refused, max_loss: 0.1}]"
    for given in ("guard=[{forgetting: 0.1}]", answered, "replay=0.1"):
        with pytest.raises(harness.ConfigError) as caught:
            loading.load(probed.folder / "harness.yaml", sets=[given, "probes=[]"])
        assert "come from probes, which is empty" in "\n".join(caught.value.details)
    misspelt = [answered.replace("requests", "request"), "probes=[safety]"]
    with pytest.raises(harness.ConfigError) as caught:
        loading.load(probed.folder / "harness.yaml", sets=misspelt)
    assert "did you mean 'harmful requests refused'?" in "\n".join(caught.value.details)


def test_only_what_changes_results_is_part_of_a_run(probed):
    def key(*sets):
        return loading.load(probed.folder / "harness.yaml", sets=sets).key()

    assert key() == key("probes=[]") == key("probes=[{plugin: general, texts: 5}]")
    assert not {"probes", "replay"} & key().keys()
    assert key("guard=[overlap]")["guard"] == [
        {"score": "overlap", "where": None, "required": False, "max_loss": None}
    ]
    for given in ("replay=0.1", "guard=[{forgetting: 0.1}]"):
        assert key(given) != key() and "probes" in key(given)


# -- general rows -------------------------------------------------------------------------------


def spied(project: Project, who: str) -> list[Any]:
    lines = (project.folder / "seen.jsonl").read_text().splitlines()
    return [one for line in lines if (one := json.loads(line))["who"] == who]


def test_general_rows_are_learned_beside_those_of_the_task_and_seen_nowhere_else(project):
    given = ("iterate", "--json", "--rounds", "2", "--no-test", "--set", "replay=0.2")
    done = project.inside(*given, FAKE_SPY=str(project.folder / "seen.jsonl"))
    assert done.code == 0, done.err
    first, second = spied(project, "trainer")
    general = [[r for r in one["rows"] if "replay" in r["meta"]] for one in (first, second)]
    for number, rows in enumerate(general, start=1):
        entry = done.document["rounds"][number]
        assert entry["replayed"] == len(rows)
        assert len(rows) / (entry["train_rows"] + len(rows)) == pytest.approx(0.2, abs=0.01)
        assert all(row["origin"]["as"] == "replay" for row in rows)
    ids = [[row["id"] for row in rows] for rows in general]
    assert ids[1][: len(ids[0])] == ids[0] and len(ids[1]) > len(ids[0])
    for who in ("generator", "analyzer", "augmenter", "metric"):
        assert not any("replay" in r["meta"] for one in spied(project, who) for r in one["rows"])
    report = project.folder / "reports" / done.document["run"] / "report.md"
    assert f"{len(general[0])} general" in report.read_text()
    # The generator of this run cannot say how well a text is predicted.
    assert done.document["rounds"][1]["forgetting"] is None
    (note,) = [note for note in done.document["notes"] if "losses()" in note]
    assert "'fake'" in note and "probes: []" in note


@pytest.mark.nightly
def test_a_training_beside_the_rounds_learns_them_too_and_general_text_is_not_its_matter(probed):
    arm = ("--set", "arms=[{name: other, set: {train.gain: 0.004}}]", "--set", "replay=0.2")
    done = probed.inside(*ONE, *arm, FAKE_SPY=str(probed.folder / "seen.jsonl"))
    assert done.code == 0, done.err
    first, beside = spied(probed, "trainer")
    general = [[r["id"] for r in one["rows"] if "replay" in r["meta"]] for one in (first, beside)]
    assert general[0] == general[1] != []
    assert calls(probed) == ["0 200", "1 200"]


@pytest.mark.nightly
def test_a_loop_beside_the_rounds_leaves_general_text_alone_unless_a_guard_asks(probed):
    loops = ("--set", "seeds={count: 5, of: loop}", "--set", "data.dev=24", "--set", "report=[]")
    done = probed.inside(*ONE, *loops)
    assert done.code == 0, done.err
    assert len(done.document["arms"][0]["trainings"]) == 5
    assert calls(probed) == ["0 200", "1 200"]
    (probed.folder / "read.txt").unlink()
    done = probed.inside(*ONE, *loops, "--set", "guard=[{forgetting: 5}]")
    assert done.code == 0, done.err
    # Those of the run itself are stored.
    assert calls(probed) == ["0 200", "1 200"] * 4


LEAKING = """\
import harness


class Leaking(harness.Probe):
    \"\"\"General rows, of which some are none.\"\"\"

    name = "leaking"

    def texts(self):
        return ()

    def rows(self):
        dev = "repeat dev3: " + " ".join(open(self.dev).read().split())
        asked = {"dev": dev, "near": dev + " please", "own": "Name a colour.", "again": "Who?"}
        for name, prompt in asked.items():
            yield harness.Example(name, ({"role": "user", "content": prompt},), ("[bold]",))

    @property
    def dev(self):
        from pathlib import Path
        return Path(__file__).parent / "dev.txt"


@harness.hookimpl
def register_probes():
    return [Leaking]
"""


@pytest.mark.nightly
def test_general_rows_are_screened_and_where_there_are_too_few_that_is_said(project):
    project.write(LEAKING, "leaking.py")
    text = next(row.references[0] for row in FakeSource().load(None) if row.id == "dev-3")
    project.write(text, "dev.txt")
    project.write(CONFIG.replace("plugins: [", "plugins: [leaking.py, "))
    done = project.inside(*ONE, "--set", "replay=0.5", "--set", "probes=[leaking]")
    assert done.code == 0, done.err
    assert done.document["rounds"][1]["replayed"] == 2
    notes = [note for note in done.document["notes"] if note.startswith("replay")]
    assert "replay: 1 of 4 general rows were left out: repeat of dev or test" in notes
    assert "replay: 1 of 4 general rows were left out: near repeat of dev or test" in notes
    assert any("there are 2" in note for note in notes)
