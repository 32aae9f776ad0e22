"""The stage that asks the base model in another way, or another model: baseline."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.boundary.results import refused, returned, short, wrong
from harness.kit.text import one_line
from harness.records import SYSTEM_ROLES, Example, Form, Message, Prediction
from harness.records.context import Context
from harness.stages.base import Conflict, Plugin
from harness.stages.generator import checked_form, in_order

ROLES = (*SYSTEM_ROLES, "user", "assistant")
"""Of turns that may stand before a prompt."""
LONGEST = 400
"""Characters of what a baseline says of itself."""


class Baseline(Plugin):
    """Changes prompts of the untuned base model: is training needed at all?

    Its answers to dev are what the best round has to beat. It is no round: it is not kept, and
    changes no verdict of one. One that names a :meth:`model` has that answer in place of the base
    model: no prompt that would do instead of training, but a mark to be reached.
    """

    stage = "baseline"

    def prompts(
        self, rows: Sequence[Example], train: Sequence[Example], context: Context
    ) -> Iterable[Example]:
        """The rows with other turns before their own, one for each, in order.

        A row's own turns stay the last ones, its system turn excepted; of what is returned only
        ``messages`` count. Every row of ``rows`` and ``train`` has a ``group``: two rows with the
        same one belong together or come from one row, so that neither may be shown in the other's
        prompt.

        Args:
            rows: of dev, without references and meta.
            train: the rows of train, with both.

        Raises:
            harness.errors.ConfigError: these rows do not allow what the options ask for.
        """
        raise NotImplementedError

    def description(self, train: Sequence[Example]) -> str:
        """What it puts before the prompts, in a line for reports."""
        return (type(self).__doc__ or "").partition("\n")[0]

    def form(self, train: Sequence[Example]) -> Form | None:
        """What answers are held to, where the base model gives them. Optional: None, nothing.

        Raises:
            harness.errors.ConfigError: these rows have no such form.
        """
        return None

    def model(self) -> str:
        """Name of the model that answers in place of the run's base model. Optional.

        Known from the options alone. Empty: the base model answers.
        """
        return ""

    def answers(self, rows: Sequence[Example], context: Context) -> Iterable[Prediction]:
        """That model's answers, one for each row, in any order.

        Called in the run's own process, on dev, and on test once that is opened. What is remarked
        (:meth:`harness.Context.remark`) stands among the notes of every report.

        Args:
            rows: as :meth:`prompts` gave them, without references and meta.

        Raises:
            harness.errors.EnvironmentFailure: the model cannot be asked, or left rows unanswered.
        """
        raise NotImplementedError

    def money(self, prompt: int, answer: int) -> float | None:
        """What so many tokens of prompts and of answers cost at that model; None: not known."""
        return None


@dataclass(frozen=True, slots=True)
class Held:
    """Prompts that must not be shown.

    Attributes:
        prompts: of rows of dev and test, but for texts that users say in train, too.
        families: what users say in train -> the families in which they say it.
    """

    prompts: Collection[str]
    families: Mapping[str, Collection[str]]

    def refuses(self, text: str, family: str) -> str:
        """Why the prompt of a row of that family must not show this text, or an empty string."""
        if text in self.prompts:
            return "a row of dev or test"
        if set(self.families.get(text, ())) == {family}:
            return "a row that belongs together with it"
        return ""


def prompted(
    baseline: Baseline,
    asked: Sequence[Example],
    train: Sequence[Example],
    held: Held,
    context: Context,
) -> list[Example]:
    """One row for each that was asked for, in order: the row itself, with other turns before.

    Args:
        asked: rows of dev or test, each with its family as ``group``.

    Raises:
        PluginError: a row was changed otherwise, or another one is shown that must not be.
    """
    prompts = iter(returned(Baseline.prompts, baseline.prompts(asked, train, context)))
    checked = []
    for row in asked:
        what, prompt = f"prompts() for '{short(row.id)}'", next(prompts, None)
        if prompt is None:
            raise refused(f"{what} is missing")
        if prompt.id != row.id:
            raise refused(f"{what} has the id '{short(prompt.id)}'")
        own = [turn for turn in row.messages if turn.get("role") not in SYSTEM_ROLES]
        if not own or list(prompt.messages[-len(own) :]) != own:
            raise refused(f"{what}: its last turns are not those of the row")
        for turn in prompt.messages[: -len(own)]:
            _check_added(turn, row, held, what)
        # A copy: nobody may change afterwards what has passed.
        checked.append(replace(row.as_asked(), messages=copy.deepcopy(prompt.messages)))
    return checked


def _check_added(turn: Message, row: Example, held: Held, what: str) -> None:
    role, content = turn.get("role"), turn.get("content")
    if role not in ROLES:
        raise wrong(f"{what}: the role of a turn", role, f"one of {', '.join(ROLES)}")
    text = content if role == "user" and isinstance(content, str) else None
    if text is not None and (why := held.refuses(text, row.group)):
        raise refused(f"{what}: it shows {why}")


def description_of(baseline: Baseline, train: Sequence[Example]) -> str:
    """What a baseline says that it puts before the prompts, in a line."""
    line = returned(Baseline.description, baseline.description(train))
    if not line.strip():
        raise wrong("description()", line, "a line of text")
    return one_line(line, LONGEST)


def form_of(baseline: Baseline, train: Sequence[Example]) -> Form | None:
    """What a baseline holds the base model's answers to."""
    return checked_form(baseline.form(train))


def model_of(baseline: Baseline) -> str:
    """The model that answers in place of the base model, in a line; empty where none does."""
    return one_line(returned(Baseline.model, baseline.model()), LONGEST)


def answered(baseline: Baseline, rows: Sequence[Example], context: Context) -> list[Prediction]:
    """The answers of a baseline's own model, one for each row, in the order of the rows."""
    return in_order(returned(Baseline.answers, baseline.answers(rows, context)), rows)


def exercise_baseline(
    baseline: Baseline,
    asked: Sequence[Example],
    train: Sequence[Example],
    held: Held,
    context: Context,
) -> list[Example]:
    """The prompts, answered by the baseline's own model where it has one."""
    rows = prompted(baseline, asked, train, held, context)
    form_of(baseline, train)
    if model_of(baseline):
        answered(baseline, rows, context)
    return rows


def decided_by_people(settings: Any, entries: Mapping[str, Sequence[Any]]) -> Iterator[Conflict]:
    """Refuse other prompts where people decide: batches hold answers of rounds alone."""
    primary = settings.primary
    people = [entry for entry in entries.get("metrics", ()) if entry.instance.by_people]
    if entries.get("baselines") and any(primary in entry.score_names for entry in people):
        yield (
            ("baselines",),
            f"the primary score '{primary}' comes from raters, who rate the answers of rounds "
            "only, so nothing could be compared with other prompts: take baselines out, or let "
            "another score decide",
        )
