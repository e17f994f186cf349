"""Reading: text by lines, or bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vshell.errors import (
    BinaryFileError,
    DecodeError,
    IsDirectoryError,
    RangeError,
    TooLargeError,
)
from vshell.fs.paths import PathLike
from vshell.fs.records import Stat
from vshell.fs.snapshots import stat_at
from vshell.limits import MAX_TEXT_BYTES, READ_BYTES, READ_LINES
from vshell.ops.context import Context
from vshell.record import Record
from vshell.text.lines import (
    Newline,
    character_boundary,
    count_lines,
    decode,
    is_binary,
    line_start,
    newline_style,
)

_ERROR_HANDLERS = ("strict", "replace", "ignore", "surrogateescape", "backslashreplace")

Moment = int | str
"""A revision's number, or a snapshot's name."""


@dataclass(frozen=True, slots=True)
class ReadResult(Record):
    """Some lines of a text file.

    Attributes:
        path: The file's path from the root.
        text: The lines with their endings, without a byte-order mark.
        start_line: The number of the first line in `text`, from 1.
        end_line: The number of the last; `start_line - 1` when `text` is empty.
        total_lines: How many lines the file has.
        total_bytes: How many bytes the file has.
        next_line: The line to go on with; None at the end of the file.
        next_byte: The offset to go on with, in bytes; None at the end of the file.
        truncated_by: `"lines"` or `"bytes"`, whichever limit ended `text`; None when none did.
        encoding: `"utf-8"`, `"utf-16-le"`, `"utf-16-be"`, or `"unknown"` when bytes that are no
            UTF-8 stand as U+FFFD in `text`.
        newline: `"lf"`, `"crlf"`, `"cr"`, `"mixed"` or `"none"`, for the whole file.
        bom: Whether the file begins with a byte-order mark.
        hash: Identifies the whole file's content; see `Stat.hash`.
        version: For `expected_version` of a later write or edit.
    """

    path: str
    text: str
    start_line: int
    end_line: int
    total_lines: int
    total_bytes: int
    next_line: int | None
    next_byte: int | None
    truncated_by: Literal["lines", "bytes"] | None
    encoding: str
    newline: Newline
    bom: bool
    hash: str
    version: int


def read(
    context: Context,
    path: PathLike,
    *,
    start_line: int = 1,
    max_lines: int = READ_LINES,
    max_bytes: int = READ_BYTES,
    at: Moment | None = None,
) -> ReadResult:
    """Read lines of a text file, whole ones as long as one fits into `max_bytes`.

    Args:
        path: The file.
        start_line: The first line, counted from 1.
        max_lines: How many lines at most.
        max_bytes: How many bytes at most; a single line that is longer is cut.
        at: The revision or snapshot to read it from; None is now.

    Raises:
        BinaryFileError: It is no text; `read_bytes` reads it.
        RangeError: The file has no such line, or a limit is less than 1.
        TooLargeError: It has more than 64 MiB.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    where = context.resolve(path)
    for name, value in (
        ("start_line", start_line),
        ("max_lines", max_lines),
        ("max_bytes", max_bytes),
    ):
        if value < 1:
            raise RangeError(f"{name} must be 1 or more, not {value}", path=where)
    if at is not None:
        data, stat = _read_at(context, where, at)
    else:
        data, stat = context.files.read_with_stat(where)
        context.note_read(where, stat.hash)
    check_text(where, data)
    return _window(data, stat, start_line, max_lines, max_bytes)


