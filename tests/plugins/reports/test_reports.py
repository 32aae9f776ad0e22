"""Both reporters: the same facts, in the room there is, and hostile text stays harmless."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from harness import summary_schema
from harness.kit import drawing, files
from harness_reports import (
    BriefReporter,
    FullReporter,
    HtmlReporter,
    MarkdownReporter,
    TerminalReporter,
    register_reporters,
)
from tests.plugins.reports.faces import drawn
from tests.support.golden import Golden

Document = dict[str, Any]
Make = Callable[..., Document]


def shown(document: Document, width: int, **console: Any) -> str:
    page = io.StringIO()
    console.setdefault("color_system", None)
    FullReporter().show(drawn(document), Console(file=page, width=width, **console))
    return page.getvalue()


def written(document: Document, folder: Path) -> str:
    (path,) = MarkdownReporter().write(drawn(document), folder)
    assert path == folder / "report.md"
    return path.read_text(encoding="utf-8")


def test_both_are_registered() -> None:
    assert [kind.name for kind in register_reporters()] == [
        "terminal", "full", "markdown", "brief", "html",
    ]  # fmt: skip


def test_the_sample_is_a_valid_document(document: Document) -> None:
    jsonschema.Draft202012Validator(summary_schema()).validate(document)


@pytest.mark.parametrize("width", [80, 120])
def test_the_verdict_comes_first_and_the_command_last(document: Document, width: int) -> None:
    lines = shown(document, width).rstrip("\n").split("\n")
    assert lines[0].split() == ["▲", "IMPROVED", "on", "test"]
    assert lines[1].strip().startswith("rougeL 0.156 → 0.303 on dev, 0.150 → 0.297 on test")
    assert lines[2].strip().startswith("On test: rougeL rose by 0.147 against round 0")
    assert lines[-1] == "  harness iterate --rounds 4"
    assert max(map(len, lines)) <= width


def test_the_screen_of_a_summary_alone(document: Document, golden: Golden) -> None:
    golden(shown(document, 80))


def test_a_long_command_stays_one_line(document: Document) -> None:
    document["next_command"] = "harness iterate " + "--set a.b=c " * 20
    assert shown(document, 80).rstrip("\n").split("\n")[-1].endswith("--set a.b=c")


def test_a_run_without_a_test_is_told_by_its_kept_round(make_document: Make) -> None:
    page = shown(make_document(4, finished=False), 80)
    assert page.split("\n")[0].split("on dev, ")[1] == "round 1, chosen on these rows"
    assert "Round 3: There is no evidence that round 3 differs" in page
    assert "Test set" not in page


def test_the_baseline_alone_is_a_report(make_document: Make, tmp_path: Path) -> None:
    document = make_document(1, finished=False, control=False)
    page = shown(document, 80)
    assert page.split("\n")[0].split() == ["○", "BASELINE", "on", "dev,", "round", "0"]
    assert written(document, tmp_path).startswith("# ○ baseline (dev, round 0)\n")


def test_a_document_of_nothing_but_the_needed_keys(make_document: Make, tmp_path: Path) -> None:
    document = make_document(2, finished=False, control=False)
    for entry in document["rounds"]:
        entry |= {"errors": {}, "slices": [], "plan": [], "refused": {}, "log": [], "added": 0}
        entry["scores"] = {}
    document |= {"examples": [], "notes": [], "seconds": {}, "next_command": "", "settings": {}}
    document["model"] = {"base": "", "adapter": None, "round": 0, "commands": []}
    document["dates"] = {"started": None, "finished": None}
    jsonschema.Draft202012Validator(summary_schema()).validate(document)
    assert "–" in shown(document, 80)
    assert "## Rounds" in written(document, tmp_path)


def test_words_that_differ_stand_out_in_colour(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    page = shown(document, 120, color_system="standard", force_terminal=True)
    assert "Return a \x1b[1;31mquoted string that is safe for use in a\x1b[0m shell " in page
    assert "Return a shell\x1b[1;32m-escaped version of the string *s*.\x1b[0m" in page
    assert "{+" not in page


def test_the_text_file_is_plain(document: Document, tmp_path: Path) -> None:
    (path,) = TerminalReporter().write(drawn(document), tmp_path)
    assert path == tmp_path / "report.txt"
    assert path.read_text(encoding="utf-8").split("\n")[0] == " ▲ IMPROVED   on test"
    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_markdown_of_a_summary_alone(document: Document, tmp_path: Path, golden: Golden) -> None:
    golden(written(document, tmp_path))


def test_the_document_survives_a_file(document: Document, tmp_path: Path) -> None:
    again = json.loads(json.dumps(document, allow_nan=False))
    assert written(again, tmp_path) == written(document, tmp_path)


def test_sparkline() -> None:
    assert drawing.sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert drawing.sparkline([1, None, 2]) == "▁ █"
    assert drawing.sparkline([2, 2]) == "▄▄"
    assert drawing.sparkline([]) == drawing.sparkline([None]) == ""
    assert len(drawing.sparkline(list(range(1000)), 10)) == 10


def test_bar_and_forest() -> None:
    assert drawing.bar(0.5, 1.0, 4) == "██"
    assert drawing.bar(0.53125, 1.0, 4) == "██▏"
    assert drawing.bar(2.0, 1.0, 4) == "████"
    assert drawing.bar(None, 1.0, 4) == drawing.bar(-1.0, 1.0, 4) == ""
    assert drawing.forest(0.5, (0.25, 0.75), (0.0, 1.0), 9) == "┊ ──●──  "
    assert drawing.forest(None, (None, None), (0.0, 0.0), 3) == "┊  "


def test_shares_fill_the_bar_and_forget_nobody() -> None:
    assert drawing.shares([1, 998, 1], 10) == [1, 8, 1]
    assert drawing.shares([50, 0, 50], 10) == [5, 0, 5]
    assert drawing.shares([1, 1, 1], 10) == [4, 3, 3]
    assert drawing.shares([0], 10) == [0]
    assert drawing.shares([], 10) == []
    assert drawing.shares([1, 1, 1], 2) == [1, 1, 1]


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("kind", [TerminalReporter, MarkdownReporter, BriefReporter, HtmlReporter])
def test_a_full_disk_leaves_the_earlier_report_whole(
    analysis: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    (path,) = kind().write(drawn(analysis), tmp_path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "fsync", full)
    analysis["run"] = "another"
    with pytest.raises(OSError, match="No space left on device"):
        kind().write(drawn(analysis), tmp_path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
