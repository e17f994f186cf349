"""Doing many operations as one: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vshell.errors import VshellError
from vshell.ops import edit as edit_
from vshell.ops import entries, metadata
from vshell.ops import patch as patch_
from vshell.ops import write as write_
from vshell.ops.changeset import FileChange, recording
from vshell.ops.context import Context, Versions
from vshell.ops.lazy_patch import LazyPatch, Patched
from vshell.ops.write import WriteResult

if TYPE_CHECKING:
    from vshell.ops.operations import Operation


OperationResult = WriteResult | edit_.EditResult | patch_.PatchResult | None


@dataclass(frozen=True, slots=True)
class ApplyResult(Patched):
    """What several operations did together, or with `dry_run` would do.

    Attributes:
        changes: What it comes to, one entry for each file, link or directory.
        results: What each operation returned, in their order; None where it returns nothing.
        dry_run: Whether nothing was changed.
        patch: All changes as one unified diff, computed when asked for.
    """

    changes: tuple[FileChange, ...]
    results: tuple[OperationResult, ...]
    dry_run: bool
    _patch: LazyPatch = field(repr=False, compare=False)


def apply(
    context: Context,
    operations: Sequence[Operation | Mapping[str, object]],
    *,
    dry_run: bool = False,
    expected_version: Versions | None = None,
) -> ApplyResult:
    """Do several operations in their order as one: if one fails, none of them happened.

    Args:
        operations: Objects such as `Write(path, data)`, or mappings with the name of a
            call as `op` and its parameters:
            `{"op": "write", "path": "/a", "data": "text"}`. The calls are `write`,
            `append`, `edit`, `patch`, `mv`, `cp`, `rm`, `mkdir`, `link`, `symlink`,
            `chmod`, `utime` and `truncate`.
        dry_run: Do everything, report it, and undo it.
        expected_version: A mapping of paths to the versions that they must have before the
            first operation; 0: nothing may be there; or the revision of the workspace. Each
            operation can have its own, too.

    Returns:
        What changed, and what each operation returned.

    Raises:
        EditError: Something in the list is no operation. Nothing was done.
        StaleError: Something has another version.
        VshellError: An operation failed, with its own error; `data["index"]` says which.
    """
    from vshell.ops.operations import parse_operations

    calls = parse_operations(operations)
    results: list[OperationResult] = []
    with recording(context, "apply", dry_run=dry_run) as recorded:
        context.require_versions(expected_version)
        for index, (name, arguments) in enumerate(calls):
            try:
                results.append(_FUNCTIONS[name](context, **arguments))
            except VshellError as error:
                error.data["index"] = index
                error.message = f"operations[{index}] ({name}): {error.message}"
                raise
            if dry_run and (result := results[-1]) is not None:
                _ = result.patch  # what it needs will not be there later
    return ApplyResult(recorded.changes, tuple(results), dry_run, recorded.patch)


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "write": write_.write,
    "append": write_.append,
    "edit": edit_.edit,
    "patch": patch_.patch,
    "mv": entries.mv,
    "cp": entries.cp,
    "rm": entries.rm,
    "mkdir": entries.mkdir,
    "link": entries.link,
    "symlink": entries.symlink,
    "chmod": metadata.chmod,
    "utime": metadata.utime,
    "truncate": metadata.truncate,
}
