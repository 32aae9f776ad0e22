"""The detector ``sample``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import harness
from harness import ErrorLabel, ScoredExample


class Sample(harness.Detector):
    """Answers that only repeat the prompt."""

    name = "sample"

    def categories(self) -> Mapping[str, str]:
        return {"parrot": "the answer is the prompt once more"}

    def detect(self, scored: ScoredExample) -> Iterator[ErrorLabel]:
        prompt, answer = scored.example.prompt.strip(), scored.prediction.text.strip()
        if answer and answer == prompt:
            yield ErrorLabel(scored.example.id, "parrot", answer[:80], self.name)


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [Sample]
