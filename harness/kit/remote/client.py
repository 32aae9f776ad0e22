"""One request to a server with the OpenAI API: of an answer (``<endpoint>/chat/completions``), or
of what a batch needs (``files``, ``batches``).

The key comes from the environment and goes into one header. It is taken out of whatever the
server says, once that is read, before anything else is done with it.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from harness.errors import EnvironmentFailure
from harness.errors.installing import install_extra
from harness.kit import gate
from harness.kit.remote.faults import Fault
from harness.kit.remote.masking import Mask
from harness.kit.remote.options import EXTRA, ServerOptions, money
from harness.kit.remote.replies import Reply, Request
from harness.kit.text import one_line
from harness.kit.tool_calls import calls_in
from harness.kit.waiting import Deadline, Late
from harness.records import Answer, Requests

LARGEST = 4 << 20
"""Bytes of a response, or of a line of a file, that are read."""
LARGEST_FILE = 1 << 30
"""Bytes of a file that are read: 20,000 for each of the most answers that a batch can have."""
LONGEST_FILE = 3600.0
"""Seconds for a file of a batch, or for a question about one."""
LONGEST_WAIT = 60.0
ASKED = "chat/completions"
JSON = "application/json"
MOST_TOKENS = 2**31
"""What a server may say that it counted: no model takes so many, and sums of them fit 64 bits."""
LONGEST_LIST = 10.0
"""Seconds for a list of models."""
_OTHERWISE = {
    "max_tokens": "send_as: {max_tokens: max_completion_tokens}",
    "seed": "send_as: {seed: null}",
    "temperature": "temperature: null",
}
"""Request keys that some servers refuse -> the option that helps."""
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|not permitted|not allowed|unexpected|extra",
    re.IGNORECASE,
)


Result = TypeVar("Result")


def patiently(
    call: Callable[[], Result], options: ServerOptions, pause: Callable[[float], None]
) -> Result:
    """What a call gives, tried as often as the options say.

    Args:
        pause: waits for so many seconds.

    Raises:
        Fault: of the last try.
    """
    wait = options.wait
    for attempt in range(1, options.tries + 1):
        try:
            return call()
        except Fault as fault:
            if not fault.again or attempt == options.tries:
                raise
            pause(min(max(wait, fault.after), LONGEST_WAIT))
            wait *= 2
    raise AssertionError("there is at least one try")


def _held_to(schema: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if schema is None:
        return None
    named = {"name": "answer", "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": named}


def body_of(options: ServerOptions, request: Request, seed: int) -> bytes:
    """The body of a request, as it is sent."""
    wanted = {
        "model": request.model or options.model,
        "messages": [_turn(turn) for turn in request.messages],
        "seed": seed,
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
        "tools": request.tools or None,
        "response_format": _held_to(request.schema),
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    for name, other in options.send_as.items():
        value = wanted.pop(name, None)
        if other is not None and value is not None:
            wanted[other] = value
    return json.dumps(wanted).encode()  # escaped, so that lone surrogates pass


def _turn(turn: Mapping[str, Any]) -> Mapping[str, Any]:
    """A turn in the form of the API, in which the arguments of a call are JSON in a text."""
    calls = turn.get("tool_calls")
    return {**turn, "tool_calls": [_call(call) for call in calls]} if calls else turn


def _call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    if not isinstance(function, Mapping) or isinstance(function.get("arguments"), str):
        return call
    arguments = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
    return {**call, "function": {**function, "arguments": arguments}}


class Client:
    """Asks one model. Threads may share it.

    Args:
        who: whom a message is about, as ``judge qwen at http://…``.

    Raises:
        EnvironmentFailure: the package for HTTP is missing, or the key cannot be one.
    """

    def __init__(self, options: ServerOptions, who: str) -> None:
        try:
            gate.library("httpcore2", options.endpoint, by=who)
        except ImportError:
            raise EnvironmentFailure(
                "an endpoint needs the package httpcore2", hint=install_extra(EXTRA)
            ) from None
        from harness.kit.remote import transport

        self._transport = transport
        self._options = options
        self._key = _key(options.key, who)
        self._mask = Mask(self._key)
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        # It follows no redirection: the key goes to no other address.
        self._exchanges = transport.Exchanges(
            options.endpoint, headers, options.timeout, options.concurrency
        )
        self._who = who

    def close(self) -> None:
        self._exchanges.close()

    def body(self, request: Request, seed: int) -> bytes:
        """The body of a request, as it is sent."""
        return body_of(self._options, request, seed)

    def ask(self, body: bytes) -> Reply:
        """The model's answer.

        Raises:
            Fault: there is none, and another try may bring one.
            EnvironmentFailure: no try ever will: a wrong key, address or model.
        """
        return _reply(self._whole("POST", ASKED, self._options.timeout, body, JSON))

    def reply(self, status: int, document: Any) -> Reply:
        """What a response says that a batch holds; raises as :meth:`ask`.

        Args:
            document: the JSON value of its body, without the key.
        """
        if status != HTTPStatus.OK:
            raise self._refused(status, document)
        return _reply(document)

    def call(
        self, method: str, path: str, content: bytes = b"", kind: str = JSON
    ) -> dict[str, Any]:
        """The JSON object that another address below the endpoint answers; raises as :meth:`ask`.

        Args:
            kind: of ``content``, which is sent.
        """
        document = self._whole(method, path, LONGEST_FILE, content, kind)
        if not isinstance(document, dict):
            raise Fault("no JSON object")
        return document

    def models(self) -> list[Any]:
        """The server's list of its models; raises as :meth:`ask`."""
        document = self._whole("GET", "models", min(self._options.timeout, LONGEST_LIST))
        listed = document.get("data") if isinstance(document, dict) else None
        return listed if isinstance(listed, list) else []

    def lines(self, path: str) -> Iterator[Any]:
        """The JSON value of each line of a file at the server; raises as :meth:`ask`.

        A line that is no JSON, or has over :data:`LARGEST` bytes, is None; blank ones are passed
        over.

        Raises:
            Fault: as :meth:`ask`, or the file is too large, or takes too long.
        """
        with self._response("GET", path, LONGEST_FILE) as response:
            if response.status != HTTPStatus.OK:
                raise self._refused(response.status, self._read(self._text(response)), path=path)
            for line in _lines(self._pieces(response, LARGEST_FILE)):
                if line is None:
                    yield None
                elif line.strip():
                    yield self._read(line.decode("utf-8", "replace"))

    def _whole(
        self, method: str, path: str, limit: float, content: bytes = b"", kind: str = ""
    ) -> Any:
        """The JSON value of a response that says OK; raises as :meth:`ask`."""
        with self._response(method, path, limit, content, kind) as response:
            status, text = response.status, self._text(response)
            after = _seconds(self._transport.header(response, "Retry-After"))
        document = self._read(text)
        if status != HTTPStatus.OK:  # perhaps in other words than JSON
            raise self._refused(status, document, after, path)
        if document is not None:
            return document
        if not text.strip():
            raise Fault("an empty body")
        html = text.lstrip().startswith("<")
        raise Fault("HTML instead of JSON" if html else "half a body, or no JSON")

    def _text(self, response: Any) -> str:
        return b"".join(self._pieces(response, LARGEST)).decode("utf-8", "replace")

    def _pieces(self, response: Any, most: int) -> Iterator[bytes]:
        """The body, piece by piece, of so many bytes at most."""
        size = 0
        for piece in response.iter_stream():
            size += len(piece)
            if size > most:
                raise Fault(f"an answer of over {most >> 20} MiB", again=False)
            yield piece

    @contextlib.contextmanager
    def _response(
        self, method: str, path: str, limit: float, content: bytes = b"", kind: str = ""
    ) -> Iterator[Any]:
        """A response whose body is still to be read, all of it within so many seconds."""
        transport, begun = self._transport, False
        deadline = Deadline(limit)
        try:
            with self._exchanges.response(method, path, deadline, content, kind) as response:
                begun = True
                yield response
        except transport.TIMEOUTS:
            try:
                deadline.left()
            except Late:
                whole = "whole " if begun else ""
                raise Fault(f"no {whole}answer within {limit:g} s") from None
            raise Fault(f"no answer within {self._options.timeout:g} s") from None
        except transport.CONNECTING as error:
            words = f"no connection ({one_line(self._mask.text(str(error)), 80)})"
            raise Fault(words, free=True) from None
        except transport.CUT:
            raise Fault("a response that was cut") from None
        except transport.OTHERS as error:
            raise Fault(f"{type(error).__name__}") from None

    def _read(self, text: str) -> Any:
        """A JSON value without the key; None where it is none."""
        try:
            return self._mask.value(json.loads(text))
        except (ValueError, RecursionError):
            return None

    def _refused(
        self, status: int, document: Any, after: float = 0.0, path: str = ASKED
    ) -> Exception:
        """What a status other than 200 means."""
        said = _said(document)
        words = f"{status} ({_phrase(status)}){said}"
        if status in (401, 403) and not self._options.key:
            return EnvironmentFailure(
                f"the server wants a key, and is asked without one: {words}", where=self._who,
                hint="start it without one: this run alone asks it",
            )  # fmt: skip
        if status in (401, 403):
            named = f"the key in the environment variable {self._options.key}"
            there = "is refused" if self._key else "is needed, and the variable is not set"
            return EnvironmentFailure(
                f"{named} {there}: {words}", where=self._who,
                hint=f"set {self._options.key} to a key that may use this model, or name another "
                "variable (key: NAME)",
            )  # fmt: skip
        if path != ASKED and status in (404, 405):
            return EnvironmentFailure(
                f"there is no {path} at the server: {words}", where=self._who,
                hint="check endpoint (it mostly ends in /v1); leave batch out where the server has "
                "no batch API (files, batches)",
            )  # fmt: skip
        if status == HTTPStatus.NOT_FOUND or 300 <= status < 400:
            return EnvironmentFailure(
                f"there is no such model or address: {words}", where=self._who,
                hint="check model, and endpoint (it mostly ends in /v1)",
            )  # fmt: skip
        if status in (400, 422) and (key := _unsupported(said)):
            return EnvironmentFailure(
                f"the server does not take {key}: {words}", where=self._who,
                hint=f"set {_OTHERWISE[key]} beside endpoint",
            )  # fmt: skip
        again = status in (408, 409, 425, 429) or status >= 500
        words = f"{status} ({_phrase(status)})" if again else words
        return Fault(words, again=again, after=after, free=status < 500)


