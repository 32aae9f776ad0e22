"""Files that are no good rows: each is one error with file, line and column."""

from __future__ import annotations

import json
import re

import pytest

import harness
from harness_rows.jsonl.source import Jsonl


def row(n=1, **k):
    d = {"messages": [{"role": "user", "content": f"question {n}"}], "references": ["a"]}
    d.update(k)
    return json.dumps(d)


ok = row(1)
M = '{"role":"user","content":"q"}'
FILES = {
    "empty": b"",
    "blank": b"\n\n \n",
    "bom only": b"\xef\xbb\xbf",
    "utf16": ok.encode("utf-16"),
    "utf16le": ok.encode("utf-16-le"),
    "utf32": ok.encode("utf-32"),
    "latin1": '{"messages":[{"role":"user","content":"caf\xe9"}],"references":["a"]}'.encode(
        "latin-1"
    ),
    "cut utf8": ok.encode()[:-5] + b"\xc3",
    "overlong": b'{"a":"\xc0\x80"}',
    "surrogate bytes": b'{"a":"\xed\xa0\x80"}',
    "nul": b"\x00",
    "nul in text": ok.encode().replace(b"question", b"ques\x00tion"),
    "binary": bytes(range(256)),
    "gzip": b"\x1f\x8b\x08\x00abc",
    "parquet": b"PAR1xxxxPAR1",
    "cut line": ok.encode()[:20],
    "cut last": (ok + "\n" + ok[:30]).encode(),
    "two on a line": (ok + ok).encode(),
    "trailing": (ok + ",").encode(),
    "array file": ("[" + ok + "]").encode(),
    "pretty": json.dumps(json.loads(ok), indent=1).encode(),
    "cr only": (ok + "\r" + row(2)).encode(),
    "no json": b"hello world",
    "single quotes": b"{'messages': []}",
    "comment": b"// x\n" + ok.encode(),
    "python": b'{"messages": None}',
    "number": b"3",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "true": b"true",
    "nan": ok.replace('"references"', '"meta":{"x":NaN},"references"').encode(),
    "inf": ok.replace('"references"', '"meta":{"x":Infinity},"references"').encode(),
    "huge int": ok.replace('"references"', '"meta":{"x":' + "9" * 5000 + '},"references"').encode(),
    "huge float": ok.replace('"references"', '"meta":{"x":1e999},"references"').encode(),
    "dup key": ok.replace('"references"', '"references":["b"],"references"').encode(),
    "deep": b"[" * 100000,
    "deep object": b'{"a":' * 100000,
    "deep meta": ok.replace(
        '"references"', '"meta":{"x":' + "[" * 5000 + "]" * 5000 + '},"references"'
    ).encode(),
    "empty object": b"{}",
    "unknown key": row(xyz=1).encode(),
    "no messages": b'{"references":["a"]}',
    "messages null": b'{"messages":null}',
    "messages text": b'{"messages":"hi","references":["a"]}',
    "messages dict": b'{"messages":{"role":"user"},"references":["a"]}',
    "messages empty": b'{"messages":[],"references":["a"]}',
    "turn text": b'{"messages":["hi"],"references":["a"]}',
    "turn null": b'{"messages":[null],"references":["a"]}',
    "role missing": b'{"messages":[{"content":"x"}],"references":["a"]}',
    "role wrong": b'{"messages":[{"role":"human","content":"x"}],"references":["a"]}',
    "role list": b'{"messages":[{"role":["user"],"content":"x"}],"references":["a"]}',
    "content null": b'{"messages":[{"role":"user","content":null}],"references":["a"]}',
    "content number": b'{"messages":[{"role":"user","content":3}],"references":["a"]}',
    "content list": b'{"messages":[{"role":"user","content":["x"]}],"references":["a"]}',
    "content blank": b'{"messages":[{"role":"user","content":"  "}],"references":["a"]}',
    "refs null": row(references=None).encode(),
    "refs text": row(references="a").encode(),
    "refs numbers": row(references=[1]).encode(),
    "refs nested": row(references=[["a"]]).encode(),
    "refs empty": row(references=[]).encode(),
    "refs blank": row(references=[""]).encode(),
    "refs dict": row(references={"a": 1}).encode(),
    "no answer": b'{"messages":[' + M.encode() + b"]}",
    "ends assistant": ('{"messages":[' + M + ',{"role":"assistant","content":""}]}').encode(),
    "ends system": (
        '{"messages":[' + M + ',{"role":"system","content":"x"}],"references":["a"]}'
    ).encode(),
    "id null": row(id=None).encode(),
    "id list": row(id=[]).encode(),
    "id bool": row(id=True).encode(),
    "id blank": row(id=" ").encode(),
    "id float": row(id=1.5).encode(),
    "dup id": (row(1, id="x") + "\n" + row(2, id="x")).encode(),
    "id mixed dup": (row(1, id=1) + "\n" + row(2, id="1")).encode(),
    "split wrong": row(split="training").encode(),
    "split number": row(split=1).encode(),
    "split list": row(split=["dev"]).encode(),
    "split null": row(split=None).encode(),
    "group list": row(group=[]).encode(),
    "meta list": row(meta=[]).encode(),
    "meta nested": row(meta={"a": {"b": 1}}).encode(),
    "meta null": row(meta=None).encode(),
    "tools text": row(tools="x").encode(),
    "tools list": row(tools=["x"]).encode(),
    "lone surrogate": ok.replace("question", "\\ud800").encode(),
    "escape": ok.replace("question", "\\x41").encode(),
    "tab raw": ok.replace("question 1", "a\tb").encode(),
    "ctrl raw": ok.replace("question 1", "a\x01b").encode(),
    "html": b"<!doctype html><html></html>",
    "csv": b"prompt,answer\na,b\n",
    "yaml": b"- messages: []\n",
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n",
}


@pytest.mark.parametrize("name", FILES)
def test_each_is_named_with_its_place(tmp_path, name):
    for split, number in (("dev", 50), ("test", 51)):
        (tmp_path / f"{split}.jsonl").write_text(row(number))
    (tmp_path / "train.jsonl").write_bytes(FILES[name])
    files = {split: str(tmp_path / f"{split}.jsonl") for split in ("train", "dev", "test")}
    source = Jsonl(Jsonl.Options.model_validate({"files": files}))
    with pytest.raises(harness.DataError) as caught:
        list(source.load(harness.Context(tmp_path)))
    text = str(caught.value)
    assert re.search(r"train\.jsonl:\d+:\d+: \S", text) and len(text) < 5_000
    text.encode()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gzip", "packed (gzip)"), ("parquet", "Parquet"), ("utf16", "UTF-16"),
        ("utf16le", "UTF-16"), ("utf32", "UTF-32"), ("nul in text", "NUL"),
        ("latin1", "byte 0xe9"), ("pretty", "one line"), ("csv", "CSV"), ("deep", "nested"),
        ("lone surrogate", "surrogate"), ("dup id", "already at"), ("nan", "NaN"),
    ],
)  # fmt: skip
def test_what_can_be_known_of_it_is_said(tmp_path, name, words):
    (tmp_path / "train.jsonl").write_bytes(FILES[name])
    source = Jsonl(
        Jsonl.Options(files=dict.fromkeys(("train", "dev", "test"), tmp_path / "train.jsonl"))
    )
    with pytest.raises(harness.DataError) as caught:
        list(source.load(harness.Context(tmp_path)))
    assert words in str(caught.value)
