"""Applying a patch to any number of files: creations, deletions, renames, modes and links too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vshell.errors import (
    DecodeError,
    NotDirectoryError,
    NotFoundError,
    PatchInvalidError,
    RangeError,
    SymlinkLoopError,
    TooLargeError,
    VshellError,
)
from vshell.fs.paths import PathLike, decode, is_below, split
from vshell.fs.records import Kind
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops.changeset import is_directory_at, recording
from vshell.ops.context import Context, Versions
from vshell.ops.lazy_patch import LazyPatch, Patched
from vshell.ops.write import encode_data
from vshell.record import Record

if TYPE_CHECKING:
    from vshell.ops.patch_plan import FileState, PatchedFile, Plan
    from vshell.text.patchfile import FilePatch


@dataclass(frozen=True, slots=True)
class RejectedFile(Record):
    """A file of a patch that was left as it is.

    Attributes:
        path: Its path, as the patch has it.
        line: The line of the patch where the file begins, from 1.
        code: The code of the error, such as `"patch_context"`.
        message: What was wrong.
        hint: What to do about it; None when that cannot be said.
        data: What else is known, such as `hunk`, `expected` and `near`.
    """

    path: str
    line: int
    code: str
    message: str
    hint: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PatchResult(Patched):
    """What a patch did, or with `dry_run` would do.

    Attributes:
        files: The files that it changed, in its order.
        rejected: The files that it does not fit; empty if `atomic`.
        dry_run: Whether nothing was changed.
        patch: What happened as a unified diff, computed when asked for.
    """

    files: tuple[PatchedFile, ...]
    rejected: tuple[RejectedFile, ...]
    dry_run: bool
    _patch: LazyPatch = field(repr=False, compare=False)


def patch(
    context: Context,
    text: str | bytes,
    *,
    atomic: bool = True,
    fuzz: int = 2,
    dry_run: bool = False,
    path: PathLike = "/",
    reverse: bool = False,
    strip: int | None = None,
    expected_version: Versions | None = None,
) -> PatchResult:
    """Apply a patch, as `git apply` and `patch` do: to all its files, or to none.

    Unified diffs and git's are understood, with files created, deleted, renamed and
    copied, and links. A hunk is looked for near its line. A file is deleted only if it
    holds what the patch says, and directories that are empty then go with it. Of modes,
    a patch only says whether the file can be executed.

    Args:
        text: The patch.
        atomic: Change nothing unless everything fits. If false, the files that fit are
            changed, each as a whole, and the others are in `rejected`.
        fuzz: How many lines of context may be ignored at each end of a hunk.
        dry_run: Do everything, report it, and undo it.
        path: The directory that the patch's paths are in, also those that begin with `/`.
        reverse: Undo the patch instead.
        strip: How many leading components to take off the patch's paths; by default
            those that git and diff add (`a/`, `b/`).
        expected_version: A mapping of paths, as they are from here, to the versions that they
            must have; 0: nothing may be there; or the revision of the workspace.

    Raises:
        PatchContextError: A hunk does not fit, or the patch is applied already; `data` has
            where, what was expected and what is there.
        PatchInvalidError: The text is no patch, damaged, or names a path with `..` or one
            that a link leads out of `path`.
        NotFoundError: A file to change does not exist.
        ExistsError: A file to create exists.
        NotReadError: The session requires that files are read first.
        StaleError: A file has another version, or changed since the session read it.
        TooLargeError: The patch or a file has more than 64 MiB, or all together have more
            than 256 MiB.
        RangeError: `fuzz` or `strip` is negative.
        IsDirectoryError: A directory is where the patch has a file.
        NotDirectoryError: A file is where the patch has a directory, or is `path`.
        QuotaExceededError: The result would not fit.
    """
    from vshell.ops.patch_reverse import reverse as reversed_patches

    patches = _parse(text, fuzz, strip)
    if reverse:
        patches = reversed_patches(patches)
    with recording(context, "patch", dry_run=dry_run) as recorded:
        context.require_versions(expected_version)
        root = _root(context, path)
        removed = tuple(_removed(context, root, patches))
        attempt = _attempt(context, root, patches, fuzz=fuzz, removed=removed, undoes=reverse)
        if attempt.errors and atomic:
            raise _failure(context, root, patches, attempt, undoes=reverse)
        if attempt.errors:
            # What was rejected does not free its old path for others, so nothing may rely on it.
            attempt = _attempt(context, root, patches, fuzz=fuzz, undoes=reverse)
        _carry_out(context, attempt.plan, root)
    rejected = tuple(_rejected(file, error) for file, error in attempt.errors)
    return PatchResult(tuple(attempt.done), rejected, dry_run, recorded.patch)


def _root(context: Context, path: PathLike) -> str:
    where, files = context.resolve(path), context.files
    if not files.exists(where):
        return where
    if files.stat(where).kind != "directory":
        raise NotDirectoryError(f"not a directory: {where}", path=where)
    return files.realpath(where)


def _parse(text: str | bytes, fuzz: int, strip: int | None) -> list[FilePatch]:
    from vshell.text.patchfile import parse_patch

    for name, value in (("fuzz", fuzz), ("strip", strip or 0)):
        if value < 0:
            raise RangeError(f"{name} must not be negative, as {value} is")
    try:
        data = bytes(encode_data(text))
    except DecodeError as error:
        raise PatchInvalidError(error.message, hint=error.hint, data={"line": 1}) from None
    if len(data) > MAX_TEXT_BYTES:
        raise TooLargeError(
            f"the patch has {len(data)} bytes, more than {MAX_TEXT_BYTES}", hint="split it"
        )
    return parse_patch(data, strip=strip)


@dataclass(frozen=True, slots=True)
class _Attempt:
    plan: Plan
    done: list[PatchedFile]
    errors: list[tuple[FilePatch, VshellError]]


def _attempt(
    context: Context,
    root: str,
    patches: list[FilePatch],
    *,
    fuzz: int,
    removed: Iterable[str] = (),
    undoes: bool = False,
) -> _Attempt:
    from vshell.ops.patch_plan import Plan

    plan = Plan(context, root, fuzz=fuzz, removed=removed, undoes=undoes)
    attempt = _Attempt(plan, [], [])
    for file in patches:
        try:
            attempt.done.append(attempt.plan.add(file))
        except VshellError as error:
            attempt.errors.append((file, error))
    return attempt


def _removed(context: Context, root: str, patches: Iterable[FilePatch]) -> Iterator[str]:
    """Yield the paths that a patch removes, if all of it is applied."""
    from vshell.ops.patch_places import place

    for file in patches:
        if file.kind in ("delete", "rename"):
            with suppress(VshellError):  # `Plan.add` will raise it
                yield place(context.files, root, file.old_path or "")


def _failure(
    context: Context, root: str, patches: list[FilePatch], attempt: _Attempt, *, undoes: bool
) -> VshellError:
    """Return the first error, with what else does not fit; or say that all is done already."""
    from vshell.ops.patch_plan import applied_already
    from vshell.ops.patch_reverse import reverse as reversed_patches

    if not any(file.kind == "copy" for file in patches):
        opposite = reversed_patches(patches)
        removed = tuple(_removed(context, root, opposite))
        if not _attempt(context, root, opposite, fuzz=0, removed=removed).errors:
            path = attempt.errors[0][1].filename if len(patches) == 1 else None
            return applied_already(path, attempt.errors[0][1].data, undoes=undoes)
    _, error = attempt.errors[0]
    if len(attempt.errors) > 1:
        error.data["rejected"] = [
            {"path": file.path, "code": other.code, "message": other.message}
            for file, other in attempt.errors
        ]
    return error


def _rejected(file: FilePatch, error: VshellError) -> RejectedFile:
    return RejectedFile(file.path, file.line, error.code, error.message, error.hint, error.data)


def _carry_out(context: Context, plan: Plan, root: str) -> None:
    """Make the files what the plan says; what goes does so first, and is in nobody's way."""
    from vshell.ops.patch_places import load

    files = context.files
    moves = {
        old: new
        for new, old in plan.sources.items()
        if plan.after[new] is not None and plan.after[old] is None and _is_free(context, new)
    }
    # What cannot simply be renamed is written anew, and must be read while it is there.
    contents = {
        new: load(files, old)
        for new, old in plan.sources.items()
        if old not in moves and (state := plan.after[new]) is not None and state.data is None
    }
    gone = [path for path, state in plan.after.items() if state is None]
    for path in gone:
        if path not in moves and _kind(context, path) is not None:
            files.unlink(path)
    for old, new in moves.items():
        files.rename(old, new, parents=True)
    for path, state in plan.after.items():
        if state is not None:
            _put(context, path, state, contents.get(path, state.data))
    _remove_empty(context, gone, root)