def foreseen(
    options: ServerOptions, requests: Iterable[Request], *, times: float = 1, sure: bool = True
) -> Requests:
    """What requests will take, so many times; see :meth:`harness.Plugin.requests`."""
    sizes = [len(body_of(options, request, request.seed(1))) for request in requests]
    count, prompt = math.ceil(times * len(sizes)), math.ceil(times * sum(sizes))
    answer = None if options.max_tokens is None else count * options.max_tokens
    known = options.price is not None and answer is not None
    cost = money(options.price or {}, prompt, answer or 0) if known else None
    return Requests(options.model, count, prompt, answer, cost, sure)


def _unsupported(said: str) -> str | None:
    """The key of the request that the server refuses, by its words."""
    if not _UNSUPPORTED.search(said):
        return None
    named = re.search(rf"\b({'|'.join(_OTHERWISE)})\b", said)
    return named[1] if named else None


def _key(name: str, who: str) -> str:
    key = gate.secret(name, by=who)
    if any(not "!" <= letter <= "~" for letter in key):
        raise EnvironmentFailure(
            f"the environment variable {name} holds no key: it has blanks or letters that no key "
            "has",
            hint=f"set {name} to the key alone",
        )
    return key


def _said(message: Any) -> str:
    """The server's own words, if it has a sentence to say."""
    for name in ("error", "message"):
        message = message.get(name, message) if isinstance(message, dict) else message
    return f", {one_line(message, 160)}" if isinstance(message, str) and message.strip() else ""


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes | None]:
    """The lines of a file; None for one of over :data:`LARGEST` bytes."""
    data, long = bytearray(), False
    for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for end in whole:
            yield None if long or len(data) + len(end) > LARGEST else bytes(data + end)
            data, long = bytearray(), False
        long = long or len(data) + len(rest) > LARGEST
        data = bytearray() if long else data + rest
    if long or data:
        yield None if long else bytes(data)


