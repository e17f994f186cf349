"""What an awk program writes to: its output, files of the workspace, and commands' inputs."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Final, Protocol

from vshell.errors import VshellError
from vshell.shell.command import Executed, Invocation, Output
from vshell.shell.command_io import to_bytes, write_file
from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.messages import reason

__all__ = ["Commands", "FileTarget", "StandardOutput", "Target"]

_BUFFER_BYTES: Final = 64 * 1024
_FILE_BYTES: Final = 4 * 1024 * 1024
"""How much is held for a file before it is written."""
_MAX_INPUT_BYTES: Final = 256 * 1024 * 1024
"""How much is held for a command: it gets its input at once."""
_PLAIN_COMMAND: Final = re.compile(r"[A-Za-z_][\w./+-]*(?: +[\w./,:+@%=-]+)*")
_DEVICES: Final = {
    "/dev/stdout": "stdout",
    "-": "stdout",
    "/dev/fd/1": "stdout",
    "/dev/stderr": "stderr",
    "/dev/fd/2": "stderr",
    "cat 1>&2": "stderr",
}


class Target(Protocol):
    """Something that is written to by name."""

    def write(self, text: str) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> int:
        """End it; return the exit code of a command, or 0."""


class _Raw(io.RawIOBase):
    """Hands bytes on; once that has failed, it takes them and does nothing."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output: Output | None = output

    def writable(self) -> bool:
        return True

    def abandon(self) -> None:
        """Take what comes, and hand on nothing more."""
        self._output = None

    def write(self, data: object, /) -> int:
        found = bytes(data)  # type: ignore[call-overload]
        output, self._output = self._output, None
        if output is not None:
            output.write(found)
            self._output = output
        return len(found)


class StandardOutput:
    """An output of the command, which takes text.

    The text goes through buffers of the standard library, because no Python code runs
    then for what a program prints.

    Args:
        output: Where bytes go.
        buffered: Whether they may wait.
    """

    def __init__(self, output: Output, *, buffered: bool) -> None:
        self._raw = _Raw(output)
        self._text = io.TextIOWrapper(
            io.BufferedWriter(self._raw, _BUFFER_BYTES),
            encoding="utf-8",
            errors="surrogateescape",
            newline="",
        )
        self.flush: Callable[[], None] = self._text.flush
        self.write: Callable[[str], object] = self._text.write if buffered else self._write_now

    def abandon(self) -> None:
        """Lose what waits: it must not be written whenever the buffers are given up."""
        self._raw.abandon()

    def _write_now(self, text: str) -> None:
        self._text.write(text)
        self._text.flush()

    def close(self) -> int:
        self._text.flush()
        return 0


class _Device:
    """A standard output by the name of a file: closing it does not end it."""

    def __init__(self, output: StandardOutput) -> None:
        self._output = output

    def write(self, text: str) -> None:
        self._output.write(text)

    def flush(self) -> None:
        self._output.flush()

    def close(self) -> int:
        self._output.flush()
        return 0


class FileTarget:
    """A file of the workspace.

    Args:
        call: The command's run.
        name: The file.
        append: Whether what is there stays.

    Raises:
        AwkFatal: It cannot be written.
    """

    def __init__(self, call: Invocation, name: str, *, append: bool) -> None:
        self._call = call
        self._name = name
        self._append = append
        self._parts: list[str] = []
        self._size = 0
        self._is_fresh = True
        path = call.context.resolve(name)
        if name.startswith("/dev/"):
            return
        files = call.context.files
        try:
            if files.exists(path):
                call.context.require_seen(path)
            else:
                files.stat(path.rpartition("/")[0] or "/")
        except VshellError as error:
            raise self._failure(error) from None

    def _failure(self, error: VshellError) -> AwkFatal:
        return AwkFatal(f"cannot redirect to `{self._name}': {reason(error)}")

    def write(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)
        if self._size > _FILE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held; the first time, what was there before is gone."""
        if not self._parts and not self._is_fresh:
            return
        data = to_bytes("".join(self._parts))
        self._parts.clear()
        self._size = 0
        try:
            if self._is_fresh and not self._append:
                write_file(self._call, self._name, data)
            else:
                self._add(data)
        except VshellError as error:
            raise self._failure(error) from None
        self._is_fresh = False

    def _add(self, data: bytes) -> None:
        context = self._call.context
        path = context.resolve(self._name)
        if path == "/dev/null":
            return
        with context.changing(self._call.name):
            context.require_seen(path)
            written = context.files.append(path, data)
            context.note_read(path, written.after.hex())

    def close(self) -> int:
        self.flush()
        return 0


class Commands:
    """Runs the command lines of a program.

    Args:
        call: The command's run.
        before: Called before each: what was printed and written is seen by it.
    """

    def __init__(self, call: Invocation, before: Callable[[], None]) -> None:
        self._call = call
        self._before = before

    def run(self, line: str, stdin: bytes = b"", *, at_end: bool = False) -> Executed:
        """Run a line; what it complains of is passed on.

        Args:
            line: The command line.
            stdin: What it reads.
            at_end: Whether the program is over: then what it printed last comes after what
                the command prints, which had the same output all the time.
        """
        if not at_end:
            self._before()
        words = line.split() if _PLAIN_COMMAND.fullmatch(line) else ["sh", "-c", line]
        done = self._call.execute(words, stdin)
        if done.stderr:
            self._call.stderr.write(done.stderr)
        return done

    def print(self, line: str, stdin: bytes = b"", *, at_end: bool = False) -> int:
        """Run a line as `run` does and print its output; return its exit code."""
        done = self.run(line, stdin, at_end=at_end)
        self._call.stdout.write(done.stdout)
        return done.exit_code

    def target(self, line: str) -> CommandTarget:
        """Return what collects the input of a line."""
        return CommandTarget(self, line)


class CommandTarget:
    """The input of a command, which runs when it is closed."""

    def __init__(self, commands: Commands, line: str) -> None:
        self._commands = commands
        self._line = line
        self._parts: list[str] = []
        self._size = 0

    def write(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)
        if self._size > _MAX_INPUT_BYTES:
            raise AwkFatal(f"too much is printed to the command `{self._line[:40]}'")

    def flush(self) -> None:
        """Nothing: the command has not begun."""

    def take(self) -> bytes:
        """Return what was collected."""
        data = to_bytes("".join(self._parts))
        self._parts.clear()
        return data

    def close(self, *, at_end: bool = False) -> int:
        return self._commands.print(self._line, self.take(), at_end=at_end)


def device(name: str, stdout: StandardOutput, stderr: StandardOutput) -> Target | None:
    """Return the standard output that a name stands for, if it is one."""
    found = _DEVICES.get(name)
    if found is None:
        return None
    return _Device(stdout if found == "stdout" else stderr)
