"""What a rubric file may hold, and how each mistake in it is told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from harness.errors import ConfigError
from harness.kit import yaml_file
from harness.records import from_json, to_json
from harness.records.rubrics import Overall, Rubric, Show
from harness_rating.rubric import file, lint, scoring
from tests.plugins.rating.tiny import TINY, line_of, write


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        file.load(path)
    assert caught.value.exit_code == 2
    return list(caught.value.details) or [str(caught.value)]


def test_a_file_becomes_a_rubric(tiny: Rubric) -> None:
    assert (tiny.id, tiny.version, tiny.language) == ("tiny", 3, "en")
    assert tiny.show == Show("never", False, ("topic",))
    assert tiny.overall == Overall("weighted_mean", 0.75)
    assert [c.id for c in tiny.criteria] == ["accuracy", "polite", "errors", "better"]
    accuracy = tiny.criterion("accuracy")
    assert accuracy.scale.anchors == {"1": "wrong", "2": "nearly", "3": "correct"}
    assert (accuracy.weight, accuracy.fail_below, accuracy.allow_na) == (2, 2, True)
    assert tiny.judge == {"bar": 0.7, "items": 50, "samples": 3, "instructions": ""}
    assert not tiny.pairwise


def test_a_rubric_lives_in_json(tiny: Rubric) -> None:
    text = json.dumps(to_json(tiny), allow_nan=False)
    again = from_json(Rubric, json.loads(text))
    assert again == tiny
    assert scoring.content_digest(again) == tiny.digest
    assert dataclasses.is_dataclass(again.criteria[0].scale)


ANCHORS = "anchors: {1: wrong, 2: nearly, 3: correct}"
CHOICES = "{kind: choices, choices: [wrong facts, wrong tone]}"
POLITE = "scale: binary\n    keys: [y, n]"
BELOW = "{accuracy: {below: 3}}"
BAD = [
    # what is changed, into what, where the message points to (a part of the new text), its words
    ("title: Tiny", "titel: Tiny", "titel", "titel: unknown key, did you mean 'title'?"),
    ("title: Tiny", "titel: Tiny", None, "title: is needed"),
    ("/1\n", "/2\n", "schema", "schema: input should be 'harness.rubric/1', not 'harness.rubric"),
    ("version: 3", "version: 0", "version", "greater than or equal to 1, not 0"),
    ("version: 3", "version: true", "version", "valid integer, not True"),
    ("version: 3", 'version: "3"', "version", "valid integer, not '3'"),
    ("id: tiny", "id: Tiny one", "id: Tiny", "should match pattern"),
    ("id: tiny", "id: ../x", "id: ..", "should match pattern"),
    ("title: Tiny", "title: Tiny\nlanguage: English", "language", "should match pattern"),
    ("title: Tiny", "title: '  '", "title", "at least 1 character"),
    ("reference: never", "reference: sometimes", "reference", "'after_first_score' or 'never'"),
    ("reference: never", "refrence: never", "refrence", "did you mean 'reference'?"),
    ("question: Is it correct?", "qestion: Is it?", "qestion", "did you mean 'question'?"),
    ("question: Is it correct?", "qestion: Is it?", "- id: accuracy", "question: is needed"),
    ("      max: 3", "      maxx: 3", "maxx", "criteria.0.scale.maxx: unknown key, did you mean"),
    ("      max: 3", "      max: 1", "max: 1", "must be more than min (1), not 1"),
    ("      max: 3", "      max: .inf", "max: .inf", "not inf"),
    ("      max: 3", "      max: 2.5", "max: 2.5", "levels are whole numbers, not 2.5"),
    ("      max: 3", "      max: 500", "max: 500", "at most 100 levels"),
    ("      max: 3\n", "", "scale:\n", "max: is needed for a scale of kind ordinal"),
    (ANCHORS, "anchors: {2: nearly}", "anchors", "missing: 1 and 3 (as in 1:"),
    (ANCHORS, "anchors: {1: wrong}", "anchors", "missing: 3 (as in 3:"),
    (f"\n      {ANCHORS}", "", "scale:\n", "both ends need words; missing: 1 and 3"),
    ("3: correct", "3: correct, 4: great", "anchors",
     "anchors: '4' is no value of this scale (1, 2, 3)"),
    ("2: nearly", '"1": again', "anchors", "anchors: a value is there twice"),
    ("2: nearly", "1: again", "anchors", "not well-formed: found duplicate key"),
    ("2: nearly", "2: [x]", "anchors", "valid string, not ['x']"),
    ("scale: binary", "scale: binery", "binery", "kind: input should be 'binary'"),
    ("scale: binary", "scale: {kind: binary, good: maybe}", "good", "'yes' or 'no', not 'maybe'"),
    ("scale: binary", "scale: {kind: binary, max: 3}", "max: 3}", "kind binary has no max"),
    ("scale: binary", "scale: {kind: binary, anchors: {yse: x}}", "yse", "did you mean 'yes'?"),
    ("scale: text", "scale: {kind: text, choices: [a, b]}", "{kind: text", "has no choices"),
    ("[wrong facts, wrong tone]", "[wrong facts]", "[wrong facts]", "two or more are needed"),
    ("facts, wrong tone]", "facts, wrong facts]", "[wrong", "'wrong facts' is there twice"),
    ("id: polite", "id: accuracy", "id: accuracy\n    title: Tone", "is the id of two criteria"),
    ("id: polite", "id: overall", "id: overall", "'overall' has a meaning of its own"),
    ("id: polite", "id: is-polite", "id: is-polite", "should match pattern"),
    ("weight: 2", "weight: -1", "weight: -1", "greater than or equal to 0, not -1"),
    ("weight: 2", "weight: .nan", "weight: .nan", "not nan"),
    ("weight: 2", "weight: heavy", "weight: heavy", "valid number, not 'heavy'"),
    ("fail_below: 2", "fail_below: 4", "fail_below", "above 1 and up to 3, not 4"),
    ("fail_below: 2", "fail_below: 1", "fail_below", "above 1 and up to 3, not 1"),
    (POLITE, "scale: binary\n    fail_below: 2", "fail_below: 2\n  - id: err", "only have 1 here"),
    ("scale: text", "scale: text\n    fail_below: 1", "fail_below: 1", "has nothing below"),
    ("use_as: reference", "use_as: error_category", "use_as: error_category\njudge",
     "error_category comes from a scale of kind choice or choices, not text"),
    ("use_as: error_category", "use_as: reference", "use_as: reference\n  - id: better",
     "reference comes from a scale of kind text, not choices"),
    ("use_as: reference", "use_as: label", "use_as: label", "'error_category' or 'reference'"),
    ("keys: [y, n]", "keys: [y]", "keys", "one for each of the 2 values is needed, not 1"),
    ("keys: [y, n]", "keys: [y, y]", "keys", "'y' is there twice"),
    ("keys: [y, n]", "keys: [y, u]", "keys", "the page itself uses 0 u s f c r d ?: 'u'"),
    ("keys: [y, n]", "keys: [y, no]", "keys", "one lower-case character is needed, not 'no'"),
    ("scale: text", "scale: text\n    keys: [t]", "keys: [t]", "is typed, so it has no keys"),
    (BELOW, "{acuracy: {below: 3}}", "ask_if: {any", "no criterion 'acuracy', did you mean"),
    (BELOW, "{accuracy: {below: 7}}", "ask_if: {any", "lies in 1 to 3, never at 7"),
    (BELOW, "{accuracy: {below: low}}", "ask_if: {any", "accuracy: is a number, not 'low'"),
    (BELOW, "{accuracy: {below: true}}", "ask_if: {any", "accuracy: is a number, not True"),
    (BELOW, "{accuracy: {has: 3}}", "ask_if: {any", "kind ordinal is asked about by is, below,"),
    (BELOW, "{accuracy: {under: 3}}", "ask_if: {any", "kind ordinal is asked about by is, below,"),
    (BELOW, "{accuracy: {}}", "ask_if: {any", "kind ordinal is asked about by is, below,"),
    (BELOW, "{accuracy: [1, 2]}", "ask_if: {any", "accuracy: is a number, not [1, 2]"),
    (BELOW, "{polite: maybe}", "ask_if: {any", "has no value 'maybe' (it has yes, no)"),
    (BELOW, "{polite: true}", "ask_if: {any", "any.0.polite: has no value True (it has yes, no)"),
    (BELOW, "{polite: {below: 1}}", "ask_if: {any", "kind binary is asked about by is only"),
    (BELOW, "{better: x}", "ask_if: {any", "better: is text, which no condition can ask about"),
    (BELOW, "{not: polite}", "ask_if: {any", "any.0.not: a condition is a mapping, as in"),
    (BELOW, "{any: {polite: no}}", "ask_if: {any: [{any", "any.0.any: a list of conditions"),
    (BELOW, "accuracy < 3", "ask_if: {any", "any.0: a condition is a mapping, as in"),
    ("scale: binary", "scale: binary\n    ask_if: {errors: {has: x}}", "ask_if: {errors: {has: x",
     "errors: has no value 'x' (it has wrong facts, wrong tone)"),
    ("scale: binary", "scale: binary\n    ask_if: accuracy < 3 or errors has x", "ask_if: acc",
     "criteria.1.ask_if: a condition is a mapping, as in {accuracy: {below: 3}} or {polite: no}; "
     "{any: [{accuracy: {below: 3}}, {polite: no}]} holds where one of these does, "
     "not 'accuracy < 3 or errors has x'"),
    ("scale: binary", "scale: binary\n    ask_if: {}", "ask_if: {}", "a condition is a mapping"),
    ("judge: {bar: 0.7}", "judge: {api_key: x}", "judge", "unknown key; known: bar, items"),
    ("judge: {bar: 0.7}", "judge: {bar: 2}", "judge", "less than or equal to 1, not 2"),
    ("Read the answer.", "Use sk-abcdefghijklmnop1234.", "instructions", "looks like a key"),
    ("Read the answer.", '"nul \\0"', "instructions", "text without NUL"),
    (TINY[TINY.index("criteria:"):], "criteria: []", "criteria", "at least 1 item"),
    (TINY[TINY.index("criteria:"):], "criteria: yes", "criteria", "valid list, not 'yes'"),
    (TINY[TINY.index("criteria:"):], "criteria: [x]", "criteria", "criteria.0: input should be"),
    ("title: Tiny", "title: [", None, "not well-formed"),
]  # fmt: skip


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(("old", "new", "at", "words"), BAD, ids=[f"{b[1]}"[:30] for b in BAD])
def test_each_mistake_is_named_with_its_line(
    path: Path, old: str, new: str, at: str | None, words: str
) -> None:
    text = write(path, (old, new))
    found = [problem for problem in problems(path) if words in problem]
    assert len(found) == 1, problems(path)
    where = f"{path}:{line_of(text, at)}:" if at else str(path)
    assert where in found[0], found[0]


def test_one_mistake_gives_one_message(path: Path) -> None:
    once = ("fail_below: 2", "keys: [y, n]", "3: correct", BELOW, "bar: 0.7")
    for old, new, _, words in BAD:
        if old in once:
            write(path, (old, new))
            assert len(problems(path)) == 1, words


def test_all_problems_come_at_once(path: Path) -> None:
    write(
        path, ("version: 3", "version: x"), ("weight: 2", "wieght: 2"), ("[y, n]", "[y, y]"),
        ("errors: {has", "errors: {is"), ("reference: never", "reference: no"),
        ("bar: 0.7", "bar: no"),
    )  # fmt: skip
    found = " ".join(problems(path))
    assert len(problems(path)) == 6
    for words in (
        "version",
        "wieght",
        "'y' is there twice",
        "ask_if.errors",
        "show.reference",
        "bar",
    ):
        assert words in found


def test_a_circle_of_conditions_is_shown(path: Path) -> None:
    text = write(path, (POLITE, "scale: binary\n    ask_if: {errors: {has: wrong tone}}"))
    (problem,) = problems(path)
    assert problem == (
        f"{path}:{line_of(text, 'ask_if: {errors: {has: wrong tone')}: criteria.1.ask_if: "
        "goes in a circle: polite -> errors -> polite"
    )


def test_a_criterion_cannot_depend_on_itself(path: Path) -> None:
    write(path, (POLITE, "scale: binary\n    ask_if: {polite: yes}"))
    assert "goes in a circle: polite -> polite" in problems(path)[0]


def test_weights_of_zero_throughout(path: Path) -> None:
    text = write(path, ("weight: 2", "weight: 0"), (POLITE, "scale: binary\n    weight: 0"))
    assert problems(path) == [
        f"{path}:{line_of(text, 'weight: 0')}: criteria.0.weight: every weight is 0, so there is "
        "no overall score; give one criterion a weight"
    ]


def test_two_answers_and_questions_about_one(path: Path) -> None:
    text = write(
        path, (POLITE, "scale: pairwise"), (f"{{any: [{BELOW}, {{polite: no}}]}}", "{polite: A}")
    )
    found = problems(path)
    assert f"{path}:{line_of(text, 'scale:')}: criteria.0.scale: two answers" in found[0]
    assert "criteria.2.use_as: two answers are compared here, so an error" in found[1]


def test_only_one_criterion_gives_the_reference(path: Path) -> None:
    write(path, (POLITE, "scale: text\n    use_as: reference"), (", {polite: no}", ""))
    assert "criteria.3.use_as: only one criterion can give the reference" in problems(path)[0]


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "schema: is needed"),
        (b"- a\n", "mapping"),
        (b"\xff\xfe", "UTF-8"),
        (b"a: " + b"[" * 3000, "nested too deeply"),
        (b"a: x\n" * 60_000, "at most 256 kB"),
        (b"a: &a [*a]\n", "an anchor holds itself"),
        (b"2020-01-01: x\n", "a key must be a text"),
    ],
)
def test_a_file_of_something_else(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    assert any(words in problem for problem in problems(path))


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["binary", "pairwise", "text", "accuracy", "no", "any", "wrong facts"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "kind", "min", "anchors", "1", "any", "not", "polite", "below"]),
        inner,
    ),
    max_leaves=4,
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all values within a value."""
    if not isinstance(value, (dict, list)):
        return [at]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_value_anywhere_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    values = yaml_file.scalar(TINY)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(places(values)[1:]))
        target = values
        for key in way:
            target = target[key]
        target[last] = data.draw(junk)
    path = tmp_path_factory.mktemp("fuzzed") / "rubric.yaml"
    path.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    try:
        made = file.load(path)
    except ConfigError:
        return
    assert from_json(Rubric, json.loads(json.dumps(to_json(made)))) == made
    assert [remark for remark in lint.lint(path) if not remark.message] == []


