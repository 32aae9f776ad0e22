"""What a run leaves for people: summary.json, config.yaml, reports and the database."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from harness.boundary.calls import plainly
from harness.boundary.lending import copied
from harness.config.plugin_entries import PluginEntry
from harness.data.splits import groups_of, rows_digest
from harness.engine import resume_command
from harness.engine.history import History
from harness.engine.run import Run
from harness.engine.steps import Steps
from harness.engine.steps.detecting import UNEXPLAINED
from harness.errors import PluginError
from harness.kit import yaml_file
from harness.kit.files import read_json, write_bytes, write_json
from harness.kit.lock import turn
from harness.loop import deciding_score
from harness.records import BASE_ARM, CONTROL_ARM, NOT_ASKED, ControlResult
from harness.report import annotated, baselines
from harness.report.annotated import RunAnnotations
from harness.report.caveats import by_now
from harness.report.database import database
from harness.report.finished import STAGE, asked_beside
from harness.report.forgetting import forgotten
from harness.report.instructive import instructive
from harness.report.model_files import with_model_files
from harness.report.origin import dates_of, model_of, settings_of
from harness.report.reading import FILE_NAME as ANALYSIS, rounds_closed
from harness.report.references import between_references
from harness.report.sections import with_sections
from harness.report.summary import RunRecord, summarise
from harness.stages.growing import causes_of
from harness.stages.reporting import written as files_of
from harness.stages.scoring import categories_of
from harness.verdicts import rule
from harness.verdicts.objective import progress

if TYPE_CHECKING:
    pass

Document = dict[str, Any]
T = TypeVar("T")


def publish(run: Run, steps: Steps, history: History, *, final: bool) -> Document:
    """The summary after each round; everything people read, and its pin, once the run is done.

    The reports of a round in between are made when somebody asks for them (``refresh.py``). A run
    that is gone on with walks through its closed rounds again: a summary that tells of more is
    left as it is, so that it never goes back to an earlier round.
    """
    document = _document(run, steps, history, final=final)
    if not final:
        if not _told(run, document):
            write_json(run.reports / "summary.json", document)
        return document
    with turn(run.reports_lock):
        written = reports(run, steps, history, document)
        write_json(run.reports / "summary.json", document)
    run.observe("on_run_end", summary=document)
    folder = run.fresh_folder(STAGE)
    write_json(folder / "output" / "summary.json", document)
    stages = [[label, *place] for place, label in run.used.items()]
    facts = {
        "files": written, "stages": stages, "journal": run.journal.digest,
        "parts": sorted(part for outcome in history.outcomes.values() for part in outcome.done),
        "beside": asked_beside(run),
    }  # fmt: skip
    run.artifacts.publish(STAGE, run.key, folder / "output", facts, 0.0, replace=True)
    shutil.rmtree(folder, ignore_errors=True)
    return document


def reports(run: Run, steps: Steps, history: History, document: Document) -> list[str]:
    """Config, database, analysis and what the reporters write; returns the files' names.

    Args:
        document: the run's summary.
    """
    run.reports.mkdir(parents=True, exist_ok=True)
    shown = yaml_file.dump(run.config.shown())
    write_bytes(run.reports / "config.yaml", shown.encode())
    annotations = annotated.collect(run, history)
    database(run, steps, history, annotations)
    told = by_now(document, steps, history)
    told["between_references"] = between_references(steps, history)
    analysis = _analysis(run, steps, told, annotations)
    write_json(run.reports / ANALYSIS, analysis)
    written = ["config.yaml", "run.duckdb", ANALYSIS]
    shown_document = with_sections(with_model_files(analysis, run.root), run.config.registry)
    for entry in run.config.report:
        try:
            with run.guard("report", entry):
                files = files_of(entry.instance, copied(shown_document), run.reports)
                written += [path.name for path in files]
        except PluginError as error:
            run.log.error("reporter %s failed", entry.name, exc_info=error)
            run.watcher.say(f"warning: reporter '{entry.name}' ({entry.origin}): {error.what}")
    return written


def _analysis(run: Run, steps: Steps, document: Document, annotations: RunAnnotations) -> Document:
    from harness.report.analysis import Terms, analyse
    from harness.scoring import right_at

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
        document,
        run.reports / "run.duckdb",
        terms,
        sections=[entry.instance for entry in run.config.sections],
        annotations=annotations,
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


def _told(run: Run, document: Document) -> bool:
    """Whether the summary in place tells of these rounds, as they are, and perhaps of more."""
    try:
        known = read_json(run.reports / "summary.json")
        same = known["rounds"][: len(document["rounds"])] == document["rounds"]
        return bool(same and rounds_closed(known) >= rounds_closed(document))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _document(run: Run, steps: Steps, history: History, *, final: bool) -> Document:
    main = history.of(BASE_ARM)
    kept = history.evaluations[BASE_ARM, history.kept]
    primary = run.config.settings.primary
    dev = history.data.split("dev")
    of_main = {number: f for (arm, number), f in history.findings.items() if arm == BASE_ARM}
    record = RunRecord(
        run=run.name,
        primary=primary,
        rounds=main,
        seconds=run.seconds,
        cached=run.cached,
        kept_round=history.kept,
        test=history.test,
        sealed=history.sealed,
        control=_control(steps, history),
        baselines=baselines.compared(steps, history),
        best_prompt=baselines.best_prompt(steps, history),
        outcomes=history.outcomes,
        model=model_of(run, history),
        dates=dates_of(run, final=final),
        settings=settings_of(run.config, run.root),
        data=history.data.counts,
        dev_groups=len(set(groups_of(dev).values())),
        digests={split: rows_digest(history.data.split(split)) for split in ("dev", "test")},
        screening=steps.gating.screening,
        slices={number: findings.slices for number, findings in of_main.items()},
        logs={n: log for (arm, n), log in history.logs.items() if arm == BASE_ARM},
        forgotten=forgotten(steps, history),
        replayed={
            number: len(steps.replaying.replayed(rows))
            for number, rows in history.arms[BASE_ARM].train.items() if number
        },
        examples=instructive(
            kept.scored, kept.labels, score=primary,
            higher_is_better=kept.scores[primary].higher_is_better,
        ),
        notes=run.notes,
        objective=progress(aim, main) if (aim := run.config.settings.objective) else None,
        next_command=_next_command(run, history, final=final),
    )  # fmt: skip
    return summarise(record)


def _next_command(run: Run, history: History, *, final: bool) -> str:
    """The same command until the run is done; then the one that opens test, or a round more.

    That one leaves test sealed: each opening makes the next one prove more.
    """
    words = resume_command.way_on(run.folder, run.config)
    if final and history.sealed == NOT_ASKED:
        return shlex.join(["harness", "test", run.name])
    if final:
        words = resume_command.with_rounds(words, run.config.settings.rounds + 1)
    return shlex.join(words)


def _control(steps: Steps, history: History) -> ControlResult | None:
    """Targeted minus random after the last round that both arms have finished."""
    rounds = history.of(CONTROL_ARM) if CONTROL_ARM in history.arms else []
    last = max((result.round for result in rounds), default=0)
    if last < 1 or (BASE_ARM, last) not in history.evaluations:
        return None
    if last == 1:
        sentence = "Both arms train on the same rows in round 1; they can differ from round 2 on."
        return ControlResult(tuple(rounds), None, None, None, sentence)
    trained = history.arms[BASE_ARM].train
    if trained.get(last) == history.arms[CONTROL_ARM].train.get(last):
        why = (
            "no rows were added in either"
            if trained.get(last) == trained.get(1)
            else "no rows were added for a slice, so that both drew theirs from all data"
        )
        sentence = f"Both arms trained on the same rows in round {last}: {why}."
        return ControlResult(tuple(rounds), None, None, None, sentence)
    sizes = [len(history.arms[arm].train[last]) for arm in (BASE_ARM, CONTROL_ARM)]
    if sizes[0] != sizes[1]:
        sentence = (
            f"Not comparable: in round {last} the targeted arm trained on {sizes[0]} rows and the "
            f"random arm on {sizes[1]}, so a difference may be that of their number."
        )
        return ControlResult(tuple(rounds), None, None, None, sentence)
    score = deciding_score(steps, history.data.split("dev"))
    targeted, random = (
        history.evaluations[arm, last].measurements[score.entry.name]
        for arm in (BASE_ARM, CONTROL_ARM)
    )
    return ControlResult(tuple(rounds), *rule.contrast_arms(score, targeted, random))
