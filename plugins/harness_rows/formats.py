"""Which format the rows are in, by their columns; what was recognised is said."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness import DataError, near
from harness.kit.readers import Record
from harness_rows.calling import listed
from harness_rows.choices import first_number
from harness_rows.options import RowsOptions, template_names
from harness_rows.proposals import Choice, Proposal, kind_of, propose
from harness_rows.roles import MISSING, Roles, value_of
from harness_rows.turns import turns_in

TURNS = ("messages", "conversations", "conversation", "turns", "dialog", "dialogue", "chat")
ASKING = ("prompt", "input")
"""Columns that may hold turns, too, with the answer in another one (TRL; OpenAI evals, Inspect)."""
SYSTEMS = ("system", "system_prompt")
_ASKED_OF, _BETTER, _WORSE = "input.messages", "preferred_output", "non_preferred_output"
"""Pairs as OpenAI takes them."""
_SOURCES, _TARGETS = ("source", "src"), ("target", "tgt")
"""Prompts and answers of a translation; a ``source`` alone says where a row is from."""
_WHOLE = ("document", "article", "passage")
"""Beside one of these it cannot be told what ``text`` is."""
PROMPTS = (
    "prompt", "instruction", "question", "query", "input", *_SOURCES, "request", "text",
    "sentence", "utterance", "dialogue", "dialog", "document", "article", "content", "message",
    "passage", "problem",
)  # fmt: skip
ANSWERS = (
    "completion", "response", "output", "answer", "answers", *_TARGETS, "reference",
    "references", "summary", "highlights", "label_text", "label", "labels", "intent", "category",
    "class", "solution", "reply", "generation", "expected", "expected_output", "ideal", "gold",
)  # fmt: skip
FEW = 0.1
"""Share of the rows: with fewer different prompts another column may be the prompt."""
CONTEXTS = ("context", "input")
"""Columns that are read together with another one as the prompt."""
IDS = ("id", "_id", "uuid", "example_id", "row_id")
GROUPS = ("group", "group_id")
SPLIT_COLUMNS = ("split",)
TOOLS = ("tools", "functions")
JUDGED = ("kto_tag", "label")
"""Columns of true and false that say whether the answer is good (LLaMA-Factory, TRL)."""
READ_AS = "rows are read as"
"""How the sentence on the format begins."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the columns are.

    Attributes:
        said: sentences for people: the format, by what it was recognised, and what is read.
    """

    format: str
    roles: Roles
    said: tuple[str, ...]


class Unrecognised(DataError):
    """It cannot be told which column is the prompt, and which the answer.

    Attributes:
        columns: all that were met.
        head: the first records.
        proposal: what they may be.
    """

    columns: Sequence[str] = ()
    head: Sequence[Record] = ()
    proposal = Proposal()


def recognise(
    options: RowsOptions, columns: Sequence[str], head: Sequence[Record], where: str
) -> Recognised:
    """The format of rows.

    Args:
        columns: all that were met in ``head``.
        head: the first records.

    Raises:
        DataError: no format fits, or a named column is missing.
    """
    given, table = _roles_of_config(options), _Table(columns, head, where)
    _check_named([*template_names(options.prompt), *given.all_columns()], table)
    named = given
    # Before the formats: in pairs, the columns `chosen` and `rejected` decide what the others are.
    if options.format == "auto" and not (named.references or named.prompts or named.messages):
        named = _with_preferences(named, table)
    if named.prompts or named.template or named.messages:
        form, roles = _by_config(named, table)
        reason = "your config" if named == given else "its columns"
    else:
        form, roles, reason = _by_columns(options.format, named, table)
    roles = _with_optional(roles, named, table)
    # Behind all others: a column `label` may be the answer, or be named as a fact.
    if not (roles.good or roles.label or roles.rejected):
        judged = table.first(JUDGED, but=roles.all_columns())
        roles = replace(roles, label=judged if judged and table.truths(judged) else "")
    return Recognised(form, roles, (_sentence(form, roles, reason, options),))


class _Table:
    """Columns by the names that people give them, and what stands in them."""

    def __init__(self, columns: Sequence[str], head: Sequence[Record], where: str) -> None:
        self.columns, self.head, self.where = columns, head, where
        self._plain = {folded_name(name): name for name in reversed(columns)}

    def first(self, names: Sequence[str], but: Sequence[str] = ()) -> str:
        """The column with the first of these names, or empty."""
        columns = (self._plain.get(name, "") for name in names)
        return next((name for name in columns if name and name not in but), "")

    def values(self, column: str) -> list[Any]:
        values = (value_of(record, column) for record in self.head)
        return [value for value in values if value is not MISSING and value is not None]

    def distinct(self, columns: Sequence[str]) -> int:
        """How many rows differ in what stands in these columns together."""
        return len({tuple(str(value_of(row, name)) for name in columns) for row in self.head})

    def truths(self, column: str) -> bool:
        """Whether the column holds true and false alone, in a table as texts."""
        values = self.values(column)
        words = ("true", "false")
        return bool(values) and all(
            isinstance(value, bool)
            or (isinstance(value, str) and value.strip().casefold() in words)
            for value in values
        )

    def reachable(self) -> list[str]:
        """The columns; of one that holds objects, what is in them (``outer.inner``)."""
        columns: list[str] = []
        for name in self.columns:
            first = next(iter(self.values(name)), None)
            nested = isinstance(first, dict)
            columns += [f"{name}.{key}" for key in first] if nested and first else [name]
        return columns

    def turns(self, column: str) -> str:
        """``messages`` or ``sharegpt`` where the column holds lists of turns, else empty."""
        for value in self.values(column):
            turns = turns_in(value)
            if not turns or not isinstance(turns[0], dict):
                return ""
            if "role" in turns[0] or "content" in turns[0]:
                return "messages"
            return "sharegpt" if "from" in turns[0] or "value" in turns[0] else ""
        return ""


def folded_name(name: str) -> str:
    """The name of a column as it is compared: without letter case, blanks and hyphens."""
    return "_".join(name.strip().casefold().replace("-", " ").split())


def _roles_of_config(options: RowsOptions) -> Roles:
    """What the config says."""
    named = dict(options.columns)
    prompt = named.pop("prompt")
    return Roles(prompts=(prompt,) if prompt else (), template=options.prompt, **named)


def _check_named(wanted: Iterable[str], table: _Table) -> None:
    """Raises DataError where one of these columns is not there."""
    lacking = [
        name
        for name in dict.fromkeys(wanted)
        if name not in table.columns
        and all(value_of(record, name) is MISSING for record in table.head)
    ]
    if not lacking:
        return
    hint = near(lacking[0], table.columns) if len(lacking) == 1 else ""
    names = ", ".join(f"'{name}'" for name in lacking)
    verb = "is no column" if len(lacking) == 1 else "are no columns"
    raise DataError(
        f"{names} {verb} of these rows{hint}",
        where=table.where,
        details=[f"columns: {', '.join(table.columns)}"],
        hint="name one of them (`data.columns`, `data.prompt`)",
    )


def _by_config(named: Roles, table: _Table) -> tuple[str, Roles]:
    """Format and roles where the prompt is named."""
    if named.messages:
        style = table.turns(named.messages) or "messages"
        beside = f"{named.messages.rpartition('.')[0]}.tools"  # of an object that holds the turns
        roles = Roles(
            messages=named.messages,
            completion=named.completion,
            references=named.references,
            tools=table.first(TOOLS) or (beside if table.values(beside) else ""),
        )
        return style, roles
    prompts = named.prompts or template_names(named.template)
    references = named.references or (table.first(ANSWERS, but=prompts),)
    if not references[0]:
        raise _unrecognised(table, "no column is known for one of answers")
    roles = Roles(prompts=named.prompts, template=named.template, references=references)
    return "columns", roles


def _by_columns(wanted: str, named: Roles, table: _Table) -> tuple[str, Roles, str]:
    """Format, roles and reason by what columns are called: the first format that fits."""
    for form, roles_in in _FORMS.items():
        if wanted not in ("auto", form) or (roles := roles_in(table, named.references)) is None:
            continue
        if wanted == "auto":
            _ask_if_repeated(roles, named, table)
        reason = "your config" if wanted == form else "its columns"
        if named.references:
            roles = replace(roles, references=named.references)
        return form, roles, reason
    if wanted == "columns":
        raise _unrecognised(table, "`format: columns` needs `columns.prompt`")
    if wanted != "auto":
        raise _unrecognised(table, f"these columns are not those of the format {wanted}")
    raise _unrecognised(table, "the format is not recognised")


def _ask_if_repeated(roles: Roles, named: Roles, table: _Table) -> None:
    """Stop where prompts hardly differ, and another column may well be what is asked about.

    Raises:
        Unrecognised: with the choice to make.
    """
    rows = len(table.head)
    if not roles.prompts or table.distinct(roles.prompts) >= FEW * rows:
        return
    taken = [*roles.all_columns(), *named.all_columns()]
    other = next(
        (
            column
            for name in _known_prompts(table)
            if (column := table.first((name,), but=taken))
            and table.distinct((column,)) >= FEW * rows
        ),
        "",
    )
    if other:
        read, answer = " and ".join(roles.prompts), (named.references or roles.references)[0]
        whole = "\\n\\n".join(f"{{{name}}}" for name in (*roles.prompts, other))
        error = _unrecognised(table, f"'{read}' repeats itself, and '{other}' does not")
        error.hint = (
            f"name one in the config, as `columns: {{prompt: {other}, references: {answer}}}` "
            f'under `data:`, or put them together: `prompt: "{whole}"`'
        )
        alone, together = Choice(other, answer), Choice(other, answer, whole.replace("\\n", "\n"))
        error.proposal = Proposal((alone, together))
        raise error


def _messages(table: _Table, answers: Sequence[str] = (), style: str = "messages") -> Roles | None:
    column = _turns_column(table, style)
    if not column:
        return None
    references = answers or [name for name in (table.first(("references",)),) if name]
    roles = Roles(
        messages=column,
        references=tuple(references),
        system=table.first(SYSTEMS),
        tools=table.first(TOOLS),
    )
    if folded_name(column) in ASKING and not roles.references:
        answer = table.first(ANSWERS, but=(column,))
        if answer and table.turns(answer):
            return replace(roles, completion=answer)
        roles = replace(roles, references=(answer,))
    return roles


def _turns_column(table: _Table, style: str = "") -> str:
    """The column of turns, also the prompts of rows that have their answer in another column."""
    for name in (*TURNS, *ASKING):
        column = table.first((name,))
        found_style = table.turns(column) if column else ""
        if found_style and style in ("", found_style):
            return column
    return ""


def _alpaca(table: _Table, answers: Sequence[str] = ()) -> Roles | None:
    instruction = table.first(("instruction",))
    answer = next(iter(answers), table.first(("output", "response", "completion", "answer")))
    if not instruction or not answer:
        return None
    context = table.first(("input", "context"))
    return Roles(
        prompts=tuple(filter(None, (instruction, context))),
        references=(answer,),
        system=table.first(SYSTEMS),
        history=table.first(("history",)),
    )


def _prompt_completion(table: _Table, answers: Sequence[str] = ()) -> Roles | None:
    prompt = _prompt_column(table)
    answer = next(iter(answers), table.first(ANSWERS, but=(prompt,)))
    if not prompt or not answer:
        return None
    beside = CONTEXTS if folded_name(prompt) == "question" else ("context",)
    context = table.first(beside, but=(prompt, answer))
    if prompt == table.first(("text",)) and table.first(_WHOLE):
        return None
    tools = table.first(TOOLS, but=(prompt, answer))
    return Roles(
        prompts=tuple(filter(None, (context, prompt))),
        references=(answer,),
        system=table.first(SYSTEMS, but=(prompt, answer)),
        tools=tools if any(map(listed, table.values(tools))) else "",
    )


def _known_prompts(table: _Table) -> list[str]:
    translated = table.first(_TARGETS)
    return [name for name in PROMPTS if translated or name not in _SOURCES]


def _prompt_column(table: _Table) -> str:
    return table.first(_known_prompts(table))


_FORMS: Mapping[str, Callable[..., Roles | None]] = {
    "messages": _messages,
    "sharegpt": functools.partial(_messages, style="sharegpt"),
    "alpaca": _alpaca,
    "prompt-completion": _prompt_completion,
}
"""Format -> the roles of a table's columns, or None where they are not of that format.

