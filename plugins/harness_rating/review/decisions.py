"""What reviewers decided of rows, by what is learned from each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness import Example
from harness_rating.batches.records import REVIEW, SETTLED, Batch
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.review.batches import REJECTED, THINKING, content, rubric

Kind = Literal["reject", "edit", "accept"]
STRICT: tuple[Kind, ...] = ("reject", "edit", "accept")
"""Where reviewers differ, the first of these counts: what one of them rejects is not learned."""
NO_REASON = "other"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a row.

    Attributes:
        by: the reviewers who decided so, or who settled what they differed in.
        each: what every reviewer of the row said before anything was settled.
        reason: of a rejected row.
        answer, question: as edited; empty where they stay.
    """

    kind: Kind
    by: tuple[str, ...]
    each: tuple[str, ...]
    reason: str = ""
    answer: str = ""
    question: str = ""

    @property
    def words(self) -> str:
        """``accepted by ana and bo``."""
        done = {"accept": "accepted", "edit": "edited", "reject": "rejected"}[self.kind]
        return f"{done} by {' and '.join(self.by)}"


class Reviews:
    """Every batch of rows of a folder.

    Attributes:
        decided: content of a row -> what all its reviewers came to.
        batch_of: content of a row that is in a batch -> the batch.

    Raises:
        DataError: a batch, or what a reviewer did in it, is damaged.
    """

    def __init__(self, folder: RatingsFolder) -> None:
        self.decided: dict[str, Decision] = {}
        self.batch_of: dict[str, str] = {}
        self.skipped = 0
        names = [name for name in folder.names() if name.startswith(f"{rubric().id}-")]
        for batch in map(folder.batch, names):
            if batch.strategy != REVIEW:
                continue
            shown = batch.by_id
            of_item = decisions(batch, folder)
            for name in batch.originals:
                key = content(shown[name])
                if name in of_item:
                    self.decided.setdefault(key, of_item[name])
                self.batch_of.setdefault(key, batch.name)


def decisions(batch: Batch, folder: RatingsFolder) -> dict[str, Decision]:
    """Item -> what its reviewers came to, of each that all of them have decided.

    What was settled afterwards stands in the place of what they differed in.
    """
    whole, states = folder.complete(batch), _open_edits(batch, folder)
    own = {
        (one.item, one.rater): str(one.value)
        for one in folder.ratings(batch)
        if one.criterion == "decision"
    }
    ended = sorted(folder.settled(batch), key=lambda one: one.at)
    settlers = {one.item: one.rater for one in ended if one.criterion == "decision"}
    found = {}
    for item in batch.originals:
        raters = [name for name in batch.raters if item in batch.assignments[name]]
        values = whole.get(item, {})
        if all(name in values and (name, item) not in states for name in raters):
            each = tuple(own[item, name] for name in raters)
            found[item] = _together({name: values[name] for name in raters}, each)
            if item in settlers and len(set(each)) > 1:
                by = (settlers[item].removeprefix(SETTLED),)
                found[item] = dataclasses.replace(found[item], by=by)
    return found


def _open_edits(batch: Batch, folder: RatingsFolder) -> set[tuple[str, str]]:
    """(rater, item) of edits that have begun: no text yet, and nobody said that it is done."""
    found = set()
    for rater in batch.raters:
        ended = {
            event.item
            for event in folder.events(batch, rater)
            if event.kind == "done" and event.value is not False
        }
        for state in folder.state(batch, rater).items:
            typed = {"answer", "question"} & state.values.keys()
            if state.values.get("decision") == "edit" and not typed and state.item not in ended:
                found.add((rater, state.item))
    return found


def _together(values: Mapping[str, Mapping[str, Any]], each: tuple[str, ...]) -> Decision:
    """One decision of those of a row's reviewers, in the order of the batch."""
    kinds = {name: _kind(given) for name, given in values.items()}
    kind = next(one for one in STRICT if one in kinds.values())
    by = tuple(name for name, own in kinds.items() if own == kind)

    def first(criterion: str) -> str:
        return next((str(values[name][criterion]) for name in by if criterion in values[name]), "")

    if kind == "reject":
        return Decision(kind, by, each, reason=first("reason") or NO_REASON)
    return Decision(kind, by, each, answer=first("answer"), question=first("question"))


