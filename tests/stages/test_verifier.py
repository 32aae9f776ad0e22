"""What a verifier says of a row."""

from __future__ import annotations

import pytest

import harness
from harness.errors import PluginError

ROW = harness.Example("a", ({"role": "user", "content": "q"},), ("x",))


class Says(harness.Verifier):
    name = "says"

    def __init__(self, what):
        super().__init__()
        self.what = what

    def verify(self, row, context):
        return self.what


def test_a_verification_is_passed_on(tmp_path):
    said = harness.Verification(True, "equal to 2 of 3")
    assert harness.verified(Says(said), [ROW], harness.Context(tmp_path)) == [said]


@pytest.mark.parametrize(
    "what",
    [
        True,
        None,
        ("yes", "no"),
        harness.Verification(True, " "),
        harness.Verification(1, "x"),
        harness.Verification(True, "x", harness.Example("b", ROW.messages, ("y",))),
    ],
)
def test_anything_else_is_refused(tmp_path, what):
    with pytest.raises(PluginError, match=r"verify_all|verification"):
        harness.verified(Says(what), [ROW], harness.Context(tmp_path))


def test_every_row_is_spoken_of(tmp_path):
    class Half(Says):
        def verify_all(self, rows, context):
            return [self.what]

    said = harness.Verification(True, "x")
    with pytest.raises(PluginError, match="says something of 1 rows, of 2 given"):
        harness.verified(Half(said), [ROW, ROW], harness.Context(tmp_path))
