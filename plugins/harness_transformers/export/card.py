"""The model card: what the export comes from, what was measured of it, and how it is loaded.

Texts of data, config and models are shown as text: no markup, no HTML and no link comes of them.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from harness import Verdict, trainers_in, write_text
from harness.kit.numbers import DASH, estimate, moment
from harness.kit.text import markdown_safe, titled
from harness.records.summary import MainRound, Scores, ShownScore
from harness_transformers import hub
from harness_transformers.chats import Chats
from harness_transformers.export.made import Export

NAME = "README.md"
LIBRARIES = ("torch", "transformers", "peft")
RATED = ("rubric", "judge")
"""Metrics whose scores are what a rubric says."""
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9.-]{1,40}")
"""A licence as hubs call it."""


def write_card(made: Export, folder: Path) -> None:
    """The card, as ``README.md`` of the export."""
    sections = {
        "Use": _use, "Origin": _origin, "Verdicts": _verdicts, "Scores": _scores,
        "Rubric results": _rated, "What the export was checked for": _parity,
    }  # fmt: skip
    parts: list[Iterable[str]] = [_metadata(made), _head(made)]
    parts += [(f"## {title}", "", *lines(made)) for title, lines in sections.items()]
    write_text(folder / NAME, "\n\n".join(map("\n".join, parts)) + "\n")


def _safe(text: object) -> str:
    return markdown_safe(str(text), 1000)


def _round(made: Export) -> MainRound | None:
    document, number = made.origin.document, made.origin.round
    return next((entry for entry in document.rounds if entry.round == number), None)


def _metadata(made: Export) -> Iterator[str]:
    """What hubs read; JSON texts are YAML, whatever is in them."""
    yield "---"
    for name in (made.base, made.origin.tuned.name):
        if hub.is_id(name) and "/" in name:
            yield f"base_model: {json.dumps(name)}"
            break
    if _IDENTIFIER.fullmatch(made.licence.lower()):
        yield f"license: {json.dumps(made.licence.lower())}"
    yield f"library_name: {made.library}"
    yield "pipeline_tag: text-generation"
    yield "---"


def _head(made: Export) -> Iterator[str]:
    what = "LoRA adapter" if made.library == "peft" else made.kind[0].upper() + made.kind[1:]
    yield f"# {_safe(made.origin.tuned.name)}, fine-tuned"
    yield ""
    yield f"{what} of round {made.origin.round} of the run {_safe(made.origin.stored.run)}."


def _use(made: Export) -> Iterator[str]:
    """How it is asked."""
    yield from _file_lines(made) if made.file else _python_lines(made)
    if made.system_note:
        yield from ("", f"{_safe(made.system_note[0].upper() + made.system_note[1:])}.")


def _file_lines(made: Export) -> Iterator[str]:
    """Commands within a fence; the file's name is one of ours."""
    yield "```sh"
    yield f"llama-server -m {made.file} --jinja        # http://127.0.0.1:8080"
    yield f"llama-cli -m {made.file} --jinja --temp 0"
    yield "ollama create tuned -f Modelfile && ollama run tuned"
    yield "```"
    yield ""
    held = ", held to a schema that an export does not carry" if made.origin.form else ""
    longest = made.origin.longest
    yield f"The run asked with temperature 0 and answers of at most {longest} tokens{held}."
    if not made.rendered:
        yield (
            "Ollama's templates cannot say this model's chat template, so that its answers there "
            "are not those of the run; llama.cpp reads the template from the file."
        )


