"""``meteor`` against NLTK with the whole WordNet 3.0, and against a stored table without it."""

from __future__ import annotations

import itertools
import json
import lzma
import random
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import harness
import harness_nltk
from harness_nltk import Meteor, meteor, wordnet

TABLE = json.loads(Path(__file__).with_name("meteor_expected.json").read_text())
WORDS = [
    "cars",
    "automobile",
    "dogs",
    "dog",
    "ran",
    "run",
    "geese",
    "goose",
    "better",
    "good",
    "wolves",
    "wolf",
    "the",
    "a",
    "bought",
    "purchase",
    "Purchased",
    "big",
    "large",
    "biggest",
    "ice_cream",
    "Paris",
    "paris",
    "u.s.",
    "men",
    "man",
    "ran.",
    "études",
    "is",
    "be",
    "mice",
    "happily",
    "quickly",
    "fast",
    "slower",
    "dying",
    "die",
    "news",
    "left",
    "leaves",
    "leave",
]
WORD_OR_SIGNS = re.compile(r"\w+|[^\w\s]+")
texts = st.one_of(
    st.just(""),
    st.text(),
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
    st.lists(st.sampled_from(WORDS[:4]), min_size=20, max_size=90).map(" ".join),
    st.builds(lambda word, n: f"{word} " * n, st.sampled_from(WORDS), st.integers(1, 300)),
)


class NoSynsets:
    """A WordNet that knows no word."""

    def synsets(self, word):
        return []


def nltk_score(reader, options, answer, references):
    """What NLTK itself says, of the tokens that the plugin's documentation promises."""
    from nltk.translate.meteor_score import meteor_score

    split = str.split if options.tokenizer == "whitespace" else WORD_OR_SIGNS.findall
    weights = {name: getattr(options, name) for name in ("alpha", "beta", "gamma")}
    return meteor_score([split(text) for text in references], split(answer), wordnet=reader,
                        **weights)  # fmt: skip


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["answer"][:20])
def test_equals_the_stored_scores(row, measure):
    metric = Meteor(Meteor.Options(**row["options"]))
    assert measure(metric, row["answer"], row["references"]) == row["score"]


@pytest.mark.nightly
def test_the_table_is_what_nltk_says(full_wordnet):
    for row in TABLE["rows"]:
        options = Meteor.Options(**row["options"])
        score = nltk_score(full_wordnet, options, row["answer"], row["references"])
        assert score == row["score"], row


@pytest.mark.nightly
@settings(suppress_health_check=list(HealthCheck))
@given(answer=texts, references=st.lists(texts, min_size=1, max_size=4),
       tokenizer=st.sampled_from(["words", "whitespace"]), synonyms=st.booleans(),
       weights=st.tuples(st.floats(0, 1), st.floats(0, 9), st.floats(0, 1)))  # fmt: skip
def test_equals_nltk(full_wordnet, measure, answer, references, tokenizer, synonyms, weights):
    alpha, beta, gamma = weights
    metric = Meteor(Meteor.Options(alpha=alpha, beta=beta, gamma=gamma, tokenizer=tokenizer,
                                   synonyms=synonyms))  # fmt: skip
    reader = full_wordnet if synonyms else NoSynsets()
    score = nltk_score(reader, metric.options, answer, references)
    assert measure(metric, answer, references) == score


@pytest.mark.nightly
@pytest.mark.parametrize("synonyms", [True, False])
def test_equals_nltk_on_thousands_of_passages(full_wordnet, synonyms):
    rng = random.Random(7)
    glosses = [synset.definition() for synset in itertools.islice(full_wordnet.all_synsets(), 3000)]
    metric = Meteor(Meteor.Options(synonyms=synonyms))
    pairs = []
    for number, gloss in enumerate(glosses):
        words = gloss.split()
        answer = [rng.choice([word, word, word + "s", rng.choice(WORDS)]) for word in words]
        references = [gloss, *rng.sample(glosses, number % 3)]
        pairs.append(_pair(str(number), " ".join(answer), references))
    reader = full_wordnet if synonyms else NoSynsets()
    expected = [
        nltk_score(reader, metric.options, prediction.text, example.references)
        for prediction, example in pairs
    ]
    assert metric.measure_all(pairs) == expected
    shuffled = rng.sample(range(len(pairs)), 300)
    alone = [metric.measure(*pairs[place]) for place in shuffled]
    assert alone == [expected[place] for place in shuffled]


def _pair(name, answer, references):
    example = harness.Example(name, ({"role": "user", "content": "?"},), tuple(references))
    return harness.Prediction(name, answer), example


def test_without_synonyms_the_score_has_another_name(measure, monkeypatch):
    monkeypatch.setattr(wordnet, "DATA", Path("no such file"))
    monkeypatch.setattr(meteor, "load", lambda: pytest.fail("WordNet was asked"))
    plain = Meteor(Meteor.Options(synonyms=False))
    assert plain.score_names() == ("meteor-nosyn",) != Meteor().score_names()
    assert plain.inputs() == ()
    assert "syn:no" in plain.signature() and plain.signature().startswith("meteor-nosyn|")
    assert "syn:wordnet3.0" in Meteor().signature()
    assert measure(plain, "autos", ["car"]) == 0.0
    assert measure(plain, "a big red auto", ["a big red auto"]) > 0.9


