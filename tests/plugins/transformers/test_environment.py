"""What the transformers plugins say of the machine that makes their results."""

from __future__ import annotations

import pytest

from harness.config import loading
from harness.records.context import Quiet
from harness.run.run import Run
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer


@pytest.mark.parametrize("plugin", [TransformersGenerator, LoraTrainer])
def test_device_class_and_resolved_dtype(plugin):
    import torch

    if torch.cuda.is_available():
        major, minor = torch.cuda.get_device_capability()
        device = f"cuda {major}.{minor}"
    else:
        device = f"cpu {torch.backends.cpu.get_cpu_capability()}"
        device += " AMX" * torch.cpu._is_amx_tile_supported()
        device += " BF16" * torch.cpu._is_avx512_bf16_supported()
    said = {
        precision: plugin(plugin.Options(precision=precision)).environment()
        for precision in ("fp32", "bf16", "auto")
    }
    assert said["fp32"] == {"device": device, "dtype": "float32"}
    assert said["bf16"] == {"device": device, "dtype": "bfloat16"}
    assert said["auto"] in (said["fp32"], said["bf16"])


@pytest.mark.nightly
def test_both_are_asked_in_one_process_of_their_own(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    sets = ["train.plugin=lora", "generate.plugin=transformers", "execution.launcher=local"]
    run = Run(loading.load(None, sets=sets), Quiet())
    run.prepare()
    asked = []
    real = run.workers.do
    monkeypatch.setattr(
        run.workers, "do", lambda *given, **named: asked.append(given) or real(*given, **named)
    )
    with run.workers:
        found = [run.environment(entry) for entry in (run.config.train, run.config.generate)]
    assert len(asked) == 1 and found[0] == found[1] and set(found[0]) == {"device", "dtype"}
