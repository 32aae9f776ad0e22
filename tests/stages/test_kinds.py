"""The table of stage kinds: what follows from a row."""

from __future__ import annotations

import json
import subprocess
import sys

import harness
from harness.stages import KINDS

ONE_MORE = '''
import json
import sys
from pathlib import Path
from types import SimpleNamespace

from harness.stages import KINDS, Plugin, StageKind


class Scheduler(Plugin):
    """Orders rows."""

    stage = "scheduler"

    def order(self, rows):
        raise NotImplementedError


KINDS["scheduler"] = StageKind(
    Scheduler, work=("order",), key="schedule", many=True, default=[],
    description="orders of rows", before="plan", in_key="if named",
)

KINDS["scheduler of one"] = StageKind(
    type("Single", (Scheduler,), {"stage": "single", "__doc__": "One alone."}), work=("order",),
    key="single", default=None, description="one, or none", before="plan", in_key="if named",
)

import harness
from harness.config.loading import load
from harness.config.settings import fields
from harness.errors import ConfigError
from harness.registry import Registry
from harness.testing import check


class ByLength(harness.Scheduler):
    """Short rows first."""

    name = "by-length"

    class Options(harness.Options):
        steps: int = 1


@harness.hookimpl
def register_schedulers():
    return [ByLength]


def loaded(text):
    path = Path("harness.yaml")
    path.write_text(text, encoding="utf-8")
    return load(path)


# The rest of the config names plugins of a file; this one comes as an installed one would.
def build(files=(), original=Registry.build):
    registry = original(files)
    registry.add(SimpleNamespace(register_schedulers=register_schedulers), "here")
    return registry


Registry.build = build
plain = sys.argv[1]
without, named = loaded(plain), loaded(plain + "schedule: [{plugin: by-length, steps: 2}]\\n")
try:
    loaded(plain + "schedule: [by-lenght]\\n")
except ConfigError as error:
    refused = error.details

json.dump(
    {
        "exported": "Scheduler" in dir(harness),
        "keys": list(fields(named.registry)),
        "shown": named.shown()["schedule"],
        "in the key": [entry["plugin"] for entry in named.key()["schedule"]],
        "key without": sorted(without.key()),
        "makers": [entry.plugin for entry in named.makers()],
        "refused": refused,
        "broken rules": [o.message for o in check(ByLength) if o.status == "failed"],
    },
    sys.stdout,
)
'''


def test_a_new_kind_is_one_row(project):
    plain = project.write().read_text()
    done = subprocess.run(
        [sys.executable, "-c", ONE_MORE, plain],
        cwd=project.folder, capture_output=True, text=True, timeout=120,
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
    assert "it does not define order(). Write that method" in seen["broken rules"]


def test_what_a_plugin_must_write_is_a_method_of_its_contract():
    for kind in KINDS.values():
        assert kind.work
        assert all(callable(getattr(kind.base, name)) for name in kind.work), kind.stage


def test_every_contract_is_public():
    assert {kind.base.__name__ for kind in KINDS.values()} <= set(harness.__all__)
    assert harness.Metric is KINDS["metric"].base
