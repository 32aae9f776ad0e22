"""The rules of the detector ``basic``: what each looks for, in words and in an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from harness import Example, ScoredExample
from harness.kit.numbers import percent
from harness.kit.refusals import declines
from harness_detectors import (
    digits,
    endings,
    formats,
    items,
    languages,
    names,
    repeats,
    sizes,
)
from harness_detectors.memory import SAME, Memory
from harness_detectors.reading import Reading, has_text, words

if TYPE_CHECKING:
    from harness_detectors.options import BasicOptions

ELSEWHERE = frozenset(("refusal", "wrong language"))
"""Kinds of answers that do not even try to give what the references have."""
MISSING = frozenset(("missing item", "missing number", "missing name"))
"""Kinds that such an answer is not called as well."""
_SPAN = 80

Rule = Callable[[Reading], str]
"""The evidence that the kind of error holds, or ''."""


def _refusal(reading: Reading) -> str:
    """The words by which the answer declines, where no reference declines too."""
    return "" if any(map(declines, reading.references)) else declines(reading.text)


class Rules:
    """The kinds of errors that are looked for, by the options of the detector.

    Attributes:
        definitions: the kinds, each with its definition in one line.
    """

    def __init__(self, options: BasicOptions) -> None:
        self.options = options
        self.definitions = {k: text for k, text in self._definitions().items() if self._wants(k)}
        self._memory = Memory()
        self._rules = self._chosen_rules()

    def prepare(self, train: Sequence[Example]) -> None:
        """Learn which answers the model was trained on, for near copies."""
        self._memory = Memory(train if self._wants("near copy of a training row") else ())

    def errors_in(self, scored: ScoredExample) -> Iterator[tuple[str, str]]:
        """Each kind of error that an answer shows, with its evidence."""
        if not has_text(scored.prediction.text):
            if self._wants("empty"):
                yield "empty", "0 words"
            return
        reading = Reading.of(scored)
        if not has_text(reading.whole):  # calls of tools alone
            return
        seen: set[str] = set()
        for category, rule in self._rules.items():
            if category == "low overlap" and seen:
                continue
            # An answer that declines lacks everything: to name it all would say nothing more.
            if category in MISSING and seen & ELSEWHERE:
                continue
            if evidence := rule(reading):
                seen.add(category)
                yield category, evidence

    def _wants(self, category: str) -> bool:
        return category not in self.options.skip

    def _chosen_rules(self) -> Mapping[str, Rule]:
        """The rules in the order in which they are tried; *low overlap* is the last."""
        o = self.options
        rules: Mapping[str, Rule] = {
            "cut off": lambda r: "… " + r.text.rstrip()[-_SPAN:] if r.cut else "",
            "unfinished": endings.unfinished,
            "repetition loop": lambda r: repeats.loop(r.whole, o.repeats),
            "copy of the prompt": lambda r: repeats.copy_of_prompt(r, o.copied),
            "wrong language": lambda r: languages.wrong_language(r, o.languages == "py3langid"),
            "wrong format": formats.wrong_format,
            "refusal": _refusal,
            "too short": lambda r: sizes.too_short(r, o.short),
            "too long": lambda r: sizes.too_long(r, o.long),
            "missing item": items.missing_item,
            "missing number": digits.missing_number,
            "invented number": digits.invented_number,
            "missing name": names.missing_name,
            "invented name": names.invented_name,
            "near copy of a training row": self._near_copy,
            "low overlap": lambda r: sizes.low_overlap(r, o.overlap),
        }
        return {name: rule for name, rule in rules.items() if self._wants(name)}

    def _near_copy(self, reading: Reading) -> str:
        return self._memory.near_copy(reading.words, [words(t) for t in reading.references])

    def _definitions(self) -> Mapping[str, str]:
        o = self.options
        kind = "language" if o.languages == "py3langid" else "script"
        return {
            "empty": "the answer has no visible character",
            "cut off": "the answer ended at the token limit (max_new_tokens)",
            "unfinished": "the answer breaks off in the middle of a sentence, and no limit ended "
            "it",
            "repetition loop": "the same piece (a word, phrase or line of up to 40 words) comes "
            f"{o.repeats} times or more in a row, or {max(2, o.repeats - 1)} times if it has "
            f"{repeats.LONG_PIECE} words or more, list numbers aside; or {repeats.VARIED} "
            "sentences in a row differ in a word or two",
            "copy of the prompt": f"{percent(o.copied)} or more of the answer repeats the prompt "
            f"in runs of {repeats.GRAM} words or more, and the references do not; an answer that "
            "says what a reference says in the prompt's words is none",
            "wrong language": f"most of the answer is in another {kind} than the references",
            "wrong format": "the references (without them: the prompt) want JSON, a list, code or "
            "plain text, and the answer is mostly another of these, or is JSON or Python code "
            "that does not parse although it was not truncated",
            "refusal": "the answer declines to do what was asked, and no reference does",
            "too short": f"fewer than {percent(o.short)} of the words of the shortest reference",
            "too long": f"more than {o.long:g} times the words of the longest reference",
            "missing item": "every reference is a list, and the answer has some of its items and "
            "not all",
            "missing number": "a number that every reference has in digits is not in the answer, "
            "in digits or in words; code aside",
            "invented number": "the answer has a number in digits that neither a reference nor "
            "the conversation has; list numbers and code aside",
            "missing name": "a name (a capitalised word inside a sentence, in languages that "
            "capitalise only names) that every reference has is missing: neither it nor a part "
            "of it is in the answer, and it is not in the question",
            "invented name": "the answer has a name that neither a reference nor the conversation "
            "has; code aside",
            "near copy of a training row": f"{percent(SAME)} or more of the answer's words stand "
            "in the same order in one training row's answer, and not in a reference; 8 words or "
            "more",
            "low overlap": "word overlap (F1) with every reference is under "
            f"{o.overlap:g}, and no other category applies",
        }
