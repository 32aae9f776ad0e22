from __future__ import annotations

from harness.data.splits import rows_digest
from harness.records import Example, from_json, to_json

ROW = Example("1", ({"role": "user", "content": "Why?"},), ("Because.",))
PAIR = Example("1", ROW.messages, ("Because.",), rejected=("No idea.",))


def test_rejected_answers_pass_through_json():
    assert from_json(Example, to_json(PAIR)) == PAIR


def test_a_row_without_rejected_answers_is_written_and_named_as_before_there_were_any():
    assert "rejected" not in to_json(ROW)
    assert rows_digest([ROW]).startswith("e9f0e6126f181186")


def test_what_is_rejected_is_part_of_the_content():
    assert rows_digest([PAIR]) != rows_digest([ROW])


def test_a_generator_is_given_no_answer():
    assert PAIR.as_asked().rejected == () == PAIR.as_asked().references
