"""The loss on general text before and after a training, and the guard on it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multinomial

from harness import stats
from harness.config.aims import Guard
from harness.records import Verdict
from harness.verdicts import guards
from harness.verdicts.forgetting import (
    Losses,
    PairedAnswers,
    Rise,
    by_kind,
    compared,
    with_measured,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import registers

N = 100


def noise(n: int) -> float:
    return ((n * 37) % 101) / 101 - 0.5


BEFORE = [((2 + noise(n)) * (10 + n % 7), 10 + n % 7) for n in range(N)]


def risen(by: float, spread: float = 0.1) -> list[tuple[float | None, int]]:
    return [
        (loss + (by + spread * noise(3 * n + 1)) * tokens, tokens)
        for n, (loss, tokens) in enumerate(BEFORE)
    ]


def rise(after: Losses, before: Losses = BEFORE, registers: int = 10_000) -> Rise:
    return Rise(before, after, [f"g{n % registers}" for n in range(len(before))], 7)


ALPHA = 0.025
NONE = PairedAnswers((), ())


def answers(lost: int, gained: int, kept: int = 4, n: int = 40) -> PairedAnswers:
    """So many right before alone, after alone, and on both sides."""
    before = [*[True] * lost, *[False] * gained, *[True] * kept]
    after = [*[False] * lost, *[True] * gained, *[True] * kept]
    rest = [False] * (n - len(before))
    return PairedAnswers([*before, *rest], [*after, *rest])


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (0.12, "The model predicts general text worse than before: +0.1"),
        (-0.2, "The model predicts general text better than before: -0.2"),
        (0.0, "No evidence that the model predicts general text worse than before: "),
    ],
)
def test_a_sentence_says_which_way_the_loss_went(by: float, said: str) -> None:
    found = compared(rise(risen(by)), PairedAnswers([True, False], [False, False]), ALPHA)
    assert found.sentence.startswith(said)
    assert found.difference == pytest.approx(by, abs=0.01)
    assert found.low is not None and found.high is not None
    assert found.low < found.difference < found.high  # type: ignore[operator]
    assert (found.low > 0, found.high < 0) == (by > 0, by < 0)
    assert (found.asked, found.right_before, found.right_after) == (2, 1, 0)


def test_a_loss_is_per_token_of_all_texts_and_not_the_mean_of_texts() -> None:
    before, after = [(10.0, 10), (4.0, 1)], [(20.0, 10), (4.0, 1)]
    found = compared(rise(after, before), NONE, ALPHA)
    assert (found.loss_before, found.loss_after) == (14 / 11, 24 / 11)
    assert found.difference == pytest.approx(10 / 11) and found.tokens == 11


def test_perplexities_stand_beside_the_difference() -> None:
    before = [(math.log(14.2) * 10, 10)] * N
    after = [(math.log(16.0) * 10 + 0.01 * noise(n), 10) for n in range(N)]
    assert "perplexity 14.2 to 16.0." in compared(rise(after, before), NONE, ALPHA).sentence


def test_the_interval_is_that_of_paired_texts() -> None:
    """Texts differ by far more than a training changes any of them."""
    found = compared(rise(risen(0.05, spread=0.02)), NONE, ALPHA)
    assert found.high - found.low < 0.01  # type: ignore[operator]


@pytest.mark.parametrize(
    ("after", "texts", "left_out", "said"),
    [
        ([(None, 10), *risen(0.1)[1:]], N - 1, 1, "1 of 100 texts left out"),
        ([(None, tokens) for _, tokens in BEFORE], 0, N, "no text has a loss of both models"),
        ([(loss, 2 * n) for loss, n in BEFORE], N, 0, "cut the texts into other tokens"),
    ],
)
def test_what_cannot_be_compared_is_said(
    after: Losses, texts: int, left_out: int, said: str
) -> None:
    found = compared(rise(after), NONE, ALPHA)
    assert (found.texts, found.left_out) == (texts, left_out)
    assert said in found.sentence


def test_texts_without_tokens_count_for_nothing() -> None:
    empty: list[tuple[float | None, int]] = [(0.0, 0)] * 5
    found = compared(rise([*empty, *risen(0.1)], [*empty, *BEFORE]), NONE, ALPHA)
    assert (found.texts, found.left_out) == (N, 0)
    none = compared(rise(empty, empty), NONE, ALPHA)
    assert none.difference is None and none.loss_before is None


def test_few_texts_have_no_bounds() -> None:
    found = compared(rise([(20.0, 10)], [(10.0, 10)]), NONE, ALPHA)
    assert found.low is None and "a verdict needs 20 groups" in found.sentence
    few = compared(rise(risen(0.5), registers=19), NONE, ALPHA)
    assert (few.low, few.worse_text, few.groups) == (None, False, 19)
    assert "the 100 texts come from 19 groups" in few.sentence


def test_bounds_are_over_registers_and_at_the_level_that_is_asked_for() -> None:
    """What is the same for all texts of a register is one piece of evidence, and not five."""
    shift = [0.3 * noise(11 * (n % 20) + 5) for n in range(N)]
    after = [(loss + (0.05 + shift[n]) * tokens, tokens) for n, (loss, tokens) in enumerate(BEFORE)]
    alone, by_register = (
        compared(rise(after, registers=groups), NONE, ALPHA) for groups in (N, 20)
    )
    assert alone.difference == by_register.difference and by_register.groups == 20
    wide = [found.high - found.low for found in (alone, by_register)]  # type: ignore[operator]
    assert wide[1] > 1.8 * wide[0]
    strict = compared(rise(after, registers=20), NONE, 0.005)
    assert strict.low < by_register.low and strict.level == 0.995  # type: ignore[operator]


# -- instructions -------------------------------------------------------------------------------


def test_answers_are_judged_by_the_instructions_that_changed() -> None:
    for lost, gained, p, worse, said in [
        (18, 0, 2**-18, True, "worse than before: 22 of 40 were answered right before, 4 after"),
        (6, 0, 2**-6, True, "(6 lost, 0 gained, exact one-sided p = 0.016)."),
        (5, 0, 2**-5, False, "No evidence that the model answers general instructions worse"),
        (12, 3, 0.017578125, True, "(12 lost, 3 gained, exact one-sided p = 0.018)."),
        (12, 4, 0.0384063720703125, False, "No evidence"),
        (0, 9, 1.0, False, "better than before"),
        (0, 0, 1.0, False, "exact one-sided p = 1); a loss of up to 3 of 40 is not excluded."),
    ]:
        found = compared(rise(risen(0)), answers(lost, gained), ALPHA)
        assert (found.lost, found.gained, found.worse_answers) == (lost, gained, worse), lost
        assert (found.right_before, found.right_after) == (lost + 4, gained + 4), lost
        assert found.p == pytest.approx(p) and said in found.answers, lost


@pytest.mark.parametrize(
    ("lost", "gained", "most"), [(8, 4, 11), (0, 0, 3), (5, 1, 10), (6, 0, 12), (2, 12, 0)]
)
def test_beside_no_evidence_stands_what_is_not_excluded(lost: int, gained: int, most: int) -> None:
    found = compared(rise(risen(0)), answers(lost, gained, 14), ALPHA)
    assert found.possible_loss == most
    low, _ = stats.share_bounds(gained, lost, 40, 0.05)
    assert most - 1 < max(0, -40 * low) <= most
    said = f"; a loss of up to {most} of 40 is not excluded."
    assert found.answers.endswith(said) is ("No evidence" in found.answers) is (most in (11, 3, 10))


@pytest.mark.nightly
def test_a_loss_that_is_not_excluded_comes_in_no_more_often_than_allowed() -> None:
    """Enumerated: a true loss above the figure is said to be excluded in 5 % at most."""
    tables = [(lost, gained) for lost in range(41) for gained in range(41 - lost)]
    most = np.array([answers(*table, 0).possible_loss for table in tables])
    counts = np.array([(*table, 40 - sum(table)) for table in tables])
    for lost, gained in ((0.3, 0.1), (0.2, 0.0), (0.5, 0.05), (0.1, 0.1), (0.05, 0.0)):
        chances = multinomial.pmf(counts, 40, [lost, gained, 1 - lost - gained])
        assert chances[most < 40 * (lost - gained)].sum() <= 0.05, (lost, gained)


def test_two_counts_alone_do_not_decide() -> None:
    """From 22 to 16 is shown where six were lost, and is not where twelve were and six gained."""
    one, other = (
        compared(rise(risen(0)), answers(lost, gained, kept), ALPHA)
        for lost, gained, kept in ((6, 0, 16), (12, 6, 10))
    )
    assert (one.right_before, one.right_after) == (other.right_before, other.right_after)
    assert (one.worse_answers, other.worse_answers) == (True, False)


def test_nothing_asked_is_nothing_said() -> None:
    found = compared(rise(risen(0)), NONE, ALPHA)
    assert (found.p, found.worse_answers, found.answers) == (None, False, "")
    assert found.possible_loss is None


@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.05 / 3])
def test_answers_that_only_waver_are_called_worse_no_more_often_than_allowed(alpha: float) -> None:
    """Enumerated: each of the instructions that changed went either way by a fair coin."""
    for changed in range(1, 41):
        called = sum(
            math.comb(changed, lost)
            for lost in range(changed + 1)
            if (answers(lost, changed - lost, 0).p or 0) < alpha
        )
        assert called / 2**changed <= alpha


# -- the guard ----------------------------------------------------------------------------------


def judged(limits: Sequence[float], found: Rise | None) -> list[tuple[str, str, bool]]:
    asked = with_measured([Guard(forgetting=limit) for limit in limits], found, {})
    results = guards.judge(asked, [], "score", [], {}, {"round 0": {}}, {}, seed=7)
    verdict = Verdict("improved", "round 0", 1.0, 0.5, 1.5, 0.95, None, "improved: it rose")
    for result in results:
        assert result.refuses == bool(guards.refuse(verdict, [result]))
        assert result.name == "forgetting"
    return [(str(result.state), result.sentence, result.refuses) for result in results]


@pytest.mark.parametrize(
    ("limit", "state", "said"),
    [
        (0.1, "broken", "rose by 0.3"),
        (0.3, "cannot be judged", "Cannot be called held: a rise of up to 0.30"),
        (0.5, "held", "Held: a rise of up to 0.30"),
    ],
)
def test_a_guard_is_held_only_where_a_rise_above_it_is_excluded(
    limit: float, state: str, said: str
) -> None:
    ((found, sentence, refuses),) = judged([limit], rise(risen(0.3)))
    assert (found, refuses) == (state, state != "held")
    assert said in sentence and f"{limit:g} is allowed" in sentence


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "was not measured"),
        (rise([(None, 10), *risen(0.0)[1:]]), "1 of 100 texts left out"),
        (rise(risen(0.0)[:15], BEFORE[:15]), "15 texts come from 15 groups"),
        (rise([(loss, 2 * n) for loss, n in BEFORE]), "other tokens"),
    ],
)
def test_a_guard_that_cannot_be_judged_refuses(found: Rise | None, said: str) -> None:
    ((state, sentence, refuses),) = judged([0.5], found)
    assert state == "cannot be judged" and refuses and said in sentence


@pytest.mark.parametrize(
    ("lost", "gained", "state"),
    [(20, 0, "broken"), (6, 0, "cannot be judged"), (0, 0, "held"), (3, 3, "held")],
)
def test_answers_are_held_only_where_a_loss_above_the_limit_is_excluded(
    lost: int, gained: int, state: str
) -> None:
    guard = Guard(answered="refused", max_loss=0.1)
    for found in (answers(lost, gained, 60 - lost - gained), None):
        asked = with_measured([guard], None, {"refused": found} if found else {})
        (result,) = guards.judge(asked, [], "score", [], {}, {"round 0": {}}, {}, seed=7)
        assert result.name == "refused" and result.refuses == (result.state != "held")
        assert result.state == (state if found else "cannot be judged")
        if found:
            assert ("10 % are" if state == "broken" else "0.1 is") + " allowed" in result.sentence


def test_several_guards_of_a_round_are_one_family() -> None:
    """Alone its loss would be called at 5 %; one of five it is not."""
    edge = rise(risen(0.0))
    low = edge.at(0.95).value - edge.at(0.95).low  # type: ignore[operator]
    limit = 0.1
    found = rise(risen(limit + 1.05 * low - edge.at(0.95).value))
    assert judged([limit], found)[0][0] == "broken"
    several = judged([limit, 5, 5, 5, 5], found)
    assert [state for state, _, _ in several] == ["cannot be judged", *["held"] * 4]


# -- coverage: short versions of what benchmarks/registers.py measures ----------------------------

SIMULATIONS = 150


@pytest.mark.nightly
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_bounds_hold_where_texts_of_a_register_share_a_part_of_the_variance(share: float) -> None:
    """Bounds of texts that stand for themselves hold far less often."""
    rng = np.random.default_rng(5)
    worlds = [registers.drawn(rng, share) for _ in range(SIMULATIONS)]
    missed = {
        by_register: [
            registers.missed(registers.rise_of(sides, number, by_register=by_register), ALPHA)
            for number, sides in enumerate(worlds)
        ]
        for by_register in (True, False)
    }
    held = {key: 1 - sum(map(any, misses)) / SIMULATIONS for key, misses in missed.items()}
    assert held[True] >= 0.92 and held[True] >= held[False] + (0.03 if share == 0.1 else 0.1)
    assert sum(worse for worse, _ in missed[True]) <= 0.055 * SIMULATIONS


def test_instructions_of_a_kind_are_counted_by_themselves() -> None:
    kinds = ("", "refused", "answered", "refused") + ("refused",) * 6
    before = (True, True, False, False) + (True,) * 6
    after = (True, False, True, False) + (False,) * 6
    split = by_kind(kinds, before, after)
    found = compared(rise(risen(0)), split.pop(""), ALPHA, split)
    assert (found.asked, found.right_before, found.right_after) == (1, 1, 1)
    refused, answered = found.kinds
    assert (refused.kind, refused.asked, refused.worse) == ("refused", 8, True)
    assert refused.p == pytest.approx(2**-7)
    assert refused.sentence == (
        "Refused: 7 of 8 before, 0 after (7 lost, 0 gained, exact one-sided p = 0.0078), "
        "fewer than before."
    )
    assert (answered.asked, answered.gained, answered.worse) == (1, 1, False)
    assert answered.sentence.endswith(
        "no evidence of fewer; a loss of up to 1 of 1 is not excluded."
    )
    assert by_kind((), (), ()) == {"": PairedAnswers([], [])}
