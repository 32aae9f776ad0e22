"""The contracts of the stages: one base class per kind of plugin.

A plugin is a class with a ``name``, a nested ``Options`` model and one or two methods. The
config names it, the core validates its options, makes an instance and calls it. Nothing in
this room knows any plugin, and plugins import only ``harness``.
"""

from __future__ import annotations

from harness.kit.options import Options
from harness.stages.analyzer import Analyzer, Evidence
from harness.stages.annotations import Annotated, AnnotatedRun, Annotations, AnswerValues
from harness.stages.augmenter import Augmenter
from harness.stages.base import Plugin
from harness.stages.baseline import Baseline
from harness.stages.detector import Detector
from harness.stages.experiment import (
    BranchOutcome,
    BranchTraining,
    Experiment,
    Intent,
    Outcome,
    PlannedBranch,
    PlannedRows,
)
from harness.stages.generator import Generator
from harness.stages.judge import Judge
from harness.stages.kinds import KINDS, StageKind
from harness.stages.metric import Metric
from harness.stages.model import Model
from harness.stages.probe import Probe
from harness.stages.reporter import Reporter
from harness.stages.runner import Resources, Runner
from harness.stages.searcher import CheckedSearcher, Searcher
from harness.stages.section import Section
from harness.stages.source import Source
from harness.stages.store import Store, StoreError
from harness.stages.trainer import Trainer, trainers_in
from harness.stages.verifier import Verification, Verifier, verified

__all__ = [
    "KINDS", "Analyzer", "Annotated", "AnnotatedRun", "Annotations", "AnswerValues", "Augmenter",
    "Baseline", "BranchOutcome", "BranchTraining", "CheckedSearcher", "Detector", "Evidence",
    "Experiment", "Generator", "Intent", "Judge", "Metric",
    "Model", "Options", "Outcome", "PlannedBranch", "PlannedRows", "Plugin", "Probe", "Reporter",
    "Resources", "Runner", "Searcher", "Section", "Source", "StageKind", "Store", "StoreError",
    "Trainer", "Verification",
    "Verifier", "trainers_in", "verified",
]  # fmt: skip
