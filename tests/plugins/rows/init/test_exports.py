"""Files as other programs export them: what ``init`` proposes, and that the commands go on."""

from __future__ import annotations

import re
import shlex

import pytest

from harness.kit import yaml_file
from tests.plugins.transformers.conftest import save_model, save_tokenizer
from tests.support.exports import EXPORTS

LINE = re.compile(r"harness (init .*?)(?: reads it so.*| \(`incomplete.*)?$")


def lines_to_paste(message):
    """The arguments of each command that a message shows."""
    found = (LINE.search(line) for line in message.splitlines())
    return [shlex.split(one[1]) for one in found if one]


def columns_of(folder):
    """Columns of the prompt and of the answers in the config."""
    data = yaml_file.read(folder / "harness.yaml")[0]["data"]
    columns = data.get("columns", {})
    prompts = [columns[role] for role in ("prompt", "messages") if role in columns]
    prompts += re.findall(r"{([^{}]+)}", data.get("prompt", ""))
    return prompts, columns.get("references", []), data


def named(command):
    """Columns that a command line names for the prompt and for the answers."""
    roles = [word.partition("=") for word in command if "=" in word]
    return [name for role, _, name in roles if role in ("prompt", "references")]


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("name", EXPORTS)
def test_what_other_programs_export(name, empty):
    export = EXPORTS[name]
    export.write(empty.folder / name)
    (empty.folder / "model").mkdir()
    save_tokenizer(empty.folder / "model")
    save_model(empty.folder / "model")
    done = empty.inside("init", name, "--model", "model")
    for _ in range(3):
        if done.code == 0:
            break
        assert done.code == 4 and "\ufffd" not in done.err, done.err
        commands = lines_to_paste(done.err)
        if not export.prompt and not commands:
            return
        assert commands, done.err
        for command in commands:
            assert not set(named(command)) & set(export.wrong), command
        wanted = {*export.prompt, *export.references}
        best = max(commands, key=lambda command: len(wanted.intersection(named(command))))
        done = empty.inside(*best)
    assert done.code == 0, done.err
    prompts, references, data = columns_of(empty.folder)
    assert not {*prompts, *references} & set(export.wrong)
    if export.prompt and data["format"] == "columns":
        assert tuple(prompts) == export.prompt and tuple(references) == export.references
    checked = empty.inside("check")
    assert checked.code == 0, checked.err
    shown = empty.inside("data", "preview")
    assert shown.code == 0, shown.err


@pytest.mark.parametrize("name", ["tickets.csv", "excel.csv", "survey.csv", "routed.jsonl"])
def test_the_first_answer_names_what_goes_on(name, empty):
    export = EXPORTS[name]
    export.write(empty.folder / name)
    done = empty.inside("init", name)
    assert done.code == 4 and f"harness init {name} " in done.err
    assert export.option in done.err
    if export.option.startswith("--encoding"):
        assert len(done.err.splitlines()) == 2  # one problem, one hint
        assert "'Antwort;Geprüft am;" in done.err
        assert f"iconv -f cp1252 -t utf-8 {name} > excel.utf8.csv" in done.err


def test_blank_rows_are_left_out_everywhere_and_counted(empty):
    EXPORTS["tickets.csv"].write(empty.folder / "tickets.csv")
    done = empty.inside("init", "tickets.csv", "--drop-incomplete")
    assert done.code == 0, done.err
    said = "12 rows with a blank prompt or answer are left out"
    assert "tickets.csv: 208 rows" in done.out and said in " ".join(done.out.split())
    assert "incomplete: drop" in (empty.folder / "harness.yaml").read_text()
    checked = empty.inside("check")
    assert checked.code == 0 and said in " ".join(checked.out.split())
    columns = ["--column", "prompt=Body", "--column", "references=Agent Reply"]
    files = [[], ["tickets.csv", "--drop-incomplete", *columns]]
    for number, rows in enumerate(files):
        for command, *target in (["stats"], ["split", "-o", f"split{number}"],
                                 ["dedup", "-o", f"new{number}.jsonl"]):  # fmt: skip
            done = empty.inside("data", command, *rows, *target)
            assert done.code == 0, done.err
            assert said in " ".join(done.out.split()), done.out
    refused = empty.inside("data", "dedup", "tickets.csv", "-o", "other.jsonl", *columns)
    assert refused.code == 4 and "--drop-incomplete" in refused.err
