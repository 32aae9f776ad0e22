"""Does a GGUF file hold what was evaluated? Prompts, weights and log-probabilities decide first.

Then its answers are scored beside those that the run was closed with, with three outcomes.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

import harness
from harness.kit.numbers import percent
from harness_transformers import adapters, encoding, loading
from harness_transformers.chats import Chats
from harness_transformers.export import parity, transfer, weighing
from harness_transformers.export.origin import Origin
from harness_transformers.export.parity import Parity
from harness_transformers.export.transfer import Limits, Transfer
from harness_transformers.llamacpp import asking, library, serving

Outcome = Literal["accepted", "cannot tell", "refused"]

LIMITS: Mapping[str, Limits] = {
    "f32": Limits(0.95, 1.05, 0.1, 0.02),
    "f16": Limits(0.95, 1.05, 0.1, 0.02),
    "bf16": Limits(0.95, 1.05, 0.1, 0.02),
    "q8_0": Limits(0.95, 1.05, 0.3, 0.05),
    "q6_k": Limits(0.9, 1.1, 0.3, 0.1),
    "q5_k_m": Limits(0.65, 1.35, 0.75, 0.2),
    "q4_k_m": Limits(0.8, 1.2, 0.45, 0.2),
}
"""By kind. The slopes up to ``q8_0`` are what an export is held to; the limits of K-quants were set
by three adapters, and tried with others (``benchmarks/gguf.md``)."""
OTHERS = Limits(0.8, 1.2, 0.6, 0.2)
"""For kinds that are not written here. Not measured: those of ``q5_k_m`` are wider, by the rows of
one model that fit no block of its kind. A wrong scale is seen by the weights (``weighing``)."""
EQUAL = 0.98
"""Share of answers that a file of float16 has to give token for token."""
NEAR = 0.1
"""Nats by which the likeliest token may be ahead of the other one where two answers part."""
TEXTS = (
    "It's 1,234.56 — naïve café\n\n\tif x != y:\r\n    return [1, 2]  # 漢字 кириллица 🎉",
    "  two  spaces   three\n \n\nWE'LL we'll 007 2026-01-01 a_b-c https://example.org/?q=1&r=2 …",
)
"""What tokenizers are apart about."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A file beside what was evaluated.

    Attributes:
        kind: of the file's weights, as its name says.
        parity: its answers beside the run's.
        tolerance: a loss in the primary score up to which the file is as good.
        facts: what was compared, a sentence each.
        faults: why the file is refused by the first check.
        note: why the score cannot be judged, or empty.
        finer: which option of ``--gguf`` may give a file that is accepted, or empty.
    """

    kind: str
    parity: Parity
    tolerance: float
    facts: Sequence[str] = ()
    faults: Sequence[str] = ()
    note: str = ""
    finer: str = ""

    @property
    def outcome(self) -> Outcome:
        """``accepted``: a loss above the tolerance is excluded."""
        compared = self.parity
        if self.faults or compared.loss:
            return "refused"
        if compared.identical == compared.n:
            return "accepted"
        if self.note or compared.low is None or compared.low < -self.tolerance:
            return "cannot tell"
        return "accepted"

    @property
    def verdict(self) -> str:
        """The outcome with its reason."""
        compared, allowed = self.parity, f"{self.tolerance:g} in {self.parity.score}"
        if self.faults:
            return f"refused: {self.faults[0]}"
        if self.outcome == "refused":
            return f"refused: a loss in {compared.score} is shown"
        if self.outcome == "accepted":
            same = compared.identical == compared.n
            return "accepted: " + (
                f"all {compared.n} answers are the same" if same
                else f"a loss of more than {allowed} is excluded"
            )  # fmt: skip
        doubt = "cannot tell: "
        if self.note:
            return doubt + self.note
        rows = compared.rows_for(self.tolerance)
        more = f"; about {rows:,} rows of dev would tell" if rows else ""
        return f"{doubt}a loss of more than {allowed} is not excluded by {compared.n} rows{more}"


def prompts(origin: Origin, path: Path) -> tuple[list[str], list[str]]:
    """Facts and faults of the file's prompts, token by token.

    Raises:
        DataError: llama.cpp does not load the file.
    """
    chats, rows = Chats.of(origin.tuned), origin.stored.card.examples
    due = [encoding.prompt_ids(chats.tokenizer, row) for row in rows]
    texts = [encoding.prompt(chats.tokenizer, row) for row in rows]
    texts += [text for row in rows for text in row.references[:1]]
    texts += TEXTS
    texts += [f"a {token.content} b" for token in chats.tokenizer.added_tokens_decoder.values()]
    faults = []
    with library.loaded(path, 64) as model:
        for text in texts:
            # Whether a file puts its own token before is seen with the whole prompts below.
            own = chats.tokenizer(text, add_special_tokens=False)["input_ids"]
            if model.tokens(text, special=False) != own:
                faults.append(f"llama.cpp builds other tokens of the text {text[-60:]!r}")
        begin = [model.bos] if model.adds_bos else []
    if differing := [
        row.id for row, ids in zip(rows, due, strict=True) if ids[: len(begin)] != begin
    ]:
        faults.append(
            f"the file has a token put before each prompt that the run has not ({differing[0]})"
        )
    what = "prompts and references of dev and texts with added tokens"
    facts = [f"{len(texts)} texts ({what}) become the same tokens"] if not faults else []
    if not serving.installed():
        return [*facts, "prompts as llama.cpp's server renders them were not compared"], faults[:3]
    arguments = origin.tuned.info.get("chat_template_kwargs") or {}
    asked: list[dict[str, Any]] = [
        {
            "messages": [dict(message) for message in row.messages],
            **({"tools": [dict(tool) for tool in row.tools]} if row.tools else {}),
            **({"chat_template_kwargs": arguments} if arguments else {}),
        }
        for row in rows
    ]
    served = serving.prompts(str(path), asked)
    dated = "strftime_now" in str(chats.tokenizer.chat_template)
    other = [
        f"{row.id}{f': {ids}' if isinstance(ids, str) else ''}"
        for row, ids, own in zip(rows, served, due, strict=True)
        if ids != own
    ]
    if other and not dated:
        faults.append(
            f"llama.cpp's server builds {len(other)} of {len(rows)} prompts of dev otherwise than "
            f"the run, such as {other[0]}"
        )
    elif other:
        facts.append(
            "the chat template prints today's date, so the prompts that a server renders are not "
            "those of the run"
        )
    else:
        facts.append(
            f"all {len(rows)} prompts of dev, rendered by llama.cpp's server from the file's "
            "template, are the same token by token"
        )
    return facts, faults[:3]


def measured(origin: Origin, path: Path, kind: str, report: harness.Report) -> Transfer:
    """The transfer of log-probabilities.

    Raises:
        DataError: no row of dev has a reference or an answer.
    """
    rows = transfer.encoded(origin.tuned, transfer.answered(origin))
    if not rows:
        raise harness.DataError("no row of dev has a reference or an answer to read")
    base = loading.without_adapter(origin.tuned)
    before, after = transfer.sides((base, origin.tuned), rows, report)
    exported = [value for row in asking.log_probabilities(path, rows, report) for value in row]
    return transfer.transfer(before, after, exported, LIMITS.get(kind, OTHERS))


def answered(
    origin: Origin, path: Path, kind: str, report: harness.Report
) -> tuple[parity.Answers, list[str], list[str]]:
    """The file's answers to dev; facts and faults of how far they are those of the weights."""
    chats, rows = Chats.of(origin.tuned), origin.stored.card.examples
    most = origin.longest
    prompts, long = chats.prompts(rows, most, count=True)
    predictions = {
        rows[place].id: harness.Prediction(rows[place].id, "", "context", len(prompts[place]))
        for place in long
    }
    fitting = [place for place in range(len(rows)) if place not in set(long)]
    asked = [prompts[place] for place in fitting]
    answers = list(asking.answers(path, chats, asked, most, origin.form, report))
    for place, answer in zip(fitting, answers, strict=True):
        row = rows[place]
        predictions[row.id] = asking.prediction(chats, row, prompts[place], answer)
    if kind not in library.WHOLE:
        return predictions, [], []
    gaps = {
        rows[place].id: gap
        for place, gap in zip(fitting, _gaps(origin.tuned, asked, answers, report), strict=True)
        if gap
    }
    return predictions, *_sameness(len(rows), gaps)


