"""`import` of modules in the workspace, and a clear word about those that are not there."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import posixpath
import sys
from collections.abc import Callable, Sequence
from types import CodeType, ModuleType
from typing import Any

__all__ = ["Finder", "install"]


class Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds `NAME.py` and `NAME/__init__.py` next to the script."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self._directory = "."
        self._found: dict[str, str] = {}

    def place(self, directory: str) -> None:
        """Say in which directory the script is."""
        self._directory = directory
        sys.path[:] = [directory]

    def has_loaded(self, path: str) -> bool:
        """Tell whether a file is a module of the workspace that was imported."""
        return path in self._found.values()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - the signature of a finder
    ) -> importlib.machinery.ModuleSpec | None:
        name = fullname.rpartition(".")[2]
        if path is not None and not self.has_loaded(f"{next(iter(path), '')}/__init__.py"):
            return None  # of a package of the standard library: what is not loaded is not there
        for directory in [self._directory] if path is None else path:
            base = posixpath.join(directory, name)
            for where, package in ((f"{base}/__init__.py", True), (f"{base}.py", False)):
                found = self._call("stat", where)
                if found is not None and found["type"] == "file":
                    return self._spec(fullname, where, package=package)
        return None

    def _spec(self, fullname: str, where: str, *, package: bool) -> importlib.machinery.ModuleSpec:
        self._found[fullname] = where
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=where, is_package=package)
        if package:
            spec.submodule_search_locations = [posixpath.dirname(where)]
        spec.has_location = True
        return spec

    def get_source(self, fullname: str) -> str:
        return str(self._call("readFile", self._found[fullname]))

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self.get_source(fullname), self._found[fullname], "exec")
        return code

    def is_package(self, fullname: str) -> bool:
        return self._found[fullname].endswith("/__init__.py")


def install(call: Callable[..., Any]) -> Finder:
    """Replace the ways to find modules: those on the host's disk are out of reach.

    Args:
        call: Calls a method of `state` by name.
    """
    finder = Finder(call)
    built_in = [each for each in sys.meta_path if each is importlib.machinery.BuiltinImporter]
    sys.meta_path[:] = [*built_in, finder]
    sys.path_importer_cache.clear()
    return finder
