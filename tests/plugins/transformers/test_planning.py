"""What ``harness plan`` counts is what the trainer then does; its probe asks real plugins."""

from __future__ import annotations

import json

import pytest

CONFIG = """\
rounds: 1
valid: 0
data: {{source: jsonl, path: rows.jsonl}}
model: {{source: local, path: {folder}}}
train: {{plugin: lora, r: 4, epochs: 3, batch_size: 4, precision: fp32, max_length: 40}}
generate: {{plugin: transformers, max_new_tokens: 4, precision: fp32}}
metrics: [{{plugin: exact}}]
primary: exact
analyze: []
detect: []
report: []
execution: {{launcher: inline}}
"""


@pytest.fixture
def tuned(project, tiny):
    """A project with the tiny model, before its run."""
    rows = [
        {"split": split, "references": ["find the red"],
         "messages": [{"role": "user", "content": f"{split} number {n}"}]}
        for split, count in {"train": 10, "dev": 24, "test": 24}.items() for n in range(count)
    ]  # fmt: skip
    project.write("\n".join(map(json.dumps, rows)), "rows.jsonl")
    project.write(CONFIG.format(folder=json.dumps(str(tiny))))
    return project


@pytest.mark.nightly
@pytest.mark.parametrize("options", ["keep: best", "early_stop: {patience: 1}"])
def test_options_that_ask_for_the_validation_loss_are_planned(tuned, options):
    text = (tuned.folder / "harness.yaml").read_text("utf-8").replace("valid: 0", "valid: 0.2")
    tuned.write(text.replace("max_length: 40", f"max_length: 40, {options}"))
    planned = tuned.inside("plan", "--json")
    assert planned.code == 0, planned.err
    assert planned.document["rows"]["valid"] == 2
    assert planned.document["seconds"] > 0


@pytest.mark.nightly
def test_planned_steps_and_tokens_are_those_of_the_training(tuned):
    planned = tuned.inside("plan", "--json")
    assert planned.code == 0, planned.err
    answers, train = planned.document["stages"][:2]
    done = tuned.inside("iterate", "--json")
    assert done.code == 0, done.err
    [folder] = (tuned.folder / ".harness" / "artifacts" / "train").iterdir()
    facts = json.loads((folder / "manifest.json").read_text())["facts"]
    steps = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert train["learned"] == facts["trained_tokens"]
    assert train["steps"] == max(line["step"] for line in steps) == 9
    folder = next((tuned.folder / ".harness" / "artifacts" / "generate").iterdir())
    lines = (folder / "predictions.jsonl").read_text().splitlines()
    assert answers["tokens"] == sum(json.loads(line)["prompt_tokens"] for line in lines)
    assert planned.document["seconds"] > 0
    # Adapter and log of the same shape as those of the run.
    assert planned.document["needs"]["disk"] > 10_000


def test_the_time_of_arms_with_other_settings_of_lora_is_known_or_not(tuned):
    arms = [
        ("r", "{name: r, set: {train.r: 8, train.learning_rate: 1e-4, train.epochs: 6}}", []),
        ("b", "{name: b, set: {train.batch_size: 2}}", ["train.batch_size"]),
        ("4", "{name: '4', set: {train.max_length: 30}}", ["train.max_length"]),
    ]
    given = f"arms=[{', '.join(text for _, text, _ in arms)}]"
    found = tuned.inside("plan", "--no-probe", "--json", "--set", given)
    assert found.code == 0, found.err
    beside = found.document["beside"]
    assert [(arm["name"], arm["unknown"]) for arm in beside] == [(n, u) for n, _, u in arms]
    assert beside[0]["steps"] == 6 * 3
