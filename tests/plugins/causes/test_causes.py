from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness.errors import Cancelled
from harness.kit.terms import shown
from harness.records import (
    Answer,
    Diagnosis,
    ErrorLabel,
    Example,
    Findings,
    Prediction,
    ScoredExample,
    ToolCall,
    from_json,
    to_json,
)
from harness.records.context import Context
from harness.registry import Registry
from harness.stages import Evidence
from harness.stages.analyzer import MOST_FINDINGS
from harness_causes import analysis

ROOT = Path(__file__).parents[3]
SECRET = "xylophone"
"""A word of dev that no sentence may hold."""
HOSTILE = (
    "", "\x00", "\ud800", "\u202egnp.exe", "\x1b[31mred\x1b[0m", "<script>alert(1)</script>",
    "[bold]x[/bold]", "=cmd|' /C calc'!A0", "a" * 200_000, "w " * 50_000, "漢字" * 5_000, "\n" * 99,
)  # fmt: skip
TOPICS = ("bill", "roaming", "contract", "card", "router")


def causes(**options: Any) -> Any:
    """The analyzer as a run gets it: from the registry."""
    registry = Registry()
    registry.add(importlib.import_module("harness_causes"), "causes")
    plugin: Any = registry.get("analyzer", "causes").plugin
    return plugin(plugin.Options(**options))


def asks(id: str, prompt: str, *references: str, split: Any = "train", **fields: Any) -> Example:
    turns = ({"role": "user", "content": prompt},)
    return Example(id, turns, references, split, fields.pop("group", f"g-{id}"), **fields)


def answered(example: Example, text: str, value: float = 0.0, **fields: Any) -> ScoredExample:
    values = fields.pop("values", {})
    return ScoredExample(example, Prediction(example.id, text, **fields), {"f1": value, **values})


def dev(prompt: str, reference: str, answer: str, value: float = 0.0, **fields: Any) -> Any:
    return answered(asks("d1", prompt, reference, split="dev"), answer, value, **fields)


def lessons(topics: tuple[str, ...] = TOPICS, n: int = 12) -> list[Example]:
    """A consistent train: each topic's prompts share words, and an answer."""
    draw = random.Random(3)
    fill = [f"word{i}" for i in range(60)]
    return [
        asks(
            f"{topic}-{i}",
            f"{topic} {topic}line {topic}item {' '.join(draw.sample(fill, 2))}",
            f"heading {topic}",
            place=f"train.jsonl:{i}",
        )
        for topic in topics
        for i in range(n)
    ]


def proof(*scored: ScoredExample, **fields: Any) -> Evidence:
    right = fields.pop("right", {s.example.id: (s.values["f1"] or 0) >= 0.5 for s in scored})
    train = tuple(fields.pop("train", lessons()))
    higher = fields.pop("higher", True)
    before = {
        row.example.id: None if (value := row.values["f1"]) is None else (value >= 0.5) == higher
        for row in fields.get("base", ())
    }
    return Evidence(scored, "f1", higher, right=right, base_right=before, train=train, **fields)


@pytest.fixture
def analyze(tmp_path: Path) -> Any:
    def run(*scored: ScoredExample, **fields: Any) -> Findings:
        options = fields.pop("options", {})
        found: Findings = causes(**options).analyze(proof(*scored, **fields), Context(tmp_path))
        return found

    return run


@pytest.fixture
def one(analyze: Any) -> Any:
    """The diagnosis of the first answer."""

    def run(*scored: ScoredExample, **fields: Any) -> Diagnosis:
        first: Diagnosis = analyze(*scored, **fields).diagnoses[0]
        return first

    return run


BILL = "bill billline billitem"
FINE = tuple(
    answered(asks(f"fine{i}", BILL, "heading bill", split="dev"), "heading bill", 1.0)
    for i in range(12)
)
"""Right answers, beside which others are wrong."""


# -- each rule ----------------------------------------------------------------------------


def test_an_answer_that_the_limit_cut_is_cut(one: Any) -> None:
    row = dev(BILL, "one two three four", "one two", finish_reason="length", completion_tokens=2)
    found = one(row)
    assert found.cause == "cut"
    assert "generate.max_new_tokens" in found.remedy
    assert found.evidence == "cut at 2 tokens after 2 words, the longest reference has 4"


