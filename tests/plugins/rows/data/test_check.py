"""``harness data check``: each fault of rows is found, and told with its place."""

from __future__ import annotations

from typing import Any

import pytest

import harness
from harness import Example
from harness_rows.commands.data import checking, fitting
from harness_rows.commands.data.lengths import Length, Lengths
from harness_rows.commands.data.opening import OpenedRows

from .conftest import Shop, shop, shop_row, words

NEAR = "Could you please tell me of {} when there is time for it, and by whom?"
FAULTS: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "torn group": ([shop_row(900, customer="dev-c3")], "problem", "torn-group"),
    "exact leak": ([shop_row(4, "dev", split="train", customer="x")], "problem",
                   "leak-exact"),
    "leak but for case": ([shop_row(4, "test", split="pool", customer="x",
                                   question=shop_row(4, "test")["question"].upper())],
                          "problem", "leak-exact"),
    "leak but for marks": ([shop_row(4, "test", split="train", customer="x", question="\u200b" +
                                     shop_row(4, "test")["question"].replace("?", " !"))],
                           "problem", "leak-exact"),
    "repeat": ([shop_row(3)], "note", "repeat"),
    "conflict": ([shop_row(3, answer="Quite another.")], "note", "conflict"),
    "near leak": ([shop_row(903, question=NEAR.format(words("a"))),
                   shop_row(904, "dev", question=NEAR.format(words("a")) + " Thanks")], "note",
                  "leak-near"),
    "dev in test": ([shop_row(905, "dev", question="Why is that so?", answer="So."),
                     shop_row(906, "test", question="why is that so?", answer="so.")],
                    "note", "dev-in-test"),
    "dev in test but for marks": ([shop_row(905, "dev", question="Why is that so", answer="So."),
                                   shop_row(906, "test", question="Why is that, so?",
                                            answer="so.")], "note", "dev-in-test"),
    "no split": ([shop_row(907, split="")], "problem", "no-split"),
    "unknown split": ([shop_row(908, split="learn")], "problem", "reading"),
    "blank answer": ([shop_row(909, answer=" ")], "problem", "reading"),
    "wrong decoding": ([shop_row(910, question="Was hei\u00c3\u009ft das " + words("b"))],
                       "note", "mangled-text"),
    "too long": ([shop_row(911, answer="so " * 150)], "problem", "refused"),
    "end in text": ([shop_row(912, question=f"Say <end> and {words('c')}")], "note",
                    "end-in-text"),
    "no group": ([shop_row(913, customer="")], "note", "no-group"),
}  # fmt: skip


def test_rows_without_a_fault_are_called_so(place: Shop) -> None:
    place.write(shop())
    done = place.data("check", "shop.jsonl", *place.columns)
    assert done.code == 0, done.out + done.err
    last = done.out.strip().splitlines()[-1]
    assert last == ("shop.jsonl: nothing found; 172 rows (60 train, 12 pool, 50 dev, 50 test).")


@pytest.mark.nightly(but_each=16)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_no_other(place: Shop, kinds: Any, name: str) -> None:
    rows, level, kind = FAULTS[name]
    code, document = place.checked(shop(more=rows))
    assert kinds(document) == {kind: level}
    assert code == (4 if level == "problem" else 0)
    [found] = document["findings"]
    number = len(shop()) + len(rows)
    shown = " ".join([found["what"], *found["places"]])
    assert f"shop.jsonl:{number}" in shown or f"shop.jsonl:{number - 1}" in shown


def test_a_row_that_a_run_leaves_out_is_a_problem_here_too(place: Shop, kinds: Any) -> None:
    """A conversation of train within which a prompt of dev is asked and answered."""
    held_out = shop_row(4, "dev")
    talk = [
        {"role": "user", "content": held_out["question"]},
        {"role": "assistant", "content": held_out["answer"]},
        {"role": "user", "content": f"And {words('then')}"},
    ]
    rows = [
        {"messages": [{"role": "user", "content": row["question"]}], "references": [row["answer"]]}
        | {key: row[key] for key in ("customer", "split")}
        for row in shop()
    ]
    own = {"messages": talk, "references": ["So."], "customer": "x", "split": "train"}
    place.write([*rows, own])
    done = place.data("check", "shop.jsonl", "--column", "group=customer", "--json")
    [finding] = done.document["findings"]
    assert (done.code, finding["kind"], finding["count"]) == (4, "leak-exact", 1)
    assert "shop.jsonl:173" in finding["places"][0] and "leaves 1 out" in finding["hint"]


def test_the_comparing_of_prompts_tells_how_far_it_is() -> None:
    heard: list[tuple[str, int, int]] = []
    rows = tuple(
        harness.Example(row["question"], ({"role": "user", "content": row["question"]},),
                        (row["answer"],), split=row["split"])
        for row in shop()
    )  # fmt: skip

    def begin(label: str) -> harness.Report:
        return lambda done, total, what: heard.append((label, done, total))

    list(checking.findings(OpenedRows("shop.jsonl", rows), begin))
    assert ("comparing prompts", 72, 72) in heard


