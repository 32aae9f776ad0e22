"""Which column is the prompt and which the answer, where their names do not say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness import DataError
from harness_rows.formats import Unrecognised
from harness_rows.initial.answers import words

DISTINCT = 0.5
"""Share of a column's values that differ, from which it holds texts of their own and no names."""
WORDS = 2
"""Words that such a text has on average."""
FEW = 0.2
"""Share below which a column's values are labels."""
_COLUMNS = re.compile(r"`columns: \{(.*?)\}`")


def guessed(columns: Sequence[str], head: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Role -> column, where two columns can be meant and no third; else None.

    Texts of their own are told from names and labels by how often they repeat. Of two such columns
    the first is taken for the prompt; beside a single one the only column of labels is the answer.

    Args:
        columns: in the order of the file.
        head: the first records.
    """
    values = {name: [record.get(name) for record in head] for name in columns}
    plain = {
        name: [one for one in found if one]
        for name, found in values.items()
        if all(one is None or isinstance(one, str) for one in found)
    }
    texts = [name for name, found in plain.items() if found and _are_texts(found)]
    if len(texts) == 2:
        return {"prompt": texts[0], "references": [texts[1]]}
    labels = [n for n, found in plain.items() if found and len(set(found)) <= FEW * len(found)]
    if len(texts) == 1 and len(labels) == 1:
        return {"prompt": texts[0], "references": labels}
    return None


def nested(columns: Sequence[str], head: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns that hold lists of objects: rows within a row."""
    return [
        name
        for name in columns
        if any(
            isinstance(found := record.get(name), list) and found and isinstance(found[0], dict)
            for record in head
        )
    ]


def in_flags(error: DataError) -> DataError:
    """The same error, with the options of a command where it names keys of a config."""
    if isinstance(error, Unrecognised) and (inner := nested(error.columns, error.head)):
        hint = "make a row of each of these objects, in JSONL or CSV, and begin with that file"
        what = f"each row holds many in its column '{inner[0]}'"
        return DataError(what, where=error.where, details=error.details, hint=hint)
    found = _COLUMNS.search(error.hint)
    if found is None:
        return error
    flags = [
        f"--column {shlex.quote(f'{role.strip()}={name.strip()}')}"
        for role, _, name in (part.partition(":") for part in found[1].split(","))
    ]
    lead = error.hint.partition("`")[0].replace("in the config, as ", "").rstrip(" ,:")
    return DataError(
        error.what, where=error.where, details=error.details, hint=f"{lead}: {' '.join(flags)}"
    )


def _are_texts(found: Sequence[str]) -> bool:
    return sum(map(words, found)) >= WORDS * len(found) and len(set(found)) >= DISTINCT * len(found)
