"""Every operation, declared once: what the command line, tools and the reference are made of.

A declaration is a name, where the function is, and where people look for it. Everything
else that can be said of it stands in the function itself: its signature says what it
takes, its docstring what that means. So nothing here can disagree with what happens.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import Any, Final, Literal, get_args, get_origin

Kind = Literal["read", "write"]
Topic = Literal["files", "search", "changes", "history", "transfer", "upkeep"]

REQUIRED: Final = inspect.Parameter.empty

# What is the same in every operation need not stand in each docstring.
_USUAL: Final = {"path": "The path."}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        name: Its name in Python.
        annotation: Its type, as it is written in the signature.
        default: Its default, or `REQUIRED`.
        positional: Whether it may be given without its name.
        help: What it means, from the docstring.
        choices: The values that a `Literal` allows; empty for any other type.
    """

    name: str
    annotation: str
    default: Any
    positional: bool
    help: str
    choices: tuple[str, ...]

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def types(self) -> frozenset[str]:
        """The alternatives of its type, such as `{"int", "None"}`."""
        return frozenset(re.split(r"\s*\|\s*", self.annotation))


@dataclass(frozen=True)
class Operation:
    """One operation of the workspace.

    Attributes:
        name: The name of the method.
        module: The module that has the function of that name.
        kind: `"read"`, or `"write"` when it can change the workspace.
        topic: Under which heading people look for it.
        creates: Whether it makes sense in a workspace that does not exist yet.
    """

    name: str
    module: str
    kind: Kind
    topic: Topic
    creates: bool = False

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
        paragraph = " ".join(self._documentation.partition("\n\n")[0].split())
        return re.split(r"(?<=\.) (?=[A-Z`])", paragraph)[0]

    @cached_property
    def description(self) -> str:
        """The documentation up to the list of arguments."""
        return re.split(r"\n\n(?:Args|Returns|Raises|Yields):\n", self._documentation)[0]

    @cached_property
    def errors(self) -> dict[str, str]:
        """What the documentation says of each error, by the names of its classes."""
        return {
            name: text
            for names, text in section(self._documentation, "Raises").items()
            for name in names.split(", ")
        }

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters after the context."""
        helps = _USUAL | section(self._documentation, "Args")
        names = getattr(self.function, "__globals__", {})
        found = list(inspect.signature(self.function).parameters.values())[1:]
        return tuple(
            Parameter(
                parameter.name,
                str(parameter.annotation),
                parameter.default,
                parameter.kind is not inspect.Parameter.KEYWORD_ONLY,
                helps.get(parameter.name, ""),
                _choices(str(parameter.annotation), names),
            )
            for parameter in found
        )

    @property
    def result_annotation(self) -> str:
        """The type of what it returns, as it is written in the signature."""
        return str(inspect.signature(self.function).return_annotation)

    @cached_property
    def result_class(self) -> type | None:
        """The class of what it returns or yields; None for a builtin."""
        names = getattr(self.function, "__globals__", {})
        words = re.findall(r"\w+", self.result_annotation)
        found = [names[word] for word in words if isinstance(names.get(word), type)]
        return next((kind for kind in found if "Attributes:" in (kind.__doc__ or "")), None)

    @property
    def _documentation(self) -> str:
        return inspect.getdoc(self.function) or ""


def section(documentation: str, title: str) -> dict[str, str]:
    """Return the entries of one section of a docstring, such as `Args`, by name."""
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


def _choices(annotation: str, names: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a `Literal` allows that stands in an annotation, or that a name in it is."""
    written = re.search(r"Literal\[(.*?)\]", annotation)
    if written:
        return tuple(re.findall(r"[\"']([^\"']+)[\"']", written[1]))
    for word in re.findall(r"\w+", annotation):
        meant = names.get(word)
        if not isinstance(meant, UnionType) and get_origin(meant) is Literal:
            return get_args(meant)
    return ()


OPERATIONS: Final = (
    Operation("read", "read", "read", "files"),
    Operation("read_bytes", "read", "read", "files"),
    Operation("read_text", "read", "read", "files"),
    Operation("write", "write", "write", "files", creates=True),
    Operation("append", "write", "write", "files", creates=True),
    Operation("edit", "edit", "write", "changes"),
    Operation("glob", "glob", "read", "search"),
    Operation("grep", "grep", "read", "search"),
    Operation("diff", "diff", "read", "changes"),
    Operation("diff_text", "diff", "read", "changes"),
    Operation("patch", "patch", "write", "changes", creates=True),
    Operation("ls", "ls", "read", "search"),
    Operation("find", "find", "read", "search"),
    Operation("tree", "tree", "read", "search"),
    Operation("stat", "metadata", "read", "search"),
    Operation("lstat", "metadata", "read", "search"),
    Operation("exists", "metadata", "read", "search"),
    Operation("mkdir", "entries", "write", "files", creates=True),
    Operation("rm", "entries", "write", "files"),
    Operation("cp", "entries", "write", "files"),
    Operation("mv", "entries", "write", "files"),
    Operation("link", "entries", "write", "files"),
    Operation("symlink", "entries", "write", "files", creates=True),
    Operation("readlink", "metadata", "read", "search"),
    Operation("realpath", "metadata", "read", "search"),
    Operation("chmod", "metadata", "write", "files"),
    Operation("utime", "metadata", "write", "files"),
    Operation("truncate", "metadata", "write", "files"),
    Operation("hash", "metadata", "read", "search"),
    Operation("detect", "detect", "read", "search"),
    Operation("apply", "apply", "write", "changes", creates=True),
    Operation("changes", "upkeep", "read", "history"),
    Operation("history", "upkeep", "read", "history"),
    Operation("log", "log", "read", "history"),
    Operation("undo", "moments", "write", "history"),
    Operation("redo", "moments", "write", "history"),
    Operation("snapshot", "moments", "write", "history"),
    Operation("snapshots", "moments", "read", "history"),
    Operation("delete_snapshot", "moments", "write", "history"),
    Operation("restore", "moments", "write", "history"),
    Operation("compare", "moments", "read", "history"),
    Operation("check", "upkeep", "write", "upkeep"),
    Operation("usage", "upkeep", "read", "upkeep"),
    Operation("gc", "upkeep", "write", "upkeep"),
    Operation("keep_history", "upkeep", "write", "upkeep"),
    Operation("index", "upkeep", "write", "upkeep"),
    Operation("vacuum", "upkeep", "write", "upkeep"),
    Operation("watch", "upkeep", "read", "history"),
    Operation("import_directory", "transfer", "write", "transfer", creates=True),
    Operation("export_directory", "transfer", "read", "transfer"),
    Operation("import_archive", "packing", "write", "transfer", creates=True),
    Operation("export_archive", "packing", "read", "transfer"),
    Operation("backup", "packing", "read", "transfer"),
    Operation("import_git", "git", "write", "transfer", creates=True),
    Operation("export_git", "git", "read", "transfer"),
)


def operation(name: str) -> Operation:
    """Return the operation of that name.

    Raises:
        KeyError: There is none.
    """
    return {operation.name: operation for operation in OPERATIONS}[name]
