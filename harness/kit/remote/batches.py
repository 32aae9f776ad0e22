"""Requests sent together: a batch of an OpenAI-compatible API (``files``, ``batches``).

A batch is at work for hours, and has to outlast the command that sent it. So it is written down
beside the kept answers *before* each step that the server sees, and removed when its answers are
kept and its cost is settled. A command that finds one goes on with it:

- without a file: nothing was begun. What was counted for it is given back.
- with a file, and without an id: the server knows whether it has a batch of this file.
- with an id: it is waited for.
"""

from __future__ import annotations

import functools
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from harness.errors import Cancelled, DataError, EnvironmentFailure
from harness.kit.files import open_regular, read_json, read_sealed, remove, write_json
from harness.kit.inside import inside
from harness.kit.lock import turn
from harness.kit.remote import spending
from harness.kit.remote.client import ASKED, LONGEST_WAIT, Client, Result, patiently
from harness.kit.remote.faults import Fault
from harness.kit.remote.options import ServerOptions
from harness.kit.remote.replies import KeptReplies, Reply, Request
from harness.kit.remote.spending import Spending
from harness.kit.text import one_line
from harness.records import from_json, to_json

SCHEMA = 1
MOST = 50_000
LARGEST_FILE = 100 << 20
"""Requests, and bytes, of one batch: what the common servers take."""
UNHEARD = 30
"""Looks in a row that a server may leave unanswered."""
ENDED = ("completed", "failed", "expired", "cancelled")
FREE = ("batch_expired", "batch_cancelled")
"""Errors of requests for which no model has worked."""
_TICK = 0.2  # seconds between two looks at Ctrl-C


