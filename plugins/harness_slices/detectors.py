"""The detector ``basic``: kinds of errors that can be seen without judgement."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import Field

import harness
from harness import ErrorLabel, ScoredExample

GRAM = 5
"""Words in a row that make a copy."""
LONGEST_LOOP = 40
READ_WORDS = 2000
READ_CHARACTERS = 4000
SPAN = 80

_WORD = re.compile(r"\w+")
_LETTERS_LOOP = re.compile(r"(?=\S{0,19}?[^\W\d_])(\S{1,20}?)\1{9,}")


class Basic(harness.Detector):
    """Empty, cut off, looping, copying, too short, too long; and little in common with the
    references where nothing else is to be seen."""

    name = "basic"

    class Options(harness.Options):
        repeats: int = Field(4, ge=2, description="times in a row that make a loop")
        copied: float = Field(0.5, gt=0, le=1, description="share of copied 5-grams")
        short: float = Field(1 / 3, ge=0, lt=1, description="of the shortest reference's words")
        long: float = Field(3.0, gt=1, description="times the longest reference's words")
        overlap: float = Field(0.2, ge=0, le=1, description="least word overlap (F1)")

    def categories(self) -> Mapping[str, str]:
        o = self.options
        return {
            "empty": "the answer has no text",
            "cut off": "the answer was ended by the limit of tokens",
            "repetition loop": f"a piece is repeated {o.repeats} times or more in a row",
            "copy of the prompt": f"{o.copied:.0%} or more of the answer's word {GRAM}-grams "
            "stand in the prompt",
            "too short": f"fewer than {o.short:.0%} of the words of the shortest reference",
            "too long": f"more than {o.long:g} times the words of the longest reference",
            "low overlap": f"word overlap (F1) with every reference is under {o.overlap:g}, "
            "and nothing else is to be seen",
        }

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        text = scored.prediction.text
        if not text.strip():
            return [self._label(scored, "empty", "0 words")]
        references = [r for r in scored.example.references if r.strip()]
        found: list[tuple[str, str]] = []
        if scored.prediction.finish_reason == "length":
            found.append(("cut off", "… " + text.rstrip()[-SPAN:]))
        for category, look in self._checks().items():
            evidence = look(text, scored.example.prompt, references)
            if evidence and not (category == "low overlap" and found):
                found.append((category, evidence))
        return [self._label(scored, category, evidence) for category, evidence in found]

    def _checks(self) -> Mapping[str, Callable[[str, str, Sequence[str]], str]]:
        return {
            "repetition loop": lambda text, _, __: loop(text, self.options.repeats),
            "copy of the prompt": self._copy,
            "too short": self._short,
            "too long": self._long,
            "low overlap": self._overlap,
        }

    def _copy(self, text: str, prompt: str, references: Sequence[str]) -> str:
        share, span = copied(text, prompt)
        # Some tasks want a copy: then the references copy as much.
        usual = max((copied(reference, prompt)[0] for reference in references), default=0.0)
        return span if share >= self.options.copied and share > usual else ""

    def _short(self, text: str, prompt: str, references: Sequence[str]) -> str:
        have, want = len(text.split()), min((len(r.split()) for r in references), default=0)
        return f"{have} words, references {want}" if have < self.options.short * want else ""

    def _long(self, text: str, prompt: str, references: Sequence[str]) -> str:
        have, want = len(text.split()), max((len(r.split()) for r in references), default=0)
        too_long = want and have > self.options.long * want
        return f"{have} words, references {want}" if too_long else ""

    def _overlap(self, text: str, prompt: str, references: Sequence[str]) -> str:
        if not references:
            return ""
        best = max(overlap(text, reference) for reference in references)
        return f"word overlap {best:.2f}" if best < self.options.overlap else ""

    def _label(self, scored: ScoredExample, category: str, evidence: str) -> ErrorLabel:
        return ErrorLabel(scored.example.id, category, evidence, found_by=self.name)


def loop(text: str, repeats: int) -> str:
    """The first piece that stands ``repeats`` times in a row, as ``piece (x 5)``, or ''.

    Pieces are 1 to 40 words; within unspaced text 1 to 20 characters, 10 times or more, so
    that rulers, numbers and "hahaha" pass.
    """
    words = text.split()[:READ_WORDS]
    for period in range(1, min(LONGEST_LOOP, len(words) // repeats) + 1):
        run = 0
        for place in range(period, len(words)):
            run = run + 1 if words[place] == words[place - period] else 0
            if run >= period * (repeats - 1):
                start = place - run - period + 1
                piece = words[start : start + period]
                if any(character.isalpha() for character in "".join(piece)):
                    return f"{' '.join(piece)[:SPAN]} (x {_times(words, start, period)})"
                run = 0
    found = _LETTERS_LOOP.search(text[:READ_CHARACTERS])
    return f"{found[1]} (x {len(found[0]) // len(found[1])})" if found else ""


def _times(words: Sequence[str], start: int, period: int) -> int:
    end = start + period
    while end < len(words) and words[end] == words[end - period]:
        end += 1
    return (end - start) // period


def copied(text: str, prompt: str) -> tuple[float, str]:
    """Share of the text's word 5-grams that stand in the prompt, and the first such span."""
    grams = _grams(_words(text))
    known = set(_grams(_words(prompt)))
    if not grams:
        return 0.0, ""
    hits = [gram for gram in grams if gram in known]
    return len(hits) / len(grams), " ".join(hits[0])[:SPAN] if hits else ""


def overlap(text: str, reference: str) -> float:
    """F1 of the bags of words, 0 to 1."""
    mine, theirs = Counter(_words(text)), Counter(_words(reference))
    common = (mine & theirs).total()
    return 2 * common / (mine.total() + theirs.total()) if common else 0.0


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _grams(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)]
