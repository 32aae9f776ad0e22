"""``rouge`` against the ``rouge_score`` package: equal, not nearly equal."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
import threading
from array import array
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

import harness
from harness_rouge import Rouge, lcs, lines, scores, vocabulary
from harness_rouge.lcs import columns, lcs_positions, summary_hits
from harness_rouge.tokens import mostly_dropped, original, stem, unicode_words

TYPES = (*(f"rouge{n}" for n in range(1, 10)), "rougeL", "rougeLsum")
PIECES = [
    *("a ", "b ", "dogs ", "dog", "running ", "generously ", "flies ", "42", "x", ". ", " "),
    *("\n", "\n\n", "\r\n", "\n \n", "\u2028", "É ", "\u212a", "\u0130 ", "猫", "ไทย", "да "),
]
pieces = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
plain = st.lists(st.sampled_from(["a", "b", "c", "\n"]), max_size=60).map(" ".join)
long_repeats = st.builds(
    lambda one, other, number: (one * number + other) * 2,
    st.sampled_from(PIECES), st.sampled_from(PIECES), st.integers(1, 70),
)  # fmt: skip
texts = st.one_of(st.just(""), st.text(), st.text("aAbz0 \n", max_size=60), pieces, plain,
                  long_repeats)  # fmt: skip
blocks = st.lists(
    st.tuples(texts, st.lists(texts, max_size=3)), min_size=1, max_size=8
)  # pairs of an answer and its references, perhaps none
METRIC = pytest.mark.parametrize("stemmer", [False, True], ids=["words", "stems"])
BOTH = pytest.mark.parametrize("tokenizer", ["original", "unicode"])


def rouge(**options):
    return Rouge(Rouge.Options(**{"types": TYPES, **options}))


def pair(answer, references, name="1"):
    example = harness.Example(name, ({"role": "user", "content": "?"},), tuple(references))
    return harness.Prediction(name, answer), example


def pairs_of(block):
    return [pair(*row, str(number)) for number, row in enumerate(block)]


class Split:
    """A tokenizer as ``rouge_score`` takes one."""

    def __init__(self, stemmer):
        self.stem = stem if stemmer else str

    def tokenize(self, text):
        return [self.stem(word) for word in unicode_words(text)]


def expected(metric, block):
    """What ``rouge_score`` says of each pair; None where there is no reference."""
    from rouge_score.rouge_scorer import RougeScorer

    options = metric.options
    tokenizer = Split(options.stemmer) if options.tokenizer == "unicode" else None
    scorer = RougeScorer(list(options.types), use_stemmer=options.stemmer, tokenizer=tokenizer)
    return [
        [score.fmeasure for score in scorer.score_multi(references, answer).values()]
        if references
        else None
        for answer, references in block
    ]


@pytest.mark.nightly(but_each=2)
@METRIC
@given(block=blocks, few=st.sampled_from([0, 1000]))
def test_equals_rouge_score(block, few, stemmer):
    metric = rouge(stemmer=stemmer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "_FEW", few)  # lines together, or text by text
        found = metric.measure_all(pairs_of(block))
    assert found == expected(metric, block)


@METRIC
@given(block=blocks)
def test_equals_rouge_score_with_the_unicode_tokenizer(block, stemmer):
    metric = rouge(stemmer=stemmer, tokenizer="unicode")
    assert metric.measure_all(pairs_of(block)) == expected(metric, block)


@pytest.mark.parametrize("types", [["rougeLsum"], ["rouge9", "rougeL", "rouge2"], ["rouge1"]])
@given(block=blocks)
def test_equals_rouge_score_for_any_choice_of_types(block, types):
    metric = rouge(types=types)
    assert metric.measure_all(pairs_of(block)) == expected(metric, block)


def docstrings():
    """Some hundred docstrings of the standard library, in the order of their files."""
    for path in sorted(Path(ast.__file__).parent.glob("[a-d]*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                text = ast.get_docstring(node)
                if text and 60 < len(text) < 700:
                    yield text


def edited(rng, text, others):
    """The text with about a third of its words dropped, swapped or replaced."""
    lines = []
    for line in text.split("\n"):
        words = line.split()
        for _ in range(len(words) // 3):
            place = rng.randrange(len(words))
            kind = rng.choice(["drop", "swap", "replace"])
            if kind == "drop" and len(words) > 1:
                del words[place]
            elif kind == "swap":
                words[place], words[place - 1] = words[place - 1], words[place]
            else:
                words[place] = rng.choice(others)
        lines.append(" ".join(words))
    if rng.random() < 0.3:
        rng.shuffle(lines)
    return rng.choice(["\n", "\n", " "]).join(lines)


@pytest.mark.nightly
@METRIC
def test_equals_rouge_score_on_real_texts(stemmer):
    rng = random.Random(3)
    real = list(docstrings())
    others = " ".join(real).split()
    block = [
        (edited(rng, text, others), [text, edited(rng, text, others), rng.choice(real)])
        for text in rng.sample(real, 120)
    ]
    metric = rouge(stemmer=stemmer)
    found = metric.measure_all(pairs_of(block))
    assert found == expected(metric, block)
    assert sum("\n" in answer for answer, _ in block) > 30
    assert len({row[TYPES.index("rougeLsum")] for row in found}) > 60


@pytest.mark.nightly(but_each=2)
@METRIC
@BOTH
@given(block=blocks)
def test_values_do_not_depend_on_the_block(block, stemmer, tokenizer):
    metric = rouge(stemmer=stemmer, tokenizer=tokenizer)
    pairs = pairs_of(block)
    together = metric.measure_all(pairs)
    assert together == [metric.measure(*one) for one in pairs]
    assert together == metric.measure_all(pairs[::-1])[::-1]


@given(block=blocks)
def test_values_do_not_depend_on_what_fits_in_memory(block):
    metric = rouge(stemmer=True)
    whole = metric.measure_all(pairs_of(block))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "_FEW", 0)
        patch.setattr(lines, "_MOST_PAIRS", 2)
        patch.setattr(scores, "_MOST_TOKENS", 7)
        patch.setattr(vocabulary, "MOST_WORDS", 3)
        patch.setattr(vocabulary, "MOST_TEXT_CHARACTERS", 9)
        patch.setattr(lcs, "_MOST_BITS", 20)
        assert [*metric.measure_all(pairs_of(block))] == whole
        assert [metric.measure(*one) for one in pairs_of(block)] == whole


tokens = st.lists(st.integers(0, 4), max_size=70)


@given(reference=tokens, candidate=tokens, bits=st.sampled_from([1, 100, 1 << 28]))
def test_positions_are_those_that_rouge_score_reads_out(reference, candidate, bits):
    from rouge_score.rouge_scorer import lcs_ind

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lcs, "_MOST_BITS", bits)
        found = lcs_positions(reference, columns([candidate]))
    assert found[::-1] == lcs_ind(reference, candidate)


texts_of_lines = st.lists(tokens, min_size=1, max_size=5)


@given(answer=texts_of_lines, reference=texts_of_lines)
def test_hits_are_those_of_the_union_of_positions(answer, reference):
    from rouge_score.rouge_scorer import _union_lcs

    matched = [token for line in reference for token in _union_lcs(line, answer)]
    there = [token for line in answer for token in line]
    clipped = sum(min(matched.count(token), there.count(token)) for token in set(matched))
    assert summary_hits(answer, reference) == clipped


@pytest.mark.parametrize("lengths", [range(9), range(56, 64), [7, 8, 15, 16, 31, 32, 63]])
def test_hits_of_many_texts_at_once_are_those_of_each(lengths):
    rng = random.Random(5)

    def text():
        kinds = rng.choice([1, 3, 20])
        return [
            array("I", [rng.randrange(kinds) for _ in range(rng.choice(lengths))])
            for _ in range(rng.randrange(1, 6))
        ]

    sides = [text() for _ in range(150)], [text() for _ in range(150)]
    found = lines.hits(*map(lines.Lines, sides))
    assert found.tolist() == list(map(summary_hits, *sides))
    assert found.any()


@pytest.mark.parametrize(("reference", "f"), [("a b\na", 0.4), ("a b\nb", 0.8)])
def test_a_tie_between_subsequences_is_broken_as_in_rouge_score(measure, reference, f):
    # "a" and "b" are both a longest one with "b a"; the second line decides which is worth more.
    metric = rouge(types=["rougeLsum"])
    assert measure(metric, "b a", [reference]) == [f]
    assert expected(metric, [("b a", [reference])]) == [[f]]


@pytest.mark.nightly
def test_tokens_equal_rouge_scores_for_every_character():
    from rouge_score.tokenize import tokenize

    for start in range(0, 0x110000, 4096):
        text = " ".join(f"a{chr(code)}b" for code in range(start, start + 4096))
        assert original(text) == tokenize(text, None)


def test_identical_thai_is_1_with_the_unicode_tokenizer_only(measure):
    thai = "เธอรักแมว"
    assert measure(Rouge(), thai, [thai]) == [0, 0, 0, 0]
    assert measure(Rouge(Rouge.Options(tokenizer="unicode")), thai, [thai]) == [1, 1, 1, 1]


def test_unicode_words():
    assert unicode_words("Café CAFE\u0301, snake_case!") == ["café", "café", "snake", "case"]
    assert unicode_words("東京2 กำ") == ["東", "京", "2", "ก", "ำ"]


def test_what_counts_as_mostly_dropped():
    for text, dropped in [
        ("", False),
        ("plain words", False),
        ("!?“”…— 😀😀😀", False),  # no letter or digit is lost
        ("абв abc", False),  # just half
        ("абвг abc", True),
        ("абв ABC1", False),
        ("абвг “quoted” — x", False),
        ("กกก\u0e35\u0e35\u0e35 abc", False),  # vowel marks are no letters
        ("กขคง", True),
        ("٠١٢ ab", True),  # Arabic digits
        ("½½½ ab", False),  # a number, but not a digit
        ("\u212a\u212a\u212a", False),  # Kelvin signs are kept, as k
        ("\ud800\ud800", False),
    ]:
        assert mostly_dropped(text) is dropped, text


@given(st.text())
def test_mostly_dropped_counts_letters_and_digits_that_are_in_no_token(text):
    import unicodedata

    lower = text.lower()
    words = [
        c for c in lower if unicodedata.category(c)[0] == "L" or unicodedata.category(c) == "Nd"
    ]
    kept = sum(map(len, original(text)))
    assert mostly_dropped(text) is (len(words) - kept > len(words) / 2)


def test_a_remark_counts_the_texts_that_are_mostly_dropped():
    pairs = [
        pair("Кошка спит.", ["Кошка спит.", "The cat sleeps."]),
        pair("The cat sleeps.", ["Кот спит.", "แมวหลับ"]),
        pair("Кошка", []),  # not scored, not counted
    ]
    (remark,) = Rouge().remarks(pairs)
    assert "1 of 2 answers" in remark
    assert "3 of 4 references" in remark
    assert "tokenizer: unicode" in remark
    assert not Rouge(Rouge.Options(tokenizer="unicode")).remarks(pairs)


@pytest.mark.parametrize("text", ["The cat sleeps.", "Un café très serré", "“Quoted” – 😀", ""])
def test_no_remark_where_most_is_kept(text):
    assert not Rouge().remarks([pair(text, [text])])


def test_without_references_nothing_is_scored(measure):
    assert measure(Rouge(), "text", []) is None
    assert Rouge().measure_all([]) == []
    assert Rouge().measure_all(pairs_of([("", ["a\nb"])] * 40)) == [[0, 0, 0, 0]] * 40
    assert Rouge().measure_all(pairs_of([("a", []), ("a", ["a"]), ("", [])])) == [
        None,
        [1, 0, 1, 1],
        None,
    ]


@pytest.mark.parametrize("text", ["", "\ud800\x00", "\n\n", "a " * 3000 + "\nb", "y" * 5000])
@BOTH
@METRIC
def test_any_text_can_be_scored(text, tokenizer, stemmer, measure):
    found = measure(rouge(tokenizer=tokenizer, stemmer=stemmer), text, [text, ""])
    assert len(found) == len(TYPES) and all(0 <= score <= 1 for score in found)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(vocabulary, "MOST_WORDS", 50)
    monkeypatch.setattr(vocabulary, "MOST_TEXT_CHARACTERS", 200)
    monkeypatch.setattr(vocabulary, "_vocabularies", {})
    for number in range(100):
        text = " ".join(f"word{number}x{place}" for place in range(10))
        Rouge().measure(*pair(text, [text]))
        found = vocabulary.vocabulary("original", False)
        assert len(found) <= 60
        assert found._text_characters <= 200 + len(text)
        assert sum(map(len, found._texts)) == found._text_characters
    assert len(vocabulary._vocabularies) == 1


def test_one_word_of_any_length_is_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(vocabulary, "_vocabularies", {})
    Rouge().measure(*pair("a" * (vocabulary.MOST_WORD_CHARACTERS + 1), ["a"]))
    assert len(vocabulary.vocabulary("original", False)) == 0


def test_threads_agree_on_the_numbers_of_words():
    shared = vocabulary.Vocabulary("original", stemmer=True)
    words = [f"runner{number}s" for number in range(3000)]
    found = [None] * 4

    def read(place):
        found[place] = shared.text(" ".join(words)).tokens

    threads = [threading.Thread(target=read, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one == found[0] for one in found)
    assert len(set(found[0])) == len({stem(word) for word in words})


def test_score_names_follow_the_types():
    assert Rouge().score_names() == ("rouge1", "rouge2", "rougeL", "rougeLsum")
    assert Rouge(Rouge.Options(types=["rougeL"])).score_names() == ("rougeL",)


def test_wrong_types_are_refused():
    for types in [[], ["rouge1", "rouge1"], ["rougeX"], ["rouge0"], ["rouge10"]]:
        with pytest.raises(ValidationError):
            Rouge.Options(types=types)


def test_the_signature_says_what_changes_the_numbers():
    one = Rouge().signature()
    assert one == "rouge|measure:f|agg:mean|stem:no|tok:original|rev:1"
    assert Rouge(Rouge.Options(stemmer=True)).signature() != one


LOADED = "sys.exit(bool({'nltk', 'scipy', *sys.argv[1:]} & set(sys.modules)))"
SCORED = (
    "import harness; p = harness.Prediction('1', 'dogs running');"
    "e = harness.Example('1', ({'role': 'user', 'content': '?'},), ('a dog ran',));"
    "harness_rouge.Rouge(harness_rouge.Rouge.Options(stemmer=True)).measure(p, e);"
)


def test_importing_the_plugin_imports_nothing_heavy():
    code = f"import sys, harness_rouge; {LOADED}"
    subprocess.run([sys.executable, "-c", code, "numpy", "rapidfuzz"], check=True)


def test_scoring_does_not_import_nltk():
    code = f"import sys, harness_rouge; {SCORED} {LOADED}"
    subprocess.run([sys.executable, "-c", code], check=True)