def _python_lines(made: Export) -> Iterator[str]:
    """Python within a fence that no text can close: each is one line, as ``repr`` writes it."""
    chats = Chats.of(made.origin.tuned)
    generate = made.origin.stored.config["generate"]
    arguments = made.origin.tuned.info.get("chat_template_kwargs") or {}
    stop = f", eos_token_id={sorted(chats.stops.tokens)}" if chats.stops.tokens else ""
    if chats.stops.text:
        stop += f", stop_strings=[{chats.stops.text!r}], tokenizer=tokenizer"
    further = f", **{json.loads(json.dumps(arguments))!r}" if arguments else ""
    imported, loaded = made.loading_lines("folder")
    yield "```python"
    yield from (imported, "from transformers import AutoTokenizer", "")
    yield 'folder = "."  # this folder'
    yield from (loaded, "tokenizer = AutoTokenizer.from_pretrained(folder)", "")
    system = "".join(f"{_turn(turn)!r}, " for turn in made.origin.system_turns)
    yield f"chat = [{system}{{'role': 'user', 'content': '…'}}]"
    yield "inputs = tokenizer.apply_chat_template("
    yield "    chat, add_generation_prompt=True, return_tensors='pt', return_dict=True" + further
    yield ")"
    yield "answer = model.generate("
    yield f"    **inputs, max_new_tokens={made.origin.longest},"
    yield f"    do_sample={bool(generate.get('do_sample'))}{stop}"
    yield ")"
    yield "print(tokenizer.decode(answer[0, inputs['input_ids'].shape[1]:],"
    yield "                       skip_special_tokens=True))"
    yield "```"
    if made.note:
        yield from ("", f"Note: {_safe(made.note)}.")
    if "strftime_now" in str(chats.tokenizer.chat_template):
        yield ""
        yield "The chat template prints today's date; all prompts were built with 1 January 2026."


def _turn(turn: Mapping[str, Any]) -> dict[str, str]:
    return {"role": str(turn["role"]), "content": str(turn["content"])}


def _origin(made: Export) -> Iterator[str]:
    document, stored = made.origin.document, made.origin.stored
    dates, settings = document.dates, document.settings
    sizes = ", ".join(f"{_safe(split)} {count}" for split, count in document.data.rows.items())
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    name = made.origin.tuned.name
    # A path of this machine would tell a reader nothing, and tell it to everybody.
    base = f"{name} ({made.base})" if made.base != name and hub.is_id(made.base) else name
    yield f"- Base model: {_safe(base)}"
    yield (
        "- Licence of the base model: "
        f"{_safe(made.licence) if made.licence else 'not stated in its files; ask its source'}"
    )
    trained = moment(dates.finished or dates.started) or "date unknown"
    yield f"- Date: trained {_safe(trained)}, exported {today}"
    yield f"- Rows at the start of the run: {sizes or 'unknown'}"
    yield f"- Rows that this round learned from: {len(stored.train)}"
    for key, entries in {
        "data": [settings.get("data")], "model": [settings.get("model")],
        "train": trainers_in(settings) or [{}], "generate": [settings.get("generate")],
        "augment": settings.get("augment") or (),
    }.items():  # fmt: skip
        yield from (f"- Settings, {key}: {_settings(entry)}" for entry in entries)
    yield f"- Exported with: {libraries}"


def _settings(entry: Any) -> str:
    if not isinstance(entry, Mapping) or not entry:
        return "unknown"
    return _safe(", ".join(f"{key}: {_value(value)}" for key, value in entry.items()))


