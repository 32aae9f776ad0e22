"""``facts``: what an answer must state, as a metric and as error categories."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

import harness
from harness import ErrorLabel, ScoredExample

if TYPE_CHECKING:
    from harness_facts.facts_file import FactsFile
    from harness_facts.wording import Fact

Pairs = Sequence[tuple[harness.Prediction, harness.Example]]


class FactsOptions(harness.Options):
    """Where the facts are listed."""

    file: Path = Field(description="the file of facts (YAML)")


class ByFacts:
    """A plugin whose options name a file of facts, which is read once."""

    options: Any

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

    def _found(self, answer: harness.Prediction, facts: Sequence[Fact]) -> list[Fact]:
        """Those of the facts that the answer states."""
        from harness_facts.words import words

        answered = words(answer.text, self._facts.same) if facts else ()
        return [fact for fact in facts if fact.stated(answered)]


class Facts(ByFacts, harness.Metric):
    """Share of an example's required facts that the answer states, 0 to 1.

    A file lists the facts: for single examples, for groups, for values of a meta field, or for
    all. A fact is stated if one of its accepted wordings stands in the answer, numbers by
    their value. An answer that states a forbidden fact scores 0; an example without facts is
    not scored.
    """

    name = "facts"

    class Options(FactsOptions):
        right_at: Annotated[float, Field(ge=0, le=1)] = Field(
            default=1.0, description="share of the facts from which an answer passes"
        )

    options: Options

    def signature(self) -> str:
        """The file's name and the digest of its content."""
        from harness.kit.files import file_digest

        file = self.options.file
        return f"facts|file:{file.name}|sha256:{file_digest(file)[:12]}|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The share, or 0 where a forbidden fact is stated; None without facts.

        Where facts are only forbidden, an answer that states none of them scores 1.
        """
        facts = self._facts.of(example)
        if not facts:
            return None
        if self._found(prediction, facts.forbidden):
            return 0.0
        stated = len(self._found(prediction, facts.required))
        return stated / len(facts.required) if facts.required else 1.0

    def remarks(self, pairs: Pairs) -> Sequence[str]:
        """How many examples have no facts, and how many answers state a forbidden one."""
        file = self.options.file.name
        listed = [(answer, facts) for answer, row in pairs if (facts := self._facts.of(row))]
        sentences = []
        if len(listed) < len(pairs):
            sentences.append(
                f"{file} lists no facts for {len(pairs) - len(listed)} of {len(pairs)} examples; "
                "they are not scored."
            )
        refused = sum(bool(self._found(answer, facts.forbidden)) for answer, facts in listed)
        if refused:
            sentences.append(
                f"{refused} of {len(listed)} answers state a forbidden fact and score 0 for it."
            )
        return sentences


class FactsDetector(ByFacts, harness.Detector):
    """Which required facts an answer does not state, and which forbidden ones it does."""

    name = "facts"

    class Options(FactsOptions):
        pass

    options: Options

    def categories(self) -> Mapping[str, str]:
        file = self.options.file.name
        return {
            "missing fact": f"the answer does not state a fact that {file} requires of it",
            "forbidden fact": f"the answer states a fact that {file} forbids",
        }

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """One label for all facts that are missing, one for all that must not be stated."""
        facts = self._facts.of(scored.example)
        stated = self._found(scored.prediction, facts.required)
        missing = [fact for fact in facts.required if fact not in stated]
        wrong = self._found(scored.prediction, facts.forbidden)
        for category, of_category in (("missing fact", missing), ("forbidden fact", wrong)):
            if of_category:
                evidence = "; ".join(fact.shown for fact in of_category)
                yield ErrorLabel(scored.example.id, category, evidence, self.name)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Facts]


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [FactsDetector]
