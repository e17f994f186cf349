"""The main input: the records of the operands, one file after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from vshell.errors import VshellError
from vshell.shell.command import Input, Invocation
from vshell.shell.command_io import open_input
from vshell.shell.commands.awk.errors import AwkFatal, SkipFile
from vshell.shell.commands.awk.lexer import unescape
from vshell.shell.commands.awk.reading import Reader, Separation
from vshell.shell.commands.awk.record import Record, has_odd_blanks
from vshell.shell.messages import reason

__all__ = ["ASSIGNMENT", "MainInput"]

ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
"""An operand that gives a variable a value."""
Hook = Callable[[], None]


class Host(Protocol):
    """What the input asks of the interpreter."""

    record: Record
    begin_file: Hook | None
    end_file: Hook | None

    def operands(self) -> Iterator[str]: ...
    def assign(self, name: str, value: str) -> None: ...
    def start_file(self, name: str, problem: str) -> None: ...
    def separation(self) -> Separation: ...
    def note_end(self, ended_by: str) -> None: ...


class MainInput:
    """Yields the records of all operands.

    Args:
        call: The command's run.
        host: The interpreter.
        notes_ends: Whether what ended each record must be told: the program uses RT.
    """

    def __init__(self, call: Invocation, host: Host, *, notes_ends: bool) -> None:
        self._call = call
        self._host = host
        self._notes_ends = notes_ends
        self._operands: Iterator[str] | None = None
        self._used_file = False
        self._reader: Reader | None = None
        self._records: Iterator[str] | None = None

    def separate(self, separation: Separation) -> None:
        """End records otherwise from now on."""
        if self._reader is not None:
            self._reader.separate(separation)

    def records(self) -> Iterator[str]:
        """Return the records; there is one iterator, which `getline` takes from, too."""
        if self._records is None:
            self._records = self._all()
        return self._records

    def skip_file(self) -> None:
        """Go on with the next file: `nextfile`."""
        if self._reader is not None:
            self._reader.abandon()

    def _all(self) -> Iterator[str]:
        host = self._host
        while (reader := self._open_next()) is not None:
            self._reader = reader
            if self._notes_ends:
                for text in reader.records():
                    host.note_end(reader.ended_by)
                    yield text
            else:
                yield from reader.records()
            self._reader = None
            if host.end_file is not None:
                host.end_file()

    def _look(self, block: str) -> None:
        self._host.record.is_odd = has_odd_blanks(block)

    # Files.

    def _open_next(self) -> Reader | None:
        """Open the next operand that is a file, if there is one."""
        if self._operands is None:
            self._operands = self._host.operands()
        for operand in self._operands:
            assignment = ASSIGNMENT.fullmatch(operand)
            if assignment is not None:
                self._host.assign(assignment[1], unescape(assignment[2]))
                continue
            if operand:
                self._used_file = True
                if (reader := self._open(operand)) is not None:
                    return reader
        if not self._used_file:
            self._used_file = True
            return self._open("-", shown="")
        return None

    def _open(self, name: str, shown: str | None = None) -> Reader | None:
        host = self._host
        source: Input | None = None
        problem, is_directory = "", False
        try:
            source = open_input(self._call, name)
        except VshellError as error:
            problem = reason(error)
            is_directory = error.code == "is_directory"
        host.start_file(name if shown is None else shown, problem)
        if host.begin_file is not None:
            try:
                host.begin_file()
            except SkipFile:
                return None
        if source is None:
            if not is_directory:
                raise AwkFatal(f"cannot open file `{name}' for reading: {problem}")
            text = f"warning: command line argument `{name}' is a directory: skipped"
            self._call.complain(text)
            return None
        return Reader(source, host.separation(), self._look)
