"""What an interrupted stage has left for its next attempt."""

from __future__ import annotations

from harness.engine import scratch


def test_what_another_key_had_saved_is_removed_and_told(tmp_path):
    own, other, bare = (tmp_path / name for name in ("train-aa", "train-bb", "train-cc"))
    for folder in (own, other, tmp_path / "generate-bb"):
        (scratch.of(folder) / "step-1").write_text("x")
    scratch.of(bare)
    assert scratch.remove_others(own, "train")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["generate-bb", "train-aa"]
    scratch.of(bare)
    assert not scratch.remove_others(own, "train") and not bare.exists()
