"""Code that a stored run names: it is run where this project's own config names it too.

A run's folder may come from a stranger, and its config says which Python files are imported and
which models bring code of their own. Whoever looks at a run has asked for none of that.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.finding import FILE_NAME
from harness.engine import beginning, resume_command
from harness.engine.run import CONFIG, MACHINE_FOLDER, REPORTS_FOLDER
from harness.errors import HarnessError, UsageError
from harness.kit import yaml_file
from harness.kit.files import files_digest
from harness.records import Checkpoint

if TYPE_CHECKING:
    from harness.config.loading import Config

_trusted: ContextVar[bool] = ContextVar("trusted", default=False)


class Untrusted(UsageError):
    """A stored run names code that this project's own config does not name (exit 2)."""


@contextlib.contextmanager
def trusting() -> Iterator[None]:
    """Within it the code that stored runs name is run: the person at the terminal said so."""
    token = _trusted.set(True)
    try:
        yield
    finally:
        _trusted.reset(token)


def foreign_files(run: Path) -> str:
    """Why one-file plugins of the run in that folder are not imported; empty where they are."""
    if _trusted.get():
        return ""
    try:
        named = yaml_file.read(run / CONFIG)[0].get("plugins")
    except HarnessError:
        return ""
    files = _files(run, named)
    own = OwnConfig.of(run).plugins if files else ()
    known = beginning.plugin_digests(run)
    for file in files:
        if file not in own:
            return f"it names the plugin file {file}, which this project's own config does not"
        same = known is None or known.get(str(file)) == (file.is_file() and files_digest([file]))
        if not same:
            return f"the plugin file {file} is not what it was when the run was made"
    return ""


def refuse_files(run: Path) -> None:
    """Refuse to import what the config of the run in that folder names.

    Raises:
        Untrusted: its files are not those of this project.
    """
    if reason := foreign_files(run):
        raise _untrusted(run, reason)


def refuse_options(run: Path, config: Config) -> None:
    """Refuse options by which plugins run code (:attr:`harness.Plugin.runs_code`).

    Args:
        config: of the run in that folder.

    Raises:
        Untrusted: this project's own config does not have the same.
    """
    if _trusted.get():
        return
    for key, entries in config.entries.items():
        for entry in entries:
            for name in entry.instance.runs_code:
                value = getattr(entry.instance.options, name)
                if value and not OwnConfig.of(run).has(key, entry.plugin, name, value):
                    raise _untrusted(
                        run,
                        f"{entry.named} runs code by its option {name}, which this project's own "
                        "config does not set so",
                    )


def as_allowed(checkpoint: Checkpoint, config: Config) -> Checkpoint:
    """A checkpoint of the store; whether its model may run code the config says, not the store."""
    options = config.model.instance.options
    names = {
        name
        for stage, _, provider in config.registry.providers()
        if stage == config.model.stage
        for name in provider.plugin.runs_code
    }
    said = {name: getattr(options, name, False) for name in names & checkpoint.info.keys()}
    return dataclasses.replace(checkpoint, info={**checkpoint.info, **said})


@dataclass(frozen=True, slots=True)
class OwnConfig:
    """The config file of this project that a run was begun with; none of the run's own folder.

    Attributes:
        values: as they stand in it; empty where there is no such file.
    """

    folder: Path
    values: Mapping[str, Any]

    @classmethod
    def of(cls, run: Path) -> OwnConfig:
        """That of the run in this folder."""
        words = resume_command.kept(run) or list(resume_command.PLAIN)
        path = resume_command.config_of(words) or Path(FILE_NAME)
        apart = [Path(name).resolve() for name in (MACHINE_FOLDER, REPORTS_FOLDER)]
        try:
            folder = path.resolve().parent
            if not any(folder.is_relative_to(one) for one in (*apart, run.resolve())):
                return cls(folder, yaml_file.read(path)[0])
        except (HarnessError, ValueError):  # no such file, or no name of one
            pass
        return cls(Path(), {})

    @property
    def plugins(self) -> list[Path]:
        """Its one-file plugins."""
        return _files(self.folder, self.values.get("plugins"))

    def has(self, key: str, plugin: str, option: str, value: Any) -> bool:
        """Whether an entry under ``key`` names that plugin with that option."""
        given = self.values.get(key)
        for entry in given if isinstance(given, list) else [given]:
            if isinstance(entry, dict) and plugin in (entry.get("plugin"), entry.get("source")):
                own = entry.get(option)
                if isinstance(value, Path) and isinstance(own, str):
                    own = (self.folder / own).resolve()
                    value = value.resolve()
                if own == value:
                    return True
        return False


def _files(folder: Path, named: Any) -> list[Path]:
    """What a config in this folder has under ``plugins``."""
    several = named if isinstance(named, list) else []
    return [
        (folder / file).resolve() for file in several if isinstance(file, str) and "\0" not in file
    ]


def _untrusted(run: Path, reason: str) -> Untrusted:
    return Untrusted(
        f"its code is not run: {reason}",
        where=f"run {run.name}",
        hint="read that code; then the same command with --trust runs it",
    )
