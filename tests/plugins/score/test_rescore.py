"""A run's stored answers, scored again: nothing is generated, and both scores are kept."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.database.writing import query
from harness.kit.files import append_line


def lines(project, name):
    return list(map(json.loads, (project.folder / name).read_text().splitlines()))


@pytest.fixture
def done(finished, tmp_path_factory):
    """A copy of a run that has ended, and its name."""
    project, result = finished
    folder = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project.folder, folder)
    return type(project)(folder), result.document["run"]


def rescored(project, run, *arguments):
    found = project.inside("score", "--run", run, *arguments, "--json")
    assert found.code == 0, found.err
    return found.document


def stored(project, run, sql):
    return query(project.folder / "reports" / run / "run.duckdb", sql).rows


@pytest.mark.nightly
def test_rounds_are_compared_by_another_metric(done):
    project, run = done
    before = project.manifests()
    found = rescored(project, run, "--metrics", "rouge,exact")
    assert list(found["systems"]) == ["round 0", "round 1", "round 2", "round 3"]
    assert (found["system"], found["baseline"]) == ("round 3", "round 0")
    assert found["comparison"]["round 3"]["rougeL"]["label"] == "improved"
    new = set(project.manifests()) - set(before)
    assert len(new) == 8  # two metrics on four rounds
    assert {name.split("/")[0] for name in new} == {"score"}


def test_the_run_s_own_scores_come_out_equal(done):
    project, run = done
    found = rescored(project, run)
    summary = json.loads((project.folder / "reports" / run / "summary.json").read_text())
    for entry in summary["rounds"]:
        again = found["systems"][f"round {entry['round']}"]["metrics"]["overlap"]
        own = entry["scores"]["overlap"]
        assert all(again[key] == own[key] for key in ("value", "low", "high", "n"))
    assert stored(project, run, "SELECT count(*) FROM rescores") == ((0,),)


@pytest.mark.nightly
def test_the_database_keeps_both_told_apart_by_signature(done):
    project, run = done
    own = stored(project, run, "SELECT * FROM scores ORDER BY ALL")
    rescored(project, run, "--metrics", "rouge")
    rescored(project, run, "--metrics", "rouge", "--option", "rouge.stemmer=true")
    rescored(project, run, "--metrics", "rouge")
    assert stored(project, run, "SELECT * FROM scores ORDER BY ALL") == own
    found = stored(
        project, run,
        "SELECT round, count(DISTINCT signature), count(*) FROM rescores WHERE name = 'rougeL' "
        "GROUP BY round ORDER BY round",
    )  # fmt: skip
    assert found == ((0, 2, 2), (1, 2, 2), (2, 2, 2), (3, 2, 2))
    answers = stored(project, run, "SELECT count(*) FROM example_rescores WHERE round = 1")
    assert answers == ((2 * 4 * 48,),)


@pytest.mark.nightly
def test_the_database_built_again_still_has_them(done):
    project, run = done
    rescored(project, run, "--metrics", "exact")
    before = stored(project, run, "SELECT * FROM rescores ORDER BY ALL")
    (project.folder / "reports" / run / "run.duckdb").unlink()
    assert project.inside("iterate").code == 0
    assert stored(project, run, "SELECT * FROM rescores ORDER BY ALL") == before != ()


@pytest.mark.nightly
def test_another_baseline_and_each_answer(done):
    project, run = done
    found = rescored(project, run, "--baseline", "round 2", "--per-example", "own.jsonl")
    assert set(found["comparison"]) == {"round 0", "round 1", "round 3"}
    assert len(lines(project, "own.jsonl")) == 4 * 48
    wrong = project.inside("score", "--run", run, "--baseline", "round 9")
    assert (wrong.code, "there are: round 0" in wrong.err) == (2, True)


def test_test_stays_sealed_and_a_look_is_counted(done):
    project, run = done
    sealed = project.inside("score", "--run", run, "--split", "test")
    assert (sealed.code, "sealed" in sealed.err) == (2, True)
    found = rescored(project, run, *TEST, "--metrics", "exact")
    assert list(found["systems"]) == ["round 0", "round 3"]
    assert stored(project, run, "SELECT DISTINCT split FROM rescores") == (("dev",),)


TEST = ("--split", "test", "--open-test")


@pytest.mark.nightly
def test_each_metric_with_its_options_is_an_opening_of_its_own(done):
    project, run = done
    looks = []
    for arguments in (
        ("-m", "exact"),
        ("-m", "exact,length"),
        ("-m", "same=exact"),
        ("-m", "rouge"),
        ("-m", "rouge", "-o", "rouge.stemmer=true"),
    ):
        found = rescored(project, run, *TEST, *arguments)["openings"]
        looks.append([one["opening"] for one in found.values()])
        assert [one["alpha"] for one in found.values()] == [
            0.05 / (number * (number - 1)) for number in looks[-1]
        ]
    assert looks == [[2], [2, 3], [2], [4], [5]]
    shown = project.inside("score", "--run", run, *TEST, "-m", "rouge")
    assert "rouge: opening 4 of these test rows" in shown.out
    assert "need a p below .05/12 = 0.0042" in shown.out


@pytest.mark.nightly
def test_what_the_run_was_judged_by_is_its_own_opening(done):
    project, run = done
    path = project.folder / ".harness" / "test-openings.jsonl"
    before = path.read_bytes()
    found = rescored(project, run, *TEST)
    assert found["openings"] == {"overlap": {"opening": 1, "alpha": 0.05}}
    assert path.read_bytes() == before
    assert rescored(project, run)["openings"] == {}


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize(
    "wrong", [("--baseline", "round 9"), ("--by", "nothing")], ids=lambda wrong: wrong[0]
)
def test_a_wrong_option_is_refused_before_a_look_is_counted(done, wrong):
    project, run = done
    openings = project.folder / ".harness" / "test-openings.jsonl"
    before = openings.read_bytes()
    refused = project.inside("score", "--run", run, *TEST, "--metrics", "exact", *wrong)
    assert (refused.code, wrong[1] in refused.err) == (2, True)
    assert openings.read_bytes() == before


GATES = (("--require", "improved"), ("--min-gain", "0.1"))


@pytest.mark.nightly
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate[0])
def test_a_gate_is_of_the_last_round_against_another(done, gate):
    project, run = done
    openings = project.folder / ".harness" / "test-openings.jsonl"
    before = openings.read_bytes()
    exact = ("score", "--run", run, "-m", "exact")
    for own in ((), TEST):
        refused = project.inside(*exact, *own, *gate, "-b", "round 3")
        assert (refused.code, refused.out) == (2, ""), refused.err
        assert "round 3 is the last round" in refused.err and "-b 'round 0'" in refused.err
    assert openings.read_bytes() == before
    assert project.inside("score", "--run", run, *gate, "-b", "round 0").code == 0


@pytest.mark.nightly
def test_a_gate_needs_two_rounds(done):
    project, run = done
    journal = project.folder / ".harness" / "runs" / run / "journal.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:1]))
    assert list(rescored(project, run)["systems"]) == ["round 0"]
    alone = project.inside("score", "--run", run, "--require", "improved")
    assert (alone.code, "only round 0 is answered" in alone.err) == (2, True)


def test_what_is_not_stored_is_never_made(done):
    project, run = done
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "generate")
    found = project.inside("score", "--run", run, "--metrics", "exact")
    assert found.code == 4
    assert "generate" in found.err and "not in the store" in found.err
    assert not (project.folder / ".harness" / "artifacts" / "generate").exists()


def test_answers_are_enough_even_where_the_rest_is_gone(done):
    project, run = done
    own = stored(project, run, "SELECT count(*) FROM scores")
    for stage in ("analyze", "train", "augment"):
        shutil.rmtree(project.folder / ".harness" / "artifacts" / stage)
    found = project.inside("score", "--run", run, "--metrics", "exact", "--json")
    assert list(found.document["systems"]) == ["round 0", "round 1", "round 2", "round 3"]
    assert "database was left as it is" in found.err
    assert stored(project, run, "SELECT count(*) FROM scores") == own


@pytest.mark.nightly
def test_a_run_that_is_half_done_is_scored_as_far_as_it_is(done):
    project, run = done
    journal = project.folder / ".harness" / "runs" / run / "journal.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:3]))
    found = rescored(project, run, "--metrics", "exact")
    assert list(found["systems"]) == ["round 0", "round 1", "round 2"]


def test_wrong_use(done):
    project, run = done
    unknown = project.inside("score", "--run", "harness-nothing")
    assert (unknown.code, "no run is called" in unknown.err) == (2, True)
    for extra in (("-p", "own.jsonl"), ("--seed", "3"), ("--group", "kind"), ("--workers", "1")):
        both = project.inside("score", "--run", run, *extra)
        assert (both.code, "--run" in both.err) == (2, True)


BROKEN = """\
import harness


