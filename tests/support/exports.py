"""Files in the shapes that other programs export, with the columns that a person would choose.

Each has the names, the order and the accidents of its kind: numbers and dates first, blank replies,
a byte that is no UTF-8, merged cells. The words are made up, of real words of the language, so that
languages are recognised and no two rows are alike by more than chance.
"""

from __future__ import annotations

import csv
import datetime
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VOCABULARY = {
    "en": """the a my our order parcel invoice account password refund printer screen delivery
    battery window ticket payment address charger camera keyboard manual warranty contract was is
    has been cannot will should arrived broken missing late wrong twice again since yesterday week
    please with from after before because still not never very would like to know when why how
    where customer service team number""",
    "de": """der die das meine unsere Bestellung Rechnung Lieferung Überweisung Kündigung Gebühr
    Zähler Drucker Vertrag Adresse Kühlschrank Straße Gerät Ersatzteil wurde ist hat kann nicht
    noch immer seit gestern Woche bitte mit von nach vor weil wieder doppelt falsch spät größer
    möchte wissen warum wann wie wo für über schön können dürfen müssen""",
    "es": """el la mi nuestra pedido factura cuenta contraseña reembolso impresora pantalla entrega
    batería dirección garantía contrato fue está ha sido puede llegó roto perdido tarde mal otra
    vez desde ayer semana por favor con después antes porque todavía nunca muy quisiera saber
    cuándo cómo dónde niño año señal""",
    "fr": """le la mon notre commande facture compte remboursement imprimante écran livraison
    batterie adresse garantie contrat était est a été peut arrivé cassé perdu tard encore depuis
    hier semaine merci avec après avant parce que toujours jamais très voudrais savoir quand
    comment où pourquoi élève été reçu""",
    "ja": """注文 荷物 請求書 口座 返金 印刷機 画面 配達 電池 住所 保証 契約 届きました 壊れて
    います ありません 遅い もう一度 昨日 から 週間 お願い します なぜ いつ
    どこ ですか 変更 したい""",
}
LABELS = ("billing", "delivery", "returns", "technical")
DAY = datetime.date(2024, 1, 2)


def words(seed: object, length: int, language: str = "en") -> str:
    """A text of so many words; the same for the same seed."""
    draw = random.Random(f"{language} {seed}")
    drawn = draw.choices(VOCABULARY[language].split(), k=length)
    text = ("" if language == "ja" else " ").join(drawn)
    return text[:1].upper() + text[1:]


def question(seed: object, language: str = "en") -> str:
    return words(f"q{seed}", 9 + hash_of(seed) % 14, language) + "?"


def answer(seed: object, language: str = "en") -> str:
    return words(f"a{seed}", 14 + hash_of(seed) % 20, language) + "."


def hash_of(seed: object) -> int:
    return random.Random(str(seed)).randrange(1_000)


