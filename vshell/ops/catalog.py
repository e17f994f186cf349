"""Every operation, declared once: what the command line, tools and the reference are made of.

A declaration is a name and where the function is. Everything else that can be said
of it stands in the function itself: its signature says what it takes, its docstring
what that means. So nothing here can disagree with what happens.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

Kind = Literal["read", "write"]

REQUIRED: Final = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        name: Its name in Python.
        annotation: Its type, as it is written in the signature.
        default: Its default, or `REQUIRED`.
        positional: Whether it may be given without its name.
        help: What it means, from the docstring.
    """

    name: str
    annotation: str
    default: Any
    positional: bool
    help: str

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that a `Literal` allows; empty for any other type."""
        found = re.search(r"Literal\[(.*?)\]", self.annotation)
        return tuple(re.findall(r"[\"']([^\"']+)[\"']", found[1])) if found else ()


@dataclass(frozen=True)
class Operation:
    """One operation of the workspace.

    Attributes:
        name: The name of the method.
        module: The module that has the function of that name.
        kind: `"read"`, or `"write"` when it can change the workspace.
    """

    name: str
    module: str
    kind: Kind

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function; its first parameter is the context."""
        function: Callable[..., Any] = getattr(
            importlib.import_module(f"vshell.ops.{self.module}"), self.name
        )
        return function

    @cached_property
    def summary(self) -> str:
        """The first sentence of the documentation."""
        text = inspect.getdoc(self.function) or ""
        return " ".join(text.partition("\n\n")[0].split())

    @cached_property
    def description(self) -> str:
        """The documentation up to the list of arguments."""
        text = inspect.getdoc(self.function) or ""
        return re.split(r"\n\n(?:Args|Returns|Raises|Yields):\n", text)[0]

    @cached_property
    def errors(self) -> dict[str, str]:
        """What the documentation says of each error, by the names of its classes."""
        return _section(inspect.getdoc(self.function) or "", "Raises")

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters after the context."""
        helps = _section(inspect.getdoc(self.function) or "", "Args")
        found = list(inspect.signature(self.function).parameters.values())[1:]
        return tuple(
            Parameter(
                parameter.name,
                str(parameter.annotation),
                parameter.default,
                parameter.kind is not inspect.Parameter.KEYWORD_ONLY,
                helps.get(parameter.name, ""),
            )
            for parameter in found
        )


def _section(documentation: str, title: str) -> dict[str, str]:
    """Return the entries of one section of a docstring, by name."""
    found = re.search(rf"(?:^|\n){title}:\n((?:    .*(?:\n|$)|\n)*)", documentation)
    entries: dict[str, str] = {}
    name = ""
    for line in (found[1] if found else "").splitlines():
        entry = re.match(r"    (\w[\w, ]*): (.*)", line)
        if entry:
            name = entry[1]
            entries[name] = entry[2]
        elif name:
            entries[name] = f"{entries[name]} {line.strip()}".strip()
    return entries


OPERATIONS: Final = (
    Operation("read", "read", "read"),
    Operation("read_bytes", "read", "read"),
    Operation("read_text", "read", "read"),
    Operation("write", "write", "write"),
    Operation("append", "write", "write"),
    Operation("edit", "edit", "write"),
    Operation("glob", "glob", "read"),
    Operation("grep", "grep", "read"),
    Operation("diff", "diff", "read"),
    Operation("diff_text", "diff", "read"),
    Operation("patch", "patch", "write"),
    Operation("ls", "ls", "read"),
    Operation("find", "find", "read"),
    Operation("tree", "tree", "read"),
    Operation("stat", "metadata", "read"),
    Operation("lstat", "metadata", "read"),
    Operation("exists", "metadata", "read"),
    Operation("mkdir", "entries", "write"),
    Operation("rm", "entries", "write"),
    Operation("cp", "entries", "write"),
    Operation("mv", "entries", "write"),
    Operation("link", "entries", "write"),
    Operation("symlink", "entries", "write"),
    Operation("readlink", "metadata", "read"),
    Operation("realpath", "metadata", "read"),
    Operation("chmod", "metadata", "write"),
    Operation("utime", "metadata", "write"),
    Operation("truncate", "metadata", "write"),
    Operation("hash", "metadata", "read"),
    Operation("detect", "detect", "read"),
    Operation("apply", "apply", "write"),
    Operation("changes", "upkeep", "read"),
    Operation("history", "upkeep", "read"),
    Operation("undo", "moments", "write"),
    Operation("redo", "moments", "write"),
    Operation("snapshot", "moments", "write"),
    Operation("snapshots", "moments", "read"),
    Operation("delete_snapshot", "moments", "write"),
    Operation("restore", "moments", "write"),
    Operation("compare", "moments", "read"),
    Operation("check", "upkeep", "write"),
    Operation("usage", "upkeep", "read"),
    Operation("gc", "upkeep", "write"),
    Operation("vacuum", "upkeep", "write"),
    Operation("watch", "upkeep", "read"),
    Operation("import_directory", "transfer", "write"),
    Operation("export_directory", "transfer", "read"),
)


def operation(name: str) -> Operation:
    """Return the operation of that name.

    Raises:
        KeyError: There is none.
    """
    return {operation.name: operation for operation in OPERATIONS}[name]
