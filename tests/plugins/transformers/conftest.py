"""A tiny random Llama with a tokenizer of its own, made in the test: nothing is downloaded."""

from __future__ import annotations

import functools
import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.records import Checkpoint, Example
from harness.records.context import Context
from tests.plugins.transformers import architectures as tiny_models

ARCHITECTURES = tiny_models.ARCHITECTURES
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|start|>' + message['role'] + '\\n' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
)
WORDS = [
    *("def", "return", "the", "a", "list", "of", "names", "value"),
    *("first", "last", "open", "close", "count", "find", "red", "blue"),
]


@pytest.fixture(autouse=True, scope="session")
def _loaded() -> None:
    """Libraries read the environment when they are loaded: before any test changes it."""
    import peft  # noqa: F401
    import torch  # noqa: F401
    import transformers  # noqa: F401

    gc.freeze()  # half a million objects that stay


def save_tokenizer(folder: Path, template: str = TEMPLATE) -> Any:
    """A byte-level tokenizer with 300 tokens, trained on a few words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|start|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_model(folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        eos_token_id=1,
        pad_token_id=1,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads only wait for each other on a model of this size."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny model."""
    from harness_transformers.quiet import quietly

    folder = tmp_path_factory.mktemp("tiny")
    with quietly():
        save_tokenizer(folder)
        save_model(folder)
    return folder


@pytest.fixture(scope="session")
def base(tiny: Path) -> Checkpoint:
    return Checkpoint("base", str(tiny), "d", "tiny")


@pytest.fixture(scope="session")
def wide(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Layers of 64, the least that bitsandbytes repacks in 4 bits to answer on a CPU."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from harness_transformers.quiet import quietly

    folder = tmp_path_factory.mktemp("wide") / "model"
    shutil.copytree(tiny, folder)
    torch.manual_seed(1)
    config = LlamaConfig.from_pretrained(tiny, hidden_size=64, head_dim=16)
    with quietly():
        LlamaForCausalLM(config).save_pretrained(folder)
    return Checkpoint("base", str(folder), "w", "wide")


class Tiny(NamedTuple):
    """A tiny model of some architecture: ``made`` says what it is, ``base`` where it lies."""

    name: str
    made: Any
    base: Checkpoint


@pytest.fixture(scope="session")
def architectures(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tiny]:
    """``architectures(name)``: one of the tiny models of ``architectures.py``, made once."""
    from harness_transformers.quiet import quietly

    @functools.cache
    def make(name: str) -> Tiny:
        made = ARCHITECTURES[name]
        with quietly():
            folder = made.save(tmp_path_factory.mktemp(name))
        return Tiny(name, made, Checkpoint("base", str(folder), f"digest of {name}", name))

    return make


@pytest.fixture(scope="session", params=sorted(ARCHITECTURES))
def architecture(request: Any, architectures: Callable[[str], Tiny]) -> Tiny:
    """Each of the tiny models in turn."""
    return architectures(request.param)


@pytest.fixture
def saying(tmp_path: Path) -> Callable[[Checkpoint, list[int]], Checkpoint]:
    """``saying(base, tokens)``: a copy of a tiny model that says these tokens, one after another.

    The first of them is the last one of a prompt. Greedy decoding gives the others.
    """
    from harness_transformers.quiet import quietly

    def make(base: Checkpoint, tokens: list[int]) -> Checkpoint:
        folder = tmp_path / f"saying-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(base.path, folder)
        with quietly():
            tiny_models.script(folder, tokens)
        return Checkpoint("base", str(folder), folder.name, base.name)

    return make


@pytest.fixture(scope="session")
def row() -> Callable[..., Example]:
    """``row(number, answer=None, **fields)``: rows of unequal lengths."""

    def make(number: int, answer: str | None = None, **fields: Any) -> Example:
        prompt = " ".join(WORDS[: 2 + number % 9])
        answer = " ".join(WORDS[number % 5 : number % 5 + 2]) if answer is None else answer
        message = {"role": "user", "content": f"{prompt} {number}"}
        return Example(f"row-{number}", (message,), (answer,), **fields)

    return make


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return fresh(tmp_path)


@pytest.fixture
def another(tmp_path: Path) -> Callable[..., Context]:
    """``another(**fields)``: one more context, with an empty output folder of its own."""

    def make(**fields: Any) -> Context:
        return fresh(tmp_path, **fields)

    return make


def fresh(folder: Path, **fields: Any) -> Context:
    output = folder / f"output-{len(list(folder.iterdir()))}"
    output.mkdir()
    return Context(output, **{"seed": 11, **fields})


@pytest.fixture
def tokenizer(tiny: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny)


@pytest.fixture
def retemplated(tiny: Path, tmp_path: Path) -> Callable[[str], Checkpoint]:
    """The tiny model with another chat template."""

    def make(template: str) -> Checkpoint:
        folder = tmp_path / "retemplated"
        shutil.copytree(tiny, folder)
        (folder / "chat_template.jinja").write_text(template)
        return Checkpoint("base", str(folder), "e", "retemplated")

    return make
