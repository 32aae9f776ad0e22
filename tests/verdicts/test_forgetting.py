"""The loss on general text before and after a training, and the guard on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from harness.config.aims import Guard
from harness.records import Verdict
from harness.verdicts import guards
from harness.verdicts.forgetting import Losses, Rise, compared, with_rise

N = 100


def noise(n: int) -> float:
    return ((n * 37) % 101) / 101 - 0.5


BEFORE = [((2 + noise(n)) * (10 + n % 7), 10 + n % 7) for n in range(N)]


def risen(by: float, spread: float = 0.1) -> list[tuple[float | None, int]]:
    return [
        (loss + (by + spread * noise(3 * n + 1)) * tokens, tokens)
        for n, (loss, tokens) in enumerate(BEFORE)
    ]


def rise(after: Losses, before: Losses = BEFORE) -> Rise:
    return Rise(before, after, 7)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (0.12, "The model predicts general text worse than before: +0.1"),
        (-0.2, "The model predicts general text better than before: -0.2"),
        (0.0, "No evidence that the model predicts general text worse than before: "),
    ],
)
def test_a_sentence_says_which_way_the_loss_went(by: float, said: str) -> None:
    found = compared(rise(risen(by)), [True, False], [False, False])
    assert found.sentence.startswith(said)
    assert found.difference == pytest.approx(by, abs=0.01)
    assert found.low is not None and found.high is not None
    assert found.low < found.difference < found.high  # type: ignore[operator]
    assert (found.low > 0, found.high < 0) == (by > 0, by < 0)
    assert (found.asked, found.right_before, found.right_after) == (2, 1, 0)


def test_a_loss_is_per_token_of_all_texts_and_not_the_mean_of_texts() -> None:
    before, after = [(10.0, 10), (4.0, 1)], [(20.0, 10), (4.0, 1)]
    found = compared(rise(after, before), [], [])
    assert (found.loss_before, found.loss_after) == (14 / 11, 24 / 11)
    assert found.difference == pytest.approx(10 / 11) and found.tokens == 11


def test_perplexities_stand_beside_the_difference() -> None:
    before = [(math.log(14.2) * 10, 10)] * N
    after = [(math.log(16.0) * 10 + 0.01 * noise(n), 10) for n in range(N)]
    assert "perplexity 14.2 to 16.0." in compared(rise(after, before), [], []).sentence


def test_the_interval_is_that_of_paired_texts() -> None:
    """Texts differ by far more than a training changes any of them."""
    found = compared(rise(risen(0.05, spread=0.02)), [], [])
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
    found = compared(rise(after), [], [])
    assert (found.texts, found.left_out) == (texts, left_out)
    assert said in found.sentence


def test_texts_without_tokens_count_for_nothing() -> None:
    empty: list[tuple[float | None, int]] = [(0.0, 0)] * 5
    found = compared(rise([*empty, *risen(0.1)], [*empty, *BEFORE]), [], [])
    assert (found.texts, found.left_out) == (N, 0)
    none = compared(rise(empty, empty), [], [])
    assert none.difference is None and none.loss_before is None


def test_one_text_has_no_interval() -> None:
    found = compared(rise([(20.0, 10)], [(10.0, 10)]), [], [])
    assert found.low is None and "but the spread" in found.sentence


# -- the guard ----------------------------------------------------------------------------------


def judged(limits: Sequence[float], found: Rise | None) -> list[tuple[str, str, bool]]:
    asked = with_rise([Guard(forgetting=limit) for limit in limits], found)
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
        (rise(risen(0.0)[:15], BEFORE[:15]), "a verdict needs 20 groups"),
        (rise([(loss, 2 * n) for loss, n in BEFORE]), "other tokens"),
    ],
)
def test_a_guard_that_cannot_be_judged_refuses(found: Rise | None, said: str) -> None:
    ((state, sentence, refuses),) = judged([0.5], found)
    assert state == "cannot be judged" and refuses and said in sentence


def test_several_guards_of_a_round_are_one_family() -> None:
    """Alone its loss would be called at 5 %; one of five it is not."""
    edge = rise(risen(0.0))
    low = edge.at(0.95).value - edge.at(0.95).low  # type: ignore[operator]
    limit = 0.1
    found = rise(risen(limit + 1.05 * low - edge.at(0.95).value))
    assert judged([limit], found)[0][0] == "broken"
    several = judged([limit, 5, 5, 5, 5], found)
    assert [state for state, _, _ in several] == ["cannot be judged", *["held"] * 4]
