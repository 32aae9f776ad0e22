"""List, check and write plugins."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text
from typer.core import TyperGroup

import harness
from harness.kit.blocks import Column, Table
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json
from harness.kit.text import one_line, plain

if TYPE_CHECKING:
    from harness_testing import Outcome

app = typer.Typer(
    help="List, check and write plugins.", invoke_without_command=True, no_args_is_help=False
)

SCHEMA = "harness.plugins-check/1"
_MARKS = {"ok": "✓", "note": "!", "failed": "✗", "skipped": "–"}
_WORDS = {"ok": "ok", "note": "note", "failed": "FAILED", "skipped": "skipped"}
_STYLES = {"ok": "green", "note": "yellow", "failed": "bold red", "skipped": "dim"}


@dataclass(frozen=True, slots=True)
class _Checked:
    """A plugin and what the rules say of it."""

    stage: str
    name: str
    origin: str
    outcomes: Sequence[Outcome]

    @property
    def ok(self) -> bool:
        return all(outcome.status != "failed" for outcome in self.outcomes)


@app.callback()
def plugins(
    context: typer.Context,
    of_stage: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--stage", metavar="STAGE", help="only those of one stage, as metric"),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the installed plugins by stage, and those that could not be loaded."""
    if context.invoked_subcommand is not None:
        return
    registry = harness.Registry.build()
    if of_stage is not None:
        _known_stage(of_stage, list(dict.fromkeys(stage for stage, *_ in registry.providers())))
    rows = [
        {"stage": stage, "name": name, "origin": p.origin, "doc": _first_line(p.plugin.__doc__)}
        for stage, name, p in registry.providers()
        if of_stage in (None, stage)
    ]
    if as_json:
        document = {"plugins": rows, "failed": registry.failed}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    ours = f" (iteration-harness {harness.__version__})"
    columns = (
        Column("name", "word"), Column("stage", "word"), Column("what"), Column("from", "word"),
    )  # fmt: skip
    cells = tuple(
        (row["name"], row["stage"], row["doc"], row["origin"].removesuffix(ours)) for row in rows
    )
    draw_rows(Table(columns, cells, "plugins"), Console())
    for origin, reason in registry.failed.items():
        Console(stderr=True).print(Text(one_line(f"failed to load: {origin}: {reason}"), "red"))


def _known_stage(stage: str, stages: Sequence[str]) -> None:
    if stage not in stages:
        raise harness.UsageError(
            f"there is no plugin of the stage '{one_line(stage, 40)}'{harness.near(stage, stages)}",
            hint=f"--stage {'|'.join(stages)}",
        )


@app.command()
def check(
    target: Annotated[str, typer.Argument(metavar="NAME|FILE", help="a plugin, or a file of them")],
    options: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="an option of the plugin"),
    ] = None,
    as_json: Json = False,
    context: typer.Context = None,  # type: ignore[assignment] # typer tells it by its bare type
) -> None:
    """Hold a plugin against the rules of its stage, one line for each."""
    from harness_testing.outcomes import hushed

    values = dict(map(_option, options or []))
    with hushed():  # what a plugin prints while it is imported belongs to a rule, not to us
        targets = _targets(target, _commands(context))
    _check_options(values, targets)
    with tempfile.TemporaryDirectory() as folder:
        base = _own_model(targets, values, Path(folder))
        checked = [_checked(stage, name, p, values, base) for stage, name, p in targets]
    if as_json:
        sys.stdout.write(json.dumps(_document(target, checked), indent=1) + "\n")
    else:
        _show(Console(highlight=False), target, checked)
    if not all(plugin.ok for plugin in checked):
        raise typer.Exit(harness.PluginError.exit_code)


@app.command()
def new(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="metric, augmenter, section, command, …")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="lower case, with dashes")],
    folder: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--folder", help="where to write it (default: ./NAME)"),
    ] = None,
) -> None:
    """Write a small package with a plugin that works and a test that passes."""
    from harness_testing.scaffold import write_package

    written = write_package(kind, name, Path(name) if folder is None else folder)
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"Wrote {written.folder}:"))
    for file in written.files:
        console.print(Text(f"  {file}"))
    console.print(Text("Next:"))
    for command in written.commands:
        console.print(Text(f"  {command}"))


def _first_line(text: Any) -> str:
    """Of a docstring, which a plugin may have put something else in the place of."""
    return text.strip().split("\n")[0] if isinstance(text, str) else ""


def _option(text: str) -> tuple[str, Any]:
    from harness.kit import yaml_file

    pair = yaml_file.key_value(text)
    if pair is None:
        raise harness.UsageError(
            f"--option {one_line(text, 80)}: KEY=VALUE is needed",
            hint="for example --option 'words=[refund, days]'",
        )
    return pair[0].strip(), pair[1]


def _commands(context: typer.Context | None) -> list[str]:
    """Those of ``harness``, of the core and of every package."""
    if context is None:
        return []
    whole = context.find_root().command
    return whole.list_commands(context) if isinstance(whole, TyperGroup) else []


