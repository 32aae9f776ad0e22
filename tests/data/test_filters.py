from __future__ import annotations

import ast
import random
import re
import sysconfig
import time
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.data.filters import (
    DESCENDS,
    INVALID,
    NEAR_REPEAT,
    NO_ORIGIN,
    REPEAT,
    REPEATS_TRAIN,
    RowGate,
)
from harness.kit.folding import normalise
from harness.records import Example

HELD = "Could you tell me why my invoice of March lists the roaming surcharge two times?"
MEASURED = Path(__file__).parents[2] / "benchmarks" / "filters.md"


def row(id="new", prompt="How do I change the address on my bill, please?", **fields):
    answer = fields.pop("reference", "Open Settings and choose Address.")
    turns = ({"role": "user", "content": prompt},)
    return Example(**{"id": id, "messages": turns, "references": (answer,), **fields})


SOURCE = row("source", "Which payment methods does the shop accept these days?")
DEV = row("dev1", HELD, split="dev", reference="It is listed once per zone.")
TEST = row("test1", "Is there a fee if I pay my bill by cheque in a branch?", split="test")
POOL = row("pool1", "When will the refund for my returned router arrive?", split="pool")


@pytest.fixture
def gate():
    return RowGate([DEV, TEST], [SOURCE], [POOL])


def conversation(*contents):
    roles = ("user", "assistant")
    return tuple({"role": roles[i % 2], "content": c} for i, c in enumerate(contents))


