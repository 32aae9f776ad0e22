"""Projects, with or without a run in them, for the tests of all rooms."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from harness.data import screening
from harness.data.screening import Rules
from harness.data.splits import rows_digest
from harness.kit import files, gate, own, yaml_file
from harness.records import Example
from harness.steps import gate as rows_gate
from tests.support import golden as screens, nightly
from tests.support.project import BOUND_TO, Project, Result
from tests.support.skips import unlisted

_SLOW = [HealthCheck.too_slow]
settings.register_profile(
    "ci", max_examples=15, deadline=None, derandomize=True, suppress_health_check=_SLOW
)
settings.register_profile("full", max_examples=100, deadline=None, suppress_health_check=_SLOW)

# -- how much runs, and what was skipped ---------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--nightly",
        action="store_true",
        help="run the tests marked nightly too, and simulations and properties at full length",
    )
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the screens under tests/golden/ anew in place of comparing with them",
    )


def pytest_configure(config: pytest.Config) -> None:
    nightly.FULL = config.getoption("nightly")
    settings.load_profile("full" if nightly.FULL else "ci")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if nightly.FULL:
        return
    cases: Counter[str] = Counter()
    kept, left_out = [], []
    for item in items:
        mark = item.get_closest_marker("nightly")
        if mark is None:
            kept.append(item)
            continue
        function = item.nodeid.partition("[")[0]
        often = mark.kwargs.get("but_each")
        chosen = often is not None and cases[function] % often == 0
        cases[function] += 1
        (kept if chosen else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: to look for garbage in it takes two fifths of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """What was loaded so far stays: no collection of garbage looks at it again."""
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("torch sees no card here")


_SKIPPED: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and isinstance(report.longrepr, tuple):
        _SKIPPED[report.longrepr[2].removeprefix("Skipped: ")] += 1


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that is skipped for a reason that nobody has listed is a failure."""
    if os.environ.get("CI") and session.exitstatus == 0 and any(map(unlisted, _SKIPPED)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason, number in _SKIPPED.most_common():
        listed = " (not listed in tests/support/skips.py)" if unlisted(reason) else ""
        terminalreporter.write_line(f"skipped {number}: {reason}{listed}")


# -- projects ------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def _no_fsync() -> Iterator[None]:
    """No test cuts the power: what was written is there for the next process without it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A user's key for the tests; a copy of a project is its user's own, wherever it lies."""

    def below(place: Path) -> bytes:
        return str(place.absolute()).rpartition(own.MACHINE_FOLDER)[2].encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("user")))
        patch.setattr(own, "_bound_to", below)
        yield


@pytest.fixture
def as_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What processes of their own have begun is this process's own, too, and the other way."""
    monkeypatch.setattr(own, "_bound_to", BOUND_TO)


@pytest.fixture(autouse=True)
def _gate() -> Iterator[None]:
    """The gate is open at the beginning of each test, as it is for each command."""
    with gate.fresh():
        yield


@pytest.fixture(autouse=True, scope="session")
def screened() -> Iterator[dict[str, Any]]:
    """Rows are screened once by the same rules: most runs of the tests have the same rows.

    A test that compares two screenings empties it in between.
    """
    known: dict[str, Any] = {}
    screen = rows_gate.screen

    def remembered(rows: Sequence[Example], rules: Rules, **rest: Any) -> Any:
        limits = screening.MOST_COMPARED, rows_gate.MOST_HELD_OUT
        key = f"{rows_digest(rows, lineage=True)} {rules} {rest['seed']} {limits}"
        rest.get("check", lambda: None)()
        if key not in known:
            known[key] = screen(rows, rules, **rest)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_gate, "screen", remembered)
        patch.setattr(screening, "screen", remembered)
        yield known


@pytest.fixture(autouse=True, scope="session")
def _yaml_read_once() -> Iterator[None]:
    """A text of YAML is read once, in pure Python: hundreds of commands have the same config."""
    known: dict[str, bytes] = {}
    read = yaml_file._yaml

    def remembered(text: str, path: Path) -> Any:
        if text not in known:
            known[text] = pickle.dumps(read(text, path))  # what raises is read again
        return pickle.loads(known[text])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_file, "_yaml", remembered)
        yield


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Result]:
    """A run that has ended, made once for all tests; they get copies of it."""
    made = Project(tmp_path_factory.mktemp("once"))
    made.write()
    return made, made.inside("iterate", "--json")


@pytest.fixture(scope="module")
def finished(
    run_once: tuple[Project, Result], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Result]:
    """A run that has ended, shared by the tests of a file: to be looked at, not changed."""
    made, result = run_once
    folder = tmp_path_factory.mktemp("finished") / "copy"
    shutil.copytree(made.folder, folder)
    return Project(folder), result


@pytest.fixture(scope="session")
def _short_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Result]:
    made = Project(tmp_path_factory.mktemp("short"))
    made.write()
    return made, made.inside("iterate", "--rounds", "1", "--json")


@pytest.fixture
def short(_short_once: tuple[Project, Result], tmp_path: Path) -> tuple[Project, Result]:
    """A run of one round that has ended, in a folder that the test may change."""
    made, result = _short_once
    shutil.copytree(made.folder, tmp_path / "short")
    return Project(tmp_path / "short"), result


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A temporary experiment of fakes; nothing has been run in it."""
    made = Project(tmp_path)
    made.write()
    return made


@pytest.fixture
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> screens.Golden:
    """``golden(shown)``: the screen is the one in the file of this test.

    ``part`` names one of several screens of the test, ``folder`` the project's if it is another
    than ``tmp_path``.
    """

    def same(shown: str, part: str = "", folder: Path = tmp_path) -> None:
        path = screens.place(request.path, request.function.__name__, part)
        text = screens.steady(shown, folder)
        if request.config.getoption("update_golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is not there: pytest --update-golden writes it"
        assert text == path.read_text(encoding="utf-8"), "pytest --update-golden writes it anew"

    return same


@pytest.fixture(scope="session", autouse=True)
def quiet_machine() -> Iterator[None]:
    """What else the machine does is no part of what commands say in tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
        yield
