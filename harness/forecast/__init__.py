"""What a run will do, take and need, said before anything is spent."""

from __future__ import annotations

from harness.forecast.forecasting import plan_run
from harness.forecast.records import Forecast, Needs, PlannedArm, PlannedWork, Remark

__all__ = ["Forecast", "Needs", "PlannedArm", "PlannedWork", "Remark", "plan_run"]
