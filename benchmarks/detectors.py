"""Precision and recall of the detector ``basic`` on labelled answers of real models.

    python benchmarks/detectors.py [--half held-out|tuning] [--json FILE] [--wrong]

Reads ``datasets/detector-labels`` (its README says who labelled, and from what). Precision is the
share of a kind's detections that the labeller shares, recall the share of the labelled answers
that are detected, each with its 95 % Wilson interval (Wilson, *Probable inference, the law of
succession, and statistical inference*, 1927). The second table is about good answers: of the two
references of each dev row of ``datasets/support-billing``, each is held against the other, and
whatever is found is a false alarm. The third is about near copies of training rows, which the
labelled answers cannot show: planted ones. *wrong language* is shown with scripts alone and, where
``py3langid`` is installed, with that.

Prints Markdown. ``--wrong`` lists the disagreements instead (look at those of the tuning half
only, or the held-out half is none any more). Takes a few seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import Example, Prediction, ScoredExample
from harness_detectors.basic import CATEGORIES, Basic
from harness_detectors.memory import Memory
from harness_detectors.options import installed
from harness_detectors.reading import words

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
LABELS = DATASETS / "detector-labels" / "outputs.jsonl"
TRAIN = DATASETS / "support-billing" / "train.jsonl"
GOOD = DATASETS / "support-billing" / "dev.jsonl"
LANGUAGE = "wrong language"
UNLABELLED = ("near copy of a training row", "unfinished", "missing item")
COUNTED = ("empty", "cut off", "too short", "too long", "low overlap")
Z = 1.96


@dataclass(frozen=True)
class Row:
    """How one kind fares: answers that both, only the detector, only the labeller call so."""

    category: str
    right: int
    false_alarms: int
    missed: int

    @property
    def labelled(self) -> int:
        return self.right + self.missed

    @property
    def found(self) -> int:
        return self.right + self.false_alarms


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share; n > 0."""
    share, spread = hits / n, Z * Z / n
    middle = share + spread / 2
    half = Z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def answered(row: Mapping[str, Any], answer: str, references: Iterable[str], finish: str) -> Any:
    name = row["id"]
    example = Example(name, tuple(row["messages"]), tuple(references), "dev")
    return ScoredExample(example, Prediction(name, answer, finish), {})


def kinds(detector: Basic, scored: ScoredExample) -> dict[str, str]:
    return {label.category: label.evidence for label in detector.detect(scored)}


