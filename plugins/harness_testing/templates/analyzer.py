"""The analyzer ``sample``."""

from __future__ import annotations

import harness
from harness import Condition, Context, Evidence, Findings, Slice


class Sample(harness.Analyzer):
    """Rows with a long prompt. What it finds holds aggregates, never a text."""

    name = "sample"

    class Options(harness.Options):
        words: int = 40

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        values: dict[bool, list[float]] = {True: [], False: []}
        for row in evidence.scored:
            value = row.values[evidence.score]
            if value is not None:  # not scored is not zero
                long = len(row.example.prompt.split()) > self.options.words
                values[long].append(value)
        if not (values[True] and values[False]):
            return Findings(notes=("no prompt is long, or all are",))
        score, rest = (sum(part) / len(part) for part in (values[True], values[False]))
        gap = (rest - score) * (1 if evidence.higher_is_better else -1)
        place = (Condition("prompt_words", ">", self.options.words),)
        count = len(values[True])
        return Findings((Slice(place, count, count, score, gap, None, None),))


@harness.hookimpl
def register_analyzers() -> list[type[harness.Analyzer]]:
    return [Sample]
