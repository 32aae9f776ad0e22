"""What holds for every architecture, whatever kind of chat template it has."""

from __future__ import annotations

from harness_transformers import encoding, loading
from harness_transformers.lora import LoraTrainer


def learned(tokenizer, encoded):
    return tokenizer.decode([label for label in encoded.labels if label != encoding.IGNORED])


def test_the_answer_and_the_end_of_the_turn_are_learned(architecture, row):
    tokenizer = loading.tokenizer_of(architecture.base)
    example = row(3, "find the red")
    encoded = encoding.encode(tokenizer, example, 512, all_turns=False)
    wanted = f"{architecture.made.lead}find the red{architecture.made.end}"
    assert learned(tokenizer, encoded) == wanted
    prompt = encoding.prompt_ids(tokenizer, example)
    assert encoded.input_ids[: len(prompt)] == prompt


def test_it_trains_two_steps(architecture, row, context):
    options = {"r": 2, "epochs": 1, "batch_size": 2, "target_modules": architecture.made.targets}
    made = LoraTrainer(LoraTrainer.Options(precision="fp32", **options)).train(
        architecture.base, [row(number) for number in range(4)], (), context
    )
    steps = (context.output / "log.jsonl").read_text().splitlines()
    assert len(steps) == 2
    assert made.kind == "adapter"
