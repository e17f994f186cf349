"""What the `.gitignore` files of a workspace leave out."""

from __future__ import annotations

from collections.abc import Callable

from vshell.fs.paths import is_below, split
from vshell.fs.schema import FILE
from vshell.ignore import MAX_IGNORE_BYTES, IgnoreRules
from vshell.ops.context import Context

Ignored = Callable[[str, bool], bool]
"""Given a path without links and whether it is a directory: whether it is left out."""

_NAME = ".gitignore"


def ignored_below(context: Context, top: str) -> Ignored:
    """Return what tells whether something below `top` is ignored, or in a `.git` directory.

    The `.gitignore` files of every directory count, from the root of the workspace on.
    Only when they ignore `top` itself, which somebody asked for nevertheless, do those
    outside it not count. Call it inside `reading()`: it takes two statements.

    Args:
        top: The directory that a search starts at, without links and `..`.

    Raises:
        TooLargeError: Later, from what is returned: see `IgnoreRules.ignored`.
    """
    texts = _texts(context)
    rules = IgnoreRules(texts)
    if rules.ignored(top, is_directory=True):
        rules = IgnoreRules(
            (directory, text) for directory, text in texts if is_below(directory, top)
        )
    above = len(top.rstrip("/"))

    def ignored(path: str, is_directory: bool) -> bool:
        inside = path[above:] if is_below(path, top) else path
        return "/.git/" in f"{inside}/" or rules.ignored(path, is_directory=is_directory)

    return ignored


def _texts(context: Context) -> list[tuple[str, bytes]]:
    files = context.files
    found = [
        entry
        for entry in files.walk_details("/", suffixes=[_NAME])
        if entry.kind == FILE and split(entry.path)[1] == _NAME
    ]
    usual = [entry for entry in found if entry.size <= MAX_IGNORE_BYTES]
    texts = [(split(entry.path)[0], data) for entry, data in files.read_many(usual)]
    # One byte more than is allowed: enough to be refused when it would be used.
    texts += [
        (split(entry.path)[0], files.read(entry.path, 0, MAX_IGNORE_BYTES + 1))
        for entry in found
        if entry.size > MAX_IGNORE_BYTES
    ]
    return texts
