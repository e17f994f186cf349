"""The subcommands: one for each operation, and those that only a command line has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from vshell.errors import VshellError
from vshell.ops.catalog import OPERATIONS, Operation
from vshell.ops.context import Context

from .arguments import arguments_of, in_typed_words, integer_or_text, read_inputs
from .grammar import Argument
from .output import Output
from .render import explain_search, render
from .shapes import SHAPES

# The command line says these with the words that people type.
_NAMES: Final = {"import_directory": "import", "export_directory": "export"}

TOPICS: Final = {
    "files": "Files",
    "search": "Looking and searching",
    "changes": "Editing, diffs and patches",
    "history": "History",
    "transfer": "Directories of the host, and copies",
    "scripts": "Scripts",
    "containers": "Containers",
    "upkeep": "Upkeep",
    "serving": "For harnesses",
    "about": "Getting to know it",
}


@dataclass(slots=True)
class Call:
    """One call of a subcommand.

    Attributes:
        values: What was given, by name.
        output: Where it writes.
        open: Opens the workspace; it is closed after the call.
        session: The name that was given for the journal; None when none was.
    """

    values: dict[str, Any]
    output: Output
    open: Callable[[], Context]
    session: str | None


class Command(NamedTuple):
    """A subcommand.

    Attributes:
        name: What is typed.
        topic: Under which of `TOPICS` the help has it.
        summary: Says in one line what it does.
        arguments: What it takes.
        run: Runs it; returns the exit code.
        creates: Whether a missing workspace is made.
        description: Says all that is to be said; the summary if it is None.
        operation: The operation that it is, if it is one.
    """

    name: str
    topic: str
    summary: Callable[[], str]
    arguments: Callable[[], Sequence[Argument]]
    run: Callable[[Call], int]
    creates: bool = False
    description: Callable[[], str] | None = None
    operation: Operation | None = None


def commands() -> dict[str, Command]:
    """Return all subcommands by name, in the order of the help."""
    from .mirrors import mirror_commands
    from .sandbox import script_commands
    from .serving import COMMANDS as SERVING

    found = [_of_operation(operation) for operation in OPERATIONS] + _OTHERS
    found += [*script_commands(), *_container_commands(), *mirror_commands(), *SERVING]
    order = list(TOPICS)
    found.sort(key=lambda command: order.index(command.topic))
    return {command.name: command for command in found}


def _of_operation(operation: Operation) -> Command:
    shape = SHAPES.get(operation.name)

    def arguments() -> Sequence[Argument]:
        found = arguments_of(operation)
        return shape.arguments(found) if shape else found

    def run(call: Call) -> int:
        values = read_inputs(operation, shape.values(call.values) if shape else call.values)
        if operation.name == "undo" and call.session is None:
            # Who names no session is nobody in particular, and undoes whatever was last.
            values.setdefault("force", True)
        context = call.open()
        with _progress(operation) as progress, _host_paths_named(values):
            result = operation.function(context, **values, **progress)
        if call.values.get("explain") is True:
            explain_search(result, call.output)
        as_patch = call.values.get("patch") is True
        return render(
            f"{operation.name}_patch" if as_patch else operation.name, result, call.output
        )

    return Command(
        _NAMES.get(operation.name, operation.name.replace("_", "-")),
        operation.topic,
        lambda: in_typed_words(operation.summary, operation),
        arguments,
        run,
        operation.creates,
        lambda: in_typed_words(operation.description, operation),
        operation,
    )


@contextlib.contextmanager
def _progress(operation: Operation) -> Iterator[dict[str, Any]]:
    if not any(parameter.name == "progress" for parameter in operation.parameters):
        yield {}
        return
    from .progress import progress_bar

    with progress_bar(_NAMES.get(operation.name, operation.name)) as progress:
        yield {"progress": progress}


@contextlib.contextmanager
def _host_paths_named(values: dict[str, Any]) -> Iterator[None]:
    """Say which path of the host it is, as errors do not: here it is no secret."""
    try:
        yield
    except VshellError as error:
        for name in ("source", "target"):
            if name in values:
                error.message = error.message.replace(f"the {name} on the host", values[name])
        raise


def _fork(call: Call) -> int:
    from vshell.workspace import Workspace

    destination = call.values["destination"]
    with Workspace(call.open().files).fork(destination, at=call.values.get("at")) as copy:
        found = {"destination": destination, "revision": copy.files.revision()}
    if call.output.as_json:
        call.output.json(found)
    else:
        call.output.talk(f"copied to {destination}")
    return 0


def _merge(call: Call) -> int:
    from .merge import run_merge

    return run_merge(call.open(), call.values, call.output)


def _demo(call: Call) -> int:
    from .demo import run_demo

    return run_demo(call.values.get("directory", "."), call.values.get("keep"), call.output)


def _doctor(call: Call) -> int:
    from .doctor import run_doctor

    return run_doctor(call.output)


def _container_commands() -> list[Command]:
    from .containers import container_commands

    return container_commands()


_OTHERS: Final = [
    Command(
        "fork",
        "transfer",
        lambda: "Copy the whole workspace to a new file, as it is now or was.",
        lambda: [
            Argument("destination", "The new file of the host.", metavar="DEST", required=True),
            Argument(
                "at", "The snapshot or revision to copy.", ("--at",), "MOMENT", integer_or_text
            ),
        ],
        _fork,
    ),
    Command(
        "merge",
        "transfer",
        lambda: "Bring what changed in a fork back into this workspace.",
        lambda: [
            Argument("fork", "The fork's file on the host.", metavar="FORK", required=True),
            Argument(
                "policy",
                "What becomes of conflicts (default: safe, this workspace keeps its own).",
                ("--policy",),
                choices=("safe", "markers", "ours", "theirs", "fail"),
            ),
            Argument("base", "A snapshot that both have.", ("--base",), "NAME"),
            Argument("dry_run", "Only show what would change.", ("--dry-run",), value=True),
        ],
        _merge,
    ),
    Command(
        "demo",
        "about",
        lambda: "Import a real tree; search, edit, diff, patch and export it; show each step.",
        lambda: [
            Argument(
                "directory",
                "The tree to work on; it is only read. (default: the current directory)",
                metavar="DIR",
            ),
            Argument("keep", "Keep the database and the export here.", ("--keep",), "DIR"),
        ],
        _demo,
    ),
    Command(
        "doctor",
        "about",
        lambda: "Show versions, what works here, and why something does not.",
        list,
        _doctor,
    ),
]