@torch.no_grad()
def _gaps(
    tuned: harness.Checkpoint,
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    report: harness.Report,
) -> list[float]:
    """By how much the weights' own token is likelier, in nats, where each answer leaves them.

    An answer of which each token is the likeliest of the weights in float32 is the one that they
    give: 0. Where these are no numbers (NaN), nothing is the likeliest: infinity. The tokens
    themselves are read, since a text may be written by others as well.
    """
    gaps = []
    with tempfile.TemporaryDirectory(prefix="harness-") as output:
        context = harness.Context(Path(output), 0, "generate", report=report)
        model = adapters.ready(tuned, torch.float32, context, merge=False)
        for done, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            report(done, len(prompts), "answers")
            read = torch.tensor([[*prompt, *answer[:-1]]], device=model.device)
            logits = model(input_ids=read, logits_to_keep=len(answer), use_cache=False).logits[0]
            tokens = torch.tensor(answer, device=model.device)[:, None]
            ahead = (logits.amax(-1) - logits.gather(-1, tokens)[:, 0]).nan_to_num(nan=math.inf)
            gaps.append(next((gap for gap in ahead.tolist() if gap > 0), 0.0))
    return gaps


def _sameness(n: int, gaps: Mapping[str, float]) -> tuple[list[str], list[str]]:
    same = n - len(gaps)
    fact = (
        f"{same} of {n} answers are token for token those of the weights in float32 with "
        "transformers, the likeliest ones"
    )
    if gaps:
        fact += f"; where others part, their tokens are at most {max(gaps.values()):.2g} nats apart"
    faults = []
    if same < EQUAL * n and n - same > 1:
        needed = percent(EQUAL)
        faults.append(f"{same} of {n} answers are those of the weights, {needed} have to be")
    if far := [row for row, gap in gaps.items() if gap > NEAR]:
        faults.append(
            f"the answer to row '{far[0]}' parts from that of the weights at a token that is no "
            f"near tie ({gaps[far[0]]:.2g} nats)"
        )
    return [fact], faults


