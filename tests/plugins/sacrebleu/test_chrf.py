"""``chrf`` against sacreBLEU: equal to the last bit, corpus and examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from pydantic import ValidationError

from harness_sacrebleu import Chrf
from tests.plugins.sacrebleu import against
from tests.plugins.sacrebleu.against import pairs_of, real_rows, unicode

OPTIONS = st.fixed_dictionaries({}, optional={
    "char_order": st.sampled_from([0, 1, 3, 8]), "word_order": st.sampled_from([1, 2, 3]),
    "beta": st.integers(0, 4), "lowercase": st.booleans(), "whitespace": st.booleans(),
    "eps_smoothing": st.booleans(),
}).filter(lambda chosen: chosen.get("char_order", 6) + chosen.get("word_order", 0))  # fmt: skip
WORDS = ["the", "Cat", "(sat)", "on", "a", "mat", ".", "'tis", "3.5", "猫が", "…", "😀"]
words = st.lists(st.sampled_from(WORDS), max_size=15)
texts = st.one_of(unicode, words.map(" ".join), st.just("go " * 60), st.sampled_from(["", "a"]))
rows = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=4)), min_size=1, max_size=6)


def reference(metric):
    from sacrebleu import CHRF

    return CHRF(**metric.options.model_dump(exclude={"right_at"}))


def check(metric, rows):
    against.check(metric, rows, reference(metric), reference(metric))


@given(rows=rows, options=OPTIONS)
@example([("".join(map(chr, range(0x4E00, 0x4E00 + 2500))), ["猫" + "一丁丂七丄" * 9])], {})
@example([("", [""]), ("", ["a", ""]), ("a", ["", "", "b"])], {"eps_smoothing": True})
@example([("a b", ["a b", "b a", "a b"]), ("c", ["d", "e"])], {"word_order": 2})
def test_equal_to_sacrebleu(rows, options):
    check(Chrf(Chrf.Options(**options)), rows)


def mutated(rng, text):
    letters = list(text[:400])
    for _ in range(rng.randrange(1 + len(letters) // 6)):
        place = rng.randrange(len(letters))
        letters[place : place + rng.randrange(3)] = rng.choice(letters) * rng.randrange(1, 3)
    return "".join(letters)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("options", [{}, {"word_order": 2}, {"eps_smoothing": True}], ids=str)
def test_equal_on_real_texts(options):
    check(Chrf(Chrf.Options(**options)), real_rows(120, 5, mutated))


@pytest.mark.parametrize("options", [{}, {"word_order": 2, "eps_smoothing": True}], ids=str)
def test_any_leading_shape(options):
    metric = Chrf(Chrf.Options(**options))
    against.check_shapes(metric, real_rows(30, 6, mutated))


def test_a_missing_reference_is_none_and_an_empty_one_is_a_reference():
    """In sacreBLEU None is left out; an empty text is a reference, with a score of 0."""
    own = reference(Chrf())
    assert own.corpus_score(["ab", "c"], [["x", "c"], [None, ""]]).score > 0
    empty, missing = (list(Chrf().measure_all(pairs_of([("ab", refs)]))) for refs in ([""], []))
    assert (empty[0][0], missing) == (0, [None])
    check(Chrf(), [("ab", ["", "x"]), ("c", ["c"])])


@pytest.mark.parametrize(("options", "name"), [
    ({}, "chrF2"), ({"word_order": 2, "lowercase": True}, "chrF2++"),
    ({"beta": 1, "eps_smoothing": True, "whitespace": True}, "chrF1"),
])  # fmt: skip
def test_signature_is_sacrebleus_own(options, name):
    metric = Chrf(Chrf.Options(**options))
    own = reference(metric)
    score = own.corpus_score(["a", "b"], [["a", "b"], ["c", None]])
    assert metric.signature() == f"{score.name}|{own.get_signature()}"
    assert score.name == name
    assert metric.score_names() == ("chrf",)


def test_without_any_order_there_is_no_score():
    with pytest.raises(ValidationError, match="cannot both be 0"):
        Chrf.Options(char_order=0)


def test_any_text_can_be_scored(measure):
    for text in ["", "\ud800 \x00", "\n", "x" * 10_000, "\U0010ffff"]:
        metric = Chrf(Chrf.Options(word_order=2))
        statistics = np.array([measure(metric, text, [text, "word"])])
        assert 0 <= metric.values(statistics)[0, 0] <= 100, text
