"""harness: fine-tune a language model in rounds, with an honest verdict on each.

Everything that a plugin needs is here; names are loaded when they are first used, so that
``import harness`` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer to load than all of this; checkers know the name

if TYPE_CHECKING:
    from typing import Any

    from harness.boundary.calls import plainly as plainly
    from harness.config.finding import shipped as shipped
    from harness.config.making import make_metrics as make_metrics, make_plugin as make_plugin
    from harness.config.plugin_entries import Named as Named, PluginEntry as PluginEntry
    from harness.config.variants import Variants as Variants
    from harness.data.correction_file import (
        encoded_corrections as encoded_corrections,
        merged_corrections as merged_corrections,
        read_corrections as read_corrections,
    )
    from harness.data.corrections import (
        CORRECTED_SPLITS as CORRECTED_SPLITS,
        Correction as Correction,
        check_fits as check_fits,
        prompt_digest as prompt_digest,
    )
    from harness.data.families import families as families, in_parts as in_parts
    from harness.data.screening import Screening as Screening, previewed as previewed
    from harness.database.asking import open_database as open_database, safe_query as safe_query
    from harness.database.writing import QueryResult as QueryResult, query as query
    from harness.errors import (
        Cancelled as Cancelled,
        ConfigError as ConfigError,
        DataError as DataError,
        EnvironmentFailure as EnvironmentFailure,
        HarnessError as HarnessError,
        InputChanged as InputChanged,
        JobDied as JobDied,
        JobKilled as JobKilled,
        OutOfMemory as OutOfMemory,
        PluginError as PluginError,
        UsageError as UsageError,
        Waiting as Waiting,
        near as near,
    )
    from harness.errors.machine import machine_trouble as machine_trouble, storing as storing
    from harness.hookspecs import hookimpl as hookimpl
    from harness.kit.files import write_text as write_text
    from harness.opened import (
        AnswerSet as AnswerSet,
        Branch as Branch,
        Branches as Branches,
        BranchResult as BranchResult,
        ConfigView as ConfigView,
        PlannedRun as PlannedRun,
        PoolModels as PoolModels,
        RoundModels as RoundModels,
        StoredRound as StoredRound,
        open_branches as open_branches,
        open_config as open_config,
        open_plan as open_plan,
    )
    from harness.records import (
        BASE_ARM as BASE_ARM,
        SPLITS as SPLITS,
        SYSTEM_ROLES as SYSTEM_ROLES,
        Answer as Answer,
        Checkpoint as Checkpoint,
        Choice as Choice,
        Condition as Condition,
        Dataset as Dataset,
        Diagnosis as Diagnosis,
        ErrorLabel as ErrorLabel,
        Example as Example,
        Findings as Findings,
        Form as Form,
        Growth as Growth,
        Label as Label,
        Measurement as Measurement,
        Message as Message,
        Plan as Plan,
        PlanItem as PlanItem,
        Prediction as Prediction,
        Problem as Problem,
        Remark as Remark,
        Rendered as Rendered,
        Requests as Requests,
        RoundResult as RoundResult,
        Schedule as Schedule,
        Score as Score,
        ScoredExample as ScoredExample,
        Slice as Slice,
        Split as Split,
        ToolCall as ToolCall,
        Trial as Trial,
        TrialState as TrialState,
        Verdict as Verdict,
        from_json as from_json,
        system_turns_of as system_turns_of,
        to_json as to_json,
    )
    from harness.records.analysis import Analysis as Analysis
    from harness.records.context import (
        Context as Context,
        Limits as Limits,
        Quiet as Quiet,
        Report as Report,
        Watcher as Watcher,
    )
    from harness.records.live import Live as Live
    from harness.records.rubrics import (
        LONGEST_TEXT as LONGEST_TEXT,
        SCALE_KINDS as SCALE_KINDS,
        SCORED_KINDS as SCORED_KINDS,
        Criterion as Criterion,
        Item as Item,
        Judgement as Judgement,
        Overall as Overall,
        Rubric as Rubric,
        Scale as Scale,
        ScaleKind as ScaleKind,
        Show as Show,
    )
    from harness.records.summary import Summary as Summary
    from harness.registry import Provider as Provider, Registry as Registry
    from harness.report.folders import (
        all_reports as all_reports,
        all_runs as all_runs,
        current_reports as current_reports,
        find_reports as find_reports,
        run_names as run_names,
        runs_page as runs_page,
        summaries as summaries,
    )
    from harness.report.reading import (
        read_analysis as read_analysis,
        read_summary as read_summary,
        summary_schema as summary_schema,
    )
    from harness.report.refresh import remake as remake
    from harness.report.rescoring import Rescored as Rescored, rescore as rescore
    from harness.report.view import RunView as RunView, open_run as open_run
    from harness.run.artifacts import (
        empty_artifact as empty_artifact,
        large_files as large_files,
    )
    from harness.run.at_work import AttendedJob as AttendedJob, attended_jobs as attended_jobs
    from harness.run.channel import described as described, raised as raised
    from harness.run.forked import fork_job as fork_job
    from harness.run.job import do_job as do_job
    from harness.run.ledger import Opening as Opening, opening_bound as opening_bound
    from harness.run.shared_run import pull_run as pull_run, stored_runs as stored_runs
    from harness.run.uses import Use as Use, uses_of as uses_of
    from harness.run.worker import Worker as Worker
    from harness.scoring import (
        MetricEntry as MetricEntry,
        Scorecard as Scorecard,
        evaluate as evaluate,
        scoring_processes as scoring_processes,
    )
    from harness.stages import *  # noqa: F403
    from harness.steps.answer import Evaluation as Evaluation
    from harness.verdicts.answers import compare as compare
    from harness.verdicts.comparison import (
        Comparison as Comparison,
        compare_systems as compare_systems,
    )

__version__ = "0.1.0"

_HOMES = {
    "harness.stages": (
        "Annotated", "AnnotatedRun", "AnswerValues", "BranchOutcome", "BranchTraining",
        "CheckedSearcher", "Evidence", "Intent", "Outcome",
        "PlannedBranch", "PlannedRows", "Resources", "StoreError", "Verification", "trainers_in",
        "verified",
    ),
    "harness.records": (
        "Answer", "BASE_ARM", "Checkpoint", "Choice", "Condition", "Dataset", "Diagnosis",
        "ErrorLabel", "Example", "Findings", "Form", "Growth", "Label", "Measurement", "Message",
        "Plan", "PlanItem", "Prediction", "Problem", "Remark", "Rendered", "Requests",
        "RoundResult", "SPLITS", "SYSTEM_ROLES", "Schedule", "Score", "ScoredExample",
        "Slice", "Split", "ToolCall", "Trial", "TrialState", "Verdict", "from_json",
        "system_turns_of", "to_json",
    ),
    "harness.records.rubrics": (
        "Criterion", "Item", "Judgement", "LONGEST_TEXT", "Overall", "Rubric", "SCALE_KINDS",
        "SCORED_KINDS", "Scale", "ScaleKind", "Show",
    ),
    "harness.run.artifacts": ("empty_artifact", "large_files"),
    "harness.run.at_work": ("AttendedJob", "attended_jobs"),
    "harness.run.channel": ("described", "raised"),
    "harness.run.forked": ("fork_job",),
    "harness.run.job": ("do_job",),
    "harness.run.shared_run": ("pull_run", "stored_runs"),
    "harness.run.uses": ("Use", "uses_of"),
    "harness.run.worker": ("Worker",),
    "harness.boundary.calls": ("plainly",),
    "harness.scoring": ("MetricEntry", "Scorecard", "evaluate", "scoring_processes"),
    "harness.verdicts.answers": ("compare",),
    "harness.verdicts.comparison": ("Comparison", "compare_systems"),
    "harness.records.context": ("Context", "Limits", "Quiet", "Report", "Watcher"),
    "harness.opened": (
        "AnswerSet", "Branch", "BranchResult", "Branches", "ConfigView", "PlannedRun", "PoolModels",
        "RoundModels", "StoredRound", "open_branches", "open_config", "open_plan",
    ),
    "harness.run.ledger": ("Opening", "opening_bound"),
    "harness.registry": ("Provider", "Registry"),
    "harness.report.folders": (
        "all_reports", "all_runs", "current_reports", "find_reports", "run_names", "runs_page",
        "summaries",
    ),
    "harness.database.asking": ("open_database", "safe_query"),
    "harness.database.writing": ("QueryResult", "query"),
    "harness.records.analysis": ("Analysis",),
    "harness.records.live": ("Live",),
    "harness.records.summary": ("Summary",),
    "harness.report.reading": ("read_analysis", "read_summary", "summary_schema"),
    "harness.report.refresh": ("remake",),
    "harness.report.rescoring": ("Rescored", "rescore"),
    "harness.report.view": ("RunView", "open_run"),
    "harness.kit.files": ("write_text",),
    "harness.kit.options": ("Options",),
    "harness.hookspecs": ("hookimpl",),
    "harness.errors": (
        "Cancelled", "ConfigError", "DataError", "EnvironmentFailure", "HarnessError",
        "InputChanged", "JobDied", "JobKilled", "OutOfMemory", "PluginError", "UsageError",
        "Waiting", "near",
    ),
    "harness.errors.machine": ("machine_trouble", "storing"),
    "harness.data.corrections": ("CORRECTED_SPLITS", "Correction", "check_fits", "prompt_digest"),
    "harness.data.correction_file": (
        "encoded_corrections", "merged_corrections", "read_corrections",
    ),
    "harness.data.screening": ("Screening", "previewed"),
    "harness.config.finding": ("shipped",),
    "harness.config.making": ("make_metrics", "make_plugin"),
    "harness.config.plugin_entries": ("Named", "PluginEntry"),
    "harness.config.variants": ("Variants",),
    "harness.data.families": ("families", "in_parts"),
    "harness.steps.answer": ("Evaluation",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def _stages() -> dict[str, Any]:
    """The base class of every kind of stage, by its name."""
    from harness.stages import KINDS

    return {kind.base.__name__: kind.base for kind in KINDS.values()}


def __getattr__(name: str) -> Any:
    import importlib

    if home := _HOME_OF.get(name):
        return getattr(importlib.import_module(home), name)
    if name == "__all__":
        return ["__version__", *sorted([*_HOME_OF, *_stages()])]
    if name[0].isupper() and name in (stages := _stages()):
        return stages[name]
    raise AttributeError(f"module 'harness' has no attribute '{name}'")


def __dir__() -> list[str]:
    return list(__getattr__("__all__"))
