"""What a file is after a change of an apply_patch patch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from vshell.errors import PatchContextError, TooLargeError
from vshell.text.v4a.parsing import PLAIN, WHITE_SPACE, Chunk, Dialect

_MAX_WORK: Final = 100_000_000
"""How many lines one patch may compare in each file: about two seconds."""


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
    return line.strip(WHITE_SPACE) if level == 2 else line.strip(WHITE_SPACE).translate(PLAIN)


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
