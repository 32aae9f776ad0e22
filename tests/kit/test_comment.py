"""Comments on a pull request: short, and nothing in them that could act."""

from __future__ import annotations

import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from harness.kit.blocks import Block, Paragraph
from harness.kit.comment import LONGEST, Beside, Part, comment, lowest, worse
from harness.kit.terminal.comparisons import ComparedScore
from tests.support.hostile_texts import HOST, LINKS, SCRIPTS

GITHUB = 65_536
"""Characters of the longest comment."""
CLOSING = (
    "```\n</details> @someone #12 GH-12 |\n---|\n# x\n"
    f"![x](http://{HOST}/i.png) <!-- harness score: x -->"
)
ONE = {
    "difference": -0.1, "low": -0.2, "high": -0.01, "p": 0.02, "wins": 1, "ties": 2, "losses": 30,
    "label": "regressed",
}  # fmt: skip


def beside(text: str, name: str = "row", **more: Any) -> Beside:
    """Thirty rows that got worse, each named and answered so."""
    parts = [Part(f"{name} {n:02}", 1.0, n / 100, 7, (f"{text} a {n}", f"{text} b {n}"))
             for n in range(30)]  # fmt: skip
    scores = {f"{name} {n}": ComparedScore(f"{name} {n}", 0.7, 0.6, ONE, name, 1.0)
              for n in range(12)}  # fmt: skip
    values = {
        "names": (f"{name} old", f"{name} new"), "primary": f"{name} 1", "label": "regressed",
        "sentence": f"regressed: {text}", "unmet": text, "scores": scores,
        "higher_is_better": True, "slices": parts, "rows": parts, "notes": [text] * 9,
    }  # fmt: skip
    return Beside(**{**values, **more})


def kinds(text: str) -> list[str]:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return [child.type for token in tokens for child in (token.children or [token])]


def test_it_tells_what_got_worse_the_widest_loss_first() -> None:
    text = comment(beside("word").blocks())
    assert text.startswith("### ▼ regressed (row 1, row new against row old)\n\nword; answers: 1 b")
    assert "**Not as required:** word" in text and "And 2 other scores." in text
    assert text.index("| row 1 (row) | 0.7000 |") < text.index("| row 0 (row) | 0.7000 |")
    slices, rows = text.split("Slices that got worse (3 of 30)")[1].split("Answers that got worse")
    assert slices.count("| row ") == 3 and "| row 00 | 7 | 1.0000 | 0.0000 |" in slices
    assert "(5 of 30)" in rows and len(re.findall("^. row [0-9]", rows, re.M)) == 5
    assert "| row 00 | 1.0000 | 0.0000 | word a 0 | word b 0 |" in rows and "row 05" not in rows


def test_of_a_score_that_is_better_when_lower_what_rose_is_worse() -> None:
    parts = [Part("a", 1.0, 2.0), Part("b", 2.0, 1.0), Part("c", None, 9.0), Part("d", 1.0, 4.0)]
    assert [part.name for part in worse(parts, False)] == ["d", "a"]
    assert [part.name for part in worse(parts, True)] == ["b"]
    quiet = comment(beside("x", rows=parts[:2], slices=(), higher_is_better=True).blocks())
    assert "No slice is worse than before." in quiet and "| b | 2.00 | 1.00 |" in quiet
    shown = comment(lowest(parts, "ter", False))
    assert re.findall(r"^\| ([a-d]) ", shown, re.MULTILINE) == ["c", "d", "a", "b"]


def test_of_answers_that_begin_alike_what_differs_is_shown() -> None:
    same = "word " * 200
    parts = [Part("a", 1.0, 0.0, texts=(f"{same}it was paid.", f"{same}it was not."))]
    text = comment(beside("x", rows=parts).blocks())
    assert re.search(r"\| … ?[word ]+it was paid\. \| … ?[word ]+it was not\. \|", text)


@pytest.mark.parametrize("text", [*SCRIPTS[:6], *LINKS, CLOSING, "\x00\x1b[2J\u202e" + "@a " * 99])
def test_hostile_texts_change_nothing_but_the_words(text: str) -> None:
    blocks = beside(text, text).blocks()
    shown, plain = comment(blocks), comment(beside("word", "row").blocks())
    acts = {"html_inline", "html_block", "link_open", "image", "code_inline", "fence", "s_open"}
    assert not acts & set(kinds(shown))
    frame = [kind for kind in kinds(shown) if kind not in ("text", "text_special")]
    assert frame == [kind for kind in kinds(plain) if kind not in ("text", "text_special")]
    assert not re.search(r"[@#]\w|://|www\.|GH-\d", shown)
    assert "<!--" not in shown.replace("\\<", "")
    assert len(shown) < GITHUB


def test_the_longest_possible_one_is_below_the_limit() -> None:
    worst = "\\*@a" * 100_000
    assert len(comment(beside(worst, worst).blocks())) < LONGEST
    many: list[Block] = [Paragraph("*" * 1_000)] * 1_000
    text = comment(many)
    assert text.endswith("The rest is too long for a comment.\n")
    assert LONGEST - 3_000 < len(text) < GITHUB - 1_000
