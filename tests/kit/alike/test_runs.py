"""Shared runs, against their definition in plain Python."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, strategies as st

from harness.kit.alike.hashes import SHINGLE, Windows
from harness.kit.alike.runs import SharedRuns

TEXTS = st.lists(st.text("ab", min_size=SHINGLE, max_size=30), max_size=6, unique=True)


def holders(texts: list[str], asked: str, width: int, least: int) -> list[int]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({text[at : at + width] for at in range(len(text) - width + 1)})
    shared = {run: count for run, count in counts.items() if count >= least}
    found = []
    for at in range(len(asked) - SHINGLE + 1):
        starts = range(max(0, at - width + SHINGLE), min(at, len(asked) - width) + 1)
        found.append(max((shared.get(asked[s : s + width], 0) for s in starts), default=0))
    return found


@given(TEXTS, st.text("ab", min_size=SHINGLE, max_size=30), st.integers(6, 12), st.integers(1, 4))
def test_the_texts_around_a_shingle_are_counted_as_defined(texts, asked, width, least):
    runs = SharedRuns(texts, width, least)
    assert runs.holders(Windows([asked])).tolist() == holders(texts, asked, width, least)
    # Several texts at once; what begins in one and ends in another belongs to none.
    windows = Windows([asked, *texts])
    expected = [n for text in (asked, *texts) for n in holders(texts, text, width, least)]
    assert runs.holders(windows)[windows.whole(SHINGLE)].tolist() == expected


def test_of_very_many_runs_some_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    head = " ".join(f"word{n}" for n in range(40))
    texts = [f"{head} {n}" for n in range(50)]
    every = SharedRuns(texts, 40, 3).holders(Windows([head]))
    monkeypatch.setattr("harness.kit.alike.runs.MOST_RUNS", sum(map(len, texts)) // 3)
    some = SharedRuns(texts, 40, 3).holders(Windows([head]))
    assert (every == 50).all()
    assert set(some.tolist()) <= {0, 50} and (some == 50).mean() > 0.8
