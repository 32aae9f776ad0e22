"""A round that breaks a guard is not kept, and says so."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import harness
from harness.config.aims import Guard
from harness.records import Example, Measurement
from harness.scoring import MetricEntry
from harness.verdicts import rule
from harness.verdicts.guards import judge
from tests.support import nightly
from tests.support.documents import words_of
from tests.support.project import Project

MIRROR = '''
import harness


class Mirror(harness.Metric):
    """Share of the reference's words that the answer lacks, as if that were good."""

    name = "mirror"

    def measure(self, prediction, example):
        words = example.references[0].split()
        return sum(word not in prediction.text.split() for word in words) / len(words)


@harness.hookimpl
def register_metrics():
    return [Mirror]
'''


HOLDS = "[overlap, {where: {kind: easy}}]"


def config(project, guard):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [mirror.py, ").replace(
        "metrics: [{plugin: overlap}]", "metrics: [{plugin: overlap}, {plugin: mirror}]"
    )
    project.write(MIRROR, "mirror.py")
    project.write(f"{text}guard: {guard}\n")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Guard -> a project and its run of one round with it, made once."""

    @functools.cache
    def made(guard):
        project = Project(tmp_path_factory.mktemp("guarded"))
        project.write()
        config(project, guard)
        return project, project.inside("iterate", "--rounds", "1", "--json")

    return made


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("guard", ["[mirror]", "[{score: mirror, where: {turns: 1}}]"])
def test_a_round_that_breaks_a_guard_is_not_kept(ran, guard):
    document = ran(guard)[1].document
    after = document["rounds"][1]
    assert after["verdict"]["label"] == "improved"
    assert (after["kept"], document["kept_round"]) == (False, 0)
    (remark,) = after["verdict"]["remarks"]
    assert remark["what"] == "guards"
    assert "Not the best round, since a guard is broken: mirror" in remark["sentence"]
    (told,) = after["guards"]
    assert told["verdict"]["label"] == "regressed"
    assert document["test"] is None and document["sealed"]["reason"] == "nothing kept"


@pytest.mark.nightly
def test_a_guard_that_holds_changes_nothing(ran):
    document = ran(HOLDS)[1].document
    assert document["rounds"][1]["kept"]
    names = [guard["name"] for guard in document["rounds"][1]["guards"]]
    assert names == ["overlap", "overlap where kind = easy"]


SMALL = "{score: mirror, where: {kind: hard}"


def test_a_guard_with_too_few_groups_cannot_be_judged_and_says_so_before_training(ran):
    project, done = ran(f"[{SMALL}}}]")
    checked = project.inside("check")
    assert checked.code == 0
    words = " ".join(checked.out.split())
    assert "mirror where kind = hard cannot be judged, so it protects nothing: the" in words
    assert done.err.index("cannot be judged") < done.err.index("round 1: ")
    after = done.document["rounds"][1]
    (guard,) = after["guards"]
    assert after["kept"] and guard["state"] == "cannot be judged" and not guard["refuses"]
    assert "a verdict needs 20 groups" in guard["sentence"]
    assert any("cannot be judged" in note for note in done.document["notes"])


@pytest.mark.nightly
@pytest.mark.parametrize("strict", ["required: true", "max_loss: 0.2"])
def test_a_required_guard_that_cannot_be_judged_refuses_the_round(project, strict):
    config(project, f"[{SMALL}, {strict}}}]")
    words = " ".join(project.inside("check").out.split())
    assert "cannot be judged, so no round can become the best round: the" in words
    document = project.inside("iterate", "--rounds", "1", "--json").document
    after = document["rounds"][1]
    assert after["verdict"]["label"] == "improved"
    assert (after["kept"], after["guards"][0]["refuses"]) == (False, True)
    assert "Not the best round, since a guard that is required cannot be judged" in words_of(
        after["verdict"]
    )


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("where", "meant"),
    [("{knd: easy}", "did you mean 'kind'?"), ("{kind: esy}", "did you mean 'easy'?")],
)
@pytest.mark.parametrize("command", ["check", "iterate"])
def test_a_guard_over_no_row_is_an_error(project, where, meant, command):
    config(project, f"[{{where: {where}}}]")
    done = project.inside(command)
    assert done.code == 4
    words = " ".join(done.err.split())
    assert "guard.0.where: no row of dev has" in words and meant in words
    assert "harness.yaml:" in words


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("guard", "state"),
    [
        (HOLDS, "held"),
        ("[mirror]", "broken"),
        (f"[{SMALL}}}]", "cannot be judged"),
    ],
)
def test_every_report_says_the_state_of_a_guard(ran, guard, state):
    project, done = ran(guard)
    found = done.document["rounds"][1]["guards"][0]
    assert found["state"] == state
    folder = next((project.folder / "reports").glob("*/report.md")).parent
    told = [project.inside("report", "--full").out, *((folder / f"report.{kind}").read_text()
            for kind in ("md", "html"))]  # fmt: skip
    for text in told:
        words = " ".join(text.replace("\\", "").split())
        assert state in words
        assert " ".join(found["sentence"].split())[:50] in words
        assert ("✓ held" in words.replace("<bdi>", "")) == (state == "held")
    rows = project.inside("query", "SELECT state, refuses FROM guards", "--json").document
    assert rows[0] == {"state": state, "refuses": state == "broken"}


class Quality(harness.Metric):
    name = "quality"


ENTRY = MetricEntry("quality", Quality())
ROWS = [Example(f"r{i:03}", ({"role": "user", "content": "a"},), meta={"odd": i % 2 == 1})
        for i in range(160)]  # fmt: skip
BY = {row.id: f"g{i // 4}" for i, row in enumerate(ROWS)}
HARD = np.random.default_rng(0).uniform(0.3, 0.7, 160)


def answers(loss, seed):
    values = HARD - loss + np.random.default_rng(seed).normal(0, 0.1, 160)
    return {
        "quality": [
            Measurement(row.id, "quality", (v,)) for row, v in zip(ROWS, values, strict=True)
        ]
    }


def judged(*guards, new, **earlier):
    found = {f"round {name[1:]}": side for name, side in earlier.items()}
    return judge(guards, [ENTRY], "quality", ROWS, new, found, BY, seed=0)


PLAIN = Guard(score="quality")


def test_a_held_guard_says_the_largest_loss_that_is_not_excluded():
    new, old = answers(0, 1), answers(0, 2)
    (guard,) = judged(PLAIN, new=new, r0=old)
    plain = rule.judge(
        rule.DecidingScore(ENTRY, "quality", BY), new["quality"], old["quality"], alpha=0.05
    )
    assert guard.state == "held" and guard.start is None
    assert guard.largest_loss == pytest.approx(-plain.low)
    assert guard.sentence == (
        f"Held: a loss of up to {-plain.low:.3f} against round 0 is not excluded at 95 % "
        "confidence (160 rows in 40 groups)."
    )


def test_small_losses_do_not_add_up_unseen():
    """Round 9 hardly differs from round 8; both are far below round 0."""
    (guard,) = judged(PLAIN, new=answers(0.1, 1), r8=answers(0.095, 2), r0=answers(0, 3))
    assert (guard.verdict.label, guard.start.label) == ("no evidence", "regressed")
    assert (guard.state, guard.refuses) == ("broken", True)
    assert "against round 0" in guard.sentence and "regressed" in guard.sentence


@pytest.mark.nightly
def test_more_guards_ask_for_more_evidence():
    """Holm's method: a loss that one guard calls at 5 % is not called among twelve comparisons."""
    losses = np.linspace(0.01, 0.05, nightly.draws(30, least=12))
    alone = [judged(PLAIN, new=answers(x, 1), r0=answers(0, 2))[0].state for x in losses]
    calm = [Guard(score="quality", where={"odd": odd}) for odd in (True, False)] * 5
    among = [judged(PLAIN, *calm, new=answers(x, 1), r0=answers(0, 2))[0].state for x in losses]
    assert alone.count("broken") > among.count("broken") > 0
    assert all(one == "broken" for one, all_ in zip(alone, among, strict=True) if all_ == "broken")


@pytest.mark.parametrize(("limit", "state"), [(0.5, "held"), (0.001, "cannot be judged")])
def test_a_loss_of_max_loss_has_to_be_excluded(limit, state):
    guard = Guard(score="quality", max_loss=limit)
    (found,) = judged(guard, new=answers(0, 1), r0=answers(0, 2))
    assert (found.state, found.refuses) == (state, state != "held")
    if state != "held":
        assert "is not excluded at 95 % confidence" in found.sentence
        assert "max_loss is 0.001" in found.sentence


def passes(count, lost=0, of=160):
    rows = [float(lost <= i < count) for i in range(of)]
    return {"quality": [Measurement(f"r{i:03}", "quality", (v,)) for i, v in enumerate(rows)]}


def single(guard, new, old, of=160):
    by = {f"r{i:03}": f"r{i:03}" for i in range(of)}
    return judge([guard], [ENTRY], "quality", ROWS[:of], new, {"round 0": old}, by, seed=0)[0]


@pytest.mark.parametrize(("limit", "state"), [(0.1, "cannot be judged"), (0.2, "held")])
def test_rows_that_all_pass_before_and_after_exclude_what_so_many_rows_can(limit, state):
    guard = Guard(score="quality", max_loss=limit, required=True)
    found = single(guard, passes(20, of=20), passes(20, of=20), of=20)
    assert (found.state, found.refuses) == (state, state != "held")
    assert found.largest_loss == pytest.approx(1 - 0.05 ** (1 / 20))
    assert "a loss of up to 0.139 against round 0 is not excluded at 95 %" in found.sentence


def test_a_loss_of_few_passes_is_not_held_under_its_own_estimate():
    found = single(Guard(score="quality", max_loss=0.03), passes(160, lost=3), passes(160))
    assert (found.state, found.refuses) == ("cannot be judged", True)
    assert found.largest_loss > 2 * 3 / 160


@pytest.mark.parametrize("limit", [None, 0.5])
def test_where_no_row_of_a_graded_score_differs_no_loss_is_excluded(limit):
    (found,) = judged(Guard(score="quality", max_loss=limit), new=answers(0, 1), r0=answers(0, 1))
    assert found.largest_loss is None
    assert (found.state, found.refuses) == (
        ("held", False) if limit is None else ("cannot be judged", True)
    )
    head = "Held" if limit is None else "Cannot be judged"
    assert found.sentence == (
        f"{head}: no row differs from round 0, which excludes no loss (160 rows in 40 groups)."
    )


def test_passes_in_groups_that_do_not_differ_exclude_no_loss():
    (found,) = judged(PLAIN, new=passes(160), r0=passes(160))
    assert (found.state, found.largest_loss) == ("held", None)


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ("[bluu]", "no score is called 'bluu'"),
        ("[{wher: {kind: easy}}]", "guard.0.wher: unknown key"),
        ("[{}]", "a guard names a score"),
    ],
)
def test_a_wrong_guard_is_told_with_its_place(project, guard, told):
    config(project, guard)
    done = project.inside("check")
    assert done.code == 2
    assert told in done.err and "guard" in done.err


def test_rows_are_covered_by_all_conditions():
    row = Example("a", ({"role": "user", "content": "b"},), meta={"kind": "easy", "hard": True})
    assert Guard(where={"kind": "easy", "hard": True}).covers(row)
    assert not Guard(where={"kind": "easy", "hard": False}).covers(row)
    assert not Guard(where={"colour": "red"}).covers(row)
    assert Guard(score="bleu").covers(row)


def test_an_objective_is_told_by_every_report(project):
    text = (project.folder / "harness.yaml").read_text()
    project.write(f"{text}objective: {{metric: overlap, target: 0.99, statement: repeat all}}\n")
    done = project.inside("iterate", "--rounds", "1", "--json")
    aim = done.document["objective"]
    assert (aim["state"], aim["statement"]) == ("not reached", "repeat all")
    assert aim["missing"] == pytest.approx(0.99 - aim["value"])
    shown = project.inside("report", "--full")
    assert "Objective overlap 0.99: not reached" in shown.out
    page = next((project.folder / "reports").glob("*/report.md")).read_text()
    assert "Objective overlap 0.99: not reached" in page
