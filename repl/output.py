"""What the command line writes: data to stdout, talk to stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final, TextIO

from vshell.errors import VshellError

_STYLES: Final = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


class Output:
    """Where a command writes.

    Args:
        as_json: Results are printed as JSON.
        color: Force colour on or off; None decides by the terminal, NO_COLOR and FORCE_COLOR.
    """

    def __init__(self, *, as_json: bool = False, color: bool | None = None) -> None:
        self.as_json = as_json
        self.color = color

    def data(self, data: bytes | str) -> None:
        """Write to stdout, bytes as they are; text may hold undecodable bytes."""
        sys.stdout.flush()
        stream = sys.stdout.buffer
        stream.write(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
        stream.flush()

    def line(self, text: str) -> None:
        """Write a line to stdout."""
        self.data(f"{text}\n")

    def json(self, value: Any) -> None:
        """Write a value as JSON to stdout."""
        self.line(json.dumps(value, indent=2, ensure_ascii=True, default=_jsonable))

    def talk(self, text: str) -> None:
        """Write a line to stderr."""
        print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)

    def error(self, error: VshellError) -> None:
        """Write an error to stderr: what failed, and what to do next."""
        if self.as_json:
            self.talk(json.dumps({"error": error.as_dict()}, default=_jsonable))
            return
        self.talk(f"{self.style('error:', 'red', sys.stderr)} {error}")
        if error.hint:
            self.talk(f"{self.style('hint:', 'cyan', sys.stderr)} {error.hint}")

    def usage_error(self, message: str, hint: str | None = None) -> None:
        """Write that the command line is wrong."""
        self.talk(f"{self.style('error:', 'red', sys.stderr)} {message}")
        if hint:
            self.talk(f"{self.style('hint:', 'cyan', sys.stderr)} {hint}")

    def style(self, text: str, name: str, stream: TextIO | None = None) -> str:
        """Return text in a style, where `stream` (stdout by default) shows it."""
        if not self._colored(stream or sys.stdout):
            return text
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m"

    def _colored(self, stream: TextIO) -> bool:
        if self.color is not None:
            return self.color
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"


def readable_size(size: int) -> str:
    """Return a number of bytes in the largest unit that leaves at least one."""
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{int(value)} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
