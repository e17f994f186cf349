"""What runs the shell language: a protocol, so that the engine can be another one.

An engine parses and runs scripts and keeps the shell's state: variables, functions,
options. It does not know where files are or what a command does: it is given both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from vshell.record import Record

OnOutput = Callable[[str, bytes], None]
"""Called with `"stdout"` or `"stderr"`, and bytes, while a script runs."""

CANCELLED = "cancelled"
"""The error of a script that `cancel` ended."""

LIMIT_EXIT_CODE = 125
"""The exit code of a script that met a limit of the engine, such as the depth of functions."""


@dataclass(frozen=True, slots=True)
class Check(Record):
    """Whether a text is a script.

    Attributes:
        status: `"complete"`, `"incomplete"` (more lines would make it one), or `"error"`.
        message: What is wrong, in bash's words; None when nothing is.
        line: Where, from 1; None when it is not known.
        column: Where in the line, from 1; None when it is not known.
    """

    status: Literal["complete", "incomplete", "error"]
    message: str | None = None
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedCommand(Record):
    """A command in a script, as far as its text says it.

    Attributes:
        name: What is run; None when it is computed.
        arguments: The words after it; None for each that is computed.
        context: `"direct"`, `"substitution"` or `"function_body"`.
    """

    name: str | None
    arguments: tuple[str | None, ...]
    context: str


@dataclass(frozen=True, slots=True)
class PlannedRedirect(Record):
    """A redirection in a script.

    Attributes:
        path: The file; None when it is computed.
        mode: `"read"`, `"write"` or `"append"`.
    """

    path: str | None
    mode: str


@dataclass(frozen=True, slots=True)
class Plan(Record):
    """What a script says it would do.

    Attributes:
        commands: Its commands, in order.
        redirects: Its redirections to and from files.
        functions: The functions that it defines.
        opaque: Whether it may run what its text does not show (`eval`, `$command`, ...).
    """

    commands: tuple[PlannedCommand, ...]
    redirects: tuple[PlannedRedirect, ...]
    functions: tuple[str, ...]
    opaque: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended.

    Attributes:
        exit_code: Its exit code.
        error: What limit it met, in words; None when it met none.
        cut: Whether it printed more than the engine passed on.
        last: What it printed at last and `on_output` was not given: it can go to the host
            together with the rest of the outcome.
    """

    exit_code: int
    error: str | None = None
    cut: bool = False
    last: tuple[tuple[str, bytes], ...] = ()


class ShellEngine(Protocol):
    """An interpreter with its state; used by one thread at a time."""

    def run(
        self, script: str, *, stdin: bytes, arguments: Sequence[str], on_output: OnOutput
    ) -> Outcome:
        """Run a script.

        Args:
            script: The text.
            stdin: Its input.
            arguments: `$0`, `$1`, ... of a child of the shell; empty runs in the shell.
            on_output: Is given what it prints.
        """

    def cancel(self) -> None:
        """End the script that runs in another thread, at its next command."""

    def check(self, script: str) -> Check:
        """Say whether a text is a script, without running it."""

    def plan(self, script: str) -> Plan:
        """Say what a script would do, without running it.

        Raises:
            ValueError: It is none.
        """

    @property
    def changed(self) -> bool:
        """Whether the state may not be what the last snapshot has."""

    def snapshot(self) -> bytes:
        """Return the state, for `restore` of the same version of the engine."""

    def restore(self, state: bytes) -> None:
        """Take up a state.

        Raises:
            ValueError: Another version wrote it, or it is damaged.
        """

    def describe(self) -> dict[str, Any]:
        """Return the state as plain data that any version of any engine can be set up from."""

    def resetting_script(self, names: Iterable[str]) -> str:
        """Return a script that gives variables the values that they have now."""

    def keeping_status(self, script: str) -> None:
        """Run a script of our own that `$?` does not show."""

    def names(self) -> Mapping[str, Sequence[str]]:
        """Return what can be completed: `commands`, `functions`, `variables`, `aliases`."""

    @property
    def cwd(self) -> str:
        """The working directory."""

    @property
    def version(self) -> str:
        """The engine's name and version: what `snapshot` is bound to."""
