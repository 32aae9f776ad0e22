"""One table of people's files: what each reader makes of them, and where each fault is."""

from __future__ import annotations

import csv
import io
import json
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st
from pyarrow import parquet

from harness.errors import DataError
from harness.kit.readers import (
    BOM,
    LONGEST,
    Delimited,
    Fault,
    File,
    JsonLines,
    JsonObjects,
    Problems,
    Reader,
    TextLines,
    each_of,
    encodings,
    kind_of,
    packed_or_wide,
    reader_of,
)
from harness.kit.readers.base import SAVE_AS_UTF8

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
Rows = list[tuple[int, dict[str, Any]]]


def lines(*values: Any) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def bytes_of(table: pa.Table, **options: Any) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(table, stream, **options)
    return stream.getvalue()


def arrow_of(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    with pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def opened(path: Path, faults: list[Fault]) -> Reader:
    file = File(path, path.name)
    return reader_of(file, kind_of(file, path.suffix), faults.append)


A, B = {"id": "1", "text": "a"}, {"id": "2", "text": "b"}
AB: Rows = [(2, A), (3, B)]
TABLE = pa.table({"id": ["1", "2"], "text": ["a", "b"]})
PARQUET, ARROW = bytes_of(TABLE), arrow_of(TABLE)
FLAT = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}

GOOD: dict[str, tuple[str, bytes, Rows]] = {
    "lines": ("a.jsonl", lines(A, B), [(1, A), (2, B)]),
    "lines after a mark": ("a.jsonl", b"\xef\xbb\xbf" + lines(A, B), [(1, A), (2, B)]),
    "lines with Windows ends": ("a.ndjson", lines(A).replace(b"\n", b"\r\n"), [(1, A)]),
    "blank lines": ("a.jsonl", b"\n" + lines(A) + b" \n" + lines(B).strip(), [(2, A), (4, B)]),
    "ends within texts": (
        "a.jsonl", '{"text": "a\u2028b\x85c"}'.encode(), [(1, {"text": "a\u2028b\x85c"})],
    ),
    "a whole pair": ("a.jsonl", b'{"text": "\\ud83d\\ude00"}', [(1, {"text": "\U0001f600"})]),
    "lines called json": ("a.json", lines(A, B), [(1, A), (2, B)]),
    "one object": ("a.json", lines(A), [(1, A)]),
    "a list": ("a.json", json.dumps([A, B], indent=1).encode(), [(1, A), (2, B)]),
    "a list after a mark": ("a.json", b"\xef\xbb\xbf" + json.dumps([A]).encode(), [(1, A)]),
    "a list called lines": ("a.jsonl", json.dumps([A, B], indent=1).encode(), [(1, A), (2, B)]),
    "a list of texts": ("a.json", b'["a", "b\\u2028c"]', [
        (1, {"text": "a"}), (2, {"text": "b\u2028c"}),
    ]),
    "an empty list": ("a.json", b" [ ] ", []),
    "commas": ("a.csv", b"id,text\n1,a\n2,b\n", AB),
    "semicolons": ("a.csv", b"id;text\n1;a\n2;b\n", AB),
    "tabs": ("a.csv", b"id\ttext\n1\ta\n2\tb\n", AB),
    "bars": ("a.csv", b"id|text\n1|a\n2|b\n", AB),
    "tabs and commas": ("a.tsv", b"id\ttext\n1\ta, b\n", [(2, {"id": "1", "text": "a, b"})]),
    "commas and semicolons": ("a.csv", b"id,a;b\n1,x;y\n", [(2, {"id": "1", "a;b": "x;y"})]),
    "a table after a mark": ("a.csv", b"\xef\xbb\xbfid,text\r\n1,a\r\n2,b", AB),
    "lines in a cell": (
        "a.csv", b'id,text\r\n1,"two\r\nlines, ""quoted"""\r\n\r\n2,b\r\n',
        [(2, {"id": "1", "text": 'two\r\nlines, "quoted"'}), (5, B)],
    ),
    "names with blanks, or none": (
        "a.csv", b" id ,,text\n1,x,a\n", [(2, {"id": "1", "column 2": "x", "text": "a"})],
    ),
    "empty cells": ("a.csv", b"id,text\n,\n1,\n", [
        (2, {"id": "", "text": ""}), (3, {"id": "1", "text": ""}),
    ]),
    "one column": ("a.csv", b'text\n\n"a"\n""\ntext\n\n'.replace(b"\n\n", b"\n", 1), [
        (2, {"text": "a"}), (3, {"text": ""}), (4, {"text": "text"}),
    ]),
    "NUL in a cell": ("a.csv", b"id,text\n1,a\0b\n", [(2, {"id": "1", "text": "a\0b"})]),
    "a header alone": ("a.csv", b"id,text\n", []),
    "text": ("a.txt", 'a\u2028b\x85c\rd\r\n\n{"x": 1}'.encode(), [
        (1, {"text": "a\u2028b\x85c\rd"}), (2, {"text": ""}), (3, {"text": '{"x": 1}'}),
    ]),
    "text after a mark": ("a", b"\xef\xbb\xbfa\n", [(1, {"text": "a"})]),
    "a mark alone": ("a.txt", b"\xef\xbb\xbf", []),
    "Parquet": ("a.parquet", PARQUET, [(1, A), (2, B)]),
    "Parquet by another name": ("a.csv", PARQUET, [(1, A), (2, B)]),
    "Arrow": ("a.arrow", ARROW, [(1, A), (2, B)]),
    "types": (
        "a.parquet",
        bytes_of(pa.table({
            "n": [1.5, float("nan")], "raw": [b"a", b"\xff"], "list": [["a"], None],
            "kind": pa.array(["x", "x"]).dictionary_encode(), "at": pa.array([0, 1], pa.date32()),
        })),
        [(1, {"n": 1.5, "raw": "a", "list": ["a"], "kind": "x", "at": "1970-01-01"}),
         (2, {"n": None, "raw": b"\xff", "list": None, "kind": "x", "at": "1970-01-02"})],
    ),
}  # fmt: skip

