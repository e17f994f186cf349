"""`column`: lines in columns and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import (
    Failure,
    each_input,
    failing,
    records,
    stripped,
    to_text,
)

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


COMMANDS: Final = (
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
)
