"""Files as other programs export them: what ``init`` proposes, and that the commands go on."""

from __future__ import annotations

import re
import shlex

import pytest

import harness
from harness.kit import yaml_file
from harness_rows.initial import splits
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


@pytest.mark.nightly(but_each=18)
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


@pytest.mark.nightly(but_each=4)
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


def test_of_two_encodings_that_fit_neither_is_chosen(empty):
    EXPORTS["tickets.csv"].write(empty.folder / "tickets.csv")
    file = empty.folder / "mails.csv"
    text = (empty.folder / "tickets.csv").read_text().replace("Dear customer", "Regards, João")
    file.write_bytes(text.encode("cp1252"))
    done = empty.inside("init", "mails.csv")
    assert done.code == 4 and "Regards, João" in done.err and "Regards, Joăo" in done.err
    assert lines_to_paste(done.err) == [
        ["init", "mails.csv", "--encoding", "cp1252"],
        ["init", "mails.csv", "--encoding", "cp1250"],
    ]
    assert "paste the line of the encoding that reads right; or convert it: " in done.err


def test_all_that_is_wrong_with_a_file_is_said_at_once(empty):
    EXPORTS["tickets.csv"].write(empty.folder / "tickets.csv")
    file = empty.folder / "mails.csv"
    text = (empty.folder / "tickets.csv").read_text().replace("Dear customer", "Schöne Grüße")
    file.write_bytes(text.encode("cp1252"))
    done = empty.inside("init", "mails.csv")
    assert done.code == 4 and "likely cp1252" in done.err and "(12 times" in done.err, done.err
    [command] = lines_to_paste(done.err)
    assert command == ["init", "mails.csv", "--encoding", "cp1252", "--drop-incomplete"]
    done = empty.inside(*command)
    assert done.code == 0, done.err

    (empty.folder / "harness.yaml").unlink()
    rows = text.splitlines(keepends=True)
    columns = ["--column", "prompt=Body", "--column", "references=Agent Reply"]
    file.write_text("".join([rows[0].replace("Customer", "split"), *rows[1:]]))
    done = empty.inside("init", "mails.csv", *columns)
    assert "unknown split" in done.err and "(12 times" in done.err and "read so" not in done.err
    assert lines_to_paste(done.err) == [["init", "mails.csv", *columns, "--drop-incomplete"]]


@pytest.mark.nightly
def test_blank_rows_are_left_out_everywhere_and_counted(empty):
    EXPORTS["tickets.csv"].write(empty.folder / "tickets.csv")
    done = empty.inside("init", "tickets.csv", "--drop-incomplete")
    assert done.code == 0, done.err
    said = "12 rows are left out: 12 with a blank answer"
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


@pytest.mark.nightly
def test_rows_that_end_in_a_call_are_called_so(empty):
    EXPORTS["tools.parquet"].write(empty.folder / "tools.parquet")
    done = empty.inside("init", "tools.parquet", "--drop-incomplete")
    assert done.code == 0, done.err
    said = "35 rows are left out: 35 that end in a call of a tool"
    for command in (["check"], ["data", "preview"]):
        shown = empty.inside(*command)
        assert said in " ".join((shown.out + shown.err).split()), shown
    assert said in " ".join(done.out.split())


@pytest.mark.nightly
def test_a_column_that_is_named_leaves_the_others_to_be_proposed(empty):
    EXPORTS["german_mails.csv"].write(empty.folder / "mails.csv")
    read = ["mails.csv", "--encoding", "cp1252", "-o"]
    done = empty.inside("init", *read, "a.yaml", "--column", "group=Kundennummer")
    assert done.code == 0, done.err
    shown = re.search(r"(--prompt .*)", done.out)[1]
    done = empty.inside("init", *read, "b.yaml", *shlex.split(shown))
    assert done.code == 0, done.err
    made = [yaml_file.read(empty.folder / name)[0]["data"] for name in ("a.yaml", "b.yaml")]
    assert made[0]["columns"]["group"] == "Kundennummer"
    assert made[1]["prompt"] == "{Betreff}\n\n{E-Mail-Text}"
    assert [one["columns"]["references"] for one in made] == [["Unsere Antwort"]] * 2


@pytest.mark.nightly
def test_why_train_is_small_and_what_more_would_cost(empty):
    EXPORTS["tickets.csv"].write(empty.folder / "tickets.csv")
    given = ["init", "tickets.csv", "--drop-incomplete", "--column", "group=Customer"]
    done = empty.inside(*given)
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "train has 25 % of the rows" in said and "the 63 dev rows form 20 groups" in said
    assert (
        "--train-share .5: 97 train, 24 pool, 43 dev, 44 test; dev can detect nothing: the 43"
        in said
    )
    (empty.folder / "harness.yaml").unlink()
    done = empty.inside(*given, "--train-share", ".5")
    assert done.code == 0, done.err
    assert "97 train, 24 pool, 43 dev, 44 test" in done.out and "why this split" not in done.out
    assert "no verdict yet: dev: the 43 rows" in (empty.folder / "harness.yaml").read_text()
    assert empty.inside("check").code == 0


@pytest.mark.parametrize("share", [".1", ".3", ".5", ".9"])
@pytest.mark.parametrize(("groups", "each"), [(250, 1), (60, 4), (30, 1)])
def test_a_share_for_train_is_what_it_gets(groups, each, share):
    rows = [
        harness.Example(str(n), ({"role": "user", "content": str(n)},), ("a",), "", str(n // each))
        for n in range(groups * each)
    ]  # fmt: skip
    sizes = splits.of_share(rows, float(share))
    if "train" in sizes:
        assert sizes["train"] == pytest.approx(float(share), abs=0.002)
        assert sum(sizes.values()) == pytest.approx(1)
    else:
        assert 1 - sum(sizes.values()) / len(rows) == pytest.approx(float(share), abs=0.05)
    assert sizes["dev"] == sizes["test"]


@pytest.mark.nightly
def test_rows_that_have_their_split_are_not_dealt_out_again(empty):
    EXPORTS["folder"].write(empty.folder / "folder")
    done = empty.inside("init", "folder", "--train-share", ".5")
    assert done.code == 2 and "these have a split each" in done.err
    done = empty.inside("init", "folder")
    assert done.code == 0, done.err
    what = "dev is the validation set of the data: it chooses the round to keep"
    assert what in " ".join(done.out.split())
    assert what in (empty.folder / "harness.yaml").read_text()


def test_a_label_is_said_to_be_a_feature(empty):
    EXPORTS["labels.tsv"].write(empty.folder / "labels.tsv")
    done = empty.inside("init", "labels.tsv")
    assert done.code == 0, done.err
    assert "label: weak slices of dev are looked for by the right answer" in " ".join(
        done.out.split()
    )
    assert "# meta has the label itself" in (empty.folder / "harness.yaml").read_text()


def test_commands_for_a_file_name_the_columns_that_init_would_take(empty):
    EXPORTS["tickets.csv"].write(empty.folder / "tickets.csv")
    for words in (("stats", "tickets.csv"), ("split", "tickets.csv", "-o", "new.jsonl")):
        done = empty.inside("data", *words)
        assert done.code == 4
        assert "name them: --column prompt=Body --column 'references=Agent Reply'" in done.err
