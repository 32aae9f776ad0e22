"""A baseline's form reaches the generator, and answers that are out of it are told."""

from __future__ import annotations

import pytest

from tests.support.project import CONFIG, FAKES, SUPPORT, Project

HOLDING = SUPPORT / "holding.py"


def written(project: Project, generate: str, baseline: str = "formed") -> None:
    text = CONFIG.replace("rounds: 3", "rounds: 1")
    text = text.replace(f"plugins: [{FAKES}]", f"plugins: [{FAKES}, {HOLDING}]")
    text = text.replace("generate: {plugin: fake}", f"generate: {generate}")
    project.write(f"{text}baselines: [{baseline}]\n")


def test_the_base_model_answers_held_and_rounds_answer_freely(project: Project) -> None:
    written(project, "{plugin: holding, cut: 2}")
    result = project.inside("iterate", "--json")
    assert result.code == 0, result.err
    notes = [note for note in result.document["notes"] if "answers end inside" in note]
    stages = [note.split(" (")[0] for note in notes]
    assert stages == ["round 0: generate", "round 0: generate test"]
    assert all("formed" in note and " 2 of " in note for note in notes)
    assert all("max_new_tokens" in note for note in notes)
    again = project.inside("iterate", "--json")
    assert [note for note in again.document["notes"] if "answers end inside" in note] == notes


def test_a_form_of_the_config_holds_all_answers(project: Project) -> None:
    written(project, "{plugin: holding, schema: [a, b]}")
    result = project.inside("iterate", "--json")
    assert result.code == 0, result.err
    notes = [note for note in result.document["notes"] if "are not of the form" in note]
    assert any(note.startswith("round 1") for note in notes), notes


@pytest.mark.parametrize(
    ("generate", "baseline", "said", "code"),
    [
        ("{plugin: fake}", "formed", "the generator 'fake' cannot hold answers to a form", 2),
        ("{plugin: holding}", "{plugin: formed, give: wrong}", "texts that differ", 5),
    ],
)
def test_what_cannot_be_held_is_said_before_the_run(
    project: Project, generate: str, baseline: str, said: str, code: int
) -> None:
    written(project, generate, baseline)
    for command in ("check", "iterate"):
        result = project.inside(command)
        assert result.code == code, result.err
        assert said in " ".join((result.out + result.err).split())
    assert not list((project.folder / ".harness").glob("runs/*/rounds*"))
