"""Which fields of a file are texts, ids and facts, and what is wrong with them is said.

What the files themselves may be: tests/kit/readers/test_files.py.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import strategies as st
from pyarrow import parquet

from harness.errors import DataError, HarnessError, UsageError
from harness_score import sources
from harness_score.tables import Table, read_predictions, read_references

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, content: str | bytes) -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def columns(name: str, **values: Any) -> str:
    parquet.write_table(pa.table(values), name)
    return name


def texts(table: Table) -> list[tuple[str, ...]]:
    return [row.texts for row in table.rows]


def refusal(read: Any, *args: Any, kind: type[HarnessError] = DataError) -> HarnessError:
    with pytest.raises(kind) as caught:
        read(*args)
    assert type(caught.value) is kind
    return caught.value


# What a file gives


def test_json_lines(folder: Path) -> None:
    row = {
        "id": 7,
        "text": "a",
        "n": 1,
        "ok": True,
        "x": None,
        "l": [1],
        "meta": {"k": "v", "o": {}},
    }
    table = read_predictions(
        write("out.jsonl", "\ufeff" + lines(row) + "\n  \n" + lines({"id": "8", "text": ""}))
    )
    assert table.name == "out.jsonl" and table.ids
    first, second = table.rows
    assert (first.id, first.texts, first.place) == ("7", ("a",), "out.jsonl:1")
    assert first.meta == {"k": "v", "n": 1, "ok": True, "x": None}
    assert (second.id, second.texts, second.meta, second.place) == ("8", ("",), {}, "out.jsonl:4")


def test_a_table_goes_to_another_process(folder: Path) -> None:
    table = read_predictions(write("out.jsonl", lines({"id": 1, "text": "a", "n": 1})))
    assert pickle.loads(pickle.dumps(table)) == table


def test_fields_beat_meta_and_the_field_of_the_text_is_no_meta(folder: Path) -> None:
    row = {"prediction": "p", "group": "outer", "meta": {"group": "inner", "k": 1}}
    assert read_predictions(write("o.ndjson", lines(row))).rows[0].meta == {
        "group": "outer",
        "k": 1,
    }
    named = read_predictions("o.ndjson:group").rows[0]
    assert named.texts == ("outer",) and named.meta == {"group": "inner", "k": 1, "prediction": "p"}


@pytest.mark.parametrize(
    ("row", "source", "found"),
    [
        ({"text": "t", "prediction": "p", "other": "o"}, "o.jsonl", "t"),
        ({"prediction": "p", "other": "o"}, "o.jsonl", "p"),
        ({"text": "t", "prediction": "p", "other": "o"}, "o.jsonl:other", "o"),
        ({"text": "t", "a:b": "odd"}, "./o.jsonl", "t"),
        ({"prompt": "q", "predict": "p", "label": "l"}, "o.jsonl", "p"),
        ({"question": "q", "response": "r"}, "o.jsonl", "r"),
        ({"instruction": "i", "input": "", "output": "o"}, "o.jsonl", "o"),
        ({"prompt": "q", "completion": "c"}, "o.jsonl", "c"),
        ({"answer": "a"}, "o.jsonl", "a"),
        ({"generated_text": "g"}, "o.jsonl", "g"),
        ({"prediction": "p", "answer": "gold"}, "o.jsonl", "p"),
    ],
)
def test_which_field_is_the_prediction(folder: Path, row: Any, source: str, found: str) -> None:
    write("o.jsonl", lines(row))
    assert texts(read_predictions(source)) == [(found,)]


TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"references": ["a", "b"]}, ("a", "b")),
        ({"references": "a"}, ("a",)),
        ({"references": []}, ()),
        ({"references": None}, ()),
        ({"references": [""]}, ("",)),
        ({"reference": "a", "text": "t"}, ("a",)),
        ({"reference": ["a", "b"]}, ("a", "b")),
        ({"text": "t"}, ("t",)),
        ({"messages": TURNS[:1], "references": ["r"], "text": "t"}, ("r",)),
        ({"messages": TURNS, "text": "no answer"}, ("a",)),
        ({"prompt": "q", "predict": "p", "label": "l"}, ("l",)),
        ({"label": "l", "text": "t"}, ("t",)),
    ],
)
def test_which_field_has_the_references(folder: Path, row: Any, found: tuple[str, ...]) -> None:
    assert texts(read_references(write("r.jsonl", lines(row)))) == [found]


def test_the_shipped_data_set_is_a_file_of_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])
    table = read_references("datasets/support-billing/dev.jsonl")
    raw = Path("datasets/support-billing/dev.jsonl").read_text(encoding="utf-8").split("\n")
    first = json.loads(raw[0])
    assert len(table.rows) == len(raw) - 1
    assert table.rows[0].texts == tuple(first["references"])
    assert table.rows[0].meta == {**first["meta"], "split": "dev", "group": first["group"]}


def test_rows_of_a_data_set_may_mix_references_and_last_turns(folder: Path) -> None:
    rows = {"messages": TURNS[:1], "references": ["r", "s"]}, {"messages": TURNS}
    assert texts(read_references(write("r.jsonl", lines(*rows)))) == [("r", "s"), ("a",)]
    assert texts(read_references(write("s.jsonl", lines(*rows[::-1])))) == [("a",), ("r", "s")]


def test_json_arrays(folder: Path) -> None:
    table = read_predictions(
        write("o.json", json.dumps([{"id": 1, "text": "a\nb"}, {"id": 2, "text": "c"}], indent=2))
    )
    assert [(row.id, row.texts, row.place) for row in table.rows] == [
        ("1", ("a\nb",), "o.json:1"),
        ("2", ("c",), "o.json:2"),
    ]
    assert texts(read_references(write("r.json", '["a", "b\\u2028c"]'))) == [("a",), ("b\u2028c",)]
    assert texts(read_references(write("l.json", lines({"text": "a"}, {"text": "b"})))) == [
        ("a",),
        ("b",),
    ]


def test_csv_cells_are_kept_whatever_is_in_them(folder: Path) -> None:
    content = '\ufeffid,text,lang\r\n7,"two\r\nlines, ""quoted""",de\r\n\r\n8,,en\r\n'
    table = read_predictions(write("o.csv", content))
    assert [(row.id, row.texts, row.meta, row.place) for row in table.rows] == [
        ("7", ('two\r\nlines, "quoted"',), {"lang": "de"}, "o.csv:2"),
        ("8", ("",), {"lang": "en"}, "o.csv:5"),
    ]
    assert texts(read_references("o.csv:lang")) == [("de",), ("en",)]


