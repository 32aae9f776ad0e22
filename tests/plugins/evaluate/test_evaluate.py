"""A real metric script of the `evaluate` library, from a local file."""

from __future__ import annotations

import pytest

import harness

SCRIPT = """
import datasets
import evaluate


class Shared(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description="share of the reference's words that the answer has",
            citation="",
            inputs_description="",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions, references):
        shares = [
            len(set(p.split()) & set(r.split())) / len(set(r.split()))
            for p, r in zip(predictions, references)
        ]
        return {"shared": sum(shares) / len(shares)}
"""


@pytest.fixture
def metric(tmp_path, monkeypatch):
    from harness_evaluate import EvaluateMetric

    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    path = tmp_path / "shared_words.py"
    path.write_text(SCRIPT)
    return EvaluateMetric(EvaluateMetric.Options(path=path, key="shared"))


def _example(*references):
    return harness.Example("a", ({"role": "user", "content": "?"},), references)


@pytest.mark.filterwarnings("ignore")
def test_each_answer_gets_the_scripts_value(metric):
    from harness.scoring import Entry, measure, scores

    pairs = [
        (harness.Prediction("a", "one two"), _example("one two three four")),
        (harness.Prediction("b", "five"), harness.Example("b", (), ("five",))),
        (harness.Prediction("c", "six"), harness.Example("c", (), ())),
    ]
    entry = Entry("evaluate", metric)
    found = measure(entry, pairs)
    assert [m.statistics for m in found] == [(0.5,), (1.0,), None]
    score = scores(entry, found, {}, 1)["shared"]
    assert score.value == 0.75 and score.unscored == 1


@pytest.mark.filterwarnings("ignore")
def test_a_wrong_key_says_what_there_is(metric):
    from harness_evaluate import EvaluateMetric

    wrong = EvaluateMetric(EvaluateMetric.Options(path=metric.options.path, key="bleu"))
    with pytest.raises(harness.PluginError, match="shared"):
        wrong.measure(harness.Prediction("a", "one"), _example("one"))
