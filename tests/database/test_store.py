"""The DuckDB file: whole, equal when built again, in place in one step, safe to query."""

from __future__ import annotations

import dataclasses
import errno
import functools
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness import AnnotatedRun, AnswerValues
from harness.database.columns import layout
from harness.database.contents import Answers, RescoredAnswers, RunContents
from harness.database.slices import where_sql
from harness.database.tables import TABLES
from harness.database.writing import build, query, reading, unopenable, unwritable
from harness.errors import EnvironmentFailure, UsageError
from harness.records import (
    Condition,
    Diagnosis,
    ErrorLabel,
    Example,
    Growth,
    GuardResult,
    Measurement,
    Plan,
    PlanItem,
    Prediction,
    Remark,
    RoundResult,
    Score,
    Slice,
    Verdict,
)
from harness_inspection.questions import QUESTIONS
from harness_rating.annotations import TABLES as RATING_TABLES
from harness_rating.batches.records import FOLDER
from harness_rating.tables import annotated as ratings_of
from tests.plugins.rating import people
from tests.support.waiting import LONG, threads_ended

DOCS = Path(__file__).parents[2] / "docs" / "database.md"
HOSTILE = "'; DROP TABLE raw.runs; -- \x00 \ud800 \x1b[31m [/b] <script> \u202e"
KINDS = ("class", "function", "it's")
WEAK = Slice((Condition("kind", "=", "class"), Condition("arguments", ">", 1)),
             8, 8, 0.2, 0.3, 0.1, 0.5, 0.01)  # fmt: skip
CUT = Slice((Condition("finish_reason", "=", "length"),), 4, 4, 0.1, 0.4, 0.2, 0.6, None, False)


def example(place: int) -> Example:
    return Example(
        f"row-{place:02d}",
        ({"role": "user", "content": f"What is {place}?"},),
        (f"It is {place}.", "I do not know."),
        "dev",
        f"g{place % 10}",
        {"kind": KINDS[place % 3], "arguments": place % 4, "public": place % 2 == 0},
        place=f"data.jsonl:{place + 1}",
    )


EXAMPLES = tuple(example(place) for place in range(24))


def answers(round_: int, arm: str = "main", split: str = "dev") -> Answers:
    draw = random.Random(round_)
    values = [round(draw.random(), 3) for _ in EXAMPLES]
    return Answers(
        arm, round_, split,
        [Prediction(row.id, f"Answer {round_}", "length" if place % 6 == 0 else "stop", 9, 4)
         for place, row in enumerate(EXAMPLES)],
        [
            Measurement(row.id, entry, None, {}, "it broke") if place == 5 and entry == "rouge"
            else Measurement(row.id, entry, (value,), dict.fromkeys(names, value))
            for entry, names in (("rouge", ("rouge1", "rougeL")), ("exact", ("exact",)))
            for place, (row, value) in enumerate(zip(EXAMPLES, values, strict=True))
        ],
        [ErrorLabel(row.id, "cut off", "…", "basic", "limit") for row in EXAMPLES[::6]],
        {} if split == "dev" else scores(round_),
        rescored=[RescoredAnswers(
            scores(round_),
            [Measurement(row.id, "again", (1.0,), {"rougeL": 1.0}) for row in EXAMPLES],
        )],
        right={row.id: value >= 0.5 for row, value in zip(EXAMPLES, values, strict=True)},
    )  # fmt: skip


def scores(round_: int) -> dict[str, Score]:
    return {"rougeL": Score("rougeL", 0.3 + round_ / 10, 0.2, 0.5, 23, 1, "rougeL|v:1")}


REMARKS = (Remark("one pass", "In one pass."), Remark("form", "Half of it.", {"share": 0.5}))


