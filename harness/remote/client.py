"""One request to a server with the OpenAI API: of an answer (``<endpoint>/chat/completions``), or
of what a batch needs (``files``, ``batches``).

The key comes from the environment and goes into one header. It is taken out of whatever the
server says before anything else is done with it.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import math
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from harness.errors import EnvironmentFailure
from harness.kit.installing import install_extra
from harness.kit.text import one_line
from harness.records import Requests
from harness.remote.faults import Fault
from harness.remote.options import EXTRA, ServerOptions, money
from harness.remote.replies import Reply, Request

LARGEST = 4 << 20
"""Bytes of a response that are read."""
LONGEST_WAIT = 60.0
ASKED = "chat/completions"
SHORTEST_KEY = 8
"""Letters from which a key is a secret. Shorter ones are made up for servers that want any, and
may be a word of a reply."""
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
_TAKEN_OUT = "[the key]"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


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


def body_of(options: ServerOptions, request: Request, seed: int) -> bytes:
    """The body of a request, as it is sent."""
    wanted = {
        "model": request.model or options.model, "messages": request.messages, "seed": seed,
        "temperature": options.temperature, "max_tokens": options.max_tokens,
        "tools": request.tools or None,
    }  # fmt: skip
    wanted = {name: value for name, value in wanted.items() if value is not None}
    for name, other in options.send_as.items():
        value = wanted.pop(name, None)
        if other is not None and value is not None:
            wanted[other] = value
    return json.dumps(wanted).encode()  # escaped, so that lone surrogates pass


class Client:
    """Asks one model. Threads may share it.

    Args:
        who: whom a message is about, as ``judge qwen at http://…``.

    Raises:
        EnvironmentFailure: the package for HTTP is missing, or the key cannot be one.
    """

    def __init__(self, options: ServerOptions, who: str) -> None:
        try:
            import httpx2
        except ImportError:
            raise EnvironmentFailure(
                "an endpoint needs the package httpx2", hint=install_extra(EXTRA)
            ) from None
        self._http: Any = httpx2
        self._options = options
        self._key = _key(options.key)
        local = urlsplit(options.endpoint).hostname in _LOOPBACK
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=options.timeout,
            follow_redirects=False,  # the key goes to no other address
            trust_env=not local,
            limits=httpx2.Limits(max_connections=options.concurrency),
        )
        self._who = who

    def close(self) -> None:
        self._client.close()

    def body(self, request: Request, seed: int) -> bytes:
        """The body of a request, as it is sent."""
        return body_of(self._options, request, seed)

    def ask(self, body: bytes) -> Reply:
        """The model's answer.

        Raises:
            Fault: there is none, and another try may bring one.
            EnvironmentFailure: no try ever will: a wrong key, address or model.
        """
        headers = {"Content-Type": "application/json"}
        limit = self._options.timeout
        return self.reply(*self._whole("POST", ASKED, limit, content=body, headers=headers))

    def reply(self, status: int, text: str, after: float = 0.0) -> Reply:
        """What a response says; raises as :meth:`ask`."""
        if status != HTTPStatus.OK:
            raise self._refused(status, text, after)
        return _reply(self._clean(text))

    def call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        """The JSON object that another address below the endpoint answers; raises as :meth:`ask`.

        Args:
            sent: as the package for HTTP takes it: ``json``, ``files``, ``data``.
        """
        status, text, after = self._whole(method, path, math.inf, **sent)
        if status != HTTPStatus.OK:
            raise self._refused(status, text, after, path)
        try:
            document = json.loads(self._clean(text))
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Fault("no JSON object")
        return document

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a file at the server; raises as :meth:`ask`.

        A line of over :data:`LARGEST` bytes is passed over.
        """
        with self._response("GET", path) as response:
            if response.status_code != HTTPStatus.OK:
                text = response.read()[:LARGEST].decode("utf-8", "replace")
                raise self._refused(response.status_code, text, 0.0, path)
            data, long = bytearray(), False
            for piece in response.iter_bytes():
                *whole, rest = piece.split(b"\n")
                for end in whole:
                    if not long and len(data) + len(end) <= LARGEST:
                        yield self._clean((data + end).decode("utf-8", "replace"))
                    data, long = bytearray(), False
                long = long or len(data) + len(rest) > LARGEST
                data = bytearray() if long else data + rest
            if data:
                yield self._clean(data.decode("utf-8", "replace"))

    def _whole(self, method: str, path: str, limit: float, **sent: Any) -> tuple[int, str, float]:
        """Status, text, and the seconds that the server wants to be left alone."""
        end = time.monotonic() + limit
        with self._response(method, path, **sent) as response:
            data = bytearray()
            for piece in response.iter_bytes():
                data += piece
                if time.monotonic() > end:
                    raise Fault(f"no whole answer within {limit:g} s")
                if len(data) > LARGEST:
                    raise Fault(f"an answer of over {LARGEST >> 20} MiB", again=False)
            after = _seconds(response.headers.get("Retry-After", ""))
            return response.status_code, data.decode("utf-8", "replace"), after

    @contextlib.contextmanager
    def _response(self, method: str, path: str, **sent: Any) -> Iterator[Any]:
        """A response whose body is still to be read."""
        http = self._http
        address = f"{self._options.endpoint.rstrip('/')}/{path}"
        try:
            with self._client.stream(method, address, **sent) as response:
                yield response
        except http.TimeoutException:
            raise Fault(f"no answer within {self._options.timeout:g} s") from None
        except http.ConnectError as error:
            words = f"no connection ({self._clean(str(error), 80)})"
            raise Fault(words, free=True) from None
        except (http.RemoteProtocolError, http.ReadError, http.DecodingError):
            raise Fault("a response that was cut") from None
        except http.HTTPError as error:
            raise Fault(f"{type(error).__name__}") from None

    def _refused(self, status: int, body: str, after: float, path: str = ASKED) -> Exception:
        """What a status other than 200 means."""
        said = self._said(body)
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
                hint="leave batch out where the server has no batch API (files, batches)",
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

    def _said(self, body: str) -> str:
        """The server's own words, without the key, if it has a sentence to say."""
        try:
            message: Any = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        for name in ("error", "message"):
            message = message.get(name, message) if isinstance(message, dict) else message
        return (
            f", {self._clean(message, 160)}" if isinstance(message, str) and message.strip() else ""
        )

    def _clean(self, text: str, limit: int | None = None) -> str:
        if len(self._key) >= SHORTEST_KEY:
            text = text.replace(self._key, _TAKEN_OUT)
            escaped = json.dumps(self._key)[1:-1]
            text = text.replace(escaped, _TAKEN_OUT).replace(
                escaped.replace("/", "\\/"), _TAKEN_OUT
            )
        return text if limit is None else one_line(text, limit)


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


def _key(name: str) -> str:
    key = os.environ.get(name, "").strip()
    if any(not "!" <= letter <= "~" for letter in key):
        raise EnvironmentFailure(
            f"the environment variable {name} holds no key: it has blanks or letters that no key "
            "has",
            hint=f"set {name} to the key alone",
        )
    return key


def _reply(body: str) -> Reply:
    """The first choice of a response."""
    if not body.strip():
        raise Fault("an empty body")
    if body.lstrip().startswith("<"):
        raise Fault("HTML instead of JSON")
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Fault("half a body, or no JSON") from None
    try:
        choice = document["choices"][0]
        text = choice["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise Fault("JSON of another form") from None
    if text is None:  # a refusal: something was said, and it is no answer
        text = ""
    if not isinstance(text, str):
        raise Fault("JSON of another form")
    usage = document.get("usage")
    return Reply(
        text,
        finish=_word(choice.get("finish_reason")),
        prompt_tokens=_count(usage, "prompt_tokens"),
        answer_tokens=_count(usage, "completion_tokens"),
        served=_word(document.get("model")),
    )


def _word(value: Any) -> str:
    return one_line(value, 200) if isinstance(value, str) else ""


def _count(usage: Any, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if type(count) is int and count >= 0 else None


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
