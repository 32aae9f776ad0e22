"""A Python file as a module, from its source as it stands."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import CodeType, ModuleType


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Compiles the file each time.

    Python's cache of byte code knows a file by its size and the second of its last change, so that
    a plugin that is edited and run again at once would run as it was.
    """

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def load_module(name: str, path: Path) -> ModuleType:
    """The module in a file, made anew and known to Python by that name.

    Raises:
        Exception: whatever the file raises; the name stands for nothing then.
    """
    loader = _SourceLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None  # None is for a path that no loader knows
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
