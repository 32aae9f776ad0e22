"""``harness rate``: every command as raters and programs call it, and every wrong call of it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hostile_texts import TEXTS as HOSTILE

JSON_COMMANDS = ("status", "agreement", "validity")
ON_A_BATCH = {
    "status": ("status",),
    "agreement": ("agreement",),
    "validity": ("validity",),
    "adjudicate": ("adjudicate", "--who", "cy"),
    "serve": ("serve",),
    "export": ("export",),
    "pack": ("pack", "--rater", "ana", "-o", "ana.html"),
}
"""A command line of each command that takes the name of a batch."""
OF_ONE = sorted(set(ON_A_BATCH) - {"serve", "status"})
"""Those that take one batch and not all."""


# -- each command ----------------------------------------------------------------------------


def test_create_says_what_could_be_better_about_a_rubric(desk, document):
    said = desk.rate(*create("cy"))
    assert (said.code, said.err) == (0, "")
    vague = (desk.folder / "short.yaml").read_text().replace("Is the answer right?", "Right.")
    desk.project.write(vague.replace("id: short", "id: vague"), "vague.yaml")
    said = desk.rate(*create("cy"), "--rubric", "vague.yaml", "--json")
    assert said.err.startswith("advice: vague.yaml:") and "is no question" in said.err
    assert json.loads(said.out)["batch"].startswith("vague-")
    # The advice comes before what else is wrong, so a rubric can be read over without a run.
    said = desk.rate(*create("cy"), "--rubric", "vague.yaml", "--run", "nope")
    assert said.code == 2 and said.err.startswith("advice: vague.yaml:")


def test_create_makes_a_batch_and_says_what_it_can_show(desk, told):
    said = " ".join(told(desk.rate(*create("cy"))).split())
    assert "items of " + desk.run in said and "30 examples from" in said
    assert said.split("next: ")[1].startswith("harness rate serve short-")


@pytest.mark.nightly
def test_create_says_whether_answers_may_teach(desk, told):
    def said(*options):
        made = desk.rate("create", "-n", "4", "--raters", "cy", *options)
        return " ".join(told(made).split())

    pairs = ("--rubric", "preference", "--round", "1", "--vs", "0")
    assert "These answers teach nobody" in said(*pairs)
    assert "These answers may teach" in said(*pairs, "--from", "pool")
    assert "teach" not in said("--rubric", "short.yaml")


def test_create_sets_the_raters_in(desk, told):
    assert "\n  cy: 30 items\n" in told(desk.rate(*create("cy"), "--repeats", "0"))


def test_create_finds_the_batch_that_it_made(desk, document):
    before = desk.stored()
    command = (*create("ana,bo"), "--overlap", "1", "--repeats", "0")
    assert "exists already" in desk.rate(*command).out
    made = document(desk.rate(*command, "--json"))
    assert (made["batch"], made["run"], made["items"]) == (desk.name, desk.run, 30)
    assert made["assigned"] == {"ana": 30, "bo": 30} and made["verdicts"]
    assert desk.stored() == before


def create(raters):
    return ("create", "--rubric", "short.yaml", "-n", "30", "--raters", raters)


def test_status_counts_what_each_rater_did(desk, told, document):
    first, second, *_ = desk.batch.assignments["ana"]
    for item in (first, second):
        desk.says("ana", item, "right", 4)
        desk.says("ana", item, "polite", None)
        desk.says("ana", item, "", None, "done")
    desk.says("ana", second, "", "cut off at the end", "comment")
    lines = [line.split() for line in told(desk.rate("status")).splitlines()]
    row = next(line for line in lines if line[:1] == ["ana"])
    assert row[1:7] == ["2", "30", "0", "0", "1", "3"] and len(row[7]) == len("2026-11-25")
    assert "cut off at the end" in desk.rate("status", desk.name).out
    (one,) = document(desk.rate("status", "--json"))
    assert (one["batch"], one["rated"], one["several"], one["planned_several"]) == (
        desk.name, 2, 0, 30,
    )  # fmt: skip
    assert [(r["rater"], r["done"], r["seconds"]) for r in one["raters"]] == [
        ("ana", 2, 3.0), ("bo", 0, None),
    ]  # fmt: skip


def test_status_without_a_name_shows_all_batches(desk, told, document):
    other = desk.another()
    out = told(desk.rate("status"))
    assert desk.name in out and other in out
    assert {one["batch"] for one in document(desk.rate("status", "--json"))} == {desk.name, other}


def damaged(desk, name):
    """Break the batch; returns what is said of it."""
    (desk.ratings / name / "batch.json").write_text("{}")
    return f"warning: batch {name} is left out: this batch was changed or is damaged"


def test_a_damaged_batch_hides_no_other_one(desk, refused):
    other = desk.another()
    warning = damaged(desk, other)
    shown, listed = desk.rate("status"), desk.rate("status", "--json")
    for result in (shown, listed):
        assert result.code == 0 and result.err.startswith(warning)
        assert result.err.count("\n") == 1 and "Traceback" not in result.err
    assert desk.name in shown.out and other not in shown.out
    assert [one["batch"] for one in listed.document] == [desk.name]
    refused(desk.rate("status", other), 4, "is damaged", other)
    report = desk.project.inside("report", desk.run, "--full")
    assert report.code == 0 and desk.run in report.out


def test_a_damaged_file_of_a_rater_hides_no_other_batch(desk):
    other = desk.another()
    events = desk.ratings / other / "events" / "cy.jsonl"
    events.write_text("no event\n")
    result = desk.rate("status")
    assert result.code == 0 and result.err.startswith(f"warning: batch {other} is left out: ")
    assert desk.name in result.out and str(Path("events", "cy.jsonl:1")) in result.err


def test_where_all_batches_are_damaged_status_shows_none(desk):
    warnings = [damaged(desk, name) for name in (desk.name, desk.another())]
    result = desk.rate("status", "--json")
    assert (result.code, result.document) == (0, [])
    assert all(warning in result.err for warning in warnings)


def test_comments_are_shown_as_text_and_never_as_more(desk, told):
    items = desk.batch.assignments["ana"]
    texts = ["[bold]not bold[/bold] [/nothing]", *HOSTILE]
    for start in range(0, len(texts), len(items)):
        for item, text in zip(items, texts[start:], strict=False):
            desk.says("ana", item, "", text[:2_000], "comment")
        out = told(desk.rate("status", NO_COLOR=""))
        assert not {c for c in out if (ord(c) < 32 and c != "\n") or ord(c) in BIDI}
        assert out.count("ana on ") == len(items)
        assert start or texts[0] in out


BIDI = {0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069}


def test_agreement_says_how_far_raters_agree(rated, told, document):
    out = told(rated.rate("agreement"))
    found = document(rated.rate("agreement", "--json"))
    assert found["sentences"] and found["batch"] == rated.name
    figures, raters, values, words = out.strip("\n").split("\n\n")
    right, whole = found["criteria"][0], found["overall"]
    alpha, kappa = right["alpha"], right["kappa"]["mean"]
    row = next(line for line in figures.splitlines() if line.startswith("Right"))
    assert [float(one) for one in re.findall(r"-?\d\.\d\d", row)] == [
        round(one[key], 2) for one in (alpha, kappa) for key in ("value", "low", "high")
    ]
    assert row.endswith(f"  {100 * right['raw']['value']:.0f} %  30")
    severity = {one["rater"]: f"{one['value']:+.2f} [" for one in whole["severity"]}
    assert raters.splitlines()[1].split()[-1] == "items"
    for line, rater in zip(raters.splitlines()[2:], ("ana", "bo"), strict=True):
        assert line.startswith(rater) and severity[rater] in line
        assert line.split()[-2:] == ["3", "30"]
    assert "1: 0 · 2: 10 · 3: 20 · 4: 20 · 5: 10" in values and "no: 16 · yes: 44" in values
    assert "Right: bo scores " in words and "points lower than the others" in " ".join(
        words.split()
    )


@pytest.mark.nightly
def test_agreement_says_that_there_are_few_groups_once(desk, told):
    command = ("create", "--rubric", "short.yaml", "-n", "12", "--raters", "ana,bo")
    desk.name = desk.rate(*command, "--overlap", "1", "--json").document["batch"]
    desk.fill()
    document = desk.rate("agreement", desk.name, "--json").document
    (groups,) = {part["alpha"]["groups"] for part in (*document["criteria"], document["overall"])}
    out = " ".join(told(desk.rate("agreement", desk.name)).split())
    assert out.count("groups of items") == 1
    assert f"Only {groups} groups of items, so intervals are rough." in out


def test_agreement_counts_the_hidden_repeats_of_all_criteria(desk, told):
    command = (*create("ana,bo"), "--overlap", "1", "--repeats", "0.2", "--json")
    desk.name = desk.rate(*command).document["batch"]
    desk.fill()
    document = desk.rate("agreement", desk.name, "--json").document
    each = [one for part in document["criteria"] for one in part["consistency"]]
    assert sum(one["repeats"] for one in each if one["rater"] == "bo") == 12
    same = sum(one["same"] * one["repeats"] for one in each if one["rater"] == "bo")
    assert f"{same:.0f} of 12" in told(desk.rate("agreement", desk.name))


HOSTILE_RUBRIC = """\
schema: harness.rubric/1
id: hostile
version: 1
title: Hostile
language: en
instructions: Read the answer, then judge it.
criteria:
  - id: right
    title: "[red]Right[/red] [/nothing] and a very long title that goes on and on and on"
    question: Is the answer right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - id: kind
    title: Kind of error
    question: What is wrong?
    scale: {kind: choices, choices: ["[bold]facts[/bold]", "a tone that is wrong in many ways"]}
  - id: words
    title: Share
    question: How much of it is right?
    scale: {kind: number, min: 0, max: 100, anchors: {0: nothing, 100: all}}
