"""The texts that metrics are tried on: ordinary ones, and those that break careless code."""

from __future__ import annotations

from harness.records import Example, Prediction

Pair = tuple[Prediction, Example]

# Answer, then its references. Case, digits, stops, stems, lines and accents vary, so that an
# option that looks at any of these changes some value.
_ROWS: tuple[tuple[str, ...], ...] = (
    ("The refund will arrive within 5 days.", "Your refund arrives within five days."),
    (
        "Please restart the router and wait for the green light",
        "Restart the router, then wait until the light is green.",
        "Please restart your router and wait for a green light.",
    ),
    (
        "We have sent the parcel on Monday. It was late.",
        "The parcel was sent on Monday.",
        "On Monday we sent a parcel.",
        "It has been sent.",
    ),
    ("Sorry, I do not know that.", "The café opens at 9:30, and closes at 18:00."),
    (
        "Open the settings.\nChoose the billing page.\nSave the changes.",
        "Open your settings.\nSelect the billing page.\nThen save all changes.",
        "Open settings, choose billing and save.",
    ),
    ("the the the the cat", "The cat sat on the mat.", "There is a cat on the mat."),
    ("An invoice is sent every month.", "An invoice is sent every month."),
    (
        "You can cancel your subscription online at any time before it renews",
        "Subscriptions can be cancelled online at any time before the renewal.",
    ),
    ("YES.", "Yes, both offices are open on Sundays.", "Yes."),
    (
        "Her running costs were higher than the cost of buying new shoes!",
        "The cost of running was higher than that of new shoes.",
        "Running costs more than buying shoes.",
    ),
)
_FAR = (
    "Zebras jump quickly",
    "Quartz vexes my foxhound",
    "Glib jocks vow",
    "Mumps dwarf kiwis",
    "Thick fog numbs yaks",
)
_QUESTION = ({"role": "user", "content": "What should I do?"},)


def pair(name: str, text: str, *references: str) -> Pair:
    """A prediction and its example."""
    return Prediction(name, text), Example(name, _QUESTION, references, split="dev")


def ordinary() -> list[Pair]:
    """Answers between perfect and unrelated, with one to three references each."""
    return [pair(f"row-{n}", *row) for n, row in enumerate(_ROWS)]


def unrelated(place: int) -> str:
    """A text that shares no word with any of :func:`ordinary`."""
    return _FAR[place % len(_FAR)]


HOSTILE: dict[str, str] = {
    "an empty text": "",
    "white space only": " \t\n ",
    "full stops only": "...",
    "control characters": "bell \x07 back \x08 delete \x7f feed \x0c next \x85 end",
    "terminal commands": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    "markup": "<script>alert('&')</script> [/bold] [link=x]y[/link] `code` {x} %s **b**",
    "right-to-left text": "שלום \u202eעולם\u202c مرحبا بالعالم",
    "Thai": "คืนเงินภายในห้าวัน",
    "emoji": "👩‍👩‍👧‍👦 👍🏽 🇪🇺 e\u0301\u0301\u0301 \U0010ffff",
    "NUL": "before\x00after",
    "line separators": "one\u2028two\u2029three\r\nfour\rfive",
    "one long word": "x" * 20_000,
    "a text of 100 kB": "refund within days " * 5_400,
}
"""What a model can say: name -> text."""

SURROGATES = "half \ud83d an emoji \udc00"
"""No UTF-8 can hold this; JSON can carry it."""
