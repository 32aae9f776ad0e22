"""Files of a stranger's model run nothing, whatever they hold."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2.exceptions import SecurityError

import harness
from harness_transformers import loading
from harness_transformers.quiet import quietly
from tests.support.later import Later

torch = Later("torch")
adapters = Later("harness_transformers.adapters")


class Touching:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (str(self.path), "w")


def test_a_pickled_adapter_runs_nothing(
    base: harness.Checkpoint, context: harness.Context, tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model

    folder = tmp_path / "adapter"
    with quietly():
        model = loading.base_of(base, torch.float32)
        settings = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear")
        get_peft_model(model, settings).save_pretrained(str(folder))
    (folder / "adapter_model.safetensors").unlink()
    torch.save({"x": Touching(tmp_path / "ran")}, folder / "adapter_model.bin")
    made = dataclasses.replace(base, kind="adapter", path=str(folder), base_path=base.path)
    with quietly(), pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        adapters.ready(made, torch.float32, context, merge=False)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "escape",
    [
        "{{ messages.__class__.__mro__[1].__subclasses__() }}",
        "{{ raise_exception.__globals__['__builtins__'] }}",
        "{% set _ = messages.append({}) %}",
    ],
)
def test_a_chat_template_is_no_program(
    retemplated: Callable[[str], harness.Checkpoint], escape: str
) -> None:
    tokenizer = loading.tokenizer_of(retemplated(escape))
    with pytest.raises(SecurityError):
        tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