def test_a_detector_may_say_that_it_is_cut(one: Any) -> None:
    row = dev(BILL, "one two three four", "one two")
    assert one(row, labels=(ErrorLabel("d1", "cut off"),)).cause == "cut"
    assert one(row, labels=(ErrorLabel("other", "cut off"),)).cause != "cut"


@pytest.mark.parametrize("loops", [True, False])
def test_a_higher_limit_cures_no_loop_and_no_endless_answer(one: Any, loops: bool) -> None:
    answer = "no no" if loops else "no no no no no no"
    row = dev(BILL, "heading bill is this", answer, finish_reason="length")
    labels = (ErrorLabel("d1", "repetition loop"),) if loops else ()
    assert one(row, labels=labels).cause != "cut"


def base(value: float) -> ScoredExample:
    return dev(BILL, "heading bill", "anything", value)


def test_what_the_untouched_model_had_right_was_forgotten(one: Any) -> None:
    row = dev(BILL, "heading bill", "rubbish", 0.1)
    found = one(row, *FINE, base=(base(1.0),))
    assert found.cause == "forgetting"
    assert found.evidence == "right before training (f1 1), wrong after it (f1 0.1)"
    assert "train.epochs" in found.remedy
    assert one(row, *FINE, base=(base(0.1),)).cause == "label wording"


def test_forgetting_follows_the_direction_of_the_score(one: Any) -> None:
    fine = [dataclasses.replace(s, values={"f1": 0.1}) for s in FINE]
    right = {s.example.id: True for s in fine} | {"d1": False}
    row = dev(BILL, "heading bill", "rubbish", 0.9)
    low, high = base(0.05), base(0.9)
    assert one(row, *fine, right=right, higher=False, base=(low,)).cause == "forgetting"
    assert one(row, *fine, right=right, higher=False, base=(high,)).cause == "label wording"


@pytest.mark.parametrize(
    ("said", "called", "narrow"),
    [("I pay the bill now.", "pay", True), ("I paid the bill just now.", "pay", True),
     ("I pay the bill now.", "ask", False)],
)  # fmt: skip
def test_other_calls_are_another_answer_however_alike_the_words(
    one: Any, said: str, called: str, narrow: bool
) -> None:
    def answer(text: str, name: str) -> str:
        return Answer(text, (ToolCall(name, {"of": "the bill that came by mail in May"}),)).text

    example = asks(
        "d1", "pay the bill", answer("I pay the bill now.", "pay"), split="dev", tools=({},)
    )
    found = one(answered(example, answer(said, called)))
    assert (found.cause == "narrow reference") is narrow


def test_the_words_of_a_reference_make_it_too_narrow(one: Any) -> None:
    row = dev(BILL, "pay it by card before Friday", "Pay it, by card, before friday!")
    found = one(row)
    assert found.cause == "narrow reference"
    assert "1.00" in found.evidence
    assert found.rows == ()


def test_a_second_reference_counts(one: Any) -> None:
    example = asks("d1", BILL, "ask the shop", "pay it by card", split="dev")
    assert one(answered(example, "pay it by card")).cause == "narrow reference"


def test_other_numbers_are_another_answer(one: Any) -> None:
    row = dev(BILL, "you owe 41 euros in all by Friday", "you owe 14 euros in all by Friday")
    assert one(row).cause != "narrow reference"


def others(count: int, value: float, right: float, **more: float) -> list[ScoredExample]:
    return [
        answered(
            asks(f"o{value}{right}{i}", BILL, "heading bill", split="dev"),
            "heading bill" if right else "rubbish",
            right,
            values={"judge": value + i / 1000, **more},
        )
        for i in range(count)
    ]


def test_other_scores_may_count_it_as_good(one: Any) -> None:
    scored = [*others(12, 0.8, 1.0), *others(12, 0.1, 0.0)]
    good = dev(BILL, "heading bill", "my own words", values={"judge": 0.9})
    bad = dev(BILL, "heading bill", "my own words", values={"judge": 0.2})
    found = one(good, *scored)
    assert found.cause == "narrow reference"
    assert "1 of 1 other scores (judge)" in found.evidence
    assert one(bad, *scored).cause == "label wording"


def test_a_loss_among_the_other_scores_is_turned_round(one: Any) -> None:
    scored = [*others(12, 0.1, 1.0), *others(12, 0.8, 0.0)]
    good = dev(BILL, "heading bill", "my own words", values={"judge": 0.05})
    assert one(good, *scored).cause == "narrow reference"


