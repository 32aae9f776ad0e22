"""Every plugin of ours obeys the rules that outsiders' plugins are held to."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from harness.records import Checkpoint
from harness.registry import Registry
from harness_testing import check, rules
from tests.plugins.transformers.conftest import save_model, save_tokenizer

ROOT = Path(__file__).resolve().parents[2]
OURS = [
    (stage, name, provider.plugin)
    for stage, name, provider in Registry.build().providers()
    if provider.plugin.__module__.startswith("harness_")
]
ENDPOINT = {"endpoint": "http://127.0.0.1:9/v1", "model": "nobody", "tries": 1}
SERVED = {"serve": "no-such-server {base} [{adapter}] --port {port}"}
UNCALLED = ("hub", "local", "judge", "teacher", "endpoint", "preference")
"""What needs the network, a whole model, a server, or pairs; the verifier `people` needs these."""
SILENT = {
    ("annotation", "ratings"),
    ("augmenter", "better-answers"),
    ("detector", "rubric"),
    ("probe", "safety"),
    *(
        ("section", name)
        for name in (
            "control", "costs", "failed", "general", "levers", "models", "near", "notes", "people",
            "prompts", "search", "test", "written",
        )
    ),
}  # fmt: skip
"""What has nothing to say of a run that is asked for nothing beside its rounds."""
METRICS = {name: plugin for stage, name, plugin in OURS if stage == "metric"}
OTHERS = [(stage, name, plugin) for stage, name, plugin in OURS if stage != "metric"]
FIRST = {
    stage: (stage, name, plugin)
    for stage, name, plugin in reversed(OTHERS)
    if stage != "trainer" and name != "executes"
}
"""One plugin of each kind, which is asked in every run; `--nightly` has the others, and all that
train."""

ROWS = [
    {
        "messages": [{"role": "user", "content": f"What comes after {number}?"}],
        "references": [str(number + 1)],
        "split": ("train", "dev", "test")[number % 3],
    }
    for number in range(9)
]

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


def by_day(chosen: bool) -> Any:
    return () if chosen else pytest.mark.nightly


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A base model that a trainer and a generator can load."""
    folder = tmp_path_factory.mktemp("tiny")
    save_tokenizer(folder)
    save_model(folder)
    return Checkpoint("base", str(folder), "tiny", "tiny")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Options of the plugins that need some."""
    folder: Path = tmp_path_factory.mktemp("scripts")
    script = folder / "shared_words.py"
    script.write_text(SCRIPT, encoding="utf-8")
    rows = folder / "rows.jsonl"
    rows.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS), encoding="utf-8")
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
        "folder": {"url": folder.as_uri()},
        "bucket": {"url": "memory://conformance"},
        "hub": {"id": "team/model"},
        "optuna": {"over": {"train.r": {"low": 4, "high": 64}, "train.epochs": [1, 2]}},
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        pytest.param(name, rule, id=f"{name}-{rule}", marks=by_day(name == "bleu"))
        for name in (*METRICS, "evaluate, per corpus")
        for rule in rules("metric")
        # Nothing has a score before it was rated.
        if not (name in ("judge", "rubric") and rule.id == "measure")
    ],
)
def test_metric(name, rule, options):
    rule.check(METRICS[name.split(",")[0]], options.get(name))


@pytest.mark.parametrize(
    ("stage", "name", "plugin"),
    [
        pytest.param(*entry, id=f"{entry[0]}-{entry[1]}", marks=by_day(entry in FIRST.values()))
        for entry in OTHERS
    ],
)
def test_other_stage(stage, name, plugin, options, monkeypatch, request):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # a model's own check asks the hub
    base = request.getfixturevalue("tiny") if stage in ("trainer", "generator") else None
    given = (
        ENDPOINT
        if stage == "judge" or name == "teacher" or (stage, name) == ("baseline", "endpoint")
        else SERVED
        if name == "endpoint"
        else options.get(name)
    )
    outcomes = check(plugin, given, checkpoint=base)
    assert len(outcomes) == len(rules(stage))
    assert not [o for o in outcomes if o.status == "failed"]
    noted = {o.rule for o in outcomes if o.status == "note"}
    assert noted <= {"work", "gate"}
    assert bool(noted) == ((stage, name) in SILENT), outcomes
    uncalled = [o for o in outcomes if o.rule == "work" and o.status == "skipped"]
    waits = (stage, name) == ("verifier", "people")
    if name == "ray":
        assert bool(uncalled) == (importlib.util.find_spec("ray") is None), uncalled
    elif name != "slurm":  # its tests check it on a cluster
        assert bool(uncalled) == (name in UNCALLED or waits), uncalled
