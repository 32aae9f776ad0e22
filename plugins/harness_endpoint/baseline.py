"""The baseline ``endpoint``: another model, behind an OpenAI-compatible API, answers the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

import harness
from harness.kit.remote.asking import Asker
from harness.kit.remote.client import foreseen
from harness.kit.remote.options import ServerOptions, check_server, foresee_server, money
from harness.kit.remote.replies import Request
from harness_endpoint.generator import prediction

_KEYS = ("role", "content", "name", "tool_calls", "tool_call_id")
"""What hosted APIs know of a turn; others, such as earlier thoughts, they refuse."""
_ENDS = ("", "stop", "length", "tool_calls")
"""How answers end that are whole, or as long as they may be."""


class EndpointBaseline(harness.Baseline):
    """Another model, behind a server, answers: does the best round reach it, and at what cost?

    Greedy by default. The prompts of dev, and of test once it is opened, are sent with their
    tools; references never are. Replies are kept by what was asked, so that nothing is paid twice.
    """

    name = "endpoint"
    known_as = ("openai", "big-model", "frontier", "api")
    libraries = ()

    class Options(ServerOptions):
        prompts: harness.Named[harness.Baseline] | None = Field(
            None,
            description="the baseline that makes its prompts: `few-shot`, or `{plugin: prompted, "
            "system: TEXT}`; null: the rows as they are",
        )

    options: Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        if options is not None:
            check_server(self.options)
        if self._way is not None and self._way.model():
            raise ValueError(
                f"prompts: '{self._way.name}' is another model, and makes no prompts; `few-shot` "
                "or `{plugin: prompted, system: TEXT}` would"
            )

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        yield from foresee_server(self.options, settings)
        host = urlsplit(self.options.endpoint).netloc
        message = f"the prompts of dev, and of test once it is opened, are sent to {host}"
        yield harness.Problem(message, ("endpoint",), "note")

    def prompts(
        self,
        rows: Sequence[harness.Example],
        train: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterable[harness.Example]:
        """See :meth:`harness.Baseline.prompts`."""
        return rows if self._way is None else self._way.prompts(rows, train, context)

    def description(self, train: Sequence[harness.Example]) -> str:
        host = urlsplit(self.options.endpoint).netloc
        how = "the rows as they are" if self._way is None else self._way.description(train)
        return f"{self.options.model} at {host}; {how}"

    def model(self) -> str:
        return self.options.model

    def money(self, prompt: int, answer: int) -> float | None:
        price = self.options.price
        return None if price is None else money(price, prompt, answer)

    def requests(self, rows: Sequence[harness.Example], count: int) -> harness.Requests:
        """See :meth:`harness.Plugin.requests`."""
        return foreseen(self.options, map(_asking, rows))

    def answers(
        self, rows: Sequence[harness.Example], context: harness.Context
    ) -> Iterator[harness.Prediction]:
        """See :meth:`harness.Baseline.answers`.

        Raises:
            EnvironmentFailure: the server leaves prompts unanswered; what it said is kept.
        """
        who = f"{self.options.model} at {self.options.endpoint}"
        asker = Asker(self.options, who, stage=context.arm)
        served: set[str] = set()
        ends: Counter[str] = Counter()
        requests = [*map(_asking, rows)]
        for place, reply in asker.replies(requests, context.progress, "prompts have no answer"):
            served |= {reply.served} - {"", self.options.model}
            ends[reply.finish] += 1
            yield prediction(rows[place], reply)
        other = {end: count for end, count in sorted(ends.items()) if end not in _ENDS}
        if other:
            kinds = ", ".join(f"{count} x {end}" for end, count in other.items())
            context.remark(
                f"{sum(other.values())} of {len(rows)} answers of {self.options.model} "
                f"({context.arm}, {context.stage}) were broken off by the server: {kinds}."
            )
        if served:
            names = ", ".join(sorted(served))
            context.remark(f"The server calls the model {self.options.model}: {names}.")

    @property
    def _way(self) -> harness.Baseline | None:
        """What makes the prompts."""
        return None if self.options.prompts is None else self.options.prompts.plugin


def _asking(row: harness.Example) -> Request:
    sent = [{key: turn[key] for key in _KEYS if key in turn} for turn in row.messages]
    return Request(sent, tools=row.tools)
