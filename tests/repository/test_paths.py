"""What is removed or written is named by the program, or by ``inside``, never by a file."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.support.path_flow import Doubt, Program, sources

ROOT = Path(__file__).parents[2]
OTHERWISE = {
    Doubt("harness/config/finding.py", "shipped", "relative"): "read alone: files of the program",
    Doubt("harness/config/loading.py", "corrections", "self.settings.corrections"): (
        "the user's own config says where `rate accept` writes"
    ),
    Doubt("harness/kit/remote/batches.py", "_log_of", "batch.spent"): (
        "appended to where its first line is one that the harness has sealed, and in no other file"
    ),
    Doubt("harness/kit/remote/spending.py", "spending_of", "account.path"): (
        "a job's description, which the run has written for its own process"
    ),
    Doubt("harness/records/context.py", "leave", "step"): (
        "a number that the trainer's own code counts; records know no helper for paths"
    ),
    Doubt("plugins/harness_testing/contract.py", "_content_counts", "path.name or 'copy'"): (
        "a copy in a temporary folder, of a file that the author of a plugin names"
    ),
    Doubt("plugins/harness_testing/fresh.py", "_main", "sys.argv[1]"): (
        "its own parent process says it"
    ),
    Doubt("plugins/harness_nltk/build_wordnet.py", "nltk_reader",
          "set(WordNetCorpusReader._FILES) - {'lexnames'}"): "names of NLTK itself",
    Doubt("plugins/harness_rows/jsonl.py", "_rows", "self._files()"): "read alone: the user's rows",
    Doubt("plugins/harness_rows/jsonl.py", "_rows",
          "Field({}, description='split -> file, instead of `path`')"): "the same",
    Doubt("plugins/harness_rows/jsonl.py", "_rows_of", "split"): "the same",
    Doubt("plugins/harness_score/sources.py", "opened", "source.path"): "read alone: a database",
    Doubt("plugins/harness_transformers/ranks/member.py", "_context", "said['output']"): (
        "what the process of the stage has written for its ranks"
    ),
    Doubt("plugins/harness_transformers/ranks/member.py", "_context", "said['scratch']"): (
        "the same"
    ),
    Doubt("plugins/harness_view/written.py", "write", "files().items()"): (
        "its own styles and scripts"
    ),
    Doubt("plugins/harness_transformers/ranks/member.py", "main", "sys.argv[1]"): "the same",
}  # fmt: skip
"""Parts of paths that are neither spelled in the program nor checked, and why they may be so."""


def test_no_path_that_is_removed_or_written_is_named_by_a_file() -> None:
    doubts = Program(sources(ROOT)).doubts()
    new = sorted(f"{d.module}, {d.function}: {d.part}" for d in doubts - OTHERWISE.keys())
    assert not new, "take the path from harness.kit.inside.inside, or give a reason in the table"
    assert OTHERWISE.keys() <= doubts, "these exceptions are none any more"


HOSTILE = {
    "a folder of a list": """
        def spare(machine: Path, folders: list[str]) -> None:
            for folder in folders:
                path = machine / "artifacts" / folder
                remove(path)
        """,
    "a manifest": """
        def complete(folder: Path) -> None:
            for name in read_json(folder / "manifest.json")["files"]:
                os.replace(work / "x", folder / name)
        """,
    "a whole path": """
        def settle(batch: Batch) -> None:
            AppendLog(Path(batch.spent)).append(line)
        """,
    "a function between": """
        class Log:
            def _path(self, batch: Batch) -> Path:
                return self.folder / f"{batch.name}.json"
            def forget(self, batch: Batch) -> None:
                remove(self._path(batch))
        """,
    "a property between": """
        class Run:
            @property
            def work(self) -> Path:
                return self.machine / self.name
        def begin(run: Run) -> None:
            run.work.mkdir()
        """,
    "an attribute": """
        class Log:
            def __init__(self, folder: Path, run: str) -> None:
                self.path = folder / f"{run}.json"
            def write(self) -> None:
                with self.path.open("a") as stream:
                    stream.write("x")
        """,
    "an argument of a private function": """
        def tidy(root: Path, names: list[str]) -> None:
            for name in names:
                _go(root / name)
        def _go(path: Path) -> None:
            shutil.rmtree(path)
        """,
    "a list": """
        def tidy(root: Path, said: dict[str, str]) -> None:
            paths = [root / name for name in said]
            for path in paths:
                path.unlink()
        """,
    "a record": """
        @dataclass
        class Part:
            what: str
            paths: tuple[Path, ...]
        def parts(root: Path, said: dict[str, str]) -> Iterator[Part]:
            for name in said:
                yield Part(name, (root / name,))
        def remove_part(part: Part) -> None:
            for path in part.paths:
                remove(path)
        """,
    "a copy": """
        def fetched(store: Objects, target: Path, said: dict[str, str]) -> None:
            shutil.copyfile(target, target.joinpath(said["name"]))
            open(target / said["name"], "wb")
        """,
}
PLAIN = {
    "checked": """
        def complete(folder: Path) -> None:
            for name in read_json(folder / "manifest.json")["files"]:
                os.replace(work / "x", inside(folder, *name.split("/")))
        """,
    "spelled": """
        NAME = "summary.json"
        def write(folder: Path) -> None:
            for name in ("a.json", f"{uuid.uuid4().hex[:8]}.tmp"):
                write_json(folder / name, {})
            write_json(folder / NAME, {})
            write_json(folder / f"{digest(3)}.json", {})
        """,
    "listed": """
        def tidy(folder: Path) -> None:
            for path in sorted(folder.glob("*.tmp")):
                path.unlink()
        """,
    "read": """
        def read(folder: Path, name: str) -> bytes:
            with (folder / name).open("rb") as stream:
                return stream.read() or (folder / name).read_bytes()
        """,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_name_out_of_a_file_is_seen(case: str) -> None:
    assert Program({"a.py": textwrap.dedent(HOSTILE[case])}).doubts()


@pytest.mark.parametrize("case", PLAIN)
def test_what_is_spelled_or_checked_is_none(case: str) -> None:
    assert not Program({"a.py": textwrap.dedent(PLAIN[case])}).doubts()
