"""Which plugins of a config run code that comes with what their options name."""

from __future__ import annotations

import pytest

from harness.config import loading
from harness.config.running_code import running_code

SERVER = "endpoint: 'http://127.0.0.1:9/v1', model: m"
EXECUTES = "{plugin: executes, sandbox: [sh, -c, id]}"


@pytest.mark.parametrize(
    ("entry", "runs"),
    [
        (f"{{plugin: teacher, rows: 6, {SERVER}, verify: [{EXECUTES}]}}", True),
        (f"{{plugin: teacher, rows: 6, {SERVER}, verify: [{{plugin: executes}}]}}", False),
        (
            "{plugin: teacher, rows: 6, local: {source: hub, id: a/b, trust_remote_code: true}}",
            True,
        ),
        ("{plugin: teacher, rows: 6, local: {source: hub, id: a/b}}", False),
    ],
)
def test_a_plugin_runs_the_code_that_one_which_it_names_runs(project, entry, runs):
    config = loading.load(project.folder / "harness.yaml", sets=[f"augment=[{entry}]"])
    assert [runner.named.split()[0:2] for runner in running_code(config)] == (
        [["augmenter", "'teacher'"]] if runs else []
    )
