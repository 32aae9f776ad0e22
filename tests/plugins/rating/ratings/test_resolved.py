"""Which of the raters' values count."""

from __future__ import annotations

import dataclasses

import pytest

from harness import DataError
from harness_rating.batches.records import Rating
from harness_rating.ratings.resolved import adjudicated, complete
from tests.plugins.rating import material

ASKED = {"quality": 4, "polite": False, "degrees": 3, "tone": "warm"}


@pytest.fixture
def made(tmp_path):
    return material.batch(tmp_path, overlap=1.0, repeats=0.2)


def gave(made, values, rater="ana", item=None, at="1"):
    item = item or next(one for one, place in made.placings.items() if place.repeat_of is None)
    return [Rating(rater, item, name, value, at) for name, value in values.items()]


def test_a_value_of_what_is_no_longer_asked_is_dropped(made):
    ((values,),) = [raters.values() for raters in adjudicated(made, gave(made, ASKED)).values()]
    assert values == ASKED
    polite = gave(made, {**ASKED, "polite": True})  # degrees is asked of the impolite alone
    ((values,),) = [raters.values() for raters in adjudicated(made, polite).values()]
    assert values == {"quality": 4, "polite": True, "tone": "warm"}


def test_hidden_repeats_count_in_nothing(made):
    again = next(one for one, place in made.placings.items() if place.repeat_of)
    assert adjudicated(made, gave(made, ASKED, item=again)) == {}


def test_what_was_settled_last_stands_where_raters_differ(made):
    both = [*gave(made, ASKED), *gave(made, {**ASKED, "quality": 1}, "bo")]
    by_zoe = gave(made, {"quality": 2, "tone": "cold"}, "settled-zoe", at="3")
    by_adam = gave(made, {"quality": 5}, "settled-adam", at="2")
    (raters,) = adjudicated(made, [*by_zoe, *both, *by_adam]).values()
    assert [values["quality"] for values in raters.values()] == [2, 2]
    assert [values["tone"] for values in raters.values()] == ["warm", "warm"]  # nobody differed


def test_a_settled_value_can_take_back_a_question(made):
    both = [*gave(made, ASKED), *gave(made, {**ASKED, "polite": True}, "bo")]
    (raters,) = adjudicated(
        made, [*both, *gave(made, {"polite": True}, "settled-zoe", at="2")]
    ).values()
    assert all("degrees" not in values for values in raters.values())


def test_half_an_item_is_not_complete(made):
    half = dict(list(ASKED.items())[:2])
    assert complete(made, gave(made, half)) == {}
    assert len(complete(made, [*gave(made, half), *gave(made, ASKED, "bo")])) == 1
    no_answer = {**ASKED, "quality": None}  # "cannot judge" is an answer
    assert len(complete(made, gave(made, no_answer))) == 1


def test_a_value_off_its_scale_is_refused_and_an_unknown_item_counts_in_nothing(made):
    with pytest.raises(DataError, match="quality") as caught:
        complete(made, gave(made, {**ASKED, "quality": 99}))
    assert "rater ana" in caught.value.where
    assert complete(made, gave(made, ASKED, item="of-another-batch")) == {}


def test_ratings_stay_as_they_are(made):
    given = gave(made, ASKED)
    before = [dataclasses.replace(one) for one in given]
    adjudicated(made, given)
    assert given == before


def differing(made, **more):
    """One rater says rude and is asked degrees, the other says polite and is not."""
    polite = {name: value for name, value in ASKED.items() if name != "degrees"}
    return [*gave(made, ASKED), *gave(made, {**polite, "polite": True, **more}, "bo")]


def test_a_settled_value_that_brings_up_a_question_leaves_the_item_complete(made):
    (raters,) = complete(made, differing(made)).values()
    assert sorted(raters) == ["ana", "bo"]
    by_zoe = gave(made, {"polite": False}, "settled-zoe", at="2")
    (raters,) = complete(made, [*differing(made), *by_zoe]).values()
    assert [values["polite"] for values in raters.values()] == [False, False]
    assert [values.get("degrees") for values in raters.values()] == [3, None]


def test_what_was_settled_of_a_question_that_came_up_stands_for_all(made):
    by_zoe = gave(made, {"polite": False, "degrees": 1}, "settled-zoe", at="2")
    (raters,) = complete(made, [*differing(made), *by_zoe]).values()
    assert [values["degrees"] for values in raters.values()] == [1, 1]


def test_what_is_settled_fills_no_gap_that_a_rater_left(made):
    both = [*gave(made, ASKED), *gave(made, {"quality": 4, "polite": False}, "bo")]
    by_zoe = gave(made, {"polite": False, "degrees": 1, "tone": "cold"}, "settled-zoe", at="2")
    (raters,) = complete(made, [*both, *by_zoe]).values()
    assert raters == {"ana": ASKED}


def test_what_a_rater_took_back_does_not_come_back_by_settling(made):
    left_over = differing(made, degrees=2)  # said before he changed his mind about polite
    by_zoe = gave(made, {"polite": False}, "settled-zoe", at="2")
    (raters,) = adjudicated(made, [*left_over, *by_zoe]).values()
    assert "degrees" not in raters["bo"]
