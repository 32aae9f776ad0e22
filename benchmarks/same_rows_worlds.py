"""Made-up rows for ``same_rows.py``: short and alike, long, in several languages.

A world draws a prompt and its reference. ``TUNED`` stood beside the rule of
``harness/kit/alike/wording.py`` while it was made, ``NEW`` were written afterwards.
"""

from __future__ import annotations

import json
import operator
import random
from collections.abc import Callable

from harness.records import Example

Draw = random.Random
Make = Callable[[Draw], tuple[str, str]]


def _words(text: str) -> list[str]:
    return text.split()


ARTISTS = (
    "Miles Davis", "Nina Simone", "Queen", "The Beatles", "Adele", "Bach", "Mozart", "Drake",
    "Björk", "Prince", "Sade", "Enya",
)  # fmt: skip
GENRES = _words("jazz rock classical folk pop techno blues reggae music songs something")
ROOMS = _words("kitchen bedroom hall garage bathroom office garden cellar")
THINGS = _words("light lamp heating radio fan blinds television oven")
TIMES = (
    "at seven", "tomorrow", "tonight", "at noon", "on Friday", "next week", "at 6:30",
    "in an hour", "in ten minutes", "every morning",
)  # fmt: skip
CITIES = _words("Paris Oslo Lima Cairo Kyoto Porto Bern Quito Riga Turin Delhi Perth")
ERRANDS = (
    "call mum", "buy milk", "water the plants", "pay the rent", "take the pills", "feed the cat",
    "book a table", "send the report", "fetch the parcel", "wash the car",
)  # fmt: skip
NOUNS = _words(
    "river council bridge library harbour museum market school garden railway festival hospital "
    "stadium theatre airport farm factory forest castle lake"
)
VERBS = _words("opened closed moved burned grew bought sold repaired painted measured visited")
SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def row(name: str, text: str, *references: str) -> Example:
    return Example(name, ({"role": "user", "content": text},), references, split="test")


def syllables(draw: Draw, count: int) -> str:
    return "".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(count))


# -- worlds beside which the rule was made -------------------------------------------------------


def arithmetic(draw: Draw) -> tuple[str, str]:
    value = draw.randint(1, 60)
    text = str(value)
    for _ in range(draw.choice((1, 1, 1, 2))):
        sign, other = draw.choice("+-*"), draw.randint(1, 60)
        value, text = SIGNS[sign](value, other), f"{text} {sign} {other}"
    return f"What is {text}, from left to right?", str(value)


def comparison(draw: Draw) -> tuple[str, str]:
    one, other = draw.randint(1, 200), draw.randint(1, 200)
    sign = draw.choice(("<", ">"))
    return f"Is {one} {sign} {other}?", "yes" if (one < other) == (sign == "<") else "no"


def _asked(draw: Draw) -> tuple[str, str, dict[str, str]]:
    """What is said to an assistant of a house, its intent and its slots."""
    kind = draw.choice(("PlayMusic", "Device", "Weather", "Reminder", "Travel"))
    slots: dict[str, str] = {}

    def put(slot: str, values: tuple[str, ...] | list[str], chance: float, form: str) -> str:
        if draw.random() >= chance:
            return ""
        slots[slot] = draw.choice(values)
        return f" {form.format(slots[slot])}"

    if kind == "PlayMusic":
        text = draw.choice(("play", "put on", "start", "I want to hear"))
        text += put("genre", GENRES, 1, "{}") + put("artist", ARTISTS, 0.6, "by {}")
        text += put("room", ROOMS, 0.3, "in the {}")
    elif kind == "Device":
        text = draw.choice(("turn on", "turn off", "switch on", "switch off"))
        text += put("device", THINGS, 1, "the {}") + put("room", ROOMS, 0.6, "in the {}")
        text += put("time", TIMES, 0.3, "{}")
    elif kind == "Weather":
        text = draw.choice(("what is the weather", "will it rain", "how warm is it", "weather"))
        text += put("city", CITIES, 0.7, "in {}") + put("time", TIMES, 0.5, "{}")
    elif kind == "Reminder":
        text = draw.choice(("remind me to", "set a reminder to", "do not let me forget to"))
        text += put("what", ERRANDS, 1, "{}") + put("time", TIMES, 0.6, "{}")
    else:
        text = draw.choice(("book a train", "find a flight", "how long is the drive"))
        text += put("from", CITIES[:6], 1, "from {}") + put("to", CITIES[6:], 1, "to {}")
        text += put("time", TIMES, 0.5, "{}")
    return text, kind, slots


