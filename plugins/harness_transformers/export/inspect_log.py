"""A round's answers to dev and their scores, as a log that Inspect reads.

The fields are those of ``inspect_ai.log.EvalLog`` (0.3.285), of which the rest have defaults;
``benchmarks/interop.py`` reads such a log with the real program. Inspect itself is not needed.
"""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import harness
from harness import Example, Message, Prediction, Score, StoredRound
from harness.kit.files import write_bytes, write_json

STOPPED = {"stop": "stop", "length": "max_tokens", "context": "model_length"}
"""Why an answer ended, in our words -> in Inspect's; anything else is ``unknown``."""


def write(path: Path, log: Mapping[str, Any]) -> None:
    """Write a log whole or not at all: one JSON document where the name ends so, else a zip.

    Inspect lists a ``.eval`` under any name, and of ``.json`` only names like its own.
    """
    if path.suffix == ".json":
        write_json(path, log)
        return
    header = {key: value for key, value in log.items() if key != "samples"}
    start = {key: log[key] for key in ("version", "eval", "plan")}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, value: Any) -> None:
            archive.writestr(name, json.dumps(value, allow_nan=False))

        add("_journal/start.json", start)
        for sample in log["samples"]:
            name = str(sample["id"]).replace("/", "%2F").replace("\\", "%5C")
            add(f"samples/{name}_epoch_1.json", sample)
        wanted = ("id", "epoch", "input", "target", "metadata", "scores")
        summaries = [{key: sample[key] for key in wanted} for sample in log["samples"]]
        add("summaries.json", [{**summary, "completed": True} for summary in summaries])
        add("header.json", header)
    write_bytes(path, packed.getvalue())


def document(stored: StoredRound) -> dict[str, Any]:
    """The log of a closed round. Only what was scored has a score; it is the metric's own value."""
    card, name = stored.card, f"{stored.run}, round {stored.result.round}"
    model, now = _model(stored.config), datetime.datetime.now(datetime.UTC).isoformat()
    values = card.values
    samples = [
        _sample(example, prediction, values[example.id], model)
        for example, prediction in zip(card.examples, card.predictions, strict=True)
    ]
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "created": now,
            "task": name,
            "task_version": 0,
            "dataset": {
                "name": "dev",
                "samples": len(samples),
                "sample_ids": [sample["id"] for sample in samples],
                "shuffled": False,
            },
            "model": model,
            "config": {"epochs": 1},
            "packages": {"harness": harness.__version__},
            "metadata": {"run": stored.run, "round": stored.result.round, "split": "dev"},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {
            "total_samples": len(samples),
            "completed_samples": len(samples),
            "scores": [_score(score) for score in stored.scores.values()],
        },
        "stats": {"started_at": now, "completed_at": now},
        "samples": samples,
    }


def _model(config: Mapping[str, Any]) -> str:
    """What the base model is called: Inspect writes the provider before the name."""
    model = config.get("model")
    settings = model if isinstance(model, Mapping) else {}
    name = settings.get("id") or settings.get("name") or Path(str(settings.get("path", ""))).name
    return f"harness/{name or 'model'}"


def _score(score: Score) -> dict[str, Any]:
    """A score of all of dev, under the metric's name ``value``: some are no mean of the rows'."""
    value = score.value
    metrics = {} if value is None else {"value": {"name": "value", "value": value}}
    facts = {"low": score.low, "high": score.high, "signature": score.signature}
    return {
        "name": score.name,
        "scorer": score.name,
        "scored_samples": score.n,
        "unscored_samples": score.unscored,
        "metrics": metrics,
        "metadata": {**facts, "higher_is_better": score.higher_is_better},
    }


def _sample(
    example: Example, prediction: Prediction, values: Mapping[str, float], model: str
) -> dict[str, Any]:
    asked = list(_messages(example.messages))
    answer = {"role": "assistant", "content": prediction.text, "model": model}
    counts = (prediction.prompt_tokens, prediction.completion_tokens)
    usage = {}
    if None not in counts:
        total = sum(filter(None, counts))
        usage = {"input_tokens": counts[0], "output_tokens": counts[1], "total_tokens": total}
    references = list(example.references)
    return {
        "id": example.id,
        "epoch": 1,
        "input": asked,
        "target": references[0] if len(references) == 1 else references,
        "messages": [*asked, answer],
        "output": {
            "model": model,
            "choices": [
                {
                    "message": answer,
                    "stop_reason": STOPPED.get(prediction.finish_reason, "unknown"),
                }
            ],
            "completion": prediction.text,
            **({"usage": usage} if usage else {}),
        },
        "scores": {
            name: {"value": value, "answer": prediction.text} for name, value in values.items()
        },
        "metadata": {**example.meta, **({"group": example.group} if example.group else {})},
    }


def _messages(messages: tuple[Message, ...]) -> Iterator[dict[str, Any]]:
    """Turns in Inspect's form: a call of a tool is flat there, and has an id."""
    for number, message in enumerate(messages):
        turn: dict[str, Any] = {"role": message["role"], "content": message.get("content") or ""}
        calls = [
            {
                "id": str(call.get("id") or f"call-{number}-{at}"),
                "function": call["function"]["name"],
                "arguments": arguments if isinstance(arguments, Mapping) else {"": arguments},
                "type": "function",
            }
            for at, call in enumerate(message.get("tool_calls", ()))
            for arguments in (call["function"].get("arguments", {}),)
        ]
        if calls:
            turn["tool_calls"] = calls
        if message.get("tool_call_id"):
            turn["tool_call_id"] = str(message["tool_call_id"])
        yield turn
