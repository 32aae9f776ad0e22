"""What the advice reads of a run's document, in one place."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.kit.numbers import digits_of, number, span

Document = Mapping[str, Any]
NOISE = 1e-9
"""What a difference of scores may be by rounding alone."""
LEVERS = ("arms", "models", "curve", "seeds", "search")
LONGEST = 20_000
"""Characters of a command that are read."""


def apart(low: float | None, high: float | None) -> bool:
    """Whether two bounds bound anything: those that coincide say that no row differs."""
    return low is None or high is None or high - low > NOISE


def _without(words: Sequence[str], levers: Sequence[str], keys: Sequence[str]) -> list[str]:
    """The words of a command but for ``--set`` of these levers, whole or in part, and keys."""
    found: list[str] = []
    for word in words:
        key = word.partition("=")[0]
        if found and found[-1] == "--set" and (key.split(".")[0] in levers or key in keys):
            found.pop()
        else:
            found.append(word)
    return found


@dataclass(frozen=True)
class Run:
    """A run's analysis, by the questions that the advice asks of it.

    Attributes:
        words: of the command that goes on with it, where they are known; else those of the document
            are taken.
    """

    document: Document
    words: Sequence[str] = ()

    @property
    def primary(self) -> str:
        return str(self.document.get("primary", ""))

    @property
    def rounds(self) -> Sequence[Document]:
        found: Sequence[Document] = self.document.get("rounds") or ()
        return found

    @property
    def kept(self) -> int:
        return int(self.document.get("kept_round") or 0)

    @property
    def levers(self) -> Document:
        found: Document = (self.document.get("experiments") or {}).get("levers") or {}
        return found

    @property
    def worth(self) -> float | None:
        """The gain that would matter: as arms were told, else as the config says."""
        given = self.levers.get("worth")
        return given if given is not None else (self.document.get("settings") or {}).get("worth")

    def too_little(self, low: float | None, high: float | None) -> bool:
        """Whether a gain within these bounds is shown to be less than would matter."""
        return (
            self.worth is not None and high is not None and apart(low, high) and high < self.worth
        )

    @cached_property
    def reference(self) -> Document:
        """The best round; round 1 where none was kept, as for arms."""
        number_ = self.kept or 1
        return next((one for one in self.rounds if one["round"] == number_), self.rounds[-1])

    def score(self, entry: Document) -> Document:
        """The primary score of a round or an arm."""
        found: Document = (entry.get("scores") or {}).get(self.primary) or {}
        return found

    @property
    def higher_is_better(self) -> bool:
        return bool(self.score(self.reference).get("higher_is_better", True))

    @property
    def test_value(self) -> float | None:
        """The primary score of the best round on test; None while that is sealed."""
        kept = (self.document.get("test") or {}).get("kept") or {}
        value = (kept.get(self.primary) or {}).get("value")
        return None if value is None else float(value)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Least and greatest value of the primary score; None for one that is not known."""
        least, most = self.document.get("bounds") or (None, None)
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
        return int((self.document.get("data") or {}).get("rows", {}).get("dev") or 0)

    @property
    def adds_rows(self) -> bool:
        """Whether rounds may add rows: not where the config has no augmenter."""
        return (self.document.get("settings") or {}).get("augment") != []

    @property
    def train_rows(self) -> int:
        return int(self.reference.get("train_rows") or 0)

    @property
    def replayed(self) -> float:
        """Share of the rows of the latest training that were general ones."""
        last = self.rounds[-1]
        general, own = (float(last.get(key) or 0) for key in ("replayed", "train_rows"))
        return general / (general + own) if general else 0.0

    @cached_property
    def failing(self) -> int:
        """Dev answers of the best round that do not pass."""
        for row in self.table("right"):
            if row.get("round") == self.kept:
                return int(row.get("wrong") or 0)
        return 0

    def table(self, name: str) -> Sequence[Document]:
        found: Sequence[Document] = (self.document.get("tables") or {}).get(name) or ()
        return found

    @cached_property
    def causes(self) -> Mapping[str, int]:
        """Cause -> failing answers of the best round that it is the likeliest of."""
        found: dict[str, int] = {}
        for row in self.table("causes"):
            found[row["cause"]] = found.get(row["cause"], 0) + int(row.get("answers") or 0)
        return found

    @property
    def course(self) -> Document:
        """How the training of the reference went."""
        return self.reference.get("course") or {}

    @property
    def seconds_of_one(self) -> float:
        """Seconds of one training with an answering of dev."""
        own = self.levers.get("own") or {}
        if own.get("seconds"):
            return float(own["seconds"])
        spent = self.document.get("seconds") or {}
        trained = max(1, len(self.rounds) - 1)
        return float(spent.get("train", 0)) / trained + float(spent.get("generate", 0)) / (
            trained + 1
        )

    @property
    def arms(self) -> Sequence[Document]:
        """What was trained beside the rounds, failed ones included."""
        found: Sequence[Document] = self.document.get("arms") or ()
        return found

    def judged(self, kind: str) -> list[Document]:
        """The arms of a kind that have a verdict."""
        return [arm for arm in self.arms if arm.get("kind") == kind and arm.get("verdict")]

    def shown(self, value: float | None) -> str:
        """A value of the primary score as reports print it."""
        return number(value, self._digits)

    def estimated(self, found: Document) -> str:
        """The same with its interval, of ``value``, ``low`` and ``high``."""
        return span(found, self._digits)

    @cached_property
    def _digits(self) -> int:
        scores = [self.score(one) for one in self.rounds]
        return digits_of(one.get(key) for one in scores for key in ("value", "high"))

    @cached_property
    def _resuming(self) -> Sequence[str]:
        """The words of the command that goes on with the run."""
        given = str(self.document.get("next_command") or "")
        try:
            # shlex takes quadratic time over a long word.
            words = list(self.words) or shlex.split(given if len(given) <= LONGEST else "")
        except ValueError:  # a quote that is not closed
            words = []
        return words if words[:2] == ["harness", "iterate"] else ["harness", "iterate"]

    @property
    def seconds_of_answers(self) -> float:
        """Seconds of one answering of dev."""
        spent = self.document.get("seconds") or {}
        return float(spent.get("generate", 0)) / max(1, len(self.rounds))

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
        levers = [one for one in LEVERS if one not in again]
        words = _without(self._resuming, levers, [one.partition("=")[0] for one in sets])
        planned = (self.document.get("settings") or {}).get("rounds") or 0
        rounds = str(max(1, planned, len(self.rounds) - 1 + further))
        if "--rounds" in words[:-1]:
            words[words.index("--rounds") + 1] = rounds
        elif further:
            words += ["--rounds", rounds]
        given = [word for one in sets for word in ("--set", one)]
        flags = ["--no-test"] if another or not self.document.get("test") else []
        kept = [word for word in words if word != "--no-test"]
        return shlex.join([*kept, *given, *flags])