LONG = b"x" * (LONGEST + 9)
FLIPPED = bytes_of(pa.table({"text": [f"answer {n}" for n in range(100)]}), **FLAT)
NO_TEXT = pa.array([b"\xff"], pa.binary()).view(pa.string())

BAD: dict[str, tuple[str, bytes, list[str]]] = {
    "no JSON": ("a.jsonl", lines(A) + b'{"id": 1 2}\n', ["a.jsonl:2:10: not JSON: "]),
    "cut off": ("a.jsonl", b'{"id": "x', ["a.jsonl:1:8: not JSON: unterminated string"]),
    "two objects": ("a.jsonl", b"{} {}", ["a.jsonl:1:4: not JSON: extra data"]),
    "a key twice": (
        "a.jsonl", b'{"id": 1, "id": 2}', ['a.jsonl:1:11: the key "id" is given twice'],
    ),
    "two faults of a line": (
        "a.jsonl", b'{"a": NaN, "b": {"k": 1, "k": 1}}',
        ["a.jsonl:1:7: NaN, Infinity", 'a.jsonl:1:26: the key "k" is given twice'],
    ),
    "too great": ("a.jsonl", b'{"x": 1e999}', ["a.jsonl:1:7: NaN, Infinity and numbers too"]),
    "5000 digits": ("a.jsonl", b'{"x": ' + b"9" * 5000 + b"}", ["a.jsonl:1:1: not usable: a w"]),
    "nested": ("a.jsonl", b"[" * 9 + b'{"a":' * 100_000, ["a.jsonl:1: nested too deeply"]),
    "nested lines": ("a.jsonl", b'{"a":' * 100_000, ["a.jsonl:1:1: not usable: nested too deeply"]),
    "half a character": ("a.jsonl", b'{"id": "\\ud800"}', ["a.jsonl:1:8: half of a surrogate"]),
    "Latin-1 lines": ("a.jsonl", b"{'\xe4'", ["a.jsonl:1:3: not UTF-8: byte 0xe4"]),
    "no object": ("a.jsonl", lines(A, ["a"], 3), [
        "a.jsonl:2:1: a row must be a JSON object", "a.jsonl:3:1: a row must be a JSON object",
    ]),
    "printed prettily": ("a.jsonl", b'{\n "id": 1\n}', ["a.jsonl:1:1: a row must be one line"]),
    "a pretty object": ("a.json", b'{\n "id": 1\n}', ["a.json:1:1: a row must be one line"]),
    "a long line": ("a.jsonl", b'{"a": "' + LONG + b'"}\n', ["a.jsonl:1: a row of more than"]),
    "a web page": ("a.jsonl", b"<!doctype html>", ["a.jsonl:1:1: not JSON: expecting value"]),
    "a list that is cut": (
        "a.json", json.dumps([A, B]).encode()[:-3], ["a.json:2: not JSON: unterminated string"],
    ),
    "a list that is not closed": (
        "a.json", json.dumps([A, B]).encode()[:-1], ["a.json:2: not JSON: a comma is missing"],
    ),
    "text after a list": (
        "a.json", b"[\n]\nmore", ["a.json: not JSON: text after the end of the list (line 3, col"],
    ),
    "objects and texts": ("a.json", b'[{"a": 1}, "b"]', ["a.json:2: a row must be a JSON object"]),
    "texts and lists": ("a.json", b'["a", ["b"]]', ["a.json:2: a row must be a text, as the"]),
    "half a character in a list": (
        "a.json", b'[{"a": "b"}, {"a": "\\ud800"}]', ["a.json:2: half of a surrogate"],
    ),
    "NaN in a list": ("a.json", b'[{"a": NaN}]', ["a.json:1: NaN is not JSON"]),
    "Latin-1 list": ("a.json", b'["\xff"]', ["a.json: not UTF-8: byte 0xff at position 3"]),
    "Latin-1 table": ("a.csv", b"id,text\n1,caf\xe9\n", ["a.csv:2:6: not UTF-8: byte 0xe9"]),
    "Latin-1 text": ("a.txt", b"a\ncaf\xe9\n", ["a.txt:2:4: not UTF-8: byte 0xe9"]),
    "ragged": ("a.csv", b"id,text\n1,a,b\n2,b\n3\n", [
        "a.csv:2: more values than the header has names (2)",
        "a.csv:4: fewer values than the header has names (2)",
    ]),
    "a name twice": ("a.csv", b"text,id,text\n", ["a.csv:1:text: two columns have this name"]),
    "the header again": ("a.csv", b"id,text\n1,a\nid,text\n", ["a.csv:3: the header stands here"]),
    "an open quote": ("a.csv", b'id,text\n1,a\n2,"b\nc', ["a.csv:3: a quote that opens here is"]),
    "a quote within": ("a.csv", b'id,text\n1,"a"b\n', ["a.csv:2: not CSV: ',' expected after"]),
    "old Mac ends": ("a.csv", b"id,text\r1,a\r", ["a.csv:1: not CSV: a carriage return outside"]),
    "a blank line of one column": ("a.csv", b"text\na\n\nb\n", ["a.csv:3: an empty line, which"]),
    "a long cell": ("a.csv", b"id,text\n1," + LONG + b"\n2,b\n", ["a.csv:2: a row of more than"]),
    "no Parquet": ("a.parquet", b"x" * 50, ["a.parquet: cannot be read as Parquet: "]),
    "Parquet that is cut": ("a.parquet", PARQUET[:-40], ["a.parquet: cannot be read as Parquet: "]),
    "a flipped bit": (
        "a.parquet", FLIPPED.replace(b"answer 50", b"answer 70"),
        ["a.parquet: cannot be read as Parquet: "],
    ),
    "texts that are none": (
        "a.parquet", bytes_of(pa.table({"text": NO_TEXT})), ["a.parquet: a text behind row 0 is"],
    ),
    "a Parquet name twice": (
        "a.parquet", bytes_of(pa.Table.from_arrays(TABLE.columns, names=["text", "text"])),
        ["a.parquet:1:text: two columns have this name"],
    ),
    "no Arrow": ("a.arrow", b"ARROW1" + bytes(50), ["a.arrow: cannot be read as Arrow"]),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_a_file_gives(name: str, tmp_path: Path) -> None:
    file, content, rows = GOOD[name]
    path, faults = tmp_path / file, list[Fault]()
    path.write_bytes(content)
    limit = csv.field_size_limit()
    reader = opened(path, faults)
    assert list(reader.rows()) == rows and not faults
    records = [record for _, record in rows]
    assert list(reader.records) == records and len(reader.records) == len(records)
    assert [reader.records[at] for at in range(len(records))] == records
    assert not records or list(reader.columns) == list(records[0])
    whole = File(None, file, content)  # as a pipe gives it
    again = reader_of(whole, kind_of(whole, path.suffix), faults.append)
    assert list(again.rows()) == rows and list(again.records) == records and not faults
    assert csv.field_size_limit() == limit  # it is one of the whole process


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_file_has_its_place(name: str, tmp_path: Path) -> None:
    file, content, reasons = BAD[name]
    path, faults = tmp_path / file, list[Fault]()
    path.write_bytes(content)
    list(opened(path, faults).rows())
    said = [f"{fault.place}: {fault.reason}" for fault in faults]
    assert len(said) == len(reasons), said
    assert all(line.startswith(reason) for line, reason in zip(said, reasons, strict=True)), said
    assert all(line.isprintable() and len(line) < 300 for line in said)


def test_lines_that_are_no_objects_have_a_column() -> None:
    for line in [
        b"hello",
        b"{'a': 1}",
        b"// x",
        b'{"a": None}',
        b"- a: 1",
        b'{"a": "\\x41"}',
        b'{"a": "b\tc"}',
        b'{"a": "b\x01c"}',
        b'{"a": "b\0c"}',
        b'{"a": "\xc0\x80"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc3',
        b"[]",
        b"null",
        b"true",
        b'"x"',
        b"3",
        b'{"a": 1}, ',
        b'{"a": 1}\r{"a": 2}',
        bytes(range(256)),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1",
    ]:
        faults: list[Fault] = []
        file = File(None, "a.jsonl", lines(A) + line)
        first, *_ = JsonLines(file, faults.append).rows()
        assert first == (1, A) and faults, line
        assert all(fault.row > 1 and int(fault.column) >= 1 for fault in faults), line


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("text", ["id,text\n1,hello\n", '{"text": "hello there"}\n'])
def test_texts_of_more_than_a_byte_a_character(encoding: str, text: str) -> None:
    assert "UTF-16" in packed_or_wide(text.encode(encoding))


def test_files_that_are_no_text_are_called_by_name() -> None:
    for head, name in [
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "Excel"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (PARQUET, "Parquet"),
    ]:
        assert name in packed_or_wide(head), head


def test_nul_may_stand_in_a_text() -> None:
    for text in (b"\0" * 40 + b"a\n", b"a\0b\n", b"a\n" * 50 + b"\0"):
        assert not packed_or_wide(text)
        assert len(list(TextLines(File(None, "a", text), [].append).rows())) >= 1


def test_a_list_within_a_document() -> None:
    faults: list[Fault] = []
    reader = JsonObjects(File(None, "a.json/train"), faults.append, [A, "b", B], "JSON")
    assert list(reader.rows()) == [(1, A), (3, B)] and list(reader.records) == [A, B]
    assert [fault.place for fault in faults] == ["a.json/train:2"]


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_any_text_survives_every_format(values: list[str]) -> None:
    rows = [{"id": str(n), "text": text} for n, text in enumerate(values)]
    files = {
        "escaped.jsonl": lines(*rows),
        "raw.jsonl": "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode(),
        "list.json": json.dumps(rows).encode(),
        "texts.json": json.dumps(values).encode(),
        "a.parquet": bytes_of(pa.Table.from_pylist(rows)),
        "a.arrow": arrow_of(pa.Table.from_pylist(rows)),
    }
    for name, dialect in (("a.csv", "excel"), ("a.tsv", "excel-tab")):
        stream = io.StringIO()
        writer = csv.DictWriter(stream, ["id", "text"], dialect=dialect)
        writer.writeheader()
        writer.writerows(rows)
        files[name] = stream.getvalue().encode()
    for name, content in files.items():
        file, faults = File(None, name, content), list[Fault]()
        reader = reader_of(file, kind_of(file, Path(name).suffix), faults.append)
        assert [record["text"] for _, record in reader.rows()] == values, name
        assert [record["text"] for record in reader.records] == values and not faults, name


# Problems


def test_one_problem_is_told_at_its_place() -> None:
    problems = Problems()
    problems.refuse("data")
    problems.add(Fault("is blank", "a.csv", 3, "text", "fill it"))
    with pytest.raises(DataError) as caught:
        problems.refuse("data", "formats")
    assert str(caught.value) == "a.csv:3:text: is blank\n  -> fill it"


def test_problems_are_told_by_kind_with_their_number_and_first_places() -> None:
    problems = Problems()
    for row in range(1, 8):
        problems.add(Fault("is blank", "a.csv", row, "text"))
    problems.add(Fault("is blank", "b.csv", 1, "text"))
    problems.add(Fault("is blank", "b.csv", 1, "id"))
    problems.add(Fault("not JSON", "c.jsonl", 1, 4))
    problems.add(Fault("not JSON", "d.jsonl", 5, 9))
    with pytest.raises(DataError) as caught:
        problems.refuse("data", "formats")
    assert caught.value.what == "the data cannot be used: 11 problems of 3 kinds"
    assert (caught.value.where, caught.value.hint) == ("data", "formats")
    assert caught.value.details == (
        "a.csv:1:text: is blank (8 times; also 2, 3, 4, 5, …)",
        "b.csv:1:id: is blank",
        "c.jsonl:1:4: not JSON (2 times; also d.jsonl:5)",
    )


def test_twenty_kinds_are_shown() -> None:
    problems = Problems()
    for row in range(25):
        problems.add(Fault(f"number {row}", "a.csv", row + 1))
    with pytest.raises(DataError, match="25 problems; the first 20:") as caught:
        problems.refuse("data")
    assert len(caught.value.details) == 20


def test_a_fault_goes_to_another_process() -> None:
    fault = Fault("is blank", "a.csv", 3, "text")
    assert pickle.loads(pickle.dumps(fault)) == fault


# Encodings


def test_a_wide_text_is_read_with_a_mark_and_without() -> None:
    for encoding in ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]:
        text = "id,text\n" + "".join(f"{n},größer und länger\n" for n in range(20))
        data = text.encode(encoding)
        name = encodings.wide(data[:4096])
        assert encodings.in_utf8(File(None, "a.csv", data), name).data.decode() == text, encoding


