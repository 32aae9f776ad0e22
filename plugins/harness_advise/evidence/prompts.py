"""Is training needed, or does a prompt do?"""

from __future__ import annotations

from collections.abc import Iterator

from harness_advise.options import Option
from harness_advise.run import Document, Run

ASK = "baselines=[prompted, few-shot]"


def prompts(run: Run) -> Iterator[Option]:
    """The best prompt against the best round; how to find out where none was asked."""
    found = run.document.get("baselines") or ()
    if not found:
        yield Option(
            lever="prompt", state="open", action="ask the base model under other prompts",
            evidence=("whether a prompt does as well as training was not measured",),
            seconds=2 * run.seconds_of_answers, command=run.command(ASK, another=True),
            urgency=not run.kept,
        )  # fmt: skip
        return
    compared = [one for one in found if one["verdict"].get("difference") is not None]
    if compared:
        yield _best(run, min(compared, key=lambda one: one["verdict"]["difference"]))


def _best(run: Run, one: Document) -> Option:
    verdict, name = one["verdict"], one["name"]
    low, high, gain = verdict.get("low"), verdict.get("high"), verdict["difference"]
    sentence = str(verdict.get("sentence", "")).removeprefix(f"{verdict['label']}: ")
    if verdict["label"] == "regressed":
        return Option(
            lever="prompt", state="shown", action=f"use the prompt '{name}' without training",
            evidence=(sentence,), gain=-gain, low=_negative(high), high=_negative(low),
        )  # fmt: skip
    enough = run.worth is not None and high is not None and high < run.worth
    if verdict["label"] == "no evidence" and enough and run.kept:
        told = f"training is worth less than {run.shown(run.worth)} beyond that prompt: {sentence}"
        return Option(
            lever="prompt", state="shown", action=f"do not fine-tune: the prompt '{name}' does",
            evidence=(told,), gain=0.0, low=_negative(high), high=_negative(low),
        )  # fmt: skip
    if verdict["label"] == "no evidence" and run.kept:
        return Option(
            lever="prompt", state="likely", action=f"use the prompt '{name}' without training",
            evidence=(f"training is not shown to be better: {sentence}",), gain=0.0,
        )  # fmt: skip
    return Option(
        lever="prompt", state="excluded", action=f"the prompt '{name}' instead of training",
        evidence=(sentence,),
    )  # fmt: skip


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
