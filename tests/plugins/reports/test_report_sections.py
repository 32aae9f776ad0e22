"""What the analysis adds to both reports: each section, with and without what it needs."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.kit.blocks import Answers, Column, Table
from harness.kit.terminal.block_tables import draw_table
from harness.report.queries import QUERIES
from harness_rating import section as people
from harness_rating.annotations import QUERIES as RATINGS
from harness_reports import findings
from harness_reports.sections.data import SEALED
from harness_reports.sections.examples import ExamplesSection
from harness_reports.sections.slices import slice_kinds
from tests.plugins.reports.faces import (
    comment,
    markdown as markdown_page,
    page as html_page,
    render,
)
from tests.support.documents import whole
from tests.support.golden import Golden

Document = dict[str, Any]


def markdown(document: Document) -> str:
    """With the sections that always stand in it, as all that follow."""
    return markdown_page(document)


def page(document: Document) -> str:
    return html_page(document)


def terminal(document: Document, width: int = 80, **console: Any) -> str:
    page = io.StringIO()
    console.setdefault("color_system", None)
    render(document, Console(file=page, width=width, **console))
    return page.getvalue()


ORDER = (
    "Rounds", "What was weak, and what was added", "Answers that got better", "Settings and model",
    "Test set", "Other scores", "Underperforming slices", "Fixed and regressed",
    "Error categories on dev",
    "Likeliest causes", "What raters say", "Among the worst answers", "Training data added",
    "What the added rows brought", "Training loss", "Notes", "Not in this report",
    "Suggested actions", "Appendix", "Next:",
)  # fmt: skip


def test_the_sample_has_the_tables_of_an_analysis(analysis: Document) -> None:
    assert set(analysis["tables"]) == {*QUERIES, *RATINGS}


@pytest.mark.parametrize("face", [terminal, markdown])
def test_the_order_is_that_of_the_questions(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    analysis["failed"] = {"answer_lengths": "no such table"}
    page = face(analysis)
    places = [re.search(rf"^#* ?{heading}", page, re.MULTILINE) for heading in ORDER]
    assert all(places)
    starts = [found.start() for found in places if found]
    assert starts == sorted(starts)


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal(analysis: Document, golden: Golden, width: int) -> None:
    golden(terminal(analysis, width), f"{width}")


def with_kinds(analysis: Document, **counts: tuple[int, int]) -> Document:
    """The analysis with these kinds alone: counts in round 0 and in the best round."""
    rows = [
        {"round": at, "category": name.replace("_", " "), "answers": n}
        for name, of in counts.items() for at, n in zip((0, 1), of, strict=True)
    ]  # fmt: skip
    analysis["tables"]["categories"] = rows
    return analysis


MANY = {f"kind_{n}": (3, 20 - n) for n in range(9)} | {
    "wrong_format": (158, 0), "cut_off": (135, 2),
}  # fmt: skip


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("face", [terminal, markdown, page])
def test_the_largest_counts_of_the_run_are_never_left_out(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    shown = face(with_kinds(analysis, **MANY))
    for kind in ("wrong format", "truncated", "kind 0"):
        assert kind in shown
    assert shown.index("wrong format") < shown.index("kind 0")
    assert "rarer kind" not in shown


def test_what_is_left_out_is_told_with_its_largest_count(analysis: Document) -> None:
    assert "and 5 more, each in at most 16 answers of any round" in terminal(
        with_kinds(analysis, **MANY)
    )


def test_the_chart_draws_what_was_cured_and_says_what_it_does_not_draw(analysis: Document) -> None:
    shown = page(with_kinds(analysis, **MANY))
    chart = shown[shown.index("<figcaption>Answers on dev of each error category") :]
    chart = chart[: chart.index("</figure>")]
    assert "wrong format: 158 in round 0, 0 in round 1" in chart
    assert "Not drawn: 3 more categories, each in at most 14 answers of any round." in shown


def test_markdown(analysis: Document, golden: Golden) -> None:
    golden(markdown(analysis))


@pytest.mark.nightly
def test_a_narrow_terminal_has_the_definitions_below_the_counts(analysis: Document) -> None:
    line = r"empty +1 +1 +0 +0 +\S+ +the answer has no visible character"
    assert re.search(line, terminal(analysis, 120))
    narrow = terminal(analysis, 50)
    assert not re.search(line, narrow)
    assert re.search(r"empty +the answer has no visible", narrow)
    assert "not shown for want of room: column 2" in narrow


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("width", [50, 80, 120])
def test_names_and_verdicts_are_never_cut_away(analysis: Document, width: int) -> None:
    shown, _, commands = terminal(analysis, width).partition("\nNext:")
    assert max(map(len, shown.split("\n"))) <= width and commands
    assert "…" not in re.sub(r"prompt +.*(\n {12}.*)*", "", shown)
    for told in ("◆ no evidence", "▲ improved", "finish_reason =", "Preference", "off topic"):
        assert told in shown


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("face", [terminal, markdown])
@pytest.mark.parametrize(
    ("table", "heading"), [("causes", "Likeliest causes"), ("ledger", "never pass 83")]
)
def test_a_table_without_rows_takes_no_room(
    analysis: Document, face: Callable[[Document], str], table: str, heading: str
) -> None:
    analysis["tables"][table] = []
    assert heading not in face(analysis)


PEOPLE = ("rated", "rating_scores", "win_rates", "agreement", "raters", "validity", "named_errors")


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("face", [terminal, markdown])
def test_where_nobody_has_rated_people_say_nothing(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    (batch, *_) = analysis["tables"]["rated"]
    for name in PEOPLE:
        analysis["tables"][name] = []
    assert "What raters say" not in face(analysis)
    analysis["tables"]["rated"] = [batch | {"rated": 0}]  # made, and nobody has come
    assert "What raters say" not in face(analysis)


@pytest.mark.parametrize("face", [terminal, markdown])
def test_one_batch_alone_has_no_number(analysis: Document, face: Callable[[Document], str]) -> None:
    for name in PEOPLE[:-1]:
        analysis["tables"][name] = [
            row for row in analysis["tables"][name] if row["batch"].startswith("small")
        ]
    page = face(analysis)
    assert re.search(r"^[| ]+Quality[| ]+1 : 0", page, re.MULTILINE)


@pytest.mark.parametrize("face", [terminal, markdown])
def test_a_sample_for_finding_errors_says_so(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    analysis["tables"]["rated"][1] |= {"strategy": "worst", "verdicts": False}
    page = face(analysis)
    assert re.search(r"worst \\?\*", page)
    assert "chosen for finding errors: no intervals, no verdict" in page


def test_of_two_batches_of_one_round_the_larger_is_shown(analysis: Document) -> None:
    scores = analysis["tables"]["rating_scores"]
    row = next(one for one in scores if (one["title"], one["round"]) == ("Quality", 1))
    scores.append(row | {"batch": "pairs-1846d0a8", "n": 90, "value": 0.5, "low": 0.4})
    page = terminal(analysis)
    assert "0.50 [0.40, 0.86]" in page and people.CLASH in page
    assert people.CLASH not in terminal(
        analysis | {"tables": {**analysis["tables"], "rating_scores": scores[:-1]}}
    )


@pytest.mark.parametrize("face", [terminal, markdown])
def test_a_failed_section_is_named_with_its_reason(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    del analysis["tables"]["causes"]
    analysis["failed"] = {"causes": "Catalog Error: no diagnoses"}
    page = re.sub(r"\s+", " ", face(analysis))
    told = "likeliest causes of the failing answers of the best round: Catalog Error: no diagnoses"
    assert told in page


@pytest.mark.parametrize("face", [terminal, markdown])
def test_without_a_threshold_nothing_passes(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    analysis["right_at"] = None
    for row in analysis["tables"]["right"]:
        row |= {"unknown": 160, "is_right": 0, "wrong": 0}
    for name in ("ledger", "changes", "unexplained", "causes"):
        analysis["tables"][name] = []
    page = re.sub(r"\s+", " ", face(analysis))
    assert "rougeL has no pass threshold (right_at)" in page
    assert "unexplained" not in page and "of 158" not in page


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("face", [terminal, markdown, page])
def test_the_head_says_how_many_answers_pass(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    assert "58 of 158 dev answers pass (base model: 9)" in re.sub(r"\s+", " ", face(analysis))
    analysis["tables"]["right"] = []
    assert "dev answers pass" not in face(analysis)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("face", [terminal, markdown, comment])
def test_where_no_round_improved_the_answers_that_pass_are_those_of_the_scores(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    told = analysis | {"kept_round": 0, "chosen": None, "test": None}
    page = " ".join(face(told).split())
    if face is not comment:
        assert "rougeL 0.156 → 0.311 on dev (base model → round 3)" in page
    passing = {row["round"]: row["is_right"] for row in analysis["tables"]["right"]}
    assert f"{passing[3]} of 158 dev answers pass (base model: {passing[0]})" in page


@pytest.mark.nightly
@pytest.mark.parametrize("face", [terminal, markdown, page])
def test_a_report_ends_with_what_can_be_done_next(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    assert "harness iterate --rounds 4" in face(analysis)
    assert "harness compare 0 1 --run docstrings-3f2a91c4" in face(analysis)
    assert "harness docs use-the-model" in face(analysis)


@pytest.mark.parametrize("face", [terminal, markdown])
def test_slices_that_may_be_chance_are_not_called_weak(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    for piece in (piece for entry in analysis["rounds"] for piece in entry["slices"]):
        piece["q"] = 0.4
    page = face(analysis)
    assert "None: no slice is below the rest by more than chance." in page
    assert "finish_reason = length" not in page
    assert "●──" not in page


def test_whether_a_slice_holds_is_its_finders_word() -> None:
    for known, holds in (
        ({"holds": True, "q": 0.9}, True), ({"holds": False, "q": 0.01}, False),
        ({"holds": None, "q": 0.1}, True), ({"q": None}, False), ({"q": 0.11}, False),
    ):  # fmt: skip
        [piece] = whole({"rounds": [{"slices": [known]}]}).rounds[0].slices
        assert findings.holds(piece) is holds


def test_errors_of_slices_are_those_of_the_kept_round(analysis: Document) -> None:
    assert slice_kinds(whole(analysis), 1, "kind = class") == "off topic 12, too long 7"
    assert slice_kinds(whole(analysis), 2, "kind = class") == ""


@pytest.mark.nightly
def test_tables_are_cut_to_what_is_read(analysis: Document) -> None:
    causes = analysis["tables"]["causes"]
    analysis["tables"]["causes"] = [
        dict(causes[0], cause=f"cause {n}", answers=30 - n) for n in range(8)
    ]
    analysis["remedies"] = [dict(analysis["remedies"][0], remedy=f"do {n}") for n in range(7)]
    analysis["rounds"][1]["scores"] |= {
        f"score{n}": analysis["rounds"][1]["scores"]["bleu"] for n in range(4)
    }
    for face in (terminal(analysis), markdown(analysis)):
        assert "cause 4" in face and "cause 5" not in face
        assert "do 4" in face and "do 5" not in face
    assert "and 3 more, rarer, of 72 answers" in terminal(analysis)
    assert "and 4 more, score0, score1, score2, score3" in terminal(analysis)
    assert "And 3 more, rarer, of 72 answers." in markdown(analysis)


def test_the_worst_answers_keep_their_lines(analysis: Document) -> None:
    analysis["examples"][0] |= {"answer": "```\nif a:\n    return b\n```", "reference": "x y"}
    page = terminal(analysis)
    assert re.search(r"answer +\{\+``` *\n +if a: *\n {16}return b *\n", page)


def worst(analysis: Document) -> list[str]:
    """The rows that a short report may show, in their order."""
    _, answers = ExamplesSection().blocks(whole(analysis))
    assert isinstance(answers, Answers)
    return [sample.id for sample in answers.samples[: answers.short]]


def test_the_worst_answers_differ_in_what_is_wrong(analysis: Document) -> None:
    rows = analysis["examples"]
    analysis["examples"] = [dict(rows[0], id=f"empty {n}") for n in range(5)] + rows[1:]
    assert worst(analysis)[:3] == ["empty 0", "datetime:_parse_isoformat_date", "empty 1"]


def test_a_right_answer_is_not_among_the_worst(analysis: Document) -> None:
    shown = worst(analysis)
    assert len(shown) == 3
    assert "json:JSONEncoder.iterencode" not in shown


@pytest.mark.nightly
def test_no_colour_is_known_by_the_environment_too(
    analysis: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    colour = {"color_system": "standard", "force_terminal": True}
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "[-Parse" not in terminal(analysis, **colour)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "[-Parse" in terminal(analysis, **colour)


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal(analysis: Document, width: int) -> None:
    analysis["tables"]["ledger"] = [
        dict(row, answers=row["answers"] * 10_000) for row in analysis["tables"]["ledger"]
    ]
    for name in ("definitions", "causes_known"):
        analysis[name] = {
            key: "w" * 300 if name == "definitions" else dict(value, definition="w" * 300)
            for key, value in analysis[name].items()
        }
    page = terminal(analysis, width)
    assert max(map(len, page.split("\n"))) <= width
    assert "flaky 170000" in page


@pytest.mark.nightly
@pytest.mark.parametrize("width", [80, 120])
def test_wide_letters_take_two_cells(analysis: Document, width: int) -> None:
    wide = "漢字" * 200
    for table, key in (("causes", "cause"), ("ledger", "kind"), ("slice_errors", "category")):
        analysis["tables"][table][0][key] = wide
    analysis["rounds"][1]["slices"][0]["slice"] = wide
    analysis["examples"][0] |= {"id": wide, "answer": wide, "prompt": wide}
    page = terminal(analysis, width)
    assert "漢字漢字" in page
    assert max(map(cell_len, page.split("\nNext:")[0].split("\n"))) <= width


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("face", [terminal, markdown])
def test_a_report_is_the_same_bytes_again(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    before = copy.deepcopy(analysis)
    page = face(analysis)
    assert analysis == before
    turned = {key: analysis[key] for key in reversed(analysis)}
    for key in ("definitions", "causes_known", "tables"):
        turned[key] = dict(reversed(turned[key].items()))
    assert face(turned) == page


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_real_run_tells_all_it_knows(finished: tuple[Any, Any], columns: str) -> None:
    project, _ = finished
    page = project.inside("report", "--full", COLUMNS=columns).out
    assert max(map(len, page.split("\nNext:")[0].split("\n"))) <= int(columns)
    assert re.search(r"unsure +(\d+ +)+", page) and "the answer says hm" in page
    assert "pass threshold: overlap at least" in page
    assert re.search(r"never pass \d+", page)
    assert re.search(r"\d+ rows for kind = hard +\d+  yes", page)
    assert "{+hm" in page


@pytest.mark.nightly
@pytest.mark.parametrize("face", [terminal, markdown])
def test_a_batch_of_the_pool_says_what_it_is_for(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    assert "†" not in face(analysis)
    analysis["tables"]["rated"][1] |= {"split": "pool"}
    page = face(analysis)
    assert "pool: random †" in page
    assert f"† {people.NOT_DEV}" in " ".join(page.split())
    assert people.NO_SAMPLE not in page


@pytest.mark.nightly
@pytest.mark.parametrize("face", [terminal, markdown])
def test_of_a_score_that_people_give_it_is_said_whose_change_it_is(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    told = "hange: by raters who rated both rounds in one batch"
    assert told not in face(analysis)
    assert told in face(analysis | {"by_people": True})


@pytest.mark.parametrize("face", [terminal, markdown])
def test_errors_that_people_named_say_how_they_are_counted(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    page = " ".join(face(analysis).replace("\\", "").split())
    assert people.BY_BATCH[1:] in page


@pytest.mark.parametrize("face", [terminal, markdown])
def test_a_caveat_is_never_cut_off(analysis: Document, face: Callable[[Document], str]) -> None:
    long = "judge-" + "very-" * 20 + "long"
    for entry in analysis["rounds"]:
        scores = entry["scores"]
        scores[long] = scores["bleu"] | {"caveat": "uncalibrated"}
        scores["rougeL"]["caveat"] = "uncalibrated"
    page = face(analysis)
    assert len(re.findall(r"judge-very-.* \(uncalibrated\)", page)) >= 1
    assert "primary score rougeL (uncalibrated)" in " ".join(page.split())


@pytest.mark.nightly
@pytest.mark.parametrize("face", [lambda d: terminal(d, 160), markdown, page])
def test_training_rows_near_held_out_ones_stand_side_by_side(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    shown = face(analysis)
    assert "Training rows similar to dev or test" in shown
    start = shown.rindex("Training rows similar to dev or test")
    section = shown[start : start + 1_500]
    texts = ("0.91", "def decode(self, s): return s", "def loads(s): return s", SEALED)
    places = [section.replace("\\", "").index(text) for text in texts]
    assert places == sorted(places)
    analysis["data"].pop("screening")
    assert "near dev or test" not in face(analysis)


def test_the_loss_says_no_more_than_is_drawn(analysis: Document) -> None:
    about = "Training loss  first to last step, then on the validation rows"
    assert about in terminal(analysis)
    assert "dots" not in terminal(analysis) and "dots" not in markdown(analysis)
    assert "dots: the validation rows" in html_page(analysis)
    for entry in analysis["rounds"]:
        entry["log"] = [point | {"eval_loss": None} for point in entry["log"]]
    page = terminal(analysis)
    loss = page[page.index("Training loss") :].split("Notes")[0]
    assert loss.startswith("Training loss  first to last step\n") and "validation" not in loss
    assert "dots:" not in html_page(analysis)


def test_the_label_is_not_said_twice(analysis: Document) -> None:
    analysis["test"]["verdict"]["sentence"] = "improved: rougeL rose by 0.147."
    for face in (terminal, markdown, html_page):
        page = face(analysis)
        assert "rougeL rose by 0.147." in page and "improved: rougeL rose" not in page


def test_columns_without_room_are_named_as_they_are_titled() -> None:
    rows = (("1 ●", "[0.140, 0.172]", "0.3"),)
    columns = (
        Column("round", "word"), Column("95 % interval", "number", spare=2),
        Column("3 ●", "number", spare=1),
    )  # fmt: skip
    (*_, last) = draw_table(Table(columns, rows, "t"), 6)
    assert str(last) == "not shown for want of room: 95 % interval, column 3 ●"
