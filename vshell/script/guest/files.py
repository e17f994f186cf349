"""`open()` and `os`, on the files of the workspace.

A file is loaded when it is opened and written back when it is flushed or closed; what
`open` returns is made of Python's own layers, so that text, lines, `seek` and `newline`
are as ever. `pathlib`, `shutil`, `glob`, `os.path` and `os.walk` are built on the
functions replaced here and follow.
"""

from __future__ import annotations

import builtins
import errno
import glob
import io
import os
import shutil
import stat as modes
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

__all__ = ["Files", "install"]

StateCall = Callable[..., Any]

_TYPES: Final = {
    "file": modes.S_IFREG,
    "directory": modes.S_IFDIR,
    "symlink": modes.S_IFLNK,
}


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class _StateFile(io.BytesIO):
    """The bytes of a file; they go back when it is closed."""

    def __init__(self, files: Files, path: str, content: bytes, mode: str) -> None:
        super().__init__(content)
        self.name = path
        self.mode = mode  # type: ignore[misc] # as of any file of Python's
        self._files = files
        self._reads = "r" in mode or "+" in mode
        self._appends = "a" in mode
        self._writes = "r" not in mode or "+" in mode
        self._dirty = "w" in mode or "x" in mode
        if self._appends:
            self.seek(0, io.SEEK_END)

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def fileno(self) -> int:
        raise io.UnsupportedOperation("a file of the workspace has no descriptor")

    def read(self, size: int | None = -1, /) -> bytes:
        self._need_read()
        return super().read(size)

    def read1(self, size: int | None = -1, /) -> bytes:
        self._need_read()
        return super().read1(-1 if size is None else size)

    def readline(self, size: int | None = -1, /) -> bytes:
        self._need_read()
        return super().readline(-1 if size is None else size)

    def readinto(self, buffer: Any, /) -> int:
        self._need_read()
        return super().readinto(buffer)

    def _need_read(self) -> None:
        if not self._reads:
            raise io.UnsupportedOperation("not readable")

    def write(self, data: Any, /) -> int:
        if not self._writes:
            raise io.UnsupportedOperation("not writable")
        if self._appends:
            self.seek(0, io.SEEK_END)
        self._dirty = True
        return super().write(data)

    def truncate(self, size: int | None = None, /) -> int:
        if not self._writes:
            raise io.UnsupportedOperation("truncate")
        self._dirty = True
        return super().truncate(size)

    def flush(self) -> None:
        if not self.closed and self._dirty:
            self._dirty = False
            self._files.call("writeFileBytes", self.name, self.getvalue())

    def close(self) -> None:
        if not self.closed:
            try:
                self.flush()
            finally:
                super().close()


