"""Many requests to one model: what is kept is not asked again, the rest at once, in threads."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import EnvironmentFailure, HarnessError
from harness.kit.remote import spending
from harness.kit.remote.client import Client, patiently
from harness.kit.remote.faults import NOT_ASKED, Fault, Faults
from harness.kit.remote.options import ServerOptions
from harness.kit.remote.replies import KeptReplies, Reply, Request, reply_key
from harness.kit.remote.served import UNKNOWN, Served
from harness.kit.remote.spending import Spending
from harness.kit.telling import tell
from harness.kit.waiting import Patience

if TYPE_CHECKING:
    from harness.kit.remote.batches import Tick

Progress = Callable[[int, int, str], None]
LEAST_BREAKER = 6
"""Failures in a row after which nothing more is asked; more where more is asked at once."""
_TICK = 0.2  # seconds between two looks at Ctrl-C


class Answering(Protocol):
    """What answers requests: a :class:`harness.kit.remote.Client`, or a model of this machine."""

    def body(self, request: Request, seed: int) -> bytes: ...

    def ask(self, body: bytes) -> Reply: ...

    def close(self) -> None: ...


class Asker:
    """Asks one model, and keeps what it says.

    Args:
        who: whom a message is about.
        stage: what the requests are for, where their cost is told: ``metric judge``.
        model: what tells the model from others; empty: its name at the endpoint.
        client: makes what is asked; None: a client of the endpoint.
        at_once: how many requests; 0: as the options say.
    """

    def __init__(
        self,
        options: ServerOptions,
        who: str,
        *,
        stage: str = "",
        model: str = "",
        client: Callable[[], Answering] | None = None,
        at_once: int = 0,
    ) -> None:
        self._options, self.who = options, who
        self._kept = KeptReplies(Path(options.cache)) if options.cache else None
        self._stage, self._model = stage or who, model or options.model
        self._client = client or (lambda: Client(options, who))
        self._at_once = at_once or options.concurrency
        self._served = (
            Served(options, self._kept.folder, who) if self._kept and options.endpoint else None
        )
        self._compared, self._patience = False, Patience(who)
        self._tried: dict[str, int] = {}  # of kept answers that will not do

    def key(self, request: Request) -> str:
        """By which an answer is kept: whatever decides what the model says, and which it is."""
        model = request.model or self._model
        return reply_key(
            [
                {**self._decisive, "model": model, "serves": self._serves},
                {
                    "messages": request.messages,
                    "tools": request.tools,
                    "draw": request.draw,
                    **({"schema": request.schema} if request.schema is not None else {}),
                },
            ]
        )

    @functools.cached_property
    def _decisive(self) -> Mapping[str, Any]:
        decisive = self._options.decisive()
        return {**decisive, "endpoint": decisive["endpoint"].rstrip("/")}

    @functools.cached_property
    def _serves(self) -> str:
        return self._served.last() if self._served else UNKNOWN

    def known(self, request: Request) -> Reply | None:
        """The answer that is kept; one that will not do only if it was tried often enough."""
        return self._known(self.key(request), request)

    def _known(self, key: str, request: Request) -> Reply | None:
        reply = None if self._kept is None else self._kept.get(key)
        if reply is None or reply.tries >= self._options.tries or request.accept(reply.text):
            return reply
        self._tried[key] = reply.tries
        return None

    def ask(
        self, requests: Sequence[Request], progress: Progress
    ) -> Iterator[tuple[int, Reply | Fault]]:
        """The place of each request with its answer, or with why there is none, in any order.

        Raises:
            EnvironmentFailure: the model cannot be asked at all.
            Cancelled: ``progress`` says so, or the money that a run may cost is spent; what is
                answered is kept.
        """
        if self._served and requests and not self._compared:
            self._serves, self._compared = self._served.now(), True
        missing: dict[str, list[int]] = defaultdict(list)
        names: set[str] = set()
        done = 0
        for place, request in enumerate(requests):
            key = self.key(request)
            reply = self._known(key, request)
            if reply is None:
                missing[key].append(place)
            else:
                names.add(reply.served)
                done += 1
                yield place, reply
        progress(done, len(requests), "replies")
        if self._options.batch and self._kept is not None:
            from harness.kit.remote.batches import finish

            finish(self._kept, self._options)
        if not missing:
            return
        first = {key: requests[places[0]] for key, places in missing.items()}

        def tick(further: int = 0, what: str = "replies") -> None:
            progress(done + further, len(requests), what)

        fetched = self._in_batches if self._options.batch else self._fetched
        for key, outcome in fetched(first, tick):
            if isinstance(outcome, Reply) and names and outcome.served not in names:
                tell(
                    f"{self.who} calls its model {outcome.served or 'nothing'} now, and "
                    f"{', '.join(sorted(names)) or 'nothing'} in replies that are kept"
                )
                names.add(outcome.served)
            for place in missing[key]:
                done += 1
                yield place, outcome

    def replies(
        self, requests: Sequence[Request], progress: Progress, undone: str
    ) -> Iterator[tuple[int, Reply]]:
        """The place of each request with its answer, in any order.

        Args:
            undone: what did not happen where one is missing: ``prompts have no answer``.

        Raises:
            EnvironmentFailure: at the end, where any is missing; else as :meth:`ask` does.
            Cancelled: as :meth:`ask` does.
        """
        faults = Faults(self.who, undone, kept=self._kept is not None)
        for place, outcome in self.ask(requests, progress):
            if isinstance(outcome, Fault):
                faults.add(str(place), outcome.words)
            else:
                yield place, outcome
        faults.check(len(requests))

    def _fetched(
        self, missing: Mapping[str, Request], tick: Tick
    ) -> Iterator[tuple[str, Reply | Fault]]:
        """What threads bring, until all is there or one request after another has failed."""
        stop = threading.Event()
        client, counted = self._client(), spending.current()
        todo: queue.SimpleQueue[str] = queue.SimpleQueue()
        out: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        for key in missing:
            todo.put(key)

        failures, limit = 0, max(LEAST_BREAKER, 2 * self._options.concurrency)
        counting = threading.Lock()

        def work() -> None:
            nonlocal failures
            while not stop.is_set():
                try:
                    key = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    # A context variable does not follow into a thread.
                    with spending.counting(counted):
                        outcome = self._answer(client, missing[key], key, stop)
                    # Before it stops: nobody waits any more then.
                    out.put((key, outcome))
                    # Counted here: whoever reads the answers may be slow, and more would be asked.
                    with counting:
                        failures = 0 if isinstance(outcome, Reply) else failures + 1
                        if failures >= limit:
                            stop.set()
                except BaseException as error:
                    out.put((key, error))
                    stop.set()  # the others would be refused in the same way

        # A thread that waits for a server must not keep a stopped program from ending.
        threads = [
            threading.Thread(target=work, daemon=True)
            for _ in range(min(self._at_once, len(missing)))
        ]
        for thread in threads:
            thread.start()
        left = dict.fromkeys(missing)
        self._patience.heard()
        try:
            while left:
                tick()
                try:
                    key, outcome = out.get(timeout=_TICK)
                except queue.Empty:
                    if stop.is_set() and out.empty():
                        break
                    self._patience.look()
                    continue
                self._patience.heard()
                if isinstance(outcome, BaseException) and not isinstance(outcome, Fault):
                    raise outcome
                del left[key]
                yield key, outcome
            for key in left:
                yield key, Fault(NOT_ASKED)
        finally:
            stop.set()
            _close(client, threads, counted)

    def _in_batches(
        self, missing: Mapping[str, Request], tick: Tick
    ) -> Iterator[tuple[str, Reply | Fault]]:
        from harness.kit.remote.batches import Batches

        client = Client(self._options, self.who)
        try:
            assert self._kept is not None, "check_server refuses a batch without cache"
            yield from Batches(
                client, self._options, self.who, self._kept, self._stage, self._model, tick
            ).answers(missing)
        finally:
            client.close()

    def _answer(
        self, client: Answering, request: Request, key: str, stop: threading.Event
    ) -> Reply | Fault:
        """An answer that will do, the last of several that will not, or the fault met."""
        first = self._tried.get(key, 0) + 1
        for attempt in range(first, self._options.tries + 1):
            body = client.body(request, request.seed(attempt))
            try:
                reply = self._patiently(client, body, stop)
            except Fault as fault:
                return fault
            if request.accept(reply.text):
                break
        reply = dataclasses.replace(reply, tries=attempt)
        if self._kept is not None:
            self._kept.put(key, reply, self._model, durable=not self._options.free)
        return reply

    def _patiently(self, client: Answering, body: bytes, stop: threading.Event) -> Reply:
        def pause(seconds: float) -> None:
            if stop.wait(seconds):
                raise Fault(NOT_ASKED)

        return patiently(lambda: self._counted(client, body), self._options, pause)

    def _counted(self, client: Answering, body: bytes) -> Reply:
        """One attempt, whose cost is written down before it is sent."""
        counted = spending.current()
        if counted is None:
            return client.ask(body)
        # A model of this machine costs nothing.
        local = not isinstance(client, Client)
        price = self._options.price
        if local or (self._options.free and not (price is None and counted.most is not None)):
            return self._free(counted, client, body)
        number = counted.sent(self._stage, self._model, self._options.most(body))
        try:
            reply = client.ask(body)
        except (Fault, EnvironmentFailure) as error:
            # A wrong key or address is refused before any model works for it.
            if not isinstance(error, Fault) or error.free:
                counted.settle(number, None, price)
            raise
        counted.settle(number, reply, price)
        return reply

    def _free(self, counted: Spending, client: Answering, body: bytes) -> Reply:
        """One attempt that costs nothing: summed up with others."""
        counted.allow()
        count = functools.partial(counted.free, self._stage, self._model, price=self._options.price)
        try:
            reply = client.ask(body)
        except (Fault, EnvironmentFailure) as error:
            count(None, open_=isinstance(error, Fault) and not error.free)
            raise
        count(reply)
        return reply


def _close(
    client: Answering, threads: Sequence[threading.Thread], counted: Spending | None
) -> None:
    """Close it as soon as no thread uses it, without waiting long for one that does."""

    def last() -> None:
        for thread in threads:
            thread.join()
        client.close()
        if counted is not None:
            with contextlib.suppress(HarnessError):  # it cost nothing
                counted.flush()

    closing = threading.Thread(target=last, daemon=True)
    closing.start()
    closing.join(_TICK)
