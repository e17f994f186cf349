"""The files and commands that a program has open, by the names that it calls them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import open_input
from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.reading import Reader, Separation
from vshell.shell.commands.awk.writing import (
    Commands,
    CommandTarget,
    FileTarget,
    StandardOutput,
    Target,
    device,
)

__all__ = ["Streams"]

_CLOSED_NOTHING: Final = -1.0


class _Coprocess(CommandTarget):
    """A command that is written to and read from: it runs when it is first read from."""

    reader: Reader | None = None


class Streams:
    """What is open.

    Args:
        call: The command's run.
        separation: Returns what ends a record at the moment.
    """

    def __init__(self, call: Invocation, separation: Callable[[], Separation]) -> None:
        self._call = call
        self._separation = separation
        self.stdout = StandardOutput(call.stdout, buffered=True)
        self._stderr = StandardOutput(call.stderr, buffered=False)
        self.commands = Commands(call, self.flush_all)
        self._targets: dict[tuple[str, str], Target] = {}
        self._readers: dict[tuple[str, str], tuple[Reader, int]] = {}
        self._coprocesses: dict[str, _Coprocess] = {}

    # Writing.

    def target(self, redirection: str, name: str) -> Target:
        """Return what `print` with a redirection writes to.

        Raises:
            AwkFatal: It cannot be written to.
        """
        kind = {">>": ">"}.get(redirection, redirection)
        found = self._targets.get((kind, name))
        if found is not None:
            return found
        if not name:
            raise AwkFatal(f"expression for `{redirection}' redirection has null string value")
        if redirection == "|&":
            return self._coprocess(name)
        found = device(name, self.stdout, self._stderr)
        if found is None and kind == "|":
            self.stdout.flush()
            found = self.commands.target(name)
        if found is None:
            found = FileTarget(self._call, name, append=redirection == ">>")
        self._targets[kind, name] = found
        return found

    def _coprocess(self, name: str) -> _Coprocess:
        if name.startswith("/inet"):
            raise AwkFatal("there is no network")
        if name not in self._coprocesses:
            self._coprocesses[name] = _Coprocess(self.commands, name)
        return self._coprocesses[name]

    def flush_all(self) -> None:
        """Write everything that waits."""
        self.stdout.flush()
        for target in self._targets.values():
            target.flush()

    def flush(self, name: str = "") -> float:
        """Write what waits for a file or command, or for all; return -1 if it is not open."""
        if not name:
            self.flush_all()
            return 0.0
        found = [target for (_, known), target in self._targets.items() if known == name]
        for target in found:
            target.flush()
        return 0.0 if found or name in self._coprocesses else -1.0

    def abandon(self) -> None:
        """Lose what was printed and has not been written."""
        self.stdout.abandon()
        self._stderr.abandon()

    # Reading.

    def reader(self, kind: str, name: str) -> Reader | None:
        """Return what records come from; None if it cannot be read.

        Args:
            kind: `file`, `command` or `coprocess`.
            name: The file, or the command line.
        """
        if kind == "coprocess":
            return self._coprocess_reader(name)
        found = self._readers.get((kind, name))
        if found is not None:
            return found[0]
        status = 0
        if kind == "command":
            done = self.commands.run(name)
            status, source = done.exit_code, io.BytesIO(done.stdout)
            reader = Reader(source, self._separation())
        else:
            self._flush_file(name)
            try:
                reader = Reader(open_input(self._call, name), self._separation())
            except VshellError:
                return None
        self._readers[kind, name] = reader, status
        return reader

    def _flush_file(self, name: str) -> None:
        target = self._targets.get((">", name))
        if target is not None:
            target.flush()

    def _coprocess_reader(self, name: str) -> Reader:
        coprocess = self._coprocess(name)
        if coprocess.reader is None:
            done = self.commands.run(name, coprocess.take())
            coprocess.reader = Reader(io.BytesIO(done.stdout), self._separation())
        return coprocess.reader

    def separate(self, separation: Separation) -> None:
        """End records otherwise from now on."""
        for reader, _ in self._readers.values():
            reader.separate(separation)

    # Closing.

    def close(self, name: str, how: str = "") -> float:
        """Close what is open by a name; return the exit code of a command, -1 for nothing."""
        if name in self._coprocesses and how == "to":
            return 0.0
        status = _CLOSED_NOTHING
        for key in [key for key in self._targets if key[1] == name]:
            status = float(self._targets.pop(key).close())
        for key in [key for key in self._readers if key[1] == name]:
            status = float(self._readers.pop(key)[1])
        coprocess = self._coprocesses.pop(name, None)
        if coprocess is not None:
            status = 0.0 if coprocess.reader is not None else float(coprocess.close())
        return status

    def finish(self) -> None:
        """Close everything: commands first, as they were running while awk's output waited."""
        for key, target in list(self._targets.items()):
            if key[0] == ">":
                target.flush()
        for key, target in list(self._targets.items()):
            if isinstance(target, CommandTarget):
                del self._targets[key]
                target.close(at_end=True)
        for name in list(self._coprocesses):
            self.close(name)
        self.flush_all()
