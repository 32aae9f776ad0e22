"""Which model of which server is asked, and how: the options of every plugin that asks one."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from harness.errors.installing import install_extra
from harness.kit import gate
from harness.kit.options import Options
from harness.records import Problem

EXTRA = "remote"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


Price = Annotated[
    dict[Literal["in", "out"], Annotated[float, Field(ge=0, allow_inf_nan=False)]],
    Field(min_length=2),
]
"""What a million tokens of prompts and of answers cost, in any currency: the user's numbers."""


def is_local(endpoint: str) -> bool:
    """Whether a server is on this machine."""
    return urlsplit(endpoint).hostname in ("127.0.0.1", "::1", "localhost")


def money(price: Mapping[Literal["in", "out"], float], prompt: int, answer: int) -> float:
    """What so many tokens of a prompt and of its answer cost."""
    return (prompt * price["in"] + answer * price["out"]) / 1e6


class RequestOptions(Options):
    """How a server with a model is asked, whichever it is."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=0.0, description="of an answer; 0: the likeliest; null leaves it to the server"
    )
    max_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=512, description="longest answer; null leaves it to the server"
    )
    timeout: float = Field(default=60, gt=0, le=3600, description="seconds for one answer")
    tries: int = Field(
        default=3, ge=1, le=10,
        description="how often a request that fails, or an answer that will not do, is tried",
    )  # fmt: skip
    wait: float = Field(
        default=1, ge=0, le=60,
        description="seconds before the second try; each further wait is twice as long, 60 at most",
    )  # fmt: skip
    concurrency: int = Field(default=4, ge=1, le=1024, description="requests at once")
    send_as: Mapping[Literal["seed", "max_tokens"], str | None] = Field(
        default={},
        description="other names of request keys at the server, `{max_tokens: "
        "max_completion_tokens}`; `{seed: null}` leaves that out",
    )

    @field_validator("send_as")
    @classmethod
    def _counted(cls, names: Mapping[str, str | None]) -> Mapping[str, str | None]:
        if "max_tokens" in names and names["max_tokens"] is None:
            raise ValueError("max_tokens: null, outside of send_as, leaves it to the server")
        return names


class ServerOptions(RequestOptions):
    """A model behind an OpenAI-compatible API.

    A plugin's own options inherit from it, with other defaults where they fit better.
    """

    endpoint: str = Field(
        default="",
        description="base URL of an OpenAI-compatible API, such as `http://127.0.0.1:8000/v1`",
    )
    model: str = Field(default="", description="the model's name at the endpoint")
    key: str = Field(
        default="OPENAI_API_KEY",
        description="name of the environment variable that holds the key; never the key itself",
    )
    cache: str = Field(default=".harness/replies", description="where answers are kept")
    price: Price | None = Field(
        default=None, description="money for a million tokens: `{in: 0.15, out: 0.60}`"
    )
    batch: bool | Annotated[int, Field(ge=1, le=50_000)] = Field(
        default=False,
        description="send requests together by the server's batch API: `true`, or the most that "
        "one batch may hold",
    )

    @property
    def free(self) -> bool:
        """Whether no request costs money: by its price, or on this machine and without one."""
        if self.price is not None:
            return not any(self.price.values())
        return not self.endpoint or is_local(self.endpoint)

    def decisive(self) -> dict[str, Any]:
        """The options that decide what a model says, those of :data:`NOT_DECISIVE` left out."""
        names = ServerOptions.model_fields.keys() - NOT_DECISIVE.keys()
        return self.model_dump(mode="json", include=names)

    def most(self, body: bytes) -> float | None:
        """The money that a request with this body can cost; None where that is not known."""
        if self.price is None or (self.max_tokens is None and self.price["out"]):
            return None
        return money(self.price, len(body), self.max_tokens or 0)  # a token has at least one byte


NOT_DECISIVE = {
    "timeout": "an answer that comes is the same",
    "tries": "a kept answer that will not do is asked for again while any are left",
    "wait": "an answer that comes is the same",
    "concurrency": "requests at once are answered one by one",
    "key": "who pays changes no answer",
    "cache": "it says where answers are kept",
    "price": "what it costs changes no answer",
    "batch": "how it is sent changes no answer",
}
"""Options of a server -> why kept replies do not depend on them."""


def check_server(options: ServerOptions) -> None:
    """Refuse what cannot be meant; no value that may be a secret is repeated.

    Raises:
        ValueError: says what is wrong.
    """
    if not _VARIABLE.fullmatch(options.key) or _looks_like_a_key(options.key):
        raise ValueError(
            "key takes the name of an environment variable, in capitals (OPENAI_API_KEY), never "
            "the key itself; what was given is not shown here"
        )
    if not options.endpoint:
        raise ValueError("endpoint is needed: a URL such as http://127.0.0.1:8000/v1")
    if not options.model:
        raise ValueError("an endpoint needs model: the name of the model there")
    if options.batch and not options.cache:
        raise ValueError("batch needs cache: what was sent and is not answered yet is kept there")
    _check_address(options.endpoint)


def foresee_library() -> Iterator[Problem]:
    """Whether servers can be asked at all; see :meth:`harness.Plugin.check`."""
    if importlib.util.find_spec("httpcore2") is None:
        message = f"it needs the package httpcore2: {install_extra(EXTRA)}"
        yield Problem(message, (), "environment")


def foresee_server(options: ServerOptions, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """What can be said of a server without asking it; see :meth:`harness.Plugin.check`."""
    yield from foresee_library()
    execution: Mapping[str, Any] = settings.get("execution", {})
    if (execution.get("budget") or {}).get("money") is not None and options.most(b"") is None:
        missing = "price" if options.price is None else "max_tokens"
        message = f"execution.budget.money needs {missing}: what a request can cost is not known"
        yield Problem(message, (missing,))
    if not gate.secret(options.key, by="check"):
        message = f"the environment variable {options.key} is not set: it is asked without a key"
        yield Problem(message, ("key",), "note")
    host = urlsplit(options.endpoint).netloc
    message = f"whether {host} answers, and has this model, is not tried before the run"
    yield Problem(message, ("endpoint",), "unknown")


def _looks_like_a_key(name: str) -> bool:
    """Some keys are capitals and digits throughout; names of variables have words in them."""
    return any(
        len(part) >= 16 and any(letter.isdigit() for letter in part) for part in name.split("_")
    )


def _check_address(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise ValueError("endpoint takes a URL such as http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(
            "endpoint holds a name, a password or a query: a key comes from the environment "
            "variable that `key` names"
        )
