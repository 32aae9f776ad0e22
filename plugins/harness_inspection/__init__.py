"""Looking at a run: ``harness errors``, ``why``, ``compare`` and ``query``.

``errors`` and ``why`` read the run's database alone; ``compare`` reads closed rounds whole. Nothing
here changes a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import harness

if TYPE_CHECKING:
    from harness.kit.blocks import Block


@harness.hookimpl
def explained_row(folder: Path, row: str, open_test: bool) -> Sequence[Block]:
    from harness_inspection.explained import blocks_of
    from harness_inspection.row import explained

    return tuple(blocks_of(explained(folder, row, open_test)))
