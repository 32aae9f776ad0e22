"""Data sets of the Hugging Face hub: data files only, no code of theirs is run."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import ConfigError, DataError, EnvironmentFailure, HarnessError
from harness.kit import gate
from harness.kit.readers import File, InMemory, Problems
from harness_rows.documents import Part
from harness_rows.options import RowsOptions
from harness_rows.splits import SPLIT_NAMES, with_dev

SECONDS = 10
"""Longest wait for the hub's answer about a revision."""
_ID = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*", re.ASCII)
_GATED = (
    "its owner grants access: ask for it on the data set's page, then set HF_TOKEN "
    "(or `hf auth login`)"
)
_UNREACHED = (
    "connect this machine; or fetch it elsewhere (`datasets.load_dataset(…).save_to_disk(folder)`) "
    "and give `path: folder` instead of `hub`"
)


def parts(options: RowsOptions, problems: Problems) -> tuple[list[Part], str]:
    """A reader for each split of the data set, and the commit that they are of.

    Returns:
        The readers, and the commit: empty where the data set was in the cache and the hub could
        not be asked.

    Raises:
        ConfigError: the id, the configuration or the revision is none.
        DataError: it is there, and its files cannot be read as tables.
        EnvironmentFailure: the hub cannot be reached, or does not let us in.
    """
    name = options.hub
    if not _ID.fullmatch(name):
        raise ConfigError(f"'{name}' is no id of a data set (owner/name)", where="data.hub")
    if Path(name).exists():
        raise ConfigError(
            f"'{name}' is a file or folder here", where="data.hub", hint=f"write `path: {name}`"
        )
    commit = _commit(name, options.revision)
    loaded = _loaded(options, commit or options.revision, reached=bool(commit))
    many = loaded if isinstance(loaded, dict) else {"": loaded}
    kind = f"the hub's data set {name}"
    readers: list[Part] = []
    splits = with_dev([_split_of(split) for split in many])
    for (split, data), ours in zip(many.items(), splits, strict=True):
        label = f"{name}/{split}" if split else name
        reader = InMemory(File(None, label), problems.add, data.data.table, kind)
        readers.append(Part(reader, ours))
    return readers, commit


def _split_of(name: str) -> str:
    words = re.split(r"[^a-z]+", name.casefold())
    return next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "")


def _commit(name: str, revision: str) -> str:
    """The commit that a revision stands for, or empty where the hub cannot be asked."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    if constants.HF_HUB_OFFLINE:
        return ""
    library = gate.library("huggingface_hub", "the model hub", by="data.hub")
    try:
        info: Any = library.HfApi().dataset_info(name, revision=revision or None, timeout=SECONDS)
    except HfHubHTTPError as error:
        raise _refused(error, name, revision) from None
    except Exception:
        return ""  # what is in the cache can be read all the same
    return str(info.sha or "")


def _refused(error: Exception, name: str, revision: str) -> HarnessError:
    """What the hub's answer means."""
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return EnvironmentFailure(f"the data set '{name}' is gated", where="data.hub", hint=_GATED)
    if isinstance(error, RepositoryNotFoundError):
        return EnvironmentFailure(
            f"the hub shows no data set '{name}': there is none, or it is private",
            where="data.hub",
            hint="check the id; for a private one set HF_TOKEN (or `hf auth login`)",
        )
    if isinstance(error, RevisionNotFoundError):
        return ConfigError(f"'{name}' has no revision '{revision}'", where="data.revision")
    return _unreached(error, name)


def _loaded(options: RowsOptions, revision: str, reached: bool) -> Any:
    library = gate.library("datasets", "the model hub", by="data.hub")
    try:
        with _still(), contextlib.nullcontext() if reached else _cache_alone():
            return library.load_dataset(
                options.hub, options.config or None, revision=revision or None
            )
    except Exception as error:
        raise _failed(error, options) from None


def _failed(error: Exception, options: RowsOptions) -> HarnessError:
    from datasets.exceptions import DatasetNotFoundError, DatasetsError

    name, text = options.hub, " ".join(str(error).split())
    if isinstance(error, DatasetNotFoundError) and "gated" in text:
        return EnvironmentFailure(f"the data set '{name}' is gated", where="data.hub", hint=_GATED)
    if isinstance(error, (ConnectionError, TimeoutError)) or "offline" in text.casefold():
        return _unreached(error, name)
    if isinstance(error, DatasetNotFoundError):
        return EnvironmentFailure(
            f"the data set '{name}' cannot be had: {text[:200]}", where="data.hub", hint=_GATED
        )
    if "onfig" in text and isinstance(error, ValueError):
        return ConfigError(text[:400], where="data.config", hint="name one: `config: …`")
    if "script" in text:
        return DataError(
            f"the data set '{name}' is a program, and no program of others is run",
            where="data.hub",
            hint="many have a version without one: `revision: refs/convert/parquet`",
        )
    if isinstance(error, (DatasetsError, ValueError)):
        return DataError(f"the data set '{name}' cannot be read: {text[:300]}", where="data.hub")
    return _unreached(error, name)


def _unreached(error: Exception, name: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the data set '{name}' is not in the cache and the hub cannot be reached "
        f"({type(error).__name__})",
        where="data.hub",
        hint=_UNREACHED,
    )


@contextmanager
def _cache_alone() -> Iterator[None]:
    """The hub is not asked meanwhile: it did not answer, and five more tries take half a minute."""
    from huggingface_hub import constants

    import datasets

    before = constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before


@contextmanager
def _still() -> Iterator[None]:
    """No bars and warnings of `datasets` meanwhile."""
    import datasets

    bars, level = datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    try:
        yield
    finally:
        datasets.logging.set_verbosity(level)
        if not bars:
            datasets.enable_progress_bars()
