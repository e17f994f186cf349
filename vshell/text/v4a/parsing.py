"""V4A patches, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vshell.errors import PatchInvalidError

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

PLAIN: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f", '"')
    | dict.fromkeys(
        "\xa0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    )
)


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
