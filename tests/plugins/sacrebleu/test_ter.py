"""``ter`` against sacreBLEU: equal to the last bit, corpus and examples."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from rapidfuzz.distance import Levenshtein

from harness_sacrebleu import Ter, edit_table, edits as edits_module
from harness_sacrebleu.edit_table import EditTable
from harness_sacrebleu.edits import edits
from tests.plugins.sacrebleu import against
from tests.plugins.sacrebleu.against import real_rows, unicode

OPTIONS = st.fixed_dictionaries({}, optional={
    name: st.booleans() for name in ("normalized", "no_punct", "asian_support", "case_sensitive")
})  # fmt: skip
few_words = st.lists(st.sampled_from("abcde"), max_size=14).map(" ".join)
words = st.lists(
    st.sampled_from(["The", "cat", "sat.", "“猫が”", "、", "&amp;", "it's"]), max_size=9
)
texts = st.one_of(unicode, few_words, few_words, words.map(" ".join), st.just("go " * 30))
rows = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=4)), min_size=1, max_size=5)


def reference(metric):
    from sacrebleu import TER

    return TER(**metric.options.model_dump(exclude={"right_at"}))


def check(metric, rows):
    against.check(metric, rows, reference(metric), reference(metric))


@given(rows=rows, options=OPTIONS)
@example([("a b c d e f", ["d e f a b c"]), ("a", ["", "b"]), ("", ["a"]), ("", [""])], {})
@example([("a " * 80 + "b " * 3, ["b b a b a", "a"]), ("b a", ["a " * 90 + "b"])], {})
def test_equal_to_sacrebleu(rows, options):
    check(Ter(Ter.Options(**options)), rows)


def mutated(rng, text):
    words = text.split()[:25]
    for _ in range(rng.randrange(1 + len(words) // 5)):
        start, length = rng.randrange(len(words)), rng.randrange(4)
        moved = words[start : start + length]
        words[start : start + length] = rng.choice([[], ["other"], moved[::-1]])
        place = rng.randrange(len(words) + 1)
        words[place:place] = moved or ["more"]
    return " ".join(words)


@pytest.mark.nightly
def test_equal_on_real_texts():
    check(Ter(), real_rows(50, 5, mutated))


def moved_pieces(rng, size):
    """Words in their order, and again with a few runs of them moved or changed."""
    words = [str(rng.randrange(size)) for _ in range(size)]
    others = words.copy()
    for _ in range(4):
        start, length = rng.randrange(size), rng.randrange(30)
        run = others[start : start + length]
        del others[start : start + length]
        place = rng.randrange(len(others) + 1)
        others[place:place] = rng.choice([run, run[::-1], ["new"]])
    return words, others


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("size", [20, 70])
def test_edits_equal_those_of_sacrebleus_search(size):
    from sacrebleu.metrics.lib_ter import translation_edit_rate

    rng = random.Random(size)
    for _ in range(6):
        words, others = moved_pieces(rng, size)
        assert edits(words, others) == translation_edit_rate(words, others)[0]


def test_the_beam_is_sacrebleus():
    """Where the beam matters, the distance is greater than the true one."""
    from sacrebleu.metrics.lib_ter import BeamEditDistance

    rng, narrow = random.Random(1), 0
    for _ in range(40):
        size, start = rng.randrange(1, 60), rng.choice([0, 30, 60])
        answer = "".join(rng.choices("abcd", k=start)) + "xyz" * (size // 3) + "e"
        reference = "xyz" * (size // 3) + "".join(rng.choices("abcd", k=rng.choice([0, 60])))
        if not reference:
            continue
        found = EditTable(reference).distance(answer)
        assert found == BeamEditDistance(list(reference))(list(answer))[0]
        narrow += found > Levenshtein.distance(answer, reference)
    assert narrow > 3


def test_limits_are_sacrebleus():
    from sacrebleu.metrics import lib_ter

    assert edits_module.LONGEST_RUN == lib_ter._MAX_SHIFT_SIZE
    assert edits_module.FARTHEST == lib_ter._MAX_SHIFT_DIST
    assert edits_module.MOST_MOVES == lib_ter._MAX_SHIFT_CANDIDATES
    assert edit_table.BEAM == lib_ter._BEAM_WIDTH


def test_so_many_distinct_words_that_characters_do_not_suffice(monkeypatch):
    monkeypatch.setattr(edits_module, "_LETTERS", 3)
    assert edits(list("abcd"), list("cdab")) == 1


def test_any_leading_shape():
    metric = Ter()
    against.check_shapes(metric, real_rows(30, 6, mutated), exact=False)
    empty = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 2.0]])
    assert metric.values(empty).tolist() == [[0], [100], [150]]


def test_a_missing_reference_is_none_and_an_empty_one_is_a_reference():
    """In sacreBLEU None is left out; an empty text counts in the mean length, as length 0."""
    own = reference(Ter())
    missing = own.corpus_score(["a b", "c"], [["a b", "c"], [None, "d"]])
    empty = own.corpus_score(["a b", "c"], [["a b", "c"], ["", "d"]])
    assert (missing.ref_length, empty.ref_length) == (3, 2)
    check(Ter(), [("a b", ["a b"]), ("c", ["c", "d"])])
    check(Ter(), [("a b", ["a b", ""]), ("c", ["c", "d"])])


def test_without_references_nothing_is_scored(measure):
    assert measure(Ter(), "text", []) is None
    assert measure(Ter(), "", [""]) == [0, 0]


def test_lower_is_better():
    assert not Ter.higher_is_better
    assert Ter.bounds == (0, float("inf"))


def test_signature_is_sacrebleus_own():
    metric = Ter(Ter.Options(normalized=True, case_sensitive=True))
    own = reference(metric)
    own.corpus_score(["a", "b"], [["a", "b"], ["c", None]])
    assert metric.signature() == f"TER|{own.get_signature()}"


@pytest.mark.parametrize("text", ["", "\ud800 \x00", "\n", "x" * 10_000])
def test_any_text_can_be_scored(text, measure):
    statistics = np.array([measure(Ter(), text, [text, "word"])])
    assert Ter().values(statistics)[0, 0] == 0
