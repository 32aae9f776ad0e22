"""The private tables of the run's database: columns, order of rows, and values made safe."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.text import storable

Batch = Mapping[str, Any]
"""Column -> a list of values, or one value that holds for all rows; at least one is a list."""

_DDL = {"s": "VARCHAR", "i": "BIGINT", "f": "DOUBLE", "b": "BOOLEAN", "l": "VARCHAR[]", "j": "JSON"}


@dataclass(frozen=True, slots=True)
class Layout:
    """A table: its columns with their kinds, and the order of its rows."""

    columns: Mapping[str, str]
    order: str

    def ddl(self, name: str) -> str:
        columns = ", ".join(f"{column} {_DDL[kind]}" for column, kind in self.columns.items())
        return f"CREATE TABLE raw.{name} ({columns})"

    def view(self, name: str) -> str:
        return f"CREATE VIEW main.{name} AS SELECT {', '.join(self.columns)} FROM raw.{name}"

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.schema([(column, _arrow(kind)) for column, kind in self.columns.items()])

    def batch(self, rows: Batch) -> Any:
        """An Arrow batch, cleaned of what DuckDB cannot hold."""
        import pyarrow as pa

        length = next(len(values) for values in rows.values() if isinstance(values, list))
        columns = [_column(rows[column], kind, length) for column, kind in self.columns.items()]
        return pa.record_batch(columns, schema=self.arrow())


def _layout(order: str, columns: str) -> Layout:
    return Layout(dict(column.split(":") for column in columns.split()), order)


TABLES: Mapping[str, Layout] = {
    "runs": _layout("run", "run:s primary_score:s kept_round:i config:j facts:j"),
    "arms": _layout("arm", "arm:s changes:j"),
    "rounds": _layout(
        "arm, round",
        "arm:s round:i train_rows:i score:f score_low:f score_high:f label:s against:s "
        "difference:f low:f high:f level:f detectable:f kept:b added:i sentence:s",
    ),
    "scores": _layout(
        "arm, round, split, name",
        "arm:s round:i split:s name:s value:f low:f high:f n:i unscored:i "
        "higher_is_better:b signature:s",
    ),
    "examples": _layout(
        "split, id",
        "id:s split:s group_id:s prompt:s reference:s all_references:l features:j meta:j "
        "messages:j place:s",
    ),
    "added": _layout(
        "arm, round, position",
        "arm:s round:i position:i id:s made_by:s slice:s parent:s prompt:s reference:s",
    ),
    "predictions": _layout(
        "arm, round, split, id, sample_index",
        "arm:s round:i split:s id:s sample_index:i text:s finish_reason:s prompt_tokens:i "
        "completion_tokens:i reply_words:i",
    ),
    "example_scores": _layout(
        "arm, round, split, id, name",
        "arm:s round:i split:s id:s name:s value:f entry:s error:s",
    ),
    "rescores": _layout(
        "arm, round, split, name, signature",
        "arm:s round:i split:s name:s value:f low:f high:f n:i unscored:i "
        "higher_is_better:b signature:s",
    ),
    "example_rescores": _layout(
        "arm, round, split, id, name, signature",
        "arm:s round:i split:s id:s name:s value:f entry:s error:s signature:s",
    ),
    "outcomes": _layout(
        "arm, round, split, id", "arm:s round:i split:s id:s value:f is_right:b"
    ),
    "diagnoses": _layout(
        "arm, round, id, cause",
        "arm:s round:i id:s cause:s evidence:s remedy:s train_rows:l",
    ),
    "guards": _layout(
        "arm, round, name",
        "arm:s round:i name:s label:s against:s difference:f low:f high:f n:i sentence:s",
    ),
    "slice_members": _layout("arm, round, slice, id", "arm:s round:i slice:s id:s"),
    "errors": _layout(
        "arm, round, split, id, category, evidence",
        "arm:s round:i split:s id:s category:s cause:s evidence:s found_by:s",
    ),
    "slices": _layout(
        "arm, round, gap DESC NULLS LAST, slice",
        "arm:s round:i slice:s n:i groups:i score:f gap:f low:f high:f q:f from_prompt:b "
        "holds:b half:i shrunken:f weight:f where_sql:s",
    ),
    "plans": _layout(
        "arm, round, position",
        "arm:s round:i position:i strategy:s slice:s n:i gap:f low:f high:f rows:i remedy:s "
        "reason:s",
    ),
    "filters": _layout("arm, round, reason", "arm:s round:i reason:s rows:i"),
    "training": _layout(
        "arm, round, step", "arm:s round:i step:i epoch:f loss:f eval_loss:f"
    ),
}  # fmt: skip


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _dump(value: Any) -> str:
    """JSON text that DuckDB reads: no NaN, no NUL, no lone surrogate."""
    try:
        text = _JSON.encode(value)
        if "\\u0000" not in text and storable(text) == text:
            return text
    except (ValueError, TypeError):
        pass
    return _JSON.encode(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float)) else storable(str(value))


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    return {
        "s": pa.large_string(),
        "j": pa.large_string(),
        "i": pa.int64(),
        "f": pa.float64(),
        "b": pa.bool_(),
        "l": pa.list_(pa.large_string()),
    }[kind]


def _column(values: Any, kind: str, length: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(values, list):
        single = _column([values], kind, 1)
        return pa.repeat(single[0], length)
    if kind == "f":
        numbers = pa.array(values, pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, None)
    if kind in "ib":
        return pa.array(values, _arrow(kind))
    if kind == "j":
        return pa.array([_dump(value) for value in values], pa.large_string())
    if kind == "l":
        return pa.array([[storable(text) for text in texts] for texts in values], _arrow(kind))
    try:
        texts = pa.array(values, pa.large_string())
        if not pc.any(pc.match_substring(texts, "\0")).as_py():
            return texts
    except UnicodeEncodeError:
        pass
    cleaned = [None if text is None else storable(text) for text in values]
    return pa.array(cleaned, pa.large_string())
