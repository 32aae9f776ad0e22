"""Files that the source ``rows`` cannot use: one message for each kind, and nothing else.

What is wrong with the files themselves: tests/kit/readers/test_files.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import harness
from harness.kit.readers import LONGEST
from harness_rows.source import Rows

SIZES = {"train": 0.6, "dev": 0.2, "test": 0.2}
PAIRS = [{"question": f"Why {n}?", "answer": f"So {n}."} for n in range(200)]


def load(path: Path, **options: Any) -> list[harness.Example]:
    made = Rows.Options.model_validate({"path": path, "sizes": SIZES, **options})
    return list(Rows(made).load(harness.Context(path.parent)))


def lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def table(rows: list[dict[str, Any]]) -> bytes:
    text = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    return "\n".join(text).encode()


def with_bad(every: int, **change: Any) -> list[dict[str, Any]]:
    return [{**row, **change} if n % every == 3 else row for n, row in enumerate(PAIRS)]


CSV = table(PAIRS)
TWICE = [{"id": n // 2, **row} for n, row in enumerate(PAIRS)]

BAD: dict[str, tuple[str, bytes, str]] = {
    "Latin-1 CSV": ("a.csv", CSV.replace(b"So 7.", b"S\xf6 7."), "a.csv:9:9: not UTF-8: byte 0xf6"),
    "half of UTF-16": ("a.csv", CSV.decode().encode("utf-16")[:-1], "a.csv: not utf-16: byte"),
    "packed": ("a.jsonl", b"\x1f\x8b\x08\x00\x00\x00", "packed (gzip)"),
    "ragged": (
        "a.csv", CSV.replace(b"So 4.", b"So, 4.").replace(b"So 9.", b"So, 9."),
        "a.csv:6: more values than the header has names (2) (2 times; also 11)",
    ),
    "the header again": (
        "a.csv", CSV + b"\n" + CSV.split(b"\n")[0], "a.csv:202: the header stands here again",
    ),
    "no column": (
        "a.jsonl", lines([{"question": "Why?"} if n == 5 else row for n, row in enumerate(PAIRS)]),
        "a.jsonl:6:answer: the row has no such column",
    ),
    "nested": (
        "a.jsonl", lines(with_bad(100, answer={"value": "So"})),
        "a.jsonl:4:answer: a text is needed here, and this is an object (2 times; also 104)",
    ),
    "1 % blank": (
        "a.jsonl", lines(with_bad(100, answer=" ")),
        "a.jsonl:4:answer: the answer is blank (2 times; also 104)",
    ),
    "null": ("a.jsonl", lines(with_bad(20, question=None)), "the prompt is blank (10 times"),
    "empty": ("a.csv", b"\n", "a.csv: the file is empty"),
    "empty JSONL": ("a.jsonl", b"", "a.jsonl: the file is empty"),
    "empty list": ("a.json", b"[]", "there is no row"),
    "header alone": ("a.csv", b"question,answer\n", "there is no row"),
    "a list of no split": (
        "a.json", json.dumps({"train": PAIRS, "vaildation": PAIRS, "test": PAIRS}).encode(),
        "a.json: `vaildation` is not the name of a split, did you mean 'validation'? (known: "
        "train, valid, pool, dev, test, training, validation, val",
    ),
    "lists of no split": (
        "a.json", json.dumps({"train": PAIRS[:9], "data": PAIRS[9:], "holdout": PAIRS}).encode(),
        "a.json: `data`, `holdout` are not names of splits (known: train, ",
    ),
    "a split of texts": (
        "a.json", json.dumps({"train": PAIRS, "dev": PAIRS, "test": ["a", "b"]}).encode(),
        "a.json/test:1: a row must be a JSON object (2 times; also 2)",
    ),
    "a split of columns": (
        "a.json", json.dumps({"train": PAIRS, "dev": PAIRS, "test": {"question": ["a"]}}).encode(),
        "a.json: `test` must be a list of rows",
    ),
    "a split by a name of two lines": (
        "a.json", json.dumps({"train": PAIRS, "dev": PAIRS, "\ntest\n": {"a": 1}}).encode(),
        "a.json: `test` must be a list of rows",
    ),
    "a split twice": (
        "a.json", json.dumps({"train": PAIRS[:9], "dev": PAIRS[9:], "dev\n": PAIRS}).encode(),
        "a.json: two lists have the name `dev`",
    ),
    "a list of texts": ("a.json", b'["a", "b"]', "the format is not recognised"),
    "columns of pandas": ("a.json", b'{"question": {"0": "a"}, "answer": {"0": "b"}}', "to_json"),
    "unknown kind": ("a.xlsx", b"words", "unknown kind of file (known: .jsonl"),
    "ids": (
        "a.jsonl", lines(TWICE), "a.jsonl:2:id: an earlier row has this id (100 times; also",
    ),
    "a long line": (
        "a.jsonl", lines(PAIRS) + b'{"question": "' + b"x" * (LONGEST + 9) + b'"}\n',
        "a.jsonl:201: a row of more than 16 MiB",
    ),
    "unknown split": (
        "a.jsonl", lines(with_bad(100, split="trian")), "a.jsonl:4:split: unknown split (known: ",
    ),
    "one row": ("a.jsonl", lines(PAIRS[:1]), "no row is of"),
}  # fmt: skip


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("name", BAD)
def test_one_message_for_each_kind(name, tmp_path):
    file, content, message = BAD[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(harness.DataError) as caught:
        load(tmp_path / file)
    told = str(caught.value)
    assert message in told
    assert len(caught.value.details) <= 1, told
    assert max(map(len, told.split("\n"))) < 200
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_kinds_are_told_once_each_with_their_number(tmp_path):
    rows = [*with_bad(10, answer=""), *with_bad(20, question=[])]
    (tmp_path / "a.jsonl").write_bytes(lines(rows))
    with pytest.raises(harness.DataError, match="30 problems of 2 kinds") as caught:
        load(tmp_path / "a.jsonl")
    assert len(caught.value.details) == 2


def test_bytes_that_are_no_text_are_refused_where_a_text_is_needed(tmp_path):
    answers = [b"So.", b"S\xf6.", b"S\xfc.", b"So."]
    pairs = pa.table({"question": [f"Why {n}?" for n in range(4)], "answer": answers})
    pq.write_table(pairs, tmp_path / "a.parquet")
    with pytest.raises(harness.DataError) as caught:
        load(tmp_path / "a.parquet")
    (told,) = caught.value.details
    assert told.startswith("a.parquet:2:answer: a text is needed here, and this is bytes that are")
    assert told.endswith("no text in UTF-8 (2 times; also 3)")


@pytest.mark.parametrize("make", [
    lambda path: path.mkdir(),
    lambda path: None,
    lambda path: (path.mkdir(), (path / "readme.md").write_text("x")),
], ids=["an empty folder", "nothing", "a folder without rows"])  # fmt: skip
def test_a_place_without_rows(make: Callable[[Path], Any], tmp_path):
    make(tmp_path / "data")
    with pytest.raises(harness.DataError, match=r"no such file or folder|holds no file of rows"):
        load(tmp_path / "data")


@pytest.mark.parametrize(("options", "message"), [
    ({"path": "a", "hub": "b/c"}, "either `path` or `hub`"),
    ({"path": "a", "revision": "main"}, "are for `hub`"),
    ({"path": "a", "group": "auto", "columns": {"group": "x"}}, "give either it or"),
    ({"path": "a", "prompt": "{x}", "columns": {"prompt": "x"}}, "give either it or"),
    ({"path": "a", "stratify": "x"}, "give `sizes`"),
    ({"path": "a", "sizes": {"dev": 0.5, "test": 0.5}}, "none is left for train"),
    ({"path": "a", "sizes": {"train": 0.5, "dev": 0.1, "test": 0.1}}, "add up to 0.7, not to 1"),
])  # fmt: skip
def test_options_that_contradict_each_other(options, message):
    with pytest.raises(ValueError, match=message):
        Rows.Options.model_validate(options)


def offline(name: str, **options: Any) -> harness.HarnessError:
    source = Rows(Rows.Options.model_validate({"hub": name, **options}))
    with pytest.raises(harness.HarnessError) as caught:
        list(source.load(harness.Context(Path("unused"))))
    return caught.value


def test_the_hub_without_network(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    error = offline("nobody/has-this-set")
    assert error.exit_code == 3
    assert "not in the cache and the hub cannot be reached" in str(error)
    assert "save_to_disk" in error.hint


def test_the_hub_that_does_not_answer_is_asked_once(monkeypatch, capfd):
    import huggingface_hub
    from huggingface_hub import constants

    import datasets

    def unreachable(*given: Any, **more: Any) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", unreachable)
    before = datasets.config.HF_HUB_OFFLINE
    error = offline("nobody/has-this-set")
    assert error.exit_code == 3
    assert "hub cannot be reached" in str(error)
    assert "Retrying" not in capfd.readouterr().err
    assert (False, before) == (constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE)


@pytest.mark.parametrize(("kind", "code", "words"), [
    ("GatedRepoError", 3, "HF_TOKEN"),
    ("RepositoryNotFoundError", 3, "HF_TOKEN"),
    ("RevisionNotFoundError", 2, "has no revision 'v9'"),
])  # fmt: skip
def test_what_the_hub_refuses(kind, code, words, monkeypatch):
    import huggingface_hub
    from huggingface_hub import constants, errors

    def refused(*given: Any, **more: Any) -> None:
        error = getattr(errors, kind)
        raise error.__new__(error)

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refused)
    error = offline("somebody/set", revision="v9")
    assert error.exit_code == code
    assert words in str(error)


@pytest.mark.parametrize("name", ["a b", "../x", "a/b/c", ""])
def test_what_is_no_id_of_the_hub(name):
    if not name:
        with pytest.raises(ValueError, match="either `path` or `hub`"):
            Rows.Options.model_validate({"hub": name})
        return
    assert offline(name).exit_code == 2


def test_a_folder_of_that_name_is_no_data_set_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert "`path: mine`" in offline("mine").hint
