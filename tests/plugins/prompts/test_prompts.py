"""The prompts of the baselines: what stands before a row's own turns."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

import harness
from harness_prompts import FewShot, Prompted
from harness_prompts.few_shot import Nearest
from harness_prompts.places import Places
from tests.support.effort import effort

CONTEXT = harness.Context(Path())


def row(name: str, text: str, answer: str = "", **fields: Any) -> harness.Example:
    references = (answer,) if answer else ()
    turns = fields.pop("messages", ({"role": "user", "content": text},))
    return harness.Example(name, turns, references, **{"group": f"group of {name}", **fields})


TRAIN = [
    row("t1", "when is the refund paid", "in five days", meta={"kind": "money"}),
    row("t2", "when does the parcel arrive", "tomorrow", meta={"kind": "parcel"}),
    row("t3", "how is the refund paid", "by card", meta={"kind": "money"}),
    row("t4", "where is the parcel", "on its way", meta={"kind": "parcel"}),
]
ASKED = [row("d1", "is the refund paid when I ask"), row("d2", "the parcel of mine, where")]


def prompts(
    plugin: harness.Baseline, rows: list[harness.Example], train: list[harness.Example]
) -> list[harness.Example]:
    return list(plugin.prompts(rows, train, CONTEXT))


def few_shot(**options: Any) -> FewShot:
    return FewShot(FewShot.Options(**options))


def shown(example: harness.Example) -> list[str]:
    """What the user and the assistant say before the row's own turn."""
    return [str(turn["content"]) for turn in example.messages[:-1]]


# -- prompted ---------------------------------------------------------------------------------


def test_the_text_of_the_config_is_the_system_turn() -> None:
    plugin = Prompted(Prompted.Options(system="Be brief."))
    for asked, made in zip(ASKED, prompts(plugin, ASKED, TRAIN), strict=True):
        assert made.messages == ({"role": "system", "content": "Be brief."}, *asked.messages)
        assert made.id == asked.id
    assert plugin.description(TRAIN) == "a system turn before each prompt: “Be brief.”"


def test_a_text_that_is_made_is_said() -> None:
    (first, _) = prompts(Prompted(), ASKED, TRAIN)
    text = first.messages[0]["content"]
    assert text == "Answer in about 2 words, and write nothing else."
    made = f"a system turn before each prompt, made from the answers of train: “{text}”"
    assert Prompted().description(TRAIN) == made


def test_a_row_keeps_what_its_own_system_turn_says() -> None:
    own = ({"role": "system", "content": "You sell shoes."}, {"role": "user", "content": "Hm?"})
    plugin = Prompted(Prompted.Options(system="Be brief."))
    (made,) = prompts(plugin, [row("d", "", messages=own)], TRAIN)
    assert made.messages[0] == {"role": "system", "content": "You sell shoes.\n\nBe brief."}
    assert made.messages[1:] == own[1:]


def test_a_blank_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="it is blank"):
        Prompted.Options(system="  ")


# -- few-shot ---------------------------------------------------------------------------------


def test_the_nearest_examples_come_first_to_mind_and_last_in_the_prompt() -> None:
    first, second = prompts(few_shot(k=2), ASKED, TRAIN)
    assert shown(first)[2:] == ["when is the refund paid", "in five days"]
    assert shown(first)[0] == "how is the refund paid"
    assert shown(second)[2:] == ["where is the parcel", "on its way"]
    roles = [turn["role"] for turn in first.messages]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


CODE = (
    "def {0}(self, path):\n    self.{0} = open(path).read()\n    return self.{0}",
    "def {0}(rows):\n    return [row.{0} for row in rows if row.{0} is not None]",
    "class {0}(Base):\n    def close(self):\n        self.{0}.close()",
)
NAMES = ("alpha", "beta", "gamma", "delta", "kappa", "sigma")
ASKS = {"Which names does it assign to?": '["{}"]', "What does it raise?": '{{"{}": 1}}'}


