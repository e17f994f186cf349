"""What `jq` prints: values, laid out, sorted and coloured."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from vshell.shell.command_io import BufferedOutput
from vshell.shell.commands.jq.settings import Settings

_RESET: Final = "\x1b[0m"
_KEY: Final = "\x1b[34;1m"
_HOLDER: Final = "\x1b[1;39m"
"""Of arrays and objects."""
_RECORD_SEPARATOR: Final = "\x1e"


class _Number(str):
    """A number, as it is written."""

    __slots__ = ()


def printer(settings: Settings, out: BufferedOutput) -> Callable[[str], None]:
    """Return what prints one value, which it is given as JSON."""
    flags = settings.flags
    raw = bool(flags & {"raw-output", "join-output", "raw-output0"})
    end = "" if "join-output" in flags else "\0" if "raw-output0" in flags else "\n"
    begin = _RECORD_SEPARATOR if "seq" in flags else ""
    layout = _Layout(settings)

    def show(text: str) -> None:
        if raw and text.startswith('"'):
            text = json.loads(text)
        elif not layout.is_plain:
            text = layout.text(_parsed(text))
        out.write((begin + text + end).encode("utf-8", "surrogatepass"))

    return show


def _parsed(text: str) -> Any:
    return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_Number)


class _Layout:
    """How values are laid out."""

    def __init__(self, settings: Settings) -> None:
        self._indent = settings.indent
        self._ascii_only = "ascii-output" in settings.flags
        self._sorts = "sort-keys" in settings.flags
        self._colon = ":" if settings.indent is None else ": "
        is_coloured = settings.is_coloured
        self._reset, self._key = (_RESET, _KEY) if is_coloured else ("", "")
        self._holder = _HOLDER if is_coloured else ""
        self.is_plain = (
            settings.indent is None and not (self._sorts or self._ascii_only) and not is_coloured
        )

    def text(self, value: Any, level: int = 0) -> str:
        if isinstance(value, list):
            return self._array(value, level)
        if isinstance(value, dict):
            return self._object(value, level)
        text = value if isinstance(value, _Number) else self._scalar(value)
        if not self._reset:
            return str(text)
        color = "1;30" if value is None else "0;32" if type(value) is str else "0;39"
        return f"\x1b[{color}m{text}{self._reset}"

    def _scalar(self, value: str | bool | None) -> str:
        return json.dumps(value, ensure_ascii=self._ascii_only).replace("\x7f", "\\u007f")

    def _line(self, level: int) -> str:
        return "" if self._indent is None else "\n" + self._indent * level

    def _array(self, values: list[Any], level: int) -> str:
        holder = self._holder
        if not values:
            return f"{holder}[]{self._reset}"
        inner = self._line(level + 1)
        items = f"{holder},{inner}".join(self.text(each, level + 1) for each in values)
        return f"{holder}[{inner}{items}{holder}{self._line(level)}{holder}]{self._reset}"

    def _object(self, values: dict[str, Any], level: int) -> str:
        holder, reset = self._holder, self._reset
        if not values:
            return f"{holder}{{}}{reset}"
        inner = self._line(level + 1)
        keys = sorted(values) if self._sorts else values
        items = f",{inner}".join(
            f"{reset}{self._key}{self._scalar(key)}{reset}{holder}{self._colon}{reset}"
            f"{self.text(values[key], level + 1)}{holder}"
            for key in keys
        )
        return f"{holder}{{{inner}{items}{self._line(level)}{holder}}}{reset}"
