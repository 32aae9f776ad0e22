"""Prompts in place of training: asked in a run, resumed, judged and told; and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

import harness
from harness.kit.files import append_line
from harness.run.journal import Journal
from tests.support.project import CONFIG, Project

LISTENING = """\
import hashlib
import os
from pathlib import Path

import harness


def draw(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class Listening(harness.Generator):
    \"\"\"Gets more words right after a system turn, or after examples.\"\"\"

    name = "listening"

    class Options(harness.Options):
        system: float = 0.2
        examples: float = 0.2
        too_long: int = 0
        refuse: bool = False
        too_long_on_test: int = 0
        die: str = ""

    def environment(self):
        return {"machine": os.environ.get("MACHINE", "a")}

    def generate(self, checkpoint, examples, context):
        for number, row in enumerate(examples):
            dead = Path("dead")
            place = "test" if row.split == "test" and context.arm != "main" else context.arm
            if place == self.options.die and number == 9 and not dead.exists():
                dead.touch()
                os.kill(os.getpid(), 9)
            roles = [turn["role"] for turn in row.messages]
            if self.options.refuse and "system" in roles:
                raise harness.DataError("48 of 48 prompts cannot be used", hint="mend the template")
            skill = checkpoint.info["skill"]
            if "system" in roles:
                skill = self.options.system
            if "assistant" in roles:
                skill = self.options.examples
                most = self.options.too_long
                if row.split == "test":
                    most = self.options.too_long_on_test
                if int(row.id.split("-")[1]) < most:
                    yield harness.Prediction(row.id, "", "context")
                    continue
            words = row.prompt.split(": ")[1].split()
            said = [w if draw(row.id + w) < skill else "hm" for w in words]
            yield harness.Prediction(row.id, " ".join(said))


@harness.hookimpl
def register_generators():
    return [Listening]
"""
BOTH = ("--set", "baselines=[prompted, few-shot]")
NAMES = ["prompted", "few-shot"]


@pytest.fixture
def listening(project: Project) -> Project:
    project.write(LISTENING, "listening.py")
    text = CONFIG.replace("plugins: [", "plugins: [listening.py, ")
    project.write(text.replace("generate: {plugin: fake}", "generate: {plugin: listening}"))
    return project


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Any]:
    """A run with both baselines, to be looked at."""
    made = Project(tmp_path_factory.mktemp("asked"))
    made.write()
    spied = made.folder / "seen.jsonl"
    return made, made.inside("iterate", "--json", *BOTH, FAKE_SPY=str(spied))


def verdicts(document: Any) -> dict[str, Any]:
    return {one["name"]: one["verdict"] for one in document["baselines"]}


# -- what is asked ----------------------------------------------------------------------------


def test_the_summary_tells_each_prompt_with_scores_and_the_best_round_against_it(asked):
    _, result = asked
    assert result.code == 0, result.err
    document = result.document
    schema = harness.summary_schema()
    jsonschema.Draft202012Validator(schema).validate(document)
    assert [one["name"] for one in document["baselines"]] == NAMES
    base = document["rounds"][0]["scores"]["overlap"]["value"]
    for one in document["baselines"]:
        # The fake model does not listen, so that its answers are those of round 0.
        assert one["scores"]["overlap"]["value"] == base
        assert one["verdict"]["label"] == "improved"
        assert one["verdict"]["against"] == one["name"]
        assert one["verdict"]["level"] == document["rounds"][1]["verdict"]["level"]
    assert "made from the answers of train" in document["baselines"][0]["what"]
    assert document["beats_prompts"] is True


def test_the_prompt_that_is_best_on_dev_answers_test_in_the_same_opening(asked):
    """The fake model does not listen, so that both prompts score alike and the first is taken."""
    project, result = asked
    found, test = result.document["best_prompt"], result.document["test"]
    assert (found["name"], found["split"]) == ("prompted", "test")
    assert found["scores"]["overlap"] == test["baseline"]["overlap"]
    assert found["base"] == test["verdict"]
    assert found["verdict"]["level"] == test["verdict"]["level"] == 0.95
    assert found["low"] == min(found["verdict"]["low"], test["verdict"]["low"])
    assert found["sentence"].endswith("All figures are of the same 48 rows of test.")
    assert "prompted, the best of 2 prompts on dev, by" in found["sentence"]
    assert test["looks"] == 1
    lines = (project.folder / ".harness" / "test-openings.jsonl").read_text().splitlines()
    assert sum("answers" in json.loads(line) for line in lines) == 1


def test_rounds_are_those_of_a_run_without(asked, finished):
    (_, with_them), (_, without) = asked, finished
    for part in ("rounds", "kept_round"):
        assert with_them.document[part] == without.document[part]
    assert "baselines" not in without.document
    assert with_them.document["run"] != without.document["run"]


def spied(project: Project) -> Iterator[Any]:
    for line in (project.folder / "seen.jsonl").read_text().splitlines():
        seen = json.loads(line)
        if seen["who"] == "generator" and seen["arm"].startswith("baseline"):
            yield seen


def test_dev_is_asked_under_each_prompt_and_test_under_the_best_without_references(asked):
    project, _ = asked
    seen: dict[str, list[Any]] = {}
    for one in spied(project):
        seen.setdefault(one["arm"], []).extend(one["rows"])
    asked_on_dev = {arm: rows[:48] for arm, rows in seen.items()}
    assert list(seen) == ["baseline prompted", "baseline few-shot"]
    assert [len(rows) for rows in seen.values()] == [96, 48]
    assert {row["split"] for row in seen["baseline prompted"][48:]} == {"test"}
    for rows in seen.values():
        assert not any(row["references"] or row["meta"] or row["group"] for row in rows)
    for rows in asked_on_dev.values():
        assert {row["split"] for row in rows} == {"dev"}
    for row in seen["baseline few-shot"]:
        users = [turn["content"] for turn in row["messages"] if turn["role"] == "user"]
        assert len(users) == 4 and all(text.startswith("repeat train") for text in users[:3])
        assert users[3].startswith("repeat dev")


@pytest.mark.nightly
def test_the_database_has_the_answers_to_dev_beside_those_of_rounds(asked):
    project, result = asked
    path = project.folder / "reports" / result.document["run"] / "run.duckdb"

    def rows(sql):
        return set(harness.query(path, sql).rows)

    places = "SELECT DISTINCT arm, round, split FROM {} WHERE arm <> 'main'"
    both = {("baseline prompted", 0, "dev"), ("baseline few-shot", 0, "dev")}
    both.add(("baseline prompted", 0, "test"))
    for table in ("predictions", "outcomes", "example_scores", "errors"):
        assert rows(places.format(table)) == both, table
    # The fake model does not listen: as in round 0, its wrong answers are those with a hm.
    own = "SELECT id, value, is_right FROM outcomes WHERE split = 'dev' AND round = 0 AND arm = "
    assert rows(f"{own}'baseline few-shot'") == rows(f"{own}'main'")
    found = "SELECT id, category, found_by FROM errors WHERE split = 'dev' AND round = 0 AND arm = "
    assert rows(f"{found}'baseline few-shot'") == rows(f"{found}'main'") != set()
    (told,) = rows("SELECT changes ->> 'prompts' FROM arms WHERE arm = 'baseline prompted'")
    assert told[0] == result.document["baselines"][0]["what"]
    assert result.document["test"]["looks"] == 1


@pytest.mark.nightly
def test_views_and_commands_tell_of_rounds(asked):
    project, result = asked
    path = project.folder / "reports" / result.document["run"] / "run.duckdb"
    for view in ("ledger", "changes", "rounds", "scores", "slice_members", "errors_by_slice"):
        assert harness.query(path, f"SELECT DISTINCT arm FROM {view}").rows == (("main",),), view
    assert project.inside("errors", "--json").document["answers"] == 48
    why = project.inside("why", "dev-9", "--json").document
    assert [answer["round"] for answer in why["answers"]] == [0, 1, 2, 3]


def test_a_round_is_read_back_and_reports_are_made_again(asked):
    project, result = asked
    assert project.inside("compare", "0", "3").code == 0
    before = (project.folder / "reports" / result.document["run"] / "report.md").read_text()
    assert project.inside("rebuild", result.document["run"]).code == 0
    assert (project.folder / "reports" / result.document["run"] / "report.md").read_text() == before


@pytest.mark.nightly
def test_a_run_of_a_version_that_named_no_errors_of_baselines_is_given_them(project):
    done = project.inside("iterate", "--json", "--rounds", "1", "--set", "baselines=[prompted]")
    pins = project.folder / ".harness" / "runs" / done.document["run"] / "baselines.jsonl"
    [line] = map(json.loads, pins.read_text().splitlines())
    del line["keys"]["detect"], line["seal"]
    pins.unlink()
    append_line(pins, line)
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "detect")
    database = project.folder / "reports" / done.document["run"] / "run.duckdb"
    sql = "SELECT count(*) FROM errors WHERE arm = 'baseline prompted'"
    before = harness.query(database, sql).rows
    database.unlink()
    assert project.inside("rebuild", done.document["run"]).code == 0
    assert harness.query(database, sql).rows == before != ((0,),)


@pytest.mark.nightly
def test_pins_of_a_baseline_that_were_changed_are_refused(project):
    one = ("--rounds", "1", "--set", "baselines=[prompted]")
    done = project.inside("iterate", "--json", *one)
    pins = project.folder / ".harness" / "runs" / done.document["run"] / "baselines.jsonl"
    line = json.loads(pins.read_text())
    pins.write_text(pins.read_text().replace(line["keys"]["generate"], "0" * 64))
    shutil.rmtree(project.folder / "reports")
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "summary")
    again = project.inside("iterate", *one)
    assert again.code == 4
    assert "baselines.jsonl:1: this line is damaged" in again.err and "or remove it" in again.err
    pins.unlink()
    found = project.inside("iterate", "--json", *one).document
    assert found["baselines"] == done.document["baselines"]


@pytest.mark.nightly
def test_a_lost_baseline_is_no_hindrance_to_reading_a_round(project):
    one = ("--rounds", "1", "--set", "baselines=[prompted]")
    done = project.inside("iterate", "--json", *one)
    for path in (project.folder / ".harness" / "artifacts" / "prompts").iterdir():
        (path / "manifest.json").unlink()
    assert project.inside("compare", "0", "1").code == 0
    assert project.inside("rebuild", done.document["run"]).code == 0


# -- who wins ---------------------------------------------------------------------------------


@pytest.mark.nightly
def test_a_prompt_that_does_better_is_said(listening):
    better = ("--set", "generate.system=0.97", "--set", "generate.examples=0.21")
    done = listening.inside("iterate", "--json", "--rounds", "1", *better, *BOTH)
    assert done.code == 0, done.err
    found = verdicts(done.document)
    assert found["prompted"]["label"] == "regressed"
    assert "the prompt is better: prompted beats round 1" in found["prompted"]["sentence"]
    assert found["few-shot"]["label"] == "improved"
    assert done.document["kept_round"] == 1
    shown = listening.inside("report")
    assert "Prompts instead of training" in shown.out
    assert "A prompt is better than training so far: prompted beats round 1 by" in shown.out


@pytest.mark.nightly
def test_a_prompt_as_good_as_training_is_not_shown_to_be_worse(listening):
    like = ("--set", "generate.system=0.375", "--set", "generate.examples=0.21")
    done = listening.inside("iterate", "--json", "--rounds", "1", *like, *BOTH)
    assert verdicts(done.document)["prompted"]["label"] == "no evidence"
    shown = listening.inside("report").out
    assert "Round 1 is not shown to be better than prompted (" in shown
    assert "It is better than few-shot." in shown


@pytest.mark.nightly
def test_where_nothing_improved_the_base_model_is_compared(listening):
    none = ("--set", "train.gain=0", "--set", "generate.system=0.9")
    done = listening.inside("iterate", "--json", "--rounds", "1", *none, *BOTH)
    found = verdicts(done.document)
    assert done.document["kept_round"] == 0
    assert "prompted beats the base model without it" in found["prompted"]["sentence"]


def test_every_report_says_by_how_much(asked):
    project, result = asked
    folder = project.folder / "reports" / result.document["run"]
    told = "Round 3 is better than each prompt: than prompted by 0."
    head = result.document["best_prompt"]["sentence"]
    for name in ("report.md", "report.html", "report.txt"):
        text = (folder / name).read_text()
        assert "Prompts instead of training" in text, name
        assert told in " ".join(text.split()), name
        assert head in " ".join(text.split()), name
    shown = project.inside("report")
    assert told in " ".join(shown.out.split())
    assert head in " ".join(shown.out.split())
    assert head in " ".join(project.inside("report", "--brief").out.split())


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("system", "test", "beats", "said"),
    [
        ("0.97", True, False, "A prompt is better than training so far: prompted, the best of 2"),
        ("0.97", False, False, "by which the round was chosen; the test set was not opened."),
        ("0.375", True, False, "Not shown to be better than a prompt: prompted, the best of 2"),
        ("0.22", True, True, "Round 1 beats the base model by 0."),
        ("0.22", False, True, "Round 1 beats the base model by 0."),
    ],
)
def test_the_headline_is_against_the_best_prompt_on_the_same_rows(
    listening, system, test, beats, said
):
    given = ("--set", f"generate.system={system}", "--set", "generate.examples=0.21")
    test_or_not = () if test else ("--no-test",)
    done = listening.inside("iterate", "--json", "--rounds", "1", *given, *BOTH, *test_or_not)
    assert done.code == 0, done.err
    document = done.document
    found = document["best_prompt"]
    assert (found["name"], found["split"]) == ("prompted", "test" if test else "dev")
    assert document["beats_prompts"] is beats and said in found["sentence"]
    assert document["rounds"][1]["verdict"]["label"] == "improved"
    told = listening.inside("report").out
    assert found["sentence"] in " ".join(told.split())
    head = told.splitlines()[0]
    assert "IMPROVED" in head and ("prompt" in head) is not beats
    if not test:
        opened = listening.inside("test", "--json")
        assert opened.code == 0, opened.err
        again = opened.document["best_prompt"]
        assert (again["split"], opened.document["beats_prompts"]) == ("test", beats)
        assert opened.document["test"]["looks"] == 1


@pytest.mark.nightly
def test_where_no_round_improved_training_beats_no_prompt(listening):
    none = ("--set", "train.gain=0", "--set", "generate.system=0.9")
    done = listening.inside("iterate", "--json", "--rounds", "1", *none, *BOTH)
    assert (done.document["beats_prompts"], done.document["best_prompt"]) == (False, None)


def test_no_prompt_asked_is_nothing_said_of_prompts(finished):
    document = finished[1].document
    assert (document["beats_prompts"], document["best_prompt"]) == (None, None)


# -- going on ---------------------------------------------------------------------------------


@pytest.mark.nightly
def test_killed_while_the_prompt_answers_test_the_opening_counts_once(listening, tmp_path):
    given = ("iterate", "--json", "--rounds", "1", *BOTH, "--set", "generate.die=test")
    assert listening.harness(*given).code == -9
    done = listening.inside(*given)
    assert done.code == 0, done.err
    assert done.document["test"]["looks"] == 1
    assert "round 0: generate test" in done.document["cached"]
    assert "round 0: generate test (baseline prompted)" not in done.document["cached"]
    whole = Project(tmp_path / "whole")
    shutil.copytree(
        listening.folder, whole.folder, ignore=shutil.ignore_patterns("*report*", ".h*")
    )
    assert whole.inside(*given).bare == done.bare


@pytest.mark.nightly
def test_a_prompt_s_answers_to_test_are_pinned_as_the_others_are(listening):
    given = ("iterate", "--json", "--rounds", "1", *BOTH)
    first = listening.inside(*given)
    shutil.rmtree(listening.folder / "reports")
    again = listening.inside(*given, MACHINE="b")
    assert again.code == 0, again.err
    for key in ("test", "best_prompt", "beats_prompts"):
        assert again.document[key] == first.document[key]
    journal = next((listening.folder / ".harness" / "runs").glob("*/journal.jsonl"))
    tested = json.loads(journal.read_text().splitlines()[-1])["test"]
    assert list(tested) == ["0", "1", "baseline prompted"]
    assert set(tested["baseline prompted"]) == {"prompts", "generate", "score overlap", "detect"}


@pytest.mark.nightly
def test_prompts_that_were_not_asked_when_test_was_opened_are_no_other_look(listening):
    given = ("iterate", "--json", "--rounds", "1", *BOTH)
    first = listening.inside(*given)
    folder = listening.folder / ".harness" / "runs" / first.document["run"]
    lines = (folder / "journal.jsonl").read_text().splitlines()
    tested = json.loads(lines[-1])
    del tested["test"]["baseline prompted"]
    (folder / "journal.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    journal = Journal(folder / "journal.jsonl")
    journal.test({int(number): keys for number, keys in tested["test"].items()})
    ledger = listening.folder / ".harness" / "test-openings.jsonl"
    kept = [line for line in ledger.read_text().splitlines() if "answers" not in json.loads(line)]
    ledger.write_text("".join(f"{line}\n" for line in kept))
    shutil.rmtree(listening.folder / "reports")
    shutil.rmtree(listening.folder / ".harness" / "artifacts" / "summary")
    again = listening.inside(*given)
    assert again.code == 0, again.err
    assert again.document["test"]["looks"] == 1
    assert (again.document["best_prompt"], again.document["beats_prompts"]) == (None, None)


@pytest.mark.nightly
def test_prompts_that_are_too_long_on_test_alone_cost_a_note_and_no_opening(listening):
    given = ("--set", "generate.too_long_on_test=2", "--set", "generate.examples=0.9")
    done = listening.inside("iterate", "--json", "--rounds", "1", *BOTH, *given)
    assert done.code == 0, done.err
    document = done.document
    assert document["test"]["looks"] == 1
    assert (document["best_prompt"], document["beats_prompts"]) == (None, None)
    (note,) = [note for note in document["notes"] if "did not answer test" in note]
    assert "2 of 48 prompts are too long" in note and note.startswith("few-shot")
    assert "not compared with a prompt" in listening.inside("report").out.splitlines()[0]
    again = listening.inside("iterate", "--json", "--rounds", "1", *BOTH, *given)
    assert again.document["notes"] == document["notes"]
    shutil.rmtree(listening.folder / "reports")
    shutil.rmtree(listening.folder / ".harness" / "artifacts" / "summary")
    (note,) = [
        note
        for note in listening.inside("iterate", "--json", "--rounds", "1", *BOTH, *given).document[
            "notes"
        ]
        if "did not answer test" in note
    ]
    assert "no answers when test was opened" in note, "they are not asked again"


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_a_killed_run_goes_on_and_asks_nothing_twice(listening, tmp_path, name):
    given = ("iterate", "--json", "--rounds", "1", *BOTH, "--set", f"generate.die=baseline {name}")
    assert listening.harness(*given).code == -9
    done = listening.inside(*given)
    assert done.code == 0, done.err
    cached = done.document["cached"]
    assert "round 0: generate" in cached and "round 1: train" not in cached
    assert ("round 0: generate (baseline prompted)" in cached) == (name == "few-shot")
    whole = Project(tmp_path / "whole")
    shutil.copytree(
        listening.folder, whole.folder, ignore=shutil.ignore_patterns("*report*", ".h*")
    )
    assert whole.inside(*given).bare == done.bare


def test_a_finished_run_answers_from_the_store(asked):
    project, first = asked
    again = project.inside("iterate", "--json", *BOTH)
    assert again.document == first.document


@pytest.mark.nightly
def test_another_machine_finds_the_answers_of_a_run_that_has_ended(listening):
    given = ("iterate", "--json", "--rounds", "1", *BOTH)
    first = listening.inside(*given)
    shutil.rmtree(listening.folder / "reports")
    again = listening.inside(*given, MACHINE="b")
    assert again.code == 0, again.err
    assert again.document["baselines"] == first.document["baselines"]
    assert "round 0: generate (baseline few-shot)" in again.document["cached"]


@pytest.mark.nightly
def test_another_machine_does_not_go_on_with_prompts_in_the_middle(listening):
    given = ("iterate", "--rounds", "1", *BOTH, "--set", "generate.die=baseline few-shot")
    assert listening.harness(*given).code == -9
    done = listening.inside(*given, MACHINE="b")
    assert done.code == 3 and "answers that were made differently cannot be compared" in done.err


@pytest.mark.nightly
def test_a_round_0_that_is_decided_again_asks_again(listening):
    given = ("iterate", "--json", "--rounds", "1", *BOTH)
    assert listening.inside(*given).code == 0
    done = listening.inside(*given, "--reopen", "0", MACHINE="b")
    assert done.code == 0, done.err
    assert "round 0: generate (baseline few-shot)" not in done.document["cached"]


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("baselines", "said"),
    [
        ("[promted]", "no baseline is called 'promted', did you mean 'prompted'?"),
        ("[prompted, prompted]", "'prompted' is listed twice; set name: on one of them"),
        ("prompted", "a list of plugins is needed"),
        ("[{plugin: few-shot, k: 0}]", "baselines.0.k"),
        ("[{plugin: few-shot, shots: 4}]", "did you mean 'k'?"),
        ("[{plugin: prompted, system: ' '}]", "it is blank"),
    ],
)
def test_a_wrong_entry_is_one_message(project, baselines, said):
    for command in ("check", "iterate"):
        done = project.inside(command, "--set", f"baselines={baselines}")
        assert done.code == 2 and said in done.err
        assert "Traceback" not in done.err
    assert not (project.folder / ".harness" / "artifacts").exists()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{plugin: few-shot, k: 60}", "60 examples are asked for, and train has 35"),
        ("{plugin: few-shot, balance: sort}", "no row of train has the field 'sort' in its meta"),
    ],
)
def test_what_train_cannot_give_is_one_message_before_anything_is_answered(project, entry, said):
    for command in ("check", "iterate"):
        done = project.inside(command, "--set", f"baselines=[{entry}]")
        assert done.code == 2 and said in done.err and "few-shot" in done.err
        assert "Traceback" not in done.err
    assert not list((project.folder / ".harness" / "artifacts").glob("generate/*"))


def test_a_check_counts_the_rows_that_are_left_to_train(project):
    """Of 40 rows valid takes 5."""
    for k, code in ((35, 0), (36, 2)):
        done = project.inside("check", "--set", f"baselines=[{{plugin: few-shot, k: {k}}}]")
        assert done.code == code, done.err
    assert not (project.folder / ".harness").exists()


def test_a_check_names_each_baseline_that_fails(project):
    both = "baselines=[{plugin: few-shot, k: 60}, {plugin: few-shot, name: sorted, balance: sort}]"
    done = project.inside("check", "--set", both)
    assert done.code == 4
    assert "2 problems with its data" in done.out
    assert "60 examples are asked for" in done.err and "the field 'sort'" in done.err


def test_prompts_that_are_too_long_by_the_examples_are_one_message(listening):
    done = listening.inside("iterate", "--set", "generate.too_long=5", *BOTH)
    assert done.code == 2
    assert (
        "5 of 48 prompts are too long for the model's context by what 'few-shot' puts" in done.err
    )
    assert not list((listening.folder / ".harness" / "artifacts").glob("train/*"))


def test_prompts_that_the_model_refuses_are_those_of_the_baseline_that_is_named(listening):
    done = listening.inside("iterate", "--set", "generate.refuse=true", *BOTH)
    assert done.code == 4
    assert "generate (baseline prompted): 48 of 48 prompts cannot be used" in done.err
    assert "mend the template; or let 'prompted' put less before them, or take it out" in done.err


LEAKING = """\
import dataclasses
import harness


class Leaking(harness.Baseline):
    \"\"\"Shows the row before it.\"\"\"

    name = "leaking"

    def prompts(self, rows, train, context):
        assert not any(row.references or row.meta for row in rows)
        assert {row.split for row in train} == {"train"}
        for place, row in enumerate(rows):
            other = {"role": "user", "content": rows[place - 1].prompt}
            yield dataclasses.replace(row, messages=(other, *row.messages))


@harness.hookimpl
def register_baselines():
    return [Leaking]
"""


def test_a_plugin_that_shows_held_out_rows_is_stopped(project):
    project.write(LEAKING, "leaking.py")
    project.write(CONFIG.replace("plugins: [", "plugins: [leaking.py, "))
    done = project.inside("iterate", "--set", "baselines=[leaking]")
    assert done.code == 5
    assert "it shows a row of dev or test" in done.err and "leaking.py" in done.err


SHARED = """\
import harness


class Shared(harness.Source):
    \"\"\"Rows whose groups are in all splits.\"\"\"

    name = "shared"

    def load(self, context):
        for split, count in (("train", 60), ("dev", 40), ("test", 40)):
            for n in range(count):
                text = f"{split} {n % 30}"
                turn = {"role": "user", "content": f"say: {text} {n}"}
                yield harness.Example(
                    f"{split}-{n}", (turn,), (text,), split, f"g{n % 30}", {"kind": "easy"}
                )


@harness.hookimpl
def register_sources():
    return [Shared]
"""


def test_no_row_of_a_group_is_an_example_for_another_one(project):
    project.write(SHARED, "shared.py")
    text = CONFIG.replace("plugins: [", "plugins: [shared.py, ")
    text = text.replace("data: {source: fake}", "data: {source: shared}")
    project.write(text.replace("augment: [{plugin: fake, rows: 10}]\n", ""))
    path = project.folder / "seen.jsonl"
    given = ("iterate", "--rounds", "1", "--no-test", *BOTH)
    done = project.inside(*given, FAKE_SPY=str(path))
    assert done.code == 0, done.err
    (seen,) = [one for one in spied(project) if one["arm"] == "baseline few-shot"]
    for row in seen["rows"]:
        own = int(row["id"].removeprefix("dev-")) % 30
        users = [turn["content"] for turn in row["messages"] if turn["role"] == "user"]
        groups = [int(text.split()[-1]) % 30 for text in users[:-1]]
        assert len(groups) == 3 and own not in groups


@pytest.mark.nightly
def test_a_plan_counts_the_answers_to_other_prompts(project):
    done = project.inside("plan", "--json", *BOTH)
    assert done.code == 0, done.err
    stages = [(one["arm"], one["stage"]) for one in done.document["stages"]]
    assert stages[:3] == [
        ("main", "generate"), ("baseline prompted", "generate"), ("baseline few-shot", "generate"),
    ]  # fmt: skip
    shown = project.inside("plan", *BOTH).out
    assert "round 0: generate dev (baseline few-shot)" in shown
    begun = project.inside("iterate", "--no-test", *BOTH)
    assert "the base model's answers to 2 other prompts of each row of dev" in begun.err
    stored = project.inside("plan", "--no-probe", "--json", *BOTH).document["stages"]
    assert all(one["stored"] for one in stored if not one["stage"].endswith("test"))
