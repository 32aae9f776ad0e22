"""What is exported: a round's adapter, the base model below it, and what was measured of both."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.kit.files import read_json
from harness.kit.forms import FormOptions
from harness_transformers import checks, loading

ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
"""The files of an adapter in PEFT's format."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an export comes from.

    Attributes:
        stored: the round as it was closed.
        tuned: its adapter; ``base_path`` is where the base model lies now.
        document: the analysis of the run.
    """

    stored: harness.StoredRound
    tuned: harness.Checkpoint
    document: harness.Analysis

    @property
    def round(self) -> int:
        return self.stored.result.round

    @property
    def system_turns(self) -> tuple[harness.Message, ...]:
        """The system turns of all rows of dev; empty where they differ, or hold more than text."""
        first, *others = harness.system_turns_of(self.stored.card.examples)
        texts = all(isinstance(turn.get("content"), str) for turn in first)
        return first if texts and not others else ()

    @property
    def base_folder(self) -> str:
        """Where the base model lies on this machine."""
        return str(Path(str(self.tuned.base_path)).resolve())

    @property
    def longest(self) -> int:
        """Tokens of an answer at most."""
        return int(self.stored.config["generate"].get("max_new_tokens") or 256)

    @property
    def form(self) -> harness.Form | None:
        """What answers were held to; None: nothing.

        Raises:
            ConfigError: the file that says it is gone.
        """
        return FormOptions(schema=self.stored.config["generate"].get("schema")).form()

    @property
    def quantised(self) -> bool:
        """Whether the base model is loaded in fewer bits, or stored so."""
        if loading.QUANTIZATION in self.tuned.info:
            return True
        return "quantization_config" in read_json(Path(str(self.tuned.base_path)) / "config.json")


def find(name: str | None, number: int | None, report: harness.Report) -> Origin:
    """The adapter of a run's round; of its best one where none is named.

    Raises:
        UsageError: there is no such run or round, or training left no PEFT adapter.
        DataError: the files are gone, or the base model is another one by now.
        EnvironmentFailure: the base model is not where the run's config says, or cannot be loaded.
    """
    reports = harness.current_reports(name)
    document = harness.read_analysis(reports)
    run = harness.open_run(reports.name)
    wanted = document.kept_round if number is None else number
    if wanted == 0:
        raise harness.UsageError(
            "round 0 is the base model, which was not trained: there is nothing to export",
            where=f"run {run.name}",
            hint="no round improved on it; --round K exports a round all the same"
            if number is None else "--round K names a round that was trained",
        )  # fmt: skip
    adapter = run.model(wanted)
    if adapter.kind != "adapter" or not all((Path(adapter.path) / n).is_file() for n in ADAPTER):
        raise harness.UsageError(
            f"what the trainer of run {run.name} leaves is no PEFT adapter, and nothing else is "
            "exported",
            hint="harness docs use-the-model says where its files lie",
        )
    stored = run.round(wanted)
    base = run.models([], report).base
    checks.refuse(Path(base.path), trust_remote_code=bool(base.info.get("trust_remote_code")))
    return Origin(stored, dataclasses.replace(adapter, base_path=base.path), document)
