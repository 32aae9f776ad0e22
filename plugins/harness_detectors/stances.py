"""What an answer does instead of answering: it declines, or says the opposite."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness_detectors.reading import Reading

REFUSES_WITHIN = 400
"""Characters at the start of an answer in which a refusal is looked for."""
READ_CHARACTERS = 20_000
MOST_CLAUSES = 100
"""in which contradictions are looked for."""
_SPAN = 60
_EVIDENCE = 120

_UNABLE = (
    r"(?:can(?:no|['’])t|can not|could(?: not|n['’]t)|am (?:un|not )able|won['’]t be able"
    r"|(?:am|was) not (?:able|equipped|designed|programmed|allowed|permitted|authori[sz]ed)"
    r"|(?:do not|don['’]t) have (?:the (?:ability|capability|capacity|authority)|(?:any )?access)"
    r"|have no (?:access|ability|way)"
    r"|(?:do not|don['’]t) (?:have|provide|engage)\b.{0,40}\b(?:personal|real-time)"
    r"|must (?:decline|refuse)|have to (?:decline|refuse)|will not (?:help|assist|answer|provide)"
    r"|won['’]t (?:help|assist|answer|provide))"
)
_HELP = r"(?:answer|assist|comply|discuss|fulfil|help|respond)"
_AN_ANSWER = r"(?:an? )?(?:advice|answer|assistance|help|information|response)"
_ASKED = (
    r"\b(?:this|that|your|the|such an?) "
    r"(?:content|information|prompt|query|question|request|subject|task|topic)"
)
_DONE = r"(?:answered|discussed|fulfilled|given|granted|helped|processed|provided|shared)"
# What declines without an "I": the request, the topic or the help is what cannot be.
_IMPERSONAL = (
    rf"{_ASKED} (?:can(?:not|['’]t| not)|could not|may not|will not) be {_DONE}\b"
    rf"|{_ASKED} (?:is (?:against|outside)|violates|goes against)\b"
    rf"|\b(?:is|are) not something (?:that )?(?:can|could|may|should) be {_DONE}"
    r"|\b(?:it is|it['’]s|is) (?:impossible|inappropriate|not (?:appropriate|permitted|possible))"
    rf" (?:for me )?to (?:{_HELP}|(?:give|provide) {_AN_ANSWER})\b"
    r"|(?:^|[.!,;:]\s+|\b(?:apologies|sorry|unfortunately)[,.!]*\s+(?:but )?)"
    rf"(?:unable to|not able to|can(?:not|['’]t)) {_HELP}\b"
    r"|\bno (?:advice|answer|assistance|help|response) (?:can|could|will) be "
    r"(?:given|offered|provided)"
    r"|\b(?:advice|assistance|help|support) (?:about|for|on|with) .{1,60}?\b"
    r"(?:(?:cannot|can['’]t) be (?:given|offered|provided)|is unavailable"
    r"|is not (?:allowed|available|offered|permitted|possible|provided))"
    r"|\b(?:diese|die|ihre) (?:anfrage|frage) kann (?:leider )?nicht\b"
    r"|\bes ist (?:leider )?nicht möglich,? (?:diese|auf diese|dazu|dabei)"
    r"|\bil n['’]est pas possible de (?:donner une réponse|fournir|répondre|traiter)"
    r"|\bcette (?:demande|question) ne peut (?:pas )?être\b"
    r"|\bno es posible (?:ayudar|contestar|proporcionar|responder)"
    r"|\besta (?:pregunta|solicitud) no puede\b"
)
_REFUSAL = re.compile(
    rf"\bI(?:['’]m (?:un|not )(?:able|equipped|designed|programmed|allowed|permitted|authori[sz]ed)"
    rf"|(?: am| was)? ?(?:really |sorry,? but I |afraid (?:that )?I |currently |simply )?{_UNABLE})"
    r"|\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b"
    r"|\b(?:ich kann|kann ich) (?:\w+ ){0,4}nicht\b|\bals (?:KI|Sprachmodell)\b"
    r"|\bje (?:ne peux|suis incapable|suis dans l['’]incapacité)|\ben tant qu(?:['’]IA|e modèle)"
    r"|\b(?:no puedo|no me es posible)\b|\bcomo (?:una IA|modelo de lenguaje)\b"
    r"|\bnon posso\b|\b(?:não posso|não consigo)\b|\bя не могу\b"
    r"|"
    + _IMPERSONAL
    + r"|我(?:无法|無法|不能)|作为(?:一个)?(?:AI|人工智能)|(?:お答え|お手伝い|対応)できません",
    re.IGNORECASE,
)

_YES = frozenset(str.split("yes yeah yep correct true ja oui sí si da да sim はい 是"))
_NO = frozenset(str.split("no nope false nein non não нет いいえ 不"))
_NEGATIONS = frozenset(
    str.split(
        "no not never without cannot neither nor nobody nothing none "
        "nicht kein keine keinen keiner keinem ohne nie pas jamais sans sin nunca не нет без"
    )
)
_WORD = re.compile(r"\w+(?:['’]t\b)?")
# A word alone or before a mark: "No late fee is charged" says no such thing.
_OPENING = re.compile(r"\W*(\w+)(?:\s*[,.;:!–—、。，！-]|\s*$)")
_CLAUSE = re.compile(r"[.!?;:,]+(?=\s|$)|\n+")
# Words that say nothing by themselves.
_EMPTY = frozenset(
    str.split(
        """
        a an the of to in on at by for from with and or but if so as is are was were be been am
        do does did done have has had it its this that these those you your we our us they them
        their i my me he she his her will would shall should may might must can could there here
        then than any some each all more most other only just also yet still even very too much
        many when what which who how why where while until after before because about into out
        up over under again longer later get gets need needs one way use used please
        """
    )
)
_SILENT = _EMPTY | _NEGATIONS


def refusal(reading: Reading) -> str:
    """The words that decline, where no reference declines too."""
    found = _REFUSAL.search(reading.text[:REFUSES_WITHIN])
    if not found or any(_REFUSAL.search(text[:REFUSES_WITHIN]) for text in reading.references):
        return ""
    return " ".join(reading.text[max(found.start() - 20, 0) : found.end() + _SPAN].split())


def contradiction(reading: Reading) -> str:
    """Yes for no, or a clause that is negated here and not in every reference, or the reverse.

    Of several references one may leave its yes or no unsaid, but none may say the other. Clauses
    speak of the same thing where their telling words are the same, or half of them and three.
    """
    if not reading.references:
        return ""
    mine = opens_with(reading.text)
    theirs = {side for text in reading.references if (side := opens_with(text))}
    if mine and theirs and mine not in theirs:
        return f"{mine}, references {theirs.pop()}"
    references = [clauses(text) for text in reading.references]
    for clause in clauses(reading.prose):
        if all(any(clause.turns(other) for other in found) for found in references):
            return clause.text[:_EVIDENCE]
    return ""


def opens_with(text: str) -> str:
    """``yes`` or ``no``, where the text begins so; else ''."""
    first = _OPENING.match(text[:100])
    word = first[1].casefold() if first else ""
    return "yes" if word in _YES else "no" if word in _NO else ""


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence: its telling words, and whether one of its words negates."""

    text: str
    words: frozenset[str]
    negated: bool

    def turns(self, other: Clause) -> bool:
        """Whether the other says the opposite in the same words."""
        common, union = len(self.words & other.words), len(self.words | other.words)
        alike = common == union or (common >= 3 and 2 * common >= union)
        return alike and self.negated is not other.negated


def clauses(text: str) -> list[Clause]:
    """The first 100 clauses with two telling words or more."""
    found: list[Clause] = []
    for piece in _CLAUSE.split(text[:READ_CHARACTERS]):
        words = _WORD.findall(piece.casefold())
        telling = frozenset(word.rstrip("s") for word in words if word not in _SILENT)
        if len(telling) > 1:
            negated = any(word in _NEGATIONS or word.endswith(("n't", "n’t")) for word in words)
            found.append(Clause(" ".join(piece.split()), telling, negated))
    return found[:MOST_CLAUSES]
