"""Other settings and other base models: what arms have shown, and what asks for them."""

from __future__ import annotations

from collections.abc import Iterator

from harness_advise.options import Option
from harness_advise.run import Document, Run
from harness_advise.taking_over import sets_of

CAPACITY = "capacity"
SEARCH = "search={trials: 8, over: {train.learning_rate: {low: 1e-5, high: 3e-3, log: true}}}"
TRIALS = 8
UNKNOWN = "its settings are too long to be given here: set them in the config"


def settings(run: Run) -> Iterator[Option]:
    """Settings that were tried, else how to find some."""
    judged = run.judged("settings")
    yield from _of_arms(run, "settings", judged)
    if any(arm["verdict"]["label"] == "improved" for arm in judged) or run.levers.get("search"):
        return
    kind = run.course.get("kind")
    signs = [str(run.course.get("sentence"))] if kind in ("still learning", "unstable") else []
    advice = [str(run.course["advice"])] if signs and run.course.get("advice") else []
    rate = _rate(run)
    over = (
        SEARCH
        if rate is None
        else SEARCH.replace("1e-5", f"{rate / 10:.1g}").replace("3e-3", f"{rate * 10:.1g}")
    )
    yield Option(
        lever="settings", state="open", action="try other settings (learning rate, epochs, r)",
        evidence=(*signs, *advice, *([] if judged else ["no other settings were tried"])),
        seconds=TRIALS * run.seconds_of_one, command=run.command(over),
        urgency=2 * bool(signs) + (not run.kept),
    )  # fmt: skip


def _rate(run: Run) -> float | None:
    found = ((run.document.get("settings") or {}).get("train") or {}).get("learning_rate")
    return float(found) if isinstance(found, (int, float)) and found > 0 else None


def models(run: Run) -> Iterator[Option]:
    """Base models that were tried, else why one should be."""
    judged = run.judged("model")
    yield from _of_arms(run, "model", judged)
    if judged:
        return
    stuck = run.causes.get(CAPACITY, 0)
    share = stuck / run.failing if run.failing else 0.0
    signs = []
    if share >= 0.3:
        signs.append(
            f"of {run.failing} failing answers, {stuck} are of a kind that train teaches: more of "
            "these rows will hardly help"
        )
    yield Option(
        lever="model", state="open", action="compare another base model",
        evidence=(*signs, "no other base model was tried"), seconds=3 * run.seconds_of_one,
        command=run.command("models=[{source: local, path: FOLDER}]"), urgency=bool(signs),
    )  # fmt: skip


def _of_arms(run: Run, lever: str, judged: list[Document]) -> Iterator[Option]:
    """The best arm that is better, and those that are not worth it."""
    better = [arm for arm in judged if arm["verdict"]["label"] == "improved"]
    if better:
        best = max(better, key=lambda arm: arm["verdict"]["difference"])
        verdict, sets = best["verdict"], sets_of(run, best)
        unknown = () if sets is not None else (UNKNOWN,)
        yield Option(
            lever=lever, state="shown",
            action=f"take over the arm '{best['name']}': {best['what']}",
            evidence=(str(verdict["sentence"]).removeprefix("improved: "), *unknown),
            gain=verdict["difference"], low=verdict["low"], high=verdict["high"],
            seconds=run.seconds_of_one,
            command="" if sets is None else run.command(*sets, another=True),
        )  # fmt: skip
    for arm in judged:
        verdict = arm["verdict"]
        # Bounds that coincide say that no row differs, and bound nothing.
        little = arm.get("worth") == "no" and verdict["low"] != verdict["high"]
        if verdict["label"] == "no evidence" and not little and not better:
            yield Option(
                lever=lever, state="open",
                action=f"find out with more seeds whether the arm '{arm['name']}' is better",
                evidence=(str(verdict["sentence"]).removeprefix("no evidence: "),),
                gain=verdict["difference"], seconds=8 * run.seconds_of_one,
                command=run.command("seeds=5"), urgency=(verdict["difference"] or 0) > 0,
            )  # fmt: skip
        if little or verdict["label"] == "regressed":
            yield Option(
                lever=lever, state="excluded", action=f"the arm '{arm['name']}': {arm['what']}",
                evidence=(str(arm["verdict"]["sentence"]),),
            )  # fmt: skip
