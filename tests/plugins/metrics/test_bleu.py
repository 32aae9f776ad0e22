"""``bleu`` against sacreBLEU."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import harness
from harness_sacrebleu import Bleu
from harness_sacrebleu.compute import bleu

SMOOTHINGS = [("exp", None), ("none", None), ("floor", None), ("floor", 0.5), ("add-k", None),
              ("add-k", 2.0)]  # fmt: skip
WORDS = ["the", "cat", "sat", "on", "a", "mat", ".", ",", "3.5", "猫"]
words = st.lists(st.sampled_from(WORDS), max_size=20)
texts = st.one_of(st.text(), words.map(" ".join), st.just("go " * 60))
rows = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=6)


def columns(lists):
    """References as sacreBLEU takes them: one list per place, None where a row has fewer."""
    most = max(map(len, lists))
    return [[row[i] if i < len(row) else None for row in lists] for i in range(most)]


def reference(metric, **changes):
    from sacrebleu import BLEU

    return BLEU(**(metric.options.model_dump(exclude={"right_at"}) | changes))


def corpus(metric, measure, pairs):
    statistics = np.array([measure(metric, answer, refs) for answer, refs in pairs])
    return metric.aggregate(statistics.sum(axis=0), np.float64(len(pairs)))


@settings(max_examples=200, deadline=None)
@given(pairs=rows, smoothing=st.sampled_from(SMOOTHINGS), lowercase=st.booleans(),
       tokenize=st.sampled_from(["13a", "intl", "char", "zh", "none"]))  # fmt: skip
def test_corpus_score_equals_sacrebleu(measure, pairs, smoothing, lowercase, tokenize):
    method, value = smoothing
    metric = Bleu(Bleu.Options(tokenize=tokenize, lowercase=lowercase, smooth_method=method,
                               smooth_value=value))  # fmt: skip
    answers, lists = zip(*pairs, strict=True)
    score = reference(metric).corpus_score(list(answers), columns(lists)).score
    assert corpus(metric, measure, pairs).tolist() == [score]


@settings(max_examples=150, deadline=None)
@given(pairs=rows, smoothing=st.sampled_from(SMOOTHINGS))
def test_own_values_are_sacrebleus_sentence_scores(measure, pairs, smoothing):
    metric = Bleu(Bleu.Options(smooth_method=smoothing[0], smooth_value=smoothing[1]))
    statistics = np.array([measure(metric, answer, refs) for answer, refs in pairs])
    sentence = reference(metric, effective_order=True)
    scores = [[sentence.sentence_score(answer, refs).score] for answer, refs in pairs]
    assert metric.values(statistics) == pytest.approx(np.array(scores), rel=1e-12, abs=0)


counts = st.tuples(
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
    st.integers(0, 60),
    st.integers(0, 60),
)


@settings(max_examples=300, deadline=None)
@given(draws=st.lists(counts, min_size=2, max_size=8), effective=st.booleans(),
       smoothing=st.sampled_from([*SMOOTHINGS, ("add-k", 0.0), ("floor", 0.0)]))  # fmt: skip
def test_many_draws_equal_compute_bleu(draws, effective, smoothing):
    from sacrebleu import BLEU

    method, value = smoothing
    sums, scores = [], []
    for matches, misses, answer_length, reference_length in draws:
        total = [a + b for a, b in zip(matches, misses, strict=True)]
        sums.append([*matches, *total, answer_length, reference_length])
        found = BLEU.compute_bleu(list(matches), total, answer_length, reference_length, method,
                                  value, effective)  # fmt: skip
        scores.append(found.score)
    got = bleu(np.array(sums), smooth_method=method, smooth_value=value, effective_order=effective)
    assert got[:, 0] == pytest.approx(scores, rel=1e-12, abs=0)


def test_any_leading_shape():
    rng = np.random.default_rng(3)
    total = rng.integers(1, 40, size=(2, 3, 5, 4))
    sums = np.concatenate([total // 2, total, rng.integers(1, 50, size=(2, 3, 5, 2))], axis=-1)
    scores = Bleu().aggregate(sums.astype(float), np.ones((2, 3, 5)))
    assert scores.shape == (2, 3, 5, 1)
    assert scores[1, 2, 4] == pytest.approx(bleu(sums[1, 2, 4]), rel=1e-12)
    assert Bleu().aggregate(sums[0, 0, :1], np.ones(1)).shape == (1, 1)
    half = Bleu().aggregate(sums[0, 0, 0] / 4, np.float64(1))  # weights need not be whole
    assert half == pytest.approx(bleu(sums[0, 0, :2] / 4)[0], rel=1e-12)
    assert Bleu().aggregate(np.zeros((0, 10)), np.ones(0)).shape == (0, 1)


def test_corpus_of_real_texts(measure):
    pairs = [
        ("Return the number of items.", ["Return how many items there are.", "Item count."]),
        ("We refunded the second payment of $3.50.", ["The second payment was refunded."]),
        ("", ["Close the file."]),
    ]
    metric = Bleu()
    answers, lists = zip(*pairs, strict=True)
    score = reference(metric).corpus_score(list(answers), columns(lists)).score
    assert 0 < score < 100
    assert corpus(metric, measure, pairs).tolist() == [score]


def test_signature_is_sacrebleus_own():
    metric = Bleu(Bleu.Options(lowercase=True, smooth_method="floor"))
    own = reference(metric)
    own.corpus_score(["a", "b"], [["a", "b"], ["c", None]])
    assert metric.signature() == f"BLEU|{own.get_signature()}"
    assert "case:lc|eff:no|tok:13a|smooth:floor[0.10]" in metric.signature()


def test_without_references_nothing_is_scored(measure):
    assert measure(Bleu(), "text", []) is None


@pytest.mark.parametrize("text", ["", "\ud800 \x00", "\n", "x" * 10_000])
@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "zh", "none"])
def test_any_text_can_be_scored(text, tokenize, measure):
    metric = Bleu(Bleu.Options(tokenize=tokenize))
    statistics = np.array([measure(metric, text, [text, "word"])])
    assert 0 <= metric.values(statistics)[0, 0] <= 100.000001


def test_a_value_that_no_smoothing_uses_is_refused():
    with pytest.raises(ValidationError, match="only for floor and add-k"):
        Bleu.Options(smooth_value=0.3)


def test_a_tokenizer_without_its_package_is_an_environment_failure(measure):
    pytest.importorskip("sacrebleu")
    try:
        import MeCab  # noqa: F401
    except ImportError:
        metric = Bleu(Bleu.Options(tokenize="ja-mecab"))
        with pytest.raises(harness.EnvironmentFailure, match=r"sacrebleu\[ja\]"):
            measure(metric, "a", ["a"])
    else:
        pytest.skip("MeCab is installed")


def test_importing_the_plugin_imports_nothing_heavy():
    code = "import sys, harness_sacrebleu; sys.exit(bool({'sacrebleu','numpy'}&set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
