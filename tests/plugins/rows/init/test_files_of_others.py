"""Files as others write them, which ``init`` was not built on: a config, or one message."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.kit import yaml_file

WORDS = """river mountain teacher market window garden engine letter bridge island doctor winter
summer machine picture kitchen village forest harbour station music history science weather animal
paper bottle carpet ladder""".split()  # noqa: SIM905
GERMAN = "Straße Überweisung Kündigung Gebühr Zähler größer können dürfen heute morgen wann".split()  # noqa: SIM905


def drawn(seed, length, words=WORDS):
    numbers = random.Random(seed)
    return " ".join(f"{numbers.choice(words)}{numbers.randrange(50)}" for _ in range(length))


def jsonl(path, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, "utf-8")
    return path.name


def table(path, head, rows, **form):
    with path.open("w", encoding=form.pop("encoding", "utf-8"), newline="") as stream:
        csv.writer(stream, **form).writerows([head, *rows])
    return path.name


def dolly(folder):
    return jsonl(folder / "dolly.jsonl", [
        {"instruction": drawn(n, 8), "context": drawn(-n, 30) if n % 3 == 0 else "",
         "response": drawn(n + 1000, 10 + n % 30), "category": "abcde"[n % 5]}
        for n in range(240)
    ])  # fmt: skip


def gsm8k(folder):
    (folder / "gsm8k").mkdir()
    for split, count in (("train", 240), ("test", 60)):
        jsonl(folder / "gsm8k" / f"{split}.jsonl", [
            {"question": f"{split} {drawn(n, 12)}?", "answer": f"{drawn(n, 14)}\n#### {n * 7}"}
            for n in range(count)
        ])  # fmt: skip
    return "gsm8k"


def german_table(folder):
    rows = [
        [
            f"K{n // 3}",
            f"Warum {drawn(n, 9, GERMAN)}?",
            f"Die {drawn(-n, 15, GERMAN)}.",
            "AB"[n % 2],
        ]
        for n in range(300)
    ]
    head = ["Kunde", "Frage", "Antwort", "Thema"]
    return table(folder / "kunden.csv", head, rows, delimiter=";", encoding="utf-8-sig")


def nested_parquet(folder):
    turns = [
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": drawn(n, 8)},
         {"role": "assistant", "content": drawn(n + 500, 9)},
         {"role": "user", "content": drawn(n + 900, 5)},
         {"role": "assistant", "content": drawn(n + 700, 20)}]
        for n in range(120)
    ]  # fmt: skip
    rows = [{"uid": n, "conversation": one, "source": "xy"[n % 2]} for n, one in enumerate(turns)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "chats.parquet")
    return "chats.parquet"


def sharegpt(folder):
    rows = [
        {"conversations": [{"from": "human", "value": f"{drawn(n, 9)}?"},
                           {"from": "gpt", "value": drawn(n + 500, 22)}],
         "system": "You may call tools.", "tools": "[]"}
        for n in range(120)
    ]  # fmt: skip
    (folder / "sharegpt.json").write_text(json.dumps(rows))
    return "sharegpt.json"


def intents(folder):
    numbers = random.Random(3)
    rows = [[f"{drawn(n, 6)}", f"intent_{int(min(149, numbers.expovariate(1 / 40)))}"]
            for n in range(1200)]  # fmt: skip
    return table(folder / "intents.tsv", ["utterance", "intent"], rows, delimiter="\t")


def squad(folder):
    return jsonl(folder / "squad.jsonl", [
        {"id": f"q{n}", "title": f"T{n // 3}", "context": drawn(n // 3, 40),
         "question": drawn(n + 9, 6),
         "answers": {"text": [drawn(n, 2), drawn(n, 3)], "answer_start": [1, 2]}}
        for n in range(300)
    ])  # fmt: skip


def xsum(folder):
    return jsonl(folder / "xsum.jsonl", [
        {"document": drawn(n, 90), "summary": drawn(n, 18), "id": str(n)} for n in range(120)
    ])  # fmt: skip


def extraction(folder):
    return jsonl(folder / "fields.jsonl", [
        {"text": drawn(n, 20), "json_output": json.dumps({"name": WORDS[n % 9], "tags": ["a", n]})}
        for n in range(120)
    ])  # fmt: skip


def saved(folder):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    rows = [{"sentence": drawn(n, 9), "label": n % 3} for n in range(240)]
    names = datasets.ClassLabel(names=["negative", "neutral", "positive"])
    whole = datasets.Dataset.from_list(rows).cast_column("label", names)
    parts = {"train": whole.select(range(160)), "validation": whole.select(range(160, 200)),
             "test": whole.select(range(200, 240))}  # fmt: skip
    datasets.DatasetDict(parts).save_to_disk(folder / "saved")
    datasets.enable_progress_bars()
    return "saved"


def tables(folder):
    (folder / "csvs").mkdir()
    for split, count in (("train", 240), ("validation", 60), ("test", 60)):
        rows = [
            [f"{split} {drawn(n, 8)}?", drawn(n, 3), ("easy", "hard")[n % 2]] for n in range(count)
        ]
        table(folder / "csvs" / f"{split}.csv", ["question", "answer", "level"], rows)
    return "csvs"


@pytest.mark.nightly(but_each=12)
@pytest.mark.parametrize(
    ("made", "primary", "words"),
    [
        (dolly, "rougeL", ["alpaca", "prompt from instruction and context"]),
        (gsm8k, "rougeL", ["marked result", "60 test"]),
        (german_table, "rougeL", ["guessed", "--column group=Kunde", "de 100 %"]),
        (nested_parquet, "rougeL", ["messages from conversation", "120 rows"]),
        (sharegpt, "rougeL", ["sharegpt"]),
        (intents, "exact", ["labels; the most frequent", "points in exact"]),
        (squad, "token-f1", ["prompt from context and question", "by the column title"]),
        (xsum, "rougeL", ["prompt from document"]),
        (extraction, "json", ["guessed", "references from json_output"]),
        (saved, "exact", ["3 labels;", "40 dev, 40 test"]),
        (tables, "token-f1", ["60 dev, 60 test"]),
    ],
)  # fmt: skip
def test_a_config_that_check_calls_fine(made, primary, words, empty):
    name = made(empty.folder)
    done = empty.inside("init", name)
    assert done.code == 0, done.err
    assert [one for one in words if one not in done.out] == []
    config = yaml_file.read(empty.folder / "harness.yaml")[0]
    assert config["primary"] == primary
    checked = empty.inside("check")
    assert checked.code == 0, checked.err
    assert "cannot carry" not in checked.out


def test_pairs_get_a_config_that_learns_from_preferences(empty):
    name = jsonl(empty.folder / "dpo.jsonl", [
        {"prompt": drawn(n, 8), "chosen": drawn(n, 9), "rejected": drawn(-1 - n, 12)}
        for n in range(200)
    ])  # fmt: skip
    done = empty.inside("init", name)
    assert done.code == 0, done.err
    config = yaml_file.read(empty.folder / "harness.yaml")[0]
    assert {"plugin": "preference", "loss": "dpo"}.items() <= config["train"].items()
    assert config["data"]["columns"]["rejected"] == "rejected"
    assert "replay" not in config  # general rows are no pairs
    checked = empty.inside("check")
    assert checked.code == 0, checked.err
    refused = empty.inside("check", "--set", "replay=.2")
    assert refused.code == 2 and "general rows (`replay`) are none" in " ".join(refused.err.split())


def test_rows_of_dev_that_init_counts_have_a_good_answer(empty):
    name = jsonl(empty.folder / "kto.jsonl", [
        {"prompt": drawn(n, 8), "completion": drawn(n, 9), "label": n % 2 == 0} for n in range(200)
    ])  # fmt: skip
    done = empty.inside("init", name)
    assert done.code == 0, done.err
    assert "100 rows have rejected answers alone" in " ".join(done.out.split())
    config = yaml_file.read(empty.folder / "harness.yaml")[0]
    assert {"plugin": "preference", "loss": "kto"}.items() <= config["train"].items()
    counted = re.search(r"([\d]+) train, .*?([\d]+) dev, ([\d]+) test", done.out)
    assert counted is not None
    document = empty.inside("data", "stats", "-c", "harness.yaml", "--json").document
    splits = {part["split"]: part["rows"] for part in document["splits"]}
    assert [splits[name] for name in ("train", "dev", "test")] == [int(n) for n in counted.groups()]
    split = empty.inside("data", "split", "kto.jsonl", "-o", "kto")
    assert split.code == 0, split.err
    for held_out in ("dev", "test"):
        rows = map(
            json.loads, (empty.folder / "kto" / f"{held_out}.jsonl").read_text().splitlines()
        )
        assert all(row["label"] for row in rows)


@pytest.mark.parametrize("options", [(), ("--train-share", "0.5")])
def test_dev_and_test_leave_train_its_part_where_each_prompt_has_a_rejected_answer(options, empty):
    name = jsonl(empty.folder / "kto.jsonl", [
        {"prompt": drawn(n // 2, 8), "completion": drawn(n, 9), "label": n % 2 == 0}
        for n in range(160)
    ])  # fmt: skip
    done = empty.inside("init", name, *options)
    assert done.code == 0, done.err
    document = empty.inside("data", "stats", "-c", "harness.yaml", "--json").document
    splits = {part["split"]: part["rows"] for part in document["splits"]}
    assert splits["dev"] >= 16 and splits["test"] >= 16 and splits["train"] >= 40


def test_rows_of_our_own_form_keep_what_they_reject(empty):
    name = jsonl(empty.folder / "own.jsonl", [
        {"messages": [{"role": "user", "content": drawn(n, 8)}], "references": [drawn(n, 9)],
         "rejected": [drawn(-1 - n, 12), drawn(-999 - n, 5)]}
        for n in range(200)
    ])  # fmt: skip
    done = empty.inside("init", name)
    assert done.code == 0, done.err
    config = yaml_file.read(empty.folder / "harness.yaml")[0]
    assert {"plugin": "preference", "loss": "dpo"}.items() <= config["train"].items()
    assert config["data"]["columns"]["rejected"] == "rejected"
    checked = empty.inside("check")
    assert checked.code == 0, checked.err


def nested_squad(folder):
    rows = [
        {"title": f"T{n}", "paragraphs": [{"context": drawn(n, 20), "qas": []}]} for n in range(40)
    ]
    (folder / "squad.json").write_text(json.dumps({"version": "1.1", "data": rows}))
    return "squad.json"


def lines(folder):
    (folder / "lines.txt").write_text("".join(drawn(n, 12) + "\n" for n in range(60)))
    return "lines.txt"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (nested_squad, "each row holds many in its column 'paragraphs'"),
        (lines, "unknown kind of file"),
    ],
)
def test_what_is_no_row_is_told_in_one_message(made, words, empty):
    name = made(empty.folder)
    done = empty.inside("init", name)
    assert done.code == 4 and words in done.err, done.err
    assert not Path(empty.folder / "harness.yaml").exists()


def test_rows_of_our_own_form_without_pairs_are_learned_one_by_one(empty):
    name = jsonl(empty.folder / "own.jsonl", [
        {"messages": [{"role": "user", "content": drawn(n, 8)}],
         "references": [drawn(n, 9)] if n % 3 else [], "rejected": [drawn(-1 - n, 12)]}
        for n in range(150)
    ])  # fmt: skip
    done = empty.inside("init", name)
    assert done.code == 0, done.err
    config = yaml_file.read(empty.folder / "harness.yaml")[0]
    assert {"plugin": "preference", "loss": "kto"}.items() <= config["train"].items()
    checked = empty.inside("check")
    assert checked.code == 0, checked.err
