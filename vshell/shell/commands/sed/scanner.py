"""Texts of `sed` scripts, read letter by letter."""

from __future__ import annotations

import re
from typing import Final

from vshell.shell.commands.sed.script import SedError

_BRACKET: Final = re.compile(
    r"\^?\]?(?:\[:[a-z]*:\]|\[=[^]\n]*?=\]|\[\.[^]\n]*?\.\]|(?!\[[:=.])[^]\n])*\]"
)
"""What follows the `[` of a bracket expression."""


class Scanner:
    """A script, and how far it was read."""

    def __init__(self) -> None:
        self._text = ""
        self._position = 0
        self._where = ""
        self._by_line = False

    def _begin(self, text: str, where: str, *, by_line: bool) -> None:
        self._text, self._position, self._where, self._by_line = text, 0, where, by_line

    def _error(self, message: str) -> SedError:
        if self._by_line:
            line = self._text.count("\n", 0, self._position) + 1
            return SedError(f"{self._where} line {line}: {message}")
        return SedError(f"{self._where}, char {self._position}: {message}")

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _next(self) -> str:
        letter = self._peek()
        self._position += len(letter)
        return letter

    def _skip(self, letters: str) -> None:
        while self._position < len(self._text) and self._text[self._position] in letters:
            self._position += 1

    def _number(self) -> int:
        match = re.compile(r"\d+", re.ASCII).match(self._text, self._position)
        assert match is not None
        self._position = match.end()
        return int(match.group()[:18])

    def _word(self, ends: str) -> str:
        self._skip(" \t")
        start = self._position
        while self._position < len(self._text) and self._text[self._position] not in ends:
            self._position += 1
        return self._text[start : self._position].rstrip(" \t")

    def _rest_of_line(self) -> str:
        self._skip(" \t")
        end = self._text.find("\n", self._position)
        end = len(self._text) if end < 0 else end
        text = self._text[self._position : end]
        self._position = min(end + 1, len(self._text))
        return text

    def _delimiter(self, message: str) -> str:
        letter = self._next()
        if letter in ("", "\n", "\\"):
            raise self._error(message)
        return letter

    def _until(self, delimiter: str, message: str, *, regex: bool) -> str:
        """Read up to the delimiter; one that a backslash protects loses it."""
        parts: list[str] = []
        while True:
            letter = self._next()
            if not letter or letter == "\n":
                self._position -= len(letter)
                raise self._error(message)
            if letter == delimiter:
                return "".join(parts)
            if letter == "\\":
                following = self._next()
                if not following:
                    raise self._error(message)
                if following == delimiter:
                    parts.append(self._protected(following, regex=regex))
                elif following == "\n" and regex:
                    parts.append("\\n")
                else:
                    parts.append("\\" + following)
                continue
            if letter == "[" and regex and delimiter != "[":
                parts.append(self._bracket())
                continue
            parts.append(letter)

    def _protected(self, delimiter: str, *, regex: bool) -> str:
        """Return a delimiter that stood behind a backslash: in an expression, itself."""
        if regex:
            return f"[{delimiter}]" if delimiter in "*.+?|(){}$" else delimiter
        return "\\" + delimiter if delimiter in "&\\" else delimiter

    def _bracket(self) -> str:
        """Read the rest of a bracket expression, in which the delimiter means nothing."""
        match = _BRACKET.match(self._text, self._position)
        if match is None:
            self._position = len(self._text)
            return "["
        self._position = match.end()
        return "[" + match.group()