LEAKS = {
    "the row itself": (replace(DEV, split="train"), DESCENDS),
    "the row under a new text": (replace(row(), id="dev1"), DESCENDS),
    "a child": (row(parent="dev1"), DESCENDS),
    "a child of test": (row(parent="test1"), DESCENDS),
    "a copy": (row(prompt=HELD, parent="source"), REPEAT),
    "a copy in capitals": (row(prompt=HELD.upper() + "!!", parent="source"), REPEAT),
    "full-width letters": (
        row(prompt="".join(chr(ord(c) + 0xFEE0) if "!" < c < "~" else c for c in HELD),
            parent="source"),
        REPEAT,
    ),
    "one word changed": (row(prompt=HELD.replace("March", "May"), parent="source"), NEAR_REPEAT),
    "hidden in a long text": (
        row(prompt="I moved to Graz last week. " * 9 + HELD + " Best wishes, Jo.", parent="source"),
        NEAR_REPEAT,
    ),
    "the same answer": (
        row(prompt="Why does my invoice of March list the roaming surcharge again and again?",
            reference="it is listed once per zone", parent="source"),
        NEAR_REPEAT,
    ),
    "in an earlier turn": (
        row(messages=conversation(HELD, "Once per zone.", "Oh, thank you."), parent="source"),
        REPEAT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEAKS)
def test_a_planted_leak_is_refused(gate, kind):
    leak, reason = LEAKS[kind]
    assert gate.refuse(leak) == reason


def test_the_same_answer_alone_is_no_leak(gate):
    assert gate.refuse(row(reference="It is listed once per zone.", parent="source")) is None


def test_lineage_is_followed_through_accepted_rows_and_what_the_pool_says():
    gate = RowGate([DEV], [], [replace(POOL, parent="dev1"), row("tainted", parent="pool1")])
    assert gate.refuse(replace(POOL, parent="dev1")) == DESCENDS
    assert gate.refuse(row("grandchild", "Something else altogether.", parent="tainted")) == (
        DESCENDS
    )


def test_a_sibling_of_a_held_out_row_is_refused():
    gate = RowGate([replace(DEV, parent="source")], [], [SOURCE])
    assert gate.refuse(row("sibling", "Something else altogether.", parent="source")) == DESCENDS


def test_a_pool_row_cannot_hide_its_parent_or_lend_its_id(gate):
    assert RowGate([DEV], [], [replace(POOL, parent="dev1")]).refuse(POOL) == INVALID
    assert gate.refuse(row("pool1", "Another text under a known name, is it not?")) == INVALID
    assert gate.refuse(replace(POOL, split="train")) is None


def test_rows_without_an_origin_are_refused(gate):
    assert gate.refuse(row()) == NO_ORIGIN
    assert gate.refuse(row(parent="nobody")) == NO_ORIGIN
    assert gate.refuse(row(parent="new")) == NO_ORIGIN
    looped = RowGate([], [], [row("a", parent="b"), row("b", parent="a")])
    assert looped.refuse(row("c", parent="a")) == NO_ORIGIN


def test_what_is_in_train_is_not_taken_again(gate):
    child = row("child", parent="source")
    assert gate.refuse(child) is None
    gate.accept(child)
    assert gate.refuse(child) == REPEATS_TRAIN
    assert gate.refuse(replace(child, id="other")) == REPEATS_TRAIN
    spaced = row("spaced", "How do I  change the address\non my bill, please? ", parent="child")
    assert gate.refuse(spaced) == REPEATS_TRAIN
    # A variant in other case is a paraphrase, not a repeat.
    assert gate.refuse(row("lower", child.prompt.lower(), parent="child")) is None


BAD = [
    row(messages=()),
    row(messages=conversation("Question?", "Answer.")),
    row(messages=({"role": "system", "content": "Be brief."},)),
    row(prompt="  \n"),
    row(messages=({"role": "user", "content": None},), prompt=""),
    row(reference="  "),
    row(references=()),
    row(references=(None,)),
    row(id=""),
    replace(row(), messages=("text",)),
    {"id": "x"},
    None,
]


@pytest.mark.parametrize("bad", BAD)
def test_invalid_rows_are_refused(gate, bad):
    if isinstance(bad, Example):
        bad = replace(bad, parent="source")
    assert gate.refuse(bad) == INVALID


def test_short_last_turns_are_compared_with_their_conversation():
    held = row("d", messages=conversation("Is my line down?", "Shall I test?", "Yes."), split="dev")
    gate = RowGate([held], [], [SOURCE])
    other = conversation("Do you sell a router with a longer range?", "Want a list?", "Yes.")
    assert gate.refuse(row(messages=other, parent="source")) is None
    assert gate.refuse(row(messages=held.messages, parent="source")) == REPEAT


def test_an_unchanged_row_of_the_source_is_refused_for_an_exact_repeat_alone():
    near = row("near", HELD.replace("March", "May"), split="pool")
    copy = row("copy", HELD.lower(), split="pool")
    gate = RowGate([DEV, TEST], [SOURCE], [near, copy, POOL])
    assert gate.refuse(replace(near, split="train")) is None
    assert gate.refuse(copy) == REPEAT
    # Changed by an augmenter, it is a proposal like any other.
    assert gate.refuse(replace(near, id="new", references=("No.",), parent="near")) == NEAR_REPEAT


@pytest.mark.parametrize(
    "held_out", [[], [replace(DEV, messages=())], [row("d", " ", split="dev")]]
)
def test_odd_held_out_rows_do_no_harm(held_out):
    gate = RowGate(held_out, [SOURCE])
    assert gate.refuse(row(parent="source")) is None
    assert gate.refuse(row(prompt="?!", parent="source")) is None


@given(st.text(min_size=1, max_size=60))
def test_a_copy_of_any_text_is_found(text):
    held = row("d", text, split="dev")
    copy = row(prompt=text, parent="source")
    assert RowGate([held], [SOURCE]).refuse(copy) == (REPEAT if text.strip() else INVALID)


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


# --- recall and false alarms on real texts -------------------------------------------------


@cache
def stdlib_texts():
    """(functions, paragraphs of docstrings): lists of (module, text) from the standard library."""
    functions, paragraphs = [], []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace")
        lines = source.splitlines()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
                continue
            told = ast.get_docstring(node) or ""
            if isinstance(node, ast.FunctionDef) and told and len(node.body) > 1:
                head = lines[node.lineno - 1 : node.body[0].lineno - 1]
                code = "\n".join(head + lines[node.body[0].end_lineno : node.end_lineno])
                if 80 <= len(code) <= 1200:
                    functions.append((path.stem, code))
            for part in told.split("\n\n"):
                text = " ".join(part.split())
                if 80 <= len(text) <= 400 and len(sentences(text)) > 1 and ">>>" not in text:
                    paragraphs.append((path.stem, text))
    draw = random.Random(1)
    draw.shuffle(functions)
    draw.shuffle(paragraphs)
    return functions, paragraphs


def sentences(text):
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text)


def case_and_punctuation(text, draw):
    return re.sub(r"[,.;:!?'\"]", "", text.lower())


def two_words(text, draw):
    places = [m.span() for m in re.finditer(r"[A-Za-z]{3,}", text)]
    for start, end in sorted(draw.sample(places, min(2, len(places))), reverse=True):
        text = text[:start] + draw.choice(("basket", "quietly", "lemon", "northern")) + text[end:]
    return text


def reordered(text, draw):
    parts = text.splitlines() if "\n" in text else sentences(text)
    middle = len(parts) // 2
    joint = "\n" if "\n" in text else " "
    return joint.join(parts[middle:] + parts[:middle])


def framed(text, draw):
    return f"Please look at this closely: {text} Keep the answer short."


def buried(text, draw):
    filler = "The weather in the harbour was mild, and nobody expected a letter that day. "
    return filler * 8 + text


def renamed(text, draw):
    """Every argument and every assigned name of a function, and its own name."""
    names = set(re.findall(r"\b([a-z_]\w+)(?= *[=,)\[])", text)) - {"self", "None"}
    names |= set(re.findall(r"def (\w+)", text))
    for number, name in enumerate(sorted(names)):
        text = re.sub(rf"\b{re.escape(name)}\b", f"v{number}", text)
    return text