def test_text_that_is_utf8_is_not_wide() -> None:
    for text in ("id,text\n", "größer " * 40, "注文 " * 40, "a\0b" * 20):
        assert encodings.wide(text.encode()) == ""
        assert encodings.fault(File(None, "a", text.encode())) is None


OLD = {
    "cp1252": "Die größere Bestellung für Frau Müller wurde schon wieder falsch geliefert.",
    "cp1251": "Когда придёт мой заказ? Я жду уже неделю, и никто не отвечает.",
    "mac_roman": "Größere Übel drohen: für schöne Äpfel müssen wir höhere Gebühren überweisen.",
    "shift_jis": "注文した荷物はいつ届きますか。請求書の住所を変更したいです。",
}


@pytest.mark.parametrize("encoding", OLD)
def test_an_old_encoding_is_named_with_what_converts_it(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a b.csv"
    text = "id,text\n" + f"1,{OLD[encoding]}\n" * 30
    path.write_bytes(text.encode(encoding))
    fault = encodings.fault(File(path, path.name))
    assert fault is not None and fault.row == 2
    assert f"it is likely {encoding}" in fault.about and "30 lines" in fault.about
    command = fault.hint.partition("convert it: ")[2]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert (tmp_path / "a b.utf8.csv").read_text("utf-8") == text


WORDS = {
    ("cp1252", "mac_roman", "cp850"): (
        "Die größere Bestellung für Frau Müller wurde schon wieder falsch geliefert. Können Sie "
        "mir sagen, wann das Geld zurücküberwiesen wird?",
        "Où est passée ma commande ? J'ai déjà appelé trois fois, et personne n'a répondu. Ça ne "
        "fonctionne pas très bien depuis la mise à jour, même après être allé à la boutique.",
        "¿Dónde está mi pedido? Llamé ayer y nadie respondió. La contraseña no funciona; además "
        "quiero un reembolso para el próximo año.",
        "Não consigo entrar na minha conta. A devolução ainda não chegou e já são três semanas. "
        "Saudações, João Conceição.",
        "La spedizione non è ancora arrivata, perché? Ho già pagato, e la città è giusta. Più "
        "tardi richiamerò.",
        "När kommer min beställning? Jag har väntat i en vecka och ingen svarar på måndag.",
        "Hello, my order has not arrived yet, where is it?\nRegards, João Conceição\nBest, Señora "
        "Muñoz",
    ),
    ("cp1250", "iso8859_2", "cp852"): (
        "Gdzie jest moja przesyłka? Czekam już tydzień i nikt nie odpowiada. Proszę o zwrot "
        "pieniędzy, ponieważ zamówienie było źle opisane.",
        "Kdy přijde moje objednávka? Čekám už týden, nikdo neodpovídá. Řekněte mi prosím, kde je "
        "balík, a vraťte mi peníze zpět.",
        "Mikor érkezik meg a csomagom? Már egy hete várok, és senki sem válaszol. Kérem, küldjenek "
        "új jelszót, mert a régi nem működik többé.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "text"), [
    (encoding, text) for some, texts in WORDS.items() for encoding in some for text in texts
])  # fmt: skip
def test_of_encodings_that_fit_the_likelier_by_the_words_comes_first(
    encoding: str, text: str
) -> None:
    data = f"{text}\n".encode(encoding)
    names = encodings.likely(data)
    assert data.decode(names[0]) == text + "\n"
    readings = {data.decode(name) for name in names}
    assert len(readings) == len(names) <= 2


def test_two_encodings_that_fit_are_shown_by_what_they_read_otherwise() -> None:
    data = "Grüße\nWhere is my order please?\nRegards, João\n".encode("cp1252")
    fault = encodings.fault(File(None, "a.csv", data), "--encoding")
    assert fault is not None and "likely cp1252: 'Regards, João' or cp1250: 'Regards, Joăo'" in (
        fault.about
    )
    assert fault.hint.startswith("which reads right? --encoding cp1252 or --encoding cp1250; ")


def test_a_file_of_two_encodings_is_not_said_to_be_in_one() -> None:
    data = "größer\n".encode() * 5 + "größer\n".encode("cp1252")
    fault = encodings.fault(File(None, "a.csv", data))
    assert fault is not None and (fault.row, fault.column) == (6, 3)
    assert "put together of several" in fault.about and "likely" not in fault.about
    assert fault.hint == SAVE_AS_UTF8


def test_a_letter_over_the_end_of_a_block_is_whole() -> None:
    data = b"a" * (2**20 - 1) + "ü".encode()
    assert encodings.fault(File(None, "a", data)) is None
    assert encodings.fault(File(None, "a", data[:-1])) is not None


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;"])
def test_the_line_by_which_excel_knows_the_delimiter_is_no_row(first: str) -> None:
    for mark in (b"", BOM):
        content = mark + f'{first}\r\na;b\r\n"1;2";3\r\n'.encode()
        faults: list[Fault] = []
        reader = Delimited(File(None, "a.csv", content), faults.append)
        assert list(reader.rows()) == [(3, {"a": "1;2", "b": "3"})] and not faults
        assert list(reader.records) == [{"a": "1;2", "b": "3"}]


def test_what_is_made_of_each_line_is_told_with_all_that_is_wrong(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"n": 1}\n\n{"n": 2}\n')

    def even(record):
        if record["n"] % 2:
            raise ValueError("an odd number")
        return record["n"]

    assert each_of(path, lambda record: record["n"], "") == [1, 2]
    path.write_text('{"n": 1}\n{"n": 2}\n{"n": 3\n[4]\n{"n": 5}\n')
    with pytest.raises(DataError, match="3 kinds") as end:
        each_of(path, even, "write even ones")
    assert end.value.details[0] == f"{path}:1: an odd number (2 times; also 5)"
    assert [line.split(":")[1] for line in end.value.details] == ["1", "3", "4"]
    with pytest.raises(DataError, match="cannot read it"):
        each_of(tmp_path, even, "")