def test_a_missing_file(path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such rubric file"):
        file.load(path)


def test_a_rubric_is_found_by_path_or_id(path: Path) -> None:
    write(path)
    assert file.find(str(path)) == path
    assert file.load(file.find("everyday")).id == "everyday"
    with pytest.raises(ConfigError, match="did you mean 'everyday'"):
        file.find("every-day")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Is it polite?", "Is it kind?", False),
        ("2: nearly", "2: almost", False),
        ("Read the answer.", "Read the answer twice.", False),
        ("allow_na: true", "allow_na: false", False),
        (BELOW, "{accuracy: {below: 2}}", False),
        ("reference: never", "reference: always", False),
        ("weight: 2", "weight: 3", True),
        ("fail_below: 2", "fail_below: 3", True),
        ("keys: [y, n]", "keys: [j, n]", True),
        ("bar: 0.7", "bar: 0.8", True),
        ("version: 3", "version: 4", True),
    ],
)
def test_a_changed_wording_needs_a_new_version(
    path: Path, tiny: Rubric, old: str, new: str, same: bool
) -> None:
    write(path, (old, new))
    changed = file.load(path)
    assert changed.digest != tiny.digest
    assert scoring.same_wording(tiny, changed) is same
    told = scoring.version_problem(tiny, changed)
    assert bool(told) is not same
    assert same or "version: 4" in told
    raised = dataclasses.replace(changed, version=4)
    assert scoring.version_problem(tiny, raised) == ""
