"""``exact``, ``token-f1`` and ``length``."""

from __future__ import annotations

import re
import string
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

import harness
from harness_text import Exact, Length, TokenF1


def test_exact(measure):
    for answer, references, score in [
        (" yes\n", ["yes"], 1.0),
        ("yes", ["no", "  yes"], 1.0),
        ("Yes", ["yes"], 0.0),
        ("", [""], 1.0),
        ("", ["yes"], 0.0),
        ("yes", [], None),
        ("\ud800\x00", ["\ud800\x00"], 1.0),
    ]:
        assert measure(Exact(), answer, references) == score, answer


def test_exact_without_case(measure):
    metric = Exact(Exact.Options(ignore_case=True))
    assert measure(metric, "STRASSE", ["Straße"]) == 1.0
    assert metric.signature() != Exact().signature()


def test_token_f1(measure):
    for answer, references, score in [
        ("The cat!", ["a cat"], 1.0),
        ("black cat", ["the cat"], 2 / 3),
        ("cat cat cat", ["cat"], 0.5),
        ("dog", ["cat", "dogs and a dog"], 0.5),
        ("dog", ["cat"], 0.0),
        ("the", [""], 1.0),
        ("", ["", "cat"], 0.0),
        ("cat", ["", "cat"], 1.0),
        ("", ["the", "!?"], 1.0),
        ("a_b", ["ab"], 1.0),
        ("“the cat”", ["cat"], 0.0),
        ("thé cat", ["the cat"], 2 / 3),
        ("", ["cat"], 0.0),
        ("cat", [], None),
        ("\ud800 x", ["x"], 2 / 3),
    ]:
        assert measure(TokenF1(), answer, references) == (
            score if score is None else pytest.approx(score, rel=1e-12)
        ), answer


def official_f1(answer, references):
    """SQuAD 2.0's published rules, said another way: character by character, by sorted merge."""

    def words(text):
        kept = "".join(c for c in text.lower() if c not in string.punctuation)
        pieces = re.split(r"(\w+)", kept)  # words stand at the odd places
        articles = {"a", "an", "the"}
        return sorted(
            "".join(" " if i % 2 and p in articles else p for i, p in enumerate(pieces)).split()
        )

    golds = [gold for gold in map(words, references) if gold] or [[]]
    given = words(answer)
    best = Fraction(0)
    for gold in golds:
        left = list(gold)
        for word in given:
            if word in left:
                left.remove(word)
        same = len(gold) - len(left)
        if not gold or not given:
            best = max(best, Fraction(gold == given))
        else:
            best = max(best, Fraction(2 * same, len(gold) + len(given)))
    return float(best)


phrases = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            ["the", "a", "an", "An", "cat", "cat,", "dog", "Dog!", "_the_", "a-b", "é"]
        ),
        max_size=12,
    ).map(" ".join),
)


@given(phrases, st.lists(phrases, min_size=1, max_size=4))
def test_token_f1_follows_the_official_rules(measure, answer, references):
    score = measure(TokenF1(), answer, references)
    assert score == pytest.approx(official_f1(answer, references), rel=1e-12)
    assert score == measure(TokenF1(), answer, references)


@given(phrases, st.lists(phrases, min_size=1, max_size=4), st.booleans())
def test_exact_is_membership(measure, answer, references, ignore_case):
    metric = Exact(Exact.Options(ignore_case=ignore_case))
    if ignore_case:
        answer, references = answer.casefold(), [text.casefold() for text in references]
    expected = answer.strip() in {text.strip() for text in references}
    score = measure(metric, answer, references)
    assert score == expected and isinstance(score, float)


def test_a_block_gives_what_each_gives_alone(measure):
    texts = ["", "a cat", "the dog, the cat", "x" * 5000, "cat " * 900, "Ö"]
    pairs = [
        (harness.Prediction(str(i), answer), harness.Example(str(i), (), tuple(texts[: i % 4])))
        for i, answer in enumerate(texts * 3)
    ]
    for metric in (Exact(), TokenF1(), Length()):
        alone = [measure(metric, p.text, e.references) for p, e in pairs]
        assert list(metric.measure_all(pairs)) == alone
        assert list(metric.measure_all(pairs[::-1]))[::-1] == alone


@given(st.text(), st.text())
def test_token_f1_is_symmetric_and_bounded(measure, one, other):
    score = measure(TokenF1(), one, [other])
    assert 0 <= score <= 1
    assert score == pytest.approx(measure(TokenF1(), other, [one]), rel=1e-12)
    assert measure(TokenF1(), one, [one]) == 1


def test_length(measure):
    assert measure(Length(), "three  short\nwords", ["x"]) == 3.0
    assert measure(Length(Length.Options(unit="characters")), "ab c", ["x"]) == 4.0
    assert measure(Length(), "", []) == 0.0
    assert Length.right_at is None and Length.bounds == (0.0, float("inf"))


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_statistics_add_up_to_the_mean(measure, answers):
    values = np.array([[measure(TokenF1(), answer, ["the old cat"])] for answer in answers])
    mean = TokenF1().aggregate(values.sum(axis=0), np.float64(len(values)))
    assert mean[0] == pytest.approx(values.mean())
