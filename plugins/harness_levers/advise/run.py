"""What the advice reads of a run's document, in one place."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from harness import Analysis, Verdict
from harness.kit.documents import score_digits
from harness.kit.numbers import estimate, number
from harness.records.analysis import CauseCount, Estimate, RightCount
from harness.records.course import Course
from harness.records.summary import UNSCORED, MainRound, ShownArm, ShownScore
from harness_levers.document import ShownLevers, ShownSearch, levers_of
from harness_levers.records import Curve

Judged: TypeAlias = tuple[ShownArm, Verdict]
"""An arm that was compared, and its verdict."""
NOISE = 1e-9
"""What a difference of scores may be by rounding alone."""
LEVERS = ("arms", "models", "curve", "seeds", "search")
"""Keys of a config by which something is tried beside the rounds."""
LONGEST = 20_000
"""Characters of a command that are read."""


def apart(low: float | None, high: float | None) -> bool:
    """Whether two bounds bound anything: those that coincide say that no row differs."""
    return low is None or high is None or high - low > NOISE


def _without(words: Sequence[str], levers: Sequence[str], keys: Sequence[str]) -> list[str]:
    """The words of a command but for ``--set`` of these levers, whole or in part, and keys."""
    rest: list[str] = []
    for word in words:
        key = word.partition("=")[0]
        if rest and rest[-1] == "--set" and (key.split(".")[0] in levers or key in keys):
            rest.pop()  # the --set that it belongs to
        else:
            rest.append(word)
    return rest


@dataclass(frozen=True)
class Run:
    """A run's analysis, by the questions that the advice asks of it.

    Attributes:
        words: of the command that goes on with it, where they are known; else those of the document
            are taken.
    """

    document: Analysis
    words: Sequence[str] = ()

    @property
    def primary(self) -> str:
        return self.document.primary

    @property
    def rounds(self) -> Sequence[MainRound]:
        return self.document.rounds

    @property
    def kept(self) -> int:
        return self.document.kept_round

    @cached_property
    def levers(self) -> ShownLevers | None:
        """What was tried beside the rounds.

        Raises:
            DataError: it is of another version, or damaged.
        """
        return levers_of(self.document)

    @property
    def curve(self) -> Curve | None:
        return None if self.levers is None else self.levers.curve

    @property
    def search(self) -> ShownSearch | None:
        return None if self.levers is None else self.levers.search

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a person would name of the config; no key is sure to be there."""
        return self.document.settings

    @property
    def worth(self) -> float | None:
        """The gain that would matter: as arms were told, else as the config says."""
        if self.levers is not None and self.levers.worth is not None:
            return self.levers.worth
        worth: float | None = self.settings.get("worth")
        return worth

    def too_little(self, low: float | None, high: float | None) -> bool:
        """Whether a gain within these bounds is shown to be less than would matter."""
        return (
            self.worth is not None and high is not None and apart(low, high) and high < self.worth
        )

    @cached_property
    def reference(self) -> MainRound:
        """The best round; round 1 where none was kept, as for arms."""
        at = self.kept or 1
        return next((entry for entry in self.rounds if entry.round == at), self.rounds[-1])

    def score(self, entry: MainRound) -> ShownScore | None:
        """The primary score of a round; None where it has none."""
        return entry.scores.get(self.primary)

    def value(self, entry: MainRound) -> float | None:
        """The value of that."""
        score = self.score(entry)
        return None if score is None else score.value

    @property
    def higher_is_better(self) -> bool:
        score = self.score(self.reference)
        return score is None or score.higher_is_better

    @property
    def test_value(self) -> float | None:
        """The primary score of the best round on test; None while that is sealed."""
        test = self.document.test
        return test.kept.get(self.primary, UNSCORED).value if test else None

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Least and greatest value of the primary score; None for one that is not known."""
        least, most = self.document.bounds
        return least, most

    @property
    def best(self) -> float | None:
        """The best value that the primary score can have."""
        return self.bounds[1 if self.higher_is_better else 0]

    @property
    def range(self) -> float | None:
        """How far the best value is from the worst one."""
        least, most = self.bounds
        return None if least is None or most is None else most - least

    @property
    def dev_rows(self) -> int:
        return self.document.data.rows.get("dev", 0)

    @property
    def adds_rows(self) -> bool:
        """Whether rounds may add rows: not where the config has no augmenter."""
        return self.settings.get("augment") != []

    @property
    def train_rows(self) -> int:
        return self.reference.train_rows

    @property
    def replayed(self) -> float:
        """Share of the rows of the latest training that were general ones."""
        last = self.rounds[-1]
        general = last.replayed
        return general / (general + last.train_rows) if general else 0.0

    @cached_property
    def failing(self) -> int:
        """Dev answers of the best round that do not pass."""
        rights = {row.round: row for row in self.document.rows(RightCount)}
        return rights[self.kept].wrong if self.kept in rights else 0

    def table(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The rows of another plugin's query; none where it failed, or that is not installed."""
        return self.document.tables.get(name, ())

    @cached_property
    def causes(self) -> Mapping[str, int]:
        """Cause -> failing answers of the best round that it is the likeliest of."""
        answers: dict[str, int] = {}
        for row in self.document.rows(CauseCount):
            answers[row.cause] = answers.get(row.cause, 0) + row.answers
        return answers

    def course(self, *kinds: str) -> Course | None:
        """How the training of the reference went; None unless it is of these kinds."""
        course = self.reference.course
        return course if course is not None and course.kind in kinds else None

    @property
    def seconds_of_one(self) -> float:
        """Seconds of one training with an answering of dev."""
        if self.levers is not None and self.levers.own.seconds:
            return self.levers.own.seconds
        trained = max(1, len(self.rounds) - 1)
        return self._spent("train") / trained + self._spent("generate") / (trained + 1)

    @property
    def seconds_of_answers(self) -> float:
        """Seconds of one answering of dev."""
        return self._spent("generate") / max(1, len(self.rounds))

    def _spent(self, stage: str) -> float:
        return self.document.seconds.get(stage, 0.0)

    @property
    def arms(self) -> Sequence[ShownArm]:
        """What was trained beside the rounds, failed ones included."""
        return self.document.arms

    def judged(self, kind: str) -> list[Judged]:
        """The arms of a kind that have a verdict."""
        return [(arm, arm.verdict) for arm in self.arms if arm.kind == kind and arm.verdict]

    def shown(self, value: float | None) -> str:
        """A value of the primary score as reports print it."""
        return number(value, self._digits)

    def estimated(self, figure: Estimate | ShownScore) -> str:
        """The same with its interval."""
        return estimate(figure.value, figure.low, figure.high, self._digits)

    @cached_property
    def _digits(self) -> int:
        return score_digits(self.document, self.primary)

    @cached_property
    def _resuming(self) -> Sequence[str]:
        """The words of the command that goes on with the run."""
        command = self.document.next_command
        try:
            # shlex takes quadratic time over a long word.
            words = list(self.words) or shlex.split(command if len(command) <= LONGEST else "")
        except ValueError:  # a quote that is not closed
            words = []
        return words if words[:2] == ["harness", "iterate"] else ["harness", "iterate"]

    def command(
        self, *sets: str, another: bool = False, further: int = 0, again: Sequence[str] = ()
    ) -> str:
        """The command that goes on with this run, with further settings.

        Levers that the run was given on the command line are done, and are not repeated.

        Args:
            again: those that are.
            another: whether these make it another run, which leaves test sealed.
            further: rounds beyond those that are closed; those that are planned stay planned, since
                by their number each is judged.
        """
        levers = [lever for lever in LEVERS if lever not in again]
        keys = [setting.partition("=")[0] for setting in sets]
        words = _without(self._resuming, levers, keys)
        words = [word for word in words if word != "--no-test"]
        planned = self.settings.get("rounds", 1)
        rounds = str(max(planned, len(self.rounds) - 1 + further))
        if "--rounds" in words[:-1]:
            words[words.index("--rounds") + 1] = rounds
        elif further:
            words += ["--rounds", rounds]
        for setting in sets:
            words += ["--set", setting]
        # Test is opened once, for the run that is kept: not for one that finds out.
        if another or not self.document.test:
            words.append("--no-test")
        return shlex.join(words)
