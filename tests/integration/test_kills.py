"""Runs struck at random come to the end of an unbroken one, wherever their jobs are at work.

More kills, counted by what they struck: ``python benchmarks/run_kills.py --where slurm``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support import slurm

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import run_kills

LACKING = pytest.mark.skipif(bool(slurm.lacking()), reason=f"SLURM: {slurm.lacking()}")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("where", "kills"), [("local", 12), pytest.param("slurm", 8, marks=LACKING), ("ray", 4)]
)
def test_the_end_is_that_of_an_unbroken_run(where: str, kills: int, tmp_path: Path) -> None:
    assert run_kills.simulated(where, kills, 11, tmp_path).total() >= kills
