"""The table of stage kinds: hooks, keys of the config, registry and conformance kit follow it.

A new kind is its base class and a row here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from harness.stages.annotations import Annotations
from harness.stages.base import Plugin
from harness.stages.experiments import Experiment
from harness.stages.growing import Analyzer, Augmenter
from harness.stages.making import Generator, Model, Source, Trainer
from harness.stages.probing import Probe
from harness.stages.prompting import Baseline
from harness.stages.reporting import Reporter, Section
from harness.stages.scoring import Detector, Judge, Metric
from harness.stages.searching import Searcher

REQUIRED: Any = ...
"""The default of a key that a config has to have."""


@dataclass(frozen=True, slots=True)
class StageKind:
    """What the core knows of one kind of plugin.

    Attributes:
        base: its contract; ``base.stage`` names the kind.
        work: methods of which at least one has to be the plugin's own.
        key: the config's key that names its plugins; empty where no config does. An experiment's
            options are keys of their own.
        many: whether the key holds a list of entries.
        default, description: of the key.
        before: the core's key that it precedes in the reference and in ``config.yaml``; empty =
            at the end.
        named_by: what an entry calls its plugin by: ``{plugin: NAME}`` or ``{source: NAME}``.
        sized: whether entries say ``rows`` and ``control``.
        usual: the plugin of an entry that names none; empty: each has to.
        in_key: whether its entries change results, and so are in a run's key: ``always``, or
            ``if named``, which leaves the keys of runs as they were before the kind was added;
            ``if used``: only where another key of the config makes results depend on them.
    """

    base: type[Plugin]
    work: tuple[str, ...]
    key: str = ""
    many: bool = False
    default: Any = REQUIRED
    description: str = ""
    before: str = ""
    named_by: Literal["plugin", "source"] = "plugin"
    sized: bool = False
    usual: str = ""
    in_key: Literal["always", "if named", "if used", "never"] = "never"

    @property
    def stage(self) -> str:
        return self.base.stage

    @property
    def hook(self) -> str:
        """Name of the hook by which plugins of this kind enter."""
        return f"register_{self.stage}s"

    @property
    def reserved(self) -> frozenset[str]:
        """The keys of an entry that the core reads, so that no option can be called so."""
        head = {"plugin", "name"} if self.named_by == "plugin" else {"source"}
        return frozenset(head | ({"rows", "control"} if self.sized else set()))


KINDS: dict[str, StageKind] = {
    kind.stage: kind
    for kind in (
        StageKind(
            Source,
            work=("load",),
            key="data",
            description="where examples come from: {source: NAME, …options}",
            before="corrections",
            named_by="source",
            in_key="always",
        ),
        StageKind(
            Model,
            work=("fetch",),
            key="model",
            description="the base model: {source: NAME, …options}",
            before="primary",
            named_by="source",
            in_key="always",
        ),
        StageKind(
            Trainer,
            work=("train",),
            key="train",
            description="{plugin: NAME, …options}",
            before="primary",
            in_key="always",
        ),
        StageKind(
            Generator,
            work=("generate",),
            key="generate",
            description="{plugin: NAME, …options}",
            before="primary",
            in_key="always",
        ),
        StageKind(
            Metric,
            work=("measure", "measure_all"),
            key="metrics",
            many=True,
            description="[{plugin: NAME, name: PREFIX, …options}]",
            before="primary",
            in_key="always",
        ),
        StageKind(
            Detector,
            work=("detect",),
            key="detect",
            many=True,
            default=["basic"],
            description="detectors of error categories",
            before="plan",
            in_key="always",
        ),
        StageKind(
            Analyzer,
            work=("analyze",),
            key="analyze",
            many=True,
            default=["slices", "causes"],
            description="finders of underperforming slices and of causes",
            before="plan",
            in_key="always",
        ),
        StageKind(
            Augmenter,
            work=("propose",),
            key="augment",
            many=True,
            default=[],
            description="[{plugin: NAME, rows: N per round, control: random}]",
            before="filters",
            sized=True,
            in_key="always",
        ),
        StageKind(
            Reporter,
            work=("write",),
            key="report",
            many=True,
            default=["terminal", "markdown", "html"],
            description="writers of reports",
            before="guard",
        ),
        StageKind(
            Section,
            work=("rows", "blocks"),
            key="sections",
            many=True,
            default=[],
            description="sections of one's own in every report",
            before="guard",
        ),
        StageKind(Judge, work=("rate",)),
        StageKind(Annotations, work=("collect",)),
        StageKind(
            Baseline,
            work=("prompts",),
            key="baselines",
            many=True,
            default=[],
            description="other prompts for the base model, which the best round has to beat",
            before="filters",
            in_key="if named",
        ),
        StageKind(
            Searcher,
            work=("propose",),
            key="search",
            default=None,
            description="settings by search: {over: {train.r: [8, 16, 32]}, trials: 12}",
            before="valid",
            usual="optuna",
        ),
        StageKind(Experiment, work=("intent", "left", "carry_out"), before="valid"),
        StageKind(
            Probe,
            work=("texts",),
            key="probes",
            many=True,
            default=["general"],
            description="general texts and instructions, before and after training; [] for none",
            before="filters",
            in_key="if used",
        ),
    )
}
"""Stage -> its kind, in the order in which entries are numbered in a run's key: add at the end."""
