"""`cmp` and `comm`: bytes and sorted lines of two files compared."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option, Parsed, UsageError
from vshell.shell.command_io import BufferedOutput, open_input, parse_size, records, to_bytes
from vshell.shell.messages import quote_if_needed, quote_typographic, reason

_TROUBLE: Final = 2


# cmp


def run_cmp(call: Invocation) -> int:
    parsed, operands = call.parsed, call.operands
    if not operands:
        raise UsageError("missing operand after 'cmp'")
    if len(operands) > 4:
        raise UsageError(f"extra operand '{operands[4]}'")
    names = [operands[0], operands[1] if len(operands) > 1 else "-"]
    skips = _skips(parsed, operands)
    limit = _size(parsed.value("bytes"), "--bytes")
    try:
        sides = [open_input(call, name).read() for name in names]
    except VshellError as error:
        if not parsed.flag("silent"):
            failed = next((name for name in names if not _readable(call, name)), names[0])
            call.complain(f"{failed}: {reason(error)}")
        return _TROUBLE
    left, right = (data[skip:] for data, skip in zip(sides, skips, strict=True))
    if limit is not None:
        left, right = left[:limit], right[:limit]
    return _compare(call, names, left, right)


def _readable(call: Invocation, name: str) -> bool:
    try:
        open_input(call, name)
    except VshellError:
        return False
    return True


def _skips(parsed: Parsed, operands: tuple[str, ...]) -> list[int]:
    text = parsed.value("ignore-initial")
    if text is not None:
        first, _, second = text.partition(":")
        return [
            _size(first, "--ignore-initial") or 0,
            _size(second or first, "--ignore-initial") or 0,
        ]
    skips = [_size(each, "") or 0 for each in operands[2:]]
    return [*skips, 0, 0][:2]


def _size(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    size = parse_size(text)
    if size is None:
        raise UsageError(f"invalid {option} value '{text}'")
    return size


def _compare(call: Invocation, names: list[str], left: bytes, right: bytes) -> int:
    parsed = call.parsed
    common = min(len(left), len(right))
    if parsed.flag("verbose"):
        return _every_byte(call, names, left, right)
    if left[:common] == right[:common]:
        if len(left) == len(right):
            return 0
        if not parsed.flag("silent"):
            short, data = (names[0], left) if len(left) < len(right) else (names[1], right)
            call.complain(_end(short, data, with_lines=True))
        return 1
    if parsed.flag("silent"):
        return 1
    place = next(at for at in range(common) if left[at] != right[at])
    line = left.count(b"\n", 0, place) + 1
    text = f"{names[0]} {names[1]} differ: byte {place + 1}, line {line}"
    if parsed.flag("print-bytes"):
        one, two = left[place], right[place]
        text += f" is {one:3o} {_shown(one)} {two:3o} {_shown(two)}"
    call.write(text + "\n")
    return 1


def _every_byte(call: Invocation, names: list[str], left: bytes, right: bytes) -> int:
    common = min(len(left), len(right))
    width = len(str(max(len(left), len(right))))
    shows = call.parsed.flag("print-bytes")
    lines = []
    for at in range(common):
        one, two = left[at], right[at]
        if one == two:
            continue
        if shows:
            lines.append(f"{at + 1:>{width}} {one:3o} {_shown(one):<4} {two:3o} {_shown(two)}\n")
        else:
            lines.append(f"{at + 1:>{width}} {one:3o} {two:3o}\n")
    call.write("".join(lines))
    if len(left) != len(right):
        short, data = (names[0], left) if len(left) < len(right) else (names[1], right)
        call.complain(_end(short, data, with_lines=False))
        return 1
    return int(bool(lines))


def _end(name: str, data: bytes, *, with_lines: bool) -> str:
    if not data:
        return f"EOF on {name} which is empty"
    text = f"EOF on {name} after byte {len(data)}"
    if not with_lines:
        return text
    count = data.count(b"\n")
    return f"{text}, line {count}" if data.endswith(b"\n") else f"{text}, in line {count + 1}"


def _shown(byte: int) -> str:
    text = ""
    if byte >= 128:
        text, byte = "M-", byte - 128
    if byte < 32:
        return f"{text}^{chr(byte + 64)}"
    return f"{text}^?" if byte == 127 else text + chr(byte)


# comm


class _Lines:
    """The lines of one file, one at a time, with a look at their order."""

    def __init__(self, source: Input, separator: bytes) -> None:
        self._records = records(source, separator)
        self._separator = separator
        self.line = self._next()
        self.disordered = False

    def _next(self) -> bytes | None:
        found = next(self._records, None)
        return None if found is None else found.removesuffix(self._separator)

    def step(self) -> None:
        before, self.line = self.line, self._next()
        if before is not None and self.line is not None and self.line < before:
            self.disordered = True


def run_comm(call: Invocation) -> int:
    parsed, operands = call.parsed, call.operands
    if len(operands) < 2:
        if not operands:
            raise UsageError("missing operand")
        raise UsageError(f"missing operand after {quote_typographic(operands[0])}")
    if len(operands) > 2:
        raise UsageError(f"extra operand {quote_typographic(operands[2])}")
    separator = b"\0" if parsed.flag("zero-terminated") else b"\n"
    sides = []
    for name in operands:
        try:
            sides.append(_Lines(open_input(call, name), separator))
        except VshellError as error:
            call.complain(f"{quote_if_needed(name)}: {reason(error)}")
            return 1
    with BufferedOutput(call.stdout) as out:
        return _Common(call, sides[0], sides[1], separator, out).run()


class _Common:
    def __init__(
        self, call: Invocation, one: _Lines, two: _Lines, separator: bytes, out: BufferedOutput
    ) -> None:
        parsed = call.parsed
        self._call, self._one, self._two, self._end, self._out = call, one, two, separator, out
        delimiter = to_bytes(parsed.value("output-delimiter", "\t") or "\0")
        self._shows = [not parsed.flag(name) for name in ("1", "2", "3")]
        self._leads = [
            b"",
            delimiter * self._shows[0],
            delimiter * (self._shows[0] + self._shows[1]),
        ]
        self._delimiter = delimiter
        check = parsed.last("check-order", "nocheck-order")
        self._checks = check != "nocheck-order"
        self._strict = check == "check-order"
        self._told = [False, False]
        self._unpaired = False

    def run(self) -> int:
        one, two = self._one, self._two
        counts = [0, 0, 0]
        while one.line is not None or two.line is not None:
            if two.line is None or (one.line is not None and one.line < two.line):
                column, line = 0, one.line
            elif one.line is None or one.line > two.line:
                column, line = 1, two.line
            else:
                column, line = 2, one.line
            self._unpaired |= column < 2
            counts[column] += 1
            if self._shows[column]:
                self._out.write(self._leads[column] + (line or b"") + self._end)
            if column != 1:
                one.step()
            if column != 0:
                two.step()
            if self._disorder():
                return 1
        if self._call.parsed.flag("total"):
            shown = self._delimiter.join([b"%d" % count for count in counts])
            self._out.write(shown + self._delimiter + b"total" + self._end)
        if any(self._told):
            self._out.flush()
            self._call.complain("input is not in sorted order")
            return 1
        return 0

    def _disorder(self) -> bool:
        """Complain of a file that is not sorted, once; tell whether that is the end."""
        if not self._checks or not (self._strict or self._unpaired):
            return False
        for place, side in enumerate((self._one, self._two)):
            if side.disordered and not self._told[place]:
                self._told[place] = True
                self._out.flush()
                self._call.complain(f"file {place + 1} is not in sorted order")
                if self._strict:
                    return True
        return False


COMMANDS: Final = (
    Command(
        "cmp",
        "[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]",
        "Compare two files byte by byte.",
        run_cmp,
        options=(
            Option(("-b", "--print-bytes"), "Print differing bytes."),
            Option(
                ("-i", "--ignore-initial"), "Skip the first bytes of the inputs.", "SKIP1[:SKIP2]"
            ),
            Option(("-l", "--verbose"), "Output byte numbers and differing byte values."),
            Option(("-n", "--bytes"), "Compare at most LIMIT bytes.", "LIMIT"),
            Option(("-s", "--silent", "--quiet"), "Suppress all normal output."),
        ),
        usage_status=2,
    ),
    Command(
        "comm",
        "[OPTION]... FILE1 FILE2",
        "Compare sorted files FILE1 and FILE2 line by line.",
        run_comm,
        options=(
            Option(("-1",), "Suppress column 1 (lines unique to FILE1)."),
            Option(("-2",), "Suppress column 2 (lines unique to FILE2)."),
            Option(("-3",), "Suppress column 3 (lines that appear in both files)."),
            Option(("--check-order",), "Check that the input is correctly sorted."),
            Option(("--nocheck-order",), "Do not check that the input is correctly sorted."),
            Option(("--output-delimiter",), "Separate columns with STR.", "STR"),
            Option(("--total",), "Output a summary."),
            Option(("-z", "--zero-terminated"), "Line delimiter is NUL, not newline."),
        ),
    ),
)