def about_code(shape: str) -> list[harness.Example]:
    """Rows of two questions about three kinds of code, in one of four shapes."""
    rows = []
    for question, answer in ASKS.items():
        for kind, code in enumerate(CODE):
            for name in NAMES:
                text = code.format(name)
                turns: list[harness.Message] = [{"role": "user", "content": ""}]
                turns[0]["content"] = {
                    "before": f"{question}\n\n```python\n{text}\n```",
                    "behind": f"```python\n{text}\n```\n\n{question}",
                    "between": f"# Task\n{question}\n# Code\n{text}\n# Answer",
                    "system": text,
                }[shape]
                if shape == "system":
                    turns.insert(0, {"role": "system", "content": question})
                label = f"{question}{kind}{name}"
                rows.append(row(label, "", answer.format(name), messages=tuple(turns)))
    return rows


@pytest.mark.parametrize("shape", ["before", "behind", "between", "system"])
def test_examples_of_the_same_question_come_first_though_other_code_is_nearer(shape: str) -> None:
    rows = about_code(shape)
    # One question is rare in train, and its code there is unlike the code that is asked about.
    asked = [one for one in rows if "alpha" in one.id]
    rare = [one for one in rows if "raise" in one.id and "0" in one.id and "alpha" not in one.id]
    others = [one for one in rows if "assign" in one.id and "alpha" not in one.id]
    for before, made in zip(asked, prompts(few_shot(k=3), asked, rare + others), strict=True):
        wanted = "{" if "raise" in before.id else "["
        answers = [turn["content"] for turn in made.messages if turn["role"] == "assistant"]
        assert [answer[0] for answer in answers] == [wanted] * 3


def test_a_greeting_that_says_nothing_of_the_answer_does_not_decide() -> None:
    draw = random.Random(3)
    topics = {"money": "refund card invoice fee payment", "parcel": "courier van depot box label"}
    greetings = [f"{word} there." for word in ("Hello", "Hi", "Greetings", "Servus")]

    def asked_by(name: str, topic: str) -> harness.Example:
        words = " ".join(draw.sample(topics[topic].split(), 3))
        return row(name, f"{draw.choice(greetings)} Something about {words} here.", topic)

    train = [asked_by(f"t{at}{topic}", topic) for at in range(20) for topic in topics]
    assert "first sentence" not in Places(train, 3).names
    assert "first sentence" in Places(about_code("before"), 3).names


def test_values_of_a_balanced_field_take_turns() -> None:
    for made in prompts(few_shot(k=2, balance="kind"), ASKED, TRAIN):
        said = " ".join(shown(made))
        assert "refund" in said and "parcel" in said
    for made in prompts(few_shot(k=4, balance="kind"), ASKED, TRAIN):
        assert sum("refund" in text for text in shown(made)) == 2


def test_no_example_has_the_group_of_the_prompt() -> None:
    near = dataclasses.replace(ASKED[0], group=TRAIN[0].group)
    (made,) = prompts(few_shot(k=3), [near], TRAIN)
    assert TRAIN[0].prompt not in shown(made)
    assert {TRAIN[1].prompt, TRAIN[2].prompt, TRAIN[3].prompt} <= set(shown(made))


def test_a_long_train_is_not_gone_through_for_each_prompt() -> None:
    draw = random.Random(0)
    texts = [" ".join(f"w{draw.randrange(3000)}" for _ in range(12)) for _ in range(10_000)]
    nearest: list[Nearest] = []
    train = [row(t, t, "x") for t in texts]
    once = effort(lambda: nearest.append(Nearest([train], Places(train, 3))))
    asked = [row(f"d{n}", text) for n, text in enumerate(texts[:1000])]
    assert effort(lambda: list(nearest[0].to(asked, 3))) < 2 * once


def test_examples_are_filled_up_with_those_that_are_unlike_the_prompt() -> None:
    (made,) = prompts(few_shot(k=4), [row("d", "zebra")], TRAIN)
    assert len(shown(made)) == 8


