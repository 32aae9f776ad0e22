"""Answers to choose from in one column, as MMLU, ARC and HellaSwag have them."""

from __future__ import annotations

import json

import pytest

from harness.kit import yaml_file
from harness_rows.choices import choices_of, picked
from harness_rows.options import RowsOptions
from harness_rows.reading import read
from tests.support.exports import hash_of, question, words

RIGHT = [hash_of(f"right{n}") % 4 for n in range(160)]


def rows(shape):
    for n, right in enumerate(RIGHT):
        texts = [words(f"{n}{letter}", 3) for letter in "abcd"]
        asked = {"question": question(n), "subject": ("law", "art")[n % 2]}
        signs = "ABCD" if n % 9 else "1234"
        yield {
            "mmlu": {**asked, "choices": texts, "answer": right},
            "from one": {**asked, "options": texts, "answer": right + 1},
            "letters": {**asked, "options": texts, "answer": "abcd"[right]},
            "texts": {**asked, "options": texts, "answer": texts[right]},
            "arc": {
                "id": f"M{n}", "question": question(n), "answerKey": signs[right],
                "choices": {"text": texts, "label": list(signs)},
            },
            "hellaswag": {
                "ind": n, "activity_label": "cooking", "ctx": question(n), "endings": texts,
                "label": str(right),
            },
        }[shape]  # fmt: skip


SHAPES = {
    "mmlu": ("question", "choices", "answer"),
    "from one": ("question", "options", "answer"),
    "letters": ("question", "options", "answer"),
    "texts": ("question", "options", "answer"),
    "arc": ("question", "choices", "answerKey"),
    "hellaswag": ("ctx", "endings", "label"),
}


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("shape", SHAPES)
def test_init_letters_the_answers_to_choose_from(shape, empty):
    path = empty.folder / "exam.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(shape)))
    done = empty.inside("init", "exam.jsonl")
    assert done.code == 0, done.err
    data = yaml_file.read(empty.folder / "harness.yaml")[0]["data"]
    columns = data["columns"]
    prompt, choices, answer = SHAPES[shape]
    assert (columns["prompt"], columns["choices"]) == (prompt, choices)
    assert columns["references"] == [answer] and answer not in columns.get("meta", [])
    assert "not used" not in done.out or choices not in done.out.split("not used")[1].split("\n")[0]
    found = read(RowsOptions(path=path, columns=columns)).rows
    texts = [words(f"7{letter}", 3) for letter in "abcd"]
    lines = [f"{letter}) {text}" for letter, text in zip("ABCD", texts, strict=True)]
    assert found[7].prompt == "\n".join([question(7), "", *lines])
    expected = texts[RIGHT[7]] if shape == "texts" else "ABCD"[RIGHT[7]]
    assert found[7].references == (expected,)
    if shape != "texts":
        assert [row.references[0] for row in found] == ["ABCD"[right] for right in RIGHT]


def test_a_row_without_choices_is_named_with_its_line(empty):
    listed = list(rows("mmlu"))
    listed[4]["choices"] = []
    (empty.folder / "exam.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
    done = empty.inside("init", "exam.jsonl")
    assert done.code == 4
    assert "exam.jsonl:5:choices: a list of answers to choose from is needed here" in done.err


def test_a_list_in_a_template_names_what_letters_it(empty):
    path = empty.folder / "exam.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows("mmlu")))
    template = "Answer.\n\n{question}"
    reading = read(RowsOptions(path=path, prompt=template + "\n{choices}"))
    with pytest.raises(Exception, match="a text is needed here") as refused:
        reading.refuse()
    assert "`columns: {choices: choices}`" in refused.value.hint
    (row, *_) = read(RowsOptions(path=path, prompt=template, columns={"choices": "choices"})).rows
    assert row.prompt.startswith("Answer.\n\n") and "\nD) " in row.prompt
    assert row.references == ("ABCD"[RIGHT[0]],)


@pytest.mark.parametrize("value", [None, "A", [], ["one"], [[], {}], {"text": "x"}, [" ", "b"], 7,
                                   {"text": ["a", "b"], "label": ["A"]},
                                   {"text": ["a", "b"], "label": 7}, ["x"] * 30])  # fmt: skip
def test_what_offers_nothing(value):
    assert choices_of(value) == {}


def test_what_picks_nothing():
    offered = choices_of(["red", "blue"])
    for answer in ("", "C", "2", "-1", "green", "\u00b2", "9" * 5000):
        assert picked(offered, answer, 0) == ""
    assert picked(offered, "2", 1) == "B" and picked(offered, " b ", 0) == "B"
    assert picked(offered, "blue", 0) == "blue" and picked(offered, "1", None) == ""


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_among_the_choices_are_not_taken_for_the_answer(tmp_path, first):
    path = tmp_path / "sums.jsonl"
    offered = [["4", "2", "1", "0"], ["0", "1", "2", "3"], ["red", "blue", "green", "pink"]]
    made = [
        {"question": question(n), "choices": offered[n % 3], "answer": right + first}
        for n, right in enumerate(RIGHT)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    columns = {"prompt": "question", "choices": "choices", "references": ["answer"]}
    found = read(RowsOptions(path=path, columns=columns)).rows
    assert [row.references[0] for row in found] == ["ABCD"[right] for right in RIGHT]


def test_answers_that_are_texts_may_be_numbers(tmp_path):
    path = tmp_path / "sums.jsonl"
    made = [
        {"question": question(n), "choices": [str(n + d) for d in range(4)], "answer": str(n + 2)}
        for n in range(20)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    columns = {"prompt": "question", "choices": "choices", "references": ["answer"]}
    found = read(RowsOptions(path=path, columns=columns)).rows
    assert [row.references[0] for row in found] == [str(n + 2) for n in range(20)]
