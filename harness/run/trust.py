"""What a stored run may do: all of it where it is one's own (:mod:`harness.kit.own`), else
nothing that goes through the gate (:mod:`harness.kit.gate`).

Arms, trials and checkpoints come from the run's folder or its store even where its config is one's
own. They may run no other code than that config asks for.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.finding import FILE_NAME
from harness.config.running_code import running_code
from harness.config.settings import plugin_files
from harness.errors import ConfigError
from harness.kit import gate, own, yaml_file
from harness.records import Checkpoint
from harness.run import resume_command
from harness.run.places import CONFIG

if TYPE_CHECKING:
    from harness.config.loading import Config
    from harness.run.run import Run


def is_ours(run: Path) -> bool:
    """Whether the run in that folder was begun here, or whatever it names is trusted."""
    return gate.is_trusting() or own.is_own_run(run, run / CONFIG)


def current_files(run: Path) -> list[Path]:
    """The one-file plugins that the config of the working folder names by now, whole paths.

    The run's folder says which of the configs there it was begun with: each of them is the user's,
    but for one that a store has brought.
    """
    words = resume_command.read(run) or list(resume_command.PLAIN)
    path = resume_command.config_of(words) or Path(FILE_NAME)
    try:
        beside = path.resolve(strict=True).parent == Path.cwd()
        if not beside or own.is_pulled(path):
            return []
        return [file.resolve() for file in plugin_files(yaml_file.read(path)[0], path.parent)]
    except (ConfigError, OSError, ValueError):  # there is no such file, or it cannot be read
        return []


def refuse_beside(run: Run, beside: Config) -> None:
    """Refuse code of a training beside the rounds that the run's own config does not ask for.

    Raises:
        Untrusted: a plugin of that training's config runs other code.
    """
    if gate.is_trusting() or run.combines_code:
        return
    allowed = [runner.identity for runner in run.code]
    for runner in running_code(beside):
        if runner.identity not in allowed:
            what = f"{runner.named} is not used: the config of the run sets no such options"
            raise gate.refuse(what, f"run {run.name}", "an arm or a trial of the run's records")


def as_allowed(checkpoint: Checkpoint, config: Config) -> Checkpoint:
    """A checkpoint of the store; whether its model may run code the config says, not the store."""
    options = config.model.instance.options
    providers = config.registry.of_stage(config.model.stage).values()
    names = {name for provider in providers for name in provider.plugin.runs_code}
    allowed = {name: getattr(options, name, False) for name in names & checkpoint.info.keys()}
    return dataclasses.replace(checkpoint, info={**checkpoint.info, **allowed})