def intents(draw: Draw) -> tuple[str, str]:
    text, kind, _ = _asked(draw)
    return text, kind


def slot_filling(draw: Draw) -> tuple[str, str]:
    text, kind, slots = _asked(draw)
    return text, json.dumps({"intent": kind, **slots})


def attribute_lists(draw: Draw) -> tuple[str, str]:
    words = {
        "food": ("Italian", "French", "Indian", "Chinese", "English"),
        "area": ("riverside", "city centre"), "price": ("cheap", "moderate", "high"),
        "rating": ("1 of 5", "3 of 5", "5 of 5"),
        "near": ("Burger King", "Café Rouge", "The Sorrento"),
    }  # fmt: skip
    name = draw.choice(("Wildwood", "Aromi", "Blue Spice", "The Mill", "Zizzi", "Cotto", "Strada"))
    keys = sorted(draw.sample(list(words), draw.randint(1, 5)))
    chosen = {key: draw.choice(words[key]) for key in keys}
    text = ", ".join(f"{key}[{value}]" for key, value in {"name": name, **chosen}.items())
    told = ", ".join(f"{key} {value}" for key, value in chosen.items())
    return text, f"{name} is a place with {told}."


def json_questions(draw: Draw) -> tuple[str, str]:
    values = {
        "host": draw.choice(("alpha", "beta", "gamma", "delta")),
        "port": draw.choice((80, 443, 8080, 5432)),
        "user": draw.choice(("root", "admin", "guest")),
        "debug": draw.choice((True, False)), "retries": draw.randint(0, 5),
    }  # fmt: skip
    values = {key: values[key] for key in draw.sample(list(values), draw.randint(2, 5))}
    key = draw.choice(list(values))
    return f"What is the value of `{key}` in {json.dumps(values)}?", json.dumps(values[key])


def translated_words(draw: Draw) -> tuple[str, str]:
    word = syllables(draw, draw.randint(2, 4))
    return f"Translate: {word}", word[::-1]


def single_words(draw: Draw) -> tuple[str, str]:
    word = syllables(draw, draw.randint(2, 3))
    return word, word[::-1]


def german(draw: Draw) -> tuple[str, str]:
    asked = ("Wie komme ich", "Wann fährt der Bus", "Was kostet die Fahrt", "Wo finde ich den Weg")
    towns = _words("Köln München Zürich Graz Ulm Würzburg Münster Lübeck Jena Görlitz Fürth Bonn")
    when = ("am Samstag", "übermorgen", "in der Früh", "ohne umzusteigen", "mit dem Fahrrad")
    one, other = draw.sample(towns, 2)
    end = f" {draw.choice(when)}" if draw.random() < 0.5 else ""
    return (
        f"{draw.choice(asked)} von {one} nach {other}{end}?",
        draw.choice(("Auskunft", "Tarif", "Störung")),
    )


def japanese(draw: Draw) -> tuple[str, str]:
    towns = _words("東京 大阪 京都 札幌 福岡 名古屋 神戸 横浜 仙台 広島 金沢 長崎 那覇 奈良")
    things = _words("天気 人口 名物 歴史 駅 空港 祭り 大学 城 図書館 電話番号")
    ends = (
        "は何ですか。",
        "を教えてください。",
        "について詳しく説明してください。",
        "はどこですか。",
    )
    town, thing = draw.choice(towns), draw.choice(things)
    return f"{town}の{thing}{draw.choice(ends)}", f"{town}{thing}"


def arabic(draw: Draw) -> tuple[str, str]:
    towns = _words("القاهرة دمشق بغداد تونس الرباط عمان الدوحة مسقط صنعاء بيروت")
    things = _words("الطقس تاريخ خريطة مطار جامعة متاحف")
    asked, when = ("ما هو", "أخبرني عن", "أريد معرفة", "أين أجد"), ("", " اليوم", " غدا")
    text = f"{draw.choice(asked)} {draw.choice(things)} {draw.choice(towns)}{draw.choice(when)}؟"
    return text, draw.choice(("سفر", "أخبار", "تعليم"))


