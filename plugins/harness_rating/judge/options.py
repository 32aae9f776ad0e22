"""What the metric and the judge of batches share: the options of asking a model."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

import harness
from harness.kit.installing import install_extra

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class Asking(harness.Options):
    """Which model is asked, and how."""

    endpoint: str = Field(
        default="",
        description="base URL of an OpenAI-compatible API, such as `http://127.0.0.1:8000/v1`",
    )
    model: str = Field(default="", description="the model's name at the endpoint")
    local: Path | None = Field(
        default=None, description="a folder with a transformers model, instead of an endpoint"
    )
    key: str = Field(
        default="OPENAI_API_KEY",
        description="name of the environment variable that holds the key; never the key itself",
    )
    samples: Annotated[int, Field(ge=1, le=25)] | None = Field(
        default=None,
        description="answers asked of the model per criterion (null: as the rubric says)",
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=0.7, description="of the samples; null leaves it to the server"
    )
    max_tokens: Annotated[int, Field(ge=16)] | None = Field(
        default=512, description="longest reply; null leaves it to the server"
    )
    timeout: float = Field(default=60, gt=0, le=3600, description="seconds for one reply")
    tries: int = Field(
        default=3,
        ge=1,
        le=10,
        description="how often a request that fails, or a reply that cannot be read, is tried",
    )
    wait: float = Field(
        default=1,
        ge=0,
        le=60,
        description="seconds before the second try; each further wait is twice as long, 60 at most",
    )
    concurrency: int = Field(default=4, ge=1, le=64, description="requests at once")
    cache: str = Field(default=".harness/judge", description="where replies are kept")


def check(options: Asking) -> None:
    """Refuse what cannot be meant; no value that may be a secret is repeated.

    Raises:
        ValueError: says what is wrong.
    """
    if bool(options.endpoint) == bool(options.local):
        raise ValueError("either endpoint or local is needed: which model is to judge?")
    if not _VARIABLE.fullmatch(options.key) or _looks_like_a_key(options.key):
        raise ValueError(
            "key takes the name of an environment variable, in capitals (OPENAI_API_KEY), never "
            "the key itself; what was given is not shown here"
        )
    if options.endpoint:
        if not options.model:
            raise ValueError("an endpoint needs model: the name of the model there")
        _check_address(options.endpoint)


def foresee(options: Asking) -> Iterator[harness.Problem]:
    """What can be said of the judge without asking it; see :meth:`harness.Plugin.check`."""
    if options.local is not None:
        if not options.local.is_dir():
            yield harness.Problem(f"there is no folder {options.local}", ("local",), "environment")
        return
    if importlib.util.find_spec("httpx2") is None:
        message = f"it needs the package httpx2: {install_extra('judge')}"
        yield harness.Problem(message, (), "environment")
    if not os.environ.get(options.key):
        message = f"the environment variable {options.key} is not set: it is asked without a key"
        yield harness.Problem(message, ("key",), "note")
    host = urlsplit(options.endpoint).netloc
    message = f"whether {host} answers, and has this model, is not tried before the run"
    yield harness.Problem(message, ("endpoint",), "unknown")


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
