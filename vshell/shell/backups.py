"""Backups of what `cp`, `mv`, `ln` and `install` replace: `file~` or `file.~1~`."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.choices import choose
from vshell.shell.command import Invocation

_METHODS: Final = {
    "none": "none",
    "off": "none",
    "simple": "simple",
    "never": "simple",
    "existing": "existing",
    "nil": "existing",
    "numbered": "numbered",
    "t": "numbered",
}


class Backups:
    """Keeps what would be lost.

    Args:
        call: The command's run, with the options `-b`, `--backup` and `--suffix`.

    Raises:
        UsageError: The method is none.
    """

    def __init__(self, call: Invocation) -> None:
        self._call = call
        parsed = call.parsed
        self._suffix = parsed.value("suffix") or call.environment.get("SIMPLE_BACKUP_SUFFIX") or "~"
        asked = parsed.flag("b") or parsed.flag("backup") or parsed.flag("suffix")
        method = "none"
        if asked:
            word = parsed.value("backup")
            if word is not None:
                method = choose("backup type", word, _METHODS)
            else:
                method = choose(
                    "$VERSION_CONTROL",
                    call.environment.get("VERSION_CONTROL") or "existing",
                    _METHODS,
                )
        self._method = method

    @property
    def wanted(self) -> bool:
        return self._method != "none"

    def save(self, path: str) -> str | None:
        """Rename what is at a path as typed; return the backup's name, if one was made."""
        if not self.wanted:
            return None
        name = self._name(path)
        files, context = self._call.context.files, self._call.context
        files.rename(context.resolve(path), context.resolve(name))
        return name

    def _name(self, path: str) -> str:
        path = path.rstrip("/") or path
        directory, slash, base = path.rpartition("/")
        where = self._call.context.resolve((directory or "/") if slash else ".")
        pattern = re.compile(re.escape(base) + r"\.~(\d+)~")
        numbers = [
            int(found[1])
            for name in self._call.context.files.names(where)
            if (found := pattern.fullmatch(name))
        ]
        if self._method == "numbered" or (self._method == "existing" and numbers):
            return f"{path}.~{max(numbers, default=0) + 1}~"
        return path + self._suffix