def result(round_: int, arm: str = "main") -> RoundResult:
    verdict = Verdict("improved" if round_ else "baseline", "round 0", 0.1, 0.02, 0.18, 0.98, 0.05,
                      f"Round {round_}.", remarks=REMARKS if round_ == 2 else ())  # fmt: skip
    plan = Plan("targeted", (PlanItem(WEAK, 8, "real rows", "gap"), PlanItem(None, 2, "real rows")))
    growth = Growth(9, {"pool": 9}, {"near dev": 2, "repeats train": 1})
    return RoundResult(
        arm, round_, 20 * round_, scores(round_), verdict, round_ == 1, {"cut off": 4},
        plan if round_ else None, growth if round_ else None,
        guards=(GuardResult("exact", verdict, "held"),) if (arm, round_) == ("main", 2) else (),
    )  # fmt: skip


@functools.cache
def said() -> dict[str, Any]:
    """What people said of rounds 0 and 3, as rows."""
    values = {("main", number, f"row-{n}"): n + number for number in (0, 3) for n in range(40)}
    with tempfile.TemporaryDirectory() as folder:
        people.rated(Path(folder) / FOLDER)
        found = ratings_of(
            AnnotatedRun(people.RUN, Path(folder), 0.95, lambda: AnswerValues({"rougeL": values}))
        )
    return annotated(found.tables)


