"""Text laid out anew: `fmt` and `column`; and lines in another order: `shuf`, `tsort`."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    DIGITS,
    BufferedOutput,
    Failure,
    each_input,
    failing,
    old_number,
    open_input,
    records,
    require_input,
    require_write,
    stripped,
    to_bytes,
    to_text,
)
from vshell.shell.messages import quote, quote_typographic, reason

# fmt.

_ENDS: Final = ".?!"


class _Word:
    """A word of a paragraph, and the room that follows it."""

    __slots__ = ("is_final", "is_period", "is_punctuated", "opens", "space", "text")

    def __init__(self, text: str, space: int) -> None:
        self.text = text
        self.space = space
        self.is_final = False
        stripped_text = text.rstrip("\"')]}")
        self.is_period = stripped_text[-1:] in tuple(_ENDS) if stripped_text else False
        self.is_punctuated = (
            bool(text)
            and not text[-1].isalnum()
            and text[-1].isprintable()
            and text[-1] in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
        )
        self.opens = text[:1] in tuple("(['`\"") if text else False


def _line_cost(length: int, goal: int, following: int | None) -> int:
    cost = 0
    if length != goal:
        short = (goal - length) * 10
        cost = short * short
    if following is not None:
        ragged = (length - following) * 10
        cost += ragged * ragged // 2
    return cost


def _break_cost(words: Sequence[_Word], index: int) -> int:
    """What it costs to begin a line with the word at `index`."""
    cost = 70 * 70
    word = words[index]
    if index > 0:
        before = words[index - 1]
        if before.is_period:
            cost += -(50 * 50) if before.is_final else 600 * 600
        elif before.is_punctuated:
            cost -= 40 * 40
        elif index > 1 and words[index - 2].is_final:
            cost += 200 * 200 // (len(before.text) + 2)
    if word.opens:
        cost -= 40 * 40
    elif word.is_final:
        cost += 150 * 150 // (len(word.text) + 2)
    return cost


def _lay_out(
    words: Sequence[_Word], first: int, other: int, width: int, goal: int
) -> list[list[_Word]]:
    """Choose the lines of a paragraph so that all together cost least, from the end on."""
    count = len(words)
    best: list[int] = [0] * (count + 1)
    following: list[int] = [count] * (count + 1)
    lengths: list[int] = [0] * (count + 1)
    for start in range(count - 1, -1, -1):
        length = (first if start == 0 else other) + len(words[start].text)
        least: int | None = None
        end = start + 1
        while True:
            if end == count:
                total = best[count]
            else:
                ragged = lengths[end] if following[end] != count else None
                total = _line_cost(length, goal, ragged) + best[end]
            if least is None or total < least:
                least, following[start], lengths[start] = total, end, length
            if end == count:
                break
            length += words[end - 1].space + len(words[end].text)
            if length >= width:
                break
            end += 1
        best[start] = (least or 0) + _break_cost(words, start)
    lines, position = [], 0
    while position < count:
        lines.append(list(words[position : following[position]]))
        position = following[position]
    return lines


class _Formatter:
    def __init__(self, call: Invocation) -> None:
        parsed = call.parsed
        self.width = _positive(
            old_number(parsed, "width") or parsed.value("width", "75") or "", "width"
        )
        goal = parsed.value("goal")
        if goal is not None:
            self.goal = _positive(goal, "width")
            if not parsed.flag("width"):
                self.width = self.goal + 10
        else:
            self.goal = self.width * (2 * (100 - 7) + 1) // 200
        self.crown = parsed.flag("crown-margin")
        self.tagged = parsed.flag("tagged-paragraph")
        self.split_only = parsed.flag("split-only")
        self.uniform = parsed.flag("uniform-spacing")
        self.prefix = parsed.value("prefix", "") or ""

    def paragraphs(self, lines: Iterator[str]) -> Iterator[str]:
        held: list[tuple[int, str]] = []
        for line in lines:
            indent, body = self._indent(line)
            if body is None:
                yield from self._flush(held)
                yield line.rstrip() if not line.strip() else line
                continue
            if held and not self._continues(held, indent):
                yield from self._flush(held)
            held.append((indent, body))
            if self.split_only:
                yield from self._flush(held)
        yield from self._flush(held)

    def _indent(self, line: str) -> tuple[int, str | None]:
        text = line.expandtabs()
        body = text.lstrip()
        indent = len(text) - len(body)
        if self.prefix:
            prefix = self.prefix.strip()
            if not body.startswith(prefix):
                return indent, None
            body = body[len(prefix) :]
            rest = body.lstrip()
            return indent * 1000 + len(body) - len(rest), rest or None
        return indent, body or None

    def _continues(self, held: list[tuple[int, str]], indent: int) -> bool:
        if self.crown or self.tagged:
            if len(held) == 1:
                return not self.tagged or indent != held[0][0]
            return indent == held[1][0]
        return indent == held[0][0]

    def _flush(self, held: list[tuple[int, str]]) -> Iterator[str]:
        if not held:
            return
        first = held[0][0]
        other = held[1][0] if len(held) > 1 and (self.crown or self.tagged) else first
        if self.tagged and other == first:
            other = 0 if first else 3
        words = self._words(held)
        held.clear()
        lead_first, lead_other = self._lead(first), self._lead(other)
        for number, line in enumerate(
            _lay_out(words, len(lead_first), len(lead_other), self.width, self.goal)
        ):
            shown = "".join(word.text + " " * word.space for word in line[:-1]) + line[-1].text
            yield (lead_first if number == 0 else lead_other) + shown

    def _lead(self, indent: int) -> str:
        if not self.prefix:
            return " " * indent
        outer, inner = divmod(indent, 1000)
        return " " * outer + self.prefix.strip() + " " * inner

    def _words(self, held: Sequence[tuple[int, str]]) -> list[_Word]:
        words: list[_Word] = []
        for _, body in held:
            for match in re.finditer(r"(\S+)(\s*)", body):
                word = _Word(match[1], len(match[2]))
                at_end = match.end() == len(body)
                word.is_final = word.is_period and (at_end or len(match[2]) > 1)
                if at_end or self.uniform:
                    word.space = 2 if word.is_final else 1
                words.append(word)
        return words


def _positive(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= 2500:
        out = text.isascii() and text.isdigit()
        why = ": Numerical result out of range" if out else ""
        raise UsageError(f"invalid {what}: {quote_typographic(text)}{why}", hint=False)
    return int(text)


@failing
def run_fmt(call: Invocation) -> int:
    formatter = _Formatter(call)
    failures: list[str] = []
    form = "cannot open {quoted} for reading: {reason}"
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                source = open_input(call, name)
            except VshellError as error:
                call.complain(form.format(quoted=quote(name), reason=reason(error)))
                failures.append(name)
                continue
            for line in formatter.paragraphs(map(to_text, stripped(records(source)))):
                out.write(to_bytes(line) + b"\n")
    return 1 if failures else 0


# column.


def _display_width(text: str) -> int:
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _display_width(text))


@failing
def run_column(call: Invocation) -> int:
    parsed = call.parsed
    failures: list[str] = []
    lines: list[str] = []
    for _, source in each_input(call, call.operands, failures, form="{name}: {reason}"):
        lines += [to_text(line) for line in stripped(records(source))]
    if parsed.flag("table") or parsed.flag("table-columns") or parsed.flag("json"):
        shown = _table(call, lines)
    else:
        shown = _columns(call, [line for line in lines if line.strip()])
    for line in shown:
        call.write(line + "\n")
    return 1 if failures else 0


def _table(call: Invocation, lines: Sequence[str]) -> Iterator[str]:
    parsed = call.parsed
    separators = parsed.value("separator")
    output = parsed.value("output-separator", "  ") or ""
    rows: list[list[str] | None] = []
    limit = int(parsed.value("table-columns-limit", "0") or 0)
    for line in lines:
        if not line.strip():
            if parsed.flag("keep-empty-lines"):
                rows.append(None)
            continue
        rows.append(_cells(line, separators, limit))
    names = parsed.value("table-columns")
    if names is not None and not parsed.flag("table-noheadings"):
        rows.insert(0, names.split(","))
    count = max((len(row) for row in rows if row), default=0)
    widths = [
        max((_display_width(row[i]) for row in rows if row and i < len(row)), default=0)
        for i in range(count)
    ]
    right = _numbers(parsed.value("table-right") or "", names, count)
    for row in rows:
        if row is None:
            yield _cut_row([], widths, output)
            continue
        cells = row + [""] * (count - len(row))
        parts = []
        for index, cell in enumerate(cells):
            if index in right:
                parts.append(" " * (widths[index] - _display_width(cell)) + cell)
            elif index == count - 1:
                parts.append(cell)
            else:
                parts.append(_padded(cell, widths[index]))
        yield output.join(parts) if len(row) == count or right else _cut_row(row, widths, output)


def _cut_row(row: Sequence[str], widths: Sequence[int], output: str) -> str:
    """A row with fewer cells than others still has its last cells' room."""
    cells = [_padded(cell, widths[index]) for index, cell in enumerate(row)]
    missing = [" " * widths[index] for index in range(len(row), len(widths) - 1)]
    return output.join([*cells, *missing, ""])