def test_ids_are_compared(place: Shop, kinds: Any) -> None:
    rows = [row | {"id": f"r{n}"} for n, row in enumerate(shop())]
    rows[7]["id"] = "r3"
    code, document = place.checked(rows)
    assert (code, kinds(document)) == (4, {"duplicate-id": "problem"})


def test_few_groups_of_dev_are_a_problem(place: Shop, kinds: Any) -> None:
    rows = [row for row in shop() if row["split"] != "dev" or row["customer"] < "dev-c18"]
    code, document = place.checked(rows)
    assert (code, kinds(document)) == (0, {"no-verdict": "warning"})


def test_rows_without_any_split_are_told_how_to_get_one(place: Shop, kinds: Any) -> None:
    rows = [{k: v for k, v in row.items() if k != "split"} for row in shop()]
    code, document = place.checked(rows)
    assert (code, kinds(document)) == (0, {"no-split": "note"})
    assert "harness data split" in document["findings"][0]["hint"]


def test_everything_is_told_in_one_pass(place: Shop, kinds: Any) -> None:
    code, document = place.checked(shop(more=[row for f in FAULTS.values() for row in f[0]]))
    assert code == 4
    assert set(kinds(document)) >= {kind for _, _, kind in FAULTS.values()}
    levels = [one["level"] for one in document["findings"]]
    assert levels == sorted(levels, key=lambda level: level != "problem")


@pytest.mark.nightly
def test_an_answer_to_another_instruction_is_no_conflict(place: Shop, kinds: Any) -> None:
    rows = [row | {"system": "Be kind."} for row in shop()]
    again = shop_row(3, answer="No.") | {"system": "Be brief."}
    assert kinds(place.checked([*rows, again])[1]) == {}


def test_several_references_of_which_one_is_shared_are_no_conflict(place: Shop) -> None:
    rows = [row | {"answer": [row["answer"], "Yes."]} for row in shop()]
    again = shop_row(3) | {"answer": ["No.", "Yes."]}
    assert "conflict" not in {f["kind"] for f in place.checked([*rows, again])[1]["findings"]}