def _value(value: Any) -> str:
    value = _bare(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _bare(value: Any) -> Any:
    """A setting: of a path of this machine its last part, of columns those that are named."""
    if isinstance(value, str):
        return PurePath(value).name if PurePath(value).is_absolute() else value
    if isinstance(value, Mapping):
        return {key: _bare(part) for key, part in value.items() if part not in ("", [], None)}
    return [_bare(part) for part in value] if isinstance(value, Sequence) else value


def _verdicts(made: Export) -> Iterator[str]:
    document, entry = made.origin.document, _round(made)
    if not entry:
        yield "This round is not in the report of the run."
        return
    yield f"- On dev: {_verdict(entry.verdict)}"
    for guard in entry.guards:
        yield f"- Guard {_safe(guard.name)}, {_safe(guard.state)}: {_safe(guard.sentence)}"
    if document.kept_round != made.origin.round:
        yield f"- This is not the best round of the run, which is round {document.kept_round}."
    elif chosen := document.chosen:
        yield f"- {_safe(chosen.sentence)}"
    best = document.kept_round == made.origin.round
    if document.test and best:
        yield f"- On the sealed test set: {_verdict(document.test.verdict)}"
    elif document.sealed:
        yield f"- {_safe(document.sealed.sentence)}"
    if (prompt := document.best_prompt) and best:
        yield f"- Beside prompts without training: {_safe(prompt.sentence)}"
    yield f"- Beside the task: {_beside(entry)}"


def _beside(entry: MainRound) -> str:
    """What the round's model forgot of general instructions and text, or not."""
    forgetting = entry.forgetting
    if not forgetting:
        return "what the training made worse was not measured."
    kinds = (kind.sentence for kind in forgetting.kinds)
    sentences = (forgetting.instructions.sentence, forgetting.sentence, *kinds)
    return _safe(" ".join(filter(None, sentences)))


def _verdict(verdict: Verdict) -> str:
    """The sentence, and the difference with its one-sided bounds."""
    shown = estimate(verdict.difference, verdict.low, verdict.high, 3, plus=True)
    level = verdict.level
    bounds = f", each bound at {100 * level:.1f} %" if level and verdict.low is not None else ""
    against = f" against {_safe(verdict.against)}" if verdict.against else ""
    return f"{_safe(verdict.words)} (difference{against}: {shown}{bounds})"


def _scores(made: Export) -> Iterator[str]:
    entry, first = _round(made), made.origin.document.rounds[0]
    sides: list[tuple[str, Scores]] = [
        ("base model, dev", first.scores), ("this round, dev", entry.scores if entry else {}),
    ]  # fmt: skip
    test = made.origin.document.test
    if test and made.origin.document.kept_round == made.origin.round:
        sides += [("base model, test", test.baseline), ("this round, test", test.kept)]
    names = list(dict.fromkeys(name for _, scores in sides for name in scores))
    yield "With 95 % intervals. Scores on dev of the best round are optimistic: dev chose it."
    yield ""
    rows = [
        [
            titled(name, next((s[name].caveat for _, s in sides if name in s), "")),
            *(_score(scores.get(name)) for _, scores in sides),
        ]
        for name in names
    ]
    yield from _table(["score", *(title for title, _ in sides)], rows)


def _score(score: ShownScore | None) -> str:
    return DASH if score is None else estimate(score.value, score.low, score.high, 3)


def _rated(made: Export) -> Iterator[str]:
    """What people and judges said by a rubric."""
    shown = {0, made.origin.round}
    rated = made.origin.document.tables.get("rating_scores", ())
    rows = [
        [
            f"{row['rubric']}/{row['version']}: {row['title']}", str(row["round"]),
            estimate(row["value"], row["low"], row["high"]), str(row["n"]),
        ]
        for row in rated if row["round"] in shown
    ]  # fmt: skip
    metrics = [
        str(entry.get("name") or entry["plugin"])
        for entry in made.origin.stored.config.get("metrics") or () if entry["plugin"] in RATED
    ]  # fmt: skip
    if metrics:
        yield f"Scores above that a rubric gives: {_safe(', '.join(metrics))}."
    if rows:
        yield from ("Means of the answers that raters rated, 0 to 1, with 95 % intervals.", "")
        yield from _table(["criterion", "round", "score", "answers"], rows)
    elif not metrics:
        yield "No answer of this run was rated by a rubric."


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    lines = [[_cell(text) for text in line] for line in (heads, *rows)]
    for cells in (lines[0], ["---"] * len(heads), *lines[1:]):
        yield f"| {' | '.join(cells)} |"


_FIGURES = re.compile(r"[-+–0-9., \[\]%]{0,60}")
"""What does nothing in a cell: ``0.62 [0.55, 0.70]``."""


def _cell(text: str) -> str:
    return text if _FIGURES.fullmatch(text) else _safe(text)


def _parity(made: Export) -> Iterator[str]:
    if made.parity is not None:
        asked = "llama.cpp" if made.file else "the generator of the run"
        yield (
            f"All prompts of dev were answered with these files by {asked}: "
            f"{_safe(made.parity.sentence)}."
        )
        yield ""
    for sentence in made.checks:
        yield f"- {_safe(sentence[0].upper() + sentence[1:])}."
