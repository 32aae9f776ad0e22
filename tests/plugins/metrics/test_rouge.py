"""``rouge`` against the ``rouge_score`` package: equal, not nearly equal."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness_rouge import Rouge
from harness_rouge.lcs import lcs_positions
from harness_rouge.tokens import original, unicode_words

TYPES = ("rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum")
PIECES = ["a ", "b ", "dogs ", "running ", "\n", "é ", ". ", "generously ", "猫", "\r\n", "x"]
pieces = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
long_repeats = st.sampled_from(PIECES).map(lambda piece: piece * 120)
texts = st.one_of(st.text(), pieces, long_repeats)
REAL = [
    (
        "Return the number of items.\nRaises KeyError if the key is missing.",
        [
            "Raises a KeyError when keys are missing.\nReturns how many items there are.",
            "Number of items.",
        ],
    ),
    ("We refunded the second payment.", ["The duplicate payment has been refunded."]),
    ("The cats were sitting on the mats.", ["A cat sat on the mat.", "Cats sit on mats."]),
]


class Split:
    """A tokenizer as ``rouge_score`` takes one."""

    def __init__(self, metric):
        self.tokenize = metric._splitter()


def scorer(metric, tokenizer=None):
    from rouge_score.rouge_scorer import RougeScorer

    options = metric.options
    return RougeScorer(list(options.types), use_stemmer=options.stemmer, tokenizer=tokenizer)


def expected(reference_scorer, answer, references):
    scores = reference_scorer.score_multi(references, answer)
    return [score.fmeasure for score in scores.values()]


@settings(max_examples=300, deadline=None)
@given(answer=texts, references=st.lists(texts, min_size=1, max_size=3), stemmer=st.booleans())
def test_equals_rouge_score(measure, answer, references, stemmer):
    metric = Rouge(Rouge.Options(types=TYPES, stemmer=stemmer))
    assert measure(metric, answer, references) == expected(scorer(metric), answer, references)


@settings(max_examples=100, deadline=None)
@given(answer=texts, references=st.lists(texts, min_size=1, max_size=2), stemmer=st.booleans())
def test_equals_rouge_score_with_the_unicode_tokenizer(measure, answer, references, stemmer):
    metric = Rouge(Rouge.Options(types=TYPES, stemmer=stemmer, tokenizer="unicode"))
    reference = scorer(metric, Split(metric))
    assert measure(metric, answer, references) == expected(reference, answer, references)


@pytest.mark.parametrize(("answer", "references"), REAL)
@pytest.mark.parametrize("stemmer", [False, True])
def test_equals_rouge_score_on_real_texts(measure, answer, references, stemmer):
    metric = Rouge(Rouge.Options(types=TYPES, stemmer=stemmer))
    scores = measure(metric, answer, references)
    assert scores == expected(scorer(metric), answer, references)
    assert all(0 < score < 1 for name, score in zip(TYPES, scores, strict=True)
               if name in ("rouge1", "rougeL"))  # fmt: skip


@given(st.text("abcd", max_size=80), st.text("abcd", max_size=80))
def test_positions_are_those_that_rouge_score_reads_out(reference, candidate):
    from rouge_score.rouge_scorer import lcs_ind

    assert lcs_positions(reference, candidate)[::-1] == lcs_ind(reference, candidate)


def test_tokens_equal_rouge_scores_for_every_character():
    from rouge_score.tokenize import tokenize

    for start in range(0, 0x110000, 4096):
        text = " ".join(f"a{chr(code)}b" for code in range(start, start + 4096))
        assert original(text) == tokenize(text, None)


def test_identical_thai_is_1_with_the_unicode_tokenizer_only(measure):
    thai = "เธอรักแมว"
    assert measure(Rouge(), thai, [thai]) == [0, 0, 0, 0]
    assert measure(Rouge(Rouge.Options(tokenizer="unicode")), thai, [thai]) == [1, 1, 1, 1]


def test_unicode_words():
    assert unicode_words("Café CAFE\u0301, snake_case!") == ["café", "café", "snake", "case"]
    assert unicode_words("東京2 กำ") == ["東", "京", "2", "ก", "ำ"]


def test_without_references_nothing_is_scored(measure):
    assert measure(Rouge(), "text", []) is None


@pytest.mark.parametrize("text", ["", "\ud800\x00", "\n\n", "a " * 3000 + "\nb"])
@pytest.mark.parametrize("tokenizer", ["original", "unicode"])
def test_any_text_can_be_scored(text, tokenizer, measure):
    scores = measure(Rouge(Rouge.Options(tokenizer=tokenizer)), text, [text, ""])
    assert len(scores) == 4 and all(0 <= score <= 1 for score in scores)


def test_score_names_follow_the_types():
    assert Rouge().score_names() == ("rouge1", "rouge2", "rougeL", "rougeLsum")
    assert Rouge(Rouge.Options(types=["rougeL"])).score_names() == ("rougeL",)


@pytest.mark.parametrize("types", [[], ["rouge1", "rouge1"], ["rougeX"]])
def test_wrong_types_are_refused(types):
    with pytest.raises(ValidationError):
        Rouge.Options(types=types)


def test_the_signature_says_what_changes_the_numbers():
    one = Rouge().signature()
    assert one == "rouge|measure:f|agg:mean|stem:no|tok:original|rev:1"
    assert Rouge(Rouge.Options(stemmer=True)).signature() != one


def test_importing_the_plugin_imports_nothing_heavy():
    code = "import sys, harness_rouge; sys.exit(bool({'nltk', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
