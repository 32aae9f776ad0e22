"""``facts``: the share of an example's required facts that an answer states."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

import harness

if TYPE_CHECKING:
    from harness_facts.facts_file import FactsFile

Pairs = Sequence[tuple[harness.Prediction, harness.Example]]


class Facts(harness.Metric):
    """Share of an example's required facts that the answer states, 0 to 1.

    A file lists the facts: for single examples, for groups, for values of a meta field, or for
    all. A fact is stated if one of its accepted wordings stands in the answer, numbers by
    their value. An answer that states a forbidden fact scores 0; an example without facts is
    not scored.
    """

    name = "facts"

    class Options(harness.Options):
        file: Path = Field(description="the file of facts (YAML)")
        right_at: Annotated[float, Field(ge=0, le=1)] = Field(
            default=1.0, description="share of the facts from which an answer passes"
        )

    options: Options

    @functools.cached_property
    def _facts(self) -> FactsFile:
        from harness_facts.facts_file import read

        return read(self.options.file)

    def inputs(self) -> Sequence[Path]:
        """The file of facts.

        Raises:
            ConfigError: it cannot be read, or something in it is wrong.
        """
        _ = self._facts
        return (self.options.file,)

    def signature(self) -> str:
        """The file's name and the digest of its content."""
        from harness.kit.files import file_digest

        file = self.options.file
        return f"facts|file:{file.name}|sha256:{file_digest(file)[:12]}|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The share, or 0 where a forbidden fact is stated; None without facts.

        Where facts are only forbidden, an answer that states none of them scores 1.
        """
        from harness_facts.words import words

        facts = self._facts.of(example)
        if not facts:
            return None
        answer = words(prediction.text, self._facts.same)
        if any(fact.stated(answer) for fact in facts.forbidden):
            return 0.0
        stated = sum(fact.stated(answer) for fact in facts.required)
        return stated / len(facts.required) if facts.required else 1.0

    def remarks(self, pairs: Pairs) -> Sequence[str]:
        """How many examples have no facts, and how many answers state a forbidden one."""
        from harness_facts.words import words

        file = self.options.file.name
        listed = [(answer, facts) for answer, row in pairs if (facts := self._facts.of(row))]
        found = []
        if len(listed) < len(pairs):
            found.append(
                f"{file} lists no facts for {len(pairs) - len(listed)} of {len(pairs)} examples; "
                "they are not scored."
            )
        refused = sum(
            any(fact.stated(words(answer.text, self._facts.same)) for fact in facts.forbidden)
            for answer, facts in listed
            if facts.forbidden
        )
        if refused:
            found.append(
                f"{refused} of {len(listed)} answers state a forbidden fact and score 0 for it."
            )
        return found


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Facts]
