"""How a training went is said when it ends, in the summary and in every report."""

from __future__ import annotations

import json

import pytest
from jsonschema import validate

from harness import summary_schema
from tests.support.project import CONFIG, FAKES

TRAINER = f"""
import json, runpy
import harness

FAKES = runpy.run_path({str(FAKES)!r})
CURVE = [3, 2, 1.5, 1.7, 1.9, 2.1]

class Overfitting(FAKES["FakeTrainer"]):
    '''Leaves the log of a training that overfitted since its second epoch.'''

    name = "overfitting"

    def train(self, base, train, valid, context):
        made = super().train(base, train, valid, context)
        rows = lambda loss: {{"of": 40, "losses": [5 * loss, 9 * loss - 0.2], "tokens": [5, 9]}}
        with (context.output / "log.jsonl").open("w") as log:
            for place, loss in enumerate(CURVE):
                line = {{"step": place, "epoch": place, "eval_loss": loss, "loss": 3 - place / 2}}
                line |= {{"eval_rows": rows(loss), "train_rows": rows(3 - place / 2)}}
                log.write(json.dumps(line) + "\\n")
        return made

class Unstable(FAKES["FakeTrainer"]):
    '''Leaves the log of a training that lost all it had learned, without validation.'''

    name = "unstable"

    def train(self, base, train, valid, context):
        made = super().train(base, train, valid, context)
        losses = [3 - 0.1 * step + 0.02 * (step % 2) for step in range(20)] + [3.2, 3.4, 3.3]
        with (context.output / "log.jsonl").open("w") as log:
            for step, loss in enumerate(losses, start=1):
                log.write(json.dumps({{"step": step, "epoch": step / 8, "loss": loss}}) + "\\n")
        return made

@harness.hookimpl
def register_trainers():
    return [Overfitting, Unstable]
"""
SAID = "overfitting since epoch 2: the validation loss rose from 1.49 at epoch 2 to 2.09"


@pytest.fixture
def overfitting(project):
    return trained_by(project, "overfitting")


def trained_by(project, trainer):
    (project.folder / "trainers.py").write_text(TRAINER)
    text = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, trainers.py]")
    project.write(text.replace("train: {plugin: fake}", f"train: {{plugin: {trainer}}}"))
    return project


def test_the_word_is_in_terminal_summary_and_reports(overfitting):
    done = overfitting.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    said = " ".join(done.err.split())
    assert f"round 1: train: {SAID}" in said
    assert "Train for fewer epochs" in said
    validate(done.document, summary_schema())
    baseline, trained = done.document["rounds"]
    assert baseline["course"] is None
    found = trained["course"]
    assert (found["kind"], found["since"]) == ("overfitting", 2)
    assert found["sentence"].startswith(SAID)
    full = " ".join(overfitting.inside("report", "--full").out.split())
    reports = next((overfitting.folder / "reports").glob("*"))
    pages = [(reports / name).read_text() for name in ("report.md", "report.html")]
    for page in (full, *pages):
        assert "overfitting since epoch 2" in page.replace("\\", "")
        assert "Train for fewer epochs" in page


@pytest.mark.nightly
def test_a_closed_round_is_not_told_again(overfitting):
    overfitting.inside("iterate", "--rounds", "1", "--json")
    again = overfitting.inside("iterate", "--rounds", "1", "--json")
    assert "overfitting" not in again.err
    assert json.loads(again.out)["rounds"][1]["course"]["kind"] == "overfitting"


@pytest.mark.nightly
def test_an_unstable_training_is_told_without_validation_rows(project):
    done = trained_by(project, "unstable").inside("iterate", "--rounds", "1", "--no-test")
    assert done.code == 0, done.err
    said = " ".join(done.err.split())
    assert "round 1: train: unstable: the training loss rose from" in said
    assert "Lower the learning rate" in said
