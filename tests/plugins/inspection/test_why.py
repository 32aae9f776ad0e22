"""``harness why``: all that is known of one row, and what is sealed stays sealed."""

from __future__ import annotations

import pytest

from harness.database.contents import Answers, RunContents
from harness.database.writing import build
from harness.kit.text import one_line
from harness.kit.worddiff import MOST_WORDS
from harness.records import (
    Answer,
    Diagnosis,
    ErrorLabel,
    Example,
    Measurement,
    Prediction,
    ToolCall,
)
from harness_inspection.database import RunDatabase
from harness_inspection.lineage import train_rows_sql
from tests.plugins.inspection.planted import closed, openings, planted, row

HOSTILE = (
    "[bold]x[/bold] [/nope] \x1b[31mred\x1b[0m \x1b]0;title\x07 \u202eabc <script>a()</script> =1"
)


def test_a_row_of_dev(finished):
    project, result = finished
    listed = project.inside("errors", "--json").document
    worst = listed["rows"][0]
    found = project.inside("why", worst["id"], "--json").document
    assert found["schema"] == "harness.why/1" and found["run"] == result.document["run"]
    assert (found["split"], found["prompt"]) == ("dev", worst["prompt"])
    rounds = [answer["round"] for answer in found["answers"]]
    assert rounds == [0, 1, 2, 3] == found["course"]["rounds"]
    kept = found["answers"][found["kept_round"]]
    assert (kept["text"], kept["score"], kept["right"]) == (worst["answer"], worst["score"], False)
    assert kept["scores"]["overlap"] == {"value": kept["score"], "error": None}
    assert kept["errors"][0] == {"category": "unsure", "evidence": "hm", "found_by": "fake"}
    said = "".join(text for kind, text in kept["differences"] if kind != "missing")
    assert said == kept["text"]
    assert [row["similarity"] for row in found["nearest"]] == sorted(
        (row["similarity"] for row in found["nearest"]), reverse=True
    )


@pytest.mark.nightly
def test_what_the_plan_did_for_its_slices(finished):
    project, _ = finished
    found = project.inside("why", "dev-4", "--json").document  # every fourth row is a hard one
    assert [one["slice"] for one in found["slices"]] == ["kind = hard"] * 4
    asked = [(one["asked"], one["added"]) for one in found["slices"]]
    assert asked[0] == (None, 0) and asked[1][0] >= asked[1][1] > 0
    assert project.inside("why", "dev-5", "--json").document["slices"] == []


def test_a_training_row_says_how_it_came_there(finished):
    project, _ = finished
    listed = project.inside("query", "SELECT id, round FROM added LIMIT 1", "--json").document[0]
    found = project.inside("why", listed["id"], "--json").document
    assert found["origin"]["made_by"] == "fake" and found["origin"]["round"] == listed["round"]
    assert (found["answers"], found["nearest"], found["course"]) == ([], [], None)
    assert project.inside("why", "train-9").code == 0


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits(finished, width):
    project, result = finished
    name = result.document["run"]
    found = project.inside("why", "dev-1", name, COLUMNS=str(width))
    assert found.code == 0
    *lines, command = found.out.splitlines()
    assert max(map(len, lines)) <= width
    assert command == f"next: harness errors {name} --category unsure"


def test_a_row_of_test_is_refused_and_a_look_at_it_counted(done):
    project, run = done
    before = openings(project)
    refused = project.inside("why", "test-3", run)
    assert refused.code == 2 and "sealed" in refused.err and "--open-test" in refused.err
    assert not refused.out and openings(project) == before
    found = project.inside("why", "test-3", run, "--open-test", "--json")
    assert found.code == 0 and found.document["split"] == "test"
    assert found.document["answers"][0]["text"]
    assert found.document["slices"] == found.document["causes"] == []
    assert openings(project) == [*before, f"{run} looked at by harness why"]
    project.inside("why", "test-4", run, "--open-test")
    assert len(openings(project)) == len(before) + 1


@pytest.mark.nightly
def test_test_is_sealed_before_the_run_has_opened_it(project):
    config = (project.folder / "harness.yaml").read_text()
    stops = config.replace("{plugin: fake}\ngen", "{plugin: fake, die_in_round: 2}\ngen")
    (project.folder / "harness.yaml").write_text(stops)
    assert project.harness("iterate").code < 0
    refused = project.inside("why", "test-3")
    assert refused.code == 2 and "sealed" in refused.err
    too_early = project.inside("why", "test-3", "--open-test")
    assert too_early.code == 4 and "not opened yet" in too_early.err
    assert project.inside("why", "dev-3").code == project.inside("compare", "0", "1").code == 0
    assert project.inside("errors", "--round", "1").code == 0
    assert not (project.folder / ".harness" / "test-openings.jsonl").exists()


