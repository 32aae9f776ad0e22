"""What the metric and the judge of batches share: the options of asking a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

import harness
from harness.kit.remote.options import ServerOptions, check_server, foresee_server


class ModelOptions(ServerOptions):
    """Which model is asked, and how."""

    local: Path | None = Field(
        default=None, description="a folder with a transformers model, instead of an endpoint"
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
    cache: str = Field(default=".harness/judge", description="where replies are kept")


def check(options: ModelOptions) -> None:
    """Refuse what cannot be meant; no value that may be a secret is repeated.

    Raises:
        ValueError: says what is wrong.
    """
    if bool(options.endpoint) == bool(options.local):
        raise ValueError("either endpoint or local is needed: which model is to judge?")
    if options.batch and options.local:
        raise ValueError("batch needs an endpoint: a model in a folder is asked one by one")
    if options.endpoint:
        check_server(options)


def foresee(options: ModelOptions, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
    """What can be said of the judge without asking it; see :meth:`harness.Plugin.check`."""
    if options.local is None:
        yield from foresee_server(options, settings)
    elif not options.local.is_dir():
        yield harness.Problem(f"there is no folder {options.local}", ("local",), "environment")
