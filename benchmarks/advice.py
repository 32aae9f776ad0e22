"""Is the first advice of `harness advise` right? Six runs of which that is known beforehand.

    python benchmarks/advice.py [--only NAME]... [--show]

Each situation is built so that one lever is the right one: too few rows, too low a learning rate,
half a model, a task that needs no training, a fifth of the labels wrong, nothing left to gain. Its
rows, settings, seed, the levers that are right and a check were written down here before any of
them was run. The check asks whether the situation is what it is meant to be, by another training
or by the run's own scores, and never by the advice.

*nothing left* was the first to run, and its check was not met: 0.37 after four epochs, and 0.99 in
its arm of twice the rate. So it was done once more with that rate, as *nothing left, again*, and
three that had not been run got longer trainings: *rate too low* also one code in place of two and
2e-3 for the right rate, *too few rows* 24 rows and 8 epochs in place of 32 and 5, *wrong labels*
3 epochs in place of 2. Nothing else was changed after the first run.

The runs go one after the other, each in an empty folder; the model comes from the cache. What
`harness advise --json` says is read before the check is carried out. A line per situation is
appended to a file of JSON lines, and what stands there with the same settings is not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import advice_rows as rows
from loop import machine, measure

from harness_transformers.pypi import folder_of

RECORD = Path(__file__).resolve().parent / "recorded" / "advice.jsonl"
SEED = 11
WORTH = 0.05
CLEARLY = 0.10
"""What a check asks for where it says *clearly*: twice the gain that would matter."""
SMOL = {"source": "pypi", "name": "smollm2-135m-instruct"}
LORA: Mapping[str, Any] = {"plugin": "lora", "r": 16, "alpha": 32, "batch_size": 8}
HIGHER = {"name": "higher rate", "set": {"train.learning_rate": 2e-3}}
LOWER = {"name": "lower rate", "set": {"train.learning_rate": 3e-4}}

Config = dict[str, Any]
Record = Mapping[str, Any]


def longer(epochs: int) -> Config:
    return {"name": "more epochs", "set": {"train.epochs": epochs}}


def questions(train: int) -> Config:
    """The shipped source of real code, four kinds of questions, as many of each."""
    kinds = ["parameters", "calls", "raises", "defaults"]
    sizes = {"train": train, "pool": 0, "dev": 100, "test": 20}
    return {"source": "python-questions", "packages": ["stdlib"], "kinds": kinds, "sizes": sizes}


@dataclass(frozen=True)
class Situation:
    """One run.

    Attributes:
        right: the levers of which the first advice has to be one.
        data: the entry of the config, or the rows that it reads.
        train: the trainer's options beside those that all have.
        levers: `arms` and `models` of the config.
        answer: longest answer in tokens.
        check: what is asked of the scores, in words.
        met: that, of the checks' figures.
        instead: what another run has in place of this one's, if the check needs one.
    """

    name: str
    right: tuple[str, ...]
    data: Config | list[rows.Row]
    train: Config
    levers: Config
    answer: int
    check: str
    met: Callable[[Mapping[str, float]], bool]
    instead: Config = field(default_factory=dict)
    primary: str = "exact"
    model: Config = field(default_factory=lambda: dict(SMOL))


def gains(figures: Mapping[str, float]) -> bool:
    return figures["check"] - figures["round 1"] >= CLEARLY


SITUATIONS = (
    Situation(
        "too few rows", ("rows",), questions(24), {"epochs": 8, "learning_rate": 1e-3},
        {"arms": [HIGHER, LOWER]}, 24,
        "four times the rows, all else the same: at least 0.10 more", gains,
        {"data": questions(96)}, primary="json",
    ),
    Situation(
        "rate too low", ("settings",),
        rows.orders(SEED, {"train": 120, "dev": 120}, codes=1),
        {"epochs": 4, "learning_rate": 1e-5},
        {"arms": [
            {"name": "10 times the rate", "set": {"train.learning_rate": 1e-4}},
            {"name": "200 times the rate", "set": {"train.learning_rate": 2e-3}},
        ]}, 6,
        "learning rate 2e-3, all else the same: at least 0.10 more", gains,
        {"train": {**LORA, "epochs": 4, "learning_rate": 2e-3}},
    ),
    Situation(
        "half a model", ("model",), rows.kinds(SEED, {"train": 100, "dev": 120}),
        {"epochs": 3, "learning_rate": 1e-3},
        {"arms": [HIGHER, LOWER], "models": [SMOL]}, 5,
        "the whole model, all else the same: at least 0.10 more", gains, {"model": SMOL},
        model={"source": "local", "path": "half"},
    ),
    Situation(
        "a prompt suffices", ("prompt",), rows.capitals(SEED, {"train": 40, "dev": 100}),
        {"epochs": 3, "learning_rate": 3e-4},
        {"arms": [{"name": "higher rate", "set": {"train.learning_rate": 1e-3}}, longer(6)]}, 20,
        "round 1 is at most 0.05 better than the better prompt",
        lambda figures: figures["round 1"] - figures["prompt"] <= WORTH,
    ),
    Situation(
        "wrong labels", ("labels",), rows.tickets(SEED, {"train": 160, "dev": 120}, wrong=0.2),
        {"epochs": 3, "learning_rate": 1e-3}, {"arms": [HIGHER, LOWER]}, 5,
        "the same texts with the right labels, in train and in dev: at least 0.10 more", gains,
        {"data": rows.tickets(SEED, {"train": 160, "dev": 120}, wrong=0.0)},
    ),
    Situation(
        "nothing left", ("stop",), rows.orders(SEED, {"train": 120, "dev": 150}, codes=1),
        {"epochs": 4, "learning_rate": 1e-3}, {"arms": [HIGHER, LOWER]}, 6,
        "round 1 scores at least 0.98", lambda figures: figures["round 1"] >= 0.98,
    ),
    Situation(
        "nothing left, again", ("stop",), rows.orders(SEED, {"train": 120, "dev": 150}, codes=1),
        {"epochs": 5, "learning_rate": 2e-3},
        {"arms": [{"name": "half the rate", "set": {"train.learning_rate": 1e-3}}]}, 6,
        "round 1 scores at least 0.98", lambda figures: figures["round 1"] >= 0.98,
    ),
)  # fmt: skip


# -- a run ----------------------------------------------------------------------------------


def carry_out(case: Situation) -> dict[str, Any]:
    """Run, advice, check; what is recorded of them.

    Raises:
        SystemExit: a command failed.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        halve(folder / "half")
        run = written(case, folder, "harness", {})
        done = measure(["iterate", "--no-test", "--json"], folder)
        summary = json.loads(done.out)
        advice = json.loads(measure(["advise", "--json"], folder).out)["options"]
        figures = scores(summary)
        if case.instead:
            written(case, folder, "check", case.instead)
            other = measure(["iterate", "-c", "check.yaml", "--no-test", "--json"], folder)
            figures["check"] = scores(json.loads(other.out))["round 1"]
    return {
        "situation": case.name,
        "settings": digest(case),
        "right": list(case.right),
        "first": _told(advice[0]) if advice else None,
        "hit": bool(advice) and advice[0]["lever"] in case.right,
        "order": [_told(option) for option in advice],
        "check": case.check,
        "figures": figures,
        "as meant": case.met(figures),
        "levers": [
            {key: arm.get(key) for key in ("name", "kind", "verdict")}
            for arm in summary.get("arms", [])
        ],
        "seconds": round(done.seconds, 1),
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "config": run,
        "machine": machine(),
    }


