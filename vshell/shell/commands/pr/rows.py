"""The rows of a page of `pr`: columns, what stands between them, and tabs for spaces."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.commands.pr.settings import Settings

_SPACES: Final = re.compile(rb" +|[^ ]+")


class Row:
    """One row, while it is written; positions as in GNU's `pr.c`."""

    def __init__(self, settings: Settings) -> None:
        self._tabifies = settings.tabifies
        tab, self._tab_width = settings.output_tab
        self._tab = tab.encode("utf-8", "surrogateescape")[:1]
        self._separator = (settings.separator or "").encode("utf-8", "surrogateescape")
        self._parts: list[bytes] = []
        self._spaces = 0
        self._separators = 0
        self.position = 0

    @property
    def is_padded(self) -> bool:
        """Whether spaces wait for something to stand behind them."""
        return self._spaces > 0

    def pad_to(self, position: int) -> None:
        """Go to a column."""
        if self._tabifies:
            self._spaces = position - self.position
        else:
            self._parts.append(b" " * (position - self.position))
            self.position = max(position, self.position)

    def text(self, data: bytes) -> None:
        """Write text, its spaces as tabs where that is asked for."""
        if not self._tabifies:
            self._parts.append(data)
            return
        for part in _SPACES.findall(data):
            if part[:1] == b" ":
                self._spaces += len(part)
                continue
            self._flush_spaces()
            self._parts.append(part)
            self.position += sum(0x20 < byte < 0x7F for byte in part) - part.count(b"\b")

    def end_column(self) -> None:
        """Note that a column ends, so that a separator stands before the next one."""
        self._separators += 1

    def forget_separators(self) -> None:
        """Note that the columns so far are written again."""
        self._separators = 0

    def separate(self) -> None:
        """Write the separators of the columns that ended."""
        if self._separators <= 0:
            self._flush_spaces()
            return
        rest = self._separator
        for _ in range(self._separators):
            for byte in rest:
                if byte == 0x20:
                    self._spaces += 1
                else:
                    self._flush_spaces()
                    self._parts.append(bytes([byte]))
                    self.position += 1
            rest = b""  # GNU's writes it once, however many columns were empty
            self._flush_spaces()
        self._separators = 0

    def _flush_spaces(self) -> None:
        at, goal = self.position, self.position + self._spaces
        if self._spaces <= 0:
            return
        if self._tabifies:
            while goal - at > 1:
                stop = at + self._tab_width - at % self._tab_width
                if stop > goal:
                    break
                self._parts.append(self._tab)
                at = stop
        self._parts.append(b" " * (goal - at))
        self.position, self._spaces = goal, 0

    def bytes(self) -> bytes:
        """Return what was written; spaces at the end are not."""
        return b"".join(self._parts)
