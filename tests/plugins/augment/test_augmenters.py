from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, strategies as st

from harness.records import Condition, Dataset, Example, PlanItem, Slice
from harness.records.context import Context
from harness_augment import Paraphrase, Pool
from harness_augment.prose import is_prose
from harness_augment.variation import KINDS, vary

INTENT = Slice((Condition("intent", "=", "Refund"),), 9, 9, 0.1, 0.2, 0.1, 0.3, 0.01)
SLICE = PlanItem(INTENT, 5, "")
ANYWHERE = PlanItem(None, 5, "")


def row(i, split="train", intent="Refund", prompt=None, **fields):
    text = prompt or f"When will the refund for order number {i} reach my bank account?"
    return Example(
        f"{split}{i}", ({"role": "system", "content": "Be kind."},
                        {"role": "user", "content": text}),
        ("Within five working days.",), split, f"g{i}", {"intent": intent}, **fields,
    )  # fmt: skip


def propose(augmenter, item, rows, seed=1):
    return list(augmenter.propose(item, Dataset(tuple(rows)), Context(None, seed=seed)))


def test_pool_gives_the_rows_of_the_slice_that_are_not_in_train():
    data = [row(i, "pool", "Refund" if i % 2 else "Invoice") for i in range(20)]
    moved = row(1, "pool")
    data.append(Example(**{**{f: getattr(moved, f) for f in Example.__slots__}, "split": "train"}))
    given_rows = propose(Pool(), SLICE, data)
    assert {r.id for r in given_rows} == {f"pool{i}" for i in range(3, 20, 2)}
    assert {r.id for r in propose(Pool(), ANYWHERE, data)} == {f"pool{i}" for i in range(20)} - {
        "pool1"
    }


def test_pool_order_is_the_seeds():
    data = [row(i, "pool") for i in range(30)]
    first, again, other = (propose(Pool(), SLICE, data, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_paraphrases_keep_the_answer_and_differ_from_the_prompt():
    data = [row(i) for i in range(40)] + [row(99, intent="Invoice"), row(5, "pool")]
    made = propose(Paraphrase(), SLICE, data)
    originals = {r.id: r for r in data}
    assert len(made) == 80
    for child in made:
        parent = originals[child.parent]
        assert child.id in {f"{parent.id}~p1", f"{parent.id}~p2"}
        assert child.references == parent.references
        assert child.messages[:-1] == parent.messages[:-1]
        assert child.prompt != parent.prompt
        assert (child.group, child.meta, child.split) == (parent.group, parent.meta, "train")
    assert len({child.prompt for child in made}) == 80
    assert len({child.parent for child in made[:40]}) == 40


def test_paraphrase_goes_on_where_earlier_rounds_stopped():
    data = [row(1), row(2)]
    first = propose(Paraphrase(), SLICE, data)[:2]
    rest = propose(Paraphrase(), SLICE, [*data, *first], seed=9)
    assert sorted(child.id for child in [*first, *rest]) == [
        "train1~p1", "train1~p2", "train2~p1", "train2~p2",
    ]  # fmt: skip
    assert propose(Paraphrase(), SLICE, [*data, *first, *rest]) == []


def test_code_and_odd_content_are_left_alone():
    code = row(1, prompt="def add(a, b):\n    return a + b")
    parts = Example("x", ({"role": "user", "content": [{"text": "please read this now"}]},), ("a",))
    assert propose(Paraphrase(), ANYWHERE, [code, parts]) == []


PROSE = [
    "When will the refund for my returned router reach my bank account?",
    "I pay 30 euros a month (VAT included); why was I charged 42.50 euros on 3 March?",
    "Please return my deposit, if that is possible. For whom is the form?",
    "My address is anna@example.org, can you send the invoice there again please?",
    "Wann kommt meine Rückzahlung? Ich warte seit drei Wochen darauf.",
]
CODE = [
    "def add(a, b):\n    return a + b",
    "What does this do? `x = [i for i in y if i]; print(x[0])`",
    "Explain:\n```\nls -l\n```",
    "import os",
    "for (int i = 0; i < n; i++) { total += a[i]; }",
    "SELECT name FROM users WHERE id = 3",
    "Fix this: return self.items.get(key, None)",
    "<div class='a'>Hello there my friend</div>",
    "2 + 2 * 7",
    "ok",
    "    @property\n    def name(self):\n        return self._name",
]


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_prose(text):
    assert is_prose(text)


@pytest.mark.parametrize("text", CODE)
def test_code_is_not(text):
    assert not is_prose(text)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_most_prompts(kind):
    draw = random.Random(1)
    changed = [vary(text, ["Within days."], [kind], draw) != text for text in PROSE * 10]
    assert sum(changed) > 30


def test_names_numbers_and_words_of_the_answer_survive():
    text = "Does the RateBook of VAT zone A4 at anna@example.org list Zürich and premium numbers?"
    for seed in range(200):
        got = vary(text, ["Premium numbers cost more."], KINDS, random.Random(seed))
        for word in ("RateBook", "VAT", "A4", "anna@example.org", "premium", "numbers"):
            assert word in got


@given(st.text(max_size=80), st.integers(0, 9), st.sets(st.sampled_from(KINDS), min_size=1))
def test_any_text_can_be_varied(text, seed, kinds):
    first = vary(text, [], kinds, random.Random(seed))
    assert first == vary(text, [], kinds, random.Random(seed))
    assert len(first) <= len(text) + 80


def test_a_typo_touches_few_letters():
    text = PROSE[0]
    for seed in range(50):
        got = vary(text, [], ["typos"], random.Random(seed))
        assert (Counter(text) - Counter(got)).total() <= 2
        assert (Counter(got) - Counter(text)).total() <= 2
