"""Near-equal texts: found by MinHash, decided by their true similarity."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, strategies as st

from harness.kit.alike.pairs import Pair, clusters, linked, pairs
from harness.kit.alike.sketches import BINS, RECALL, rows_of_a_band
from harness.kit.folding import loosely

WORDS = [
    "river",
    "stone",
    "ladder",
    "window",
    "market",
    "copper",
    "violet",
    "harbour",
    "engine",
    "carpet",
    "thunder",
    "pencil",
    "garden",
    "whistle",
    "marble",
    "kettle",
    "orchard",
    "lantern",
    "saddle",
    "pepper",
    "tunnel",
    "velvet",
    "anchor",
    "basket",
    "cinder",
    "meadow",
    "puzzle",
    "ribbon",
    "temple",
    "walnut",
    "barrel",
    "castle",
    "dagger",
    "feather",
    "glacier",
    "hammer",
    "island",
    "jungle",
]


def prose(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(WORDS, k=words))


def unrelated(count: int, words: int = 40, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [prose(draw, words) for _ in range(count)]


def found(texts: list[str], threshold: float = 0.8) -> set[tuple[int, int]]:
    folded = [loosely(text) for text in texts]
    return {(pair.first, pair.second) for pair in pairs(folded, threshold)}


def edited(text: str, words: int, draw: random.Random) -> str:
    parts = text.split()
    for place in draw.sample(range(len(parts)), words):
        parts[place] = draw.choice(["zebra", "quartz", "fjord", "yacht"])
    return " ".join(parts)


def test_a_text_with_a_word_changed_is_near_and_unrelated_ones_are_not():
    texts = unrelated(200)
    texts.append(edited(texts[17], 1, random.Random(3)))
    assert found(texts) == {(17, 200)}


@pytest.mark.parametrize(
    "other",
    [
        "WHAT is the   capital of France",
        "What is the capital of France?!",
        "what is the capital of Ｆrance",
    ],
)
def test_case_white_space_width_and_marks_of_sentences_do_not_count(other):
    assert found(["What is the capital of France?", other]) == {(0, 1)}


def test_digits_and_operators_count():
    for one, other in [
        ("What is 12 - 7?", "What is 12 + 7?"),
        ("What is 12 * 7?", "What is 12 / 7?"),
        ("3x", "-3x"),
        ("a < b", "a > b"),
        ("It costs 1.5 euros.", "It costs 15 euros."),
        ("ja", "nein"),
        ("C", "C++"),
    ]:
        assert found([one, other]) == set(), one


def test_any_text_equals_itself_and_no_other():
    for text in ["", "a", "ab", "日本", "?", "🙂", "\udcff", "\0", "a" * 30_000]:
        texts = [text, *unrelated(20), text]
        assert found(texts) == {(0, 21)}, text


def test_of_equal_texts_each_is_paired_with_the_first_and_the_first_alone_with_others():
    (text,) = unrelated(1)
    near = edited(text, 1, random.Random(1))
    assert found([text, text, near, text, near]) == {(0, 1), (0, 3), (0, 2), (2, 4)}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("shared", [120, 350, 1200])
@pytest.mark.parametrize("tasks", [1, 10])
def test_an_instruction_that_many_rows_share_makes_none_of_them_near(shared, tasks):
    draw = random.Random(shared)
    heads = [prose(draw, shared // 7) for _ in range(tasks)]
    texts = [f"{heads[n % tasks]}\n\n{prose(draw, 6)}" for n in range(600)]
    copy = len(texts)
    # A copy among them is found all the same.
    texts.append(texts[5] + " please")
    assert {second for _, second in found(texts)} <= {copy}
    assert (5, copy) in found(texts, 0.7)


def test_a_family_of_copies_hangs_together():
    texts = unrelated(2000)
    draw = random.Random(5)
    family = [edited(texts[100], 1, draw) for _ in range(9)]
    assert clusters([*texts, *family])[2000:] == [100] * 9


def weighed(texts: list[str]) -> list[dict[str, float]]:
    """Each text's shingles and their weights, from their definition."""
    holders: Counter[str] = Counter()
    for text in texts:
        holders.update({text[at : at + 40] for at in range(len(text) - 39)})
    found = []
    for text in texts:
        own: dict[str, float] = {}
        for at in range(len(text) - 4):
            runs = range(max(0, at - 35), min(at, len(text) - 40) + 1)
            held = max((holders[text[run : run + 40]] for run in runs), default=1)
            shingle = text[at : at + 5]
            own[shingle] = max(own.get(shingle, 0.0), min(1.0, 4 / held))
        found.append(own)
    return found


def similarity(one: dict[str, float], other: dict[str, float]) -> float:
    """Weighted Jaccard, from its definition."""
    shared = sum(min(one[s], other[s]) for s in one.keys() & other.keys())
    return shared / (sum(one.values()) + sum(other.values()) - shared)


def test_similarities_are_the_weighted_jaccard_coefficient():
    draw = random.Random(11)
    head = prose(draw, 12)
    texts = [f"{head} {text}" for text in unrelated(30, 30)] + unrelated(30, 8, 5)
    texts += [edited(text, draw.randint(1, 4), draw) for text in texts]
    shingles = weighed(texts)
    assert len({weight for own in shingles for weight in own.values()}) > 3
    got = pairs(texts, 0.5)
    assert len(got) >= 30
    for pair in got:
        truth = similarity(shingles[pair.first], shingles[pair.second])
        assert pair.similarity == pytest.approx(truth, abs=0.02)
    every = itertools.combinations(range(len(texts)), 2)
    near = {(a, b) for a, b in every if similarity(shingles[a], shingles[b]) >= 0.52}
    assert len(near - {(p.first, p.second) for p in got}) <= 0.02 * len(near)


def test_bands_are_as_long_as_the_recall_allows():
    for threshold in [0.3, 0.5, 0.7, 0.8, 0.9, 0.99]:
        rows = rows_of_a_band(threshold)
        assert 1 - (1 - threshold**rows) ** (BINS // rows) >= RECALL, threshold
        longer = rows + 1
        assert 1 - (1 - threshold**longer) ** (BINS // longer) < RECALL, threshold


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        pairs(["a", "b"], threshold)


def test_it_can_be_stopped_and_tells_how_far_it_is():
    seen = []
    pairs(unrelated(50), watch=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (150, 150)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pairs(unrelated(50), watch=stop)


@given(st.lists(st.text(max_size=40), max_size=12))
def test_laws_of_clusters(texts):
    got = clusters(texts)
    assert len(got) == len(texts)
    assert all(first <= place and got[first] == first for place, first in enumerate(got))
    for one, other in itertools.combinations(range(len(texts)), 2):
        if texts[one] == texts[other]:
            assert got[one] == got[other]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_what_is_linked_does_not_depend_on_the_order_of_pairs(links):
    found = [Pair(min(link), max(link), 1.0) for link in links]
    assert linked(20, found) == linked(20, found[::-1])
