"""``chrf`` against sacreBLEU: equal to the last bit, corpus and examples."""

from __future__ import annotations

import inspect
import random
import statistics as python_statistics
import textwrap

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from pydantic import ValidationError

import harness
from harness_sacrebleu import Chrf

OPTIONS = st.fixed_dictionaries({}, optional={
    "char_order": st.sampled_from([0, 1, 3, 8]), "word_order": st.sampled_from([1, 2, 3]),
    "beta": st.integers(0, 4), "lowercase": st.booleans(), "whitespace": st.booleans(),
    "eps_smoothing": st.booleans(),
}).filter(lambda chosen: chosen.get("char_order", 6) + chosen.get("word_order", 0))  # fmt: skip
WORDS = ["the", "Cat", "(sat)", "on", "a", "mat", ".", "'tis", "3.5", "猫が", "…", "😀"]
unicode = st.text(st.characters(exclude_categories=["Cs"]))
words = st.lists(st.sampled_from(WORDS), max_size=15)
texts = st.one_of(unicode, words.map(" ".join), st.just("go " * 60), st.sampled_from(["", "a"]))
rows = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=4)), min_size=1, max_size=6)


def reference(metric):
    from sacrebleu import CHRF

    return CHRF(**metric.options.model_dump(exclude={"right_at"}))


def pairs_of(rows):
    user = ({"role": "user", "content": "?"},)
    return [
        (harness.Prediction(str(i), answer), harness.Example(str(i), user, tuple(references)))
        for i, (answer, references) in enumerate(rows)
    ]


def check(metric, rows):
    """Corpus and own values are sacreBLEU's; a batch gives what single examples give."""
    pairs = pairs_of(rows)
    measured = list(metric.measure_all(pairs))
    assert measured == [metric.measure(*pair) for pair in pairs]
    table = np.array(measured, dtype=np.float64)
    answers, lists = zip(*rows, strict=True)
    most = max(map(len, lists))
    columns = [[row[i] if i < len(row) else None for row in lists] for i in range(most)]
    score = reference(metric).corpus_score(list(answers), columns).score
    assert metric.aggregate(table.sum(axis=0), np.float64(len(rows))).tolist() == [score]
    own = [[reference(metric).sentence_score(answer, list(refs)).score] for answer, refs in rows]
    assert metric.values(table).tolist() == own


@settings(max_examples=250, deadline=None)
@given(rows=rows, options=OPTIONS)
@example([("".join(map(chr, range(0x4E00, 0x4E00 + 2500))), ["猫" + "一丁丂七丄" * 9])], {})
@example([("", [""]), ("", ["a", ""]), ("a", ["", "", "b"])], {"eps_smoothing": True})
@example([("a b", ["a b", "b a", "a b"]), ("c", ["d", "e"])], {"word_order": 2})
def test_equal_to_sacrebleu(rows, options):
    check(Chrf(Chrf.Options(**options)), rows)


def real_rows(n, seed):
    """Docstrings of the standard library against copies in which pieces are changed."""
    modules = (random, inspect, textwrap, python_statistics)
    members = [getattr(module, name) for module in modules for name in sorted(vars(module))]
    docs = [doc for member in members if callable(member) and (doc := inspect.getdoc(member))]
    rng = random.Random(seed)
    return [(mutated(rng, docs[i % len(docs)]),
             [mutated(rng, docs[i % len(docs)]) for _ in range(rng.randint(1, 3))])
            for i in range(n)]  # fmt: skip


def mutated(rng, text):
    letters = list(text[:400])
    for _ in range(rng.randrange(1 + len(letters) // 6)):
        place = rng.randrange(len(letters))
        letters[place : place + rng.randrange(3)] = rng.choice(letters) * rng.randrange(1, 3)
    return "".join(letters)


@pytest.mark.parametrize("options", [{}, {"word_order": 2}, {"eps_smoothing": True}], ids=str)
def test_equal_on_real_texts(options):
    check(Chrf(Chrf.Options(**options)), real_rows(250, seed=5))


@pytest.mark.parametrize("options", [{}, {"word_order": 2, "eps_smoothing": True}], ids=str)
def test_any_leading_shape(options):
    metric = Chrf(Chrf.Options(**options))
    table = np.array(list(metric.measure_all(pairs_of(real_rows(30, seed=6)))), dtype=float)
    weights = np.random.default_rng(4).integers(0, 3, size=(2, 7, 30)).astype(float)
    scores = metric.aggregate(weights @ table, weights.sum(axis=-1))
    assert scores.shape == (2, 7, 1)
    for place in np.ndindex(2, 7):
        one = metric.aggregate(weights[place] @ table, weights[place].sum())
        assert scores[place].tolist() == one.tolist()
    assert metric.aggregate(np.zeros((0, table.shape[1])), np.ones(0)).shape == (0, 1)


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


@pytest.mark.parametrize("text", ["", "\ud800 \x00", "\n", "x" * 10_000, "\U0010ffff"])
def test_any_text_can_be_scored(text, measure):
    metric = Chrf(Chrf.Options(word_order=2))
    statistics = np.array([measure(metric, text, [text, "word"])])
    assert 0 <= metric.values(statistics)[0, 0] <= 100