def date(n: int) -> str:
    return (DAY + datetime.timedelta(days=n // 3)).isoformat()


@dataclass(frozen=True)
class Export:
    """A file and what a person would make of it.

    Attributes:
        name: of the file or folder.
        write: writes it into a folder.
        prompt: columns of which the prompt is made; empty where a person would look first.
        references: columns of answers.
        asks: whether even a person could not tell without knowing what the model is for.
        wrong: columns of which neither a prompt nor an answer may ever be made.
        option: what the first refusal has to name, where the rows cannot be used as they are.
    """

    name: str
    write: Callable[[Path], object]
    prompt: tuple[str, ...]
    references: tuple[str, ...]
    asks: bool = False
    wrong: tuple[str, ...] = ()
    option: str = ""


def table(
    path: Path, head: Sequence[str], rows: Sequence[Sequence[object]], *, delimiter: str = ",",
    encoding: str = "utf-8", first: str = "",
) -> None:  # fmt: skip
    with path.open("w", encoding=encoding, newline="") as stream:
        stream.write(first)
        csv.writer(stream, delimiter=delimiter).writerows([head, *rows])


def jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def as_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


# Ten that a newcomer brought


def tickets(path: Path) -> None:
    table(path, ["Ticket ID", "Created", "Subject", "Body", "Agent Reply", "Customer"], [
        [10_000 + n, date(n), words(f"s{n}", 4), f"Hello,\n\n{question(n)}\n\nRegards",
         "" if n % 18 == 7 else f"Dear customer,\n{answer(n)}", f"C{n * 7 % 67:03}"]
        for n in range(220)
    ])  # fmt: skip


def alpaca(path: Path) -> None:
    as_json(path, [
        {"instruction": question(n), "input": words(n, 20) if n % 3 else "", "output": answer(n)}
        for n in range(150)
    ])  # fmt: skip


def sharegpt(path: Path) -> None:
    as_json(path, [
        {"id": f"c{n}", "conversations": [
            {"from": "system", "value": "You help customers."},
            {"from": "human", "value": question(n)}, {"from": "gpt", "value": answer(n)},
            {"from": "human", "value": question(n + 500)}, {"from": "gpt", "value": answer(-n)}]}
        for n in range(120)
    ])  # fmt: skip


def tools(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = []
    for n in range(140):
        call = {"type": "function", "function": {"name": "look_up", "arguments": '{"id": 1}'}}
        turns: list[dict[str, Any]] = [
            {"role": "user", "content": question(n)},
            {"role": "assistant", "content": None, "tool_calls": [call]},
        ]
        if n % 4:
            turns.append({"role": "tool", "content": words(n, 5)})
            turns.append({"role": "assistant", "content": answer(n)})
        rows.append({"messages": turns})
    pq.write_table(pa.Table.from_pylist(rows), path)


def labels(path: Path) -> None:
    table(path, ["text", "label"], [
        [question(n), LABELS[n % 4 if n % 9 else 0]] for n in range(320)
    ], delimiter="\t")  # fmt: skip


def excel(path: Path) -> None:
    table(path, ["Nr", "Frage", "Antwort", "Geprüft am", "Quelle"], [
        [n + 1, question(n, "de"), answer(n, "de"), f"{n % 28 + 1:02}.03.2024", "Handbuch"]
        for n in range(160)
    ], delimiter=";", encoding="cp1252")  # fmt: skip


def completions(path: Path) -> None:
    as_json(path, [
        {"prompt": question(n), "completion": json.dumps({"topic": LABELS[n % 4], "n": n})}
        for n in range(200)
    ])  # fmt: skip


def folder(path: Path) -> None:
    path.mkdir()
    for split, count in (("train", 200), ("validation", 50), ("test", 50)):
        jsonl(path / f"{split}.jsonl", [
            {"document": words(f"{split}{n}", 50), "summary": words(f"{split}s{n}", 9)}
            for n in range(count)
        ])  # fmt: skip


def preferences(path: Path) -> None:
    jsonl(path, [
        {"prompt": question(n), "chosen": answer(n), "rejected": answer(-n),
         "score_chosen": 7 + n % 3, "score_rejected": n % 4}
        for n in range(150)
    ])  # fmt: skip


def chats(path: Path) -> None:
    jsonl(path, [
        {"messages": [
            {"role": "user", "content": f"{question(n % 140)} My card is 4111 1111 1111 1111."},
            {"role": "assistant", "content": answer(n % 140)}]}
        for n in range(165)
    ])  # fmt: skip


# Others


def mails(path: Path) -> None:
    head = ["Message-ID", "Date", "From", "To", "Subject", "Message", "Assigned To", "Response"]
    table(path, head, [
        [f"<{n:08x}.{n}@mail.example>", f"Tue, {n % 28 + 1} Jan 2024 09:{n % 60:02}:00 +0100",
         f"person{n % 90}@example.org", "help@example.com", f"Re: {words(f's{n}', 4)}",
         question(n), ("Ann Lee", "Bob Day")[n % 2], answer(n)]
        for n in range(240)
    ])  # fmt: skip


def survey(path: Path) -> None:
    head = [
        "Timestamp", "How satisfied are you with us?", "What did you like?",
        "What should we do better?", "Country",
    ]  # fmt: skip
    table(path, head, [
        [f"2024/01/{n % 28 + 1:02} 10:{n % 60:02}:11 AM", n % 5 + 1, answer(n), answer(-n),
         ("Spain", "France")[n % 2]]
        for n in range(150)
    ])  # fmt: skip


def label_studio(path: Path) -> None:
    as_json(path, [
        {"id": n + 1, "text": answer(n), "sentiment": ("Positive", "Negative", "Neutral")[n % 3],
         "annotator": n % 3 + 1, "annotation_id": n + 71, "created_at": f"{date(n)}T10:00:00Z",
         "updated_at": f"{date(n)}T11:00:00Z", "lead_time": n * 0.713}
        for n in range(180)
    ])  # fmt: skip


def label_studio_full(path: Path) -> None:
    as_json(path, [
        {"id": n + 1, "data": {"text": answer(n)}, "created_at": f"{date(n)}T10:00:00Z",
         "annotations": [{"id": n + 71, "completed_by": 1, "result": [
             {"type": "choices", "from_name": "sentiment", "value": {"choices": ["Positive"]}}]}]}
        for n in range(90)
    ])  # fmt: skip


def argilla(path: Path) -> None:
    jsonl(path, [
        {"id": f"{n:08x}-0000-4000-8000-{n:012x}", "status": "completed",
         "_server_id": f"{n + 9:08x}-0000-4000-8000-{n:012x}", "text": answer(n),
         "topic.responses": [LABELS[n % 4]], "topic.responses.users": [f"{n % 2:032x}"],
         "topic.responses.status": ["submitted"], "topic.suggestion": LABELS[n % 3],
         "topic.suggestion.score": n % 10 / 10}
        for n in range(160)
    ])  # fmt: skip


def faq(path: Path) -> None:
    """Cells of a category that were merged have its name in their first row alone."""
    topics = ("Pagos", "Envíos", "Devoluciones", "Cuenta")
    table(path, ["Categoría", "Pregunta", "Respuesta", "Última revisión"], [
        [topics[n // 40] if n % 40 == 0 else "", "" if n % 25 == 24 else f"¿{question(n, 'es')}",
         answer(n, "es"), f"{n % 28 + 1:02}/03/2024"]
        for n in range(160)
    ], delimiter=";", encoding="utf-8-sig")  # fmt: skip


def zendesk(path: Path) -> None:
    as_json(path, {
        "tickets": [
            {"id": 35_000 + n, "url": f"https://x.zendesk.example/api/v2/tickets/{n}.json",
             "created_at": f"{date(n)}T09:00:00Z", "subject": words(f"s{n}", 4),
             "description": question(n), "status": "closed", "priority": ("low", "high")[n % 2],
             "requester_id": 900 + n % 80, "tags": ["a", "b"],
             "latest_public_comment": answer(n)}
            for n in range(200)
        ],
        "next_page": None, "count": 200,
    })  # fmt: skip


def subtitles(path: Path) -> None:
    table(path, ["start", "end", "en", "de"], [
        [f"00:{n // 60:02}:{n % 60:02},120", f"00:{n // 60:02}:{n % 60:02},980",
         words(f"e{n}", 7), words(f"d{n}", 7, "de")]
        for n in range(240)
    ], delimiter="\t")  # fmt: skip


def reviews(path: Path) -> None:
    head = ["review_id", "product", "stars", "title", "review_body", "verified", "review_date"]
    table(path, head, [
        [f"R{n:09}", f"P{n % 30}", n * 7 % 5 + 1, words(f"t{n}", 3), answer(n), "YN"[n % 2],
         date(n)]
        for n in range(300)
    ])  # fmt: skip


def german_mails(path: Path) -> None:
    table(path, ["Datum", "Kundennummer", "Betreff", "E-Mail-Text", "Unsere Antwort"], [
        [f"{n % 28 + 1:02}.05.2024", 70_000 + n * 3 % 80, words(f"s{n}", 3, "de"),
         question(n, "de"), answer(n, "de")]
        for n in range(200)
    ], encoding="cp1252")  # fmt: skip


def wide(path: Path) -> None:
    """What Excel calls *Unicode text*."""
    table(path, ["ID", "Pergunta", "Resposta"], [
        [n, question(n, "es"), answer(n, "es")] for n in range(150)
    ], delimiter="\t", encoding="utf-16")  # fmt: skip


def exam(path: Path) -> None:
    head = ["id", "subject", "question", "A", "B", "C", "D", "answer"]
    table(path, head, [
        [n, LABELS[n % 4], question(n), *(words(f"{n}{m}", 3) for m in "ABCD"), "ABCD"[n * 7 % 4]]
        for n in range(240)
    ])  # fmt: skip


def nested(path: Path) -> None:
    as_json(path, {
        "version": "1.2", "generated": "2024-05-01",
        "result": {"page": 1, "records": [
            {"uuid": f"{n:032x}", "user_query": question(n), "bot_response": answer(n)}
            for n in range(150)
        ]},
    })  # fmt: skip


def separated(path: Path) -> None:
    table(path, ["Nummer", "Anfrage", "Rückmeldung"], [
        [n, question(n, "de"), answer(n, "de")] for n in range(150)
    ], delimiter=";", encoding="utf-8-sig", first="sep=;\r\n")  # fmt: skip


def french(path: Path) -> None:
    head = ["Date", "Question du client", "Réponse de l'agent", "Agence"]
    table(path, head, [
        [f"{n % 28 + 1:02}/04/2024", question(n, "fr"), answer(n, "fr"), ("Lyon", "Paris")[n % 2]]
        for n in range(180)
    ], delimiter=";")  # fmt: skip


def japanese(path: Path) -> None:
    table(path, ["番号", "質問", "回答", "担当者"], [
        [n, question(n, "ja"), answer(n, "ja"), ("佐藤", "鈴木")[n % 2]] for n in range(150)
    ])  # fmt: skip


def bots(path: Path) -> None:
    table(path, ["No.", "Question", "GPT answer", "Claude answer", "Human answer", "Winner"], [
        [n, question(n), answer(n), answer(n + 1_000), answer(n + 2_000), "ABC"[n % 3]]
        for n in range(150)
    ])  # fmt: skip


def with_input(path: Path) -> None:
    jsonl(path, [
        {"question": words(n % 5, 6), "input": answer(n), "answer": words(f"x{n}", 2)}
        for n in range(150)
    ])  # fmt: skip


def provenance(path: Path) -> None:
    jsonl(path, [
        {"source": ("web", "mail")[n % 2], "text": answer(n), "label": LABELS[n % 4]}
        for n in range(200)
    ])  # fmt: skip


def routed(path: Path) -> None:
    jsonl(path, [
        {"ticket_id": n, "message": question(n), "category": LABELS[n % 4], "resolution": answer(n)}
        for n in range(200)
    ])  # fmt: skip


EXPORTS = {
    export.name: export
    for export in (
        Export("tickets.csv", tickets, ("Body",), ("Agent Reply",),
               wrong=("Ticket ID", "Created", "Customer"), option="--drop-incomplete"),
        Export("alpaca.json", alpaca, ("instruction", "input"), ("output",)),
        Export("sharegpt.json", sharegpt, ("conversations",), ()),
        Export("tools.parquet", tools, (), ()),
        Export("labels.tsv", labels, ("text",), ("label",)),
        Export("excel.csv", excel, ("Frage",), ("Antwort",), wrong=("Nr", "Geprüft am", "Quelle"),
               option="--encoding cp1252"),
        Export("completions.json", completions, ("prompt",), ("completion",)),
        Export("folder", folder, ("document",), ("summary",)),
        Export("preferences.jsonl", preferences, ("prompt",), ("chosen",), asks=True,
               wrong=("rejected", "score_chosen", "score_rejected")),
        Export("chats.jsonl", chats, ("messages",), ()),
        Export("mails.csv", mails, ("Message",), ("Response",),
               wrong=("Message-ID", "Date", "From", "To", "Assigned To")),
        Export("survey.csv", survey, (), (), asks=True, wrong=("Timestamp", "Country")),
        Export("label_studio.json", label_studio, ("text",), ("sentiment",),
               wrong=("id", "annotator", "annotation_id", "created_at", "lead_time")),
        Export("label_studio_full.json", label_studio_full, (), (), asks=True),
        Export("argilla.jsonl", argilla, ("text",), ("topic.responses",),
               wrong=("id", "status", "_server_id", "topic.suggestion")),
        Export("faq.csv", faq, ("Pregunta",), ("Respuesta",), wrong=("Categoría",),
               option="--drop-incomplete"),
        Export("zendesk.json", zendesk, ("description",), ("latest_public_comment",),
               wrong=("id", "url", "status", "created_at", "requester_id")),
        Export("subtitles.tsv", subtitles, ("en",), ("de",), wrong=("start", "end")),
        Export("reviews.csv", reviews, ("review_body",), ("stars",),
               wrong=("review_id", "product", "review_date", "verified")),
        Export("german_mails.csv", german_mails, ("E-Mail-Text",), ("Unsere Antwort",),
               wrong=("Datum", "Kundennummer"), option="--encoding cp1252"),
        Export("wide.tsv", wide, ("Pergunta",), ("Resposta",), wrong=("ID",)),
        Export("exam.csv", exam, ("question", "A", "B", "C", "D"), ("answer",), wrong=("id",)),
        Export("nested.json", nested, ("user_query",), ("bot_response",), wrong=("uuid",)),
        Export("separated.csv", separated, ("Anfrage",), ("Rückmeldung",), wrong=("Nummer",)),
        Export("french.csv", french, ("Question du client",), ("Réponse de l'agent",),
               wrong=("Date", "Agence")),
        Export("japanese.csv", japanese, ("質問",), ("回答",), wrong=("番号", "担当者")),
        Export("bots.csv", bots, ("Question",), ("Human answer",), asks=True,
               wrong=("No.", "Winner")),
        Export("with_input.jsonl", with_input, ("question", "input"), ("answer",)),
        Export("provenance.jsonl", provenance, ("text",), ("label",), wrong=("source",)),
        Export("routed.jsonl", routed, ("message",), ("resolution",), asks=True,
               wrong=("ticket_id",)),
    )
}  # fmt: skip
