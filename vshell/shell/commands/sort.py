"""`sort`: lines in order, by the whole line or by keys."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    Failure,
    failing,
    open_input,
    pieces,
    read_all,
    records,
    require_input,
    stripped,
    to_bytes,
    to_text,
    write_file,
)
from vshell.shell.commands.sort_keys import Key, check_flags, ordering, parse_key
from vshell.shell.messages import quote, quote_if_needed, quote_typographic, reason

_CANNOT_READ: Final = "cannot read: {name}: {reason}"
_ORDERING: Final = {
    "ignore-leading-blanks": "b",
    "dictionary-order": "d",
    "ignore-case": "f",
    "general-numeric-sort": "g",
    "ignore-nonprinting": "i",
    "month-sort": "M",
    "human-numeric-sort": "h",
    "numeric-sort": "n",
    "random-sort": "R",
    "reverse": "r",
    "version-sort": "V",
}
_WORDS: Final = {
    "general-numeric": "g",
    "human-numeric": "h",
    "month": "M",
    "numeric": "n",
    "random": "R",
    "version": "V",
}


class _Reversed:
    """Turns the order of a key around."""

    __slots__ = ("_key",)

    def __init__(self, key: Any) -> None:
        self._key = key

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other._key < self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and bool(self._key == other._key)

    def __hash__(self) -> int:
        return hash(self._key)


Order = Callable[[bytes], Any]


class Sorting:
    """What was asked for."""

    def __init__(self, call: Invocation) -> None:
        parsed = call.parsed
        flags = "".join(_ORDERING[name] for name, _ in parsed.given if name in _ORDERING)
        for word in parsed.values("sort"):
            flags += _sort_word(word)
        self.separator = _separator(parsed.values("field-separator"))
        keys = [parse_key(text) for text in parsed.values("key")]
        salt = _salt(call)
        self.keys = [_inherit(key, flags) for key in keys] or [_whole_line(flags)]
        for key in self.keys:
            check_flags(key.flags)
        self.is_unique = parsed.flag("unique")
        self.is_stable = parsed.flag("stable") or self.is_unique
        self.is_reverse = "r" in flags
        self.end = b"\0" if parsed.flag("zero-terminated") else b"\n"
        self._orders = [(key, ordering(key.flags, salt)) for key in self.keys]

    @property
    def is_plain(self) -> bool:
        """Whether lines are compared as they are."""
        return self.keys == [Key()] or self.keys == [Key(flags="r")]

    def order(self) -> Order:
        """Return what gives a line's keys, without the last resort."""
        separator = self.separator
        makers: list[Order] = []
        for key, order in self._orders:
            makers.append(_maker(key, order, separator, key.is_reverse))
        if len(makers) == 1:
            return makers[0]
        return lambda line: tuple(maker(line) for maker in makers)

    def full_order(self) -> Order:
        """Return what gives all that lines are compared by."""
        order = self.order()
        if self.is_stable:
            return order
        if self.is_reverse:
            return lambda line: (order(line), _Reversed(line))
        return lambda line: (order(line), line)

    def sorted(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines in order."""
        if self.is_plain and self.is_unique:
            return sorted(set(lines), reverse=self.keys[0].is_reverse)
        if self.is_plain:
            # `sort -r` keeps no order among equal lines that anybody could see.
            lines.sort(reverse=self.keys[0].is_reverse)
            return lines
        if len(self.keys) == 1:
            order, key = self._orders[0][1], self.keys[0]
            if not self.is_stable:
                lines.sort(reverse=self.is_reverse)
            lines.sort(key=_maker(key, order, self.separator, False), reverse=key.is_reverse)
        else:
            if not self.is_stable:
                lines.sort(reverse=self.is_reverse)
            lines.sort(key=self.order())
        return lines

    def unique(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the first of each run of lines with equal keys."""
        order = self.order()
        last: Any = None
        first = True
        for line in lines:
            key = order(line)
            if first or key != last:
                yield line
            first, last = False, key


def _maker(key: Key, order: Order | None, separator: bytes | None, is_reverse: bool) -> Order:
    extract = key.extract
    if order is None:
        if is_reverse:
            return lambda line: _Reversed(extract(line, separator))
        return lambda line: extract(line, separator)
    if is_reverse:
        return lambda line: _Reversed(order(extract(line, separator)))
    return lambda line: order(extract(line, separator))


def _sort_word(word: str) -> str:
    fitting = [each for each in _WORDS if each == word] or [
        each for each in _WORDS if each.startswith(word)
    ]
    if len(fitting) == 1:
        return _WORDS[fitting[0]]
    kind = "ambiguous" if fitting else "invalid"
    choices = "\n".join(f"  - {quote_typographic(each)}" for each in sorted(_WORDS))
    raise UsageError(
        f"{kind} argument {quote_typographic(word)} for {quote_typographic('--sort')}\n"
        f"Valid arguments are:\n{choices}",
        status=1,
    )


def _separator(values: Sequence[str]) -> bytes | None:
    found: bytes | None = None
    for value in values:
        data = b"\0" if value == "\\0" else to_bytes(value)
        if not data:
            raise UsageError("empty tab", status=2, hint=False)
        if len(data) > 1:
            raise UsageError(
                f"multi-character tab {quote_typographic(value)}", status=2, hint=False
            )
        if found is not None and found != data:
            raise UsageError("incompatible tabs", status=2, hint=False)
        found = data
    return found


def _salt(call: Invocation) -> bytes:
    source = call.parsed.value("random-source")
    if source is None:
        return os.urandom(16)
    return require_input(call, source, "open failed: {name}: {reason}").read(16)


def _inherit(key: Key, flags: str) -> Key:
    """Give a key without flags those of the whole command."""
    if key.flags or key.skip_start or key.skip_end:
        return key
    blanks = "b" in flags
    return replace(key, flags=flags.replace("b", ""), skip_start=blanks, skip_end=blanks)


def _whole_line(flags: str) -> Key:
    return Key(flags=flags.replace("b", ""), skip_start="b" in flags)


# Running.


@failing
def run(call: Invocation) -> int:
    parsed = call.parsed
    names, output = _operands(call)
    sorting = Sorting(call)
    is_check = parsed.last("c", "check", "check-silent") is not None
    if is_check and len(names) > 1:
        raise Failure(f"extra operand {quote(names[1])} not allowed with -c", 2)
    if is_check and output is not None:
        raise Failure("options '-co' are incompatible", 2)
    if is_check:
        quiet = parsed.flag("check-silent") or parsed.value("check") in ("quiet", "silent")
        return _check(call, sorting, names[0] if names else "-", quiet=quiet)
    lines = (
        _merged(call, sorting, names)
        if parsed.flag("merge")
        else _read_sorted(call, sorting, names)
    )
    if sorting.is_unique:
        lines = sorting.unique(lines)
    _print(call, _joined(lines, sorting.end), output)
    return 0


def _operands(call: Invocation) -> tuple[list[str], str | None]:
    names = list(call.operands)
    outputs = call.parsed.values("output")
    if len(set(outputs)) > 1:
        raise UsageError("multiple output files specified", status=2, hint=False)
    listing = call.parsed.value("files0-from")
    if listing is not None:
        if names:
            raise UsageError(
                f"extra operand {quote(names[0])}\n"
                "file operands cannot be combined with --files0-from",
                status=2,
            )
        names = _listed(call, listing)
    return names, outputs[-1] if outputs else None


def _listed(call: Invocation, listing: str) -> list[str]:
    try:
        data = read_all(call, listing)
    except VshellError as error:
        raise Failure(f"open failed: {quote_if_needed(listing)}: {reason(error)}", 2) from None
    if not data:
        raise Failure(f"no input from {quote(listing)}", 2)
    return [to_text(name) for name in data.removesuffix(b"\0").split(b"\0")]


def _lines(call: Invocation, name: str, end: bytes) -> list[bytes]:
    try:
        data = b"".join(pieces(open_input(call, name)))
    except VshellError as error:
        what = "read failed" if error.code == "is_directory" else "cannot read"
        raise Failure(f"{what}: {quote_if_needed(name)}: {reason(error)}", 2) from None
    return data.removesuffix(end).split(end) if data else []


def _read_sorted(call: Invocation, sorting: Sorting, names: Sequence[str]) -> Iterable[bytes]:
    lines: list[bytes] = []
    for name in names or ("-",):
        lines += _lines(call, name, sorting.end)
    return sorting.sorted(lines)


def _merged(call: Invocation, sorting: Sorting, names: Sequence[str]) -> Iterable[bytes]:
    inputs = [_lines(call, name, sorting.end) for name in names or ("-",)]
    return heapq.merge(*inputs, key=sorting.full_order())


def _joined(lines: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == 4096:
            yield end.join(batch) + end
            batch.clear()
    if batch:
        yield end.join(batch) + end


def _print(call: Invocation, chunks: Iterator[bytes], output: str | None) -> None:
    if output is None or output == "-":
        with BufferedOutput(call.stdout) as out:
            for piece in chunks:
                out.write(piece)
        return
    try:
        write_file(call, output, chunks)
    except VshellError as error:
        raise Failure(f"open failed: {quote_if_needed(output)}: {reason(error)}", 2) from None


def _check(call: Invocation, sorting: Sorting, name: str, *, quiet: bool) -> int:
    source = require_input(call, name, _CANNOT_READ)
    order = sorting.order() if sorting.is_unique else sorting.full_order()
    previous: Any = None
    lines = stripped(records(source, sorting.end), sorting.end)
    for number, line in enumerate(chain(lines), 1):
        key = order(line)
        if number > 1 and (key < previous or (sorting.is_unique and key == previous)):
            if not quiet:
                call.complain(f"{quote_if_needed(name)}:{number}: disorder: {to_text(line)}")
            return 1
        previous = key
    return 0


COMMANDS: Final = (
    Command(
        "sort",
        "[OPTION]... [FILE]...\n  or:  sort [OPTION]... --files0-from=F",
        "Write sorted concatenation of all FILE(s) to standard output.",
        run,
        options=(
            Option(("-b", "--ignore-leading-blanks"), "Ignore leading blanks."),
            Option(("-d", "--dictionary-order"), "Consider only blanks and alphanumerics."),
            Option(("-f", "--ignore-case"), "Fold lower case to upper case characters."),
            Option(("-g", "--general-numeric-sort"), "Compare by general numerical value."),
            Option(("-i", "--ignore-nonprinting"), "Consider only printable characters."),
            Option(("-M", "--month-sort"), "Compare (unknown) < 'JAN' < ... < 'DEC'."),
            Option(("-h", "--human-numeric-sort"), "Compare human readable numbers, as 2K 1G."),
            Option(("-n", "--numeric-sort"), "Compare by string numerical value."),
            Option(("-R", "--random-sort"), "Shuffle, but group identical keys."),
            Option(("--random-source",), "Get random bytes from FILE.", "FILE"),
            Option(("-r", "--reverse"), "Reverse the result of comparisons."),
            Option(
                ("--sort",),
                "general-numeric, human-numeric, month, numeric, random, version.",
                "WORD",
            ),
            Option(("-V", "--version-sort"), "Sort numbers within text as numbers."),
            Option(("-c",), "Check for sorted input; do not sort."),
            Option(("--check",), "The same; with `quiet`, like -C.", "WORD", optional=True),
            Option(("-C", "--check-silent"), "Like -c, but do not report the first bad line."),
            Option(("--files0-from",), "Read the names, each ended by NUL, from F.", "F"),
            Option(("-k", "--key"), "Sort by a key: F[.C][OPTS][,F[.C][OPTS]].", "KEYDEF"),
            Option(("-m", "--merge"), "Merge already sorted files; do not sort."),
            Option(("-o", "--output"), "Write the result to FILE.", "FILE"),
            Option(("-s", "--stable"), "Disable the comparison of last resort."),
            Option(("-S", "--buffer-size"), "Accepted: all is sorted in memory.", "SIZE"),
            Option(("-t", "--field-separator"), "Use SEP instead of blanks.", "SEP"),
            Option(("-T", "--temporary-directory"), "Accepted: no files are used.", "DIR"),
            Option(("--parallel",), "Accepted: one thread sorts.", "N"),
            Option(("--compress-program",), "Accepted: no files are used.", "PROG"),
            Option(("--batch-size",), "Accepted: all is merged at once.", "NMERGE"),
            Option(("-u", "--unique"), "Output only the first of an equal run."),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
        ),
        usage_status=2,
    ),
)