def _targets(target: str, commands: Sequence[str]) -> list[tuple[str, str, harness.Provider]]:
    if target.endswith(".py") or os.sep in target:
        return _of_file(Path(target))
    stage, _, name = target.rpartition(":")
    registry = harness.Registry.build()
    providers = registry.providers()
    targets = [entry for entry in providers if entry[1] == name and stage in ("", entry[0])]
    if not targets:
        if target in commands:
            hint = f"harness {target} --help runs it; the kit has rules for plugins alone"
            raise harness.UsageError(f"'{target}' is a command, not a plugin", hint=hint)
        for (of, refused), error in registry.refused.items():
            if refused == name and stage in ("", of):
                raise error
        names = [plugin for _, plugin, _ in providers]
        details = [f"failed to load: {origin}: {why}" for origin, why in registry.failed.items()]
        what = f"no plugin is called '{one_line(target, 80)}'{harness.near(name, names)}"
        hint = "harness plugins shows what is installed; a file's name ends in .py"
        raise harness.UsageError(what, details=details, hint=hint)
    if len(targets) > 1:
        full = ", ".join(f"{stage}:{name}" for stage, name, _ in targets)
        raise harness.UsageError(f"several plugins are called '{name}'", hint=f"say which: {full}")
    return targets


def _of_file(path: Path) -> list[tuple[str, str, harness.Provider]]:
    if not path.is_file():
        what = "this is no file" if path.exists() else "this plugin file does not exist"
        raise harness.UsageError(what, where=str(path), hint="a plugin is a name, or a .py file")
    return harness.Registry.of_file(path).providers()


def _check_options(
    values: Mapping[str, Any], targets: Sequence[tuple[str, str, harness.Provider]]
) -> None:
    """Raises UsageError for an option that none of them has: of several plugins in a file, each
    takes those that it has."""
    names = [name for _, _, p in targets for name in getattr(p.plugin.Options, "model_fields", ())]
    for key in values:
        if key not in names:
            what = f"no option is called '{one_line(key, 80)}'{harness.near(key, names)}"
            raise harness.UsageError(
                what, hint=f"known: {', '.join(dict.fromkeys(names)) or 'none'}"
            )


def _own_model(
    targets: Sequence[tuple[str, str, harness.Provider]], given: Mapping[str, Any], folder: Path
) -> harness.Checkpoint | None:
    """The base model of the file itself: its trainer and generator may know no other."""
    for stage, _, provider in targets:
        if stage == "model":
            # What is wrong with it, its own rules say.
            with contextlib.suppress(Exception):
                kind: Any = provider.plugin
                model = kind(kind.Options.model_validate(_own(provider, given)))
                if model.at_hand():
                    checkpoint: harness.Checkpoint = model.fetch(harness.Context(folder))
                    return checkpoint
    return None


def _own(provider: harness.Provider, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those options that the plugin has."""
    fields = getattr(provider.plugin.Options, "model_fields", {})
    return {key: value for key, value in given.items() if key in fields}


def _checked(
    stage: str,
    name: str,
    provider: harness.Provider,
    given: Mapping[str, Any],
    base: harness.Checkpoint | None,
) -> _Checked:
    from harness_testing import check as judge

    outcomes = judge(provider.plugin, _own(provider, given), checkpoint=base)
    return _Checked(stage, name, provider.origin, outcomes)


def _document(target: str, checked: Sequence[_Checked]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "target": target,
        "ok": all(plugin.ok for plugin in checked),
        "plugins": [
            {
                "stage": plugin.stage,
                "name": plugin.name,
                "origin": plugin.origin,
                "ok": plugin.ok,
                "rules": [_rule(outcome) for outcome in plugin.outcomes],
            }
            for plugin in checked
        ],
    }


def _rule(outcome: Outcome) -> dict[str, Any]:
    return {**dataclasses.asdict(outcome), "seconds": round(outcome.seconds, 4)}


def _show(console: Console, target: str, checked: Sequence[_Checked]) -> None:
    plain_signs = not (console.encoding or "").lower().startswith("utf")
    for plugin in checked:
        head = f"{plugin.stage} {plugin.name} ({plugin.origin})"
        console.print(Text(plain(head), style="bold"))
        console.print(_table(plugin, _WORDS if plain_signs else _MARKS))
    console.print(Text(_last_line(target, checked)))


def _table(plugin: _Checked, marks: Mapping[str, str]) -> Grid:
    from harness_testing import rules

    about = {rule.id: rule.about for rule in rules(plugin.stage)}
    table = Grid.grid(padding=(0, 1))
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for outcome in plugin.outcomes:
        style = _STYLES[outcome.status]
        message = Text(plain(outcome.message or about[outcome.rule]))
        if outcome.status != "failed":
            message.stylize("dim")
        table.add_row(Text(marks[outcome.status], style=style), Text(outcome.rule), message)
    return table


def _last_line(target: str, checked: Sequence[_Checked]) -> str:
    outcomes = [outcome for plugin in checked for outcome in plugin.outcomes]
    counts = {status: sum(o.status == status for o in outcomes) for status in _MARKS}
    seconds = sum(outcome.seconds for outcome in outcomes)
    sentence = f"{counts['ok'] + counts['note']} rules hold"
    if counts["note"]:
        sentence += f" ({counts['note']} with a note)"
    if counts["skipped"]:
        skipped = counts["skipped"]
        sentence += f", {skipped} {'do' if skipped > 1 else 'does'} not apply"
    if counts["failed"]:
        broken = counts["failed"]
        sentence = f"{broken} rule{'s are' if broken > 1 else ' is'} broken, {sentence}"
    return f"{plain(target)}: {sentence}; {seconds:.1f} s."
