"""What a summary tells of a run's model, dates and settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.errors import DataError
from harness.report import origin
from harness.report.reading import read_analysis, read_summary
from harness.run import beginning


def test_the_model_lies_where_the_summary_says(finished: Any) -> None:
    project, result = finished
    model = result.document["model"]
    assert (model["base"], model["round"]) == ("fake", result.document["kept_round"])
    assert model["round"] > 0
    assert (project.folder / model["adapter"] / "skill.json").is_file()
    assert not Path(model["adapter"]).is_absolute()


@pytest.mark.nightly
def test_the_base_model_alone_has_no_folder(project: Any) -> None:
    done = project.inside("iterate", "--rounds", "1", "--json", "--set", "train.gain=0")
    assert done.document["model"] == {
        "base": "fake", "adapter": None, "round": 0, "commands": [],
    }  # fmt: skip


PLUGIN = """
import pathlib
import harness

class Served(harness.Trainer):
    name = "served"

    class Options(harness.Options):
        leaves_files: bool = False

    def train(self, base, train, valid, context):
        if self.options.leaves_files:
            (context.output / "skill.json").write_text("0.9")
        kind = "adapter" if self.options.leaves_files else "weights"
        return harness.Checkpoint(kind, str(context.output), "", info={"skill": 0.9})

@harness.hookimpl
def register_trainers():
    return [Served]

@harness.hookimpl
def commands_for_model(run, model):
    assert (pathlib.Path(model.path) / "manifest.json").is_file()
    return [f"mine {run} --kind {model.kind}\\nagain"]
"""
BROKEN = """
import harness

@harness.hookimpl
def commands_for_model(run):
    return {result}
"""


def run_with(project: Any, *plugins: str, train: str) -> Any:
    files = []
    for number, text in enumerate(plugins):
        files.append(project.write(text, f"plugin{number}.py").name)
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", f"plugins: [{', '.join(files)}, ")
    project.write(text.replace("train: {plugin: fake}", f"train: {train}"))
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    return done.document


@pytest.mark.nightly
def test_packages_name_the_commands_that_use_the_model(project: Any) -> None:
    document = run_with(project, PLUGIN, train="{plugin: served, leaves_files: true}")
    model, run = document["model"], document["run"]
    assert f"mine {run} --kind adapter again" in model["commands"]
    assert (project.folder / model["adapter"] / "skill.json").is_file()


@pytest.mark.nightly
def test_a_model_at_a_service_has_no_folder(project: Any) -> None:
    model = run_with(project, PLUGIN, train="{plugin: served}")["model"]
    assert (model["adapter"], model["round"]) == (None, 1)


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("result", ["1 / 0", "[7]", "'harness fly'"])
def test_a_package_that_fails_at_that_is_left_out(result: str, project: Any) -> None:
    broken = BROKEN.replace("{result}", result)
    document = run_with(project, PLUGIN, broken, train="{plugin: served, leaves_files: true}")
    assert not [one for one in document["model"]["commands"] if "fly" in one]
    assert any(one.startswith("mine ") for one in document["model"]["commands"])
    log = (project.folder / ".harness" / "runs" / document["run"] / "harness.log").read_text()
    assert "plugin1.py failed in commands_for_model" in log


def test_settings_are_what_is_not_usual_and_what_a_plugin_reports(project: Any) -> None:
    text = (project.folder / "harness.yaml").read_text()
    project.write(text.replace("data: {source: fake}", "data: {source: fake, train: 30, pool: 40}"))
    done = project.inside("iterate", "--rounds", "1", "--json", "--no-test")
    settings = done.document["settings"]
    assert settings["data"] == {"source": "fake", "train": 30}  # 40 is what pool is anyway
    assert settings["augment"] == [{"plugin": "fake", "rows": 10}]
    assert (settings["rounds"], settings["seed"]) == (1, 7)


def test_an_option_of_several_values_is_told_as_a_mapping(tmp_path: Path) -> None:
    class Sizes(harness.Options):
        train: float = 0.6
        test: int | None = None

    told = origin._plain([Sizes(), tmp_path / "rows.csv", ("a\nb", True)], tmp_path)
    assert told == [{"train": 0.6}, "rows.csv", ["a b", True]]


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the project, with a name that nobody shall read."""
    folder = tmp_path_factory.mktemp("elsewhere") / "secret-customer"
    folder.mkdir()
    return folder


def test_a_path_outside_of_the_project_tells_its_last_part_alone(
    project: Any, outside: Path
) -> None:
    inside = project.folder / "here" / "rows.jsonl"
    told = origin._plain(
        [outside / "rows.jsonl", inside, {"at": str(outside)}, "/no_think Be brief.", "/" * 9000],
        project.folder,
    )
    assert told[:4] == [
        "…/rows.jsonl", "here/rows.jsonl", {"at": "…/secret-customer"}, "/no_think Be brief.",
    ]  # fmt: skip


def test_no_report_names_a_folder_of_this_machine(project: Any, outside: Path) -> None:
    rows = [
        {"split": split, "references": ["yes"],
         "messages": [{"role": "user", "content": f"{split}: say {number} yes"}]}
        for split in ("train", "dev", "test") for number in range(20)
    ]  # fmt: skip
    (outside / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    text = (project.folder / "harness.yaml").read_text()
    data = f"data: {{source: jsonl, path: {outside / 'rows.jsonl'}}}"
    project.write(text.replace("data: {source: fake}", data))
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    assert done.document["settings"]["data"] == {"source": "jsonl", "path": "…/rows.jsonl"}
    files = {path.name: path.read_bytes() for path in project.folder.glob("reports/*/*.*")}
    named = {name for name, content in files.items() if b"secret-customer" in content}
    # The whole config, which a run begins with anew, is in these two as it was written.
    assert named == {"config.yaml", "run.duckdb"}
    assert {"summary.json", "analysis.json", "report.html", "report.md"} <= files.keys()


def test_a_store_behind_a_link_is_told_by_its_place_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "disk" / "model").mkdir(parents=True)
    root = tmp_path / "project"
    root.mkdir()
    (root / ".harness").symlink_to(tmp_path / "disk")
    assert origin._told(root / ".harness" / "model", root) == ".harness/model"


@pytest.mark.nightly
def test_a_start_is_noted_once(project: Any) -> None:
    first = project.inside("iterate", "--rounds", "1", "--json", "--no-test").document
    again = project.inside("test", "--json").document
    assert again["dates"]["started"] == first["dates"]["started"]
    assert first["dates"]["started"] <= first["dates"]["finished"] <= again["dates"]["finished"]


@pytest.mark.parametrize("spoilt", ["", "[]", '{"started": 7}'])
def test_a_damaged_note_is_no_date(spoilt: str, tmp_path: Path) -> None:
    (tmp_path / beginning.FILE).write_text(spoilt)
    assert beginning.started(tmp_path) is None


def test_documents_of_another_version_are_refused_by_name(finished: Any, tmp_path: Path) -> None:
    readers = {"summary": read_summary, "analysis": lambda path: read_analysis(path.parent)}
    for name, reader in readers.items():
        path = tmp_path / f"{name}.json"
        for old in ({"schema": f"harness.{name}/1"}, [1]):
            path.write_text(json.dumps(old))
            with pytest.raises(DataError, match="which reads") as caught:
                reader(path)
            assert caught.value.where == str(path) and "harness iterate" in caught.value.hint