def test_a_score_that_does_not_tell_right_from_wrong_is_not_asked(one: Any) -> None:
    same = dev(BILL, "heading bill", "my own words", values={"judge": 0.9})
    assert one(same, *others(12, 0.5, 1.0), *others(12, 0.5, 0.0)).cause == "label wording"
    assert one(same, *others(9, 0.8, 1.0), *others(9, 0.1, 0.0)).cause == "label wording"


def test_a_prompt_far_from_train_is_a_gap(one: Any) -> None:
    found = one(dev("volcano glacier lava word1", "heading volcano", "heading bill"))
    assert found.cause == "gap"
    assert "of the training rows have a nearer row" in found.evidence
    assert len(found.rows) == 1
    assert one(dev("volcano", "lava", "x")).evidence == (
        "no training row has a word in common with the prompt"
    )


def test_an_answer_that_train_never_teaches_is_a_gap(one: Any) -> None:
    shuffled = lessons()
    prompt = " ".join(row.prompt for row in shuffled[::12])  # as near to all five topics
    found = one(dev(prompt, "something else entirely", "heading bill"))
    assert found.cause == "gap"
    assert "no training row has an answer like the reference" in found.evidence


def test_near_copies_with_other_answers_are_a_conflict(one: Any) -> None:
    train = lessons()
    again = [
        dataclasses.replace(row, id=f"{row.id}-again", references=("another thing",))
        for row in train
        if row.id.startswith("bill")
    ]
    found = one(dev(BILL, "heading bill", "another thing"), train=[*train, *again])
    assert found.cause == "conflict"
    assert "near copy with another answer" in found.evidence
    assert "(train.jsonl:" in found.evidence
    assert {name.removesuffix("-again") for name in found.rows} <= {r.id for r in train}
    assert any(name.endswith("-again") for name in found.rows)
    assert any(not name.endswith("-again") for name in found.rows)


CITIES = ("Utrecht", "Zagreb", "Tampere", "Bremen", "Krakow", "Aarhus")
ASKED = "please find the night sleeper from {} to {} and say in which city we will end up then"


def trips(end: int) -> list[Example]:
    """Journeys between all cities, and the city at one end of each: near copies all of them."""
    pairs = [(a, b) for a in CITIES for b in CITIES if a != b]
    return [asks(f"{a}-{b}", ASKED.format(a, b), (a, b)[end]) for a, b in pairs]


def test_near_copies_that_ask_for_other_words_of_theirs_are_no_conflict(one: Any) -> None:
    failing = dev(ASKED.format("Bremen", "Bremen"), "Bremen", "mumble")
    alone = one(failing, train=trips(1))
    assert alone.cause != "conflict", alone.evidence
    both = [*trips(1), *(dataclasses.replace(r, id=f"{r.id}-0") for r in trips(0))]
    assert one(failing, train=both).cause == "conflict", "the same prompts, the other answer"


def test_near_rows_that_agree_on_another_answer_are_a_conflict(one: Any) -> None:
    train = [
        dataclasses.replace(row, references=("heading card",)) if row.id[:4] == "bill" else row
        for row in lessons()
    ]
    found = one(dev(BILL, "heading payments due", "heading card"), train=train)
    assert found.cause == "conflict"
    assert "the model gave theirs" in found.evidence
    assert len(found.rows) == 5
    assert all(name.startswith("bill-") for name in found.rows)
    other = one(dev(BILL, "heading payments due", "mumble"), train=train)
    assert "the model gave theirs" not in other.evidence


def test_near_rows_that_teach_the_answer_mean_too_little_capacity(one: Any) -> None:
    found = one(dev(BILL, "heading bill", "heading card"))
    assert found.cause == "capacity"
    assert "train.r" in found.remedy
    assert found.evidence.startswith("100 % of the 5 nearest training rows")
    assert all(name.startswith("bill-") for name in found.rows)


LABELS = tuple(f"heading {topic}" for topic in TOPICS)


def test_an_answer_that_is_no_label_of_train_is_no_matter_of_capacity(one: Any) -> None:
    found = one(dev(BILL, "heading bill", "invoices"))
    assert found.cause == "label wording" and "second reference" in found.remedy
    assert "none of the 5 answers that train teaches" in found.evidence
    assert all(one(dev(BILL, "heading bill", label)).cause == "capacity" for label in LABELS[1:])
    long = " ".join(f"word{n}" for n in range(30))
    assert one(dev(BILL, "heading bill", long)).cause == "capacity"