def test_of_many_prompts_a_sample_is_compared_and_said(
    place: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.data import screening

    monkeypatch.setattr(screening, "MOST_PREVIEWED", 60)
    rows = shop(more=FAULTS["near leak"][0] * 1)
    rows = [*rows[-2:], *rows[:-2]]
    _, document = place.checked(rows)
    [found] = document["findings"]
    assert "of 37 that were compared, evenly spaced," in found["what"]


def test_what_is_counted_among_some_rows_says_so() -> None:
    row = Example("d", ({"role": "user", "content": "<end> Why?"},), ("So.",), split="dev")
    length = Length(row, prompt=90, answer=30, cut=0, problem="", end="<end>", drawn=True)
    some = Lengths("m", rows=(length,), of=50, context=100, room=20, too_long="refuse")
    found = {finding.kind: finding.what for finding in fitting.findings(some)}
    assert found.keys() == {"no-room", "long-answer", "end-in-text"}
    assert all("(of 1 that were measured, the longest of" in what for what in found.values())


def test_without_a_model_at_hand_that_is_a_note(
    place: Shop, kinds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import harness

    monkeypatch.setattr(harness.Model, "at_hand", lambda self: False)
    code, document = place.checked(shop())
    assert (code, kinds(document)) == (0, {"no-tokens": "note"})
    assert "not on this machine" in document["findings"][0]["what"]


def test_the_data_of_a_config_are_checked_and_test_stays_sealed(place: Shop) -> None:
    leak = shop_row(4, "test")["question"]
    place.write(shop(more=[shop_row(901, question=leak)]))
    config = (place.folder / "harness.yaml").read_text()
    source = "{source: rows, path: shop.jsonl, columns: {group: customer, meta: [kind]}}"
    (place.folder / "harness.yaml").write_text(config.replace("{source: fake}", source, 1))
    done = place.data("check")
    assert done.code == 4 and "1 row asks what a held-out row asks" in done.out
    assert words("test4") not in done.out + done.err


LIMITS = [
    word
    for name in ("near", "near_with_answer", "contained")
    for word in ("--set", f"filters.{name}=1")
]


def test_harness_check_counts_the_same_near_repeats_and_names_broken_characters(
    place: Shop,
) -> None:
    """By the config's own limits, and by the default ones for a file."""
    near = [shop_row(920 + n, question=NEAR.format(words(f"n{n}"))) for n in range(3)]
    # The last words differ: what three rows share is nobody's own, and does not count.
    held = [shop_row(930 + n, "dev", question=f"{NEAR.format(words(f'n{n}'))} {words(f'z{n}', 1)}")
            for n in range(3)]  # fmt: skip
    broken = [shop_row(940, question=f"Wie hei\u00c3\u009ft {words('x')}"),
              shop_row(941, answer="caf\ufffd")]  # fmt: skip
    place.write(shop(more=[*near, *held, *broken]))
    config = (place.folder / "harness.yaml").read_text()
    source = "{source: rows, path: shop.jsonl, columns: {group: customer, meta: [kind]}}"
    (place.folder / "harness.yaml").write_text(config.replace("{source: fake}", source, 1))
    for limits in ((), LIMITS):
        told = place.project.inside("check", *limits)
        assert told.code == 0, told.err
        document = place.data("check", "--json", *limits).document
        counts = {one["kind"]: one["count"] for one in document["findings"]}
        assert counts["mangled-text"] == 2
        assert "2 rows hold text that was decoded wrongly" in told.out
        near_count = counts.get("leak-near", 0)
        assert bool(near_count) is not bool(limits)
        assert (f"data: {near_count} of " in told.out) is bool(near_count)
    by_file = place.data("check", "shop.jsonl", *place.columns, "--json").document
    assert {one["kind"]: one["count"] for one in by_file["findings"]}["leak-near"] == 3


def test_a_source_of_another_kind_is_checked_too(place: Shop) -> None:
    done = place.data("check")
    assert done.code == 0 and "source 'fake' of the config" in done.out
    done = place.data("check", "--column", "prompt=question")
    assert done.code == 2 and "--column is for a file" in done.err


@pytest.mark.parametrize(
    ("arguments", "words_"),
    [
        (["nowhere.csv"], "no such file or folder"),
        (["shop.jsonl", "--column", "prompt"], "--column takes ROLE=NAME"),
        (["shop.jsonl", "--column", "id=a", "--column", "id=b"], "given twice"),
        (["shop.jsonl", "--column", "promt=question"], "did you mean"),
        (["shop.jsonl", "--format", "alpca"], "format"),
    ],
)
def test_a_wrong_command_is_one_message(place: Shop, arguments: list[str], words_: str) -> None:
    place.write(shop())
    done = place.data("check", *arguments)
    assert done.code == 2, done.err
    assert words_ in done.err and "Traceback" not in done.err


def test_hostile_texts_are_texts(place: Shop) -> None:
    evil = "\x1b]0;owned\x07[red]x[/red] \u202e <script>"
    place.write(shop(more=[shop_row(920, split=evil, customer=evil)]))
    done = place.data("check", "shop.jsonl", *place.columns)
    assert done.code == 4
    assert not set("\x1b\x07\u202e") & set(done.out + done.err)


def test_tests_that_test_nothing_are_a_problem(place: Shop) -> None:
    rows = [
        {"question": f"Add {words(name)}", "answer": "def f(): return 1", "tests": tests}
        for name, tests in {
            "nothing": "# f() is 1", "no call": "def check(candidate): assert candidate() == 1",
            "fails": "assert f() == 1", "a list": ["assert f() == 1"], "a number": 5,
        }.items()
    ]  # fmt: skip
    place.write(rows)
    done = place.data("check", "shop.jsonl", "--column", "prompt=question", "--json")
    assert done.code == 4
    found = [finding for finding in done.document["findings"] if finding["kind"] == "unscorable"]
    assert [(finding["places"], finding["level"]) for finding in found] == [
        (["shop.jsonl:1", "shop.jsonl:2"], "problem"),
        (["shop.jsonl:5"], "problem"),
    ]
    assert "2 rows get no score by executes" in found[0]["what"]
    assert "of the type int" in found[1]["what"]


@pytest.mark.nightly
def test_the_metrics_of_a_config_are_asked(place: Shop) -> None:
    more = [shop_row(900 + n, "dev", check="assert f()" if n else "# f()") for n in range(3)]
    place.write(shop(more=more))
    config = (place.folder / "harness.yaml").read_text()
    source = "{source: rows, path: shop.jsonl, columns: {meta: [check]}}"
    metrics = "metrics: [{plugin: executes, tests: check}, "
    config = config.replace("{source: fake}", source, 1).replace("metrics: [", metrics, 1)
    (place.folder / "harness.yaml").write_text(config)
    done = place.data("check")
    assert "1 row gets no score by executes" in " ".join(done.out.split()), done.out + done.err


def test_a_row_of_megabytes_is_named_and_still_refused(place: Shop, kinds: Any) -> None:
    row = shop_row(920, question="why " * 100_000 + words("end"))
    code, document = place.checked(shop(more=[row]))
    assert (code, kinds(document)) == (4, {"refused": "problem", "long-row": "warning"})
    [finding] = [one for one in document["findings"] if one["kind"] == "long-row"]
    assert finding["places"] == ["shop.jsonl:173"] and "1 row has more than" in finding["what"]
