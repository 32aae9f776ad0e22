"""A GGUF file: hyperparameters, vocabulary, and weights of some kind."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import harness
from harness_transformers.llamacpp import families, library, vocabulary


def write(
    path: Path,
    model: Any,
    tokenizer: Any,
    *,
    name: str,
    kind: str,
    bos: bool,
    said: Callable[[int, int, str], None],
) -> None:
    """One file with the model.

    Args:
        model: of transformers, in float32 (weights of another type are converted).
        name: of the model.
        kind: one of :data:`library.KINDS`.
        bos: whether prompts begin with the token of the beginning.
        said: told of each tensor (done, all, what).

    Raises:
        UsageError: models of this family, or such a tokenizer, are not written.
        EnvironmentFailure: the kind needs llama.cpp, or the tokenizer has to be compared with it,
            and it is not installed.
        OSError: the system refuses, as where the disk is full.
    """
    if kind not in library.PLAIN:
        library.need(f"--quantize {kind}")
        whole = path.with_name(f"{path.name}.f32")
        write(whole, model, tokenizer, name=name, kind="f32", bos=bos, said=said)
        try:
            library.quantize(whole, path, f"LLAMA_FTYPE_{library.FILE_TYPES[kind]}")
        finally:
            whole.unlink(missing_ok=True)
        return
    import gguf

    config = model.config.get_text_config()
    family = families.family_of(config)
    writer = gguf.GGUFWriter(path, family.arch)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(_name(name, tokenizer))
    writer.add_file_type(int(gguf.LlamaFileType[library.FILE_TYPES[kind]]))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    families.write_metadata(writer, config, family)
    table = model.get_input_embeddings().weight
    split = vocabulary.write_vocabulary(writer, tokenizer, table.shape[0], bos=bos)
    if split not in vocabulary.TRIED:
        library.need(f"--gguf: a tokenizer that splits texts as '{split}', not tried here yet,")
    weights = list(families.tensors(config, family, model.state_dict()))
    try:
        for place, numbers in weights:
            values = numbers()
            own = _kind_of(place, values.shape, kind)
            block, size = gguf.GGML_QUANT_SIZES[own]
            # Of a type other than bytes the shape is taken as it is.
            writer.add_tensor_info(
                place, values.shape, values.dtype, values.size // block * size, raw_dtype=own
            )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for done, (place, numbers) in enumerate(weights):
            said(done, len(weights), place)
            values = numbers()
            writer.write_tensor_data(
                gguf.quants.quantize(values, _kind_of(place, values.shape, kind))
            )
    except OSError as error:
        if error.errno is None:  # numpy says how much it wrote, and not why that is less than all
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        writer.close()


PHI3 = {"<unk>", "<s>", "</s>", "<|endoftext|>"}
"""Tokens that llama.cpp looks for where a model's name says Phi-3; it reads no file without."""


def _name(name: str, tokenizer: Any) -> str:
    """The model's name. llama.cpp drops white space after special tokens where it says Phi-3."""
    strips = any(
        token.rstrip and token.special for token in tokenizer.added_tokens_decoder.values()
    )
    plain = re.sub("phi-?3", lambda match: f"{match[0][:3]} 3", name, flags=re.IGNORECASE)
    return f"{plain} (phi-3)" if strips and tokenizer.get_vocab().keys() >= PHI3 else plain


def _kind_of(place: str, shape: tuple[int, ...], kind: str) -> Any:
    """A tensor's kind in a file of some kind: vectors stay float32, rows that do not fill blocks
    of 32 stay float16."""
    import gguf

    if len(shape) < 2 or kind == "f32":
        return gguf.GGMLQuantizationType.F32
    if kind == "q8_0" and shape[-1] % 32:
        return gguf.GGMLQuantizationType.F16
    return gguf.GGMLQuantizationType[kind.upper()]


def kinds_of(path: Path) -> Mapping[str, int]:
    """Kind of tensor -> how many matrices of a file are of it, the most common first.

    Raises:
        DataError: it is no GGUF file.
    """
    counts = Counter(
        tensor.tensor_type.name for tensor in read(path).tensors if len(tensor.shape) > 1
    )
    return dict(counts.most_common())


def read(path: Path) -> Any:
    """A ``gguf.GGUFReader`` of a file.

    Raises:
        DataError: it is none that can be read.
    """
    import gguf

    try:
        return gguf.GGUFReader(path)
    except OSError as error:
        raise harness.DataError(
            f"the file cannot be read: {error.strerror or error}", where=str(path)
        ) from error
    except Exception as error:
        raise harness.DataError(
            f"this is no GGUF file that can be read: {error}", where=str(path)
        ) from error
