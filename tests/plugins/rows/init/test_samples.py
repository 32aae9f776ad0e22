"""What ``harness init`` looks at of many rows: so many as it says, from the first to the last."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

import harness
from harness import Example
from harness.kit.draws import spaced
from harness_rows import sampling
from harness_rows.initial import languages, lengths, repeats


def row(number: int, prompt: str, answer: str = "So.") -> Example:
    return Example(f"r{number}", ({"role": "user", "content": prompt},), (answer,))


def quiet(done: int, total: int, what: str = "") -> None:
    pass


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 19, 20, 21, 1999])
def test_a_sample_is_evenly_spaced_and_no_larger_than_it_says(count: int) -> None:
    found = spaced(range(count), 10)
    assert len(found) == min(count, 10)
    steps = {later - earlier for earlier, later in itertools.pairwise(found)}
    assert not steps or max(steps) - min(steps) <= 1
    assert not found or (found[0] == 0 and count - found[-1] <= 1 + max(steps or {1}))


def test_languages_are_those_of_all_rows_not_of_the_first() -> None:
    english = "The parcel that I ordered on Monday has not been delivered to my house yet."
    german = "Das Paket, das ich am Montag bestellt habe, ist noch nicht bei mir angekommen."
    shares, judged = languages.look([english] * 300 + [german] * 299)
    assert judged == languages.SAMPLE
    assert shares == pytest.approx({"en": 0.5, "de": 0.5}, abs=0.01)


def test_near_duplicates_are_looked_for_in_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "COMPARED", 10)
    words = ["anchor", "basket", "cinder", "dagger", "engine", "feather", "garden", "hammer"]
    words += ["island", "jungle", "kettle"]
    prompts = [f"{word} {word[::-1]} {number} {word}" for number in (1, 2) for word in words][:19]
    prompts[15] = f"{' '.join(words)} one"
    prompts[17] = f"{' '.join(words)} two"
    rows = [row(n, prompt) for n, prompt in enumerate(prompts)]
    found = repeats.look(rows, quiet)
    assert (found.looked, found.near) == (10, 1)


def test_lengths_are_of_as_many_rows_as_are_said_and_of_the_longest() -> None:
    rows: Sequence[Example] = [row(n, "why " * (1 + n // 1000)) for n in range(1999)]
    model = harness.make_plugin("model", "hub", {"id": "nobody/has-this-model"})
    found = lengths.measure(rows, model, lambda label: quiet)  # type: ignore[arg-type]
    assert found.rows == lengths.SAMPLE
    assert (found.prompt.median, found.prompt.longest) == (1, 2)
    assert found.prompt.most == 2


def test_few_rows_are_no_99_percent() -> None:
    """Of fewer than 100 the limit follows the longest answer."""
    answers = sampling.Spread(5, 9, 9, 400)
    for measured, limit in ((99, 448), (100, 16)):
        found = lengths.Lengths("tokens", answers, answers, answers, rows=measured, general=90)
        assert found.max_new_tokens == limit


def test_of_long_rows_few_become_tokens_and_the_longest_is_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "MEASURED", 10_000)
    rows = [row(n, "x" * (990 + n)) for n in range(100)]
    rows[50] = row(50, "x", answer="so " * 400)
    drawn = sampling.evenly(rows, 60)
    longest = sampling.longest(rows, 60)
    assert len(drawn) == 9 and [r.id for r in longest] == ["r50", *(f"r{99 - n}" for n in range(8))]
    assert sampling.longest(rows, 60, lambda r: len(r.prompt))[0].id == "r99"
    assert len(sampling.evenly([row(0, "x" * 20_000)] * 3, 3)) == 1
    assert len(sampling.longest([row(0, "x" * 20_000)] * 3, 3)) == 1


def test_of_rows_of_megabytes_the_middle_is_not_counted() -> None:
    rows = [row(n, "why " * (500_000 if n == 7 else 5)) for n in range(60)]
    model = harness.make_plugin("model", "hub", {"id": "nobody/has-this-model"})
    found = lengths.measure(rows, model, lambda label: quiet)  # type: ignore[arg-type]
    assert found.shortened == 1 and found.prompt.median == 5
    assert 24_000 < found.prompt.longest < 26_000


@pytest.mark.parametrize(
    "texts", [(300_000, 10), (10, 300_000), (60_000, 60_000), (*[3_000] * 50, 7), (400_000,) * 4]
)
def test_a_shortened_row_keeps_short_texts_and_both_ends_of_long_ones(
    texts: tuple[int, ...],
) -> None:
    turns = tuple({"role": "user", "content": "<" + "x" * (n - 2) + ">"} for n in texts[:-1])
    whole = Example("r", turns, ("[" + "y" * (texts[-1] - 2) + "]", "other"), thought="hm")
    short = sampling.shortened(whole)
    assert short.id == "r" and short.references[1:] == ("other",) and short.thought == "hm"
    assert sampling.MOST_OF_A_ROW - 2 * len(texts) <= sampling.characters(short)
    assert sampling.characters(short) <= sampling.MOST_OF_A_ROW
    for text in (turn["content"] for turn in short.messages):
        assert text[0] == "<" and text[-1] == ">"
    assert short.references[0][0] == "[" and short.references[0][-1] == "]"
    if texts[-1] < 1_000:
        assert short.references[0] == whole.references[0]


def test_a_row_that_is_short_enough_stays_as_it_is() -> None:
    whole = row(0, "x" * (sampling.MOST_OF_A_ROW - 3))
    assert sampling.shortened(whole) is whole


def test_a_row_of_very_many_turns_is_shortened_too() -> None:
    turns = tuple({"role": "user", "content": "why?"} for _ in range(60_000))
    assert sampling.characters(sampling.shortened(Example("r", turns, ("So.",)))) <= 100_000