def written(case: Situation, folder: Path, name: str, instead: Config) -> Config:
    """Writes the config of the run, or of its check, and the rows that it reads."""
    data = instead.get("data", case.data)
    if isinstance(data, list):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in data), encoding="utf-8")
        data = {"source": "jsonl", "path": path.name}
    levers = {"worth": WORTH, "baselines": ["prompted", "few-shot"], "curve": True, **case.levers}
    config = {
        "rounds": 1, "seed": SEED, "data": data, "model": case.model,
        "train": {**LORA, **case.train},
        "generate": {"plugin": "transformers", "max_new_tokens": case.answer},
        "metrics": [{"plugin": case.primary}], "primary": case.primary,
        **({} if instead else levers),
        **{key: value for key, value in instead.items() if key != "data"},
    }  # fmt: skip
    (folder / f"{name}.yaml").write_text(json.dumps(config), encoding="utf-8")
    return config


def scores(summary: Record) -> dict[str, float]:
    """The primary score on dev of the base model, round 1 and the better prompt."""
    primary = summary["primary"]
    found = {f"round {one['round']}": one["scores"][primary]["value"] for one in summary["rounds"]}
    prompts = [one["scores"][primary]["value"] for one in summary.get("baselines", [])]
    return {**found, "prompt": max(prompts)} if prompts else found