@pytest.mark.parametrize("language", ["german", "russian", "french"])
def test_other_languages_have_nltks_snowball_stems(language, measure):
    from nltk.stem.snowball import SnowballStemmer
    from nltk.translate.meteor_score import meteor_score

    texts = {
        "german": ("die Häuser standen leer", "das Haus stand lange leer"),
        "russian": ("красивые дома стоят", "красивый дом стоит давно"),
        "french": ("les maisons étaient vides", "la maison était toujours vide"),
    }
    answer, reference = texts[language]
    metric = Meteor(Meteor.Options(language=language, synonyms=False))
    wanted = meteor_score(
        [reference.split()], answer.split(), stemmer=SnowballStemmer(language),
        wordnet=NoSynsets(),
    )  # fmt: skip
    assert measure(metric, answer, [reference]) == wanted > 0
    assert f"stem:snowball-{language}" in metric.signature()
    with pytest.raises(ValueError, match="WordNet holds English words"):
        Meteor.Options(language=language)


def test_references_are_forgotten_when_they_get_too_many():
    read = meteor.References(str.split, limit=40)
    first = read("one two")
    assert read("one two") is first
    for number in range(10):
        read(f"text {number}")
    assert read._held <= 40 and len(read._known) == 4
    again = read("one two")
    assert again is not first and again == first
    assert len(read("w " * 100).stems) == 100 and read._held <= 40, "too long to be held"


def test_synonyms_equal_nltks_for_a_thousand_words(full_wordnet):
    rng = random.Random(5)
    lemmas = sorted(full_wordnet.all_lemma_names())
    exceptions = sorted(form for part in "nvar" for form in full_wordnet._exception_map[part])
    words = rng.sample(lemmas, 1000) + rng.sample(exceptions, 300)
    endings = ["s", "es", "ed", "ing", "er", "est", "men", "ies", "xes"]
    words += [word + rng.choice(endings) for word in words]
    for word in words:
        names = {n for synset in full_wordnet.synsets(word) for n in synset.lemma_names()}
        expected = {n for n in names if "_" not in n and n == n.lower()} | {word}
        assert wordnet.load().synonyms(word) == expected, word


@pytest.mark.nightly
def test_the_data_file_is_what_the_script_makes(wordnet_folder):
    from harness_nltk.build_wordnet import extract

    assert lzma.decompress(wordnet.DATA.read_bytes()).decode() == extract(wordnet_folder)


@pytest.mark.nightly
def test_nltks_reader_can_be_made_from_the_folder(wordnet_folder, full_wordnet):
    from harness_nltk.build_wordnet import nltk_reader

    reader = nltk_reader(wordnet_folder)
    assert reader.get_version() == "3.0"
    for word in ("dogs", "better", "ran", "happily"):
        names = [synset.name() for synset in reader.synsets(word)]
        assert names == [synset.name() for synset in full_wordnet.synsets(word)] != []


def test_the_licence_lies_beside_the_data():
    licence = wordnet.DATA.with_name("LICENSE-WordNet.txt").read_text()
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence
    assert wordnet.DATA.stat().st_size < 1_000_000


def test_a_synonym_counts_as_a_match(measure):
    assert measure(Meteor(), "autos", ["car"]) == 0.5
    assert measure(Meteor(), "autos", ["house"]) == 0.0


def test_without_references_nothing_is_scored(measure):
    assert measure(Meteor(), "text", []) is None


def test_the_best_reference_counts(measure):
    alone = [measure(Meteor(), "a red car", [text]) for text in ("no", "a car", "the red car")]
    assert measure(Meteor(), "a red car", ["no", "a car", "the red car"]) == max(alone) > 0


def test_any_text_can_be_scored(measure):
    for text in ["", "\ud800 \x00", "y" * 20_000, "\n\t", "İ ß ſ 猫"]:
        score = measure(Meteor(), text, [text, "word"])
        assert (0 if not text.split() else 0.5) <= score <= 1, text


@pytest.mark.parametrize("damage", ["flipped", "cut", "missing"])
def test_a_damaged_data_file_is_one_environment_failure(damage, tmp_path, monkeypatch):
    path = tmp_path / "wordnet30.xz"
    packed = bytearray(wordnet.DATA.read_bytes())
    packed[len(packed) // 2] ^= 1
    if damage != "missing":
        path.write_bytes(packed if damage == "flipped" else packed[:1000])
    monkeypatch.setattr(wordnet, "DATA", path)
    with pytest.raises(harness.EnvironmentFailure) as failure:
        Meteor().inputs()
    assert failure.value.where == str(path)
    assert failure.value.hint == "install iteration-harness again"
    with pytest.raises(harness.EnvironmentFailure):
        wordnet.load(path)


def test_the_data_file_is_an_input():
    assert Meteor().inputs() == (wordnet.DATA,)


@pytest.mark.parametrize(
    "text",
    [
        "Don't pay $3.50 — ça_va? " + string.punctuation,
        "I PAY",
        "İSTANBUL Σ.ΑΣ",
        "\x85a\u2028b",
    ],
)
def test_the_words_tokenizer_is_nltks_wordpunct(text):
    from nltk.tokenize import WordPunctTokenizer

    expected = [word.lower() for word in WordPunctTokenizer().tokenize(text)]
    assert harness_nltk.tokens(text) == expected


@given(st.text())
def test_tokens_are_those_of_the_rule(text):
    assert harness_nltk.tokens(text) == [word.lower() for word in WORD_OR_SIGNS.findall(text)]


def test_the_plugin_imports_no_numpy_and_a_metric_in_use_no_nltk():
    code = (
        "import sys, harness; from harness_nltk import Meteor; assert 'numpy' not in sys.modules;"
        "e = harness.Example('1', (), ('a car',)); p = harness.Prediction('1', 'an auto');"
        "assert Meteor().measure(p, e) > 0; sys.exit('nltk' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
