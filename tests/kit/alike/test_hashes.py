"""Hashes of windows, and the table in which many are found at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness.kit.alike.hashes import MOST_STEPS, SHINGLE, Table, Windows, chunks, counted, distinct

LAST = 2**64 - 1
NUMBERS = st.integers(0, LAST) | st.integers(0, 50) | st.integers(LAST - 50, LAST)


def hashes(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.uint64)


def assert_found(known: np.ndarray, wanted: np.ndarray) -> None:
    """As a search by halves finds them."""
    places = np.searchsorted(known, wanted)
    inside = [p < len(known) and known[p] == w for p, w in zip(places, wanted, strict=True)]
    expected = np.where(np.array(inside, dtype=bool), places, len(known))
    assert Table(known).places(wanted).tolist() == expected.tolist()


@given(st.lists(NUMBERS, max_size=30), st.lists(NUMBERS, max_size=60))
def test_what_is_in_a_table_is_found_and_nothing_else(known, others):
    assert_found(distinct(hashes(*known)), hashes(*known, *others, 0, LAST))


def test_small_tables():
    for known in [hashes(), hashes(0), hashes(7), hashes(LAST), hashes(0, LAST)]:
        assert_found(known, hashes())
        assert_found(known, hashes(0, 7, 8, LAST - 1, LAST))


def test_many_evenly_spread_hashes():
    draw = np.random.default_rng(1)
    known = distinct(draw.integers(0, LAST, 50_000, dtype=np.uint64, endpoint=True))
    others = draw.integers(0, LAST, 5_000, dtype=np.uint64, endpoint=True)
    assert_found(known, np.concatenate([known[::7], known[::11] + np.uint64(1), others]))


@pytest.mark.parametrize("count", [MOST_STEPS - 1, MOST_STEPS, MOST_STEPS + 1, 5_000])
@pytest.mark.parametrize("first", [0, 1 << 63, LAST - 10_000])
def test_hashes_that_begin_alike_are_found_too(count, first):
    known = np.arange(count, dtype=np.uint64) * np.uint64(2) + np.uint64(first)
    assert_found(known, np.concatenate([known, known + np.uint64(1), hashes(0, 5, LAST)]))


@given(st.lists(NUMBERS, max_size=30))
def test_counted_and_distinct_hashes(numbers):
    found, counts = counted(hashes(*numbers))
    assert found.tolist() == distinct(hashes(*numbers)).tolist() == sorted(set(numbers))
    assert counts.tolist() == [numbers.count(number) for number in sorted(set(numbers))]


TEXTS = st.lists(st.text("ab", max_size=40), min_size=1, max_size=4)


@given(TEXTS, st.integers(1, 12))
def test_runs_have_equal_hashes_where_their_characters_are_equal(texts, width):
    windows = Windows(texts)
    filled = [text.ljust(SHINGLE, "\0") for text in texts]
    whole = windows.whole(width).tolist()
    joined = "".join(filled)
    ends = [at for text in filled for at in range(len(text), 0, -1)]
    runs = [joined[at : at + width] for at in range(len(joined) - width + 1)]
    assert whole == [left >= width for left in ends][: len(runs)]
    hashes = windows.hashes(width).tolist()
    assert len(hashes) == len(runs)
    assert len(set(zip(runs, hashes, strict=True))) == len(set(runs)) == len(set(hashes))


@given(TEXTS, st.integers(1, 12))
def test_the_hash_of_a_run_is_the_same_wherever_it_stands(texts, width):
    windows = Windows(texts)
    alone = [hash for text in texts for hash in Windows([text]).hashes(width).tolist()]
    assert windows.hashes(width)[windows.whole(width)].tolist() == alone


@given(st.lists(st.text(max_size=9), max_size=30))
def test_chunks_hold_every_text_once(texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.kit.alike.hashes.CHUNK", 20)
        parts = list(chunks(texts))
    assert [text for part in parts for text in part] == texts
    assert all(part for part in parts)