def _is_free(context: Context, path: str) -> bool:
    """Tell whether nothing is at a path, and nothing on the way but directories."""
    try:
        context.files.stat(path, follow=False)
    except NotFoundError:
        return True
    except (NotDirectoryError, SymlinkLoopError):
        return False
    return False


def _kind(context: Context, path: str) -> Kind | None:
    files = context.files
    return files.stat(path, follow=False).kind if files.exists(path, follow=False) else None


def _put(context: Context, path: str, state: FileState, data: bytes | None) -> None:
    files = context.files
    if data is None:
        if files.stat(path, follow=False).mode != state.mode:
            files.chmod(path, state.mode)
        return
    kind = _kind(context, path)
    if kind is not None and not kind == state.kind == "file":
        # A directory without files, a link, or what makes way for one.
        files.remove_tree(path)
    if state.kind == "symlink":
        files.symlink(decode(data), path, parents=True)
        return
    written = files.write(path, data, mode=state.mode, parents=True)
    context.note_read(path, written.after.hex())


def _remove_empty(context: Context, gone: Iterable[str], root: str) -> None:
    """Remove the directories that a patch emptied, as git does, since it knows none."""
    for path in gone:
        directory = split(path)[0]
        while (
            is_below(directory, root)
            and directory not in (root, "/")
            and is_directory_at(context, directory)
            and not context.files.names(directory)
        ):
            context.files.rmdir(directory)
            directory = split(directory)[0]
