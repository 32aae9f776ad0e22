"""What runs a program in the sandbox: a script, whose text is given to the Python there.

It reads one line of JSON, and writes a random word where a program has passed. The program runs in
the same process: one that looks for the word there finds it. It may run under another Python than
the one of harness.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import json
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NoReturn, TypeGuard

ANSWER = ("answer", "solution")
"""Modules as which tests import the answer."""
HOOKS = frozenset(
    f"{when}_{what}"
    for when in ("setup", "teardown")
    for what in ("module", "function", "method", "class")
)
"""Functions that pytest calls around tests."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
TEST_FILE = "test_row.py"
COROUTINE = 0x80  # inspect.CO_COROUTINE

OUT = os.dup(1)
execute, evaluate, write, leave = exec, eval, os.write, os._exit
"""As they are before an answer could give these names to something else."""


class UnusableError(Exception):
    """The tests cannot be run here, whatever the answer."""


# -- what tests hold ------------------------------------------------------------------------------


class Tests:
    """Tests that are code, read before anything of an answer is run.

    Raises:
        UnusableError: they are no Python, or need what is not here.
    """

    def __init__(self, text: str, entry_point: str) -> None:
        try:
            self.tree = parsed(text)
            nodes = list(ast.walk(self.tree))
            outer = list(outside_functions(self.tree.body))
            self.called = {name for node in outer for name in calls(node)}
            used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            used |= {node.id for node in nodes if isinstance(node, ast.Name)}
            defined = {node.name for node in nodes if isinstance(node, FUNCTIONS)}
            open_tests = {node.name: unfilled(node) for node in outer if is_open_test(node)}
            self.checks = {"check"}
            if "candidate" not in defined:  # else it is a fixture
                self.checks |= {n for n, names in open_tests.items() if names == {"candidate"}}
            self.helpers = self.checks | (open_tests.keys() & used)
            self.free = free_names(nodes)
            self.candidate = compile(entry_point, "entry_point", "eval") if entry_point else None
            self.doctests = [(text, examples_in(text)) for text in filter(None, map(doc, nodes))]
            self.tree = ast.fix_missing_locations(Asserting().visit(self.tree))
            self.code = compile(self.tree, "tests.py", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
            said = f"{type(error).__name__}: {error.args[0] if error.args else ''}{line}"
            raise UnusableError(f"cannot be read: {said}") from None
        for name in sorted({name for node in self.tree.body for name in roots(node)}):
            if name not in ANSWER and missing(name):
                raise UnusableError(f"need the module {name!a}, which is not in the sandbox")
        self.by_pytest = (
            any("pytest" in roots(node) for node in nodes)
            or any(isinstance(node, FUNCTIONS) and node.name in HOOKS for node in outer)
            or not open_tests.keys() <= self.helpers
        )
        # What runs them is imported here, for an answer could leave files of these names.
        import unittest  # noqa: F401

        if any(isinstance(node, ast.AsyncFunctionDef) for node in nodes):
            import asyncio  # noqa: F401
        if self.by_pytest:
            need_pytest()

    def run(self, module: types.ModuleType) -> None:
        """Run all of it beside an answer, in whose module its names are looked up.

        Whatever a test raises is raised.

        Raises:
            UnusableError: pytest, where it runs them, has nothing to give to one of them.
        """
        before, space = dict(module.__dict__), module.__dict__
        if self.by_pytest:
            space = self._run_by_pytest(before)
        else:
            execute(self.code, space)
        made = {n: v for n, v in space.items() if n not in before or before[n] is not v}
        if not self.by_pytest:
            run_cases([value for value in made.values() if is_case(value)], self.helpers)
            for name, value in made.items():
                if name not in self.called and not is_case(value):
                    run_as_pytest_does(name, value, self.helpers)
        for name, check in made.items():
            if name in self.checks - self.called and self.candidate and callable(check):
                finish(check(evaluate(self.candidate, space)))
        for text, examples in self.doctests:
            run_doctest(text, examples, space)

    def _run_by_pytest(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Run the tests as a file, which gives fixtures, parameters and marks; gives its names.

        Args:
            answer: the names of the answer, whose own tests are not run.

        Raises:
            UnusableError: a test has a parameter for which there is neither.
        """
        import pytest

        own = ast.parse(
            "globals().update({name: value for name, value in vars("
            "__import__('sys').modules['answer']).items() if not name.startswith('__')})"
        ).body
        place = sum(map(comes_first, self.tree.body))
        self.tree.body[place:place] = own
        with open(TEST_FILE, "w", encoding="utf-8") as file:
            file.write(ast.unparse(ast.fix_missing_locations(self.tree)))
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        seen = Seen(self.helpers, answer)
        off = ["--noconftest", "-p", "no:cacheprovider", "-p", "no:terminal"]
        options = ["-c", os.devnull, "--rootdir=.", "-x", "-s", *off]
        ended = int(pytest.main([*options, TEST_FILE], plugins=[seen]))
        if seen.unfilled:
            raise UnusableError(f"give nothing for {seen.unfilled}")
        if ended not in (0, 5):  # 5: there is none in them
            fail(seen.said or f"pytest ended with {ended}")
        return sys.modules[TEST_FILE[:-3]].__dict__


class Seen:
    """A plugin of pytest: which tests are run, what failed, and async functions, which pytest
    leaves to others.

    Attributes:
        said: what failed.
        unfilled: a test and its parameters that are given by nothing; no test is run then.
    """

    said = unfilled = ""

    def __init__(self, helpers: set[str], answer: Mapping[str, Any]) -> None:
        self.helpers, self.answer = helpers, answer

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if not self._is_left_out(item)]
        for item in items:
            fixtures = item._fixtureinfo
            given = {"request", *fixtures.name2fixturedefs}
            if names := [name for name in fixtures.argnames if name not in given]:
                self.unfilled = f"{', '.join(map(ascii, names))} of {item.originalname}"
                items.clear()
                return

    def _is_left_out(self, item: Any) -> bool:
        owner = item.cls or item.obj
        own = any(owner is value for value in self.answer.values())
        return own or item.originalname in self.helpers

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.said = str(report.longrepr)

    pytest_collectreport = pytest_runtest_logreport

    def pytest_pyfunc_call(self, pyfuncitem: Any) -> bool | None:
        code = getattr(pyfuncitem.obj, "__code__", None)
        if code is None or not code.co_flags & COROUTINE:
            return None
        names = pyfuncitem._fixtureinfo.argnames
        finish(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True


class Asserting(ast.NodeTransformer):
    """What looks like a test becomes one.

    A comparison that stands alone is asserted, of ``assert (x, "message")`` the tuple is taken
    apart, and a call that stands alone outside of functions may not give False. Calls that run the
    tests of the main module are left out: there are none.
    """

    inner = 0

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        if isinstance(node.test, ast.Tuple) and node.test.elts:
            return ast.copy_location(asserted(node.test.elts, node.msg), node)
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        value = node.value
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        if parts and is_boolean(parts[0]):
            return ast.copy_location(asserted(parts), node)
        if not self.inner and isinstance(value, ast.Call):
            if any(map(runs_main, ast.walk(value))):
                return ast.copy_location(ast.Pass(), node)
            no_false = ast.Compare(value, [ast.IsNot()], [ast.Constant(False)])
            return ast.copy_location(ast.Assert(no_false), node)
        return self.generic_visit(node)

    def _within(self, node: ast.AST) -> ast.AST:
        self.inner += 1
        node = self.generic_visit(node)
        self.inner -= 1
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _within


def parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:
        if ">>>" not in text:
            raise
        return ast.Module([ast.Expr(ast.Constant(text))], [])  # a doctest without quotes


def asserted(parts: Sequence[ast.expr], message: ast.expr | None = None) -> ast.Assert:
    last = parts[-1]
    worded = isinstance(last, ast.Constant) and isinstance(last.value, str)
    if len(parts) > 1 and message is None and (worded or isinstance(last, ast.JoinedStr)):
        parts, message = parts[:-1], last
    test = parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), list(parts))
    return ast.Assert(test, message)


def is_boolean(node: ast.AST) -> bool:
    if isinstance(node, ast.BoolOp):
        return all(map(is_boolean, node.values))
    negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return negated or isinstance(node, ast.Compare)


def runs_main(node: ast.AST) -> bool:
    """Whether a node calls what runs the tests of the main module."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    of = node.func.value
    named = isinstance(of, ast.Name) and of.id in ("unittest", "pytest")
    return named and node.func.attr == "main"


def comes_first(node: ast.AST) -> bool:
    """Whether a statement has to stand at the beginning of a file."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    return doc_of(node) is not None


def doc_of(node: ast.AST) -> str | None:
    value = node.value if isinstance(node, ast.Expr) else None
    text = value.value if isinstance(value, ast.Constant) else None
    return text if isinstance(text, str) else None


def doc(node: ast.AST) -> str | None:
    """The doctest that a node is."""
    text = doc_of(node)
    return text if text and ">>>" in text else None


def examples_in(text: str) -> list[Any]:
    import doctest

    return list(doctest.DocTestParser().get_examples(text))


def outside_functions(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Nodes outside of functions and of the guard of the main module; functions are among them."""
    for node in nodes:
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda)):
            yield from outside_functions(ast.iter_child_nodes(node))


