"""A verdict with what is remarked on it."""

from __future__ import annotations

from harness.kit.files import digest
from harness.records import Remark, Verdict, from_json, to_json
from tests.support.documents import words_of

PLAIN = Verdict("improved", "round 0", 0.1, 0.05, 0.15, 0.95, None, "improved: it rose.", 40, 40)
SHARE = Remark("form", "All of it is form.", {"share": 1.0})
PASS = Remark("one pass", "In one pass.")


def test_a_verdict_without_remarks_is_written_and_named_as_before_there_were_any():
    assert "remarks" not in to_json(PLAIN)
    assert digest(to_json(PLAIN)).startswith("b5fcb8b91377ac5c")
    assert from_json(Verdict, to_json(PLAIN)) == PLAIN and PLAIN.words == PLAIN.sentence


def test_remarks_stand_apart_and_are_read_behind_the_sentence():
    verdict = PLAIN.remarked(PASS).remarked(SHARE)
    assert verdict.sentence == PLAIN.sentence and verdict.remarks == (PASS, SHARE)
    assert verdict.words == "improved: it rose. In one pass. All of it is form."
    assert from_json(Verdict, to_json(verdict)) == verdict
    assert words_of(to_json(verdict)) == verdict.words
