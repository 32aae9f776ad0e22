"""Is the first advice of `harness advise` right? Six runs of which that is known beforehand.

    python benchmarks/advice.py [--only NAME]... [--show]

Each situation is built so that one lever is the right one: too few rows, too low a learning rate,
half a model, a task that needs no training, a fifth of the labels wrong, nothing left to gain. Its
rows, settings, seed, the levers that are right and a check were written down before any was run
(``advice_situations.py``). The check asks whether the situation is what it is meant to be, by
another training or by the run's own scores, and never by the advice.

The runs go one after the other, each in an empty folder; the model comes from the cache. What
`harness advise --json` says is read before the check is carried out. A line per situation is
appended to a file of JSON lines, and what stands there with the same settings is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advice_situations import LORA, SEED, SITUATIONS, SMOL, WORTH, Config, Situation, digest
from loop import machine, measure

from harness_transformers.pypi import folder_of

RECORD = Path(__file__).resolve().parent / "recorded" / "advice.jsonl"
Record = Mapping[str, Any]


# -- a run ----------------------------------------------------------------------------------


def carry_out(case: Situation) -> dict[str, Any]:
    """Run, advice, check; what is recorded of them.

    Raises:
        SystemExit: a command failed.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if case.model["source"] == "local":
            halve(folder / case.model["path"])
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
