"""A section of a plugin stands in every report; one that fails is named and harms nothing."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from harness.errors import PluginError
from harness.kit.blocks import (
    Bullets,
    Chart,
    Code,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Point,
    Series,
    Table,
    from_json,
    to_json,
)
from harness.stages.section import blocks_of

PLUGIN = '''
import harness


class Longest(harness.Section):
    """The longest answers."""

    name = "longest"
    title = "The longest [red]answers[/red]"

    class Options(harness.Options):
        broken: bool = False

    def rows(self, document, database):
        if self.options.broken:
            raise RuntimeError("no such thing")
        found = harness.query(
            database,
            "SELECT id, reply_words, 0.123456 FROM predictions WHERE round = 1 AND split = 'dev' "
            "ORDER BY reply_words DESC, id LIMIT 60",
        )
        return [{"id": i, "words": n, "share |": x, "odd": None} for i, n, x in found.rows]


@harness.hookimpl
def register_sections():
    return [Longest]
'''


def run(project, option=""):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [longest.py, ")
    project.write(PLUGIN, "longest.py")
    project.write(f"{text}sections: [{{plugin: longest{option}}}]\n")
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    folder = project.folder / "reports" / done.document["run"]
    return folder, json.loads((folder / "analysis.json").read_text())


def test_every_face_shows_the_table(project):
    folder, analysis = run(project)
    (section,) = analysis["sections"]
    assert section["columns"] == ["id", "words", "share |", "odd"]
    assert (len(section["rows"]), section["cut"]) == (48, False)
    assert section["rows"][0][1:] == [7, 0.123456, None]
    shown = project.inside("report", "--full").out
    assert "The longest [red]answers[/red]" in shown and "0.1235" in shown
    page = (folder / "report.md").read_text()
    assert "share \\|" in page
    assert "0.1235" in (folder / "report.html").read_text()


def test_one_that_fails_is_named_and_the_rest_stands(project):
    _, analysis = run(project, ", broken: true")
    assert analysis["sections"] == []
    assert analysis["failed"] == {"longest": "RuntimeError: no such thing"}
    assert "RuntimeError: no such thing" in project.inside("report", "--full").out
    project.write(PLUGIN.replace("if self.options.broken", "if False"), "longest.py")
    for again in (True, False):
        shown = project.inside("report", "--full")
        assert ("section was edited since" in shown.err) is again
        assert "The longest [red]answers[/red]" in shown.out and "no such thing" not in shown.out


BLOCKS = '''
import harness
from harness.kit.blocks import Bullets, Details, Heading, Note, Paragraph, Table, Column


class Told(harness.Section):
    """Blocks, drawn from the document and from its own rows."""

    name = "told"
    title = "Told [b]in blocks[/b]"
    order = 1_150
    always = True

    def rows(self, document, database):
        return [{"answers": harness.query(database, "SELECT count(*) FROM predictions").rows[0][0]}]

    def blocks(self, document):
        own = [section for section in document.sections if section.name == self.name]
        yield Note(f"asked: {own[0].rows[0][0] if own else 'nothing'}")
        yield Heading("A part", level=3)
        yield Bullets((Paragraph("better", label="improved"),))
        rows = tuple((f"row {n}", n, n) for n in range(9))
        columns = (Column("what"), Column("times", "number"), Column("", "bar"))
        yield Table(columns, rows, "Rows", short=2, rest="later")
        yield Details("Folded", (Paragraph("for few"),))
        if %s:
            yield Table(columns, ((1,),), "Odd")


@harness.hookimpl
def register_sections():
    return [Told]
'''


def run_with_blocks(project, named, broken=False):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [told.py, ")
    project.write(BLOCKS % broken, "told.py")
    project.write(text + ("sections: [told]\n" if named else ""))
    done = project.inside("iterate", "--rounds", "1")
    assert done.code == 0, done.err
    (folder,) = (project.folder / "reports").iterdir()
    return done, folder


@pytest.mark.nightly
@pytest.mark.parametrize("named", [True, False])
def test_blocks_stand_in_every_report(project, named):
    _, folder = run_with_blocks(project, named)
    (page, markdown, plain) = (
        (folder / name).read_text() for name in ("report.html", "report.md", "report.txt")
    )
    for shown in (plain, markdown, page):
        assert shown.index("asked: ") < shown.rindex("Fixed and regressed")
        assert ("asked: nothing" in shown) is not named
        assert "▲ improved" in shown.replace("<bdi>", "")
        assert ("row 8" in shown) is (shown is page)
        assert ("for few" in shown) is (shown is page)
    assert "and 7 more, later" in plain and "And 7 more, later." in markdown
    stored = json.loads((folder / "analysis.json").read_text())["sections"]
    assert [one["name"] for one in stored] == (["told"] if named else [])
    assert "Told [b]in blocks[/b]" in project.inside("report", "--full").out
    (project.folder / "told.py").unlink()  # what the analysis holds is shown all the same
    assert ("Told [b]in blocks[/b]" in project.inside("report", "--full").out) is named


@pytest.mark.nightly
def test_blocks_that_cannot_be_drawn_are_named(project):
    _, folder = run_with_blocks(project, True, broken=True)
    told = "row 1 of a table has 1 cells for 3 columns"
    assert told in " ".join((folder / "report.txt").read_text().split())
    assert told in json.loads((folder / "analysis.json").read_text())["failed"]["told"]


ANY = [
    Heading("h", "r", 3), Paragraph("p", "lead", "improved", "d"), Note("n", failed=True),
    Bullets((Paragraph("x"),), True, 1, "rest"),
    Table((Column("a"), Column("b", "span")), (("x", (0.1, 0.2, None)), (None, ())), "c"),
    Chart("rounds", "t", (Series("s", (Point(1, 0.5, 0.4, 0.6, True, "tip"),)),), (0.0, 1.0)),
    Code("harness", "Next:"), Details("more", (Note("n"), Table((Column("a"),), ((1,),), "c"))),
]  # fmt: skip


def said(blocks):
    return blocks_of(SimpleNamespace(blocks=lambda document: blocks), {})


@pytest.mark.parametrize("block", ANY, ids=lambda block: type(block).__name__)
def test_blocks_survive_json(block):
    again = from_json(json.loads(json.dumps(to_json(block))))
    assert to_json(again) == to_json(block) and type(again) is type(block)
    assert said([block]) == [block]


def test_what_is_no_block_is_refused():
    for wrong, told in [
        ("a text", "where an instance of Heading or an instance of Paragraph"),
        (Note(3), "text is the number 3, where a valid string is due"),
        (Heading("h", level=7), "level is the number 7"),
        (Details("d", (Table((Column("a"),), ((1, 2),), "c"),)), "2 cells for 1 columns"),
        (Table((), (), "c"), "no columns"),
        (Table((Column("a", "span"),), (((0.1, 0.2),),), "c"), "a cell that is no span"),
        (Table((Column("a"),), (((0.1,),),), "c"), "a cell that is no text"),
        (Chart("bars", "t", ()), "no points"),
        (Chart("bars", "t", (Series("s", (Point("a", -1),)),)), "below zero"),
        (Chart("curve", "t", (Series("s", (Point("a", 1),)),)), "at no number"),
        (Chart("bars", "t", (Series("s", (Point("a", float("nan")),)),)), "a finite number"),
    ]:
        with pytest.raises(PluginError, match=told):
            said([wrong])


ALWAYS = """
import harness


