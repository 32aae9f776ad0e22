"""``meteor`` against NLTK with the whole WordNet 3.0, and against a stored table without it."""

from __future__ import annotations

import json
import lzma
import random
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import harness
from harness_nltk import Meteor, wordnet

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
texts = st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))


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


def test_the_table_is_what_nltk_says(full_wordnet):
    for row in TABLE["rows"]:
        options = Meteor.Options(**row["options"])
        score = nltk_score(full_wordnet, options, row["answer"], row["references"])
        assert score == row["score"], row


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(answer=texts, references=st.lists(texts, min_size=1, max_size=3),
       tokenizer=st.sampled_from(["words", "whitespace"]))  # fmt: skip
def test_equals_nltk(full_wordnet, measure, answer, references, tokenizer):
    metric = Meteor(Meteor.Options(tokenizer=tokenizer))
    score = nltk_score(full_wordnet, metric.options, answer, references)
    assert measure(metric, answer, references) == score


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


def test_the_data_file_is_what_the_script_makes(wordnet_folder):
    from harness_nltk.build_wordnet import extract

    assert lzma.decompress(wordnet.DATA.read_bytes()).decode() == extract(wordnet_folder)


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


@pytest.mark.parametrize("text", ["", "\ud800 \x00", "y" * 20_000, "\n\t", "İ ß ſ 猫"])
def test_any_text_can_be_scored(text, measure):
    score = measure(Meteor(), text, [text, "word"])
    assert (0 if not text.split() else 0.5) <= score <= 1


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
    assert failure.value.hint == "install harness again"
    with pytest.raises(harness.EnvironmentFailure):
        wordnet.load(path)


def test_the_data_file_is_an_input():
    assert Meteor().inputs() == (wordnet.DATA,)


def test_importing_the_plugin_imports_no_nltk():
    code = "import sys, harness_nltk; sys.exit('nltk' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_words_tokenizer_is_nltks_wordpunct():
    from nltk.tokenize import WordPunctTokenizer

    text = "Don't pay $3.50 — ça_va? " + string.punctuation
    tokens = [word.lower() for word in WordPunctTokenizer().tokenize(text)]
    assert Meteor()._tokens(text) == tokens
