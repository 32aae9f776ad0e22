"""Results of other evaluation programs, as records with an answer and the references.

================== =========================================================================
Inspect            ``.eval``, a zip of JSON, and logs that are one JSON document
lm-evaluation-     ``samples_*.jsonl``: a line for each document and filter
harness
promptfoo          the JSON of ``promptfoo eval -o``: a result for each test and prompt
OpenAI evals       its log: a line for each event
================== =========================================================================

They are known by what is in them, and read as data: none of the programs is imported.

A record has ``id``, ``text`` (the answer), ``references`` and ``meta``. Where a program has several
answers of a row, by filter, provider or scorer, each is a field with this name. ``scores`` holds
what the program itself gave each of these fields: field -> name of the score -> number.
"""

from __future__ import annotations

import ast
import itertools
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from harness import DataError
from harness.kit import strict_json
from harness.kit.readers import ALWAYS, BOM, UNPACKED, File, Kind, Record
from harness.kit.text import one_line

Place = int | str
"""A line or number of a row, or the name of a file in the zip."""
Rows = Iterator[tuple[Place, Record]]
Wrong = Callable[[Place, str, str], None]
"""Gets the place of a row that cannot be used, the reason, and a hint."""

SCORES = "scores"
"""The field of a record with the program's own scores; it is read apart from the others."""
_GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Inspect's grades (correct, partly, incorrect, no answer) as it counts them itself."""
LARGEST_SCORE = 1e15
LARGEST = 2**30
"""Bytes of a JSON document."""
_ZIP = b"PK\x03\x04"
_ZSTD = 93  # the zip method of which Python knows since 3.14
_SAMPLE = "samples/"
_HEADERS = ("header.json", "_journal/start.json")  # the second is there before a run has ended
# Scores that are NaN are written as NaN, and Infinity by Inspect as a constant, too.
_DECODER = json.JSONDecoder(parse_constant=lambda name: None)


def of_file(file: File, kind: Kind | None, head: bytes, wrong: Wrong, answers: bool) -> Rows | None:
    """The rows of a log that is a zip or one JSON document; None where the file is neither.

    Args:
        answers: whether they are read for their answers, and not for their references.

    Raises:
        DataError: it is such a log, and cannot be read.
        OSError: the file cannot be read.
    """
    if head.startswith(_ZIP):
        return _inspect_zip(file, wrong, answers)
    return _document(file, wrong, answers) if kind == "document" else None


def of_records(rows: Iterator[tuple[int, Record]], wrong: Wrong) -> tuple[bool, Rows]:
    """Whether records of a file are a program's log, and the rows that they make."""
    first = next(rows, None)
    if first is None:
        return False, iter(())
    rows = itertools.chain((first,), rows)
    record = first[1]
    if record.keys() >= {"doc_id", "doc", "target", "filtered_resps"}:
        return True, _lm_eval(rows, wrong)
    if isinstance(record.get("spec"), dict) and "eval_name" in record["spec"]:
        return True, _evals(rows, wrong)
    return False, iter(rows)


# Inspect


def _inspect_zip(file: File, wrong: Wrong, answers: bool) -> Rows | None:
    try:
        with file.open() as stream, zipfile.ZipFile(stream) as archive:
            members = {member.filename: member for member in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        if not file.label.lower().endswith(".eval"):
            return None
        reason = f"the zip of this Inspect log cannot be read: {one_line(str(error), 80)}"
        hint = "is it whole? copy it again"
        raise DataError(reason, where=file.label, hint=hint) from None
    if not any(name in members for name in _HEADERS):
        return None
    samples = [
        member
        for name, member in members.items()
        if name.startswith(_SAMPLE) and name.endswith(".json")
    ]
    size, most = sum(member.file_size for member in samples), max(ALWAYS, UNPACKED * file.size)
    if size > most:
        reason = (
            f"it unpacks to {size >> 20} MiB, more than {most >> 20}: {UNPACKED} times its size"
        )
        raise DataError(reason, where=file.label, hint="it may be damaged: copy it again")
    return _inspect_members(file, samples, wrong, answers)


def _inspect_members(
    file: File, samples: list[zipfile.ZipInfo], wrong: Wrong, answers: bool
) -> Rows:
    with file.open() as stream, zipfile.ZipFile(stream) as archive:
        for member in samples:
            place = one_line(member.filename, 100)
            try:
                sample = _parsed(_unpacked(archive, stream, member))
            except strict_json.Fault as error:
                wrong(place, str(error), "it may be damaged: copy the log again")
            except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, zlib.error) as error:
                reason = f"cannot be unpacked: {one_line(str(error), 80)}"
                wrong(place, reason, "it may be damaged: copy the log again")
            else:
                yield from _inspect_sample(place, sample, wrong, answers)