def _kind(given: Mapping[str, Any]) -> Kind:
    """An edit without a text changes nothing: the row is right as it stands."""
    if given["decision"] == "edit" and not {"answer", "question"} & given.keys():
        return "accept"
    kind: Kind = given["decision"]
    return kind


def edited(row: Example, decision: Decision) -> Example:
    """The row as it was edited; white space at its ends, which the page does not show, stays.

    What was thought before the old answer does not lead to the new one.
    """
    if decision.answer:
        answer = _within("".join(row.references[:1]), decision.answer)
        row = dataclasses.replace(row, references=(answer,), thought="")
    if not decision.question:
        return row
    place = _asked(row.messages)
    turn = row.messages[place]
    new = {**turn, "content": _within(str(turn.get("content", "")), decision.question)}
    return dataclasses.replace(
        row, messages=(*row.messages[:place], new, *row.messages[place + 1 :])
    )


def as_lines(batch: Batch, folder: RatingsFolder) -> Iterator[dict[str, Any]]:
    """Each decided row as JSON values: what was decided, and the turns as they are to be learned.

    Of an edited row ``before`` has the texts that it had.
    """
    found = decisions(batch, folder)
    for item in batch.originals:
        if item not in found:
            continue
        decision, shown, name = found[item], batch.by_id[item], batch.placings[item].example_id
        beside = (THINKING, REJECTED)
        turns = tuple(turn for turn in shown.messages if turn.get("role") not in beside)
        row = Example(name, turns, shown.answers)
        rejected = [turn["content"] for turn in shown.messages if turn.get("role") == REJECTED]
        new = edited(row, decision) if decision.kind == "edit" else row
        line: dict[str, Any] = {"id": name, "decision": decision.kind, "by": list(decision.by)}
        if decision.kind == "reject":
            line["reason"] = decision.reason
        if new.references != row.references and row.references:
            line["before"] = {"answer": row.references[0]}
        if new.prompt != row.prompt:
            line["before"] = {**line.get("before", {}), "question": row.prompt}
        answers = [{"role": "assistant", "content": text} for text in new.references[:1]]
        if rejected:
            line["rejected"] = rejected
        if batch.placings[item].live:  # harness score compares these two
            line["answer"] = row.references[0]
            line["references"] = [] if decision.kind == "reject" else [new.references[0]]
        yield {**line, "messages": [*map(dict, new.messages), *answers]}


def as_learned(batch: Batch, folder: RatingsFolder, split: str) -> Iterator[dict[str, Any]]:
    """Live rows that were not rejected, as rows of a split in the strict form.

    ``meta.origin`` says where each comes from, when it was asked, and who decided it when.
    """
    at: dict[str, str] = {}
    for rating in folder.ratings(batch):
        if rating.criterion == "decision":
            at[rating.item] = max(at.get(rating.item, ""), rating.at)
    found = decisions(batch, folder)
    names = {batch.placings[name].example_id: name for name in batch.originals}
    for line in as_lines(batch, folder):
        name = names[line["id"]]
        if line["decision"] == "reject":
            continue
        *turns, answer = line["messages"]
        place = batch.placings[name]
        origin = f"{place.live['origin']}; {found[name].words}, {at[name][:10]}"
        yield {
            "id": line["id"], "split": split, "group": place.group, "messages": turns,
            "references": [answer["content"]], "meta": {**place.live, "origin": origin},
        }  # fmt: skip


def _asked(messages: Sequence[Mapping[str, Any]]) -> int:
    """The place of the last turn of a user, which is the question."""
    places = [n for n, turn in enumerate(messages) if turn.get("role") == "user"]
    return places[-1] if places else len(messages) - 1


def _within(old: str, new: str) -> str:
    before, after = old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :]
    return f"{before}{new}{after}" if old.strip() else new
