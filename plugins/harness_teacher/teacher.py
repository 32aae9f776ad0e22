"""The augmenter ``teacher``: a larger model writes rows for what is weak, and they are verified."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

import harness
from harness import Context, Dataset, Example, PlanItem, Verification
from harness.kit.features import addresses
from harness.kit.readers import Record, each_of
from harness.kit.remote.asking import Asker
from harness.kit.remote.client import foreseen
from harness.kit.remote.options import ServerOptions, check_server, foresee_server, money
from harness.kit.remote.replies import Reply, Request
from harness.kit.text import one_line
from harness_teacher import asking, verifying
from harness_teacher.local import USUAL, LocalAsker, entry_of, generator_of

MOST_BATCHES = 5
"""Batches of requests for new rows, each of as many as would do if no row were refused."""
ENOUGH_UNUSABLE = 3
"""Replies that cannot be used, with none that can, after which no more is asked."""
SERVER_OPTIONS = ("model", "key", "price", "batch", "timeout", "wait", "concurrency", "send_as")
UNUSABLE = "teacher: a reply that cannot be used"
OTHER_SLICE = "teacher: a row of another slice"
STANDS = "teacher: the answer of the row stands"
NO_REASONS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for rows.

    Attributes:
        shots: rows of train that it shows.
        parent: the row that the new ones are made after.
        reason: of a suspect row: why it is one.
    """

    request: Request
    shots: tuple[Example, ...]
    parent: Example
    reason: str = ""


@dataclass(slots=True)
class Draft:
    """A row that the teacher wrote, on its way through what it has to pass.

    Attributes:
        reply: the reply that holds it, with ``rows`` rows in all.
        further: the teacher's further answers to its prompt, where agreement is asked.
        said: what each entry of ``verify`` said of it.
    """

    row: Example
    ask: Ask
    reply: Reply
    rows: int
    further: tuple[Reply, ...] = ()
    said: dict[str, str] = field(default_factory=dict)


