"""One training, or one answering, on several processes of this machine, called ranks.

``launching`` starts them and watches over them, ``member`` is what each of them does,
``exchange`` is what the ranks of a training say to each other, and ``shares`` is how rows that are
answered are dealt to ranks which say nothing. A stage of one process has none of this but
:data:`exchange.ALONE`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

import harness

Processes = Literal["auto"] | Annotated[int, Field(ge=1, le=64)]
"""Option of a stage: how many processes share its work."""
Timeout = Annotated[
    float,
    Field(
        gt=0,
        description="seconds without a sign of any process, or ten median steps where that "
        "is longer, until one that hangs ends all; no part of the result",
    ),
]
"""Option of a stage: when one of its processes is given up."""
TIMEOUT = 120


def count(processes: Processes, where: str) -> int:
    """How many processes a stage gets here: ``auto`` is one for each visible GPU.

    Args:
        where: the option's place in the config.

    Raises:
        ConfigError: there are GPUs, and fewer than processes.
    """
    if processes == 1:
        return 1
    import torch

    devices = torch.accelerator.device_count() if torch.accelerator.is_available() else 0
    if processes == "auto":
        return max(1, devices)
    if 0 < devices < processes:
        raise harness.ConfigError(
            f"asks for {processes} processes, and {devices} GPUs are visible",
            where=where, hint="each process needs a GPU of its own: lower it, or use auto",
        )  # fmt: skip
    return processes


def environment(processes: int, strategy: str = "ddp") -> dict[str, str]:
    """What names a result of several processes; of one, nothing."""
    if processes == 1:
        return {}
    return {"processes": str(processes), **({} if strategy == "ddp" else {"strategy": strategy})}
