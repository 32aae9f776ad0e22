"""What the advice reads of a run's document, in one place."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cached_property

from harness import Analysis
from harness.kit.documents import score_digits
from harness.kit.numbers import estimate, number
from harness.records.analysis import Estimate, RightCount
from harness.records.course import Course
from harness.records.summary import ShownScore
from harness_levers.document import Judged, compared, levers_of

NOISE = 1e-9
"""What a difference of scores may be by rounding alone."""
LEVERS = ("arms", "models", "curve", "seeds", "search")
"""Keys of a config by which something is tried beside the rounds."""


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


class Run:
    """A run's analysis, by the questions that the advice asks of it.

    Args:
        words: of the command that goes on with it.

    Attributes:
        levers: what was tried beside the rounds; None where nothing was.
        kept: the best round; 0 where none became it.
        reference: the best round; round 1 where none was kept, as for arms.
        worth: the gain that would matter: as arms were told, else as the config says.
        range: how far the best value of the primary score is from the worst one; None where one of
            them is not known.

    Raises:
        DataError: what was tried beside the rounds is of another version, or damaged.
    """

    def __init__(self, document: Analysis, words: Sequence[str] = ("harness", "iterate")) -> None:
        self.document, self.words = document, words
        self.primary, self.rounds, self.kept = (
            document.primary,
            document.rounds,
            document.kept_round,
        )
        self.dev_rows = document.data.rows.get("dev", 0)
        self.levers = levers = levers_of(document)
        self.curve = None if levers is None else levers.curve
        worth = None if levers is None else levers.worth
        self.worth: float | None = document.settings.get("worth") if worth is None else worth
        least, most = document.bounds
        self.range = None if least is None or most is None else most - least
        at = self.kept or 1
        self.reference = next((e for e in self.rounds if e.round == at), self.rounds[-1])

    def too_little(self, low: float | None, high: float | None) -> bool:
        """Whether a gain within these bounds is shown to be less than would matter."""
        return (
            self.worth is not None and high is not None and apart(low, high) and high < self.worth
        )

    @cached_property
    def failing(self) -> int:
        """Dev answers of the best round that do not pass."""
        rights = {row.round: row for row in self.document.rows(RightCount)}
        return rights[self.kept].wrong if self.kept in rights else 0

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
        return self.seconds("train") / trained + self.seconds("generate") / (trained + 1)

    def seconds(self, stage: str) -> float:
        """Seconds of a stage, over all rounds."""
        return self.document.seconds.get(stage, 0.0)

    def judged(self, kind: str) -> list[Judged]:
        """The arms of a kind that have a verdict."""
        return [each for each in compared(self.document) if each[0].kind == kind]

    def shown(self, value: float | None) -> str:
        """A value of the primary score as reports print it."""
        return number(value, self._digits)

    def estimated(self, figure: Estimate | ShownScore) -> str:
        """The same with its interval."""
        return estimate(figure.value, figure.low, figure.high, self._digits)

    @cached_property
    def _digits(self) -> int:
        return score_digits(self.document, self.primary)

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
        words = _without(self.words, levers, keys)
        words = [word for word in words if word != "--no-test"]
        planned = self.document.settings.get("rounds", 1)
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
