"""``harness doctor``, run as its users run it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness_doctor import torch


def troubles(document: Any, word: str) -> list[dict[str, str]]:
    """Those of what is wrong that name something."""
    return [trouble for trouble in document["troubles"] if word in trouble["what"]]


# -- the whole ----------------------------------------------------------------------------


def test_a_machine_that_lacks_nothing(machine: Any) -> None:
    document = machine.said()
    assert document["exit_code"] == 0
    assert not [trouble for trouble in document["troubles"] if trouble["level"] == "problem"]
    sections = document["sections"]
    assert sections["torch"]["version"] == "9.9.9" and sections["torch"]["cpu_bf16"] is True
    assert sections["machine"]["memory"] > 0
    assert sections["config"]["file"] == "harness.yaml"
    assert sections["libraries"]["needed"]["typer"]
    # Nothing has to be fetched, so nobody is asked.
    assert machine.hub.asked == machine.index.asked == []


def test_it_ends_with_a_block_for_an_issue(machine: Any) -> None:
    machine.library("torch", "raise ImportError('no such library: libtorch.so')")
    done = machine.doctor(COLUMNS="70")
    assert done.code == 3
    head, _, rest = done.out.partition("```text\n")
    assert head.rstrip().endswith("To paste into an issue")
    block, _, after = rest.partition("```")
    assert not after.strip()
    lines = block.splitlines()
    assert lines[0].startswith("harness ") and lines[0].endswith(": problems")
    assert [line for line in lines if line.startswith("Python: ")]
    assert [line for line in lines if line.startswith("problem: torch cannot be loaded")]


@pytest.mark.nightly
def test_every_problem_has_its_cure(machine: Any) -> None:
    machine.library("torch", "raise ImportError('broken')")
    lines = machine.doctor().out.partition("problem: torch")[2].splitlines()
    assert "ImportError: broken" in lines[0]
    assert lines[1] == "  cure: pip install --force-reinstall torch"


def test_nothing_private_is_shown(machine: Any) -> None:
    secret, password = "hf_AbCdEfGhIjKlMnOp", "correct-horse-battery"
    machine.library(
        "torch",
        f"raise ImportError('{machine.home}/lib {secret} xyzzy-plugh https://me:{password}@host/')",
    )
    given = {
        "HF_TOKEN": secret, "MY_SECRET": "xyzzy-plugh", "https_proxy": f"http://u:{password}@p/",
    }  # fmt: skip
    for arguments in ((), ("--json",)):
        done = machine.doctor(*arguments, **given)
        shown = done.out + done.err
        assert "~/lib" in shown
        for hidden in (str(machine.home), secret, password, "xyzzy", machine.hub.address):
            assert hidden not in shown


@pytest.mark.nightly
def test_the_login_name_is_no_part_of_a_path(machine: Any) -> None:
    machine.library("torch", "raise ImportError('/data/mallory/lib and /data/mallory-2/lib')")
    shown = machine.doctor("--json", LOGNAME="mallory").out
    assert "/data/USER/lib" in shown and "/data/mallory/" not in shown
    assert "mallory-2" in shown


@pytest.mark.nightly
def test_what_libraries_say_does_nothing_in_a_terminal(machine: Any) -> None:
    text = r"\x1b]0;owned\x07\x1b[2J[red]markup[/red] ```\n# head"
    machine.library("torch", f"raise ImportError('{text}')")
    shown = machine.doctor().out
    assert "\x1b" not in shown and "\x07" not in shown
    assert "[red]markup[/red]" in shown
    # Fences in a text do not end the block.
    assert shown.rstrip().endswith("````")


@pytest.mark.nightly
@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_terminal(machine: Any, width: int) -> None:
    machine.library("torch", "raise ImportError('a reason of many words ' * 9)")
    shown = machine.doctor(COLUMNS=str(width)).out.partition("\nTo paste into an issue")[0]
    whole = [line for line in shown.splitlines() if not line.startswith("  cure: ")]
    assert [line for line in whole if len(line) > width] == []


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("given", [("--seconds", "9"), ("-c", "nowhere.yaml"), ("--sets", "a")])
def test_a_wrong_option_is_a_usage_error(machine: Any, given: tuple[str, str]) -> None:
    done = machine.doctor(*given)
    assert done.code == 2 and not done.out


@pytest.mark.nightly
def test_nothing_is_written(machine: Any) -> None:
    before = {path for path in machine.project.folder.rglob("*") if "__pycache__" not in str(path)}
    machine.doctor()
    after = {path for path in machine.project.folder.rglob("*") if "__pycache__" not in str(path)}
    assert after == before


# -- torch and bitsandbytes -----------------------------------------------------------------


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("raise SystemExit('gone')", "SystemExit: gone"),
        ("import os; os._exit(7)", "its process ended with code 7"),
        ("import os; os.kill(os.getpid(), 11)", "its process ended with signal 11"),
        ("version = 1", "AttributeError: "),
        ("print('noise'); import sys; sys.stdout.close(); raise ValueError", "ValueError"),
    ],
)
def test_torch_that_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    (tmp_path / "torch.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    section = torch.section(bitsandbytes=True)
    [trouble] = section.troubles
    assert trouble.level == "problem" and trouble.code == 3
    assert told in trouble.what and told in section.facts["torch"]
    assert "version" not in section.values


@pytest.mark.nightly
def test_torch_that_prints_and_leaves_something_behind_is_no_problem(machine: Any) -> None:
    noise = "import subprocess; subprocess.Popen(['sleep', '60'])\nprint('{}')\n"
    machine.library("torch", noise + TORCH_AND_EXIT)
    document = machine.said()
    assert document["sections"]["torch"]["version"] == "9.9.9"
    assert document["exit_code"] == 0


@pytest.mark.nightly
def test_torch_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(torch, "SECONDS", 1)
    [trouble] = torch.section(bitsandbytes=False).troubles
    assert "no answer within 1 s" in trouble.what


@pytest.mark.nightly
def test_a_file_of_the_working_folder_is_not_taken_for_torch(machine: Any) -> None:
    (machine.project.folder / "torch.py").write_text("raise ImportError('not me')")
    assert machine.said()["sections"]["torch"]["version"] == "9.9.9"


@pytest.mark.nightly
def test_more_threads_than_cores(machine: Any) -> None:
    machine.library("torch", TORCH_AND_EXIT.replace("get_num_threads = lambda: 1", THREADS))
    [trouble] = troubles(machine.said(), "torch")
    assert trouble["level"] == "warning" and "torch starts 999 threads" in trouble["what"]
    assert re.fullmatch(r"export OMP_NUM_THREADS=\d+", trouble["cure"])


@pytest.mark.nightly
def test_a_gpu_and_its_memory(machine: Any) -> None:
    machine.library("torch", TORCH_AND_EXIT + GPU)
    [gpu] = machine.said()["sections"]["torch"]["devices"]
    assert gpu["name"] == "Big GPU" and gpu["memory"] == 80_000_000_000 and gpu["bf16"] is True
    assert "Big GPU (cuda, 80.0 GB, bf16)" in machine.doctor().out


def test_a_gpu_that_torch_does_not_use(monkeypatch: pytest.MonkeyPatch, machine: Any) -> None:
    monkeypatch.setenv("PYTHONPATH", str(machine.site))
    monkeypatch.setattr(torch, "_GPU_FILES", (machine.site,))
    [trouble] = torch.section(bitsandbytes=False).troubles
    assert trouble.level == "warning" and "does not use this machine's GPU" in trouble.what


def ask_for_a_plugin_that_needs(machine: Any, library: str) -> None:
    """The config asks for a plugin that names a library and finds no problem itself."""
    machine.plugin("return ()")
    text = Path(machine.project.folder, "asking.py").read_text("utf-8")
    text = text.replace('name = "asking"', f'name = "asking"\n    libraries = ("{library}",)')
    machine.project.write(text, "asking.py")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("raise OSError('libcudart.so is not there')", "libcudart.so is not there"),
        ("__version__ = '8.8.8'\nfunctional = None\n", "AttributeError"),
    ],
)
def test_bitsandbytes_is_looked_at_where_the_config_asks_for_it(
    machine: Any, library: str, told: str
) -> None:
    machine.library("bitsandbytes", library)
    assert machine.said()["exit_code"] == 0
    ask_for_a_plugin_that_needs(machine, "bitsandbytes")
    document = machine.said()
    [trouble] = troubles(document, "bitsandbytes")
    assert document["exit_code"] == 3
    assert trouble["level"] == "problem" and told in trouble["what"]


# -- the config ---------------------------------------------------------------------------


def problem(level: str, message: str) -> str:
    return f'return [harness.Problem("{message}", ("size",), "{level}")]'


def test_what_a_plugin_lacks_here_is_a_problem(machine: Any) -> None:
    machine.plugin(problem("environment", "needs the package acme-lib, which is not here"))
    document = machine.said()
    [trouble] = troubles(document, "acme-lib")
    assert document["exit_code"] == 3
    assert "metrics.1.size: needs the package acme-lib" in trouble["what"]
    assert trouble["cure"] == "mend what it names, then: harness check"


@pytest.mark.nightly
def test_a_library_that_a_plugin_names_and_that_is_not_there(machine: Any) -> None:
    ask_for_a_plugin_that_needs(machine, "acme-nowhere")
    document = machine.said()
    [trouble] = troubles(document, "acme-nowhere is not installed: pip install acme-nowhere")
    assert document["exit_code"] == 3 and trouble["level"] == "problem"


@pytest.mark.nightly
def test_what_is_not_known_is_told_and_no_trouble(machine: Any) -> None:
    machine.plugin(problem("unknown", "whether it is there shows later"))
    assert machine.said()["exit_code"] == 0
    assert "metrics.1.size: whether it is there shows later" in machine.doctor().out


@pytest.mark.nightly
def test_a_config_that_cannot_be_used_is_of_code_2(machine: Any) -> None:
    machine.project.write("rounds: many\n")
    document = machine.said()
    assert document["exit_code"] == 2
    [trouble] = troubles(document, "rounds")
    assert trouble["cure"].endswith("harness check")


@pytest.mark.nightly
def test_what_the_machine_lacks_comes_before_what_is_wrong_with_the_config(machine: Any) -> None:
    machine.project.write("rounds: many\n")
    machine.library("torch", "raise ImportError")
    assert machine.said()["exit_code"] == 3


@pytest.mark.nightly
def test_a_plugin_that_fails_is_not_known(machine: Any) -> None:
    machine.plugin("print('noise'); raise SystemExit('no')")
    shown = machine.doctor()
    assert shown.code == 0
    assert "metrics.1: " in shown.out and "SystemExit" in shown.out


@pytest.mark.nightly
def test_overrides_and_another_file(machine: Any) -> None:
    path = machine.project.folder / "harness.yaml"
    path.rename(machine.project.folder / "other.yaml")
    document = machine.said("-c", "other.yaml", "--set", "rounds=none")
    [trouble] = troubles(document, "rounds")
    assert document["sections"]["config"]["file"] == "other.yaml"
    assert trouble["cure"].endswith("harness check -c other.yaml --set rounds=none")


@pytest.mark.nightly
def test_without_a_config_it_is_the_shipped_one(machine: Any) -> None:
    (machine.project.folder / "harness.yaml").unlink()
    document = machine.said()
    assert document["sections"]["config"]["file"].startswith("the shipped one")
    told = "has to give the model 'smollm2-135m-instruct'; it answers"
    assert document["sections"]["config"]["the package index"] == told


# -- the network --------------------------------------------------------------------------


@pytest.mark.nightly
def test_a_hub_that_fails_is_a_warning_where_the_model_is_fetched_from_there(machine: Any) -> None:
    machine.hub.code = 503
    text = (machine.project.folder / "harness.yaml").read_text("utf-8")
    machine.project.write(text.replace("model: {source: fake}", "model: {source: hub, id: a/b}"))
    [trouble] = troubles(machine.said(), "the model hub")
    assert trouble["level"] == "warning" and "(503)" in trouble["what"]
    assert "has to give the model 'a/b'" in trouble["what"] and "HF_ENDPOINT" in trouble["cure"]


@pytest.mark.nightly
def test_offline_nobody_is_asked(machine: Any) -> None:
    text = (machine.project.folder / "harness.yaml").read_text("utf-8")
    machine.project.write(text.replace("model: {source: fake}", "model: {source: hub, id: a/b}"))
    document = machine.said(HF_HUB_OFFLINE="1")
    assert machine.hub.asked == []
    assert len(troubles(document, "HF_HUB_OFFLINE forbids")) == 2
    # The plugin of the model says itself that it cannot be had.
    assert document["exit_code"] == 3


@pytest.mark.nightly
def test_the_document_is_strict_json(machine: Any) -> None:
    machine.library("torch", "raise ImportError('\\udc80 \\x00 \\u202e')")
    out = machine.doctor("--json").out
    json.loads(out.encode("utf-8"), parse_constant=lambda name: pytest.fail(name))


TORCH_AND_EXIT = """\
import atexit, time
atexit.register(lambda: time.sleep(60))
from types import SimpleNamespace as N
__version__ = "9.9.9"
version = N(cuda=None, hip=None)
cpu = N()
cuda = N(is_available=lambda: False)
backends = N(mps=N(is_available=lambda: False), cpu=N(get_cpu_capability=lambda: "AVX9"))
get_num_threads = lambda: 1
ones = lambda count, device: [1.0] * count
"""
THREADS = "get_num_threads = lambda: 999"
GPU = """\
about = N(name="Big GPU", total_memory=80_000_000_000, major=9, minor=0)
cuda = N(
    is_available=lambda: True, device_count=lambda: 1,
    get_device_properties=lambda number: about,
    mem_get_info=lambda number: (79_000_000_000, 80_000_000_000),
)
version = N(cuda="12.8", hip=None)
"""
