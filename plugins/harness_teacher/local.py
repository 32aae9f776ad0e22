"""A model of this machine as the teacher: asked through a generator, with no server."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness import Checkpoint, Context, Example, Generator
from harness.kit.files import digest
from harness.kit.remote.asking import Progress
from harness.kit.remote.replies import KeptReplies, Reply, Request

USUAL = "transformers"
"""The generator that answers where none is named."""
LONGEST = 2048
PART = 32
"""Requests that are drawn together; a kill costs the replies of one part."""


def entry_of(given: Any) -> Any:
    """What ``local`` means: a folder, or what ``model`` of a config takes."""
    return {"source": "local", "path": given} if isinstance(given, (str, Path)) else given


def generator_of(
    named: harness.Named[Generator], temperature: float | None, longest: int | None
) -> Generator:
    """The generator of a local teacher; the usual one draws as a server would.

    Args:
        longest: answer, in tokens.

    Raises:
        ConfigError: its options do not go together with the teacher's.
    """
    generator = named.plugin
    if generator.name != USUAL:
        return generator
    drawn = {"do_sample": True, "temperature": temperature or 1.0} if temperature != 0 else {}
    given = generator.options.model_dump(include=set(named.raw))
    try:
        options = type(generator).Options.model_validate(
            {"max_new_tokens": longest or LONGEST, **drawn, **given}
        )
    except ValueError as error:
        raise harness.ConfigError(
            f"generate does not go together with temperature: {error}"
        ) from None
    return type(generator)(options)


class LocalAsker:
    """Asks a model through a generator, many requests at once, and keeps what it says.

    Args:
        tries: how often a reply that will not do is asked for anew.
        settings: what decides what the model says beside its weights and the request.
        cache: where replies are kept.
    """

    def __init__(
        self, model: harness.Model, generator: Generator, tries: int, settings: Any, cache: str,
        context: Context,
    ) -> None:  # fmt: skip
        self._model, self._generator, self._tries = model, generator, tries
        self._settings, self._context = settings, context
        self._kept = KeptReplies(Path(cache)) if cache else None
        with tempfile.TemporaryDirectory(prefix="harness-") as folder:
            self._checkpoint: Checkpoint = model.fetch(self._within(folder, 0))
        self.who = f"teacher {self._checkpoint.name} of this machine"

    def key(self, request: Request) -> str:
        """By which a reply is kept."""
        return digest([self._checkpoint.digest, request.messages, self._settings, request.draw])

    def replies(
        self, requests: Sequence[Request], progress: Progress, undone: str
    ) -> Iterator[tuple[int, Reply]]:
        """The place of each request with its reply.

        Raises:
            HarnessError: as the generator says.
        """
        keys = [self.key(request) for request in requests]
        distinct = list(dict(zip(keys, requests, strict=True)).items())
        by_key: dict[str, Reply] = {}
        for begin in range(0, len(distinct), PART):
            progress(begin, len(distinct), "replies")
            by_key |= self._of_part(dict(distinct[begin : begin + PART]))
        yield from enumerate(by_key[key] for key in keys)

    def _of_part(self, asked: Mapping[str, Request]) -> dict[str, Reply]:
        """The reply to each of these requests, which are drawn together."""
        earlier = {key: self._kept.get(key) if self._kept else None for key in asked}
        replies = {key: reply for key, reply in earlier.items() if reply}
        for attempt in range(1, self._tries + 1):
            # Draws depend on what else is in a batch: what was drawn together before a kill is
            # drawn together after it, and of what is kept already nothing is taken.
            drawn = {
                key: request
                for key, request in asked.items()
                if attempt == 1
                or replies[key].tries >= attempt
                or not request.accept(replies[key].text)
            }
            missing = {key for key in drawn if key not in replies or replies[key].tries < attempt}
            if missing:
                for key, reply in self._drawn(drawn, attempt):
                    if key in missing:
                        replies[key] = reply
                        if self._kept is not None:
                            self._kept.put(key, reply, self._checkpoint.name)
        return replies

    def _drawn(self, asked: Mapping[str, Request], attempt: int) -> Iterator[tuple[str, Reply]]:
        keys = list(asked)
        rows = [Example(str(n), tuple(asked[key].messages), ()) for n, key in enumerate(keys)]
        with tempfile.TemporaryDirectory(prefix="harness-") as folder:
            context = self._within(folder, int(digest([attempt, *keys])[:7], 16))
            for answer in self._generator.generate(self._checkpoint, rows, context):
                finish = "length" if answer.finish_reason == "length" else "stop"
                yield keys[int(answer.example_id)], Reply(
                    answer.text, attempt, finish, answer.prompt_tokens, answer.completion_tokens,
                    self._checkpoint.name,
                )  # fmt: skip

    def _within(self, folder: str, seed: int) -> Context:
        """For a call of another plugin: nothing that it says is kept with the teacher's stage."""
        return dataclasses.replace(
            self._context, output=Path(folder), seed=seed, facts={}, scratch=None
        )
