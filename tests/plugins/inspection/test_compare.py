"""``harness compare``: two rounds, or two runs, and nothing made, counted or decided by it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from harness_inspection.commands import compare as shown


@pytest.fixture(scope="module")
def two(tmp_path_factory, finished):
    """A folder with two finished runs and their names; the second learns from other rows."""
    project, result = finished
    config = (project.folder / "harness.yaml").read_text()
    other = config.replace("rows: 10", "rows: 14").replace("rounds: 3", "rounds: 2")
    (project.folder / "other.yaml").write_text(other)
    second = project.inside("iterate", "-c", "other.yaml", "--json")
    assert second.code == 0, second.err
    return project, result.document["run"], second.document["run"]


def compared(project, *arguments):
    found = project.inside("compare", *arguments, "--json")
    assert found.code == 0, found.err
    return found.document


def stored(project, run, sql):
    return project.inside("query", sql, run, "--json").document


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_two_rounds_of_one_run(two):
    project, run, _ = two
    before = snapshot(project.folder)
    found = compared(project, "0", "2", "--run", run)
    assert snapshot(project.folder) == before
    assert found["schema"] == "harness.compare/2"
    assert [found[side]["round"] for side in "ab"] == [0, 2]
    assert found["config"] == [] and found["not_comparable"] == {}
    scores = {row["round"]: row["score"] for row in stored(project, run, "FROM rounds")}
    one = found["metrics"]["overlap"]
    assert (one["a"], one["b"]) == (scores[0], scores[2])
    assert one["difference"] == pytest.approx(scores[2] - scores[0])
    assert one["low"] < one["difference"] < one["high"]
    assert one["wins"] + one["ties"] + one["losses"] == found["n"] == one["n"] == 48


@pytest.mark.nightly
@pytest.mark.parametrize("against", [0, 2])
def test_the_same_rows_have_the_same_interval_however_they_are_compared(two, against, tmp_path):
    project, run, _ = two
    found = compared(project, str(against), "3", "--run", run)["metrics"]["overlap"]
    sql = "SELECT id, text FROM predictions WHERE arm = 'main' AND split = 'dev' AND round = "
    files = []
    for number in (3, against):
        (tmp_path / f"{number}.csv").write_text(
            project.inside("query", "--csv", f"{sql}{number}", run).out, encoding="utf-8"
        )
        files.append(str(tmp_path / f"{number}.csv"))
    as_files = ("-p", files[0], "-b", files[1], "-c", "harness.yaml")
    of_run = ("--run", run, "--baseline", f"round {against}")
    for arguments, system in ((as_files, "3.csv"), (of_run, "round 3")):
        document = project.inside("score", *arguments, "--json").document
        [name] = [name for name in document["comparison"] if name.endswith(system)]
        scored = document["comparison"][name]["overlap"]
        same = ("difference", "low", "high", "p_alone", "wins", "ties", "losses", "rows_needed")
        assert {key: scored[key] for key in same} == {key: found[key] for key in same}


def test_what_the_rows_can_show_and_what_was_required(two):
    project, run, _ = two
    pair = ("0", "3", "--run", run)
    found = compared(project, *pair)
    effect = found["metrics"]["overlap"]["detectable"]
    assert f"the minimum detectable effect in overlap is {effect:.3g}" in found["sentence"]
    assert found["sentence"] in " ".join(project.inside("compare", *pair).out.split())
    low = found["metrics"]["overlap"]["low"]
    for asked, code, told in (
        (("--require", "improved"), 0, ""),
        (("--min-gain", f"{low - 0.001}"), 0, ""),
        (("--min-gain", f"{low + 0.001}", "--json"), 1, "the interval begins at"),
        (("--require", "regressed"), 2, "--require takes 'improved'"),
    ):
        done = project.inside("compare", *pair, *asked)
        assert (done.code, told in done.err) == (code, True), done.err
    back = project.inside("compare", "3", "0", "--run", run, "--require", "improved")
    assert back.code == 1 and "regressed, where --require asks for improved" in back.err
    every = project.inside("compare", "--all", "--require", "improved")
    assert every.code == 2 and "not of all runs" in every.err


def test_a_pull_request_is_told_of_two_rounds(two, golden):
    project, run, _ = two
    pair = ("compare", "3", "0", "--run", run, "--brief", "--junit", "verdicts.xml")
    done = project.inside(*pair, "--require", "improved")
    assert done.code == 1
    golden(done.out, folder=project.folder)
    assert done.out.startswith("### ▼ regressed (overlap, round 0 against round 3)\n")
    [case] = ET.parse(project.folder / "verdicts.xml").getroot().iter("testcase")
    [failure] = case
    assert (case.get("name"), failure.tag) == ("overlap", "failure")
    assert failure.get("message", "").startswith("regressed: overlap -0.2")
    assert failure.text == "regressed, where --require asks for improved"
    (project.folder / "verdicts.xml").unlink()
    for asked in (("--all", "--brief"), ("--all", "--junit", "x.xml"), (*pair[1:], "--json")):
        assert project.inside("compare", *asked).code == 2


@pytest.mark.nightly
def test_why_nothing_can_be_concluded_is_said_once(two):
    project, _, _ = two
    config = (project.folder / "other.yaml").read_text().replace("rounds: 2", "rounds: 1")
    few = config.replace("{source: fake}\nmodel", "{source: fake, dev: 4}\nmodel")
    (project.folder / "few.yaml").write_text(few)
    run = project.inside("iterate", "-c", "few.yaml", "--no-test", "--json").document["run"]
    found = compared(project, "0", "1", "--run", run)
    doubt = found["metrics"]["overlap"]["doubt"]
    assert doubt and found["sentence"] == ""
    text = " ".join(project.inside("compare", "0", "1", "--run", run).out.split())
    assert f"overlap: no conclusion: {doubt}" in text and text.count(doubt) == 1
    assert text.endswith("Its verdict here: no evidence.")
    gate = project.inside("compare", "0", "1", "--run", run, "--require", "improved")
    assert gate.code == 1 and doubt in " ".join(gate.err.split())


@pytest.mark.nightly
def test_fixed_and_broken_are_those_of_the_database(two):
    project, run, _ = two
    for row in stored(project, run, "SELECT DISTINCT round, against FROM changes"):
        found = compared(project, str(row["against"]), str(row["round"]), "--run", run)
        for kind in ("fixed", "broken"):
            ids = [one["id"] for one in found[kind]]
            sql = f"SELECT id FROM changes WHERE round = {row['round']} AND kind = '{kind}'"
            assert sorted(ids) == sorted(one["id"] for one in stored(project, run, sql))


@pytest.mark.nightly
def test_the_other_way_round_is_the_opposite(two):
    project, run, _ = two
    there, back = (compared(project, *pair, "--run", run) for pair in (("1", "3"), ("3", "1")))
    one, other = there["metrics"]["overlap"], back["metrics"]["overlap"]
    assert one["difference"] == pytest.approx(-other["difference"])
    assert (one["wins"], one["losses"]) == (other["losses"], other["wins"])
    assert there["data"]["added"] == back["data"]["removed"] != []
    assert [r["id"] for r in there["fixed"]] == [r["id"] for r in back["broken"]]


@pytest.mark.nightly
def test_training_rows_that_were_added(two):
    project, run, _ = two
    found = compared(project, "1", "2", "--run", run)["data"]
    added = stored(project, run, "SELECT id FROM added WHERE arm = 'main' AND round = 1")
    assert found["added"] == [row["id"] for row in added] and found["added_by"] == {"fake": 10}
    assert found["rows_b"] - found["rows_a"] == 10 and found["removed"] == []


def test_two_runs_by_their_kept_rounds(two):
    project, run, other = two
    found = compared(project, run, other)
    assert [found[side]["run"] for side in "ab"] == [run, other]
    kept = stored(project, other, "SELECT kept_round FROM runs")[0]["kept_round"]
    assert found["b"]["round"] == kept and found["b"]["kept"]
    assert {one["key"]: (one["a"], one["b"]) for one in found["config"]} == {
        "rounds": (3, 2), "augment.0.rows": (10, 14),
    }  # fmt: skip
    assert found["data"]["added"] or found["data"]["removed"]
    assert found["n"] == 48 and found["only_a"] == found["only_b"] == 0


@pytest.mark.nightly
def test_other_rows_and_other_signatures_are_left_out(two):
    project, run, _ = two
    config = (project.folder / "other.yaml").read_text()
    config = config.replace("{source: fake}\nmodel", "{source: fake, dev: 40}\nmodel")
    config = config.replace("[{plugin: overlap}]", "[{plugin: overlap, fail_on: dev-3}, exact]")
    (project.folder / "third.yaml").write_text(config.replace("rounds: 2", "rounds: 1"))
    third = project.inside("iterate", "-c", "third.yaml", "--json").document["run"]
    found = compared(project, run, third)
    assert (found["n"], found["only_a"], found["only_b"]) == (40, 8, 0)
    assert found["metrics"] == {} and found["fixed"] is None
    assert "other signatures" in found["changes_doubt"]
    assert found["not_comparable"]["overlap"].startswith("other signatures: overlap|")
    assert found["not_comparable"]["exact"] == "only B has it"
    shown = project.inside("compare", run, third, COLUMNS="80").out
    assert "overlap: not comparable: other signatures" in shown and "left out" in shown
    gate = project.inside("compare", run, third, "--require", "improved")
    assert gate.code == 1 and "not comparable: other signatures" in gate.err


@pytest.fixture(scope="module")
def bars(two):
    """The names of three runs that differ in what makes an answer of theirs right."""
    project, _, _ = two
    config = (project.folder / "harness.yaml").read_text().replace("rounds: 3", "rounds: 1")
    config = config.replace("primary: overlap", "primary: token-f1")
    found = {}
    for bar in ("0.2", "0.9", "0.90"):
        made = config.replace("{plugin: overlap}", f"{{plugin: token-f1, right_at: {bar}}}")
        path = project.folder / f"bar-{bar}.yaml"
        path.write_text(made.replace("seed: 7", "seed: 8") if bar == "0.90" else made)
        found[bar] = project.inside("iterate", "-c", path.name, "--json").document["run"]
    return found


@pytest.mark.nightly
def test_another_bar_for_a_right_answer_breaks_none(two, bars):
    project, _, _ = two
    found = compared(project, bars["0.2"], bars["0.9"])
    assert found["not_comparable"] == {} and found["metrics"]["token-f1"]["difference"] == 0
    assert found["same_answer"] == found["n"]
    assert (found["fixed"], found["broken"]) == (None, None)
    assert found["changes_doubt"].endswith("right_at 0.2 in A, 0.9 in B")
    told = project.inside("compare", bars["0.2"], bars["0.9"], COLUMNS="200").out
    assert "fixed and regressed rows are unknown: token-f1 has different pass thresholds" in told
    equal = compared(project, bars["0.9"], bars["0.90"])
    assert equal["changes_doubt"] is None and equal["fixed"] is not None


def test_names_of_scores_are_never_cut():
    one = {"a": 0.5123, "b": 0.612, "difference": 0.1, "low": -0.01, "high": 0.2, "p": 0.034,
           "label": "no evidence", "wins": 9, "ties": 9, "losses": 9}  # fmt: skip
    names = [f"rubric-every-step-is-named-and-in-the-order-{letter}" for letter in "ab"]
    metrics = {name: {**one, "higher_is_better": name == names[0]} for name in names}
    for width in (80, 120):
        console = Console(width=width, record=True)
        with console.capture() as capture:
            scores = list(shown._compared_scores(metrics).values())
            shown.draw_comparison(scores, ["A", "B", "B - A", "p"], console)
        lines = capture.get().splitlines()
        first = "".join(line.split("  ")[0].strip() for line in lines)
        assert all(name in first for name in names) and max(map(len, lines)) <= width


@pytest.mark.nightly
@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits(two, width):
    project, run, other = two
    for pair in (["0", "2", "--run", run], [run, other]):
        found = project.inside("compare", *pair, COLUMNS=str(width))
        assert found.code == 0, found.err
        lines = [line for line in found.out.splitlines() if not line.startswith("next: ")]
        assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0", "9", "--run", "RUN"], "has the rounds 0, 1, 2, 3"),
        (["1", "1", "--run", "RUN"], "nothing to compare"),
        (["RUN", "RUN"], "nothing to compare"),
        (["1", "RUN"], "'1' is a round, and the other is not"),
        (["RUN", "OTHER", "--run", "RUN"], "here are two runs"),
        (["RUNx", "OTHER"], "did you mean"),
        (["0", "1", "--run", "RUNx"], "did you mean"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(two, arguments, message):
    project, run, other = two
    words = [word.replace("RUN", run).replace("OTHER", other) for word in arguments]
    found = project.inside("compare", *words)
    assert found.code == 2 and message in found.err and not found.out


@pytest.mark.nightly
def test_the_configuration_is_the_one_that_the_run_began_with(two, tmp_path):
    """The copy in the reports is for people, who may have changed it."""
    project, run, other = two
    folder = tmp_path / "copy"
    shutil.copytree(project.folder, folder)
    (folder / "reports" / run / "config.yaml").write_text("rounds: what [")
    copy = type(project)(folder)
    assert compared(copy, run, other)["config"] == compared(project, run, other)["config"]


def test_what_is_not_stored_any_more_is_said(two, tmp_path):
    project, run, _ = two
    folder = tmp_path / "copy"
    shutil.copytree(project.folder, folder)
    shutil.rmtree(folder / ".harness" / "artifacts" / "generate")
    found = type(project)(folder).inside("compare", "0", "1", "--run", run)
    assert found.code == 4 and "not in the store" in found.err and "harness iterate" in found.err


@pytest.mark.nightly
def test_hostile_values_of_the_configuration(two):
    project, run, _ = two
    config = (project.folder / "other.yaml").read_text()
    hostile = "[/b]\x1b[31m\u202e=1+1"
    config = config.replace(
        "{plugin: overlap}", f"{{plugin: overlap, fail_on: {json.dumps(hostile)}}}"
    )
    (project.folder / "hostile.yaml").write_text(config.replace("rounds: 2", "rounds: 1"))
    made = project.inside("iterate", "-c", "hostile.yaml", "--json")
    assert made.code == 0, made.err
    found = project.inside("compare", run, made.document["run"])
    assert found.code == 0 and "[/b]=1+1" in found.out
    assert not set(found.out) & set("\x1b\u202e")
