"""Words of an awk program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from vshell.shell.commands.awk.errors import AwkSyntaxError

__all__ = ["BUILTINS", "Token", "tokenize", "unescape"]

Kind = Literal["number", "string", "regex", "name", "call", "builtin", "word", "sign", "end"]

KEYWORDS: Final = frozenset(
    [
        "BEGIN",
        "BEGINFILE",
        "END",
        "ENDFILE",
        "break",
        "case",
        "continue",
        "default",
        "delete",
        "do",
        "else",
        "exit",
        "for",
        "func",
        "function",
        "getline",
        "if",
        "in",
        "next",
        "nextfile",
        "print",
        "printf",
        "return",
        "switch",
        "while",
    ]
)
BUILTINS: Final[dict[str, tuple[int, int]]] = {
    "and": (2, 99), "asort": (1, 3), "asorti": (1, 3), "atan2": (2, 2), "close": (1, 2),
    "compl": (1, 1), "cos": (1, 1), "dcgettext": (1, 3), "exp": (1, 1), "fflush": (0, 1),
    "gensub": (3, 4), "gsub": (2, 3), "index": (2, 2), "int": (1, 1), "isarray": (1, 1),
    "length": (0, 1), "log": (1, 1), "lshift": (2, 2), "match": (2, 3), "mktime": (1, 2),
    "or": (2, 99), "patsplit": (2, 4), "rand": (0, 0), "rshift": (2, 2), "sin": (1, 1),
    "split": (2, 4), "sprintf": (1, 9999), "sqrt": (1, 1), "srand": (0, 1), "strftime": (0, 3),
    "strtonum": (1, 1), "sub": (2, 3), "substr": (2, 3), "system": (1, 1), "systime": (0, 0),
    "tolower": (1, 1), "toupper": (1, 1), "typeof": (1, 2), "xor": (2, 99),
}  # fmt: skip
"""The functions of the language, each with its least and greatest number of arguments."""

_ESCAPES: Final = {
    '"': '"', "/": "/", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r",
    "t": "\t", "v": "\v", "\n": "",
}  # fmt: skip
_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_SPACE: Final = re.compile(r"(?:[ \t\r\f\v]+|\\\r?\n|#[^\n]*)+")
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)?")
_STRING: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
_PLAIN_REGEX: Final = re.compile(r"(?:[^\\/\n]|\\.)*", re.DOTALL)
_SIGN: Final = re.compile(
    r"\*\*=|\*\*|&&|\|\||\|&|>>|\+\+|--|[-+*/%^!=<>]=|[-+*/%^!<>=~?:,;(){}\[\]|$@\n]"
)
_BEFORE_DIVISION: Final = frozenset({")", "]", "$", "++", "--"})


@dataclass(frozen=True, slots=True)
class Token:
    """A word: what it is, its text, and where it stands.

    A `name` is that of a variable, a `call` one that is followed by a parenthesis at once,
    a `word` one of the language's own.
    """

    kind: Kind
    text: str
    position: int
    line: int


def tokenize(source: str) -> list[Token]:
    """Return the words of a program; the last one is its end.

    Raises:
        AwkSyntaxError: A string or regular expression is not closed, or a character is none
            of the language's.
    """
    tokens: list[Token] = []
    position, line = 0, 1
    while True:
        if space := _SPACE.match(source, position):
            line += source.count("\n", position, space.end())
            position = space.end()
        if position >= len(source):
            tokens.append(Token("end", "", position, line))
            return tokens
        token, end = _token(source, position, line, tokens[-1] if tokens else None)
        tokens.append(token)
        line += source.count("\n", position, end)
        position = end


def _token(source: str, position: int, line: int, before: Token | None) -> tuple[Token, int]:
    letter = source[position]
    if letter == '"':
        found = _STRING.match(source, position)
        if found is None:
            raise AwkSyntaxError("unterminated string", position)
        return Token("string", unescape(found[1]), position, line), found.end()
    if letter == "/" and not _ends_value(before):
        end = _regex_end(source, position)
        text = source[position + 1 : end].replace("\\/", "/").replace("\\\n", "")
        return Token("regex", text, position, line), end + 1
    if found := _NUMBER.match(source, position):
        return Token("number", found[0], position, line), found.end()
    if found := _NAME.match(source, position):
        name = found[0]
        kind: Kind = "name"
        if name in KEYWORDS:
            kind, name = "word", "function" if name == "func" else name
        elif name in BUILTINS:
            kind = "builtin"
        elif source.startswith("(", found.end()):
            kind = "call"
        return Token(kind, name.removeprefix("awk::"), position, line), found.end()
    if found := _SIGN.match(source, position):
        text = {"**": "^", "**=": "^="}.get(found[0], found[0])
        return Token("sign", text, position, line), found.end()
    raise AwkSyntaxError(f"syntax error: invalid char '{letter}' in expression", position)


def _ends_value(before: Token | None) -> bool:
    """Whether a value may end here, so that a slash divides."""
    if before is None:
        return False
    if before.kind == "sign":
        return before.text in _BEFORE_DIVISION
    return before.kind in ("name", "number", "string", "builtin", "regex")


def _regex_end(source: str, position: int) -> int:
    """Return where the slash is that closes a regular expression; in brackets it is none."""
    place, bracket = position + 1, -1
    while place < len(source) and source[place] != "\n":
        letter = source[place]
        if letter == "\\":
            place += 1
        elif letter == "[" and bracket < 0:
            bracket = place + (2 if source.startswith("^", place + 1) else 1)
        elif letter == "[" and source[place + 1 : place + 2] in (":", ".", "="):
            close = source.find(source[place + 1] + "]", place + 2)
            place = close + 1 if close > 0 else place
        elif letter == "]" and 0 <= bracket < place:
            bracket = -1
        elif letter == "/" and bracket < 0:
            return place
        place += 1
    plain = _PLAIN_REGEX.match(source, position + 1)
    if plain is not None and source.startswith("/", plain.end()):
        return plain.end()
    raise AwkSyntaxError("unterminated regexp", position)


def unescape(text: str) -> str:
    """Return what a string stands for; an unknown escape stays as it is, as in mawk."""
    if "\\" not in text:
        return text
    # Bytes written one by one may be a character.
    plain = _ESCAPE.sub(_unescaped, text)
    return plain.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[str]) -> str:
    what = match[1]
    if what in _ESCAPES:
        return _ESCAPES[what]
    if what[0] in "01234567":
        return _byte(int(what, 8) & 0xFF)
    if len(what) > 1:
        return _byte(int(what[1:], 16))
    return match[0]


def _byte(value: int) -> str:
    """Return a byte as text has it: those above 127 go out as they are."""
    return chr(value) if value < 128 else chr(0xDC00 + value)
