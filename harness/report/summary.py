"""The document that others rely on: ``summary.json``, ``harness iterate --json``.

Built from records and settings, so the same run always gives the same document, but for
``seconds``, ``cached``, ``dates`` and, where the run was given in other words, ``next_command``.
``docs/summary.md`` explains every key; ``summary.schema.json`` checks them.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import DataError
from harness.kit.documents import as_document, finite
from harness.kit.files import canonical
from harness.kit.text import one_line, storable_json
from harness.records import (
    BaselineResult,
    BestPrompt,
    ControlResult,
    Forgetting,
    RoundResult,
    Sealed,
    Slice,
    TestResult,
    to_json,
)
from harness.records.rounds import SUMMARY_SCHEMA
from harness.records.summary import (
    Data,
    Dates,
    Model,
    Screened,
    ShownBaseline,
    ShownBestPrompt,
    ShownControl,
    ShownExample,
    ShownObjective,
    ShownTest,
    Summary,
)
from harness.report.arms import arm
from harness.report.forgetting import forgot
from harness.report.reading import Document, read_document
from harness.report.rounds import control_round, main_round
from harness.stages import Outcome
from harness.verdicts.selection import chosen

if TYPE_CHECKING:
    from harness.data.screening import Screening
    from harness.verdicts.objective import Progress

_LONGEST_PROBLEM = 300
"""Characters of what is said to be wrong with a file."""
MAY_BE_ABSENT = frozenset(
    field.name for field in dataclasses.fields(Summary) if field.default is not dataclasses.MISSING
)
"""Keys that are left out where a run has nothing to say under them."""

_NO_MODEL, _NO_DATES = Model("", None, 0, ()), Dates(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that a summary tells of a run, finished or not.

    Attributes:
        rounds: of the arm ``main``, in order; element 0 is the baseline.
        seconds: stage (such as ``train``) -> seconds spent on it, over all rounds and arms.
        cached: stages that were taken from the store, in the order of the run.
        test: None until the test set was opened.
        sealed: why it was not, in a run that has ended.
        model: ``base``, ``adapter``, ``round`` and ``commands``, from
            :mod:`harness.report.origin`, as are ``dates`` and ``settings``.
        data: split -> rows at the start of the run.
        digests: of the rows of dev and of test, by which runs know whether theirs are the same.
        screening: what the gate said of the source's rows.
        baselines: the base model under other prompts, each with the best round against it.
        best_prompt: the best round against the base model and the best of these, on the same rows.
        outcomes: experiment -> what came of it beside the rounds.
        slices: round -> all slices found after it, weak or not.
        forgotten: round -> its model on general text, beside the base model.
        replayed: round -> general rows that it was trained on beside those of the task.
        logs: round -> the trainer's log (``step``, ``epoch``, ``loss`` or ``eval_loss``).
        examples: from :func:`~harness.report.instructive.instructive`.
    """

    run: str
    primary: str
    rounds: Sequence[RoundResult]
    kept_round: int
    test: TestResult | None = None
    sealed: Sealed | None = None
    control: ControlResult | None = None
    baselines: Sequence[BaselineResult] = ()
    best_prompt: BestPrompt | None = None
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    model: Model = _NO_MODEL
    dates: Dates = _NO_DATES
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, int] = field(default_factory=dict)
    dev_groups: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    screening: Screening | None = None
    slices: Mapping[int, Sequence[Slice]] = field(default_factory=dict)
    logs: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    forgotten: Mapping[int, Forgetting] = field(default_factory=dict)
    replayed: Mapping[int, int] = field(default_factory=dict)
    examples: Sequence[ShownExample] = ()
    notes: Sequence[str] = ()
    objective: Progress | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    cached: Sequence[str] = ()
    next_command: str = ""


