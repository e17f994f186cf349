"""The interactive shell: what `vshell` opens on a terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping

from vshell.fs.filesystem import FileSystem
from vshell.session import Session

__all__ = ["run_interactive"]

SESSION = "main"
"""The shell session that a person comes back to, unless another one is named."""


def run_interactive(
    files: FileSystem,
    *,
    workspace: str,
    session: str | None,
    colour: bool,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Read lines from the terminal and run them until the person leaves.

    Args:
        files: The workspace.
        workspace: What it is called, for the prompt.
        session: The shell session to go on with; None is `main`.
        colour: Whether to use colour.
        environment: The host's variables; None for this process'.

    Returns:
        The exit code of the last line.
    """
    from .loop import Loop, is_dumb

    known = os.environ if environment is None else environment
    name = session or SESSION
    who = Session(files, name=name)
    with who.shell(session=name) as shell:
        loop = Loop(
            who,
            shell,
            workspace=workspace,
            colour=colour,
            plain=is_dumb(known),
            environment=known,
        )
        return loop.run()
