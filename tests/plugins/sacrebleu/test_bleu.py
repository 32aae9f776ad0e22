"""``bleu`` against sacreBLEU: equal to the last bit, corpus and examples."""

from __future__ import annotations

import string
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from pydantic import ValidationError

import harness
from harness_sacrebleu import Bleu
from harness_sacrebleu.compute import bleu
from tests.plugins.sacrebleu import against
from tests.plugins.sacrebleu.against import pairs_of, real_rows, unicode

SMOOTHINGS = [("exp", None), ("none", None), ("floor", None), ("floor", 0.5), ("add-k", None),
              ("add-k", 2.0), ("floor", 0.0), ("add-k", 0.0)]  # fmt: skip
PLAIN = ["13a", "intl", "char", "zh", "none"]
WORDS = ["the", "cat", "sat", "on", "a", "mat", ".", ",", "3.5", "猫", "don't", "(x)", "&amp;"]
words = st.lists(st.sampled_from(WORDS), max_size=20)
texts = st.one_of(unicode, words.map(" ".join), st.just("go " * 60), st.sampled_from(["", "a"]))
rows = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=4)), min_size=1, max_size=6)


def reference(metric, **changes):
    from sacrebleu import BLEU

    return BLEU(**(metric.options.model_dump(exclude={"right_at"}) | changes))


def check(metric, rows):
    against.check(metric, rows, reference(metric), reference(metric, effective_order=True))


@given(rows=rows, smoothing=st.sampled_from(SMOOTHINGS), lowercase=st.booleans(),
       tokenize=st.sampled_from(PLAIN), order=st.sampled_from([1, 2, 4, 4, 5, 9]),
       effective=st.booleans())  # fmt: skip
@example([("go " * 700, ["go " * 900, "", "go go"])], SMOOTHINGS[0], False, "13a", 4, False)
@example([(" ".join(map(str, range(9000))),) * 2], SMOOTHINGS[0], False, "none", 5, False)
def test_equal_to_sacrebleu(rows, smoothing, lowercase, tokenize, order, effective):
    rows = [(answer, [refs] if isinstance(refs, str) else refs) for answer, refs in rows]
    method, value = smoothing
    options = Bleu.Options(tokenize=tokenize, lowercase=lowercase, smooth_method=method,
                           smooth_value=value, max_ngram_order=order,
                           effective_order=effective)  # fmt: skip
    check(Bleu(options), rows)


