from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness.kit.alike import words as module
from harness.kit.alike.words import PartedRows, Rows, asked, nearest, words
from harness.records import Example
from tests.support.effort import effort

TEXTS = st.text(st.sampled_from("abcd  \n.-Ä漢字ก\u202e\x00\ud800\x1b1"), max_size=30)
HOSTILE = (
    "", " ", "\x00", "\ud800\udfff", "\u202etxet", "\x1b[31mred\x1b[0m",
    "<script>alert(1)</script>", "=HYPERLINK(\"x\")", "a" * 1_000_000,
    "w " * 500_000, "+-*/", "\u0301" * 50, "漢" * 30_000,
)  # fmt: skip


def by_hand(query: str, rows: list[str]) -> list[float]:
    """Cosines as the docstring states them, word by word."""
    counts = [Counter(words(row)) for row in rows]
    held = Counter(word for count in counts for word in count)

    def vector(count: Counter[str]) -> dict[str, float]:
        return {
            word: (1 + math.log(times)) * math.log((len(rows) + 1) / max(1, held[word]))
            for word, times in count.items()
        }

    def length(vector: dict[str, float]) -> float:
        return math.sqrt(sum(value * value for value in vector.values()))

    mine = vector(Counter(words(query)))
    found = []
    for row in map(vector, counts):
        scale = length(mine) * length(row)
        dot = sum(value * row.get(word, 0.0) for word, value in mine.items())
        found.append(dot / scale if scale else 0.0)
    return found


def test_the_nearest_row_shares_the_rare_words() -> None:
    rows = ["why is my bill so high", "how do I block roaming abroad", "my bill has no VAT"]
    found = nearest(["roaming block for my line"], rows, k=3)[0]
    assert found[0][0] == 1
    assert nearest(["ROAMING, abroad!"], rows)[0][0][0] == 1


def test_a_text_is_one_with_itself_whatever_the_rows_are() -> None:
    assert nearest(["same words"], ["same words"]) == [[(0, 1.0)]]
    assert nearest(["same words"], ["same words"] * 3, k=2) == [[(0, 1.0), (1, 1.0)]]


def test_words_of_all_rows_count_next_to_nothing() -> None:
    rows = [f"Write the first line of the docstring. topic{i}" for i in range(200)]
    found = nearest(["Write the first line of the docstring. topic7"], rows, k=2)[0]
    assert found[0] == (7, 1.0)
    assert found[1][1] < 0.01


def test_unknown_words_make_a_query_unlike_all_rows() -> None:
    rows = ["pay the bill", "block the line", "move the contract"]
    near, far = nearest(["pay bill", "pay zebra giraffe okapi"], rows, k=1)
    assert near[0][0] == far[0][0] == 0
    assert far[0][1] < near[0][1] / 2


def test_nothing_in_common_is_no_neighbour() -> None:
    assert nearest(["zebra", "", "pay"], ["pay now", "wait"]) == [[], [], [(0, 0.707107)]]
    assert nearest(["a"], [], k=3) == [[]]
    assert nearest([], ["a"]) == []
    assert nearest(["a"], ["a"], k=0) == [[]]


def test_equals_are_ordered_by_index() -> None:
    rows = ["b c", "a b", "x", "a b", "a b"]
    assert [place for place, _ in nearest(["a b"], rows, k=3)[0]] == [1, 3, 4]
    assert [place for place, _ in nearest(["a b"], rows, k=2)[0]] == [1, 3]


@given(st.lists(TEXTS, min_size=1, max_size=6), st.lists(TEXTS, max_size=12), st.integers(1, 5))
def test_similarities_are_those_of_the_formula(queries: list[str], rows: list[str], k: int) -> None:
    for query, found in zip(queries, nearest(queries, rows, k), strict=True):
        expected = by_hand(query, rows)
        assert len(found) == min(k, sum(round(value, 6) > 0 for value in expected))
        for place, similarity in found:
            assert similarity == pytest.approx(expected[place], abs=2e-6)
            assert similarity <= 1
        assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))