def test_parquet(folder: Path) -> None:
    columns(
        "o.parquet",
        id=pa.array([1, 2], pa.int32()),
        answer=pa.array(["a", ""], pa.large_string()),
        kind=pa.array(["x", "x"]).dictionary_encode(),
        score=[0.5, float("nan")],
        vector=[[1.0], [2.0]],
        raw=[b"\xff", b""],
    )
    table = read_predictions("o.parquet:answer")
    assert table.name == "o.parquet:answer"
    assert [(row.id, row.texts, row.meta, row.place) for row in table.rows] == [
        ("1", ("a",), {"kind": "x", "score": 0.5}, "o.parquet:1"),
        ("2", ("",), {"kind": "x", "score": None}, "o.parquet:2"),
    ]
    assert texts(read_predictions("o.parquet:kind")) == [("x",), ("x",)]


@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.large_list(pa.large_string())], ids=str)
def test_parquet_references(folder: Path, kind: pa.DataType) -> None:
    columns("r.parquet", references=pa.array([["a", "b"], [], None], kind), meta=[{"k": 1}] * 3)
    table = read_references("r.parquet")
    assert texts(table) == [("a", "b"), (), ()]
    assert table.rows[0].meta == {"k": 1}


def test_lists_that_a_metric_reads_are_kept_as_json(folder: Path) -> None:
    record = {"id": "1", "reference": "a", "tests": ["x", "y"], "others": ["z"]}
    Path("r.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    columns("r.parquet", **{name: [value] for name, value in record.items()})
    for name in ("r.jsonl", "r.parquet"):
        assert read_references(name, nested=["tests"]).rows[0].meta == {"tests": '["x", "y"]'}
        assert read_references(name).rows[0].meta == {}


def test_a_data_set_in_parquet(folder: Path) -> None:
    columns("r.parquet", messages=[TURNS])
    assert texts(read_references("r.parquet")) == [("a",)]


def test_a_parquet_column_with_a_dot_and_more_rows_than_a_batch(folder: Path) -> None:
    values = [f"t{n}" for n in range(20_000)]
    columns("o.parquet", **{"a.b": values, "a": [{"b": 1}] * 20_000})
    table = read_predictions("o.parquet:a.b")
    assert [row.texts[0] for row in table.rows] == values
    assert table.rows[-1].place == "o.parquet:20000"


def test_a_path_that_exists_whole_beats_a_column(folder: Path) -> None:
    write("a", "no\n")
    write("a:b.txt", "yes\n")
    assert texts(read_predictions("a:b.txt")) == [("yes",)]
    write("x:y.jsonl", lines({"t": "deep", "text": "t"}))
    assert texts(read_predictions("x:y.jsonl:t")) == [("deep",)]


def test_standard_input() -> None:
    for content, source, found in [
        (lines({"text": "a"}), "-", [("a",)]),
        ("\n" + lines({"text": "a", "o": "b"}), "-:o", [("b",)]),
        ("plain\n{not json\n", "-", [("plain",), ("{not json",)]),
        ("{a set}\n", "-", [("{a set}",)]),
        ("[1]\n", "-", [("[1]",)]),
    ]:
        table = read_predictions(source, io.BytesIO(content.encode()))
        assert texts(table) == found, content
        assert table.name == "standard input" + source[1:], content
        assert table.rows[0].place.startswith("standard input:"), content


def test_the_process_s_own_standard_input_and_pipes() -> None:
    code = (
        "import sys; from harness_score.tables import *\nprint(read_predictions(sys.argv[1]).rows)"
    )
    for name in ("-", "/dev/stdin"):
        done = subprocess.run(
            [sys.executable, "-c", code, name],
            input=lines({"id": 1, "text": "ä"}), capture_output=True, text=True, check=True,
            encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"},
        )  # fmt: skip
        assert "texts=('ä',)" in done.stdout


# What is wrong with a file

GOOD = {"id": 1, "text": "a"}


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"id": 2, "text": None}, "`text` is null, not a text"),
        ({"id": 2, "text": 3.5}, "`text` is the number 3.5, not a text"),
        ({"id": 2, "text": True}, "`text` is true, not a text"),
        ({"id": 2, "text": ["a"]}, "`text` is a list, not a text"),
        ({"id": 2, "text": {}}, "`text` is an object, not a text"),
        ({"id": 2, "prediction": "a"}, "no field `text`; there are `id`, `prediction`"),
        ({"id": 1.0, "text": "a"}, "the `id` is the number 1.0, not a text or a whole number"),
        ({"id": None, "text": "a"}, "the `id` is null, not a text or a whole number"),
        ({"id": False, "text": "a"}, "the `id` is false, not a text or a whole number"),
        ({"id": " ", "text": "a"}, "the `id` is blank"),
        ({"text": "a"}, "no `id`, though the first row has one"),
    ],
)
def test_a_row_that_cannot_be_used(folder: Path, second: Any, said: str) -> None:
    error = refusal(read_predictions, write("o.jsonl", lines(GOOD, second)))
    assert (error.what, error.where, error.exit_code) == (said, "o.jsonl:2", 4)
    assert error.hint


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([["a"]], "number 1 of `references` is a list, not a text: the list is nested too deeply"),
        (["a", None], "number 2 of `references` is null, not a text"),
        (["a", 2], "number 2 of `references` is the number 2, not a text"),
        (3, "`references` is the number 3, not a text or a list of texts"),
        ({"a": "b"}, "`references` is an object, not a text or a list of texts"),
    ],
)
def test_references_that_are_no_texts(folder: Path, value: Any, said: str) -> None:
    rows = {"references": ["fine"]}, {"references": value}
    error = refusal(read_references, write("r.jsonl", lines(*rows)))
    assert (error.what, error.where) == (said, "r.jsonl:2")
    assert "list of texts" in error.hint