def test_where_train_teaches_no_list_of_labels_there_is_no_wording_of_them(one: Any) -> None:
    own = [dataclasses.replace(row, references=(f"{row.references[0]} {n}",))
           for n, row in enumerate(lessons())]  # fmt: skip
    assert one(dev(BILL, "heading bill 1", "invoices"), train=own).cause != "label wording"


def test_one_row_is_no_voice(one: Any) -> None:
    """Open answers: each near row says something else, and that proves nothing."""
    train = [
        dataclasses.replace(row, references=(f"reply{i} text{i} of{i} row{i}",))
        for i, row in enumerate(lessons())
    ]
    found = one(dev(BILL, "quite another text", "rubbish"), train=train)
    assert found.cause == "unknown"
    assert "0 % agree with the reference and 0 % with each other" in found.evidence
    assert "reference is right" in found.remedy and "harness why" not in found.remedy


def test_answers_that_want_the_same_reply_are_judged_together(one: Any) -> None:
    """One far prompt among many near ones of its kind is no gap."""
    far = dev("zebra okapi giraffe word1", "heading bill", "rubbish")
    near = [
        answered(asks(f"n{i}", BILL, "Heading: bill", split="dev"), "rubbish") for i in range(9)
    ]
    assert one(far).cause == "gap"
    found = one(far, *near)
    assert found.cause == "label wording"
    assert "over the 10 wrong answers that want the same reply" in found.evidence


def test_an_answer_without_rows_of_its_own_names_those_of_its_kind(one: Any) -> None:
    train = [
        dataclasses.replace(row, references=("heading card",)) if row.id[:4] == "bill" else row
        for row in lessons()
    ]
    far = dev("zebra okapi giraffe", "heading payments due", "rubbish")
    near = [
        answered(asks(f"n{i}", BILL, "Heading: payments due", split="dev"), "rubbish")
        for i in range(9)
    ]
    found = one(far, *near, train=train)
    assert found.cause == "conflict"
    assert found.rows
    assert all(name.startswith("bill-") for name in found.rows)
    assert one(*near[::-1], far, train=train).cause == "conflict"


# -- priorities ---------------------------------------------------------------------------


def test_what_is_seen_goes_before_what_is_inferred(one: Any) -> None:
    """One answer with every signal; take them away one by one."""
    example = asks("d1", "volcano", "pay it by card now please", split="dev")
    cut = answered(example, "pay it by card now", finish_reason="length")
    whole = answered(example, "pay it by card now")
    lost = answered(example, "rubbish")
    before = (answered(example, "fine", 1.0),)
    assert one(cut, *FINE, base=before).cause == "cut"
    assert one(whole, *FINE, base=before).cause == "forgetting"
    assert one(whole, *FINE).cause == "narrow reference"
    assert one(lost, *FINE).cause == "gap"


# -- signals that are missing -------------------------------------------------------------


def test_round_0_knows_neither_base_nor_train(analyze: Any) -> None:
    short = dev(BILL, "one two three", "one", finish_reason="length")
    lost = answered(asks("d2", BILL, "heading bill", split="dev"), "rubbish")
    found = analyze(short, lost, train=())
    assert [d.cause for d in found.diagnoses] == ["cut", "unknown"]
    assert found.diagnoses[1].rows == ()
    assert found.notes[0] == "likeliest causes of 2 failing answers: truncated 1, unknown 1"
    assert any("no training rows are known" in note for note in found.notes)
    assert any("catastrophic forgetting was not checked" in note for note in found.notes)


def test_without_train_nothing_can_have_been_forgotten(one: Any) -> None:
    row = dev(BILL, "heading bill", "rubbish", 0.1)
    assert one(row, *FINE, base=(base(1.0),), train=()).cause == "unknown"


def test_right_and_unjudged_answers_get_no_diagnosis(analyze: Any) -> None:
    lost = dev(BILL, "heading bill", "rubbish")
    found = analyze(lost, *FINE, right={"d1": None, **{s.example.id: True for s in FINE}})
    assert found == Findings(notes=("no answer fails: there are no causes to find",))
    unsaid = analyze(lost, right={"d1": None})
    assert unsaid.notes == ("'f1' has no pass threshold: set its right_at",)
    mixed = analyze(lost, *FINE, right={"d1": False})
    assert [d.example_id for d in mixed.diagnoses] == ["d1"]
    some = analyze(lost, FINE[0], right={"d1": False, "fine0": None})
    assert "1 answers neither pass nor fail and were left out" in some.notes


