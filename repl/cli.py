"""`vshell`: the entry point of the command line.

    vshell [-w FILE | --agent ID --root DIR] [--json] COMMAND ...

Exit codes: 0 done, 1 failed (of grep: no match), 2 wrong usage, 3 conflict,
4 internal error, 124 timeout, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from vshell._version import __version__
from vshell.errors import ConflictError, OperationTimeoutError, VshellError
from vshell.workspace import Workspace

from .arguments import UsageError
from .commands import Command, commands
from .output import Output

FAILED: Final = 1
USAGE: Final = 2
CONFLICT: Final = 3
INTERNAL: Final = 4
TIMEOUT: Final = 124
INTERRUPTED: Final = 130

_HELP: Final = """\
usage: vshell [-w FILE | --agent ID --root DIR] [--json] COMMAND ...

An AI agent's durable computer in one SQLite file.

options:
  -w, --workspace FILE  the workspace (default: $VSHELL_WORKSPACE, else vshell.db here)
  --agent ID            the workspace of an agent, kept in --root
  --root DIR            the directory of the agents' workspaces
  --session NAME        who is making the changes, for the journal
  --json                print results as JSON
  --no-color            print without colour, as NO_COLOR=1 does
  --version             print the version
  -h, --help            print this, or of a command its own help

commands:
"""


@dataclass
class _Options:
    """What stands before the command."""

    workspace: str | None = None
    agent: str | None = None
    root: str | None = None
    session: str = "cli"
    as_json: bool = False
    color: bool | None = None
    show: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    output = Output(as_json="--json" in given)
    try:
        return _run(given, output)
    except UsageError as error:
        output.usage_error(str(error), error.hint)
        return USAGE
    except VshellError as error:
        output.error(error)
        return _exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has seen enough. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except SystemExit as leaving:  # argparse has printed a command's help
        return int(leaving.code or 0)
    except Exception as error:
        if os.environ.get("VSHELL_DEBUG"):
            raise
        output.usage_error(
            f"internal error: {type(error).__name__}: {error}",
            "VSHELL_DEBUG=1 shows where; please report it",
        )
        return INTERNAL


def _run(given: list[str], output: Output) -> int:
    options, rest = _split(given)
    output.as_json = options.as_json
    output.color = options.color
    if options.show == "version":
        output.line(f"vshell {__version__}")
        return 0
    known = commands()
    if options.show == "help" or not rest:
        output.data(_help(known))
        return 0 if options.show == "help" else USAGE
    command = known.get(rest[0])
    if command is None:
        raise UsageError(f"no such command: {rest[0]}", _nearest(rest[0], known))
    found = command.parser(f"vshell {command.name}").parse_args(rest[1:])
    output.as_json = output.as_json or found.json
    with ExitStack() as stack:
        return command.run(_opener(options, command, stack), found, output)


def _split(given: list[str]) -> tuple[_Options, list[str]]:
    """Return the options before the command, and the command with its arguments."""
    options = _Options()
    rest = list(given)
    while rest and rest[0].startswith("-"):
        name, equals, value = rest.pop(0).partition("=")
        if name in _VALUE_OPTIONS:
            if not equals and not rest:
                raise UsageError(f"{name} needs a value")
            setattr(options, _VALUE_OPTIONS[name], value if equals else rest.pop(0))
        elif name == "--json":
            options.as_json = True
        elif name == "--no-color":
            options.color = False
        elif name in ("-h", "--help"):
            options.show = "help"
        elif name == "--version":
            options.show = "version"
        else:
            raise UsageError(f"no such option: {name}", "`vshell --help` lists them")
    return options, rest


_VALUE_OPTIONS: Final = {
    "-w": "workspace",
    "--workspace": "workspace",
    "--agent": "agent",
    "--root": "root",
    "--session": "session",
}


def _opener(options: _Options, command: Command, stack: ExitStack) -> Callable[[], Workspace]:
    def open_workspace() -> Workspace:
        if options.agent is not None:
            from vshell.workspaces import Workspaces

            if options.root is None:
                raise UsageError("--agent needs --root DIR")
            agents = stack.enter_context(Workspaces(options.root))
            workspace = agents.open(options.agent, create=command.creates)
        else:
            path = options.workspace or os.environ.get("VSHELL_WORKSPACE") or "vshell.db"
            workspace = stack.enter_context(Workspace.open(path, create=command.creates))
        workspace.name = options.session
        return workspace

    return open_workspace


def _exit_code(error: VshellError) -> int:
    if isinstance(error, OperationTimeoutError):
        return TIMEOUT
    return CONFLICT if isinstance(error, ConflictError) else FAILED


def _help(known: dict[str, Command]) -> str:
    width = max(map(len, known))
    lines = [f"  {name:<{width}}  {command.summary()}\n" for name, command in known.items()]
    return _HELP + "".join(lines)


def _nearest(name: str, known: dict[str, Command]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "`vshell --help` lists the commands"


if __name__ == "__main__":
    sys.exit(main())