class Files:
    """The functions that replace Python's.

    Args:
        call: Calls a method of `state` by name.
    """

    def __init__(self, call: StateCall) -> None:
        self._call = call
        self._directory: str | None = None

    def call(self, method: str, path: Any, *more: Any) -> Any:
        """Call a method with a path that starts at the script's own directory."""
        return self._call(method, self.absolute(path), *more)

    def absolute(self, path: Any) -> str:
        if isinstance(path, int):
            raise _error(errno.EBADF, str(path))
        text = os.fsdecode(path)
        if self._directory is None or text.startswith("/"):
            return text
        return os.path.join(self._directory, text)

    def getcwd(self) -> str:
        if self._directory is None:
            self._directory = str(self._call("resolvePath", ".", "."))
        return self._directory

    def chdir(self, path: Any) -> None:
        if not modes.S_ISDIR(self.stat(path).st_mode):
            raise _error(errno.ENOTDIR, os.fsdecode(path))
        self._directory = str(self._call("resolvePath", self.getcwd(), os.fsdecode(path)))

    def open(  # noqa: PLR0917 - Python's own signature
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,  # noqa: ARG002 - Python's own signature
        opener: Any = None,  # noqa: ARG002
    ) -> Any:
        binary = _checked_mode(mode, encoding, errors, newline)
        path = os.fsdecode(file) if not isinstance(file, int) else self.absolute(file)
        raw = _StateFile(self, self.absolute(path), self._content(path, mode), mode)
        raw.flush()  # a new or emptied file is there from now on
        raw.name = self.absolute(path)
        if binary:
            return raw
        text = io.TextIOWrapper(
            raw, encoding or "utf-8", errors, newline, line_buffering=buffering == 1
        )
        text.mode = mode  # type: ignore[misc]
        return text

    def _content(self, path: str, mode: str) -> bytes:
        if "w" in mode:
            return b""
        if "x" in mode:
            if self.call("lstat", path) is not None:
                raise _error(errno.EEXIST, path)
            return b""
        if "a" in mode and self.call("stat", path) is None:
            self.call("writeFileBytes", path, b"")
            return b""
        content: bytes = self.call("readFileBytes", path)
        return content

    def stat(
        self, path: Any, *, dir_fd: Any = None, follow_symlinks: bool = True
    ) -> os.stat_result:
        found = self.call("stat" if follow_symlinks else "lstat", _no_descriptor(path, dir_fd))
        if found is None:
            raise _error(errno.ENOENT, os.fsdecode(path))
        seconds = found["mtime"] / 1000
        kept = found.get("mode")
        permissions = 0o644 if kept is None else int(kept)
        mode = _TYPES[found["type"]] | permissions & 0o7777
        size = int(found["size"])
        return os.stat_result(
            (mode, 0, 0, 1, 0, 0, size, int(seconds), int(seconds), int(seconds))
            + (seconds, seconds, seconds)
            + (int(seconds * 1e9),) * 3
        )

    def lstat(self, path: Any, *, dir_fd: Any = None) -> os.stat_result:
        return self.stat(path, dir_fd=dir_fd, follow_symlinks=False)

    def listdir(self, path: Any = ".") -> list[Any]:
        names: list[str] = self.call("readdir", path)
        return [os.fsencode(name) for name in names] if isinstance(path, bytes) else names

    def scandir(self, path: Any = ".") -> _Scan:
        entries = self.call("readdirWithFileTypes", path)
        return _Scan([_Entry(self, path, each["name"], each["type"]) for each in entries])

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: Any = None) -> None:  # noqa: ARG002
        where = _no_descriptor(path, dir_fd)
        if self.call("lstat", where) is not None:
            raise _error(errno.EEXIST, os.fsdecode(path))
        parent = os.path.dirname(self.absolute(where).rstrip("/")) or "."
        if self.call("stat", parent) is None:
            raise _error(errno.ENOENT, os.fsdecode(path))
        self.call("mkdir", where)

    def remove(self, path: Any, *, dir_fd: Any = None) -> None:
        if modes.S_ISDIR(self.lstat(path, dir_fd=dir_fd).st_mode):
            raise _error(errno.EISDIR, os.fsdecode(path))
        self.call("rm", path)

    def rmdir(self, path: Any, *, dir_fd: Any = None) -> None:
        if not modes.S_ISDIR(self.lstat(path, dir_fd=dir_fd).st_mode):
            raise _error(errno.ENOTDIR, os.fsdecode(path))
        if self.call("readdir", path):
            raise _error(errno.ENOTEMPTY, os.fsdecode(path))
        self.call("rm", path, {"recursive": True})

    def rename(self, src: Any, dst: Any, *, src_dir_fd: Any = None, dst_dir_fd: Any = None) -> None:
        target = self.absolute(_no_descriptor(dst, dst_dir_fd))
        self.call("mv", _no_descriptor(src, src_dir_fd), target, {"recursive": True})

    def readlink(self, path: Any, *, dir_fd: Any = None) -> str:
        if not modes.S_ISLNK(self.lstat(path, dir_fd=dir_fd).st_mode):
            raise _error(errno.EINVAL, os.fsdecode(path))
        return str(self.call("readlink", path))

    def symlink(
        self,
        src: Any,
        dst: Any,
        target_is_directory: bool = False,  # noqa: ARG002 - Python's own
        *,
        dir_fd: Any = None,
    ) -> None:
        where = _no_descriptor(dst, dir_fd)
        if self.call("lstat", where) is not None:
            raise _error(errno.EEXIST, os.fsdecode(dst))
        self._call("symlink", os.fsdecode(src), self.absolute(where))

    def access(self, path: Any, mode: int, **options: Any) -> bool:  # noqa: ARG002
        return self.call("stat", path) is not None

    def keep(self, path: Any, *arguments: Any, **options: Any) -> None:  # noqa: ARG002
        """Take a new mode or time of a file: scripts cannot set these, and copies try to."""
        self.stat(path)

    def truncate(self, path: Any, length: int) -> None:
        with self.open(path, "r+b") as file:
            content = file.getvalue()[:length]
            file.seek(0)
            file.truncate(0)
            file.write(content.ljust(length, b"\0"))


