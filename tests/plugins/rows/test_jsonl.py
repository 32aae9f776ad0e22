"""The source ``jsonl``: what it accepts, and each thing that it refuses."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import harness
from harness import SPLITS
from harness_rows.jsonl import Jsonl
from harness_rows.source import Rows

Write = Callable[..., Path]
Load = Callable[..., list[harness.Example]]
SHARES = {"train": 0.6, "pool": 0.1, "dev": 0.15, "test": 0.15}


def row(name: str, split: str | None = None, **more: Any) -> dict[str, Any]:
    """A good row whose prompt and answer hold its name; None takes a key away."""
    found: dict[str, Any] = {
        "id": name,
        "messages": [{"role": "user", "content": f"Question {name}?"}],
        "references": [f"Answer {name}."],
        "split": split,
    }
    return {key: value for key, value in (found | more).items() if value is not None}


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


GOOD = [row("a", "train"), row("b", "dev"), row("c", "test")]
GOOD_LINES = "".join(json.dumps(item) + "\n" for item in GOOD).encode()


def refused(load: Load, **options: Any) -> tuple[str, ...]:
    """What is wrong, a line for each kind of problem."""
    with pytest.raises(harness.DataError) as caught:
        load(**options)
    assert caught.value.exit_code == 4
    return caught.value.details or (caught.value.placed,)


# What is accepted


def test_rows_of_this_format_stand_beside_rows_of_another(write: Write, tmp_path: Path) -> None:
    table = "".join(f"Wie {n}?,So {n}.,{n}\n" for n in range(20)).encode()
    path = write(b"frage,antwort,kunde\n" + table, "faq.csv")
    bad = row("bad", "dev", references=[], rejected=["No."])
    edited = row("live", "train", meta={"origin": "week.jsonl:3; edited by ana"})
    also = write([bad, edited], "live.jsonl")
    raw = {
        "path": path, "also": also, "sizes": {"train": 10, "dev": 5, "test": 5},
        "columns": {"prompt": "frage", "references": ["antwort"]},
    }  # fmt: skip
    source = Rows(Rows.Options.model_validate(raw))
    assert set(source.inputs()) == {path, also}
    found = list(source.load(harness.Context(tmp_path)))
    assert Counter(one.split for one in found) == {"train": 11, "dev": 5, "test": 5}
    live = found[-1]
    assert (live.place, live.meta["origin"]) == ("live.jsonl:2", "week.jsonl:3; edited by ana")
    write([row("live", None)], "live.jsonl")
    with pytest.raises(harness.DataError, match="no `split`"):
        list(source.load(harness.Context(tmp_path)))


def test_rows_become_examples(write: Write, load: Load) -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    meta = {"intent": "refund", "turns": 2, "urgent": True, "weight": 0.5, "note": None}
    full = row("x", "train", group="g", meta=meta, tools=tools, references=["One.", "Two."])
    first, *_ = load(path=write([full, *GOOD[1:]]))
    assert first == harness.Example(
        id="x",
        messages=({"role": "user", "content": "Question x?"},),
        references=("One.", "Two."),
        split="train",
        group="g",
        meta=meta,
        tools=tuple(tools),
        place="rows.jsonl:1",
    )


def test_rows_may_have_rejected_answers_beside_references_or_alone(
    write: Write, load: Load
) -> None:
    pair = row("x", "train", rejected=["No.", "Never."])
    bad = row("y", "train", references=None, rejected=["No."])
    path = write([pair, bad, *GOOD])
    found = load(path=path)
    assert found[0].rejected == ("No.", "Never.") and found[0].references == ("Answer x.",)
    assert found[1].rejected == ("No.",) and found[1].references == ()
    assert found[2].rejected == ()


def test_dev_and_test_have_no_row_of_rejected_answers_alone(write: Write, load: Load) -> None:
    bad = [row(f"{split}-bad", split, references=[], rejected=["No."]) for split in SPLITS]
    loaded = load(path=write([*GOOD, *bad]))
    assert sorted(example.id for example in loaded) == [
        "a", "b", "c", "pool-bad", "train-bad", "valid-bad",
    ]  # fmt: skip


def test_numbers_of_dev_and_test_are_of_rows_that_can_be_scored(write: Write, load: Load) -> None:
    good = [row(f"{n}") for n in range(40)]
    bad = [{**example, "id": f"{example['id']}-bad", "references": [], "rejected": ["No."]}
           for example in good]  # fmt: skip
    loaded = load(path=write([*good, *bad]), sizes={"train": 10, "dev": 10, "test": 10})
    assert Counter(example.split for example in loaded) == {"train": 10, "dev": 10, "test": 10}
    assert all(example.references for example in loaded if example.split != "train")


@pytest.mark.parametrize(
    ("rejected", "said"),
    [
        ("No.", "`rejected` must be a list of texts"),
        ([" "], "a rejected one is blank"),
        (["Answer x. "], "an answer is a reference and rejected"),
    ],
)
def test_what_no_rejected_answer_can_be(write: Write, load: Load, rejected: Any, said: str) -> None:
    path = write([row("x", "train", rejected=rejected), *GOOD])
    assert any(said in line for line in refused(load, path=path))


def test_the_last_assistant_turn_is_the_reference(write: Write, load: Load) -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        user("Hello"), assistant("Hi!"), user("And now?"), assistant("Now this."),
    ]  # fmt: skip
    first, *_ = load(path=write([row("x", "train", messages=turns, references=None), *GOOD[1:]]))
    assert first.references == ("Now this.",)
    assert first.messages == tuple(turns[:-1])


def test_ids_and_groups_have_defaults(write: Write, load: Load) -> None:
    rows = [row("a", "train", id=None), row("b", "dev"), row("c", "test", id=7, group=12)]
    found = load(path=write(rows))
    assert [(e.id, e.group) for e in found] == [("rows.jsonl:1",) * 2, ("b", "b"), ("7", "12")]


def test_tool_calls_may_have_no_content(write: Write, load: Load) -> None:
    turns = [
        user("Weather?"),
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look"}}]},
        {"role": "tool", "content": "rain", "name": "look"},
        assistant("It rains."), user("Thanks, and tomorrow?"),
    ]  # fmt: skip
    first, *_ = load(path=write([row("x", "train", messages=turns), *GOOD[1:]]))
    assert len(first.messages) == 5


def test_dev_rows_may_say_that_they_have_no_reference(write: Write, load: Load) -> None:
    rows = [row("a", "train"), row("b", "dev", references=[]), row("c", "test")]
    assert load(path=write(rows))[1].references == ()


def test_the_same_prompt_may_repeat_within_a_side(write: Write, load: Load) -> None:
    same = [user("Again?")]
    rows = [row("p", "train", messages=same), row("q", "pool", messages=same), *GOOD]
    assert len(load(path=write(rows))) == 5


def test_the_same_last_turn_after_another_context_is_another_prompt(
    write: Write, load: Load
) -> None:
    one = [user("Cancel it?"), assistant("Sure?"), user("Yes")]
    other = [user("Pay it?"), assistant("Sure?"), user("Yes")]
    rows = [row("p", "train", messages=one), row("q", "dev", messages=other), *GOOD]
    assert len(load(path=write(rows))) == 5


# Where rows come from


def test_a_folder_with_a_file_per_split(write: Write, load: Load, tmp_path: Path) -> None:
    for split in ("train", "valid", "pool", "dev", "test"):
        write([row(split, split if split == "dev" else None)], f"data/{split}.jsonl")
    (tmp_path / "data" / "notes.jsonl").write_text("not read")
    found = load(path=tmp_path / "data")
    assert {e.id: e.split for e in found} == {e.id: e.id for e in found}
    assert [e.place for e in found][:2] == ["train.jsonl:1", "valid.jsonl:1"]


def test_named_files(write: Write, load: Load) -> None:
    files = {s: write([row(s)], f"{s}/rows.jsonl") for s in ("train", "dev", "test")}
    found = load(files=files)
    assert {e.id: (e.split, e.place) for e in found} == {
        s: (s, f"{s}/rows.jsonl:1") for s in ("train", "dev", "test")
    }


def test_inputs_are_the_files_that_are_there(write: Write, tmp_path: Path) -> None:
    train = write(GOOD, "train.jsonl")
    dev = write(GOOD, "dev.jsonl")
    files = {"train": train, "dev": dev, "test": tmp_path / "no.jsonl"}
    for options in ({"path": tmp_path}, {"files": files}):
        assert Jsonl(Jsonl.Options.model_validate(options)).inputs() == (train, dev)
    assert Jsonl(Jsonl.Options(path=dev)).inputs() == (dev,)


# Dealing out


def many(count: int, rows_each: int = 1) -> list[dict[str, Any]]:
    return [
        row(f"{group}-{at}", group=f"g{group}") for group in range(count) for at in range(rows_each)
    ]


def splits_of(found: list[harness.Example]) -> dict[str, str]:
    return {e.id: e.split for e in found}


def test_shares_deal_out_by_group(write: Write, load: Load) -> None:
    found = load(path=write(many(400, 3)), sizes=SHARES)
    assert len(found) == 1200
    for split, share in SHARES.items():
        assert sum(e.split == split for e in found) / 1200 == pytest.approx(share, abs=0.06)
    assert len({(e.group, e.split) for e in found}) == 400


def test_shares_do_not_depend_on_order_and_stay_when_rows_come(write: Write, load: Load) -> None:
    rows = many(60)
    before = splits_of(load(path=write(rows), sizes=SHARES))
    assert splits_of(load(path=write(rows[::-1]), sizes=SHARES)) == before
    after = splits_of(load(path=write(many(90)), sizes=SHARES))
    assert {name: after[name] for name in before} == before


def test_another_draw_deals_otherwise(write: Write, load: Load) -> None:
    path = write(many(60))
    assert splits_of(load(path=path, sizes=SHARES)) != splits_of(
        load(path=path, sizes=SHARES, draw=1)
    )


def test_counts_are_filled_with_whole_groups(write: Write, load: Load) -> None:
    found = load(path=write(many(50, 2)), sizes={"train": 40, "pool": 0, "dev": 11, "test": 10})
    assert Counter(e.split for e in found) == {"train": 40, "dev": 12, "test": 10}
    assert len({(e.group, e.split) for e in found}) == len({e.group for e in found})


def test_counts_that_cannot_be_met_are_refused(write: Write, load: Load) -> None:
    details = refused(load, path=write(many(50)), sizes={"train": 40, "dev": 10, "test": 10})
    assert details == ("train: 10 rows are missing",)


def test_rows_with_a_split_keep_it_and_lead_their_group(write: Write, load: Load) -> None:
    rows = [row("x", "dev", group="g3"), *many(60)]
    found = load(path=write(rows), sizes=SHARES)
    assert {e.split for e in found if e.group == "g3"} == {"dev"}


def test_rows_with_one_prompt_are_dealt_together(write: Write, load: Load) -> None:
    same = [
        row(f"s{at}", messages=[user("The  same?" if at % 2 else "the same?")]) for at in range(30)
    ]
    found = load(path=write(same + many(60)), sizes=SHARES)
    assert len({e.split for e in found if e.id.startswith("s")}) == 1


# What is refused: one row of three is bad


def bad(**more: Any) -> bytes:
    """A train row with something wrong, before good rows of every split."""
    return json.dumps(row("bad", **({"split": "train"} | more))).encode()


HEAD = '{"id": "bad", "split": "train", "references": ["x"], '
MESSAGES = '"messages": [{"role": "user", "content": "Hm?"}]'
ROWS: dict[str, tuple[bytes, int | str, str]] = {
    "no JSON": (b'{"id": 1 2}', 10, "not JSON: "),
    "no messages": (bad(messages=None), '{"id"', "no `messages`"),
    "messages empty": (bad(messages=[]), "[]", "`messages` must be a list with at least one turn"),
    "messages a text": (bad(messages="Hm?"), '"Hm?"', "`messages` must be a list"),
    "a turn that is no object": (bad(messages=["Hm?"]), '"Hm?"]', "a turn must be an object"),
    "a wrong role": (
        bad(messages=[{"role": "usr", "content": "Hm?"}]),
        '"usr"',
        "`role` must be one of system, developer, user, assistant, tool, did you mean 'user'?",
    ),
    "a role that is no text": (bad(messages=[{"role": 1, "content": "Hm?"}]), "1, ", "`role` must"),
    "no role": (bad(messages=[{"content": "Hm?"}]), '{"content"', "`role` must be one of"),
    "content that is no text": (
        bad(messages=[{"role": "user", "content": ["Hm?"]}]),
        '["Hm?"]',
        "`content` must be a text",
    ),
    "no content": (bad(messages=[{"role": "user"}]), '{"role"', "`content` must be a text"),
    "a blank prompt": (bad(messages=[user(" \n")]), '" \\n"', "empty prompt"),
    "an unknown key of a turn": (
        bad(messages=[user("Hm?") | {"nam": "x"}]),
        '"nam"',
        "unknown key \"nam\", did you mean 'name'?",
    ),
    "an assistant's turn and references": (
        bad(messages=[user("Hm?"), assistant("So.")]),
        '{"role": "assistant"',
        "`references` are given",
    ),
    "a system turn last": (
        bad(messages=[{"role": "system", "content": "x"}]),
        '{"role": "system"',
        "the last turn before the answer must be the user's",
    ),
    "only an answer": (
        bad(messages=[assistant("So.")], references=None),
        '{"role"',
        "the last turn before the answer must be the user's",
    ),
    "no answer": (bad(references=None), '{"role": "user"', "no answer"),
    "no reference in train": (bad(references=[]), "[]", "empty answer: train needs a reference"),
    "a blank reference": (
        bad(references=["fine", " "]),
        '" "]',
        "empty answer: a reference is blank",
    ),
    "a blank last turn": (
        bad(messages=[user("Hm?"), assistant("")], references=None),
        '{"role": "assistant"',
        "empty answer: the last assistant turn has no text",
    ),
    "references a text": (bad(references="x"), '"x"', "`references` must be a list of texts"),
    "a reference that is no text": (bad(references=[1]), "[1]", "`references` must be a list"),
    "an id that is no text": (bad(id=["x"]), '["x"]', "`id` must be a text"),
    "a blank id": (bad(id=""), '""', "`id` must be a text"),
    "a group that is no text": (bad(group=True), "true", "`group` must be a text"),
    "an unknown split": (
        bad(split="trian"),
        '"trian"',
        "`split` must be one of train, valid, pool, dev, test, did you mean 'train'?",
    ),
    "no split": (bad(split=None), '{"id"', "no `split`"),
    "meta that is no object": (bad(meta=[1]), "[1]", "`meta` must be an object"),
    "meta that is not flat": (
        bad(meta={"a": 1, "b": {"c": 2}}),
        '{"c": 2}',
        '`meta` must be flat: each value a text, a number, true, false or null ("b" is none',
    ),
    "tools that are no list": (
        bad(tools={"a": 1}),
        '{"a": 1}',
        "`tools` must be a list of objects",
    ),
    "an unknown key": (
        bad(message="x"),
        '"message"',
        "unknown key \"message\", did you mean 'messages'?",
    ),
}


@pytest.mark.parametrize(("line", "at", "reason"), ROWS.values(), ids=ROWS.keys())
def test_a_bad_row_is_named(
    line: bytes, at: int | str, reason: str, write: Write, load: Load
) -> None:
    path = write(GOOD_LINES + line + b"\n")
    (detail,) = refused(load, path=path)
    place, _, said = detail.partition(": ")
    assert said.startswith(reason)
    assert place.startswith(f"{path}:4:")
    column = int(place.rpartition(":")[2])
    if isinstance(at, int):
        assert column == at
    else:
        assert line.decode()[column - 1 :].startswith(at)


@pytest.mark.parametrize("change", [
    {"messages": {"role": "user"}}, {"messages": [None]},
    {"messages": [{"role": ["user"], "content": "x"}]},
    {"messages": [{"role": "user", "content": None}]},
    {"messages": [{"role": "user", "content": 3}]},
    {"references": [["a"]]}, {"references": {"a": 1}}, {"references": [None]},
    {"id": []}, {"id": True}, {"id": " "}, {"id": 1.5}, {"group": []},
    {"split": 1}, {"split": ["dev"]}, {"meta": 1}, {"tools": "x"}, {"tools": ["x"]},
    {"meta": {"x": {"y": ["\x1b[31m"]}}}, {"\x1b[31m" + "k" * 900: 1},
], ids=lambda change: ascii(change)[:60])  # fmt: skip
def test_values_of_other_types_are_named_at_their_place(
    change: dict[str, Any], write: Write, load: Load
) -> None:
    path = write(GOOD_LINES + bad(**change) + b"\n")
    details = refused(load, path=path)
    assert all(detail.startswith(f"{path}:4:") and detail.isprintable() for detail in details)


@pytest.mark.parametrize(("content", "reason"), [
    (b"\x1f\x8b\x08\x00abc", "the file is packed (gzip)"), (b"PAR1xxxx", "the file is Parquet"),
    (b"\x00", "byte 1 is NUL"), (b"prompt,answer\na,b\n", "not JSON: expecting value"),
    (b"- messages: []\n", "not JSON"), (GOOD_LINES.replace(b"Answer", b"S\xf6"), "not UTF-8"),
])  # fmt: skip
def test_files_of_another_kind_have_one_place(
    content: bytes, reason: str, write: Write, load: Load
) -> None:
    path = write(content)
    detail = refused(load, path=path)[0]
    assert detail.startswith(f"{path}:1:") and reason in detail


# What is refused: rows that do not go together

DUTCH = [user("Hoe  laat is het?")]
PAIRS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a duplicate id": (
        [row("a", "train", messages=DUTCH)], 'an earlier row has this id ("a", at {path}:1)',
    ),
    "an id in two splits": (
        [row("a", "dev", messages=DUTCH)],
        'an earlier row has this id ("a", at {path}:1, in train and not dev)',
    ),
    "a group in two splits": (
        [row("p", "train", group="g"), row("q", "dev", group="g")],
        'its group has rows in another split ("g", in train at {path}:4, in dev here)',
    ),
    "a group in dev and test": (
        [row("p", "dev", group="g"), row("q", "test", group="g")],
        'its group has rows in another split ("g", in dev at {path}:4, in test here)',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "reason"), PAIRS.values(), ids=PAIRS.keys())
def test_rows_that_do_not_go_together_are_named(
    rows: list[dict[str, Any]], reason: str, write: Write, load: Load
) -> None:
    path = write([*GOOD, *rows])
    (detail,) = refused(load, path=path)
    assert detail.startswith(f"{path}:{3 + len(rows)}:")
    assert detail.partition(": ")[2] == reason.format(path=path)


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_an_empty_split_is_named(split: str, write: Write, load: Load) -> None:
    path = write([item for item in GOOD if item["split"] != split])
    assert refused(load, path=path) == (f"{path}: the split {split} is empty",)


# What is refused: files


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file has no rows"),
        (b"\n \n", "the file has no rows"),
        (GOOD_LINES.decode().encode("utf-16"), "the file is UTF-16"),
        (GOOD_LINES.decode().encode("utf-16-be"), "the file is UTF-16"),
    ],
    ids=["empty", "blank", "UTF-16", "UTF-16 without a mark"],
)
def test_a_file_without_rows_is_named(
    content: bytes, reason: str, write: Write, load: Load
) -> None:
    path = write(content)
    (detail,) = refused(load, path=path)
    assert detail.startswith(f"{path}:1:1: {reason}")


def test_missing_files_and_folders_are_named(write: Write, load: Load, tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    assert refused(load, path=path) == (f"{path}: there is no such file",)
    files = {"train": write(GOOD[:1]), "dev": path, "test": tmp_path}
    assert set(refused(load, files=files)) == {
        f"{path}: there is no such file",
        f"{tmp_path}: is a folder, not a file",
    }


def test_a_folder_that_lacks_a_split_is_refused(write: Write, load: Load, tmp_path: Path) -> None:
    write([row("a")], "train.jsonl")
    write([row("b")], "tets.jsonl")
    assert refused(load, path=tmp_path) == (
        f"{tmp_path}: the split dev is empty: there is no dev.jsonl",
        f"{tmp_path}: the split test is empty: there is no test.jsonl",
        f"{tmp_path / 'tets.jsonl'}: not the name of a split, did you mean 'test'?",
    )


def test_a_split_that_contradicts_its_file_is_refused(
    write: Write, load: Load, tmp_path: Path
) -> None:
    for split in ("train", "dev", "test"):
        write([row(split, "dev")], f"{split}.jsonl")
    said = [detail.partition(": ")[2] for detail in refused(load, path=tmp_path)]
    assert said == [
        "`split` is dev, but this file is for train", "`split` is dev, but this file is for test"
    ]  # fmt: skip


def test_all_problems_of_all_rows_are_told_by_kind(write: Write, load: Load) -> None:
    rows = [row(f"r{at}", "train", references=[""], meta=[]) for at in range(30)]
    details = refused(load, path=write([*GOOD, *rows]))
    assert [detail.partition(": ")[2] for detail in details] == [
        "`meta` must be an object (30 times; also 5, 6, 7, 8, …)",
        "empty answer: a reference is blank (30 times; also 5, 6, 7, 8, …)",
    ]
    assert all(".jsonl:4:" in detail for detail in details)


def test_what_differs_from_row_to_row_in_names_alone_is_one_problem(
    write: Write, load: Load
) -> None:
    rows = [row(f"r{at}", "train", messages=[user(f"unlike {at}")]) for at in range(9)]
    (detail,) = refused(load, path=write([*GOOD, *rows, *rows]))
    assert 'an earlier row has this id ("r0", at ' in detail
    assert detail.endswith("(9 times; also 14, 15, 16, 17, …)")


@pytest.mark.parametrize(
    "other",
    [
        {"instruction": "Say hello.", "input": "", "output": "Hello."},
        {"conversations": [{"from": "human", "value": "Hi"}]},
        {"question": "Hi?", "answer": "Yes.", "id": "q"},
    ],
)
def test_rows_of_another_form_are_one_problem(
    other: dict[str, Any], write: Write, load: Load
) -> None:
    path = write([other] * 3 if "id" not in other else [other])
    (detail,) = refused(load, path=path, sizes={"train": 0.6, "dev": 0.2, "test": 0.2})
    assert ":1:1: no `messages` (the source `rows` reads rows of other forms)" in detail


def test_rows_without_a_split_are_one_problem_and_no_split_is_called_empty(
    write: Write, load: Load
) -> None:
    rows = [row(f"r{at}", messages=[user(f"unlike {at}")]) for at in range(17)]
    (detail,) = refused(load, path=write(rows))
    assert "no `split`" in detail and "(17 times" in detail


def test_places_are_as_one_would_type_them(
    write: Write, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(b"{\n", "data/rows.jsonl")
    assert refused(load, path=path)[0].startswith(os.path.join("data", "rows.jsonl:1:1: "))


# Options


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "either `path` or `files`"),
        ({"path": "a", "files": {"train": "a", "dev": "b", "test": "c"}}, "either `path` or"),
        ({"files": {"train": "a"}}, "`files` lacks dev, test"),
        ({"files": {"trian": "a"}}, "'train', 'valid'"),
        ({"path": "a", "sizes": {"train": 0.5, "dev": 0.5}}, "`sizes` lacks test"),
        ({"path": "a", "sizes": {"train": 0.5, "dev": 0.2, "test": 0.2}}, "add up to 0.9"),
        ({"path": "a", "sizes": {"train": 100, "dev": 0.2, "test": 0.2}}, "all shares"),
        ({"path": "a", "sizes": {"train": 9, "dev": 9, "test": 9, "pool": -1}}, "negative"),
        ({"path": "a", "paths": "b"}, "Extra inputs"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Jsonl.Options.model_validate(options)


def test_sizes_for_a_folder_are_a_config_error(write: Write, load: Load, tmp_path: Path) -> None:
    write(GOOD[:1], "train.jsonl")
    with pytest.raises(harness.ConfigError, match="`path` is a folder"):
        load(path=tmp_path, sizes=SHARES)


def test_a_prompt_on_two_sides_is_left_to_the_gate(write: Write, load: Load) -> None:
    path = write([*GOOD, row("p", "train", messages=DUTCH), row("q", "test", messages=DUTCH)])
    assert [one.split for one in load(path=path) if one.id in ("p", "q")] == ["train", "test"]


def test_an_answer_that_stands_in_messages_and_references_leaves_the_messages(
    write: Write, load: Load
) -> None:
    both = [user("Why?"), assistant("So. ")]
    rows = [
        row("a", "train", messages=both, references=["Because.", "So."]),
        row("b", "dev"),
        row("c", "test"),
    ]
    found = load(path=write(rows))[0]
    assert found.messages == (user("Why?"),)
    assert found.references == ("Because.", "So.")
