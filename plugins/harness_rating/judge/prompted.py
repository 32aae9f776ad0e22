"""A model rates items: criterion by criterion, in several samples, pairs in both orders."""

from __future__ import annotations

import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import Criterion, Item, Judgement, Rubric
from harness.kit.remote.asking import Asker, Progress
from harness.kit.remote.faults import Fault, Faults
from harness.kit.remote.replies import Reply, Request
from harness_rating.judge.judgements import settings, settle, with_conditions
from harness_rating.judge.options import ModelOptions
from harness_rating.judge.prompts import Unreadable, prompt, read
from harness_rating.rubric.scoring import asked_criteria

_TURNED = {"A": "B", "B": "A", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class Question:
    """One sample of one criterion of one item.

    Attributes:
        swapped: whether the two answers are shown in the other order.
    """

    item: str
    criterion: Criterion
    sample: int
    messages: list[dict[str, str]]
    swapped: bool = False

    @property
    def request(self) -> Request:
        return Request(self.messages, self.sample, accept=self._readable)

    def _readable(self, text: str) -> bool:
        try:
            read(self.criterion, text)
        except Unreadable:
            return False
        return True


def asker(options: ModelOptions) -> Asker:
    """Asks the model that judges: one behind an endpoint, or in a folder."""
    if options.local is None:
        return Asker(options, f"judge {options.model} at {options.endpoint}", stage="judge")
    # Loading a model takes long, so it is known by its files until it is asked.
    from harness_rating.judge.local import Local, identity

    model = f"local {identity(options.local)}"
    client = functools.partial(Local, options)
    return Asker(options, f"judge {options.local}", model=model, client=client, at_once=1)


class PromptedJudge:
    """One rubric and one model.

    Args:
        wanted: ids of the criteria that are asked; those that their conditions name come along.
    """

    def __init__(self, rubric: Rubric, options: ModelOptions, wanted: Iterable[str]) -> None:
        self._rubric = rubric
        self._asker = asker(options)
        self._wanted = with_conditions(rubric, wanted)
        self._samples = options.samples or settings(rubric).samples

    def judge(self, items: Sequence[Item], progress: Progress) -> Iterator[Judgement]:
        """Every judgement as soon as it is whole.

        Raises:
            EnvironmentFailure: at once where the model cannot be asked at all; at the end where
                some items could not be judged.
            Cancelled: ``progress`` says so.
        """
        by_id = {item.id: item for item in items}
        judged: dict[str, dict[str, Judgement]] = {name: {} for name in by_id}
        faults = Faults(self._asker.who, "answers could not be judged")
        unjudged = list(by_id)
        while unjudged:
            questions = [
                question
                for name in unjudged
                for criterion in self._next(judged[name])
                for question in self._questions(by_id[name], criterion)
            ]
            for judgement in self._judged(questions, faults, progress):
                judged[judgement.item][judgement.criterion] = judgement
                yield judgement
            unjudged = [
                name for name in unjudged if name not in faults.of and self._next(judged[name])
            ]
        faults.check(len(by_id))

    def questions(self, items: Iterable[Item]) -> Iterator[Question]:
        """All that may be asked of these items; conditions may leave some of it out."""
        for item in items:
            for criterion in self._rubric.criteria:
                if criterion.id in self._wanted:
                    yield from self._questions(item, criterion)

    def stored(self, item: Item) -> dict[str, Judgement] | None:
        """Criterion -> judgement from replies that are stored; None if anything is missing."""
        judgements: dict[str, Judgement] = {}
        while criteria := self._next(judgements):
            for criterion in criteria:
                questions = self._questions(item, criterion)
                replies = [self._asker.known(question.request) for question in questions]
                stored_replies = [reply for reply in replies if reply is not None]
                if len(stored_replies) < len(questions):
                    return None
                judgements[criterion.id] = _judgement(questions, stored_replies)
        return judgements

    def _next(self, judgements: Mapping[str, Judgement]) -> list[Criterion]:
        """The criteria that can be asked now."""
        values = {
            name: judgement.value for name, judgement in judgements.items() if not judgement.error
        }
        return [
            criterion
            for criterion in asked_criteria(self._rubric, values)
            if criterion.id in self._wanted and criterion.id not in judgements
        ]

    def _questions(self, item: Item, criterion: Criterion) -> list[Question]:
        pair = len(item.answers) > 1
        orders = (False, True) if pair else (False,)
        prompts = [prompt(self._rubric, criterion, item, swapped=turned) for turned in orders]
        count = math.ceil(self._samples / len(orders)) * len(orders)  # as many in either order
        turns = itertools.cycle(zip(prompts, orders, strict=True))
        return [
            Question(item.id, criterion, sample, messages, turned)
            for sample, (messages, turned) in zip(range(count), turns, strict=False)
        ]

    def _judged(
        self, questions: Sequence[Question], faults: Faults, progress: Progress
    ) -> Iterator[Judgement]:
        together: dict[tuple[str, str], list[Question]] = defaultdict(list)
        for question in questions:
            together[question.item, question.criterion.id].append(question)
        replies: dict[tuple[str, str], dict[int, Reply]] = defaultdict(dict)
        requests = [question.request for question in questions]
        for index, outcome in self._asker.ask(requests, progress):
            question = questions[index]
            if isinstance(outcome, Fault):
                faults.add(question.item, outcome.words)
                continue
            place = question.item, question.criterion.id
            replies[place][question.sample] = outcome
            whole = together[place]
            if len(replies[place]) == len(whole):
                yield _judgement(whole, [replies[place][part.sample] for part in whole])


def _judgement(questions: Sequence[Question], replies: Sequence[Reply]) -> Judgement:
    """What all samples of one criterion of one item come to."""
    item, criterion = questions[0].item, questions[0].criterion
    samples: list[Any] = []
    evidence: list[str] = []
    for question, reply in zip(questions, replies, strict=True):
        try:
            why, value = read(criterion, reply.text)
        except Unreadable as error:
            # One that cannot be read spoils them all: the rest would be no fair sample.
            place = f"reply {question.sample + 1} of {len(questions)}"
            return Judgement(item, criterion.id, error=f"{place} cannot be read: {error}")
        if criterion.scale.kind == "pairwise" and question.swapped and value is not None:
            value = _TURNED[value]
        samples.append(value)
        evidence.append(why)
    value = settle(criterion, samples)
    # The words of a sample that says what all of them come to; a mean need be none of them.
    agreeing = samples.index(value) if value in samples else 0
    return Judgement(item, criterion.id, value, tuple(samples), evidence[agreeing])
