"""The file of accepted corrections: strict, with lines, and merged without doubles."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from harness.data.correction_file import (
    encoded_corrections,
    merged_corrections,
    parsed,
    read_corrections,
)
from harness.data.corrections import Correction
from harness.errors import DataError

HEAD = {"schema": "harness.corrections/1"}
ORIGIN = {"batch": "b-1", "item": "i1", "rater": "ana", "at": "2026-11-25T15:00:00.000Z"}
ROW = {
    "example_id": "row-1", "split": "dev", "reference": "A part.", "prompt": "a" * 64,
    "origin": ORIGIN,
}  # fmt: skip


def correction(name="row-1", text="A part.", split="dev", prompt="a" * 64) -> Correction:
    return Correction(name, split, text, prompt, ORIGIN)


def lines(*values) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def told(found):
    return [(one.example_id, one.split, one.reference, one.prompt, one.origin) for one in found]


WORDS = st.text(min_size=1, max_size=20).filter(
    lambda text: text.strip() and not any("\ud800" <= c <= "\udfff" for c in text)
)


@given(st.lists(st.tuples(WORDS, WORDS, st.sampled_from(["dev", "pool"])), max_size=6))
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "written.jsonl"
    splits: dict[str, str] = {}
    found = [correction(f"{name}", text, splits.setdefault(name, s)) for name, text, s in rows]
    whole = merged_corrections([], found)
    path.write_bytes(encoded_corrections(whole))
    again = read_corrections(path)
    assert told(again) == told(whole)
    assert [one.place for one in again] == [f"{path}:{n}" for n in range(2, len(whole) + 2)]
    assert len({one.text for one in again}) == len(again) == len({(n, t) for n, t, _ in rows})


def test_a_last_line_without_its_end_is_read_as_long_as_it_is_whole():
    data = lines(HEAD, ROW, {**ROW, "example_id": "row-2"})
    assert len(parsed(data[:-1], "c")) == 2
    with pytest.raises(DataError) as caught:
        parsed(data[:-2], "c")
    assert caught.value.where == "c:3"


WRONG = [
    (b"", 1, "cut or damaged"),
    (b"[1]\n", 1, "no JSON object"),
    (lines({"schema": "harness.corrections/2"}), 1, "harness.corrections/1"),
    (lines({**HEAD, "batch": "b"}), 1, "harness.corrections/1"),
    (lines(ROW), 1, "does not begin"),
    (lines(HEAD) + b"\n" + lines(ROW), 2, "cut or damaged"),
    (lines(HEAD, ROW)[:-20] + b"\n", 2, "cut or damaged"),
    (lines(HEAD) + b'{"example_id": "a", "example_id": "b"}\n', 2, "given twice"),
    (lines(HEAD) + b"\xff\n", 2, "not UTF-8"),
    (lines(HEAD, ROW, {**ROW, "note": 1}), 3, "unknown key note; known: example_id, split"),
    (lines(HEAD, {**ROW, "origin": {**ORIGIN, "run": "x"}}), 2, "unknown key origin.run"),
    (lines(HEAD, {k: ROW[k] for k in ROW if k != "prompt"}), 2, "prompt: needed"),
    (lines(HEAD, {**ROW, "origin": {"batch": "b"}}), 2, "origin.item, origin.rater, origin.at"),
    (lines(HEAD, {**ROW, "origin": [1]}), 2, "origin: an object of texts"),
    (lines(HEAD, {**ROW, "reference": " \n"}), 2, "reference: text is needed"),
    (lines(HEAD, {**ROW, "reference": "x" * 20_001}), 2, "more than 20000 characters"),
    (lines(HEAD, {**ROW, "example_id": 7}), 2, "example_id: text is needed"),
    (lines(HEAD, {**ROW, "prompt": "A" * 64}), 2, "64 hex digits"),
    (lines(HEAD, {**ROW, "split": "test"}), 2, "'test' cannot be corrected: the test set is"),
    (lines(HEAD, {**ROW, "split": "train"}), 2, "'train' cannot be corrected"),
    (lines(HEAD, {**ROW, "split": "valid"}), 2, "'valid' cannot be corrected"),
    (lines(HEAD, ROW, {**ROW, "prompt": "b" * 64}), 3, "had another prompt or split"),
    (lines(HEAD, ROW, {**ROW, "split": "pool"}), 3, "had another prompt or split"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "line", "message"), WRONG)
def test_what_is_no_correction_is_refused_with_its_line(tmp_path, data, line, message):
    path = tmp_path / "c.jsonl"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_corrections(path)
    assert caught.value.where == f"{path}:{line}"
    assert message in caught.value.what


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot read it: No such file"):
        read_corrections(tmp_path / "c.jsonl")


def test_merging_keeps_what_was_there_and_adds_what_is_new():
    old = [correction(), correction("row-2")]
    new = [correction("row-3"), correction(), correction(text="A leaf.")]
    assert merged_corrections(old, new) == [*old, new[0], new[2]]
    assert merged_corrections(merged_corrections(old, new), new) == merged_corrections(old, new)


def test_a_text_for_another_prompt_is_not_merged():
    with pytest.raises(DataError, match=r"'row-1' had another prompt .* in batch b-1"):
        merged_corrections([correction()], [correction(prompt="b" * 64)])
