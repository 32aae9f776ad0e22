"""What may help where the loop finds nothing more to gain: said plainly, with a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized

from harness import Analysis, Verdict
from harness.kit.blocks import Paragraph
from harness.kit.documents import score_digits
from harness.kit.numbers import signed
from harness.kit.text import one_line
from harness.records.analysis import CauseCount
from harness.records.summary import UNSCORED, MainRound, ShownSlice
from harness_reports import figures, findings
from harness_reports.targets import Missed, Target, missed, targets

FAR = 50
"""Times today's dev rows, from which on more of them are no advice."""
NAMED = 2
"""Slices that are named."""
SLICE = 60
LEVERS = "another lever (learning rate, epochs, a larger base model, another prompt)"
WILL_NOT = " More dev rows, which only measure, will not: "


def advice(document: Analysis) -> Iterator[Paragraph]:
    """Of a run that has ended and whose latest round is not the best one: what may help.

    Said where nothing underperforms, and of slices that underperform whose score did not rise
    after rows for them, or that no rows were added for. Where a slice got better, one round more
    is the advice (``next``).
    """
    later = [e for e in document.rounds if e.round > document.kept_round]
    if not ended(document) or not later:
        return
    none_better = _none_better(document, later)
    if reason := _few_rated(document) or _nothing_left(document):
        yield Paragraph(f"{none_better}. {reason}")
        return
    if _held(document):
        if reason := _of_slices(document):
            yield Paragraph(f"{none_better}. {reason}")
        return
    # The best round's slices, which the report shows too, may underperform.
    where = f"in round {later[-1].round} " if findings.weak(document)[1] else ""
    head = (
        f"{none_better}, and {where}no slice underperforms by more than chance, so more rounds of "
        "this kind will hardly help."
    )
    may, will_not = _more_rows(document, later)
    others = f"training rows of kinds that neither train nor pool has, or {LEVERS}"
    yield Paragraph(f"{head} What may help: {may}{others}.{will_not} Otherwise stop here.")


def ended(document: Analysis) -> bool:
    """Whether the run has walked all its rounds."""
    return bool(document.test or document.sealed)


def exhausted(document: Analysis) -> bool:
    """Whether there is advice, and no slice for which one round more may still help."""
    if not any(advice(document)):
        return False
    hopeless = {*_stuck(document), *(miss.slice for miss in _without_rows(document))}
    held = (piece for piece in _held(document) if piece.from_prompt)
    return all(piece.slice in hopeless for piece in held)


def _none_better(document: Analysis, later: Sequence[MainRound]) -> str:
    """That no later round is the best one; guards refuse rounds that improved."""
    since = f"after round {document.kept_round} " if document.kept_round else ""
    refused = [str(e.round) for e in later if e.verdict.label == "improved"]
    if not refused:
        return f"No round {since}improved"
    rounds, them = ("rounds", "them") if len(refused) > 1 else ("round", "it")
    return (
        f"No round {since}became the best round: {rounds} {' and '.join(refused)} improved, but a "
        f"guard refused {them}"
    )


def _few_rated(document: Analysis) -> str:
    """That more ratings come first: people give the primary score, and few answers have one."""
    latest = document.rounds[-1]
    score = latest.scores.get(document.primary, UNSCORED)
    rated, unrated = score.n, score.unscored
    if not document.by_people or not unrated:
        return ""
    verdict, answers = latest.verdict, rated + unrated
    if more := _lacking(document, verdict):
        return (
            f"The verdict on round {latest.round} rests on {verdict.n} of {answers} answers, "
            f"from {verdict.groups} groups, and needs {more + verdict.groups} or more: rate "
            f"at least {min(more, unrated)} more of the {answers} answers before anything is "
            "concluded."
        )
    if rated >= unrated:
        return ""
    return (
        f"{rated} of {answers} answers of round {latest.round} are rated: rate more of them "
        "before anything is concluded."
    )


def _lacking(document: Analysis, verdict: Verdict) -> int:
    """Groups that a verdict lacks and that dev has; 0 where it lacks none, or they are unknown."""
    from harness.stats.decision import MIN_GROUPS  # NumPy, see below

    n, groups = verdict.n, verdict.groups
    if (n and not groups) or (document.data.dev_groups or 0) < MIN_GROUPS:
        return 0
    return max(MIN_GROUPS - groups, 0)


def _nothing_left(document: Analysis) -> str:
    """That the primary score is the best possible on dev and on test."""
    primary = document.primary
    least, most = document.bounds
    best = most if findings.higher_is_better(document) else least
    dev = document.best.scores.get(primary, UNSCORED)
    test = document.test.kept.get(primary, UNSCORED) if document.test else UNSCORED
    if best is None or not dev.value == test.value == best:
        return ""
    return f"{one_line(primary)} is the best that it can be on dev and on test."


