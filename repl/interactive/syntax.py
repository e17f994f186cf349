"""What the parts of a line are, for colours and completion.

It reads a line as far as it is typed, so it never refuses one; whether a line is right is
for the shell's own parser to say. The grammar is POSIX' token recognition, with bash's
`[[`, `((`, here-strings and process substitution where they change what a word is:
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

__all__ = ["Part", "Typed", "parts_of", "typed_at"]

Kind = Literal[
    "command", "keyword", "option", "word", "string", "variable", "operator", "comment", "space"
]

_KEYWORDS: Final = frozenset(
    [
        *("if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case"),
        *("esac", "in", "select", "function", "time", "coproc", "!", "{", "}", "[[", "]]"),
    ]
)
_BEFORE_COMMAND: Final = frozenset(
    ("if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc")
)
_ENDS_COMMAND: Final = frozenset(
    (";", "&", "&&", "||", "|", "|&", "(", ")", ";;", ";&", ";;&", "\n", "$(", "`", "<(", ">(")
)
_PREFIXES: Final = frozenset(("sudo", "env", "nohup", "xargs", "time", "exec", "command", "nice"))

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t]+ | \\\n)
  | (?P<newline>\n)
  | (?P<comment>(?<![^\s;&|()])\#[^\n]*)
  | (?P<operator>\$\(\( | \)\) | \$\( | <\( | >\( | &>>?
      | \d*(?:<<< | <<-? | <& | >& | >> | >\| | <> | [<>])
      | ;;& | ;; | ;& | && | \|\| | \|& | [;&|()`])
  | (?P<string>'[^']*'? | \$'(?:\\.|[^'\\])*'? )
  | (?P<double>")
  | (?P<variable>\$\{[^}]*\}? | \$[A-Za-z_][A-Za-z0-9_]* | \$[0-9@*\#?$!-])
  | (?P<text>(?:\\. | [^\s'"$`;&|<>()\\] | \\\Z | \$)+)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE: Final = re.compile(
    r"""(?P<variable>\$\{[^}]*\}?|\$[A-Za-z_][A-Za-z0-9_]*|\$[0-9@*#?$!-])"""
    r"""|(?P<end>")|(?P<string>(?:\\.|\$(?![A-Za-z_0-9{@*#?$!-])|[^"\\$])+|\\\Z|\$)""",
    re.DOTALL,
)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^]]*\])?\+?=")


class Part(NamedTuple):
    """A part of a line.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        kind: What it is.
    """

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands before the cursor, for completion.

    Attributes:
        word: The word that the cursor ends, as it is typed, quotes and all.
        start: Where that word begins.
        command: The command whose argument it is; empty when it is a command itself.
        words: The command's words before it.
        is_redirect: Whether it names the file of a redirection.
    """

    word: str
    start: int
    command: str
    words: tuple[str, ...]
    is_redirect: bool


def parts_of(text: str) -> list[Part]:
    """Return the parts of a text, which cover it from its beginning to its end."""
    return list(_Reader(text).read())


def typed_at(text: str) -> Typed:
    """Return what the end of a text is, if the cursor stands there."""
    reader = _Reader(text)
    for _ in reader.read():
        pass
    start = reader.word_start if reader.in_word else len(text)
    words = tuple(reader.words)
    return Typed(text[start:], start, words[0] if words else "", words, reader.after_redirect)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.words: list[str] = []
        self.in_word = False
        self.word_start = 0
        self.after_redirect = False
        self._expects_command = True

    def read(self) -> Iterator[Part]:
        position = 0
        while position < len(self._text):
            found = _TOKEN.match(self._text, position)
            if found is None:  # nothing is refused: what has no meaning is part of a word
                yield from self._piece(position, position + 1, "word")
                position += 1
            elif found.lastgroup == "double":
                position = yield from self._double(position)
            else:
                yield from self._token(found.lastgroup or "", position, found.end())
                position = found.end()

    def _token(self, group: str, start: int, end: int) -> Iterator[Part]:
        if group == "space":
            self._end_word(start)
            yield Part(start, end, "space")
        elif group in ("operator", "newline"):
            self._end_word(start)
            self._operator(self._text[start:end])
            yield Part(start, end, "space" if group == "newline" else "operator")
        elif group == "comment":
            yield Part(start, end, "comment")
        elif group == "text":
            yield from self._piece(start, end, self._kind(start, end))
        else:
            yield from self._piece(start, end, "string" if group == "string" else "variable")

    def _piece(self, start: int, end: int, kind: Kind) -> Iterator[Part]:
        if not self.in_word:
            self.in_word, self.word_start = True, start
        yield Part(start, end, kind)

    def _double(self, start: int) -> Generator[Part, None, int]:
        if not self.in_word:
            self.in_word, self.word_start = True, start
        yield Part(start, start + 1, "string")
        position = start + 1
        while position < len(self._text):
            found = _IN_DOUBLE.match(self._text, position)
            assert found is not None
            kind: Kind = "variable" if found.lastgroup == "variable" else "string"
            yield Part(position, found.end(), kind)
            position = found.end()
            if found.lastgroup == "end":
                break
        return position

    def _kind(self, start: int, end: int) -> Kind:
        text = self._text[start:end]
        if self.in_word or self.after_redirect:
            return "word"
        if self._expects_command:
            if text in _KEYWORDS:
                return "keyword"
            return "word" if _ASSIGNMENT.match(text) else "command"
        if text in ("in", "do", "then") and self.words[:1] in (["for"], ["case"], ["select"]):
            return "keyword"
        return "option" if text.startswith("-") and len(text) > 1 else "word"

    def _end_word(self, end: int) -> None:
        if not self.in_word:
            return
        word = self._text[self.word_start : end]
        self.in_word = False
        if self.after_redirect:
            self.after_redirect = False
            return
        if self._expects_command:
            if word in _BEFORE_COMMAND or _ASSIGNMENT.match(word):
                return
            if word in _PREFIXES:
                self.words = []
                return
            self._expects_command = False
        self.words.append(word)

    def _operator(self, operator: str) -> None:
        if operator in _ENDS_COMMAND:
            self.words = []
            self._expects_command = True
            self.after_redirect = False
        elif operator.lstrip("0123456789&") and operator.lstrip("0123456789&")[0] in "<>":
            self.after_redirect = not operator.endswith(("<<", "<<-", "<<<"))
