"""What is private in a text."""

from __future__ import annotations

from pathlib import Path

from harness.kit.privacy import Private


def test_what_is_private() -> None:
    private = Private(
        {"HF_TOKEN": "abcdefgh", "LANG": "C.UTF-8-LONG", "A_KEY": "1", "HTTPS_PROXY": "http://p:1"},
        [Path("/home/eve"), Path("/mnt/homes/eve")], "eve",
    )  # fmt: skip
    shown = {
        "at /home/eve/x": "at ~/x",
        "/home/eve": "~",
        "/home/evelyn/x": "/home/evelyn/x",
        "/mnt/homes/eve/x": "~/x",
        "/scratch/eve/x and eve": "/scratch/USER/x and eve",
        "token abcdefgh.": "token ***.",
        "C.UTF-8-LONG and 1": "C.UTF-8-LONG and 1",
        "http://p:1/x": "***/x",
        "https://me:pw@host/x": "https://host/x",
        "hf_0123456789abcdef": "***",
        "a\x1b[31mb": "ab",
    }
    assert {text: private.text(text) for text in shown} == shown
    assert private.json({"/home/eve": [("/home/eve/a", 1, None)]}) == {"~": [["~/a", 1, None]]}


def test_a_home_that_is_the_root_hides_nothing() -> None:
    assert Private({}, [Path("/")], "").text("/usr/lib") == "/usr/lib"
