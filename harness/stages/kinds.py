"""The table of stage kinds: what the core does with each of them follows from its row.

A new kind is a file in this room with its base class, and a row here. From the row follow the hook
by which its plugins enter, the config's key, the registry and the part of a run's key; from the
call and the type that it returns, the check of what its plugins give (:mod:`harness.boundary`), the
artifact that a run keeps of it (:mod:`harness.steps.call`), and the rule of the
conformance kit.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.boundary.results import returned
from harness.stages.analyzer import Analyzer, analyzed
from harness.stages.annotations import Annotations, exercise_annotations
from harness.stages.augmenter import Augmenter, proposed
from harness.stages.base import Conflict, Plugin
from harness.stages.baseline import Baseline, decided_by_people, exercise_baseline
from harness.stages.detector import Detector, detected
from harness.stages.experiment import Experiment, exercise_experiment
from harness.stages.generator import Generator, exercise_generator
from harness.stages.judge import Judge, rated
from harness.stages.metric import Metric
from harness.stages.model import Model, exercise_model
from harness.stages.probe import Probe, exercise_probe, without_texts
from harness.stages.reporter import Reporter, exercise_reporter
from harness.stages.runner import Runner, exercise_runner
from harness.stages.searcher import Searcher, exercise_searcher
from harness.stages.section import Section, exercise_section
from harness.stages.source import Source, rows_of
from harness.stages.store import Store, exercise_store
from harness.stages.trainer import Trainer, exercise_trainer
from harness.stages.verifier import Verifier, verified

REQUIRED: Any = ...
"""The default of a key that a config has to have."""


def _no_conflict(settings: Any, entries: Mapping[str, Sequence[Any]]) -> Iterable[Conflict]:
    return ()


@dataclass(frozen=True, slots=True)
class StageKind:
    """What the core knows of one kind of plugin.

    Attributes:
        base: its contract; ``base.stage`` names the kind.
        work: methods of which at least one has to be the plugin's own.
        own_call: calls a plugin and checks what it gives, where more is due than the annotation of
            its only method says; see :attr:`call`.
        key: the config's key that names its plugins; empty where no config does. An experiment's
            options are keys of their own.
        many: whether the key holds a list of entries.
        in_order: whether it may hold a list in place of one entry, whose plugins work one after
            the other, each on what the one before made.
        default, description: of the key.
        before: the core's key that it precedes in the reference and in ``config.yaml``; empty =
            at the end.
        named_by: what an entry calls its plugin by: ``{plugin: NAME}`` or ``{source: NAME}``.
        sized: whether entries say ``rows``, ``control`` and ``review``.
        usual: the plugin of an entry that names none; empty: each has to.
        in_key: whether its entries change results, and so are in a run's key: ``always``, or
            ``if named``, which leaves the keys of runs as they were before the kind was added;
            ``if used``: only where another key of the config makes results depend on them.
        conflicts: of the settings and the entries by key that could be read: what a config cannot
            ask of such plugins, each with its place.
        in_branches: whether what is trained beside the rounds has them, too.
    """

    base: type[Plugin]
    work: tuple[str, ...]
    own_call: Callable[..., Any] | None = None
    key: str = ""
    many: bool = False
    in_order: bool = False
    default: Any = REQUIRED
    description: str = ""
    before: str = ""
    named_by: Literal["plugin", "source"] = "plugin"
    sized: bool = False
    usual: str = ""
    in_key: Literal["always", "if named", "if used", "never"] = "never"
    conflicts: Callable[[Any, Mapping[str, Sequence[Any]]], Iterable[Conflict]] = _no_conflict
    in_branches: bool = True

    @property
    def stage(self) -> str:
        return self.base.stage

    @property
    def call(self) -> Callable[..., Any]:
        """Calls a plugin of this kind, its first argument, and gives back what it returned.

        Its other parameters are what such a plugin is given, by their names.
        """
        return self.own_call or _call_of(self.base, self.work[0])

    @property
    def takes(self) -> tuple[str, ...]:
        """Names of what a plugin is given."""
        return tuple(inspect.signature(self.call).parameters)[1:]

    @property
    def returns(self) -> Any:
        """Type of what the call gives back."""
        return typing.get_type_hints(self.call)["return"]

    @property
    def hook(self) -> str:
        """Name of the hook by which plugins of this kind enter."""
        return f"register_{self.stage}s"

    @property
    def reserved(self) -> frozenset[str]:
        """The keys of an entry that the core reads, so that no option can be called so."""
        head = {"plugin", "name"} if self.named_by == "plugin" else {"source"}
        return frozenset(head | ({"rows", "control", "review"} if self.sized else set()))


def _call_of(base: type[Plugin], name: str) -> Callable[..., Any]:
    method = getattr(base, name)

    @functools.wraps(method)  # so that its parameters and the type that it returns are known
    def call(plugin: Plugin, *args: Any, **named: Any) -> Any:
        return returned(method, getattr(plugin, name)(*args, **named))

    return call


KINDS: dict[str, StageKind] = {
    kind.stage: kind
    for kind in (
        StageKind(
            Source,
            work=("load",),
            own_call=rows_of,
            key="data",
            description=("where examples come from: `{source: NAME, …}` with a source's options"),
            before="corrections",
            named_by="source",
            in_key="always",
        ),
        StageKind(
            Model,
            work=("fetch",),
            own_call=exercise_model,
            key="model",
            description="the base model: `{source: NAME, …}` with a model's options",
            before="primary",
            named_by="source",
            in_key="always",
        ),
        StageKind(
            Trainer,
            work=("train",),
            own_call=exercise_trainer,
            key="train",
            in_order=True,
            description=(
                "`{plugin: NAME, …}` with a trainer's options, or a list of these: each starts "
                "from what the one before it made ([Training](training.md#several-trainers))"
            ),
            before="primary",
            in_key="always",
        ),
        StageKind(
            Generator,
            work=("generate",),
            own_call=exercise_generator,
            key="generate",
            description="`{plugin: NAME, …}` with a generator's options",
            before="primary",
            in_key="always",
        ),
        StageKind(
            Metric,
            work=("measure", "measure_all"),
            key="metrics",
            many=True,
            description="`[{plugin: NAME, …}]`, one or more",
            before="primary",
            in_key="always",
        ),
        StageKind(
            Detector,
            work=("detect",),
            own_call=detected,
            key="detect",
            many=True,
            default=["basic"],
            description="detectors, which name the error categories of an answer",
            before="plan",
            in_key="always",
        ),
        StageKind(
            Analyzer,
            work=("analyze",),
            own_call=analyzed,
            key="analyze",
            many=True,
            default=["slices", "causes"],
            description="analyzers, which find underperforming slices and causes",
            before="plan",
            in_key="always",
        ),
        StageKind(
            Augmenter,
            work=("propose",),
            own_call=proposed,
            key="augment",
            many=True,
            default=[],
            description=(
                "`[{plugin: NAME, rows: N, …}]`; empty means that the training rows "
                "stay as they are"
            ),
            before="filters",
            sized=True,
            in_key="always",
        ),
        StageKind(
            Reporter,
            work=("write",),
            own_call=exercise_reporter,
            key="report",
            many=True,
            default=["terminal", "markdown", "html"],
            description="writers of reports",
            before="guard",
            in_branches=False,
        ),
        StageKind(
            Section,
            work=("rows", "blocks"),
            own_call=exercise_section,
            key="sections",
            many=True,
            default=[],
            description="sections of your own in every report, by plugins",
            before="guard",
            in_branches=False,
        ),
        StageKind(Judge, work=("rate",), own_call=rated),
        StageKind(Annotations, work=("collect",), own_call=exercise_annotations),
        StageKind(
            Baseline,
            work=("prompts",),
            own_call=exercise_baseline,
            key="baselines",
            many=True,
            default=[],
            description=(
                "other prompts for the base model, `[prompted, few-shot]`, each of "
                "which the best round has to beat; the headline compares with the "
                "best of them. `{plugin: endpoint, …}` has another model answer, as "
                "a mark. The shipped config and `harness init` name both ([Would "
                "a prompt do?](what-next.md#would-a-prompt-do))"
            ),
            before="filters",
            in_key="if named",
            conflicts=decided_by_people,
            in_branches=False,
        ),
        StageKind(
            Searcher,
            work=("propose",),
            own_call=exercise_searcher,
            key="search",
            default=None,
            description=(
                "settings by search: {over: {train.r: [8, 16, 32]}, trials: 12}; "
                "the best of the trials meets the best round on dev ([search "
                "settings](what-next.md#search-settings))"
            ),
            before="valid",
            usual="optuna",
            in_branches=False,
        ),
        StageKind(
            Experiment,
            work=("intent", "left", "carry_out"),
            own_call=exercise_experiment,
            before="valid",
        ),
        StageKind(
            Probe,
            work=("texts",),
            own_call=exercise_probe,
            key="probes",
            many=True,
            default=["general"],
            description=(
                "general texts and instructions, on which each trained round's "
                "model is put beside the base model ([Forgetting](forgetting.md)); "
                "`[]`: none. Part of the result only where a guard or "
                "`replay` uses them"
            ),
            before="filters",
            in_key="if used",
            conflicts=without_texts,
        ),
        StageKind(Verifier, work=("verify", "verify_all"), own_call=verified),
        StageKind(Runner, work=("do",), own_call=exercise_runner),
        StageKind(Store, work=("get", "put", "create", "delete", "below"), own_call=exercise_store),
    )
}
"""Stage -> its kind, in the order in which entries are numbered in a run's key: add at the end."""
