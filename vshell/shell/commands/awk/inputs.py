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

    def separate(self, separation: Separation) -> None:
        """End records otherwise from now on."""
        if self._reader is not None:
            self._reader.separate(separation)

    def blocks(self) -> Iterator[Iterator[str]]:
        """Yield iterators of records: what `getline` takes from the same input is not in them."""
        while (block := self._block()) is not None:
            yield block

    def next(self) -> str | None:
        """Return the next record, or None at the end of the last file."""
        block = self._block()
        return None if block is None else next(block)

    def skip_file(self) -> None:
        """Go on with the next file: `nextfile`."""
        if self._reader is not None:
            self._reader.abandon()

    def delivered(self) -> int:
        """Return how many records of the present file were taken."""
        return 0 if self._reader is None else self._reader.delivered()

    def _block(self) -> Iterator[str] | None:
        while True:
            if self._reader is None:
                self._reader = self._open_next()
                if self._reader is None:
                    return None
            block = self._reader.block()
            if block is not None:
                if not self._notes_ends:
                    return block
                text = next(block)
                self._host.note_end(self._reader.ended_by)
                return iter((text,))
            self._reader = None
            if self._host.end_file is not None:
                self._host.end_file()

    def _look(self, block: str) -> None:
        self._host.record.note_blanks(odd=has_odd_blanks(block))

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
                message = f"cannot open file `{name}' for reading: {problem}"
                raise AwkFatal(message, is_of_input=True)
            text = f"warning: command line argument `{name}' is a directory: skipped"
            self._call.complain(text)
            return None
        return Reader(source, host.separation(), self._look)
