"""``harness init``: what it says, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import json
import os
import random

import pytest

from harness.kit import yaml_file
from tests.plugins.transformers.conftest import save_model, save_tokenizer

WORDS = [a + b for a in ("mo", "ta", "ki", "lu", "se", "ro") for b in ("ren", "dal", "pik", "sot")]


def sentence(seed, length=12):
    """Words that two rows have by chance alone in common."""
    drawn = random.Random(seed)
    return " ".join(drawn.choice(WORDS) + str(drawn.randrange(99)) for _ in range(length))


def write_jsonl(project, rows, name="rows.jsonl"):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (project.folder / name).write_text(text, "utf-8")


def config_of(project, name="harness.yaml"):
    return yaml_file.read(project.folder / name)[0]


def made(project, *arguments):
    """``harness init`` and ``check`` after it; both have to be content."""
    done = project.inside("init", *arguments)
    assert done.code == 0, done.err
    checked = project.inside("check")
    assert checked.code == 0, checked.err
    return done.out, config_of(project), checked.out


def questions(count):
    return [{"question": sentence(n), "answer": sentence(-n - 1, 20)} for n in range(count)]


@pytest.mark.nightly
def test_a_semicolon_table_with_groups_and_facts(empty):
    with (empty.folder / "fälle.csv").open("w", encoding="utf-8-sig", newline="") as table:
        rows = csv.writer(table, delimiter=";")
        rows.writerow(["customer", "question", "answer", "topic", "note"])
        for n in range(400):
            topic = ("Rechnung", "Lieferung", "Rückgabe")[n % 3]
            rows.writerow([f"k{n // 2}", sentence(n), sentence(-n - 1, 20), topic, f"n{n}"])
    out, config, checked = made(empty, "fälle.csv")
    data = config["data"]
    assert data["source"] == "rows" and data["path"] == "fälle.csv" and data["format"] == "columns"
    assert data["columns"] == {
        "prompt": "question", "references": ["answer"], "group": "customer", "meta": ["topic"],
    }  # fmt: skip
    assert config["primary"] == "rougeL"
    assert {"train", "pool", "dev", "test"} == set(data["sizes"])
    assert "cannot carry" not in checked
    assert "note" in out.split("not used")[1].splitlines()[0]


def test_labels_get_exact_and_rare_ones_are_stratified(empty):
    rows = [{"text": sentence(n), "label": "abcdef"[n % 5] * 3} for n in range(300)]
    rows += [{"text": sentence(n), "label": "rare"} for n in range(300, 312)]
    write_jsonl(empty, rows)
    out, config, _ = made(empty, "rows.jsonl")
    assert config["primary"] == "exact" and config["metrics"] == [{"plugin": "exact"}]
    assert config["data"]["columns"]["meta"] == ["label"] and config["data"]["stratify"] == "label"
    assert "6 labels" in out and "'rare', 12" in out and "points in exact" in out


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("answer", "primary"),
    [
        (lambda n: json.dumps({"name": WORDS[n % 24], "n": n}), "json"),
        (lambda n: str(n * 3), "exact"),
        (lambda n: f"{WORDS[n % 24]} {n}", "token-f1"),
        (lambda n: sentence(-n - 1, 30), "rougeL"),
    ],
)
def test_the_primary_follows_the_answers(answer, primary, empty):
    rows = questions(250)
    for n, row in enumerate(rows):
        row["answer"] = answer(n)
    write_jsonl(empty, rows)
    _, config, _ = made(empty, "rows.jsonl")
    assert config["primary"] == primary


def test_rows_that_call_tools_get_their_metric_and_detector(empty):
    def tool(name):
        schema = {"type": "object", "properties": {"room": {"type": "string"}}}
        return {"type": "function", "function": {"name": name, "parameters": schema}}

    def call(n):
        arguments = json.dumps({"room": WORDS[n % 24]})
        return {"type": "function", "function": {"name": "light_on", "arguments": arguments}}

    def answered(n):
        said = {"content": sentence(-n - 1)} if n % 5 == 0 else {"tool_calls": [call(n)]}
        asked = {"role": "user", "content": sentence(n)}
        return {"messages": [asked, {"role": "assistant", **said}], "tools": [tool("light_on")]}

    write_jsonl(empty, [answered(n) for n in range(250)])
    out, config, _ = made(empty, "rows.jsonl")
    assert "calls of tools" in out
    assert config["metrics"] == [{"plugin": "tool-call"}] and config["primary"] == "tool-call"
    assert config["detect"] == ["basic", "tool-call"]


def test_the_first_run_asks_whether_a_prompt_would_do(empty):
    write_jsonl(empty, questions(300))
    _, config, _ = made(empty, "rows.jsonl")
    assert config["baselines"] == ["prompted", "few-shot"]
    text = (empty.folder / "harness.yaml").read_text()
    assert "# Would a prompt do? One more answering of dev under each" in text


def test_a_fifth_of_what_is_learned_is_general_rows(empty):
    write_jsonl(empty, questions(300))
    _, config, _ = made(empty, "rows.jsonl")
    assert config["replay"] == 0.2


@pytest.mark.nightly
def test_examples_that_have_no_room_are_not_asked_for(empty):
    write_jsonl(empty, [{"question": sentence(n, 500), "answer": sentence(-n)} for n in range(300)])
    _, config, _ = made(empty, "rows.jsonl")
    assert config["baselines"] == ["prompted"]


@pytest.mark.nightly
def test_near_duplicates_are_kept_together(empty):
    rows = questions(300)
    rows += [{**row, "question": row["question"] + " x"} for row in rows[:40]]
    write_jsonl(empty, rows)
    out, config, checked = made(empty, "rows.jsonl")
    assert config["data"]["group"] == "auto"
    assert "40 prompts are nearly another, of 340 looked at" in out
    assert "near-duplicate" not in checked


@pytest.mark.nightly
def test_given_splits_are_respected_and_lacking_ones_cut_from_train(empty):
    (empty.folder / "data").mkdir()
    for split, count in (("train", 400), ("validation", 60), ("test", 60)):
        rows = questions(count)
        for row in rows:
            row["question"] = f"{split} {row['question']} {split}"
        write_jsonl(empty, rows, f"data/{split}.jsonl")
    _, config, checked = made(empty, "data")
    assert config["data"]["sizes"] == {"pool": 0.2}
    assert "60 dev, 60 test" in checked
    (empty.folder / "data" / "validation.jsonl").unlink()
    (empty.folder / "harness.yaml").unlink()
    _, config, checked = made(empty, "data")
    assert set(config["data"]["sizes"]) == {"pool", "dev"}
    assert "60 test" in checked and "cannot carry" not in checked


@pytest.mark.nightly
def test_lengths_in_tokens_of_a_local_model(empty):
    folder = empty.folder / "model"
    folder.mkdir()
    save_tokenizer(folder)
    save_model(folder)
    write_jsonl(empty, questions(80))
    out, config, _ = made(empty, "rows.jsonl", "--model", "model")
    assert config["model"] == {"source": "local", "path": "model"}
    assert "tokens: " in out
    assert config["train"]["max_length"] > config["generate"]["max_new_tokens"] > 20


def test_a_config_in_another_folder_finds_the_rows(empty):
    write_jsonl(empty, questions(80))
    (empty.folder / "run").mkdir()
    done = empty.inside("init", "rows.jsonl", "-o", "run/own.yaml")
    assert done.code == 0, done.err
    assert config_of(empty, "run/own.yaml")["data"]["path"] == "../rows.jsonl"
    assert "next: harness check -c run/own.yaml" in done.out
    assert empty.inside("check", "-c", "run/own.yaml").code == 0


def test_nothing_is_overwritten(empty):
    write_jsonl(empty, questions(80))
    empty.write("mine: 1\n")
    for arguments in (["rows.jsonl"], ["--recipe", "chat"]):
        done = empty.inside("init", *arguments)
        assert done.code == 2 and "harness.yaml" in done.err and "-o" in done.err
    assert (empty.folder / "harness.yaml").read_text() == "mine: 1\n"
    done = empty.inside("init", "--recipe", "chat", "-o", "other.yaml")
    assert done.code == 2 and "rows.jsonl" in done.err
    assert not (empty.folder / "other.yaml").exists()


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "This folder has bad.jsonl, few.jsonl, rows.jsonl"),
        (["missing.csv"], 2, "no such file or folder"),
        (["rows.jsonl", "--recipe", "chat"], 2, "either it or a file"),
        (["--recipe", "chet"], 2, "did you mean 'chat'"),
        (["rows.jsonl", "--column", "prompt"], 2, "ROLE=NAME"),
        (["rows.jsonl", "--column", "promt=question"], 2, "promt"),
        (["rows.jsonl", "--format", "alpaka"], 2, "alpaka"),
        (["rows.jsonl", "--model", "nowhere"], 2, "--model nowhere"),
        (["rows.jsonl", "--column", "prompt=nothing"], 4, "'nothing' is no column"),
        (["few.jsonl"], 4, "3 rows: too few"),
        (["bad.jsonl"], 4, "bad.jsonl:2"),
    ],
)
def test_wrong_input_is_told_in_one_message_and_leaves_nothing(arguments, code, words, empty):
    write_jsonl(empty, questions(80))
    write_jsonl(empty, questions(3), "few.jsonl")
    (empty.folder / "bad.jsonl").write_text('{"question": "a", "answer": "b"}\n{"question"\n')
    before = sorted(os.listdir(empty.folder))
    done = empty.inside("init", *arguments)
    assert done.code == code, done.err
    assert words in done.err
    assert "Traceback" not in done.err
    assert sorted(os.listdir(empty.folder)) == before


def test_the_config_says_how_it_was_written(empty):
    write_jsonl(empty, questions(80))
    done = empty.inside("init", "rows.jsonl", "-o", "my own.yaml", "--system", "Be brief.")
    assert done.code == 0, done.err
    first = (empty.folder / "my own.yaml").read_text().splitlines()[0]
    command = "harness init rows.jsonl -o 'my own.yaml' --system 'Be brief.'"
    assert first == f"# Written by: {command}"


def test_hostile_names_stay_names(empty):
    name = "a: [b]\n# x\u2028: {y"
    rows = [{name: sentence(n), "answer": "yes" if n % 2 else "no\x1b[31m"} for n in range(120)]
    write_jsonl(empty, rows)
    out, config, _ = made(empty, "rows.jsonl", "--column", f"prompt={name}")
    assert config["data"]["columns"]["prompt"] == name
    assert "\x1b" not in out


def test_recipes_are_listed_without_a_name(empty):
    for arguments in (["--recipe"], ["--recipe", "-o", "x.yaml"]):
        done = empty.inside("init", *arguments)
        assert done.code == 0, done.err
        for name in ("chat", "extract", "classify", "summarise"):
            assert name in done.out
    assert os.listdir(empty.folder) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(empty):
    write_jsonl(empty, questions(80))
    empty.folder.chmod(0o500)
    try:
        done = empty.inside("init", "rows.jsonl")
    finally:
        empty.folder.chmod(0o700)
    assert done.code == 3 and "harness.yaml" in done.err


@pytest.mark.nightly
def test_near_duplicates_of_given_splits_are_left_out_of_train(empty):
    (empty.folder / "data").mkdir()
    rows = questions(360)
    for split, part in (("train", rows[:240]), ("dev", rows[240:300]), ("test", rows[300:])):
        write_jsonl(empty, part, f"data/{split}.jsonl")
    near = [{**row, "question": row["question"] + " x"} for row in rows[240:244]]
    write_jsonl(empty, [*rows[:240], *near], "data/train.jsonl")
    _, config, checked = made(empty, "data")
    assert "group" not in config["data"] and config["filters"] == {"source": "refuse"}
    assert "60 dev, 60 test" in checked and "4 of 195 rows of train would be left out" in checked


@pytest.mark.nightly
def test_long_rows_are_trained_in_smaller_batches(empty):
    rows = [{"question": sentence(n, 1500), "answer": sentence(-n - 1, 20)} for n in range(60)]
    write_jsonl(empty, rows)
    _, config, _ = made(empty, "rows.jsonl")
    assert config["train"]["max_length"] > 2048
    assert (config["train"]["batch_size"], config["train"]["accumulation"]) == (2, 4)


@pytest.mark.nightly
def test_a_large_group_goes_to_train(empty):
    groups = ["one"] * 90 + [f"g{n}" for n in range(300)]
    rows = [{**row, "group": group} for row, group in zip(questions(390), groups, strict=True)]
    for seed in range(4):
        random.Random(seed).shuffle(rows)
        renamed = [{**row, "group": f"{row['group']}-{seed}"} for row in rows]
        write_jsonl(empty, renamed)
        (empty.folder / "harness.yaml").unlink(missing_ok=True)
        _, _, checked = made(empty, "rows.jsonl")
        assert "cannot carry" not in checked


@pytest.mark.nightly
def test_too_few_origins_and_too_few_rows_are_said(empty):
    rows = [{**row, "customer": f"c{n % 10}"} for n, row in enumerate(questions(120))]
    write_jsonl(empty, rows)
    out, config, _ = made(empty, "rows.jsonl")
    assert "customer has too few values" in out and config["data"]["columns"]["meta"] == [
        "customer"
    ]
    write_jsonl(empty, questions(30))
    (empty.folder / "harness.yaml").unlink()
    out, config, checked = made(empty, "rows.jsonl")
    assert "60 groups give train, dev and test 20 each" in out and "cannot carry" in checked


@pytest.mark.nightly
def test_an_answer_that_is_far_longer_than_all_others_sets_no_limit(empty):
    rows = questions(300)
    rows[7]["answer"] = sentence(7, 900)
    write_jsonl(empty, rows)
    _, config, _ = made(empty, "rows.jsonl")
    assert config["generate"]["max_new_tokens"] < 100 < 900 < config["train"]["max_length"]
    text = (empty.folder / "harness.yaml").read_text()
    assert "99 % of the answers have at most 20 words, the longest 900" in text


@pytest.mark.nightly
def test_a_template_a_folder_with_a_space_and_the_native_format(empty):
    articles = [{"article": sentence(n, 40), "headline": sentence(-n, 6)} for n in range(120)]
    write_jsonl(empty, articles, "articles.jsonl")
    flags = ["--column", "references=headline", "--prompt", "Headline for:\\n\\n{article}"]
    _, config, _ = made(empty, "articles.jsonl", *flags)
    assert config["data"]["prompt"] == "Headline for:\n\n{article}"
    assert config["data"]["columns"] == {"references": ["headline"]}
    (empty.folder / "my rows").mkdir()
    native = [
        {
            "id": f"r{n}", "group": f"g{n // 2}", "references": [sentence(-n - 1, 20)],
            "messages": [{"role": "user", "content": sentence(n)}], "meta": {"topic": "ab"[n % 2]},
        }
        for n in range(160)
    ]  # fmt: skip
    write_jsonl(empty, native, "my rows/own.jsonl")
    (empty.folder / "harness.yaml").unlink()
    _, config, checked = made(empty, "my rows/own.jsonl")
    assert config["data"]["columns"]["group"] == "group" and "cannot carry" not in checked


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(("rows", "epochs"), [(60, 8), (250, 3), (600, 2)])
def test_few_rows_are_passed_more_often(rows, epochs, empty):
    write_jsonl(empty, questions(rows))
    _, config, _ = made(empty, "rows.jsonl")
    assert config["train"]["epochs"] == epochs and config["train"]["learning_rate"] == 0.001


def test_rows_with_tests_are_scored_by_running_them(empty):
    rows = [
        {
            "question": sentence(n),
            "answer": f"def f(x):\n    return x + {n}",
            "check": f"assert f(1) == {n + 1}",
        }
        for n in range(120)
    ]
    write_jsonl(empty, rows)
    _, config, _ = made(empty, "rows.jsonl")
    assert config["metrics"] == [{"plugin": "executes", "tests": "check"}]
    assert config["primary"] == "executes"
    assert "check" in config["data"]["columns"]["meta"]
    for row in rows:  # as HumanEval has them, of which nothing stands outside of a function
        row["check"] = f"def check(candidate):\n    {row['check'].replace('f(', 'candidate(')}\n"
        row["entry_point"] = "f"
    write_jsonl(empty, rows, "human.jsonl")
    assert empty.inside("init", "human.jsonl", "-o", "human.yaml").code == 0
    config = config_of(empty, "human.yaml")
    assert config["primary"] == "executes"
    assert config["data"]["columns"]["meta"] == ["check", "entry_point"]
    rows[0]["check"] = "see the manual"
    write_jsonl(empty, rows, "other.jsonl")
    assert empty.inside("init", "other.jsonl", "-o", "other.yaml").code == 0
    assert config_of(empty, "other.yaml")["primary"] != "executes"
