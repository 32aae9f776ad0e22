"""What prompts have in common, against the definition in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness.kit.alike.hashes import distinct
from harness.kit.alike.index import FAINT, Index, Parts, _shape

SHINGLES = st.sets(st.integers(0, 25), max_size=12)
PROMPTS = st.lists(st.tuples(SHINGLES, SHINGLES), max_size=5)


def parts(sides):
    own, rest = sides[0], sides[1] - sides[0]
    return Parts(*(distinct(np.array(sorted(side), np.uint64)) for side in (own, rest)))


def weights_of(prompts):
    """Shingle -> its weight, as the module's docstring says."""
    total = max(2, len(prompts))
    found = {}
    for shingle in set().union(*(own | rest for own, rest in prompts)):
        held = sum(shingle in own | rest for own, rest in prompts)
        owned = sum(shingle in own for own, _ in prompts)
        rarity = math.log(total / held) / math.log(total) if len(prompts) > 2 else 1.0
        weight = max(rarity, 0) ** 2 * (owned / held) ** 2
        found[shingle] = weight if weight >= FAINT else 0.0
    return found


@given(PROMPTS, PROMPTS, st.tuples(SHINGLES, SHINGLES))
def test_prompts_are_compared_as_the_definition_says(held_out, others, asked):
    weights = weights_of([*held_out, *others])

    def total(shingles):
        return sum(weights.get(shingle, 0.0) for shingle in shingles)

    found = Index([parts(p) for p in held_out], [parts(p) for p in others]).compare(
        parts(asked), new=True, least=0.0
    )
    expected = {}
    for place, (own, _) in enumerate(held_out):
        common = total(own & asked[0])
        if common:
            theirs = max(total(own - (asked[1] - asked[0])), common)
            both = math.sqrt(theirs * max(total(asked[0]), common))
            expected[place] = (common / both, common / theirs)
    assert found.places.tolist() == list(expected)
    for values, wanted in zip(
        (found.similar, found.contained), zip(*expected.values(), strict=True), strict=False
    ):
        assert values.tolist() == pytest.approx(list(wanted))


@given(PROMPTS, PROMPTS, st.tuples(SHINGLES, SHINGLES), st.floats(0, 1), st.booleans())
def test_what_is_left_out_contains_and_resembles_less(held_out, others, asked, least, new):
    index = Index([parts(p) for p in held_out], [parts(p) for p in others])
    every = index.compare(parts(asked), new=new, least=0.0)
    found = index.compare(parts(asked), new=new, least=least)
    left_out = ~np.isin(every.places, found.places)
    assert (every.contained[left_out] <= least + 1e-9).all()
    assert (every.similar[left_out] <= math.sqrt(least) + 1e-9).all()
    assert found.similar.tolist() == every.similar[~left_out].tolist()


@given(st.lists(st.sampled_from([*"abcd", "(", ")", "=", "7"]), max_size=20))
def test_runs_of_tokens_are_equal_where_they_are_equal_but_for_names(tokens):
    def run(place):
        tokens_here = tokens[place : place + 8]
        return tuple(
            (n - max((p for p in range(n) if tokens_here[p] == token), default=n))
            if token.isidentifier() else token
            for n, token in enumerate(tokens_here)
        )  # fmt: skip

    runs = [run(place) for place in range(max(0, len(tokens) - 7))]
    hashes = _shape(tokens).tolist()
    assert len(hashes) == len(runs)
    assert len(set(zip(runs, hashes, strict=True))) == len(set(runs)) == len(set(hashes))
