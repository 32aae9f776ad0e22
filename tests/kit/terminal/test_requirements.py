"""What ``--require`` and ``--min-gain`` ask of a comparison."""

from __future__ import annotations

from harness.kit.terminal.requirements import Requirement


def test_a_lower_end_of_0_counts_as_above_0_where_the_label_says_so() -> None:
    for label, low, min_gain, code in [
        ("improved", 0.01, 0.0, 0),
        ("improved", 0.0, 0.0, 0),  # the exact test excludes 0, and no bound lies above it
        ("improved", 0.0, 0.001, 1),
        ("improved", 0.02, 0.02, 1),
        ("no evidence", 0.0, 0.0, 1),
        ("no evidence", 0.0, -0.01, 0),
        ("no evidence", None, -0.01, 1),
    ]:
        comparison = {"label": label, "low": low, "doubt": ""}
        assert Requirement(None, min_gain).exit_code("exact", comparison) == code, label
