"""What trainers and generators say of this machine: each asked where its work is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.config.plugin_entries import PluginEntry
from harness.context import silent
from harness.engine.job import as_environment, write_question
from harness.kit.files import remove
from harness.stages import Plugin

if TYPE_CHECKING:
    from harness.engine.run import Run


def asked(run: Run, entries: Sequence[PluginEntry]) -> dict[str, dict[str, str]]:
    """Stage of each entry -> what its plugin says (:meth:`harness.Plugin.environment`)."""
    environments: dict[str, dict[str, str]] = {entry.stage: {} for entry in entries}
    several = [e for e in entries if type(e.instance).environment is not Plugin.environment]
    if run.config.settings.execution.launcher == "inline":
        for entry in several:
            with run.guard("environment", entry):
                environments[entry.stage] = as_environment(entry.instance.environment())
    elif several:
        folder = run.fresh_folder("environment")
        write_question(several, run.plugin_files, folder)
        with run.guard("environment", several[0]):
            environments |= run.worker.do(folder, silent, run.cancelled)["answer"]
        remove(folder)
    return environments
