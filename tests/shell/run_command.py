"""Runs one command of the shell without an engine around it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from vshell.ops.context import Context
from vshell.shell import commands
from vshell.shell.command import Executed, Invocation, Parsed
from vshell.shell.options import invoke

ENVIRONMENT = {"HOME": "/root", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def run_command(
    context: Context,
    words: Sequence[str],
    stdin: bytes = b"",
    *,
    environment: Mapping[str, str] | None = None,
    services: Mapping[str, Any] | None = None,
) -> Executed:
    """Run a command on the files of a workspace or session, in its working directory.

    Args:
        context: A `Workspace`, a session, or any other context.
        words: The name and what follows it.
        stdin: What it reads.
        environment: Variables besides `ENVIRONMENT`.
        services: See `Invocation.services`.

    Returns:
        The exit code and the output; 127 for a command that does not exist.
    """
    command = commands.find(words[0])
    if command is None:
        return Executed(127, b"", f"{words[0]}: command not found\n".encode())
    stdout, stderr = io.BytesIO(), io.BytesIO()
    call = Invocation(
        name=words[0],
        context=context,
        parsed=Parsed((), tuple(words[1:])),
        environment=ENVIRONMENT | dict(environment or {}),
        stdin=io.BytesIO(stdin),
        stdout=stdout,
        stderr=stderr,
        execute=lambda again, data: run_command(
            context, again, data, environment=environment, services=services
        ),
        services=services or {},
    )
    exit_code = invoke(command, call)
    return Executed(exit_code, stdout.getvalue(), stderr.getvalue())
