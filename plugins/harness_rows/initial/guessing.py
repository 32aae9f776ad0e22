"""Which columns a config is to name: those that can be told, else the choice as commands."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from harness import DataError
from harness.kit.readers import encodings
from harness_rows.choices import column_of_choices
from harness_rows.formats import Unrecognised
from harness_rows.initial.request import Request
from harness_rows.proposals import Choice, never, options, propose
from harness_rows.reading import HEAD, Reading

_COLUMNS = re.compile(r"`columns: \{(.*?)\}`")
_OPTION = re.compile(r"--(encoding \S+|drop-incomplete)")
_EITHER = re.compile(rf"{re.escape(encodings.EITHER)} (--encoding \w+) or (--encoding \w+)")
_PAIRS = ("prompt-completion", "alpaca")
"""Formats that are recognised by the names of single columns, which may say something else."""


def doubted(reading: Reading, request: Request) -> None:
    """Stop where names of columns were recognised, and what stands in them says something else.

    Raises:
        DataError: with the choice to make.
    """
    roles = {column.partition("=")[0].strip() for column in request.column or ()}
    if reading.format not in _PAIRS or request.prompt or request.format_ or "references" in roles:
        return
    head = list(islice(reading.records, HEAD))
    prompts, answers = reading.columns["prompt"], reading.columns["references"]
    proposal = propose([*prompts, *answers, *reading.unused], head)
    rivals = [name for name in proposal.answers if name not in (*prompts, *answers)]
    held = next((f"'{name}' holds {kind}" for name in prompts if (kind := never(name, head))), "")
    others = [choice for choice in proposal.choices if choice.prompt not in prompts]
    if rivals:
        what = f"'{answers[0]}' and '{rivals[0]}' may both be the answer"
        choices = [Choice(prompts[-1], name) for name in (*answers, *rivals)]
    elif held and others:
        what, choices = f"{held}, and is called as prompts are", others
    else:
        return
    raise _asked(DataError(what, where=reading.where), choices, request)


def with_options(reading: Reading) -> str:
    """A template of the prompt that holds the options of an exam; empty where there are none."""
    signs, prompts = options(reading.unused), reading.columns.get("prompt", ())
    if len(prompts) != 1 or not signs or "{" in prompts[0] or "}" in prompts[0]:
        return ""
    return "\n".join([f"{{{prompts[0]}}}", "", *(f"{sign}) {{{n}}}" for sign, n in signs.items())])


def with_choices(reading: Reading) -> str:
    """The column of the answers to choose from, where nothing else is read from it."""
    played = reading.columns
    if "choices" in played or len(played.get("prompt", ())) != 1:
        return ""
    answers = played.get("references", ())
    unused = reading.unused if len(answers) == 1 else ()
    return column_of_choices(unused, answers[0], reading.records) if unused else ""


def nested(columns: Sequence[str], head: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns that hold lists of objects: rows within a row."""
    names = []
    for name in columns:
        lists = [value for record in head if isinstance(value := record.get(name), list)]
        if any(value and isinstance(value[0], dict) for value in lists):
            names.append(name)
    return names


def option_in(error: DataError, request: Request) -> dict[str, Any]:
    """The option that an error's hint begins with, as fields of the request that lacks it."""
    match = _OPTION.match(error.hint)
    name, _, value = match[1].partition(" ") if match else ("", "", "")
    if name == "encoding" and not request.encoding:
        return {"encoding": value}
    if name == "drop-incomplete" and not request.drop_incomplete:
        return {"drop_incomplete": True}
    return {}


def together(refusal: DataError, further: DataError, option: str) -> DataError:
    """A refusal, and what is refused once the option that it names is given.

    Args:
        further: its commands have the option.
    """
    lines = [line for line in further.details if line not in refusal.details]
    if further.placed not in refusal.details and (lines or not further.details):
        lines.insert(0, f"read so: {further.placed}")
    goes_on = any(f" {option}" in text for text in (*lines, further.hint))
    return DataError(
        refusal.what,
        where=refusal.where,
        details=[*refusal.details, *lines],
        hint=further.hint if goes_on else refusal.hint,
    )


def _again(error: DataError, hint: str, details: Iterable[str] = ()) -> DataError:
    """The error with another hint and more details."""
    return DataError(error.what, where=error.where, details=[*error.details, *details], hint=hint)


def in_commands(error: DataError, request: Request) -> DataError:
    """The same error, with commands to paste where it names keys of a config."""
    if isinstance(error, Unrecognised):
        return _unrecognised(error, request)
    if option := _OPTION.match(error.hint):
        hint = f"{_command(option[0].split(), request)}{error.hint[option.end() :]}"
        return _again(error, hint)
    if either := _EITHER.match(error.hint):
        commands = [_command(option.split(), request) for option in either.groups()]
        hint = f"paste the line of the encoding that reads right{error.hint[either.end() :]}"
        return _again(error, hint, commands)
    match = _COLUMNS.search(error.hint)
    if match is None:
        return error
    pairs = (part.partition(":") for part in match[1].split(","))
    roles = [f"{role.strip()}={name.strip()}" for role, _, name in pairs]
    lead = error.hint.partition("`")[0].replace("in the config, as ", "").rstrip(" ,:")
    return _again(error, f"{lead}: {_with_columns(roles, request)}")


def _unrecognised(error: Unrecognised, request: Request) -> DataError:
    if inner := nested(error.columns, error.head):
        hint = "make a row of each of these objects, in JSONL or CSV, and begin with that file"
        if {"annotations", "data"} <= set(error.columns):
            hint = "of Label Studio, the export JSON-MIN or CSV has a row for each text"
        what = f"each row holds many in its column '{inner[0]}'"
        return DataError(what, where=error.where, details=error.details, hint=hint)
    if error.proposal.choices:
        return _asked(error, error.proposal.choices, request)
    return _again(error, "name them: --column prompt=NAME --column references=NAME")


def _asked(error: DataError, choices: Iterable[Choice], request: Request) -> DataError:
    """The error with a command line for each choice."""
    lines = []
    for choice in choices:
        roles = [f"references={choice.answer}"]
        if not choice.template and not request.prompt:
            roles.insert(0, f"prompt={choice.prompt}")
        lines.append(_with_columns(roles, request, choice.template))
    hint = "paste the line of what the model is to learn, or name other columns so"
    return _again(error, hint, dict.fromkeys(lines))


def _command(more: Sequence[str], request: Request) -> str:
    return shlex.join([*shlex.split(request.command), *more])


def _with_columns(roles: Sequence[str], request: Request, template: str = "") -> str:
    """The command line of the request with roles of columns, which it may have in part."""
    new = {role.partition("=")[0] for role in roles}
    columns = [column for column in request.column or () if column.partition("=")[0] not in new]
    more = [word for column in roles for word in ("--column", column)]
    if template:
        more += ["--prompt", template.replace("\n", "\\n")]
    return _command(more, dataclasses.replace(request, column=columns))
