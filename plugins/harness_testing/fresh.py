"""A plugin rebuilt in a fresh process from its class and options, as worker processes do it.

This file is also the program of that process. It must import nothing heavy before the plugin's
module, for it tells what that module loads.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kit import gate

TIMEOUT = 120.0
HEAVY = frozenset(
    [
        "accelerate",
        "bert_score",
        "bitsandbytes",
        "datasets",
        "duckdb",
        "evaluate",
        "gguf",
        "jax",
        "keras",
        "matplotlib",
        "nltk",
        "numba",
        "numpy",
        "onnxruntime",
        "openai",
        "pandas",
        "peft",
        "polars",
        "pyarrow",
        "sacrebleu",
        "scipy",
        "sentence_transformers",
        "sklearn",
        "spacy",
        "tensorflow",
        "tokenizers",
        "torch",
        "transformers",
    ]
)


@dataclass(frozen=True, slots=True)
class Report:
    """What the other process found.

    Attributes:
        rebuilt: False where the class is not available there; ``problem`` says why.
        problem: what went wrong.
        heavy: large libraries that importing the plugin's module loaded.
        import_seconds: how long that import took.
        printed: what it wrote to standard output or error.
        statistics: per pair, the statistics as exact hexadecimal texts; None = not scored.
        signature, names: of the rebuilt metric.
    """

    rebuilt: bool = False
    problem: str = ""
    heavy: tuple[str, ...] = ()
    import_seconds: float = 0.0
    printed: str = ""
    statistics: tuple[tuple[str, ...] | None, ...] = ()
    signature: str = ""
    names: tuple[str, ...] = ()


def exact(statistics: Sequence[float] | None) -> tuple[str, ...] | None:
    """Numbers as texts that keep every bit."""
    return None if statistics is None else tuple(float(number).hex() for number in statistics)


def ask(plugin: type[Any], options: Any, pairs: Sequence[tuple[Any, Any]]) -> Report:
    """Rebuild the plugin elsewhere and measure ``pairs`` with it."""
    from harness.records import to_json

    if "<locals>" in plugin.__qualname__:
        return Report(problem="its class is defined inside a function")
    module = sys.modules.get(plugin.__module__)
    job = {
        "path": sys.path,
        "module": plugin.__module__,
        "file": getattr(module, "__file__", None),
        "class": plugin.__qualname__,
        "options": options.model_dump(mode="json"),
        "pairs": [[to_json(prediction), to_json(example)] for prediction, example in pairs],
    }
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        try:
            done = gate.run_ours(
                Path(__file__), str(answer), input=json.dumps(job).encode(), capture_output=True,
                timeout=TIMEOUT, env={**os.environ, "PYTHONHASHSEED": _other_seed()}, check=False,
            )  # fmt: skip
        except gate.TimeoutExpired:
            return Report(problem=f"it did not end within {TIMEOUT:.0f} s")
        printed = (done.stdout + done.stderr).decode(errors="replace")
        if not answer.exists():
            return Report(problem=f"the process died with code {done.returncode}", printed=printed)
        values = json.loads(answer.read_bytes())
    return _report(values, printed)


def _other_seed() -> str:
    return "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"


def _report(values: dict[str, Any], printed: str) -> Report:
    rows = values.get("statistics", [])
    return Report(
        rebuilt=values.get("rebuilt", False),
        problem=values.get("problem", ""),
        heavy=tuple(values.get("heavy", ())),
        import_seconds=values.get("import_seconds", 0.0),
        printed=printed,
        statistics=tuple(None if row is None else tuple(row) for row in rows),
        signature=values.get("signature", ""),
        names=tuple(values.get("names", ())),
    )


def _load(name: str, file: str | None) -> Any:
    """The module of that name if it is that file, else the file itself under that name."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and name != "__main__" and (file is None or spec.origin == file):
        return importlib.import_module(name)
    if file is None:
        raise ImportError(f"no module is called {name}")
    return gate.import_file("plugin_under_test", Path(file), by="harness_testing")


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    import time

    import harness  # noqa: F401 - its cost is not the plugin's

    before, start = set(sys.modules), time.perf_counter()
    holder: Any = _load(job["module"], job["file"])
    seconds = time.perf_counter() - start
    heavy = sorted({name.split(".")[0] for name in set(sys.modules) - before} & HEAVY)
    for name in job["class"].split("."):  # a class may stand within another one
        holder = getattr(holder, name)
    plugin = holder(holder.Options.model_validate(job["options"]))
    answer = {"rebuilt": True, "heavy": heavy, "import_seconds": seconds}
    if plugin.stage == "metric":
        answer |= _measured(plugin, job["pairs"])
    return answer


def _measured(metric: Any, pairs: Sequence[Any]) -> dict[str, Any]:
    from harness.records import Example, Prediction, from_json
    from harness.scoring import MetricEntry, measure

    records = [(from_json(Prediction, p), from_json(Example, e)) for p, e in pairs]
    rows = measure(MetricEntry(metric.name, metric), records)
    return {
        "statistics": [exact(row.statistics) for row in rows],
        "signature": metric.signature(),
        "names": list(metric.score_names()),
    }


def _main() -> None:
    job = json.loads(sys.stdin.buffer.read())
    sys.path[:] = job["path"]
    try:
        answer = _answer(job)
    except Exception as error:
        answer = {"problem": f"{type(error).__name__}: {error}"}
    Path(sys.argv[1]).write_text(json.dumps(answer), encoding="ascii")


if __name__ == "__main__":
    _main()