class Tick(Protocol):
    """Is told how many more are answered at the server, and of what; raises where to stop."""

    def __call__(self, further: int = 0, what: str = "replies") -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that is about to be sent, or under way.

    Attributes:
        name: its own, by which its requests stand in the log of money.
        keys: of its requests.
        tries: of each: how often it was asked, with this one.
        spent: the log of money; empty: nothing is counted.
        file: id of its requests at the server; empty: not sent.
        id: at the server; empty: not known to have begun.
    """

    name: str
    endpoint: str
    keys: tuple[str, ...]
    tries: tuple[int, ...]
    spent: str = ""
    file: str = ""
    id: str = ""


class Batches:
    """Sends requests in batches, one after another, and brings their answers.

    Args:
        who: whom a message is about.
        store: where answers go, and beside them what is under way.
        stage, model: as what the cost is counted.
    """

    def __init__(
        self,
        client: Client,
        options: ServerOptions,
        who: str,
        store: KeptReplies,
        stage: str,
        model: str,
        tick: Tick,
    ) -> None:
        self._client, self._options, self._who = client, options, who
        self._kept, self._folder = store, store.folder / "batches"
        self._stage, self._model, self._tick = stage, model, tick

    def answers(self, requests: Mapping[str, Request]) -> Iterator[tuple[str, Reply | Fault]]:
        """The key of each request with its answer, or with why there is none.

        What a batch leaves unanswered, or answers in a way that will not do, is part of a further
        one, as often as the options allow tries.

        Raises:
            EnvironmentFailure: a batch cannot be sent, or is refused as a whole.
            BudgetSpent: the next request could cost more than is left.
            Cancelled: ``tick`` says so; what is under way stays so.
        """
        unanswered, failed, most = dict(requests), Counter[str](), self._options.tries
        while unanswered:
            with turn(self._folder / "lock"):
                batch = self._underway(unanswered) or self._sent(unanswered)
            for key, outcome in self._brought(batch):
                if key not in unanswered:  # of another command
                    continue
                if isinstance(outcome, Reply):
                    final = outcome.tries >= most or unanswered[key].accept(outcome.text)
                else:
                    failed[key] += 1
                    final = not outcome.again or failed[key] >= most
                if final:
                    del unanswered[key]
                    yield key, outcome

    # -- sent, once ------------------------------------------------------------------------------

    def _underway(self, left: Mapping[str, Request]) -> Batch | None:
        """A batch that another command has sent, with any of these requests."""
        for path in sorted(self._folder.glob("*.json")):
            batch = _read(path)
            other = batch.endpoint != self._options.endpoint
            if other or left.keys().isdisjoint(batch.keys):
                continue
            if batch.file and not batch.id:
                batch = self._write(replace(batch, id=self._of_file(batch.file)))
            if batch.id:
                return batch
            self._give_back(batch)
        return None

    def _sent(self, left: Mapping[str, Request]) -> Batch:
        """Send as many as one batch holds, and as can be paid."""
        tries: dict[str, int] = {}
        bodies: list[bytes] = []
        size = 0
        most = MOST if self._options.batch is True else self._options.batch
        for key, request in left.items():
            before = self._kept.get(key)
            attempt = before.tries + 1 if before else 1
            body = self._client.body(request, request.seed(attempt))
            size += len(body)
            if len(bodies) == most or (bodies and size > LARGEST_FILE):
                break
            tries[key] = attempt
            bodies.append(body)
        counted = spending.current()
        batch = Batch(
            secrets.token_hex(8), self._options.endpoint, tuple(tries), tuple(tries.values()),
            str(counted.path.resolve()) if counted else "",
        )  # fmt: skip
        self._write(batch)
        try:
            if counted is not None:
                mosts = [self._options.most(body) for body in bodies]
                paid = len(counted.sent_in(batch.name, self._stage, self._model, mosts))
                batch = replace(batch, keys=batch.keys[:paid], tries=batch.tries[:paid])
            batch = self._write(replace(batch, file=self._uploaded(batch, bodies)))
        except BaseException:
            self._give_back(batch)
            raise
        return self._write(replace(batch, id=self._begun(batch.file)))

    def _uploaded(self, batch: Batch, bodies: Sequence[bytes]) -> str:
        """The id of a file with the requests."""
        form, kind = _form(batch.name, b"".join(map(_line, batch.keys, bodies)))

        def upload() -> str:
            return _id(self._client.call("POST", "files", form, kind))

        return self._patiently(upload)

    def _begun(self, file: str) -> str:
        """The id of the batch of a file, which is begun once."""
        wanted = {
            "input_file_id": file, "endpoint": f"/v1/{ASKED}", "completion_window": "24h",
        }  # fmt: skip
        unclear = False

        def begin() -> str:
            nonlocal unclear
            # A response that did not come says nothing of what the server did.
            if unclear and (batch := self._of_file(file)):
                return batch
            unclear = True
            return _id(self._client.call("POST", "batches", json.dumps(wanted).encode()))

        return self._patiently(begin)

    def _of_file(self, file: str) -> str:
        """The id of the batch that the server has of a file; empty where it has none."""
        path = "batches?limit=100"
        while True:
            page = self._patiently(functools.partial(self._client.call, "GET", path))
            listed = [each for each in page.get("data") or () if isinstance(each, dict)]
            for each in listed:
                if each.get("input_file_id") == file:
                    return _id(each)
            if not listed or page.get("has_more") is not True:
                return ""
            path = f"batches?limit=100&after={quote(_id(listed[-1]), safe='')}"

    # -- waited for ------------------------------------------------------------------------------

    def _brought(self, batch: Batch) -> Iterator[tuple[str, Reply | Fault]]:
        """Wait for a batch, keep its answers, settle its cost."""
        ended = self._ended(batch)
        if ended["status"] == "failed":
            self._give_back(batch)
            raise EnvironmentFailure(
                f"the server refuses a batch of {len(batch.keys):,} requests{_why(ended)}",
                where=self._who,
                hint="the same command sends it again; `batch: 500` sends at most 500 at once",
            )
        answers: dict[str, Reply | Fault] = {}
        for name in ("error_file_id", "output_file_id"):
            if isinstance(file := ended.get(name), str) and file:
                path = f"files/{quote(file, safe='')}/content"
                may_be_empty = name == "error_file_id"
                answers |= self._patiently(functools.partial(self._lines, path, may_be_empty))
        left_out = Fault(f"left out of a batch ({ended['status']})")
        log = _log_of(batch)
        # The log may be gone, with all that was spent.
        numbers = dict(zip(batch.keys, log.numbers(batch.name) if log else (), strict=False))
        outcomes: list[Reply | Fault] = []
        for key, tries in zip(batch.keys, batch.tries, strict=True):
            self._tick(len(outcomes), "replies of a batch")
            outcome = answers.get(key, left_out)
            if isinstance(outcome, Reply):
                outcome = replace(outcome, tries=tries)
                before = self._kept.get(key)
                if before is None or before.tries < tries:
                    self._kept.put(key, outcome, self._model)
            if log and key in numbers:
                if isinstance(outcome, Reply):
                    log.settle(numbers[key], outcome, self._options.price)
                elif outcome.free:
                    log.settle(numbers[key], None, self._options.price)
            outcomes.append(outcome)
        remove(self._path(batch))
        yield from zip(batch.keys, outcomes, strict=True)

    def _ended(self, batch: Batch) -> dict[str, Any]:
        """What the server says of a batch that is at its end."""
        path, wait, unheard = f"batches/{quote(batch.id, safe='')}", self._options.wait, 0
        what = f"batch {one_line(batch.id, 40)}"
        while True:
            try:
                document = self._client.call("GET", path)
                status, unheard = _status(document), 0
                if status in ENDED:
                    return document
                done = _done(document)
            except Fault as fault:
                status, unheard, done = fault.words, unheard + 1, 0
                if unheard >= UNHEARD or not fault.again:
                    raise self._stopped(fault) from None
            except EnvironmentFailure as error:
                error.hint = f"{error.hint}; to send its requests again remove {self._path(batch)}"
                raise
            try:
                # The state alone: a server's ids fill a line of the terminal.
                state = f"batch {status.replace('_', ' ')}"
                self._pause(max(wait, _TICK), done, state)
            except Cancelled:
                raise Cancelled(f"stopped; {what} stays at work at the server") from None
            wait = min(2 * wait, LONGEST_WAIT)

    def _lines(self, path: str, may_be_empty: bool) -> dict[str, Reply | Fault]:
        """The key of each line of a file of answers, or of errors.

        Args:
            may_be_empty: some servers name a file of errors where there are none.

        Raises:
            Fault: it has none, and is something else.
        """
        outcomes: dict[str, Reply | Fault] = {}
        for document in self._client.lines(path):
            may_be_empty = False
            try:
                key, response = str(document["custom_id"]), document.get("response")
                status = response["status_code"] if isinstance(response, dict) else None
            except (KeyError, TypeError, AttributeError):
                continue  # no line of a batch: its request counts as left out
            if status is not None and type(status) is not int:
                continue
            try:
                if status is None:
                    outcomes[key] = _fault(document.get("error"))
                else:
                    outcomes[key] = self._client.reply(status, response.get("body"))
            except Fault as fault:
                outcomes[key] = fault
            except EnvironmentFailure as error:
                outcomes[key] = Fault(error.what, again=False, free=True)
        if not outcomes and not may_be_empty:
            raise Fault("no lines of a batch")
        return outcomes

    # -- asked of the server, written down -------------------------------------------------------

    def _patiently(self, call: Callable[[], Result]) -> Result:
        try:
            return patiently(call, self._options, lambda wait: self._pause(wait, 0, "a batch"))
        except Fault as fault:
            raise self._stopped(fault) from None

    def _stopped(self, fault: Fault) -> EnvironmentFailure:
        return EnvironmentFailure(
            f"a batch cannot be sent or read: {fault.words}", where=self._who,
            hint="the same command goes on with it",
        )  # fmt: skip

    def _pause(self, seconds: float, done: int, what: str) -> None:
        end = time.monotonic() + seconds
        self._tick(done, what)
        while (remaining := end - time.monotonic()) > 0:
            time.sleep(min(_TICK, remaining))
            self._tick(done, what)

    def _write(self, batch: Batch) -> Batch:
        write_json(self._path(batch), {"schema": SCHEMA, **to_json(batch)})
        return batch

    def _give_back(self, batch: Batch) -> None:
        """What was counted for a batch that never was one."""
        if log := _log_of(batch):
            for number in log.numbers(batch.name):
                log.settle(number, None, self._options.price)
        remove(self._path(batch))

    def _path(self, batch: Batch) -> Path:
        return inside(self._folder, f"{batch.name}.json")


def finish(store: KeptReplies, options: ServerOptions) -> None:
    """Settle and forget a batch whose answers are all kept: a killed command came no further.

    Nobody asks for its requests any more, so nobody would wait for it.
    """
    for path in sorted((store.folder / "batches").glob("*.json")):
        batch = _read(path)
        replies = [store.get(key) for key in batch.keys]
        whole = all(r and r.tries >= n for r, n in zip(replies, batch.tries, strict=True))
        if not batch.id or batch.endpoint != options.endpoint or not whole:
            continue
        if log := _log_of(batch):
            for number, reply in zip(log.numbers(batch.name), replies, strict=False):
                log.settle(number, reply, options.price)
        remove(path)


def _log_of(batch: Batch) -> Spending | None:
    """The log of money in which a batch was counted; None where the file is no such log.

    The note of a batch may be a stranger's, and name any file of the user's.
    """
    log = Path(batch.spent)
    try:
        with open_regular(log) as stream:
            first = stream.readline(2**20)
    except OSError:
        return None
    return Spending(log, "") if read_sealed(first[:-1])[0] is not None else None


def _read(path: Path) -> Batch:
    try:
        document = read_json(path)
        if document.pop("schema") != SCHEMA:
            raise ValueError
        batch: Batch = from_json(Batch, document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            "what was sent as a batch cannot be read",
            where=str(path),
            hint="look at the server which batches are at work; without the file their requests "
            "are sent again",
        ) from None
    return batch


def _line(key: str, body: bytes) -> bytes:
    """A request of a batch. Its body is ASCII in one line."""
    head = json.dumps({"custom_id": key, "method": "POST", "url": f"/v1/{ASKED}"})
    return head[:-1].encode() + b', "body": ' + body + b"}\n"


def _form(name: str, content: bytes) -> tuple[bytes, str]:
    """A form that sends a file of requests (RFC 7578), and its content type."""
    mark = secrets.token_hex(16)
    part = f"--{mark}\r\nContent-Disposition: form-data; name="
    head = (
        f'{part}"purpose"\r\n\r\nbatch\r\n'
        f'{part}"file"; filename="{name}.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n'
    )
    form = b"".join((head.encode(), content, f"\r\n--{mark}--\r\n".encode()))
    return form, f"multipart/form-data; boundary={mark}"


def _id(document: Mapping[str, Any]) -> str:
    name = document.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= 500:
        raise Fault("JSON of another form")
    return name


def _status(document: Mapping[str, Any]) -> str:
    status = document.get("status")
    if not isinstance(status, str):
        raise Fault("JSON of another form")
    return one_line(status, 40)


def _done(document: Mapping[str, Any]) -> int:
    counts = document.get("request_counts")
    done = counts.get("completed") if isinstance(counts, dict) else 0
    return done if type(done) is int and 0 < done <= MOST else 0


def _why(document: Mapping[str, Any]) -> str:
    """The server's own words on a batch that it refuses."""
    errors = document.get("errors")
    data = errors.get("data") if isinstance(errors, dict) else None
    first = data[0] if isinstance(data, list) and data else None
    message = first.get("message") if isinstance(first, dict) else None
    return f": {one_line(message, 200)}" if isinstance(message, str) and message.strip() else ""


def _fault(error: Any) -> Fault:
    """Of a request of a batch that had no response."""
    code = error.get("code") if isinstance(error, dict) else None
    words = one_line(code, 60) if isinstance(code, str) and code else "no response"
    return Fault(words, free=words in FREE)