In the order in which they are tried: Alpaca's columns would also be a prompt and a completion."""


def _with_optional(roles: Roles, named: Roles, table: _Table) -> Roles:
    """The roles with those that every format may have."""
    taken = roles.all_columns()
    # The column ``meta`` where it holds objects, as the format ``jsonl`` has it.
    values = table.values("meta") if "meta" in table.columns else []
    own_meta = ("meta",) if values and all(isinstance(of, dict) for of in values) else ()
    choices = named.choices if roles.references and not roles.messages else ""
    return replace(
        roles,
        choices=choices,
        first=first_number(choices, roles.references[0], table.head) if choices else None,
        system=named.system or roles.system,
        rejected=named.rejected,
        label=named.label,
        good=named.good,
        id=named.id or table.first(IDS, but=taken),
        group=named.group or table.first(GROUPS, but=taken),
        split=named.split or table.first(SPLIT_COLUMNS, but=taken),
        meta=named.meta or own_meta,
    )


def _sentence(form: str, roles: Roles, reason: str, options: RowsOptions) -> str:
    played = roles.columns(template_names(options.prompt))
    parts = [f"{role} from {' and '.join(names)}" for role, names in played.items()]
    if roles.messages and not roles.references:
        parts.append("the answer is the last assistant turn")
    if roles.good:
        parts.append("rows whose answer is not good are left out")
    if roles.rejected:
        parts.append("these are pairs of a preferred and a rejected answer")
    if roles.label:
        parts.append("an answer that is not good is a rejected one")
    return f"{READ_AS} {form}, by {reason}: {', '.join(parts)}"


