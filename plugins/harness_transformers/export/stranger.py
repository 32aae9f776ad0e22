"""An export that another program made, compared with what a run evaluated."""

from __future__ import annotations

from pathlib import Path

import harness
from harness.kit.files import read_json
from harness_transformers import checks
from harness_transformers.export import fidelity, parity, transfer
from harness_transformers.export.fidelity import Fidelity
from harness_transformers.export.origin import ADAPTER, Origin
from harness_transformers.llamacpp import library, writing


def compared(
    origin: Origin, place: Path, tolerance: float | None, report: harness.Report
) -> Fidelity:
    """A GGUF file, or a folder with one, with whole weights or with an adapter.

    Raises:
        UsageError: it is none of these.
        DataError: it cannot be read, or its prompts are others.
        EnvironmentFailure: llama.cpp is needed, and is not installed.
    """
    files = [place] if place.is_file() else sorted(place.glob("*.gguf"))
    if len(files) > 1:
        raise harness.UsageError(
            f"--check {place}: there are {len(files)} GGUF files", hint="name the file itself"
        )
    if files and (files != [place] or _begins_as_gguf(place)):  # Ollama's have no suffix
        [path] = files
        return fidelity.checked(origin, path, _kind_of(path), tolerance, report)
    adapter = all((place / name).is_file() for name in ADAPTER)
    if not adapter and not (place / "config.json").is_file():
        raise harness.UsageError(
            f"--check {place}: this is no GGUF file, and no folder with one, with config.json or "
            f"with {' and '.join(ADAPTER)}"
        )
    if not adapter:
        checks.refuse(place, trust_remote_code=bool(origin.tuned.info.get("trust_remote_code")))
    return _folder(origin, place, tolerance, report, adapter=adapter)


def _begins_as_gguf(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"GGUF"


def _kind_of(path: Path) -> str:
    """The file's kind, as :data:`library.KINDS` calls it, or the number that it has."""
    import gguf

    field = writing.read(path).fields.get("general.file_type")
    number = int(field.contents()) if field is not None else -1
    names = {int(gguf.LlamaFileType[name]): kind for kind, name in library.FILE_TYPES.items()}
    return names.get(number, f"type {number}")


def _folder(
    origin: Origin, place: Path, tolerance: float | None, report: harness.Report, *, adapter: bool
) -> Fidelity:
    exported = parity.as_checkpoint(origin, place, merged=not adapter)
    facts, kind = [], "adapter"
    if (place / "tokenizer_config.json").is_file() or not adapter:
        try:
            parity.check_prompts(origin, place)
        except harness.DataError as error:  # answers to other prompts would say nothing
            raise harness.DataError(
                f"this is not what was evaluated: refused: {error.what}", where=str(place)
            ) from error
        facts.append("all prompts of dev are the same token by token")
    limits = transfer.LIMITS["float32"]
    if not adapter:
        config = read_json(place / "config.json")
        kind = str(config.get("dtype") or config.get("torch_dtype") or "float32")
        limits = transfer.LIMITS.get(kind, fidelity.OTHERS)
        if "quantization_config" in config:
            kind, limits = "quantised", fidelity.OTHERS
    seen = transfer.measured(exported, origin, limits, report)
    facts += seen.sentences
    answers = parity.dev_answers(exported, origin, None if adapter else kind, report)
    compared = parity.compare(origin, answers)
    allowed = fidelity.tolerance_of(origin, tolerance)
    return Fidelity(kind, compared, allowed, facts, seen.faults)
