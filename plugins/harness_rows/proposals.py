"""Which columns may be the prompt and the answer, by what they are called and what stands in them.

A number, a date, an id or an address is never proposed, whatever its column is called. What is left
are texts and labels; of these a name that people give to questions or to answers decides, in any of
some twenty languages. Where two columns may be meant, both are proposed, and a person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, Literal

from harness.kit.readers import Record
from harness_rows.choices import choices_of, column_of_choices
from harness_rows.roles import MISSING, value_of

DISTINCT = 0.5
"""Share of a column's values that differ, from which it holds texts of their own and no names."""
WORDS = 2
"""Words that such a text has on average."""
FEW = 0.2
"""Share below which a column's values are labels."""
RATINGS = 11
"""Different whole numbers, from 0 to 10, that may be a rating."""
NAME = 4
"""Words that a name of somebody or something has on average at most."""
NEARLY_ALL = 0.95
MOST = 4
"""Choices that are named."""

_PROMPTS = """
    prompt question query request inquiry enquiry ask message body text problem issue complaint
    description instruction utterance task comment review post sentence passage
    frage anfrage nachricht anliegen problem beschreibung eingabe aufgabe text beschwerde
    pregunta consulta mensaje solicitud problema descripción enunciado reclamación texto
    pergunta mensagem pedido dúvida descrição enunciado reclamação
    question demande message problème énoncé requête texte
    domanda richiesta messaggio quesito testo   vraag verzoek bericht tekst
    pytanie zapytanie wiadomość treść   otázka dotaz zpráva   kérdés üzenet   întrebare mesaj
    вопрос запрос сообщение обращение текст   питання запитання звернення   въпрос   ερώτηση
    soru talep   fråga fråge meddelande spørgsmål spørsmål melding besked   kysymys viesti
    pertanyaan pesan   سؤال السؤال   שאלה
"""
_ANSWERS = """
    answer answers reply response responses resolution solution completion output target
    reference gold ideal expected summary correct
    antwort erwiderung lösung rückmeldung zusammenfassung ausgabe
    respuesta contestación solución resumen   resposta solução   réponse solution résumé
    risposta soluzione   antwoord oplossing   odpowiedź rozwiązanie   odpověď řešení   válasz
    răspuns   ответ решение   відповідь рішення   отговор   απάντηση
    cevap yanıt   svar lösning løsning   vastaus   jawaban
    جواب الجواب إجابة الإجابة   תשובה
"""
_LABELS = """
    label labels class category sentiment intent stars star rating
    kategorie klasse stimmung bewertung   categoría clase sentimiento estrellas
    categoria etiqueta
    catégorie classe étiquette avis   categoria etichetta   categorie   kategoria   категория метка
    kategori   luokka
"""
_TITLES = """
    title subject headline heading topic   betreff titel überschrift thema   asunto título
    objet titre sujet
    oggetto titolo   assunto   onderwerp   temat   тема   konu   ämne emne   aihe
"""
_OTHERS = """
    suggestion suggested rejected prediction predicted draft internal note notes notiz nota
    bemerkung score notas interne
"""
_UNSPACED = {
    "prompt": ("質問", "問い", "質疑", "入力", "问题", "問題", "提问", "输入", "질문", "문의",
               "คำถาม", "câu hỏi", "प्रश्न", "सवाल"),
    "answer": ("回答", "答え", "答案", "解答", "出力", "输出", "答复", "답변", "응답", "คำตอบ",
               "trả lời", "उत्तर", "जवाब"),
    "label": ("分類", "分类", "标签", "ラベル"),
    "title": ("件名", "标题", "제목"),
}  # fmt: skip
"""Names that are not found as words: of scripts without blanks, with marks, or of two words."""

_NAMES = {
    "prompt": frozenset(_PROMPTS.split()), "answer": frozenset(_ANSWERS.split()),
    "label": frozenset(_LABELS.split()), "title": frozenset(_TITLES.split()),
    "other": frozenset(_OTHERS.split()),
}  # fmt: skip
_COMPOUNDS = (
    "frage", "nachricht", "beschreibung", "antwort", "lösung", "meldung", "vraag", "antwoord",
    "fråga", "svar",
)  # fmt: skip
"""Words that end longer ones: a `Kundenanfrage` is an `anfrage`."""
_VALUES = ("text", "value")
"""What the text of an answer that is an object is called."""
_LONG_NAME = 5
"""Words from which a name is a question of a survey."""

_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Scripts without spaces between words: two letters count as a word.
_UNSPACED_LETTER = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)
_NUMBER = re.compile(r"[-+−]?\s?[$€£¥]?\s?\d[\d.,’' ]*\s?[%$€£¥]?")
_DATE = re.compile(
    r"(\w{3,9},? )?(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ](\d{1,2}|\w{3,9})[-/. ]\d{2,4})"
    r"([T ,]+\d{1,2}:\d\d.{0,24})?|\d{1,2}:\d\d(:\d\d)?([.,]\d+)?( ?[AaPp][Mm])?"
)
_ADDRESS = re.compile(r"<?[^\s@<>]+@[^\s@<>]+>?|(https?|ftp)://\S+|www\.\S+", re.IGNORECASE)
_ID = re.compile(r"(?=\S*\d)[\w.:/#-]+|[0-9a-fA-F-]{16,}", re.ASCII)

