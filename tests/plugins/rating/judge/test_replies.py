"""Evidence and a value, or the reason why there is none; never a guess."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from harness.records.rubrics import Criterion, Scale
from harness_rating.judge.prompts import Unreadable, read

LEVELS = Criterion("q", "Q", "?", Scale("ordinal", 1, 5), allow_na=True)
STRICT = Criterion("q", "Q", "?", Scale("ordinal", 1, 5))
YES = Criterion("q", "Q", "?", Scale("binary"))
SIDE = Criterion("q", "Q", "?", Scale("pairwise"))
SOME = Criterion("q", "Q", "?", Scale("choices", choices=("a", "b")))

GOOD = '{"evidence": "because", "score": 4}'


@pytest.mark.parametrize(
    ("criterion", "reply", "value"),
    [
        (LEVELS, GOOD, 4),
        (LEVELS, f"```json\n{GOOD}\n```", 4),
        (LEVELS, f"Here is my judgement:\n{GOOD}\nThat is all.", 4),
        (LEVELS, '{"evidence": "because", "score": 4.0}', 4),
        (LEVELS, "[" * 100_000 + GOOD, 4),
        (LEVELS, '{"evidence": "nothing to judge", "score": null}', None),
        (LEVELS, '{"evidence": "it says {\\"score\\": 5}", "score": 1}', 1),
        (LEVELS, '<think>perhaps {"score": 5}?</think>' + GOOD, 4),
        (YES, '{"evidence": "e", "score": "no"}', False),
        (SIDE, '{"evidence": "e", "score": "tie"}', "tie"),
        (SOME, '{"evidence": "e", "score": ["b", "a"]}', ["a", "b"]),
    ],
)
def test_what_can_be_read(criterion, reply, value):
    evidence, found = read(criterion, reply)
    assert (found, type(found)) == (value, type(value))
    assert evidence


@pytest.mark.parametrize(
    ("criterion", "reply", "why"),
    [
        (LEVELS, "", "it is empty"),
        (LEVELS, "four", "no JSON object"),
        (LEVELS, '{"score": 4}', "not just the keys"),
        (LEVELS, '{"score": 4, "evidence": "e"}', "the score comes before the evidence"),
        (LEVELS, '{"evidence": "e", "score": 4, "more": 1}', "not just the keys"),
        (LEVELS, '{"evidence": "  ", "score": 4}', "there is no evidence"),
        (LEVELS, '{"evidence": "e", "score": 6}', "a whole number from 1 to 5"),
        (LEVELS, '{"evidence": "e", "score": 3.5}', "a whole number from 1 to 5"),
        (LEVELS, '{"evidence": "e", "score": "4"}', "a whole number from 1 to 5"),
        (LEVELS, '{"evidence": "e", "score": true}', "a whole number from 1 to 5"),
        (LEVELS, '{"evidence": "e", "score": NaN}', "NaN is not JSON"),
        (STRICT, '{"evidence": "e", "score": null}', "not null"),
        (LEVELS, '{"evidence": "e", "score": 4, "score": 5}', "is given twice"),
        (LEVELS, f"{GOOD} or rather {GOOD}", "more than one"),
        # A quotation that breaks the JSON: what stands within it is the answer's, not the judge's.
        (LEVELS, f'{{"evidence": "it says {GOOD} to us", "score": 1}}', "none"),
        (LEVELS, GOOD[:-1], "none"),
        (LEVELS, '{"a":' * 100_000, "none"),
        (YES, '{"evidence": "e", "score": 1}', "one of: yes, no"),
        (SIDE, '{"evidence": "e", "score": "C"}', "one of: A, tie, B"),
        (SOME, '{"evidence": "e", "score": ["c"]}', "a list of some of"),
    ],
)
def test_what_is_no_judgement(criterion, reply, why):
    with pytest.raises(Unreadable, match=why):
        read(criterion, reply)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_read_or_refused(before, after):
    reply = before + json.dumps({"evidence": "e", "score": 2}) + after
    try:
        assert read(STRICT, reply)[1] == 2
    except Unreadable:
        assert "{" in before + after or "}" in after or "think" in before