def test_an_unknown_id_gets_the_near_one_and_never_one_of_test(finished):
    project, _ = finished
    found = project.inside("why", "dev1")
    assert found.code == 2 and "did you mean 'dev-1'?" in found.err
    found = project.inside("why", "tset-12")
    assert found.code == 2 and "'test-" not in found.err


# -- what a run of fakes does not have ---------------------------------------------------


def test_training_rows_are_those_that_the_round_learned_from(tmp_path):
    """A round that regressed is not grown from; a pool row that was moved keeps its place."""
    rounds = [
        closed(0, "baseline", True), closed(1, "improved", True), closed(2, "regressed", False),
        closed(3, "no evidence", False), closed(4, "no evidence", False),
    ]  # fmt: skip
    added = [row(f"p{n}", origin={"by": "pool", "round": n}) for n in (1, 2, 3)]
    planted(tmp_path, [row("t0"), row("p1", "pool", place="pool.jsonl:7")], [],
            rounds=rounds, added=added)  # fmt: skip
    with RunDatabase.opened(tmp_path) as index:
        rows = {n: index.ask(train_rows_sql(index, n)) for n in range(5)}
    learned = {n: [r["id"] for r in found] for n, found in rows.items()}
    assert learned == {
        0: ["t0"], 1: ["t0"], 2: ["t0", "p1"], 3: ["t0", "p2"], 4: ["t0", "p2", "p3"],
    }  # fmt: skip
    assert rows[2][1]["place"] == "pool.jsonl:7"


@pytest.mark.nightly
def test_a_row_that_was_added_twice_came_by_what_the_kept_round_learned_from(project):
    """Round 1 regressed, so that its pool row was drawn again after round 2."""
    rounds = [
        closed(0, "baseline", True), closed(1, "no evidence", True), closed(2, "regressed", False),
        closed(3, "no evidence", False),
    ]  # fmt: skip
    folder = project.folder / "reports" / "planted"

    def origin(kept, rows):
        made = [row("p", origin={"by": "pool", "round": n, "slice": f"s{n}"}) for n in rows]
        build(folder / "run.duckdb", RunContents(
            "planted", "f1", kept, rounds=rounds, examples=[row("t0"), row("p", "pool")],
            added={"main": made},
        ))  # fmt: skip
        (folder / "summary.json").write_text("{}")
        found = project.inside("why", "p", "--json").document["origin"]
        return found["round"], found["slice"]

    assert origin(3, (1, 2)) == (2, "s2")
    assert origin(3, (2, 1)) == (2, "s2")
    assert origin(0, (2, 1)) == (1, "s1")  # none of them: the first


@pytest.mark.nightly
def test_rows_learned_from_agree_with_the_run_s_own_count(project):
    config = (project.folder / "harness.yaml").read_text()
    falls = config.replace("{plugin: fake}\ngen", "{plugin: fake, drop_in_round: 2}\ngen")
    (project.folder / "harness.yaml").write_text(falls)
    run = project.inside("iterate", "--json").document["run"]
    with RunDatabase.opened(project.folder / "reports" / run) as index:
        rounds = index.ask(
            "SELECT round, train_rows, label FROM rounds WHERE round > 0 ORDER BY round"
        )
        assert "regressed" in [one["label"] for one in rounds]
        for one in rounds:
            assert len(index.ask(train_rows_sql(index, one["round"]))) == one["train_rows"]


def test_cause_nearest_and_closest_reference(project, golden):
    folder = project.folder / "reports" / "planted"
    asked = Example("d", ({"role": "system", "content": "Be brief."},
                          {"role": "user", "content": "How do I reset my password?"}),
                    ("Open the settings.", "Ask the help desk for a new one."), "dev")  # fmt: skip
    cause = Diagnosis("d", "conflict", "they disagree", "fix them", ("t2", "gone"))
    planted(folder, [asked, row("t1", text="What is the weather?", place="t.jsonl:1"),
                     row("t2", text="How can I reset a password?", place="t.jsonl:2")],
            [Answers("main", 0, "dev", [Prediction("d", "Ask the help desk.", "length")],
                     [Measurement("d", "f", None, {}, "it broke")])],
            diagnoses=(cause,))  # fmt: skip
    found = project.inside("why", "d", "--json").document
    assert found["answers"][0]["reference"] == "Ask the help desk for a new one."
    assert found["nearest"][0]["id"] == "t2"
    assert found["causes"][0]["train_rows"][0]["place"] == "t.jsonl:2"
    gone = dict.fromkeys(("split", "place", "prompt", "reference"))
    assert found["causes"][0]["train_rows"][1] == {"id": "gone", **gone}
    golden(project.inside("why", "d", COLUMNS="80").out)


