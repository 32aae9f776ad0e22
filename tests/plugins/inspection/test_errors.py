"""``harness errors``: the right answers in the right order, whatever they say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness.database.contents import Answers, RunContents
from harness.database.writing import build
from harness.records import (
    Condition,
    Diagnosis,
    ErrorLabel,
    Example,
    Measurement,
    Prediction,
    RoundResult,
    Score,
    Slice,
    Verdict,
)

HOSTILE = (
    "[bold red]x[/bold red] [/nope] \x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link "
    "\u202eabc\u202c <script>alert(1)</script> \x00 =1+1 \n| # ![](https://evil.example)"
)
KINDS = Slice((Condition("kind", "=", "hard"),), 4, 4, 0.2, 0.3, 0.1, 0.5, 0.01)
ROWS = 12


def example(place: int, split: str = "dev") -> Example:
    return Example(
        f"{split}-{place:02d}",
        ({"role": "user", "content": f"question {place}"},),
        (f"reference {place}", "another one"),
        split,  # type: ignore[arg-type]
        f"g{place}",
        {"kind": "hard" if place % 3 == 0 else "easy"},
        place=f"{split}.jsonl:{place + 1}",
    )


def value(number: int, place: int) -> float:
    """Round 0: rows 0 to 5 are wrong; round 1: the even ones; round 2: those up to 3."""
    wrong = (place < 6, place % 2 == 0, place < 4)[number]
    return round((0.01 if wrong else 0.6) + 0.02 * (ROWS - place), 3)


def answered(number: int, sign: int = 1, right: bool = True) -> Answers:
    ids = [f"dev-{place:02d}" for place in range(ROWS)]
    values = [value(number, place) for place in range(ROWS)]
    return Answers(
        "main", number, "dev",
        [Prediction(name, f"answer {number} of {name}") for name in ids],
        [Measurement(name, "f", (v,), {"f1": sign * v})
         for name, v in zip(ids, values, strict=True)],
        [ErrorLabel(name, "too short", "3 words", "sizes") for name in ids[:8:2]]
        + [ErrorLabel(ids[0], "empty", "", "basic")],
        right={n: (v >= 0.5 if right else None) for n, v in zip(ids, values, strict=True)},
    )  # fmt: skip


def judged(number: int, higher: bool) -> RoundResult:
    verdict = Verdict("improved" if number else "baseline", "round 0" if number < 2 else "round 1",
                      0.1, 0.0, 0.2, 0.95, 0.1, "s")  # fmt: skip
    score = Score("f1", 0.5, 0.4, 0.6, ROWS, 0, "f1|v:1", higher)
    return RoundResult("main", number, 9 * number, {"f1": score}, verdict, number != 1)


def contents(higher: bool = True, right: bool = True, **changes: Any) -> RunContents:
    sign = 1 if higher else -1
    full: dict[str, Any] = {
        "run": "planted", "primary": "f1", "kept_round": 2,
        "rounds": [judged(number, higher) for number in range(3)],
        "examples": [*(example(n) for n in range(ROWS)), *(example(n, "train") for n in range(3))],
        "answers": [answered(number, sign, right) for number in range(3)],
        "added": {"main": [Example("made-1", ({"role": "user", "content": "made up"},), ("m",),
                                   parent="train-01", origin={"by": "vary", "round": 1})]},
        "slices": {("main", 1): (KINDS,)},
        "diagnoses": {("main", 2): (
            Diagnosis("dev-00", "conflict", "they disagree", "fix them", ("train-02", "made-1")),
            Diagnosis("dev-01", "conflict", "they disagree", "fix them", ("train-02",)),
            Diagnosis("dev-02", "gap", "far away", "add rows"),
        )},
    }  # fmt: skip
    return RunContents(**{**full, **changes})


def reports(project: Any) -> Path:
    return Path(project.folder / "reports" / "planted")


def plant(folder: Path, found: RunContents) -> None:
    """A run with this database in its reports."""
    build(folder / "run.duckdb", found)
    (folder / "summary.json").write_text("{}")
    (folder / "analysis.json").write_text(
        json.dumps(
            {
                "definitions": {"too short": "far fewer words than any reference"},
                "causes_known": {"conflict": {"definition": "rows contradict each other"}},
            }
        )
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "reports" / "planted"
    plant(folder, contents())
    return folder


@pytest.fixture
def planted(project: Any, made: Path) -> Any:
    shutil.copytree(made, reports(project))
    return project


def ids(project: Any, *arguments: str) -> list[str]:
    found = project.inside("errors", *arguments, "--json")
    assert found.code == 0, found.err
    return [row["id"].removeprefix("dev-") for row in found.document["rows"]]


@pytest.mark.nightly(but_each=20)
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "03 02 01 00"),
        ("--round 0", "05 04 03 02 01 00"),
        ("--round 1", "10 08 06 04 02 00"),
        ("--limit 2", "03 02"),
        ("--category empty", "00"),
        ("--category too\xa0short", "02 00 06 04"),
        ("--category unexplained", "03 01"),
        ("--slice kind\xa0=\xa0hard", "03 00"),
        ("--slice kind\xa0=\xa0hard --round 0", "03 00"),
        ("--cause gap", "02"),
        ("--cause conflict", "01 00"),
        ("--cause conflict --category empty", "00"),
        ("--cause conflict --round 1", ""),
        ("--broken-by 1", "10 08 06"),
        ("--broken-by 2", "03 01"),
        ("--broken-by 1 --round 2", ""),
        ("--slice kind\xa0=\xa0hard --broken-by 2", "03"),
    ],
)
def test_which_answers_and_in_which_order(planted, arguments, expected):
    words = [word.replace("\xa0", " ") for word in arguments.split(" ") if word]
    assert ids(planted, *words) == expected.split()


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("name", ["capacity", "underfitting"])
def test_a_cause_is_found_by_its_stored_and_by_its_shown_name(project, name):
    cause = Diagnosis("dev-02", "capacity", "taught, and missed", "train longer")
    plant(reports(project), contents(diagnoses={("main", 2): (cause,)}))
    told = project.inside("errors", "--cause", name)
    assert told.code == 0 and "causes: underfitting 1" in told.out
    assert "have the cause 'underfitting'" in told.out and "capacity" not in told.out
    assert json.loads(project.inside("errors", "--cause", name, "--json").out)["causes"] == {
        "capacity": 1
    }


def test_the_lowest_is_not_the_worst_where_lower_is_better(project):
    plant(reports(project), contents(higher=False))
    assert ids(project) == ["03", "02", "01", "00"]  # of these the highest first


@pytest.mark.nightly
def test_a_score_that_judges_nothing_lists_all_and_says_so(project):
    plant(reports(project), contents(right=False))
    assert ids(project)[:4] == ["03", "02", "01", "00"] and len(ids(project)) == ROWS
    assert "has no pass threshold" in project.inside("errors").out


def test_the_document(planted):
    found = planted.inside("errors", "--cause", "conflict", "--json").document
    assert found["schema"] == "harness.errors/1"
    assert (found["answers"], found["wrong"], found["matching"]) == (12, 4, 2)
    assert (found["round"], found["kept_round"], found["primary"]) == (2, 2, "f1")
    assert found["definition"] == "rows contradict each other"
    assert (found["categories"], found["causes"]) == (
        {"empty": 1, "too short": 1, "unexplained": 1}, {"conflict": 2},
    )  # fmt: skip
    assert found["rows"][1] == {
        "id": "dev-00", "place": "dev.jsonl:1", "group": "g0", "score": 0.25, "right": False,
        "categories": ["empty", "too short"], "cause": "conflict",
        "evidence": "they disagree", "remedy": "fix them", "prompt": "question 0",
        "reference": "reference 0", "answer": "answer 2 of dev-00", "finish_reason": "stop",
    }  # fmt: skip


def test_a_cause_lists_the_training_rows_with_file_and_line(planted):
    first, second = planted.inside("errors", "--cause", "conflict", "--json").document["train_rows"]
    assert (first["id"], first["place"], first["answers"]) == ("train-02", "train.jsonl:3", 2)
    assert first["ids"] == ["dev-00", "dev-01"]
    # A row that was made stands where the row that it was made from stands.
    assert (second["id"], second["made_by"], second["place"]) == ("made-1", "vary", "train.jsonl:2")


@pytest.mark.nightly
def test_a_training_row_that_was_added_twice_is_one_row(project):
    """Round 1 was not kept, so that its row was drawn again after round 2."""

    def again(n: int) -> Example:
        return Example("made-1", ({"role": "user", "content": "made up"},), ("m",),
                       parent="train-01", origin={"by": f"maker {n}", "round": n})  # fmt: skip

    plant(reports(project), contents(added={"main": [again(2), again(1)]}))
    found = project.inside("errors", "--cause", "conflict", "--limit", "2", "--json").document
    rows = [(row["id"], row["made_by"]) for row in found["train_rows"]]
    assert rows == [("train-02", None), ("made-1", "maker 1")]  # round 2 learned from round 1


@pytest.mark.nightly
def test_a_slice_that_the_database_cannot_tell_is_one_message(project):
    far = Slice((Condition("nearest_train", "<", 0.2),), 4, 4, 0.2, 0.3, 0.1, 0.5, 0.01)
    plant(reports(project), contents(slices={("main", 1): (far, KINDS)}))
    found = project.inside("errors", "--slice", far.words)
    assert found.code == 2 and not found.out
    assert f"'{far.words}' cannot be asked of" in found.err and "kind = hard" in found.err
    plant(reports(project), contents(slices={("main", 1): (far,)}))
    assert "no slice of this run can be" in project.inside("errors", "--slice", far.words).err


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits(planted, golden, width):
    found = planted.inside("errors", COLUMNS=str(width))
    assert max(map(len, found.out.splitlines())) <= width
    golden(found.out, f"{width}")


def test_answers_of_a_category_and_rows_of_a_cause(planted, golden):
    for option, name in (("--category", "too short"), ("--cause", "conflict")):
        golden(planted.inside("errors", option, name, COLUMNS="80").out, name.replace(" ", "-"))


LONG = "asyncio.exceptions:LimitOverrunError.__init__.with_a_name"


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("width", [80, 100, 160])
def test_an_id_stays_whole_in_one_line(project, width):
    rows = [
        Example(LONG, ({"role": "user", "content": "p"},), ("r",), "dev"),
        Example("short", ({"role": "user", "content": "q"},), ("r",), "dev"),
        Example(f"{LONG}.train", ({"role": "user", "content": "p"},), ("r",), place="a.py:3"),
    ]  # fmt: skip
    names = [LONG, "short"]
    spoilt = Answers("main", 2, "dev", [Prediction(n, "wrong answer") for n in names],
                     [Measurement(n, "f", (0.0,), {"f1": 0.0}) for n in names],
                     [ErrorLabel(n, "too short", "", "d") for n in names],
                     right=dict.fromkeys(names, False))  # fmt: skip
    cause = Diagnosis(LONG, "conflict", "e", "r", (f"{LONG}.train",))
    plant(reports(project), contents(examples=rows, answers=[spoilt], added={},
                            diagnoses={("main", 2): (cause,)}))  # fmt: skip
    lines = project.inside("errors", COLUMNS=str(width)).out.splitlines()
    assert LONG in lines and "short" in lines and max(map(len, lines[:-1])) <= width
    at = lines.index(LONG)
    assert "too short" in " ".join(lines[at + 1 : at + 3])
    told = project.inside("errors", "--cause", "conflict", COLUMNS=str(width)).out.splitlines()
    assert f"{LONG}.train" in " ".join(told).split()
    shown = project.inside("why", LONG, COLUMNS=str(width)).out.splitlines()
    assert shown[0].startswith(f"{LONG}  ")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--round", "7"], "has the rounds 0, 1, 2"),
        (["--broken-by", "9"], "has the rounds 0, 1, 2"),
        (["--category", "to short"], "did you mean 'too short'?"),
        (["--slice", "kind = harder"], "did you mean 'kind = hard'?"),
        (["--cause", "conflicts"], "did you mean 'conflict'?"),
        (["plantet"], "did you mean 'planted'?"),
    ],
)
def test_what_is_unknown_is_a_usage_error_with_the_near_name(planted, arguments, message):
    found = planted.inside("errors", *arguments)
    assert found.code == 2 and message in found.err and not found.out


def test_a_known_category_that_nothing_shows_is_no_error(planted):
    (reports(planted) / "analysis.json").write_text('{"definitions": {"refusal": "it declines"}}')
    found = planted.inside("errors", "--category", "refusal")
    assert found.code == 0 and "0 of 12 answers" in found.out and "it declines" in found.out


def test_without_a_run_or_its_database(project):
    assert project.inside("errors").code == 2
    (project.folder / "reports" / "x").mkdir(parents=True)
    (project.folder / "reports" / "x" / "summary.json").write_text("{}")
    found = project.inside("errors")
    assert found.code == 2 and "no database here yet" in found.err


def test_an_older_database_is_one_message(planted):
    path = reports(planted) / "run.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP VIEW unexplained")
    found = planted.inside("errors")
    assert found.code == 4 and "unexplained" in found.err and "harness rebuild" in found.err


def test_hostile_texts_are_shown_as_text(project):
    name = f"id {HOSTILE}"
    row = Example(name, ({"role": "user", "content": HOSTILE},), (HOSTILE * 3,), "dev",
                  place=HOSTILE)  # fmt: skip
    right = {name: False}
    spoilt = Answers("main", 2, "dev", [Prediction(name, HOSTILE + "x" * 1_000_000)],
                     [Measurement(name, "f", (0.0,), {"f1": 0.0})],
                     [ErrorLabel(name, HOSTILE, HOSTILE, HOSTILE)], right=right)  # fmt: skip
    train = Example("t", ({"role": "user", "content": HOSTILE},), (HOSTILE,), place=HOSTILE)
    cause = Diagnosis(name, HOSTILE, HOSTILE, HOSTILE, ("t",))
    plant(reports(project), contents(examples=[row, train], answers=[spoilt], added={},
                            diagnoses={("main", 2): (cause,)}))  # fmt: skip
    stored = HOSTILE.replace("\x00", "\ufffd")
    for width, extra in (("80", ["--cause", stored]), ("120", ["--category", stored])):
        found = project.inside("errors", *extra, COLUMNS=width)
        assert found.code == 0, found.err
        assert not set(found.out) & set("\x1b\x07\x00\u202e\u202c")
        assert "[bold red]x[/bold red]" in found.out.replace("\n", "")
        assert len(found.out) < 20_000
    assert "\x1b" not in project.inside("errors", "--category", HOSTILE + "!").err
