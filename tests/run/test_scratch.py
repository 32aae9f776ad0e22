"""What an interrupted stage has left for its next attempt."""

from __future__ import annotations

from harness.run import scratch


def test_attempts_under_other_keys_are_known_with_what_they_have_saved(tmp_path):
    own, other, bare, sent = (tmp_path / f"train-{name}" for name in ("aa", "bb", "cc", "dd"))
    for folder in (own, other, sent, tmp_path / "generate-bb"):
        (scratch.of(folder) / "step-1").write_text("x")
    scratch.of(bare)
    (sent / scratch.SUBMITTED).write_text("{}")
    assert sorted(scratch.others(own, "train")) == [other, bare]
    assert scratch.others(own, "train", {"train-bb"}) == [bare]
    assert scratch.saved(other) and not scratch.saved(bare)
