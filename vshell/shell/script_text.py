"""What can be seen in a script's text without parsing it: quotes, comments, here-documents.

The engine's parser is the judge of everything. This is for what must be known or changed
before it is asked.
"""

from __future__ import annotations

import re
from typing import Final

LINK_TEST: Final = "/dev/.vshell-link"
"""Paths below it ask whether something is a link; the engine's `-L` cannot."""

_HERE: Final = re.compile(
    r"<<(-?)[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\"|((?:\\.|[^\s;&|<>()'\"`$\\])+))"
)
_LINK: Final = re.compile(r"(?<=\s)-[Lh](\s+)(?=[^\s\]&|;)])")
_BEFORE_LINK: Final = re.compile(r"(?:^|[\s;&|({!])(?:\[\[?|test|!|&&|\|\||\(|-a|-o)\s+$")


class Code:
    """Which characters of a script are code, and not quoted, comment or here-document.

    Attributes:
        mask: For each character 1 when it is code.
        open_document: Whether a here-document has no end.
    """

    def __init__(self, script: str) -> None:
        self.script = script
        self.mask = bytearray(b"\1") * len(script)
        self.open_document = False
        self._scan()

    def _scan(self) -> None:
        script, size = self.script, len(self.script)
        position = 0
        pending: list[tuple[str, bool]] = []
        while position < size:
            letter = script[position]
            if letter == "\\":
                end = position + 2
            elif letter in "'\"":
                end = self._end_of_quote(position)
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
        quote = self.script[position]
        dollar = quote == "'" and position > 0 and self.script[position - 1] == "$"
        place = position + 1
        while place < len(self.script):
            letter = self.script[place]
            if letter == "\\" and (quote == '"' or dollar):
                place += 2
                continue
            if letter == quote:
                return place + 1
            place += 1
        return len(self.script)

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


def continues(script: str) -> bool:
    """Tell whether a script that parses still waits for lines."""
    backslashes = len(script) - len(script.rstrip("\\"))
    if backslashes % 2:
        return True
    end = script.rstrip()
    joined = end.endswith(("&&", "|"))
    if not joined and "<<" not in script:
        return False
    code = Code(script)
    return code.open_document or (joined and bool(code.mask[len(end) - 1]))


def with_link_tests(script: str) -> str:
    """Return a script in which `-L FILE` is a question that the files can answer."""
    if "-L" not in script and "-h" not in script:
        return script
    places = [
        found
        for found in _LINK.finditer(script)
        if _BEFORE_LINK.search(script, max(0, found.start() - 200), found.start())
    ]
    if not places:
        return script
    mask = Code(script).mask
    pieces = []
    end = 0
    for found in places:
        if mask[found.start()]:
            pieces += [script[end : found.start()], f'-e{found[1]}{LINK_TEST}"$PWD"/.@']
            end = found.end()
    return "".join([*pieces, script[end:]])


def link_test(path: str) -> str | None:
    """Return the path that a path below `LINK_TEST` asks about, or None."""
    if not path.startswith(LINK_TEST):
        return None
    base, found, rest = path[len(LINK_TEST) :].partition("/.@")
    if not found:
        return None
    return rest if rest.startswith("/") else f"{base}/{rest}"
