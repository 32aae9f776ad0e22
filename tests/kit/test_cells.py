"""Cells of a sheet: no text of data becomes a formula."""

from __future__ import annotations

import pytest

from harness.kit.cells import guarded


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u3000", "\u00a0 ", "\n"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_a_formula_behind_blanks_is_one(blank: str, sign: str) -> None:
    text = f"{blank}{sign}1+1"
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["a = b", " 1 - 2", "", " "])
def test_other_texts_stay(text: str) -> None:
    assert guarded(text) == text