def sentence(draw: Draw) -> str:
    return (
        f"The {draw.choice(NOUNS)} of {syllables(draw, 2).title()} {draw.choice(VERBS)} "
        f"{draw.randint(2, 90)} {draw.choice(NOUNS)}s {draw.choice(('before', 'after', 'near'))} "
        f"the {draw.choice(NOUNS)}"
    )


def texts_to_write(draw: Draw) -> tuple[str, str]:
    kind = draw.choice(("poem", "story", "letter", "speech", "joke"))
    how = draw.choice(("in winter", "at night", "for a child", "in ten lines"))
    who, whom = draw.choice(NOUNS), draw.choice(NOUNS)
    return f"Write a {kind} about a {who} that {draw.choice(VERBS)} a {whom} {how}.", ""


def documents(draw: Draw) -> tuple[str, str]:
    text = ". ".join(sentence(draw) for _ in range(draw.randint(5, 30)))
    return f"{text}.", draw.choice(("town", "science", "sport"))


def code(draw: Draw) -> tuple[str, str]:
    name, one, other = (syllables(draw, 2) for _ in range(3))
    body = draw.choice((
        f"    return {one} {draw.choice('+-*/')} {other}",
        f"    for {other} in {one}:\n        print({other} + {draw.randint(1, 9)})",
        f"    if {one} > {draw.randint(1, 99)}:\n        return {other}\n    return None",
    ))  # fmt: skip
    asked = f"Does this function have a bug?\n\n```python\ndef {name}({one}, {other}):\n{body}\n```"
    return asked, draw.choice(("yes", "no"))


TUNED: dict[str, Make] = {
    "arithmetic": arithmetic, "comparison of numbers": comparison, "intents": intents,
    "slot filling": slot_filling, "attribute lists": attribute_lists,
    "JSON questions": json_questions, "words to translate": translated_words,
    "single words": single_words, "German": german, "Japanese": japanese, "Arabic": arabic,
    "texts to write, no reference": texts_to_write, "documents": documents, "code": code,
}  # fmt: skip


# -- worlds that were written afterwards ---------------------------------------------------------


def dates(draw: Draw) -> tuple[str, str]:
    months = _words("January March April June August October December")
    place = draw.randrange(len(months))
    day, year = draw.randint(1, 28), draw.randint(1950, 2030)
    return f"{day} {months[place]} {year}", f"{year}-{2 * place + 1:02}-{day:02}"


def queries(draw: Draw) -> tuple[str, str]:
    """Text to SQL: few tables, columns and forms; the question ends where a longer one goes on."""
    table = draw.choice(("singers", "flights", "orders", "students", "airports", "books"))
    column = draw.choice(("age", "price", "rank", "weight", "year"))
    asked, selected = draw.choice((
        (f"How many {table} are there", "count(*)"), (f"List all {table}", "*"),
        (f"What is the average {column} of all {table}", f"avg({column})"),
        (f"What is the highest {column} of all {table}", f"max({column})"),
    ))  # fmt: skip
    where = ""
    if draw.random() < 0.8:
        number = draw.randint(1, 60)
        word, sign = draw.choice((("above", ">"), ("below", "<"), ("of", "=")))
        asked, where = (
            f"{asked} with a {column} {word} {number}",
            f" where {column} {sign} {number}",
        )
    return asked, f"select {selected} from {table}{where}"


def reviews(draw: Draw) -> tuple[str, str]:
    """A few words with one of two labels; one is often the beginning of another."""
    good = draw.random() < 0.5
    things = _words("screen battery keyboard sound camera case price manual delivery service")
    words = ("great", "fine", "superb", "solid") if good else ("poor", "weak", "awful", "flimsy")
    parts = [f"{draw.choice(words)} {thing}" for thing in draw.sample(things, draw.randint(1, 4))]
    return ", ".join(parts), "positive" if good else "negative"


def choices(draw: Draw) -> tuple[str, str]:
    """A question with four answers, of which a letter is asked."""
    subject = f"{draw.choice(NOUNS)} of {syllables(draw, 2).title()}"
    asked = draw.choice(("In which town lies the", "Who built the", "What is near the"))
    lines = "\n".join(f"{letter}) {syllables(draw, 2).title()}" for letter in "ABCD")
    return f"{asked} {subject}?\n{lines}", draw.choice("ABCD")