def _unpacked(archive: zipfile.ZipFile, stream: BinaryIO, member: zipfile.ZipInfo) -> bytes:
    """A file of a zip, which has no more bytes than the zip says.

    Raises:
        zipfile.BadZipFile: it is damaged.
        RuntimeError: it is encrypted, or packed by a method that is not known.
    """
    if member.compress_type != _ZSTD:
        return archive.read(member)
    import pyarrow as pa

    stream.seek(member.header_offset)
    header = stream.read(30)
    if len(header) < 30 or not header.startswith(_ZIP):
        raise zipfile.BadZipFile("no header at its place")
    name, extra = struct.unpack("<HH", header[26:])
    stream.seek(name + extra, 1)
    packed = stream.read(member.compress_size)
    try:
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as unpacking:
            data: bytes = unpacking.read(member.file_size)
    except (pa.ArrowException, OSError) as error:
        raise zipfile.BadZipFile(str(error)) from None
    if len(data) < member.file_size or zlib.crc32(data) != member.CRC:
        raise zipfile.BadZipFile("it is not whole")
    return data


def _inspect_sample(place: Place, sample: Any, wrong: Wrong, answers: bool) -> Rows:
    if not isinstance(sample, dict) or not _is_id(sample.get("id")):
        wrong(place, "no sample of an Inspect log with an `id`", "")
        return
    target = _texts(sample.get("target"))
    if target is None:
        wrong(place, "`target` is no text and no list of texts", "")
        return
    error, output = sample.get("error"), sample.get("output")
    answer = output.get("completion") if isinstance(output, dict) else None
    if answers and error:
        message = error.get("message") if isinstance(error, dict) else error
        reason = "the sample has no answer, it ended in an error"
        wrong(place, reason, f"{one_line(str(message), 80)}: run `inspect eval-retry`")
        return
    if answers and not isinstance(answer, str):
        wrong(place, "the sample has no answer: no text `output.completion`", "")
        return
    epoch, name = sample.get("epoch", 1), str(sample["id"])
    scores = sample.get("scores")
    scored = {} if not isinstance(scores, dict) else scores
    scored = {scorer: score for scorer, score in scored.items() if isinstance(score, dict)}
    values = {scorer: _GRADES.get(str(value := score.get("value")), value)
              for scorer, score in scored.items()}  # fmt: skip
    facts = sample.get("metadata")
    yield (
        place,
        {
            # What a scorer took out of the answer.
            **{scorer: score.get("answer") for scorer, score in scored.items()},
            "id": name if epoch == 1 else f"{name} (epoch {one_line(str(epoch), 20)})",
            "text": answer,
            "references": target,
            "meta": {"group": name, **(facts if isinstance(facts, dict) else {})},
            SCORES: {
                "text": _numbers(values),
                **{scorer: _numbers({scorer: value}) for scorer, value in values.items()},
            },
        },
    )


# One JSON document


def _document(file: File, wrong: Wrong, answers: bool) -> Rows | None:
    if file.size > LARGEST:
        hint = "an Inspect log is smaller as .eval: inspect log convert"
        raise DataError(f"JSON of more than {LARGEST >> 20} MiB", where=file.label, hint=hint)
    with file.open() as stream:
        raw = stream.read(LARGEST)
    try:
        document = _parsed(raw.removeprefix(BOM))
    except strict_json.Fault as error:
        if b'"eval"' in raw[:500] or b'"evalId"' in raw[:500]:
            hint = "is the file whole? copy it again"
            raise DataError(str(error), where=file.label, hint=hint) from None
        return None
    if not isinstance(document, dict):
        return None
    samples, results = document.get("samples"), document.get("results")
    if isinstance(document.get("eval"), dict) and isinstance(samples, list):
        return itertools.chain.from_iterable(
            _inspect_sample(number, sample, wrong, answers)
            for number, sample in enumerate(samples, start=1)
        )
    if isinstance(results, dict) and isinstance(results.get("results"), list):
        return _promptfoo(results["results"], wrong)
    return None


def _parsed(raw: bytes) -> Any:
    """JSON as Python programs write it, with NaN as None; raises :class:`strict_json.Fault`."""
    return strict_json.parse(raw, _DECODER)


# promptfoo

_EXPECTING = frozenset(("equals", "similar", "levenshtein", "rouge-n", "bleu", "gleu", "meteor"))
"""Assertions whose value is a good answer, and no piece or pattern of it."""


def _promptfoo(results: list[Any], wrong: Wrong) -> Rows:
    """A record for each test, with a field for each provider (and prompt, where it has several)."""
    usable: list[tuple[int, dict[str, Any], int, str]] = []
    for number, result in enumerate(results, start=1):
        if not isinstance(result, dict) or not _is_id(result.get("testIdx")):
            wrong(number, "no result of promptfoo with a `testIdx`", "")
            continue
        provider = result.get("provider")
        names = (provider.get("label"), provider.get("id")) if isinstance(provider, dict) else ()
        name = next((name for name in names if name and isinstance(name, str)), "text")
        column = result.get("promptIdx")
        usable.append((number, result, column if isinstance(column, int) else 0, name))
    # Results of one provider that differ in the prompt: promptfoo numbers them as its columns.
    columns = {(column, name) for _, _, column, name in usable}
    prompts = Counter(name for _, name in columns)
    tests: dict[str, tuple[Place, Record]] = {}
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for number, result, column, name in usable:
        field = "text" if len(columns) == 1 else name if prompts[name] == 1 else f"{name} {column}"
        facts = result.get("vars")
        record = tests.setdefault(
            str(result["testIdx"]),
            (number, {"id": str(result["testIdx"]), "references": [], "meta": facts}),
        )[1]
        response = result.get("response")
        record[field] = response.get("output") if isinstance(response, dict) else None
        own = scores.setdefault(str(result["testIdx"]), {})
        own[field] = _numbers({"score": result.get("score")})
        record["references"] += [
            text for text in _expected(result) if text not in record["references"]
        ]
    for test, (place, record) in tests.items():
        yield place, {**record, SCORES: scores[test]}


