"""Read patches: unified diffs and git's, also as language models write them.

What is accepted follows GNU patch and `git apply`: text around the patch is skipped, a
timestamp may follow a name, names may be in C quotes, and a patch whose header lines end
in CR LF was converted as a whole and is read without the CRs.

Names lose their first component where it is a prefix that git adds: `a/` on one side and
`b/` on the other (in a git diff also two others of `c i o w 1 2`, its mnemonic prefixes),
or on one side only when the rest equals the other name. Otherwise they are taken as they
stand. Where a plain diff has two different names, the shorter one counts (the new one, if
they are equally long), as in git.

Line counts in `@@` headers are checked against the body. Where they disagree, the body is
counted afresh, if it is clear where it ends: at the end of the patch, at the next header
or at a closing code fence. A header without numbers (a bare `@@`) is accepted likewise; its
hunk has no known place (`old_start` 0) and applies only where it matches exactly once.
Refused is what could lose or misplace a change: a line in a hunk that cannot be part of
it, a recounted hunk without a change, or one with nothing that tells its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeAlias

from vshell.errors import PatchInvalidError
from vshell.text.unified import Hunk, HunkLine, split_lines

__all__ = ["FilePatch", "PatchKind", "parse_patch"]

PatchKind: TypeAlias = Literal["modify", "create", "delete", "rename", "copy"]

_HUNK: Final = re.compile(
    rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@(?: ?(.*))?", re.DOTALL
)
_EPOCH: Final = re.compile(
    rb"(?:1969-12-31|1970-01-01) (\d\d):(\d\d):00(?:\.0+)? ([+-])(\d\d):?(\d\d)"
)
_DATE: Final = re.compile(rb" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( [+-]\d\d:?\d\d)?$")
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPES: Final = {
    b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r",
    b'"': b'"', b"\\": b"\\",
}  # fmt: skip
_PREFIXES: Final = frozenset(b"ab")
_GIT_PREFIXES: Final = frozenset(b"abciow12")
_NULL: Final = b"/dev/null"


@dataclass(frozen=True, slots=True)
class FilePatch:
    """The changes of a patch to one file.

    Attributes:
        kind: What happens to the file.
        old_path: The file to start from; None for `"create"`. As in the patch, without
            the prefix: usually relative, never with a `..` component.
        new_path: The file to write; None for `"delete"`. Different from `old_path` only
            for `"rename"` and `"copy"`.
        old_mode: The mode before, such as 0o100644, if the patch says so.
        new_mode: The mode after, if the patch says so.
        hunks: The changes in order; none where only a name or a mode changes.
        line: The line of the patch where the file begins, counted from 1.
        recounted: The hunks, counted from 1, whose header did not agree with their body.
        names: What the two sides of a modification call the file, where they differ.
    """

    kind: PatchKind
    old_path: str | None
    new_path: str | None
    old_mode: int | None
    new_mode: int | None
    hunks: tuple[Hunk[bytes], ...]
    line: int
    recounted: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The file's name afterwards, or its former name if it is deleted."""
        path = self.new_path or self.old_path
        assert path
        return path

    @property
    def may_create(self) -> bool:
        """Whether a modification can also make a new file: its old side is empty."""
        return self.kind == "modify" and len(self.hunks) == 1 and self.hunks[0].old_count == 0


