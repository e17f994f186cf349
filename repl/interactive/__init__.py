"""The interactive shell: what `vshell` opens on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext

from vshell._version import __version__
from vshell.fs import shells
from vshell.fs.filesystem import FileSystem

from .first_prompt import first_prompt
from .status import Status

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
    known = os.environ if environment is None else environment
    plain = is_dumb(known)
    name = session or SESSION
    saved = shells.load(files, name)
    status = Status(workspace, "/" if saved is None else saved.cwd)
    status.refresh(files)
    if not shells.history(files, name, limit=1):
        greeting = f"vshell {__version__}: bash on {status.name}; :help says what there is"
        sys.stdout.write(f"\x1b[2m{greeting}\x1b[0m\n" if colour else f"{greeting}\n")
    with ExitStack() as stack:
        with nullcontext() if plain else first_prompt(status, colour=colour):
            from vshell.session import Session

            from .loop import Loop

            who = Session(files, name=name)
            shell = stack.enter_context(who.shell(session=name))
            loop = Loop(who, shell, status=status, colour=colour, plain=plain, environment=known)
        return loop.run()


def is_dumb(environment: Mapping[str, str]) -> bool:
    """Tell whether a terminal cannot even move its cursor."""
    return environment.get("TERM", "") in ("", "dumb") and os.name != "nt"
