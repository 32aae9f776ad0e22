"""Is training needed, or does a prompt do?"""

from __future__ import annotations

from collections.abc import Iterator

from harness.kit.documents import unlabelled
from harness.records.summary import ShownBaseline
from harness_levers.advise.options import Option
from harness_levers.advise.run import NOISE, Run

ASK = "baselines=[prompted, few-shot]"


def prompts(run: Run) -> Iterator[Option]:
    """The best prompt against the best round; how to find out where none was asked."""
    baselines = run.document.baselines
    if not baselines:
        yield Option(
            lever="prompt", state="open", action="ask the base model under other prompts",
            evidence=("whether a prompt does as well as training was not measured",),
            seconds=2 * run.seconds("generate") / len(run.rounds),
            command=run.command(ASK, another=True), urgency=not run.kept,
        )  # fmt: skip
        return
    compared = [
        (gain, place) for place, prompt in enumerate(baselines)
        if (gain := prompt.verdict.difference) is not None
    ]  # fmt: skip
    if compared:
        gain, place = min(compared)
        yield _best(run, baselines[place], -gain)


def _best(run: Run, prompt: ShownBaseline, gain: float) -> Option:
    """The prompt against the best round, or against the base model where no round was kept."""
    verdict, name = prompt.verdict, prompt.name
    sentence = unlabelled(verdict.words, verdict.label)
    low, high = _negative(verdict.high), _negative(verdict.low)
    if verdict.label == "regressed":
        return Option(
            lever="prompt", state="shown", action=f"use the prompt '{name}' without training",
            evidence=(sentence,), gain=gain, low=low, high=high,
        )  # fmt: skip
    if verdict.label == "improved" or (not run.kept and run.too_little(low, high)):
        return Option(
            lever="prompt", state="excluded", action=f"the prompt '{name}' instead of training",
            evidence=(sentence,),
        )  # fmt: skip
    if not run.kept:
        return Option(
            lever="prompt", state="likely" if gain > 0 else "open",
            action=f"use the prompt '{name}' without training",
            evidence=(f"the prompt is not shown to be better: {sentence}",), gain=gain,
            low=low, high=high,
        )  # fmt: skip
    more = _more(run)
    if not more and run.too_little(_negative(high), _negative(low)):
        too_little = (
            f"training is worth less than {run.shown(run.worth)} beyond that prompt: {sentence}"
        )
        return Option(
            lever="prompt", state="shown", action=f"do not fine-tune: the prompt '{name}' does",
            evidence=(too_little,), gain=0.0, low=low, high=high,
        )  # fmt: skip
    return Option(
        lever="prompt", state="likely", action=f"use the prompt '{name}' without training",
        evidence=(f"training is not shown to be better: {sentence}", *more), gain=0.0,
    )  # fmt: skip


def _more(run: Run) -> tuple[str, ...]:
    """What another training is shown to bring, where that may be as much as would matter.

    An arm's label says whether its gain is shown, the lower bound whether that of more rows is. The
    estimate decides whether it may matter: to advise against training, it does not suffice that
    less is possible, too.
    """
    gains = [
        ("an arm is", verdict.difference)
        for kind in ("settings", "model") for _, verdict in run.judged(kind)
        if verdict.label == "improved"
    ]  # fmt: skip
    if run.curve is not None and (run.curve.low or 0.0) > NOISE:
        gains.append(("more rows are", run.curve.per_doubling))
    return tuple(
        f"{what} shown to bring {run.shown(gain)}"
        for what, gain in gains
        if gain is not None and gain >= (run.worth or 0.0)
    )


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
