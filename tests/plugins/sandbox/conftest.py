from __future__ import annotations

import pytest

from harness import EnvironmentFailure
from harness_sandbox import sandboxes
from harness_sandbox.probe import probe
from harness_sandbox.sandboxes import Limits, Sandbox
from tests.support.browser import unfit


@pytest.fixture(scope="session")
def bubblewrap() -> Sandbox:
    """A machine without it is unfit for the tests."""
    try:
        sandbox = sandboxes._bubblewrap()
        probe(sandbox, Limits())
    except EnvironmentFailure as failure:
        unfit(str(failure))
    return sandbox


@pytest.fixture(scope="session")
def sandlock() -> Sandbox:
    try:
        return sandboxes._sandlock()
    except EnvironmentFailure as failure:
        pytest.skip(f"no sandlock here: {failure.what}")


@pytest.fixture(scope="session", params=["bubblewrap", "sandlock"])
def held(request: pytest.FixtureRequest) -> Sandbox:
    """Each of the sandboxes that the plugin brings."""
    sandbox: Sandbox = request.getfixturevalue(request.param)
    return sandbox