def summarise(run: RunRecord) -> Document:
    """The summary document of a run."""
    shown = run.kept_round or run.rounds[-1].round
    summary = Summary(
        schema=SUMMARY_SCHEMA,
        run=one_line(run.run),
        primary=one_line(run.primary),
        model=run.model,
        dates=run.dates,
        settings=run.settings,
        data=Data(
            rows=run.data,
            dev_groups=run.dev_groups,
            digests=run.digests,
            screening=_screened(run.screening),
        ),
        rounds=tuple(
            main_round(
                result,
                run.slices.get(result.round, ()),
                run.logs.get(result.round, ()),
                replayed=run.replayed.get(result.round, 0),
                forgotten=run.forgotten.get(result.round),
            )
            for result in run.rounds
        ),
        kept_round=run.kept_round,
        best_prompt=as_document(ShownBestPrompt, run.best_prompt),
        beats_prompts=_beats_prompts(run),
        forgot=forgot(shown, run.forgotten.get(shown)),
        test=as_document(ShownTest, run.test),
        sealed=run.sealed,
        objective=None if run.objective is None else _objective(run.objective),
        examples=tuple(run.examples),
        notes=tuple(map(one_line, run.notes)),
        seconds={one_line(stage): round(took, 3) for stage, took in run.seconds.items()},
        cached=tuple(map(one_line, run.cached)),
        next_command=one_line(run.next_command),
        control=None if run.control is None else _control(run.control),
        baselines=tuple(as_document(ShownBaseline, base) for base in run.baselines) or None,
        arms=tuple(
            arm(branch, run.kept_round or 1)
            for outcome in run.outcomes.values()
            for branch in outcome.branches
        ),
        experiments={
            name: to_json(as_document(type(outcome.document), outcome.document))
            for name, outcome in run.outcomes.items()
            if outcome.document is not None
        },
        chosen=None,
    )
    document = _written(summary)
    return {**document, "chosen": chosen(document)}


def _written(summary: Summary) -> Document:
    """The document without the keys that may be absent where there is nothing to say."""
    absent = {name for name in MAY_BE_ABSENT if getattr(summary, name) is None}
    return {key: value for key, value in to_json(summary).items() if key not in absent}


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of a summary document, as ``make pages`` wrote it."""
    text = files("harness.report").joinpath("summary.schema.json").read_text(encoding="utf-8")
    document: Document = json.loads(text)
    return document


def read(path: Path) -> Document:
    """The document in a ``summary.json``.

    Raises:
        UsageError: there is no such file.
        DataError: it is not a whole summary, or one of a newer harness.
    """
    document = read_document(path, SUMMARY_SCHEMA, "summary")
    if problem := _problem(document):
        what = one_line(f"this is no whole summary: {problem}", _LONGEST_PROBLEM)
        hint = "it was edited: take it from a backup, or run the same `harness iterate` again"
        raise DataError(what, where=str(path), hint=hint)
    return document


def _problem(document: Document) -> str:
    """What keeps the document from being a summary that a run can be told by; empty for nothing."""
    try:
        summary = _adapter().validate_json(canonical(storable_json(document)), strict=True)
        canonical(to_json(summary))  # an integer beyond any float became an infinity
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    except ValueError:
        return "it has a number that is not finite"
    if not isinstance(document["settings"].get("data", {}), dict):
        return "settings.data: input should be a valid dictionary"
    if document["kept_round"] >= len(document["rounds"]):
        return "its best round is not among its rounds"
    for name, said in document["experiments"].items():
        sentences = said.get("sentences", [])
        if not isinstance(sentences, list) or not all(isinstance(one, str) for one in sentences):
            return f"experiments.{name}.sentences: a list of texts is needed"
    test = document["test"]
    scored = [
        document["rounds"][document["kept_round"]]["scores"],
        *([test["kept"]] if test else []),
    ]
    if any(document["primary"] not in scores for scores in scored):
        return "its primary score is not among its scores"
    return ""


@functools.cache
def _adapter() -> TypeAdapter[Summary]:
    return TypeAdapter(Summary)


def _screened(found: Screening | None) -> Screened | None:
    if found is None:
        return None
    recognised = finite(found.usual.recognised)
    return as_document(Screened, found, left_out=found.refused, recognised=recognised)


def _objective(found: Progress) -> ShownObjective:
    aim = found.objective
    return as_document(
        ShownObjective,
        found,
        metric=one_line(aim.metric),
        target=aim.target,
        statement=one_line(aim.statement),
        value=finite(found.score.value) if found.score else None,
    )


def _control(control: ControlResult) -> ShownControl:
    rounds = tuple(map(control_round, control.rounds))
    return as_document(ShownControl, control, rounds=rounds)


def _beats_prompts(run: RunRecord) -> bool | None:
    """Whether training is shown to be better than prompts; None where that cannot be judged."""
    if run.best_prompt is not None:
        return run.best_prompt.beaten
    nothing_improved = run.kept_round == 0 and len(run.rounds) > 1
    return False if run.baselines and nothing_improved else None
