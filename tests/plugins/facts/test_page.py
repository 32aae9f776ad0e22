"""docs/metrics/facts.md: its example and its tables are computed anew."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import harness
from harness_facts import Facts
from harness_facts.wording import wording
from harness_facts.words import words

PAGE = (Path(__file__).parents[3] / "docs" / "metrics" / "facts.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


def table(section):
    """The rows of the section's table, without its head."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    return [re.split(r" (?<!\\)\| ", line.replace(r"\|", "\0")) for line in lines[1:]]


def test_the_first_example(project):
    project.write(block("yaml"), "facts.yaml")
    script, command = block("sh").split("harness score ")
    subprocess.run(["sh", "-c", script], cwd=project.folder, check=True)
    done = project.inside("score", *command.split(), "--json")
    assert done.code == 0, done.err
    assert done.document["metrics"]["facts"]["value"] == 0.75
    assert "0.5 and 1, so 0.75" in PAGE


def test_values_of_the_weaknesses(tmp_path):
    file = tmp_path / "facts.yaml"
    file.write_text(re.search(r"With `(every: .*)`:", PAGE)[1], encoding="utf-8")
    metric = Facts(Facts.Options(file=file))
    rows = table("Weaknesses")
    assert len(rows) == 6
    for answer, value in rows:
        found = metric.measure(harness.Prediction("a", answer), harness.Example("a", (), ()))
        assert found == float(value), answer


@pytest.mark.parametrize("cell", [0, 1])
def test_what_wordings_are_said_to_accept(cell):
    """Texts in quotes are accepted, by the one wording or by that with words that are the same."""
    same = [{}, {"euros": "euro", "eur": "euro", "€": "euro"}][cell]
    rows = {row[0].strip("`").replace("\0", "|"): row[1] for row in table("Wordings")}
    told = rows["6 euros"].split("; with")[cell].replace('[euros, eur, "€"]', "")
    accepted = re.findall(r'"([^"]+)"', told)
    assert len(accepted) >= 3
    assert all(wording("6 euros", same).stated(words(text, same)) for text in accepted)
    thousand = re.findall(r'"([^"]+)"', rows["1,050"])
    assert all(wording("1,050", {}).stated(words(text, {})) for text in thousand)
    assert wording("24th", {}).stated(words(re.findall(r'"([^"]+)"', rows["24th"])[0], {}))


def test_the_signature():
    shown = re.search(r"^    (facts\|file.*)$", PAGE, re.MULTILINE)[1]
    assert shown.endswith(f"|rev:{Facts.revision}")
