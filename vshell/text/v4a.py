"""V4A patches: what Codex' `apply_patch` and OpenAI's Agents SDK understand, each as it does.

A patch names files and, for each, what to change:

    *** Begin Patch
    *** Update File: src/a.py
    @@ def main():
    -    old
    +    new
    *** Add File: b.txt
    +text
    *** Delete File: c.txt
    *** End Patch

The two dialects differ in what is between the headers:

| | `codex` (0.169) | `openai` (openai-agents 0.24) |
|---|---|---|
| the last line of a changed file | always ends with a newline | ends as it did |
| a new file | ends with a newline | does not |
| typographic dashes and quotes in context | match plain ones | do not |
| lines to add without context | at the end | where the last hunk ended |
| `@@ anchor` that is not there | an error | ignored, unless several are stacked |
| several `@@` before a hunk | an error | each narrows the search |

This module only reads text and makes text; it knows no files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from vshell.errors import PatchContextError, PatchInvalidError, TooLargeError

__all__ = ["AddFile", "DeleteFile", "Dialect", "FileChange", "UpdateFile", "parse_v4a", "updated"]

Dialect = Literal["codex", "openai"]

BEGIN: Final = "*** Begin Patch"
END: Final = "*** End Patch"
_ADD: Final = "*** Add File: "
_DELETE: Final = "*** Delete File: "
_UPDATE: Final = "*** Update File: "
_ENVIRONMENT: Final = "*** Environment ID: "
_MOVE: Final = "*** Move to: "
_END_OF_FILE: Final = "*** End of File"

WHITE_SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's White_Space, which is less than what `str.strip` strips."""

_PLAIN: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f", '"')
    | dict.fromkeys(
        "\xa0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    )
)

_MAX_WORK: Final = 100_000_000
"""How many lines one patch may compare in each file: about two seconds."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One place of a file that is changed.

    Attributes:
        anchors: Lines that come before it.
        lines: What is there and what will be: each line with its sign, `" "`, `"-"` or `"+"`.
        at_end: Whether the last of what is there ends the file.
        strict: Whether every anchor must be there.
    """

    anchors: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    at_end: bool
    strict: bool = True

    @property
    def old(self) -> list[str]:
        """The lines that are there."""
        return [line for sign, line in self.lines if sign != "+"]


