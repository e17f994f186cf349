"""What `sed` reads and writes: lines of all inputs, and outputs that end them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vshell.errors import VshellError
from vshell.shell.command import Input, Invocation, Output
from vshell.shell.command_io import Failure, open_input, records, to_bytes
from vshell.shell.messages import reason


class Printer:
    """An output that adds a line's missing end when something follows it."""

    def __init__(self, output: Output, end: bytes) -> None:
        self._output = output
        self._end = end
        self._missing = False

    def line(self, text: str, *, ended: bool = True) -> None:
        data = to_bytes(text)
        if self._missing:
            data = self._end + data
        self._missing = not ended
        self._output.write(data + self._end if ended else data)

    def complete(self) -> None:
        """Add the end that the last line did not have."""
        if self._missing:
            self._output.write(self._end)
            self._missing = False

    def raw(self, data: bytes) -> None:
        if data:
            self._output.write(self._end + data if self._missing else data)
            self._missing = False


class FileOutput:
    """What `w` has written to a file so far."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes, /) -> None:
        self.parts.append(data)


class Lines:
    """The lines of all inputs, one after the other, with a look at the next one.

    Args:
        call: The command's run.
        names: The inputs.
        end: What ends a line.
    """

    def __init__(self, call: Invocation, names: Sequence[str], end: bytes) -> None:
        self._call = call
        self._end = end
        self._names = list(names)
        self._source: Iterator[bytes] | None = None
        self._ahead: tuple[bytes, str] | None = None
        self._ahead_known = False
        self._name = "-"
        self.name = "-"
        self.failed = False

    def _open(self, name: str) -> Input | None:
        try:
            return open_input(self._call, name)
        except VshellError as error:
            if error.code == "is_directory":
                raise Failure(f"read error on {name}: {reason(error)}", 4) from None
            self.failed = True
            self._call.complain(f"can't read {name}: {reason(error)}")
            return None

    def _look(self) -> None:
        self._ahead_known = True
        while True:
            if self._source is not None:
                line = next(self._source, None)
                if line is not None:
                    self._ahead = (line, self._name)
                    return
                self._source = None
            if not self._names:
                self._ahead = None
                return
            self._name = self._names.pop(0)
            opened = self._open(self._name)
            self._source = None if opened is None else records(opened, self._end)

    @property
    def is_last(self) -> bool:
        """Whether no line follows."""
        if not self._ahead_known:
            self._look()
        return self._ahead is None

    def next(self) -> bytes | None:
        """Return the next line with its end, or None."""
        if not self._ahead_known:
            self._look()
        if self._ahead is None:
            return None
        line, self.name = self._ahead
        self._ahead_known = False
        return line