def test_a_row_without_the_column_that_is_named_has_no_reference(folder: Path) -> None:
    name = write("r.jsonl", lines({"references": ["fine"]}, {"answer": "so"}))
    assert texts(read_references(f"{name}:references")) == [("fine",), ()]
    assert refusal(read_references, name).where == "r.jsonl:2"


def test_a_list_that_became_a_text_is_not_scored_as_one(folder: Path) -> None:
    for cell in ("['a', 'b']", '["a"]'):
        with Path("r.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([["references"], [cell]])
        error = refusal(read_references, "r.csv")
        assert error.what == "`references` is a text that looks like a list of texts"
        assert "r.csv:references" in error.hint
        assert texts(read_references("r.csv:references")) == [(cell,)]
    assert texts(read_references(write("q.csv", "references\n[sic]\n"))) == [("[sic]",)]


def test_a_data_set_row_without_an_answer(folder: Path) -> None:
    rows = {"messages": TURNS}, {"messages": TURNS[:1]}, {"messages": []}
    (detail,) = refusal(read_references, write("r.jsonl", lines(*rows))).details
    assert detail.startswith("r.jsonl:2: no `references`, and the last of `messages` is no answer")
    assert detail.endswith("(2 times; also r.jsonl:3)")


def test_a_row_is_one_problem_however_much_is_wrong_with_it(folder: Path) -> None:
    error = refusal(read_predictions, write("o.jsonl", lines(GOOD, {"id": None, "text": None})))
    assert (error.what, error.where) == ("`text` is null, not a text", "o.jsonl:2")


@pytest.mark.parametrize("name", ["o.jsonl", "o.json", "o.csv", "o.tsv", "o.parquet", "o.txt", "o"])
def test_an_empty_file(folder: Path, name: str) -> None:
    for read in (read_predictions, read_references):
        error = refusal(read, write(name, b""))
        assert error.what == "the file is empty" and error.where == name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.jsonl", " \n\n"), ("o.json", "[]"), ("o.json", "\n"), ("o.csv", "id,text\n"),
        ("o.csv", "\n\n"), ("o.csv", "text\n\n\n"), ("o.txt", "\n"), ("o.txt", " \n\t\n"),
        ("o.txt", "\ufeff"),
    ],
)  # fmt: skip
def test_no_rows_at_all(folder: Path, name: str, content: str) -> None:
    error = refusal(read_predictions, write(name, content))
    assert error.what.startswith("no rows at all") and error.where == name and error.hint


