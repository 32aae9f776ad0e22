"""Texts, and the comparison of a metric with sacreBLEU's own, for the three metrics."""

from __future__ import annotations

import inspect
import logging
import random
import statistics
import string
import subprocess
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

import harness

MODULES = (random, inspect, logging, string, subprocess, textwrap, statistics)
Row = tuple[str, Sequence[str]]
unicode = st.text(st.characters(exclude_categories=["Cs"]))


def pairs_of(rows: Sequence[Row]) -> list[tuple[harness.Prediction, harness.Example]]:
    """Answers with their references, as a metric takes them."""
    user = ({"role": "user", "content": "?"},)
    return [
        (harness.Prediction(str(i), answer), harness.Example(str(i), user, tuple(references)))
        for i, (answer, references) in enumerate(rows)
    ]


def columns(lists: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """References as sacreBLEU takes them: one list per place, None where a row has fewer."""
    most = max(map(len, lists))
    return [[row[i] if i < len(row) else None for row in lists] for i in range(most)]


def check(metric: Any, rows: Sequence[Row], corpus: Any, sentence: Any) -> None:
    """Corpus and own values are sacreBLEU's; a batch gives what single examples give.

    Args:
        corpus: sacreBLEU's metric with the same options.
        sentence: the one that scores single examples.
    """
    pairs = pairs_of(rows)
    measured = list(metric.measure_all(pairs))
    assert measured == [metric.measure(*pair) for pair in pairs]
    table = np.array(measured, dtype=np.float64)
    answers, lists = zip(*rows, strict=True)
    score = corpus.corpus_score(list(answers), columns(lists)).score
    assert metric.aggregate(table.sum(axis=0), np.float64(len(rows))).tolist() == [score]
    own = [[sentence.sentence_score(answer, list(refs)).score] for answer, refs in rows]
    assert metric.values(table).tolist() == own


def check_shapes(metric: Any, rows: Sequence[Row], exact: bool = True) -> None:
    """Sums of any leading shape give the scores that each of them gives alone."""
    table = np.array(list(metric.measure_all(pairs_of(rows))), dtype=float)
    weights = np.random.default_rng(4).integers(0, 3, size=(2, 7, len(rows))).astype(float)
    scores = metric.aggregate(weights @ table, weights.sum(axis=-1))
    assert scores.shape == (2, 7, 1)
    for place in np.ndindex(2, 7):
        one = metric.aggregate(weights[place] @ table, weights[place].sum())
        np.testing.assert_allclose(scores[place], one, rtol=0 if exact else 1e-12)
    assert metric.aggregate(np.zeros((0, table.shape[1])), np.ones(0)).shape == (0, 1)


def real_rows(n: int, seed: int, mutated: Callable[[random.Random, str], str]) -> list[Row]:
    """Docstrings of the standard library against changed copies of them."""
    members = [getattr(module, name) for module in MODULES for name in sorted(vars(module))]
    docs = [doc for member in members if callable(member) and (doc := inspect.getdoc(member))]
    rng = random.Random(seed)
    return [
        (mutated(rng, doc), [mutated(rng, doc) for _ in range(rng.randint(1, 3))])
        for doc in (docs[i % len(docs)] for i in range(n))
    ]
