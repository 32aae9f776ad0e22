"""A store of one's own: the page's, a dictionary, is shared by the folders of one process."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from harness.registry import Registry
from harness.run import objects
from harness_testing import check
from tests.integration.test_side_by_side import told
from tests.support.project import CONFIG, Project

PAGE = (Path(__file__).parents[2] / "docs" / "plugins" / "store.md").read_text("utf-8")
(DICTIONARY,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's example as a package, as an installer leaves it."""
    (tmp_path / "acme_dictionary.py").write_text(DICTIONARY)
    about = tmp_path / "acme_dictionary-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-dictionary\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[harness]\nacme = acme_dictionary\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    objects._opened.cache_clear()


def test_two_folders_share_a_run_in_a_dictionary(tmp_path: Path, installed: None) -> None:
    assert len(DICTIONARY.splitlines()) <= 40
    documents = []
    for name, store in (
        ("alone", ""), ("first", "dictionary://project"), ("second", "dictionary://project"),
    ):  # fmt: skip
        project = Project(tmp_path / name)
        project.folder.mkdir()
        text = CONFIG.replace("rounds: 3", "rounds: 1")
        if store:
            text = text.replace("launcher: inline", f'launcher: inline, store: "{store}"')
        project.write(text)
        done = project.inside("iterate", "--json")
        assert done.code == 0, done.err
        documents.append(done.document)
    _, first, second = documents
    same = [{**told(document), "cached": []} for document in documents]
    assert same[0] == same[1] == same[2]
    assert {"round 1: train", "round 1: generate"} <= {*second["cached"]} and not first["cached"]
    assert (first["test"]["looks"], second["test"]["looks"]) == (1, 1), "one run, opened once"


def test_the_pages_example_obeys_the_rules(installed: None) -> None:
    plugin = Registry.build().get("store", "dictionary").plugin
    outcomes = check(plugin, {"url": "dictionary://try"})
    assert {outcome.rule: outcome.status for outcome in outcomes}["work"] == "ok", outcomes
    assert not [outcome for outcome in outcomes if outcome.status == "failed"]


def test_a_scheme_that_nobody_opens_says_what_is_missing() -> None:
    with pytest.raises(
        objects.StoreError, match="no installed package keeps objects at nowhere://"
    ):
        objects.opened("nowhere://project")
