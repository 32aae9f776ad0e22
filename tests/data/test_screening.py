"""The rows of a source: what leaves, what is reported, and when nothing is trained."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from harness.config import loading
from harness.data.filters import DESCENDS, INVALID, NEAR_REPEAT, REPEAT, RowGate
from harness.data.likeness import Usual
from harness.data.screening import (
    TEXT,
    Rules,
    Screening,
    refuse_repeats,
    screen,
    sentences,
    shown,
)
from harness.data.threshold import misspelt
from harness.errors import DataError
from harness.records import Example, from_json, to_json
from harness.records.context import Quiet
from harness.run.run import Run
from harness.steps import Steps

TOWNS = "Bergen Cadiz Dublin Genoa Izmir Lagos Malmo Nantes Odessa Porto Riga Split".split()  # noqa: SIM905


def texts_of(found):
    return [sentence for sentence, _ in sentences(found, Rules())]


def turns(*contents, system=None):
    roles = ("user", "assistant")
    spoken = tuple({"role": roles[i % 2], "content": c} for i, c in enumerate(contents))
    return ({"role": "system", "content": system}, *spoken) if system else spoken


def row(id, prompt, split="train", answer="Yes.", **fields):
    messages = prompt if isinstance(prompt, tuple) else turns(prompt)
    return Example(id, messages, (answer,), split, **fields)


def question(number):
    """Questions without a word in common but for a few."""
    town, other = TOWNS[number % 12], TOWNS[(number * 5 + 3) % 12]
    return f"{town} {number * 7919 % 997}: is ferry {number * 104729 % 9973} from {other} late?"


DEV = row("d", "When does the night ferry from Bergen to Lerwick leave on Sundays?", "dev")
TEST = row("t", "Is there a bridge across the strait between Reggio and Messina by now?", "test")


def screened(*rows, **rules):
    leaving, found = screen((DEV, TEST, *rows), Rules(**rules), seed=1)
    return [(DEV, TEST, *rows)[place].id for place in leaving], found


EXACT = {
    "the prompt": row("x", DEV.prompt),
    "in capitals, with other spaces": row("x", f"  {DEV.prompt.upper()}\n".replace(" ", "  ")),
    "in full-width letters": row(
        "x", "".join(chr(ord(c) + 0xFEE0) if "!" < c < "~" else c for c in DEV.prompt)
    ),
    "within a conversation, with its answer": row(
        "x", turns("Hello, who are you?", "A clerk.", DEV.prompt, " yes. ", "And on Mondays?")
    ),
    "below another system turn, with its answer": row("x", turns(DEV.prompt, system="Be kind.")),
}
for mark in ("!", "", " ?", ".", "\u200b?"):
    EXACT[f"{mark!r} at the end"] = row("x", DEV.prompt.replace("?", mark))
OTHER = {
    "arithmetic with another sign": row("x", DEV.prompt.replace("?", " - 7?")),
    "one word more": row("x", f"Please: {DEV.prompt}"),
    "within a conversation, with another answer": row(
        "x", turns("Hello, who are you?", "A clerk.", DEV.prompt, "No idea.", "And on Mondays?")
    ),
    "below another system turn, with another answer": row(
        "x", turns(DEV.prompt, system="Be kind."), answer="At ten."
    ),
}


@pytest.mark.nightly(but_each=12)
@pytest.mark.parametrize("kind", EXACT)
def test_an_exact_repeat_leaves(kind):
    leaving, found = screened(EXACT[kind])
    assert leaving == ["x"]
    assert found.refused == {"train": {REPEAT: 1}}


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("kind", OTHER)
def test_anything_else_stays(kind):
    assert screened(OTHER[kind])[0] == []


def test_what_cannot_be_trained_on_and_what_says_that_it_descends_leaves():
    rows = [row("e", " "), row("c", "Another text altogether, is it not?", parent="d")]
    rows.append(row("o", "The child of a row that nobody knows, is it?", parent="nobody"))
    leaving, found = screened(*rows)
    assert leaving == ["e", "c"]
    assert found.refused == {"train": {DESCENDS: 1, INVALID: 1}}


def test_repeats_within_train_are_counted_and_stay():
    first = row("a", question(1), answer="At nine.")
    rows = [first, replace(first, id="b"), replace(first, id="c", references=("At ten.",))]
    leaving, found = screened(*rows)
    assert leaving == []
    assert found.doubled == 1
    assert any("1 row of train repeat" in s for s in texts_of(found))


NEAR = DEV.prompt.replace("leave", "sail")
NEAR_TEST = TEST.prompt.replace("by now", "nowadays")


def test_near_repeats_are_reported_side_by_side_and_stay():
    others = [row(f"r{n}", question(n), "pool") for n in range(40)]
    leaving, found = screened(row("n", NEAR), row("m", NEAR_TEST, "pool"), *others)
    assert leaving == []
    assert found.near == {"train": 1, "pool": 1}
    assert {(p.row, p.held_out) for p in found.pairs} == {("n", "d"), ("m", "t")}
    (of_dev,) = (p for p in found.pairs if p.held_out == "d")
    assert shown(of_dev) == (f"train n: {NEAR}", f"dev d: {DEV.prompt}")
    assert 0.6 <= of_dev.similarity < 1
    (said,) = (s for s in texts_of(found) if "near repeats" in s)
    assert said.startswith("2 of 42 rows of the source (4.8 %: 1 of train, 1 of pool) are near")


def test_no_text_of_test_is_kept():
    _, found = screened(row("m", NEAR_TEST), row("x", TEST.prompt))
    assert found.near == {"train": 1}
    text = json.dumps(to_json(found))
    assert TEST.prompt not in text
    assert from_json(Screening, json.loads(text)) == found


def test_the_five_nearest_are_shown_the_nearest_first():
    words = DEV.prompt.split()
    rows = [row(f"n{n}", " ".join([*words[:-n], *["zz"] * n])) for n in range(1, 4)]
    rows += [row(f"k{n}", f"{DEV.prompt} {TOWNS[n]}") for n in range(4)]
    rows += [row(f"r{n}", question(n)) for n in range(60)]
    found = screened(*rows)[1]
    alike = [pair.similarity for pair in found.pairs]
    assert len(alike) == 5 and alike == sorted(alike, reverse=True)
    assert sum(found.near.values()) >= 5


def test_near_repeats_leave_where_the_config_says_so():
    others = [row(f"r{n}", question(n)) for n in range(40)]
    leaving, found = screened(row("n", NEAR), *others, refuse_near=True)
    assert leaving == ["n"]
    assert found.refused == {"train": {NEAR_REPEAT: 1}}
    assert found.near == {"train": 1}


def test_of_very_many_rows_each_is_looked_at_for_repeats_and_a_sample_for_near_ones(monkeypatch):
    monkeypatch.setattr("harness.data.screening.MOST_COMPARED", 10)
    others = [row(f"r{n}", question(n)) for n in range(40)]
    rows = [row("n", NEAR), row("m", NEAR_TEST), *others, row("c", DEV.prompt)]
    leaving, found = screened(*rows)
    assert leaving == ["c"]
    assert (found.near, found.compared) == ({"train": 1}, {"train": 9})  # each fifth of 43
    (told,) = (s for s in texts_of(found) if "near repeat" in s)
    assert told.startswith("1 of 9 rows of the source, evenly spaced, that were compared with dev")
    leaving, found = screened(*rows, refuse_near=True)
    assert (leaving, found.near, found.compared) == (["n", "m", "c"], {"train": 2}, {})


def test_rows_of_test_that_repeat_dev_are_reported():
    again = row("t2", DEV.prompt.upper(), "test")
    leaving, found = screened(again, row("r", question(1)))
    assert leaving == []
    assert found.dev_in_test == 1
    said = texts_of(found)
    assert any(s.startswith("1 row of test with the prompt of a row of dev") for s in said)


def test_too_many_exact_repeats_are_an_error_with_counts_examples_and_keys():
    rows = [row(f"r{n}", question(n), place=f"rows.jsonl:{n}") for n in range(9)]
    found = screened(*rows, row("x", DEV.prompt))[1]
    refuse_repeats(found, 0.1, "source 'jsonl'")
    found = screened(*rows[:8], row("x", DEV.prompt), row("y", TEST.prompt))[1]
    with pytest.raises(DataError) as caught:
        refuse_repeats(found, 0.1, "source 'jsonl'")
    text = str(caught.value)
    assert "2 of 10 rows of train (20.0 %)" in text
    assert f"train x repeats dev d: {DEV.prompt}" in text
    assert "train y repeats test t\n" in text and TEST.prompt not in text
    assert "filters.most_repeats" in text and "`data:`" in text
    refuse_repeats(found, 0.2, "source 'jsonl'")


def test_the_pool_is_counted_by_itself():
    rows = [row(f"r{n}", question(n)) for n in range(40)]
    found = screened(*rows, row("x", DEV.prompt, "pool"))[1]
    with pytest.raises(DataError, match="1 of 1 rows of pool"):
        refuse_repeats(found, 0.1, "source")


def test_where_rows_are_alike_by_nature_it_is_said_with_the_share():
    sums = random.Random(1).sample(range(10_000), 400)
    rows = [
        row(f"r{n}", f"What is {one // 100} + {one % 100}?", ("train", "dev", "test")[n % 3])
        for n, one in enumerate(sums)
    ]
    leaving, found = screen(rows, Rules(), seed=1)
    assert leaving == ()
    assert found.threshold > found.floor and found.usual.rows == 266
    assert found.usual.recognised is not None and found.usual.recognised < 0.95
    *_, alike, lineage = texts_of(found)
    assert alike.startswith("prompts of this data are alike: of 266 held-out rows")
    share = f"{100 * found.usual.recognised:.1f} %"
    assert f"{share} are found" in lineage and "by their origin" in lineage


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("top", [20, 30, 100])
def test_sums_of_the_same_numbers_are_alike_by_nature(top):
    """``7 + 3`` next to ``7 - 3`` is usual there; so is what a typing error makes of a sum."""
    sums = [f"{a} {o} {b}" for a in range(top) for o in "+-*" for b in range(top)]
    random.Random(1).shuffle(sums)
    held_out = [row(f"h{n}", one, ("dev", "test")[n % 2]) for n, one in enumerate(sums[:300])]
    train = [row(f"r{n}", one) for n, one in enumerate(sums[300:800])]
    found = screen([*held_out, *train], Rules(), seed=1)[1]
    assert found.usual.rows == 300
    gate = RowGate(held_out, known=train, usual=found.usual)
    proposals = [row(f"p{n}", one, parent="r0") for n, one in enumerate(sums[800:1100])]
    assert sum(gate.refuse(one) is None for one in proposals) >= 0.98 * len(proposals)
    assert found.usual.recognised is not None and found.usual.recognised < 0.95
    assert any("by their origin" in sentence for sentence in texts_of(found))


def test_copies_that_differ_in_punctuation_alone_set_no_threshold():
    prompts = [question(n) for n in range(150)]
    held_out = [row(f"h{n}", one, "dev") for n, one in enumerate(prompts)]
    held_out += [row(f"c{n}", one.replace("?", " ?!"), "test") for n, one in enumerate(prompts)]
    found = screen([*held_out, row("r", question(200))], Rules(), seed=1)[1]
    assert found.usual.rows == 150
    assert found.threshold < 1


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(("held_out", "source", "words"), [
    (120, 200, "of 120 held-out rows, compared with the nearest held-out prompt, 1 % reach "),
    (60, 30, "of 60 held-out rows, compared with the nearest held-out prompt, the most alike "),
    (60, 200, "of 200 rows of the source, compared with the nearest held-out prompt, 1 % reach "),
])  # fmt: skip
def test_it_says_of_which_rows_the_threshold_is(held_out, source, words):
    sums = random.Random(1).sample(range(10_000), held_out + source)
    rows = [
        row(f"r{n}", f"What is {one // 100} + {one % 100}?", "dev" if n < held_out else "train")
        for n, one in enumerate(sums)
    ]
    told = texts_of(screen(rows, Rules(), seed=1)[1])
    (alike,) = (sentence for sentence in told if "prompts of this data are alike" in sentence)
    assert words in alike
    assert ("that an augmenter makes" in alike) == ("source" in words)


def test_a_preview_compares_a_sample_of_both_sides_and_says_so():
    held_out = [row(f"h{n}", question(n), ("dev", "test")[n % 2]) for n in range(40)]
    train = [row(f"r{n}", question(1000 + n)) for n in range(40)]
    train[0] = row("copy", question(0) + " Now?")  # near a held-out row that is in the sample
    train[39] = row("exact", question(39))  # an exact repeat of one that is not
    leaving, found = screen([*held_out, *train], Rules(), seed=1, most=10)
    assert leaving == (79,)
    assert found.against == 10
    assert found.compared == {"train": 10}
    (near,) = (one for one in texts_of(found) if "near repeat" in one)
    assert "1 of 10 rows of the source, evenly spaced" in near
    assert "that were compared with 10 rows of dev and test" in near
    whole = screen([*held_out, *train], Rules(refuse_near=True), seed=1, most=10)[1]
    assert whole.against == 0


def test_a_misspelt_copy_differs_from_its_prompt():
    for prompt in ["12 - 7", "a b", "7+3", "Ja?", "東京はどこですか"]:
        copies = {misspelt(row("d", prompt), random.Random(n)).prompt for n in range(50)}
        assert prompt not in copies and len(copies) > 1, prompt


def test_of_long_prompts_what_stands_at_both_ends_is_shown():
    """Instructions that all rows share stand at the beginning, or at the end."""
    instruction = "Say which team has to answer this message. " * 12
    others = [row(f"r{n}", instruction + question(n), "pool") for n in range(40)]
    asked = "Which museums in Lyon are closed on the first Monday of the month?"
    near = asked.replace("closed", "shut")
    rows = row("d2", instruction + asked, "dev"), row("n", instruction + near)
    (pair,) = screened(*rows, *others)[1].pairs
    assert pair.text.startswith("Say which team") and pair.text.endswith(near)
    assert pair.held_out_text is not None and pair.held_out_text.endswith(asked)
    assert len(pair.text) <= TEXT


# -- in a run -----------------------------------------------------------------------------------


LINES = [
    {"id": f"{split}{n}", "split": split, "messages": [{"role": "user", "content": f"{split}: "
     f"{question(n + place)}"}], "references": [f"Answer {n}."]}
    for split, place, count in (("train", 0, 30), ("dev", 100, 12), ("test", 200, 12))
    for n in range(count)
]  # fmt: skip


def write(project, lines):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("data: {source: fake}", "data: {source: repeating, path: rows.json}")
    text = text.replace("plugins: [", f"plugins: [{project.folder / 'repeating.py'}, ")
    project.write(SOURCE, "repeating.py")
    project.write(json.dumps(lines), "rows.json")
    return project.write(text)


SOURCE = '''
import json
from pathlib import Path
import harness

class Repeating(harness.Source):
    """Rows of a file, whatever they repeat."""
    name = "repeating"
    class Options(harness.Options):
        path: Path
    def inputs(self):
        return (self.options.path,)
    def load(self, context):
        for one in json.loads(self.options.path.read_text()):
            yield harness.Example(
                one["id"], tuple(one["messages"]), tuple(one["references"]), one["split"]
            )

@harness.hookimpl
def register_sources():
    return [Repeating]
'''


def copies(count, of="dev"):
    prompts = [line for line in LINES if line["split"] == of][:count]
    return [{**line, "id": f"copy{n}", "split": "train"} for n, line in enumerate(prompts)]


def test_nothing_is_trained_and_check_says_so_where_too_much_is_repeated(project):
    write(project, [*LINES, *copies(4)])
    for command in (["check"], ["iterate", "--rounds", "1"]):
        done = project.inside(*command)
        assert done.code == 4
        assert "4 of 34 rows of train (11.8 %)" in done.err
        assert "train copy0 repeats dev dev0" in done.err
    assert not list((project.folder / ".harness" / "artifacts").glob("train*"))


def test_check_says_what_would_leave_and_what_is_near(project):
    near = {**LINES[30], "id": "near", "split": "train"}
    near["messages"] = [{"role": "user", "content": near["messages"][0]["content"] + " Thanks"}]
    write(project, [*LINES, *copies(1), near])
    done = project.inside("check")
    assert done.code == 0
    assert "1 of 32 rows of train would be left out: repeat of dev or test" in done.out
    assert "1 of 32 rows of the source (3.1 %: 1 of train) is a near repeat" in done.out
    assert "train near: " in done.out and "dev dev0: " in done.out


def test_check_says_what_is_wrong_with_guards_and_rows_in_one_pass(project):
    write(project, [*LINES, *copies(4)])
    text = (project.folder / "harness.yaml").read_text()
    project.write(f"{text}guard: [{{where: {{knd: easy}}}}]\n")
    done = project.inside("check")
    assert done.code == 4 and "fine" not in done.out
    assert "4 of 34 rows of train would be left out: repeat of dev or test" in done.out
    words = " ".join(done.err.split())
    assert "2 problems with its data" in words
    assert "guard.0.where: no row of dev has" in words
    assert "4 of 34 rows of train (11.8 %) repeat a row" in words
    assert "train copy0 repeats dev dev0" in words and "filters.most_repeats" in words


def test_near_repeats_that_are_refused_have_left_or_would_leave(project):
    near = {**LINES[30], "id": "near", "split": "train"}
    near["messages"] = [{"role": "user", "content": near["messages"][0]["content"] + " Thanks"}]
    write(project, [*LINES, near])
    more = ("--set", "filters.source=refuse")
    assert "near repeat of dev or test and would be left out" in project.inside("check", *more).out
    said = {"near": {"train": 1}, "rows": {"train": 9}, "threshold": 0.5, "floor": 0.5}
    ((past, _),) = sentences(Screening(**said), Rules(refuse_near=True))
    assert past.endswith("is a near repeat of dev or test and was left out")


def test_what_only_tuning_needs_is_in_the_summary_and_not_said():
    rules = Rules()
    said = {"rows": {"train": 450}, "threshold": 0.72, "floor": 0.6, "usual": Usual(250, 0.99)}
    few, many = (Screening(**said, near={"train": n}) for n in (1, 45))

    def said_of(found, rules):
        return [(sentence[:9], tuning) for sentence, tuning in sentences(found, rules)]

    assert said_of(few, rules) == [("1 of 450 ", True), ("prompts o", True)]
    assert said_of(many, rules) == [("45 of 450", False), ("prompts o", True)]
    assert said_of(few, Rules(refuse_near=True))[0] == ("1 of 450 ", False)


@pytest.mark.nightly
def test_a_near_repeat_among_many_rows_is_told_by_the_whole_report_alone(project):
    near = {**LINES[30], "id": "near", "split": "train"}
    near["messages"] = [{"role": "user", "content": near["messages"][0]["content"] + " Thanks"}]
    more = [
        {
            **LINES[0], "id": f"more{n}", "split": "train",
            "messages": [{"role": "user", "content": " ".join(f"w{n}x{at}" for at in range(9))}],
        }
        for n in range(120)
    ]  # fmt: skip
    write(project, [*LINES, near, *more])
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert "is a near repeat of dev" not in done.err
    assert any("is a near repeat of dev" in note for note in done.document["notes"])
    assert "is a near repeat of dev" in " ".join(project.inside("report", "--full").out.split())
    assert "is a near repeat of dev" not in " ".join(project.inside("report").out.split())


def test_the_source_is_screened_once(project, monkeypatch):
    path = write(project, [*LINES, *copies(1)])

    def steps(*sets):
        return Steps(Run(loading.load(path, sets=sets), Quiet(), root=project.folder))

    first = steps()
    data = first.data()
    assert len(data.split("train")) + len(data.split("valid")) == 30
    assert "1 of 31 rows of train were left out: repeat of dev or test" in first.run.notes
    monkeypatch.setattr("harness.steps.gate.screen", None)
    second = steps()
    assert second.data() == data
    assert second.run.notes == first.run.notes
    assert second.gating.key == first.gating.key
    with pytest.raises(Exception, match="NoneType"):
        steps("filters.near=0.7").data()
