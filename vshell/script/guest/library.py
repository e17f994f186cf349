"""`python -m MODULE` for modules of the standard library, whose files a guest cannot read."""

from __future__ import annotations

import importlib.util
import types
from typing import Any, Final

__all__ = ["prepare", "program_of"]

_RUNNABLE: Final = ("ast", "base64", "calendar", "json.tool", "timeit", "tokenize", "unittest")
_programs: Final[dict[str, tuple[types.CodeType, str]]] = {}


def prepare() -> None:
    """Load the programs, while there are files to load them from."""
    for name in _RUNNABLE:
        for place in (f"{name}.__main__", name):
            try:
                spec = importlib.util.find_spec(place)
            except ModuleNotFoundError:  # what is no package has nothing in it
                continue
            loader: Any = None if spec is None else spec.loader
            if loader is not None:
                package = spec.parent if spec is not None and spec.parent else ""
                _programs[name] = loader.get_code(place), package
                break


def program_of(name: str) -> tuple[types.CodeType, str] | None:
    """Return the program that a module is and its package, if it can be run here."""
    return _programs.get(name)
