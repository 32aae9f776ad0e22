"""Answers that depend on the process that gives them: both sides from one, or asked again."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import harness
from harness.records import Measurement
from harness.scoring import MetricEntry
from harness.steps import sides
from harness.verdicts.rule import DecidingScore
from tests.support.documents import words_of
from tests.support.project import CONFIG

SERVED = '''\
import hashlib
import os

import harness


class Served(harness.Generator):
    """Gets each word right with the model's skill; the processes of one round shift it."""

    name = "served"

    class Options(harness.Options):
        both: bool = False
        again: int = 0
        shifted: int = -1
        factor: float = 3.0
        wrong: str = ""

    def holds_both(self):
        return self.options.both

    def asked_again(self):
        return -1 if self.options.wrong == "again" else self.options.again

    def generate(self, checkpoint, examples, context):
        yield from (self.answer(checkpoint, row, context) for row in examples)

    def generate_both(self, checkpoints, examples, context):
        for row in examples:
            for side, checkpoint in enumerate(checkpoints):
                if self.options.wrong == "third":
                    side += 2
                if self.options.wrong != "missing" or side == 0:
                    yield side, self.answer(checkpoint, row, context)

    def answer(self, checkpoint, row, context):
        assert row.references == ()
        skill = checkpoint.info["skill"]
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{context.round} {row.split} {checkpoint.kind} {row.id}\\n")
        if context.round == self.options.shifted:
            skill *= self.options.factor
        words = row.prompt.split(": ")[1].split()
        said = [word if draw(row.id + word) < skill else "hm" for word in words]
        return harness.Prediction(row.id, " ".join(said), "stop", 8, len(said))


