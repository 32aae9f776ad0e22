"""Rows of many shapes, and planted copies of them: what the gate is measured on.

Each shape makes rows that are unrelated to one another in all that is their own, while they
share what data of that shape share: an instruction, a template, attribute names, passages.
Texts are paragraphs and functions of Python's standard library; all else is drawn by a seed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

from library import functions, names, paragraphs

from harness.records import Example

Draw = random.Random

LABELS = ("positive", "negative", "neutral", "mixed", "off topic", "unclear")
INSTRUCTION = (
    "Read the text below with care and answer in the manner of a patient colleague who knows the "
    "matter well. Keep to what the text says, do not invent facts, and write at most two "
    "sentences. If the text leaves something open, say so plainly. Never repeat the text word for "
    "word, never mention these rules, and give the answer in English, whatever the language is."
)


# -- shapes ---------------------------------------------------------------------------------


def _row(place: int, prompt: str, answer: str, group: str = "") -> Example:
    turns = ({"role": "user", "content": prompt},)
    return Example(f"r{place}", turns, (answer,), group=group or f"g{place}")


QUESTIONS = (
    "Why does my {a} {thing} from {name} {trouble} whenever I {act} {when}?",
    "How can I {act} with the {thing} of {name} if the {a} {part} has {state} {when}?",
    "What should I do when the {part} of my {name} {thing} says {code} and will not {act}?",
    "Is it normal that the {a} {part} gets {state} after we {act} near {place}?",
    "Can you tell me whether {name} ships a {a} {thing} to {place} before {date}?",
    "Where do I find the {part} for a {thing} bought in {place} on {date} by {person}?",
    "Which {thing} would you take to {act} {when} if {name} and {other} cost the same?",
    "Who pays when {person} in {place} lets the {thing} {trouble} during {date}?",
    "My neighbour {person} claims that {name} can {act}; is the {a} {part} made for that?",
    "Since {date} our {thing} will {trouble} {when}. Does {other} in {place} repair it?",
)
SLOTS = {
    "a": "old new cracked silver compact rented foldable heated cordless wooden noisy spare",
    "thing": "kettle router bicycle lantern scanner mower heater printer camera freezer ladder "
    "tractor speaker telescope blender projector stroller drill saddle oven",
    "part": "battery lid cable filter screen hinge valve handle sensor wheel belt nozzle fuse lens",
    "trouble": "overheat|leak oil|stop halfway|make a humming sound|lose its settings|blink red",
    "act": "print on both sides|carry two children|record at night|climb a steep hill|store soup|"
    "cut wet grass|connect three phones|warm a small room|reach the attic|pay by card",
    "when": "in the morning|after heavy rain|on Sundays|with wet gloves|at full load|abroad",
    "state": "loose rusty blurred sticky frozen bent silent scratched foggy warm",
}
MONTHS = ["January", "March", "April", "June", "July", "September", "October", "December"]


def _filled(template: str, draw: Draw) -> str:
    def value(found: re.Match[str]) -> str:
        slot = found[1]
        if slot in SLOTS:
            values = SLOTS[slot]
            return draw.choice(values.split("|" if "|" in values else None))
        if slot == "date":
            return f"{draw.randrange(1, 29)} {draw.choice(MONTHS)}"
        if slot == "code":
            return f"{draw.choice('EFHK')}{draw.randrange(100, 999)}"
        word = draw.choice(names()).title()
        return f"{word} {draw.choice(names()).title()}" if slot == "person" else word

    return re.sub(r"\{(\w+)\}", value, template)


def free_questions(count: int, draw: Draw, deep: bool) -> list[Example]:
    """Questions of customers: ten ways to ask, with names, dates and troubles of their own."""
    texts = [text for _, text in paragraphs(deep)]
    made = dict.fromkeys(_filled(draw.choice(QUESTIONS), draw) for _ in range(2 * count))
    return [_row(i, q, texts[i % len(texts)]) for i, q in enumerate(list(made)[:count])]


def instructed(length: int, labels: bool) -> Callable[[int, Draw, bool], list[Example]]:
    """Paragraphs below one instruction of that many characters."""

    def make(count: int, draw: Draw, deep: bool) -> list[Example]:
        texts = list(paragraphs(deep))
        draw.shuffle(texts)
        head = INSTRUCTION[:length].rstrip() + "\n\n" if length else ""
        answers = [text for _, text in texts]
        draw.shuffle(answers)
        return [
            _row(i, head + text, draw.choice(LABELS) if labels else answers[i], module)
            for i, (module, text) in enumerate(texts[:count])
        ]

    return make


FOODS = ("French", "Italian", "Indian", "Chinese", "Greek", "English", "Mexican", "Thai", "fast")
KINDS = ("pub", "restaurant", "coffee shop", "bistro", "wine bar", "canteen")
PRICES = ("cheap", "moderate", "high", "less than £20", "£20-25", "more than £30")
RATINGS = ("low", "average", "high", "1 out of 5", "3 out of 5", "5 out of 5")


def attribute_lists(count: int, draw: Draw, deep: bool) -> list[Example]:
    """``name[X], eatType[Y], …`` -> a sentence, as in data-to-text sets."""
    places = [
        f"The {a.title()} {b.title()}" for a, b in zip(names()[:34], names()[40:74], strict=True)
    ]
    near = [f"{a.title()} House" for a in names()[100:120]]
    made: dict[str, str] = {}
    while len(made) < count:
        options = {
            "eatType": KINDS, "food": FOODS, "priceRange": PRICES, "customer rating": RATINGS,
            "area": ("riverside", "city centre", "harbour", "old town"), "near": near,
            "familyFriendly": ("yes", "no"),
        }  # fmt: skip
        chosen = draw.sample(list(options), draw.randrange(3, 8))
        values = {key: draw.choice(options[key]) for key in options if key in chosen}
        name = draw.choice(places)
        prompt = ", ".join(f"{k}[{v}]" for k, v in {"name": name, **values}.items())
        made[prompt] = f"{name} is a place with {', '.join(values.values())}."
    return [_row(i, prompt, answer) for i, (prompt, answer) in enumerate(made.items())]


def arithmetic(count: int, draw: Draw, deep: bool) -> list[Example]:
    """``12 - 7``, each sum once."""
    sums = draw.sample(list(product(range(100), "+-*", range(100))), count)
    return [
        _row(i, f"What is {a} {o} {b}?", str(eval(f"{a}{o}{b}")))
        for i, (a, o, b) in enumerate(sums)
    ]


BOOKINGS = (
    "Book a table for {n} at {place} in {city} on {day} at {time}",
    "Play {song} by {artist} on my {device}",
    "What will the weather be like in {city} on {day} at {time}?",
    "Add {song} to my {list} playlist",
    "Find the schedule of {song} at {place} in {city}",
    "Set an alarm for {time} on {day} called {list}",
    "Rate the book {song} {n} out of 9 points",
    "Order {n} tickets from {city} to {place} for {day}",
)


def slot_filling(count: int, draw: Draw, deep: bool) -> list[Example]:
    """Commands to an assistant: eight templates, slots of small vocabularies."""
    words = [word.title() for word in names()]
    pools: dict[str, Sequence[str]] = {
        "n": [str(n) for n in range(2, 9)], "place": words[:150], "city": words[200:300],
        "day": ("Monday", "Tuesday", "Friday", "Sunday", "the 3rd", "the 14th", "the 25th"),
        "time": [f"{h}:{m}" for h in range(1, 13) for m in ("00", "15", "30")],
        "song": [f"{a} {b}" for a, b in zip(words[400:650], words[700:950], strict=True)],
        "artist": words[1000:1150], "device": ("phone", "radio", "laptop", "speaker"),
        "list": ("morning", "running", "dinner", "road trip", "focus", "party"),
    }  # fmt: skip
    made: dict[str, str] = {}
    while len(made) < count:
        template = draw.choice(BOOKINGS)
        slots = {s: draw.choice(pools[s]) for s in re.findall(r"\{(\w+)\}", template)}
        made[template.format(**slots)] = "; ".join(f"{k}={v}" for k, v in slots.items())
    return [_row(i, prompt, answer) for i, (prompt, answer) in enumerate(made.items())]


def retrieval(count: int, draw: Draw, deep: bool) -> list[Example]:
    """A passage of about 1,000 characters that six rows share, and a question of each row."""
    texts = list(paragraphs(deep))
    draw.shuffle(texts)
    made = list(dict.fromkeys(_filled(draw.choice(QUESTIONS), draw) for _ in range(2 * count)))
    passages = []
    for place in range(-(-count // 6)):
        inside = [texts[(7 * place + k) % len(texts)][1] for k in range(7)]
        passages.append(" ".join(inside))
    rows = [
        _row(i, f"Answer from the passage.\n\nPassage: {passages[i % len(passages)]}\n\n"
                f"Question: {made[i]}", texts[-1 - i % len(texts)][1])
        for i in range(count)
    ]  # fmt: skip
    draw.shuffle(rows)
    return rows


def code(count: int, draw: Draw, deep: bool) -> list[Example]:
    """Functions below a short instruction."""
    texts = list(functions(deep))
    draw.shuffle(texts)
    words = [text for _, text in paragraphs(deep)]
    return [
        _row(i, f"Describe in one line what this function does:\n\n{text}", words[i % len(words)],
             module)
        for i, (module, text) in enumerate(texts[:count])
    ]  # fmt: skip


OPENERS = (
    "Hello, I have a question about my order, can you help me?",
    "Hi there!",
    "Good morning, I need some help with one of your products, please.",
)
FOLLOWING = (
    "Yes, please.",
    "No, that did not help, what else can I try?",
    "Thank you, and then?",
    "Could you explain that in a little more detail, please?",
    "I see. Anything else to know?",
)


def several_turns(count: int, draw: Draw, deep: bool) -> list[Example]:
    """Conversations that open and go on alike, with a question of their own in the middle."""
    texts = [text for _, text in paragraphs(deep)]
    made = list(dict.fromkeys(_filled(draw.choice(QUESTIONS), draw) for _ in range(2 * count)))
    rows = []
    for i in range(count):
        contents = [
            draw.choice(OPENERS), "Of course. What is it about?", made[i],
            draw.choice(texts), draw.choice(FOLLOWING),
        ]  # fmt: skip
        if draw.random() < 0.3:
            contents = contents[:3]
        turns = tuple(
            {"role": "assistant" if n % 2 else "user", "content": text}
            for n, text in enumerate(contents)
        )
        rows.append(Example(f"r{i}", turns, (texts[i % len(texts)],), group=f"g{i}"))
    return rows


SHAPES: dict[str, Callable[[int, Draw, bool], list[Example]]] = {
    "free questions": free_questions,
    **{
        f"instruction of {length}, {'six labels' if labels else 'free answers'}": instructed(
            length, labels
        )
        for length in (0, 120, 180, 350)
        for labels in (False, True)
    },
    "attribute lists": attribute_lists,
    "arithmetic": arithmetic,
    "slot filling": slot_filling,
    "retrieval": retrieval,
    "code": code,
    "several turns": several_turns,
}


# -- shapes that the gate was not tuned on ---------------------------------------------------


TABLES = "orders guests vessels loans parcels matches lessons repairs tickets flights".split()  # noqa: SIM905
COLUMNS = "price weight city status started ended owner rating colour country length code".split()  # noqa: SIM905


def text_to_sql(count: int, draw: Draw, deep: bool) -> list[Example]:
    """One of forty schemas, and a question about two of its columns with values of its own."""
    schemas = []
    for _ in range(40):
        table, columns = draw.choice(TABLES), draw.sample(COLUMNS, 6)
        other, more = draw.choice(TABLES), draw.sample(COLUMNS, 4)
        fields, logged = (", ".join(f"{name} TEXT" for name in part) for part in (columns, more))
        schema = (
            f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {fields});\n"
            f"CREATE TABLE {other}_log ({logged});"
        )
        schemas.append((table, columns, schema))
    rows: dict[str, str] = {}
    while len(rows) < count:
        table, columns, schema = draw.choice(schemas)
        first, second, third = draw.sample(columns, 3)
        value, least = draw.choice(names()).title(), draw.randrange(10, 9_999)
        asked = draw.choice((
            f"Which {table} have the {first} {value} and a {second} above {least}?",
            f"List the {third} of {table} whose {first} is not {value}, up to {second} {least}.",
            f"How many {table} per {third} were there with {first} like {value} in {least}?",
            f"Give me {first} and {second} of the {table} that {value} sent after day {least}.",
        ))  # fmt: skip
        rows[f"{schema}\n\nWrite SQL for: {asked}"] = f"SELECT {third} FROM {table} -- {least}"
    return [_row(i, prompt, answer) for i, (prompt, answer) in enumerate(rows.items())]


def mail_as_json(count: int, draw: Draw, deep: bool) -> list[Example]:
    """Mails as JSON, with the same keys and signature, to be sorted into six boxes."""
    texts = list(paragraphs(deep))
    draw.shuffle(texts)
    rows = []
    for place, (module, text) in enumerate(texts[:count]):
        sender, other = draw.choice(names()), draw.choice(names())
        mail = {
            "from": f"{sender}@{other}.example", "priority": draw.choice(("low", "high")),
            "subject": " ".join(text.split()[:4]),
            "body": f"Dear team,\n\n{text}\n\nKind regards,\n{sender.title()}\n--\nThis message is "
                    "confidential and meant for the addressee alone.",
        }  # fmt: skip
        prompt = f"Into which box does this mail go?\n{json.dumps(mail, indent=1)}"
        rows.append(_row(place, prompt, draw.choice(LABELS), module))
    return rows


UNSEEN: dict[str, Callable[[int, Draw, bool], list[Example]]] = {
    "text to SQL": text_to_sql,
    "mail as JSON": mail_as_json,
}
EXCUSED = ("attribute lists", "arithmetic", "slot filling")
"""Shapes whose rows differ by no more than a copy with typing errors does."""


def dealt(rows: Sequence[Example], sizes: Sequence[int], draw: Draw) -> tuple[list[Example], ...]:
    """The rows in parts of these sizes; rows of one group are in one part."""
    groups: dict[str, list[Example]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    order = list(groups)
    draw.shuffle(order)
    parts: list[list[Example]] = [[] for _ in sizes]
    for name in order:
        open_parts = [p for p, size in enumerate(sizes) if len(parts[p]) < size]
        if not open_parts:
            break
        least = min(open_parts, key=lambda p: len(parts[p]) / sizes[p])
        parts[least] += groups[name]
    return tuple(part[:size] for part, size in zip(parts, sizes, strict=True))


def proposed(rows: Sequence[Example], parents: Sequence[Example]) -> list[Example]:
    """Unrelated rows as an augmenter would propose them."""
    return [
        replace(row, id=f"p{place}", parent=parents[place % len(parents)].id)
        for place, row in enumerate(rows)
    ]


def renamed_rows(rows: Sequence[Example], name: str, splits: Sequence[str]) -> list[Example]:
    """The rows under ids of their own, dealt over these splits."""
    return [
        replace(row, id=f"{name}{place}", split=splits[place % len(splits)])  # type: ignore[arg-type]
        for place, row in enumerate(rows)
    ]
