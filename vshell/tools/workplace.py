"""What an adapter works in: a workspace, and what runs commands on its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vshell.fs.paths import PathLike, lexical
from vshell.ops.context import Context
from vshell.ops.write import write
from vshell.tools.executors import ExecutorChoice, from_workspace, open_executor, to_workspace

if TYPE_CHECKING:
    from vshell.shell.rules import Rules


class Workplace:
    """A workspace by the paths that commands see.

    Args:
        workspace: A workspace or session, or the path of its file on the host.
        session: What stands in the journal beside changes, when `workspace` is a path.
        executor: Where commands run.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.

    Raises:
        RangeError: The container has no image, or there is no such executor.
        UnavailableError: There can be no container here.
    """

    def __init__(
        self,
        workspace: Context | PathLike,
        *,
        session: str,
        executor: ExecutorChoice = "virtual",
        image: str | None = None,
        rules: Rules | Mapping[str, Any] | None = None,
    ) -> None:
        self.context, self._owns = _opened(workspace, session)
        self.executor = open_executor(self.context, executor, image=image, rules=rules)

    def close(self) -> None:
        """Let go of the executor, and of a workspace that was opened by its path."""
        self.executor.close()
        if self._owns:
            self.context.files.close()

    @property
    def cwd(self) -> str:
        """The directory that commands start in, as they see it."""
        return self.outside(self.context.cwd)

    def inside(self, path: str) -> str:
        """Return the path in the workspace of a path that commands see.

        Raises:
            InvalidPathError: It is outside of the workspace.
        """
        return lexical(self.context.resolve(to_workspace(self.executor.root, path)))

    def outside(self, path: str) -> str:
        """Return how commands see a path of the workspace."""
        return from_workspace(self.executor.root, path)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            NotFoundError, IsDirectoryError: There is no file.
        """
        return self.context.files.read_with_stat(self.inside(path))[0]

    def write(self, path: str, data: str | bytes) -> None:
        """Give a file this content; its parents are made.

        Raises:
            IsDirectoryError: A directory is there.
        """
        write(self.context, self.inside(path), data)


def _opened(workspace: Context | PathLike, session: str) -> tuple[Context, bool]:
    """Return the context, and whether it was opened here."""
    if isinstance(workspace, Context):
        return workspace, False
    from vshell.workspace import Workspace

    return Workspace.open(workspace).session(session), True
