"""``meteor``: METEOR as NLTK computes it with WordNet 3.0, offline and fast."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

import harness

if TYPE_CHECKING:
    from harness_nltk.meteor import Formula, References

WORDS = re.compile(r"\w+|[^\w\s]+")
"""A run of letters, digits and underscores, or a run of signs."""


def tokens(text: str) -> list[str]:
    """Runs of letters and runs of signs, each in lower case."""
    if text.isascii():
        return WORDS.findall(text.lower())
    return list(map(str.lower, WORDS.findall(text)))  # lower case may turn one letter into two


def split(text: str) -> list[str]:
    """What white space separates, each in lower case."""
    return list(map(str.lower, text.split()))


Language = Literal[
    "english", "arabic", "danish", "dutch", "finnish", "french", "german", "hungarian", "italian",
    "norwegian", "portuguese", "romanian", "russian", "spanish", "swedish",
]  # fmt: skip

_TOKENIZERS = {"words": tokens, "whitespace": split}


@functools.lru_cache(maxsize=4)
def _references(tokenizer: str, language: str) -> References:
    """The process's memory of references, whichever metric asks."""
    from harness_nltk.meteor import References, stemmer

    return References(_TOKENIZERS[tokenizer], root=stemmer(language))


class Meteor(harness.Metric):
    """METEOR (NLTK's, WordNet 3.0): matched words, stems and synonyms, and their order.

    ``tokenizer: words`` finds runs of letters and runs of signs (``\\w+|[^\\w\\s]+``, the rule of
    NLTK's ``wordpunct_tokenize``); ``whitespace`` takes texts that are tokenised already.
    Without synonyms the score is another one, and is called ``meteor-nosyn``. Languages other
    than English have none here, and NLTK's Snowball stemmers.
    """

    name = "meteor"
    libraries = ("nltk",)

    class Options(harness.Options):
        alpha: float = Field(
            default=0.9,
            ge=0,
            le=1,
            description="weight of recall against precision: 0.9 makes it nine times as heavy",
        )
        beta: float = Field(
            default=3.0,
            ge=0,
            allow_inf_nan=False,
            description="how sharply broken order is punished",
        )
        gamma: float = Field(
            default=0.5, ge=0, le=1, description="the most that broken order can cost, as a share"
        )
        synonyms: bool = Field(
            default=True,
            description="match by WordNet; without, the score is another one and bears "
            "another name, `meteor-nosyn`",
        )
        language: Language = Field(
            default="english",
            description="whose stems; besides English `arabic`, `danish`, `dutch`, "
            "`finnish`, `french`, `german`, `hungarian`, `italian`, "
            "`norwegian`, `portuguese`, `romanian`, `russian`, `spanish`, "
            "`swedish`, all of them only with `synonyms: false`",
        )
        tokenizer: Literal["words", "whitespace"] = Field(
            default="words",
            description="`words`: runs of letters and digits, and runs of signs "
            "(`\\w+|[^\\w\\s]+`); `whitespace`: for texts that are tokenised "
            "already",
        )
        right_at: float = Field(
            default=0.5, ge=0, le=1, description="own value from which an answer passes"
        )

        @model_validator(mode="after")
        def _synonyms_are_english(self) -> Any:
            if self.synonyms and self.language != "english":
                raise ValueError("WordNet holds English words: others need synonyms: false")
            return self

    options: Options

    def score_names(self) -> Sequence[str]:
        return ("meteor" if self.options.synonyms else "meteor-nosyn",)

    def inputs(self) -> Sequence[Path]:
        """The shipped WordNet data; a damaged file ends the run here, before any scoring."""
        if not self.options.synonyms:
            return ()
        from harness_nltk.wordnet import DATA, read_packed

        read_packed(DATA)
        return (DATA,)

    def signature(self) -> str:
        options = self.options
        synonyms = "wordnet3.0" if options.synonyms else "no"
        stem = "porter" if options.language == "english" else f"snowball-{options.language}"
        return (
            f"{self.score_names()[0]}|alpha:{options.alpha:g}|beta:{options.beta:g}"
            f"|gamma:{options.gamma:g}|tok:{options.tokenizer}|stem:{stem}-nltk|syn:{synonyms}"
            f"|like:nltk-3.10|rev:{self.revision}"
        )

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The best METEOR over the references; None without references."""
        (score,) = self.measure_all([(prediction, example)])
        return score

    def measure_all(
        self, pairs: Sequence[tuple[harness.Prediction, harness.Example]]
    ) -> Iterable[float | None]:
        """The same for many."""
        formula, tokenize = self._formula(), _TOKENIZERS[self.options.tokenizer]
        read = _references(self.options.tokenizer, self.options.language)
        return [
            formula.best(tokenize(prediction.text), map(read, example.references))
            for prediction, example in pairs
        ]

    def _formula(self) -> Formula:
        from harness_nltk.meteor import Formula, senses, stem_only

        options = self.options
        lookup = senses if options.synonyms else stem_only(options.language)
        return Formula(options.alpha, options.beta, options.gamma, lookup)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Meteor]
