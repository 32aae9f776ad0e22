"""The coverage benchmark: its truths are true, and its rivals are what they are called."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as reference

PATH = Path(__file__).parents[2] / "benchmarks" / "coverage.py"
spec = importlib.util.spec_from_file_location("coverage_benchmark", PATH)
assert spec is not None and spec.loader is not None
coverage = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = coverage
spec.loader.exec_module(coverage)


@pytest.mark.parametrize("world", [*coverage.worlds()], ids=lambda w: f"{w.score}, {w.sample}")
def test_the_true_score_of_a_world_is_the_score_of_very_many_rows(world):
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(50_000), 2)
    numerators, denominators = world.draw(rng, codes, 2)
    found = numerators.sum() / denominators.sum()
    influence = numerators - found * denominators
    # Two rows of one group at the most, so twice the variance of single rows bounds it.
    error = np.sqrt(2 * influence.size * influence.var()) / denominators.sum()
    assert found == pytest.approx(world.truth, abs=4 * error)
    assert error < 0.15 * world.truth


def test_percentile_and_bca_are_those_of_scipy():
    values = np.random.default_rng(3).lognormal(0, 1, (40, 3))
    rows = values, np.ones_like(values)
    found = coverage.intervals(rows, np.arange(40), seed=1, draws=40_000)
    for ours, theirs in (("percentile", "percentile"), ("BCa", "BCa")):
        for column in range(3):
            expected = reference.bootstrap(
                (values[:, column],), np.mean, n_resamples=40_000, method=theirs, rng=2
            ).confidence_interval
            low, high = (end[column] for end in found[ours])
            assert (low, high) == pytest.approx((expected.low, expected.high), rel=0.015)


def test_bootstrap_t_is_that_of_rows_drawn_by_numpy():
    values = np.random.default_rng(4).lognormal(0, 1, (30, 1))
    found = coverage.intervals((values, np.ones_like(values)), np.arange(30), seed=1, draws=40_000)
    drawn = np.random.default_rng(2).choice(values[:, 0], (40_000, 30))
    middle = values.mean()
    t = (drawn.mean(axis=1) - middle) / drawn.std(axis=1)
    first, last = np.quantile(t, [0.025, 0.975])
    expected = middle - last * values.std(), middle - first * values.std()
    assert [end[0] for end in found["bootstrap-t"]] == pytest.approx(expected, rel=0.03)


def test_the_script_writes_what_it_prints(tmp_path, capsys, monkeypatch):
    path = tmp_path / "coverage.json"
    arguments = ["coverage", "--replications", "20", "--draws", "200", "--json", str(path)]
    monkeypatch.setattr(sys, "argv", arguments)
    coverage.main()
    document = json.loads(path.read_text("utf-8"))
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    assert len(table) == len(document["rows"]) == 27
    for line, row in zip(table, document["rows"], strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        held = [f"{100 * row['methods'][method]['held']:.1f}" for method in coverage.METHODS]
        assert cells[:2] == [row["score"], row["sample"]]
        assert [cell.split()[0] for cell in cells[2:6]] == held
