"""Loading tokenizers and weights for training and generation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
from harness.kit import gate
from harness_transformers import devices, shared


def without_adapter(checkpoint: harness.Checkpoint) -> harness.Checkpoint:
    """The base model below an adapter; a base model is given back as it is."""
    if checkpoint.kind == "base":
        return checkpoint
    folder = str(checkpoint.base_path)
    return dataclasses.replace(checkpoint, kind="base", path=folder, base_path=None)


def tokenizer_of(checkpoint: harness.Checkpoint) -> Any:
    """The base model's tokenizer, with padding and with the chat template of the config."""
    from transformers import AutoTokenizer

    folder = _folder(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=runs_code(checkpoint))
    if tokenizer.pad_token_id is None:  # any token will do: what is padded is masked
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    tokenizer.chat_template = checkpoint.info.get("chat_template") or tokenizer.chat_template
    # Read by encoding.py wherever a chat is rendered, for training as for generation.
    tokenizer.chat_template_kwargs = checkpoint.info.get("chat_template_kwargs") or {}
    return tokenizer


def config_of(checkpoint: harness.Checkpoint) -> Any:
    """The base model's configuration."""
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(_folder(checkpoint), trust_remote_code=runs_code(checkpoint))


def generation_config_of(checkpoint: harness.Checkpoint) -> Any:
    """What the base model's makers say of generation."""
    from transformers import GenerationConfig

    folder = Path(_folder(checkpoint))
    if (folder / "generation_config.json").is_file():
        return GenerationConfig.from_pretrained(folder)
    return GenerationConfig.from_model_config(config_of(checkpoint))


QUANTIZATION = "quantization"
"""Key of a checkpoint's ``info``: how its base is loaded, for training and for answers alike."""


def base_of(checkpoint: harness.Checkpoint, dtype: Any) -> Any:
    """The base model's weights in ``dtype``, or in as many bits as training takes.

    Quantised weights are put on the device at once; others stay in the main memory.

    Raises:
        ConfigError: the device cannot use them.
    """
    from transformers import AutoModelForCausalLM

    bits = checkpoint.info.get(QUANTIZATION)
    devices.refuse(dtype, bits)
    if bits is None and (loaded := shared.taken(checkpoint, str(dtype))) is not None:
        return loaded
    # Weights that are stored quantised are read as nonsense where the option is there and None.
    options = {} if bits is None else {"quantization_config": _bits(bits, dtype)}
    model = AutoModelForCausalLM.from_pretrained(
        _folder(checkpoint),
        dtype=dtype,
        use_safetensors=True,
        trust_remote_code=runs_code(checkpoint),
        use_kernels=False,  # since 5.25 transformers else fetches code for layers from the hub
        **options,
    )
    _keep_unpacked(model, lambda layer: not _packs(layer))
    return model


def quantised(model: Any) -> bool:
    """Whether the weights are, by the config's wish or because they are stored so."""
    return bool(getattr(model, "is_quantized", False))


def keep_gradients(model: Any) -> None:
    """Let gradients pass through weights of 4 bits, whatever has been computed without them.

    On a CPU with AVX512-BF16 a ``Linear4bit`` of bitsandbytes repacks its weights at its first use
    in eval mode, a validation for one, and its product with packed weights has no gradient: all
    that lies below the layer would learn from what comes around it alone.
    """
    _keep_unpacked(model, lambda layer: True)


def _packs(layer: Any) -> bool:
    """Whether a ``Linear4bit`` has one of the shapes that bitsandbytes can repack on a CPU.

    It tries with every shape, and fails where outputs do not fill blocks of 32, as those of a gate
    with one output, or inputs do not fill the blocks that share a scale.
    """
    whole = layer.out_features % 32 == 0 and layer.in_features % layer.weight.blocksize == 0
    return bool(whole)


def _keep_unpacked(model: Any, which: Callable[[Any], bool]) -> None:
    """Have bitsandbytes leave the weights of these ``Linear4bit`` as they were loaded."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu") and which(module):
            module.support_avx512bf16_for_cpu = False


def _bits(quantization: str, dtype: Any) -> Any:
    """What bitsandbytes shall do: NF4 with double quantisation (QLoRA), or LLM.int8()."""
    from transformers import BitsAndBytesConfig

    if quantization == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _folder(checkpoint: harness.Checkpoint) -> str:
    """Where the whole weights lie. A missing folder must not be taken for a hub's id."""
    folder = checkpoint.base_path or checkpoint.path
    if not Path(folder).is_dir():
        raise harness.EnvironmentFailure(
            "the model's files are gone", where=folder, hint="run the same command again"
        )
    return folder


def runs_code(checkpoint: harness.Checkpoint) -> bool:
    """Whether code that comes with the model is run.

    Raises:
        Untrusted: a config that is not the user's own says so.
    """
    trusted = bool(checkpoint.info.get("trust_remote_code", False))
    return trusted and gate.code("the code of the model", by=f"model '{checkpoint.name}'")
