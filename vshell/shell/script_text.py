"""What can be seen in a script's text without parsing it: quotes, comments, here-documents.

The engine's parser is the judge of everything. This is for what must be known or changed
before it is asked.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

FILE_TEST: Final = "/dev/.vshell-test-"
"""Paths that begin so ask what something is: the engine follows every link, and takes the
rarer tests of `[[` for text, which is always true."""

_HERE: Final = re.compile(
    r"<<(-?)[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\"|((?:\\.|[^\s;&|<>()'\"`$\\])+))"
)
_TEST: Final = re.compile(r"(?<=\s)-([LhbcgkpuGNOS])(\s+)(?=[^\s\]&|;)])")
_EMPTY: Final = re.compile(
    r"(?<=\s)-([aderwx])(\s+)(\"\$(?:\w+|\{\w+(?::?-)?\})\"|\"\"|'')(?=[\s;&|)]|$)"
    r"|(?<=\s)-([aderwx])(\s+)(\$(?:\w+|\{\w+\}))(?=\s+(?:\]\]|&&|\|\|))"
)
"""Tests of files whose names may be empty, for which the engine takes the working directory."""
_MAY_BE_EMPTY: Final = frozenset("aderwx")
_END: Final = ":"
"""What stands after such a name, so that `/` is not taken for nothing."""
_WORD: Final = r"""((?!~)(?:"[^"\n]*"|'[^'\n]*'|\$\{\w+\}|\\.|[^\s"'\\`;&|()<>{}!\]])+)"""
_PAIR: Final = re.compile(rf"(?<=\s){_WORD}\s+-(ef|nt|ot)\s+{_WORD}(?=[\s;&|)]|$)")
_PAIR_LETTERS: Final = {"ef": "e", "nt": "n", "ot": "o"}
_SECOND: Final = "/.@@"
"""What stands between the two paths of a test such as `-ef`."""
_OPENING: Final = re.compile(
    r"(?:^|[\n;&|({!`]|\b(?:if|while|until|then|do|else|elif|time)\s)\s*(\[\[?|test)(?=\s)"
)
_BEFORE_TEST: Final = re.compile(r"(?:^|[\s;&|({!`])(?:\[\[?|test|!|&&|\|\||\(|-a|-o)\s+$")
_UMASK: Final = re.compile(
    r"(?P<before>(?:^|[\n;&|({]|\b(?:if|then|else|do|while|until)\s)\s*)"
    r"(?P<command>umask +(?!-)[^\s;&|()<>'\"`]+)(?=[ \t]*(?:[\n;&|)}]|$))"
)
_NEAR: Final = 400
"""How far before a test its command is looked for."""


_SIGN: Final = re.compile(r"[\\'\"#<]")
_IN_SINGLE: Final = re.compile(r"[\\']")
_IN_DOUBLE: Final = re.compile(r'[\\"]')
_SIGN_OR_LINE: Final = re.compile(r"[\\'\"#<\n]")


class Code:
    """Which characters of a script are code, and not quoted, comment or here-document.

    Attributes:
        mask: For each character 1 when it is code.
        quotes: Where quoted texts begin and end, their quotes included.
        open_document: Whether a here-document has no end.
    """

    def __init__(self, script: str) -> None:
        self.script = script
        self.mask = bytearray(b"\1") * len(script)
        self.quotes: list[tuple[int, int]] = []
        self.open_document = False
        self._scan()

    def _scan(self) -> None:
        script, size = self.script, len(self.script)
        position = 0
        pending: list[tuple[str, bool]] = []
        while True:
            found = (_SIGN_OR_LINE if pending else _SIGN).search(script, position)
            if found is None:
                break
            position = found.start()
            letter = script[position]
            if letter == "\\":
                end = position + 2
            elif letter in "'\"":
                end = self._end_of_quote(position)
                self.quotes.append((position, end))
            elif letter == "#" and (position == 0 or script[position - 1] in " \t\n;&|()"):
                end = script.find("\n", position)
                end = size if end < 0 else end
            elif letter == "<" and script.startswith("<<", position):
                if script.startswith("<<<", position):
                    position += 3
                    continue
                found = _HERE.match(script, position)
                if found is not None:
                    word = found[2] or found[3] or (found[4] or "").replace("\\", "")
                    pending.append((word, bool(found[1])))
                    position = found.end()
                    continue
                position += 2
                continue
            elif letter == "\n" and pending:
                end = self._end_of_documents(position + 1, pending)
                position += 1
                pending = []
            else:
                position += 1
                continue
            end = min(end, size)
            self.mask[position:end] = bytes(end - position)
            position = end
        self.open_document = self.open_document or bool(pending)

    def _end_of_quote(self, position: int) -> int:
        script, quote = self.script, self.script[position]
        if quote == "'" and (position == 0 or script[position - 1] != "$"):
            return script.find(quote, position + 1) + 1 or len(script)
        sign = _IN_SINGLE if quote == "'" else _IN_DOUBLE
        place = position + 1
        while (found := sign.search(script, place)) is not None:
            if found[0] == quote:
                return found.end()
            place = found.end() + 1
        return len(script)

    def _end_of_documents(self, position: int, pending: list[tuple[str, bool]]) -> int:
        for word, strips in pending:
            while True:
                if position >= len(self.script):
                    self.open_document = True
                    return position
                end = self.script.find("\n", position)
                end = len(self.script) if end < 0 else end
                line = self.script[position:end]
                position = end + 1
                if (line.lstrip("\t") if strips else line) == word:
                    break
        return position


@lru_cache(maxsize=2)
def code_of(script: str) -> Code:
    """Return which characters of a script are code; that of the last two is kept."""
    return Code(script)


def continues(script: str) -> bool:
    """Tell whether a script that parses still waits for lines."""
    backslashes = len(script) - len(script.rstrip("\\"))
    if backslashes % 2:
        return True
    end = script.rstrip()
    joined = end.endswith(("&&", "|"))
    if not joined and "<<" not in script:
        return False
    code = code_of(script)
    return code.open_document or (joined and bool(code.mask[len(end) - 1]))


def with_file_tests(script: str) -> str:
    """Return a script in which `-L FILE` and its like are questions that the files answer."""
    asked = [
        (found.start(), found.end(), f'-e{found[2]}{FILE_TEST}{found[1]}"$PWD"/.@')
        for found in _TEST.finditer(script)
    ]
    asked += [
        (found.start(), found.end(), _asked_of_two(found)) for found in _PAIR.finditer(script)
    ]
    asked += [
        (found.start(), found.end(), _asked_of_any(found, script))
        for found in _EMPTY.finditer(script)
    ]
    asked = [each for each in asked if _is_test(script[max(0, each[0] - _NEAR) : each[0]])]
    if not asked:
        return script
    mask = code_of(script).mask
    pieces = []
    end = 0
    for start, after, question in sorted(asked):
        # The first letter of an operand may be a quote, which is no code.
        if (mask[start] or script[start] in "\"'") and start >= end:
            pieces += [script[end:start], question]
            end = after
    return "".join([*pieces, script[end:]])


def _asked_of_two(found: re.Match[str]) -> str:
    return f'-e {FILE_TEST}{_PAIR_LETTERS[found[2]]}"$PWD"/.@{found[1]}{_SECOND}{found[3]}'


def _asked_of_any(found: re.Match[str], script: str) -> str:
    letter, space, name = found[1] or found[4], found[2] or found[5], found[3] or found[6]
    before = script[max(0, found.start() - _NEAR) : found.start()]
    if found[4] and "[[" not in before[-8:]:
        return found[0]  # in `[`, a word that is empty is none at all
    return f'-e{space}{FILE_TEST}{letter}"$PWD"/.@{name}{_END}'


def with_umask(script: str, command: str) -> str:
    """Return a script that tells the files of each `umask MODE`, by running a command."""
    if "umask" not in script:
        return script
    mask = code_of(script).mask
    return _UMASK.sub(
        lambda found: (
            f"{found['before']}{{ {found['command']} && {command} $(umask); }}"
            if mask[found.start("command")]
            else found[0]
        ),
        script,
    )


def _is_test(before: str) -> bool:
    """Tell whether what follows this text is an operator of `[`, `[[` or `test`."""
    if _BEFORE_TEST.search(before) is None:
        return False
    openings = list(_OPENING.finditer(before))
    if not openings:
        return False
    since = before[openings[-1].end() :]
    if openings[-1][1] == "test":
        return not set(since) & set(";|&\n")
    return (" ]]" if openings[-1][1] == "[[" else " ]") not in since


def file_test(path: str) -> tuple[str, str] | None:
    """Return the letter of the test and the path that a path asks about, or None.

    A test of two paths has a NUL between them.
    """
    if not path.startswith(FILE_TEST):
        return None
    letter, rest = path[len(FILE_TEST)], path[len(FILE_TEST) + 1 :]
    base, found, name = rest.partition("/.@")
    if not found:
        return None
    if letter in _MAY_BE_EMPTY:
        name = name.removesuffix(_END)
        if not name:
            return letter, ""
    names = name.split(_SECOND)
    return letter, "\0".join(each if each.startswith("/") else f"{base}/{each}" for each in names)