def _unrecognised(table: _Table, what: str) -> Unrecognised:
    columns = table.reachable()
    proposal = propose(columns, table.head)
    if proposal.choices:
        prompt, answer = proposal.choices[0].prompt, proposal.choices[0].answer
    else:
        no_texts = ("number", "date", "id", "address", "no text")
        texts = [name for name in columns if kind_of(table.values(name)) not in no_texts]
        prompt, answer = (*texts, "question", "answer")[:2]  # an example where columns are none
    error = Unrecognised(
        f"{what}: it cannot be told which column is the prompt, and which the answer",
        where=table.where,
        details=[f"columns: {', '.join(columns)}"],
        hint=f"name them in the config, as `columns: {{prompt: {prompt}, references: {answer}}}` "
        "under `data:`",
    )
    error.columns, error.head, error.proposal = table.columns, table.head, proposal
    return error


def _with_preferences(named: Roles, table: _Table) -> Roles:
    """What the config says, with the columns of pairs of a preferred and a rejected answer.

    Raises:
        DataError: these are steps, or pairs of which nobody can tell the prompt.
    """
    steps, verdicts = table.first(("completions",)), table.first(("labels",))
    if steps and verdicts and all(isinstance(verdict, list) for verdict in table.values(verdicts)):
        raise DataError(
            f"these are stepwise rows ('{steps}' are the steps of an answer, '{verdicts}' says "
            "which are right); harness trains on whole answers",
            where=table.where,
            details=[f"columns: {', '.join(table.columns)}"],
            hint="join the steps of the rows in which all are right, as prompt and completion",
        )
    chosen, rejected = table.first(("chosen", _BETTER)), table.first(("rejected", _WORSE))
    if rejected and not chosen and table.first(("references",)):  # rows as this program writes them
        return replace(named, rejected=rejected)
    if not chosen or not rejected:
        return named
    answers = table.turns(chosen)
    turns = turns_in(table.values(chosen)[0]) if answers else None
    begins = str(turns[0].get("role", turns[0].get("from"))).casefold() if turns else ""
    chat, prompt = _turns_column(table), _prompt_column(table)
    if chosen == _BETTER and table.turns(_ASKED_OF):
        chat = _ASKED_OF
    system = table.first(SYSTEMS, but=template_names(named.template))
    named = replace(named, system=named.system or system)
    if begins in ("user", "human", "system"):  # the prompt stands in front of the answer, too
        return replace(named, messages=chosen, rejected=rejected)
    if chat and answers:
        return replace(named, messages=chat, completion=chosen, rejected=rejected)
    if chat:
        return replace(named, messages=chat, references=(chosen,), rejected=rejected)
    if table.first(("instruction",)) and not answers:
        return replace(named, references=(chosen,), rejected=rejected)
    if prompt and not answers:
        own = () if named.template else (prompt,)
        return replace(named, prompts=own, references=(chosen,), rejected=rejected)
    raise DataError(
        "these are preference pairs (chosen, rejected) without a prompt of their own",
        where=table.where,
        details=[f"columns: {', '.join(table.columns)}"],
        hint="make a prompt and two answers of each, in columns prompt, chosen and rejected",
    )
