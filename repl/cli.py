"""`vshell`: the entry point of the command line.

    vshell [-w FILE | --agent ID --root DIR] [--json] COMMAND ...
    vshell [...] -c 'SCRIPT' [NAME [ARGUMENT ...]]
    vshell [...] SCRIPT.sh [ARGUMENT ...]

Exit codes: 0 done, 1 failed (of grep: no match), 2 wrong usage, 3 conflict,
4 internal error, 124 timeout, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

from vshell._version import __version__
from vshell.errors import ConflictError, NotFoundError, OperationTimeoutError, VshellError
from vshell.fs.filesystem import FileSystem
from vshell.ops.context import Context

from .grammar import (
    ASKED_FOR_HELP,
    HELP,
    Argument,
    UsageError,
    help_table,
    help_text,
    nearest,
    parse,
    parse_leading,
)
from .output import Output
from .scripts import Script, find_script, leading, run_script

# What knows all operations is imported by whom needs it: the interactive shell shows its
# prompt without.
if TYPE_CHECKING:
    from .commands import Command

FAILED: Final = 1
USAGE: Final = 2
CONFLICT: Final = 3
INTERNAL: Final = 4
TIMEOUT: Final = 124
INTERRUPTED: Final = 130

_DEFAULT_WORKSPACE: Final = "vshell.db"
_DEFAULT_SESSION: Final = "cli"

_GLOBAL: Final = (
    Argument(
        "workspace",
        f"The workspace (default: $VSHELL_WORKSPACE, else {_DEFAULT_WORKSPACE} here).",
        ("-w", "--workspace"),
        "FILE",
    ),
    Argument("agent", "The workspace of an agent, kept in --root.", ("--agent",), "ID"),
    Argument("root", "The directory of the agents' workspaces.", ("--root",), "DIR"),
    Argument("session", "Who makes the changes, for the journal.", ("--session",), "NAME"),
    Argument("json", "Print results and errors as JSON.", ("--json",), value=True),
    Argument("color", "Print without colour, as NO_COLOR=1 does.", ("--no-color",), value=False),
    Argument("version", "Print the version.", ("--version",), value=True),
)

_VALUED: Final = {flag for each in _GLOBAL if each.takes_value for flag in each.flags}

_JSON: Final = Argument("json", "Print the result as JSON.", ("--json",), value=True)

_HEADER: Final = """\
usage: vshell [-w FILE | --agent ID --root DIR] [--json] COMMAND ...
       vshell [...] -c 'SCRIPT' [NAME [ARGUMENT ...]]
       vshell [...] SCRIPT.sh [ARGUMENT ...]

An AI agent's durable computer in one SQLite file.

options:
"""

_FOOTER: Final = """
`vshell COMMAND --help` says what a command takes.

exit codes: 0 done, 1 failed (of grep: no match), 2 wrong usage, 3 conflict,
4 internal error, 124 timeout, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # A guess, for errors that come before the command line is understood.
    output = Output(as_json="--json" in given)
    try:
        code = _reported(given, output)
        output.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return FAILED
    except OSError as error:  # stdout takes no more
        _silence()
        with suppress(OSError):
            output.complaint("output", f"cannot write the output: {error.strerror}")
        return FAILED
    return code


def _reported(given: list[str], output: Output) -> int:
    """Run a command line; write what went wrong, and return the exit code."""
    line = _Line(output)
    try:
        return line.run(given)
    except UsageError as error:
        name = "vshell" if line.command is None else f"vshell {line.command.name}"
        output.complaint("usage", str(error), error.hint or f"`{name} --help` shows what it takes")
        return USAGE
    except VshellError as error:
        output.error(error, line.hint or _typed_hint(error, line.command))
        return _exit_code(error)
    except UnicodeEncodeError:
        output.complaint("usage", "an argument that must be text is no UTF-8")
        return USAGE
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.filename is None:
            raise
        output.complaint("host", f"{error.strerror}: {error.filename}")
        return FAILED
    except Exception as error:
        if os.environ.get("VSHELL_DEBUG"):
            raise
        output.complaint(
            "internal",
            f"internal error: {type(error).__name__}: {error}",
            "VSHELL_DEBUG=1 shows where; please report it",
        )
        return INTERNAL


