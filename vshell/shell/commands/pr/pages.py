"""The pages of `pr`."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import BufferedOutput, open_input
from vshell.shell.commands.pr.rows import Row
from vshell.shell.commands.pr.settings import HEADER_LINES, Settings, column_width
from vshell.shell.commands.pr.sources import Clumps, Source
from vshell.shell.messages import quote_if_needed, reason
from vshell.shell.names import display_width
from vshell.shell.timeformat import format_time, zone_of


@dataclass(slots=True)
class _Column:
    """A column of the page.

    Attributes:
        start: Where it begins, the separator before it included; None is behind the last one.
        stored: Its lines on this page with the columns where they end, when lines go down.
        left: How many lines it may still have on this page.
    """

    source: Source
    start: int | None
    numbered: bool
    left: int = 0
    stored: deque[tuple[bytes, int]] = field(default_factory=deque)


class Printer:
    """Prints files.

    Args:
        call: The command's run.
        settings: How pages look.
        out: Where they go.
    """

    def __init__(self, call: Invocation, settings: Settings, out: BufferedOutput) -> None:
        self._call = call
        self._settings = settings
        self._out = out
        self._failed = False
        self._number = settings.first_number
        self._page = 1
        # By the files that were named, whether or not they are there.
        self._width = column_width(settings)
        self._clumps = Clumps(settings, self._width if settings.truncates else None)

    def run(self, names: list[str]) -> int:
        """Print the files, one after the other or in parallel; return the exit code."""
        opened = [self._open(name) for name in names or ["-"]]
        sources = [source for source in opened if source is not None]
        if self._settings.parallel:
            # A file that cannot be opened has no column, but the others are no wider for it.
            self._settings.columns = max(1, len(opened))
            if sources:
                self._print(sources)
        else:
            for source in sources:
                self._print([source])
        return int(self._failed)

    def _open(self, name: str) -> Source | None:
        try:
            opened = open_input(self._call, name)
            time_ns = time.time_ns()
            if name != "-" and not self._settings.parallel:
                path = self._call.context.resolve(name)
                if self._call.context.files.exists(path):
                    time_ns = self._call.context.files.stat(path).mtime_ns
        except VshellError as error:
            self._failed = True
            if self._settings.warns:
                self._out.flush()
                self._call.complain(f"{quote_if_needed(name)}: {reason(error)}")
            return None
        header = self._settings.header
        shown = "" if name == "-" or self._settings.parallel else name
        return Source(opened, shown if header is None else header, time_ns)

    def _print(self, sources: list[Source]) -> None:
        settings = self._settings
        self._page = 1
        self._number = settings.first_number
        self._columns = self._make_columns(sources)
        while self._page < settings.first_page:
            if not self._skip_page():
                self._out.flush()
                self._call.complain(
                    f"starting page number {settings.first_page} exceeds page count {self._page}"
                )
                return
            self._page += 1
        while self._print_page():
            self._page += 1
            if settings.last_page is not None and self._page > settings.last_page:
                break

    def _make_columns(self, sources: list[Source]) -> list[_Column]:
        settings = self._settings
        width, between = self._width, len(settings.separator or "")
        next_start: int | None = settings.margin + width
        if settings.parallel:
            next_start = settings.margin + width + settings.number_width
        start: int | None = settings.margin + between
        found: list[_Column] = []
        has_numbers = settings.number_separator is not None
        for index in range(len(sources) if settings.parallel else settings.columns):
            numbered = has_numbers and (not settings.parallel or index == 0)
            source = sources[index if settings.parallel else 0]
            found.append(_Column(source, start, numbered))
            start = None
            if settings.truncates and next_start is not None:
                start = next_start + between
                next_start = start + width
        return found

    # Pages.

    def _skip_page(self) -> bool:
        """Read a page without printing it; tell whether something follows."""
        settings = self._settings
        rows = settings.columns if not settings.parallel else 1
        for source in {id(each.source): each.source for each in self._columns}.values():
            for _ in range(settings.body * rows):
                if source.status != "open" or source.next() is None:
                    break
                self._number += 1
            source.resume()
        return any(column.source.status == "open" for column in self._columns)

    def _begin_page(self) -> None:
        for column in self._columns:
            column.stored.clear()
        if not self._settings.stores:
            for column in self._columns:
                column.left = self._settings.body if column.source.status == "open" else 0
            return
        source = self._columns[0].source
        lines: list[tuple[bytes, int]] = []
        limit = self._settings.body * len(self._columns)
        while source.status == "open" and len(lines) < limit:
            line = source.next()
            if line is None:
                break
            if line.text or not line.ends_page:
                lines.append(self._cell(self._columns[0], line.text))
        each, more = divmod(len(lines), len(self._columns))
        at = 0
        for index, column in enumerate(self._columns):
            column.left = each + (index < more)
            column.stored.extend(lines[at : at + column.left])
            at += column.left

    def _is_ready(self) -> bool:
        stores = self._settings.stores
        return any(
            column.source.status == "open" or (stores and column.left > 0)
            for column in self._columns
        )

    def _print_page(self) -> bool:
        settings = self._settings
        self._begin_page()
        if not self._is_ready():
            return False
        self._needs_header = settings.has_header
        self._form_feed = False
        left = settings.body * (2 if settings.double else 1)
        printed = False
        while left > 0 and self._is_ready():
            row_printed = self._print_row()
            printed = printed or row_printed
            if not row_printed and settings.stores:
                break
            if row_printed:
                self._out.write(b"\n")
                left -= 1
            if not self._is_ready() and not settings.has_header:
                break
            if settings.double and printed:
                self._out.write(b"\n")
                left -= 1
        if printed and settings.has_header:
            lines = left + HEADER_LINES
            self._out.write(b"\f" if settings.form_feed else b"\n" * lines)
        elif self._form_feed:
            self._out.write(b"\f")
        for column in self._columns:
            column.source.resume()
        return True

    def _print_row(self) -> bool:
        """Print the next line of each column; tell whether there was anything."""
        settings = self._settings
        self._row = Row(settings)
        self._has_row = self._only_form_feed = False
        self._empty = True
        self._waiting: list[_Column] = []  # columns of files that ended, before any text
        for column in self._columns:
            if column.left > 0 and (settings.stores or column.source.status == "open"):
                self._print_cell(column)
                column.left -= 1
                if column.left <= 0 and not self._is_ready():
                    break
                is_over = column.source.status == "closed" or self._only_form_feed
                if (
                    settings.parallel
                    and column.source.status != "open"
                    and (self._empty or is_over)
                ):
                    self._skip_cell(column)
            elif settings.parallel:
                self._skip_cell(column)
            if settings.separator is not None:
                self._row.end_column()
        if self._has_row:
            self._out.write(self._row.bytes())
        return self._has_row

    def _skip_cell(self, column: _Column) -> None:
        """Leave a column of a file that has ended empty."""
        if self._empty:
            self._waiting.append(column)
        else:
            self._align(column)

    def _align(self, column: _Column) -> None:
        between = len(self._settings.separator or "")
        if column.start is not None and between < column.start:
            self._row.pad_to(column.start - between)
        if self._settings.separator is not None:
            self._row.separate()
        if column.numbered:
            self._row.text(self._numbered())

    def _print_cell(self, column: _Column) -> None:
        if self._settings.stores:
            text, end = column.stored.popleft()
            self._begin_cell(column)
            self._row.text(text)
            if not self._row.is_padded:
                between = len(self._settings.separator or "")
                start = column.start or 0
                self._row.position = start + end
                if start - between == self._settings.margin:
                    self._row.position -= between
            return
        line = column.source.next()
        self._only_form_feed = line is not None and line.ends_page and not line.text
        if line is None:
            return
        if self._only_form_feed:
            if self._needs_header:
                self._has_row = True
                self._print_header(column)
            elif self._settings.keeps_form_feeds:
                self._form_feed = True
            return
        self._form_feed = self._form_feed or (line.ends_page and self._settings.keeps_form_feeds)
        self._begin_cell(column)
        self._row.text(self._cell(column, line.text)[0])
        self._empty = False

    def _begin_cell(self, column: _Column) -> None:
        self._has_row = True
        if self._needs_header:
            self._print_header(column)
        if self._waiting:
            self._row.forget_separators()
            for each in self._waiting:
                self._align(each)
                self._row.end_column()
            self._waiting = []
        if column.start is not None:
            self._row.pad_to(column.start - len(self._settings.separator or ""))
        if self._settings.separator is not None:
            self._row.separate()

    def _cell(self, column: _Column, line: bytes) -> tuple[bytes, int]:
        """Return what a column shows of a line, its number first, and where that ends."""
        settings = self._settings
        if not column.numbered:
            return self._clumps.column(line)
        number = self._numbered()
        start = settings.number_width if settings.truncates and not settings.parallel else 0
        text, end = self._clumps.column(line, start)
        return number + text, end

    def _numbered(self) -> bytes:
        settings = self._settings
        digits = f"{self._number:>{settings.number_digits}}"[-settings.number_digits :]
        self._number += 1
        separator = settings.number_separator or "\t"
        if settings.columns > 1 and separator == "\t":
            return digits.ljust(settings.number_width).encode()
        return (digits + separator).encode("utf-8", "surrogateescape")

    def _print_header(self, column: _Column) -> None:
        settings, source = self._settings, column.source
        self._needs_header = False
        zone = zone_of(self._call.environment)
        date = format_time(settings.date_format, source.time_ns, zone)
        page = f"Page {self._page}"
        room = settings.width - sum(
            sum(map(display_width, text)) for text in (date, source.name, page)
        )
        room = max(0, room)
        left = room >> 1
        text = (
            " " * settings.margin
            + date
            + " ".rjust(left)
            + source.name
            + " ".rjust(room - left)
            + page
        )
        self._out.write(
            f"{' ' * settings.margin}\n\n{text}\n\n\n".encode("utf-8", "surrogateescape")
        )
