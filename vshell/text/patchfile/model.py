"""What a patch says of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vshell.text.unified import Hunk

PatchKind: TypeAlias = Literal["modify", "create", "delete", "rename", "copy"]


@dataclass(frozen=True, slots=True)
class FilePatch:
    """The changes of a patch to one file.

    Attributes:
        kind: What happens to the file.
        old_path: The file to start from; None for `"create"`. As in the patch, without
            the prefix: usually relative, never with a `..` component.
        new_path: The file to write; None for `"delete"`. Different from `old_path` only
            for `"rename"` and `"copy"`.
        old_mode: The mode before, such as 0o100644, if the patch says so.
        new_mode: The mode after, if the patch says so.
        hunks: The changes in order; none where only a name or a mode changes.
        line: The line of the patch where the file begins, counted from 1.
        recounted: The hunks, counted from 1, whose header did not agree with their body.
        names: What the two sides of a modification call the file, where they differ.
    """

    kind: PatchKind
    old_path: str | None
    new_path: str | None
    old_mode: int | None
    new_mode: int | None
    hunks: tuple[Hunk[bytes], ...]
    line: int
    recounted: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The file's name afterwards, or its former name if it is deleted."""
        path = self.new_path or self.old_path
        assert path
        return path

    @property
    def may_create(self) -> bool:
        """Whether a modification can also make a new file: its old side is empty."""
        return self.kind == "modify" and len(self.hunks) == 1 and self.hunks[0].old_count == 0
