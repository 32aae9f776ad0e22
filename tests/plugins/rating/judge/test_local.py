"""A judge in a folder: a tiny random model, whose words mean nothing and are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.kit.remote.replies import Request
from harness_rating.judge.local import Local, identity
from harness_rating.judge.options import ModelOptions
from harness_rating.judge.plugin import JudgeMetric
from tests.plugins.transformers import conftest as tiny_models

MESSAGES = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]


def ask(model, seed):
    return model.ask(model.body(Request(MESSAGES), seed)).text


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tiny")
    tiny_models.save_tokenizer(folder)
    tiny_models.save_model(folder)
    yield folder
    torch.set_num_threads(before)


@pytest.mark.nightly
def test_the_seed_decides_what_it_says(tiny):
    model = Local(ModelOptions(local=tiny, max_tokens=16))
    first = ask(model, 1)
    assert first
    assert ask(model, 1) == first != ask(model, 2)
    cold = Local(ModelOptions(local=tiny, max_tokens=16, temperature=0))
    assert ask(cold, 1) == ask(cold, 2)
    assert len(model._loaded[0](first)["input_ids"]) <= 20
    model.close()


def test_a_template_without_a_system_turn_gets_one_message(tiny, tmp_path):
    import shutil

    folder = tmp_path / "strict"
    shutil.copytree(tiny, folder)
    refuse = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    (folder / "chat_template.jinja").write_text(refuse + tiny_models.TEMPLATE)
    assert ask(Local(ModelOptions(local=folder, max_tokens=16)), 1)


def test_what_it_says_is_kept_as_unreadable_and_gives_no_score(tiny, here, pairs):
    """The whole way without a network; a random model gives no JSON."""
    rubric = here / "one.yaml"
    rubric.write_text((here / "short.yaml").read_text().split("  - id: polite")[0])
    metric = JudgeMetric(
        JudgeMetric.Options(rubric=rubric, local=tiny, max_tokens=16, samples=1, tries=1)
    )
    metric.ready(pairs[:1])
    assert len(list((here / ".harness" / "judge").rglob("*.json"))) == 1
    with pytest.raises(ValueError, match="right: reply 1 of 1 cannot be read"):
        metric.measure(*pairs[0])
    (line,) = metric.remarks(pairs[:1])
    assert line.startswith("uncalibrated") and "judgements could not be read" in line
    assert f"model:local-{identity(tiny)[:12]}|" in metric.signature()
    assert "tiny" not in metric.signature()
    assert tiny / "config.json" in metric.inputs()


def test_models_are_told_apart_by_their_content(tiny, tmp_path):
    import shutil

    folder = tmp_path / "other"
    shutil.copytree(tiny, folder)
    assert identity(folder) == identity(tiny)
    (folder / "generation_config.json").write_text("{}")
    assert identity(folder) != identity(tiny)


def test_a_folder_that_holds_no_model_is_told(tmp_path, here):
    with pytest.raises(harness.EnvironmentFailure, match="no folder of a model"):
        Local(ModelOptions(local=tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(harness.EnvironmentFailure, match="cannot be loaded"):
        ask(Local(ModelOptions(local=tmp_path)), 1)
