"""``harness compare --all``: the runs of a folder, and what was changed in each."""

from __future__ import annotations

import json

import pytest

from tests.support.arms import ARMS, BASELINES, arm, judged, scored


@pytest.fixture(scope="module")
def three(tmp_path_factory, finished):
    """Finished runs: the first, one of one round with another seed, one that differs from it."""
    project, first = finished
    seed = ("--rounds", "1", "--no-test", "--set", "seed=8")
    others = [
        project.inside("iterate", "--json", *seed, *further)
        for further in ((), ("--set", "min_gain=0.01"))
    ]
    assert [done.code for done in others] == [0, 0], others[-1].err
    return project, [first, *others]


@pytest.mark.nightly
def test_each_run_is_set_against_the_earlier_one_that_is_most_like_it(three):
    project, made = three
    found = project.inside("compare", "--all", "--json")
    assert found.code == 0, found.err
    assert found.document["schema"] == "harness.runs/1"
    one, two, last = found.document["runs"]
    names = [done.document["run"] for done in made]
    assert [run["run"] for run in (one, two, last)] == names
    assert (one["against"], one["changed"]) == (None, [])
    assert two["against"] == names[0]
    assert {each["key"]: each["to"] for each in two["changed"]} == {"rounds": 1, "seed": 8}
    assert last["against"] == names[1]
    assert last["changed"] == [{"key": "min_gain", "from": 0.0, "to": 0.01}]


def test_scores_verdicts_and_cost_are_those_of_the_summaries(three):
    project, made = three
    for run, done in zip(
        project.inside("compare", "--all", "--json").document["runs"], made, strict=True
    ):
        summary = done.document
        kept = summary["rounds"][summary["kept_round"]]
        score = kept["scores"][summary["primary"]]
        assert run["dev"].items() >= {k: score[k] for k in ("value", "low", "high", "n")}.items()
        assert run["verdicts"] == [each["verdict"]["label"] for each in summary["rounds"]]
        assert run["seconds"] == pytest.approx(sum(summary["seconds"].values()))
        assert (run["best"], run["train_rows"]) == (summary["kept_round"], kept["train_rows"])
        if summary["test"] is None:
            assert run["test"] is None
        else:
            assert run["test"]["opening"] == summary["test"]["looks"] == 1
            value = summary["test"]["kept"][summary["primary"]]["value"]
            assert run["test"]["value"] == value


def test_runs_that_chose_by_the_same_rows_are_counted(three):
    shown = " ".join(three[0].inside("compare", "--all").out.split())
    assert "3 runs chose by the same rows of dev. Each keeps to an error of .05" in shown


@pytest.mark.parametrize("width", ["60", "80", "140"])
def test_the_table_fits_and_calls_nothing_on_dev_a_result(three, width):
    project, made = three
    done = project.inside("compare", "--all", COLUMNS=width)
    assert done.code == 0, done.err
    *lines, command = [line for line in done.out.splitlines() if line.strip()]
    assert max(map(len, lines)) <= int(width)
    told = " ".join(done.out.split())
    assert "sealed" in told and "opening 1" in told and "against 1" in told
    assert "min_gain 0.0 → 0.01" in told or width != "140"
    assert "are no result" in told
    last = [run.document["run"] for run in made[-2:]]
    assert command.split() == ["next:", "harness", "compare", *last]


def test_arms_and_baselines_stand_below_their_run_and_groups_are_told_apart(short):
    project, first = short
    path = project.folder / "reports" / first.document["run"] / "summary.json"
    arms = [*ARMS, *(arm(f"seed-{n}", "seed", {"seed": str(n)}) for n in range(9))]
    data = {**first.document["data"], "digests": {"dev": "0f", "test": "1e"}}
    other = {**first.document, "arms": arms, "baselines": BASELINES, "data": data}
    (path.parent.parent / "other").mkdir()
    (path.parent.parent / "other" / "summary.json").write_text(json.dumps(other))
    done = project.inside("compare", "--all", COLUMNS="160")
    told = " ".join(done.out.split())
    assert "baseline prompted" in told and "best round: improved" in told
    assert "arm fast train.gain - → 0.02" in told and "improved against main" in told
    assert "failed: seed 1: no disk" in told and "failed: the base model needs" in told
    assert "arm large" in told and "arm seed-0" not in told and "and 9 more: --json" in told
    for split in ("dev", "test"):
        named = f"{split} A (overlap on 48 rows), {split} B (overlap on 48 rows)"
        assert f"Not to be ranked with each other: {named}." in told
    assert "opening 1: bound .05" in told and ", test A" in told and ", test B" in told
    assert "next: harness compare" not in done.out  # of these two no score is to be ranked
    document = project.inside("compare", "--all", "--json").document
    assert len(document["runs"][-1]["arms"]) == len(arms)
    assert "next: harness compare" not in told


