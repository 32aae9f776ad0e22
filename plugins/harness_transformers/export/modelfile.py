"""Ollama's ``Modelfile``: the file's name, how chats are rendered, and what ends an answer.

Ollama renders chats by templates of Go, not by the Jinja template that the file holds. What one
turn of each role is put into is read off the chat template, and the template of Go is written only
where chats built of these pieces are those of the chat template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness import write_text
from harness_transformers import encoding
from harness_transformers.chats import Chats
from harness_transformers.export.origin import Origin
from harness_transformers.llamacpp import asking

NAME = "Modelfile"
ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a chat is put together of.

    Attributes:
        head: before the first turn, where that is no system turn.
        around: role -> the texts before and after a turn.
        lead: before the answer.
    """

    head: str
    around: Mapping[str, tuple[str, str]]
    lead: str

    def rendered(self, turns: Sequence[tuple[str, str]]) -> str:
        """A chat, up to where the answer begins."""
        head = "" if turns[0][0] == "system" else self.head
        body = (self.around[role][0] + text + self.around[role][1] for role, text in turns)
        return head + "".join(body) + self.lead


def pieces_of(tokenizer: Any) -> Pieces | None:
    """The pieces of a chat template; None where chats are not put together so.

    Where turns alternate it does not matter to which of two turns a text between them belongs: all
    of it is put around the answers, and a user's turn has none of its own.
    """
    system, user, answer = (("system", "\u2460"), ("user", "\u2461"), ("assistant", "\u2462"))
    again, many = ("user", "\u2463"), [("user", "a"), ("assistant", "b"), ("user", "c")]
    chats = [[many[0]], many]
    try:
        head, tail = _rendered(tokenizer, [user]).split(user[1])
        _, rest = _rendered(tokenizer, [user, answer, again]).split(user[1])
        before, rest = rest.split(answer[1])
        after, _ = rest.split(again[1])
        around = {"user": ("", ""), "assistant": (before, after)}
        try:
            first, rest = _rendered(tokenizer, [system, user]).split(system[1])
        except harness.DataError:
            pass  # it has no system turns
        else:
            around["system"] = first, rest.split(user[1])[0]
            chats.append([("system", "s"), *many])
        pieces = Pieces(head, around, tail)
        right = all(pieces.rendered(chat) == _rendered(tokenizer, chat) for chat in chats)
    except (harness.DataError, ValueError):
        return None
    return pieces if right else None


def _rendered(tokenizer: Any, turns: Sequence[tuple[str, str]]) -> str:
    messages = tuple({"role": role, "content": text} for role, text in turns)
    return encoding.prompt(tokenizer, harness.Example("modelfile", messages))


def write(origin: Origin, folder: Path, file: str) -> bool:
    """The ``Modelfile`` of a GGUF file; whether it says how chats are rendered."""
    chats = Chats.of(origin.tuned)
    pieces = pieces_of(chats.tokenizer)
    lines = [f"FROM ./{file}"]
    if pieces is None or _dangerous(pieces):
        pieces = None
        lines.append("# The chat template cannot be said in Ollama's language: chats differ there.")
    else:
        # Ollama puts the token of the beginning there itself.
        bos = str(chats.tokenizer.bos_token) if asking.begins(chats) else ""
        lines.append(f'TEMPLATE """{_template(pieces, bos)}"""')
    lines += _system_lines(origin.system_turns, pieces)
    lines += ["PARAMETER temperature 0", "PARAMETER repeat_penalty 1"]
    lines.append(f"PARAMETER num_predict {origin.longest}")
    stops = [str(chats.tokenizer.convert_ids_to_tokens(n)) for n in sorted(chats.stops.tokens)]
    stops += [chats.stops.text] if chats.stops.text else []
    lines += [f'PARAMETER stop "{stop}"' for stop in stops if '"' not in stop and "\n" not in stop]
    write_text(folder / NAME, "\n".join(lines) + "\n")
    return pieces is not None


def _system_lines(turns: Sequence[harness.Message], pieces: Pieces | None) -> list[str]:
    """What Ollama puts before a chat that has no system turn; nothing where there is none.

    ``SYSTEM`` is one text, of the role ``system``, and has no escapes.
    """
    if not turns:
        return []
    text = str(turns[0]["content"])
    whole = len(turns) == 1 and turns[0]["role"] == "system" and '"""' not in text
    if not whole or text.strip() != text or (pieces and "system" not in pieces.around):
        return ["# The system turn of the run cannot be said here: give it with each chat."]
    return [f'SYSTEM """{text}"""']


def _dangerous(pieces: Pieces) -> bool:
    """Whether texts of the template would be read as Ollama's own language."""
    texts = [pieces.head, pieces.lead, *(text for pair in pieces.around.values() for text in pair)]
    return any(mark in text for text in texts for mark in ("{{", "}}", '"""', "\r"))


def _template(pieces: Pieces, bos: str) -> str:
    """The same chats in Go's language."""

    def turn(role: str) -> str:
        before, after = (text.removeprefix(bos) if bos else text for text in pieces.around[role])
        return f'eq .Role "{role}" }}}}{before}{{{{ .Content }}}}{after}'

    roles = [role for role in ROLES if role in pieces.around]
    cases = "{{ else if ".join(turn(role) for role in roles)
    body = "{{ range .Messages }}{{ if " + cases + "{{ end }}{{ end }}"
    head = pieces.head.removeprefix(bos) if bos else pieces.head
    if head and "system" in pieces.around:
        head = '{{ if ne (index .Messages 0).Role "system" }}' + head + "{{ end }}"
    return head + body + pieces.lead
