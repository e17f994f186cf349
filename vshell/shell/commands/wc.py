"""`wc`: counts of lines, words, characters and bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import open_input, pieces, read_all, to_text
from vshell.shell.messages import quote, quote_if_needed, reason

_ORDER: Final = ("lines", "words", "chars", "bytes", "max-line-length")
_SPACES: Final = b" \t\n\v\f\r"


class _Counts:
    """What was counted, by the names of the options."""

    def __init__(self) -> None:
        self.numbers = dict.fromkeys(_ORDER, 0)

    def add(self, other: _Counts) -> None:
        for name, number in other.numbers.items():
            if name == "max-line-length":
                self.numbers[name] = max(self.numbers[name], number)
            else:
                self.numbers[name] += number


def _count(source: Input, wanted: list[str]) -> _Counts:
    counts = _Counts()
    numbers = counts.numbers
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    is_text = "chars" in wanted or "max-line-length" in wanted
    in_word = False
    column = 0
    for piece in pieces(source):
        numbers["bytes"] += len(piece)
        numbers["lines"] += piece.count(b"\n")
        if "words" in wanted:
            numbers["words"] += len(piece.split()) - (in_word and piece[0] not in _SPACES)
            in_word = piece[-1] not in _SPACES
        if is_text:
            text = decoder.decode(piece)
            numbers["chars"] += len(text) - sum("\ud800" <= c <= "\udfff" for c in text)
            if "max-line-length" in wanted:
                column = _longest(numbers, text, column)
    numbers["max-line-length"] = max(numbers["max-line-length"], column)
    return counts


def _longest(numbers: dict[str, int], text: str, column: int) -> int:
    """Note the widest line of the text, and return the column that it ends in."""
    from wcwidth import wcwidth

    for character in text:
        if character in "\n\r\f":
            numbers["max-line-length"] = max(numbers["max-line-length"], column)
            column = 0
        elif character == "\t":
            column += 8 - column % 8
        elif " " <= character < "\x7f":
            column += 1
        else:
            column += max(wcwidth(character), 0)
    return column


def run(call: Invocation) -> int:
    parsed = call.parsed
    wanted = [name for name in _ORDER if parsed.flag(name)] or ["lines", "words", "bytes"]
    total, status = _Counts(), 0
    rows: list[tuple[_Counts | None, str]] = []
    for name in _names(call):
        try:
            counts = _count(open_input(call, name or "-"), wanted)
        except VshellError as error:
            call.complain(f"{quote_if_needed(name)}: {reason(error)}")
            status = 1
            if error.code != "is_directory":
                rows.append((None, name))
                continue
            counts = _Counts()
        total.add(counts)
        rows.append((counts, name))
    width = _width(call, wanted, [name for _, name in rows])
    for found, name in rows:
        if found is not None:
            _print(call, found, wanted, width, quoted_line(name))
    if len(rows) > 1:
        _print(call, total, wanted, width, "total")
    return status


def quoted_line(name: str) -> str:
    """Return a name as it stands in a line of output."""
    return quote_if_needed(name) if "\n" in name else name


def _names(call: Invocation) -> Iterator[str]:
    listing = call.parsed.value("files0-from")
    if listing is None:
        yield from call.operands or ("",)
        return
    if call.operands:
        extra = quote(call.operands[0])
        raise UsageError(
            f"extra operand {extra}\nfile operands cannot be combined with --files0-from"
        )
    try:
        data = read_all(call, listing)
    except VshellError as error:
        message = f"cannot open {quote(listing)} for reading: {reason(error)}"
        raise UsageError(message, hint=False) from None
    for name in data.removesuffix(b"\0").split(b"\0") if data else []:
        yield to_text(name)


def _width(call: Invocation, wanted: list[str], names: list[str]) -> int:
    """The width of a column: as wide as the number of all the bytes, as `stat` tells it."""
    if len(names) == 1 and len(wanted) == 1:
        return 1
    if names in ([""], ["-"]):
        return 7
    size, least = 0, 1
    files = call.context.files
    for name in names:
        if name in ("-", ""):
            least = 7
            continue
        path = call.context.resolve(name)
        if not files.exists(path):
            continue
        stat = files.stat(path)
        if stat.kind == "file":
            size += stat.size
        else:
            least = 7
    return max(least, len(str(size)))


def _print(call: Invocation, counts: _Counts, wanted: list[str], width: int, name: str) -> None:
    columns = " ".join(str(counts.numbers[each]).rjust(width) for each in wanted)
    call.write(f"{columns} {name}\n" if name else f"{columns}\n")


COMMANDS: Final = (
    Command(
        "wc",
        "[OPTION]... [FILE]...\n  or:  wc [OPTION]... --files0-from=F",
        "Print newline, word, and byte counts for each FILE.",
        run,
        options=(
            Option(("-c", "--bytes"), "Print the byte counts."),
            Option(("-m", "--chars"), "Print the character counts."),
            Option(("-l", "--lines"), "Print the newline counts."),
            Option(("--files0-from",), "Read the names, each ended by NUL, from F.", "F"),
            Option(("-L", "--max-line-length"), "Print the maximum display width."),
            Option(("-w", "--words"), "Print the word counts."),
        ),
    ),
)
