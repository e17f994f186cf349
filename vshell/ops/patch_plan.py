"""What a patch makes of the files it names, before anything is written.

As `git apply` has it, the files of a patch are looked at in turn, and what one did is
what the next one finds; but renames and copies start from what was there before the
patch, and a path that the patch removes anywhere is free to be created. So two files
can be swapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from stat import S_IFLNK, S_IFMT, S_IFREG
from typing import Final, Literal, NamedTuple

from vshell.errors import (
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    PatchContextError,
    PatchInvalidError,
    TooLargeError,
    VshellError,
)
from vshell.fs.paths import is_below
from vshell.fs.schema import DIRECTORY
from vshell.limits import MAX_PATH_BYTES, MAX_TEXT_BYTES
from vshell.ops.changeset import is_directory_at
from vshell.ops.context import Context
from vshell.ops.patch_places import above, load, place
from vshell.ops.patch_reverse import reversed_hunk
from vshell.record import Record
from vshell.text.hunks import Applied, apply_hunks
from vshell.text.patchfile import FilePatch

MAX_PLANNED_BYTES: Final = 4 * MAX_TEXT_BYTES
"""What the files of one patch may add up to: their new content is held in memory."""

MAX_FILE_LINES: Final = 2_000_000
"""The longest file to patch: finding a hunk in it takes at worst 3 s and 0.7 GB."""

MAX_PATCH_LINES: Final = 20_000_000
"""What the files of one patch may add up to, each as often as the patch names it: half a minute."""

PatchAction = Literal["create", "modify", "delete", "rename", "copy", "mode"]


@dataclass(frozen=True, slots=True)
class PatchedFile(Record):
    """A file that a patch changed.

    Attributes:
        path: Its path; when the patch deleted it, where it was.
        old_path: Where it was, for a rename or a copy; else None.
        action: `"create"`, `"modify"`, `"delete"`, `"rename"`, `"copy"` or `"mode"`.
        hunks: How many hunks were applied.
        offsets: For each, how many lines below its header's number it was found (above:
            negative).
        fuzz: How many lines of context had to be ignored at most.
        endings_adapted: Whether the patch and the file differed in their line endings.
    """

    path: str
    old_path: str | None
    action: PatchAction
    hunks: int
    offsets: tuple[int, ...]
    fuzz: int
    endings_adapted: bool


class FileState(NamedTuple):
    """A file or link; `data` is None for what is there already."""

    kind: Literal["file", "symlink"]
    data: bytes | None
    mode: int


class Plan:
    """What is where after the files that were added so far.

    Args:
        context: Whose files.
        root: The directory that the patch's paths are in.
        fuzz: How many lines of context may be ignored.
        removed: The paths that the patch removes somewhere, and that count as free.
        undoes: Whether the patches are reversed ones, for messages.

    Attributes:
        after: What each path that the patch touches holds then; None for nothing.
        sources: For each new path, the old one of a rename.
    """

    def __init__(
        self,
        context: Context,
        root: str,
        *,
        fuzz: int,
        removed: Iterable[str],
        undoes: bool = False,
    ) -> None:
        self.after: dict[str, FileState | None] = {}
        self.sources: dict[str, str] = {}
        self._context = context
        self._root = root
        self._fuzz = fuzz
        self._removed = frozenset(removed)
        self._undoes = undoes
        self._planned_bytes = 0
        self._lines = 0
        self._renamed: set[str] = set()
        self._emptied: set[str] = set()
        for path in self._removed:
            self._emptied.update(above(path))
        self._files_below: dict[str, list[str]] = {}
        self._directories: set[str] = set()

    def add(self, patch: FilePatch) -> PatchedFile:
        """Add the changes to one file, or raise an error and leave the plan as it is.

        Raises:
            PatchContextError: A hunk does not fit, a file to be deleted has other content,
                or the change is there already.
            NotFoundError: The file does not exist.
            ExistsError: A file to be created exists.
            PatchInvalidError: The patch makes what is no file and no link.
            TooLargeError: The file, or all of them, are too large.
            IsDirectoryError, NotDirectoryError: A directory is in the way, or a file.
            NotReadError, StaleError: see `Context.require_seen`.
        """
        _check_modes(patch)
        if patch.kind == "create":
            return self._create(patch, self._new_place(patch))
        old = self._place(patch.old_path)
        if patch.kind == "modify":
            if patch.may_create and self._now(old) is None:
                return self._create(patch, old)
            return self._modify(patch, old)
        if patch.kind == "delete":
            return self._delete(patch, old)
        return self._transfer(patch, old, self._new_place(patch))

    def _place(self, name: str | None) -> str:
        def is_gone(path: str) -> bool:
            return path in self.after and self.after[path] is None

        return self._inside(place(self._context.files, self._root, name or "", is_gone))

    def _new_place(self, patch: FilePatch) -> str:
        name = patch.new_path or ""
        return self._inside(place(self._context.files, self._root, name, self._is_gone))

    def _is_gone(self, path: str) -> bool:
        """Tell whether the patch takes away what was at a path."""
        return self.after[path] is None if path in self.after else path in self._removed

    def _inside(self, path: str) -> str:
        if not is_below(path, self._root):
            raise PatchInvalidError(
                f"a link leads out of {self._root}, to {path}",
                path=path,
                hint="name the file itself, from a directory above it",
            )
        return path

    # The kinds of changes.

    def _create(self, patch: FilePatch, path: str) -> PatchedFile:
        data = b"".join(line for hunk in patch.hunks for tag, line in hunk.lines if tag == "+")
        found = self._occupant(path)
        if found is not None:
            raise self._exists(path, found, data)
        self._keep(path, FileState(_kind_of(patch.new_mode), data, _new_mode(patch.new_mode)))
        return PatchedFile(
            path, None, "create", len(patch.hunks), (0,) * len(patch.hunks), 0, False
        )

    def _modify(self, patch: FilePatch, path: str) -> PatchedFile:
        state = self._now(path)
        if state is None:
            raise self._missing(path, patch)
        if state.kind == "symlink" and not self._means_link(patch, path, state):
            path = self._inside(self._context.files.realpath(path))
            state = self._now(path)
            if state is None:
                raise self._missing(path, patch)
        self._context.require_seen(path)
        mode = _changed_mode(state, patch)
        if not patch.hunks:
            self._keep(path, state._replace(mode=mode))
            return PatchedFile(path, None, "mode", 0, (), 0, False)
        applied = self._applied(self._data(path, state), patch, path, self._fuzz)
        self._keep(path, FileState(state.kind, applied.data, mode))
        return _patched(path, None, "modify", applied)

    def _means_link(self, patch: FilePatch, path: str, state: FileState) -> bool:
        """Tell whether the patch is about a link, and not about the file that it leads to."""
        kinds = {_kind_of(mode) for mode in (patch.old_mode, patch.new_mode) if mode is not None}
        if kinds or path in self.after or not self._context.files.exists(path):
            return kinds != {"file"}
        try:
            apply_hunks(self._data(path, state), patch.hunks, fuzz=0, path=path)
        except PatchContextError:
            return False
        return bool(patch.hunks)

    def _delete(self, patch: FilePatch, path: str) -> PatchedFile:
        state = self._now(path)
        if state is None:
            raise self._missing(path, patch)
        if patch.old_mode is not None and _kind_of(patch.old_mode) != state.kind:
            raise PatchContextError(
                f"{path}: it is a {state.kind}, and the patch deletes a {_kind_of(patch.old_mode)}",
                path=path,
                hint="look at it again, and make the patch from what is there now",
            )
        data = self._data(path, state)
        applied = self._applied(data, patch, path, 0) if patch.hunks else Applied(data, ())
        if applied.data:
            raise PatchContextError(
                f"{path}: it holds more than what the patch deletes",
                path=path,
                hint="look at it again; `rm` removes it whatever it holds",
                data={"hunk": len(patch.hunks), "line": 1 + applied.data.count(b"\n")},
            )
        self._keep(path, None)
        return _patched(path, None, "delete", applied)

    def _transfer(self, patch: FilePatch, old: str, new: str) -> PatchedFile:
        state = self._original(old)
        if state is None:
            raise self._missing(old, patch)
        if patch.kind == "rename" and old in self._renamed:
            raise PatchInvalidError(
                f"line {patch.line}: {old} is renamed twice", path=old, data={"line": patch.line}
            )
        found = self._occupant(new)
        if found is not None:
            raise self._exists(new, found, None)
        mode = _changed_mode(state, patch)
        data, applied = None, Applied(b"", ())
        if patch.hunks:
            self._context.require_seen(old)
            applied = self._applied(self._load(old), patch, old, self._fuzz)
            data = applied.data
        elif patch.kind == "copy":
            data = self._load(old)
        self._keep(new, FileState(state.kind, data, mode))
        if patch.kind == "copy":
            return _patched(new, old, "copy", applied)
        self.sources[new] = old
        self._renamed.add(old)
        if old not in self.after:  # what came to the old path meanwhile stays there
            self._keep(old, None)
        return _patched(new, old, "rename", applied)

    def _applied(self, data: bytes, patch: FilePatch, path: str, fuzz: int) -> Applied:
        self._count(path, data)
        if data and patch.hunks[0].old_start == 0 and not patch.hunks[0].old_count:
            error = PatchContextError(
                f"{path}: the patch fills an empty file, and this one is not empty",
                path=path,
                hint="make the patch from what the file holds now",
                data={"hunk": 1, "line": 1},
            )
            raise self._unless_applied(error, data, patch, path)
        try:
            return apply_hunks(data, patch.hunks, fuzz=fuzz, path=path)
        except PatchContextError as error:
            raise self._unless_applied(error, data, patch, path) from None

    def _count(self, path: str, data: bytes) -> None:
        lines = data.count(b"\n")
        self._lines += lines
        if lines > MAX_FILE_LINES or self._lines > MAX_PATCH_LINES:
            raise TooLargeError(
                f"the file has {lines} lines, and {self._lines} with those of the files before it:"
                f" {path}",
                path=path,
                hint=f"{MAX_FILE_LINES} and {MAX_PATCH_LINES} are allowed; use `edit`, or split"
                " the patch",
            )

    # What is where.

    def _now(self, path: str) -> FileState | None:
        if path in self.after:
            return self.after[path]
        if any(self.after.get(parent, ...) is None for parent in above(path)):
            return None  # it was below a link that is gone
        return self._original(path)

    def _occupant(self, path: str) -> FileState | None:
        """Return what keeps a path from being created."""
        if path in self.after:
            return self.after[path]
        if self._is_gone(path) or any(map(self._is_gone, above(path))) or self._is_emptied(path):
            return None
        return self._found(path)

    def _is_emptied(self, path: str) -> bool:
        """Tell whether a path is a directory that holds no file when the patch is applied."""
        files = self._context.files
        if not is_directory_at(self._context, path):
            return False
        if path not in self._emptied:
            return not files.names(path)
        if path not in self._files_below:
            self._files_below[path] = [
                entry.path for entry in files.walk(path) if entry.kind != DIRECTORY
            ]
        return all(map(self._is_gone, self._files_below[path]))

    def _original(self, path: str) -> FileState | None:
        """Return what was at a path before the patch."""
        try:
            return self._found(path)
        except NotDirectoryError:
            return None

    def _found(self, path: str) -> FileState | None:
        try:
            found = self._context.files.stat(path, follow=False)
        except NotFoundError:
            return None
        if found.kind == "directory":
            raise IsDirectoryError(f"is a directory: {path}", path=path, hint="name a file in it")
        return FileState(found.kind, None, found.mode)

    def _data(self, path: str, state: FileState) -> bytes:
        return self._load(self.sources.get(path, path)) if state.data is None else state.data

    def _load(self, path: str) -> bytes:
        return load(self._context.files, path)

    def _keep(self, path: str, state: FileState | None) -> None:
        size = len(state.data or b"") if state else 0
        if self._planned_bytes + size > MAX_PLANNED_BYTES:
            raise TooLargeError(
                f"the files of the patch add up to more than {MAX_PLANNED_BYTES} bytes",
                path=path,
                hint="split the patch",
            )
        if state is None:
            self._emptied.update(above(path))
        else:
            _check_target(path, state)
            self._keep_apart(path)
        self._planned_bytes += size
        self.after[path] = state

    def _keep_apart(self, path: str) -> None:
        """Make sure that nothing is made below what the patch makes a file or a link."""
        directories = above(path)
        blocked = [parent for parent in directories if self.after.get(parent) is not None]
        if blocked or path in self._directories:
            raise NotDirectoryError(
                f"the patch has {blocked[0] if blocked else path} as a file and as a directory",
                path=path,
            )
        self._directories.update(directories)

    # Errors.

    def _unless_applied(
        self, error: PatchContextError, data: bytes, patch: FilePatch, path: str
    ) -> PatchContextError:
        """Return the error, or a clearer one if the file holds what the patch makes of it."""
        try:
            apply_hunks(data, [reversed_hunk(hunk) for hunk in patch.hunks], fuzz=0, path=path)
        except PatchContextError:
            return error
        return applied_already(path, error.data, undoes=self._undoes)

    def _missing(self, path: str, patch: FilePatch) -> NotFoundError:
        hint = None
        elsewhere = self._context.resolve((patch.old_path or "").lstrip("/"))
        if elsewhere != path and self._context.files.exists(elsewhere):
            hint = f"its paths are below {self._root}; path={self._context.cwd!r} is another place"
        elif patch.kind == "delete":
            hint = "the patch may be applied already"
        elif patch.kind == "rename" and self._context.files.exists(self._place(patch.path)):
            hint = f"{self._place(patch.path)} is there: it may be applied already"
        return NotFoundError(f"no such file to patch: {path}", path=path, hint=hint)

    def _exists(self, path: str, found: FileState, data: bytes | None) -> VshellError:
        if data is not None and path not in self.after and self._data(path, found) == data:
            return applied_already(path, undoes=self._undoes)
        return ExistsError(
            f"the patch creates a file that exists: {path}",
            path=path,
            hint="remove it first, or make the patch from what it holds now",
        )


def applied_already(
    path: str | None, data: Mapping[str, object] | None = None, *, undoes: bool
) -> PatchContextError:
    """Return the error for a file, or all of them, that hold what the patch would make of them.

    Args:
        path: The file; None for all of them.
        data: What else is known.
        undoes: Whether the patch was to be undone.
    """
    what = "not applied, so it cannot be undone" if undoes else "applied already"
    return PatchContextError(
        f"{path}: the patch is {what}" if path else f"the patch is {what}",
        path=path,
        hint="apply it without reverse=True" if undoes else "undo it with reverse=True",
        data={**(data or {}), "applied": not undoes},
    )


def _patched(path: str, old_path: str | None, action: PatchAction, applied: Applied) -> PatchedFile:
    places = applied.places
    return PatchedFile(
        path,
        old_path,
        action,
        len(places),
        tuple(place.offset for place in places),
        max((place.fuzz for place in places), default=0),
        applied.endings_adapted,
    )


def _check_modes(patch: FilePatch) -> None:
    given = [mode for mode in (patch.old_mode, patch.new_mode) if mode is not None]
    wrong = [mode for mode in given if S_IFMT(mode) not in (0, S_IFREG, S_IFLNK)]
    if wrong or len({_kind_of(mode) for mode in given}) > 1:
        shown = ", ".join(f"{mode:o}" for mode in wrong or given)
        raise PatchInvalidError(
            f"line {patch.line}: mode {shown} cannot be given to {patch.path}",
            path=patch.path,
            hint="a patch changes files (100644, 100755) and symbolic links (120000)",
            data={"line": patch.line},
        )


def _check_target(path: str, state: FileState) -> None:
    data = state.data
    if state.kind != "symlink" or data is None:
        return
    if not data or b"\0" in data or len(data) > MAX_PATH_BYTES:
        raise PatchInvalidError(
            f"the patch makes a link with a target that is none: {path}",
            path=path,
            hint=f"a target has 1 to {MAX_PATH_BYTES} bytes and no NUL",
        )


def _kind_of(mode: int | None) -> Literal["file", "symlink"]:
    return "symlink" if mode is not None and S_IFMT(mode) == S_IFLNK else "file"


def _new_mode(mode: int | None) -> int:
    return 0o755 if mode is not None and mode & 0o100 else 0o644


def _changed_mode(state: FileState, patch: FilePatch) -> int:
    """Return the mode afterwards: as in git, a patch only says who may execute the file."""
    if patch.new_mode is None or state.kind == "symlink":
        return state.mode
    if patch.new_mode & 0o100:
        return state.mode | (state.mode & 0o444) >> 2
    return state.mode & ~0o111
