"""What a task's score costs in general instructions: learning rate, epochs, rank, general rows.

    python benchmarks/frontier.py [--points NAME ...] [--seeds 201 ...] [--folder DIR] [--jobs 2]
    python benchmarks/frontier.py --open --points NAME
    python benchmarks/frontier.py --show

Each run is the default experiment (two rounds, test sealed, no baselines) with the settings of one
point and ``seed`` and ``data.draw`` set to the seed; the runs of a seed share a folder, so that the
base model answers once. The seeds are none on which anything else is published. ``--open`` runs a
point that was chosen once more with the 80 instructions of ``new_instructions.py`` in place of the
40 of the probe ``general``: its trainings come from the folder's store. What a run gave is a line
of ``recorded/frontier.jsonl``; a run that stands there is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loop import HARNESS
from story import CONFIG, ROOT, share

RECORD = ROOT / "benchmarks" / "recorded" / "frontier.jsonl"
NEW = ROOT / "benchmarks" / "new_instructions.py"
SEEDS = tuple(range(201, 211))
PROBES = {
    "general": ["probes=[{plugin: general, texts: 50}]"],
    "new": [
        "probes=[{plugin: general, texts: 0, instructions: 0}, {plugin: new-instructions}]",
        f"plugins=[{NEW}]",
    ],
}
"""Which instructions are asked -> settings."""
POINTS: Mapping[str, Mapping[str, float]] = {
    f"lr {rate:g}, {epochs} epochs, r {rank}, replay {part:g}": {
        "train.learning_rate": rate,
        "train.epochs": epochs,
        "train.r": rank,
        "train.alpha": 2 * rank,
        "replay": part,
    }
    for rate in (1e-3, 7e-4, 5e-4, 3e-4)
    for epochs in (2, 3, 4)
    for rank in (8, 16, 32)
    for part in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
}

CHOSEN_FROM = (
    "lr 0.001, 2 epochs, r 16, replay 0",
    "lr 0.001, 2 epochs, r 16, replay 0.1",
    "lr 0.001, 2 epochs, r 16, replay 0.2",
    "lr 0.001, 2 epochs, r 16, replay 0.3",
    "lr 0.0005, 3 epochs, r 16, replay 0.2",
    "lr 0.0005, 3 epochs, r 8, replay 0.2",
)
"""The points of the plain command."""
Record = Mapping[str, Any]


def carry_out(point: str, seed: int, asked: str, folder: Path) -> dict[str, Any]:
    """One run; what is recorded of it.

    Raises:
        SystemExit: the run failed.
    """
    settings = {"seed": seed, "data.draw": seed, **POINTS[point]}
    sets = [f"{key}={value}" for key, value in settings.items()]
    sets += ["baselines=[]", *PROBES[asked]]
    flags = [word for text in sets for word in ("--set", text)]
    place = folder / f"seed-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    words = [*HARNESS, "iterate", "-c", str(CONFIG), "--no-test", "--json", *flags]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{point}, seed {seed}: {done.stderr[-2000:]}")
    summary = json.loads(done.stdout)
    last = summary["rounds"][-1]["forgetting"]
    trained = summary["rounds"][1:]
    return {
        "point": point,
        "seed": seed,
        "asked": asked,
        "rounds": [entry["scores"][summary["primary"]]["value"] for entry in trained],
        "labels": [entry["verdict"]["label"] for entry in trained],
        "rare": share([[item["slice"] or "", item["rows"]] for item in trained[0]["plan"]]),
        "right": [last["instructions"]["right_before"], last["instructions"]["right_after"]],
        "loss": last["difference"],
        "rows": trained[-1]["train_rows"],
    }


def read(path: Path = RECORD) -> list[Record]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(records: Sequence[Record]) -> str:
    """In Markdown, a line a point: means over seeds, and how often the labels are as asked."""
    heads = ["asked", "point", "seeds", "round 1", "round 2", "improved twice",
             "half for the rare", "right before", "after", "share kept"]  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record["asked"], record["point"]), []).append(record)
    for asked, point in sorted(groups, key=lambda key: (key[0], _kept(groups[key]))):
        runs = groups[asked, point]
        first, second = (statistics.mean(run["rounds"][at] for run in runs) for at in (0, 1))
        twice = sum(run["labels"] == ["improved", "improved"] for run in runs)
        half = sum((run["rare"] or 0) >= 0.5 for run in runs)
        before, after = (statistics.mean(run["right"][at] for run in runs) for at in (0, 1))
        cells = [
            asked, point, len(runs), f"{first:.3f}", f"{second:.3f}", f"{twice} of {len(runs)}",
            f"{half} of {len(runs)}", f"{before:.1f}", f"{after:.1f}", f"{_kept(runs):.2f}",
        ]  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _kept(runs: Sequence[Record]) -> float:
    """Mean of (right after) / (right before)."""
    return statistics.mean(run["right"][1] / run["right"][0] for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", nargs="+", choices=sorted(POINTS), default=CHOSEN_FROM,
                        metavar="NAME")  # fmt: skip
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--folder", type=Path, default=Path("frontier"))
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, of one thread each")
    parser.add_argument("--open", action="store_true", help="ask the new instructions")
    parser.add_argument("--show", action="store_true", help="only print the table of the record")
    given = parser.parse_args()
    asked = "new" if given.open else "general"
    known = {(run["point"], run["seed"], run["asked"]) for run in read()}
    os.environ.setdefault("OMP_NUM_THREADS", "1" if given.jobs > 1 else "2")

    def seeds(seed: int) -> None:
        for point in given.points:
            if (point, seed, asked) not in known:
                record = carry_out(point, seed, asked, given.folder.resolve())
                with RECORD.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")

    if not given.show:
        with ThreadPoolExecutor(given.jobs) as pool:  # runs of one seed share a folder: in turn
            list(pool.map(seeds, given.seeds))
    print(table(read()))


if __name__ == "__main__":
    main()