class Broken(harness.Metric):
    "Fails on the whole."

    name = "broken"
    additive = False

    def corpus(self, pairs):
        raise RuntimeError("no")


@harness.hookimpl
def register_metrics():
    return [Broken]
"""


@pytest.mark.nightly
def test_a_metric_that_fails_spoils_nothing(done):
    project, run = done
    project.write(BROKEN, "broken.py")
    failed = project.inside("score", "--run", run, "--plugin", "broken.py", "-m", "broken")
    assert (failed.code, failed.out) == (5, "")
    record = project.folder / ".harness" / "runs" / run / "rescored.jsonl"
    assert not record.exists()
    rescored(project, run, "-m", "exact")
    assert project.inside("score", "--run", run, "-m", "rouge", "--by", "nofield").code == 2
    (line,) = record.read_text().splitlines()
    assert json.loads(line)["entry"]["plugin"] == "exact"
    entry = {"plugin": "broken", "name": "broken"}
    more = {"schema": 2, "origin": str(project.folder / "broken.py"), "entry": entry}
    append_line(record, more)
    (project.folder / "reports" / run / "run.duckdb").unlink()
    assert project.inside("iterate").code == 0
    assert stored(project, run, "SELECT DISTINCT name FROM rescores") == (("exact",),)


def test_references_come_from_a_config_and_test_is_sealed(done):
    project, run = done
    rescored(project, run, "--per-example", "own.jsonl")
    ids = [row["id"] for row in lines(project, "own.jsonl") if row["system"] == "round 0"]
    project.write(
        "".join(json.dumps({"id": id_, "text": "a"}) + "\n" for id_ in ids), "answers.jsonl"
    )
    config = ("-p", "answers.jsonl", "-c", "harness.yaml")
    found = project.inside("score", *config, "-m", "exact,length", "--json").document
    assert found["metrics"]["length"]["value"] == 1
    own = project.inside("score", *config, "--json").document
    assert list(own["metrics"]) == ["overlap"]
    sealed = project.inside("score", *config, "--split", "test")
    assert (sealed.code, "sealed" in sealed.err) == (2, True)