def pairs(detector: Basic, half: str) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Each labelled row of the half, and what the detector finds."""
    for row in lines(LABELS):
        if row["half"] == half:
            scored = answered(row, row["answer"], row["references"], row["finish_reason"])
            yield row, kinds(detector, scored)


def compare(detector: Basic, half: str) -> list[Row]:
    right, extra, missed = Counter[str](), Counter[str](), Counter[str]()
    for row, found in pairs(detector, half):
        labels = set(row["labels"])
        right.update(labels & found.keys())
        extra.update(found.keys() - labels)
        missed.update(labels - found.keys())
    names = [name for name in detector.categories() if name not in UNLABELLED]
    return [Row(name, right[name], extra[name], missed[name]) for name in names]


def good_answers(detector: Basic) -> tuple[int, Counter[str]]:
    """Good answers, and how many of them are called each kind."""
    found: Counter[str] = Counter()
    n = 0
    for row in lines(GOOD):
        for answer, reference in (row["references"][:2], row["references"][1::-1]):
            found.update(list(kinds(detector, answered(row, answer, [reference], "stop"))))
            n += 1
    return n, found


def share(hits: int, n: int) -> str:
    if not n:
        return "–"
    low, high = wilson(hits, n)
    return f"{hits / n:.2f} [{low:.2f}, {high:.2f}]"


def table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| kind | labelled | found | precision | recall |"
    yield "|---|---:|---:|---|---|"
    for row in rows:
        name = f"{row.category} (counted)" if row.category in COUNTED else row.category
        precision, recall = share(row.right, row.found), share(row.right, row.labelled)
        yield f"| {name} | {row.labelled} | {row.found} | {precision} | {recall} |"


def alarm_table(good: int, alarms: Counter[str]) -> Iterator[str]:
    yield f"\n{good} good answers, each against one other good answer\n"
    yield "| kind | called so |\n|---|---|"
    for name, hits in alarms.most_common():
        yield f"| {name} | {hits} ({share(hits, good)}) |"
    yield "| any other | 0 |"


def with_languages(rows: list[Row], half: str) -> list[Row]:
    """The same rows, with *wrong language* by scripts alone beside it."""
    others = [name for name in CATEGORIES if name != LANGUAGE]
    plain = compare(
        Basic(Basic.Options.model_validate({"skip": others, "languages": "scripts"})), half
    )
    (scripts,) = [row for row in plain if row.category == LANGUAGE]
    beside: list[Row] = []
    for row in rows:
        if row.category == LANGUAGE:
            row = Row(f"{LANGUAGE} (py3langid)", row.right, row.false_alarms, row.missed)
            beside += [Row(f"{LANGUAGE} (scripts)", *list(asdict(scripts).values())[1:]), row]
        else:
            beside.append(row)
    return beside


def disagreements(detector: Basic, half: str) -> Iterator[str]:
    for row, found in pairs(detector, half):
        for name in sorted(found.keys() ^ set(row["labels"])):
            word = "false alarm" if name in found else "missed"
            yield f"{row['id']} {word}: {name}: {found.get(name, '')!r} in {row['answer'][:160]!r}"


def planted_copies() -> Iterator[tuple[str, int, int]]:
    """What was planted, copies called so, and how many were planted.

    The answers of support-billing's train rows, with some words replaced by one that stands
    nowhere; and the references of its dev rows, which nobody trained on.
    """
    rows = [Example(r["id"], (), tuple(r["references"]), "train") for r in lines(TRAIN)]
    memory = Memory(rows)
    rng = random.Random(7)
    for percent in (0, 5, 10, 15, 20):
        hits = 0
        for row in rows:
            learned = words(row.references[0])
            for place in rng.sample(range(len(learned)), len(learned) * percent // 100):
                learned[place] = "zzz"
            hits += bool(memory.near_copy(learned, []))
        yield f"{percent} % of the words of a training answer changed", hits, len(rows)
    new = [words(text) for row in lines(GOOD) for text in row["references"]]
    yield "answers that were not learned", sum(bool(memory.near_copy(w, [])) for w in new), len(new)


def main() -> None:
    parser = argparse.ArgumentParser(description="Precision and recall of the detector basic.")
    parser.add_argument("--half", choices=("held-out", "tuning"), default="held-out")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--wrong", action="store_true", help="list the disagreements")
    given = parser.parse_args()
    detector = Basic(Basic.Options(languages="py3langid" if installed() else "scripts"))
    if given.wrong:
        print("\n".join(disagreements(detector, given.half)))
        return
    compare(detector, given.half)  # warm: the language model is loaded once
    start = time.perf_counter()
    rows = compare(detector, given.half)
    seconds = time.perf_counter() - start
    answers = sum(row["half"] == given.half for row in lines(LABELS))
    rows = with_languages(rows, given.half) if installed() else rows
    good, alarms = good_answers(detector)
    copies = list(planted_copies())
    print(f"{answers} answers of the {given.half} half\n")
    print("\n".join(table(rows)))
    print("\n".join(alarm_table(good, alarms)))
    print("\n| planted | called near copies |\n|---|---|")
    print("\n".join(f"| {name} | {hits} of {planted} |" for name, hits, planted in copies))
    print(f"\n{answers / seconds:.0f} answers a second")
    if given.json:
        document = {
            "half": given.half, "answers": answers, "rows": [asdict(row) for row in rows],
            "good": good, "alarms": dict(alarms), "copies": copies,
            "answers_per_second": answers / seconds,
        }  # fmt: skip
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
