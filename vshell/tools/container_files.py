"""Files of a container that are not the workspace's: `/tmp`, `/etc` and so on.

They are reached by commands of the container, so that its own permissions hold.
"""

from __future__ import annotations

from typing import Final

from vshell.errors import (
    IsDirectoryError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
    VshellError,
)
from vshell.tools.commands import shown
from vshell.tools.executors import Executor

_MISSING: Final = 20
_DIRECTORY: Final = 21
_DENIED: Final = 22

_CHECK: Final = f"""
[ -d "$1" ] && exit {_DIRECTORY}
[ -e "$1" ] || exit {_MISSING}
[ -r "$1" ] || exit {_DENIED}
"""
_SIZE: Final = _CHECK + 'wc -c < "$1"'
_READ: Final = _CHECK + 'exec cat < "$1"'
_WRITE: Final = f"""
[ -d "$1" ] && exit {_DIRECTORY}
mkdir -p -- "$2" || exit {_DENIED}
[ -e "$1" ] && ! [ -w "$1" ] && exit {_DENIED}
exec cat > "$1"
"""


class ContainerFiles:
    """Files of a container.

    Args:
        executor: What runs commands there.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def size(self, path: str) -> int:
        """Return how many bytes a file has.

        Raises:
            NotFoundError, IsDirectoryError, PermissionDeniedError: It cannot be read.
        """
        return int(self._run(_SIZE, path))

    def read(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            NotFoundError, IsDirectoryError, PermissionDeniedError: It cannot be read.
        """
        return self._run(_READ, path)

    def write(self, path: str, data: bytes) -> None:
        """Give a file this content; its parents are made.

        Raises:
            IsDirectoryError, PermissionDeniedError: It cannot be written.
        """
        self._run(_WRITE, path, path.rpartition("/")[0] or "/", stdin=data)

    def _run(self, script: str, path: str, *more: str, stdin: bytes = b"") -> bytes:
        command = self._executor.command(
            ["/bin/sh", "-c", script, "sh", path, *more], cwd="/", stdin=stdin
        )
        ran = command.run()
        if not ran.exit_code:
            return ran.stdout
        failures: dict[int, VshellError] = {
            _MISSING: NotFoundError(f"no such file or directory: {path}", path=path),
            _DIRECTORY: IsDirectoryError(f"is a directory: {path}", path=path),
            _DENIED: PermissionDeniedError(f"permission denied: {path}", path=path),
        }
        raise failures.get(ran.exit_code) or UnavailableError(
            f"the container cannot do that: {shown(ran.stderr).strip() or ran.exit_code}"
        )