"""


@pytest.mark.nightly
def test_agreement_of_hostile_titles_and_choices_and_of_one_value_only(desk, told, document):
    desk.project.write(HOSTILE_RUBRIC, "hostile.yaml")
    command = ("create", "--rubric", "hostile.yaml", "-n", "30", "--raters", "ana,bo")
    desk.name = desk.rate(*command, "--overlap", "1", "--json").document["batch"]
    for rater in ("ana", "bo"):
        for place, item in enumerate(desk.batch.assignments[rater]):
            desk.says(rater, item, "right", 5)
            desk.says(rater, item, "kind", ["[bold]facts[/bold]"] if place % 3 else [])
            desk.says(rater, item, "words", place)
    out = told(desk.rate("agreement", desk.name))
    assert "[red]Right[/red]" in out and "[bold]facts[/bold]: " in out
    assert "values from 0 to 3" in out
    row = next(line for line in out.splitlines() if line.startswith("[red]Right"))
    assert re.search(r"… +-  +-  +100 %  30$", row)
    assert "agreement cannot be computed, because everyone chose 5." in " ".join(out.split())
    assert document(desk.rate("agreement", desk.name, "--json"))["criteria"]
    plain = desk.project.process("rate", "agreement", desk.name, PYTHONIOENCODING="ascii")
    assert "█" in out and (plain.code, plain.err, plain.out.isascii()) == (0, "", True)


def test_agreement_of_a_scale_of_many_levels_of_which_few_were_given(desk, told):
    percent = HOSTILE_RUBRIC.replace("min: 1, max: 5", "min: 0, max: 20")
    desk.project.write(
        percent.replace("{1: wrong, 5: right}", "{0: wrong, 20: right}"), "many.yaml"
    )
    command = ("create", "--rubric", "many.yaml", "-n", "4", "--raters", "ana,bo")
    desk.name = desk.rate(*command, "--overlap", "1", "--json").document["batch"]
    for rater in ("ana", "bo"):
        for place, item in enumerate(desk.batch.assignments[rater]):
            desk.says(rater, item, "right", 17 if place else 3)
    out = " ".join(told(desk.rate("agreement", desk.name)).split())
    assert "21 values from 0 to 20 · most often 17 (6x)" in out


def test_validity_says_what_the_metrics_are_worth(rated, told, document):
    out = told(rated.rate("validity"))
    found = document(rated.rate("validity", "--json"))
    (metric,) = found["metrics"]
    table, words = out.strip("\n").split("\n\n")[1:]
    (row,) = table.splitlines()[2:]
    share = metric["answers"]["accuracy"]
    assert re.findall(r"\d+(?= %)", row) == [f"{100 * share['value']:.0f}"]
    assert row.startswith("overlap") and row.endswith(f" {metric['answers']['n']}")
    assert found["sentences"] == [metric["answers"]["sentence"]] == [" ".join(words.split())]


@pytest.mark.parametrize("command", ["agreement", "validity"])
def test_before_anybody_has_rated_nothing_is_claimed(desk, told, document, command):
    out = told(desk.rate(command))
    assert out.splitlines() == [
        f"{desk.name}: no item is rated yet.", f"next: harness rate serve {desk.name}"
    ]  # fmt: skip
    document(desk.rate(command, "--json"))


def test_adjudicate_has_nothing_to_settle_before_two_have_rated(desk, told):
    out = " ".join(told(desk.rate("adjudicate", "--who", "cy")).split())
    assert "no item is done by several raters yet" in out and "next: harness rate status" in out


def test_adjudicate_says_that_all_agree(rated, told):
    for item in rated.batch.assignments["bo"]:
        rated.says("bo", item, "polite", True)
        rated.says("ana", item, "polite", True)
    out = " ".join(told(rated.rate("adjudicate", "--who", "cy", "--apart", "1")).split())
    assert out.endswith("of 30 items that several raters are done with, they disagree on none.")


def test_pack_writes_a_page_for_one_rater(desk, told):
    out = told(desk.rate("pack", "--rater", "ana", "-o", "ana.html"))
    assert out.startswith("written: ana.html. ana opens it")
    page = (desk.folder / "ana.html").read_text()
    assert desk.name in page and "dev-" not in page and desk.run not in page


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("to", ["csv", "jsonl", "label-studio", "argilla"])
def test_export_prints_the_data_and_nothing_else(rated, to):
    done = rated.rate("export", "--to", to)
    assert (done.code, done.err) == (0, "")
    rows = {
        "csv": lambda text: list(csv.DictReader(io.StringIO(text, newline=""))),
        "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    }.get(to, json.loads)(done.out)
    assert len(rows) >= 30


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("to", ["csv", "jsonl", "label-studio", "argilla"])
def test_export_into_a_file_says_so_on_standard_error(rated, to):
    printed = rated.rate("export", "--to", to).out
    done = rated.rate("export", "--to", to, "-o", "ratings.out")
    assert (done.code, done.out) == (0, "") and "written: ratings.out\n" in done.err
    assert (rated.folder / "ratings.out").read_bytes().decode() == printed
    assert (rated.folder / "ratings.xml").exists() == (to == "label-studio")


# -- wrong calls -----------------------------------------------------------------------------


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("command", ON_A_BATCH)
def test_an_unknown_batch_is_named_with_the_near_one(desk, refused, command):
    wrong = desk.name[:-1]
    refused(desk.rate(*ON_A_BATCH[command], wrong), 2, f"no batch '{wrong}'", f"'{desk.name}'?")
    refused(desk.rate(*ON_A_BATCH[command], "../x"), 2, "no batch '../x'", desk.name)


@pytest.mark.nightly(but_each=7)
@pytest.mark.parametrize("command", ON_A_BATCH)
def test_where_there_is_no_batch_the_way_to_one_is_shown(project, refused, command):
    result = project.inside("rate", *ON_A_BATCH[command])
    refused(result, 2, "there is no batch in this folder yet", "-> harness rate create")


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize("command", OF_ONE)
def test_of_several_batches_one_has_to_be_named(desk, refused, command):
    other = desk.another()
    refused(desk.rate(*ON_A_BATCH[command]), 2, "several batches; name one", desk.name, other)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("command", [c for c in ON_A_BATCH if c != "serve"])
def test_a_batch_that_was_changed_is_refused(desk, refused, command):
    path = desk.ratings / desk.name / "batch.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1', 1))
    refused(desk.rate(*ON_A_BATCH[command]), 4, desk.name, "batches are frozen", "backup")


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize("rater", ["anna", "ANA", "", "../ana", "[bold]"])
def test_pack_for_nobody_names_the_raters(desk, refused, rater):
    words = [f"has no rater '{rater}'", "there are: ana, bo"]
    words += ["did you mean 'ana'?"] if rater == "anna" else []
    refused(desk.rate("pack", "--rater", rater, "-o", "x.html"), 2, *words)
    assert not (desk.folder / "x.html").exists()


def test_export_to_an_unknown_form_names_the_near_one(desk, refused):
    result = desk.rate("export", "--to", "cvs")
    refused(result, 2, "--to", "'cvs', did you mean 'csv'?", "label-studio")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("who", ["", "Cy", "c y", "../cy", "settled-" * 6])
def test_who_settles_needs_a_name(rated, refused, who):
    refused(rated.rate("adjudicate", "--who", who), 2, f"--who: '{who}'", "lower-case")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("apart", ["-1", "2", "far"])
def test_apart_is_a_share(rated, refused, apart):
    refused(rated.rate("adjudicate", "--who", "cy", "--apart", apart), 2, "--apart")


def test_create_by_what_is_no_rubric(desk, refused):
    said = desk.rate(*create("ana"), "--rubric", "everydy")
    refused(said, 2, "there is no rubric 'everydy'", "everyday")
    desk.project.write("schema: harness.rubric/1\ntitel: x\n", "wrong.yaml")
    refused(desk.rate(*create("ana"), "--rubric", "wrong.yaml"), 2, "wrong.yaml:2", "titel")


@pytest.mark.nightly(but_each=15)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--raters", "Ana"), ("--raters: 'Ana' cannot be a name",)),
        (("--raters", "ana,ana"), ("each once",)),
        (("--raters", ""), ("one name or more",)),
        (("--round", "7"), ("7",)),
        (("--run", "nope"), ("nope",)),
        (("--strategy", "wurst"), ("did you mean 'worst'?",)),
        (("--strategy", "changed"), ("--vs J",)),
        (("--vs", "1", "--round", "1"), ("cannot be compared with itself",)),
        (("--overlap", "2"), ("--overlap",)),
        (("--repeats", "0.9"), ("--repeats",)),
        (("--from", "test"), ("test",)),
        (("--from", "tset"), ("tset",)),
        (("--rubric", "shrt"), ("no rubric 'shrt'",)),
        (("--by", "kind"), ("--strategy stratified",)),
        (("-n", "0"), ("-n",)),
    ],
)
def test_create_refuses_what_cannot_be_meant(desk, refused, change, words):
    before = desk.stored()
    refused(desk.rate(*create("ana,bo"), *change), 2, *words)
    assert desk.stored() == before


def test_create_says_how_many_examples_there_are(desk, refused):
    refused(desk.rate(*create("ana"), "-n", "4000"), 4, "4000 examples are wanted", "-> -n 48")


@pytest.mark.nightly(but_each=9)
@pytest.mark.parametrize("command", [*ON_A_BATCH, "create", "import"])
def test_help_says_what_a_command_does(project, command):
    done = project.inside("rate", command, "--help", COLUMNS="80")
    assert done.code == 0 and max(map(len, done.out.splitlines())) <= 80


FAILS = """
import errno
from harness_rating.ratings.folder import RatingsFolder
def failing(*given):
    raise OSError(errno.ENXIO, "No such device or address", "batch.json")
RatingsFolder.names = failing
from harness.cli import main
main()
"""


@pytest.mark.nightly
@pytest.mark.parametrize("debug", [False, True])
def test_what_the_system_refuses_is_one_message_and_a_traceback_only_for_debug(desk, debug):
    program = ["-c", FAILS, "rate", "status", *(["--debug"] if debug else [])]
    done = subprocess.run(
        [sys.executable, *program], cwd=desk.folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("environment: batch.json: No such device or address\n")
    assert ("Traceback" in done.stderr) == debug
    assert ("--debug shows" in done.stderr) != debug
