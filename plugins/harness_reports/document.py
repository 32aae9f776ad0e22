"""A document with every key that the page reads, whatever it came with.

A part that failed left nothing behind; here its keys
get the value that means "nothing is known", once, so that no section has to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness_reports.terms import in_words

Document = dict[str, Any]

_VERDICT: Document = {
    "label": "", "against": "", "difference": None, "low": None, "high": None, "level": None,
    "detectable": None, "sentence": "", "n": None, "groups": None,
}  # fmt: skip
_SCORE: Document = {
    "value": None, "low": None, "high": None, "n": None, "unscored": 0, "signature": "",
    "higher_is_better": True, "caveat": "",
}  # fmt: skip
_SLICE: Document = {
    "slice": "", "n": None, "groups": None, "score": None, "gap": None, "low": None,
    "high": None, "from_prompt": True,
}  # fmt: skip
_ROUND: Document = {
    "round": 0, "train_rows": None, "kept": False, "scores": {}, "verdict": {}, "errors": {},
    "slices": [], "strategy": "", "plan": [], "added": 0, "added_by": {}, "refused": {},
    "guards": [], "log": [], "course": None, "replayed": 0, "forgetting": None,
}  # fmt: skip
_FORGETTING: Document = {
    "loss_before": None, "loss_after": None, "difference": None, "low": None, "high": None,
    "level": None, "texts": 0, "groups": None, "tokens": 0, "left_out": 0, "instructions": {},
    "sentence": "",
}  # fmt: skip
_INSTRUCTIONS: Document = {
    "asked": 0, "right_before": 0, "right_after": 0, "lost": None, "gained": None, "p": None,
    "sentence": "",
}  # fmt: skip
_FORGOT: Document = {"round": 0, "instructions": None, "loss": None, "sentence": ""}
_BEST_PROMPT: Document = {
    "name": "", "split": "dev", "scores": {}, "verdict": {}, "base": {}, "low": None,
    "sentence": "",
}  # fmt: skip
_COURSE: Document = {"kind": None, "sentence": "", "advice": ""}
_GUARD: Document = {"name": "", "state": "", "largest_loss": None, "sentence": ""}
_EXAMPLE: Document = {
    "id": "", "place": "", "prompt": "", "reference": "", "references": [], "answer": "",
    "score": None, "finish_reason": "", "errors": [], "course": "", "answers": [], "cause": None,
}  # fmt: skip
_ANSWER: Document = {
    "round": 0, "text": "", "score": None, "right": None, "finish_reason": "", "errors": [],
}  # fmt: skip
_CAUSE: Document = {"cause": "", "evidence": "", "remedy": "", "train_rows": []}
_OBJECTIVE: Document = {
    "metric": "", "target": None, "statement": "", "state": "unknown", "value": None,
    "missing": None, "sentence": "",
}  # fmt: skip
_BASELINE: Document = {"name": "", "what": "", "scores": {}, "verdict": {}}
_ARM: Document = {
    "name": "", "kind": "", "what": "", "changed": {}, "share": None, "rows": 0, "scores": {},
    "against": "", "verdict": None, "worth": None, "seconds": 0.0, "tokens": None, "memory": None,
    "parameters": None, "failed": None, "trainings": [],
}  # fmt: skip
_LEVERS: Document = {
    "reference": 0,
    "worth": None,
    "own": {},
    "curve": None,
    "models": None,
    "method": None,
}
_MODEL: Document = {"base": "", "adapter": None, "round": 0, "commands": [], "lost": False}
_DOCUMENT: Document = {
    "run": "", "primary": "", "model": {}, "dates": {}, "settings": {}, "data": {},
    "better": [], "not_better": None, "baselines": [], "arms": [], "experiments": {},
    "best_prompt": None, "beats_prompts": None, "forgot": None,
    "rounds": [], "kept_round": 0,
    "test": None, "sealed": None, "control": None, "objective": None, "examples": [], "notes": [],
    "seconds": {}, "cached": [], "next_command": "", "right_at": None, "by_people": False,
    "between_references": None,
    "definitions": {}, "causes_known": {}, "not_looked_for": "", "remedies": [], "queries": [],
    "sections": [], "failed": {}, "chosen": None,
}  # fmt: skip


def complete(document: Mapping[str, Any]) -> Document:
    """A copy in which no key is missing and names are as readers know them (``in_words``)."""
    full = _with(_DOCUMENT, document)
    full["rounds"] = [_round(entry) for entry in full["rounds"]] or [_round({})]
    full["model"] = _with(_MODEL, full["model"])
    full["dates"] = _with({"started": None, "finished": None}, full["dates"])
    full["data"] = _with({"rows": {}, "dev_groups": None}, full["data"])
    full["examples"] = [_example(row) for row in full["examples"]]
    full["better"] = [_example(row) for row in full["better"]]
    full["not_better"] = full["not_better"] and _example(full["not_better"])
    full["baselines"] = [_baseline(one) for one in full["baselines"]]
    full["best_prompt"] = full["best_prompt"] and _best_prompt(full["best_prompt"])
    full["forgot"] = full["forgot"] and _with(_FORGOT, full["forgot"])
    full["arms"] = [_arm(one) for one in full["arms"]]
    full["levers"] = (full["experiments"] or {}).get("levers")
    if full["levers"]:
        full["levers"] = _with(_LEVERS, full["levers"])
    if full["objective"]:
        full["objective"] = _with(_OBJECTIVE, full["objective"])
    if full["test"]:
        full["test"] = _test(full["test"])
    if full["sealed"]:
        full["sealed"] = _with({"reason": "", "sentence": ""}, full["sealed"])
    if full["control"]:
        known = {"difference": None, "low": None, "high": None, "sentence": ""}
        full["control"] = _with(known, full["control"])
    return in_words(full)


def _with(known: Document, found: Mapping[str, Any] | None) -> Document:
    """The found values over the known keys; None does not stand for a list, a table, a text."""
    given = {
        key: value
        for key, value in (found or {}).items()
        if value is not None or known.get(key) is None
    }
    return {**known, **given}


def _scores(scores: Mapping[str, Any]) -> Document:
    return {name: _with(_SCORE, score) for name, score in scores.items()}


def _round(given: Mapping[str, Any]) -> Document:
    entry = _with(_ROUND, given)
    entry["scores"] = _scores(entry["scores"])
    entry["verdict"] = _with(_VERDICT, entry["verdict"])
    entry["slices"] = [_with(_SLICE, piece) for piece in entry["slices"]]
    entry["plan"] = [_with(_SLICE, item) for item in entry["plan"]]
    entry["log"] = [_with({"step": 0, "loss": None, "eval_loss": None}, p) for p in entry["log"]]
    entry["course"] = entry["course"] and _with(_COURSE, entry["course"])
    if entry["forgetting"]:
        found = _with(_FORGETTING, entry["forgetting"])
        entry["forgetting"] = {**found, "instructions": _with(_INSTRUCTIONS, found["instructions"])}
    entry["guards"] = [
        {**_with(_GUARD, guard), "verdict": _with(_VERDICT, guard.get("verdict"))}
        for guard in entry["guards"]
    ]
    return entry


def _test(found: Mapping[str, Any]) -> Document:
    test = _with({"looks": None, "counting": "", "baseline": {}, "kept": {}, "verdict": {}}, found)
    test["baseline"], test["kept"] = _scores(test["baseline"]), _scores(test["kept"])
    test["verdict"] = _with(_VERDICT, test["verdict"])
    return test


def _baseline(found: Mapping[str, Any]) -> Document:
    one = _with(_BASELINE, found)
    return {
        **one, "scores": _scores(one["scores"]), "verdict": _with(_VERDICT, one["verdict"]),
    }  # fmt: skip


def _best_prompt(found: Mapping[str, Any]) -> Document:
    one = _with(_BEST_PROMPT, found)
    verdicts = {key: _with(_VERDICT, one[key]) for key in ("verdict", "base")}
    return {**one, "scores": _scores(one["scores"]), **verdicts}


def _arm(found: Mapping[str, Any]) -> Document:
    one = _with(_ARM, found)
    verdict = one["verdict"] and _with(_VERDICT, one["verdict"])
    return {**one, "scores": _scores(one["scores"]), "verdict": verdict}


def _example(found: Mapping[str, Any]) -> Document:
    row = _with(_EXAMPLE, found)
    row["answers"] = [_with(_ANSWER, answer) for answer in row["answers"]]
    if row["cause"]:
        row["cause"] = _with(_CAUSE, row["cause"])
    return row
