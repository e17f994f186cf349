"""How both sides differ, as patches; and conflicts, as text in which both sides stand."""

from __future__ import annotations

import stat
from typing import Final

from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import ConflictRow, Version
from vshell.limits import MAX_TEXT_BYTES
from vshell.sync.engine import Preview
from vshell.sync.merging import Contents, is_text, marked
from vshell.sync.results import PathDiff
from vshell.sync.target import DIRECTORY, FILE, SYMLINK, Target
from vshell.text.unified import unified_diff

__all__ = ["conflict_diff", "differing_paths", "path_diff"]

_FORMATS: Final = {FILE: stat.S_IFREG, DIRECTORY: stat.S_IFDIR, SYMLINK: stat.S_IFLNK}
_NAMES: Final = {FILE: "a file", DIRECTORY: "a directory", SYMLINK: "a link"}
_Side = tuple[Version, bytes] | None
"""What a side has, and its content; that of a directory is empty."""


def differing_paths(preview: Preview) -> list[str]:
    """Return the paths at which the sides differ, in tree order."""
    return [
        path
        for path, decision in preview.plan.decisions.items()
        if decision.sides.workspace != decision.sides.mirror
    ]


def path_diff(files: FileSystem, target: Target, preview: Preview, path: str) -> PathDiff:
    """Return how one path differs: from the side that will change to the one that will not."""
    gathered = preview.gathered
    decision = preview.plan.decisions[path]
    contents = Contents(files, target, gathered)
    agreed = gathered.agreed.get(path)
    base = _read(agreed.version, contents.base(path)) if agreed and agreed.version.kind else None
    mine = theirs = None
    if decision.sides.workspace is not None:
        mine = _read(gathered.workspace[path], contents.workspace(path))
    if decision.sides.mirror is not None:
        theirs = _read(gathered.mirror[path], contents.mirror(path) or b"")
    if any(conflict.path == path for conflict in preview.plan.conflicts):
        return PathDiff(f"/{path}", "conflict", _three_way(path, base, mine, theirs))
    if decision.pulls:
        return PathDiff(f"/{path}", "pull", _patch(path, mine, theirs))
    return PathDiff(f"/{path}", "push", _patch(path, theirs, mine))


def conflict_diff(files: FileSystem, row: ConflictRow) -> PathDiff:
    """Return a conflict as text with both sides, and what was there before."""
    base, mine, theirs = (
        None if version is None else _read(version, files.content(version.content))
        for version in (row.base, row.workspace, row.mirror)
    )
    return PathDiff(f"/{row.path}", "conflict", _three_way(row.path, base, mine, theirs))


def _read(version: Version, data: bytes) -> _Side:
    return version, data


def _three_way(path: str, base: _Side, mine: _Side, theirs: _Side) -> str:
    """Return both sides in one text; where that cannot be, what each of them did."""
    sides = [side for side in (base, mine, theirs) if side is not None]
    are_texts = all(
        version.kind == FILE and len(data) <= MAX_TEXT_BYTES and is_text(data)
        for version, data in sides
    )
    if mine is not None and theirs is not None and are_texts and mine[1] != theirs[1]:
        return _text(marked(base[1] if base else b"", mine[1], theirs[1]))
    return (
        f"workspace: {_said(mine)}\n{_patch(path, base, mine)}"
        f"mirror: {_said(theirs)}\n{_patch(path, base, theirs)}"
    )


def _said(side: _Side) -> str:
    if side is None:
        return "nothing"
    version = side[0]
    return f"{_NAMES[version.kind]}, mode {version.mode & 0o777:04o}, {version.size} bytes"


def _patch(path: str, old: _Side, new: _Side) -> str:
    """Return a unified diff; directories, which have none, are said in a line."""
    lines = ""
    if old is not None and old[0].kind == DIRECTORY and _kind(new) != DIRECTORY:
        lines, old = f"directory removed: /{path}\n", None
    elif new is not None and new[0].kind == DIRECTORY:
        if _kind(old) == DIRECTORY:
            return f"directory mode {new[0].mode & 0o777:04o}: /{path}\n"
        lines, new = f"directory made: /{path}\n", None
    if old is None and new is None:
        return lines
    difference = unified_diff(
        old and old[1],
        new and new[1],
        old_path=f"/{path}",
        new_path=f"/{path}",
        old_mode=_git_mode(old),
        new_mode=_git_mode(new),
    )
    text = _text(difference.text)
    if not text and old is not None and new is not None:
        text = f"only the mode or the time differs: /{path}\n"
    return text + lines if _kind(new) is None else lines + text


def _kind(side: _Side) -> int | None:
    return None if side is None else side[0].kind


def _git_mode(side: _Side) -> int | None:
    return None if side is None else _FORMATS[side[0].kind] | side[0].mode


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