EDITS = {
    "case and punctuation": case_and_punctuation,
    "two words swapped for others": two_words,
    "sentences or halves reordered": reordered,
    "a sentence before and after": framed,
    "buried in 100 other words": buried,
    "identifiers renamed": renamed,
}
HELD_OUT_ROWS, UNRELATED_ROWS = 200, 1000


@cache
def measured():
    """(edit, text kind) -> shares of edited copies refused: prompt alone, with the same answer;
    and ("unrelated", kind) -> share of rows of other modules that were refused."""
    table = {}
    for kind, texts in zip(("code", "sentences"), stdlib_texts(), strict=True):
        chosen = texts[:HELD_OUT_ROWS]
        held = [row(f"d{i}", t, reference=f"Told in {i} words") for i, (_, t) in enumerate(chosen)]
        gate = RowGate(held, [SOURCE])
        for edit, change in EDITS.items():
            if (edit, kind) == ("identifiers renamed", "sentences"):
                continue
            draw = random.Random(3)
            copies = [(h, change(h.prompt, draw)) for h in held]
            copies = [(h, c) for h, c in copies if c != h.prompt]
            assert len(copies) > HELD_OUT_ROWS / 2
            table[edit, kind] = tuple(
                sum(
                    gate.refuse(row(prompt=c, reference=r or h.references[0], parent="source"))
                    is not None
                    for h, c in copies
                )
                / len(copies)
                for r in ("Another answer.", None)
            )
        modules = {module for module, _ in chosen[:60]}
        held = [row(f"d{i}", t) for i, (m, t) in enumerate(texts) if m in modules]
        others = [t for m, t in texts if m not in modules][:UNRELATED_ROWS]
        gate = RowGate(held, [SOURCE])
        wrong = [
            t for t in others if gate.refuse(row(prompt=t, reference="Else.", parent="source"))
        ]
        table["unrelated", kind] = (len(wrong) / len(others), len(held), len(others), wrong)
    return table


@pytest.mark.nightly
def test_similarity_has_the_recall_that_the_documentation_publishes():
    published = re.findall(r"^\| ([\w ]+?) \| (code|sentences) \| (\d+) % \| (\d+) % \|$",
                           MEASURED.read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip
    found = {(edit, kind): (int(a) / 100, int(b) / 100) for edit, kind, a, b in published}
    now = {key: shares for key, shares in measured().items() if key[0] != "unrelated"}
    assert set(found) == set(now)
    for key, shares in now.items():
        # The standard library differs a little between Python versions.
        assert found[key] == pytest.approx(shares, abs=0.06), key


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["code", "sentences"])
def test_unrelated_rows_pass(kind):
    assert measured()["unrelated", kind][0] <= 0.03


@pytest.mark.nightly
def test_two_thousand_rows_against_a_thousand_held_out_take_a_second_or_two():
    texts = [text for texts in stdlib_texts() for _, text in texts]
    held = [row(f"d{i}", text) for i, text in enumerate(texts[:1000])]
    rows = [row(f"t{i}", f"{texts[i]} {i}", parent="source") for i in range(2000)]
    gate = RowGate(held, [SOURCE])
    start = time.process_time()
    refused = [gate.refuse(candidate) is not None for candidate in rows]
    assert time.process_time() - start < 8  # measured 1 to 2 s; slow machines pass too
    # A copy of which nearly all stands in two other texts as well may pass.
    assert sum(refused[:1000]) >= 998


def test_a_row_that_ends_behind_a_tools_result_is_let_in():
    asked = {"role": "user", "content": "How is the weather in Bonn today, please?"}
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look"}}]}
    result = {"role": "tool", "content": "rain"}
    gate = RowGate([DEV], [SOURCE])
    assert gate.refuse_source(row(messages=(asked, call, result))) is None
    behind = replace(row(), messages=(asked, call, result), parent="source")
    assert gate.refuse(behind) is None
    lone = replace(row(), messages=(call, result), parent="source")
    assert gate.refuse(lone) == INVALID


PAIR = row(parent="source", rejected=("Nobody knows.",))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (PAIR, None),
        (replace(PAIR, references=()), None),
        (replace(PAIR, rejected=(" ",)), INVALID),
        (replace(PAIR, rejected=PAIR.references), INVALID),
        (replace(PAIR, references=(), rejected=()), INVALID),
        (replace(PAIR, parent="dev1"), DESCENDS),
        (replace(PAIR, messages=conversation(HELD)), REPEAT),
    ],
)
def test_the_gate_holds_for_pairs_as_for_rows(gate, made, reason):
    assert gate.refuse(made) == reason


def test_a_pair_is_another_lesson_than_its_chosen_answer_alone(gate):
    gate.accept(row("chosen", parent="source"))
    assert gate.refuse(replace(PAIR, id="pair")) is None
    gate.accept(PAIR)
    assert gate.refuse(replace(PAIR, id="again")) == REPEATS_TRAIN