def parse_patch(text: str | bytes, *, strip: int | None = None) -> list[FilePatch]:
    """Read a patch.

    Args:
        text: One or more unified or git diffs, with any text around them. A `str` holds
            bytes that are not UTF-8 as `surrogateescape` characters.
        strip: How many leading components to take off the names, as `patch -pN` does; by
            default those that git adds, as described above.

    Returns:
        The changes to each file in the order of the patch; empty for blank text.

    Raises:
        PatchInvalidError: The text holds no patch, a binary one, or one that is damaged.
            `data["line"]` is the line of the text, counted from 1.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return _Parser(split_lines(data), strip).parse()


@dataclass(slots=True)
class _Header:
    """What the lines above the first hunk of a file say."""

    line: int
    is_git: bool = False
    old_name: bytes | None = None
    new_name: bytes | None = None
    old_stamp: bytes = b""
    new_stamp: bytes = b""
    index_name: bytes | None = None
    git_names: tuple[bytes, bytes] | None = None
    source: bytes | None = None
    target: bytes | None = None
    kind: PatchKind = "modify"
    old_mode: int | None = None
    new_mode: int | None = None
    both: tuple[bytes, ...] = ()


class _Parser:
    __slots__ = ("_at", "_has_cr", "_lines", "_strip")

    def __init__(self, lines: list[bytes], strip: int | None) -> None:
        self._lines = lines
        self._strip = strip
        self._at = 0
        self._has_cr = False

    def parse(self) -> list[FilePatch]:
        patches: list[FilePatch] = []
        index_name: tuple[bytes, int] | None = None
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith(b"diff --git "):
                patches.append(self._git_file())
            elif line.startswith(b"Index: "):
                index_name = (line[7:].strip(), self._at + 1)
                self._at += 1
                continue
            elif self._is_name_pair(self._at) and not self._is_text(self._at + 2):
                header = _Header(self._at + 1, index_name=index_name[0] if index_name else None)
                patches.append(self._plain_file(header))
            elif _HUNK.match(line):
                if not index_name:
                    self._fail("hunk without a file name above it", hint=_NAMES_HINT)
                header = _Header(index_name[1], index_name=index_name[0])
                self._has_cr = line.endswith(b"\r\n")
                patches.append(self._finish(header))
            else:
                self._check_foreign(line)
                self._at += 1
                continue
            index_name = None
        if not patches and any(line.strip() for line in self._lines):
            self._fail_empty()
        return patches

    # Headers

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

    def _plain_file(self, header: _Header) -> FilePatch:
        self._read_name_pair(header)
        return self._finish(header)

    def _read_name_pair(self, header: _Header) -> None:
        old, new = self._lines[self._at], self._lines[self._at + 1]
        self._has_cr = old.endswith(b"\r\n") and new.endswith(b"\r\n")
        header.old_name, header.old_stamp = self._name(old[4:])
        self._at += 1
        header.new_name, header.new_stamp = self._name(new[4:])
        self._at += 1
        if not self._next_hunk():
            self._fail("the file's names are not followed by a hunk", hint=_HUNK_HINT)

    def _git_file(self) -> FilePatch:
        first = self._lines[self._at]
        self._has_cr = first.endswith(b"\r\n")
        header = _Header(self._at + 1, is_git=True)
        header.git_names = self._git_names(first[11:].rstrip(b"\r\n"))
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if self._is_name_pair(self._at):
                self._read_name_pair(header)
                break
            self._check_foreign(line)
            if not self._extended(header, line.rstrip(b"\r\n")):
                break
            self._at += 1
        return self._finish(header)

    def _extended(self, header: _Header, line: bytes) -> bool:
        """Read one of git's extended header lines; say whether it was one."""
        for prefix, kind, side in _EXTENDED:
            if not line.startswith(prefix):
                continue
            rest = line[len(prefix) :]
            if kind:
                header.kind = kind
            if side in ("source", "target"):
                setattr(header, side, self._unquoted(rest))
            elif side:
                setattr(header, side, self._mode(rest))
            return True
        return False

    def _mode(self, text: bytes) -> int:
        if not re.fullmatch(rb"[0-7]{3,6}", text.strip()):
            self._fail(f"{text.decode('utf-8', 'replace')!r} is no file mode")
        return int(text, 8)

    def _name(self, text: bytes) -> tuple[bytes, bytes]:
        """Split the rest of a `---` or `+++` line into name and timestamp."""
        text = text.rstrip(b"\r\n")
        if text.startswith(b'"'):
            end = self._quote_end(text)
            return self._unquoted(text[:end]), text[end:].strip()
        name, tab, stamp = text.partition(b"\t")
        if tab:
            return name, stamp.strip()
        date = _DATE.search(name)
        if date:
            return name[: date.start()].rstrip(), date.group().strip()
        return name.rstrip(), b""

    def _git_names(self, text: bytes) -> tuple[bytes, bytes] | None:
        """Split the names of a `diff --git` line; None where that cannot be done."""
        if text.startswith(b'"'):
            end = self._quote_end(text)
            return self._unquoted(text[:end]), self._unquoted(text[end:].lstrip(b" "))
        if text.endswith(b'"') and b' "' in text:
            start = text.index(b' "')
            return text[:start], self._unquoted(text[start + 1 :])
        # Unquoted names may hold spaces; without a rename both are the same but for the
        # prefix, so they are equally long.
        middle = len(text) // 2
        old, new = text[:middle], text[middle + 1 :]
        if text[middle : middle + 1] == b" " and (old == new or old[2:] == new[2:]):
            return old, new
        parts = text.split(b" ")
        return (parts[0], parts[1]) if len(parts) == 2 else None

    def _quote_end(self, text: bytes) -> int:
        match = re.match(rb'"(?:[^"\\]|\\.)*"', text, re.DOTALL)
        if not match:
            self._fail("the quoted file name does not end")
        return match.end()

    def _unquoted(self, text: bytes) -> bytes:
        if not text.startswith(b'"'):
            return text.rstrip(b"\r\n")
        if self._quote_end(text) != len(text.rstrip()):
            self._fail("there is text after the quoted file name")
        return _ESCAPE.sub(self._escape, text.rstrip()[1:-1])

    def _escape(self, match: re.Match[bytes]) -> bytes:
        code = match.group(1)
        if code[:1].isdigit() and code[0] < 0x38:
            return bytes([int(code, 8) & 0xFF])
        if code not in _ESCAPES:
            self._fail(f"unknown escape \\{code.decode('utf-8', 'replace')} in a file name")
        return _ESCAPES[code]

    # Files

    def _finish(self, header: _Header) -> FilePatch:
        """Read the hunks below a header and put the file together."""
        kind, old, new = self._resolve(header)
        hunks: list[Hunk[bytes]] = []
        recounted: list[int] = []
        while self._next_hunk():
            hunk, agrees = self._hunk(creates=kind == "create")
            hunks.append(hunk)
            if not agrees:
                recounted.append(len(hunks))
        if kind == "modify":
            kind, old, new = _by_timestamp(header, hunks, old, new)
        self._check_sides(header, kind, hunks)
        return FilePatch(
            kind,
            None if kind == "create" else self._path(old, header.line),
            None if kind == "delete" else self._path(new, header.line),
            header.old_mode,
            header.new_mode,
            tuple(hunks),
            header.line,
            tuple(recounted),
            tuple(self._path(name, header.line) for name in header.both),
        )

    def _resolve(self, header: _Header) -> tuple[PatchKind, bytes, bytes]:
        if header.source is not None and header.target is not None:
            return header.kind, *self._stripped(header.source, header.target, less=1)
        if header.kind in ("rename", "copy"):
            self._fail(f"a {header.kind} needs both its names", line=header.line)
        old, new = header.old_name, header.new_name
        kind = header.kind
        if old == _NULL != new:
            kind = "create"
        elif new == _NULL != old:
            kind = "delete"
        if kind != "modify" and header.git_names:
            old, new = header.git_names  # here both sides show whether there are prefixes
        elif old in (None, _NULL) and new in (None, _NULL):
            old, new = header.git_names or (header.index_name, header.index_name)
        if not old or not new:
            self._fail("the file's name cannot be made out", line=header.line, hint=_NAMES_HINT)
        if self._strip is None:
            old, new = _without_prefixes(old, new, _GIT_PREFIXES if header.is_git else _PREFIXES)
        else:
            old, new = self._stripped(old, new)
        if kind == "create":
            return kind, new, new
        if kind == "delete":
            return kind, old, old
        # As in git: without a rename, differing names are one file and a backup of it.
        if old != new:
            header.both = (old, new)
        name = old if len(old) < len(new) else new
        return kind, name, name

    def _stripped(self, old: bytes, new: bytes, *, less: int = 0) -> tuple[bytes, bytes]:
        count = max(0, (self._strip or 0) - less)
        return self._strip_components(old, count), self._strip_components(new, count)

    def _strip_components(self, name: bytes, count: int) -> bytes:
        if name == _NULL:
            return name
        parts = re.split(rb"/+", name, maxsplit=count) if count else [name]
        if len(parts) <= count:
            shown = name.decode("utf-8", "replace")
            self._fail(f"{shown!r} has fewer than {count} directories to take off")
        return parts[count]

    def _check_sides(self, header: _Header, kind: PatchKind, hunks: list[Hunk[bytes]]) -> None:
        if kind == "create" and any(hunk.old_count for hunk in hunks):
            self._fail("the patch creates a file but has lines of an old one", line=header.line)
        if kind == "delete" and any(hunk.new_count for hunk in hunks):
            self._fail("the patch deletes a file but leaves lines in it", line=header.line)
        if not (hunks or header.is_git):
            self._fail("the file has no hunk", line=header.line, hint=_HUNK_HINT)

    def _path(self, name: bytes, line: int) -> str:
        path = name.decode("utf-8", "surrogateescape")
        if not path.strip("/") or "\0" in path or ".." in path.split("/"):
            self._fail(f"{path!r} is no path that a patch may touch", line=line)
        return path

    # Hunks

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
        match = _HUNK.match(header)
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
                    f"{_shown(self._lines[end])} is no line of a hunk",
                    line=end + 1,
                    hint=_LINE_HINT,
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
            self._fail("the hunk changes nothing", line=first + 1, hint=_HUNK_HINT)
        if not old_count and not creates and (old_start or not _HUNK.match(self._lines[first])):
            self._fail(
                "the hunk only adds lines, and nothing says where", line=first + 1, hint=_PLACE_HINT
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

    # Errors

    def _check_foreign(self, line: bytes) -> None:
        is_binary = line.startswith(b"Binary files ") and line.rstrip().endswith(b" differ")
        if is_binary or line.startswith(b"GIT binary patch"):
            self._fail(
                "binary patches cannot be applied",
                hint="write the file's bytes instead, and leave this file out of the patch",
            )

    def _fail_empty(self) -> NoReturn:
        hint = _NAMES_HINT
        if any(line.startswith(b"*** Begin Patch") for line in self._lines):
            hint = "this is the apply_patch format; give it to the tool of that name"
        elif any(line.startswith(b"***************") for line in self._lines):
            hint = "this is a context diff; make a unified one (diff -u)"
        self._at = 0
        self._fail("the text holds no patch", hint=hint)

    def _fail(self, what: str, *, line: int | None = None, hint: str | None = None) -> NoReturn:
        number = self._at + 1 if line is None else line
        raise PatchInvalidError(f"line {number}: {what}", hint=hint, data={"line": number})


_NAMES_HINT: Final = "start each file with the lines '--- a/PATH' and '+++ b/PATH'"
_HUNK_HINT: Final = "below the names, start each change with '@@ -LINE,COUNT +LINE,COUNT @@'"
_LINE_HINT: Final = "start each line of a hunk with ' ' (context), '-' (remove) or '+' (add)"
_PLACE_HINT: Final = "add the lines before and after as context"

_EXTENDED: Final[tuple[tuple[bytes, PatchKind | None, str | None], ...]] = (
    (b"old mode ", None, "old_mode"),
    (b"new mode ", None, "new_mode"),
    (b"deleted file mode ", "delete", "old_mode"),
    (b"new file mode ", "create", "new_mode"),
    (b"rename from ", "rename", "source"),
    (b"rename to ", "rename", "target"),
    (b"copy from ", "copy", "source"),
    (b"copy to ", "copy", "target"),
    (b"similarity index ", None, None),
    (b"dissimilarity index ", None, None),
    (b"index ", None, None),
)


def _shown(line: bytes) -> str:
    text = line.rstrip(b"\r\n").decode("utf-8", "replace")
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _without_prefixes(old: bytes, new: bytes, letters: frozenset[int]) -> tuple[bytes, bytes]:
    old_has, new_has = _has_prefix(old, letters), _has_prefix(new, letters)
    if old == _NULL:
        return old, new[2:] if new.startswith(b"b/") else new
    if new == _NULL:
        return old[2:] if old.startswith(b"a/") else old, new
    if old_has and new_has and old[0] != new[0]:
        return old[2:], new[2:]
    if old_has and old[2:] == new:
        return new, new
    if new_has and new[2:] == old:
        return old, old
    return old, new


def _has_prefix(name: bytes, letters: frozenset[int]) -> bool:
    return len(name) > 2 and name[1:2] == b"/" and name[0] in letters


def _by_timestamp(
    header: _Header, hunks: list[Hunk[bytes]], old: bytes, new: bytes
) -> tuple[PatchKind, bytes, bytes]:
    """Take a file of 1970 for one that is not there, as diff -N writes it."""
    if _is_epoch(header.old_stamp) and not any(hunk.old_count for hunk in hunks):
        return "create", new, new
    if _is_epoch(header.new_stamp) and not any(hunk.new_count for hunk in hunks):
        return "delete", old, old
    return "modify", old, new


def _is_epoch(stamp: bytes) -> bool:
    match = _EPOCH.fullmatch(stamp)
    if not match:
        return False
    minutes = int(match[1]) * 60 + int(match[2]) - (24 * 60 if stamp[:4] == b"1969" else 0)
    zone = int(match[4]) * 60 + int(match[5])
    return minutes == (zone if match[3] == b"+" else -zone)
