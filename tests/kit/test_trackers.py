"""Trackers as a config names them."""

from __future__ import annotations

from harness.kit import trackers


def test_names_in_report_to():
    for report_to, names in [
        (None, []),
        ("none", []),
        ([], []),
        ("wandb", ["wandb"]),
        ("all", ["all"]),
        (["tensorboard", "none", "wandb"], ["tensorboard", "wandb"]),
    ]:
        assert trackers.named(report_to) == names, report_to
