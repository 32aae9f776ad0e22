"""Of what the paths are built that the program removes or writes, by its syntax trees.

Every call that removes or writes is looked up, and its path followed back: through names of the
function, attributes that a class sets on itself, what functions and properties give (by their
names, first in the same module), fields of records that hold paths (by their names, wherever such a
record is made), and arguments of private functions of the module. Each part of a path on the way
has to stand in the program, be made of digests and numbers, come from the listing of a folder, or
go through :func:`harness.kit.inside.inside`.

Arguments of public functions are not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BY_PLACE = {
    "write_bytes": (0,), "write_text": (0,), "write_json": (0,), "write_jsonl": (0,),
    "append_line": (0,), "overwrite": (0,), "remove": (0,), "whole_folder": (0,), "rmtree": (0,),
    "unlink": (0,), "rmdir": (0,), "AppendLog": (0,), "copyfile": (1,), "copy2": (1,),
    "copytree": (1,), "move": (0, 1), "replace": (0, 1), "rename": (0, 1), "link": (1,),
    "symlink": (1,), "fetch": (1,), "get_file": (1,), "save_pretrained": (0,), "turn": (0,),
    "exclusive": (0,), "write_target": (1,), "makedirs": (0,), "mkdir": (0,), "truncate": (0,),
    "Spending": (0,), "write_first": (0,), "made_once": (0,), "log_to": (0,),
}  # fmt: skip
"""Functions that remove or write -> the places of their paths."""
MODULES = ("os", "shutil", "files", "harness")
"""Such a function counts where it is called by its bare name, or as one of these."""
METHODS = (
    "unlink", "rmdir", "mkdir", "touch", "write_bytes", "write_text", "rename", "symlink_to",
    "hardlink_to", "chmod",
)  # fmt: skip
OBJECT_METHODS = ("fetch", "get_file", "save_pretrained")
LISTINGS = ("iterdir", "glob", "rglob", "scandir", "walk", "listdir")
TEMPORARY = ("mkdtemp", "mkstemp", "TemporaryDirectory")
KEEPING = ("resolve", "absolute", "expanduser", "sorted", "list", "tuple", "set", "reversed", "zip")
MADE = ("digest", "getpid", "token_hex", "int", "len", *TEMPORARY)
"""What these give is no name out of a file."""


@dataclass
class Function:
    """A function with what its local names may be."""

    node: ast.FunctionDef
    module: Module
    owner: str
    assigned: dict[str, list[ast.expr]] = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        given = self.node.args
        return [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


@dataclass
class Module:
    path: str
    tree: ast.Module
    functions: dict[str, list[Function]] = field(default_factory=dict)
    own: dict[tuple[str, str], list[tuple[Function, ast.expr]]] = field(default_factory=dict)
    calls: dict[str, list[tuple[Function, ast.Call]]] = field(default_factory=dict)
    fields: list[tuple[str, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Doubt:
    """A part of a path of which it is not seen where it comes from."""

    module: str
    function: str
    part: str


class Program:
    """The syntax trees of some files."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.modules = [_module(path, text) for path, text in sources.items()]
        self.functions: dict[str, list[Function]] = {}
        self.calls: dict[str, list[tuple[Function, ast.Call]]] = {}
        self.fields: dict[str, list[tuple[str, int]]] = {}
        """Field of a record that holds paths -> the record and the field's place in it."""
        for module in self.modules:
            for name, calls in module.calls.items():
                self.calls.setdefault(name, []).extend(calls)
            for record, place, name in module.fields:
                self.fields.setdefault(name, []).append((record, place))
            for name, functions in module.functions.items():
                self.functions.setdefault(name, []).extend(functions)

    def doubts(self) -> set[Doubt]:
        """Parts of paths that are removed or written and may come out of a file."""
        doubts: set[Doubt] = set()
        seen: set[tuple[int, str]] = set()
        for module in self.modules:
            for calls in module.calls.values():
                for function, call in calls:
                    for path in _written(call):
                        doubts |= self._of(path, function, seen)
        return doubts

    def _of(self, node: ast.expr, at: Function, seen: set[tuple[int, str]]) -> set[Doubt]:
        """Doubts about an expression that gives a path."""
        if (id(node), at.node.name) in seen:
            return set()
        seen.add((id(node), at.node.name))
        match node:
            case ast.BinOp(op=ast.Div()):
                return self._of(node.left, at, seen) | self._part(node.right, at)
            case ast.Call():
                return self._call(node, at, seen)
            case ast.Attribute(attr="parent"):
                return self._of(node.value, at, seen)
            case ast.Attribute():
                return self._attribute(node, at, seen)
            case ast.Name():
                return self._name(node, at, seen)
            case ast.Subscript():
                return self._of(node.value, at, seen)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return self._of(node.elt, at, seen)
            case ast.IfExp():
                return self._all([node.body, node.orelse], at, seen)
            case ast.BoolOp():
                return self._all(node.values, at, seen)
            case ast.Tuple() | ast.List() | ast.Set():
                return self._all(node.elts, at, seen)
            case ast.Starred() | ast.NamedExpr():
                return self._of(node.value, at, seen)
        return set()

    def _all(
        self, nodes: Sequence[ast.expr], at: Function, seen: set[tuple[int, str]]
    ) -> set[Doubt]:
        return {doubt for node in nodes for doubt in self._of(node, at, seen)}

    def _call(self, call: ast.Call, at: Function, seen: set[tuple[int, str]]) -> set[Doubt]:
        name = _last(call.func)
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name == "inside":
            return self._of(call.args[0], at, seen)
        if name == "Path":
            return {doubt for argument in call.args for doubt in self._part(argument, at)}
        if name in ("with_name", "with_suffix", "with_stem", "joinpath") and receiver is not None:
            parts = [] if name == "with_suffix" else call.args
            of_parts = {doubt for part in parts for doubt in self._part(part, at)}
            # These refuse separators, and a text with letters of its own is neither . nor ..
            if name != "joinpath" and all(isinstance(p, ast.JoinedStr) for p in parts):
                of_parts = set()
            return self._of(receiver, at, seen) | of_parts
        if name in LISTINGS and receiver is not None:
            return self._of(receiver, at, seen)
        if name in KEEPING:
            return self._all([*call.args, *([receiver] if receiver else [])], at, seen)
        own = at.module.functions.get(name) or self.functions.get(name, [])
        return {doubt for function in own for doubt in self._given(function, seen)}

    def _given(self, function: Function, seen: set[tuple[int, str]]) -> set[Doubt]:
        """Doubts about what a function gives, where that is a path or several."""
        returns = function.node.returns
        if returns is None or "Path" not in ast.unparse(returns):
            return set()
        return {
            doubt
            for node in ast.walk(function.node)
            if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)) and node.value
            for doubt in self._of(node.value, function, seen)
        }

    def _attribute(
        self, node: ast.Attribute, at: Function, seen: set[tuple[int, str]]
    ) -> set[Doubt]:
        given = [
            function
            for function in at.module.functions.get(node.attr) or self.functions.get(node.attr, [])
            if any("property" in ast.unparse(d) for d in function.node.decorator_list)
        ]
        doubts = {doubt for function in given for doubt in self._given(function, seen)}
        for record, place in self.fields.get(node.attr, []):
            for function, call in self.calls.get(record, []):
                values = [k.value for k in call.keywords if k.arg == node.attr]
                doubts |= self._all([*values, *call.args[place : place + 1]], function, seen)
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            for function, value in at.module.own.get((at.owner, node.attr), []):
                doubts |= self._of(value, function, seen)
        return doubts

    def _name(self, node: ast.Name, at: Function, seen: set[tuple[int, str]]) -> set[Doubt]:
        doubts = self._all(at.assigned.get(node.id, []), at, seen)
        name = at.node.name
        if node.id in at.parameters and name.startswith("_") and name != "__init__":
            place = at.parameters.index(node.id)
            place -= bool(at.owner) and at.parameters[0] == "self"
            for caller, call in at.module.calls.get(name, []):
                given = [k.value for k in call.keywords if k.arg == node.id]
                given += call.args[place : place + 1]
                doubts |= self._all(given, caller, seen)
        return doubts

    def _part(self, node: ast.expr, at: Function, deep: int = 0) -> set[Doubt]:
        """Doubts about an expression that gives a part of a path."""
        if _spelled(node):
            return set()
        match node:
            case ast.JoinedStr():
                inner = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
                return {d for v in inner for d in self._part(v, at, deep)}
            case ast.Subscript(slice=ast.Slice()):
                return self._part(node.value, at, deep)
            case ast.Call(args=[inner]) if _last(node.func) == "str":
                return self._part(inner, at, deep)
            case ast.IfExp():
                return self._part(node.body, at, deep) | self._part(node.orelse, at, deep)
            case ast.Name() if deep < 4:
                values = at.assigned.get(node.id, [])
                if values and node.id not in at.parameters:
                    return {d for value in values for d in self._parts(value, at, deep + 1)}
        return {Doubt(at.module.path, at.node.name, ast.unparse(node))}

    def _parts(self, node: ast.expr, at: Function, deep: int) -> set[Doubt]:
        """The same of what a loop goes through."""
        if isinstance(node, (ast.Tuple, ast.List)):
            return {d for element in node.elts for d in self._part(element, at, deep)}
        if isinstance(node, ast.Call) and _last(node.func) in ("range", *LISTINGS):
            return set()
        return self._part(node, at, deep)