def _cells(line: str, separators: str | None, limit: int) -> list[str]:
    if separators is None:
        cells = line.split(None, limit - 1) if limit else line.split()
    else:
        cells = re.split(
            "[" + re.escape(separators) + "]", line, maxsplit=limit - 1 if limit else 0
        )
    return cells


def _numbers(text: str, names: str | None, count: int) -> set[int]:
    found: set[int] = set()
    known = (names or "").split(",")
    for word in text.split(",") if text else []:
        if word.isdigit():
            found.add(int(word) - 1)
        elif word in known:
            found.add(known.index(word))
        elif word in ("-", "0"):
            found |= set(range(count))
        else:
            raise Failure(f"undefined column name '{word}'")
    return found


def _columns(call: Invocation, entries: Sequence[str]) -> Iterator[str]:
    text = call.parsed.value("output-width") or call.environment.get("COLUMNS") or "80"
    if not text.isdigit():
        raise Failure(f"invalid columns argument: '{text}'")
    width = int(text[:9])
    if not entries:
        return
    longest = max(map(_display_width, entries))
    step = (longest // 8 + 1) * 8
    count = max(1, width // step)
    if call.parsed.flag("fillrows"):
        for start in range(0, len(entries), count):
            yield _tabbed(entries[start : start + count], step)
        return
    rows = -(-len(entries) // count)
    for row in range(rows):
        yield _tabbed(entries[row::rows], step)


def _tabbed(entries: Sequence[str], step: int) -> str:
    parts = []
    for index, entry in enumerate(entries):
        parts.append(entry)
        if index < len(entries) - 1:
            parts.append("\t" * -(-(step - _display_width(entry)) // 8))
    return "".join(parts)


# shuf.


class _Bytes(random.Random):
    """Random numbers out of a file's bytes, so that the same file gives the same order."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)


@failing
def run_shuf(call: Invocation) -> int:
    parsed = call.parsed
    counts = [_count(text) for text in parsed.values("head-count")]
    count = min(counts) if counts else None
    source = _random(call)
    entries = _entries(call)
    repeat = parsed.flag("repeat")
    if repeat and count != 0 and not len(entries):
        raise Failure("no lines to repeat")
    end = b"\0" if parsed.flag("zero-terminated") else b"\n"
    if repeat:
        chosen: Iterator[object] = _endless(source, entries, count)
    else:
        size = len(entries) if count is None else min(count, len(entries))
        chosen = iter(source.sample(entries, size))
    lines = (_line_of(item) + end for item in chosen)
    target = parsed.value("output")
    if target is not None:
        require_write(call, target, b"".join(lines))
        return 0
    with BufferedOutput(call.stdout) as out:
        for line in lines:
            out.write(line)
    return 0


def _line_of(item: object) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()


def _endless(
    source: random.Random, entries: Sequence[object], count: int | None
) -> Iterator[object]:
    done = 0
    while count is None or done < count:
        yield source.choice(entries)
        done += 1


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"invalid line count: {quote_typographic(text)}", hint=False)
    return int(text[:18])


def _random(call: Invocation) -> random.Random:
    name = call.parsed.value("random-source")
    if name is None:
        return random.SystemRandom()
    return _Bytes(require_input(call, name).read(4096))


def _entries(call: Invocation) -> Sequence[object]:
    parsed = call.parsed
    ranges = parsed.values("input-range")
    if parsed.flag("echo"):
        if ranges:
            raise UsageError("cannot combine -e and -i options")
        return [to_bytes(word) for word in call.operands]
    if ranges:
        if len(ranges) > 1:
            raise UsageError("multiple -i options specified", hint=False)
        if call.operands:
            raise UsageError(f"extra operand {quote(call.operands[0])}")
        match = re.fullmatch(r"(\d{1,18})-(\d{1,18})", ranges[0], re.ASCII)
        if match is None or int(match[1]) > int(match[2]) + 1:
            raise UsageError(f"invalid input range: {quote_typographic(ranges[0])}", hint=False)
        return range(int(match[1]), int(match[2]) + 1)
    if len(call.operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(call.operands[1])}")
    end = b"\0" if parsed.flag("zero-terminated") else b"\n"
    source = require_input(call, call.operands[0] if call.operands else "-")
    return list(stripped(records(source, end), end))


# tsort.


@failing
def run_tsort(call: Invocation) -> int:
    if len(call.operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(call.operands[1])}")
    name = call.operands[0] if call.operands else "-"
    words = require_input(call, name).read().split()
    if len(words) % 2:
        raise Failure(f"{name}: input contains an odd number of tokens")
    after: dict[bytes, list[bytes]] = {}
    before: dict[bytes, int] = {}
    for first, second in zip(words[::2], words[1::2], strict=True):
        for word in (first, second):
            after.setdefault(word, [])
            before.setdefault(word, 0)
        if first != second:
            after[first].append(second)
            before[second] += 1
    return _print_order(call, name, after, before)


def _print_order(
    call: Invocation, name: str, after: dict[bytes, list[bytes]], before: dict[bytes, int]
) -> int:
    status = 0
    ready = sorted(word for word in before if not before[word])
    left = dict(before)
    with BufferedOutput(call.stdout) as out:
        while left:
            if not ready:
                status = 1
                ready = [_break_loop(call, name, after, left)]
            queue, ready = ready, []
            for word in queue:
                if word not in left:
                    continue
                out.write(word + b"\n")
                del left[word]
                # The one that was named last comes first, as in a list that grows at its head.
                for following in reversed(after[word]):
                    if following in left:
                        left[following] -= 1
                        if left[following] == 0:
                            ready.append(following)
    return status


def _break_loop(
    call: Invocation, name: str, after: dict[bytes, list[bytes]], left: dict[bytes, int]
) -> bytes:
    """Find a loop, report it, and return one word of it as free."""
    start = min(left)
    path: list[bytes] = []
    word = start
    leads = {
        following: first
        for first in sorted(left, reverse=True)
        for following in after[first]
        if following in left
    }
    while word not in path:
        path.append(word)
        word = leads[word]
    loop = list(reversed(path[path.index(word) :]))
    least = loop.index(min(loop))
    loop = loop[least:] + loop[:least]
    call.complain(f"{name}: input contains a loop:")
    for each in loop:
        call.complain(to_text(each))
    last, first = loop[-1], loop[0]
    after[last] = [each for each in after[last] if each != first]
    left[first] = 0
    return first


COMMANDS: Final = (
    Command(
        "fmt",
        "[-WIDTH] [OPTION]... [FILE]...",
        "Reformat each paragraph in the FILE(s), writing to standard output.",
        run_fmt,
        options=(
            Option(("-c", "--crown-margin"), "Preserve indentation of first two lines."),
            Option(("-p", "--prefix"), "Reformat only lines beginning with STRING.", "STRING"),
            Option(("-s", "--split-only"), "Split long lines, but do not refill."),
            Option(
                ("-t", "--tagged-paragraph"), "Indentation of first line different from second."
            ),
            Option(("-u", "--uniform-spacing"), "One space between words, two after sentences."),
            Option(("-w", "--width"), "Maximum line width (default of 75 columns).", "WIDTH"),
            Option(("-g", "--goal"), "Goal width (default of 93% of width).", "WIDTH"),
            *DIGITS,
        ),
    ),
    Command(
        "column",
        "[options] [<file>...]",
        "Columnate lists.",
        run_column,
        options=(
            Option(("-t", "--table"), "Create a table."),
            Option(("-n", "--table-name"), "Accepted.", "name"),
            Option(("-N", "--table-columns"), "Comma separated columns names.", "names"),
            Option(("-l", "--table-columns-limit"), "Maximal number of input columns.", "num"),
            Option(("-R", "--table-right"), "Right align text in these columns.", "columns"),
            Option(("-d", "--table-noheadings"), "Don't print header."),
            Option(("-L", "--keep-empty-lines"), "Don't ignore empty lines."),
            Option(("-c", "--output-width"), "Width of output in number of characters.", "width"),
            Option(("-o", "--output-separator"), "Columns separator for table output.", "string"),
            Option(("-s", "--separator"), "Possible table delimiters.", "string"),
            Option(("-x", "--fillrows"), "Fill rows before columns."),
        ),
    ),
    Command(
        "shuf",
        "[OPTION]... [FILE]\n  or:  shuf -e [OPTION]... [ARG]...\n  or:  shuf -i LO-HI [OPTION]...",
        "Write a random permutation of the input lines to standard output.",
        run_shuf,
        options=(
            Option(("-e", "--echo"), "Treat each ARG as an input line."),
            Option(("-i", "--input-range"), "Treat each number LO through HI as a line.", "LO-HI"),
            Option(("-n", "--head-count"), "Output at most COUNT lines.", "COUNT"),
            Option(("-o", "--output"), "Write result to FILE.", "FILE"),
            Option(("--random-source",), "Get random bytes from FILE.", "FILE"),
            Option(("-r", "--repeat"), "Output lines can be repeated."),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
        ),
    ),
    Command(
        "tsort",
        "[OPTION] [FILE]",
        "Write totally ordered list consistent with the partial ordering in FILE.",
        run_tsort,
    ),
)