def _checked_mode(mode: str, encoding: str | None, errors: str | None, newline: str | None) -> bool:
    """Check a mode as Python does; tell whether it is binary."""
    letters = set(mode)
    if letters - set("rwxabt+") or len(mode) > len(letters) or len(letters & set("rwxa")) != 1:
        raise ValueError(f"invalid mode: {mode!r}")
    if {"b", "t"} <= letters:
        raise ValueError("can't have text and binary mode at once")
    for name, value in (("encoding", encoding), ("errors", errors), ("newline", newline)):
        if "b" in letters and value is not None:
            raise ValueError(f"binary mode doesn't take an {name} argument")
    return "b" in letters


def _no_descriptor(path: Any, descriptor: Any) -> Any:
    if descriptor is not None:
        raise NotImplementedError("a directory of the workspace has no descriptor")
    return path


class _Scan:
    """What `os.scandir` returns."""

    def __init__(self, entries: list[_Entry]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[_Entry]:
        return self._entries

    def __next__(self) -> _Entry:
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


class _Entry:
    """An entry of a directory."""

    def __init__(self, files: Files, directory: Any, name: str, type: str) -> None:
        self.name = os.fsencode(name) if isinstance(directory, bytes) else name
        self.path = os.path.join(directory, self.name)
        self._files = files
        self._type = type

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return self._files.stat(self.path, follow_symlinks=follow_symlinks)

    def is_symlink(self) -> bool:
        return self._type == "symlink"

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._is("directory", follow_symlinks=follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self._is("file", follow_symlinks=follow_symlinks)

    def _is(self, type: str, *, follow_symlinks: bool) -> bool:
        if self._type != "symlink" or not follow_symlinks:
            return self._type == type
        found = self._files.call("stat", self.path)
        return found is not None and found["type"] == type

    def inode(self) -> int:
        return 0


_REPLACED: Final = {
    **{name: name for name in ("access", "chdir", "getcwd", "listdir", "lstat", "mkdir")},
    **{name: name for name in ("readlink", "remove", "rename", "rmdir", "scandir", "stat")},
    **{name: name for name in ("symlink", "truncate")},
    "unlink": "remove",
    "chmod": "keep",
    "utime": "keep",
    "replace": "rename",
}


def install(call: StateCall) -> Files:
    """Put the functions where Python's own are.

    Args:
        call: Calls a method of `state` by name.
    """
    files = Files(call)
    for name, own in _REPLACED.items():
        setattr(os, name, getattr(files, own))
    os.getcwdb = lambda: os.fsencode(files.getcwd())
    # Code that asks what a function supports must not take ways around these.
    for capabilities in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        capabilities.clear()
    os.supports_follow_symlinks.add(os.stat)
    shutil._use_fd_functions = False  # type: ignore[attr-defined] # noqa: SLF001 - decided at import
    # Since Python 3.13 the functions behind `Path.glob` were copied into a class.
    globber = getattr(glob, "_StringGlobber", None)
    for name in ("lstat", "scandir"):
        if hasattr(globber, name):
            setattr(globber, name, staticmethod(getattr(files, name)))
    builtins.open = files.open
    io.open = files.open
    return files
