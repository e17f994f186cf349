"""The files of a script in Monty: what it asks its system for, as calls of `state`.

Each function here answers one kind of request. It is a generator: it yields a method and
its arguments, gets the answer, and returns what the request returns. Only the last call
of each may change anything, so that a request can be begun again after a crash.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

__all__ = ["Request", "Steps", "request_of"]

Request = tuple[str, tuple[Any, ...]]
Steps = Generator[Request, Any, Any]


def request_of(name: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Steps | None:
    """Return the steps that answer a request; None when there is no answer to it.

    Args:
        name: What Monty calls it, such as `Path.read_text`.
        arguments: By position.
        keywords: By name.
    """
    function = _ANSWERS.get(name)
    return None if function is None else function(*arguments, **keywords)


def _path(given: Any) -> str:
    """The path of what is a path, or an opened file."""
    return str(getattr(given, "path", given)) if not isinstance(given, str) else given


def _is(type: str) -> Callable[[Any], Steps]:
    def answer(path: Any) -> Steps:
        found = yield "stat", (_path(path),)
        return found is not None and found["type"] == type

    return answer


def _exists(path: Any) -> Steps:
    found = yield "stat", (_path(path),)
    return found is not None


def _is_symlink(path: Any) -> Steps:
    found = yield "lstat", (_path(path),)
    return found is not None and found["type"] == "symlink"


def _open(path: Any, mode: str) -> Steps:
    from pydantic_monty import MontyFileHandle

    handle = MontyFileHandle(str(path), mode)
    found = yield "stat", (str(path),)
    if found is not None and found["type"] == "directory":
        raise IsADirectoryError(f"[Errno 21] Is a directory: {str(path)!r}")
    if handle.mode[0] == "r":
        if found is None:
            raise FileNotFoundError(f"[Errno 2] No such file or directory: {str(path)!r}")
    elif handle.mode[0] == "w" or found is None:
        yield "writeFileBytes", (str(path), b"")
    return handle


def _read_text(path: Any) -> Steps:
    return (yield "readFile", (_path(path),))


def _read_bytes(path: Any) -> Steps:
    return (yield "readFileBytes", (_path(path),))


def _write(method: str) -> Callable[[Any, Any], Steps]:
    def answer(path: Any, data: Any) -> Steps:
        yield method, (_path(path), data)
        return len(data)

    return answer


def _mkdir(path: Any, parents: bool = False, exist_ok: bool = False) -> Steps:
    where = _path(path)
    found = yield "lstat", (where,)
    if found is not None:
        if exist_ok and found["type"] == "directory":
            return None
        raise FileExistsError(f"[Errno 17] File exists: {where!r}")
    if not parents and (yield "stat", (posixpath.dirname(where) or ".",)) is None:
        raise FileNotFoundError(f"[Errno 2] No such file or directory: {where!r}")
    yield "mkdir", (where, {"recursive": True})
    return None


def _unlink(path: Any) -> Steps:
    where = _path(path)
    found = yield "lstat", (where,)
    if found is not None and found["type"] == "directory":
        raise IsADirectoryError(f"[Errno 21] Is a directory: {where!r}")
    yield "rm", (where,)


def _rmdir(path: Any) -> Steps:
    where = _path(path)
    if (yield "readdir", (where,)):
        raise OSError(f"[Errno 39] Directory not empty: {where!r}")
    yield "rm", (where, {"recursive": True})


def _rename(path: Any, target: Any) -> Steps:
    yield "mv", (_path(path), _path(target), {"recursive": True})


def _iterdir(path: Any) -> Steps:
    from pathlib import PurePosixPath

    names = yield "readdir", (_path(path),)
    return [PurePosixPath(_path(path), name) for name in names]


def _stat(path: Any) -> Steps:
    from pydantic_monty import StatResult

    found = yield "stat", (_path(path),)
    if found is None:
        raise FileNotFoundError(f"[Errno 2] No such file or directory: {_path(path)!r}")
    seconds = found["mtime"] / 1000
    if found["type"] == "directory":
        return StatResult.dir_stat(mtime=seconds)
    return StatResult.file_stat(int(found["size"]), mtime=seconds)


def _scan(path: Any, *, max_depth: int | None = None, **hints: Any) -> Steps:
    """Answer a walk: the directory and what is below it; no link is followed."""
    from pydantic_monty import ScanEntry

    del hints  # how the reply will be filtered; Monty does that itself
    where = _path(path)
    options = {} if max_depth is None else {"maxDepth": max_depth}
    found = yield "find", (where, options)
    if not found:
        raise FileNotFoundError(f"[Errno 2] No such file or directory: {where!r}")
    root = found[0]["path"]
    return [
        ScanEntry(
            posixpath.relpath(each["path"], root) if each["depth"] else "",
            each["type"] == "directory",
            each["type"] == "file",
            each["type"] == "symlink",
        )
        for each in found
    ]


def _resolve(path: Any) -> Steps:
    return (yield "resolvePath", (".", _path(path)))


_ANSWERS: Final[dict[str, Callable[..., Steps]]] = {
    "Path.exists": _exists,
    "Path.is_file": _is("file"),
    "Path.is_dir": _is("directory"),
    "Path.is_symlink": _is_symlink,
    "open": _open,
    "Path.read_text": _read_text,
    "Path.read_bytes": _read_bytes,
    "Path.write_text": _write("writeFile"),
    "Path.write_bytes": _write("writeFileBytes"),
    "Path.append_text": _write("appendFile"),
    "Path.append_bytes": _write("appendFile"),
    "Path.mkdir": _mkdir,
    "Path.unlink": _unlink,
    "Path.rmdir": _rmdir,
    "Path.iterdir": _iterdir,
    "Path.scan": _scan,
    "Path.stat": _stat,
    "Path.rename": _rename,
    "Path.resolve": _resolve,
    "Path.absolute": _resolve,
}
