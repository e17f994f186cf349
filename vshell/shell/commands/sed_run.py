"""Running the commands of `sed`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import regex

from vshell.errors import VshellError
from vshell.shell.command import Input, Invocation, Output
from vshell.shell.command_io import Failure, open_input, records, to_bytes, to_text, write_file
from vshell.shell.commands.sed_script import Address, Pattern, SedCommand, Substitution
from vshell.shell.messages import reason

REGEX_TIMEOUT_S: Final = 20.0
"""What a single search may take: expressions with back references can take for ever."""
MAX_SPACE: Final = 256 * 1024 * 1024
"""How many characters a line may grow to."""


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


class _FileOutput:
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


class _Quit(Exception):  # noqa: N818 - it is how a script ends
    def __init__(self, status: int, *, printing: bool) -> None:
        super().__init__()
        self.status = status
        self.printing = printing


class _EndOfCycle(Exception):  # noqa: N818 - it is how a cycle ends
    """The cycle ends without printing."""


class _Restart(Exception):  # noqa: N818 - it is how a cycle ends
    """The cycle begins again without reading a line."""


class Machine:
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
        self._space = ""
        self._hold = ""
        self._ended = True
        self._replaced = False
        self._number = 0
        self._last_pattern: Pattern | None = None
        self._queue: list[tuple[str, str]] = []
        self._written: dict[str, tuple[Printer, _FileOutput | None]] = {}
        self._readers: dict[str, Iterator[bytes] | None] = {}
        self._printer = Printer(call.stdout, end)
        self._lines = Lines(call, (), end)
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
                file = _FileOutput()
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

    # Addresses.

    def _selects(self, command: SedCommand) -> bool:
        first, second = command.first, command.second
        assert first is not None
        if second is None:
            return self._matches(first)
        if command.is_active:
            return self._continues(command, second)
        if first.kind == "line" and first.number == 0 and self._number == 1:
            # `0,/x/` may end on the very first line.
            command.is_over = True
            command.is_active = not self._matches(second)
            return True
        if first.kind == "line":
            return self._begins_late(command, first.number, second)
        if not self._matches(first):
            return False
        return self._begins(command, second)

    def _begins_late(self, command: SedCommand, number: int, second: Address) -> bool:
        """Tell whether a range begins here that begins at a line, which may be past unseen."""
        late = self._number > number
        if self._number < number or (late and command.is_over):
            return False
        command.is_over = True
        if late and second.kind == "line" and second.number < self._number:
            return False
        return self._begins(command, second)

    def _begins(self, command: SedCommand, second: Address) -> bool:
        if second.kind == "line":
            command.range_end = second.number
            command.is_active = second.number > self._number
        elif second.kind == "plus":
            command.range_end = self._number + second.number
            command.is_active = second.number > 0
        elif second.kind == "multiple":
            step = second.number
            command.range_end = -(-self._number // step) * step if step else self._number
            command.is_active = command.range_end > self._number
        else:
            command.is_active = not (second.kind == "last" and self._lines.is_last)
        return True

    def _continues(self, command: SedCommand, second: Address) -> bool:
        if second.kind in ("line", "plus", "multiple"):
            if self._number >= command.range_end:
                command.is_active = False
                # A range whose end is past was left while other commands ran.
                first = command.first
                if self._number > command.range_end:
                    assert first is not None
                    return self._matches(first) and self._begins(command, second)
            return True
        if self._matches(second):
            command.is_active = False
        return True

    def _matches(self, address: Address) -> bool:
        kind = address.kind
        if kind == "line":
            return address.number == self._number
        if kind == "last":
            return self._lines.is_last
        if kind == "step":
            distance = self._number - address.number
            return distance >= 0 and distance % address.step == 0
        return self._search(self._pattern(address.pattern), 0) is not None

    def _pattern(self, pattern: Pattern | None) -> Pattern:
        if pattern is None:
            if self._last_pattern is None:
                raise Failure("-e expression #1, char 0: no previous regular expression")
            return self._last_pattern
        self._last_pattern = pattern
        return pattern

    def _search(self, pattern: Pattern, position: int) -> regex.Match[str] | None:
        try:
            return pattern.search(self._space, position, timeout=REGEX_TIMEOUT_S)
        except TimeoutError:
            raise Failure("a regular expression took too long", 4) from None

    # Substitution.

    def _substitute(self, command: SedCommand) -> None:
        what = command.substitution
        assert what is not None
        pattern = self._pattern(what.pattern)
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
                    parts.append(_replacement(what, match))
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


def substituted(what: Substitution, text: str) -> str:
    """Return a text after a substitution; `tar --transform` has them too."""
    if what.pattern is None:
        return text
    count = 0

    def one(match: regex.Match[str]) -> str:
        nonlocal count
        count += 1
        wanted = count >= what.number and (what.is_global or count == what.number)
        return _replacement(what, match) if wanted else match.group()

    result: str = what.pattern.sub(one, text, timeout=REGEX_TIMEOUT_S)
    return result


def _replacement(what: Substitution, match: regex.Match[str]) -> str:
    if not what.has_cases:
        return "".join(
            [value if kind == "text" else (match.group(value) or "") for kind, value in what.parts]
        )
    result: list[str] = []
    mode = once = ""
    for kind, value in what.parts:
        if kind == "case":
            if value in "lu":
                once = value
            else:
                mode = "" if value == "E" else value
                once = once if value != "E" else ""
            continue
        text = value if kind == "text" else (match.group(value) or "")
        if not text:
            continue
        if mode:
            text = text.upper() if mode == "U" else text.lower()
        if once:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        result.append(text)
    return "".join(result)


_VISIBLE: Final = {
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def visible(text: str, width: int) -> str:
    """Return a line as `l` prints it, folded."""
    lines: list[str] = []
    current: list[str] = []
    room = 0
    limit = width - 1 if width else -1
    for character in text:
        for shown in _shown(character):
            if limit >= 0 and room + len(shown) > limit:
                lines.append("".join(current) + "\\")
                current, room = [], 0
            current.append(shown)
            room += len(shown)
    lines.append("".join(current) + "$")
    return "\n".join(lines)


def _shown(character: str) -> list[str]:
    named = _VISIBLE.get(character)
    if named is not None:
        return [named]
    if " " <= character < "\x7f":
        return [character]
    if character.isprintable() and not character.isascii():
        return [f"\\{byte:03o}" for byte in character.encode()]
    return [f"\\{byte:03o}" for byte in to_bytes(character)]
