"""The picture in the README: a run's report as the terminal shows it, as an SVG.

    python benchmarks/picture.py [reports/<run>/analysis.json] [-o docs/report.svg]

Without a file, the latest run of this folder. The picture uses the fonts of whoever looks at it:
nothing is fetched from anywhere.
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI

from harness.records.analysis import Analysis
from harness.registry import Registry
from harness.report.reading import FILE_NAME, read_analysis
from harness.report.sections import for_reporters

ROOT = Path(__file__).resolve().parent.parent
FONTS = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace'
_FONT_FACE = re.compile(r"\s*@font-face\s*\{[^}]*\}")
_REMARK = re.compile(r"\s*<!--.*?-->", re.DOTALL)


def picture(analysis: Analysis, width: int = 96, command: str = "harness report") -> str:
    """The report as SVG text; the same analysis always gives the same bytes."""
    registry = Registry.build()
    plugin: Any = registry.get("reporter", "terminal").plugin
    console = Console(
        file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor",
        legacy_windows=False, _environ={},
    )  # fmt: skip
    plugin().show(for_reporters(analysis, Path(), registry), console)
    svg = console.export_svg(title=command, theme=MONOKAI, unique_id="report")
    return _without_outside(svg)


def _without_outside(svg: str) -> str:
    """Take out the links to a font server, and name fonts that machines have."""
    svg = _REMARK.sub("", _FONT_FACE.sub("", svg))
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    return svg.replace("font-family: arial", "font-family: system-ui, sans-serif")


def latest(folder: Path = Path("reports")) -> Path:
    """The analysis that was written last.

    Raises:
        SystemExit: there is none.
    """
    found = sorted(folder.glob(f"*/{FILE_NAME}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit("no run in reports/ yet: harness iterate")
    return found[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("analysis", type=Path, nargs="?")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "report.svg")
    parser.add_argument("--width", type=int, default=96, help="columns of the terminal")
    arguments = parser.parse_args()
    path = arguments.analysis or latest()
    svg = picture(read_analysis(path.parent), arguments.width)
    arguments.output.write_text(svg, encoding="utf-8")
    print(f"{arguments.output}: {len(svg) // 1024} KiB, from {path}")


if __name__ == "__main__":
    main()