def _held(document: Analysis) -> Sequence[ShownSlice]:
    """The slices that underperform in the round that a next one would be planned from.

    That is the latest, or the best one if the latest regressed or has no slices.
    """
    latest = document.rounds[-1]
    if latest.slices and latest.verdict.label != "regressed":
        return [piece for piece in latest.slices if findings.holds(piece)]
    return findings.weak(document)[1]


def _stuck(document: Analysis) -> dict[str, Target]:
    """Those of them that rows were added for and whose score did not improve after that."""
    sign = 1 if findings.higher_is_better(document) else -1
    latest: dict[str, Target] = {}
    for target in targets(document):
        latest.setdefault(target.slice, target)
    learned = (latest.get(piece.slice) for piece in _held(document))
    return {
        target.slice: target for target in learned
        if target and target.before is not None and target.now is not None
        and sign * (target.now - target.before) <= 0
    }  # fmt: skip


def _without_rows(document: Analysis) -> list[Missed]:
    """Those of them that no rows were added for in any round.

    Slices that only answers show are left out where prompts show others.
    """
    got, held = {miss.slice for miss in targets(document)}, _held(document)
    names = {piece.slice for piece in held} - got
    by_rows = any(piece.from_prompt for piece in held)
    return [miss for miss in missed(document) if miss.slice in names and miss.by_rows >= by_rows]


def _of_slices(document: Analysis) -> str:
    """What is true of slices that underperform still, and what may help; or nothing."""
    stuck, without = list(_stuck(document).values()), _without_rows(document)
    if not stuck and not without:
        return ""
    reasons, may = [], []
    if stuck:
        reasons.append(_no_rise(document, stuck))
        may.append("rows of other kinds (another augmenter, or your own)")
    if without:
        names = _still_weak([miss.slice for miss in without])
        reasons.append(f"{names}, and no rows were added for {_them(without)}.")
    strategies = {entry.round: entry.strategy for entry in document.rounds}
    reached = {strategies[miss.after] for miss in without if miss.by_rows}
    if "random" in reached:
        may.append("plan.strategy: targeted")
    elif reached:
        may.append(f"rows of {'their kinds' if len(without) > 1 else 'its kind'} in the pool")
    may.append(
        "what the likeliest causes suggest"
        if document.rows(CauseCount)
        else "a look at failing answers (harness why)"
    )
    return f"{' '.join(reasons)} What may help: {', '.join(may)}, or {LEVERS}."


def _no_rise(document: Analysis, stuck: Sequence[Target]) -> str:
    digits, rise = _digits(document), "rise" if findings.higher_is_better(document) else "fall"
    scores = "their scores" if len(stuck) > 1 else "its score"
    names = _still_weak([target.slice for target in stuck])
    courses = "; ".join(
        f"{t.rows} after round {t.after}: {figures.course(t.before, t.now, digits)}"
        for t in stuck[:NAMED]
    )
    return f"{names}; rows were added for {_them(stuck)}, and {scores} did not {rise} ({courses})."


def _them(items: Sized) -> str:
    return "them" if len(items) > 1 else "it"


def _still_weak(slices: list[str]) -> str:
    named = ", ".join(one_line(name, SLICE) for name in slices[:NAMED])
    more = f" and {len(slices) - NAMED} more" if len(slices) > NAMED else ""
    return f"{named}{more} still underperform{'s' if len(slices) == 1 else ''}"


def _more_rows(document: Analysis, later: Sequence[MainRound]) -> tuple[str, str]:
    """What more dev rows would do: words of what may help, and a sentence of what will not.

    The first is ``about 900 dev rows instead of 160, which detect … at 80 % power, ``.
    Each may be empty; both are where a gain was detected, and a guard refused the round.
    """
    # NumPy: a run that is finished answers without it.
    from harness.stats.decision import rows_needed

    min_gain = float(document.settings.get("min_gain") or 0.0)
    gains = [(entry.verdict.difference, -entry.round) for entry in later]
    if any(entry.verdict.label == "improved" for entry in later):
        return "", ""
    known = [(gain, minus) for gain, minus in gains if gain is not None]
    if len(known) < len(gains):
        return "", ""
    gain, minus = max(known)
    largest = document.rounds[-minus]
    verdict, n = largest.verdict, largest.verdict.n
    seen = f"{signed(gain, _digits(document))} in round {largest.round}"
    if gain <= 0:
        return "", f"{WILL_NOT}no such round scored higher."
    if gain <= min_gain:
        least = f"no such round scored higher by more than min_gain, {min_gain:g}"
        return "", f"{WILL_NOT}{least} (the largest gain is {seen})."
    rows = rows_needed(n, gain, verdict.detectable, min_gain)
    if rows is None or rows <= n:
        return "", ""
    if rows > FAR * n:
        return "", f"{WILL_NOT}the largest gain, {seen}, would take {rows:,}."
    return (
        f"about {rows:,} dev rows instead of {n}, with which a true gain as large as the largest "
        f"since the best round ({seen}) is detected at 80 % power; "
    ), ""


def _digits(document: Analysis) -> int:
    return score_digits(document, document.primary)
