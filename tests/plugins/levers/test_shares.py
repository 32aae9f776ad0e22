"""Which rows the trials of a search are measured on."""

from __future__ import annotations

import dataclasses

import pytest

from harness.errors import DataError
from harness.records import Example
from harness_levers.shares import folds_of


def rows(count: int, *, split: str = "train", per_group: int = 1) -> list[Example]:
    return [
        Example(
            f"{split}{n}", ({"role": "user", "content": f"ask {n}"},), ("so",), split=split,
            group=f"{split} {n // per_group}",
        )
        for n in range(count)
    ]  # fmt: skip


def test_enough_rows_of_valid_are_held_out_alone() -> None:
    [fold] = folds_of(rows(50), rows(100, split="valid"), 3, 7)
    assert (len(fold.learned), len(fold.held)) == (50, 100)


def test_parts_are_each_row_once_and_families_whole() -> None:
    train, valid = rows(40, per_group=4), rows(9, split="valid", per_group=3)
    made = dataclasses.replace(train[0], id="made", group=None, parent=train[5].id)
    folds = folds_of([*train, made], valid, 3, 7)
    held = [row.id for fold in folds for row in fold.held]
    assert sorted(held) == sorted(row.id for row in [*train, made, *valid])
    for fold in folds:
        groups = [{row.group for row in side if row.group} for side in (fold.learned, fold.held)]
        assert not groups[0] & groups[1]
        ids = {row.id for row in fold.held}
        assert ("made" in ids) == (train[5].id in ids)
    sizes = [len(fold.held) for fold in folds]
    assert max(sizes) - min(sizes) <= 4


def test_the_seed_deals_the_families() -> None:
    first, again, other = (folds_of(rows(40), [], 2, seed)[0].held for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (rows(19), "valid is too small for a search: train and valid have 19 rows"),
        (rows(40, per_group=20), "fewer than 3 groups"),
    ],
)
def test_too_little_to_choose_by_is_an_error(train: list[Example], said: str) -> None:
    with pytest.raises(DataError, match=said):
        folds_of(train, [], 3, 7)