def draw(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


@harness.hookimpl
def register_generators():
    return [Served]
'''
SAME = "train.gain=0"
SHIFTED = "generate.shifted=1"


@pytest.fixture
def run(project, monkeypatch):
    """The command on a run of one round, whose generator is ``served``."""
    monkeypatch.setenv("ASKED", str(project.folder / "asked.txt"))
    project.write(SERVED, "served.py")
    text = CONFIG.replace("plugins: [", "plugins: [served.py, ").replace("rounds: 3", "rounds: 1")
    text = text.replace("generate: {plugin: fake}", "generate: {plugin: served}")
    project.write(f"{text}report: []\nprobes: []\n")

    def called(command, *sets, code=0):
        # Plain names are set: `--set KEY=VALUE` for each.
        asked = [word for name in sets for word in ("--set", name)]
        done = project.inside(command, *asked, *(["--json"] if command == "iterate" else []))
        assert done.code == code, done.err
        return done

    return called


def asked(project):
    """``(round, split, kind)`` -> how many answers were asked for."""
    lines = (project.folder / "asked.txt").read_text().splitlines()
    return Counter(tuple(line.split()[:3]) for line in lines)


def verdict(done, round_=1):
    return done.document["rounds"][round_]["verdict"]


@pytest.mark.nightly
def test_a_shift_of_a_whole_pass_is_no_verdict_where_one_process_answers_both(run, project):
    fooled = verdict(run("iterate", SAME, SHIFTED))
    assert fooled["label"] == "improved"  # the same model, in another process
    (project.folder / "asked.txt").unlink()
    done = run("iterate", SAME, SHIFTED, "generate.both=true")
    found = verdict(done)
    assert (found["label"], found["difference"]) == ("no evidence", 0)
    said = "Both sides were asked in one pass of one process. There 46 of 48 answers of round 0"
    assert said in words_of(found) and "first 0.1" in words_of(found)
    figures = found["remarks"][0]["figures"]
    assert (figures["rows"], figures["changed"]) == (48, 46)
    assert asked(project) == {
        ("0", "dev", "base"): 48, ("1", "dev", "adapter"): 48, ("1", "dev", "base"): 48,
    }  # fmt: skip
    # What round 0 is shown with stays what it was.
    assert done.document["rounds"][0]["scores"]["overlap"]["value"] < 0.3


@pytest.mark.nightly
def test_where_processes_answer_alike_it_is_said_and_the_gain_stands(run, project):
    found = verdict(run("iterate", "generate.both=true", "train.gain=0.02"))
    assert found["label"] == "improved"
    assert words_of(found).endswith("Both sides were asked in one pass of one process.")


def test_both_sides_of_test_come_from_one_pass_and_stand_when_looked_at_again(run, project):
    first = run("iterate", "generate.both=true", "train.gain=0.02")
    counts = asked(project)
    assert counts["1", "test", "adapter"] == counts["1", "test", "base"] == 48
    assert ("0", "test", "base") not in counts
    assert [each["what"] for each in first.document["test"]["verdict"]["remarks"]] == ["one pass"]
    again = run("iterate", "generate.both=true", "train.gain=0.02")
    assert again.bare == first.bare and asked(project) == counts
    name = first.document["run"]
    assert project.inside("rebuild", name).code == 0
    assert asked(project) == counts
    database = project.folder / "reports" / name / "run.duckdb"
    sql = "SELECT arm, round, split, count(*) FROM predictions GROUP BY ALL"
    assert set(harness.query(database, sql).rows) == {
        ("main", 0, "dev", 48), ("main", 1, "dev", 48),
        ("main", 0, "test", 48), ("main", 1, "test", 48),
    }  # fmt: skip


def test_a_difference_between_processes_withholds_the_verdict_and_says_why(run, project):
    found = verdict(done := run("iterate", SAME, SHIFTED, "generate.again=40"))
    assert (found["label"], found["low"], found["high"]) == ("no evidence", None, None)
    assert found["difference"] > 0.1
    assert "but the base model, asked 40 rows again in a process of its own" in found["sentence"]
    assert "the difference may be one between processes." in found["sentence"]
    assert done.document["kept_round"] == 0 and done.document["test"] is None
    said = " ".join(project.inside("report", COLUMNS="80").out.split())
    assert "the difference may be one between processes" in said
    ids = [line.split() for line in (project.folder / "asked.txt").read_text().splitlines()]
    repeated = [row for round_, _, kind, row in ids if (round_, kind) == ("1", "base")]
    assert len(set(repeated)) == 40 and repeated != sorted(repeated)


def test_no_difference_leaves_the_verdict_and_stands_when_looked_at_again(run, project):
    sets = ("generate.again=40", "train.gain=0.02")
    first = run("iterate", *sets)
    found = verdict(first)
    assert found["label"] == "improved"
    assert words_of(found).endswith(
        "The base model, asked 40 rows again in a process of its own, answered all as before."
    )
    of_test = words_of(first.document["test"]["verdict"])
    assert "The base model, asked 40 rows again" in of_test
    counts = asked(project)
    assert counts["1", "dev", "base"] == counts["1", "test", "base"] == 40
    assert run("iterate", *sets).bare == first.bare
    assert project.inside("rebuild", first.document["run"]).code == 0
    assert asked(project) == counts


@pytest.mark.nightly
def test_other_answers_ask_again_and_a_small_dev_is_asked_whole(run, project):
    run("iterate", "generate.again=1000", "train.gain=0.02")
    run("iterate", "generate.again=1000", "train.gain=0.01")
    assert asked(project)["1", "dev", "base"] == 2 * 48  # one check for each round's answers


@pytest.mark.nightly
def test_the_control_arm_is_asked_beside_its_own_kept_round(run, project):
    sets = ("augment.0.control=random", "rounds=2", "generate.both=true", "train.gain=0.01")
    document = run("iterate", *sets).document
    control = [each["verdict"] for each in document["control"]["rounds"] if each["round"]]
    assert len(control) == 2
    assert all("Both sides were asked in one pass" in words_of(each) for each in control)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (("generate.both=true", "generate.wrong=third"), "generate_both() is the number 2"),
        (("generate.both=true", "generate.wrong=missing"), "left 48 of 48 prompts unanswered"),
        (("generate.wrong=again",), "asked_again() is the number -1"),
    ],
)
def test_a_generator_that_gives_something_else_is_named(run, sets, words):
    done = run("iterate", *sets, code=5)
    assert words in done.err and "served" in done.err, done.err


# -- the same model asked twice: a difference that is not chance is seen, chance seldom is --------


class Right(harness.Metric):
    name = "right"


class Errors(harness.Metric):
    name = "errors"
    higher_is_better = False


def measured(values):
    return [Measurement(f"{place}", "right", (float(v),)) for place, v in enumerate(values)]


def compared(now, before, metric=Right, alpha=0.0125, seed=1):
    entry = MetricEntry("right", metric())
    score = DecidingScore(entry, entry.score_names[0], {}, seed)
    changed = int(np.sum(np.asarray(now) != np.asarray(before)))
    return sides.compare_processes(
        score, measured(now), measured(before), changed=changed, alpha=alpha
    )


def test_equal_answers_are_said_to_be_equal():
    values = [0, 1] * 30
    doubt, (told,) = compared(values, values)
    assert not doubt
    assert told.figures == {"rows": 60, "changed": 0, "difference": 0, "p": 1}
    assert told.sentence == (
        "The base model, asked 60 rows again in a process of its own, answered all as before."
    )


@pytest.mark.parametrize(("flips", "seen"), [(7, False), (8, True)])
def test_eight_rows_the_same_way_are_needed(flips, seen):
    """2 x .5^8 = .0078 is under .0125, 2 x .5^7 = .0156 is not."""
    before = np.ones(60)
    now = before.copy()
    now[:flips] = 0
    doubt, told = compared(now, before)
    assert bool(doubt) is seen
    said = f"fell by 0.1{'33' if seen else '17'}"
    assert (
        said in " ".join((doubt, *(remark.sentence for remark in told)))
        and ("limit 0.013" in doubt) is seen
    )


def test_the_way_is_said_in_the_scores_own_direction():
    before = np.zeros(60)
    doubt, _ = compared(before + 0.5, before, Errors)
    assert "rose by 0.500 (lower is better)" in doubt


def test_what_cannot_be_compared_is_said_and_withholds_nothing():
    doubt, (told,) = compared([1] * 10, [0] * 10)
    assert not doubt and "is not known" in told.sentence and "20 groups" in told.sentence


@pytest.mark.nightly
def test_equal_processes_are_seldom_told_apart():
    rng = np.random.default_rng(5)
    seen = 0
    for seed in range(400):
        hard = rng.random(60)
        sides = [(hard + rng.normal(0, 0.1, 60) > 0.5).astype(float) for _ in range(2)]
        seen += bool(compared(*sides, alpha=0.05, seed=seed)[0])
    assert 1 <= seen <= 20, seen
