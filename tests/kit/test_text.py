"""Hostile text is harmless once it went through ``harness.kit.text``."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from harness.kit.text import (
    ELLIPSIS,
    lines,
    markdown_block,
    markdown_safe,
    one_line,
    plain,
    storable,
)
from tests.support.effort import effort

CASES = {
    "a\x1b[31mred\x1b[0m b": "ared b",
    "\x1b]0;title\x07x\x1b]8;;http://e\x1b\\link": "0;titlex8;;http://elink",
    "\x9b31mx": "31mx",
    "“Hello” said he, “Bye”.".encode().decode("latin-1"): "âHelloâ said he, âByeâ.",
    "Он вышел.".encode().decode("latin-1"): "ÐÐ½ Ð²ÑÑÐµÐ».",
    "nul\x00 bell\x07 delete\x7f": "nul bell delete",
    "\u202eevil\u202c \u2066iso\u2069": "evil iso",
    "\ud800 lone": "\ufffd lone",
    "zero\u200bwidth\ufeff": "zerowidth",
    "a\r\nb\rc\u2028d\x85e": "a\nb\nc\nd\ne",
    "tab\tand\nline": "tab\tand\nline",
    "ไทย Русский 👩\u200d💻 می\u200cخواهم": "ไทย Русский 👩\u200d💻 می\u200cخواهم",
}


@pytest.mark.parametrize(("raw", "clean"), CASES.items(), ids=range(len(CASES)))
def test_plain(raw: str, clean: str) -> None:
    assert plain(raw) == clean


def test_cut_texts_end_in_an_ellipsis_and_fit() -> None:
    assert plain("abcdef", 6) == "abcdef"
    assert plain("abcdefg", 6) == "abcde" + ELLIPSIS
    assert one_line("  a \n\n b  ", 10) == "a b"
    assert one_line("word " * 100, 12) == "word word w" + ELLIPSIS


def test_lines_keep_their_indentation_and_are_counted() -> None:
    assert lines("\n\n  if a:\r\n    b\x1b[31m\n \n", 100, 2) == "  if a:\n    b"
    assert lines("a\nb\nc\nd", 100, 2) == "a\nb\n… 2 more lines"
    assert lines("a\nb\nc", 100, 2) == "a\nb\n… 1 more line"
    assert lines(" \n\n", 100, 2) == ""


def test_a_megabyte_takes_no_time() -> None:
    texts = ["x" * 1_000_000, "\x1b[" * 500_000, "\x1b]" * 500_000, "\x1b]" + "y" * 1_000_000]
    texts += [c * 200_000 for c in ("\x9d", "\x9b", "\x1b", "\x1b ", "\x1b[0")]

    def shown() -> None:
        for text in texts:
            assert "\x1b" not in plain(text)
            assert len(one_line(text, 80)) <= 80
            assert len(markdown_safe(text, 80)) <= 160

    assert effort(shown) < 500


def test_storable_changes_only_what_cannot_be_stored() -> None:
    assert storable("a\x00b\ud800c\x1bd") == "a\ufffdb\ufffdc\x1bd"


MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(
    st.text(st.characters(codec=None) | st.sampled_from("\\`*_[]()<>|~&!#-+=:.1\n $@"), max_size=60)
)
def test_markdown_is_a_single_paragraph_of_the_same_text(text: str) -> None:
    tokens = MARKDOWN.parse("x " + markdown_safe(text) + " y")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    shown = "".join(child.content for child in children).replace("\u200b", "")
    assert shown.split() == ["x", *one_line(text).split(), "y"]


@given(st.text("#+-=:>1.)*_ `~\\a", max_size=12))
def test_markdown_safe_starts_no_block(text: str) -> None:
    kinds = [token.type for token in MARKDOWN.parse(markdown_safe(text))]
    assert kinds in ([], ["paragraph_open", "inline", "paragraph_close"])


def test_hosts_and_mentions_are_not_linked() -> None:
    shown = markdown_safe("see http://e.example www.e.example @someone #12 GH-12")
    assert not any(text in shown for text in ("http://", "www.", "@s", "#1", "GH-1"))


@pytest.mark.parametrize("text", ["```\n# out", "````", "a\n```text\n<b>", "~~~", ""])
def test_nothing_leaves_a_fenced_block(text: str) -> None:
    tokens = MARKDOWN.parse(markdown_block(text))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content == text + "\n"
