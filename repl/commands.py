"""The subcommands: one for each operation, and those that only a command line has."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from vshell.ops.catalog import OPERATIONS, Operation
from vshell.workspace import Workspace

from .arguments import Parser, operation_parser, values_of
from .output import Output
from .render import change_line, render

# The command line says these with the words that people type.
_NAMES: Final = {"import_directory": "import", "export_directory": "export"}


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        name: What is typed.
        summary: One line for the list of commands.
        parser: Makes its parser, given the program's name.
        run: Runs it on the workspace that `open_workspace` opens; returns the exit code.
        creates: Whether a missing workspace is made.
    """

    name: str
    summary: Callable[[], str]
    parser: Callable[[str], Parser]
    run: Callable[[Callable[[], Workspace], argparse.Namespace, Output], int]
    creates: bool = True


def commands() -> dict[str, Command]:
    """Return all subcommands by name, in the order of the help."""
    found = [_of_operation(operation) for operation in OPERATIONS]
    found += [
        Command("log", lambda: "Show the latest changes, newest first.", _log_parser, _log, False),
        Command("demo", lambda: _DEMO, _demo_parser, _demo),
        Command("doctor", lambda: _DOCTOR, _doctor_parser, _doctor),
    ]
    return {command.name: command for command in found}


def _of_operation(operation: Operation) -> Command:
    def parser(program: str) -> Parser:
        made = _SPECIAL_PARSERS.get(operation.name, operation_parser)(operation, program)
        made.set_defaults(progress=None)
        return made

    def run(
        open_workspace: Callable[[], Workspace], found: argparse.Namespace, output: Output
    ) -> int:
        values = _SPECIAL_VALUES.get(operation.name, values_of)(operation, found)
        workspace = open_workspace()
        if operation.name in _NAMES:
            from .progress import progress_bar

            with progress_bar(operation.name) as progress:
                result = operation.function(workspace, **values, progress=progress)
        else:
            result = operation.function(workspace, **values)
        return render(operation.name, result, output)

    name = _NAMES.get(operation.name, operation.name.replace("_", "-"))
    return Command(name, lambda: operation.summary, parser, run, operation.kind == "write")


def _edit_parser(operation: Operation, program: str) -> Parser:
    """`edit PATH OLD NEW` is what people type; JSON edits remain for programs."""
    parser = Parser(prog=program, description=operation.description, allow_abbrev=False)
    helps = {parameter.name: parameter.help for parameter in operation.parameters}
    parser.add_argument("path", help=helps["path"])
    parser.add_argument("old", nargs="?", help="The text to replace.")
    parser.add_argument("new", nargs="?", help="The text to put in its place.")
    parser.add_argument("--all", action="store_true", help="Replace every occurrence.")
    parser.add_argument(
        "--edits", metavar="JSON", help='Several edits: [{"old": "a", "new": "b"}]; - is stdin.'
    )
    for name in ("basis", "fuzz"):
        choices = next(p.choices for p in operation.parameters if p.name == name)
        parser.add_argument(f"--{name}", choices=choices or None, help=helps[name])
    parser.add_argument("--expected-version", type=int, metavar="N", help=helps["expected_version"])
    parser.add_argument("--dry-run", action="store_true", default=None, help=helps["dry_run"])
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _edit_values(operation: Operation, found: argparse.Namespace) -> dict[str, Any]:
    if found.edits is not None:
        return values_of(operation, found)
    from .arguments import UsageError

    if found.old is None or found.new is None:
        raise UsageError("edit needs OLD and NEW, or --edits JSON")
    found.edits = "[]"
    values = values_of(operation, found)
    values["edits"] = [{"old": found.old, "new": found.new, "replace_all": found.all}]
    return values


_SPECIAL_PARSERS: Final = {"edit": _edit_parser}
_SPECIAL_VALUES: Final = {"edit": _edit_values}

_DEMO: Final = "Import a real tree; search, edit, diff, patch and export it; show each step."
_DOCTOR: Final = "Show versions, what works here, and why something does not."


def _log_parser(program: str) -> Parser:
    parser = Parser(prog=program, description="Show the latest changes, newest first.")
    parser.add_argument("path", nargs="?", help="Only changes to this path.")
    parser.add_argument("-n", type=int, default=20, metavar="N", help="How many (default: 20).")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _log(open_workspace: Callable[[], Workspace], found: argparse.Namespace, output: Output) -> int:
    workspace = open_workspace()
    if found.path is not None:
        return render("history", workspace.history(found.path, limit=found.n), output)
    latest = workspace.files.revision()
    # A revision has at least one change, so the last n of them have enough.
    recent = workspace.changes(max(0, latest - found.n), limit=1_000_000)
    newest = tuple(reversed(recent.changes))[: found.n]
    if output.as_json:
        output.json([change.as_dict() for change in newest])
    else:
        for change in newest:
            output.line(change_line(change, output))
    return 0


def _demo_parser(program: str) -> Parser:
    parser = Parser(prog=program, description=_DEMO)
    parser.add_argument(
        "directory", nargs="?", default=".", help="The tree to work on; it is not changed."
    )
    parser.add_argument("--keep", metavar="DIR", help="Keep the database and the export here.")
    parser.add_argument("--json", action="store_true", help="print the steps as JSON")
    return parser


def _demo(_: Callable[[], Workspace], found: argparse.Namespace, output: Output) -> int:
    from .demo import run_demo

    return run_demo(found.directory, found.keep, output)


def _doctor_parser(program: str) -> Parser:
    parser = Parser(prog=program, description=_DOCTOR)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser


def _doctor(_: Callable[[], Workspace], __: argparse.Namespace, output: Output) -> int:
    from .doctor import run_doctor

    return run_doctor(output)
