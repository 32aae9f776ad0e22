"""Rows of a run's dev as a task of lm-evaluation-harness: a folder with a YAML and JSON lines.

The keys are those of its 0.4.13, which ``benchmarks/interop.py`` runs on such a folder. The program
itself is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import DataError, Example, write_text
from harness.kit import yaml_file
from harness.kit.files import write_jsonl

ROWS, TASK = "dev.jsonl", "task.yaml"


def write(folder: Path, name: str, rows: Sequence[Example], config: Mapping[str, Any]) -> int:
    """Write the task, and give its number of rows: those without a reference are left out.

    Args:
        name: of the task.
        config: the run's; of it the limit of new tokens is taken.

    Raises:
        DataError: no row has a reference, or one is more than a system turn and a question.
    """
    documents = [_document(row) for row in rows if row.references]
    if not documents:
        raise DataError("no row of dev has a reference, by which a task could be scored")
    options = config.get("generate")
    longest = options.get("max_new_tokens") if isinstance(options, Mapping) else None
    task = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"validation": ROWS}},
        "validation_split": "validation",
        "output_type": "generate_until",
        # Names of columns: a text with braces would be taken for a template.
        "description": "system",
        "doc_to_text": "prompt",
        "doc_to_target": "references",
        # Without `until` an answer would end at a blank line.
        "generation_kwargs": {
            "until": [],
            "do_sample": False,
            **({"max_gen_toks": longest} if isinstance(longest, int) else {}),
        },
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 1},
    }
    write_jsonl(folder / ROWS, documents)
    write_text(folder / TASK, yaml_file.dump(task))
    return len(documents)


def _document(row: Example) -> dict[str, Any]:
    roles = [message["role"] for message in row.messages]
    if roles not in (["user"], ["system", "user"]) or row.tools:
        raise DataError(
            "a task of lm-evaluation-harness holds one question, and this row has "
            + ("tools" if row.tools else f"the turns {', '.join(roles)}"),
            where=row.place or row.id,
            hint="harness export --to inspect writes rows of several turns",
        )
    system = str(row.messages[0]["content"]) if len(roles) == 2 else ""
    prompt = str(row.messages[-1]["content"])
    return {"id": row.id, "system": system, "prompt": prompt, "references": list(row.references)}
