"""Patches, read file by file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vshell.text.patchfile.hunk_reader import HUNK, HUNK_HINT, NAMES_HINT, HunkReader
from vshell.text.patchfile.model import FilePatch, PatchKind
from vshell.text.patchfile.names import (
    DATE,
    GIT_PREFIXES,
    NULL,
    PREFIXES,
    is_epoch,
    without_prefixes,
)
from vshell.text.unified import Hunk, split_lines

_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPES: Final = {
    b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r",
    b'"': b'"', b"\\": b"\\",
}  # fmt: skip


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


class _Parser(HunkReader):
    __slots__ = ("_strip",)

    def __init__(self, lines: list[bytes], strip: int | None) -> None:
        super().__init__(lines)
        self._strip = strip

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
            elif HUNK.match(line):
                if not index_name:
                    self._fail("hunk without a file name above it", hint=NAMES_HINT)
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
            self._fail("the file's names are not followed by a hunk", hint=HUNK_HINT)

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
        date = DATE.search(name)
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
        if old == NULL != new:
            kind = "create"
        elif new == NULL != old:
            kind = "delete"
        if kind != "modify" and header.git_names:
            old, new = header.git_names  # here both sides show whether there are prefixes
        elif old in (None, NULL) and new in (None, NULL):
            old, new = header.git_names or (header.index_name, header.index_name)
        if not old or not new:
            self._fail("the file's name cannot be made out", line=header.line, hint=NAMES_HINT)
        if self._strip is None:
            old, new = without_prefixes(old, new, GIT_PREFIXES if header.is_git else PREFIXES)
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
        if name == NULL:
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
            self._fail("the file has no hunk", line=header.line, hint=HUNK_HINT)

    def _path(self, name: bytes, line: int) -> str:
        path = name.decode("utf-8", "surrogateescape")
        if not path.strip("/") or "\0" in path or ".." in path.split("/"):
            self._fail(f"{path!r} is no path that a patch may touch", line=line)
        return path

    # Hunks

    # Errors


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


def _by_timestamp(
    header: _Header, hunks: list[Hunk[bytes]], old: bytes, new: bytes
) -> tuple[PatchKind, bytes, bytes]:
    """Take a file of 1970 for one that is not there, as diff -N writes it."""
    if is_epoch(header.old_stamp) and not any(hunk.old_count for hunk in hunks):
        return "create", new, new
    if is_epoch(header.new_stamp) and not any(hunk.new_count for hunk in hunks):
        return "delete", old, old
    return "modify", old, new
