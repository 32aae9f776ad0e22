"""A metric that waits for people: all else is done, exit 6, and the same command goes on."""

from __future__ import annotations

from harness.config.loading import load
from harness.opened import StoredRun, answered
from harness.records.context import Quiet

PLUGIN = '''
import pathlib
import harness


class Asked(harness.Metric):
    """What people said of the answers to dev, in a file."""

    name = "asked"

    def measure_all(self, pairs):
        answers = pathlib.Path("people.txt")
        if not answers.exists() and pairs[0][1].split == "dev":
            raise harness.Waiting("nobody has rated yet", ["ask RUN --round ROUND"])
        return [1.0 for _ in pairs]


@harness.hookimpl
def register_metrics():
    return [Asked]
'''


def prepare(project):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [asked.py, ").replace(
        "metrics: [{plugin: overlap}]", "metrics: [{plugin: asked}, {plugin: overlap}]"
    )
    project.write(PLUGIN, "asked.py")
    project.write(text)


def test_all_else_is_done_and_the_answers_can_be_had(project, monkeypatch):
    prepare(project)
    stopped = project.inside("iterate", "--rounds", "1", "--json")
    assert (stopped.code, stopped.out) == (6, "")
    (run,) = [path.name for path in (project.folder / ".harness" / "runs").iterdir()]
    assert f"ask {run} --round 0" in stopped.err
    stages = {name.split("/")[0] for name in project.manifests()}
    # The other metric was scored.
    assert stages == {"data", "screen", "generate", "score"}
    monkeypatch.chdir(project.folder)
    config = load(project.folder / "harness.yaml", flags={"rounds": 1})
    (waiting,) = answered(StoredRun(config, Quiet(), name=run))
    assert (waiting.round, len(waiting.predictions)) == (0, 48)


def test_the_same_command_goes_on_when_people_have_spoken(project):
    prepare(project)
    assert project.inside("iterate", "--rounds", "1").code == 6
    before = project.manifests()
    (project.folder / "people.txt").write_text("done")
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    assert [one["round"] for one in done.document["rounds"]] == [0, 1]
    assert set(before) <= set(project.manifests())
    assert done.document["rounds"][0]["scores"]["asked"]["value"] == 1
