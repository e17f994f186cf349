"""Writing whole files, and adding to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from vshell.errors import DecodeError
from vshell.fs.paths import PathLike, encode
from vshell.fs.records import Written
from vshell.ops.context import Context
from vshell.ops.lazy_patch import LazyPatch, Patched, stored_patch

Data = str | bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class WriteResult(Patched):
    """What a write did.

    Attributes:
        path: The file's path from the root, links followed.
        created: Whether it is new.
        bytes: How many bytes it has now.
        version: Its version now, for `expected_version` of a later change.
        old_hash: What identified its content before; None when it is new.
        hash: What identifies its content now.
        patch: The change as a unified diff, computed when asked for.
    """

    path: str
    created: bool
    bytes: int
    version: int
    old_hash: str | None
    hash: str
    _patch: LazyPatch = field(repr=False, compare=False)


def write(
    context: Context,
    path: PathLike,
    data: Data,
    *,
    expected_version: int | None = None,
    exist_ok: bool = True,
    parents: bool = True,
) -> WriteResult:
    """Give a file this content, making it when it is missing.

    Args:
        path: The file; a link is written through.
        data: Text, written as UTF-8, or bytes.
        expected_version: The version that the file must have; 0: it must not exist.
        exist_ok: Overwrite an existing file.
        parents: Make missing directories.

    Raises:
        StaleError: The file has another version.
        ExistsError: It exists and `exist_ok` is false.
        NotReadError: The session requires that it is read first.
        IsDirectoryError: It is a directory.
        QuotaExceededError: It would not fit.
        DecodeError: The text holds lone surrogates other than undecodable bytes.
        NotFoundError: A directory is missing and `parents` is false.
    """
    where = context.resolve(path)
    content = encode_data(data)
    with context.changing("write"):
        context.require_seen(where)
        written = context.files.write(
            where,
            content,
            exist_ok=exist_ok,
            parents=parents,
            expected_version=expected_version,
        )
        context.note_read(where, written.after.hex())
    return written_result(context, written)


def append(
    context: Context, path: PathLike, data: Data, *, expected_version: int | None = None
) -> WriteResult:
    """Add to the end of a file, making it and missing directories.

    As nothing is lost by it, a session need not have read the file.

    Args:
        path: The file.
        data: Text, written as UTF-8, or bytes; what is there is never re-encoded.
        expected_version: The version that the file must have; 0: it must not exist.

    Raises:
        StaleError: The file has another version.
        IsDirectoryError: It is a directory.
        QuotaExceededError: It would not fit.
        DecodeError: The text holds lone surrogates other than undecodable bytes.
    """
    where = context.resolve(path)
    content = encode_data(data)
    with context.changing("append"):
        context.require_version(where, expected_version)
        written = context.files.append(where, content, parents=True)
        before, after = written.before, written.after
        context.note_appended(where, None if before is None else before.hex(), after.hex())
    return written_result(context, written)


def encode_data(data: Data) -> bytes | bytearray | memoryview:
    """Return what a caller gave as bytes.

    Raises:
        DecodeError: It is text that stands for no bytes.
    """
    if not isinstance(data, str):
        return data
    try:
        return encode(data)
    except UnicodeEncodeError as error:
        raise DecodeError(
            f"character {error.start} of the text is a lone surrogate, which stands for no bytes",
            hint="pass text that UTF-8 can hold, or bytes",
            data={"offset": error.start},
        ) from None


def written_result(context: Context, written: Written) -> WriteResult:
    """Return the public form of what the file system did."""
    before = None if written.before is None else written.before.hex()
    after = written.after.hex()
    return WriteResult(
        written.path,
        written.created,
        written.size,
        written.version,
        before,
        after,
        stored_patch(context.files, written.path, before, after),
    )