def test_a_system_turn_of_the_row_stays_first_and_those_of_examples_are_left_out() -> None:
    own = ({"role": "system", "content": "Sell."}, {"role": "user", "content": "the refund"})
    told = ({"role": "system", "content": "Other."}, {"role": "user", "content": "my refund"})
    train = [row("t", "", "soon", messages=told)]
    (made,) = prompts(few_shot(k=1), [row("d", "", messages=own)], train)
    said = [(turn["role"], turn["content"]) for turn in made.messages]
    assert said == [
        ("system", "Sell."), ("user", "my refund"), ("assistant", "soon"), ("user", "the refund"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "unusable",
    [
        row("u", "the refund"),
        row("u", "", "yes", messages=({"role": "user", "content": [{"type": "image"}]},)),
        row("u", "", "yes", messages=({"role": "tool", "content": "x"},)),
    ],
)
def test_rows_without_an_answer_or_of_more_than_text_are_no_examples(
    unusable: harness.Example,
) -> None:
    (made,) = prompts(few_shot(k=4), ASKED[:1], [unusable, *TRAIN])
    assert len(shown(made)) == 8
    with pytest.raises(harness.ConfigError, match="5 examples are asked for, and train has 4"):
        prompts(few_shot(k=5), ASKED, [unusable, *TRAIN])


def test_more_examples_than_train_has_is_one_message_with_the_number_that_would_do() -> None:
    with pytest.raises(harness.ConfigError) as found:
        prompts(few_shot(k=9), ASKED, TRAIN)
    assert "9 examples are asked for, and train has 4 for the prompt 'd1'" in found.value.what
    assert found.value.hint == "baselines: [{plugin: few-shot, k: 4}]"


def test_a_field_that_train_lacks_is_named_with_those_that_it_has() -> None:
    with pytest.raises(harness.ConfigError) as found:
        prompts(few_shot(balance="kinds"), ASKED, TRAIN)
    assert "'kinds'" in found.value.what and "did you mean 'kind'" in found.value.what


def test_it_says_what_it_puts_before_a_prompt() -> None:
    assert (
        few_shot().description(TRAIN)
        == "3 examples of train before each prompt: the nearest by whole text"
    )
    line = few_shot(k=1, balance="kind").description(TRAIN)
    assert line.startswith("1 example of train before each prompt: the values of kind in turns")


WORDS = st.lists(st.sampled_from(["refund", "parcel", "when", "how"]), max_size=4).map(" ".join)
ROWS = st.lists(st.tuples(WORDS, st.sampled_from("abc"), st.sampled_from("xy")), max_size=8)


@given(train=ROWS, asked=ROWS, k=st.integers(1, 4), balanced=st.booleans())
def test_examples_are_k_different_rows_of_other_groups(
    train: list[Any], asked: list[Any], k: int, balanced: bool
) -> None:
    given_rows = [
        row(f"t{n}", f"{text} {n}", f"answer {n}", group=group, meta={"kind": kind})
        for n, (text, group, kind) in enumerate(train)
    ]
    of_prompts = [
        row(f"d{n}", f"{text} ask {n}", group=group) for n, (text, group, _) in enumerate(asked)
    ]
    enough = all(sum(t.group != d.group for t in given_rows) >= k for d in of_prompts)
    plugin = few_shot(k=k, balance="kind" if balanced else "")
    if not enough:
        with pytest.raises(harness.ConfigError):
            prompts(plugin, of_prompts, given_rows)
        return
    groups = {one.prompt: one.group for one in given_rows}
    for before, made in zip(of_prompts, prompts(plugin, of_prompts, given_rows), strict=True):
        texts = shown(made)[::2]
        assert len(set(texts)) == len(texts) == k
        assert before.group not in {groups[text] for text in texts}
        assert made.messages[-1:] == before.messages
