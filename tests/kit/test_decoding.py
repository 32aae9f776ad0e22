"""Which texts were decoded wrongly."""

from __future__ import annotations

import pytest

from harness.kit.decoding import decoded_wrongly


def test_bytes_of_utf_8_read_as_windows_1252_are_seen() -> None:
    for text in ["für", "naïve", "don’t", "5 €", "À bientôt", "Noël", "Ça", "Über"]:
        assert decoded_wrongly(text.encode().decode("cp1252")), text
        assert not decoded_wrongly(text), text


@pytest.mark.parametrize("text", ["für", "Ça", "Über"])
def test_other_wrong_ways_of_reading_are_seen(text: str) -> None:
    assert decoded_wrongly(text.encode().decode("latin-1"))
    assert decoded_wrongly(text.encode("latin-1").decode("utf-8", "replace"))


@pytest.mark.parametrize("text", ["“IRMÔ", "MAÇÃ – fruta", "plain", ""])
def test_a_right_text_is_none(text: str) -> None:
    assert not decoded_wrongly(text)