def read_bytes(
    context: Context,
    path: PathLike,
    *,
    offset: int = 0,
    length: int | None = None,
    at: Moment | None = None,
) -> bytes:
    """Read bytes of a file.

    Args:
        path: The file.
        offset: Where to begin, in bytes; beyond the end, nothing is read.
        length: How many bytes at most; None for all.
        at: The revision or snapshot to read it from; None is now.

    Raises:
        RangeError: `offset` or `length` is negative.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    where = context.resolve(path)
    if at is not None:
        if offset < 0 or (length is not None and length < 0):
            raise RangeError(f"offset and length must not be negative: {where}", path=where)
        data, _ = _read_at(context, where, at)
        return data[offset:] if length is None else data[offset : offset + length]
    data = context.files.read(where, offset, length)
    if context.require_read and not offset and length is None:
        context.note_read(where, context.files.stat(where).hash)
    return data


def read_text(context: Context, path: PathLike, *, errors: str = "strict") -> str:
    """Read a whole file as UTF-8.

    Args:
        path: The file.
        errors: What to do with bytes that are no UTF-8: `"strict"`, `"replace"`, `"ignore"`,
            `"surrogateescape"` or `"backslashreplace"`, as `bytes.decode` has them.

    Raises:
        DecodeError: It is no UTF-8 and `errors` is `"strict"`.
        RangeError: There is no such way to treat errors.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    if errors not in _ERROR_HANDLERS:
        raise RangeError(
            f"no such way to treat errors: {errors}",
            hint=f"use one of {', '.join(_ERROR_HANDLERS)}",
        )
    data = read_bytes(context, path)
    try:
        return data.decode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise DecodeError(
            f"byte {error.start} is no UTF-8: {context.resolve(path)}",
            path=context.resolve(path),
            hint='use read_bytes, or errors="replace"',
            data={"offset": error.start},
        ) from None


def _read_at(context: Context, path: str, at: Moment) -> tuple[bytes, Stat]:
    files = context.files
    with files.reading():
        stat, content = stat_at(files, at, path)
        if stat.kind == "directory":
            raise IsDirectoryError(f"is a directory: {path}", path=path)
        return files.content(content), stat


def check_text(path: str, data: bytes) -> None:
    """Make sure that a file can be treated as lines of text.

    Raises:
        TooLargeError, BinaryFileError: It cannot.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise TooLargeError(
            f"the file has {len(data)} bytes, too many to treat as text: {path}",
            path=path,
            hint="read parts of it with read_bytes",
        )
    if is_binary(data) and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise BinaryFileError(
            f"the file is binary: {path}", path=path, hint="use read_bytes for its bytes"
        )


def _window(data: bytes, stat: Stat, start_line: int, max_lines: int, max_bytes: int) -> ReadResult:
    decoded = decode(data)
    # Lines of other encodings are counted in UTF-8, which every tool that follows uses.
    body = data if decoded.encoding in ("utf-8", "unknown") else decoded.text.encode()
    total_lines = count_lines(body)
    start = line_start(body, start_line)
    if start < 0 or (start_line > 1 and not body):
        raise RangeError(
            f"line {start_line} is beyond the end: {stat.path} has {total_lines} lines",
            path=stat.path,
            hint=f"start_line can be 1 to {max(1, total_lines)}",
            data={"total_lines": total_lines},
        )
    end, lines, truncated_by = _end(body, start, max_lines, max_bytes)
    rest = end < len(body)
    return ReadResult(
        path=stat.path,
        text=decode(body[start:end]).text if start else decode(body[:end]).text,
        start_line=start_line,
        end_line=start_line + lines - 1,
        total_lines=total_lines,
        total_bytes=len(data),
        next_line=start_line + lines if rest and start_line + lines <= total_lines else None,
        next_byte=end if rest else None,
        truncated_by=truncated_by,
        encoding=decoded.encoding,
        newline=newline_style(body),
        bom=decoded.bom,
        hash=stat.hash or "",
        version=stat.version,
    )


def _end(
    body: bytes, start: int, max_lines: int, max_bytes: int
) -> tuple[int, int, Literal["lines", "bytes"] | None]:
    """Return where the window ends, how many lines it has, and which limit ended it."""
    end = start
    lines = 0
    while end < len(body):
        newline = body.find(b"\n", end)
        line_end = len(body) if newline < 0 else newline + 1
        if line_end - start > max_bytes:
            if not lines:
                return character_boundary(body, start + max_bytes), 1, "bytes"
            return end, lines, "bytes"
        if lines == max_lines:
            return end, lines, "lines"
        end = line_end
        lines += 1
    return end, lines, None
