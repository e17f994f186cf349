"""The file tools of Anthropic's agent toolset (`agent_toolset_20260401`) on a workspace.

Texts and limits are those of `anthropic.lib.tools.agent_toolset`, which the tests compare
with. Nothing here needs the package.
"""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from vshell.errors import (
    BadPatternError,
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    PermissionDeniedError,
    SymlinkLoopError,
    VshellError,
)
from vshell.fs.paths import lexical
from vshell.ops.context import Context
from vshell.ops.glob import glob
from vshell.ops.grep import grep
from vshell.ops.write import write
from vshell.tools.executors import from_workspace, to_workspace

_MAX_BYTES: Final = 256 * 1024
_MAX_IMAGE_BYTES: Final = 5 * 1024 * 1024 // 4 * 3
_MAX_PDF_BYTES: Final = 20 * 1024 * 1024
_MAX_GREP_BYTES: Final = 100 * 1024
_MAX_LINE_BYTES: Final = 2000
_GLOBBED: Final = 200
_WALK_ENTRIES: Final = 50_000
_MATCHES: Final = 100_000
_MEDIA: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
}


class FileToolError(Exception):
    """A tool cannot do what the model wants; the text says why."""


class AgentFiles:
    """The file tools.

    Args:
        context: What they work in.
        root: Where the model sees the workspace.
    """

    def __init__(self, context: Context, *, root: str = "/") -> None:
        self._context = context
        self._root = root

    def _inside(self, path: str) -> str:
        return lexical(self._context.resolve(to_workspace(self._root, path)))

    def read(self, path: str, view_range: list[int] | None = None) -> Any:
        """Return a text file, whole or some of its lines, or an image or PDF as a block."""
        if view_range and len(view_range) != 2:
            raise FileToolError("read: view_range must be [start_line, end_line]")
        with _told("read", path):
            where = self._inside(path)
            stat = self._context.files.stat(where)
            if stat.kind != "file":
                raise FileToolError(f"read: {path}: not a regular file")
            media_type = _MEDIA.get(posixpath.splitext(path)[1].lower())
            if media_type is not None:
                if view_range:
                    raise FileToolError("read: view_range is not supported for image/PDF files")
                return [self._block(path, where, stat.size, media_type)]
            if stat.size > _MAX_BYTES and not view_range:
                raise FileToolError(
                    f"read: {path} is {stat.size} bytes, exceeds {_MAX_BYTES}-byte limit. Use the"
                    " view_range parameter to read specific line ranges, e.g. view_range: [1, 500]."
                )
            text = self._text(
                "read", path, " (binary files are only supported for image/PDF extensions)"
            )
        return text if not view_range else _lines(path, text, *view_range)

    def _block(self, path: str, where: str, size: int, media_type: str) -> dict[str, Any]:
        is_pdf = media_type == "application/pdf"
        most = _MAX_PDF_BYTES if is_pdf else _MAX_IMAGE_BYTES
        if size > most:
            raise FileToolError(
                f"read: {path} is {size} bytes, exceeds {most}-byte limit for image/PDF files."
            )
        data, _ = self._context.files.read_with_stat(where)
        encoded = base64.standard_b64encode(data).decode()
        source = {"type": "base64", "media_type": media_type, "data": encoded}
        return {"type": "document" if is_pdf else "image", "source": source}

    def _text(self, tool: str, path: str, why: str) -> str:
        data, stat = self._context.files.read_with_stat(self._inside(path))
        self._context.note_read(stat.path, stat.hash)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise FileToolError(f"{tool}: {path}: not valid UTF-8 text{why}") from None

    def write(self, path: str, content: str) -> str:
        """Write a file, with its parents."""
        with _told("write", path):
            write(self._context, self._inside(path), content)
        return f"wrote {len(content)} bytes to {path}"

    def edit(self, path: str, old: str, new: str, *, replace_all: bool) -> str:
        """Replace text that is in a file."""
        with _told("edit", path), self._context.changing("edit"):
            where = self._inside(path)
            stat = self._context.files.stat(where)
            if stat.kind != "file":
                raise FileToolError(f"edit: {path}: not a regular file")
            if stat.size > _MAX_BYTES:
                raise FileToolError(
                    f"edit: {path} is {stat.size} bytes, exceeds {_MAX_BYTES}-byte limit. The edit"
                    " tool loads the whole file and cannot modify a file this large."
                )
            text = self._text("edit", path, " (cannot edit binary files)")
            count = text.count(old)
            if not count:
                raise FileToolError(f"edit: old_string not found in {path}")
            if count > 1 and not replace_all:
                raise FileToolError(
                    f"edit: old_string appears {count} times in {path} (must be unique)"
                )
            write(self._context, where, text.replace(old, new, -1 if replace_all else 1))
        return f"edited {path} ({count} replacement(s))"

    def glob(self, pattern: str, path: str | None = None) -> str:
        """Return the paths that match, the newest first."""
        if pattern.startswith("/"):
            raise FileToolError(
                "glob: absolute pattern not permitted; pass a relative pattern (and optionally"
                " path)"
            )
        if ".." in pattern.split("/"):
            raise FileToolError("glob: '..' is not permitted in the pattern")
        with _told("glob", path or "."):
            start = self._inside(path or ".")
            found = glob(self._context, pattern, path=start, sort="newest", limit=_WALK_ENTRIES)
        shown = [from_workspace(self._root, each) for each in found.paths[:_GLOBBED]]
        return "\n".join(shown) or "no matches"

    def grep(self, pattern: str, path: str | None = None) -> str:
        """Return the lines that match, each after its path and number."""
        with _told("grep", path or "."):
            found = grep(
                self._context,
                pattern,
                path=self._inside(path or "."),
                exclude=[".git/", "node_modules/"],
                max_matches=_MATCHES,
            )
        lines: list[str] = []
        room = _MAX_GREP_BYTES
        for match in found.matches:
            if len(match.text.encode("utf-8", "surrogateescape")) > _MAX_LINE_BYTES:
                continue
            line = f"{from_workspace(self._root, match.path)}:{match.line}:{match.text}"
            room -= len(line) + 1
            if room < 0:
                lines.append(f"[output truncated at {_MAX_GREP_BYTES} bytes]")
                break
            lines.append(line)
        return "\n".join(lines) or "no matches"