def halve(folder: Path) -> None:
    """Writes the model with the first half of its layers."""
    from safetensors.torch import load_file, save_file

    whole = folder_of(SMOL["name"])
    if whole is None:
        raise SystemExit("the model is not cached: run `harness iterate` once")
    shutil.copytree(whole, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kept = config["num_hidden_layers"] // 2
    config["num_hidden_layers"] = kept
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    weights = {}
    for name, value in load_file(whole / "model.safetensors").items():
        parts = name.split(".")
        if "layers" not in parts or int(parts[parts.index("layers") + 1]) < kept:
            weights[name] = value
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def digest(case: Situation) -> str:
    """What tells a situation from another of its name."""
    parts = [case.right, case.data, case.train, case.levers, case.answer, case.check]
    parts += [case.instead, case.primary, case.model, SEED, WORTH]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _told(option: Record) -> dict[str, Any]:
    kept = ("lever", "state", "action", "gain", "low", "high", "hours")
    return {key: option[key] for key in kept}


# -- what is read off the record ------------------------------------------------------------


def show(records: Sequence[Record]) -> None:
    """A Markdown table, and how often the first advice was right."""
    print("\n| situation | right | first advice | then | check | as meant | seconds |")
    print("|" + "---|" * 7)
    for record in records:
        first, order = record["first"], record["order"]
        told = "none" if first is None else f"`{first['lever']}`, {first['state']}{_gain(first)}"
        rest = ", ".join(f"{one['lever']} ({one['state']})" for one in order[1:])
        figures = ", ".join(f"{name} {value:.2f}" for name, value in record["figures"].items())
        mark = "" if record["hit"] else "**not** "
        right = " or ".join(f"`{lever}`" for lever in record["right"])
        meant = "yes" if record["as meant"] else "**no**"
        print(f"| {record['situation']} | {right} | {mark}{told} | {rest} | {figures} | {meant} | "
              f"{record['seconds']:.0f} |")  # fmt: skip
    hits = sum(record["hit"] for record in records)
    print(f"\nfirst advice right: {hits} of {len(records)}")
    meant = [record["hit"] for record in records if record["as meant"]]
    print(f"of situations that are what they are meant to be: {sum(meant)} of {len(meant)}")


def _gain(option: Record) -> str:
    return "" if option["gain"] is None else f" {option['gain']:+.2f}"


def read(path: Path) -> list[Record]:
    """The recorded situations as they stand in this file now, in its order."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    known = {(line["situation"], line["settings"]): line for line in lines}
    keys = [(case.name, digest(case)) for case in SITUATIONS]
    return [known[key] for key in keys if key in known]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-r", "--record", type=Path, default=RECORD)
    parser.add_argument("--only", action="append", choices=[case.name for case in SITUATIONS])
    parser.add_argument("--show", action="store_true", help="only print the table of the record")
    given = parser.parse_args()
    known = {record["situation"] for record in read(given.record)}
    for case in () if given.show else SITUATIONS:
        if case.name in known or (given.only and case.name not in given.only):
            continue
        record = carry_out(case)
        given.record.parent.mkdir(parents=True, exist_ok=True)
        with given.record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        show([record])
    show(read(given.record))


if __name__ == "__main__":
    main()