def test_a_parquet_file_without_rows(folder: Path) -> None:
    error = refusal(read_predictions, columns("o.parquet", text=pa.array([], pa.string())))
    assert error.what == "no rows at all: the table is empty"


def test_texts_may_contain_nul(folder: Path) -> None:
    assert texts(read_predictions(write("o.txt", "\0" * 40 + "a\n"))) == [("\0" * 40 + "a",)]


def test_a_folder(folder: Path) -> None:
    Path("o.parquet").mkdir()
    error = refusal(read_predictions, "o.parquet:text")
    assert "a folder, not a file" in error.what and error.where == "o.parquet"


def test_a_folder_as_standard_input(folder: Path) -> None:
    class Folder(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            return Path(".").read_bytes()  # what a folder behind `<` answers

    error = refusal(read_predictions, "-", Folder())
    assert "a folder" in error.what and error.where == "standard input"


def test_files_that_are_not_there(folder: Path) -> None:
    write("outputs.jsonl", lines(GOOD))
    error = refusal(read_predictions, "output.jsonl")
    assert "no such file, did you mean 'outputs.jsonl'?" in error.what
    assert error.where == "output.jsonl"
    error = refusal(read_predictions, "output.jsonl:text")
    assert "did you mean 'outputs.jsonl'?" in error.what and error.where == "output.jsonl"
    error = refusal(read_predictions, "runs/out.jsonl")
    assert "its folder does not exist" in error.what
    error = refusal(read_predictions, "odd:outputs.jsonl")
    assert error.where == "odd:outputs.jsonl"
    for odd in ("nul\0", "outputs.jsonl/x", "outputs.jsonl/x:text", ""):
        assert "no such file" in refusal(read_predictions, odd).what
    assert "too long" in refusal(read_predictions, "x" * 5000).what


@pytest.mark.parametrize("source", ["o.jsonl:", ":text", ":"])
def test_half_a_source_is_a_wrong_command_line(folder: Path, source: str) -> None:
    write("o.jsonl", lines(GOOD))
    assert "names no" in refusal(read_predictions, source, kind=UsageError).what


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    write("o.txt", "a\n")
    if os.geteuid() == 0:  # root may read everything, but not this
        error = refusal(read_predictions, "/proc/self/mem")
        assert error.what == "it cannot be read: input/output error"
    else:
        Path("o.txt").chmod(0)
        error = refusal(read_predictions, "o.txt")
        assert error.what == "it cannot be read: permission denied" and "permissions" in error.hint


def test_texts_in_parquet_that_are_no_texts(folder: Path) -> None:
    columns("o.parquet", text=[1.5, float("nan"), None], raw=[b"a", b"\xff", b"c"], id=[1, 2, 3])
    error = refusal(read_predictions, "o.parquet")
    assert error.details == (
        "o.parquet:1: `text` is the number 1.5, not a text",
        "o.parquet:2: `text` is null, not a text (2 times; also o.parquet:3)",
    )
    assert "`raw` is of type bytes" in refusal(read_predictions, "o.parquet:raw").what
    columns("r.parquet", references=[[["a"]]])
    assert "nested too deeply" in refusal(read_references, "r.parquet").what


def test_an_unknown_column_gets_the_list_and_the_near_name(folder: Path) -> None:
    write("o.jsonl", lines({"id": 1, "said": "a"}))
    write("o.csv", "id,said\n1,a\n")
    columns("o.parquet", id=[1], said=["a"])
    for name, place in (("o.jsonl", ":1"), ("o.csv", ":2"), ("o.parquet", "")):
        error = refusal(read_predictions, f"{name}:siad")
        assert error.what == "no column `siad`, did you mean 'said'?; there are `id`, `said`"
        assert error.where == name + place
        error = refusal(read_predictions, name)
        assert error.what == "no field `text` or `prediction`; there are `id`, `said`"
        assert error.hint == f"name the one with the texts: {name}:FIELD"


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv", "o.parquet"])
def test_two_fields_that_may_be_the_answer_are_asked_for(folder: Path, name: str) -> None:
    write("o.jsonl", lines({"question": "q", "answer": "gold", "response": "r"}))
    write("o.csv", "question,answer,response\nq,gold,r\n")
    columns("o.parquet", question=["q"], answer=["gold"], response=["r"])
    error = refusal(read_predictions, name)
    assert error.what == "`response` and `answer` may each hold the texts"
    assert error.hint == f"name the one that does: {name}:response"
    assert texts(read_predictions(f"{name}:answer")) == [("gold",)]


def test_both_sides_in_one_file(folder: Path) -> None:
    write("generated.jsonl", lines({"prompt": "q", "predict": "p", "label": "l"}))
    assert texts(read_predictions("generated.jsonl")) == [("p",)]
    assert texts(read_references("generated.jsonl")) == [("l",)]


def test_faults_of_the_file_and_of_its_fields_are_told_together(folder: Path) -> None:
    write("o.csv", "id,text\n1,a\n2\n ,c\n")
    error = refusal(read_predictions, "o.csv")
    assert error.what == "the data cannot be used: 2 problems" and error.where == "o.csv"
    assert [line.partition(": ")[0] for line in error.details] == ["o.csv:3", "o.csv:4"]
    error = refusal(read_predictions, write("o.txt", "a\n") + ":b")
    assert error.what == "no column `b`; there are `text`" and error.where == "o.txt:1"
    for content in (b"\x1f\x8b\x08", "a text".encode("utf-16")):
        assert refusal(read_predictions, write("p.csv", content)).where == "p.csv"


@pytest.mark.parametrize("name", ["o.csv", "o.txt", "o.jsonl"])
def test_another_encoding_is_one_message_with_the_line_that_converts(
    folder: Path, name: str
) -> None:
    text = "Wie schön, größer wäre es kälter.\nÜber den Straßen war es früh für Äpfel.\n"
    content = text.encode("cp1252")
    if name == "o.jsonl":
        content = "".join(f'{{"text": "{line}"}}\n' for line in text.splitlines()).encode("cp1252")
    elif name == "o.csv":
        content = b"text\n" + content.replace(b",", b"")
    error = refusal(read_predictions, write(name, content))
    assert "not UTF-8" in error.what and "(2 lines have such bytes)" in error.what
    assert "it is likely cp1252" in error.what and not error.details
    assert error.hint == f"convert it: iconv -f cp1252 -t utf-8 {name} > o.utf8{Path(name).suffix}"
    with pytest.raises(DataError) as refused:
        read_predictions("-", io.BytesIO(content))
    assert refused.value.hint == "convert it: iconv -f cp1252 -t utf-8"


def test_standard_input_has_a_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_LARGEST_PIPE", 1 << 20)
    with pytest.raises(DataError, match="it is larger than 1 MiB"):
        read_predictions("-", io.BytesIO(b"word\n" * 300_000))


def test_names_from_the_data_are_no_terminal_commands(folder: Path) -> None:
    write("o.jsonl", lines({"\x1b[31m" + "x" * 500: "a"}))
    error = refusal(read_predictions, "o.jsonl")
    assert "\x1b" not in str(error) and len(str(error)) < 300
