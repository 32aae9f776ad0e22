"""A key is taken out of what a server says, however it is written there."""

from __future__ import annotations

import json

import pytest

from harness.kit.remote.masking import TAKEN_OUT, Mask

KEY = "sk-test/4f9a-Very+Secret-0123456789"


def escaped(text: str, letters: str | None = None, *, upper: bool = False) -> str:
    """A text as JSON writes it where these letters (all by default) are escaped."""
    form = "\\u{:04X}" if upper else "\\u{:04x}"
    return "".join(
        form.format(ord(letter)) if letters is None or letter in letters else letter
        for letter in text
    )


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        escaped(KEY, "+", upper=True),  # as .NET writes it
        escaped(KEY, "/-"),
        escaped(KEY),
        escaped(KEY, upper=True),
        KEY.replace("/", "\\/"),
        *(escaped(KEY, letter) for letter in sorted(set(KEY))),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_no_way_to_write_it_passes(written, depth):
    """JSON in a text of JSON, as a gateway that repeats what it was sent writes it."""
    for _ in range(depth):
        written = json.dumps(written)[1:-1]
    assert Mask(KEY).text(f"<{written}>") == f"<{TAKEN_OUT}>"


def test_a_key_of_quotes_and_backslashes_is_found():
    key = 'a"b\\c"d\\e+f'
    for depth in range(4):
        written = key
        for _ in range(depth):
            written = json.dumps(written)[1:-1]
        assert Mask(key).text(f"<{written}>") == f"<{TAKEN_OUT}>"


def test_every_text_of_a_document_is_looked_at():
    value = {KEY: [1, None, True, {"a": f"x{KEY}"}, [escaped(KEY)]], "b": 2.5}
    assert Mask(KEY).value(value) == {
        TAKEN_OUT: [1, None, True, {"a": f"x{TAKEN_OUT}"}, [TAKEN_OUT]], "b": 2.5,
    }  # fmt: skip


@pytest.mark.parametrize("key", ["", "EMPTY", "1234567"])
def test_what_is_made_up_spoils_no_text(key):
    assert Mask(key).text("EMPTY 1234567 \\u0031") == "EMPTY 1234567 \\u0031"


def test_a_flood_of_backslashes_is_read_at_once():
    """A pattern with no bound would need a step for each pair of them."""
    text = "\\" * 1_000_000
    assert Mask(KEY).text(text) == text
