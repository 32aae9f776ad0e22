"""The call that gets a checkpoint's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.splits import rows_digest
from harness.engine.at import At
from harness.engine.pins import GENERATE
from harness.engine.steps.base import StageCaller
from harness.kit.files import read_jsonl
from harness.records import Checkpoint, Example, Prediction, from_json


class Generating:
    """Answers of checkpoints."""

    def __init__(self, caller: StageCaller) -> None:
        self.caller = caller

    def generate(
        self,
        checkpoint: Checkpoint,
        rows: Sequence[Example],
        at: At,
        *,
        pinned: str | None = None,
    ) -> tuple[tuple[Prediction, ...], str]:
        """A checkpoint's answers to rows, whose references it never sees, and their digest.

        Args:
            pinned: digest of the answers that a closed round was given.
        """
        run, entry = self.caller.run, self.caller.config.generate
        stage = at.on_split(GENERATE)
        seed = self.caller.seed(stage, at.round)
        # References stay behind: a generator must not be able to look at them.
        prompts = [row.as_asked() for row in rows]
        made_with = run.made_with(entry)
        inputs = {
            "checkpoint": checkpoint.digest,
            "prompts": rows_digest(prompts),
            "environment": made_with["environment"],
        }

        def make(folder: Path) -> Mapping[str, Any]:
            examples = {"examples": prompts}
            result = run.job(
                folder, stage, entry, at, checkpoint=checkpoint, rows=examples, seed=seed
            )
            return {**result["facts"], "made_with": made_with}

        made = run.stage(stage, entry, inputs, make, at, seed=seed, pinned=pinned)
        self.caller.note_remarks(made.facts)
        self.caller.made_with[made.digest] = made.facts.get("made_with")
        lines = read_jsonl(made.path / "predictions.jsonl")
        return tuple(from_json(Prediction, line) for line in lines), made.digest