class _Line:
    """A command line, as far as it is understood.

    Attributes:
        command: The command, once it is known.
        hint: What the person should do who meets an error now; None if its own will do.
    """

    def __init__(self, output: Output) -> None:
        self.command: Command | None = None
        self.hint: str | None = None
        self._output = output

    def run(self, given: list[str]) -> int:
        if given[:1] == ["help"]:
            given = [*given[1:2], "--help"]
        ours = leading(given, _VALUED)
        options, rest = parse_leading(_GLOBAL, given[:ours])
        rest += given[ours:]
        output = self._output
        output.color = options.get("color")
        if "version" in options:
            output.line(f"vshell {__version__}")
            return 0
        if ASKED_FOR_HELP in options:
            output.data(global_help())
            return 0
        if not rest and sys.stdin.isatty() and sys.stdout.isatty():
            return self._run_interactive(options)
        from .commands import commands

        script = find_script(rest, commands()) if _may_be_script(rest) else None
        if script is not None:
            return self._run_script(script, options)
        if not rest:
            output.talk(global_help().rstrip("\n"))
            return USAGE
        self.command = _command(rest[0], commands())
        return self._run_command(self.command, rest[1:], options)

    def _run_script(self, script: Script, options: dict[str, Any]) -> int:
        _check_choice(options)
        as_json = "json" in options
        with ExitStack() as stack:
            context = self._open(options, stack, creates=True)
            return run_script(
                context, script, self._output, session=options.get("session"), as_json=as_json
            )

    def _run_interactive(self, options: dict[str, Any]) -> int:
        from .interactive import run_interactive

        _check_choice(options)
        with ExitStack() as stack:
            return run_interactive(
                self._open(options, stack, creates=True).files,
                workspace=options.get("agent") or _workspace_file(options),
                session=options.get("session"),
                colour=self._output.colored(sys.stdout),
            )

    def _run_command(self, command: Command, given: list[str], options: dict[str, Any]) -> int:
        from .commands import Call

        arguments = [*command.arguments(), _JSON]
        try:
            values = parse(arguments, given)
        except UsageError as error:
            raise _explained(error) from None
        if ASKED_FOR_HELP in values:
            described = command.description or command.summary
            self._output.data(help_text(f"vshell {command.name}", arguments, described()))
            return 0
        self._output.as_json = values.pop("json", False) or "json" in options
        _check_choice(options)
        with ExitStack() as stack:

            def open_workspace() -> Context:
                return self._open(options, stack, creates=command.creates)

            call = Call(values, self._output, open_workspace, options.get("session"))
            return command.run(call)

    def _open(self, options: dict[str, Any], stack: ExitStack, *, creates: bool) -> Context:
        name = options["agent"] if "agent" in options else _workspace_file(options)
        try:
            if "agent" in options:
                files = _agent_files(name, options["root"], stack, creates=creates)
            else:
                # `Workspace.open` does the same; but it knows all operations, and to
                # import them costs more than to run one.
                files = FileSystem(name, create=creates)
                stack.callback(files.close)
        except NotFoundError:
            if not creates:
                self.hint = f"it would be {name}; `write` or `import` make a new one"
            raise
        return Context(files, name=options.get("session", _DEFAULT_SESSION))


def _may_be_script(rest: Sequence[str]) -> bool:
    return not rest or rest[0].startswith("-") or "/" in rest[0] or "." in rest[0]


def _workspace_file(options: dict[str, Any]) -> str:
    return options.get("workspace") or os.environ.get("VSHELL_WORKSPACE") or _DEFAULT_WORKSPACE


def _agent_files(agent: str, root: str, stack: ExitStack, *, creates: bool) -> FileSystem:
    from vshell.workspaces import Workspaces

    agents = stack.enter_context(Workspaces(root))
    return agents.open(agent, create=creates).files


def _check_choice(options: dict[str, Any]) -> None:
    if ("agent" in options) != ("root" in options):
        raise UsageError("--agent ID and --root DIR belong together")
    if "agent" in options and "workspace" in options:
        raise UsageError("the workspace is -w FILE, or --agent ID with --root DIR, and not both")


def _command(name: str, known: dict[str, Command]) -> Command:
    # `read_bytes` is what Python says; it costs nothing to understand it.
    command = known.get(name) or known.get(name.replace("_", "-"))
    if command is None:
        near = nearest(name, list(known))
        hint = f"did you mean {near}?" if near else "`vshell --help` lists the commands"
        raise UsageError(f"no such command: {name}", hint)
    return command


def _explained(error: UsageError) -> UsageError:
    """Add what to do about an option that is known, but stands in the wrong place."""
    flags = {flag for argument in _GLOBAL for flag in argument.flags}
    flag = str(error).rpartition(": ")[2]
    if str(error).startswith("no such option") and flag in flags:
        return UsageError(str(error), f"{flag} stands before the command")
    return error


def _typed_hint(error: VshellError, command: Command | None) -> str | None:
    if error.hint is None or command is None or command.operation is None:
        return error.hint
    from .arguments import in_typed_words

    return in_typed_words(error.hint, command.operation)


def _exit_code(error: VshellError) -> int:
    if isinstance(error, OperationTimeoutError):
        return TIMEOUT
    return CONFLICT if isinstance(error, ConflictError) else FAILED


def global_help() -> str:
    """Return what `vshell --help` prints."""
    from .commands import TOPICS, commands

    known = commands()
    text = _HEADER + help_table([*_GLOBAL, HELP])
    width = max(map(len, known))
    for topic, title in TOPICS.items():
        text += f"\n{title}:\n"
        for command in known.values():
            if command.topic == topic:
                text += f"  {command.name:<{width}}  {command.summary()}\n"
    return text + _FOOTER


def _silence() -> None:
    """Give Python nothing to complain about when it closes a stdout that failed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except AttributeError:
            continue  # it is None: closed from the beginning
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
