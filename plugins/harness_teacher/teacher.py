"""The augmenter ``teacher``: a larger model writes rows for what is weak, and they are verified."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field, field_validator

import harness
from harness import Context, Dataset, Example, PlanItem, Verification
from harness.kit.features import addresses
from harness.kit.files import digest
from harness.remote import (
    Asker,
    Fault,
    Faults,
    Reply,
    Request,
    ServerOptions,
    check_server,
    foresee_server,
    money,
)
from harness_teacher import asking, verifying

ROUNDS = 5
"""Times the requests that would do if no row were refused, after which no more are sent."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that the teacher wrote, before anything has verified it.

    Attributes:
        shots: rows of train that its request showed.
        answer: the teacher's own.
        reply: the reply that holds it, with ``rows`` rows in all.
        request: digest of the request.
    """

    row: Example
    shots: tuple[Example, ...]
    answer: str
    reply: Reply
    rows: int
    request: str


class Teacher(harness.Augmenter):
    """Asks a model behind an OpenAI-compatible API for training rows.

    A request holds the slice in words, the counted kinds of errors, and rows of train; never a row
    of dev or test. A row is proposed once every entry of ``verify`` has passed it; what a row was
    made of, and what each entry said, stays with it.
    """

    name = "teacher"
    remedy = "have rows written"
    known_as = ("synthetic", "self-instruct", "distill")

    class Options(ServerOptions):
        mode: Literal["write", "answer", "reword"] = Field(
            "write",
            description="`write` new rows, `answer` prompts of the pool, or `reword` prompts of "
            "train",
        )
        task: str = Field("", description="what the model is for, in a sentence or two")
        examples: int = Field(4, ge=1, le=50, description="rows of train that a request shows")
        per_request: int = Field(4, ge=1, le=50, description="rows asked for at once")
        verify: tuple[Mapping[str, Any], ...] = Field(
            (),
            description="what a row has to pass: `{agree: 3}`, `{metric: NAME, at_least: NUMBER}`, "
            "`{plugin: NAME}` of a verifier",
        )
        temperature: float | None = Field(
            0.8, ge=0, le=2, description="of an answer; null leaves it to the server"
        )
        max_tokens: int | None = Field(
            2048, ge=16, description="longest answer; null leaves it to the server"
        )
        timeout: float = Field(120, gt=0, le=3600, description="seconds for one answer")

        @field_validator("verify")
        @classmethod
        def _entries(cls, entries: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
            return tuple(map(verifying.entry, entries))

    options: Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        if options is not None:
            check_server(self.options)

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        yield from foresee_server(self.options)
        try:
            _ = self._verifiers
        except harness.ConfigError as error:
            yield harness.Problem(" ".join((error.what, *error.details)), ("verify",))
        if not self.options.verify:
            message = "rows are proposed as the teacher writes them: verify says what they pass"
            yield harness.Problem(message, ("verify",), "note")
        for raw in self.options.verify:
            if raw.get("model") == self.options.model:
                message = f"{verifying.label(raw)} judges rows of the very model that wrote them"
                yield harness.Problem(message, ("verify",), "note")

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        """See :meth:`harness.Augmenter.propose`.

        Raises:
            EnvironmentFailure: the server leaves requests unanswered; what it said is kept.
            DataError: train has no row that could be shown.
        """
        train = [row for row in data.split("train") if asking.is_single(row)]
        if not train:
            raise harness.DataError(
                "train has no row that a teacher could be shown: one turn of a user, in text, with "
                "an answer"
            )
        conditions = item.slice.conditions if item.slice else ()
        own = [row for row in train if addresses(conditions, row)]
        used = {row.id for row in data.examples}
        drafts = {"write": self._written, "reword": self._reworded, "answer": self._answered}
        source = data.split("pool") if self.options.mode == "answer" else own or train
        draw = random.Random(f"{context.seed}/{item.slice.words if item.slice else ''}")
        for batch in drafts[self.options.mode](item, source, own or train, draw, context):
            fresh = []
            for draft in batch:
                if self.options.mode == "write" and not addresses(conditions, draft.row):
                    context.refuse("teacher: a row of another slice")
                elif draft.row.id not in used or self.options.mode == "answer":
                    used.add(draft.row.id)
                    fresh.append(draft)
            yield from self._verified(fresh, context)

    def _written(
        self,
        item: PlanItem,
        source: Sequence[Example],
        shown: Sequence[Example],
        draw: random.Random,
        context: Context,
    ) -> Iterator[list[Draft]]:
        """New rows, a batch of requests after another."""
        each = self.options.per_request
        for requests in self._batches(item.rows, each):
            shots = [_drawn(source, self.options.examples, draw) for _ in range(requests)]
            asked = [
                Request(asking.write(self.options.task, item, some, each), accept=_readable)
                for some in shots
            ]
            drafts = []
            for place, reply in self._replies(asked, context):
                rows = _read(asking.rows_in, reply, context)
                for number, (prompt, answer) in enumerate(rows):
                    row = _like(shots[place][0], prompt, answer, item)
                    drafts.append(self._draft(row, shots[place], asked[place], reply, number, rows))
            yield drafts

    def _reworded(
        self,
        item: PlanItem,
        source: Sequence[Example],
        shown: Sequence[Example],
        draw: random.Random,
        context: Context,
    ) -> Iterator[list[Draft]]:
        """Rows of train in other words, with their answers."""
        rows = list(source)
        draw.shuffle(rows)
        each = self.options.per_request
        step = max(1, -(-item.rows // each))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            asked = [
                Request(asking.reword(self.options.task, row, each), accept=_rewords)
                for row in some
            ]
            drafts = []
            for place, reply in self._replies(asked, context):
                parent = some[place]
                prompts = _read(asking.prompts_in, reply, context)
                for number, prompt in enumerate(prompts):
                    row = _with_prompt(parent, prompt, parent.references[0], parent.meta)
                    drafts.append(self._draft(row, (parent,), asked[place], reply, number, prompts))
            yield drafts

    def _answered(
        self,
        item: PlanItem,
        source: Sequence[Example],
        shown: Sequence[Example],
        draw: random.Random,
        context: Context,
    ) -> Iterator[list[Draft]]:
        """Prompts of the pool with the teacher's answers, in place of any that they have."""
        conditions = item.slice.conditions if item.slice else ()
        rows = [row for row in source if addresses(conditions, row)]
        draw.shuffle(rows)
        for start in range(0, len(rows), item.rows):
            some = rows[start : start + item.rows]
            shots = [_drawn(shown, self.options.examples, draw) for _ in some]
            asked = [
                Request(asking.answer(self.options.task, row.messages, few))
                for row, few in zip(some, shots, strict=True)
            ]
            drafts = []
            for place, reply in self._replies(asked, context):
                row = replace(some[place], references=(reply.text.strip(),), thought="")
                drafts.append(self._draft(row, shots[place], asked[place], reply, None, [row]))
            yield drafts

    def _batches(self, rows: int, each: int) -> Iterator[int]:
        """How many requests are sent at once: what would do, then as many again and again."""
        needed = max(1, -(-rows // each))
        yield from [needed] * ROUNDS

    def _draft(
        self,
        row: Example,
        shots: Sequence[Example],
        request: Request,
        reply: Reply,
        number: int | None,
        rows: Sequence[Any],
    ) -> Draft:
        key = self._asker.key(request)
        if number is not None:
            row = replace(row, id=f"{self.name}-{key[:12]}-{number + 1}")
        return Draft(row, tuple(shots), row.references[0], reply, len(rows), key)

    def _verified(self, drafts: Sequence[Draft], context: Context) -> Iterator[Example]:
        """The rows that pass everything, with what was said of them."""
        others = self._other_answers(drafts, context)
        for draft, answers in zip(drafts, others, strict=True):
            row, said = draft.row, dict[str, str]()
            for name, verifier in self._verifiers.items():
                if verifier is None:
                    answer, words = verifying.agreed([draft.answer, *answers])
                    fixed = self.options.mode == "reword"
                    fine = answer is not None and not (
                        fixed and not verifying.is_same(answer, draft.answer)
                    )
                    if answer is not None and not fixed:
                        row = replace(row, references=(answer,))
                    verification = Verification(fine, words)
                elif isinstance(verifier, verifying.Passes):
                    verification = verifier.verify(row)
                else:
                    verification = harness.verified(verifier, row, context)
                said[name] = verification.said
                if not verification.passes:
                    context.refuse(f"verify: {name}")
                    break
            else:
                yield replace(row, origin=self._provenance(draft, said, answers))

    def _other_answers(self, drafts: Sequence[Draft], context: Context) -> list[list[str]]:
        """For each draft the teacher's further answers to its prompt, where agreement is asked."""
        count = max(verifying.asked(self.options.verify) - 1, 0)
        requests = [
            Request(asking.answer(self.options.task, draft.row.messages, draft.shots), number)
            for draft in drafts
            for number in range(1, count + 1)
        ]
        replies = dict(self._replies(requests, context))
        return [
            [replies[place * count + number].text.strip() for number in range(count)]
            for place in range(len(drafts))
        ]

    def _replies(
        self, requests: Sequence[Request], context: Context
    ) -> Iterator[tuple[int, Reply]]:
        """The answers, in the order of the requests: what is proposed must not depend on speed.

        Raises:
            EnvironmentFailure: some are missing; the others are kept.
        """
        faults = Faults(self._asker.who, "requests have no answer")
        replies: dict[int, Reply] = {}

        def progress(done: int, total: int, what: str) -> None:
            context.check()

        for place, outcome in self._asker.ask(requests, progress):
            if isinstance(outcome, Fault):
                faults.add(str(place), outcome.words)
            else:
                replies[place] = outcome
        faults.check(len(requests))
        yield from sorted(replies.items())

    def _provenance(
        self, draft: Draft, said: Mapping[str, str], answers: Sequence[str]
    ) -> dict[str, Any]:
        """How a row came about, as JSON values."""
        reply, price = draft.reply, self.options.price
        prompt, answer = reply.prompt_tokens, reply.answer_tokens
        made: dict[str, Any] = {
            "teacher": reply.served or self.options.model,
            "mode": self.options.mode,
            "request": draft.request[:16],
            "shown": [row.id for row in draft.shots],
            "verified": dict(said),
        }
        if prompt is not None and answer is not None:
            made["tokens"] = round((prompt + answer) / draft.rows)
            if price is not None:
                made["money"] = money(price, prompt, answer) / draft.rows
        return made

    @functools.cached_property
    def _asker(self) -> Asker:
        who = f"teacher {self.options.model} at {self.options.endpoint}"
        return Asker(self.options, who, stage="augment: teacher")

    @functools.cached_property
    def _verifiers(self) -> dict[str, verifying.Passes | harness.Verifier | None]:
        """What an entry is called -> what verifies; None for agreement.

        Raises:
            ConfigError: one of them does not exist, or its options cannot be used.
        """
        verifiers: dict[str, verifying.Passes | harness.Verifier | None] = {}
        for raw in self.options.verify:
            if "agree" in raw:
                verifiers[verifying.label(raw)] = None
            elif "metric" in raw:
                verifiers[verifying.label(raw)] = verifying.Passes(raw)
            else:
                options = {key: raw[key] for key in raw.keys() - {"plugin"}}
                made = harness.make_plugin("verifier", raw["plugin"], options)
                assert isinstance(made, harness.Verifier)
                verifiers[verifying.label(raw)] = made
        return verifiers


def _drawn(rows: Sequence[Example], count: int, draw: random.Random) -> list[Example]:
    return draw.sample(list(rows), min(count, len(rows)))


def _readable(reply: str) -> bool:
    return _fits(asking.rows_in, reply)


def _rewords(reply: str) -> bool:
    return _fits(asking.prompts_in, reply)


def _fits(read: Any, reply: str) -> bool:
    try:
        read(reply)
    except ValueError:
        return False
    return True


def _read(read: Any, reply: Reply, context: Context) -> list[Any]:
    """What a reply holds; one that cannot be read is counted."""
    try:
        return list(read(reply.text))
    except ValueError:
        context.refuse("teacher: a reply that cannot be read")
        return []


def _like(parent: Example, prompt: str, answer: str, item: PlanItem) -> Example:
    """A new row in the place of ``parent``, which says how such rows look."""
    conditions = item.slice.conditions if item.slice else ()
    # Facts of the slice hold for it, others are the parent's own.
    meta = {c.feature: parent.meta[c.feature] for c in conditions if c.feature in parent.meta}
    return _with_prompt(parent, prompt, answer, meta)


def _with_prompt(parent: Example, prompt: str, answer: str, meta: Mapping[str, Any]) -> Example:
    # The row has one turn of a user: only such rows are shown.
    messages = tuple(
        {**turn, "content": prompt} if turn.get("role") == "user" else turn
        for turn in parent.messages
    )
    return replace(
        parent, id=digest([parent.id, prompt])[:12], messages=messages, references=(answer,),
        meta=meta, group="", thought="", parent=parent.id, origin=None, place="",
    )  # fmt: skip
