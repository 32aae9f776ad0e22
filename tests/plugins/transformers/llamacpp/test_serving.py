"""Prompts as llama.cpp's server makes them."""

from __future__ import annotations

import os

import pytest

from harness_transformers.llamacpp import serving


@pytest.mark.nightly
def test_a_server_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    endless = tmp_path / "model.gguf"
    os.mkfifo(endless)  # whoever opens it waits for a writer
    monkeypatch.setattr(serving, "LOADING", 2)
    monkeypatch.setattr(serving, "EACH", 0)
    chats = [{"messages": [{"role": "user", "content": "?"}]}] * 2
    assert (
        serving.prompts(str(endless), chats) == ["the server gave no answer within 2 seconds"] * 2
    )
