"""``harness rate import``: what export wrote comes in again, all else is refused whole."""

from __future__ import annotations

import json
import zlib

import pytest

ALL = {"csv": ("all.csv",), "jsonl": ("--all-raters", "all.jsonl")}


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("to", ALL)
def test_import_takes_what_export_wrote_and_twice_does_no_harm(rated, told, document, to):
    rated.rate("export", "--to", to, "-o", ALL[to][-1])
    for path in (rated.ratings / rated.name / "events").iterdir():
        path.unlink()
    out = told(rated.rate("import", *ALL[to]))
    assert "new events of ana." in out and f"next: harness rate status {rated.name}" in out
    before = rated.stored()
    again = document(rated.rate("import", *ALL[to], "--json"))
    assert again["batch"] == rated.name and not any(again["new"].values())
    assert rated.stored() == before


@pytest.fixture
def exported(rated):
    """The head and the lines of the file that Ana sends."""
    head, *lines = rated.rate("export", "--to", "jsonl").out.splitlines()
    return {**json.loads(head), "rater": "ana"}, [n for n in lines if '"rater":"ana"' in n]


def sends(desk, head, lines, edited=None):
    """Import a file of these lines, or one in which they were exchanged for the edited ones."""
    body = "".join(line + "\n" for line in lines).encode()
    head = {**head, "events": len(lines), "crc32": f"{zlib.crc32(body):08x}"}
    body = "".join(line + "\n" for line in edited or lines).encode()
    desk.project.folder.joinpath("in.jsonl").write_bytes(json.dumps(head).encode() + b"\n" + body)
    return desk.rate("import", "in.jsonl")


HEADS = {
    "another batch": ({"batch": "short-00000000"}, "no batch 'short-00000000'"),
    "another version": ({"rubric": "short/2"}, "by rubric short/2, and the batch has short/1"),
    "another rater": ({"rater": "anna"}, "'anna' does not rate in batch"),
    "another schema": ({"schema": "harness.events/9"}, "does not begin as ratings do"),
    "a hostile name": ({"batch": "[bold]x[/bold]\x1b[31m"}, "no batch '[bold]x[/bold]"),
}


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("case", HEADS)
def test_a_file_that_belongs_elsewhere_is_refused(rated, exported, refused, case):
    (head, lines), (changed, words) = exported, HEADS[case]
    before = rated.stored()
    err = refused(sends(rated, {**head, **changed}, lines), 4, "in.jsonl:1", words)
    assert "nothing was imported" in err and "  -> " in err and "\x1b" not in err
    assert rated.stored() == before


def test_a_file_that_was_cut_or_edited_is_refused(rated, exported, refused):
    (head, lines), before = exported, rated.stored()
    refused(sends(rated, head, lines, lines[:-1]), 4, "in.jsonl:", "the file is cut")
    better = [line.replace('"value":3', '"value":5') for line in lines]
    assert better != lines
    refused(sends(rated, head, lines, better), 4, "changed after it was exported")
    assert rated.stored() == before
    assert sends(rated, head, lines).code == 0


def test_a_file_of_all_raters_has_to_be_asked_for(rated, refused):
    rated.rate("export", "--to", "jsonl", "-o", "all.jsonl")
    refused(rated.rate("import", "all.jsonl"), 4, "all raters", "--all-raters")


def test_what_is_no_file_of_ratings_is_refused(desk, refused):
    refused(desk.rate("import", "none.jsonl"), 4, "none.jsonl: cannot read it")
    refused(desk.rate("import", "reports"), 4, "reports: cannot read it: Is a directory")
    refused(desk.rate("import", "short.yaml"), 4, "short.yaml:1", "nothing was imported")
    desk.rate("pack", "--rater", "ana", "-o", "ana.html")
    refused(desk.rate("import", "ana.html"), 4, "ana.html:1", "a page", "Save my ratings")
    (desk.folder / "empty.csv").touch()
    refused(desk.rate("import", "empty.csv"), 4, "empty.csv:1")


def test_a_file_of_another_batch_than_is_named_is_refused(rated, refused):
    rated.rate("export", "--to", "jsonl", "-o", "all.jsonl")
    refused(rated.rate("import", "--batch", "other", *ALL["jsonl"]), 4, rated.name, "not of other")
