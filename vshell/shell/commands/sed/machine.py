"""Running the commands of `sed`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import Failure, open_input, records, to_bytes, to_text, write_file
from vshell.shell.commands.sed.listing import visible
from vshell.shell.commands.sed.replacing import MAX_SPACE, REGEX_TIMEOUT_S, replacement
from vshell.shell.commands.sed.script import Pattern, SedCommand, Substitution
from vshell.shell.commands.sed.selector import Selector
from vshell.shell.commands.sed.streams import FileOutput, Lines, Printer
from vshell.shell.messages import reason


class _Quit(Exception):  # noqa: N818 - it is how a script ends
    def __init__(self, status: int, *, printing: bool) -> None:
        super().__init__()
        self.status = status
        self.printing = printing


class _EndOfCycle(Exception):  # noqa: N818 - it is how a cycle ends
    """The cycle ends without printing."""


class _Restart(Exception):  # noqa: N818 - it is how a cycle ends
    """The cycle begins again without reading a line."""


class Machine(Selector):
    """Runs commands on lines.

    Args:
        call: The command's run.
        commands: The script.
        quiet: Whether lines are printed only on demand.
        end: What ends a line.
        width: How long the lines of `l` are.
        posix: Whether GNU's additions are off.
    """

    def __init__(
        self,
        call: Invocation,
        commands: Sequence[SedCommand],
        *,
        quiet: bool,
        end: bytes,
        width: int,
        posix: bool,
    ) -> None:
        self._call = call
        self._commands = commands
        self._quiet = quiet
        self._end = end
        self._between = "\0" if end == b"\0" else "\n"
        self._width = width
        self._posix = posix
        super().__init__(Lines(call, (), end))
        self._hold = ""
        self._ended = True
        self._replaced = False
        self._queue: list[tuple[str, str]] = []
        self._written: dict[str, tuple[Printer, FileOutput | None]] = {}
        self._readers: dict[str, Iterator[bytes] | None] = {}
        self._printer = Printer(call.stdout, end)
        self._open_written()

    # Running.

    def run(self, lines: Lines, printer: Printer) -> int | None:
        """Run the script on all lines; return the exit code of `q`, or None."""
        self._lines = lines
        self._printer = printer
        for name, (_, file) in list(self._written.items()):
            if name == "/dev/stdout":
                self._written[name] = (self._printer, file)
        status: int | None = None
        try:
            while self._read():
                self._cycle()
        except _Quit as quitting:
            status = quitting.status
            if quitting.printing:
                self._end_cycle()
        return status

    def restart_lines(self) -> None:
        """Count lines from 1 again, for the next file of `-s` and `-i`."""
        self._number = 0
        for command in self._commands:
            command.is_active = False
            command.is_over = False

    def finish(self) -> None:
        """Write the files of `w`."""
        for name, (_, file) in self._written.items():
            if file is not None:
                try:
                    write_file(self._call, name, b"".join(file.parts))
                except VshellError as error:
                    raise Failure(f"couldn't open file {name}: {reason(error)}", 4) from None

    def _open_written(self) -> None:
        names = [command.text for command in self._commands if command.name in ("w", "W")]
        names += [
            command.substitution.file
            for command in self._commands
            if command.substitution is not None and command.substitution.file is not None
        ]
        for name in names:
            if name == "/dev/stdout":
                self._written[name] = (self._printer, None)
            elif name == "/dev/stderr":
                self._written[name] = (Printer(self._call.stderr, self._end), None)
            elif name not in self._written:
                file = FileOutput()
                self._written[name] = (Printer(file, self._end), file)

    def _read(self) -> bool:
        line = self._lines.next()
        if line is None:
            return False
        body = line.removesuffix(self._end)
        self._ended = len(body) != len(line)
        self._space = to_text(body)
        self._number += 1
        return True

    def _cycle(self) -> None:
        while True:
            self._replaced = False
            try:
                self._run_commands()
            except _EndOfCycle:
                self._flush_queue()
                return
            except _Restart:
                self._flush_queue()
                continue
            self._end_cycle()
            return

    def _end_cycle(self) -> None:
        if not self._quiet:
            self._print()
        self._flush_queue()

    def _print(self) -> None:
        self._printer.line(self._space, ended=self._ended)

    def _run_commands(self) -> None:
        commands, actions = self._commands, self._ACTIONS
        index, count = 0, len(commands)
        while index < count:
            command = commands[index]
            index += 1
            if command.first is not None and self._selects(command) == command.negated:
                if command.name == "{":
                    index = command.target
                continue
            if command.first is None and command.negated:
                if command.name == "{":
                    index = command.target
                continue
            name = command.name
            if name == "s":
                self._substitute(command)
            elif name == "{":
                pass
            elif name in ("b", "t", "T"):
                if self._jumps(name):
                    index = command.target
            else:
                actions[name](self, command)

    def _jumps(self, name: str) -> bool:
        if name == "b":
            return True
        replaced = self._replaced
        self._replaced = False
        return replaced if name == "t" else not replaced

    # Substitution.

    def _substitute(self, command: SedCommand) -> None:
        what = command.substitution
        assert what is not None
        pattern = self._pattern(what.pattern)
        if what.template is not None:
            self._substitute_at_once(what, pattern)
            return
        match = self._search(pattern, 0)
        if match is None:
            return
        parts: list[str] = []
        count, position, last_end = 0, 0, -1
        changed = False
        space = self._space
        while match is not None:
            start, end = match.span()
            parts.append(space[position:start])
            position = start
            if start == end == last_end:
                match = None  # an empty match right after another one is none
            else:
                count += 1
                if count >= what.number:
                    parts.append(replacement(what, match))
                    changed = True
                else:
                    parts.append(space[start:end])
                position = last_end = end
                if changed and not what.is_global:
                    break
            if start == end:
                if position >= len(space):
                    break
                parts.append(space[position])
                position += 1
            match = self._search(pattern, position)
        if not changed:
            return
        parts.append(space[position:])
        self._space = "".join(parts)
        if len(self._space) > MAX_SPACE:
            raise Failure("the line grew too long", 4)
        self._replaced = True
        self._after_substitution(what)

    def _substitute_at_once(self, what: Substitution, pattern: Pattern) -> None:
        count = 0 if what.is_global else 1
        assert what.template is not None
        try:
            replaced = pattern.subn(
                what.template, self._space, count=count, timeout=REGEX_TIMEOUT_S
            )
        except TimeoutError:
            raise Failure("a regular expression took too long", 4) from None
        if replaced[1]:
            self._grow(replaced[0])
            self._replaced = True
            self._after_substitution(what)

    def _after_substitution(self, what: Substitution) -> None:
        if what.is_executed:
            done = self._call.execute(("sh", "-c", self._space), b"")
            self._call.stderr.write(done.stderr)
            self._space = to_text(done.stdout.removesuffix(self._end))
        if what.is_printed:
            self._print()
        if what.file is not None:
            self._written[what.file][0].line(self._space, ended=self._ended)

    # Commands.

    def _append_text(self, command: SedCommand) -> None:
        self._queue.append(("text", command.text))

    def _insert_text(self, command: SedCommand) -> None:
        self._printer.raw(to_bytes(command.text))

    def _change(self, command: SedCommand) -> None:
        if command.second is None or command.negated or not command.is_active:
            self._printer.raw(to_bytes(command.text))
        raise _EndOfCycle

    def _delete(self, _: SedCommand) -> None:
        raise _EndOfCycle

    def _delete_first(self, _: SedCommand) -> None:
        _line, newline, rest = self._space.partition(self._between)
        if not newline:
            raise _EndOfCycle
        self._space = rest
        raise _Restart

    def _execute(self, command: SedCommand) -> None:
        line = command.text or self._space
        done = self._call.execute(("sh", "-c", line), b"")
        self._call.stderr.write(done.stderr)
        if command.text:
            self._printer.raw(done.stdout)
        else:
            self._space = to_text(done.stdout.removesuffix(self._end))

    def _print_name(self, _: SedCommand) -> None:
        self._printer.line(self._lines.name)

    def _get(self, _: SedCommand) -> None:
        self._space = self._hold

    def _get_append(self, _: SedCommand) -> None:
        self._grow(self._space + self._between + self._hold)

    def _keep(self, _: SedCommand) -> None:
        self._hold = self._space

    def _keep_append(self, _: SedCommand) -> None:
        self._hold = self._hold + self._between + self._space
        if len(self._hold) > MAX_SPACE:
            raise Failure("the line grew too long", 4)

    def _grow(self, space: str) -> None:
        if len(space) > MAX_SPACE:
            raise Failure("the line grew too long", 4)
        self._space = space

    def _list(self, command: SedCommand) -> None:
        width = self._width if command.number is None else command.number
        self._printer.line(visible(self._space, width))

    def _next(self, _: SedCommand) -> None:
        if self._lines.is_last:
            raise _Quit(0, printing=not self._posix)
        if not self._quiet:
            self._print()
        self._flush_queue()
        self._read()

    def _next_append(self, _: SedCommand) -> None:
        if self._lines.is_last:
            raise _Quit(0, printing=not self._posix)
        before = self._space
        self._flush_queue()
        self._read()
        self._grow(before + self._between + self._space)

    def _print_space(self, _: SedCommand) -> None:
        self._print()

    def _print_first(self, _: SedCommand) -> None:
        self._printer.line(self._space.partition(self._between)[0])

    def _quit(self, command: SedCommand) -> None:
        raise _Quit(command.number or 0, printing=True)

    def _quit_quietly(self, command: SedCommand) -> None:
        raise _Quit(command.number or 0, printing=False)

    def _read_file(self, command: SedCommand) -> None:
        self._queue.append(("file", command.text))

    def _read_line(self, command: SedCommand) -> None:
        self._queue.append(("line", command.text))

    def _write(self, command: SedCommand) -> None:
        self._written[command.text][0].line(self._space, ended=self._ended)

    def _write_first(self, command: SedCommand) -> None:
        self._written[command.text][0].line(self._space.partition(self._between)[0])

    def _exchange(self, _: SedCommand) -> None:
        self._space, self._hold = self._hold, self._space

    def _translate(self, command: SedCommand) -> None:
        self._space = self._space.translate(command.table)

    def _empty(self, _: SedCommand) -> None:
        self._space = ""

    def _print_number(self, _: SedCommand) -> None:
        self._printer.raw(b"%d\n" % self._number)

    def _nothing(self, _: SedCommand) -> None:
        return

    _ACTIONS: Final[dict[str, Callable[[Machine, SedCommand], None]]] = {
        "a": _append_text,
        "c": _change,
        "d": _delete,
        "D": _delete_first,
        "e": _execute,
        "F": _print_name,
        "g": _get,
        "G": _get_append,
        "h": _keep,
        "H": _keep_append,
        "i": _insert_text,
        "l": _list,
        "n": _next,
        "N": _next_append,
        "p": _print_space,
        "P": _print_first,
        "q": _quit,
        "Q": _quit_quietly,
        "r": _read_file,
        "R": _read_line,
        "v": _nothing,
        "w": _write,
        "W": _write_first,
        "x": _exchange,
        "y": _translate,
        "z": _empty,
        "=": _print_number,
    }

    # What is printed when the cycle ends.

    def _flush_queue(self) -> None:
        if self._queue:
            self._printer.complete()
        for kind, text in self._queue:
            if kind == "text":
                self._printer.raw(to_bytes(text))
            elif kind == "file":
                self._printer.raw(self._content(text))
            else:
                self._one_line(text)
        self._queue.clear()

    def _content(self, name: str) -> bytes:
        if name in self._written and (file := self._written[name][1]) is not None:
            return b"".join(file.parts)
        try:
            return open_input(self._call, name, dash=False).read()
        except VshellError:
            return b""  # what cannot be read counts as empty

    def _one_line(self, name: str) -> None:
        if name not in self._readers:
            try:
                self._readers[name] = records(open_input(self._call, name, dash=False), self._end)
            except VshellError:
                self._readers[name] = None
        reader = self._readers[name]
        line = None if reader is None else next(reader, None)
        if line is not None:
            body = line.removesuffix(self._end)
            self._printer.line(to_text(body), ended=True)