@given(st.integers(0, 1000))
def test_block_size_and_the_dense_part_change_nothing(seed: int) -> None:
    draw = random.Random(seed)
    rows = [" ".join(draw.choices("abcdefghijklmnop", k=draw.randint(0, 9))) for _ in range(40)]
    plain = nearest(rows, rows, k=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CELLS", 70)
        assert nearest(rows, rows, k=4) == plain
        patch.setattr(module, "DENSE", 0)
        sparse = nearest(rows, rows, k=4)
    for own, other in zip(plain, sparse, strict=True):
        assert [s for _, s in own] == pytest.approx([s for _, s in other], abs=2e-6)


def test_rows_may_be_asked_again() -> None:
    texts = ["pay the bill", "block the line"]
    rows = Rows(texts)
    assert rows.nearest(["bill"]) == rows.nearest(["bill"]) == nearest(["bill"], texts)


def test_unspaced_scripts_are_compared_by_pairs_of_characters() -> None:
    assert words("请问账单") == ["请问", "问账", "账单"]
    assert words("用 iPhone 支付") == ["用", "iphone", "支付"]
    found = nearest(["我的账单太高了"], ["如何取消合同", "账单为什么这么高", "roaming"])[0]
    assert [place for place, _ in found] == [1]


def test_all_user_turns_are_asked() -> None:
    turns = (
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "my bill"},
        {"role": "assistant", "content": "which one"},
        {"role": "user", "content": ["parts"]},
        {"role": "user"},
    )
    assert asked(Example("a", turns)) == "my bill\n['parts']"
    assert asked(Example("a", ())) == ""


def test_hostile_texts_are_only_texts() -> None:
    found = nearest(HOSTILE, HOSTILE, k=2)
    for place, own in enumerate(found):
        assert not own or own[0][1] == 1.0
        assert all(np.isfinite(similarity) for _, similarity in own), place
    assert sum(bool(own) for own in found) >= 9


def prompts(count: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    chance = 1 / np.arange(1, 20_001)
    lengths = draw.integers(8, 31, count)
    picked = draw.choice(20_000, lengths.sum(), p=chance / chance.sum())
    ends = np.cumsum(lengths)
    return [
        " ".join(f"w{word}" for word in picked[end - length : end])
        for end, length in zip(ends, lengths, strict=True)
    ]


def test_thousands_of_short_prompts_take_a_second_or_so() -> None:
    queries, rows = prompts(5_000, 1), prompts(5_000, 2)
    found: list[Any] = []
    assert effort(lambda: found.extend(nearest(queries, rows))) < 1000
    assert len(found) == 5_000 and all(len(own) == 5 for own in found)


def test_rows_of_several_texts_are_as_alike_as_their_texts_are_on_average() -> None:
    rows = [("pay the bill", "a long text about cats"), ("block the line", "a text about dogs")]
    rows += [("pay the bill", "of dogs, cats and lines"), ("move the contract", "")]
    queries = [("pay the bill", "dogs and dogs"), ("block it", "cats"), ("", "")]
    places = [by_hand_of(place, rows, queries) for place in (0, 1)]
    for at, found in enumerate(PartedRows(rows).nearest(queries, k=4)):
        expected = {
            row: sum(place[at][row] for place in places) / 2 for row in range(len(rows))
        }  # fmt: skip
        assert dict(found) == pytest.approx({row: v for row, v in expected.items() if v}, abs=1e-5)
        assert [v for _, v in found] == sorted((v for _, v in found), reverse=True)
    assert PartedRows([]).nearest(queries) == [[], [], []]


def by_hand_of(place: int, rows: list[Any], queries: list[Any]) -> list[list[float]]:
    texts = [row[place] for row in rows]
    return [by_hand(query[place], texts) for query in queries]
