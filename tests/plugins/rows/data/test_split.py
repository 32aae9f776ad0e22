"""``harness data split``: what it writes reads back as the same rows, and no group is torn."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness_rows.commands.data import writing
from harness_rows.options import RowsOptions
from harness_rows.reading import Reading, read

from .conftest import Row, Shop, lines, shop, shop_row, table


def turns(row: Row) -> dict[str, Any]:
    user = {"role": "user", "content": row["question"]}
    return {"messages": [user, {"role": "assistant", "content": row["answer"]}], "n": 1}


def sharegpt(row: Row) -> dict[str, Any]:
    user = {"from": "human", "value": row["question"]}
    return {"conversations": [user, {"from": "gpt", "value": row["answer"]}]}


def alpaca(row: Row) -> dict[str, Any]:
    return {"instruction": row["question"], "input": "", "output": row["answer"], "ä; \n": "x\ty"}


def parquet(rows: Sequence[Any], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet as pq

    pq.write_table(pa.Table.from_pylist(list(rows)), path)


def saved(rows: Sequence[Any], path: Path) -> None:
    """A folder as ``datasets`` saves it, in which labels are numbers."""
    import datasets

    label = datasets.ClassLabel(names=["no", "yes"])
    features = datasets.Features({"text": datasets.Value("string"), "label": label})
    made = {"text": [r["question"] for r in rows], "label": [n % 2 for n in range(len(rows))]}
    datasets.Dataset.from_dict(made, features=features).save_to_disk(str(path))


def folder(rows: Sequence[Any], path: Path) -> None:
    path.mkdir()
    (path / "a.jsonl").write_bytes(lines(rows[:50]))
    (path / "b.csv").write_bytes(table(rows[50:]))


FORMATS: dict[str, tuple[Callable[[Row], Any], Callable[[Sequence[Any], Path], Any]]] = {
    "messages.jsonl": (turns, lambda rows, path: path.write_bytes(lines(rows))),
    "sharegpt.jsonl": (sharegpt, lambda rows, path: path.write_bytes(lines(rows))),
    "alpaca.jsonl": (alpaca, lambda rows, path: path.write_bytes(lines(rows))),
    "alpaca.json": (alpaca, lambda rows, path: path.write_text(json.dumps(rows))),
    "messages.parquet": (turns, parquet),
    "shop.parquet": (dict, parquet),
    "saved": (dict, saved),
    "folder": (dict, folder),
    "alpaca.csv": (alpaca, lambda rows, path: path.write_bytes(table(rows))),
    "shop.tsv": (dict, lambda rows, path: path.write_bytes(table(rows, "\t"))),
    "semicolons.csv": (
        dict, lambda rows, path: path.write_bytes(table(rows, ";", b"\xef\xbb\xbf"))
    ),
}  # fmt: skip
BARE = [{k: v for k, v in row.items() if k != "split"} for row in shop()]


def reading(path: Path) -> Reading:
    found = read(RowsOptions(path=path))
    found.refuse()
    return found


def content(found: Reading) -> list[Any]:
    return [(row.messages, row.references, row.tools) for row in found.rows]


@pytest.mark.nightly(but_each=12)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_reads_back_as_the_same_rows(place: Shop, name: str) -> None:
    made, write = FORMATS[name]
    source = place.folder / name
    write([made(row) for row in BARE], source)
    done = place.data("split", name, "-o", "out.jsonl", "--json")
    assert done.code == 0, done.err
    before, after = reading(source), reading(place.folder / "out.jsonl")
    assert content(after) == content(before)
    counts = {split: sum(r.split == split for r in after.rows) for split in done.document["rows"]}
    assert counts == done.document["rows"] and sum(counts.values()) == len(BARE)
    for old, new in zip(before.records, after.records, strict=True):
        assert list(new) == [*old, "split"]
        assert {key: new[key] for key in old} == old


def test_a_folder_has_a_file_for_each_split(place: Shop) -> None:
    place.write(BARE)
    done = place.data("split", "shop.jsonl", "-o", "dealt", *place.columns, "--json")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (place.folder / "dealt").iterdir()) == [
        "dev.jsonl", "pool.jsonl", "test.jsonl", "train.jsonl",
    ]  # fmt: skip
    found = reading(place.folder / "dealt")
    assert sorted(map(str, content(found))) == sorted(
        map(str, content(reading(place.folder / "shop.jsonl")))
    )
    assert {row.place.split(".")[0] == row.split for row in found.rows} == {True}


def test_the_section_that_is_shown_reads_the_result(place: Shop) -> None:
    place.write(BARE)
    options = (*place.columns, "--sizes", "train=.2,dev=.4,test=.4")
    done = place.data("split", "shop.jsonl", "-o", "my rows.jsonl", *options)
    assert done.code == 0, done.err
    section = done.out.strip().splitlines()[-1].strip()
    config = (place.folder / "harness.yaml").read_text()
    (place.folder / "harness.yaml").write_text(config.replace("data: {source: fake}", section, 1))
    done = place.data("check")
    assert done.code == 0, done.out + done.err
    assert "group from customer" in done.out and "meta from kind" in done.out


def test_whole_groups_go_to_one_side_and_so_does_a_prompt(place: Shop) -> None:
    rows = [row | {"customer": f"c{n % 40}"} for n, row in enumerate(BARE)]
    rows += [rows[0] | {"customer": "elsewhere", "answer": "The same question again."}]
    place.write(rows)
    done = place.data("split", "shop.jsonl", "-o", "out.jsonl", *place.columns)
    assert done.code == 0, done.err
    assert "No group is torn, no prompt is on two sides." in done.out
    written = [json.loads(line) for line in (place.folder / "out.jsonl").read_text().splitlines()]
    sides: dict[str, set[str]] = {}
    for row in written:
        side = "train" if row["split"] in ("train", "pool") else row["split"]
        sides.setdefault(row["customer"], set()).add(side)
    assert {len(found) for found in sides.values()} == {1}
    assert sides["elsewhere"] == sides["c0"]


def test_groups_are_made_of_near_equal_prompts_and_written(place: Shop) -> None:
    near = [row | {"question": row["question"] + " Thank you very much"} for row in BARE[:40]]
    place.write([*BARE, *near])
    done = place.data("split", "shop.jsonl", "-o", "out.jsonl", "--group", "auto", "--json")
    assert done.code == 0, done.err
    assert done.document["check"]["near"] == 0
    after = reading(place.folder / "out.jsonl").rows
    assert all(one.group == other.group for one, other in zip(after, after[172:], strict=False))
    assert len({row.group for row in after}) == 172
    assert {row.group == row.id for row in after[172:]} == {False}
    code, found = place.data("check", "out.jsonl", "--json"), None
    found = {one["kind"] for one in code.document["findings"]}
    assert not found & {"torn-group", "no-group", "leak-exact", "leak-near"}


def test_values_of_a_field_are_spread_alike(place: Shop) -> None:
    rows = [row | {"kind": "rare" if n < 20 else "plenty"} for n, row in enumerate(BARE)]
    rows = [{key: row[key] for key in ("question", "answer", "kind")} for row in rows]
    place.write(rows)
    sizes = "train=.5,dev=.25,test=.25"
    done = place.data(
        "split", "shop.jsonl", "-o", "out.jsonl", "--stratify", "kind", "--sizes", sizes
    )
    assert done.code == 0, done.err
    after = reading(place.folder / "out.jsonl")
    rare = [row.split for row, r in zip(after.rows, after.records, strict=True)
            if r["kind"] == "rare"]  # fmt: skip
    assert [rare.count(split) for split in ("train", "dev", "test")] == [10, 5, 5]


@pytest.mark.parametrize(
    ("row", "options", "name"),
    [
        ({"group": "g"}, ["--group", "auto"], "group"),
        ({"Group": "g"}, ["--group", "auto"], "Group"),
        ({"Split": "left half"}, ["--column", "split=fold"], "Split"),
        ({"split": "left half"}, ["--column", "split=fold"], "split"),
    ],
)
def test_a_column_of_another_meaning_is_not_written_over(
    place: Shop, row: Row, options: list[str], name: str
) -> None:
    place.write([one | {"fold": "train"} | row for one in BARE])
    done = place.data("split", "shop.jsonl", "-o", "out.jsonl", *options)
    assert done.code == 2 and f"the rows have a column '{name}'" in done.err
    assert not (place.folder / "out.jsonl").exists()


def test_rows_with_a_split_keep_it_unless_all_are_dealt_anew(place: Shop) -> None:
    place.write(shop())
    done = place.data("split", "shop.jsonl", "-o", "kept.jsonl")
    assert "172 rows had a split and kept it" in done.out
    few = ("--sizes", "train=20,dev=10,test=10", "-o", "few.jsonl")
    assert "52 rows had a split and kept it" in place.data("split", "shop.jsonl", *few).out
    kept = reading(place.folder / "kept.jsonl")
    assert [row.split for row in kept.rows] == [row["split"] for row in shop()]
    done = place.data("split", "shop.jsonl", "-o", "anew.jsonl", "--anew")
    assert done.code == 0, done.err
    anew = reading(place.folder / "anew.jsonl")
    assert [row.split for row in anew.rows] != [row["split"] for row in shop()]


@pytest.mark.parametrize("target", ["anew.jsonl", "anew"])
def test_a_column_of_splits_in_other_letters_is_dealt_anew_in_its_place(
    place: Shop, target: str
) -> None:
    place.write([one | {" Split": "training", "n": 1} for one in BARE])
    done = place.data("split", "shop.jsonl", "-o", target, "--anew", "--json")
    assert done.code == 0, done.err
    anew = reading(place.folder / target)
    counts = {split: sum(r.split == split for r in anew.rows) for split in done.document["rows"]}
    assert counts == done.document["rows"] and len(counts) == 4
    assert list(anew.records[0]) == [*BARE[0], " Split", "n"]


def test_numbers_leave_rows_over_and_say_so(place: Shop) -> None:
    place.write(BARE)
    sizes = "train=60,dev=40,test=40"
    done = place.data("split", "shop.jsonl", "-o", "out.jsonl", "--sizes", sizes)
    assert done.code == 0 and "32 rows over: not written" in done.out
    assert len(reading(place.folder / "out.jsonl").rows) == 140


@pytest.mark.parametrize(
    ("arguments", "code", "words_"),
    [
        (["-o", "there.jsonl"], 2, "this file is there already"),
        (["-o", "full"], 2, "it is there and not empty"),
        (["-o", "out.csv"], 2, "rows are written as JSON lines"),
        (["-o", "no/where/out.jsonl"], 2, "there is no folder"),
        (["-o", "out.jsonl", "--sizes", "train=.6,dev"], 2, "--sizes takes SPLIT=NUMBER"),
        (["-o", "out.jsonl", "--sizes", "train=.6,dve=.4"], 2, "--sizes takes SPLIT=NUMBER"),
        (["-o", "out.jsonl", "--sizes", "train=.6,dev=.1"], 2, "add up to 0.7"),
        (["-o", "out.jsonl", "--sizes", "train=600,dev=4,test=4"], 4, "fewer rows than"),
        (["-o", "out.jsonl", "--stratify", "nothing"], 4, "nothing"),
        (["-o", "out.jsonl", "--group", "all"], 2, "group"),
    ],
)
def test_what_cannot_be_done_writes_nothing(
    place: Shop, arguments: list[str], code: int, words_: str
) -> None:
    place.write(BARE)
    (place.folder / "there.jsonl").write_text("mine\n")
    (place.folder / "full").mkdir()
    (place.folder / "full" / "a.txt").write_text("mine\n")
    before = sorted(place.folder.rglob("*"))
    done = place.data("split", "shop.jsonl", *arguments)
    assert done.code == code, done.err
    assert words_ in done.err and "Traceback" not in done.err
    assert sorted(place.folder.rglob("*")) == before
    assert (place.folder / "there.jsonl").read_text() == "mine\n"


def test_bad_rows_are_refused_and_nothing_is_written(place: Shop) -> None:
    place.write([*BARE, shop_row(1, answer="")])
    done = place.data("split", "shop.jsonl", "-o", "out.jsonl")
    assert done.code == 4 and "the answer is blank" in done.err
    assert not (place.folder / "out.jsonl").exists()


def test_a_full_disk_leaves_nothing_behind(place: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.kit import files

    def full(path: Path, data: bytes) -> None:
        if path.name == "test.jsonl":
            raise OSError(28, "No space left on device", str(path))
        real(path, data)

    real = files.write_bytes
    monkeypatch.setattr("harness.kit.terminal.targets.write_bytes", full)
    place.write(BARE)
    before = sorted(place.folder.rglob("*"))
    done = place.data("split", "shop.jsonl", "-o", "dealt")
    assert done.code == 3 and "disk" in done.err.lower()
    assert sorted(place.folder.rglob("*")) == before


def test_rows_of_a_source_without_columns_are_not_written(place: Shop) -> None:
    done = place.data("split", "-o", "out.jsonl")
    assert done.code == 2 and "harness data split FILE" in done.err


def test_bytes_of_a_table_are_written_as_text_or_whole_as_base64(place: Shop) -> None:
    pictures = [{"bytes": b"\x89PNG\xff", "path": b"a.png"}, None]
    rows = [{**row, "picture": pictures[n % 2], "name": b"M\xc3\xbc"} for n, row in enumerate(BARE)]
    parquet(rows, place.folder / "shop.parquet")
    assert place.data("stats", "shop.parquet").code == 0
    done = place.data("split", "shop.parquet", "-o", "out.jsonl")
    assert done.code == 0, done.err
    first, second, *_ = reading(place.folder / "out.jsonl").records
    assert first["picture"] == {"bytes": "iVBOR/8=", "path": "a.png"} and first["name"] == "Mü"
    assert second["picture"] is None


def test_values_that_json_has_not_become_texts() -> None:
    import datetime
    import decimal

    record = {
        "a": float("nan"), "b": datetime.date(2026, 1, 2), "c": decimal.Decimal("1.50"),
        "d": b"\x00\xff", "e": {"f": [float("inf"), "\udc80", "ä"]},
    }  # fmt: skip
    assert json.loads(writing.encoded([record])) == {
        "a": None, "b": "2026-01-02", "c": "1.50", "d": "AP8=", "e": {"f": [None, "\udc80", "ä"]},
    }  # fmt: skip
