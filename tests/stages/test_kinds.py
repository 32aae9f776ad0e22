"""The table of stage kinds: what follows from a row."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import harness
from harness.stages import KINDS
from tests.support.waiting import LONG

STAGE = '''
"""The stage that says which rows come first: scheduler."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.records import Example
from harness.stages.base import Plugin


@dataclass(frozen=True, slots=True)
class Turn:
    """When a row comes."""

    id: str
    place: int


class Scheduler(Plugin):
    """Orders rows."""

    stage = "scheduler"

    def order(self, train: Sequence[Example]) -> Sequence[Turn]:
        raise NotImplementedError
'''
"""The first file that a new kind costs: harness/stages/scheduler.py."""

ROW = """
from harness.stages import KINDS, StageKind
from scheduler import Scheduler

KINDS["scheduler"] = StageKind(
    Scheduler, work=("order",), key="schedule", many=True, default=[],
    description="orders of rows", before="plan", in_key="if named",
)
KINDS["scheduler of one"] = StageKind(
    type("Single", (Scheduler,), {"stage": "single", "__doc__": "One alone."}), work=("order",),
    key="single", default=None, description="one, or none", before="plan", in_key="if named",
)
"""
"""The second: a row of harness/stages/kinds.py."""

LINE = '''
from harness.run.at import At
from harness.steps.call import called


def ordered(steps, rows):
    """The rows as each scheduler of the config orders them."""
    return [
        called(steps, entry, At(), train=rows)
        for entry in steps.config.entries["schedule"]
    ]
'''
"""The third: a line in harness/loop.py. There is no fourth one."""

PLUGIN = '''
import row  # a fresh process knows of the kind by it
import harness
from scheduler import Turn


class ByLength(harness.Scheduler):
    """Short rows first."""

    name = "by-length"

    class Options(harness.Options):
        steps: int = 1

    def order(self, train):
        rows = sorted(train, key=lambda row: len(row.prompt))
        return [Turn(row.id, place) for place, row in enumerate(rows)]


class ByName(ByLength):
    """It gives names in place of turns."""

    name = "by-name"

    def order(self, train):
        return [row.id for row in train]


class Writes(ByLength):
    """It changes what it is given."""

    name = "writes"

    def order(self, train):
        train[0].meta["seen"] = True
        return super().order(train)


class Bare(harness.Scheduler):
    """It does nothing."""

    name = "bare"


@harness.hookimpl
def register_schedulers():
    return [ByLength, ByName, Writes, Bare]
'''

WALK = '''
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import row
import harness
import line
import plugin
from harness.config.loading import load
from harness.config.settings import fields
from harness.records.context import Quiet
from harness.run.run import Run
from harness.steps import Steps
from harness.errors import ConfigError, HarnessError
from harness.registry import Registry
from harness_testing import check


def loaded(text):
    path = Path("harness.yaml")
    path.write_text(text, encoding="utf-8")
    return load(path)


# The rest of the config names plugins of a file; these come as installed ones would.
def build(files=(), original=Registry.build):
    registry = original(files)
    registry.add(SimpleNamespace(register_schedulers=plugin.register_schedulers), "here")
    return registry


Registry.build = build
plain = sys.argv[1]


def walked(name):
    """What a run has of that scheduler, and whether it was in the store."""
    run = Run(loaded(plain + f"schedule: [{name}]\\n"), Quiet(), root=Path.cwd())
    run.prepare()
    steps = Steps(run)
    try:
        (turns,) = line.ordered(steps, steps.data().split("train"))
    except HarnessError as error:
        return str(error)
    finally:
        run.workers.close()
    return [turns[0].place, type(turns[0]).__name__, len(turns), "round 0: scheduler" in run.cached]


without, named = loaded(plain), loaded(plain + "schedule: [{plugin: by-length, steps: 2}]\\n")
try:
    loaded(plain + "schedule: [by-lenght]\\n")
except ConfigError as error:
    refused = error.details


def told(kind):
    return {o.rule: o.message for o in check(kind) if o.status == "failed"}


json.dump(
    {
        "exported": "Scheduler" in dir(harness),
        "keys": list(fields(named.registry)),
        "shown": named.shown()["schedule"],
        "in the key": [entry["plugin"] for entry in named.key()["schedule"]],
        "key without": sorted(without.key()),
        "makers": [entry.plugin for entry in named.makers()],
        "refused": refused,
        "runs": [walked(name) for name in ("by-length", "by-length", "by-name", "writes")],
        "kit": [told(kind) for kind in plugin.register_schedulers()],
        "work": [o.message for o in check(plugin.ByLength) if o.rule == "work"],
    },
    sys.stdout,
)
'''


@pytest.mark.nightly
def test_a_new_kind_is_a_contract_a_row_and_a_line(project):
    """Three files of harness: hook, config, check, artifact and rule of the kit follow."""
    files = {"scheduler": STAGE, "row": ROW, "line": LINE, "plugin": PLUGIN, "walk": WALK}
    for name, text in files.items():
        project.write(text, f"{name}.py")
    plain = project.write().read_text()
    done = subprocess.run(
        [sys.executable, "walk.py", plain],
        cwd=project.folder, capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["exported"]
    place = seen["keys"].index("schedule")
    assert seen["keys"][place - 1 : place + 3] == ["analyze", "schedule", "single", "plan"]
    assert seen["shown"] == [{"plugin": "by-length", "steps": 2}]
    assert seen["in the key"] == ["by-length"] and seen["makers"][-1] == "by-length"
    assert not {"schedule", "single"} & set(seen["key without"])  # no earlier run gets another name
    assert "no scheduler is called 'by-lenght', did you mean 'by-length'?" in seen["refused"][0]

    made, again, names, writes = seen["runs"]
    assert made[:2] == [0, "Turn"] and made[2] > 10 and not made[3]
    assert again == [*made[:3], True]  # it is in the store
    assert "scheduler 'by-name' from here" in names and "round 0: scheduler" in names
    assert "order(): [0] is the text" in names and "an instance of Turn is due" in names
    assert "it changed what it was given to read" in writes

    fine, named, writing, bare = seen["kit"]
    assert fine == {} and seen["work"] == ["it gives 6 results"]
    assert "an instance of Turn is due" in named["work"]
    assert "it changed what it was given to read" in writing["work"]
    assert "it does not define order(). Write that method" in bare["contract"]


def test_what_a_plugin_must_write_is_a_method_of_its_contract():
    for kind in KINDS.values():
        assert kind.work and kind.returns is not None
        assert all(callable(getattr(kind.base, name)) for name in kind.work), kind.stage


def test_every_contract_is_public():
    assert {kind.base.__name__ for kind in KINDS.values()} <= set(harness.__all__)
    assert harness.Metric is KINDS["metric"].base
