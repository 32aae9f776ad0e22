"""Trackers as a config names them."""

from __future__ import annotations

import pytest

from harness.kit import trackers


@pytest.mark.parametrize(
    ("report_to", "names"),
    [
        (None, []),
        ("none", []),
        ([], []),
        ("wandb", ["wandb"]),
        ("all", ["all"]),
        (["tensorboard", "none", "wandb"], ["tensorboard", "wandb"]),
    ],
)
def test_names_in_report_to(report_to, names):
    assert trackers.named(report_to) == names