class Teacher(harness.Augmenter):
    """Asks a model behind an OpenAI-compatible API for training rows.

    A request holds the slice in words, the counted kinds of errors, and rows of train; never a row
    of dev or test. A row is proposed once every entry of ``verify`` has passed it; what a row was
    made of, and what each entry said, stays with it.
    """

    name = "teacher"
    remedy = "have rows written"
    known_as = ("synthetic", "self-instruct", "distill")
    writes = True

    class Options(ServerOptions):
        mode: Literal["write", "answer", "reword", "correct"] = Field(
            "write",
            description="`write` new rows, `answer` prompts of the pool, `reword` prompts of "
            "train, or `correct` the answers of suspect rows",
        )
        suspects: Path | None = Field(
            None, description="of `correct`: the file that `harness data suspects` writes"
        )
        local: Annotated[harness.Named[harness.Model], BeforeValidator(entry_of)] | None = Field(
            None,
            description="in place of a server: the folder of a model, or a model as under `model`",
        )
        generate: harness.Named[harness.Generator] | None = Field(
            None, description="of `local`: who generates its answers, as under `generate`"
        )
        task: str = Field("", description="what the model is for, in a sentence or two")
        examples: int = Field(4, ge=1, le=50, description="rows of train that a request shows")
        per_request: int = Field(4, ge=1, le=50, description="rows asked for at once")
        verify: tuple[verifying.Entry, ...] = Field(
            (),
            description="what a row has to pass: `{agree: 3}`, `{form: json}`, `{metric: NAME, "
            "at_least: NUMBER}`, `{plugin: NAME}` of a verifier",
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
        def _entries(cls, entries: Sequence[verifying.Entry]) -> Sequence[verifying.Entry]:
            if sum(isinstance(entry, verifying.Agreement) for entry in entries) > 1:
                raise ValueError("agree stands once among the entries of verify")
            return entries

        @model_validator(mode="before")
        @classmethod
        def _generated(cls, given: Any) -> Any:
            """A local model has a generator, and `generate` may hold nothing but its options."""
            if not isinstance(given, Mapping) or given.get("local") is None:
                return given
            options = given.get("generate") or {}
            if isinstance(options, Mapping):
                options = {"plugin": USUAL, **options}
            return {**given, "generate": options}

        @model_validator(mode="after")
        def _together(self) -> Self:
            if (self.mode == "correct") != (self.suspects is not None):
                raise ValueError("mode: correct and suspects: FILE belong together")
            if self.local is not None and self.endpoint:
                raise ValueError("either endpoint or local is needed: which model is to write?")
            fields = type(self).model_fields
            idle = [name for name in SERVER_OPTIONS if getattr(self, name) != fields[name].default]
            if idle and self.local is not None:
                raise ValueError(f"{', '.join(idle)}: no effect beside local, which asks no server")
            if self.generate is not None and self.local is None:
                raise ValueError("generate has no effect without local")
            return self

    options: Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        if options is not None and self.options.local is None:
            check_server(self.options)

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        if self.options.local is None:
            yield from foresee_server(self.options, settings)
        else:
            try:
                self._generator()
            except harness.ConfigError as error:
                yield harness.Problem(" ".join((error.what, *error.details)), ("generate",))
        if self.options.suspects is not None:
            try:
                read_suspects(self.options.suspects)
            except harness.DataError as error:
                message = "; ".join((f"{error.what} ({error.where})", *error.details))
                yield harness.Problem(message, ("suspects",))
        try:
            self._verifiers()
        except harness.ConfigError as error:
            yield harness.Problem(" ".join((error.what, *error.details)), ("verify",))
        if not self.options.verify:
            message = "rows are proposed as the teacher writes them: verify says what they pass"
            yield harness.Problem(message, ("verify",), "note")
        for name, entry in verifying.named(self.options.verify):
            own = entry.metric.plugin.options if isinstance(entry, verifying.Scored) else None
            if self.options.model and getattr(own, "model", None) == self.options.model:
                message = f"{name} judges rows of the very model that wrote them"
                yield harness.Problem(message, ("verify",), "note")
        if verifying.compared(self.options.verify) and self.options.temperature == 0:
            message = "at temperature 0 the answers that are compared are hardly samples"
            yield harness.Problem(message, ("temperature",), "note")

    def requests(self, rows: Sequence[Example], count: int) -> harness.Requests | None:
        """See :meth:`harness.Plugin.requests`: where no row is refused, and prompts are of the
        mean length; as many again, up to four times, where rows are refused.
        """
        if self.options.local is not None:
            return None
        per_request = 1 if self.options.mode in ("answer", "correct") else self.options.per_request
        single = [row for row in rows if asking.is_single(row)]
        draw = random.Random(0)
        item, task = PlanItem(None, count, self.remedy), self.options.task
        # Some requests stand for all: what they cost is of their length.
        like: list[Request] = []
        for row in draw.sample(single, min(len(single), 50)):
            shots = (row, *draw.sample(single, min(self.options.examples - 1, len(single))))
            if self.options.mode == "write":
                messages = asking.write(task, item, shots, per_request)
            elif self.options.mode == "reword":
                messages = asking.reword(task, row, per_request)
            else:
                messages = asking.answer(task, row.messages, shots)
            like.append(Request(messages))
        further = count * max(0, verifying.compared(self.options.verify) - 1)
        times = (math.ceil(count / per_request) + further) / max(1, len(like))
        return foreseen(self.options, like, times=times, sure=False)

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        """See :meth:`harness.Augmenter.propose`.

        Raises:
            EnvironmentFailure: the server leaves requests unanswered; what it said is kept.
            DataError: there is no row that could be shown, corrected, or compared with.
        """
        if context.arm != harness.BASE_ARM:
            yield from _real_rows(data, context)
            return
        self._asker: Asker | LocalAsker = self._asker_for(context)
        asks = {
            "write": self._new_rows, "reword": self._rewordings, "answer": self._answers,
            "correct": self._corrections,
        }  # fmt: skip
        conditions = item.slice.conditions if item.slice else ()
        labels = _labels(data)
        draw = random.Random(f"{context.seed}/{item.slice.words if item.slice else ''}")
        used = {row.id for row in data.examples}
        verifiers = self._verifiers()
        before, sent = context.refused[UNUSABLE], 0
        # Each round of this loop asks for a batch, until the core has taken enough rows.
        for batch in asks[self.options.mode](item, data, draw):
            drafts = []
            replies = self._replies([ask.request for ask in batch], context)
            for ask, reply in zip(batch, replies, strict=True):
                for draft in self._drafts(ask, reply, item, context):
                    if not addresses(conditions, draft.row):
                        context.refuse(OTHER_SLICE)
                    elif draft.row.id not in used:
                        used.add(draft.row.id)
                        drafts.append(draft)
            unusable, sent = context.refused[UNUSABLE] - before, sent + len(batch)
            if unusable == sent >= ENOUGH_UNUSABLE:
                raise self._nothing_usable(replies, sent)
            for draft in self._verified(drafts, verifiers, context):
                row = _labelled(draft.row, labels)
                # Once more: agreement may have put another answer, and with it a label, in its row.
                if self.options.mode == "write" and not addresses(conditions, row):
                    context.refuse(OTHER_SLICE)
                elif self.options.mode == "correct" and _stands(draft):
                    context.refuse(STANDS)
                else:
                    yield replace(row, origin=self._provenance(draft))

    def _new_rows(self, item: PlanItem, data: Dataset, draw: random.Random) -> Iterator[list[Ask]]:
        """Requests for new rows like those of train in the slice."""
        rows = _rows_to_show(item, data)
        for _ in range(MOST_BATCHES):
            batch = []
            for _ in range(math.ceil(item.rows / self.options.per_request)):
                shots = self._shots(rows, draw)
                messages = asking.write(self.options.task, item, shots, self.options.per_request)
                request = Request(messages, _sample(draw), accept=_fits(asking.rows_in))
                batch.append(Ask(request, shots, shots[0]))
            yield batch

    def _rewordings(
        self, item: PlanItem, data: Dataset, draw: random.Random
    ) -> Iterator[list[Ask]]:
        """Requests for other wordings of prompts of train in the slice."""
        rows = _in_slice(item, filter(asking.is_single, data.split("train")))
        draw.shuffle(rows)
        per_request = self.options.per_request
        for members in _batches(rows, math.ceil(item.rows / per_request)):
            batch = []
            for row in members:
                messages = asking.reword(self.options.task, row, per_request)
                request = Request(messages, _sample(draw), accept=_fits(asking.prompts_in))
                batch.append(Ask(request, (row,), row))
            yield batch

    def _answers(self, item: PlanItem, data: Dataset, draw: random.Random) -> Iterator[list[Ask]]:
        """Requests for answers to prompts of the pool in the slice."""
        answered = {row.parent for row in data.split("train")}
        rows = [row for row in _in_slice(item, data.split("pool")) if row.id not in answered]
        draw.shuffle(rows)
        yield from self._answers_to(rows, _rows_to_show(item, data), item.rows, draw)

    def _corrections(
        self, item: PlanItem, data: Dataset, draw: random.Random
    ) -> Iterator[list[Ask]]:
        """Requests for answers to prompts of suspect rows, which are not shown their own answer:
        the worst suspect first."""
        assert self.options.suspects is not None
        reasons = read_suspects(self.options.suspects)
        train = {row.id: row for row in data.split("train") if asking.is_single(row)}
        # Of a row that was corrected in an earlier round only its correction is in train.
        names = {name for row in data.split("train") for name in (row.id, row.parent)}
        if not reasons.keys() & names:
            raise harness.DataError(
                f"none of its {len(reasons)} rows is a row of train",
                where=str(self.options.suspects),
                hint="harness data suspects lists rows of the config's train; those that are cut "
                "off for valid are not corrected",
            )
        corrected = {row.parent for row in train.values()}
        trusted = [row for row in train.values() if row.id not in reasons]
        if not trusted:
            raise harness.DataError("every row of train that could be shown is a suspect")
        doubted = [train[name] for name in reasons if name in train and name not in corrected]
        to_show = _in_slice(item, trusted) or trusted
        yield from self._answers_to(_in_slice(item, doubted), to_show, item.rows, draw, reasons)

    def _answers_to(
        self, rows: Sequence[Example], to_show: Sequence[Example], size: int, draw: random.Random,
        reasons: Mapping[str, str] = NO_REASONS,
    ) -> Iterator[list[Ask]]:  # fmt: skip
        """Batches of ``size`` requests for answers to the prompts of these rows."""
        for members in _batches(rows, size):
            batch = []
            for row in members:
                shots = self._shots(to_show, draw)
                messages = asking.answer(self.options.task, row.messages, shots)
                reason = reasons.get(row.id, "")
                batch.append(Ask(Request(messages, _sample(draw)), shots, row, reason))
            yield batch

    def _shots(self, rows: Sequence[Example], draw: random.Random) -> tuple[Example, ...]:
        """Rows to show: one, and others with the same instructions."""
        first = draw.choice(rows)
        system = asking.instructions(first.messages)
        others = [
            row for row in rows if row is not first and asking.instructions(row.messages) == system
        ]
        return (first, *draw.sample(others, min(self.options.examples - 1, len(others))))

    def _drafts(self, ask: Ask, reply: Reply, item: PlanItem, context: Context) -> Iterator[Draft]:
        """The rows that a reply holds; one that cannot be used is counted."""
        parent, mode = ask.parent, self.options.mode
        try:
            if mode == "write":
                meta = _meta_of(item, parent)
                rows = [
                    _with_prompt(replace(parent, references=(answer,), meta=meta), text)
                    for text, answer in asking.rows_in(reply.text)
                ]
            elif mode == "reword":
                rows = [_with_prompt(parent, text) for text in asking.prompts_in(reply.text)]
            else:
                rows = [replace(parent, references=(asking.whole(reply),))]
        except ValueError:
            context.refuse(UNUSABLE)
            return
        key = self._asker.key(ask.request)
        for number, row in enumerate(rows, start=1):
            # By the request, so that the same reply gives the same rows after an interruption.
            name = f"{self.name}-{key[:12]}-{number}"
            written = replace(
                row, id=name, group="", parent=parent.id, origin=None, place="", thought=""
            )
            yield Draft(written, ask, reply, len(rows))

    def _nothing_usable(self, replies: Sequence[Reply], sent: int) -> harness.EnvironmentFailure:
        """More requests would only cost more."""
        begins = one_line(replies[0].text, 120) or "nothing"
        return harness.EnvironmentFailure(
            f"none of its {sent} replies can be used; one begins: {begins}",
            where=self._asker.who,
            hint=f"take a model that follows instructions. Replies are kept: once the server "
            f"answers otherwise, remove {self.options.cache} and give the same command",
        )

    def _verified(
        self,
        drafts: Sequence[Draft],
        verifiers: Mapping[str, verifying.Verify | None],
        context: Context,
    ) -> Iterator[Draft]:
        """The rows that pass everything."""
        # Agreement (None) first: which answer stands is decided before anything is said of it.
        for name, verifier in sorted(verifiers.items(), key=lambda entry: entry[1] is not None):
            if not drafts:
                return
            results: Iterable[Verification]
            if verifier is None:
                results = self._agreements(drafts, context)
            else:
                results = verifier([draft.row for draft in drafts], context)
            passed = []
            for draft, result in zip(drafts, results, strict=True):
                draft.said[name] = result.said
                if result.passes:
                    draft.row = result.row or draft.row
                    passed.append(draft)
                else:
                    unscored = result.said == verifying.NOT_SCORED
                    context.refuse(f"verify: {name}" + (", not scored" if unscored else ""))
            drafts = passed
        yield from drafts

    def _agreements(self, drafts: Sequence[Draft], context: Context) -> Iterator[Verification]:
        """Whether the teacher's answers agree; the one that most give is taken."""
        count = verifying.compared(self.options.verify) - 1
        requests = [
            Request(asking.answer(self.options.task, draft.row.messages, draft.ask.shots), number)
            for draft in drafts
            for number in range(1, count + 1)
        ]
        replies = self._replies(requests, context)
        for draft, further in zip(drafts, _batches(replies, count), strict=True):
            draft.further = tuple(further)
            own = draft.row.references[0]
            answer, count_words = verifying.agreed([own, *map(_answer_in, further)])
            if self.options.mode != "reword":
                draft.row = replace(draft.row, references=(own if answer is None else answer,))
            elif answer is not None and not verifying.is_same(answer, own):
                answer = None  # a prompt that is reworded has to keep the answer of its row
            yield Verification(answer is not None, count_words)

    def _replies(self, requests: Sequence[Request], context: Context) -> list[Reply]:
        """The reply to each request.

        Raises:
            EnvironmentFailure: some are missing; the others are kept.
        """

        def progress(done: int, total: int, what: str) -> None:
            context.progress(0, 0, f"{done} of {total} {what}")  # the stage's own bar counts rows

        replies = dict(self._asker.replies(requests, progress, "requests have no answer"))
        # In their order: what is proposed must not depend on which came first.
        return [replies[place] for place in range(len(requests))]

    def _provenance(self, draft: Draft) -> dict[str, Any]:
        """How a row came about, as JSON values; tokens and money are its share."""
        origin: dict[str, Any] = {
            "teacher": draft.reply.served or self.options.model,
            "mode": self.options.mode,
            "request": self._asker.key(draft.ask.request)[:16],
            "shown": [row.id for row in draft.ask.shots],
            "verified": dict(draft.said),
        }
        if self.options.mode == "correct":
            parent = draft.ask.parent
            origin |= {
                "replaces": parent.id, "suspected": draft.ask.reason,
                "before": parent.references[0],
            }  # fmt: skip
        tokens = cost = 0.0
        price = self.options.price
        for reply, rows in [(draft.reply, draft.rows), *((reply, 1) for reply in draft.further)]:
            prompt, answer = reply.prompt_tokens, reply.answer_tokens
            if prompt is None or answer is None:
                return origin  # a server that counts no tokens: neither these nor money are known
            tokens += (prompt + answer) / rows
            cost += money(price, prompt, answer) / rows if price else 0.0
        origin["tokens"] = round(tokens)
        if price:
            origin["money"] = cost
        return origin

    def _asker_for(self, context: Context) -> Asker | LocalAsker:
        """Whom to ask: the server, or the model of this machine."""
        if self.options.local is None:
            who = f"teacher {self.options.model} at {self.options.endpoint}"
            return Asker(self.options, who, stage="augment: teacher")
        own = self.options.generate
        assert own is not None
        sampling = [self.options.temperature, self.options.max_tokens, own.entry.key()]
        return LocalAsker(
            self.options.local.plugin, self._generator(), self.options.tries, sampling,
            self.options.cache, context,
        )  # fmt: skip

    def _generator(self) -> harness.Generator:
        """Of a local model."""
        assert self.options.generate is not None
        return generator_of(
            self.options.generate, self.options.temperature, self.options.max_tokens
        )

    def _verifiers(self) -> dict[str, verifying.Verify | None]:
        """What an entry is called -> what verifies rows; None for agreement.

        Raises:
            ConfigError: a metric has no such score.
        """
        return {
            name: verifying.verifier(entry) for name, entry in verifying.named(self.options.verify)
        }


def _rows_to_show(item: PlanItem, data: Dataset) -> list[Example]:
    """Rows of train that can be shown: those of the slice, or all where it has none.

    Raises:
        DataError: there are none.
    """
    rows = [row for row in data.split("train") if asking.is_single(row)]
    if not rows:
        raise harness.DataError(
            "train has no row that a teacher could be shown: one turn of a user, in text, with "
            "an answer"
        )
    return _in_slice(item, rows) or rows


def _in_slice(item: PlanItem, rows: Iterable[Example]) -> list[Example]:
    conditions = item.slice.conditions if item.slice else ()
    return [row for row in rows if addresses(conditions, row)]


def _real_rows(data: Dataset, context: Context) -> Iterator[Example]:
    """What the control arm gets: real rows of the pool, in seeded random order.

    Raises:
        DataError: the pool has none that is labelled.
    """
    trained = {row.id for row in data.split("train")}
    labelled = [row for row in data.split("pool") if row.references]
    if not labelled:
        raise harness.DataError(
            "control: random compares written rows with real ones, and the pool has no row with "
            "an answer",
            hint="control: none compares with no rows at all",
        )
    rows = [row for row in labelled if row.id not in trained]
    random.Random(context.seed).shuffle(rows)
    yield from rows


def _labels(data: Dataset) -> frozenset[str]:
    """Columns in which rows of train hold their answer: a label that is a feature, too."""
    rows = [row for row in data.split("train") if row.references]
    first = rows[0].meta if rows else {}
    return frozenset(
        name
        for name, value in first.items()
        if isinstance(value, str) and all(row.meta.get(name) == row.references[0] for row in rows)
    )


def _labelled(row: Example, labels: frozenset[str]) -> Example:
    """The row whose columns of labels hold the answer that it has now."""
    own = {name: row.references[0] for name in labels if name in row.meta}
    return replace(row, meta={**row.meta, **own}) if own else row


def _stands(draft: Draft) -> bool:
    """Whether the teacher gives an answer that the suspect row has already."""
    answer = draft.row.references[0]
    return any(verifying.is_same(answer, reference) for reference in draft.ask.parent.references)


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _sample(draw: random.Random) -> int:
    """Which sample is drawn: equal requests, as a slice of few rows has them, get other replies.

    Low numbers are those of the answers that are compared.
    """
    return draw.randrange(1_000, 1_000_000)


def _fits(read: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether a reply can be read."""

    def accept(reply: str) -> bool:
        try:
            read(reply)
        except ValueError:
            return False
        return True

    return accept


def _answer_in(reply: Reply) -> str:
    """A further answer; empty where there is none that is whole."""
    try:
        return asking.whole(reply)
    except ValueError:
        return ""


def _meta_of(item: PlanItem, parent: Example) -> dict[str, Any]:
    """What holds of a new row: facts of the slice that it was asked for; others are the parent's
    own."""
    conditions = item.slice.conditions if item.slice else ()
    meta: dict[str, Any] = {}
    for condition in conditions:
        name = condition.feature
        if name in parent.meta:
            meta[name] = condition.value if condition.op == "=" else parent.meta[name]
    return meta


def _with_prompt(row: Example, prompt: str) -> Example:
    """A row of one turn of a user, with another prompt."""
    messages = tuple(
        {**turn, "content": prompt} if turn.get("role") == "user" else turn for turn in row.messages
    )
    return replace(row, messages=messages)


def read_suspects(path: Path) -> Mapping[str, str]:
    """Id of a row that may be wrong -> why it is suspected, the worst first.

    The file is that of ``harness data suspects``: each line an object with ``id`` and ``reason``;
    what else stands there is not read.

    Raises:
        DataError: the file cannot be read, or a line is no suspect.
    """
    reasons: dict[str, str] = {}
    for name, reason in each_of(path, _suspect, "harness data suspects writes such a file"):
        reasons.setdefault(name, one_line(reason, 200))
    return reasons


def _suspect(line: Record) -> tuple[str, str]:
    name, reason = line.get("id"), line.get("reason", "")
    if not isinstance(name, str) or not name or not isinstance(reason, str):
        raise ValueError('a suspect is {"id": "ID of a row", "reason": "…"}, each a text')
    return name, reason
