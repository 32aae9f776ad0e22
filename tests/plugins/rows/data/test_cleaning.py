"""``harness data dedup`` and ``harness data redact``: what they write, and what they never do."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.waiting import LONG

from .conftest import Shop, lines, shop, shop_row, table

MAIL = "ana@example.com"


def put(place: Shop, content: bytes, name: str = "rows.jsonl") -> str:
    path = place.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return name


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def copies() -> list[dict]:
    """An exact and a near repeat within train, and one of a row of test."""
    first, second, held_out = shop_row(0), shop_row(1), shop_row(3, "test")
    near = second["question"].replace("Please", "Kindly")
    return [
        first,
        shop_row(1, question=near),
        shop_row(0, question=held_out["question"], answer="Something else."),
    ]


def test_what_goes_is_told_and_written_with_its_reason_and_nothing_is_lost(place: Shop):
    path = put(place, lines(shop(more=copies())), "rows.jsonl")
    done = place.data("dedup", path, "-o", "out.jsonl", "--removed", "gone.jsonl")
    assert done.code == 0, done.err
    assert "3 of 175 rows go" in done.out
    before = rows(place.folder / "rows.jsonl")
    kept, gone = rows(place.folder / "out.jsonl"), rows(place.folder / "gone.jsonl")
    assert kept == before[:-3]
    reasons = [row.pop("removed_because") for row in gone]
    assert gone == before[-3:]
    assert reasons[0] == "repeats rows.jsonl:1"
    assert reasons[1].startswith("nearly repeats (0.") and reasons[1].endswith("rows.jsonl:2")
    assert reasons[2] == "repeats the prompt of rows.jsonl:126"


def test_rows_that_sizes_leave_over_do_not_move_what_goes(place: Shop):
    fresh = [{k: v for k, v in shop_row(n).items() if k != "split"} for n in range(100)]
    put(place, lines([*fresh, fresh[7], fresh[93]]))
    section = (
        "data: {source: rows, path: rows.jsonl, columns: {prompt: question, references: answer}, "
        "sizes: {train: 50, dev: 20, test: 20}}"
    )
    config = (place.folder / "harness.yaml").read_text()
    (place.folder / "harness.yaml").write_text(config.replace("data: {source: fake}", section))
    done = place.data("dedup", "-o", "out.jsonl", "--removed", "gone.jsonl")
    assert done.code == 0, done.err
    kept, gone = rows(place.folder / "out.jsonl"), rows(place.folder / "gone.jsonl")
    assert len(kept) + len(gone) == 102
    repeated = {fresh[7]["question"], fresh[93]["question"]}
    assert {row["question"] for row in gone} <= repeated
    assert {row["question"] for row in kept} == {row["question"] for row in fresh}


def test_one_file_by_two_names_is_refused(place: Shop):
    path = put(place, lines(shop(more=copies())))
    (place.folder / "sub").mkdir()
    done = place.data("dedup", path, "-o", "k.jsonl", "--removed", "sub/../k.jsonl")
    assert done.code == 2 and not (place.folder / "k.jsonl").exists()


def test_without_a_target_it_only_reports(place: Shop):
    path = put(place, lines(shop(more=copies())), "rows.jsonl")
    before = sorted(os.listdir(place.folder))
    done = place.data("dedup", path, "--json")
    document = json.loads(done.out)
    assert [one["by"] for one in document["removed"]] == ["row", "row", "prompt"]
    assert document["kept"] == 172
    assert sorted(os.listdir(place.folder)) == before


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_the_split_that_a_files_name_says_is_kept(place: Shop, name):
    as_text = table if name.endswith("csv") else lines
    for split in ("train", "test"):
        bare = [{**shop_row(n, split)} for n in range(3)]
        for row in bare:
            del row["split"]
        put(place, as_text(bare), f"folder/{split}-{name}")
    done = place.data("dedup", "folder", "-o", "out.jsonl")
    assert done.code == 0, done.err
    assert [row["split"] for row in rows(place.folder / "out.jsonl")] == ["test"] * 3 + [
        "train"
    ] * 3


def test_the_split_that_a_files_name_says_is_kept_beside_files_with_a_column(place: Shop):
    bare = {key: value for key, value in shop_row(1).items() if key != "split"}
    put(place, lines([bare, shop_row(2, "dev")]), "folder/test.jsonl")
    done = place.data("dedup", "folder", "-o", "out.jsonl")
    assert done.code == 0, done.err
    assert [row["split"] for row in rows(place.folder / "out.jsonl")] == ["test", "dev"]


def private() -> list[dict]:
    text = f"I am {MAIL}, call +49 30 901820."
    return [
        shop_row(0, question=text, customer=MAIL),
        shop_row(1, answer=f"We wrote to {MAIL.upper()} and bob@example.com."),
    ]


def test_one_value_has_one_token_in_all_columns_of_all_rows(place: Shop):
    path = put(place, lines(private()), "rows.jsonl")
    done = place.data("redact", path, "-o", "out.jsonl")
    assert done.code == 0, done.err
    first, second = rows(place.folder / "out.jsonl")
    assert first["question"] == "I am <EMAIL_1>, call <PHONE_1>."
    assert first["customer"] == "<EMAIL_1>"
    assert second["answer"] == "We wrote to <EMAIL_1> and <EMAIL_2>."
    assert list(first) == list(private()[0])
    assert "example.com" not in done.out + done.err
    assert "3 values (2 email, 1 phone), 5 times in 2 rows." in done.out


def test_redacting_what_was_redacted_changes_nothing(place: Shop):
    path = put(place, lines(private()), "rows.jsonl")
    place.data("redact", path, "-o", "once.jsonl")
    done = place.data("redact", "once.jsonl", "-o", "twice.jsonl")
    once, twice = (place.folder / name for name in ("once.jsonl", "twice.jsonl"))
    assert once.read_bytes() == twice.read_bytes()
    assert "Nothing was found" in done.out


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("target", [[], ["-o", "out.jsonl"]])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
@pytest.mark.parametrize(
    "inside", [lambda held: held, lambda held: {"of": [held]}], ids=["", "nested"]
)
def test_bytes_in_which_nothing_can_be_found_are_refused(place: Shop, inside, encoding, target):
    """They would be written as base64, with all that is private in them."""
    held = f"M\u00fcller, mail me: {MAIL}" if encoding == "latin-1" else MAIL
    letters = [f"mail {MAIL}".encode(), held.encode(encoding), held.encode(encoding)]
    asked = [shop_row(n, letter=inside(letter)) for n, letter in enumerate(letters)]
    pq.write_table(pa.Table.from_pylist(asked), place.folder / "rows.parquet")
    done = place.data("redact", "rows.parquet", *target)
    assert done.code == 4, done.out
    assert "rows.parquet:2:letter: bytes that are no text in UTF-8" in done.err
    assert "also rows.parquet:3" in done.err
    assert not (place.folder / "out.jsonl").exists()


COMMANDS = ("dedup", "redact")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xff\xfe{", "not utf-16"),
        (lines(shop()) + b"{broken\n" * 2, "JSON"),
        (lines([*shop(), {"question": 3}]), ""),
    ],
    ids=["empty", "encoding", "bad rows", "missing"],
)
def test_data_that_cannot_be_read_whole_are_refused_and_nothing_is_written(
    place: Shop, command, content, says
):
    path = put(place, content, "rows.jsonl")
    done = place.data(command, path, "-o", "out.jsonl")
    assert done.code == 4, done.out
    assert says in done.err
    assert os.listdir(place.folder).count("out.jsonl") == 0


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("target", ["there.jsonl", "rows.jsonl", "none/out.jsonl", "out.csv", "."])
def test_a_target_that_is_there_or_cannot_be_is_refused(place: Shop, command, target):
    path = put(place, lines(shop()), "rows.jsonl")
    there = place.folder / "there.jsonl"
    there.write_text("mine")
    done = place.data(command, path, "-o", target)
    assert done.code == 2, done.out
    assert there.read_text() == "mine"
    assert rows(place.folder / "rows.jsonl") == shop()


@pytest.mark.parametrize("target", ["there.jsonl", "none/out.jsonl", "out.csv"])
def test_a_file_that_cannot_be_is_told_by_its_own_option(place: Shop, target):
    path = put(place, lines(shop()), "rows.jsonl")
    (place.folder / "there.jsonl").write_text("mine")
    done = place.data("dedup", path, "-o", "out.jsonl", "--removed", target)
    assert done.code == 2, done.out
    assert f"--removed {target}: " in done.err and "-o " not in done.err


@pytest.mark.parametrize(
    "flags",
    [
        ["dedup", "--by", "answer"],
        ["dedup", "--near", "0"],
        ["dedup", "--near", "2"],
        ["dedup", "-o", "a.jsonl", "--removed", "a.jsonl"],
        ["redact", "--kind", "name"],
        ["redact", "--region", "XX"],
    ],
)
def test_options_out_of_range_are_refused_before_anything_is_read(place: Shop, flags):
    path = put(place, b"never read", "rows.jsonl")
    assert place.data(flags[0], path, *flags[1:]).code == 2


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_text_is_written_as_it_is_and_shown_as_text(place: Shop, command):
    evil = "[red]<script>\x1b[31m\u202e=HYPERLINK()\0 " + "x" * 2_000_000
    path = put(place, lines([*shop(), shop_row(7, question=evil), shop_row(7, question=evil)]))
    done = place.data(command, path, "-o", "out.jsonl")
    assert done.code == 0, done.err
    assert "\x1b[31m" not in done.out and "\u202e" not in done.out
    assert rows(place.folder / "out.jsonl")[172]["question"] == evil


@pytest.mark.nightly
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_leaves_nothing(place: Shop, command):
    path = put(place, lines(shop() * 20), "rows.jsonl")

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = subprocess.run(
        place.project.command("data", command, path, "-o", "out.jsonl"),
        cwd=place.folder, preexec_fn=small, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert not [name for name in os.listdir(place.folder) if "out" in name]


@pytest.mark.nightly
def test_ctrl_c_leaves_nothing(place: Shop):
    path = put(place, lines([shop_row(n) for n in range(30_000)]), "rows.jsonl")
    process = subprocess.Popen(
        place.project.command("data", "redact", path, "-o", "out.jsonl"),
        cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert not [name for name in os.listdir(place.folder) if "out" in name]
