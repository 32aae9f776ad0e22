"""Whether an objective is reached, surely or not, and what is missing."""

from __future__ import annotations

from harness.config.aims import Objective
from harness.records import RoundResult, Score, Verdict
from harness.verdicts.objective import progress

AIM = Objective(metric="bleu", target=40.0, statement="answers that need no editing")


def rounds(*values, higher=True, kept=None):
    """Rounds with a score each; the interval is 2 to either side."""
    verdict = Verdict("improved", "", None, None, None, 0.98, None, "")
    return [
        RoundResult(
            "main", number, 10,
            {"bleu": Score("bleu", v, None if v is None else v - 2, None if v is None else v + 2,
                           50, 0, "s", higher)},
            verdict, number in kept if kept is not None else True,
        )
        for number, v in enumerate(values)
    ]  # fmt: skip


def test_surely_is_by_the_interval():
    for value, state in [
        (45.0, "reached"), (42.0, "reached"), (41.0, "reached, not surely"),
        (40.0, "reached, not surely"), (39.0, "not reached, not surely"), (37.0, "not reached"),
    ]:  # fmt: skip
        assert progress(AIM, rounds(value)).state == state, value
        lower = Objective(metric="bleu", target=-40.0)
        assert progress(lower, rounds(-value, higher=False)).state == state, value


def test_the_pace_of_kept_rounds_says_what_is_left():
    found = progress(AIM, rounds(20.0, 25.0, 30.0))
    assert (found.missing, found.per_round, found.rounds_left) == (10, 5, 2)
    assert "2.0 more rounds" in found.sentence


def test_only_kept_rounds_count():
    found = progress(AIM, rounds(20.0, 25.0, 50.0, kept={0, 1}))
    assert (found.value, found.missing) == (25, 15)


def test_without_progress_no_end_is_foreseen():
    for values, kept in (((30.0, 35.0), {0}), ((30.0, 30.0), {0, 1}), ((30.0,), {0})):
        found = progress(AIM, rounds(*values, kept=kept))
        assert found.rounds_left is None
        assert "no round has reduced that" in found.sentence


def test_nothing_scored_is_unknown():
    assert progress(AIM, rounds(None)).state == "unknown"
    assert progress(Objective(metric="ter", target=1.0), rounds(30.0)).state == "unknown"
