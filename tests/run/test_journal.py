"""The journal: what was closed is read as it was written, or not at all."""

from __future__ import annotations

import dataclasses
import json
import random
import re

import pytest

from harness.errors import DataError, UsageError
from harness.kit import files
from harness.kit.files import append_line
from harness.records import RoundResult, Score, to_json
from harness.run.journal import ClosedRounds, Journal, reopen
from harness.verdicts.rule import baseline_verdict


def result(round_=0, arm="main", sentence="first"):
    verdict = dataclasses.replace(
        baseline_verdict(sentence=sentence), difference=0.125, low=-0.25, high=0.5
    )
    scores = {"bleu": Score("bleu", 0.247, 0.2, 0.3, 48, 0, signature="v:1 é")}
    return RoundResult(
        arm, round_, 10, scores, verdict, True, errors={"cut off": 3},
        keys={"generate": "ab" * 32, "score bleu": "cd" * 32},
    )  # fmt: skip


@pytest.fixture
def path(tmp_path):
    """A journal of three rounds of two arms."""
    journal = Journal(tmp_path / "journal.jsonl")
    for arm, number in (("main", 0), ("main", 1), ("random", 1), ("main", 2), ("random", 2)):
        journal.close(result(number, arm))
    return journal.path


def damage(path, number, change=lambda line: line.replace(b"0.247", b"0.347")):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    path.write_bytes(b"".join(lines))


@pytest.mark.nightly
def test_of_1000_flipped_bits_none_is_accepted(path):
    whole = path.read_bytes()
    generator = random.Random(7)
    for _ in range(1000):
        place, bit = generator.randrange(len(whole)), generator.randrange(8)
        changed = bytes([whole[place] ^ 1 << bit])
        path.write_bytes(whole[:place] + changed + whole[place + 1 :])
        with pytest.raises(DataError, match=r"journal\.jsonl:\d: this line is damaged"):
            ClosedRounds(path)


@pytest.mark.parametrize(
    ("number", "words", "way_out"),
    [(1, "round 0", 0), (2, "round 1", 1), (3, "round 1", 1), (4, "round 2", 2), (5, "round 2", 2)],
)
def test_a_damaged_line_says_what_it_cost_and_what_to_do(path, number, words, way_out):
    damage(path, number)
    with pytest.raises(DataError) as caught:
        ClosedRounds(path)
    error = caught.value
    assert error.where == f"{path}:{number}" and error.exit_code == 4
    assert "its checksum is wrong" in error.what and words in error.what
    assert "backup" in error.hint and error.hint.endswith(f"harness iterate --reopen {way_out}")


def test_a_damaged_journal_goes_on_once_the_rounds_it_cost_are_open_again(path):
    damage(path, 4)
    before = path.read_bytes()
    reopen(path, 2)
    assert path.read_bytes().startswith(before)
    journal = Journal(path)
    assert journal.closed("main", 1) == result(1) and journal.closed("random", 1)
    assert journal.closed("main", 2) is None and journal.closed("random", 2) is None
    journal.close(result(2, sentence="second"))
    assert ClosedRounds(path).closed("main", 2) == result(2, sentence="second")
    damage(path, 2)
    with pytest.raises(DataError, match=r"jsonl:2: .* round 1, a later one"):
        ClosedRounds(path)


def test_an_earlier_round_than_the_damage_cost_is_not_given_up_unasked(path):
    damage(path, 3)
    before = path.read_bytes()
    with pytest.raises(DataError, match="--reopen 1"):
        reopen(path, 2)
    assert path.read_bytes() == before


def test_rounds_are_open_again_from_the_given_one_on_and_their_lines_stay(path):
    before, digest = path.read_bytes(), ClosedRounds(path).digest
    reopen(path, 1)
    again = ClosedRounds(path)
    assert [one.round for one in again.rounds("main")] == [0] and again.rounds("random") == []
    assert path.read_bytes().startswith(before) and again.digest != digest
    Journal(path).close(result(1, sentence="second"))
    assert ClosedRounds(path).closed("main", 1) == result(1, sentence="second")


def test_a_damaged_line_that_opened_rounds_again_costs_all_that_it_may_have_opened(path):
    reopen(path, 1)
    Journal(path).close(result(1, sentence="second"))
    damage(path, 6, lambda line: line.replace(b'"reopen":1', b'"reopen":2'))
    with pytest.raises(DataError, match=r"(?s)jsonl:6: .*--reopen 1"):
        ClosedRounds(path)
    reopen(path, 1)
    assert [one.round for one in ClosedRounds(path).rounds("main")] == [0]


