"""Code that a stored run names: it is run where this project's own config names it too.

A run's folder may come from a stranger, and its config says which Python files are imported and
which models bring code of their own. Whoever looks at a run has asked for none of that.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config import loading
from harness.config.finding import FILE_NAME
from harness.config.running_code import CodeRunner, running_code
from harness.config.settings import plugin_files
from harness.engine import beginning, resume_command
from harness.engine.places import CONFIG, MACHINE_FOLDER, REPORTS_FOLDER
from harness.errors import ConfigError, HarnessError, UsageError
from harness.kit import yaml_file
from harness.records import Checkpoint

if TYPE_CHECKING:
    from harness.config.loading import Config
    from harness.engine.run import Run

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


def is_trusting() -> bool:
    """Whether the person at the terminal said so."""
    return _trusted.get()


def foreign_files(run: Path) -> str:
    """Why one-file plugins of the run in that folder are not imported; empty where they are.

    One that was edited since is still the project's own: what a round was closed with is pinned.
    """
    try:
        files = plugin_files(yaml_file.read(run / CONFIG)[0], run)
    except ConfigError:
        return ""
    noted = beginning.plugin_digests(run)
    return foreign(run, files, lambda file: str(file) in noted)


def foreign(run: Path, files: Sequence[Path], known: Callable[[Path], bool]) -> str:
    """Why these files, which the run in that folder names, are not imported; empty if they are.

    Args:
        known: whether the run was made with the file of that whole path.
    """
    if _trusted.get() or not files:
        return ""
    own = own_config(run)
    allowed = _plugins_of(own) if own else []
    for file in (path.resolve() for path in files):
        if file not in allowed:
            return f"it names the plugin file {file}, which this project's own config does not"
        if not known(file):
            return f"the plugin file {file} is not the one that the run was made with"
    return ""


def current_files(run: Path) -> list[Path]:
    """The one-file plugins that the run's own config names by now, whole paths.

    It has to lie in the working folder itself: which of the project's configs is the run's own is
    written in the run's folder, and a folder below may hold a stranger's project.
    """
    own = own_config(run)
    return _plugins_of(own) if own and own.resolve().parent == Path.cwd() else []


def refuse_files(run: Path) -> None:
    """Refuse to import what the config of the run in that folder names.

    Raises:
        Untrusted: its files are not those of this project.
    """
    refuse(run, foreign_files(run))


def refuse_options(run: Path, config: Config) -> None:
    """Refuse options by which plugins run code (:attr:`harness.Plugin.runs_code`).

    Args:
        config: of the run in that folder. What is trained beside its rounds counts, too.

    Raises:
        Untrusted: this project's own config does not have the same.
    """
    refuse(run, foreign_options(run, list(running_code(config))))


def foreign_options(run: Path, runners: Sequence[CodeRunner]) -> str:
    """Why what runs code is not used; empty where it is.

    All options of each plugin have to be those of one of this project's own config: that it trusts
    one model says nothing of another one.

    Args:
        runners: as the run in that folder names them.
    """
    if _trusted.get() or not runners:
        return ""
    own = own_config(run)
    allowed = _running_code_of(own) if own else []
    for runner in runners:
        if runner.identity not in allowed:
            return (
                f"{runner.named} runs code by its options, and this project's own config has none "
                "with the same options"
            )
    return ""


def refuse_beside(run: Run, beside: Config) -> None:
    """Refuse code of a training beside the rounds that the run's own config does not ask for.

    Arms and trials are read from the run's folder, too.

    Raises:
        Untrusted: a plugin of that training's config runs other code.
    """
    if _trusted.get() or run.combines_code:
        return
    allowed = [runner.identity for runner in run.code]
    for runner in running_code(beside):
        if runner.identity not in allowed:
            what = f"{runner.named} runs code by options that the config of the run does not set"
            refuse(run.folder, what)


def as_allowed(checkpoint: Checkpoint, config: Config) -> Checkpoint:
    """A checkpoint of the store; whether its model may run code the config says, not the store."""
    options = config.model.instance.options
    providers = config.registry.of_stage(config.model.stage).values()
    names = {name for provider in providers for name in provider.plugin.runs_code}
    allowed = {name: getattr(options, name, False) for name in names & checkpoint.info.keys()}
    return dataclasses.replace(checkpoint, info={**checkpoint.info, **allowed})


def own_config(run: Path) -> Path | None:
    """The config of this project that the run in that folder was begun with; None without one.

    It lies below the working folder, and neither in the run's folder nor among runs and reports.
    """
    words = resume_command.read(run) or list(resume_command.PLAIN)
    path = resume_command.config_of(words) or Path(FILE_NAME)
    apart = [path for path in (Path(MACHINE_FOLDER), Path(REPORTS_FOLDER), run) if path.exists()]
    try:
        above = path.resolve(strict=True).parents
        own = Path.cwd() in above
        own = own and not any(folder.samefile(other) for folder in above for other in apart)
    except (OSError, ValueError):  # there is no such file, or that is no name of one
        return None
    return path if own else None


def _plugins_of(own: Path) -> list[Path]:
    """The one-file plugins of a config, whole paths; none where it cannot be read."""
    try:
        return [file.resolve() for file in plugin_files(yaml_file.read(own)[0], own.parent)]
    except ConfigError:
        return []


def _running_code_of(own: Path) -> list[Any]:
    """What is known of each plugin of a config that runs code; none where it cannot be read."""
    try:
        return [runner.identity for runner in running_code(loading.load(own))]
    except HarnessError:
        return []


def refuse(run: Path, reason: str) -> None:
    """Refuse code of the run in that folder, if there is a reason.

    Raises:
        Untrusted: there is one.
    """
    if reason:
        raise Untrusted(
            f"its code is not run: {reason}",
            where=f"run {run.name}",
            hint="read that code; then the same command with --trust runs it",
        )
