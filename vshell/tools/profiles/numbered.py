"""Files as Anthropic's file tools show them: each line after its number."""

from __future__ import annotations

from typing import Final

from vshell.errors import NotDirectoryError, NotFoundError
from vshell.fs.paths import is_below, join, split
from vshell.fs.schema import DIRECTORY, FILE
from vshell.ops.context import Context
from vshell.tools.result import ToolError

MAX_LINES: Final = 999_999
MAX_BYTES: Final = 16 * 1024 * 1024
_DIRECTORY_BYTES: Final = 4096
"""What a directory's size is said to be, as on ext4."""


def numbered(lines: list[str], first: int) -> str:
    """Return lines after their numbers, six wide, and a tab."""
    return "\n".join(f"{number:>6}\t{line}" for number, line in enumerate(lines, first))


def content_of(context: Context, path: str, shown: str) -> str:
    """Return a file's text.

    Args:
        context: Where it is.
        path: The file, from the root.
        shown: What the model calls it.

    Raises:
        ToolError: It is too large, or no UTF-8.
    """
    if context.files.stat(path).size > MAX_BYTES:
        raise ToolError(f"File {shown} is too large: {MAX_BYTES} bytes can be read.")
    data, stat = context.files.read_with_stat(path)
    context.note_read(path, stat.hash)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ToolError(f"File {shown} is not valid UTF-8 text.") from None


def listing(context: Context, path: str, shown: str, *, root: str = "/") -> str:
    """Return a directory and two levels of what is in it, without hidden entries.

    Links that lead out of `root`, or nowhere, are left out.
    """
    lines = [f"{_size(_DIRECTORY_BYTES)}\t{shown}"]
    pending = [(path, shown, 1)]
    while pending:
        directory, prefix, depth = pending.pop()
        below = []
        for entry in context.files.list_directory(directory)[0]:
            name = split(entry.path)[1]
            found = _kind_and_size(context, join(directory, name), root)
            if name.startswith(".") or found is None:
                continue
            kind, size = found
            inner = f"{prefix}/{name}"
            lines.append(f"{_size(size)}\t{inner}{'/' if kind == DIRECTORY else ''}")
            if kind == DIRECTORY and depth < 2:
                below.append((join(directory, name), inner, depth + 1))
        pending += reversed(below)
    head = (
        f"Here're the files and directories up to 2 levels deep in {shown}, excluding hidden items:"
    )
    return "\n".join([head, *_in_tree_order(lines)])


def _in_tree_order(lines: list[str]) -> list[str]:
    return [lines[0], *sorted(lines[1:], key=lambda line: line.partition("\t")[2].split("/"))]


def _kind_and_size(context: Context, path: str, root: str) -> tuple[int, int] | None:
    try:
        if not is_below(context.files.realpath(path), root):
            return None
        stat = context.files.stat(path)
    except (NotFoundError, NotDirectoryError, OSError):
        return None
    if stat.kind == "directory":
        return DIRECTORY, _DIRECTORY_BYTES
    return FILE, stat.size


def _size(size: int) -> str:
    """Return a number of bytes as Anthropic's memory tool writes it."""
    if not size:
        return "0B"
    place = min((size.bit_length() - 1) // 10, 3)
    value = size / 1024**place
    return f"{int(value) if value == int(value) else f'{value:.1f}'}{'BKMG'[place]}"


def places(content: str, old: str) -> list[int]:
    """Return the line of each place where a text begins, those that overlap included."""
    found = []
    position = content.find(old)
    line, counted = 1, 0
    while position >= 0:
        line += content.count("\n", counted, position)
        counted = position
        found.append(line)
        position = content.find(old, position + 1)
    return found