def _reply(document: Any) -> Reply:
    """The first choice of a response."""
    try:
        choice = document["choices"][0]
        message = choice["message"]
        text, calls = message.get("content"), message.get("tool_calls")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Fault("JSON of another form") from None
    if "content" not in message and not calls:
        raise Fault("JSON of another form")
    if text is None:  # a refusal, or calls alone
        text = ""
    if not isinstance(text, str):
        raise Fault("JSON of another form")
    usage = document.get("usage")
    return Reply(
        _with_calls(text, calls) if isinstance(calls, list) else text,
        finish=_word(choice.get("finish_reason")),
        prompt_tokens=_count(usage, "prompt_tokens"),
        answer_tokens=_count(usage, "completion_tokens"),
        served=_word(document.get("model")),
    )


def _with_calls(text: str, calls: list[Any]) -> str:
    """An answer in the form of :class:`Answer`; what is no call stays a text, for people to see."""
    read = [calls_in(call) for call in calls]
    others = [json.dumps(call) for call, of_call in zip(calls, read, strict=True) if not of_call]
    content = "\n".join([text, *others] if text.strip() else others)
    return Answer(content, tuple(call for of_call in read for call in of_call)).text


def _word(value: Any) -> str:
    return one_line(value, 200) if isinstance(value, str) else ""


def _count(usage: Any, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if type(count) is int and 0 <= count < MOST_TOKENS else None


def _seconds(header: str) -> float:
    """What ``Retry-After`` asks for: seconds or a date; never longer than :data:`LONGEST_WAIT`."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else 0.0


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return "unknown"
