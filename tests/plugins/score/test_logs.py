"""Results of other evaluation programs are answers and references."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DataError, UsageError
from harness_score import logs
from harness_score.files import scored as measured
from harness_score.output import report
from harness_score.request import Request
from harness_score.tables import Table, read_predictions, read_references

LOGS = Path(__file__).parent / "logs"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path in LOGS.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def rows(table: Table) -> dict[str | None, tuple[str, ...]]:
    return {row.id: row.texts for row in table.rows}


def scored(capsys: pytest.CaptureFixture[str], *files: str, **options: Any) -> dict[str, Any]:
    options = {"metrics": "exact", **options}
    request = Request(predictions=list(files), as_json=True, **options)
    request.check()
    assert report(*measured(request), request) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize("name", ["new.eval", "new.json"])
def test_an_inspect_log_holds_answers_and_references(folder: Path, name: str) -> None:
    answers = read_predictions(name)
    assert answers.is_log
    assert rows(answers) == {"q1": ("Paris",), "q2": ("Rome",), "q3": ("Goethe",)}
    references = read_references(name)
    assert rows(references) == rows(answers)
    assert references.rows[0].meta == {"group": "q1", "topic": "geo"}
    (place,) = {row.place for row in answers.rows if row.id == "q2"}
    assert place == ("new.eval:samples/q2_epoch_1.json" if name == "new.eval" else "new.json:2")


def test_two_inspect_logs_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = scored(capsys, "new.eval", baseline="old.eval", by=["topic"])
    assert document["metrics"]["exact"]["value"] == 1
    comparison = document["comparison"]["new.eval"]["exact"]
    assert (comparison["wins"], comparison["ties"], comparison["losses"]) == (2, 1, 0)
    assert [entry["value"] for entry in document["by"]["topic"]] == ["geo", "books"]


def test_what_a_scorer_took_out_is_a_column(folder: Path) -> None:
    assert rows(read_predictions("old.eval:match"))["q2"] == ("?",)


def test_epochs_are_rows_of_one_group(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(rows(read_predictions("epochs.eval"))) == {
        *("q1", "q2", "q3"), *("q1 (epoch 2)", "q2 (epoch 2)", "q3 (epoch 2)"),
    }  # fmt: skip
    document = scored(capsys, "epochs.eval")
    assert (document["n"], document["groups"]) == (6, 3)


def test_samples_of_lm_eval(folder: Path) -> None:
    assert rows(read_predictions("samples_one.jsonl"))["0"] == ("lol",)
    references = read_references("samples_one.jsonl")
    assert references.rows[2].texts == ("Goethe",) and references.rows[2].meta["topic"] == "books"
    assert rows(read_predictions("samples_filters.jsonl:upper"))["0"] == ("LOL",)
    assert rows(read_references("samples_filters.jsonl"))["0"] == ("Paris",)
    with pytest.raises(DataError, match=r"there are `id`, .*`strict`, `upper`"):
        read_predictions("samples_filters.jsonl")
    with pytest.raises(DataError) as caught:
        read_predictions("samples_choice.jsonl")
    assert "log-likelihoods" in str(caught.value.details) and "generate_until" in caught.value.hint


@pytest.mark.parametrize(
    ("target", "doc", "references"),
    [
        ("['a', 'b']", {"answers": ["a", "b"]}, ("a", "b")),
        ("['a', 'b']", {"answer": "['a', 'b']"}, ("['a', 'b']",)),
        ("[1, 2]", {}, ("[1, 2]",)),
        ("[a", None, ("[a",)),
        ("[" * 5000, None, ("[" * 5000,)),
    ],
)
def test_several_targets_of_lm_eval_are_written_as_one_text(
    folder: Path, target: str, doc: Any, references: tuple[str, ...]
) -> None:
    row = {"doc_id": 0, "doc": doc, "target": target, "filtered_resps": ["a"], "filter": "none"}
    (folder / "listed.jsonl").write_text(json.dumps(row) + "\n")
    assert rows(read_references("listed.jsonl")) == {"0": references}


def test_results_of_promptfoo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rows(read_predictions("promptfoo.json:twice 3")) == {"0": ("Paris",), "1": ("4",)}
    # The value of the assertion `contains` is no reference.
    assert rows(read_references("promptfoo.json")) == {"0": ("Paris",), "1": ("four",)}
    document = scored(capsys, "promptfoo.json:twice 3", baseline="promptfoo.json:echo 0")
    assert document["comparison"]["promptfoo.json:twice 3"]["exact"]["difference"] == 0.5


def test_a_column_may_have_colons(folder: Path) -> None:
    text = (folder / "promptfoo.json").read_text().replace('"twice"', '"openai:chat:gpt"')
    (folder / "named.json").write_text(text)
    assert rows(read_predictions("named.json:openai:chat:gpt 3"))["1"] == ("4",)


def test_a_log_of_evals(folder: Path) -> None:
    answers = rows(read_predictions("evals.jsonl"))
    assert answers["capitals.dev.1"] == ("It is Rome",)
    assert rows(read_references("evals.jsonl"))["capitals.dev.2"] == ("Goethe",)


def test_rows_of_evals_are_references(folder: Path) -> None:
    row = {"input": [{"role": "user", "content": "2+2?"}], "ideal": ["4", "four"]}
    (folder / "rows.jsonl").write_text(json.dumps(row))
    assert read_references("rows.jsonl").rows[0].texts == ("4", "four")


def test_references_are_asked_for_where_a_file_is_no_log(folder: Path) -> None:
    (folder / "out.jsonl").write_text('{"id": "q1", "text": "Paris"}\n')
    for files in (["out.jsonl"], ["out.jsonl", "new.eval"]):
        request = Request(predictions=files, metrics="exact")
        request.check()
        with pytest.raises(UsageError, match="neither is given"):
            measured(request)


def test_logs_with_other_references_are_not_compared(folder: Path) -> None:
    document = json.loads((folder / "new.json").read_text())
    document["samples"][1]["target"] = "Turin"
    (folder / "other.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="do not have the same references") as caught:
        measured(Request(predictions=["new.eval"], baseline="other.json", metrics="exact"))
    assert caught.value.details == (
        "new.eval:samples/q2_epoch_1.json: Rome", "other.json:2: Turin",
    )  # fmt: skip


def test_a_sample_that_ended_in_an_error_has_no_answer(folder: Path) -> None:
    document = json.loads((folder / "new.json").read_text())
    document["samples"][1]["error"] = {"message": "Timeout()", "traceback": "…"}
    (folder / "failed.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"ended in an error") as caught:
        read_predictions("failed.json")
    assert caught.value.where == "failed.json:2" and "Timeout" in caught.value.hint
    assert rows(read_references("failed.json"))["q2"] == ("Rome",)


def test_scores_that_are_nan_are_read_over(folder: Path) -> None:
    text = (folder / "new.json").read_text().replace('"value": "C"', '"value": NaN')
    assert "NaN" in text
    (folder / "nan.json").write_text(text)
    assert rows(read_predictions("nan.json"))["q1"] == ("Paris",)


def log(name: str, **members: str | bytes) -> str:
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", "{}")
        for number, data in enumerate(members.values()):
            archive.writestr(f"samples/{number}.json", data)
    return name


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"id": 1', "not JSON"),
        ("[]", "no sample of an Inspect log"),
        ('{"id": true, "target": "a"}', "no sample of an Inspect log"),
        ('{"id": 1, "target": {"a": 1}}', "`target` is no text"),
        ('{"id": 1, "target": "a", "output": []}', "no answer"),
        ('{"id": 1, "target": "a", "output": {"completion": 3}}', "no answer"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_sample_of_another_form_is_named(folder: Path, sample: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        read_predictions(log("bad.eval", sample=sample))
    assert caught.value.where == "bad.eval:samples/0.json"


def test_the_name_of_a_file_in_the_zip_is_one_line(folder: Path) -> None:
    with zipfile.ZipFile("names.eval", "w") as archive:
        archive.writestr("header.json", "{}")
        archive.writestr("samples/a\nb\x1b[31m.json", "[]")
    with pytest.raises(DataError, match="no sample") as caught:
        read_predictions("names.eval")
    assert (
        caught.value.where.startswith("names.eval:samples/a") and caught.value.where.isprintable()
    )


def test_scorers_and_metadata_of_any_type(folder: Path) -> None:
    sample = {"id": 1, "target": "a", "output": {"completion": "b"}}
    for scores, facts in (([], "x"), ({"text": {"answer": "c"}, "m": 3}, None)):
        text = json.dumps({**sample, "scores": scores, "metadata": facts})
        assert rows(read_predictions(log("odd.eval", sample=text))) == {"1": ("b",)}


def test_a_log_that_is_not_whole(folder: Path) -> None:
    data = (folder / "new.eval").read_bytes()
    (folder / "half.eval").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_predictions("half.eval")
    assert caught.value.where == "half.eval"
    (folder / "half.json").write_bytes((folder / "new.json").read_bytes()[:5000])
    with pytest.raises(DataError, match="not JSON"):
        read_predictions("half.json")


def test_no_damaged_byte_changes_an_answer(folder: Path) -> None:
    data = (folder / "old.eval").read_bytes()
    good = rows(read_predictions("old.eval"))
    for at in range(0, len(data), 97):
        damaged = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        (folder / "damaged.eval").write_bytes(damaged)
        try:
            table = read_predictions("damaged.eval")
        except (DataError, UsageError):
            continue
        assert rows(table).items() <= good.items()  # a damaged table of contents hides samples


def test_a_zip_bomb_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "ALWAYS", 2**20)
    with pytest.raises(DataError, match="unpacks to 4 MiB"):
        read_predictions(log("bomb.eval", a=b" " * 2**21, b=b" " * 2**21))


def test_a_zip_that_is_no_log(folder: Path) -> None:
    with zipfile.ZipFile("book.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(DataError, match="packed"):
        read_predictions("book.xlsx")


def test_promptfoo_of_any_type(folder: Path) -> None:
    results: list[Any] = [
        3, {}, {"testIdx": 0, "response": 3, "provider": 4, "gradingResult": [], "vars": []},
    ]  # fmt: skip
    (folder / "odd.json").write_text(json.dumps({"results": {"results": results}}))
    with pytest.raises(DataError) as caught:
        read_predictions("odd.json")
    assert "odd.json:1: no result of promptfoo" in caught.value.details[0]


@pytest.mark.parametrize(
    ("source", "scores"),
    [
        ("old.eval", {"q1": {"match": 1.0}, "q2": {"match": 0.0}, "q3": {"match": 0.0}}),
        ("old.eval:match", {"q2": {"match": 0.0}}),
        ("samples_one.jsonl", {"0": {"exact_match": 0.0}}),
        ("samples_filters.jsonl:upper", {"0": {"exact_match": 0.0}}),
        ("promptfoo.json:echo 0", {"0": {"score": 0.0}}),
        ("evals.jsonl", {}),
    ],
)
def test_a_log_has_scores_of_its_own(folder: Path, source: str, scores: Any) -> None:
    found = {row.id: row.scores for row in read_predictions(source).rows}
    assert all(found.values())
    assert {name: found[name] for name in scores} == scores


def test_logs_are_compared_by_their_own_scores_where_no_metric_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = scored(capsys, "new.eval", baseline="old.eval", metrics=None)
    assert list(document["metrics"]) == ["match-logged"]
    comparison = document["comparison"]["new.eval"]["match-logged"]
    assert (comparison["wins"], comparison["ties"], comparison["losses"]) == (2, 1, 0)
    both = scored(capsys, "new.eval", baseline="old.eval", metrics="exact,logged")
    assert list(both["metrics"]) == ["match-logged", "exact"]
    plain = scored(capsys, "new.eval", baseline="old.eval")
    assert list(plain["metrics"]) == ["exact"]


def test_scores_that_only_one_log_has_are_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = json.loads((folder / "new.json").read_text())
    for sample in new["samples"]:
        sample["scores"] = {"f1": {"value": "much"}, "scores": {"value": 7}, "text": 5}
    (folder / "other.json").write_text(json.dumps(new))
    document = scored(capsys, "other.json", metrics=None)
    assert document["metrics"]["scores-logged"]["value"] == 7
    with pytest.raises(DataError, match="no score that all") as caught:
        scored(capsys, "other.json", baseline="old.eval", metrics="logged")
    assert "old.eval: match" in caught.value.details
    bleu = scored(capsys, "other.json", baseline="old.eval", metrics=None)
    assert "bleu" in bleu["metrics"]
    with pytest.raises(UsageError, match="there is no score 'exact'"):
        scored(capsys, "new.eval", metrics=None, primary="exact")


def test_what_a_log_has_not_scored_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = json.loads((folder / "new.json").read_text())
    new["samples"][0]["scores"] = {"match": {"value": float("nan")}}
    (folder / "other.json").write_text(json.dumps(new))
    score = scored(capsys, "other.json", metrics=None)["metrics"]["match-logged"]
    assert (score["n"], score["unscored"]) == (2, 1)
