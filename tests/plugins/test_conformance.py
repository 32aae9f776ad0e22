"""Every plugin of ours obeys the rules that outsiders' plugins are held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.registry import Registry
from harness.testing import check, rules

ROOT = Path(__file__).resolve().parents[2]
OURS = [
    (stage, name, provider.plugin)
    for stage, name, provider in Registry.build().providers()
    if provider.plugin.__module__.startswith("harness_")
]
ENDPOINT = {"endpoint": "http://127.0.0.1:9/v1", "model": "nobody"}
METRICS = {name: plugin for stage, name, plugin in OURS if stage == "metric"}
OTHERS = [(stage, name, plugin) for stage, name, plugin in OURS if stage != "metric"]

SCRIPT = """
import datasets
import evaluate

TEXT = datasets.Value("string")


class Shared(evaluate.Metric):
    def _info(self):
        one = datasets.Features({"predictions": TEXT, "references": TEXT})
        several = datasets.Features({"predictions": TEXT, "references": datasets.Sequence(TEXT)})
        return evaluate.MetricInfo(
            description="share of words", citation="", inputs_description="",
            features=[one, several],
        )

    def _compute(self, predictions, references):
        shares = [
            max(share(p, r) for r in ([rs] if isinstance(rs, str) else rs))
            for p, rs in zip(predictions, references)
        ]
        return {"shared": sum(shares) / len(shares)}


def share(answer, reference):
    return len(set(answer.split()) & set(reference.split())) / max(len(reference.split()), 1)
"""


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Options of the plugins that need some."""
    folder: Path = tmp_path_factory.mktemp("scripts")
    script = folder / "shared_words.py"
    script.write_text(SCRIPT, encoding="utf-8")
    rows = folder / "rows.jsonl"
    rows.write_text('{"prompt": "Is it May?", "references": ["No."]}\n', encoding="utf-8")
    facts = folder / "facts.yaml"
    facts.write_text("every: [[the, a], [is, was]]\n", encoding="utf-8")
    accepted = folder / "accepted.jsonl"
    accepted.write_text('{"schema": "harness.corrections/1"}\n', encoding="utf-8")
    return {
        "evaluate": {"path": script, "key": "shared"},
        "facts": {"file": facts},
        "rubric": {"rubric": ROOT / "rubrics" / "everyday.yaml"},
        "judge": {"rubric": ROOT / "rubrics" / "everyday.yaml", **ENDPOINT},
        "evaluate, per corpus": {"path": script, "key": "shared", "per": "corpus"},
        "jsonl": {"path": rows},
        "rows": {"path": rows},
        "better-answers": {"file": accepted},
        "local": {"path": folder},
        "hub": {"id": "team/model"},
        "optuna": {"over": {"train.r": {"low": 4, "high": 64}, "train.epochs": [1, 2]}},
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rule", rules("metric"), ids=str)
@pytest.mark.parametrize("name", [*METRICS, "evaluate, per corpus"])
def test_metric(name, rule, options):
    if name in ("judge", "rubric") and rule.id == "bounds":
        pytest.skip("nothing has a score before it was rated")
    rule.check(METRICS[name.split(",")[0]], options.get(name))


@pytest.mark.parametrize(
    ("stage", "name", "plugin"), OTHERS, ids=[f"{s}-{n}" for s, n, _ in OTHERS]
)
def test_other_stage(stage, name, plugin, options, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # a model's own check asks the hub
    outcomes = check(plugin, ENDPOINT if stage == "judge" else options.get(name))
    assert len(outcomes) == len(rules(stage))
    assert not [o for o in outcomes if o.status not in ("ok", "skipped")]