def _lines(path: str, text: str, start: int, end: int) -> str:
    lines = text.split("\n")
    shown = "\n".join(lines[max(0, start - 1) : end if end > 0 else len(lines)])
    if len(shown.encode()) <= _MAX_BYTES:
        return shown
    if end - max(0, start - 1) == 1:
        raise FileToolError(
            f"read: line {end} of {path} alone exceeds {_MAX_BYTES}-byte limit. The read tool"
            " cannot return part of a line, so view_range cannot narrow this further."
        )
    raise FileToolError(
        f"read: view_range [{start}, {end}] of {path} exceeds {_MAX_BYTES}-byte limit. Narrow the"
        " view_range to read a smaller portion."
    )


@contextmanager
def _told(tool: str, path: str) -> Iterator[None]:
    """Turn errors of vshell into the SDK's texts."""
    try:
        yield
    except BadPatternError as error:
        raise FileToolError(
            f"{tool}: invalid {'regex' if tool == 'grep' else 'glob'}: {error}"
        ) from error
    except SymlinkLoopError as error:
        raise FileToolError(f"{tool}: path {path!r}: too many levels of symbolic links") from error
    except VshellError as error:
        raise FileToolError(f"{tool}: {path}: {_reason(error)}") from error


def _reason(error: VshellError) -> str:
    reasons: dict[type[VshellError], str] = {
        NotFoundError: "no such file or directory",
        NotDirectoryError: "not a directory",
        IsDirectoryError: "is a directory",
        PermissionDeniedError: "permission denied",
        ExistsError: "file already exists",
    }
    return reasons.get(type(error), str(error))
