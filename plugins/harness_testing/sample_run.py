"""What a run of two rounds on the small data set leaves: its database and its document."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from harness.database.contents import Answers, RunContents
from harness.database.writing import build
from harness.records import (
    BASE_ARM,
    Diagnosis,
    ErrorLabel,
    Growth,
    Measurement,
    Plan,
    Prediction,
    RoundResult,
    Score,
    Verdict,
)
from harness.records.analysis import Analysis
from harness.records.rounds import SUMMARY_SCHEMA as SCHEMA
from harness.records.summary import Data, Dates, MainRound, Model, ShownExample, ShownScore, Summary
from harness.registry import Registry
from harness.report.analysis import Terms, analyse
from harness.report.rounds import main_round
from harness.report.sections import for_reporters
from harness.report.summary import with_choice
from harness.stages import AnswerValues
from harness_testing.sample_rows import SCORE, SampleRows

_BEFORE = (("Yes.", 0.0), ("Yes.", 0.0), ("", 0.0), ("Monday", None))
"""Answers of the base model, each with its value; those of round 1 are the sample's own."""
_EMPTY, _GAP = "empty", "gap"
_SCORE = ShownScore(0.5, None, None, 3, 0, "score|v:1", True, "")
_ROUND = MainRound(
    round=0, train_rows=0, kept=True, scores={SCORE: _SCORE},
    verdict=Verdict("baseline", "", None, None, None, 0.95, None, "The base model.", 3, 3),
    errors={}, slices=(), strategy="none", plan=(), added=0, added_by={}, refused={}, log=(),
    course=None, guards=(), replayed=0, forgetting=None,
)  # fmt: skip
SUMMARY = Summary(
    schema=SCHEMA, run="sample", primary=SCORE, model=Model("sample", None, 0, ()),
    dates=Dates(None, None), settings={}, data=Data({"dev": 3}, 3, {}, None), rounds=(_ROUND,),
    kept_round=0, best_prompt=None, beats_prompts=None, forgot=None, test=None, sealed=None,
    objective=None, examples=(), notes=(), seconds={}, cached=(), next_command="",
    arms=(), experiments={}, chosen=None,
)  # fmt: skip
"""The summary of a run that has closed its first round and knows no more."""


def database(sample: SampleRows) -> Path:
    path = sample.folder.parent / "run.duckdb"
    rounds = _rounds(sample)
    places = [(BASE_ARM, result.round) for result in rounds]
    contents = RunContents(
        run="sample", primary=SCORE, kept_round=1, rounds=rounds, examples=sample.rows,
        answers=[_answers(sample, result.round) for result in rounds],
        added={BASE_ARM: [replace(sample.pool[0], split="train")]},
        slices={place: [sample.item.slice] for place in places if sample.item.slice},
        diagnoses={
            place: [Diagnosis(sample.examples[2].id, _GAP, "No row is like it.", "add rows")]
            for place in places
        },
        logs={(BASE_ARM, 1): _LOG},
    )  # fmt: skip
    build(path, contents)
    return path


def document(sample: SampleRows, database: Path) -> Analysis:
    """With the sections that stand in every report."""
    weak, rounds = sample.item.slice, _rounds(sample)
    wrong = sample.scored[1]
    summary = with_choice(
        replace(
            SUMMARY,
            model=replace(SUMMARY.model, round=1),
            data=replace(SUMMARY.data, rows={"train": 6, "valid": 2, "pool": 4, "dev": 4}),
            rounds=tuple(
                main_round(
                    result,
                    [weak] if weak else [],
                    _LOG if result.round else (),
                    replayed=0,
                    forgotten=None,
                )
                for result in rounds
            ),
            kept_round=1,
            examples=(
                ShownExample(
                    wrong.example.id,
                    wrong.example.place,
                    wrong.example.prompt,
                    wrong.example.references[0],
                    wrong.prediction.text,
                    0.0,
                    "stop",
                    (),
                ),
            ),
            seconds={"train": 1.0},
            next_command="harness iterate",
        )
    )
    terms = Terms({_EMPTY: "an empty answer"}, {_GAP: ("no row is like it", "add rows", True)}, 1.0)
    return for_reporters(analyse(summary, database, terms), sample.folder, Registry.build())


def values(sample: SampleRows) -> AnswerValues:
    """The score of each answer."""
    return AnswerValues(
        {
            SCORE: {
                (BASE_ARM, number, row.id): value
                for number in (0, 1)
                for row, (_, value) in zip(sample.examples, _said(sample, number), strict=True)
            }
        }
    )


_LOG = (
    {"step": 1, "epoch": 0.5, "loss": 2.0},
    {"step": 2, "epoch": 1.0, "loss": 1.5, "eval_loss": 1.8},
)


def _said(sample: SampleRows, number: int) -> list[tuple[str, float | None]]:
    own = [(row.prediction.text, row.values[SCORE]) for row in sample.scored]
    return own if number else list(_BEFORE)


def _answers(sample: SampleRows, number: int) -> Answers:
    said = dict(zip([row.id for row in sample.examples], _said(sample, number), strict=True))
    return Answers(
        BASE_ARM, number, "dev",
        predictions=[Prediction(name, text, "stop", 9, 7) for name, (text, _) in said.items()],
        measurements=[
            Measurement(name, SCORE, None if value is None else (value, 1.0),
                        {} if value is None else {SCORE: value})
            for name, (_, value) in said.items()
        ],
        labels=_labels(sample),
        right={name: None if value is None else value == 1 for name, (_, value) in said.items()},
    )  # fmt: skip


def _labels(sample: SampleRows) -> list[ErrorLabel]:
    return [ErrorLabel(sample.examples[2].id, _EMPTY, found_by="basic")]


def _rounds(sample: SampleRows) -> list[RoundResult]:
    errors = Counter(label.category for label in _labels(sample))
    of_base = Verdict("baseline", "", None, None, None, 0.95, None, "The base model.", 4, 4)
    better = Verdict(
        "improved", "round 0", 1 / 3, 0.1, 0.5, 0.95, 0.2, "improved: score +.333 on round 0.", 3, 3
    )
    return [
        RoundResult(
            arm=BASE_ARM, round=number, train_rows=len(sample.train) if number else 0,
            scores={SCORE: Score(SCORE, value, 0.0, 1.0, 3, 1, "score|v:1")},
            verdict=verdict, kept=True, errors=errors,
            plan=Plan("targeted", sample.plan), growth=Growth(1, {"pool": 1}, {"near dev": 1}),
        )
        for number, value, verdict in ((0, 0.0, of_base), (1, 1 / 3, better))
    ]  # fmt: skip
