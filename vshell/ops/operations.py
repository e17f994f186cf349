"""The operations that `apply` takes, as objects or as mappings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final

from vshell.errors import EditError
from vshell.fs.paths import PathLike
from vshell.ops.context import Versions
from vshell.ops.write import Data

if TYPE_CHECKING:
    from vshell.text.edits import Edit

__all__ = [
    "Append",
    "Copy",
    "EditFile",
    "MakeDirectory",
    "MakeLink",
    "MakeSymbolicLink",
    "Move",
    "Operation",
    "Patch",
    "Remove",
    "SetMode",
    "SetTime",
    "Truncate",
    "Write",
    "parse_operations",
]


@dataclass(frozen=True, slots=True)
class Write:
    """Give a file this content; see `write`."""

    op: ClassVar[str] = "write"

    path: PathLike
    data: Data
    expected_version: int | None = None
    exist_ok: bool = True
    parents: bool = True


@dataclass(frozen=True, slots=True)
class Append:
    """Add to the end of a file; see `append`."""

    op: ClassVar[str] = "append"

    path: PathLike
    data: Data
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class EditFile:
    """Replace texts in a file; see `edit`."""

    op: ClassVar[str] = "edit"

    path: PathLike
    edits: Edit | Mapping[str, object] | Sequence[Edit | Mapping[str, object]]
    basis: str = "original"
    fuzz: str = "none"
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """Apply a patch; see `patch`."""

    op: ClassVar[str] = "patch"

    text: str | bytes
    fuzz: int = 2
    path: PathLike = "/"
    reverse: bool = False
    strip: int | None = None
    expected_version: Versions | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Move or rename a file, link or directory; see `mv`."""

    op: ClassVar[str] = "mv"

    src: PathLike
    dst: PathLike
    overwrite: bool = True
    parents: bool = True
    expected_version: Versions | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy a file or a tree; see `cp`."""

    op: ClassVar[str] = "cp"

    src: PathLike
    dst: PathLike
    recursive: bool = False
    overwrite: bool = True
    parents: bool = True
    preserve: bool = False
    expected_version: Versions | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a file, link or directory; see `rm`."""

    op: ClassVar[str] = "rm"

    path: PathLike
    recursive: bool = False
    force: bool = False
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """Make a directory; see `mkdir`."""

    op: ClassVar[str] = "mkdir"

    path: PathLike
    parents: bool = False
    exist_ok: bool = False
    mode: int = 0o755
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class MakeLink:
    """Give a file a second name; see `link`."""

    op: ClassVar[str] = "link"

    source: PathLike
    path: PathLike
    expected_version: Versions | None = None


@dataclass(frozen=True, slots=True)
class MakeSymbolicLink:
    """Make a symbolic link; see `symlink`."""

    op: ClassVar[str] = "symlink"

    target: PathLike
    path: PathLike
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class SetMode:
    """Set permission bits; see `chmod`."""

    op: ClassVar[str] = "chmod"

    path: PathLike
    mode: int
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class SetTime:
    """Set the time of the last change; see `utime`."""

    op: ClassVar[str] = "utime"

    path: PathLike
    mtime_ns: int | None = None
    follow: bool = True
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Truncate:
    """Cut or extend a file; see `truncate`."""

    op: ClassVar[str] = "truncate"

    path: PathLike
    size: int
    expected_version: int | None = None


Operation = (
    Write
    | Append
    | EditFile
    | Patch
    | Move
    | Copy
    | Remove
    | MakeDirectory
    | MakeLink
    | MakeSymbolicLink
    | SetMode
    | SetTime
    | Truncate
)


_KINDS: Final[dict[str, type[Operation]]] = {
    kind.op: kind
    for kind in (
        Write,
        Append,
        EditFile,
        Patch,
        Move,
        Copy,
        Remove,
        MakeDirectory,
        MakeLink,
        MakeSymbolicLink,
        SetMode,
        SetTime,
        Truncate,
    )
}

_TYPES: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "PathLike": ((str, os.PathLike), "a path"),
    "Data": ((str, bytes, bytearray, memoryview), "text or bytes"),
    "str | bytes": ((str, bytes), "text or bytes"),
    "str": ((str,), "text"),
    "int": ((int,), "a number"),
    "int | None": ((int, type(None)), "a number"),
    "Versions | None": ((int, Mapping, type(None)), "a number, or one for each path"),
    "bool": ((bool,), "true or false"),
}


def parse_operations(operations: object) -> list[tuple[str, dict[str, Any]]]:
    """Return what a caller passed as names of calls and their arguments.

    Raises:
        EditError: It is no list, or something in it is no operation; `data["index"]` says
            which.
    """
    if isinstance(operations, (str, bytes, Mapping)) or not isinstance(operations, Sequence):
        raise EditError(
            f"operations are of type {type(operations).__name__}, not a list of them", hint=_SHAPE
        )
    return [_call(operation, index) for index, operation in enumerate(operations)]


_SHAPE = 'such as [{"op": "write", "path": "/a", "data": "text"}, {"op": "rm", "path": "/b"}]'


def _call(operation: object, index: int) -> tuple[str, dict[str, Any]]:
    found = [kind for kind in _KINDS.values() if isinstance(operation, kind)]
    if found:
        kind = found[0]
        given = {each.name: getattr(operation, each.name) for each in fields(kind)}
    elif isinstance(operation, Mapping):
        kind = _kind(operation.get("op"), index)
        given = {key: value for key, value in operation.items() if key != "op"}
    else:
        raise _bad_shape(index, f"is of type {type(operation).__name__}", _SHAPE)
    _check(kind, given, index)
    return kind.op, given


def _kind(name: object, index: int) -> type[Operation]:
    if isinstance(name, str) and name in _KINDS:
        return _KINDS[name]
    what = "has no `op`" if name is None else f"has the unknown `op` {str(name)[:40]!r}"
    raise _bad_shape(index, what, f"`op` is one of {', '.join(_KINDS)}")


def _check(kind: type[Operation], given: Mapping[Any, object], index: int) -> None:
    """Make sure that a call has what it needs, of the right types, and nothing else."""
    known = {each.name: each for each in fields(kind)}
    required = [name for name, each in known.items() if each.default is MISSING]
    takes = f"{kind.op} takes {', '.join(known)}"
    for name in given:
        if name not in known:
            raise _bad_shape(index, f"({kind.op}) does not take {str(name)[:40]!r}", takes)
    for name in required:
        if name not in given:
            raise _bad_shape(index, f"({kind.op}) has no `{name}`", takes)
    for name, value in given.items():
        expected = _TYPES.get(str(known[name].type))
        if expected is None:
            continue  # `edit` checks its edits itself
        types, shown = expected
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            found = type(value).__name__
            raise _bad_shape(index, f"({kind.op}): `{name}` is of type {found}", f"pass {shown}")


def _bad_shape(index: int, what: str, hint: str) -> EditError:
    return EditError(f"operations[{index}] {what}", hint=hint, data={"index": index})
