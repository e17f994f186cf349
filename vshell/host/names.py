"""Names in a directory of the host: text for us, bytes for the host."""

from __future__ import annotations

import os
import sys
from typing import Final, Literal, NamedTuple

from vshell.errors import InvalidPathError

__all__ = [
    "HostEntry",
    "HostKind",
    "by_name",
    "decoded",
    "encoded",
    "encoded_text",
    "kind_of",
    "text",
]

HostKind = Literal["file", "directory", "symlink", "other"]

_UTF_8: Final = sys.getfilesystemencoding() == "utf-8"


class HostEntry(NamedTuple):
    """One name in a directory; `inode` is unique on the directory's file system only."""

    name: str
    kind: HostKind
    inode: int


def kind_of(entry: os.DirEntry[str]) -> HostKind:
    if entry.is_file(follow_symlinks=False):
        return "file"
    if entry.is_dir(follow_symlinks=False):
        return "directory"
    return "symlink" if entry.is_symlink() else "other"


def by_name(entry: HostEntry) -> bytes:
    return entry.name.encode("utf-8", "surrogateescape")


def encoded(name: str) -> bytes:
    """Return the bytes of a name after making sure that it is one.

    Raises:
        InvalidPathError: It is empty, `.` or `..`, or holds a slash or NUL.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise InvalidPathError(f"not the name of a file: {name!r}", path=name)
    return encoded_text(name)


def encoded_text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def text(name: str) -> str:
    """Return a name as Python's file functions have it, which depends on the locale, as ours."""
    return name if _UTF_8 else decoded(os.fsencode(name))
