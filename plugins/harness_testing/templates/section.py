"""The section ``sample``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import harness


class Sample(harness.Section):
    """The longest answers to dev, in every report."""

    name = "sample"
    title = "The longest answers"

    def rows(
        self,
        document: harness.Analysis,
        database: Path,
    ) -> Sequence[Mapping[str, Any]]:
        answers = harness.query(
            database,
            "SELECT id, reply_words FROM predictions "
            "WHERE arm = 'main' AND split = 'dev' "
            "AND round = (SELECT kept_round FROM runs) "
            "ORDER BY reply_words DESC, id LIMIT 5",
        )
        return [{"example": name, "words": words} for name, words in answers.rows]


@harness.hookimpl
def register_sections() -> list[type[harness.Section]]:
    return [Sample]
