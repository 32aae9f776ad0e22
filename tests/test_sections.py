"""A section of a plugin stands in every report; one that fails is named and harms nothing."""

from __future__ import annotations

import json

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
    shown = project.inside("report").out
    assert "The longest [red]answers[/red]" in shown and "0.1235" in shown
    page = (folder / "report.md").read_text()
    assert "share \\|" in page
    assert "0.1235" in (folder / "report.html").read_text()


def test_one_that_fails_is_named_and_the_rest_stands(project):
    _, analysis = run(project, ", broken: true")
    assert analysis["sections"] == []
    assert analysis["failed"] == {"longest": "RuntimeError: no such thing"}
    assert "RuntimeError: no such thing" in project.inside("report").out
