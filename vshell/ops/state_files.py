"""The scripting methods on single files and directories; `state_methods` says what each does."""

from __future__ import annotations

from typing import Any

from vshell.errors import (
    InvalidPathError,
    IsDirectoryError,
    NameTooLongError,
    NotDirectoryError,
    NotFoundError,
)
from vshell.fs.paths import lexical, split
from vshell.fs.records import KIND_NAMES
from vshell.ops import entries, metadata, write
from vshell.ops import read as read_
from vshell.ops.context import Context
from vshell.ops.detect import detect
from vshell.ops.state_text import as_bytes, as_text, check_size, resolve, resolve_named


def get_capabilities(context: Context) -> dict[str, bool]:  # noqa: ARG001 - the form of a method
    return {"chmod": True, "utimes": True, "hardLinks": True}


def read_file(context: Context, path: str) -> str:
    return as_text(read_file_bytes(context, path))


def read_file_bytes(context: Context, path: str) -> bytes:
    where = resolve(context, path)
    check_size(context.files.stat(where).size, where)
    return read_.read_bytes(context, where)


def write_file(context: Context, path: str, content: str) -> None:
    write.write(context, resolve(context, path), as_bytes(content))


def write_file_bytes(context: Context, path: str, content: bytes) -> None:
    write.write(context, resolve(context, path), content)


def append_file(context: Context, path: str, content: str | bytes) -> None:
    data = as_bytes(content) if isinstance(content, str) else content
    write.append(context, resolve(context, path), data)


def exists(context: Context, path: str) -> bool:
    try:
        where = resolve(context, path)
    except (InvalidPathError, NameTooLongError):
        return False
    return metadata.exists(context, where)


def stat(context: Context, path: str) -> dict[str, Any] | None:
    return _stat(context, path, follow=True)


def lstat(context: Context, path: str) -> dict[str, Any] | None:
    return _stat(context, path, follow=False)


def _stat(context: Context, path: str, *, follow: bool) -> dict[str, Any] | None:
    try:
        found = context.files.stat(resolve(context, path), follow=follow)
    except (NotFoundError, NotDirectoryError, InvalidPathError, NameTooLongError):
        return None
    return {
        "type": found.kind,
        "size": found.size,
        "mtime": milliseconds(found.mtime_ns),
        "mode": found.mode,
    }


def milliseconds(nanoseconds: int) -> int:
    """Return a time as JavaScript counts it."""
    return nanoseconds // 1_000_000


def mkdir(context: Context, path: str, *, recursive: bool) -> None:
    entries.mkdir(context, resolve(context, path), parents=recursive, exist_ok=recursive)


def rm(context: Context, path: str, *, recursive: bool, force: bool) -> None:
    entries.rm(context, resolve_named(context, path), recursive=recursive, force=force)


def remove_tree(context: Context, path: str) -> None:
    rm(context, path, recursive=True, force=True)


def cp(context: Context, src: str, dest: str, *, recursive: bool) -> None:
    source, target = resolve(context, src), resolve(context, dest)
    with context.changing("cp"):
        if not recursive:
            _refuse_directory(context, source, "copy")
        # A link is copied as a link, as it is inside a tree.
        entries.cp(context, source, target, recursive=True)


def copy_tree(context: Context, src: str, dest: str) -> None:
    cp(context, src, dest, recursive=True)


def mv(context: Context, src: str, dest: str, *, recursive: bool) -> None:
    source, target = resolve_named(context, src), resolve_named(context, dest)
    with context.changing("mv"):
        if not recursive:
            _refuse_directory(context, source, "move")
        entries.mv(context, source, target)


def move_tree(context: Context, src: str, dest: str) -> None:
    mv(context, src, dest, recursive=True)


def _refuse_directory(context: Context, source: str, verb: str) -> None:
    if context.files.stat(source, follow=False).kind == "directory":
        raise IsDirectoryError(
            f"is a directory: {source}", path=source, hint=f"use recursive to {verb} it"
        )


def readdir(context: Context, path: str) -> list[str]:
    return context.files.names(resolve(context, path))


def readdir_with_file_types(context: Context, path: str) -> list[dict[str, str]]:
    found, _ = context.files.list_directory(resolve(context, path))
    return [{"name": split(entry.path)[1], "type": KIND_NAMES[entry.kind]} for entry in found]


def symlink(context: Context, target: str, link_path: str) -> None:
    entries.symlink(context, target, resolve(context, link_path))


def readlink(context: Context, path: str) -> str:
    return context.files.readlink(resolve(context, path))


def realpath(context: Context, path: str) -> str:
    return context.files.realpath(resolve(context, path))


def resolve_path(context: Context, base: str, path: str) -> str:
    return lexical(path or ".", resolve(context, base))


def hash_file(context: Context, path: str, *, algorithm: str) -> str:
    return metadata.hash(context, resolve(context, path), algorithm=algorithm)


def detect_file(context: Context, path: str) -> dict[str, Any]:
    found = detect(context, resolve(context, path))
    result = {"mime": found.mime, "description": found.description, "binary": found.binary}
    return result if found.extension is None else result | {"extension": found.extension}
