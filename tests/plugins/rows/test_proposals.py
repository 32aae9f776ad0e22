"""Which columns are proposed for prompt and answer, by names and by what stands in them."""

from __future__ import annotations

import pytest

from harness_rows.proposals import Choice, kind_of, options, propose, role_of

TEXTS = [f"what is said of number {n} here" for n in range(40)]
OTHERS = [f"and {n} is what is answered" for n in range(40)]
NAMES = [f"k{n // 4}" for n in range(40)]
KINDS = ["alpha", "beta"] * 20


def records(**columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def proposed(**columns):
    return propose(list(columns), records(**columns))


@pytest.mark.parametrize(
    ("columns", "prompt", "answer"),
    [
        ({"one": TEXTS, "two": OTHERS}, "one", "two"),
        ({"who": NAMES, "one": TEXTS, "two": OTHERS, "n": list(range(40))}, "one", "two"),
        ({"word": [f"{a}{b}" for a in "abcde" for b in "fghijklm"],
          "wort": [f"{a}{b}" for a in "fghijklm" for b in "abcde"]}, "word", "wort"),
        ({"satz": TEXTS, "urteil": KINDS}, "satz", "urteil"),
        ({"antwort": OTHERS, "nummer": list(range(40)), "frage": TEXTS}, "frage", "antwort"),
        ({"a": OTHERS, "b": OTHERS, "Kundenanfrage": TEXTS, "Unsere Antwort": OTHERS},
         "Kundenanfrage", "Unsere Antwort"),
        ({"userQuery": TEXTS, "botResponse": OTHERS, "x": OTHERS}, "userQuery", "botResponse"),
        ({"title": OTHERS, "review": TEXTS, "stars": [n % 5 for n in range(40)]},
         "review", "stars"),
        ({"subject": OTHERS, "body": TEXTS, "comment sent": OTHERS, "category": KINDS,
          "reply": OTHERS}, "body", "reply"),
    ],
)  # fmt: skip
def test_one_pair_can_be_meant(columns, prompt, answer):
    columns = {name.replace("comment sent", "internal note"): v for name, v in columns.items()}
    found = proposed(**columns)
    assert found.sure and found.choices[0] == Choice(prompt, answer)


@pytest.mark.parametrize(
    "columns",
    [
        {"one": TEXTS, "two": OTHERS, "three": TEXTS},
        {"one": TEXTS, "two": list(range(40))},
        {"one": TEXTS},
        {"one": TEXTS, "two": KINDS, "three": KINDS},
        {"one": NAMES, "two": KINDS},
        {"claim": TEXTS, "evidence": OTHERS, "verdict": KINDS},
        {"comment": TEXTS, "toxic": [0, 1] * 20, "rude": [0, 0, 0, 1] * 10},
        {"question": TEXTS, "answer 1": OTHERS, "answer 2": OTHERS},
        {"question": TEXTS, "comment": OTHERS},
        {"What did you like?": TEXTS, "What not?": OTHERS},
        {"What did you like?": TEXTS, "Country": KINDS},
    ],
)
def test_where_more_or_nothing_can_be_meant_nobody_guesses(columns):
    assert not proposed(**columns).sure


def test_two_texts_may_be_read_together_for_a_label():
    found = proposed(premise=TEXTS, hypothesis=OTHERS, label=[0, 1, 2, 1] * 10)
    assert not found.sure
    assert Choice("premise", "label", "{premise}\n\n{hypothesis}") in found.choices


def test_every_answer_is_a_choice():
    found = proposed(question=TEXTS, **{"answer a": OTHERS, "answer b": OTHERS})
    assert [one.answer for one in found.choices] == ["answer a", "answer b"]


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Question", "Answer"), ("Customer Message", "Agent Reply"), ("Frage", "Antwort"),
        ("Pregunta", "Respuesta"), ("Question du client", "Réponse de l'agent"),
        ("pergunta", "resposta"), ("domanda", "risposta"), ("vraag", "antwoord"),
        ("pytanie", "odpowiedź"), ("otázka", "odpověď"), ("вопрос", "ответ"),
        ("питання", "відповідь"), ("soru", "cevap"), ("fråga", "svar"), ("kysymys", "vastaus"),
        ("kérdés", "válasz"), ("întrebare", "răspuns"), ("ερώτηση", "απάντηση"),
        ("質問", "回答"), ("问题", "答案"), ("질문", "답변"), ("السؤال", "الجواب"),
        ("שאלה", "תשובה"), ("प्रश्न", "उत्तर"), ("คำถาม", "คำตอบ"), ("pertanyaan", "jawaban"),
    ],
)  # fmt: skip
def test_names_in_other_languages(prompt, answer):
    assert (role_of(prompt), role_of(answer)) == ("prompt", "answer")
    found = proposed(**{"0": OTHERS, answer: OTHERS, prompt: TEXTS})
    assert found.sure and found.choices[0] == Choice(prompt, answer)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, 3], "number"), (["1", "2,50 €", "-3"], "number"),
        ([f"{n}.03.2024" for n in range(1, 20)], "date"), (["2024-01-02T10:00:00Z"] * 3, "date"),
        (["Tue, 2 Jan 2024 09:00:00 +0100", "Wed, 3 Jan 2024 09:00:00 +0100"], "date"),
        (["00:00:01,120", "00:00:02,480"], "date"), (["a@b.org", "<1.2@c.org>"], "address"),
        (["https://x.org/a", "http://y.org"], "address"),
        ([f"R{n:06}" for n in range(20)], "id"), ([f"{n:032x}" for n in range(20)], "id"),
        (KINDS, "label"), ([True, False] * 10, "label"), ([1, 2, 3, 4, 5] * 9, "rating"),
        (TEXTS, "text"), (["", None, *TEXTS], "text"), ([["alpha"], ["beta"]] * 20, "label"),
        ([{"a": 1}], "no text"), ([[{"a": 1}]], "no text"), (["", None], "no text"),
        (["hers", "his", "its", "their", "our"], "short"),
        (["今日は荷物が届きました", "請求書の住所を変更したい"], "text"),
        ([f"我的订单{n}什么时候到" for n in range(20)], "text"),
    ],
)  # fmt: skip
def test_kinds_of_columns(values, kind):
    assert kind_of(values) == kind


def test_a_number_or_a_date_is_nothing_whatever_it_is_called():
    dates = [f"2024-01-{n % 28 + 1:02}" for n in range(40)]
    found = proposed(question=list(range(40)), answer=dates, text=TEXTS, other=OTHERS)
    assert found.choices[0] == Choice("text", "other")


def test_options_of_an_exam():
    assert options(["id", "A", "B", "C", "D"]) == {"A": "A", "B": "B", "C": "C", "D": "D"}
    assert options(["option_a", "option_b", "x"]) == {"A": "option_a", "B": "option_b"}
    assert options(["opción 1", "opción 2", "opción 3"]) == {
        "1": "opción 1", "2": "opción 2", "3": "opción 3",
    }  # fmt: skip
    assert options(["A", "C"]) == {} and options(["a{", "b"]) == {} and options([]) == {}