def tickets(draw: Draw) -> tuple[str, str]:
    """Mails of one form with one of three labels."""
    days, what = draw.randint(2, 30), draw.choice(("parcel", "refund", "invoice", "key", "reply"))
    return (
        f"Hello, I ordered a {draw.choice(THINGS)} for my {draw.choice(ROOMS)} {days} days ago "
        f"under number {draw.randint(1000, 9999)} and my {what} has not come. "
        f"{draw.choice(('Can you help?', 'What now?', 'I want my money back.'))} "
        f"{syllables(draw, 3).title()}",
        draw.choice(("bill", "desk", "post")),
    )


def calls(draw: Draw) -> tuple[str, str]:
    """Expressions of code whose value is asked."""
    values = [draw.randint(0, 9) for _ in range(draw.randint(2, 5))]
    name = draw.choice(("sum", "max", "min", "len", "sorted"))
    functions = {"sum": sum, "max": max, "min": min, "len": len, "sorted": sorted}
    return f"{name}({values})", str(functions[name](values))


def spanish(draw: Draw) -> tuple[str, str]:
    asked = ("¿Dónde está", "¿Cuándo abre", "¿Cuánto cuesta", "¿Quién dirige")
    thing = draw.choice(("el museo", "el mercado", "la biblioteca", "la estación", "el teatro"))
    end = draw.choice(("", " hoy", " mañana", " los domingos"))
    town = draw.choice(_words("Sevilla Bilbao Málaga Cádiz Vigo León Gijón Ávila Toledo Murcia"))
    return f"{draw.choice(asked)} {thing} de {town}{end}?", draw.choice(("ocio", "viaje", "otro"))


NEW: dict[str, Make] = {
    "dates to rewrite": dates, "questions for SQL": queries, "short reviews": reviews,
    "multiple choice": choices, "mails of one form": tickets, "calls to evaluate": calls,
    "Spanish": spanish,
}  # fmt: skip


# -- rows that are told apart hardly or not at all -----------------------------------------------


def other_questions(draw: Draw, count: int, share: float) -> tuple[list[Example], list[Example]]:
    """Long passages with a question each; in the second set a share of the same passages with
    another question, half of which have the same answer."""

    def passage() -> str:
        return ". ".join(sentence(draw) for _ in range(8))

    def asking(number: int, text: str) -> Example:
        asked = f"Did the {draw.choice(NOUNS)} of {syllables(draw, 2).title()} open first?"
        return row(f"p{number}", f"{text}.\n\n{asked}", draw.choice(("yes", "no")))

    texts = [passage() for _ in range(count)]
    others = [text if draw.random() < share else passage() for text in texts]
    return (
        [asking(number, text) for number, text in enumerate(texts)],
        [asking(number, text) for number, text in enumerate(others)],
    )


def hypotheses(draw: Draw, count: int) -> tuple[list[Example], list[Example]]:
    """Each premise stands in both sets, with another hypothesis and one of three labels."""
    labels = ("entailed", "neutral", "contradicted")

    def asking(number: int, premise: str) -> Example:
        text = f"Premise: {premise}.\nHypothesis: {sentence(draw)}."
        return row(f"h{number}", text, draw.choice(labels))

    premises = [sentence(draw) for _ in range(count)]
    return (
        [asking(number, premise) for number, premise in enumerate(premises)],
        [asking(number, premise) for number, premise in enumerate(premises)],
    )


def extended(draw: Draw, count: int, ends: int) -> tuple[list[Example], list[Example]]:
    """Each row of the second set goes on where one of the first ends, in one of so many ways, and
    has the same label: *play jazz*, *play jazz by Queen*."""
    first = distinct(lambda d: (f"play {syllables(d, 3)}", "PlayMusic"), draw, count)
    ways = [f"by {syllables(draw, 2).title()}" for _ in range(ends)]
    return first, [
        row(f"e{number}", f"{short.prompt} {draw.choice(ways)}", "PlayMusic")
        for number, short in enumerate(first)
    ]


def distinct(make: Make, draw: Draw, count: int) -> list[Example]:
    """So many rows of a world, each prompt once."""
    rows: dict[str, Example] = {}
    for _ in range(200 * count):
        text, reference = make(draw)
        key = " ".join("".join(c if c not in ".?!,:;" else " " for c in text.casefold()).split())
        rows.setdefault(key, row(f"m{len(rows)}", text, *([reference] if reference else [])))
        if len(rows) == count:
            break
    return list(rows.values())
