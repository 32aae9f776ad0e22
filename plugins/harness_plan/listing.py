"""What a run trains and answers, in order, with the rows of each.

Rows are measured in characters, which are known at once: seconds scale with them well enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import harness
from harness.kit.draws import spaced

TRAIN, VALID, DEV, TEST = "train", "generate valid", "generate", "generate test"
AGAIN = "again"
"""In place of an arm: the base model, asked rows again beside a round."""


def prompt_size(row: harness.Example) -> int:
    """Characters of the turns."""
    return sum(len(str(message.get("content") or "")) for message in row.messages)


def answer_size(row: harness.Example) -> int:
    """Characters of the answer that is learned."""
    return len(row.references[0]) if row.references else 0


def size(row: harness.Example) -> int:
    """Characters of a row with its answer; at least one, so that rows can be compared."""
    return max(1, prompt_size(row) + answer_size(row))


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
    rows: Sequence[harness.Example]
    more: int
    characters: float
    schedule: harness.Schedule | None
    tuned: bool
    took: float | None

    @property
    def count(self) -> int:
        return len(self.rows) + self.more

    @property
    def passed(self) -> float:
        """Its characters, once for each time that the rows are gone through."""
        return self.characters * (self.schedule.passes if self.schedule else 1.0)


def listed(run: harness.PlannedRun, *, again: bool = False) -> list[Item]:
    """All trainings and answers of a run.

    Args:
        again: of a whole loop with another seed: nothing of it is known, and test stays sealed.
    """
    return list(_Listing(run, again=again).items())


class _Listing:
    """The run in order."""

    def __init__(self, run: harness.PlannedRun, *, again: bool) -> None:
        self.run, self.again = run, again
        self.stored: Mapping[tuple[str, int, str], float] = {} if again else run.stored

    def items(self) -> Iterator[Item]:
        run, dev = self.run, self.run.rows("dev")
        yield self._answers(harness.BASE_ARM, 0, DEV, dev)
        for name, arm in run.asked.items() if not self.again else ():
            # Other prompts than dev's are other rows.
            rows = [replace(row, id=f"{row.id} of {name}") for row in run.prompts.get(name, dev)]
            yield self._answers(arm, 0, DEV, rows)
        for number in range(1, run.rounds + 1):
            for arm in run.arms:
                # The arms share their first training, done once.
                if arm == harness.BASE_ARM or number > 1:
                    yield self._training(arm, number)
                    yield from self._checked(arm, number)
                    of_round = self._answers(arm, number, DEV, dev)
                    # The best round before it may be asked in the same pass.
                    yield replace(of_round, characters=of_round.characters * self._sides)
                    if arm == harness.BASE_ARM:
                        yield from self._asked_again(number, DEV, dev)
        if run.tests and not self.again:
            yield from self._test()

    @property
    def _sides(self) -> int:
        """How many models answer dev in a round."""
        variants = self.run.variants
        entry = variants.config.generate
        with variants.asking(entry):
            return 2 if entry.instance.holds_both() else 1

    def _checked(self, arm: str, number: int) -> Iterator[Item]:
        """The answers to valid by which one of a training's checkpoints is chosen.

        Where the training is stored they are within its time.
        """
        trainer = self.run.variants.config.trainers[-1]
        with self.run.variants.asking(trainer):
            choice = trainer.instance.choice()
        rows = spaced(self.run.rows("valid"), choice.rows) if choice else []
        if choice and rows:
            done = (arm, number, TRAIN) in self.stored
            item = self._answers(arm, number, VALID, rows)
            characters = choice.checks * item.characters
            yield replace(item, characters=characters, took=0.0 if done else None)

    def _asked_again(
        self, number: int | None, stage: str, rows: Sequence[harness.Example]
    ) -> Iterator[Item]:
        """Rows of the base model's, where processes of the generator may answer otherwise.

        Which rows is drawn by the run; here others stand for them.
        """
        config = self.run.variants.config
        with self.run.variants.asking(config.generate):
            count = min(config.generate.instance.asked_again(), len(rows))
        primary = config.settings.primary
        by_people = any(
            entry.instance.by_people for entry in config.metrics if primary in entry.score_names
        )
        if count and not by_people:
            again = self._answers(AGAIN, number, stage, spaced(rows, count))
            # The walk does not come by what a closed round was judged by.
            closed = stage == DEV and (harness.BASE_ARM, number) in self.run.results
            took = 0.0 if again.took is None and closed and not self.again else again.took
            yield replace(again, tuned=False, took=took)

    def _test(self) -> Iterator[Item]:
        rows, main = self.run.rows("test"), harness.BASE_ARM
        yield self._answers(main, 0, TEST, rows)
        yield from self._prompted(rows)
        stored = [n for arm, n, stage in self.stored if (arm, stage) == (main, TEST) and n]
        best = max(stored, default=None)
        yield self._answers(main, best, TEST, rows)
        yield from self._asked_again(best, TEST, rows)

    def _prompted(self, rows: Sequence[harness.Example]) -> Iterator[Item]:
        """Test under the prompts that are best on dev: until that is known, under the longest."""
        prompts = self.run.prompts
        asked = {self.run.asked[name]: dev for name, dev in prompts.items() if dev}
        if not asked:
            return
        done = [arm for arm in asked if (arm, 0, TEST) in self.stored]
        arm = next(iter(done), max(asked, key=lambda arm: sum(map(prompt_size, asked[arm]))))
        # As long as those of dev are.
        like = [
            replace(prompt, id=f"{row.id} of {arm}")
            for row, prompt in zip(rows, itertools.cycle(asked[arm]), strict=False)
        ]
        yield self._answers(arm, 0, TEST, like)

    def _training(self, arm: str, number: int) -> Item:
        """A round's training: on the rows that are known, and those that may be added by then."""
        known = {} if self.again else self.run.learned(arm)
        latest = max((n for n in known if n <= number), default=1)
        rows = known.get(latest, self.run.rows("train"))
        item = training(self.run, self.run.variants, rows, (number - latest) * self.run.growth)
        return replace(item, arm=arm, round=number, took=self.stored.get((arm, number, TRAIN)))

    def _answers(
        self, arm: str, number: int | None, stage: str, rows: Sequence[harness.Example]
    ) -> Item:
        took = None if number is None else self.stored.get((arm, number, stage))
        item = answers(self.run.variants, rows)
        return replace(item, arm=arm, round=number, stage=stage, tuned=number != 0, took=took)


def training(
    run: harness.PlannedRun,
    settings: harness.Variants,
    rows: Sequence[harness.Example],
    more: int,
) -> Item:
    """A training of the main arm on these rows and ``more``, and on the general ones beside them.

    Args:
        settings: by which it is trained.
    """
    drawn = run.rows("pool") or run.rows("train")
    mean = sum(map(size, drawn)) / max(1, len(drawn))
    more += settings.replayed(len(rows) + more)
    schedule = settings.schedule(TRAIN, len(rows) + more)
    characters = sum(map(size, rows)) + more * mean
    return Item(harness.BASE_ARM, None, TRAIN, rows, more, characters, schedule, True, None)


def answers(settings: harness.Variants, rows: Sequence[harness.Example]) -> Item:
    """A tuned model's answers to these rows, which are of dev."""
    schedule = settings.schedule("generate", len(rows))
    return Item(
        harness.BASE_ARM, None, DEV, rows, 0, sum(map(size, rows)), schedule, True, None
    )  # fmt: skip