def _expected(result: dict[str, Any]) -> Iterator[str]:
    grading = result.get("gradingResult")
    parts = grading.get("componentResults") if isinstance(grading, dict) else None
    for part in parts if isinstance(parts, list) else ():
        assertion = part.get("assertion") if isinstance(part, dict) else None
        if not isinstance(assertion, dict) or assertion.get("type") not in _EXPECTING:
            continue
        metadata = part.get("metadata")
        filled = metadata.get("renderedAssertionValue") if isinstance(metadata, dict) else None
        value = assertion.get("value") if filled is None else filled
        yield from _texts(value) or ()


# lm-evaluation-harness


def _lm_eval(rows: Iterator[tuple[int, Record]], wrong: Wrong) -> Rows:
    """A record for each document, with a field for each filter, where there are several."""
    documents: dict[str, tuple[Place, Record]] = {}
    scores: dict[str, dict[str, dict[str, float]]] = {}
    filters: dict[str, None] = {}
    for line, row in rows:
        name, answer = row.get("doc_id"), row.get("filtered_resps")
        facts = row.get("doc")
        target = _lm_eval_target(row.get("target"), facts)
        if not _is_id(name) or target is None:
            reason = "the `target` is no text" if _is_id(name) else "no `doc_id`"
            wrong(line, f"{reason}: no answer to a task that generates texts", _GENERATES)
            continue
        while isinstance(answer, list) and len(answer) == 1:
            answer = answer[0]
        if not isinstance(answer, str):
            reason = "`filtered_resps` holds several values (log-likelihoods?), and no one answer"
            wrong(line, reason, _GENERATES)
            continue
        used = str(row.get("filter", "none"))
        filters[used] = None
        record = documents.setdefault(
            str(name), (line, {"id": str(name), "references": target, "meta": facts})
        )[1]
        if used in record:
            wrong(line, "the document has been answered above, with the same filter", "")
        record[used] = answer
        names = row.get("metrics")
        names = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        own = scores.setdefault(str(name), {})
        own[used] = _numbers({metric: row.get(metric) for metric in names})
    for document, (place, record) in documents.items():
        own = scores[document]
        if len(filters) == 1:
            (used,) = filters
            record["text"], own["text"] = record.pop(used), own[used]
        yield place, {**record, SCORES: own}


_GENERATES = "answers are read of tasks with `output_type: generate_until`"


def _lm_eval_target(target: Any, facts: Any) -> list[str] | None:
    """The texts of a target, of which lm-eval writes ``str(target)``, of a list too."""
    texts = _texts(target)
    if not isinstance(target, str) or not target.startswith("["):
        return texts
    if isinstance(facts, dict) and target in facts.values():
        return texts  # a text that begins so
    try:
        parsed = ast.literal_eval(target)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return texts
    return _texts(parsed) or texts


# OpenAI evals


def _evals(rows: Iterator[tuple[int, Record]], wrong: Wrong) -> Rows:
    """A record for each sample, of its events ``sampling`` and ``match``."""
    samples: dict[str, tuple[Place, Record]] = {}
    for line, event in rows:
        name, data, kind = event.get("sample_id"), event.get("data"), event.get("type")
        if kind not in ("sampling", "match") or not isinstance(data, dict):
            continue
        if not _is_id(name):
            wrong(line, "an event without `sample_id`", "")
            continue
        record = samples.setdefault(str(name), (line, {"id": str(name), "references": []}))[1]
        if kind == "match":
            record["references"] = _texts(data.get("expected")) or []
            sampled = data.get("sampled")  # what was judged
            record[SCORES] = {"text": _numbers({"match": data.get("correct")})}
        else:
            sampled = data.get("sampled") if "text" not in record else record["text"]
        while isinstance(sampled, list) and len(sampled) == 1:
            sampled = sampled[0]
        if sampled is not None:
            record["text"] = sampled
    for place, record in samples.values():
        yield place, {"text": None, **record}


def _texts(value: Any) -> list[str] | None:
    """A text or list of texts as a list, none for None; None where it is anything else."""
    if value is None:
        return []
    texts = value if isinstance(value, list) else [value]
    return texts if all(isinstance(text, str) for text in texts) else None


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """Of these scores those that are numbers, or true and false."""
    return {
        one_line(name, 60): float(value)
        for name, value in values.items()
        if isinstance(value, (int, float)) and abs(value) < LARGEST_SCORE
    }


def _is_id(value: Any) -> bool:
    return (
        isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip() != ""
    )