def test_too_few_rows_say_nothing_about_distance(one: Any) -> None:
    few = lessons(n=1)
    assert one(dev("card word1", "unheard reply", "rubbish"), train=few).cause == "unknown"


def test_rows_without_references_break_nothing(analyze: Any) -> None:
    bare = dataclasses.replace(lessons()[0], references=())
    example = asks("d1", BILL, split="dev")
    found = analyze(answered(example, "text", values={"judge": None}), train=[*lessons(), bare])
    assert len(found.diagnoses) == 1


def test_copies_that_augmenters_made_do_not_make_train_look_dense(one: Any) -> None:
    train = lessons()
    variants = [
        dataclasses.replace(
            row, id=f"{row.id}-v{n}", parent=row.id, group="",
            messages=({"role": "user", "content": f"hello{n} {row.prompt}"},),
        )
        for row in train
        for n in range(3)
    ]  # fmt: skip
    row = dev(BILL, "heading bill", "rubbish")
    assert one(row, train=[*train, *variants]).cause == "label wording"


# -- what must hold -----------------------------------------------------------------------


def world(seed: int, rows: int = 60) -> tuple[list[ScoredExample], list[Example]]:
    draw = random.Random(seed)
    scored = []
    for i in range(rows):
        topic = draw.choice([*TOPICS, "volcano"])
        prompt = f"{topic} {SECRET}{i} {topic}line word{draw.randrange(60)}"
        example = asks(f"d{i}", prompt, f"heading {topic} {SECRET}", split="dev")
        answer = draw.choice([f"heading {topic}", f"heading card {SECRET}", f"{SECRET} no", ""])
        finish = draw.choice(["stop", "stop", "length"])
        scored.append(answered(example, answer, draw.random(), finish_reason=finish))
    return scored, lessons()


@pytest.mark.parametrize("seed", range(3))
def test_no_text_of_dev_leaves_the_analyzer(analyze: Any, seed: int) -> None:
    scored, train = world(seed)
    found = analyze(*scored, train=train, base=tuple(scored[::-1]))
    assert len(found.diagnoses) > 15
    assert len({d.cause for d in found.diagnoses}) >= 3
    assert SECRET not in json.dumps(to_json(found)).casefold()


def test_the_same_evidence_gives_the_same_findings(analyze: Any) -> None:
    scored, train = world(5)
    first = analyze(*scored, train=train)
    assert analyze(*scored, train=train) == first
    assert from_json(Findings, json.loads(json.dumps(to_json(first)))) == first


def test_the_order_of_dev_changes_no_diagnosis(analyze: Any) -> None:
    scored, train = world(6)
    first = {d.example_id: d for d in analyze(*scored, train=train).diagnoses}
    again = {d.example_id: d for d in analyze(*scored[::-1], train=train).diagnoses}
    assert first == again


def test_hostile_texts_get_a_diagnosis_like_others(analyze: Any) -> None:
    scored = [
        answered(asks(f"d{i}", text, HOSTILE[-i], split="dev"), HOSTILE[(i * 5) % len(HOSTILE)])
        for i, text in enumerate(HOSTILE)
    ]
    train = [asks(text, text, text, place=text, group=text) for text in HOSTILE] + lessons()
    found = analyze(*scored, train=train)
    assert len(found.diagnoses) == len(HOSTILE)
    for diagnosis in found.diagnoses:
        assert len(diagnosis.evidence) < 900
        assert not set("\x00\x1b\u202e\n\ud800") & set(diagnosis.evidence)


@given(
    st.lists(
        st.tuples(
            st.text(max_size=12), st.text(max_size=12), st.text(max_size=12),
            st.sampled_from([0.0, 0.4, 1.0, float("nan")]), st.sampled_from(["stop", "length"]),
        ),
        max_size=8,
    ),
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=25),
)  # fmt: skip
def test_every_wrong_answer_gets_one_known_cause(dev_rows: Any, train_rows: Any) -> None:
    scored = tuple(
        answered(asks(f"d{i}", p, r, split="dev"), a, v, finish_reason=f)
        for i, (p, r, a, v, f) in enumerate(dev_rows)
    )
    train = tuple(asks(f"t{i}", p, r) for i, (p, r) in enumerate(train_rows))
    right = {s.example.id: s.values["f1"] == 1.0 for s in scored}
    analyzer = causes()
    found = analyzer.analyze(
        Evidence(scored, "f1", True, (), right, scored, right, train), Context(ROOT)
    )
    assert [d.example_id for d in found.diagnoses] == [n for n, ok in right.items() if not ok]
    known = analyzer.causes()
    for diagnosis in found.diagnoses:
        assert diagnosis.remedy == known[diagnosis.cause][1]
        assert set(diagnosis.rows) <= {row.id for row in train}
        assert diagnosis.evidence