def calls(node: ast.AST) -> list[str]:
    """The name that a node calls."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return [node.func.id]
    return []


def free_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that code uses and nothing defines: those that an answer has to define."""
    used: set[str] = set()
    made = set(dir(builtins))
    for node in nodes:
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            made.update((part.asname or part.name).partition(".")[0] for part in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    return used - made


def roots(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [part.name.partition(".")[0] for part in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.partition(".")[0]]
    return []


def missing(name: str) -> bool:
    try:
        return name not in sys.modules and find_spec(name) is None
    except (ImportError, ValueError):
        return True


def is_open_test(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Whether a node is a test function with a parameter that something else has to give.

    A fixture does, the tests that call it as a helper do, or it is a ``check`` of another name. A
    decorator may give anything.
    """
    if not isinstance(node, FUNCTIONS) or node.decorator_list or not node.name.startswith("test"):
        return False
    return bool(unfilled(node))


def unfilled(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The parameters of a function that have no default."""
    given = node.args
    names = {part.arg for part in (*given.posonlyargs, *given.args)[: -len(given.defaults) or None]}
    defaults = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    names |= {part.arg for part, default in defaults if default is None}
    return names - {"self", "cls"}


def need_pytest() -> None:
    if missing("pytest"):
        raise UnusableError("need pytest (fixtures), which is not in the sandbox")
    import pytest  # noqa: F401

    try:
        with open(TEST_FILE, "w", encoding="utf-8"):
            pass
    except OSError:
        raise UnusableError("need pytest, which needs files, and none can be written") from None


# -- how they are run -----------------------------------------------------------------------------


def is_case(value: Any) -> bool:
    import unittest

    return isinstance(value, type) and issubclass(value, unittest.TestCase)


def run_cases(cases: Sequence[type], helpers: set[str]) -> None:
    """Run classes of unittest, but for methods of these names."""
    import unittest

    suite, result = unittest.TestSuite(), unittest.TestResult()
    for case in cases:
        names = unittest.defaultTestLoader.getTestCaseNames(case)
        suite.addTests(case(name) for name in names if name not in helpers)
    result.failfast = True
    suite.run(result)
    if not result.wasSuccessful():
        said = [text for _, text in result.errors + result.failures]
        fail(said[-1] if said else "a test passes that is expected to fail")


def run_as_pytest_does(name: str, value: Any, helpers: set[str]) -> None:
    """Run a test function; of a class of tests each method, on an object of its own.

    Args:
        helpers: names of functions and methods that are no tests.
    """
    if name.startswith("test") and isinstance(value, types.FunctionType):
        if name not in helpers:
            finish(value())
    elif name.startswith("Test") and isinstance(value, type) and "__init__" not in vars(value):
        for method in dir(value):
            is_test = method.startswith("test") and method not in helpers
            if is_test and callable(getattr(value, method)):
                finish(getattr(value(), method)())


def run_doctest(text: str, examples: list[Any], space: dict[str, Any]) -> None:
    import doctest

    said: list[str] = []
    test = doctest.DocTest(examples, space, "tests", None, 0, text)
    ran = doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    if ran.failed:
        fail("".join(said))


def finish(value: Any) -> Any:
    """What a function gave; of an async one, what it gives in the end."""
    if not hasattr(value, "__await__"):
        return value
    import asyncio

    return asyncio.run(value)


def module_of(name: str) -> types.ModuleType:
    """A module for an answer, which is known by all the names that tests may use."""
    module = types.ModuleType(name)
    for known_as in (name, *ANSWER):
        sys.modules[known_as] = module
    return module


# -- whether they can fail ------------------------------------------------------------------------


class Anything:
    """What an answer may define, whatever it is: it can be called, and cannot be looked at."""

    def __call__(self, *arguments: Any, **named: Any) -> Anything:
        return self

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __bool__(self) -> bool:
        raise TypeError("there is nothing to look at")

    def _refuse(self, other: object) -> bool:
        return bool(self)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = object.__hash__


def gives_none(*arguments: Any, **named: Any) -> None:
    """A function that an answer may define."""


def always_pass(tests: Tests, word: bytes) -> bool:
    """Whether tests pass behind an empty answer, or whatever the functions of an answer give.

    Where they turn out to be unusable, that is written.
    """

    return passes(tests, None, word) or (
        passes(tests, Anything(), word) and passes(tests, gives_none, word)
    )


def passes(tests: Tests, given: Any, word: bytes) -> bool:
    """Whether tests pass in a process of its own, behind an answer that is empty (None), or defines
    whatever they ask for as what is given."""
    child = os.fork()
    if not child:
        code = 1
        try:
            silence(1)
            silence(2)
            module = module_of("answer")
            if given is not None:
                vars(module)["__getattr__"] = lambda name: given
                vars(module).update(dict.fromkeys(tests.free, given))
            tests.run(module)
            code = 0
        except UnusableError as error:
            refuse(word, error)
        finally:
            leave(code)
    return os.waitpid(child, 0)[1] == 0


# -- inputs and outputs ---------------------------------------------------------------------------


def result_of(code: types.CodeType, given: Any, function: str, most: int) -> str:
    """What an answer prints for an input, or returns for arguments, in a process of its own.

    Args:
        function: that is called; empty where the input is that of a program.
        most: bytes of the result.
    """
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        leave(status_of(called if function else printed, code, given, function, writing))
    os.close(writing)
    result = b""
    while piece := os.read(reading, 65536):
        result += piece
        if len(result) > most:
            fail(f"output limit of {most // 1024} KiB")
    os.close(reading)
    if os.waitpid(child, 0)[1]:
        leave(1)
    with contextlib.suppress(ChildProcessError):  # what others left behind is ours, as the first
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return result.decode("utf-8", "replace")


def status_of(work: Callable[..., None], *arguments: Any) -> int:
    """Do work as Python runs a program; gives its exit code."""
    status = 1
    try:
        work(*arguments)
        status = 0
    except SystemExit as end:
        status = 0 if end.code is None or end.code == 0 else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    if "threading" in sys.modules:
        threading = sys.modules["threading"]
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return status


def printed(code: types.CodeType, given: str, _: str, writing: int) -> None:
    os.dup2(feed(given), 0)
    os.dup2(writing, 1)
    os.close(writing)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    execute(code, module_of("__main__").__dict__)


def called(code: types.CodeType, given: Sequence[Any], function: str, writing: int) -> None:
    space = module_of("answer").__dict__
    execute(code, space)
    if function not in space and isinstance(space.get("Solution"), type):
        call = getattr(space["Solution"](), function)
    else:
        call = evaluate(function, space)
    value = finish(call(*map(with_numbers, given)))
    with open(writing, "w", encoding="utf-8") as file:
        json.dump(value, file, default=plain)


def feed(text: str) -> int:
    """A pipe with a text, which a process of its own fills."""
    reading, writing = os.pipe()
    if not os.fork():
        try:
            os.close(reading)
            with open(writing, "w", encoding="utf-8") as file:
                file.write(text)
        finally:
            leave(0)
    os.close(writing)
    return reading


def with_numbers(value: Any) -> Any:
    """An object whose keys are all whole numbers has them as such: JSON knows texts alone."""
    if value and isinstance(value, dict) and all(k.removeprefix("-").isdecimal() for k in value):
        return {int(key): inner for key, inner in value.items()}
    return value


def plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else repr(value)


# -- the program ----------------------------------------------------------------------------------


def silence(stream: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, stream)
    os.close(null)


def fail(said: str) -> NoReturn:
    """End, and say why in the last line."""
    sys.stdout.flush()
    write(OUT, ("\n" + said.strip()).encode("utf-8", "replace"))
    leave(1)


def refuse(word: bytes, error: UnusableError) -> NoReturn:
    """End, and say that the tests are at fault, whatever the answer."""
    write(OUT, b"\n" + word[16:] + b"\n" + ascii(str(error))[1:-1].encode())
    leave(1)


def main() -> None:
    task = json.loads(sys.stdin.buffer.read())
    silence(0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.argv = ["answer.py"]
    # Not this one, for an answer to change.
    sys.modules["__main__"] = types.ModuleType("__main__")
    word, text = task["word"].encode(), task.pop("tests")
    try:
        tests = Tests(text, task["entry_point"]) if text else None
        if not task["trial"]:
            text = ""
            run(word, tests, task.pop("code"), task)
        elif tests and always_pass(tests, word):
            write(OUT, b"\n" + word + b"\n")
    except UnusableError as error:
        refuse(word, error)


def run(word: bytes, tests: Tests | None, text: str, task: Mapping[str, Any]) -> None:
    begun, passed = b"\n" + word[:16] + b"\n", b"\n" + word + b"\n"
    code = compile(text, "answer.py", "exec")
    if task["cases"] is not None:
        write(OUT, begun)
        for case in task["cases"]:
            result = result_of(code, json.loads(case), task["called"], task["output"])
            write(OUT, b"\n" + word + b":" + json.dumps(result).encode() + b"\n")
        write(OUT, passed)
        return
    # With tests, what stands under `if __name__ == "__main__"` is not run, as for any import.
    module = module_of("answer" if tests else "__main__")
    try:
        execute(code, module.__dict__)
    except MemoryError:
        module.__dict__.clear()  # room to say so
        raise
    if tests:
        write(OUT, begun)
        tests.run(module)
        sys.stdout.flush()
        write(OUT, passed)


if __name__ == "__main__":
    main()