def test_what_a_prompt_does_and_what_was_forgotten_stand_with_their_run(short):
    project, first = short
    path = project.folder / "reports" / first.document["run"] / "summary.json"
    verdict = judged("no evidence", 0.0)
    counts = {"asked": 40, "right_before": 22, "right_after": 4}
    answers = {**counts, "lost": 18, "gained": 0, "p": 0.00001, "sentence": "worse"}
    sizes = dict.fromkeys(("texts", "groups", "tokens"), 48)
    losses = {"loss_before": 2.0, "loss_after": 2.054, "level": 0.95, **sizes, "left_out": 0}
    bounds = {"difference": 0.054, "low": 0.021, "high": 0.087}
    forgetting = {**losses, **bounds, "instructions": answers, "sentence": "higher"}
    shown = {"round": 1, "instructions": None, "loss": None}
    rounds = [*first.document["rounds"][:-1], {**first.document["rounds"][-1],
                                               "forgetting": forgetting}]  # fmt: skip
    other = {
        **first.document, "rounds": rounds, "beats_prompts": False,
        "best_prompt": {
            "name": "few-shot", "split": "test", "scores": scored(0.3), "verdict": verdict,
            "base": verdict, "low": None, "sentence": "s",
        },
        "forgot": {**shown, "sentence": "worse at general instructions: 22 → 4 of 40"},
    }  # fmt: skip
    (path.parent.parent / "other").mkdir()
    (path.parent.parent / "other" / "summary.json").write_text(json.dumps(other))
    found = project.inside("compare", "--all", "--json").document["runs"]
    one, two = sorted(found, key=lambda run: run["run"] == "other")
    assert (one["beats_prompts"], one["best_prompt"], one["forgetting"]) == (None, None, None)
    assert two["beats_prompts"] is False and two["best_prompt"]["name"] == "few-shot"
    assert two["forgetting"] == {
        "difference": 0.054, "low": 0.021, "high": 0.087, **counts,
        "forgot": "worse at general instructions: 22 → 4 of 40",
    }  # fmt: skip
    told = " ".join(project.inside("compare", "--all", COLUMNS="160").out.split())
    assert "no evidence against few-shot" in told
    assert "worse at general instructions: 22 → 4 of 40" in told
    assert "general text +0.054 [+0.021, +0.087] nats" in told
    assert project.inside("report", "--all", "--html", "all.html").code == 0
    page = (project.folder / "all.html").read_text()
    assert "worse at general instructions: 22 → 4 of 40" in page and "few-shot" in page


def test_groups_of_test_are_told_where_dev_has_one_and_a_caveat_beside_its_score(short):
    project, first = short
    path = project.folder / "reports" / first.document["run"] / "summary.json"
    data = first.document["data"]
    other = {**first.document, "data": {**data, "digests": {**data["digests"], "test": "1e"}}}
    for each in other["rounds"]:
        each["scores"]["overlap"]["caveat"] = "uncalibrated"
    (path.parent.parent / "other").mkdir()
    (path.parent.parent / "other" / "summary.json").write_text(json.dumps(other))
    told = " ".join(project.inside("compare", "--all", COLUMNS="160").out.split())
    named = "test A (overlap on 48 rows), test B (overlap on 48 rows)"
    assert f"Not to be ranked with each other: {named}." in told
    assert ", test A" in told and ", test B" in told and "dev A" not in told
    assert "overlap (uncalibrated) 0." in told


def test_no_runs_are_no_error(project):
    done = project.inside("compare", "--all")
    assert (done.code, done.out) == (0, "no runs yet: harness iterate\n")
    assert project.inside("compare", "--all", "--json").document["runs"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--all", "0"), "--all takes all runs"), (("--all", "--run", "x"), "--all takes all runs"),
     (("0",), "takes two rounds, or two runs"), ((), "takes two rounds, or two runs")],
)  # fmt: skip
def test_what_does_not_go_together_is_said(project, words, told):
    done = project.inside("compare", *words)
    assert done.code == 2 and told in done.err


def test_a_damaged_summary_costs_a_warning_and_hostile_settings_stay_texts(short):
    project, first = short
    run = first.document["run"]
    damaged = project.folder / "reports" / "damaged"
    damaged.mkdir()
    (damaged / "summary.json").write_text("{")
    hostile = [project.folder / "reports" / name for name in ("[bold]x", "[bold]y")]
    written = {**first.document, "run": "../../elsewhere", "primary": "[red]\x1b[31m\x07"}
    for each in written["rounds"]:
        each["scores"][written["primary"]] = each["scores"][first.document["primary"]]
    for folder in hostile:
        folder.mkdir()
        (folder / "summary.json").write_text(json.dumps({**written, "test": None}))
    done = project.inside("compare", "--all")
    assert done.code == 0, done.err
    assert "damaged/summary.json is passed over" in done.err
    assert "\x1b" not in done.out and "\x07" not in done.out and "elsewhere" not in done.out
    told = " ".join(done.out.split())
    assert "[bold]x" in told and "[red]" in told and run in told
    assert "its config is not known" in told and "harness compare '[bold]" in told
