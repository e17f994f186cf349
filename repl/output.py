"""What the command line writes: data to stdout, talk to stderr."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Final, TextIO

from vshell.errors import VshellError

_STYLES: Final = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_PENDING_BYTES: Final = 64 * 1024
_DEEPEST_JSON: Final = 20_000

# A name must not move the cursor or change the title of the reader's terminal.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]")


class Output:
    """Where a command writes. What goes to stdout is kept back until there is much of it.

    Args:
        as_json: Results and errors are written as JSON.
        color: Force colour on or off; None decides by the terminal, NO_COLOR and FORCE_COLOR.
    """

    def __init__(self, *, as_json: bool = False, color: bool | None = None) -> None:
        self.as_json = as_json
        self.color = color
        self._pending = bytearray()

    def data(self, data: bytes | str) -> None:
        """Write to stdout, bytes as they are; text may hold undecodable bytes."""
        self._pending += _encoded(data) if isinstance(data, str) else data
        if len(self._pending) > _PENDING_BYTES:
            self.flush()

    def line(self, text: str) -> None:
        """Write a line to stdout."""
        self.data(f"{text}\n")

    def flush(self) -> None:
        """Write what was kept back.

        Raises:
            BrokenPipeError: Nobody reads stdout any more.
            OSError: It takes no more, such as when a disk is full.
        """
        pending, self._pending = self._pending, bytearray()
        if pending:
            _write(sys.stdout, pending)

    def json(self, value: Any) -> None:
        """Write a value as JSON to stdout: one line, or indented for a person."""
        import json

        allowed = sys.getrecursionlimit()
        # A tree may be as deep as the longest path; the encoder recurses.
        sys.setrecursionlimit(max(allowed, _DEEPEST_JSON))
        try:
            text = json.dumps(value, indent=2 if _is_terminal(sys.stdout) else None)
        finally:
            sys.setrecursionlimit(allowed)
        self.line(text)

    def talk(self, text: str) -> None:
        """Write a line to stderr, after all data that came before it."""
        self.flush()
        if sys.stderr is not None:  # closed by whoever started us, who wants no talk
            _write(sys.stderr, _encoded(f"{text}\n"))

    def error(self, error: VshellError, hint: str | None) -> None:
        """Write what failed, and what to do next."""
        self._complain(error.message, hint, error.as_dict() | ({"hint": hint} if hint else {}))

    def complaint(self, code: str, message: str, hint: str | None = None) -> None:
        """Write what is wrong when it is no error of the workspace."""
        fields = {"code": code, "message": message} | ({"hint": hint} if hint else {})
        self._complain(message, hint, fields)

    def style(self, text: str, name: str, stream: TextIO | None = None) -> str:
        """Return text in a style, where `stream` (stdout by default) shows it."""
        if not self.colored(stream or sys.stdout):
            return text
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m"

    def name(self, text: str) -> str:
        """Return a path or name for stdout; on a terminal, without control characters."""
        if not _is_terminal(sys.stdout):
            return text
        return printable(text).replace("\n", "\\n").replace("\t", "\\t")

    def _complain(self, message: str, hint: str | None, fields: dict[str, Any]) -> None:
        if self.as_json:
            import json

            self.talk(json.dumps({"error": fields}, default=str))
            return
        self.talk(f"{self.style('error:', 'red', sys.stderr)} {printable(message)}")
        if hint:
            self.talk(f"{self.style('hint:', 'cyan', sys.stderr)} {printable(hint)}")

    def colored(self, stream: TextIO) -> bool:
        """Tell whether what goes to a stream is coloured."""
        if self.color is not None:
            return self.color
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR", "0") != "0":
            return True
        return _is_terminal(stream) and os.environ.get("TERM") != "dumb"


def printable(text: str) -> str:
    """Return text with control characters, but for line ends and tabs, as escapes."""
    if text.isprintable():
        return text
    return _CONTROLS.sub(lambda found: _escaped(found[0]), text)


def readable_size(size: int) -> str:
    """Return a number of bytes in the largest unit that leaves at least one."""
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{int(value)} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def _escaped(character: str) -> str:
    return character if character in "\n\t" else f"\\x{ord(character):02x}"


def _encoded(text: str) -> bytes:
    # A lone surrogate that stands for no byte can only be shown, not written.
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _write(stream: TextIO | None, data: bytes | bytearray) -> None:
    if stream is None:  # closed by whoever started us
        raise BrokenPipeError
    stream.flush()
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # a stand-in that takes text only
        stream.write(data.decode("utf-8", "replace"))
        return
    with memoryview(data) as rest:
        written = 0
        while written < len(rest):  # unbuffered streams may take less than all
            written += buffer.write(rest[written:]) or 0
    buffer.flush()
