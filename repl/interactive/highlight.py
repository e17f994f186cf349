"""The colours of a line while it is typed; what the parser cannot take is underlined."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from .colours import COLOURS
from .syntax import Part, parts_of

__all__ = ["STYLE", "ShellLexer"]

STYLE: Final = Style.from_dict(COLOURS)

Position = tuple[int, int]
"""A line and a column, both from 0."""


class ShellLexer(Lexer):
    """Colours shell.

    Args:
        commands: Returns the names of what can be run; None while they are not known.
        error_at: Returns where in a text its parser stops, or None.
    """

    def __init__(
        self,
        commands: Callable[[], Collection[str] | None],
        error_at: Callable[[str], Position | None],
    ) -> None:
        self._commands = commands
        self._error_at = error_at

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return what gives the coloured text of a line, by its number."""
        lines = self._coloured(document.text)
        return lambda number: lines[number] if number < len(lines) else []

    def _coloured(self, text: str) -> list[StyleAndTextTuples]:
        if text.startswith(":"):  # the prompt's own, which is no shell
            name, space, words = text.partition(" ")
            return [[("class:keyword", name), ("", space + words)]]
        lines: list[StyleAndTextTuples] = [[]]
        for part in parts_of(text):
            style = self._style(part, text)
            first, *rest = text[part.start : part.end].split("\n")
            lines[-1].append((style, first))
            lines += ([(style, more)] for more in rest)
        error = self._error_at(text)
        if error is not None and error[0] < len(lines):
            lines[error[0]] = _underlined(lines[error[0]], error[1])
        return lines

    def _style(self, part: Part, text: str) -> str:
        if part.kind in ("space", "word"):
            return ""
        if part.kind == "command":
            known = self._commands()
            name = text[part.start : part.end]
            if known is not None and name not in known and "/" not in name:
                return "class:unknown"
        return f"class:{part.kind}"


def _underlined(line: StyleAndTextTuples, column: int) -> StyleAndTextTuples:
    """Return a line whose rest, from a column on, is marked as wrong."""
    marked: StyleAndTextTuples = []
    position = 0
    for style, text, *_ in line:
        keep = max(0, min(len(text), column - position))
        if text[:keep]:
            marked.append((style, text[:keep]))
        if text[keep:]:
            marked.append((f"{style} class:error", text[keep:]))
        position += len(text)
    return marked