def annotated(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of ratings with their layouts, as the reports hand them over."""
    return {name: (layout(*of), rows.get(name, ())) for name, of in RATING_TABLES.items()}


def contents(**changes: Any) -> RunContents:
    added = [
        Example(f"new-{n}", ({"role": "user", "content": "q"},), ("a",), parent="row-00",
                origin={"by": "pool", "round": 1, "slice": "kind = class"})
        for n in range(3)
    ]  # fmt: skip
    full = RunContents(
        run="run-1", primary="rougeL", kept_round=1,
        config={"seed": 7, "train": {"lr": 3e-4}}, facts={"model": "tiny"},
        arms={"main": {}, "random": {"augment": {"control": "random"}}},
        rounds=(result(0), result(1), result(2), result(1, "random")),
        examples=EXAMPLES, answers=(answers(0), answers(1), answers(2), answers(1, "random")),
        added={"main": added}, slices={("main", 1): (CUT, WEAK)},
        diagnoses={("main", 1): (Diagnosis("row-01", "gap", "far", "add rows", ("t",)),)},
        logs={("main", 1): [{"step": 1, "epoch": 0.5, "loss": 2.0}, {"step": 1, "eval_loss": 1.9}]},
        annotations=said(),
    )  # fmt: skip
    return dataclasses.replace(full, **changes)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "run.duckdb"
    build(path, contents())
    return path


@pytest.fixture
def path(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path))


def one(path: Path, sql: str) -> Any:
    return query(path, sql).rows[0][0]


def everything(path: Path) -> dict[str, Any]:
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return {name: connection.execute(f"FROM {name}").fetchall() for (name,) in names}


_IN_A_NOTEBOOK = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
config.IPKernelApp.connection_file = ""  # by which DuckDB knows the kernel of a notebook
sys.modules["ipywidgets"] = None
InteractiveShell.instance(config=config, ipython_dir=sys.argv[2])
import duckdb
from pathlib import Path
from harness import query
try:
    duckdb.connect().execute("SET enable_progress_bar = false")
except duckdb.InvalidInputException:
    print(query(Path(sys.argv[1]), "SELECT count(*) > 0 FROM rounds").rows)
"""


def test_a_notebook_that_can_draw_no_bar_may_ask(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("IPython", reason="IPython is not installed: pip install -e '.[dev]'")
    command = [sys.executable, "-c", _IN_A_NOTEBOOK, str(path), str(tmp_path / "ipython")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "((True,),)\n", done.stderr


def test_every_record_arrives(path: Path) -> None:
    counts = {name: len(rows) for name, rows in everything(path).items()}
    assert counts == {
        "runs": 1, "arms": 2, "rounds": 4, "scores": 4, "examples": 24, "added": 3,
        "predictions": 96, "example_scores": 4 * 24 * 3, "errors": 16, "slices": 2, "plans": 6,
        "filters": 6, "training": 1, "rescores": 4, "example_rescores": 96,
        "outcomes": 96, "diagnoses": 1, "guards": 1, "remarks": 2,
        "slice_members": 8,
        **{name: len(rows) for name, (_, rows) in said().items()},
    }  # fmt: skip


def test_a_remark_on_a_verdict_has_a_row_of_its_own(path: Path) -> None:
    sql = "SELECT round, position, what, sentence, CAST(figures->'$.share' AS DOUBLE) FROM remarks"
    assert query(path, sql).rows == (
        (2, 0, "one pass", "In one pass.", None),
        (2, 1, "form", "Half of it.", 0.5),
    )
    assert one(path, "SELECT sentence FROM rounds WHERE round = 2") == "Round 2."


def test_values(path: Path) -> None:
    assert one(path, "SELECT config->>'$.train.lr' FROM runs") == "0.0003"
    assert query(path, "SELECT score, label, kept, added FROM rounds WHERE round = 1").rows == (
        (0.4, "improved", True, 9), (0.4, "improved", True, 9),
    )  # fmt: skip
    assert one(path, "SELECT all_references[2] FROM examples LIMIT 1") == "I do not know."
    assert query(path, "SELECT step, epoch, loss, eval_loss FROM training").rows == (
        (1, 0.5, 2.0, 1.9),
    )  # fmt: skip
    assert query(path, "SELECT slice, rows FROM plans WHERE arm = 'random'").rows == (
        ("kind = class and arguments > 1", 8), ("everywhere", 2),
    )  # fmt: skip
    assert query(path, "SELECT made_by, slice, parent FROM added LIMIT 1").rows == (
        ("pool", "kind = class", "row-00"),
    )  # fmt: skip


def judged(*courses: str) -> RunContents:
    """Rounds in which row k is right (r), wrong (w) or cannot be judged (-)."""
    marks = {"r": True, "w": False, "-": None}
    rows = [f"row-{place:02d}" for place in range(len(courses))]
    found = [
        dataclasses.replace(
            answers(number),
            right={row: marks[course[number]] for row, course in zip(rows, courses, strict=True)},
        )
        for number in range(len(courses[0]))
    ]
    return contents(answers=found, rounds=[result(n) for n in range(len(found))])


def test_the_ledger_tells_what_became_of_each_row(tmp_path: Path) -> None:
    courses = {
        "wwr": "fixed", "rrw": "broken", "rrr": "always right", "www": "never right",
        "wrw": "flickering", "rwr": "flickering", "w-r": "fixed", "-rr": "always right",
        "---": None,
    }  # fmt: skip
    build(tmp_path / "r.duckdb", judged(*courses))
    rows = query(tmp_path / "r.duckdb", "SELECT id, kind FROM ledger WHERE arm = 'main'").rows
    found = dict(rows)
    assert [found.get(f"row-{place:02d}") for place in range(len(courses))] == list(
        courses.values()
    )


def test_changes_are_against_the_round_that_the_verdict_names(tmp_path: Path) -> None:
    build(tmp_path / "r.duckdb", judged("wrr", "rrw", "rww", "w-r"))
    rows = query(
        tmp_path / "r.duckdb", "SELECT round, against, id, kind FROM changes ORDER BY ALL"
    ).rows
    assert rows == (
        (1, 0, "row-00", "fixed"), (1, 0, "row-02", "broken"),
        (2, 0, "row-00", "fixed"), (2, 0, "row-01", "broken"),
        (2, 0, "row-02", "broken"), (2, 0, "row-03", "fixed"),
    )  # fmt: skip


def test_the_views_on_errors_and_slices(path: Path) -> None:
    members = query(path, "SELECT slice, count(*) FROM slice_members GROUP BY ALL ORDER BY ALL")
    assert [count for _, count in members.rows] == [4, 4]
    assert query(path, "SELECT slice, answers FROM errors_by_slice WHERE category = 'cut off'").rows
    wrong = one(path, "SELECT count(*) FROM outcomes WHERE NOT is_right AND split = 'dev'")
    labelled = one(
        path,
        "SELECT count(*) FROM outcomes o SEMI JOIN errors e USING (arm, round, split, id) "
        "WHERE NOT is_right",
    )
    assert one(path, "SELECT count(*) FROM unexplained") == wrong - labelled
    assert one(path, "SELECT count(*) FROM lineage WHERE parent_split = 'dev'") == 3


def test_ratings_arrive_as_they_are(path: Path) -> None:
    for name, (table, rows) in said().items():
        columns = table.columns
        there = sorted(query(path, f"FROM {name}").rows, key=repr)
        assert there == tuple_rows(rows, columns), name
    assert one(path, "SELECT rounds FROM batches WHERE rubric = 'small'") == [0, 3]


def tuple_rows(rows: Any, columns: Any) -> list[Any]:
    return sorted((tuple(row[column] for column in columns) for row in rows), key=repr)


def rating(example: str, value: Any, **changes: Any) -> dict[str, Any]:
    """A row of what people said, in which a kind of error is named."""
    return {
        "batch": "b-1", "rubric": "r", "version": 1, "arm": "main", "round": 1, "split": "dev",
        "example_id": example, "item": example, "repeat": False, "rater": "ana",
        "settled": False, "criterion": "errors", "scale": "choices",
        "use_as": "error_category", "judged": True, "value_text": value, "value_number": None,
        "against": None, "rated_at": "2026", **changes,
    }  # fmt: skip


def test_hostile_ratings_are_stored_as_text(tmp_path: Path) -> None:
    rows = [rating(HOSTILE, HOSTILE, rater=HOSTILE, scale="choice", arm=HOSTILE)]
    named = {"arm": "main", "round": 1, "split": "dev", "category": HOSTILE}
    named |= {"answers": 1, "rated": 1}
    build(
        tmp_path / "r.duckdb",
        contents(annotations=annotated({"ratings": rows, "named_errors": [named]})),
    )
    clean = HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert one(tmp_path / "r.duckdb", "SELECT value_text FROM ratings") == clean
    assert one(tmp_path / "r.duckdb", "SELECT category FROM named_errors") == clean


def test_not_scored_is_null_with_its_reason(path: Path) -> None:
    rows = query(
        path, "SELECT name, value, error FROM example_scores WHERE id = 'row-05' AND round = 0"
    ).rows
    assert [row[0] for row in rows] == ["exact", "rouge1", "rougeL"]
    assert rows[0][1] is not None and rows[0][2] is None
    assert rows[1][1:] == rows[2][1:] == (None, "it broke")


def test_an_entry_that_scored_nothing_is_shown_under_its_own_name(tmp_path: Path) -> None:
    broken = Answers("main", 0, "dev", (), [Measurement("a", "mine", None, {}, "boom")])
    build(tmp_path / "r.duckdb", contents(answers=(broken,)))
    assert query(tmp_path / "r.duckdb", "SELECT name, value, error FROM example_scores").rows == (
        ("mine", None, "boom"),
    )  # fmt: skip


def test_test_scores_come_with_their_answers(tmp_path: Path) -> None:
    build(tmp_path / "r.duckdb", contents(answers=(answers(1, split="test"),)))
    found = query(tmp_path / "r.duckdb", "SELECT round, value FROM scores WHERE split = 'test'")
    assert found.rows == ((1, 0.4),)


def test_any_order_of_records_gives_the_same_answers(path: Path, tmp_path: Path) -> None:
    draw = random.Random(1)

    def mixed(items: Any) -> list[Any]:
        return draw.sample(list(items), len(items))

    full = contents()
    shuffled = [
        dataclasses.replace(
            a, predictions=mixed(a.predictions), measurements=mixed(a.measurements),
            labels=mixed(a.labels),
        )
        for a in mixed(full.answers)
    ]  # fmt: skip
    build(
        tmp_path / "again.duckdb",
        contents(answers=shuffled, rounds=mixed(full.rounds), examples=mixed(full.examples)),
    )
    assert everything(tmp_path / "again.duckdb") == everything(path)


def test_a_slice_can_be_queried_by_its_condition(path: Path) -> None:
    for found, n in ((WEAK, 4), (CUT, 4)):
        stored = one(path, f"SELECT where_sql FROM slices WHERE slice = '{found.words}'")
        assert stored == where_sql(found)
        joined = "FROM examples JOIN predictions USING (id, split) WHERE arm = 'main' AND round = 1"
        assert one(path, f"SELECT count(*) {joined} AND {stored}") == n


@pytest.mark.parametrize(
    ("condition", "n"),
    [
        (Condition("kind", "=", "it's"), 8),
        (Condition("public", "=", True), 12),
        (Condition("arguments", "<=", 0.5), 6),
        (Condition("arguments", "=", 3), 6),
        (Condition("prompt_words", ">", 3), 0),
        (Condition('odd "name', "=", "x"), 0),
        (Condition("missing", ">", 1), 0),
    ],
)
def test_conditions_as_sql(path: Path, condition: Condition, n: int) -> None:
    sql = where_sql(Slice((condition,), 1, 1, None, None, None, None))
    assert one(path, f"SELECT count(*) FROM examples WHERE {sql}") == n


def test_hostile_text_is_stored_as_text(tmp_path: Path) -> None:
    row = Example(HOSTILE, ({"role": "user", "content": HOSTILE * 10_000},), (HOSTILE,), "dev",
                  HOSTILE, {HOSTILE: HOSTILE, "bad": float("nan")}, place=HOSTILE)  # fmt: skip
    spoilt = Answers(
        "main", 0, "dev", [Prediction(HOSTILE, "x" * 1_000_000 + HOSTILE, HOSTILE)],
        [Measurement(HOSTILE, "m", (1.0,), {"m": float("nan"), "i": float("inf")}, HOSTILE)],
        [ErrorLabel(HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
    )  # fmt: skip
    slices = (Slice((Condition(HOSTILE, "=", HOSTILE),), 1, 1, float("nan"), 0.1, None, None),)
    database = tmp_path / "r.duckdb"
    build(database, contents(
        run=HOSTILE, config={"a": HOSTILE, "b": [float("inf")]}, examples=(row,),
        answers=(spoilt,), slices={("main", 0): slices},
        logs={("main", 1): [{"step": 1, "loss": float("nan")}, {"loss": 1.0}]},
    ))  # fmt: skip
    clean = HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert one(database, "SELECT run FROM runs") == clean
    assert one(database, "SELECT config->>'a' FROM runs") == clean
    assert one(database, "SELECT id FROM examples") == clean
    assert one(database, "SELECT length(text) FROM predictions") == 1_000_000 + len(clean)
    assert one(database, "SELECT sum(value) FROM example_scores") is None
    assert one(database, "SELECT sum(score) FROM slices") is None
    assert one(database, "SELECT loss FROM training") is None
    where = one(database, "SELECT where_sql FROM slices")
    assert one(database, f"SELECT count(*) FROM examples WHERE {where}") in (0, 1)


@pytest.mark.nightly
def test_a_reader_is_not_disturbed_by_a_new_build(path: Path) -> None:
    reader = duckdb.connect(str(path), read_only=True)
    before = reader.execute("SELECT count(*) FROM rounds").fetchall()
    build(path, contents(rounds=(result(0),)))
    assert reader.execute("SELECT count(*) FROM rounds").fetchall() == before == [(4,)]
    reader.close()
    assert one(path, "SELECT count(*) FROM rounds") == 1


def test_a_failed_build_leaves_the_old_file_and_nothing_else(path: Path) -> None:
    def broken() -> Any:
        yield EXAMPLES[0]
        raise RuntimeError("the records end here")

    with pytest.raises(Exception, match="the records end here"):
        build(path, contents(examples=broken()))
    assert one(path, "SELECT count(*) FROM examples") == 24
    assert [entry.name for entry in path.parent.iterdir()] == ["run.duckdb"]


@pytest.mark.nightly
def test_what_a_killed_build_left_is_removed(path: Path) -> None:
    (path.parent / ".run.duckdb.123.tmp").write_bytes(b"half")
    (path.parent / ".run.duckdb.123.tmp.wal").write_bytes(b"half")
    (path.parent / ".run.duckdb.123.tmp.tmp").mkdir()
    build(path, contents())
    assert [entry.name for entry in path.parent.iterdir()] == ["run.duckdb"]


KILLED = """
import sys, time
from pathlib import Path
from harness.records import Example
from harness.database.contents import RunContents
from harness.database.writing import unopenable, unwritable
from harness.database.writing import build

def rows():
    yield from (Example(str(n), ({"role": "user", "content": "q"},)) for n in range(20_000))
    print("half way", flush=True)
    time.sleep(60)

build(Path(sys.argv[1]), RunContents("r", "f1", 0, examples=rows()))
"""


@pytest.mark.nightly
def test_a_killed_build_leaves_the_old_file_whole(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout
    with child.stdout:
        assert child.stdout.readline() == b"half way\n"
        child.kill()
        child.wait()
    assert len(list(path.parent.iterdir())) > 1
    assert one(path, "SELECT count(*) FROM examples") == 24
    build(path, contents())
    assert [entry.name for entry in path.parent.iterdir()] == ["run.duckdb"]


@pytest.mark.nightly
def test_a_folder_in_the_way_is_an_error_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "r.duckdb").mkdir()
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        build(tmp_path / "r.duckdb", contents())


def test_queries_read_only_this_file(path: Path, tmp_path: Path) -> None:
    outside = tmp_path / "x.csv"
    outside.write_text("a\n1\n")
    for sql in (
        "DELETE FROM raw.runs", "CREATE TABLE t (a INT)", f"FROM '{outside}'",
        f"COPY runs TO '{outside}'", f"ATTACH '{tmp_path / 'y.duckdb'}'",
        "SET enable_external_access = true", "SELEC 1", "FROM nowhere",
    ):  # fmt: skip
        with pytest.raises(UsageError):
            query(path, sql)
    assert outside.read_text() == "a\n1\n"


def test_a_query_has_a_time_limit_and_a_row_limit(path: Path) -> None:
    with threads_ended():
        with pytest.raises(UsageError, match=r"longer than 0\.2 s"):
            query(path, "SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, "
                  "range(1000000) b", limit_seconds=0.2)  # fmt: skip
        table = query(path, "SELECT id FROM examples", limit_rows=2)
        assert (table.columns, table.rows, table.cut) == (("id",), (("row-00",), ("row-01",)), True)
        assert not query(path, "SELECT id FROM examples", limit_rows=24).cut


@pytest.mark.parametrize("nothing", ["", ";", " ; -- only a remark"])
def test_no_query_is_told(path: Path, nothing: str) -> None:
    with pytest.raises(UsageError):
        query(path, nothing)


def test_no_file_and_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no database here"):
        query(tmp_path / "none.duckdb", "SELECT 1")
    with pytest.raises(UsageError, match="a folder"):  # whoever is told to delete it loses a run
        query(tmp_path, "SELECT 1")
    (tmp_path / "bad.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(EnvironmentFailure, match="cannot be opened"):
        query(tmp_path / "bad.duckdb", "SELECT 1")


@pytest.mark.nightly
def test_a_database_that_lost_its_end_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "r.duckdb"
    rows = (Example(f"e{n}", ({"role": "user", "content": str(n) * 900},)) for n in range(5000))
    build(path, RunContents("r", "f1", 0, examples=tuple(rows)))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)
    with pytest.raises(EnvironmentFailure, match="damaged") as failure:
        query(path, "SELECT max(prompt) FROM examples")
    assert "delete it" in (failure.value.hint or "")


def test_one_reading_sees_one_state_and_survives_a_wrong_question(path: Path) -> None:
    with reading(path) as ask:
        before = ask("SELECT run, kept_round FROM runs")
        with pytest.raises(UsageError, match="nowhere"):
            ask("FROM nowhere")
        build(path, contents(kept_round=0))
        assert ask("SELECT run, kept_round FROM runs") == before
        assert ask("FROM range(9)", limit_rows=2).cut
    assert one(path, "SELECT kept_round FROM runs") == 0
    with reading(path, spare=True) as ask:
        for sql in ("FROM read_text('pyproject.toml')", "SET memory_limit = '9GB'"):
            with pytest.raises(UsageError):
                ask(sql)
        assert ask("SELECT current_setting('temp_directory')").rows == (("",),)


def test_an_empty_run_has_every_view(tmp_path: Path) -> None:
    build(tmp_path / "r.duckdb", RunContents("r", "f1", 0))
    assert {name: len(rows) for name, rows in everything(tmp_path / "r.duckdb").items()} == {
        name: int(name in ("runs", "arms")) for name in TABLES
    }


def test_every_view_and_column_is_documented(path: Path) -> None:
    page = DOCS.read_text(encoding="utf-8")
    holds, every = page.partition("\n## Views\n")[2].split("\n## Every column\n")
    named = set(re.findall(r"`(\w+)`", holds.partition("\n## ")[0]))
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", every, re.MULTILINE)
    views = query(path, "SELECT view_name FROM duckdb_views() WHERE NOT internal").rows
    assert set(dict(rows)) == {name for (name,) in views} <= named
    for name, columns in rows:
        described = query(path, f"DESCRIBE {name}").rows
        assert columns == ", ".join(f"`{column}` {kind}" for column, kind, *_ in described), name


def test_the_ready_questions_find_something(path: Path) -> None:
    queries = list(QUESTIONS.values())
    # A run with a baseline: the base model under another prompt, which is of round 0, too.
    full = contents()
    arms = {**full.arms, "baseline shots": {}}
    beside = answers(0, "baseline shots")
    build(path, contents(arms=arms, answers=(*full.answers, beside)))
    for sql in queries:
        assert query(path, sql).rows, sql


def test_no_raw_text_of_the_database_library_reaches_people():
    for raw, words in [
        (
            duckdb.IOException('Could not write file "x.tmp.wal": No space left on device'),
            "the disk is full",
        ),
        (duckdb.TransactionException("Failed to commit: File too large"), "ulimit -f"),
        (duckdb.OutOfMemoryException("Failed to allocate block: bad allocation"), "memory"),
        (duckdb.IOException("Conflicting lock is held in python (PID 123)"), "process 123"),
        (duckdb.InternalException("Assertion triggered in file x.cpp"), "refuses it"),
        (OSError(errno.EIO, "Input/output error"), "input/output error"),
        (MemoryError(), "the memory is not enough"),
    ]:
        for trouble in (unwritable, unopenable):
            text = str(trouble(Path("run.duckdb"), raw))
            assert words in text and ".wal" not in text and ".cpp" not in text, raw


def test_the_database_library_never_writes_to_standard_output(built):
    script = (
        "import sys; from pathlib import Path; from harness.database.writing import reading\n"
        "with reading(Path(sys.argv[1])) as ask:\n"
        "    print(ask(\"SELECT current_setting('enable_progress_bar')\").rows)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(built)], capture_output=True, text=True, timeout=LONG
    )
    assert done.stdout == "((False,),)\n", done.stderr
