"""The pictures of docs/reading-the-report.md: parts of a run's page, drawn by Chromium.

python benchmarks/page_pictures.py reports/<run>/report.html [-o docs/pictures]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 900
PARTS: Mapping[str, str] = {
    "report-slices": "#underperforming-slices",
    "report-kinds": "#error-categories-on-dev",
    "report-example": "#example-list details",
}
"""Picture -> the part of the page that it shows, with all that is folded in it open."""
TALLEST = 900
_OPEN = "part => { part.open = true; part.querySelectorAll('details').forEach(d => d.open = true) }"


def draw(page: str, folder: Path) -> None:
    """Write the pictures of a report's page."""
    sys.path.insert(0, str(ROOT))
    from tests.support.browser import launched

    with launched() as browser:
        tab = _tab(browser, page, WIDTH, dark=False)
        tab.screenshot(path=folder / "report-verdict.png")
        for name, selector in PARTS.items():
            part = tab.locator(selector).first
            part.evaluate(_OPEN)
            tab.evaluate("scrollTo(0, 0)")
            box = part.bounding_box()
            clip = {"x": 0, "y": box["y"], "width": WIDTH, "height": min(box["height"], TALLEST)}
            tab.screenshot(path=folder / f"{name}.png", clip=clip, full_page=True)
        _tab(browser, page, 390, dark=True).screenshot(path=folder / "report-narrow-dark.png")


def _tab(browser: Any, page: str, width: int, dark: bool) -> Any:
    scheme = "dark" if dark else "light"
    size = {"width": width, "height": TALLEST}
    tab = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    tab.goto(page)
    return tab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "pictures")
    given = parser.parse_args()
    draw(given.page.resolve().as_uri(), given.output)


if __name__ == "__main__":
    main()
