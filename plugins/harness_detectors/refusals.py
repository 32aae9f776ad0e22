"""Answers that decline to do what was asked."""

from __future__ import annotations

import re

from harness_detectors.reading import Reading

REFUSES_WITHIN = 400
"""Characters at the start of an answer in which a refusal is looked for."""
_SPAN = 60

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


def refusal(reading: Reading) -> str:
    """The words that decline, where no reference declines too."""
    found = _REFUSAL.search(reading.text[:REFUSES_WITHIN])
    if not found or any(_REFUSAL.search(text[:REFUSES_WITHIN]) for text in reading.references):
        return ""
    return " ".join(reading.text[max(found.start() - 20, 0) : found.end() + _SPAN].split())
