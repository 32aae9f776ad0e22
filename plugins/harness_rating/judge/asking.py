"""Many questions to one model: what is kept is not asked again, the rest at once, in threads."""

from __future__ import annotations

import functools
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness import Criterion
from harness_rating.judge import endpoint, local
from harness_rating.judge.faults import NOT_ASKED, Breaker, Fault
from harness_rating.judge.options import Asking
from harness_rating.judge.replies import Unreadable, read
from harness_rating.judge.reply_cache import Kept, Reply

Progress = Callable[[int, int, str], None]
LEAST_BREAKER = 6
"""Failures in a row after which nothing more is asked; more where more is asked at once."""
_TICK = 0.2  # seconds between two looks at Ctrl-C


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


class Client(Protocol):
    where: str

    def ask(self, messages: list[dict[str, str]], seed: int) -> str: ...

    def close(self) -> None: ...


@dataclass
class _Tally:
    """How far it is."""

    progress: Progress
    total: int
    done: int = 0

    def tell(self) -> None:
        """Raises Cancelled where the user asked to stop."""
        self.progress(self.done, self.total, "replies")


class Asker:
    """Asks one model, and keeps what it says."""

    def __init__(self, options: Asking) -> None:
        self._options = options
        self._kept = Kept(Path(options.cache))
        module = local if options.local else endpoint
        self.where: str = module.where(options)

    @functools.cached_property
    def _model(self) -> str:
        folder = self._options.local
        return f"local {local.identity(folder)}" if folder else self._options.model

    def key(self, question: Question) -> str:
        """By which a reply is kept."""
        options = self._options
        sampling = [options.temperature, options.max_tokens, question.sample]
        return self._kept.key([self._model, question.messages, sampling])

    def known(self, question: Question) -> Reply | None:
        """The reply that is kept; one that cannot be read only if it was tried often enough."""
        reply = self._kept.get(self.key(question))
        if reply is None or reply.tries >= self._options.tries:
            return reply
        return reply if _readable(question, reply.text) else None

    def ask(
        self, questions: Sequence[Question], progress: Progress
    ) -> Iterator[tuple[Question, Reply | Fault]]:
        """Each question with its reply, or with why there is none, in any order.

        Raises:
            EnvironmentFailure: the model cannot be asked at all.
            Cancelled: ``progress`` says so; what is answered is kept.
        """
        missing: dict[str, list[Question]] = defaultdict(list)
        tally = _Tally(progress, len(questions))
        for question in questions:
            reply = self.known(question)
            if reply is None:
                missing[self.key(question)].append(question)
            else:
                tally.done += 1
                yield question, reply
        tally.tell()
        if missing:
            yield from self._fetched(missing, tally)

    def _fetched(
        self, missing: Mapping[str, Sequence[Question]], tally: _Tally
    ) -> Iterator[tuple[Question, Reply | Fault]]:
        stop = threading.Event()
        client: Client = (local.Local if self._options.local else endpoint.Endpoint)(self._options)
        todo: queue.SimpleQueue[str] = queue.SimpleQueue()
        out: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        for key in missing:
            todo.put(key)

        def work() -> None:
            while not stop.is_set():
                try:
                    key = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    out.put((key, self._one(client, missing[key][0], key, stop)))
                except BaseException as error:
                    stop.set()  # the others would be refused in the same way
                    out.put((key, error))

        count = 1 if self._options.local else min(self._options.concurrency, len(missing))
        # A thread that waits for a server must not keep a stopped program from ending.
        threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            for key, outcome in self._collected(list(missing), out, tally):
                for question in missing[key]:
                    tally.done += 1
                    yield question, outcome
        finally:
            stop.set()
            _close(client, threads)

    def _collected(
        self, keys: Sequence[str], out: queue.SimpleQueue[tuple[str, Any]], tally: _Tally
    ) -> Iterator[tuple[str, Reply | Fault]]:
        """What the threads bring, until all is there or one request after another has failed."""
        breaker = Breaker(max(LEAST_BREAKER, 2 * self._options.concurrency))
        left = dict.fromkeys(keys)
        while left and not breaker.open:
            tally.tell()
            try:
                key, outcome = out.get(timeout=_TICK)
            except queue.Empty:
                continue
            if isinstance(outcome, BaseException) and not isinstance(outcome, Fault):
                raise outcome
            del left[key]
            breaker.count(fine=isinstance(outcome, Reply))
            yield key, outcome
        for key in left:
            yield key, Fault(NOT_ASKED)

    def _one(
        self, client: Client, question: Question, key: str, stop: threading.Event
    ) -> Reply | Fault:
        """A reply that can be read, the last of several that cannot, or the fault met."""
        before = self._kept.get(key)
        text, first = "", before.tries + 1 if before else 1
        for attempt in range(first, self._options.tries + 1):
            # Another try is another draw: the same seed would say the same again.
            seed = 1000 * question.sample + attempt
            try:
                text = self._patiently(client, question, seed, stop)
            except Fault as fault:
                return fault
            if _readable(question, text):
                break
        reply = Reply(text, attempt)
        self._kept.put(key, reply, self._options.model or str(self._options.local))
        return reply

    def _patiently(
        self, client: Client, question: Question, seed: int, stop: threading.Event
    ) -> str:
        wait = self._options.wait
        for attempt in range(1, self._options.tries + 1):
            try:
                return client.ask(question.messages, seed)
            except Fault as fault:
                if not fault.again or attempt == self._options.tries:
                    raise
                if stop.wait(min(max(wait, fault.after), endpoint.LONGEST_WAIT)):
                    raise Fault(NOT_ASKED) from None
                wait *= 2
        raise AssertionError("there is at least one try")


def _close(client: Client, threads: Sequence[threading.Thread]) -> None:
    """Close it as soon as no thread uses it, without waiting long for one that does."""

    def last() -> None:
        for thread in threads:
            thread.join()
        client.close()

    closing = threading.Thread(target=last, daemon=True)
    closing.start()
    closing.join(_TICK)


def _readable(question: Question, text: str) -> bool:
    try:
        read(question.criterion, text)
    except Unreadable:
        return False
    return True