Kind = Literal["text", "label", "rating", "short", "number", "date", "id", "address", "no text"]


def words(text: str) -> float:
    """Words of a text; in scripts without spaces two letters count as one."""
    unspaced = len(_UNSPACED_LETTER.findall(text))
    return len(_UNSPACED_LETTER.sub(" ", text).split()) + unspaced / 2


@dataclass(frozen=True, slots=True)
class Choice:
    """Columns that may be the prompt and the answer; with a template, that of the prompt."""

    prompt: str
    answer: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file may be for.

    Attributes:
        choices: the likeliest first; none where no two columns can be meant.
        sure: whether the first can be taken without asking.
        named: whether the names of its columns say so, and not what stands in them alone.
        titles: columns such as a subject, which may be read before the prompt.
        answers: columns of texts that are called answers.
    """

    choices: tuple[Choice, ...] = ()
    sure: bool = False
    named: bool = False
    titles: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: Kind
    role: str
    length: float


def propose(columns: Sequence[str], head: Sequence[Record]) -> Proposal:
    """The prompts and answers that may be meant.

    Args:
        columns: in the order of the file; ``outer.inner`` is one within an object.
        head: the first records.
    """
    kinds = ("text", "label", "rating", "short")
    usable = [column for name in columns if (column := _column(name, head)).kind in kinds]
    texts = [column for column in usable if _may_be_text(column)]
    offered, answer = _offered(columns, head)
    if offered:
        choices_of_exam = (offered, answer)
        texts = [text for text in texts if text.name.partition(".")[0] not in choices_of_exam]
    titles = [column for column in texts if column.role == "title"]
    if len(titles) == len(texts):  # a title alone is a prompt, too
        titles = []
    texts = _without_names([column for column in texts if column not in titles])
    if offered and texts:
        asked = [column for column in texts if column.role == "prompt"] or texts
        choices = [Choice(column.name, answer) for column in asked]
        return Proposal(tuple(choices[:MOST]), sure=len(choices) == 1, named=True)
    if not texts and len(short := [column for column in usable if column.kind == "short"]) == 2:
        texts = short  # a word and its translation
    choices, sure, named = _paired(texts, [column for column in usable if column not in texts])
    return Proposal(
        tuple(choices[:MOST]), sure, named, tuple(column.name for column in titles),
        tuple(column.name for column in texts if column.role == "answer"),
    )  # fmt: skip


def _offered(columns: Sequence[str], head: Sequence[Record]) -> tuple[str, str]:
    """A column with answers to choose from, and that of the right ones; empty where none is."""
    outer = dict.fromkeys(name.partition(".")[0] for name in columns)
    lists = [name for name in outer if any(choices_of(value_of(row, name)) for row in head[:1])]
    pairs = (
        (listed, name) for listed in lists for name in columns if name.partition(".")[0] != listed
    )
    return next((pair for pair in pairs if column_of_choices(pair[:1], pair[1], head)), ("", ""))


def _without_names(texts: list[_Column]) -> list[_Column]:
    """The texts without those that are names of people or things beside two longer ones."""
    longest = max((column.length for column in texts), default=0.0)
    others = [
        column
        for column in texts
        if column.role or column.length > NAME or 3 * column.length > longest
    ]
    return others if len(others) >= 2 else texts


def never(name: str, head: Sequence[Record]) -> str:
    """What a column holds that is no prompt (``dates``), or empty."""
    kinds = {"number": "numbers", "date": "dates", "id": "ids", "address": "addresses"}
    return kinds.get(kind_of([value_of(record, name) for record in head]), "")


def role_of(name: str) -> str:
    """What people call so: ``prompt``, ``answer``, ``label``, ``title``, ``other``, or empty."""
    outer, _, last = unicodedata.normalize("NFC", name).rpartition(".")
    folded = _CAMEL.sub(" ", last).casefold()
    parts = _WORD.findall(folded)
    if len(parts) >= _LONG_NAME or "?" in name:
        return ""
    if outer and parts and parts[-1] in _VALUES and role_of(outer) == "answer":
        return "answer"
    heads = [end for part in parts for end in _COMPOUNDS if part.endswith(end)]
    for role in ("other", "answer", "prompt", "label", "title"):
        if not _NAMES[role].isdisjoint([*parts, *heads]):
            return role
        if any(word in folded for word in _UNSPACED.get(role, ())):
            return role
    return ""


def kind_of(values: Sequence[Any]) -> Kind:
    """What stands in a column; ``no text`` for nested values, and where hardly anything does."""
    texts = [text.strip() for value in values for text in _texts(value)]
    if any(isinstance(value, dict) for value in values) or not texts:
        return "no text"
    if any(isinstance(value, list) and not _texts(value) for value in values if value):
        return "no text"
    different = len(set(texts))
    if _share(texts, _DATE) >= NEARLY_ALL:  # before numbers: 01.03.2024
        return "date"
    if _share(texts, _NUMBER) >= NEARLY_ALL:
        return "rating" if _is_rating(texts) else "number"
    if _share(texts, _ADDRESS) >= NEARLY_ALL:
        return "address"
    if different <= FEW * len(texts) and (len(texts) > 4 or different == 1):
        return "label"
    if _share(texts, _ID) >= NEARLY_ALL:
        return "id"
    if different >= DISTINCT * len(texts) and sum(map(words, texts)) >= WORDS * len(texts):
        return "text"
    return "short"


def _texts(value: Any) -> list[str]:
    """A value as text; of a list of texts, as annotators give them, the first."""
    if isinstance(value, list):
        value = value[0] if value and isinstance(value[0], str) else None
    if isinstance(value, (bool, int, float)):
        value = str(value)
    return [value] if isinstance(value, str) and value.strip() else []


def _share(texts: Sequence[str], form: re.Pattern[str]) -> float:
    return sum(form.fullmatch(text) is not None for text in texts) / len(texts)


def _is_rating(texts: Sequence[str]) -> bool:
    different = set(texts)
    whole = all(text.isascii() and text.isdigit() and int(text) < RATINGS for text in different)
    return whole and 2 <= len(different) <= FEW * len(texts)


def _column(name: str, head: Sequence[Record]) -> _Column:
    values = [value for record in head if (value := value_of(record, name)) is not MISSING]
    texts = [text for value in values for text in _texts(value)]
    length = sum(map(words, texts)) / max(1, len(texts))
    return _Column(name, kind_of(values), role_of(name), length)


def _may_be_text(column: _Column) -> bool:
    """Whether a column may hold prompts or answers that are no labels."""
    return column.kind == "text" or (column.kind == "short" and column.role in ("prompt", "answer"))


def _paired(texts: Sequence[_Column], others: Sequence[_Column]) -> tuple[list[Choice], bool, bool]:
    """Choices; whether the first is sure; whether names say it.

    Args:
        texts: columns that may hold prompts or answers that are no labels.
        others: the other ones that may be an answer.
    """
    texts = [column for column in texts if column.role != "other"]
    others = [column for column in others if column.role != "other"]
    answers = [column for column in texts if column.role == "answer"]
    asked = [column for column in texts if column not in answers] or texts
    prompts = [column for column in asked if column.role == "prompt"]
    labels = [column for column in others if column.kind == "label"]
    labels = labels or [column for column in others if column.kind == "rating"]
    named_labels = [
        column for column in others if column.role in ("label", "answer") and column.kind != "text"
    ]
    # Of a survey, no question is the prompt of the others: a person decides.
    survey = any(
        "?" in column.name or len(_WORD.findall(column.name)) >= _LONG_NAME for column in texts
    )
    if answers and len(texts) > len(answers):
        choices = [Choice(p.name, a.name) for a in answers for p in prompts or asked]
        return choices, len(choices) == 1, bool(prompts)
    if len(texts) == 1:  # a text and its label
        called_answers = [column for column in named_labels if column.role == "answer"]
        candidates = called_answers or named_labels or labels
        choices = [Choice(texts[0].name, column.name) for column in candidates]
        return choices, len(choices) == 1 and not survey, bool(named_labels)
    if len(texts) == 2 and not answers:
        # A prompt and its answer in the order of the file; or two texts that a label compares.
        first, second = texts if texts[1] not in prompts or prompts == texts else reversed(texts)
        choices = [Choice(first.name, second.name)]
        compared_by = named_labels or ([] if prompts or survey else labels)
        if not any("{" in column.name or "}" in column.name for column in texts):
            both = "\n\n".join(f"{{{column.name}}}" for column in texts)
            choices += [Choice(first.name, label.name, both) for label in compared_by]
        if not prompts:
            choices.append(Choice(second.name, first.name))
        return choices, not compared_by and not survey and len(prompts) < 2, False
    longest = sorted(texts, key=lambda column: -column.length)
    pairs = ((p, a) for p in prompts or longest for a in [*named_labels, *longest] if p is not a)
    return [Choice(p.name, a.name) for p, a in islice(pairs, MOST)], False, False


# -- options of an exam ---------------------------------------------------------------------------

_OPTION = re.compile(
    r"(?:(?:option|choice|opt|antwort|respuesta|opción|opcion|choix|alternative)[ _.-]?)?"
    r"([a-h]|[1-8])",
    re.IGNORECASE,
)


def options(columns: Sequence[str]) -> dict[str, str]:
    """Sign -> column (``A`` -> ``option_a``) where columns hold the options of a question."""
    signs: dict[str, str] = {}
    for name in columns:
        match = _OPTION.fullmatch(name.strip())
        if match and "{" not in name and "}" not in name:
            signs.setdefault(match[1].upper(), name)
    for series in ("ABCDEFGH", "12345678"):
        run = {sign: signs[sign] for sign in takewhile(signs.__contains__, series)}
        if len(run) >= 2:
            return run
    return {}