def test_the_user_can_stop_it(tmp_path: Path) -> None:
    context = Context(tmp_path, cancelled=lambda: True)
    with pytest.raises(Cancelled):
        causes().analyze(proof(dev(BILL, "heading bill", "rubbish")), context)


@pytest.mark.nightly
def test_thousands_of_rows_take_seconds(analyze: Any) -> None:
    draw = random.Random(1)
    fill = [f"w{int(draw.paretovariate(0.6)) % 20_000}" for _ in range(200_000)]

    def text(words: int) -> str:
        return " ".join(draw.choices(fill, k=words))

    train = [asks(f"t{i}", text(20), text(30)) for i in range(5_000)]
    scored = [
        answered(asks(f"d{i}", text(20), text(30), split="dev"), text(30)) for i in range(5_000)
    ]
    times = []
    while len(times) < 3 and min(times, default=9.0) >= 5:
        begin = time.process_time()  # of all threads; others may keep the machine busy
        found = analyze(*scored, train=train)
        times.append(time.process_time() - begin)
        assert len(found.diagnoses) == 5_000
    assert min(times) < 5


def test_a_run_keeps_the_diagnoses_of_each_round(project: Any) -> None:
    result = project.inside(
        "iterate", "--rounds", "1", "--json", "--set", "analyze=[{plugin: causes}]"
    )
    assert result.code == 0, result.err
    files = sorted(project.folder.glob(".harness/**/findings.json"))
    found = [from_json(Findings, json.loads(path.read_text("utf-8"))) for path in files]
    assert len(found) == 2
    assert all(not f.failed and f.diagnoses for f in found)
    rounds = {any("no training rows are known" in note for note in f.notes) for f in found}
    assert rounds == {True, False}


# -- the catalogue ------------------------------------------------------------------------


def test_only_a_gap_is_cured_by_new_data() -> None:
    catalogue = causes().causes()
    assert [name for name, (_, _, curable) in catalogue.items() if curable] == ["gap"]


def test_the_docs_say_what_the_catalogue_says() -> None:
    page = (ROOT / "docs" / "causes.md").read_text(encoding="utf-8")
    for name, (definition, remedy, curable) in causes().causes().items():
        word = shown("cause", name)
        title = f"`{name}`" if word == name else f"{word} (`{name}`)"
        row = f"| {title} | {definition} | {remedy} | {'yes' if curable else 'no'} |"
        assert row in page, row


def test_config_keys_in_remedies_exist() -> None:
    from harness_transformers import LoraTrainer, TransformersGenerator  # type: ignore

    text = " ".join(remedy for _, remedy, _ in causes().causes().values())
    keys = {key for key in re.split(r"[ ,()]+", text) if "." in key}
    assert keys == {
        "generate.max_new_tokens", "train.epochs", "train.learning_rate", "train.r",
    }  # fmt: skip
    for key in keys:
        stage, name = key.split(".")
        plugin = LoraTrainer if stage == "train" else TransformersGenerator
        assert name in plugin.Options.model_fields


# -- the benchmark ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def benchmark() -> Any:
    path = ROOT / "benchmarks" / "causes.py"
    spec = importlib.util.spec_from_file_location("benchmark_causes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark_causes"] = module
    spec.loader.exec_module(module)
    return module


