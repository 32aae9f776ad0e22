from __future__ import annotations

import pytest

from harness import EnvironmentFailure
from harness_sandbox.probe import probe
from harness_sandbox.sandboxes import Limits, Sandbox, chosen
from tests.support.browser import unfit


@pytest.fixture(scope="session")
def bubblewrap() -> Sandbox:
    """The sandbox of this machine; a machine without one is unfit for the tests."""
    try:
        sandbox = chosen([])
        probe(sandbox, Limits())
    except EnvironmentFailure as failure:
        unfit(str(failure))
    return sandbox
