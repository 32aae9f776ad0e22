"""The records that flow through the loop: plain, frozen, slotted, and free of behaviour.

Records go in and out of every stage. They hold only JSON-like values, so that
:func:`to_json` and :func:`from_json` carry them over files and process boundaries.
"""

from harness.records.course import Course, CourseKind
from harness.records.findings import Condition, Diagnosis, Findings, Growth, Plan, PlanItem, Slice
from harness.records.plain import from_json, to_json
from harness.records.rounds import (
    NOT_ASKED,
    NOTHING_KEPT,
    AnsweredKind,
    Forgetting,
    GuardResult,
    GuardState,
    Label,
    RoundResult,
    Sealed,
    TestResult,
    Verdict,
)
from harness.records.rows import (
    BASE_ARM,
    CONTROL_ARM,
    SPLITS,
    Checkpoint,
    Dataset,
    ErrorLabel,
    Example,
    Level,
    Measurement,
    Message,
    Prediction,
    Problem,
    Rendered,
    Requests,
    Schedule,
    Score,
    ScoredExample,
    Split,
)
from harness.records.searching import Trial, TrialState

__all__ = [
    "BASE_ARM",
    "CONTROL_ARM",
    "NOTHING_KEPT",
    "NOT_ASKED",
    "SPLITS",
    "AnsweredKind",
    "Checkpoint",
    "Condition",
    "Course",
    "CourseKind",
    "Dataset",
    "Diagnosis",
    "ErrorLabel",
    "Example",
    "Findings",
    "Forgetting",
    "Growth",
    "GuardResult",
    "GuardState",
    "Label",
    "Level",
    "Measurement",
    "Message",
    "Plan",
    "PlanItem",
    "Prediction",
    "Problem",
    "Rendered",
    "Requests",
    "RoundResult",
    "Schedule",
    "Score",
    "ScoredExample",
    "Sealed",
    "Slice",
    "Split",
    "TestResult",
    "Trial",
    "TrialState",
    "Verdict",
    "from_json",
    "to_json",
]
