"""What comes first: the verdict, what it rests on, the objective, guards, rounds, the test set."""

from __future__ import annotations

from harness.kit.numbers import interval, number, signed
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.html import charts
from harness_reports.html.markup import Child, Html, element, joined, name, table

TONES = {"improved": "good", "no evidence": "open", "regressed": "bad", "baseline": "base"}
GUARD_TONES = {"broken": "bad", "held": "good", "cannot be judged": "open"}
_REACHED = {"reached": "good", "not reached": "bad"}


def label(text: str) -> Html:
    """A verdict's label with its mark, so that colour is never all that tells."""
    mark = figures.MARKS.get(text, "?")
    tone = TONES.get(text, "open")
    return element("span", f"{mark} ", name(text or "unknown", 30), class_=f"label {tone}")


def banner(document: Document) -> Html:
    """The verdict that counts, in words, and what it was found on."""
    verdict, where = figures.headline(document)
    rows = document["data"]["rows"].get("dev")
    groups = document["data"]["dev_groups"]
    size = f"{rows} dev rows" + (f" in {groups} groups" if groups else "") if rows else None
    facts = [
        joined("model ", name(document["model"])) if document["model"] else None,
        size,
        joined(_score(document, document["primary"]), " decides"),
    ]
    latest = figures.latest_sentence(document)
    return element(
        "div",
        element("p", label(verdict["label"]), " on ", where, class_="big"),
        element("p", verdict["sentence"], class_="sentence"),
        element("p", "Latest round: ", latest) if latest else None,
        element("ul", (element("li", fact) for fact in facts if fact), class_="facts"),
        class_=f"banner {TONES.get(verdict['label'], 'open')}",
    )


def objective(document: Document) -> Html | None:
    """Whether the config's objective is reached."""
    found = document["objective"]
    if not found:
        return None
    tone = _REACHED.get(found["state"], "open")
    return element(
        "div",
        element("h3", "Objective"),
        element("p", element("q", name(found["statement"], 400))) if found["statement"] else None,
        element("p", element("span", found["state"], class_=f"label {tone}"), " ",
                found["sentence"]),
    )  # fmt: skip


def guards(document: Document) -> Html | None:
    """What a round must not make worse: what was broken, then all of it, round by round."""
    entries = [entry for entry in document["rounds"] if entry["guards"]]
    if not entries:
        return None
    told = [
        element("li", element("span", f"{guard.mark} {guard.state}",
                              class_=f"label {GUARD_TONES.get(guard.state, 'open')}"),
                f" in round {guard.round}: ",
                name(figures.guard_title(document, guard.name)), ". ", guard.sentence)
        for guard in findings.guards(document)
    ]  # fmt: skip
    rows = [
        (str(entry["round"]), *_guard(document, guard))
        for entry in entries for guard in entry["guards"]
    ]  # fmt: skip
    columns = [
        ("round", "s"), ("guard", ""), ("state", "s"), ("change", "n"), ("bounds", "n"),
        ("largest loss not excluded", "n"),
    ]  # fmt: skip
    summary = element("summary", "All guards by round")
    return joined(
        element("h3", "Guards"),
        element("ul", told),
        element("details", summary, table(columns, rows, "Guards by round")),
    )


def _guard(document: Document, guard: Document) -> tuple[Child, ...]:
    verdict = guard["verdict"]
    return (
        name(figures.guard_title(document, guard["name"])),
        findings.guard_state(guard),
        signed(verdict["difference"]),
        interval(verdict["low"], verdict["high"], plus=True),
        number(guard["largest_loss"]),
    )


def rounds(document: Document) -> Html:
    """The score that decides, by round: a chart and the numbers."""
    primary = document["primary"]
    digits = figures.score_digits(document, primary)
    level = figures.bounds_level(document)
    columns = [
        ("round", "s"), ("verdict", "s"), ("train rows", "n"),
        (figures.score_title(document, primary, 20), "n"),
        ("95 % interval", "n"), ("change", "n"), ("bounds", "n"),
    ]  # fmt: skip
    rows = [_round(entry, document, digits) for entry in document["rounds"]]
    remark = "● is the kept round. A change is against the round that was kept until then" + (
        f", {level}." if level else "."
    )
    return joined(
        element("h3", "Rounds"),
        charts.scores_by_round(document, primary, "primary"),
        table(columns, rows, "Rounds: verdict and primary score", sortable=False),
        element("p", remark, class_="note"),
        chosen(document),
        element("p", f"{figures.BY_PEOPLE.capitalize()}.", class_="note")
        if document["by_people"] else None,
    )  # fmt: skip


def chosen(document: Document) -> Html | None:
    """That the kept round's scores on dev are those that it was chosen by."""
    sentence = figures.chosen_sentence(document)
    return element("p", sentence, class_="note") if sentence else None


def _score(document: Document, score: str) -> Html:
    """A score's name, with what stands beside it."""
    return name(figures.score_title(document, score, 120), 170)


def _round(entry: Document, document: Document, digits: int) -> list[Child]:
    score = entry["scores"].get(document["primary"], {})
    verdict = entry["verdict"]
    return [
        figures.round_name(entry, document),
        label(verdict["label"]),
        "" if entry["train_rows"] is None else str(entry["train_rows"]),
        joined(
            element("b", number(score.get("value"), digits)),
            figures.chosen_mark(document, entry, " "),
        ),
        interval(score.get("low"), score.get("high"), digits),
        signed(verdict["difference"], digits),
        interval(verdict["low"], verdict["high"], digits, plus=True),
    ]


def test_set(document: Document) -> Html | None:
    """What the sealed test set said, once it was opened."""
    test = document["test"]
    if not test:
        sealed = document["sealed"]
        if not sealed:
            return None
        return joined(element("h3", "Test set"), element("p", sealed["sentence"]))
    looks = test["looks"]
    times = {None: "opened", 1: "opened once so far"}.get(
        looks, f"opened {looks} times so far, over all runs"
    )
    columns = [("score", "")]
    for side in ("baseline", f"round {document['kept_round']}"):
        columns += [(side, "n"), ("95 % interval", "n")]
    rows = [
        (_score(document, score), *_sides(test, score, figures.score_digits(document, score)))
        for score in figures.score_names(document)
    ]
    return joined(
        element("h3", "Test set"),
        element("p", f"The sealed rows were {times}. ", label(test["verdict"]["label"])),
        element("p", test["counting"]) if test["counting"] else None,
        table(columns, rows, "Scores on the test set"),
    )


def _sides(test: Document, name_: str, digits: int) -> list[str]:
    cells: list[str] = []
    for side in ("baseline", "kept"):
        score = test[side].get(name_, {})
        cells.append(number(score.get("value"), digits))
        cells.append(interval(score.get("low"), score.get("high"), digits))
    return cells


def control(document: Document) -> Html | None:
    """Targeted rows against as many random ones."""
    found = document["control"]
    if not found:
        return None
    bounds = interval(found["low"], found["high"], plus=True)
    change = f"targeted minus random: {signed(found['difference'])} {bounds}"
    return joined(
        element("h3", "Targeted or random rows"),
        element("p", element("b", change)) if found["difference"] is not None else None,
        element("p", found["sentence"]),
    )


def section(document: Document) -> Html:
    return joined(
        banner(document), objective(document), guards(document), rounds(document),
        test_set(document), control(document),
    )  # fmt: skip