@dataclass(frozen=True, slots=True)
class AddFile:
    """A file to be written."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """A file to be removed."""

    path: str


@dataclass(frozen=True, slots=True)
class UpdateFile:
    """A file to be changed, and maybe moved."""

    path: str
    move_to: str | None
    chunks: tuple[Chunk, ...]


FileChange = AddFile | DeleteFile | UpdateFile


def parse_v4a(patch: str, *, dialect: Dialect = "codex") -> list[FileChange]:
    """Return the changes that a patch asks for, in its order.

    A heredoc around the patch (`<<'EOF'`), which models copy from a shell, is taken off.

    Args:
        patch: Its text.
        dialect: Whose rules hold.

    Raises:
        PatchInvalidError: It is no such patch; `data["line"]` says where.
    """
    return _Parser(_body(patch), dialect).changes()


def _body(patch: str) -> list[str]:
    """Return the lines between the markers."""
    lines = [line.removesuffix("\r") for line in patch.strip(WHITE_SPACE).split("\n")]
    found = _between_markers(lines)
    if found is None and len(lines) >= 4 and lines[0] in ("<<EOF", "<<'EOF'", '<<"EOF"'):
        found = _between_markers(lines[1:-1]) if lines[-1].endswith("EOF") else None
    if found is not None:
        return found
    if lines[0].strip(WHITE_SPACE) != BEGIN:
        raise _invalid(f"The first line of the patch must be '{BEGIN}'", 1)
    raise _invalid(f"The last line of the patch must be '{END}'", len(lines))


def _between_markers(lines: list[str]) -> list[str] | None:
    whole = lines[0].strip(WHITE_SPACE) == BEGIN and lines[-1].strip(WHITE_SPACE) == END
    return lines[1:-1] if whole and len(lines) > 1 else None


def _invalid(message: str, line: int) -> PatchInvalidError:
    return PatchInvalidError(
        f"Invalid patch: {message}", hint="correct the patch", data={"line": line}
    )


class _Parser:
    """Reads the lines between the markers; line numbers count from the first marker."""

    def __init__(self, lines: list[str], dialect: Dialect) -> None:
        self._dialect = dialect
        # The SDK splits a file's part into lines, and what is after the last newline is none.
        self._lines = lines if dialect == "codex" else _without_last_blanks(lines)
        self._at = 0

    def changes(self) -> list[FileChange]:
        found: list[FileChange] = []
        if self._lines and self._lines[0].startswith(_ENVIRONMENT):
            self._at += 1
        while self._at < len(self._lines):
            if not self._lines[self._at].strip(WHITE_SPACE) and self._dialect == "openai":
                self._at += 1
                continue
            found.append(self._change())
        return found

    def _change(self) -> FileChange:
        header = self._lines[self._at].strip(WHITE_SPACE)
        start = self._at
        self._at += 1
        if header.startswith(_ADD):
            return AddFile(header[len(_ADD) :], self._added())
        if header.startswith(_DELETE):
            return DeleteFile(header[len(_DELETE) :])
        if header.startswith(_UPDATE):
            return self._update(header[len(_UPDATE) :], start)
        raise self._wrong(
            f"'{header}' is not a valid hunk header. Valid hunk headers: '*** Add File: {{path}}',"
            " '*** Delete File: {path}', '*** Update File: {path}'",
            start,
        )

    def _wrong(self, message: str, at: int) -> PatchInvalidError:
        line = at + 2
        return PatchInvalidError(
            f"Invalid patch hunk on line {line}: {message}",
            hint="correct the patch",
            data={"line": line},
        )

    def _added(self) -> str:
        lines = []
        while self._at < len(self._lines) and self._lines[self._at].startswith("+"):
            lines.append(self._lines[self._at][1:])
            self._at += 1
        if self._dialect == "codex":
            return "".join(f"{line}\n" for line in lines)
        return "\n".join(lines)

    def _update(self, path: str, start: int) -> UpdateFile:
        move_to = None
        if self._line().rstrip(WHITE_SPACE).startswith(_MOVE):
            move_to = self._line()[len(_MOVE) :].strip(WHITE_SPACE)
            self._at += 1
        chunks: list[Chunk] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if self._ends_update(line):
                break
            if self._dialect == "codex" and chunks and not line.strip(WHITE_SPACE):
                self._at += 1
            elif self._dialect == "codex":
                chunks.append(self._codex_chunk(first=not chunks))
            else:
                chunks.append(self._openai_chunk(first=not chunks))
        if not chunks and self._dialect == "codex":
            raise self._wrong(f"Update file hunk for path '{path}' is empty", start)
        return UpdateFile(path, move_to, tuple(chunks))

    def _ends_update(self, line: str) -> bool:
        if self._dialect == "codex":
            return line.startswith((_ADD, _DELETE, _UPDATE))
        return line.startswith((_ADD.rstrip(), _DELETE.rstrip(), _UPDATE.rstrip()))

    def _codex_chunk(self, *, first: bool) -> Chunk:
        start = self._at
        line = self._lines[start]
        anchors: tuple[str, ...] = ()
        if line == "@@" or line.startswith("@@ "):
            anchors = (line[3:],) if line[3:].strip(WHITE_SPACE) else ()
            self._at += 1
        elif not first:
            raise self._wrong(
                f"Expected update hunk to start with a @@ context marker, got: '{line}'", start
            )
        if self._at >= len(self._lines):
            raise self._wrong("Update hunk does not contain any lines", self._at)
        lines: list[tuple[str, str]] = []
        at_end = False
        while self._at < len(self._lines) and not at_end:
            line = self._lines[self._at]
            at_end = line == _END_OF_FILE
            if (at_end or line[:1] not in ("", " ", "+", "-")) and not lines:
                raise self._wrong(_no_hunk_line(line, at_end=at_end), self._at)
            if not at_end:
                if line[:1] not in ("", " ", "+", "-"):
                    break
                lines.append((line[:1] or " ", line[1:]))
            self._at += 1
        return Chunk(anchors, tuple(lines), at_end)

    def _openai_chunk(self, *, first: bool) -> Chunk:
        anchors, headers = [], 0
        while self._at < len(self._lines) and (
            self._lines[self._at] == "@@" or self._lines[self._at].startswith("@@ ")
        ):
            anchor = self._lines[self._at][3:]
            anchors += [anchor] if anchor.strip() else []
            headers += 1
            self._at += 1
        if not headers and not first:
            raise self._wrong(f"Invalid Line:\n{self._line()}", self._at)
        lines: list[tuple[str, str]] = []
        while self._at < len(self._lines) and not self._ends_section():
            line = self._lines[self._at] or " "
            if line[0] not in " +-":
                raise self._wrong(f"Invalid Line: {line}", self._at)
            lines.append((line[0], line[1:]))
            self._at += 1
        at_end = self._line() == _END_OF_FILE
        if at_end:
            self._at += 1
        elif not lines:
            raise self._wrong(f"Nothing in this section: {self._line()}", self._at)
        return Chunk(tuple(anchors), tuple(lines), at_end, headers > 1)

    def _line(self) -> str:
        return self._lines[self._at] if self._at < len(self._lines) else END

    def _ends_section(self) -> bool:
        line = self._lines[self._at]
        if line.startswith("***") and not (
            line == "***" or self._ends_update(line) or line.startswith((_END_OF_FILE, END))
        ):
            raise self._wrong(f"Invalid Line: {line}", self._at)
        return line.startswith(("@@", "***"))


def _without_last_blanks(lines: list[str]) -> list[str]:
    following = [*lines[1:], _ADD]
    return [
        line
        for line, after in zip(lines, following, strict=True)
        if line or not after.startswith((_ADD, _DELETE, _UPDATE))
    ]


def _no_hunk_line(line: str, *, at_end: bool) -> str:
    if at_end:
        return "Update hunk does not contain any lines"
    return (
        f"Unexpected line found in update hunk: '{line}'. Every line should start with ' '"
        " (context line), '+' (added line), or '-' (removed line)"
    )


def updated(content: str, chunks: Sequence[Chunk], *, path: str, dialect: Dialect = "codex") -> str:
    """Return a file's text after the changes of a patch.

    Args:
        content: The text as it is.
        chunks: What to change.
        path: What the file is called, for messages.
        dialect: Whose rules hold.

    Raises:
        PatchContextError: What a chunk wants to see is not there.
        TooLargeError: It would take too long to look for it.
    """
    if dialect == "codex":
        return _codex_updated(content, chunks, path)
    return _openai_updated(content, chunks, path)


@dataclass
class _Lines:
    """The lines of a file in the forms in which they are searched."""

    lines: list[str]
    path: str
    unicode: bool
    work: int = 0
    forms: dict[int, list[str]] = field(default_factory=dict)

    def form(self, level: int) -> list[str]:
        if level not in self.forms:
            self.forms[level] = [_in_form(line, level) for line in self.lines]
        return self.forms[level]

    def find(self, wanted: Sequence[str], start: int) -> int | None:
        """Return where lines occur from `start` on, at the strictest level at which they do."""
        if not wanted:
            return start
        for level in range(4 if self.unicode else 3):
            lines = self.form(level)
            found = self._occurrence(lines, [_in_form(line, level) for line in wanted], start)
            if found is not None:
                return found
        return None

    def _occurrence(self, lines: list[str], wanted: list[str], start: int) -> int | None:
        last = len(lines) - len(wanted)
        at = start
        while at <= last:
            try:
                found = lines.index(wanted[0], at, last + 1)
            except ValueError:
                self._count(last + 1 - at)
                return None
            self._count(found - at + len(wanted))
            if lines[found : found + len(wanted)] == wanted:
                return found
            at = found + 1
        return None

    def _count(self, compared: int) -> None:
        self.work += compared
        if self.work > _MAX_WORK:
            raise TooLargeError(
                f"it takes too long to find where the patch belongs in {self.path}",
                path=self.path,
                hint="split the patch, or write the file anew",
            )


def _in_form(line: str, level: int) -> str:
    if level == 0:
        return line
    if level == 1:
        return line.rstrip(WHITE_SPACE)
    return line.strip(WHITE_SPACE) if level == 2 else line.strip(WHITE_SPACE).translate(_PLAIN)


def _missing(message: str, path: str) -> PatchContextError:
    return PatchContextError(
        message, path=path, hint="read the file again and make the patch from what it holds now"
    )


_LINE: Final = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")


def _codex_updated(content: str, chunks: Sequence[Chunk], path: str) -> str:
    # Each line keeps what ends it; new ones end as the first does.
    found = [(match[1], match[2]) for match in _LINE.finditer(content) if match[0]]
    newline = next((ending for _, ending in found if ending), "\n")
    searched = _Lines([line for line, _ in found], path, unicode=True)
    replacements: list[tuple[int, int, list[tuple[str, str]]]] = []
    at = 0
    for chunk in chunks:
        for anchor in chunk.anchors:
            place = searched.find([anchor], at)
            if place is None:
                raise _missing(f"Failed to find context '{anchor}' in {path}", path)
            at = place + 1
        start, count = _codex_place(searched, chunk, at)
        replacements += _changes(chunk, start, count, newline)
        if chunk.old:
            at = start + count
    replacements.sort(key=lambda replacement: replacement[0])
    for start, count, new in reversed(replacements):
        found[start : start + count] = new
    return "".join(line + (ending or newline) for line, ending in found)


def _changes(
    chunk: Chunk, start: int, count: int, newline: str
) -> list[tuple[int, int, list[tuple[str, str]]]]:
    """Return what a chunk replaces, without its context, which stays as the file has it."""
    found: list[tuple[int, int, list[tuple[str, str]]]] = []
    lines = list(chunk.lines)
    end = start + count
    if count < len(chunk.old):
        # The empty line that the file does not have: at the end of what is new, it is none.
        last = next((place for place in range(len(lines))[::-1] if lines[place][0] != "-"), None)
        if last is not None and not lines[last][1]:
            del lines[last]
    at = run = start
    added: list[tuple[str, str]] = []
    for sign, line in lines:
        if sign == " " and at < end:
            found.append((run, at - run, added))
            at = run = at + 1
            added = []
        elif sign == "-":
            at = min(at + 1, end)
        else:
            added.append((line, newline))
    found.append((run, at - run, added))
    return [change for change in found if change[1] or change[2]]


def _codex_place(searched: _Lines, chunk: Chunk, at: int) -> tuple[int, int]:
    """Return where the lines are, and how many: a final empty one may be what ends the file."""
    old, total = chunk.old, len(searched.lines)
    if not old:
        return total, 0
    for wanted in (old, old[:-1]) if not old[-1] else (old,):
        if len(wanted) <= total:
            last = max(at, total - len(wanted)) if chunk.at_end and wanted else at
            found = searched.find(wanted, last)
            if found is not None:
                return found, len(wanted)
    shown = "\n".join(old)
    raise _missing(f"Failed to find expected lines in {searched.path}:\n{shown}", searched.path)


def _openai_updated(content: str, chunks: Sequence[Chunk], path: str) -> str:
    newline = "\r\n" if "\r\n" in content else "\n"
    lines = content.replace("\r\n", "\n").split("\n")
    searched = _Lines(lines, path, unicode=False)
    result: list[str] = []
    at = done = 0
    for chunk in chunks:
        at = _openai_anchored(searched, chunk, at)
        found = _openai_place(searched, chunk, at)
        if found is None:
            shown = "\n".join(chunk.old)
            kind = "Invalid EOF Context" if chunk.at_end else "Invalid Context"
            raise _missing(f"{kind} {at} in {path}:\n{shown}", path)
        at = found
        for sign, line in _additions_first(chunk.lines):
            if sign == "+":
                if at < done:
                    raise _missing(f"overlapping chunk at {at} in {path}", path)
                result += [*lines[done:at], line]
                done = at
            elif sign == "-":
                if at < done:
                    raise _missing(f"overlapping chunk at {at} in {path}", path)
                result += lines[done:at]
                at = done = at + 1
            else:
                at += 1
        at = found + len(chunk.old)
    return newline.join([*result, *lines[done:]])


def _additions_first(lines: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield lines so that in each run of changes what is added comes before what is removed."""
    run: list[tuple[str, str]] = []
    for line in (*lines, (" ", "")):
        if line[0] != " ":
            run.append(line)
            continue
        yield from sorted(run, key=lambda change: change[0])  # "+" sorts before "-"
        run.clear()
        yield line


def _openai_anchored(searched: _Lines, chunk: Chunk, at: int) -> int:
    """Return where to go on after the anchors."""
    for place, anchor in enumerate(chunk.anchors):
        found = False
        for level in (0, 2):
            lines, wanted = searched.form(level), _in_form(anchor, level)
            if not place and wanted in lines[:at]:
                found = True
            elif wanted in lines[at:]:
                found, at = True, lines.index(wanted, at) + 1
            if found:
                break
        if chunk.strict and not found:
            raise _missing(f"Invalid Anchor {at} in {searched.path}:\n{anchor}", searched.path)
    return at


def _openai_place(searched: _Lines, chunk: Chunk, at: int) -> int | None:
    if not chunk.at_end:
        return searched.find(chunk.old, at)
    lines = searched.lines[:-1] if not searched.lines[-1] else searched.lines
    end = _Lines(lines, searched.path, unicode=False, work=searched.work)
    found = end.find(chunk.old, max(0, len(lines) - len(chunk.old)))
    return found if found is not None else end.find(chunk.old, min(at, len(lines)))
