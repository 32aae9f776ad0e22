"""What a run leaves for people: summary.json, config.yaml, reports and the database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from harness.boundary.calls import plainly
from harness.config.plugin_entries import PluginEntry
from harness.errors import HarnessError, PluginError
from harness.kit import yaml_file
from harness.kit.files import write_bytes, write_json
from harness.kit.lock import turn
from harness.records import to_json
from harness.records.analysis import Analysis
from harness.records.summary import Summary
from harness.registry import Registry
from harness.report.analysis import Terms, analyse
from harness.report.annotations import RunAnnotations, collect
from harness.report.caveats import by_now
from harness.report.database import database
from harness.report.finished import STAGE, asked_beside, sections_of
from harness.report.reading import FILE_NAME as ANALYSIS, read_summary, rounds_closed
from harness.report.references import between_references
from harness.report.sections import for_reporters
from harness.report.summary import summarise
from harness.run.run import Run
from harness.scoring import right_at
from harness.stages.analyzer import causes_of
from harness.stages.detector import categories_of
from harness.stages.reporter import written as files_of
from harness.steps import Steps
from harness.steps.detect import UNEXPLAINED
from harness.steps.history import History

T = TypeVar("T")


def publish(run: Run, steps: Steps, history: History, *, final: bool) -> Summary:
    """The summary after each round; everything people read, and its pin, once the run is done.

    The reports of a round in between are made when somebody asks for them (``refresh.py``). A run
    that is gone on with walks through its closed rounds again: a summary that tells of more is
    left as it is, so that it never goes back to an earlier round.
    """
    summary = summarise(run, steps, history, final=final)
    document = to_json(summary)
    if not final:
        if not _tells_as_much(run, summary):
            write_json(run.reports / "summary.json", document)
        return summary
    with turn(run.reports_lock):
        written = reports(run, steps, history, summary, run.config.registry)
        write_json(run.reports / "summary.json", document)
    run.observe("on_run_end", summary=summary)
    # From here on `finished` believes that the run is: whatever a kill cut before is made again.
    folder = run.fresh_folder(STAGE)
    write_json(folder / "output" / "summary.json", document)
    stages = [[label, *place] for place, label in run.used.items()]
    facts = {
        "files": written, "stages": stages, "journal": run.journal.digest,
        "parts": sorted(part for outcome in history.outcomes.values() for part in outcome.done),
        "beside": asked_beside(run), "sections": sections_of(run),
    }  # fmt: skip
    run.artifacts.publish(STAGE, run.key, folder / "output", facts, 0.0, replace=True)
    shutil.rmtree(folder, ignore_errors=True)
    return summary


def reports(
    run: Run, steps: Steps, history: History, summary: Summary, registry: Registry
) -> list[str]:
    """Config, database, analysis and what the reporters write; returns the files' names.

    Args:
        summary: of the run.
        registry: the plugins that the run is shown with.
    """
    run.reports.mkdir(parents=True, exist_ok=True)
    config = yaml_file.dump(run.config.published())
    write_bytes(run.reports / "config.yaml", config.encode())
    annotations = collect(run, history, registry)
    database(run, steps, history, annotations)
    analysis = _analysis(run, steps, history, by_now(summary, steps, history), annotations)
    write_json(run.reports / ANALYSIS, to_json(analysis))
    written = ["config.yaml", "run.duckdb", ANALYSIS]
    document = for_reporters(analysis, run.root, registry)
    for entry in run.config.report:
        try:
            with run.guard("report", entry):
                files = files_of(entry.instance, document, run.reports)
                written += [path.name for path in files]
        except PluginError as error:
            run.log.error("reporter %s failed", entry.name, exc_info=error)
            run.watcher.say(f"warning: reporter '{entry.name}' ({entry.origin}): {error.what}")
    return written


def _analysis(
    run: Run, steps: Steps, history: History, summary: Summary, annotations: RunAnnotations
) -> Analysis:
    entries = {id(entry.instance): entry for entry in run.config.sections}
    causes: dict[str, tuple[str, str, bool]] = {}
    for entry in run.config.analyze:
        causes |= _asked(entry, causes_of)
    primary = steps.primary_entry().metric
    terms = Terms(
        definitions_of(run.config.detect), causes, right_at(primary), primary.bounds,
        primary.by_people,
        names_errors=any(entry.instance.growing() for entry in run.config.detect),
    )  # fmt: skip
    return analyse(
        summary,
        run.reports / "run.duckdb",
        terms,
        sections=[entry.instance for entry in run.config.sections],
        annotations=annotations,
        references=between_references(steps, history),
        guard=lambda section: run.guard("report", entries[id(section)]),
    )


def definitions_of(detectors: Sequence[PluginEntry]) -> dict[str, str]:
    """Kind of error -> its definition.

    A kind that several detectors look for is one kind, found where either finds it; each one's
    definition stands behind its name.
    """
    by_kind: dict[str, dict[str, str]] = {}
    for entry in detectors:
        kinds = _asked(entry, categories_of)
        for kind, text in kinds.items():
            by_kind.setdefault(kind, {})[entry.name] = text
    definitions = {UNEXPLAINED: "a failing answer of no other error category"}
    for kind, texts in by_kind.items():
        several = "; or ".join(f"{name}: {text}" for name, text in texts.items())
        definitions[kind] = several if len(texts) > 1 else next(iter(texts.values()))
    return definitions


def _asked(entry: PluginEntry, call: Callable[[Any], Mapping[str, T]]) -> Mapping[str, T]:
    """What a plugin says of itself; nothing where it fails at that, which its stage has noted."""
    try:
        with plainly(entry.name):
            return call(entry.instance)
    except PluginError:
        return {}


def _tells_as_much(run: Run, summary: Summary) -> bool:
    """Whether the summary in place tells of these rounds, as they are, and perhaps of more."""
    try:
        in_place = read_summary(run.reports / "summary.json")
    except (HarnessError, OSError):
        return False
    same = in_place.rounds[: len(summary.rounds)] == summary.rounds
    return same and rounds_closed(in_place) >= rounds_closed(summary)
