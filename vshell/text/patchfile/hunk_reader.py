"""The hunks of a patch, read and counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NoReturn

from vshell.errors import PatchInvalidError
from vshell.text.unified import Hunk, HunkLine

HUNK: Final = re.compile(
    rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@(?: ?(.*))?", re.DOTALL
)

NAMES_HINT: Final = "start each file with the lines '--- a/PATH' and '+++ b/PATH'"
HUNK_HINT: Final = "below the names, start each change with '@@ -LINE,COUNT +LINE,COUNT @@'"
LINE_HINT: Final = "start each line of a hunk with ' ' (context), '-' (remove) or '+' (add)"
PLACE_HINT: Final = "add the lines before and after as context"


def shown_line(line: bytes) -> str:
    text = line.rstrip(b"\r\n").decode("utf-8", "replace")
    return repr(text if len(text) <= 60 else text[:57] + "...")


class HunkReader:
    """The lines of a patch, and how far they were read."""

    __slots__ = ("_at", "_has_cr", "_lines")

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._at = 0
        self._has_cr = False

    def _next_hunk(self) -> bool:
        """Go on to the file's next hunk, over blank lines; say whether there is one."""
        at = self._at
        while at < len(self._lines) and not self._lines[at].strip():
            at += 1
        if at < len(self._lines) and self._lines[at].startswith(b"@@"):
            self._at = at
        return self._at_hunk()

    def _at_hunk(self) -> bool:
        return self._at < len(self._lines) and self._lines[self._at].startswith(b"@@")

    def _hunk(self, *, creates: bool) -> tuple[Hunk[bytes], bool]:
        """Read a hunk; say whether its header agrees with its body."""
        first = self._at
        header = self._lines[first]
        if header.startswith(b"@@@"):
            self._fail("combined diffs of a merge cannot be applied", hint="diff two versions")
        match = HUNK.match(header)
        if not match:
            section = header.strip().strip(b"@").strip()
            return self._recounted(first, 0, 0, section, creates=creates), False
        old_start, new_start = int(match[1]), int(match[3])
        old_count = 1 if match[2] is None else int(match[2])
        new_count = 1 if match[4] is None else int(match[4])
        section = (match[5] or b"").strip()
        end = self._counted_end(first + 1, old_count, new_count)
        if end is None:
            hunk = self._recounted(first, old_start, new_start, section, creates=creates)
            return hunk, False
        lines = self._body(first + 1, end)
        self._at = end
        text = section.decode("utf-8", "surrogateescape")
        return Hunk(old_start, old_count, new_start, new_count, lines, text), True

    def _counted_end(self, at: int, old_left: int, new_left: int) -> int | None:
        """Find the end of a body with these counts; None where they do not fit it."""
        while old_left or new_left:
            tag = self._tag(at)
            if tag == "\\":
                at += 1
                continue
            old_left -= tag in (" ", "-")
            new_left -= tag in (" ", "+")
            if not tag or old_left < 0 or new_left < 0:
                return None
            at += 1
        if self._tag(at) == "\\":
            at += 1
        # A line that goes on in the same way would be dropped silently: count again.
        goes_on = self._tag(at) and self._lines[at].strip() and not self._is_boundary(at)
        return None if goes_on else at

    def _recounted(
        self, first: int, old_start: int, new_start: int, section: bytes, *, creates: bool
    ) -> Hunk[bytes]:
        """Read a hunk by its body, because its header has no or wrong counts."""
        end = first + 1
        while not self._is_boundary(end):
            if not self._tag(end):
                self._fail(
                    f"{shown_line(self._lines[end])} is no line of a hunk",
                    line=end + 1,
                    hint=LINE_HINT,
                )
            end += 1
        self._at = end
        # Blank lines at the end are more likely a gap in the text than context.
        while end > first + 1 and not self._lines[end - 1].strip(b"\r\n"):
            end -= 1
        lines = self._body(first + 1, end)
        old_count = sum(tag != "+" for tag, _ in lines)
        new_count = sum(tag != "-" for tag, _ in lines)
        if all(tag == " " for tag, _ in lines):
            self._fail("the hunk changes nothing", line=first + 1, hint=HUNK_HINT)
        if not old_count and not creates and (old_start or not HUNK.match(self._lines[first])):
            self._fail(
                "the hunk only adds lines, and nothing says where", line=first + 1, hint=PLACE_HINT
            )
        text = section.decode("utf-8", "surrogateescape")
        return Hunk(old_start, old_count, new_start, new_count, lines, text)

    def _tag(self, at: int) -> Literal[" ", "-", "+", "\\", ""]:
        """Tell a body line by its first character; "" is no such line.

        An empty line is context whose space was trimmed away, and so is one that starts
        with a tab: both as in GNU patch.
        """
        if at >= len(self._lines):
            return ""
        line = self._lines[at]
        if line.startswith(b"-"):
            return "-"
        if line.startswith(b"+"):
            return "+"
        if line.startswith(b"\\ "):
            return "\\"
        return " " if line.startswith((b" ", b"\t", b"\n", b"\r\n")) else ""

    def _is_boundary(self, at: int) -> bool:
        """Say whether a body that has no counts must end before this line."""
        if at >= len(self._lines):
            return True
        line = self._lines[at]
        if line.startswith((b"@@", b"diff --git ", b"diff -", b"Index: ", b"```")):
            return True
        if self._is_name_pair(at):
            return at + 2 < len(self._lines) and self._lines[at + 2].startswith(b"@@")
        # The signature that git format-patch adds: two dashes, then git's version.
        after = self._lines[at + 1 : at + 3]
        signed = line.rstrip() == b"--" and after and re.match(rb"\d+\.\d", after[0])
        return bool(signed) and not any(later.strip() for later in after[1:])

    def _body(self, start: int, end: int) -> tuple[HunkLine[bytes], ...]:
        lines: list[HunkLine[bytes]] = []
        for at in range(start, end):
            tag = self._tag(at)
            if tag == "\\":
                self._mark_end(lines, at)
            elif tag:
                lines.append((tag, self._content(at)))
        self._check_marks(lines, start)
        return tuple(lines)

    def _content(self, at: int) -> bytes:
        line = self._lines[at]
        if line[:1] in (b" ", b"-", b"+"):
            line = line[1:]
        if self._has_cr and line.endswith(b"\r\n"):
            return line[:-2] + b"\n"
        return line if line.endswith(b"\n") else line + b"\n"

    def _mark_end(self, lines: list[HunkLine[bytes]], at: int) -> None:
        if not lines or not lines[-1][1].endswith(b"\n"):
            self._fail("the marker for a missing newline follows no line", line=at + 1)
        tag, line = lines[-1]
        lines[-1] = (tag, line[:-1])

    def _check_marks(self, lines: Sequence[HunkLine[bytes]], start: int) -> None:
        """Refuse a missing newline anywhere but at the end of a side."""
        old_ended = new_ended = False
        for tag, line in lines:
            if (tag != "+" and old_ended) or (tag != "-" and new_ended):
                self._fail("a line follows the end of a file without newline", line=start)
            is_end = not line.endswith(b"\n")
            old_ended |= is_end and tag != "+"
            new_ended |= is_end and tag != "-"

    def _check_foreign(self, line: bytes) -> None:
        is_binary = line.startswith(b"Binary files ") and line.rstrip().endswith(b" differ")
        if is_binary or line.startswith(b"GIT binary patch"):
            self._fail(
                "binary patches cannot be applied",
                hint="write the file's bytes instead, and leave this file out of the patch",
            )

    def _fail_empty(self) -> NoReturn:
        hint = NAMES_HINT
        if any(line.startswith(b"*** Begin Patch") for line in self._lines):
            hint = "this is the apply_patch format; give it to the tool of that name"
        elif any(line.startswith(b"***************") for line in self._lines):
            hint = "this is a context diff; make a unified one (diff -u)"
        self._at = 0
        self._fail("the text holds no patch", hint=hint)

    def _fail(self, what: str, *, line: int | None = None, hint: str | None = None) -> NoReturn:
        number = self._at + 1 if line is None else line
        raise PatchInvalidError(f"line {number}: {what}", hint=hint, data={"line": number})

    def _is_name_pair(self, at: int) -> bool:
        return (
            at + 1 < len(self._lines)
            and self._lines[at].startswith(b"--- ")
            and self._lines[at + 1].startswith(b"+++ ")
        )

    def _is_text(self, at: int) -> bool:
        """Say whether something else than a hunk, or what is meant as one, comes next."""
        while at < len(self._lines) and not self._lines[at].strip():
            at += 1
        return not (self._tag(at) or (at < len(self._lines) and self._lines[at].startswith(b"@@")))
