"""What merged weights hold of a training: faithful ones are accepted, broken ones refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from harness_transformers.export import transfer
from harness_transformers.export.transfer import LIMITS
from harness_transformers.quiet import quietly
from tests.plugins.transformers.test_adapters import adapter

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import parity

BASE = [-3.0, -1.0, -2.0, -0.5]
TUNED = [-1.0, -0.5, -2.5, -0.1]


def test_a_share_of_the_training_is_the_slope():
    part = [before + 0.9 * (after - before) for before, after in zip(BASE, TUNED, strict=True)]
    seen = transfer.transfer(BASE, TUNED, part, LIMITS["float32"])
    assert (seen.slope, seen.rest) == (pytest.approx(0.9), pytest.approx(0, abs=1e-6))
    assert not seen.holds
    assert transfer.transfer(BASE, TUNED, TUNED, LIMITS["float32"]).holds


def test_what_has_nothing_to_do_with_the_training_is_the_rest():
    """Of a change across the training nothing is in the slope, by Pythagoras."""
    aside = [after + d for after, d in zip(TUNED, [0.5, -2.0, 0.0, 0.0], strict=True)]
    seen = transfer.transfer(BASE, TUNED, aside, LIMITS["bfloat16"])
    assert seen.slope == pytest.approx(1.0)
    assert seen.rest == pytest.approx((4.25 / 4.66) ** 0.5)
    assert not seen.holds


@pytest.mark.parametrize(
    ("exported", "holds"), [(BASE, True), ([-3.0, -1.0, -2.0, -0.6], False)], ids=["same", "other"]
)
@pytest.mark.parametrize("dtype", LIMITS)
def test_a_training_that_changed_nothing_divides_by_nothing(exported, holds, dtype):
    seen = transfer.transfer(BASE, BASE, exported, LIMITS[dtype])
    assert (seen.slope, seen.rest, seen.holds) == (None, None, holds)
    assert "no more than rounding does" in seen.sentences[0]
    assert transfer.transfer([], [], [], LIMITS[dtype]).slope is None


@pytest.fixture(scope="module")
def lines(base, row, tmp_path_factory):
    """(type, way) -> the benchmark's line, of a tiny random model and two trials."""
    torch.manual_seed(7)
    tuned = adapter(base, tmp_path_factory.mktemp("adapter") / "adapter")
    rows = [row(number) for number in range(12)]
    with quietly():
        return {(line["type"], line["way"]): line for line in parity.trials(tuned, rows, 6)}


@pytest.mark.parametrize("dtype", parity.TYPES)
@pytest.mark.parametrize("way", parity.WAYS)
def test_faithful_exports_are_accepted_and_broken_ones_refused(lines, dtype, way):
    assert len(lines) == len(parity.TYPES) * len(parity.WAYS)
    line = lines[dtype, way]
    limits = LIMITS[dtype]
    refused = [
        line["files"] or not (limits.low <= slope <= limits.high and rest <= limits.rest)
        for _, slope, rest in line["trials"]
    ]
    assert refused == [way != parity.FAITHFUL] * 2


def test_an_adapter_that_changed_nothing_is_exported(base, row, tmp_path):
    tuned = adapter(base, tmp_path / "adapter", size=0.0)
    asked = {"ways": (parity.FAITHFUL,), "types": ("float16",)}
    with quietly():
        (line,) = parity.trials(tuned, [row(1), row(2)], 2, **asked)
    assert line["lost"] == 0.0 and not line["files"]
    assert line["trials"][0][1:] == [None, None]