@pytest.mark.nightly
def test_one_cause_is_shown_whole_and_those_of_other_rounds_by_name(project, golden):
    asked, near = row("d", "dev", text="How do I reset it?"), row("t2", place="t.jsonl:2")
    answers = [
        Answers("main", number, "dev", [Prediction("d", "no", "stop")],
                [Measurement("d", "f", None, {})]) for number in range(3)
    ]  # fmt: skip
    causes = [(Diagnosis("d", cause, cause, "do it", ("t2",)),) for cause in ("unknown", "gap")]
    planted(
        project.folder / "reports" / "planted", [asked, near], answers,
        diagnoses=causes[0], later=(causes[1], causes[0]),
    )  # fmt: skip
    assert len(project.inside("why", "d", "--json").document["causes"]) == 3
    golden(project.inside("why", "d", COLUMNS="80").out)


def test_calls_of_tools_are_shown_as_calls(project):
    lit, said = ToolCall("set_light", {"room": "hall", "on": False}), Answer("Which room?")
    dark = Answer("", (ToolCall("set_light", {"on": False, "room": "\u202ekitchen"}),))
    turns = ({"role": "user", "content": "Off!"}, said.turn, {"role": "user", "content": "hall"})
    asked = Example("d", turns, (Answer("", (lit,)).text,), "dev", tools=({},))
    planted(project.folder / "reports" / "planted", [asked],
            [Answers("main", 0, "dev", [Prediction("d", dark.text, "stop")],
                     [Measurement("d", "f", 0.0, {})])])  # fmt: skip
    found = project.inside("why", "d", "--json").document["answers"][0]
    assert found["text"] == dark.text, "the document has the answer as it is"
    out = project.inside("why", "d", COLUMNS="100").out
    assert 'set_light(room: "hall", on: false)' in out and "{" + '"name' not in out
    assert "[-hall-]" in out and '{+kitchen+}", on: false)' in out
    listed = project.inside("errors", COLUMNS="140").out
    assert 'set_light(room: "kitchen", on: false)' in listed


def test_hostile_texts_are_shown_as_text(project):
    hurt = Example(HOSTILE, ({"role": HOSTILE, "content": [{"text": HOSTILE}]},
                             {"role": "user", "content": HOSTILE}), (HOSTILE + " y",), "dev",
                   HOSTILE, {HOSTILE: HOSTILE}, place=HOSTILE)  # fmt: skip
    answer = Answers("main", 0, "dev", [Prediction(HOSTILE, HOSTILE + "x" * 1_000_000, HOSTILE)],
                     [Measurement(HOSTILE, "f", None, {}, HOSTILE)],
                     [ErrorLabel(HOSTILE, HOSTILE, HOSTILE, HOSTILE)])  # fmt: skip
    cause = Diagnosis(HOSTILE, HOSTILE, HOSTILE, HOSTILE, ("t",))
    rows = [hurt, row("t", text=HOSTILE, place=HOSTILE)]
    planted(project.folder / "reports" / "planted", rows, [answer], diagnoses=(cause,))
    found = project.inside("why", HOSTILE, COLUMNS="80")
    assert found.code == 0, found.err
    assert not set(found.out) & set("\x1b\x07\u202e")
    assert "[bold]x[/bold]" in found.out and len(found.out) < 40_000
    assert project.inside("why", HOSTILE, "--json").document["id"] == HOSTILE
    as_shown = one_line(HOSTILE)  # what the table of errors shows can be typed
    assert project.inside("why", as_shown, "--json").document["id"] == HOSTILE


def test_an_answer_beyond_what_is_compared_is_shown_to_its_end(project):
    words = " ".join(["w"] * MOST_WORDS)
    asked = row("d", "dev", place="d.jsonl:1")
    said = Answers("main", 0, "dev", [Prediction("d", f"{words} to the end")])
    planted(project.folder / "reports" / "planted", [asked], [said])
    pieces = project.inside("why", "d", "--json").document["answers"][0]["differences"]
    assert pieces[-1] == ["rest", "to the end"]
    assert "the rest was not compared" in project.inside("why", "d").out
