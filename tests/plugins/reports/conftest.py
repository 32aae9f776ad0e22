"""A realistic run, built from records, and the same run full of hostile text."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.data.likeness import Usual
from harness.data.screening import NearRows, Screening
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
from harness.records.summary import Data, Dates, Model, Screened, ShownControl, ShownTest
from harness.report.examples import instructive
from harness.report.rounds import control_round, main_round
from harness.report.summary import with_choice
from harness_reports.targets import EVERYWHERE
from harness_testing.sample_run import SUMMARY

HOSTILE = (
    "[/red][bold]x[link=http://evil.example]y[/link] \x1b[31mred\x1b]0;title\x07 "
    "<script>alert(1)</script> <img src=x onerror=y> ![i](http://evil.example/i.png) "
    "[click](http://evil.example) http://evil.example www.evil.example @someone #12 `tick` "
    "``` | pipe | \u202eoverride\u202c \x00nul \ud800 *a* _b_ ~c~ $d$ &lt; \\ \r\n# heading\n- item"
)

FREE = (
    "errors", "added_by", "refused", "seconds", "definitions", "causes_known", "failed",
)  # fmt: skip
"""Keys whose value is a mapping with keys that come from data, models or plugins."""

KNOWN = (
    "label", "schema", "instead", "primary", "next_command", "split", "state", "started",
    "finished",
)  # fmt: skip
"""Keys whose value the program itself gives."""

SCORES = {
    "rougeL": ((0.156, 0.303, 0.318, 0.311), 0.016, "rougeL|stem:no|v:1"),
    "rouge1": ((0.204, 0.352, 0.366, 0.360), 0.018, "rouge1|stem:no|v:1"),
    "rouge2": ((0.048, 0.131, 0.142, 0.139), 0.014, "rouge2|stem:no|v:1"),
    "bleu": ((1.2, 4.5, 5.1, 4.9), 1.1, "nrefs:1|case:mixed|tok:13a|smooth:exp|version:2.6"),
    "meteor": ((0.191, 0.274, 0.281, 0.279), 0.015, "meteor|wn:3.0"),
    "exact": ((0.0, 0.012, 0.019, 0.019), 0.012, "exact|rev:1"),
}
LABELS = ("baseline", "improved", "no evidence", "no evidence")
ERRORS = {
    "cut off": (131, 9, 6, 7),
    "repeats the prompt": (88, 2, 1, 1),
    "too long": (97, 31, 26, 24),
    "off topic": (12, 38, 35, 37),
    "empty": (1, 0, 0, 0),
}


def scores_of(round_: int, shift: float = 0.0) -> dict[str, Score]:
    return {
        name: Score(
            name, values[round_] + shift * half, values[round_] - half, values[round_] + half,
            n=160 - (name == "meteor") * 2, unscored=(name == "meteor") * 2, signature=signature,
        )
        for name, (values, half, signature) in SCORES.items()
    }  # fmt: skip


def verdict_of(round_: int, against: int = 0) -> Verdict:
    if round_ == 0:
        sentence = "The base model: everything is compared with it."
        return Verdict("baseline", "", None, None, None, 0.9833, 0.021, sentence, 160, 48)
    values = SCORES["rougeL"][0]
    difference = values[round_] - values[against]
    sentence = (
        f"Round {round_} is better than round {against}: rougeL {difference:+.3f}, at least "
        f"{difference - 0.019:+.3f} with 98.3 % confidence (160 rows in 48 groups)."
        if LABELS[round_] == "improved"
        else f"There is no evidence that round {round_} differs from round {against}: rougeL "
        f"{difference:+.3f}; this dev set shows differences of 0.021 or more."
    )
    return Verdict(
        LABELS[round_], f"round {against}", difference, difference - 0.019, difference + 0.019,
        1 - 0.05 / 3, 0.021, sentence, 160, 48,
    )  # fmt: skip


def slices_of(round_: int) -> tuple[Slice, ...]:
    step = 0.01 * round_
    found = (
        ((Condition("kind", "=", "class"),), 31, 14, 0.122 - step, 0.047, 0.01),
        ((Condition("length", "=", "long"), Condition("first_verb", "=", "return")), 22, 11,
         0.098 - step, 0.012, 0.04),
        ((Condition("arguments", ">", 3.0),), 40, 19, 0.041, -0.022, 0.31),
        ((Condition("package", "=", "tkinter"),), 12, 8, 0.033, -0.061, None),
        ((Condition("finish_reason", "=", "length"),), 9, 8, 0.150, 0.051, 0.02),
    )  # fmt: skip
    return tuple(
        Slice(
            conditions, n, groups, 0.303 - gap, gap, low, 2 * gap - low, q,
            from_prompt=conditions[0].feature != "finish_reason",
        )
        for conditions, n, groups, gap, low, q in found
    )  # fmt: skip


def round_of(round_: int, arm: str = "main") -> RoundResult:
    slices = slices_of(round_)
    last = round_ == len(LABELS) - 1
    plan = Plan(
        "targeted",
        (
            PlanItem(slices[0], 48, "real rows", "widest clear gap"),
            PlanItem(slices[1], 36, "real rows", "clear gap"),
            PlanItem(slices[1], 12, "paraphrase", "clear gap"),
            PlanItem(None, 24, "real rows", "exploration"),
        ),
    )
    growth = Growth(120, {"pool": 108, "paraphrase": 12}, {"near dev": 9, "repeats train": 5})
    return RoundResult(
        arm, round_, (0, 240, 360, 480)[round_], scores_of(round_),
        verdict_of(round_, int(round_ > 1)),
        kept=round_ == 1, errors={kind: counts[round_] for kind, counts in ERRORS.items()},
        plan=None if last or not round_ else plan, growth=None if last or not round_ else growth,
    )  # fmt: skip


def log_of(round_: int) -> list[dict[str, Any]]:
    steps = 30 + 15 * round_
    log: list[dict[str, Any]] = [
        {"step": s, "epoch": 2 * s / steps, "loss": 1.45 + 1.3 * math.exp(-s / 12) / round_}
        for s in range(1, steps + 1)
    ]
    return [*log, {"step": steps // 2, "eval_loss": 1.71}, {"step": steps, "eval_loss": 1.602}]


PROMPT = """Write the first line of the docstring.

