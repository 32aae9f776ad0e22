"""Reference and answer with the words marked that the other lacks."""

from __future__ import annotations

from harness_reports.html.markup import Child, Html, code_class, element, joined
from harness_reports.words import differences


def both(reference: str, answer: str) -> tuple[Html, Html]:
    """The reference with what is missing from the answer, the answer with what is beyond it."""
    parts = differences(reference, answer, lines=True)
    wanted: list[Child] = []
    given: list[Child] = []
    for kind, text in parts:
        if kind == "same":
            wanted += [" ", text]
            given += [" ", text]
        elif kind == "missing":
            wanted += [" ", element("del", text)]
        else:
            given += [" ", element("ins", text)]
    code = code_class(reference, answer)
    return _shown(wanted, code), _shown(given, code)


def _shown(words: list[Child], code: str) -> Html:
    inner = joined(words[1:]) if words else element("em", "(empty)", class_="dim")
    return element("div", inner, dir="auto", class_=f"text words{code}")