class Lengths(harness.Section):
    name = "lengths"
    always = True

    def blocks(self, document):
        yield harness.kit.blocks.Paragraph("the first text")


@harness.hookimpl
def register_sections():
    return [Lengths]
"""
ITERATE = ("iterate", "--rounds", "1")
AGAIN = "the sections of the report are not those that it was made with"


def add(project, text=ALWAYS):
    """As if the project's config had begun to name the file after its run had ended."""
    config = (project.folder / "harness.yaml").read_text()
    project.write(text, "lengths.py")
    if "lengths.py" not in config:
        project.write(config.replace("plugins: [", "plugins: [lengths.py, "))


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("command", "file"),
    [
        (("report", "--full"), None),
        (("report", "--html", "page.html"), "page.html"),
        (("rebuild",), "reports/*/report.html"),
        (ITERATE, "reports/*/report.html"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_finished_run_is_shown_with_the_projects_sections_as_they_are(short, command, file):
    project, _ = short

    def shown():
        done = project.inside(*command)
        assert done.code == 0 and "left out" not in done.err, done.err
        return done.out if file is None else next(project.folder.glob(file)).read_text()

    add(project)
    assert "the first text" in shown()
    add(project, ALWAYS.replace("first", "second"))
    text = shown()
    assert "the second text" in text and "the first text" not in text


@pytest.mark.nightly
def test_a_named_section_is_made_anew_where_it_was_edited(short):
    project, _ = short
    add(project, PLUGIN)
    config = (project.folder / "harness.yaml").read_text()
    project.write(f"{config}sections: [longest]\n")
    assert AGAIN in project.inside(*ITERATE).err
    assert AGAIN not in project.inside(*ITERATE).err
    (path,) = project.folder.glob("reports/*/analysis.json")
    assert json.loads(path.read_text())["sections"][0]["columns"][1] == "words"
    for command, name in ((("rebuild",), "length"), (ITERATE, "count")):
        add(project, PLUGIN.replace('"words"', f'"{name}"'))
        assert project.inside(*command).code == 0
        assert json.loads(path.read_text())["sections"][0]["columns"][1] == name


def test_a_file_that_cannot_be_imported_is_named(short):
    project, _ = short
    add(project, "import no_such_module\n")
    done = project.inside("report")
    assert done.code == 0
    assert "lengths.py is left out: cannot be imported" in done.err
    assert "no_such_module" in done.err


@pytest.mark.nightly
def test_iterate_names_a_section_that_raises(short):
    project, _ = short
    add(project, ALWAYS.replace("yield harness.kit.blocks", "yield document.no_such_key.x"))
    done = project.inside(*ITERATE)
    assert done.code == 0
    [line] = [line for line in done.err.splitlines() if line.startswith("note: section")]
    assert "'lengths' is left out" in line
    assert "no_such_key" in (project.inside("report", "--full").out)
