"""How `grep` goes through a file and prints what it finds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vshell.shell.command_io import BufferedOutput, to_bytes, to_text
from vshell.shell.searching import Finder

_MOST = 10**18
_HEAD_BYTES = 32768
"""A NUL in the beginning of a file makes it binary."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How lines are chosen and printed.

    Attributes:
        listing: `with` for the names of files that match, `without` for the others.
        binary: What binary files are: `binary`, `text` or `without-match`.
        separator: What ends a line.
        color: What to print things in, by GREP_COLORS' keys; None for no colours.
    """

    invert: bool
    count: bool
    listing: str
    quiet: bool
    only_matching: bool
    max_count: int | None
    numbers: bool
    offsets: bool
    names: bool
    null: bool
    tab: bool
    before: int
    after: int
    group_separator: str | None
    binary: str
    separator: bytes
    label: str
    color: dict[str, str] | None

    @property
    def zero(self) -> bool:
        return self.separator == b"\0"

    @property
    def shows_without_match(self) -> bool:
        """Whether files without a match are told of too."""
        return self.count or self.listing == "without"

    @property
    def needs_first_only(self) -> bool:
        """Whether one selected line tells all."""
        return self.quiet or bool(self.listing)


class Groups:
    """Whether any group of lines was printed yet, in whatever file."""

    __slots__ = ("any",)

    def __init__(self) -> None:
        self.any = False


class FileSearch:
    """The search of one file, block by block."""

    def __init__(
        self,
        name: str,
        finder: Finder | None,
        settings: Settings,
        out: BufferedOutput,
        *,
        groups: Groups,
        deadline: float,
        size: int | None,
    ) -> None:
        self.name = name
        self._groups = groups
        # A pipe's size is not known, so its numbers get the room of the largest.
        most = _MOST if size is None else size + settings.numbers
        self._width = len(str(most)) if settings.tab else 0
        self._finder = finder
        self._settings = settings
        self._out = out
        self._deadline = deadline
        self._count = 0
        self._line = 1
        self._offset = 0
        self._is_binary: bool | None = None
        self.is_suppressed = False
        self._earlier: deque[tuple[int, int, str]] = deque(maxlen=settings.before)
        self._trailing = 0
        self._last_printed = 0

    def feed(self, block: bytes) -> bool:
        """Search whole lines; return whether more is wanted."""
        settings = self._settings
        if self._is_binary is None:
            null = b"\x80" if settings.zero else b"\0"
            self._is_binary = settings.binary != "text" and null in block[:_HEAD_BYTES]
            if self._is_binary and settings.binary == "without-match":
                return False
        if self._is_binary and not settings.zero:
            block = block.replace(b"\0", b"\n")
        text = to_text(block)
        if settings.binary == "without-match" and not self._offset and self._breaks_text(text):
            return False
        wanted = self._simple(text, block) if self._is_simple else self._careful(text)
        self._offset += len(block)
        return wanted

    @property
    def _is_simple(self) -> bool:
        settings = self._settings
        return not (settings.invert or settings.zero or settings.before or settings.after)

    # Finding.

    def _simple(self, text: str, block: bytes) -> bool:
        """Go from match to match: what lies between is not looked at."""
        finder = self._finder
        if finder is not None and finder.may_match(block):
            ascii_only = len(block) == len(text)
            place, offset = 0, self._offset
            for found in finder.lines(text, self._deadline):
                if self._settings.offsets and not ascii_only:
                    offset += len(to_bytes(text[place : found.start]))
                    place = found.start
                else:
                    offset = self._offset + found.start
                line = text[found.start : found.end]
                if not self._select(self._line + found.line - 1, offset, line):
                    return False
        if self._settings.numbers:
            self._line += text.count("\n")
        return True

    def _careful(self, text: str) -> bool:
        """Go through all lines, for those that do not match or stand beside others."""
        separator = "\0" if self._settings.zero else "\n"
        lines = text.split(separator)
        if not lines[-1]:
            lines.pop()
        matching = self._matching(text, lines)
        offset = self._offset
        for place, line in enumerate(lines):
            number = self._line + place
            if (place in matching) != self._settings.invert:
                if not self._select(number, offset, line):
                    return self._finish_trailing(lines, place, offset)
            elif self._trailing:
                self._trailing -= 1
                self._print(number, offset, line, "-")
            elif self._settings.before:
                self._earlier.append((number, offset, line))
            if self._settings.offsets:
                offset += len(to_bytes(line)) + 1
        self._line += len(lines)
        return True

    def _finish_trailing(self, lines: Sequence[str], place: int, offset: int) -> bool:
        """Print what comes after the last line that is selected at all."""
        for number in range(place + 1, min(len(lines), place + 1 + self._trailing)):
            offset += len(to_bytes(lines[number - 1])) + 1
            self._print(self._line + number, offset, lines[number], "-")
        return False

    def _matching(self, text: str, lines: Sequence[str]) -> set[int]:
        finder = self._finder
        if finder is None:
            return set()
        if not self._settings.zero:
            return {found.line - 1 for found in finder.lines(text, self._deadline)}
        return {
            place for place, line in enumerate(lines) if finder.matches_whole(line, self._deadline)
        }

    # Printing.

    def _select(self, number: int, offset: int, line: str) -> bool:
        """Take a line that is selected; return whether more are wanted."""
        settings = self._settings
        self._count += 1
        if settings.needs_first_only:
            return False
        if not settings.count:
            if self._is_binary or self._breaks_text(line):
                self.is_suppressed = True
                return False
            self._print_context(number)
            if settings.only_matching or settings.color:
                self._print_matches(number, offset, line)
            else:
                self._print(number, offset, line, ":")
            self._trailing = settings.after
        return settings.max_count is None or self._count < settings.max_count

    def _breaks_text(self, line: str) -> bool:
        """Whether a line cannot be printed as text."""
        if self._settings.binary == "text" or (line.isascii() and "\0" not in line):
            return False
        return "\0" in line or any("\ud800" <= letter <= "\udfff" for letter in line)

    def _print_context(self, number: int) -> None:
        settings = self._settings
        first = self._earlier[0][0] if self._earlier else number
        if settings.before or settings.after:
            apart = self._last_printed and first > self._last_printed + 1
            if apart or (not self._last_printed and self._groups.any):
                self._separate()
            self._groups.any = True
        for earlier in self._earlier:
            self._print(*earlier, "-")
        self._earlier.clear()

    def _separate(self) -> None:
        text = self._settings.group_separator
        if text is not None:
            self._write(self._painted("se", text) + "\n")

    def _print(self, number: int, offset: int, line: str, mark: str) -> None:
        self._last_printed = number
        if mark == "-" and self._settings.only_matching:
            return
        end = "\0" if self._settings.zero else "\n"
        if self._settings.color and self._settings.color["cx" if mark == "-" else "sl"]:
            line = self._painted("cx" if mark == "-" else "sl", line)
        self._write(self._prefix(number, offset, mark) + line + end)

    def _print_matches(self, number: int, offset: int, line: str) -> None:
        settings = self._settings
        assert self._finder is not None
        self._last_printed = number
        end = "\0" if settings.zero else "\n"
        spans: Iterator[tuple[int, int]] = iter(())
        if not settings.invert:
            spans = self._finder.spans(line, self._deadline)
        if settings.only_matching:
            for start, stop in spans:
                before = len(to_bytes(line[:start])) if settings.offsets else 0
                text = self._painted("ms", line[start:stop])
                self._write(self._prefix(number, offset + before, ":") + text + end)
            return
        parts, place = [], 0
        for start, stop in spans:
            parts.append(line[place:start] + self._painted("ms", line[start:stop]))
            place = stop
        self._write(self._prefix(number, offset, ":") + "".join(parts) + line[place:] + end)

    def _prefix(self, number: int, offset: int, mark: str) -> str:
        settings = self._settings
        text = ""
        separator = self._painted("se", mark)
        if settings.names:
            name = self._painted("fn", self.name)
            text += name + ("\0" if settings.null else separator)
        if settings.numbers:
            text += self._painted("ln", f"{number:>{self._width}}") + separator
        if settings.offsets:
            text += self._painted("bn", f"{offset:>{self._width}}") + separator
        if settings.tab and text:
            text += "\t"
        return text

    def _painted(self, key: str, text: str) -> str:
        code = self._settings.color and self._settings.color[key]
        if not code or not text:
            return text
        erase = "" if self._settings.color and "ne" in self._settings.color else "\x1b[K"
        return f"\x1b[{code}m{erase}{text}\x1b[m{erase}"

    def _write(self, text: str) -> None:
        self._out.write(to_bytes(text))

    def finish(self) -> bool:
        """Print what is told of a file as a whole; return whether that is a success."""
        settings = self._settings
        if settings.quiet:
            return self._count > 0
        name = self._painted("fn", self.name)
        if settings.listing:
            is_listed = (self._count > 0) == (settings.listing == "with")
            if is_listed:
                self._write(name + ("\0" if settings.null else "\n"))
            return self._count > 0
        if settings.count:
            prefix = name + ("\0" if settings.null else self._painted("se", ":"))
            self._write(f"{prefix if settings.names else ''}{self._count}\n")
        return self._count > 0
