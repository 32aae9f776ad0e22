"""Sixty small trainings with planted conditions: which word each of them is given.

    python benchmarks/courses.py [--first 1] [--last 15] [--record FILE]

Each seed trains one model under each of four conditions: a learning rate about a hundred times
too high, too many epochs on few rows, too few steps, and right. All are trainings of the trainer
`lora`, with its own choice of what it measures and how often. The model is a Llama of two layers
with random weights; its task is to go on with a chain of words in which each has three successors
with probabilities .75, .20 and .05, so that no training can get below 0.62 nats a token. The seed
draws rows, weights and, within the ranges below, the settings. Seeds from 1000 on were used while
this was built; 1 to 15 are those that are reported.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import harness
from harness.verdicts.course import course
from harness_transformers.lora import LoraTrainer
from harness_transformers.quiet import quietly

EXPECTED = {
    "rate too high": "unstable",
    "too many epochs": "overfitting",
    "too few steps": "still learning",
    "right": "converged",
}
WORDS = [f"w{number}" for number in range(24)]
CHANCES = (0.75, 0.20, 0.05)
LENGTH = 10
VALID = 80
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ' ' + message['content'] + ' end ' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant ' }}{% endif %}"
)


def settings(condition: str, seed: int) -> tuple[int, dict[str, Any]]:
    """Rows of train, and options of the trainer."""
    draw = random.Random(f"{condition} {seed}")
    if condition == "rate too high":
        rate, epochs = draw.choice([0.5, 0.7, 1.0]), draw.choice([2, 3])
        return 800, {"learning_rate": rate, "epochs": epochs, "batch_size": 16}
    if condition == "too many epochs":
        rate, epochs = draw.choice([5e-3, 7e-3, 1e-2]), draw.choice([30, 35, 40])
        return draw.randint(16, 32), {"learning_rate": rate, "epochs": epochs, "batch_size": 8}
    if condition == "too few steps":
        rate, epochs = draw.choice([2e-3, 3e-3, 4e-3]), draw.choice([0.6, 0.8, 1.0])
        return 800, {"learning_rate": rate, "epochs": epochs, "batch_size": 16}
    rate, epochs = draw.choice([5e-3, 7e-3, 1e-2]), draw.choice([3, 4])
    return 800, {"learning_rate": rate, "epochs": epochs, "batch_size": 16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=15)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    records = []
    for seed in range(given.first, given.last + 1):
        for condition in EXPECTED:
            records.append(found := trained(condition, seed))
            right = "" if found["kind"] == EXPECTED[condition] else "  <-"
            print(f"{seed:5} {condition:16} {found['seconds']:5.1f} s  {found['sentence']}{right}")
    if given.record:
        given.record.write_text("".join(json.dumps(record) + "\n" for record in records))
    print(table(records))


def trained(condition: str, seed: int) -> dict[str, Any]:
    """One training, and what its log is called."""
    count, options = settings(condition, seed)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with quietly():
            save_base(folder / "base", seed)
        (folder / "out").mkdir()
        context = harness.Context(folder / "out", seed=seed)
        trainer = LoraTrainer(LoraTrainer.Options(precision="fp32", **options))
        base = harness.Checkpoint("base", str(folder / "base"), f"base {seed}", "chain")
        trainer.train(base, rows(seed, "train", count), rows(seed, "valid", VALID), context)
        lines = (folder / "out" / "log.jsonl").read_text().splitlines()
    found = course([json.loads(line) for line in lines])
    assert found is not None
    return {
        "seed": seed, "condition": condition, "rows": count, **options, "kind": found.kind,
        "since": found.since, "sentence": found.sentence,
        "seconds": round(time.perf_counter() - begin, 1),
    }  # fmt: skip


def rows(seed: int, split: str, count: int) -> list[harness.Example]:
    """Chains of words. Which follow which is the same for all seeds."""
    language, draw = random.Random("language"), random.Random(f"{seed} {split}")
    successors = {word: language.sample(WORDS, len(CHANCES)) for word in WORDS}
    made = []
    for number in range(count):
        chain = [draw.choice(WORDS)]
        for _ in range(LENGTH):
            chain += draw.choices(successors[chain[-1]], CHANCES)
        message = {"role": "user", "content": chain[0]}
        made.append(harness.Example(f"{split}-{number}", (message,), (" ".join(chain[1:]),)))
    return made


def save_base(folder: Path, seed: int) -> None:
    """A model of random weights, with a tokenizer whose tokens are the words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    names = ["unknown", "end", "system", "user", "assistant", *WORDS]
    made = Tokenizer(
        models.WordLevel({name: place for place, name in enumerate(names)}, unk_token="unknown")
    )
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="end", pad_token="end", unk_token="unknown"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(names), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=4, eos_token_id=1, pad_token_id=1,
        initializer_range=0.2, max_position_embeddings=128,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


def table(records: Sequence[dict[str, Any]]) -> str:
    """How often each condition was given each word."""
    words = [*EXPECTED.values(), None]
    lines = [f"{'':17}" + "".join(f"{word or 'cannot be told':>16}" for word in words)]
    for condition in EXPECTED:
        counts = Counter(one["kind"] for one in records if one["condition"] == condition)
        lines.append(f"{condition:17}" + "".join(f"{counts[word]:16}" for word in words))
    right = sum(one["kind"] == EXPECTED[one["condition"]] for one in records)
    return "\n".join([*lines, f"{right} of {len(records)} right"])


if __name__ == "__main__":
    main()
