"""`find` when it asks only for names, kinds and depths: one walk that reads no inode.

Most uses are (`find . -name '*.py'`, `find src -type f`). Of what does not match, not even
the path is put together. Anything else, and anything that is wrong, is for `finding`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vshell.errors import VshellError
from vshell.fs.paths import encode
from vshell.fs.records import EntryRow
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.shell.command import Invocation
from vshell.shell.command_io import to_bytes
from vshell.shell.nodes import stat_node
from vshell.shell.wildcards import compile_wildcard

_KINDS: Final = {"f": FILE, "d": DIRECTORY, "l": SYMLINK}
_ENDS: Final = {"-print": "\n", "-print0": "\0"}
_DEEPEST: Final = 9
"""How many digits of a depth are read."""


@dataclass(slots=True)
class Question:
    """What is asked of everything below the starting points; all of it must hold."""

    starts: list[str]
    kind: int | None = None
    suffixes: list[str] | None = None
    matches: Callable[[str], object] | None = None
    min_depth: int = 0
    max_depth: int | None = None
    end: str = "\n"

    def holds(self, name: str, kind: int) -> bool:
        return (self.kind is None or kind == self.kind) and (
            self.matches is None or bool(self.matches(name))
        )


def read_question(words: Sequence[str]) -> Question | None:
    """Return what the words ask, or None when they ask for more than is known here."""
    rest = list(words)
    starts: list[str] = []
    while rest and rest[0][:1] not in ("-", "(", ")", "!", ","):
        starts.append(rest.pop(0))
    question = Question(starts or ["."])
    while rest:
        word = rest.pop(0)
        if word in _ENDS and not rest:
            question.end = _ENDS[word]
        elif not rest or not _ask(question, word, rest.pop(0)):
            return None
    return question


def _ask(question: Question, word: str, value: str) -> bool:
    """Add one test to a question; tell whether that could be done."""
    if word in ("-name", "-iname") and question.matches is None and "/" not in value:
        _ask_name(question, value, ignore_case=word == "-iname")
    elif word == "-type" and question.kind is None and value in _KINDS:
        question.kind = _KINDS[value]
    elif word in ("-maxdepth", "-mindepth") and value.isascii() and value.isdigit():
        depth = int(value[:_DEEPEST])
        if word == "-maxdepth":
            question.max_depth = depth
        else:
            question.min_depth = depth
    else:
        return False
    return True


def _ask_name(question: Question, pattern: str, *, ignore_case: bool) -> None:
    suffix = pattern[1:]
    if pattern[:1] == "*" and suffix and not ignore_case and not set(suffix) & set("*?[\\"):
        question.suffixes = [suffix]
        question.matches = lambda name: name.endswith(suffix)
    else:
        question.matches = compile_wildcard(pattern, ignore_case=ignore_case).fullmatch


def answer(call: Invocation, question: Question) -> bool:
    """Print what is found; tell whether that could be done, and nothing is printed if not."""
    files = call.context.files
    lines: list[str] = []
    for start in question.starts:
        try:
            node = stat_node(files, call.context.resolve(start))
            if node.kind != DIRECTORY or not node.inode:
                return False
            top = files.realpath(node.path)
            depth = question.max_depth
            rows = (
                files.walk(top, max_depth=depth, suffixes=question.suffixes) if depth != 0 else []
            )
        except VshellError:
            return False
        name = start.rstrip("/").rpartition("/")[2] or "/"
        if question.min_depth == 0 and question.holds(name, DIRECTORY):
            lines.append(start)
        lines += _found(question, rows, top, start)
    if lines:
        call.stdout.write(to_bytes(question.end.join(lines) + question.end))
    return True


def _found(question: Question, rows: Sequence[EntryRow], top: str, start: str) -> list[str]:
    """Return the paths of what matches as the walk of a tree would meet them."""
    matches, kind = question.matches, question.kind
    paths = [
        path
        for path, _, found in rows
        if (kind is None or found == kind)
        and (matches is None or matches(path[path.rindex("/") + 1 :]))
    ]
    above = 0 if top == "/" else top.count("/")
    if question.min_depth > 1:
        paths = [path for path in paths if path.count("/") - above >= question.min_depth]
    # A directory comes before what is in it, and that before its next sibling.
    if all(map(str.isascii, paths)):
        paths.sort(key=lambda path: path.replace("/", "\0"))
    else:
        paths.sort(key=lambda path: encode(path).replace(b"/", b"\0"))
    cut = 1 if top == "/" else len(top) + 1
    typed = start if start.endswith("/") else f"{start}/"
    return [typed + path[cut:] for path in paths]
