"""The Hugging Face hub and its cache on this machine, as far as a config has to be checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness
from harness.kit import gate

SECONDS = 5
"""Longest wait for the hub."""
_ID = re.compile(r"(?=[\w.-]{1,96}(/[\w.-]{1,96})?\Z)(\w[\w.-]*/)?\w[\w.-]*", re.ASCII)


def is_id(text: str) -> bool:
    """Whether a model can be called so: ``owner/name``, or a name alone."""
    odd = "--" in text or ".." in text or text.endswith((".git", ".", "-"))
    return not odd and _ID.fullmatch(text) is not None


def cached(name: str, revision: str) -> Path | None:
    """The folder of a revision's snapshot in the cache, if it is there."""
    from huggingface_hub import constants

    root = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    try:
        commit = (root / "refs" / revision).read_text().strip()
    except (OSError, ValueError):
        commit = revision
    folder = root / "snapshots" / commit
    return folder if (folder / "config.json").is_file() else None


def problems(name: str, revision: str) -> Iterator[harness.Problem]:
    """What the hub says of a model that is not cached; unknown where it cannot be asked."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        message = f"'{name}' ({revision}) is not in the cache, and HF_HUB_OFFLINE forbids to fetch"
        yield harness.Problem(message, ("id",), "environment")
        return
    yield from _asked(name, revision)


def _asked(name: str, revision: str) -> Iterator[harness.Problem]:
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    library = gate.library("huggingface_hub", "the model hub", by="model source 'hub'")
    try:
        info: Any = library.HfApi().model_info(name, revision=revision, timeout=SECONDS)
    except RepositoryNotFoundError:
        message = f"the hub has no model '{name}', or it is private (hf auth login)"
        yield harness.Problem(message, ("id",))
    except RevisionNotFoundError:
        yield harness.Problem(f"'{name}' has no revision '{revision}'", ("revision",))
    except Exception as error:
        message = f"'{name}' is not in the cache and the hub cannot be asked"
        yield harness.Problem(f"{message} ({type(error).__name__})", ("id",), "unknown")
    else:
        files = [sibling.rfilename for sibling in info.siblings or ()]
        if not any(file.endswith(".safetensors") and "/" not in file for file in files):
            message = f"'{name}' has no safetensors weights, and no others are loaded"
            yield harness.Problem(message, ("id",))
        if info.gated:
            message = f"access to '{name}' has to be granted; whether you have it shows on fetching"
            yield harness.Problem(message, ("id",), "unknown")


def licence(name: str, revision: str) -> str:
    """What a model's page says of its licence; empty where it cannot be asked or says nothing."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return ""
    library = gate.library("huggingface_hub", "the model hub", by="the model card")
    try:
        card: Any = library.HfApi().model_info(name, revision=revision, timeout=SECONDS).card_data
        return str(card.license_name or card.license or "")
    except Exception:
        return ""
