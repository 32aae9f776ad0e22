"""What reviewers decided of rows, by what is learned from each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness import Example
from harness_rating.batches.records import REVIEW, SETTLED, Batch
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.review.batches import REJECTED, THINKING, learned_digest, rubric

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
        names = [name for name in folder.names() if name.startswith(f"{rubric().id}-")]
        for batch in map(folder.batch, names):
            if batch.strategy != REVIEW:
                continue
            items = batch.by_id
            decision_of = decisions(batch, folder)
            for name in batch.originals:
                key = learned_digest(items[name])
                if name in decision_of:
                    self.decided.setdefault(key, decision_of[name])
                self.batch_of.setdefault(key, batch.name)


def decisions(batch: Batch, folder: RatingsFolder) -> dict[str, Decision]:
    """Item -> what its reviewers came to, of each that all of them have decided.

    What was settled afterwards stands in the place of what they differed in.
    """
    complete, begun = folder.complete(batch), _begun_edits(batch, folder)
    said = {
        (rating.item, rating.rater): str(rating.value)
        for rating in folder.ratings(batch)
        if rating.criterion == "decision"
    }
    settled = sorted(folder.settled(batch), key=lambda rating: rating.at)
    settlers = {rating.item: rating.rater for rating in settled if rating.criterion == "decision"}
    decided = {}
    for item in batch.originals:
        reviewers = [rater for rater in batch.raters if item in batch.assignments[rater]]
        values = complete.get(item, {})
        if any(rater not in values or (rater, item) in begun for rater in reviewers):
            continue
        each = tuple(said[item, rater] for rater in reviewers)
        decision = _together({rater: values[rater] for rater in reviewers}, each)
        if item in settlers and len(set(each)) > 1:
            decision = dataclasses.replace(decision, by=(settlers[item].removeprefix(SETTLED),))
        decided[item] = decision
    return decided


def _begun_edits(batch: Batch, folder: RatingsFolder) -> set[tuple[str, str]]:
    """(rater, item) of edits that have begun: no text yet, and nobody said that it is done."""
    begun = set()
    for rater in batch.raters:
        done = {
            event.item
            for event in folder.events(batch, rater)
            if event.kind == "done" and event.value is not False
        }
        for state in folder.state(batch, rater).items:
            edits = state.values.get("decision") == "edit"
            if edits and not _has_text(state.values) and state.item not in done:
                begun.add((rater, state.item))
    return begun


def _has_text(values: Mapping[str, Any]) -> bool:
    return "answer" in values or "question" in values


def _together(values: Mapping[str, Mapping[str, Any]], each: tuple[str, ...]) -> Decision:
    """One decision of those of a row's reviewers, in the order of the batch."""
    kinds = {rater: _kind(of_rater) for rater, of_rater in values.items()}
    kind = min(kinds.values(), key=STRICT.index)
    by = tuple(rater for rater, of_rater in kinds.items() if of_rater == kind)

    def first(criterion: str) -> str:
        texts = [str(values[rater][criterion]) for rater in by if criterion in values[rater]]
        return texts[0] if texts else ""

    if kind == "reject":
        return Decision(kind, by, each, reason=first("reason") or NO_REASON)
    return Decision(kind, by, each, answer=first("answer"), question=first("question"))


def _kind(values: Mapping[str, Any]) -> Kind:
    kind: Kind = values["decision"]
    # An edit without a text changes nothing: the row is right as it stands.
    return "accept" if kind == "edit" and not _has_text(values) else kind


def edited(row: Example, decision: Decision) -> Example:
    """The row as it was edited; white space at its ends, which the page does not show, stays.

    What was thought before the old answer does not lead to the new one.
    """
    if decision.answer:
        before = row.references[0] if row.references else ""
        answer = _within(before, decision.answer)
        row = dataclasses.replace(row, references=(answer,), thought="")
    if not decision.question:
        return row
    place = _question(row.messages)
    turn = row.messages[place]
    new = {**turn, "content": _within(str(turn.get("content", "")), decision.question)}
    return dataclasses.replace(
        row, messages=(*row.messages[:place], new, *row.messages[place + 1 :])
    )


def as_lines(batch: Batch, folder: RatingsFolder) -> Iterator[dict[str, Any]]:
    """Each decided row as JSON values: what was decided, and the turns as they are to be learned.

    Of an edited row ``before`` has the texts that it had.
    """
    items = batch.by_id
    for item, decision in decisions(batch, folder).items():
        shown, placing = items[item], batch.placings[item]
        turns = [turn for turn in shown.messages if turn.get("role") not in (THINKING, REJECTED)]
        row = Example(placing.example_id, tuple(turns), shown.answers)
        new = edited(row, decision) if decision.kind == "edit" else row
        line: dict[str, Any] = {"id": row.id, "decision": decision.kind, "by": list(decision.by)}
        if decision.kind == "reject":
            line["reason"] = decision.reason
        before = {}
        if new.references != row.references and row.references:
            before["answer"] = row.references[0]
        if new.prompt != row.prompt:
            before["question"] = row.prompt
        if before:
            line["before"] = before
        rejected = [turn["content"] for turn in shown.messages if turn.get("role") == REJECTED]
        if rejected:
            line["rejected"] = rejected
        if placing.live:  # harness score compares these two
            line["answer"] = row.references[0]
            line["references"] = [] if decision.kind == "reject" else [new.references[0]]
        line["messages"] = [dict(turn) for turn in new.messages]
        if new.references:
            line["messages"].append({"role": "assistant", "content": new.references[0]})
        yield line


def as_learned(batch: Batch, folder: RatingsFolder, split: str) -> Iterator[dict[str, Any]]:
    """Live rows that were not rejected, as rows of a split in the strict form.

    ``meta.origin`` says where each comes from, when it was asked, and who decided it when.
    """
    decided_at: dict[str, str] = {}
    for rating in folder.ratings(batch):
        if rating.criterion == "decision":
            decided_at[rating.item] = max(decided_at.get(rating.item, ""), rating.at)
    decision_of = decisions(batch, folder)
    item_of = {batch.placings[item].example_id: item for item in batch.originals}
    for line in as_lines(batch, folder):
        if line["decision"] == "reject":
            continue
        item = item_of[line["id"]]
        placing, day = batch.placings[item], decided_at[item][:10]
        *turns, answer = line["messages"]
        origin = f"{placing.live['origin']}; {decision_of[item].words}, {day}"
        yield {
            "id": line["id"], "split": split, "group": placing.group, "messages": turns,
            "references": [answer["content"]], "meta": {**placing.live, "origin": origin},
        }  # fmt: skip


def _question(messages: Sequence[Mapping[str, Any]]) -> int:
    """The place of the last turn of a user, which is the question."""
    places = [n for n, turn in enumerate(messages) if turn.get("role") == "user"]
    return places[-1] if places else len(messages) - 1


def _within(old: str, new: str) -> str:
    before, after = old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :]
    return f"{before}{new}{after}" if old.strip() else new
