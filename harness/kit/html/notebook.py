"""Blocks as a piece of a notebook, for an object's ``_repr_html_``."""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from harness.kit.blocks import Block, Code, Heading
from harness.kit.html.blocks import draw, parts, style
from harness.kit.html.markup import Child, Html, element, joined, name

CLASS = "harness-blocks"


def in_notebook(blocks: Iterable[Block], opened: int | None = None) -> str:
    """What a notebook shows of blocks: markup with its own style, and no script.

    The style has an effect on nothing else in the notebook, and takes its colours from it: a dark
    theme needs no other. Where a viewer takes styles away, all can be read still.

    Args:
        opened: how many parts, each under a heading of level 2, are seen at once; those behind
            them are folded away, but for commands at the end. None: all are seen.
    """
    shown = tuple(blocks)
    # No other drawing of the notebook may have the same key, and the same blocks have the same.
    first = 1_000 * zlib.crc32(repr(shown).encode("utf-8", "replace"))
    keys = (f"chart-{n}" for n in itertools.count(first))
    inner: Child = draw(shown, keys) if opened is None else _folded(shown, opened, keys)
    return element("div", element("style", _style()), inner, class_=CLASS)


def _folded(blocks: Sequence[Block], opened: int, keys: Iterator[str]) -> Iterator[Child]:
    # What to type next is the end of a report, and no part of what stands before it.
    end = list(itertools.takewhile(lambda block: isinstance(block, Code), reversed(blocks)))[::-1]
    for place, (heading, inner) in enumerate(parts(blocks[: len(blocks) - len(end)])):
        drawn = draw(inner, keys)
        if place < opened:
            yield joined(None if _has_banner(inner) else draw([heading], keys), drawn)
        else:
            remark = [" ", element("span", name(heading.remark, 300), class_="remark")]
            title = element("summary", name(heading.text, 200), remark if heading.remark else None)
            yield element("details", title, drawn, class_="part")
    yield draw(end, keys)


def _has_banner(blocks: Sequence[Block]) -> bool:
    """Whether a part begins with the first line of all, which says more than a heading."""
    return bool(blocks) and isinstance(blocks[0], Heading) and blocks[0].level == 1


@functools.cache
def _style() -> Html:
    """The rules of blocks within our own element, stronger than those of the notebook."""
    own = files("harness.kit.html").joinpath("notebook.css").read_text(encoding="utf-8")
    return Html(f"{f'.{CLASS}' * 3} {{\n{style()}{own}}}")