def _spelled(node: ast.expr) -> bool:
    """Whether a part stands in the program, or is made of digests and numbers."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = _last(node)
        return name.strip("_").isupper() or ast.unparse(node).startswith("sys.") or (
            name == "hex" or name in ("__file__", "pid")
        )  # fmt: skip
    if isinstance(node, ast.Call):
        return _last(node.func) in MADE
    if isinstance(node, ast.JoinedStr):
        return all(
            _spelled(v.value) or _is_number(v) for v in node.values
            if isinstance(v, ast.FormattedValue)
        )  # fmt: skip
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return _spelled(node.value)
    return False


def _is_number(value: ast.FormattedValue) -> bool:
    return value.format_spec is not None and ast.unparse(value.format_spec).rstrip("'\"").endswith(
        "d"
    )


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _written(call: ast.Call) -> Iterator[ast.expr]:
    """The paths that a call removes or writes."""
    name = _last(call.func)
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    of_module = receiver is None or ast.unparse(receiver) in MODULES
    if name in BY_PLACE and (of_module or name in OBJECT_METHODS):
        yield from (call.args[place] for place in BY_PLACE[name] if place < len(call.args))
    if name == "open" and of_module and not (receiver and ast.unparse(receiver) == "files"):
        if _writes(call.args[1:2] or [k.value for k in call.keywords if k.arg == "mode"]):
            yield call.args[0]
    elif receiver is not None and not of_module:
        if name == "open" and _writes(call.args[:1]):
            yield receiver
        elif name in METHODS or (name == "replace" and len(call.args) == 1 and not call.keywords):
            yield receiver
            if name in ("rename", "replace"):
                yield from call.args


def _writes(mode: Sequence[ast.expr]) -> bool:
    if not mode:
        return False
    text = ast.unparse(mode[0])
    flags = any(flag in text for flag in ("O_WRONLY", "O_RDWR", "O_CREAT"))
    return flags or (isinstance(mode[0], ast.Constant) and any(m in text for m in "wax+"))


def _module(path: str, text: str) -> Module:
    module = Module(path, ast.parse(text))
    top = Function(ast.parse("def top(): pass").body[0], module, "")  # type: ignore[arg-type]
    _visit(module.tree, module, top, "")
    return module


def _visit(node: ast.AST, module: Module, at: Function, owner: str) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            inner = Function(child, module, owner, dict(at.assigned))
            module.functions.setdefault(child.name, []).append(inner)
            _visit(child, module, inner, owner)
            continue
        if isinstance(child, ast.ClassDef):
            fields = [f for f in child.body if isinstance(f, ast.AnnAssign)]
            module.fields += [
                (child.name, place, f.target.id) for place, f in enumerate(fields)
                if isinstance(f.target, ast.Name) and "Path" in ast.unparse(f.annotation)
            ]  # fmt: skip
        if isinstance(child, ast.Call):
            module.calls.setdefault(_last(child.func), []).append((at, child))
        for target, value in _assignments(child):
            if isinstance(target, ast.Name):
                at.assigned.setdefault(target.id, []).append(value)
            elif ast.unparse(target).startswith("self."):
                module.own.setdefault((owner, target.attr), []).append((at, value))
        _visit(child, module, at, child.name if isinstance(child, ast.ClassDef) else owner)


def _assignments(node: ast.AST) -> Iterator[tuple[ast.Name | ast.Attribute, ast.expr]]:
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value:
        pairs = [(node.target, node.value)]
    elif isinstance(node, (ast.For, ast.comprehension)):
        pairs = [(node.target, node.iter)]
    elif isinstance(node, ast.withitem) and node.optional_vars:
        pairs = [(node.optional_vars, node.context_expr)]
    for target, value in pairs:
        if isinstance(target, (ast.Tuple, ast.List)):
            same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            values = value.elts if same else [value] * len(target.elts)  # type: ignore[attr-defined]
            for element, inner in zip(target.elts, values, strict=True):
                if isinstance(element, (ast.Name, ast.Attribute)):
                    yield element, inner
        elif isinstance(target, (ast.Name, ast.Attribute)):
            yield target, value


def sources(root: Path) -> dict[str, str]:
    """The Python files of the core and the plugins that name a path, or write or remove one."""
    files = [path for top in ("harness", "plugins") for path in sorted((root / top).rglob("*.py"))]
    texts = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in files}
    words = ("Path", "open(", *(f"{name}(" for name in (*BY_PLACE, *METHODS)))
    return {path: text for path, text in texts.items() if any(word in text for word in words)}