def checked(
    origin: Origin, path: Path, kind: str, tolerance: float | None, report: harness.Report
) -> Fidelity:
    """All that is compared of a file.

    Args:
        tolerance: None: a fiftieth of the primary score's range.

    Raises:
        DataError: llama.cpp does not load the file, or there is nothing to compare.
        EnvironmentFailure: llama.cpp is not installed, or fails.
    """
    library.need("the check of a GGUF file")
    facts, faults = prompts(origin, path)
    weights = weighing.weighed(origin.tuned, path)
    facts.append(weights.sentence)
    if troubles := weights.troubles:
        faults.append("weights are not what training made: " + "; ".join(troubles))
    finer = "" if faults or kind == "f32" else "--quantize names a finer kind"
    seen = measured(origin, path, kind, report)
    wrong = seen.faults
    if wrong and finer and weights.rounded:
        wrong = [
            f"the weights are those after training, rounded to {kind}, and what training changed "
            f"is too small beside that rounding ({seen.limits.needed})"
        ]
        finer = "--quantize f32 has all of what training changed"
    facts += seen.sentences
    faults += wrong
    answers, same, apart = answered(origin, path, kind, report)
    facts += same
    faults += apart
    compared, allowed = parity.compare(origin, answers), tolerance_of(origin, tolerance)
    return Fidelity(kind, compared, allowed, facts, faults, _drawn(origin), finer)


def tolerance_of(origin: Origin, given: float | None) -> float:
    """A loss in the primary score that is none: as given, else a fiftieth of the range."""
    if given is not None:
        return given
    low, high = origin.stored.primary_metric.metric.bounds
    span = high - low
    return 0.02 * span if 0 < span < float("inf") else 0.02


def _drawn(origin: Origin) -> str:
    """Why answers of the run are no fair comparison, or empty."""
    options = origin.stored.config["generate"]
    if options.get("do_sample") or options.get("generation_config") == "model":
        return "the run's answers were not the likeliest tokens, and those of the file are"
    return ""
