"""Rows of ``rows`` in their splits: whole groups, shares of each stratum, cuts from train."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

import harness
from harness_rows.options import RowsOptions
from harness_rows.reading import read
from harness_rows.splitting import dealt
from tests.plugins.rows.test_formats import written

SHARES = {"train": 0.6, "pool": 0.1, "dev": 0.15, "test": 0.15}
WORDS = [a + b for a in "bdfgklmnprst" for b in ("ane", "ori", "ull", "ist", "emp", "ack")]


def sentence(seed: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=12))


def pair(n: int, **more: Any) -> dict[str, Any]:
    return {"question": sentence(n), "answer": f"So {n}.", **more}


def rows_of(path: Path, **options: Any) -> list[harness.Example]:
    made = RowsOptions.model_validate({"path": path, **options})
    return dealt(read(made), made)


def counts(rows: list[harness.Example]) -> dict[str, int]:
    return dict(Counter(row.split for row in rows))


def test_groups_stay_whole_and_shares_are_near(tmp_path):
    path = written(tmp_path, [pair(n, who=n // 3) for n in range(1500)])
    rows = rows_of(path, sizes=SHARES, columns={"group": "who"})
    splits = defaultdict(set)
    for row in rows:
        splits[row.group].add(row.split)
    assert all(len(found) == 1 for found in splits.values())
    assert all(abs(counts(rows)[split] - share * 1500) < 90 for split, share in SHARES.items())


def test_another_draw_deals_otherwise_and_the_same_one_alike(tmp_path):
    path = written(tmp_path, [pair(n) for n in range(200)])
    first, again, other = (rows_of(path, sizes=SHARES, draw=draw) for draw in (0, 0, 1))
    assert first == again
    assert [row.split for row in first] != [row.split for row in other]


def test_the_splits_do_not_depend_on_the_folder(tmp_path, monkeypatch):
    one = written(tmp_path, [pair(n) for n in range(100)], "a/rows.jsonl")
    other = written(tmp_path, [pair(n) for n in range(100)], "b/rows.jsonl")
    here = rows_of(one, sizes=SHARES)
    monkeypatch.chdir(tmp_path)
    assert rows_of(other, sizes=SHARES) == here


@pytest.mark.parametrize("sizes", [SHARES, {"train": 300, "pool": 50, "dev": 75, "test": 75}])
def test_strata_are_shared_alike(sizes, tmp_path):
    rare = [pair(n, kind="rare" if n % 25 == 0 else "common", who=n // 2) for n in range(500)]
    columns = {"group": "who", "meta": "kind"}
    rows = rows_of(written(tmp_path, rare), sizes=sizes, columns=columns, stratify="kind")
    found = Counter(row.split for row in rows if row.meta["kind"] == "rare")
    for split, share in SHARES.items():
        assert abs(counts(rows)[split] - share * 500) <= 4
        assert abs(found[split] - share * 20) <= 2


def test_without_train_the_other_splits_are_cut_from_it(tmp_path):
    for name, first, number in (("train", 0, 300), ("test", 1000, 40)):
        written(tmp_path, [pair(first + n) for n in range(number)], f"{name}.jsonl")
    rows = rows_of(tmp_path, sizes={"pool": 0.2, "dev": 0.2})
    assert counts(rows)["test"] == 40
    assert abs(counts(rows)["dev"] - 60) < 25
    assert counts(rows)["train"] + counts(rows)["pool"] + counts(rows)["dev"] == 300
    assert counts(rows_of(tmp_path, sizes={"dev": 50})) == {"train": 250, "dev": 50, "test": 40}


def test_a_row_of_train_does_not_follow_its_twin_into_test(tmp_path):
    written(tmp_path, [pair(n) for n in range(200)], "train.jsonl")
    written(tmp_path, [pair(n) for n in range(40)], "test.jsonl")
    for group in (None, "auto"):
        rows = rows_of(tmp_path, sizes={"dev": 0.2}, group=group)
        assert counts(rows)["test"] == 40


def test_near_equal_prompts_stay_together(tmp_path):
    twins = [
        pair(n // 2, question=sentence(n // 2) + (" now" if n % 2 else "")) for n in range(200)
    ]
    rows = rows_of(written(tmp_path, twins), sizes=SHARES, group="auto")
    assert len({row.group for row in rows}) == 100
    assert all(one.split == other.split for one, other in zip(rows[::2], rows[1::2], strict=True))


def test_prompts_that_the_gate_takes_for_one_stay_together(tmp_path):
    twins = [pair(n, question=sentence(n // 2) + ("?" if n % 2 else ""), who=n) for n in range(200)]
    rows = rows_of(written(tmp_path, twins), sizes=SHARES, columns={"group": "who"})
    assert all(one.split == other.split for one, other in zip(rows[::2], rows[1::2], strict=True))


def test_rows_without_a_split_need_sizes(tmp_path):
    with pytest.raises(harness.DataError, match="the row has no split") as caught:
        rows_of(written(tmp_path, [pair(n) for n in range(5)]))
    assert "sizes: {train" in caught.value.hint


def test_a_group_on_two_sides_is_refused(tmp_path):
    rows = [pair(n, who="x", split=("train", "dev", "test")[n % 3]) for n in range(6)]
    with pytest.raises(harness.DataError, match="its group has rows in another split"):
        rows_of(written(tmp_path, rows), columns={"group": "who"})


def test_more_rows_than_there_are(tmp_path):
    path = written(tmp_path, [pair(n) for n in range(20)])
    with pytest.raises(harness.DataError, match="fewer rows than `sizes`"):
        rows_of(path, sizes={"train": 20, "dev": 5, "test": 5})


def test_a_number_is_drawn_of_a_split_that_the_files_give_more_rows(tmp_path):
    kinds = ["rare"] * 12 + ["common"] * 88
    for name in ("train", "dev", "test"):
        rows = [pair(n, kind=kind, who=n // 3) for n, kind in enumerate(kinds)]
        shift = {"train": 0, "dev": 1000, "test": 2000}[name]
        rows = [{**row, **pair(n + shift), "who": f"{name}{n // 3}"} for n, row in enumerate(rows)]
        written(tmp_path, rows, f"set/{name}.jsonl")
    options = {
        "sizes": {"train": 50, "dev": 25, "test": 100},
        "columns": {"group": "who", "meta": "kind"},
    }
    drawn = rows_of(tmp_path / "set", **options, stratify="kind")
    assert counts(drawn) == {"train": 50, "dev": 25, "test": 100}
    rare = Counter(row.split for row in drawn if row.meta["kind"] == "rare")
    assert rare == {"train": 6, "dev": 3, "test": 12}
    again, other = (rows_of(tmp_path / "set", **options, stratify="kind", draw=n) for n in (0, 1))
    assert again == drawn
    assert {row.id for row in other} != {row.id for row in drawn}
    assert counts(rows_of(tmp_path / "set", **options)) == counts(drawn)
    few = {**options, "sizes": {"train": 50, "pool": 0, "dev": 200, "test": 100}}
    with pytest.raises(harness.DataError, match="fewer rows"):
        rows_of(tmp_path / "set", **few)


@pytest.mark.parametrize("stratify", ["", "kind"])
@pytest.mark.parametrize("sizes", [{"train": 100, "dev": 20, "test": 20}, {"dev": 20, "test": 20}])
@pytest.mark.parametrize("given", [0, 8, 20, 50])
def test_rows_that_have_a_split_count_among_those_asked_for(given, sizes, stratify, tmp_path):
    rows = [pair(n, kind=str(n % 3)) | ({"split": "dev"} if n < given else {}) for n in range(250)]
    options = {"sizes": sizes, "columns": {"meta": "kind"}, "stratify": stratify}
    dealt_rows = rows_of(written(tmp_path, rows), **options)
    train = sizes.get("train", 250 - max(given, 20) - 20)
    expected = {"train": train, "dev": 20, "test": 20}
    slack = 2 if stratify else 0
    assert all(abs(counts(dealt_rows)[split] - n) <= slack for split, n in expected.items())


@pytest.mark.parametrize("stratify", ["", "kind"])
def test_too_few_rows_are_an_error_with_strata_too(stratify, tmp_path):
    path = written(tmp_path, [pair(n, kind=str(n % 3)) for n in range(60)])
    options = {"columns": {"meta": "kind"}, "stratify": stratify}
    with pytest.raises(harness.DataError, match="fewer rows than `sizes`"):
        rows_of(path, sizes={"train": 60, "dev": 20, "test": 20}, **options)


def judged(n: int, good: bool, **more: Any) -> dict[str, Any]:
    return {"prompt": sentence(n), "completion": f"So {n} {good}.", "label": good, **more}


@pytest.mark.parametrize(
    "sizes", [SHARES, {"train": 60, "dev": 20, "test": 20}, {"dev": 20, "test": 20}]
)
@pytest.mark.parametrize("more", [{}, {"stratify": "kind", "columns": {"meta": "kind"}}])
def test_rows_of_rejected_answers_alone_are_dealt_to_train(sizes, more, tmp_path):
    path = written(tmp_path, [judged(n, n % 2 == 0, kind=n % 3) for n in range(200)])
    rows = rows_of(path, sizes=sizes, **more)
    assert {row.split for row in rows if not row.references} == {"train"}
    assert any(row.references for row in rows if row.split == "train")
    wanted = sizes if sizes != SHARES else {"dev": 10, "test": 10, "train": 100}
    assert all(counts(rows)[split] >= wanted[split] for split in wanted)


def test_of_a_prompt_with_a_good_and_a_rejected_answer_dev_has_the_good_one(tmp_path):
    path = written(tmp_path, [judged(n // 2, n % 2 == 0) for n in range(400)])
    rows = rows_of(path, sizes=SHARES)
    assert all(row.references for row in rows if row.split in ("dev", "test"))
    assert any(not row.references for row in rows if row.split == "train")
    assert 20 <= counts(rows)["dev"] <= 40


@pytest.mark.parametrize("more", [{}, {"stratify": "kind", "columns": {"meta": "kind"}}])
def test_numbers_of_dev_and_test_are_of_rows_that_can_be_scored(more, tmp_path):
    path = written(tmp_path, [judged(n // 2, n % 2 == 0, kind="all") for n in range(200)])
    rows = rows_of(path, sizes={"dev": 20, "test": 20}, **more)
    assert counts(rows) == {"dev": 20, "test": 20, "train": 120}


def test_numbers_draw_from_rows_of_the_file_that_can_be_scored(tmp_path):
    splits = ("train", "dev", "test")
    path = written(tmp_path, [judged(n, n % 2 == 0, split=splits[n % 3]) for n in range(120)])
    rows = rows_of(path, sizes={"train": 20, "dev": 20, "test": 20})
    assert counts(rows) == {"train": 20, "dev": 20, "test": 20}


def test_a_split_that_the_file_gives_loses_what_could_not_be_scored(tmp_path):
    splits = ("train", "dev", "test")
    path = written(tmp_path, [judged(n, n % 2 == 0, split=splits[n % 3]) for n in range(60)])
    rows = rows_of(path)
    assert counts(rows) == {"train": 20, "dev": 10, "test": 10}