def test_what_a_baseline_answered_to_test_is_pinned_beside_the_rounds(path):
    pins = {0: {"generate": "ab"}, "baseline 3": {"generate": "cd"}, "baseline few-shot": {}}
    Journal(path).test(pins)
    assert ClosedRounds(path).tested == pins


def test_what_the_test_set_gave_is_pinned_until_rounds_are_open_again(path):
    Journal(path).test({0: {"generate": "ab"}, 2: {"generate": "cd"}})
    journal = Journal(path)
    assert journal.tested == {0: {"generate": "ab"}, 2: {"generate": "cd"}}
    journal.test({0: {"generate": "ef"}})
    assert all(isinstance(number, int) for number in ClosedRounds(path).tested)
    assert ClosedRounds(path).tested == journal.tested
    before = path.read_bytes()
    damage(path, 6, lambda line: line.replace(b"cd", b"cc"))
    with pytest.raises(DataError, match=r"(?s)jsonl:6: .* or the test set .*--reopen 3"):
        ClosedRounds(path)
    reopen(path, 3)
    assert len(ClosedRounds(path).rounds("main")) == 3 and ClosedRounds(path).tested == {}
    path.write_bytes(before)
    reopen(path, 2)
    assert ClosedRounds(path).tested == {}


@pytest.mark.parametrize("number", [3, -1])
def test_only_a_closed_round_is_opened_again(path, number):
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"is not closed \(rounds 0 to 2 are\)"):
        reopen(path, number)
    assert path.read_bytes() == before


def test_a_line_that_is_gone_is_missed(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(
        DataError, match=r"(?s)closed round 1 \(main\) is missing.*--reopen 1"
    ) as caught:
        ClosedRounds(path)
    assert caught.value.where == str(path)
    reopen(path, 1)
    assert [one.round for one in ClosedRounds(path).rounds("main")] == [0]


def changed(**values):
    return {**to_json(result()), **values}


WRONG = [
    {"result": changed(extra=1)}, {"result": changed(round="0")}, {"result": changed(kept="yes")},
    {"result": changed(scores=[])}, {"result": changed(keys={"generate": 7})},
    {"result": changed(verdict=None)}, {"result": changed(guards=[{}])}, {"result": []},
    {"result": {k: v for k, v in to_json(result()).items() if k != "verdict"}},
    {"result": changed(verdict={**to_json(result().verdict), "label": "better"})},
    {"result": changed(plan={"strategy": "targeted", "items": [{"slice": {}, "rows": 1}]})},
    {"result": to_json(result()), "also": 1}, {"reopen": "1", "lost": []}, {"reopen": 1},
    {"reopen": 1, "lost": 7}, {"test": {"0": {"generate": 1}}}, {"test": {"x": {}}}, {"test": []},
    {"other": 1}, {},
]  # fmt: skip


@pytest.mark.parametrize("value", WRONG)
def test_a_line_that_is_no_such_record_is_damaged(tmp_path, value):
    path = tmp_path / "journal.jsonl"
    append_line(path, {"schema": 2, **value})
    with pytest.raises(DataError, match=r"journal\.jsonl:1: this line is damaged \(it"):
        ClosedRounds(path)


def test_a_line_of_a_later_version_is_not_passed_over(path):
    append_line(path, {"schema": 3, "result": to_json(result(3))})
    with pytest.raises(DataError, match=re.escape("it has schema 3, this version reads 2")):
        ClosedRounds(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "7", '{"arm": [], "round": 1, "generate": ""}'])
def test_what_waits_for_people_is_nothing_where_the_file_is_damaged(path, text):
    journal = Journal(path)
    journal.wait("main", 3, "ab")
    assert ClosedRounds(path).waiting() == ("main", 3, "ab")
    path.with_name("waiting.json").write_text(text)
    assert journal.waiting() is None


def test_a_flipped_line_end_does_not_make_the_last_line_a_cut_one(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\x0b")
    with pytest.raises(DataError, match=r":5: this line is damaged"):
        ClosedRounds(path)
    path.write_bytes(whole[:-1])
    assert len(ClosedRounds(path).rounds("random")) == 1


def test_every_line_is_one_json_object_with_its_seal(path):
    for line in path.read_text().splitlines():
        value = json.loads(line)
        assert value.pop("seal") == files.digest(value)