def mutated(rng, text):
    words = text.split(" ")[:120]
    for _ in range(rng.randrange(1 + len(words) // 3)):
        place = rng.randrange(len(words))
        words[place : place + rng.randrange(3)] = rng.choices(text.split() or ["a"], k=2)
    return " ".join(words)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("options", [
    {}, {"tokenize": "intl"}, {"tokenize": "zh", "lowercase": True}, {"smooth_method": "add-k"},
    {"effective_order": True, "max_ngram_order": 6},
], ids=str)  # fmt: skip
def test_equal_on_real_texts(options):
    check(Bleu(Bleu.Options(**options)), real_rows(150, 5, mutated))


def test_references_seen_before_change_nothing():
    metric, rows = Bleu(), pairs_of(real_rows(150, 6, mutated))
    first = list(metric.measure_all(rows))
    assert list(metric.measure_all(rows)) == first
    assert list(metric.measure_all(rows[::-1])) == first[::-1]
    assert list(Bleu().measure_all(rows[70:90])) == first[70:90]


def test_tables_that_overflow_start_anew(monkeypatch):
    rows = real_rows(60, 7, mutated)
    expected = list(Bleu().measure_all(pairs_of(rows)))
    monkeypatch.setattr("harness_sacrebleu.tokens._CHARACTERS", 50)
    metric = Bleu()
    for row, statistics in zip(pairs_of(rows), expected, strict=True):
        assert metric.measure(*row) == statistics
    assert len(metric._encoder._numbers) < 1000


pieces = st.sampled_from([
    *" \n\t\x1c\x85\u2028\u3000", *string.punctuation, *"aZ09é½²३猫", "-\n", "&amp;", "&lt;",
    "&quot;", "&gt;", "<skipped>", "...", "1,2", "5-",
])  # fmt: skip


@given(text=st.one_of(st.lists(pieces, max_size=12).map("".join), unicode),
       tokenize=st.sampled_from(PLAIN))  # fmt: skip
@example("<ski<skipped>pped> -&amp;lt;\nx", "13a")
def test_tokens_are_sacrebleus(text, tokenize):
    metric = Bleu(Bleu.Options(tokenize=tokenize))
    encoder, own = metric._encoder, reference(metric)._preprocess_segment(text).split()
    symbols = encoder(metric._prepared(text))
    names = {number: token for token, number in encoder._numbers.items()}
    assert [names[number] for number in memoryview(symbols).cast("i")] == own


counts = st.tuples(
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
    st.integers(0, 60),
    st.integers(0, 60),
)


@given(draws=st.lists(counts, min_size=2, max_size=8), effective=st.booleans(),
       smoothing=st.sampled_from(SMOOTHINGS))  # fmt: skip
def test_many_draws_equal_compute_bleu(draws, effective, smoothing):
    from sacrebleu import BLEU

    method, value = smoothing
    sums, scores = [], []
    for matches, misses, answer_length, reference_length in draws:
        total = [a + b for a, b in zip(matches, misses, strict=True)]
        sums.append([*matches, *total, answer_length, reference_length])
        found = BLEU.compute_bleu(list(matches), total, answer_length, reference_length, method,
                                  value, effective)  # fmt: skip
        scores.append(found.score)
    settings = {"smooth_method": method, "smooth_value": value, "effective_order": effective}
    assert bleu(np.array(sums), **settings)[:, 0] == pytest.approx(scores, rel=1e-12, abs=0)
    assert [bleu(np.array(row), **settings).item() for row in sums] == scores


def test_any_leading_shape():
    rng = np.random.default_rng(3)
    total = rng.integers(1, 40, size=(2, 3, 5, 4))
    sums = np.concatenate([total // 2, total, rng.integers(1, 50, size=(2, 3, 5, 2))], axis=-1)
    scores = Bleu().aggregate(sums.astype(float), np.ones((2, 3, 5)))
    assert scores.shape == (2, 3, 5, 1)
    assert scores[1, 2, 4] == pytest.approx(bleu(sums[1, 2, 4]), rel=1e-12)
    assert Bleu().aggregate(sums[0, 0, :1], np.ones(1)).shape == (1, 1)
    half = Bleu().aggregate(sums[0, 0, 0] / 4, np.float64(1))  # weights need not be whole
    assert half == pytest.approx(bleu(sums[0, 0, :2] / 4)[0], rel=1e-12)
    assert Bleu().aggregate(np.zeros((0, 10)), np.ones(0)).shape == (0, 1)


def test_a_missing_reference_is_none_and_an_empty_one_is_a_reference():
    """sacreBLEU leaves None out; an empty text counts, as a reference of length 0."""
    rows = [("a b", ["a b c d e"]), ("c", ["c", "d"])]
    answers = [answer for answer, _ in rows]
    own = reference(Bleu())
    missing = own.corpus_score(answers, [["a b c d e", "c"], [None, "d"]])
    empty = own.corpus_score(answers, [["a b c d e", "c"], ["", "d"]])
    assert (missing.ref_len, empty.ref_len) == (6, 1)
    check(Bleu(), rows)
    check(Bleu(), [("a b", ["a b c d e", ""]), ("c", ["c", "d"])])


def test_signature_is_sacrebleus_own():
    metric = Bleu(Bleu.Options(lowercase=True, smooth_method="floor", effective_order=True))
    own = reference(metric)
    own.corpus_score(["a", "b"], [["a", "b"], ["c", None]])
    assert metric.signature() == f"BLEU|{own.get_signature()}"
    assert "case:lc|eff:yes|tok:13a|smooth:floor[0.10]" in metric.signature()


def test_what_sacrebleus_signature_does_not_tell_is_added():
    other = Bleu(Bleu.Options(max_ngram_order=2, smooth_method="floor", smooth_value=0.125))
    assert other.signature().endswith("|order:2|smooth-value:0.125")


def test_without_references_nothing_is_scored(measure):
    assert measure(Bleu(), "text", []) is None
    first, second, third = pairs_of([("a", ["a"]), ("b", []), ("c", ["c", "d"])])
    assert [row is None for row in Bleu().measure_all([first, second, third])] == [0, 1, 0]
    assert list(Bleu().measure_all([])) == []
    assert list(Bleu().measure_all([second])) == [None]


@pytest.mark.parametrize("text", ["", "\ud800 \x00", "\n", "x" * 10_000])
@pytest.mark.parametrize("tokenize", PLAIN)
def test_any_text_can_be_scored(text, tokenize, measure):
    metric = Bleu(Bleu.Options(tokenize=tokenize))
    statistics = np.array([measure(metric, text, [text, "word"])])
    assert 0 <= metric.values(statistics)[0, 0] <= 100.000001


def test_a_value_that_no_smoothing_uses_is_refused():
    with pytest.raises(ValidationError, match="only for floor and add-k"):
        Bleu.Options(smooth_value=0.3)


def test_every_tokenizer_of_sacrebleu_is_known():
    from sacrebleu import BLEU

    for name in BLEU.TOKENIZERS:
        assert Bleu.Options(tokenize=name).tokenize == name
    with pytest.raises(ValidationError, match=r"did you mean 'intl'.*known: none, zh, 13a"):
        Bleu.Options(tokenize="intll")


NEEDS = [("ja-mecab", "MeCab", r"sacrebleu\[ja\]"), ("ko-mecab", "mecab_ko", r"sacrebleu\[ko\]"),
         ("flores200", "sentencepiece", "pip install 'sentencepiece'")]  # fmt: skip


@pytest.mark.parametrize(("tokenize", "package", "advice"), NEEDS)
def test_a_tokenizer_without_its_package_is_an_environment_failure(
    tokenize, package, advice, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(harness.EnvironmentFailure, match=rf"{package}[^Z]*{advice}") as caught:
        Bleu(Bleu.Options(tokenize=tokenize))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("tokenize", ["spm", "flores101", "flores200", "spBLEU-1K"])
def test_a_tokenizer_without_its_model_file_names_it(tokenize, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_spm.SACREBLEU_DIR", str(tmp_path))
    with pytest.raises(harness.EnvironmentFailure, match=f"{tmp_path}/models/.*\n.*https://"):
        Bleu(Bleu.Options(tokenize=tokenize))
    assert not list(tmp_path.iterdir())  # nothing was downloaded


def test_tokenized_answers_are_remarked():
    rows = pairs_of([("It is done .", ["Done."])] * 6 + [("Done.", ["Done."])] * 44)
    assert Bleu().remarks(rows) == (
        "6 of 50 answers end in a full stop set apart (' .'): they look tokenized, and BLEU is "
        "meant for plain text",
    )
    assert not Bleu().remarks(rows[3:])
    assert not Bleu(Bleu.Options(force=True)).remarks(rows)
    assert not Bleu(Bleu.Options(tokenize="none")).remarks(rows)


def test_importing_the_plugin_imports_nothing_heavy():
    code = "import sys, harness_sacrebleu; sys.exit(bool({'sacrebleu','numpy'}&set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
