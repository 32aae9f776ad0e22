"""The summary document: its schema, its choices, and values that JSON cannot hold."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.errors import DataError, UsageError
from harness.kit.documents import as_document
from harness.records import (
    Condition,
    ErrorLabel,
    Example,
    Growth,
    Plan,
    PlanItem,
    Prediction,
    RoundResult,
    Score,
    ScoredExample,
    Slice,
    TestResult,
    Verdict,
    to_json,
)
from harness.records.rounds import SUMMARY_SCHEMA as SCHEMA
from harness.records.summary import (
    Data,
    Model,
    ShownBaseline,
    ShownControl,
    ShownScore,
    ShownTest,
)
from harness.report.examples import instructive
from harness.report.reading import read_summary, summary_schema
from harness.report.rounds import LOG_POINTS, TrainingLog, control_round, main_round
from harness.report.summary import with_choice
from harness_testing.sample_run import SUMMARY

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import pages

VALIDATOR = jsonschema.Draft202012Validator(summary_schema())
WEAK = Slice((Condition("intent", "=", "RateBook"),), 24, 12, 0.2, 0.11, 0.03, 0.19, 0.04)


def score(value: float | None, **changes: Any) -> Score:
    return Score(**{"name": "f1", "value": value, "low": 0.1, "high": 0.4, "n": 160,
                    "unscored": 0, "signature": "f1|rev:1", **changes})  # fmt: skip


def round_of(number: int, **changes: Any) -> RoundResult:
    label = "improved" if number else "baseline"
    verdict = Verdict(label, "round 0" if number else "", 0.1 if number else None, 0.02, 0.18,
                      0.9833, 0.05, "It is so.", 160, 48)  # fmt: skip
    fields = {"arm": "main", "round": number, "train_rows": 100 * number,
              "scores": {"f1": score(0.2 + number / 10)}, "verdict": verdict, "kept": True,
              "errors": {"cut off": 3}}  # fmt: skip
    return RoundResult(**{**fields, **changes})


def summary(
    rounds: Sequence[RoundResult] = (),
    slices: Mapping[int, Sequence[Slice]] = {},
    logs: Mapping[int, TrainingLog] = {},
    **changes: Any,
) -> dict[str, Any]:
    plan = Plan("targeted", (PlanItem(WEAK, 40, "real rows", "clear gap"),
                             PlanItem(None, 10, "real rows")))  # fmt: skip
    grown = round_of(1, plan=plan, growth=Growth(48, {"pool": 48}, {"near dev": 2}))
    fields: dict[str, Any] = {
        "run": "billing-12ab", "primary": "f1", "seconds": {"train": 1.235}, "cached": ("source",),
        "kept_round": 1,
    }  # fmt: skip
    fields["rounds"] = tuple(
        main_round(
            result, slices.get(result.round, ()), logs.get(result.round, ()),
            replayed=0, forgotten=None,
        )
        for result in rounds or (round_of(0), grown, round_of(2))
    )  # fmt: skip
    return to_json(with_choice(dataclasses.replace(SUMMARY, **{**fields, **changes})))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(summary_schema())


def test_the_least_document() -> None:
    document = summary()
    VALIDATOR.validate(document)
    assert document["schema"] == SCHEMA
    assert document["test"] is None
    assert "control" not in document and "baselines" not in document
    assert document["seconds"] == {"train": 1.235}


def test_the_whole_document() -> None:
    verdict = Verdict("improved", "round 0", 0.1, 0.03, 0.17, 0.975, 0.04, "Better.", 160, 50)
    shown = as_document(ShownScore, score(0.25))
    document = summary(
        test=as_document(
            ShownTest, TestResult(2, {"f1": score(0.2)}, {"f1": score(0.3)}, verdict)
        ),
        control=ShownControl(
            "random", (control_round(round_of(0)), control_round(round_of(1, arm="random"))),
            0.01, -0.02, 0.04, "Hm.",
        ),
        baselines=(ShownBaseline("asked", "a turn", {"f1": shown}, verdict),),
        model=Model("tiny", "models/a", 1, ()),
        data=Data({"train": 100, "dev": 160}, 48, {"dev": "0f", "test": "1e"}, None),
        slices={1: (WEAK,)}, logs={1: [{"step": 1, "epoch": 0.5, "loss": 2.0}]},
        examples=instructive(SCORED, (), score="f1", higher_is_better=True),
        notes=("n",), next_command="harness runs",
    )  # fmt: skip
    VALIDATOR.validate(json.loads(json.dumps(document, allow_nan=False)))
    assert document["test"]["looks"] == 2
    assert document["data"]["digests"] == {"dev": "0f", "test": "1e"}
    assert document["control"]["difference"] == 0.01
    (asked,) = document["baselines"]
    assert (asked["name"], asked["what"]) == ("asked", "a turn")
    assert asked["scores"]["f1"]["value"] == 0.25 and asked["verdict"]["label"] == "improved"
    assert [entry["round"] for entry in document["control"]["rounds"]] == [0, 1]
    grown = document["rounds"][1]
    assert grown["plan"][0] == {
        "slice": "intent = RateBook", "n": 24, "gap": 0.11, "low": 0.03, "high": 0.19,
        "rows": 40, "remedy": "real rows", "reason": "clear gap",
    }  # fmt: skip
    assert grown["plan"][1]["slice"] == "everywhere" and grown["plan"][1]["gap"] is None
    assert (grown["added"], grown["refused"]) == (48, {"near dev": 2})
    assert grown["slices"][0]["q"] == 0.04


def test_the_schema_refuses() -> None:
    for spoil in [
        lambda d: d.pop("kept_round"),
        lambda d: d.update(surprise=1),
        lambda d: d["rounds"][0]["verdict"].update(label="better"),
        lambda d: d["rounds"][0].update(train_rows=-1),
        lambda d: d["examples"].append({}),
        lambda d: d["rounds"][1]["scores"]["f1"].pop("n"),
        lambda d: d.update(rounds=[]),
        lambda d: d.update(schema="harness.summary/2"),
    ]:
        document = summary()
        spoil(document)
        assert not VALIDATOR.is_valid(document), spoil


def test_numbers_and_texts_that_json_cannot_hold() -> None:
    nan, inf = float("nan"), float("inf")
    spoilt = round_of(0, scores={"f1": score(nan, low=-inf, high=inf)}, errors={"\ud800\x00 x": 1})
    document = summary(rounds=(spoilt,), logs={0: [{"step": 1, "loss": nan}]}, kept_round=0)
    VALIDATOR.validate(document)
    json.dumps(document, allow_nan=False, ensure_ascii=False).encode("utf-8")
    found = document["rounds"][0]["scores"]["f1"]
    assert (found["value"], found["low"], found["high"]) == (None, None, None)
    assert document["rounds"][0]["errors"] == {"\ufffd x": 1}
    assert document["rounds"][0]["log"] == [{"step": 1, "loss": None, "eval_loss": None}]


def test_a_long_log_is_thinned_but_keeps_its_ends_and_validations() -> None:
    log = [{"step": s, "loss": 1 / s} for s in range(1, 5001)] + [{"step": 777, "eval_loss": 0.5}]
    points = summary(logs={2: log})["rounds"][2]["log"]
    assert len(points) <= LOG_POINTS + 2
    assert (points[0]["step"], points[-1]["step"]) == (1, 5000)
    assert {"step": 777, "loss": 1 / 777, "eval_loss": 0.5} in points


def scored(name: str, value: float | None, group: str, split: str = "dev") -> ScoredExample:
    example = Example(name, ({"role": "user", "content": f"q {name}"},), ("no", "yes it is"),
                      split, group)  # type: ignore[arg-type]  # fmt: skip
    return ScoredExample(example, Prediction(name, "Yes it was"), {"f1": value})


SCORED = [
    scored("a", 0.0, "g1"), scored("b", 0.01, "g1"), scored("c", 0.02, "g2"),
    scored("d", 0.9, "g3"), scored("unscored", None, "g4"), scored("nan", float("nan"), "g5"),
    scored("sealed", 0.0, "g6", "test"),
]  # fmt: skip
KINDS = (ErrorLabel("a", "cut off"), ErrorLabel("b", "cut off"), ErrorLabel("c", "cut off"))


def chosen(count: int, **options: Any) -> list[str]:
    found = instructive(SCORED, KINDS, **{"score": "f1", "higher_is_better": True, "count": count,
                                          **options})  # fmt: skip
    return [row.id for row in found]


def test_the_examples_are_bad_and_of_different_kinds() -> None:
    assert chosen(1) == ["a"]
    assert chosen(2) == ["a", "d"]
    assert chosen(10) == ["a", "b", "c", "d"]
    assert chosen(1, higher_is_better=False) == ["d"]


def test_an_example_shows_the_nearest_reference() -> None:
    (row,) = instructive(SCORED[:1], KINDS, score="f1", higher_is_better=True)
    assert (row.reference, row.answer, row.errors) == (
        "yes it is",
        "Yes it was",
        ("cut off",),
    )


def test_reading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    with pytest.raises(UsageError, match="no summary here"):
        read_summary(path)
    path.write_text(json.dumps(summary()))
    assert to_json(read_summary(path)) == summary()
    for text, problem in (("{", "not JSON"), ("[]", "schema None"), ('{"schema": "x/9"}', "x/9")):
        path.write_text(text)
        with pytest.raises(DataError, match=problem):
            read_summary(path)


def test_the_schema_is_made_from_the_types_and_the_page_from_the_schema() -> None:
    assert summary_schema() == pages.schema()
    shown = (pages.ROOT / "docs" / "summary.md").read_text(encoding="utf-8")
    for kind in (summary_schema(), *summary_schema()["$defs"].values()):
        assert [name for name in kind["properties"] if f"\n| `{name}` | " not in shown] == []
    assert {f"### `{name}`" for name in summary_schema()["$defs"]} <= set(shown.splitlines())
