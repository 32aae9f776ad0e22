"""The whole examination: probes are asked all at once, then the sections are made."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import harness
from harness.kit import cgroups
from harness_doctor.findings import Examination
from harness_doctor.probing import Answer, ask
from harness_doctor.sections import (
    config as config_section,
    libraries,
    machine,
    network,
    python,
    terminal,
    torch,
)


def examine(
    config: Path | None, sets: Sequence[str], seconds: float, report: harness.Report
) -> Examination:
    """Look at this machine and at what the config needs of it.

    Args:
        seconds: longest wait for what may hang.
        report: is told how many of the slow looks are done.
    """
    given = json.dumps({"config": str(config) if config else None, "sets": list(sets)})
    probes = {
        "config": ["config", given],
        "network": ["network"],
        "torch": ["torch_build"],
        "bitsandbytes": ["quantization"],
    }
    answers = ask(probes, seconds, report)
    found = machine.resources(cgroups.limits())
    needed = config_section.libraries(answers["config"])
    return Examination(
        [
            python.section(),
            libraries.section(),
            torch.section(
                answers["torch"], answers["bitsandbytes"],
                cores=found.usable, needs_bits="bitsandbytes" in needed,
            ),
            machine.section(found, places(answers["network"])),
            network.section(answers["network"], config_section.needs(answers["config"])),
            terminal.section(),
            config_section.section(answers["config"], config, sets),
        ]
    )  # fmt: skip


def places(network_: Answer) -> dict[str, Path]:
    """Where a run writes, and where models are kept."""
    here = Path.cwd()
    found = {"working folder": here, "reports": here / "reports", "model cache": _cache()}
    hub = network_.found.get("hub", {}).get("cache")
    if hub:
        found["hub's cache"] = Path(hub)
    return found


def _cache() -> Path:
    """The user's cache of models, as ``harness_transformers`` has it."""
    import platformdirs

    chosen = os.environ.get("HARNESS_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("harness")
