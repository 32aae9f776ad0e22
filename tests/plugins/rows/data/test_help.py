"""The help of ``harness data`` is whole, and quick."""

from __future__ import annotations

from .conftest import Shop

OWN = ("check", "stats", "preview", "split")


def test_a_line_of_help_is_not_cut(place: Shop) -> None:
    done = place.data("--help", COLUMNS="80")
    assert done.code == 0 and "..." not in done.out.replace("[ARGS]...", "")
    for name in OWN:
        assert f"  {name} " in done.out


def test_help_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom harness.cli import main\nsys.argv = ['harness', 'data', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print({'numpy', 'torch', 'pyarrow', 'datasets', 'duckdb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
