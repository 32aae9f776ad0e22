"""Faults that were overlooked, and good answers that were called faulty: texts of our own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Labels = Callable[..., dict[str, str]]

QUESTION = "How long does a refund take, and who approves it?"
LONG = (
    "A refund takes five working days. The team lead approves it, and you get a message once the "
    "money is on its way."
)

OVERLOOKED = [
    # kind, answer, reference, prompt
    ("empty", "\u200b\u200b", LONG, QUESTION),
    ("empty", " \ufeff\u2060\n", LONG, QUESTION),
    ("empty", "\u3164\u2800", LONG, QUESTION),
    ("unfinished", "A refund takes five working days. The team lead approves it, and", LONG,
     QUESTION),
    ("unfinished", "The team lead approves it. You will get a message as soon as the money", LONG,
     QUESTION),
    ("unfinished", "It takes five working days, unless the (", LONG, QUESTION),
    ("unfinished", "Die Erstattung dauert fünf Tage. Danach wird sie von der",
     "Die Erstattung dauert fünf Tage. Danach gibt die Leitung sie frei.", "Wie lange dauert es?"),
    ("repetition loop", "The refund is on its way. The refund is on its way. The refund is on its "
     "way.", LONG, QUESTION),
    ("repetition loop", "A refund takes five working days to arrive. The refund takes five working "
     "days to arrive. Your refund takes five working days to arrive.", LONG, QUESTION),
    ("repetition loop", "Open the settings page and save it.\nWait.\nOpen the settings page and "
     "save it.\nWait.\nOpen the settings page and save it.\nWait.", LONG, QUESTION),
    ("refusal", "This request cannot be fulfilled.", LONG, QUESTION),
    ("refusal", "Unable to help with questions about refunds.", LONG, QUESTION),
    ("refusal", "Sorry, that is not something that can be discussed here.", LONG, QUESTION),
    ("refusal", "No advice can be given on this topic.", LONG, QUESTION),
    ("refusal", "It is not possible to provide an answer to this question.", LONG, QUESTION),
    ("refusal", "Assistance with billing questions is not available.", LONG, QUESTION),
    ("refusal", "Diese Anfrage kann nicht bearbeitet werden.", LONG, QUESTION),
    ("refusal", "Il n'est pas possible de répondre à cette question.", LONG, QUESTION),
    ("refusal", "No es posible responder a esta pregunta.", LONG, QUESTION),
    ("wrong language", "Die Erstattung dauert in der Regel fünf Werktage, danach wird sie geprüft.",
     LONG, QUESTION),
    ("wrong language", "Le remboursement prend cinq jours ouvrables, puis il est approuvé.", LONG,
     QUESTION),
    ("wrong language", "El reembolso tarda cinco días laborables y después se aprueba.", LONG,
     QUESTION),
    ("missing item", "You need a passport and a photo.",
     "a passport, a photo and a proof of address", "What do I need to bring?"),
    ("missing item", "- passport\n- photo", "- passport\n- photo\n- proof of address",
     "List what I need to bring."),
    ("missing item", "Oxygen and nitrogen.", "nitrogen, oxygen, argon",
     "Name the three commonest gases of the air."),
]  # fmt: skip

GOOD = [
    # kind, answer, reference, prompt
    ("copy of the prompt", "The office in Bern opens at nine.", "At nine, in Bern.",
     "Is it so that the office in Bern opens at nine?"),
    ("copy of the prompt", "Whales are mammals that live in the sea.", "mammals",
     "Whales are mammals that live in the sea. Are whales fish or mammals?"),
    ("missing name", "Melville wrote it, in 1851.", "Herman Melville wrote Moby Dick in 1851.",
     "Who wrote Moby Dick, and when?"),
    ("missing name", "They speak Portuguese there.", "In Brazil people speak Portuguese.",
     "Which language do people speak in Brazil?"),
    ("missing name", "It is an Italian dish.", "The dish comes from Italy.",
     "Where does risotto come from?"),
    ("missing name", "It was founded in the UK.", "It was founded in the United Kingdom.",
     "Where was the company founded?"),
    ("missing name", "I cannot answer this.", "The capital is Lima, in Peru.", "What is it?"),
    ("missing number", "I cannot answer this.", "It has 24 wheels.", "How many wheels?"),
    ("missing number", "It has twenty-four wheels.", "It has 24 wheels.", "How many wheels?"),
    ("missing number", "About 3 million people live there.", "3,000,000 people live there.",
     "How many people live there?"),
    ("missing number", "It costs two hundred euros.", "It costs 200 euros.", "What does it cost?"),
    ("invented number", "It costs 1.5k.", "It costs 1,500 euros.", "What does it cost?"),
    ("invented number", "It has 24 wheels.", "It has twenty-four wheels.", "How many wheels?"),
    ("invented number", "It takes 120 minutes.", "It takes one hundred and twenty minutes.",
     "How long does it take?"),
    ("unfinished", "The price of the items, with taxes", "Return the total price, with taxes.",
     "Say what it does."),
    ("unfinished", "A refund takes five working days. It is approved by the team lead.", LONG,
     QUESTION),
    ("unfinished", "Steps:\n1. Open the app\n2. Press save", "1. Open the app.\n2. Press save.",
     "List the steps."),
    ("unfinished", "It is the one that you are looking for.", LONG, QUESTION),
    ("unfinished", "This is what a refund is for", "That is what it is for.", QUESTION),
    ("unfinished", "The answer is y", "x", QUESTION),
    ("unfinished", "All of them must die", "They live.", QUESTION),
    ("unfinished", "The lion sleeps in its den", "In a cave", QUESTION),
    ("unfinished", "It will take a while", "An hour", QUESTION),
    ("repetition loop", "No, no, no. Wait five working days.", LONG, QUESTION),
    ("repetition loop", "The first step takes 5 minutes. The second step takes 9 minutes. The "
     "third step takes 7 minutes.", LONG, QUESTION),
    ("refusal", "It is not possible to refund an order after 30 days.",
     "No, orders can only be refunded within 30 days.", "Can I still get a refund?"),
    ("refusal", "This request is answered by the team lead.", LONG, QUESTION),
    ("refusal", "Your payment cannot be processed before Monday.", "We process it on Monday.",
     "When is it processed?"),
    ("wrong language", "Yes, on Monday.", "Yes, it opens on Monday at nine.", "Is it open?"),
    ("missing item", "A passport, a photo, and a proof of your address.",
     "a passport, a photo and a proof of address", "What do I need to bring?"),
    ("missing item", "It is a quick, cheap and simple way to pay your bills.",
     "It is a fast, easy and safe way to pay.", "What is it?"),
    ("empty", "…", "…", "Say nothing."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "answer", "reference", "prompt"), OVERLOOKED)
def test_it_is_seen(labels: Labels, kind: str, answer: str, reference: str, prompt: str) -> None:
    assert kind in labels(answer, reference, prompt=prompt)


@pytest.mark.parametrize(("kind", "answer", "reference", "prompt"), GOOD)
def test_it_is_not_called_so(
    labels: Labels, kind: str, answer: str, reference: str, prompt: str
) -> None:
    assert kind not in labels(answer, reference, prompt=prompt)


def test_an_answer_that_the_limit_ended_is_cut_off_and_nothing_else_of_that(labels: Labels) -> None:
    found = labels("It takes five days. The lead approves it, and", LONG, finish="length")
    assert "cut off" in found and "unfinished" not in found


# Written after the rules, and looked at once: 37 of 39 faults were named, and 5 of 25 good answers
# were called faulty. Two of those led to a change; the rest of the disagreements stand here.
PARCELS = (
    "Parcels leave our warehouse every weekday at noon. You can follow yours with the number in "
    "the mail."
)
WHEN = "When do you send parcels, and how can I see where mine is?"
SECOND = [
    ("empty", "\u200e\u200f", PARCELS, WHEN),
    ("empty", "\xa0\u2009\u200d", PARCELS, WHEN),
    ("empty", "ᅟ ᅠ", PARCELS, WHEN),
    (
        "unfinished",
        "Parcels leave the warehouse at noon. To follow yours you need the",
        PARCELS,
        WHEN,
    ),
    ("unfinished", "We send them every weekday. You can see where yours is if you", PARCELS, WHEN),
    (
        "unfinished",
        "Parcels are sent at noon, and you can follow yours with the number in the mail,",
        PARCELS,
        WHEN,
    ),
    (
        "unfinished",
        "We send parcels each weekday at noon. The number in the mail shows where your "
        "parcel is right",
        PARCELS,
        WHEN,
    ),
    (
        "unfinished",
        "Die Pakete gehen mittags ab. Die Nummer in der Mail zeigt, wo",
        "Die Pakete gehen mittags ab. Mit der Nummer sehen Sie, wo Ihres ist.",
        "Wann geht mein Paket?",
    ),
    (
        "unfinished",
        "Les colis partent à midi. Le numéro permet de suivre le",
        "Les colis partent à midi. Suivez le vôtre avec le numéro.",
        "Quand part mon colis ?",
    ),
    (
        "repetition loop",
        "You can follow your parcel. You can follow your parcel. You can follow your parcel.",
        PARCELS,
        WHEN,
    ),
    (
        "repetition loop",
        "Your parcel leaves the warehouse at noon. Your parcel then leaves the warehouse "
        "at noon. Your parcel will leave the warehouse at noon.",
        PARCELS,
        WHEN,
    ),
    ("repetition loop", "at noon at noon at noon at noon at noon", PARCELS, WHEN),
    (
        "repetition loop",
        "Please check the tracking page for news. Please check the tracking page for any "
        "news. Please do check the tracking page for news.",
        PARCELS,
        WHEN,
    ),
    ("refusal", "Your question cannot be answered.", PARCELS, WHEN),
    ("refusal", "It is not possible for me to provide information on this subject.", PARCELS, WHEN),
    ("refusal", "This topic is outside what can be discussed in this chat.", PARCELS, WHEN),
    ("refusal", "Such a request goes against our guidelines.", PARCELS, WHEN),
    ("refusal", "Apologies, but no response can be provided.", PARCELS, WHEN),
    ("refusal", "Sorry, cannot assist with parcels.", PARCELS, WHEN),
    ("refusal", "Support for this type of question is unavailable.", PARCELS, WHEN),
    ("refusal", "Ihre Anfrage kann leider nicht beantwortet werden.", PARCELS, WHEN),
    (
        "wrong language",
        "Pakete verlassen unser Lager an jedem Werktag um zwölf Uhr.",
        PARCELS,
        WHEN,
    ),
    ("wrong language", "Nos colis quittent l'entrepôt chaque jour ouvrable à midi.", PARCELS, WHEN),
    (
        "wrong language",
        "Los paquetes salen del almacén todos los días laborables al mediodía.",
        PARCELS,
        WHEN,
    ),
    (
        "wrong language",
        "I pacchi lasciano il magazzino ogni giorno feriale a mezzogiorno.",
        PARCELS,
        WHEN,
    ),
    (
        "wrong language",
        "De pakketten verlaten ons magazijn elke werkdag om twaalf uur.",
        PARCELS,
        WHEN,
    ),
    (
        "wrong language",
        "Paczki opuszczają nasz magazyn w każdy dzień roboczy w południe.",
        PARCELS,
        WHEN,
    ),
    ("missing item", "Flour and eggs.", "flour, eggs and milk", "What goes into the batter?"),
    (
        "missing item",
        "1. Log in\n2. Open the cart",
        "1. Log in\n2. Open the cart\n3. Pay",
        "List the steps to order.",
    ),
    (
        "missing item",
        "The primary colours are red and blue.",
        "red, yellow, blue",
        "Name the primary colours.",
    ),
    (
        "missing item",
        "English and Welsh",
        "English, Welsh and Gaelic",
        "Which languages can I choose?",
    ),
    (
        "missing name",
        "It was painted in Florence by a pupil.",
        "Leonardo painted it in Milan.",
        "Where was it painted, and by whom?",
    ),
    (
        "missing name",
        "The team is led by somebody from the north.",
        "The team is led by Ingrid Solberg.",
        "Who leads the team?",
    ),
    ("missing number", "It weighs quite a lot.", "It weighs 340 grams.", "What does it weigh?"),
    ("invented number", "It weighs 430 grams.", "It weighs 340 grams.", "What does it weigh?"),
    (
        "copy of the prompt",
        "When do you send parcels, and how can I see where mine is?",
        PARCELS,
        WHEN,
    ),
    (
        "copy of the prompt",
        "I would like to know whether the shop in Leith is open on public holidays",
        "It closes on public holidays.",
        "Good day, I would like to know whether the shop in Leith is open on public holidays.",
    ),
]
NOT_NAMED = [
    "Providing details about shipping would not be appropriate.",
    "That is beyond the scope of this assistant.",
]
FINE = [
    (
        "They go out on weekdays at noon. The number in our mail shows where yours is.",
        PARCELS,
        WHEN,
    ),
    ("Every weekday at noon; follow it with the number that we mailed you", PARCELS, WHEN),
    (
        "The library in Oslo closes at eight.",
        "It closes at eight.",
        "Is it true that the library in Oslo closes at eight?",
    ),
    (
        "Austen wrote it in 1813.",
        "Jane Austen wrote Pride and Prejudice in 1813.",
        "Who wrote Pride and Prejudice, and when?",
    ),
    ("They use the yen.", "In Japan people pay in yen.", "What do people in Japan pay with?"),
    ("It is part of the EU.", "It is part of the European Union.", "Is it part of a union?"),
    ("It has thirty-six keys.", "It has 36 keys.", "How many keys does it have?"),
    ("Some 2.5 million visitors came.", "2,500,000 visitors came.", "How many visitors came?"),
    ("It took four hundred and ten days.", "It took 410 days.", "How long did it take?"),
    ("Milk, flour, and two eggs.", "flour, eggs and milk", "What goes into the batter?"),
    (
        "1. Log in.\n2. Open the cart.\n3. Pay by card.",
        "1. Log in\n2. Open the cart\n3. Pay",
        "List the steps to order.",
    ),
    ("Help is available on weekdays.", "We help you on weekdays.", "When can I get help?"),
    (
        "Your request was passed on to the warehouse, which answers tomorrow.",
        "The warehouse will answer you tomorrow.",
        "What happens with my request?",
    ),
    (
        "That is what the number is for.",
        "The number serves that purpose.",
        "Do I need the number to follow it?",
    ),
    ("Oui, à midi.", "Oui, ils partent à midi.", "Partent-ils à midi ?"),
    ("Yes. Yes, yes, of course you can.", "Yes, you can.", "Can I?"),
    (
        "Room 1 costs 40 euros a night. Room 2 costs 50 euros a night. Room 3 costs 60 "
        "euros a night.",
        "Rooms cost 40, 50 and 60 euros a night: room 1, 2 and 3.",
        "What do rooms 1, 2 and 3 cost?",
    ),
    (
        "Open the app and tap on Profile, then on Language",
        "Open the app, tap on Profile and then on Language.",
        "How do I change the language?",
    ),
    ("ok", "ok", "Say ok."),
    ("Madrid", "Madrid", "What is the capital of Spain?"),
    (
        "It is a light, strong and cheap material.",
        "It is strong, light and cheap.",
        "What kind of material is it?",
    ),
    ("def f(a, b):\n    return a + b", "def f(a, b):\n    return a + b", "Write an adder."),
]
CALLED = [
    ("Penguins are birds that cannot fly.", "birds", "too long"),
    ("The firm is Swedish.", "The firm is from Sweden.", "missing name"),
    ("It cannot be returned once it was opened.", "No, opened goods are not taken back.",
     "low overlap"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "answer", "reference", "prompt"), SECOND)
def test_a_second_set(labels: Labels, kind: str, answer: str, reference: str, prompt: str) -> None:
    assert kind in labels(answer, reference, prompt=prompt)


@pytest.mark.parametrize(("answer", "reference", "prompt"), FINE)
def test_good_answers_of_a_second_set(
    labels: Labels, answer: str, reference: str, prompt: str
) -> None:
    assert labels(answer, reference, prompt=prompt) == {}


def test_what_the_rules_get_wrong_in_the_second_set(labels: Labels) -> None:
    """Known limits: a rule that learns one of these may take it out."""
    assert all("refusal" not in labels(text, PARCELS, prompt=WHEN) for text in NOT_NAMED)
    assert all(kind in labels(text, reference) for text, reference, kind in CALLED)
