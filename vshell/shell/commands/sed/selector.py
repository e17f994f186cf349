"""Which commands of `sed` apply to a line."""

from __future__ import annotations

import regex

from vshell.shell.command_io import Failure
from vshell.shell.commands.sed.replacing import REGEX_TIMEOUT_S
from vshell.shell.commands.sed.script import Address, Pattern, SedCommand
from vshell.shell.commands.sed.streams import Lines


class Selector:
    """The pattern space, its line's number, and the expression that was used last.

    Args:
        lines: Where lines come from; it knows which is the last one.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._space = ""
        self._number = 0
        self._last_pattern: Pattern | None = None

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
