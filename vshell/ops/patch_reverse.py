"""The patch that undoes another one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from vshell.errors import PatchInvalidError
from vshell.text.patchfile import FilePatch, PatchKind
from vshell.text.unified import Hunk, LineTag


def reverse(patches: Iterable[FilePatch]) -> list[FilePatch]:
    """Return the patch that undoes another one.

    Raises:
        PatchInvalidError: It copies files, which no patch can undo.
    """
    return [_reversed(patch) for patch in reversed(list(patches))]


def _reversed(patch: FilePatch) -> FilePatch:
    if patch.kind == "copy":
        raise PatchInvalidError(
            f"line {patch.line}: a copy cannot be reversed: {patch.path}",
            path=patch.path,
            hint="remove the copy with `rm`",
            data={"line": patch.line},
        )
    return replace(
        patch,
        kind=_REVERSED[patch.kind],
        old_path=patch.new_path,
        new_path=patch.old_path,
        old_mode=patch.new_mode,
        new_mode=patch.old_mode,
        hunks=tuple(reversed_hunk(hunk) for hunk in patch.hunks),
    )


_REVERSED: Final[dict[PatchKind, PatchKind]] = {
    "create": "delete",
    "delete": "create",
    "modify": "modify",
    "rename": "rename",
}


def reversed_hunk(hunk: Hunk[bytes]) -> Hunk[bytes]:
    """Return the hunk that undoes another one."""
    return Hunk(
        hunk.new_start,
        hunk.new_count,
        hunk.old_start,
        hunk.old_count,
        tuple((_OTHER_SIDE[tag], line) for tag, line in hunk.lines),
        hunk.section,
    )


_OTHER_SIDE: Final[dict[LineTag, LineTag]] = {" ": " ", "-": "+", "+": "-"}
