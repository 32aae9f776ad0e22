"""The cells of a notebook, run in their order by IPython, as Jupyter and Colab run them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def code_cells(path: Path) -> dict[str, str]:
    """Id -> source of each cell of code, in their order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}


def run_cells(
    cells: Mapping[str, str], folder: Path, command: Callable[[str], int] | None = None
) -> dict[str, str | None]:
    """Run each cell; id -> the markup of what it shows.

    Args:
        folder: where IPython keeps what is its own.
        command: what a line that begins with ``!`` is given to, and returns its exit code; None:
            a shell.

    Raises:
        Exception: what a cell raises; an AssertionError where a command of it fails.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config, places = Config(), sys.path.copy()
    config.HistoryManager.enabled = False
    shell: Any = InteractiveShell(config=config, ipython_dir=str(folder))
    if command is not None:
        shell.system = lambda line: shell.user_ns.update(_exit_code=command(shell.var_expand(line)))
    markup: dict[str, str | None] = {}
    try:
        for name, source in cells.items():
            shell.user_ns["_exit_code"] = 0
            result = shell.run_cell(source)
            result.raise_error()
            assert shell.user_ns["_exit_code"] == 0, f"a command of the cell {name} failed"
            shown, _ = shell.display_formatter.format(result.result)
            markup[name] = shown.get("text/html")
    finally:
        shell.restore_sys_module_state()  # its module had the name of the program's own
        sys.path[:] = places
    return markup
