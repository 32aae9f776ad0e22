"""What a run trains and answers, in order, with the rows of each.

Rows are measured in characters, which are known at once: seconds scale with them well enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.boundary.calls import plainly
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.data import replay
from harness.engine.history import History
from harness.engine.steps.asking import arm_of
from harness.forecast.looking import Place
from harness.records import BASE_ARM, CONTROL_ARM, Dataset, Example, Schedule
from harness.stages.making import scheduled

TRAIN, DEV, TEST = "train", "generate", "generate test"


def prompt_size(row: Example) -> int:
    """Characters of the turns."""
    return sum(len(str(message.get("content") or "")) for message in row.messages)


def answer_size(row: Example) -> int:
    """Characters of the answer that is learned."""
    return len(row.references[0]) if row.references else 0


def size(row: Example) -> int:
    """Characters of a row with its answer; at least one, so that rows can be compared."""
    return max(1, prompt_size(row) + answer_size(row))


@dataclass(frozen=True, slots=True)
class Growing:
    """What augmentation adds to a training set in one round, at most.

    Attributes:
        rows: of all augmenters.
        size: characters of a row of the pool, or of train where there is none, on average.
    """

    rows: int
    size: float


def growing(config: Config, data: Dataset) -> Growing:
    """What the augmenters of the config add in one round."""
    adds = config.settings.plan.strategy != "none"
    drawn = data.split("pool") or data.split("train")
    return Growing(
        sum(entry.rows for entry in config.augment) if adds else 0,
        sum(map(size, drawn)) / max(1, len(drawn)),
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One training, or the answers to one split.

    Attributes:
        round: None for the best one.
        rows: that are known by now.
        more: rows that augmentation may have added by then, and general ones of ``replay``.
        characters: of all of them; a row that may be added has those of the mean row.
        tuned: whether a trained model answers.
        took: seconds that it took where the store has it; None where it has not.
    """

    arm: str
    round: int | None
    stage: str
    rows: Sequence[Example]
    more: int
    characters: float
    schedule: Schedule | None
    tuned: bool
    took: float | None

    @property
    def count(self) -> int:
        return len(self.rows) + self.more

    @property
    def passed(self) -> float:
        """Its characters, once for each time that the rows are gone through."""
        return self.characters * (self.schedule.passes if self.schedule else 1.0)


def listed(config: Config, history: History, stored: Mapping[Place, float]) -> list[Item]:
    """All trainings and answers of a run.

    Args:
        stored: stages that are in the store -> seconds that they took.
    """
    return list(_Listing(config, history, stored).items())


class _Listing:
    """The run in order."""

    def __init__(self, config: Config, history: History, stored: Mapping[Place, float]) -> None:
        self.config, self.history, self.stored = config, history, stored
        self.grow = growing(config, history.data)

    def items(self) -> Iterator[Item]:
        dev = self.history.data.split("dev")
        arms = [BASE_ARM, CONTROL_ARM] if self.config.control else [BASE_ARM]
        yield self._answers(BASE_ARM, 0, DEV, dev)
        for entry in self.config.baselines:
            # Other prompts than dev's are other rows.
            asked = self.history.prompts.get(entry.name, dev)
            rows = [replace(row, id=f"{row.id} of {entry.name}") for row in asked]
            yield self._answers(arm_of(entry.name), 0, DEV, rows)
        for number in range(1, self.config.settings.rounds + 1):
            for arm in arms:
                # The arms share their first training, done once.
                if arm == BASE_ARM or number > 1:
                    yield self._training(arm, number)
                    yield self._answers(arm, number, DEV, dev)
        if self.history.sealed is None:
            yield from self._test()

    def _test(self) -> Iterator[Item]:
        rows = self.history.data.split("test")
        yield self._answers(BASE_ARM, 0, TEST, rows)
        yield from self._prompted(rows)
        best = [
            number for arm, number, stage in self.stored if (arm, stage) == (BASE_ARM, TEST)
            and number
        ]  # fmt: skip
        yield self._answers(BASE_ARM, max(best, default=None), TEST, rows)

    def _prompted(self, rows: Sequence[Example]) -> Iterator[Item]:
        """Test under the prompts that are best on dev: until that is known, under the longest."""
        asked = {arm_of(name): dev for name, dev in self.history.prompts.items() if dev}
        if not asked:
            return
        done = [arm for arm in asked if (arm, 0, TEST) in self.stored]
        arm = next(iter(done), max(asked, key=lambda arm: sum(map(prompt_size, asked[arm]))))
        # As long as those of dev are.
        prompts = itertools.cycle(asked[arm])
        like = [
            replace(prompt, id=f"{row.id} of {arm}")
            for row, prompt in zip(rows, prompts, strict=False)
        ]
        yield self._answers(arm, 0, TEST, like)

    def _training(self, arm: str, number: int) -> Item:
        rows, more = known_rows(self.history, arm, number, self.grow)
        item = training(self.config, arm, rows, more, self.grow)
        return replace(item, round=number, took=self.stored.get((arm, number, TRAIN)))

    def _answers(self, arm: str, number: int | None, stage: str, rows: Sequence[Example]) -> Item:
        took = None if number is None else self.stored.get((arm, number, stage))
        item = answers(self.config, arm, rows)
        return replace(item, round=number, stage=stage, tuned=number != 0, took=took)


def training(config: Config, arm: str, rows: Sequence[Example], more: int, grow: Growing) -> Item:
    """A training by a config on these rows and ``more``, and on the general ones beside them."""
    more += replay.wanted(len(rows) + more, config.settings.replay)
    characters = sum(map(size, rows)) + more * grow.size
    planned = schedule_of(config.train, len(rows) + more)
    return Item(arm, None, TRAIN, rows, more, characters, planned, True, None)


def answers(config: Config, arm: str, rows: Sequence[Example]) -> Item:
    """A tuned model's answers to these rows, which are of dev."""
    planned = schedule_of(config.generate, len(rows))
    return Item(arm, None, DEV, rows, 0, sum(map(size, rows)), planned, True, None)


def known_rows(
    history: History, arm: str, number: int, grow: Growing
) -> tuple[Sequence[Example], int]:
    """The rows that a round trains on, as far as they are known, and how many may be added."""
    data = history.data.split("train")
    known = history.arms[arm].train if arm in history.arms else {}
    latest = max((n for n in known if 0 < n <= number), default=1)
    return known.get(latest, data), (number - latest) * grow.rows


def schedule_of(entry: PluginEntry, rows: int) -> Schedule | None:
    """What a trainer or generator says of its steps over so many rows."""
    with plainly(f"{entry.named}, schedule()"):
        return scheduled(entry.instance, rows) if rows else None
