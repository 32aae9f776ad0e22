"""Refusals and languages."""

from __future__ import annotations

import pytest

from harness_detectors import Basic, languages

GERMAN = "Der Zug ist heute leider verspätet."
SURE = "The plan can be changed on the first day of each month."


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I am not able to change the plan on the first day.",
        "As an AI language model, I know no plans.",
        "I'm sorry for any misunderstanding, but I don't have the ability to change a plan.",
        "I’m unable to change the plan.",
        "Das tut mir leid, ich kann dir dabei nicht helfen.",
        "Je ne peux pas répondre à cette question.",
        "Lo siento, no puedo ayudar con eso.",
        "Я не могу ответить на этот вопрос.",
        "对不起，我无法回答这个问题。",
    ],
)
def test_refusals(labels, answer):
    assert labels(answer, SURE)["refusal"]
    assert "refusal" not in labels(answer, "I'm unable to do so.")


@pytest.mark.parametrize(
    "answer",
    [
        "The plan cannot be changed.",
        "You can't change the plan, but I can tell you when it ends.",
        "I can change the plan on the first day.",
        "Sorry for the delay! The plan is changed.",
        "We do not change plans.",
    ],
)
def test_what_is_no_refusal(labels, answer):
    assert "refusal" not in labels(answer, SURE)


def test_scripts():
    for text, script in [
        ("The plan", "Latin"), ("Доброе утро", "Cyrillic"), ("καλημέρα", "Greek"),
        ("我喜欢看书", "Han"), ("私は本を読みます", "Japanese"), ("안녕하세요", "Hangul"),
        ("שלום לך", "Hebrew"), ("مرحبا بك", "Arabic"), ("नमस्ते", "Devanagari"),
        ("สวัสดีครับ", "Thai"), ("123 -- !", ""), ("ab", ""), ("ab我喜", ""),
    ]:  # fmt: skip
        assert languages.script(text) == script, text


def test_another_script_than_the_references(labels):
    found = labels("Good morning, my friend.", "Доброе утро, мой друг.")
    assert found["wrong language"] == "Latin script, references Cyrillic: Good morning, my friend."
    assert "wrong language" not in labels("Доброе утро, Maria.", "Доброе утро, мой друг.")
    assert "wrong language" not in labels("def f(x): return x", "Доброе утро, мой друг.")
    assert "wrong language" not in labels("1945", "Доброе утро, мой друг.")
    german = "Der Plan ist gut und frei."
    assert "wrong language" not in labels(german, SURE, languages="scripts")
    assert labels(german, SURE)["wrong language"].startswith("de, references en: ")


def test_without_the_package_the_option_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("harness_detectors.options.LANGUAGES", "no_such_package_here")
    with pytest.raises(ValueError, match="pip install py3langid"):
        Basic.Options(languages="py3langid")


@pytest.mark.parametrize(
    ("answer", "reference", "evidence"),
    [
        ("The train is late today, so please wait here.", GERMAN,
         "en, references de: The train is late today, so please wait here."),
        ("Der Zug hat heute Verspätung, bitte warten.", GERMAN, None),
        ("The train", GERMAN, None),
        ("```\nreturn the value of this and that\n```", GERMAN, None),
    ],
)  # fmt: skip
def test_languages_of_one_script(labels, answer, reference, evidence):
    found = labels(answer, reference)
    assert found.get("wrong language") == evidence
