"""Reading ahead: a script that reads one file of a listing after the other gets the next ones, too.

Most scripts that look at many files ask for the list of them and read each in its order. A
call for each costs two switches of process, many times what reading does. So once a
script has read two files in a row as the list has them, an answer also holds the next ones:
four, then sixteen, then sixty-four.

It is for files that nobody else can change meanwhile: an overlay's, or those of a held
transaction. The script's own changes are calls, and any call makes void what was sent
before. What was sent counts as looked at, whether or not it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vshell.errors import VshellError
from vshell.ops.context import Context
from vshell.ops.state_text import as_text, resolve
from vshell.script.answering import Answers
from vshell.script.engine import Call, Value
from vshell.script.functions import Function

__all__ = ["ReadAhead", "SteadyAnswers"]

_READS: Final = frozenset({"readFile", "read_file"})
_LISTS: Final = frozenset({"glob", "find"})
_WINDOWS: Final = (0, 4, 16, 64)
_MAX_BYTES: Final = 256 * 1024


class SteadyAnswers(Answers):
    """Answers calls on files that only the script can change while it runs."""

    def __init__(self, context: Context, functions: Mapping[str, Function]) -> None:
        super().__init__(context, functions)
        # Where it matters what has been read, nothing is read that nobody asked for.
        self._reader = None if context.require_read else ReadAhead(context)

    def ahead(self, call: Call, value: Value) -> Mapping[str, Value]:
        return {} if self._reader is None else self._reader.after(call, value)


class ReadAhead:
    """Foresees what a script reads.

    Args:
        context: Where the files are.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._order: list[str] = []
        self._places: dict[str, int] = {}
        self._next = -1
        self._window = 0

    def after(self, call: Call, value: Value) -> Mapping[str, Value]:
        """Return what is read next, after a call that was answered with a value."""
        if call.method in _READS:
            return self._after_read(call)
        self._next = -1
        if call.method in _LISTS:
            self._order = [path for path in map(_path_of, value) if path]
            self._places = {path: place for place, path in enumerate(self._order)}
        return {}

    def _after_read(self, call: Call) -> Mapping[str, Value]:
        path = call.arguments[0] if len(call.arguments) == 1 and not call.keywords else None
        place = self._places.get(path) if isinstance(path, str) else None
        if place is None:
            self._next = -1
            return {}
        # A script may pass some over.
        follows = self._next >= 0 and self._next <= place <= self._next + 2
        self._window = min(self._window + 1, len(_WINDOWS) - 1) if follows else 0
        found = self._read(place + 1, _WINDOWS[self._window])
        self._next = place + 1 + len(found)
        return found

    def _read(self, start: int, count: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        files, left = self._context.files, _MAX_BYTES
        for path in self._order[start : start + count]:
            try:
                where = resolve(self._context, path)
                left -= files.stat(where).size
                if left < 0:
                    break
                found[path] = as_text(files.read(where))
            except VshellError:
                break  # the script hears of it when it asks
        return found


def _path_of(item: Any) -> str | None:
    path = item.get("path") if isinstance(item, dict) else item
    return path if isinstance(path, str) else None
