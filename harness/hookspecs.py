"""All hooks, in one place.

*Contribute* hooks are called once while the registry of a run is built, and return classes.
*Observe* hooks are told what happened; what they return is ignored, and one that raises is
logged with the plugin's name while the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pluggy

from harness import stages
from harness.records import RoundResult

hookspec = pluggy.HookspecMarker("harness")
hookimpl = pluggy.HookimplMarker("harness")


class Hooks:
    """What a plugin module may define, decorated with ``@harness.hookimpl``."""

    @hookspec
    def register_sources(self) -> Sequence[type[stages.Source]]:
        """Sources of data; the config picks one by ``data: {source: NAME}``."""
        raise NotImplementedError

    @hookspec
    def register_models(self) -> Sequence[type[stages.Model]]:
        """Where the untouched model comes from; ``model: {source: NAME}``."""
        raise NotImplementedError

    @hookspec
    def register_trainers(self) -> Sequence[type[stages.Trainer]]:
        """Trainers; ``train: {plugin: NAME}``."""
        raise NotImplementedError

    @hookspec
    def register_generators(self) -> Sequence[type[stages.Generator]]:
        """Generators; ``generate: {plugin: NAME}``."""
        raise NotImplementedError

    @hookspec
    def register_metrics(self) -> Sequence[type[stages.Metric]]:
        """Metrics; ``metrics: [{plugin: NAME}]``."""
        raise NotImplementedError

    @hookspec
    def register_detectors(self) -> Sequence[type[stages.Detector]]:
        """Detectors of kinds of errors; ``detect: [{plugin: NAME}]``."""
        raise NotImplementedError

    @hookspec
    def register_analyzers(self) -> Sequence[type[stages.Analyzer]]:
        """Finders of weak places; ``analyze: [{plugin: NAME}]``."""
        raise NotImplementedError

    @hookspec
    def register_augmenters(self) -> Sequence[type[stages.Augmenter]]:
        """Makers of training rows; ``augment: [{plugin: NAME, rows: N}]``."""
        raise NotImplementedError

    @hookspec
    def register_reporters(self) -> Sequence[type[stages.Reporter]]:
        """Writers of reports; ``report: [{plugin: NAME}]``."""
        raise NotImplementedError

    @hookspec
    def register_sections(self) -> Sequence[type[stages.Section]]:
        """Sections of reports; ``sections: [{plugin: NAME}]``."""
        raise NotImplementedError

    @hookspec
    def register_judges(self) -> Sequence[type[stages.Judge]]:
        """Models that rate as people do; ``harness rate judge --judge NAME``."""
        raise NotImplementedError

    @hookspec
    def register_annotations(self) -> Sequence[type[stages.Annotations]]:
        """What is said of answers from outside, such as people's ratings; always asked."""
        raise NotImplementedError

    @hookspec
    def on_run_start(self, run: str, config: Mapping[str, Any]) -> None:
        """A run starts or goes on; ``config`` has every default filled in."""

    @hookspec
    def on_stage_end(
        self, run: str, stage: str, round: int, arm: str, seconds: float, cached: bool
    ) -> None:
        """A stage's output was published, or found in the store (``cached``)."""

    @hookspec
    def on_round_end(self, run: str, result: RoundResult) -> None:
        """A round was closed; nothing can change it any more."""

    @hookspec
    def on_run_end(self, run: str, summary: Mapping[str, Any]) -> None:
        """The run is finished; ``summary`` equals summary.json."""