def _parse_isoformat_date(dtstr):
    assert len(dtstr) in (7, 8, 10)
    year = int(dtstr[0:4])
    has_sep = dtstr[4] == '-'
    pos = 4 + has_sep
    if dtstr[pos:pos + 1] == "W":
        return _isoweek_to_gregorian(year, week, day)"""


def scored_of(round_: int) -> list[ScoredExample]:
    texts = [
        ("datetime:_parse_isoformat_date", "Parse a date in one of the ISO 8601 formats.",
         "Return the year and the week of the given string dtstr.", 0.08),
        ("shlex:quote", "Return a shell-escaped version of the string *s*.",
         "Return a quoted string that is safe for use in a shell command line", 0.31),
        ("tkinter:Misc.winfo_rgb", "Return a tuple of integers in the range (0, 65535).", "", 0.0),
        ("json:JSONEncoder.iterencode", "Encode the given object and yield each string.",
         "Encode the given object and yield each string representation as available.", 0.77),
    ]  # fmt: skip
    return [
        ScoredExample(
            Example(
                name, ({"role": "user", "content": PROMPT},), (reference,), "dev",
                group=name.split(":")[0], place=f"lib/{name.split(':')[0]}.py:{10 + place}",
            ),
            Prediction(name, answer, "stop" if answer else "length"),
            {"rougeL": value},
        )
        for place, (name, reference, answer, value) in enumerate(texts)
    ]  # fmt: skip


LABELLED = (
    ErrorLabel("datetime:_parse_isoformat_date", "off topic"),
    ErrorLabel("tkinter:Misc.winfo_rgb", "empty"),
    ErrorLabel("shlex:quote", "off topic"),
)


SCREENING = Screening(
    {"train": 240, "pool": 2600, "dev": 160, "test": 160},
    {"train": {"repeat of dev or test": 2}},
    near={"train": 2},
    pairs=(
        NearRows("json:JSONDecoder.decode", "train", "def decode(self, s): return s", "json:loads",
             "dev", "def loads(s): return s", 0.91),
        NearRows("ast:walk", "train", "def walk(node): yield node", "ast:dump", "test", None, 0.62),
    ),
    floor=0.6,
    threshold=0.6,
    usual=Usual(rows=320, recognised=0.985),
)  # fmt: skip


SETTINGS = {
    "rounds": 3, "seed": 7,
    "data": {"source": "docstrings", "packages": ["stdlib"]},
    "model": {"source": "pypi", "name": "smollm2-135m-instruct"},
    "train": {"plugin": "lora", "r": 16, "alpha": 32.0, "learning_rate": 0.001, "epochs": 1.0},
    "generate": {"plugin": "transformers", "max_new_tokens": 32},
    "augment": [{"plugin": "pool", "rows": 120, "control": "random"}],
}  # fmt: skip


def build_document(rounds: int = 4, finished: bool = True, control: bool = True) -> dict[str, Any]:
    """The summary of a run that has come so far."""
    kept = min(1, rounds - 1)
    test = TestResult(
        2, scores_of(0, -0.4), scores_of(1, -0.4),
        Verdict("improved", "round 0", 0.147, 0.128, 0.166, 0.975, 0.02,
                "improved: rougeL rose by 0.147 against round 0, by at least 0.128 at 97.5 % "
                "confidence; 160 rows in 51 groups.",
                160, 51),
    )  # fmt: skip
    sentence = (
        "There is no evidence that targeted rows helped more than as many random ones: "
        "one run with one seed cannot show differences below 0.02."
    )
    return to_json(with_choice(dataclasses.replace(
        SUMMARY,
        run="docstrings-3f2a91c4",
        primary="rougeL",
        rounds=tuple(
            main_round(
                round_of(number), slices_of(number) if number else (),
                log_of(number) if number else (), replayed=0, forgotten=None,
            )
            for number in range(rounds)
        ),
        seconds={"train": 214.2, "generate": 91.7, "score": 6.1, "analyze": 1.2, "source": 3.3},
        cached=("source", "generate 0"),
        kept_round=kept,
        test=as_document(ShownTest, test) if finished else None,
        control=ShownControl(
            "random", tuple(control_round(round_of(n, "random")) for n in range(3)), 0.004, -0.011,
            0.019, sentence,
        ) if control else None,
        model=Model(
            "SmolLM2-135M-Instruct",
            ".harness/artifacts/train/4f0c1b9d2e7a" if kept else None,
            kept,
            (
                "harness try docstrings-3f2a91c4", "harness export docstrings-3f2a91c4 -o model",
            ) if kept else (),
        ),
        dates=Dates("2026-11-26T18:30:00Z", "2026-11-26T18:37:12Z" if finished else None),
        settings=SETTINGS,
        data=Data(
            {"train": 240, "valid": 24, "pool": 2600, "dev": 160, "test": 160}, 48, {},
            as_document(
                Screened, SCREENING, left_out=SCREENING.refused,
                recognised=SCREENING.usual.recognised,
            ),
        ),
        examples=instructive(scored_of(kept), LABELLED, score="rougeL", higher_is_better=True),
        notes=("The slice package = tkinter has 12 rows: too few to judge.",),
        next_command="harness iterate --rounds 4" if finished else "harness iterate --rounds 3",
    )))  # fmt: skip


FAILED = {"answer_lengths": "the query did not end within 30 s"}
ALREADY_RIGHT = "json:JSONEncoder.iterencode"


def build_analysis() -> dict[str, Any]:
    """The analysis of the finished run: its summary and what its database told."""
    told = json.loads(Path(__file__).with_name("analysis.json").read_text(encoding="utf-8"))
    found = build_document() | told | {"schema": "harness.analysis/4"}
    found["examples"] = [_with_course(row) for row in found["examples"]]
    better = next(row for row in found["examples"] if row["id"] == ALREADY_RIGHT)
    before = {"text": "def iterencode(self, o, _one_shot=False):", "score": 0.04, "right": False}
    found["better"] = [
        better | {"answers": [better["answers"][0] | before, *better["answers"][1:]]}
    ]
    found["not_better"] = found["examples"][0]
    verdict = found["rounds"][2]["verdict"]
    sentence = "exact fell by 0.030 against round 1: regressed."
    broken = verdict | {"label": "regressed", "sentence": sentence}
    loss = "a loss of up to 0.012 against round 1 is not excluded at 95 % confidence"
    held = {
        "name": "kind = class", "verdict": verdict, "state": "held", "largest_loss": 0.012,
        "sentence": f"Held: {loss}.",
    }  # fmt: skip
    found["rounds"][1]["guards"] = found["rounds"][3]["guards"] = [held]
    exact = {"name": "exact", "verdict": broken, "state": "broken", "sentence": sentence}
    found["rounds"][2]["guards"] = [held, exact]
    return found


def _with_course(row: dict[str, Any]) -> dict[str, Any]:
    right = row["id"] == ALREADY_RIGHT
    answer = {"text": row["answer"], "score": row["score"], "right": right, "errors": []}
    return row | {
        "references": [row["reference"]],
        "course": "fixed" if right else "never right",
        "answers": [answer | {"round": n, "finish_reason": "stop"} for n in range(4)],
        "cause": None
        if right or not row["answer"]
        else {
            "cause": "gap", "evidence": "the nearest training row shares 9 % of its words",
            "remedy": "augment this slice", "train_rows": ["csv:reader"],
        },
    }  # fmt: skip


def poison(value: Any, parent: str = "") -> Any:
    """The document with hostile text in every place that data, models or plugins can fill."""
    if isinstance(value, dict):
        free = parent in FREE
        return {
            (f"{key} {HOSTILE}" if free else key): poison(item, key) for key, item in value.items()
        }
    if isinstance(value, list):
        return [poison(item, parent) for item in value]
    if isinstance(value, str) and parent not in KNOWN and value != EVERYWHERE:
        return f"{value} {HOSTILE}"
    return value


@pytest.fixture
def document() -> dict[str, Any]:
    return build_document()


@pytest.fixture
def analysis() -> dict[str, Any]:
    return build_analysis()


@pytest.fixture
def make_document() -> Callable[..., dict[str, Any]]:
    return build_document


@pytest.fixture
def hostile() -> dict[str, Any]:
    """The analysis, poisoned. One section has failed too, for a reason that is as hostile."""
    poisoned: dict[str, Any] = poison(build_analysis() | {"failed": FAILED})
    poisoned["examples"][0]["answer"] = "A" * 1_000_000 + HOSTILE
    poisoned["examples"][0]["prompt"] = HOSTILE * 4000
    return poisoned
