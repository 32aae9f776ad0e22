"""What the source ``rows`` makes of the formats that people have."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import harness
from harness.kit import yaml_file
from harness_rows.options import RowsOptions
from harness_rows.reading import Reading, read
from harness_rows.splitting import dealt

USER = {"role": "user", "content": "Why?"}
ANSWER = {"role": "assistant", "content": "Because."}


def reading(path: Path, **options: Any) -> Reading:
    return read(RowsOptions.model_validate({"path": path, **options}))


def written(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


FORMS: dict[str, tuple[dict[str, Any], str, list[dict[str, str]], tuple[str, ...]]] = {
    "messages": ({"messages": [USER, ANSWER]}, "messages", [USER], ("Because.",)),
    "messages with references": (
        {"messages": [USER], "references": ["Because.", "So."]}, "messages", [USER],
        ("Because.", "So."),
    ),
    "messages, answer in both": (
        {"messages": [USER, ANSWER], "references": ["So.", "Because."]}, "messages", [USER],
        ("So.", "Because."),
    ),
    "rows of OpenAI evals": (
        {"input": [{"role": "system", "content": "Be brief."}, USER], "ideal": ["Because.", "So."]},
        "messages", [{"role": "system", "content": "Be brief."}, USER], ("Because.", "So."),
    ),
    "samples of Inspect": (
        {"id": "s1", "input": [USER], "target": "Because.", "metadata": {"topic": "sky"}},
        "messages", [USER], ("Because.",),
    ),
    "a sample of Inspect with a text": (
        {"input": "Why?", "target": "Because."}, "prompt-completion", [USER], ("Because.",),
    ),
    "sharegpt": (
        {"system": "Be brief.", "conversations": [
            {"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]},
        "sharegpt", [{"role": "system", "content": "Be brief."}, USER], ("Because.",),
    ),
    "conversation of turns": (
        {"conversation": [USER, ANSWER, USER, {"role": "assistant", "content": "Still."}]},
        "messages", [USER, ANSWER, USER], ("Still.",),
    ),
    "alpaca": (
        {"instruction": "Translate.", "input": "Haus", "output": "house"}, "alpaca",
        [{"role": "user", "content": "Translate.\n\nHaus"}], ("house",),
    ),
    "alpaca without input": (
        {"instruction": "Why?", "input": "", "output": "Because.", "system": "Be brief.",
         "history": [["Who?", "Me."]]},
        "alpaca",
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"},
         {"role": "assistant", "content": "Me."}, USER],
        ("Because.",),
    ),
    "prompt and completion": (
        {"prompt": "Why?", "completion": "Because."}, "prompt-completion", [USER], ("Because.",),
    ),
    "capital letters": (
        {"Question ": "Why?", "ANSWER": "Because."}, "prompt-completion", [USER], ("Because.",),
    ),
    "a label": ({"text": "Why?", "label": 3}, "prompt-completion", [USER], ("3",)),
    "an intent": ({"intent": "ask", "text": "Why?"}, "prompt-completion", [USER], ("ask",)),
    "a summary": (
        {"dialogue": "Why?", "summary": "Because."}, "prompt-completion", [USER], ("Because.",),
    ),
    "source and target": (
        {"target": "Because.", "source": "Why?"}, "prompt-completion", [USER], ("Because.",),
    ),
    "SQuAD": (
        {"id": 7, "context": "It rains.", "question": "Why?",
         "answers": {"text": ["Rain.", "Rain.", "It rains."], "answer_start": [3, 3, 0]}},
        "prompt-completion", [{"role": "user", "content": "It rains.\n\nWhy?"}],
        ("Rain.", "It rains."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_format_is_recognised_by_its_columns_and_said(name, tmp_path):
    record, form, messages, references = FORMS[name]
    found = reading(written(tmp_path, [record]))
    assert found.problems.lines == ()
    assert found.format == form
    assert [dict(turn) for turn in found.rows[0].messages] == messages
    assert found.rows[0].references == references
    assert form in found.said[0]
    assert all(column in found.said[0] for names in found.columns.values() for column in names)


@pytest.mark.parametrize("name", FORMS)
def test_the_original_records_are_kept(name, tmp_path):
    record = FORMS[name][0]
    found = reading(written(tmp_path, [record, record, record]))
    assert list(found.records) == [record] * 3
    assert found.records[2] == record


def test_columns_that_play_no_part_are_named(tmp_path):
    found = reading(written(tmp_path, [{"question": "Why?", "answer": "So.", "topic": "x"}]))
    assert found.unused == ("topic",)
    assert found.rows[0].meta == {}


def test_facts_that_are_nested_are_json(tmp_path):
    tests = {"inputs": ["1"], "outputs": ["2"]}
    row = {"question": "Why?", "answer": "So.", "list": ["a", 1], "tests": tests, "flat": {"k": 1}}
    found = reading(written(tmp_path, [row]), columns={"meta": ["list", "tests", "flat"]})
    assert found.rows[0].meta == {"list": '["a", 1]', "tests": json.dumps(tests), "k": 1}


def test_the_config_names_columns(tmp_path):
    row = {"frage": "Why?", "kurz": "So.", "lang": "So it is.", "kunde": 7, "thema": "x", "nr": 3}
    columns = {
        "prompt": "frage", "references": ["kurz", "lang"], "group": "kunde", "meta": "thema",
        "id": "nr",
    }  # fmt: skip
    found = reading(written(tmp_path, [row]), columns=columns, system="Be brief.")
    (example,) = found.rows
    assert example.id == "3"
    assert example.group == "7"
    assert example.meta == {"thema": "x"}
    assert example.references == ("So.", "So it is.")
    assert example.messages == ({"role": "system", "content": "Be brief."}, USER)
    assert found.format == "columns"


def test_one_named_column_leaves_the_others_recognised(tmp_path):
    row = {"question": "Why?", "answer": "So.", "customer": "c1"}
    found = reading(written(tmp_path, [row]), columns={"group": "customer"})
    assert found.rows[0].group == "c1"
    assert found.format == "prompt-completion"


def test_nested_columns_are_reached_by_dots(tmp_path):
    row = {"task": {"q": "Why?"}, "gold.answer": "So."}
    columns = {"prompt": "task.q", "references": "gold.answer"}
    (example,) = reading(written(tmp_path, [row]), columns=columns).rows
    assert (example.prompt, example.references) == ("Why?", ("So.",))


def test_a_template_makes_the_prompt(tmp_path):
    row = {"a.b": "Why", "c": 2, "answer": "So."}
    (example,) = reading(written(tmp_path, [row]), prompt="{{{a.b}}}: {c}").rows
    assert example.prompt == "{Why}: 2"


@pytest.mark.parametrize("template", ["{", "{}", "{a!r}", "{a:>3}"])
def test_a_template_takes_names_alone(template, tmp_path):
    with pytest.raises(ValueError, match="`prompt`"):
        RowsOptions(path=tmp_path, prompt=template)


def test_preference_pairs_are_said_and_the_chosen_answers_can_be_read_alone(tmp_path):
    path = written(tmp_path, [{"prompt": "Why?", "chosen": "So.", "rejected": "No."}])
    assert "pairs of a preferred and a rejected answer" in reading(path).said[-1]
    assert reading(path, columns={"references": "chosen"}).rows[0].rejected == ()
    columns = {"prompt": "prompt", "references": "chosen"}
    assert reading(path, columns=columns).rows[0].references == ("So.",)


def test_what_is_not_recognised_names_the_columns_and_the_lines_to_write(tmp_path):
    with pytest.raises(harness.DataError) as caught:
        reading(written(tmp_path, [{"frage": "Why?", "antwort": "So."}]))
    assert "columns: frage, antwort" in str(caught.value)
    assert "columns: {prompt: frage, references: antwort}" in caught.value.hint


def test_a_named_column_that_is_not_there_is_one_error(tmp_path):
    path = written(tmp_path, [{"question": "Why?", "answer": "So."}])
    with pytest.raises(harness.DataError, match="did you mean 'question'"):
        reading(path, columns={"prompt": "qestion", "references": "answer"})


def test_a_file_is_read_the_same_in_every_form(tmp_path):
    rows = [
        {"question": f'Why, "{n}";\nand\thow?', "answer": f"Sö {n}", "n": str(n)}
        for n in range(5)
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "a.feather", compression="uncompressed")
    with pa.ipc.new_stream(tmp_path / "a.arrow", table.schema) as stream:
        stream.write_table(table)
    for delimiter, name in ((",", "a.csv"), (";", "b.csv"), ("\t", "a.tsv"), ("|", "c.csv")):
        text = io.StringIO()
        sheet = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
        sheet.writeheader()
        sheet.writerows(rows)
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    (tmp_path / "list.json").write_text(json.dumps(rows, indent=1))
    (tmp_path / "held.json").write_text(json.dumps({"version": 1, "data": rows}))
    (tmp_path / "lines.json").write_text("\n".join(map(json.dumps, rows)))
    written(tmp_path, rows)
    for path in sorted(tmp_path.iterdir()):
        found = reading(path)
        assert found.problems.lines == (), path
        assert [row.prompt for row in found.rows] == [row["question"] for row in rows], path
        assert [row.references for row in found.rows] == [(row["answer"],) for row in rows], path
        assert list(found.records) == rows, path
        assert [found.records[at] for at in (4, 0, 2)] == [rows[at] for at in (4, 0, 2)], path


def test_a_list_for_each_split_in_one_file(tmp_path):
    pair = {"prompt": "Why?", "completion": "So."}
    path = tmp_path / "all.json"
    lists = {"Train": [pair, pair], "validation": [pair], "test": [pair], "source": ["a page"]}
    path.write_text(json.dumps(lists))
    found = reading(path)
    assert [row.split for row in found.rows] == ["train", "train", "dev", "test"]
    options = RowsOptions.model_validate({"path": path})
    assert [row.id for row in dealt(found, options)] == [
        "all.json/Train:1", "all.json/Train:2", "all.json/validation:1", "all.json/test:1",
    ]  # fmt: skip


def test_valid_is_dev_in_one_file_where_nothing_else_is(tmp_path):
    pair = {"prompt": "Why?", "completion": "So."}
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"train": [pair], "valid": [pair], "test": [pair]}))
    assert [row.split for row in reading(path).rows] == ["train", "dev", "test"]
    path.write_text(json.dumps({"train": [pair], "valid": [pair], "dev": [pair]}))
    assert [row.split for row in reading(path).rows] == ["train", "valid", "dev"]
    path.write_text(json.dumps({"train": [pair], "valid": [pair], "test": [pair], "dev": []}))
    assert [row.split for row in reading(path).rows] == ["train", "dev", "test"]


def test_a_line_end_or_a_control_character_in_the_name_of_a_list_is_in_no_id(tmp_path):
    pair = {"question": "Where is my parcel?", "answer": "On its way."}
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"train\n": [pair], "\u2028 dev \x1c": [pair], "test": [pair]}))
    assert [row.id for row in reading(path).rows] == [
        "all.json/train:1", "all.json/dev:1", "all.json/test:1",
    ]  # fmt: skip


NAMES = {
    "train.jsonl": "train", "test-00000-of-00001.jsonl": "test", "squad-val-v1.jsonl": "dev",
    "validation/part-1.jsonl": "dev", "pool.jsonl": "pool", "latest.jsonl": "",
}  # fmt: skip


def test_a_folder_says_the_splits_by_names(tmp_path):
    for name in NAMES:
        written(tmp_path, [{"id": name, "prompt": "Why?", "completion": "So."}], name)
    found = reading(tmp_path)
    assert {row.id: row.split for row in found.rows} == NAMES
    assert len(found.records) == len(NAMES)


def test_valid_is_dev_where_nothing_else_is(tmp_path):
    pair = {"prompt": "Why?", "completion": "So."}
    written(tmp_path, [pair], "valid.jsonl")
    assert reading(tmp_path).rows[0].split == "dev"
    written(tmp_path, [pair], "dev.jsonl")
    assert sorted(row.split for row in reading(tmp_path).rows) == ["dev", "valid"]


def test_a_folder_saved_by_datasets(tmp_path):
    import datasets

    labels = datasets.ClassLabel(names=["no", "yes"])
    features = datasets.Features({"text": datasets.Value("string"), "label": labels})
    data = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    datasets.DatasetDict({"train": data, "validation": data}).save_to_disk(str(tmp_path / "d"))
    found = reading(tmp_path / "d")
    assert found.problems.lines == ()
    assert [(row.split, row.references) for row in found.rows] == [
        ("train", ("yes",)), ("train", ("no",)), ("dev", ("yes",)), ("dev", ("no",)),
    ]  # fmt: skip


def test_lists_of_turns_in_a_table_are_read_from_json(tmp_path):
    path = tmp_path / "chat.csv"
    with path.open("w", newline="") as sheet:
        csv.writer(sheet).writerows([["messages"], [json.dumps([USER, ANSWER])]])
    (example,) = reading(path).rows
    assert example.messages == (USER,)
    assert example.references == ("Because.",)


def test_the_examples_of_the_page_are_recognised_as_it_says(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")
    examples = re.findall(r"^### `([\w-]+)`\n\n```json\n(.*?)\n```", page, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in examples] == ["messages", "sharegpt", "alpaca", "prompt-completion"]
    for name, line in examples:
        found = reading(written(tmp_path, [json.loads(line)]))
        assert (found.format, found.problems.lines, len(found.rows)) == (name, (), 1)


def test_the_config_of_the_page_is_read(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    options = yaml_file.scalar(block)["data"]
    row = {"subject": "Bill", "mail": "Why twice?", "reply": "A hold.", "other_reply": "Wait.",
           "customer": "c1", "topic": "billing", "country": "AT"}  # fmt: skip
    path = written(tmp_path, [row])
    given = {key: value for key, value in options.items() if key not in ("source", "path")}
    (example,) = reading(path, **given).rows
    assert example.messages[0]["content"] == "Answer by the policy."
    assert example.prompt == "Bill\n\nWhy twice?"
    assert example.references == ("A hold.", "Wait.")
    assert example.meta == {"topic": "billing", "country": "AT"}


def test_a_data_set_of_the_hub_is_read_at_one_commit(monkeypatch):
    import huggingface_hub
    from huggingface_hub import constants

    import datasets

    asked = []
    data = datasets.Dataset.from_dict({"question": ["Why?"], "answer": ["So."]})

    def load(name, config, revision):
        asked.append((name, config, revision))
        return datasets.DatasetDict({"train": data, "validation_matched": data})

    class Info:
        sha = "abc123"

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *given, **more: Info())
    monkeypatch.setattr(datasets, "load_dataset", load)
    found = read(RowsOptions(hub="owner/name", config="en", revision="main"))
    assert asked == [("owner/name", "en", "abc123")]
    assert [(row.id, row.split) for row in found.rows] == [
        ("owner/name/train:1", "train"), ("owner/name/validation_matched:1", "dev"),
    ]  # fmt: skip
    assert "abc123" in found.said[0]
    assert list(found.records) == [{"question": "Why?", "answer": "So."}] * 2


def test_nested_columns_are_named_where_nothing_is_recognised(tmp_path):
    path = written(tmp_path, [{"translation": {"en": "house", "de": "Haus"}}])
    with pytest.raises(harness.DataError) as caught:
        reading(path)
    assert "columns: translation.en, translation.de" in str(caught.value)
    columns = {"prompt": "translation.en", "references": "translation.de"}
    assert columns["references"] in caught.value.hint
    assert reading(path, columns=columns).rows[0].references == ("Haus",)


def test_line_ends_of_windows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'question,answer\r\n"Why,\r\nhow?",So.\r\n\r\nWho?,Me.\r\n')
    found = reading(path)
    assert [row.place for row in found.rows] == ["a.csv:2", "a.csv:5"]
    assert [row.references for row in found.rows] == [("So.",), ("Me.",)]
    assert list(found.records) == [
        {"question": "Why,\r\nhow?", "answer": "So."}, {"question": "Who?", "answer": "Me."},
    ]  # fmt: skip


def test_where_a_row_is_from_is_no_prompt(tmp_path: Path) -> None:
    row = {"source": "web", "text": "The film was wonderful", "label": "pos"}
    found = reading(written(tmp_path, [row] * 3))
    assert "prompt from text, references from label" in " ".join(found.said)
    pair = {"source": "Haus", "target": "house"}
    found = reading(written(tmp_path, [pair] * 3, "pairs.jsonl"))
    assert "prompt from source, references from target" in " ".join(found.said)


def test_an_input_beside_a_question_is_read_with_it(tmp_path: Path) -> None:
    row = {"question": "Which month?", "input": "It was in May.", "answer": "May"}
    found = reading(written(tmp_path, [row] * 3))
    assert "prompt from input and question" in " ".join(found.said)


ASKED = "Is it praise?"


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"question": ASKED, "text": "Film {}.", "label": "yes"}, "text"),
        ({"prompt": ASKED, "input": "Film {}.", "completion": "yes"}, "input"),
        ({"instruction": ASKED, "text": "Film {}.", "output": "yes"}, "text"),
    ],
)
def test_where_prompts_hardly_differ_and_another_column_does_it_is_asked(row, column, tmp_path):
    rows = [{key: value.format(n) for key, value in row.items()} for n in range(40)]
    with pytest.raises(harness.DataError, match=f"repeats itself, and '{column}' does not") as got:
        read(RowsOptions(path=written(tmp_path, rows)))
    assert f"columns: {{prompt: {column}, references: " in got.value.hint
    assert f'prompt: "{{{next(iter(row))}}}\\n\\n{{{column}}}"' in got.value.hint
    chosen = RowsOptions(path=written(tmp_path, rows), columns={"prompt": column})
    assert read(chosen).rows[3].prompt == "Film 3."


@pytest.mark.parametrize(
    "row",
    [
        {"question": ASKED, "context": "Film {}.", "label": "yes"},
        {"question": ASKED, "input": "Film {}.", "label": "yes"},
        {"instruction": ASKED, "input": "Film {}.", "output": "yes"},
        {"text": ASKED, "source": "https://x.example/{}", "label": "yes"},
        {"question": ASKED, "message": "the same", "label": "{}"},
        {"question": "Film {}?", "text": "another {}", "answer": "yes"},
    ],
)
def test_prompts_that_differ_as_a_whole_or_have_no_rival_are_taken(row, tmp_path):
    rows = [{key: value.format(n) for key, value in row.items()} for n in range(40)]
    assert len(read(RowsOptions(path=written(tmp_path, rows))).rows) == 40


@pytest.mark.parametrize("name", ["document", "article", "passage"])
def test_a_text_beside_a_whole_one_is_asked_for(tmp_path: Path, name: str) -> None:
    row = {name: "A long one.", "text": "Short.", "summary": "Shorter."}
    with pytest.raises(harness.DataError, match="which column is the prompt") as caught:
        reading(written(tmp_path, [row] * 3))
    assert "columns: {prompt:" in caught.value.hint


def test_the_encoding_is_that_of_files_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    text = "question,answer\nWie groß?,Größer.\n"
    for name, encoding in (("a", "cp1252"), ("b", "utf-8"), ("c", "utf-16"), ("d", "utf-32-le")):
        (tmp_path / "rows" / f"{name}.csv").write_bytes(text.encode(encoding))
    found = reading(tmp_path / "rows", encoding="cp1252")
    assert [(row.prompt, row.references) for row in found.rows] == [("Wie groß?", ("Größer.",))] * 4
    assert found.said[0] == "texts are read as cp1252, utf-16, utf-32-le"
    (tmp_path / "e.csv").write_bytes("question,answer\nなぜ,はい\n".encode("iso2022_jp"))
    assert reading(tmp_path / "e.csv", encoding="iso2022_jp").rows[0].prompt == "なぜ"
    assert "a.csv:2:8: not UTF-8: byte 0xdf" in reading(tmp_path / "rows").problems.lines[0]
    with pytest.raises(ValueError, match="an encoding of texts"):
        RowsOptions(path=tmp_path, encoding="rot13")


def test_rows_of_an_object_are_its_only_list(tmp_path: Path) -> None:
    rows = [{"question": "Why?", "answer": "So."}] * 3
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"count": 3, "result": {"items": rows, "next": None}}))
    found = reading(path)
    assert len(found.rows) == 3 and found.rows[0].id == "a.json:1"
    assert found.said[0] == "rows are the list `result.items` of the file"
    path.write_text(json.dumps({"users": [{"name": "a"}], "tickets": rows}))
    with pytest.raises(harness.DataError, match=r"`users` \(1 rows\), `tickets` \(3 rows\)") as got:
        reading(path)
    assert got.value.hint == "a file with one of them: jq .tickets a.json"