def test_plants_are_where_they_are_said_to_be(benchmark: Any) -> None:
    planted = benchmark.plant(11)
    assert planted == benchmark.plant(11)
    assert planted != benchmark.plant(12)
    wanted = {row.id: row.references[0] for row in planted.dev}
    kinds = {wanted[name]: plant for name, plant in planted.plants.items()}
    topics = {benchmark.HEADINGS[row.meta["topic"]]: row.meta["topic"] for row in planted.train}
    taught: dict[str, set[str]] = {}
    for row in planted.train:
        taught.setdefault(benchmark.HEADINGS[row.meta["topic"]], set()).add(row.references[0])
    gaps = [heading for heading, kind in kinds.items() if kind == "gap"]
    assert len(gaps) == 4
    assert not set(gaps) & set(topics)
    for heading, answers in taught.items():
        if kinds[heading] == "clean":
            assert answers == {heading}
        elif kinds[heading] == "bad labels":
            assert len(answers) == 1
            assert heading not in answers
        else:
            assert kinds[heading] == "contradictions"
            assert heading in answers
            assert len(answers) > 1
    groups = {row.group for row in planted.train}
    assert not groups & {row.group for row in planted.dev}
    test_ids = {line[:40] for line in _lines(benchmark.BILLING / "test.jsonl")}
    assert not test_ids & {line[:40] for line in map(_id_line, planted.train + planted.dev)}


def _lines(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text("utf-8").split("\n") if line]


def _id_line(row: Example) -> str:
    return row.id


def synthetic(benchmark: Any) -> Any:
    """A recording that no model made: three wrong answers, and one right one."""
    planted = benchmark.plant(1)
    names = {}
    for name, plant in planted.plants.items():
        names.setdefault(plant, name)
    dev_rows = tuple(row for row in planted.dev if row.id in names.values())
    gold = {row.id: row.references[0] for row in dev_rows}

    def said(texts: dict[str, str], finish: str = "stop") -> dict[str, Prediction]:
        return {n: Prediction(n, t, finish, completion_tokens=2) for n, t in texts.items()}

    wrong = dict.fromkeys(gold, "mumble") | {names["clean"]: gold[names["clean"]]}
    answers = {
        "base": said({name: gold[name] if "capital" in name else "hm" for name in gold}),
        "tuned": said(wrong),
        "cut": said({name: text.split()[0] for name, text in gold.items()}, "length"),
    }
    plants = {row.id: planted.plants[row.id] for row in dev_rows}
    return benchmark.Recording(1, planted.train, dev_rows, plants, answers, {"model": "none"})


def test_a_recording_is_read_as_it_was_written(benchmark: Any, tmp_path: Path) -> None:
    recording = synthetic(benchmark)
    benchmark.write(recording, tmp_path / "causes-1.jsonl")
    assert benchmark.read(tmp_path / "causes-1.jsonl") == recording
    (tmp_path / "other.jsonl").write_text('{"schema": "x"}\n')
    with pytest.raises(SystemExit, match="no harness"):
        benchmark.read(tmp_path / "other.jsonl")


def test_the_figures_are_counted_from_planted_rows_only(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark.write(synthetic(benchmark), tmp_path / "causes-1.jsonl")
    benchmark.main(["--seeds", "1", "--folder", str(tmp_path), "--json", str(tmp_path / "f.json")])
    counts = json.loads((tmp_path / "f.json").read_text())
    # One wrong answer of each plant; the clean one is wrong only where it is cut.
    assert counts["n"] == 5
    assert {plant: sum(row.values()) for plant, row in counts["plants"].items()} == {
        "gap": 1, "bad labels": 1, "contradictions": 1, "capital": 1, "limit of tokens": 1,
    }  # fmt: skip
    assert counts["confusion"]["forgetting"] == {"forgetting": 1}
    assert counts["confusion"]["cut"] == {"cut": 1}
    right = sum(row.get(true, 0) for true, row in counts["confusion"].items())
    said = capsys.readouterr().out
    assert f"right cause {right / 5:.1%}, always the commonest 40.0%" in said


def test_without_a_recording_the_benchmark_says_what_to_do(benchmark: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="use --real"):
        benchmark.main(["--folder", str(tmp_path)])


def test_of_very_many_failing_answers_a_part_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert analysis.MOST <= MOST_FINDINGS
    monkeypatch.setattr(analysis, "MOST", 4)
    scored = tuple(
        answered(asks(f"d{i}", f"p {i}", "yes", split="dev"), "no", 0.0) for i in range(10)
    )
    right = {row.example.id: False for row in scored}
    found = causes().analyze(Evidence(scored, "f1", True, (), right), Context(ROOT))
    assert [diagnosis.example_id for diagnosis in found.diagnoses] == ["d0", "d2", "d5", "d7"]
    assert found.notes[0] == "4 of 10 failing answers, evenly spaced, are looked at"
