"""The lines of a session that were run before: they are in the workspace, not on the host."""

from __future__ import annotations

from collections.abc import Iterable

from prompt_toolkit.history import History

from vshell.fs import shells
from vshell.fs.filesystem import FileSystem

__all__ = ["WorkspaceHistory"]


class WorkspaceHistory(History):
    """What prompt-toolkit searches and suggests from.

    Args:
        files: The workspace.
        session: Whose lines; the shell itself adds each that it runs.
    """

    def __init__(self, files: FileSystem, session: str) -> None:
        super().__init__()
        self._files = files
        self._session = session

    def load_history_strings(self) -> Iterable[str]:
        """Yield the lines, the newest first, each once."""
        seen: set[str] = set()
        for found in reversed(shells.history(self._files, self._session)):
            if found.line not in seen:
                seen.add(found.line)
                yield found.line

    def store_string(self, string: str) -> None:
        """Do nothing: the shell keeps what it runs."""
