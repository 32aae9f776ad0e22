"""The how-tos do what they say: their code is run, and their configs are checked."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.kit import yaml_file

DOCS = Path(__file__).parents[2] / "docs"
TOPICS = ("billing", "delivery", "returns")


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run_python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def section(page: str, title: str) -> str:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def write_table(folder: Path) -> None:
    """200 rows of 100 customers that have next to no words in common."""
    with (folder / "rows.csv").open("w", encoding="utf-8-sig", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(["customer", "question", "answer", "topic"])
        for n in range(200):
            words = " ".join(f"w{(n * 37 + k * k * 11) % 4001}" for k in range(12))
            rows.writerow([f"c{n // 2}", f"Ask {words}, please", f"Say, {words}", TOPICS[n % 3]])


@pytest.mark.nightly
def test_a_table_gets_a_config_without_a_problem(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether this machine has the default model is what `check` cannot know on every machine.
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "no model"))
    write_table(project.folder)
    (project.folder / "harness.yaml").unlink(missing_ok=True)
    done = project.inside("init", "rows.csv")
    assert done.code == 0, done.err
    for title in re.findall(r"^\| ([a-z ,]+) \|", section("data", "What it says"), re.MULTILINE):
        assert title == "line" or all(f"  {word}" in done.out for word in title.split(", ")), title
    assert project.inside("check").code == 0
    project.write(blocks("data", "yaml")[0])
    done = project.inside("check")
    assert done.code == 0, done.err
    assert done.out.startswith("harness.yaml: no problem found, 1 unknown.")
    assert "'smollm2-135m-instruct' is not cached; " in done.out


@pytest.mark.parametrize("page", ["models", "compare-runs"])
def test_configs_are_yaml_and_their_options_exist(page: str) -> None:
    from harness.registry import Registry

    registry = Registry.build()
    for text in blocks(page, "yaml"):
        for key, entry in yaml_file.scalar(text).items():
            stage = {"data": "source", "train": "trainer"}.get(key, key)
            name = entry.get("source") or entry["plugin"]
            options = {k: v for k, v in entry.items() if k not in ("source", "plugin")}
            plugin: Any = registry.get(stage, name).plugin
            plugin.Options(**options)


@pytest.mark.nightly
def test_what_ci_asks_of_scores_is_what_the_exit_code_says(project: Any) -> None:
    answers = {"refs": "a b c", "new": "a b c", "released": "a"}
    for name, text in answers.items():
        project.write("".join(f'{{"text": "{text} {n}"}}\n' for n in range(30)), f"{name}.jsonl")
    commands = [block.strip() for block in blocks("ci", "sh")]
    assert len(commands) == 2
    for command in commands:
        words = command.split()[1:]
        assert project.inside(*words).code == 0
        turned = {"new.jsonl": "released.jsonl", "released.jsonl": "new.jsonl"}
        assert project.inside(*(turned.get(word, word) for word in words)).code == 1


def test_the_workflows_name_inputs_of_the_action_and_commands_of_the_program(project: Any) -> None:
    score, train = (yaml_file.scalar(text)["jobs"] for text in blocks("ci", "yaml"))
    [given] = [step["with"] for step in score["answers"]["steps"] if "with" in step]
    inputs = yaml_file.scalar((DOCS.parent / "action.yml").read_text("utf-8"))["inputs"]
    assert given.keys() <= inputs.keys()
    told = set(re.findall(r"`([a-z-]+)`", section("ci", "The action")))
    assert inputs.keys() <= told
    (project.folder / "experiment").mkdir()
    project.write(name="experiment/harness.yaml")
    commands = [
        step["run"] for step in train["train"]["steps"] if "harness " in step.get("run", "")
    ]
    for command in commands[-3:]:
        done = project.inside(*command.partition(" >")[0].split()[1:])
        assert done.code == 0, done.err


@pytest.mark.nightly
def test_the_comment_is_what_the_program_prints(project: Any) -> None:
    run_python(blocks("comparing", "python")[0], project.folder)
    done = project.inside(
        "score", "-p", "patchy.jsonl", "-b", "old.jsonl", "-r", "refs.jsonl", "-m", "rouge",
        "--primary", "rougeL", "--by", "topic", "--require", "improved", "--brief",
    )  # fmt: skip
    shown = re.findall(r"^> ?(.*)$", section("ci", "A comment"), re.MULTILINE)
    assert "\n".join(shown) + "\n" == done.out
    files = [project.folder / f"{name}.jsonl" for name in ("patchy", "old", "refs")]
    gain = harness.compare(*files, metric="rouge", score="rougeL")
    assert f"where False = {gain!r}.improved" in section("ci", "In pytest")


@pytest.mark.nightly
def test_answers_of_two_runs_are_compared_as_files(finished: Any) -> None:
    project, _ = finished
    text = (DOCS / "compare-runs.md").read_text("utf-8")
    query = re.search(r'--csv "([^"]*)" RUN-A', text)
    assert query is not None
    for name, number in (("a.csv", "0"), ("b.csv", "1")):
        sql = query[1].replace("round = 0", f"round = {number}")
        project.write(project.inside("query", "--csv", sql).out, name)
    done = project.inside("score", "-p", "b.csv", "-b", "a.csv", "-c", "harness.yaml", "--json")
    assert done.document["comparison"]["b.csv"]["overlap"]["label"] == "improved"


def test_the_model_is_found_and_copied_as_written(finished: Any) -> None:
    project, _ = finished
    use, copy = blocks("use-the-model", "python")
    project.signed()
    run_python(copy, project.folder)
    assert (project.folder / "adapter" / "skill.json").is_file()
    compile(use, "use.py", "exec")


def test_detectable_effects_are_what_the_program_computes() -> None:
    from harness.stats.assumed import assumed_effect

    text = (DOCS / "how-many-rows.md").read_text("utf-8")
    rows = re.findall(
        r"^\| ([\d,]+) \| ([\d.]+) to ([\d.]+) \| ([\d.]+) to ([\d.]+) \| (\d+) to (\d+) \|$",
        text,
        re.MULTILINE,
    )
    assert len(rows) == 6
    for count, *shown in rows:
        groups = [str(row) for row in range(int(count.replace(",", "")))]
        between = assumed_effect(groups, 3, "in between")
        at_ends = assumed_effect(groups, 3, "mostly 0 or 1")
        passes = assumed_effect(groups, 3, "pass or fail")
        expected = [f"{end:.3f}" for end in (*between, *at_ends)]
        expected += [f"{100 * end:.0f}" for end in passes]
        assert shown == expected
