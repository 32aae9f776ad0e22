"""What the analyzer ``causes`` says of the answers of one round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness import Context, Diagnosis, Evidence, Example, Findings, ScoredExample
from harness.kit.alike.words import words
from harness.kit.draws import spaced
from harness.kit.terms import shown
from harness_causes import catalogue
from harness_causes.answers import Answer, Reader
from harness_causes.coverage import Coverage, Near
from harness_causes.options import CausesOptions
from harness_causes.replies import Replies
from harness_causes.rules import Signals, decide

BLOCK = 500
"""Answers between two looks at whether the user wants to stop."""
MOST = 20_000
"""Answers that are looked at: the core takes no more diagnoses of one analyzer."""
LEAST_ROWS = 20
"""Training rows from which their answers can be a list of labels."""
MOST_LABELS = 100
LABELS_PER_ROW = 0.2
WORDS_OF_LABEL = 6


class Analysis:
    """One look at the answers of a round."""

    def __init__(self, options: CausesOptions) -> None:
        self.options = options

    def findings(self, evidence: Evidence, context: Context) -> Findings:
        """One diagnosis per wrong answer, in the order of the examples; of at most MOST."""
        wrong = [r for r in evidence.scored if evidence.right.get(r.example.id) is False]
        if not wrong:
            return Findings(notes=_silence(evidence))
        looked_at = spaced(wrong, MOST)
        diagnoses = self._diagnoses(looked_at, evidence, context)
        notes = _notes(diagnoses, evidence)
        if len(looked_at) < len(wrong):
            chosen = f"{MOST} of {len(wrong)} failing answers, evenly spaced, are looked at"
            notes = (chosen, *notes)
        return Findings(diagnoses=tuple(diagnoses), notes=notes)

    def _diagnoses(
        self, wrong: Sequence[ScoredExample], evidence: Evidence, context: Context
    ) -> list[Diagnosis]:
        reader = _reader(evidence)
        answers = [reader.read(row.prediction.text) for row in wrong]
        references = [[reader.read(text) for text in row.example.references] for row in wrong]
        nears = self._nears(wrong, answers, references, reader, evidence)
        replies = Replies(evidence)
        labels = Labels(evidence.train)
        diagnoses = []
        for place, row in enumerate(wrong):
            if place % BLOCK == 0:
                context.progress(place, len(wrong), "causes")
            reply = replies.read(row, answers[place], references[place])
            listed = labels.missing(row.prediction.text, row.example.references)
            signals = Signals(reply, nears[place], evidence.train, evidence.score, listed)
            finding = decide(signals, self.options)
            diagnoses.append(
                Diagnosis(
                    row.example.id, finding.cause, finding.evidence,
                    catalogue.CAUSES[finding.cause].remedy,
                    tuple(evidence.train[at].id for at in finding.rows),
                )
            )  # fmt: skip
        return diagnoses

    def _nears(
        self, wrong: Sequence[ScoredExample], answers: Sequence[Answer],
        references: Sequence[Sequence[Answer]], reader: Reader, evidence: Evidence,
    ) -> Sequence[Near | None]:  # fmt: skip
        if not evidence.train:
            return [None] * len(wrong)
        coverage = Coverage(evidence.train, reader, evidence.seed, self.options)
        return coverage.read([row.example for row in wrong], answers, references)


class Labels:
    """The answers of a train that teaches a short list of them (labels, headings, yes and no);
    none where they are many or long."""

    def __init__(self, train: Sequence[Example]) -> None:
        labels = {tuple(words(row.references[0])) for row in train if row.references}
        few = len(labels) <= min(MOST_LABELS, LABELS_PER_ROW * len(train))
        short = all(0 < len(label) <= WORDS_OF_LABEL for label in labels)
        self._labels = labels if len(train) >= LEAST_ROWS and few and short else set()

    def missing(self, answer: str, references: Sequence[str]) -> int:
        """How many labels there are, if a reference is one of them and the answer, as short, is
        none; else 0."""
        answered = tuple(words(answer))
        wanted = any(tuple(words(text)) in self._labels for text in references)
        # An answer of twice the words of a label is prose: other causes speak of it.
        usable = wanted and 0 < len(answered) <= 2 * WORDS_OF_LABEL
        return len(self._labels) if usable and answered not in self._labels else 0


def _reader(evidence: Evidence) -> Reader:
    """Weighs words by how rare they are in what train teaches; in round 0, in what dev wants."""
    rows = evidence.train or [row.example for row in evidence.scored]
    return Reader(row.references[0] for row in rows if row.references)


def _silence(evidence: Evidence) -> tuple[str, ...]:
    """Why there is nothing to say."""
    if any(right is True for right in evidence.right.values()):
        return ("no answer fails: there are no causes to find",)
    return (f"'{evidence.score}' has no pass threshold: set its right_at",)


def _notes(diagnoses: Sequence[Diagnosis], evidence: Evidence) -> tuple[str, ...]:
    kinds = Counter(diagnosis.cause for diagnosis in diagnoses)
    order = [cause for cause in catalogue.CAUSES if cause in kinds]
    counts = ", ".join(f"{shown('cause', cause)} {kinds[cause]}" for cause in order)
    notes = [f"likeliest causes of {len(diagnoses)} failing answers: {counts}"]
    if not evidence.train:
        notes.append("no training rows are known: gap, conflict and underfitting were not checked")
    if not evidence.base:
        notes.append("no answers of the base model: catastrophic forgetting was not checked")
    elif not any(right is True for right in evidence.right.values()):
        notes.append("no answer of this round passes, so it is unknown what the base "
                     "model passed: catastrophic forgetting was not checked")  # fmt: skip
    unjudged = sum(right is None for right in evidence.right.values())
    if unjudged:
        notes.append(f"{unjudged} answers neither pass nor fail and were left out")
    return tuple(notes)
