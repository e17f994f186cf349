"""What the mode of a file forbids its owner, where a harness expects a system that minds it.

The operations keep permission bits and do not enforce them: whoever holds the workspace is
root in it.
"""

from __future__ import annotations

from typing import Final

from vshell.errors import PermissionDeniedError
from vshell.fs.filesystem import FileSystem

OWNER_READS: Final = 0o400
OWNER_WRITES: Final = 0o200


def require_mode(files: FileSystem, path: str, bit: int, *, told: str | None = None) -> None:
    """Refuse what the mode of a file forbids its owner; what is no file is none of it.

    Args:
        files: Where it is.
        path: The file, absolute.
        bit: `OWNER_READS` or `OWNER_WRITES`.
        told: How messages name it; None for its path.

    Raises:
        PermissionDeniedError: The bit is not set.
    """
    if not files.exists(path):
        return
    found = files.stat(path)
    if found.kind == "file" and not found.mode & bit:
        raise PermissionDeniedError(f"permission denied: {told or path}", path=told or path)
