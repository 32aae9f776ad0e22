"""The stemmer equals NLTK's on any string."""

from __future__ import annotations

import ast
import random
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.kit import stemmer
from harness.kit.stemmer import stem
from tests.support.later import Later

porter = Later("nltk.stem.porter")

ENDINGS = [
    *(ending for rules in stemmer.RULES for same in rules.values() for ending, _ in same),
    *("s", "ss", "sses", "ies", "ied", "eed", "ed", "ing", "at", "bl", "iz", "ll", "y", "e"),
]
STARTS = st.one_of(
    st.text("abcdefghijklmnopqrstuvwxyz09", max_size=8), st.text("aeyblst*", max_size=8),
    st.text(max_size=8),
)  # fmt: skip


@pytest.mark.nightly
@given(start=STARTS, endings=st.lists(st.sampled_from(ENDINGS), max_size=3))
def test_any_string_has_nltks_stem(start, endings):
    word = start + "".join(endings)
    assert stem(word) == porter.PorterStemmer().stem(word)


def test_real_irregular_and_odd_words():
    real = set()
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:60]:
        real.update((ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split())
    rng = random.Random(11)
    words = [*sorted(real), "*ded", "a*ding", "by", "Ties", "yyyyed", "İies", "ties", "its"]
    words += [word + rng.choice(ENDINGS) for word in words]
    words += ["".join(rng.choices("aeioybclstz*", k=rng.randint(0, 6))) + rng.choice(ENDINGS)
              for _ in range(8000)]  # fmt: skip
    nltks = porter.PorterStemmer()
    words += [*nltks.pool, *(word + "s" for word in nltks.pool), ""]
    assert len(words) > 10_000
    assert list(map(stem, words)) == list(map(nltks.stem, words))
