"""`read` of the `computer` profile: a window of lines with two ways to go on, or media."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import NotDirectoryError, NotFoundError
from vshell.ops.context import Context
from vshell.tools.profile import Arguments

_MARKER: Final = "... (truncated)"
_SNIFFED_BYTES: Final = 512
_MEDIA: Final = {
    ".png": ("image", "image/png"),
    ".jpg": ("image", "image/jpeg"),
    ".jpeg": ("image", "image/jpeg"),
    ".gif": ("image", "image/gif"),
    ".webp": ("image", "image/webp"),
    ".pdf": ("file", "application/pdf"),
}
_TEXT_ENDINGS: Final = tuple(
    f".{ending}"
    for ending in (
        *("c", "cc", "cpp", "conf", "css", "csv", "env", "go", "h", "html", "ini", "java", "js"),
        *("json", "jsonc", "jsx", "lock", "log", "md", "mjs", "php", "py", "rb", "rs", "sh"),
        *("sql", "svg", "toml", "ts", "tsx", "txt", "xml", "yaml", "yml", "zig"),
    )
)
_TEXT_NAMES: Final = (
    *(".dockerignore", ".editorconfig", ".env", ".gitattributes", ".gitignore", ".npmrc"),
    *("dockerfile", "makefile"),
)
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF87a", ".gif"),
    (b"GIF89a", ".gif"),
    (b"%PDF-", ".pdf"),
)


@dataclass
class _Window:
    """The lines that are returned, as they are collected."""

    lines: list[str]
    size: int = 0
    next_byte: int | None = None


class ReadTool:
    """The tool; the arguments are those of `computer_profile`."""

    def __init__(
        self,
        context: Context,
        *,
        max_lines: int,
        max_bytes: int,
        line_numbers: bool,
        line_truncation: Mapping[str, int] | None,
        max_model_bytes: int,
    ) -> None:
        self._context = context
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._line_numbers = line_numbers
        self._line_truncation = dict(line_truncation or {})
        self._max_model_bytes = max_model_bytes

    def run(self, given: Arguments) -> dict[str, Any]:
        path = given["path"]
        start_byte = given.get("byteOffset", 0)
        if start_byte and "offset" not in given:
            return {"error": "offset is required when byteOffset is greater than zero"}
        where = self._context.resolve(path)
        try:
            data, stat = self._context.files.read_with_stat(where)
        except (NotFoundError, NotDirectoryError, IsADirectoryError):
            return {"error": f"File not found: {path}"}
        self._context.note_read(where, stat.hash)
        media = None if start_byte else _media(path, data)
        return self._attach(path, data, *media) if media else self._page(given, data)

    def _attach(self, path: str, data: bytes, kind: str, media_type: str) -> dict[str, Any]:
        result: dict[str, Any] = {
            "kind": kind,
            "path": path,
            "name": path.rpartition("/")[2],
            "mediaType": media_type,
            "sizeBytes": len(data),
        }
        if kind == "binary":
            return result | {"unsupported": True}
        if not data:
            return {"error": f"Cannot attach empty file: {path}"}
        if len(data) <= self._max_model_bytes:
            result["data"] = base64.b64encode(data).decode()
        return result

    def _page(self, given: Arguments, data: bytes) -> dict[str, Any]:
        path = given["path"]
        start_line, start_byte = given.get("offset", 1), given.get("byteOffset", 0)
        if not data:
            return _result(path, [], 1, 0)
        line = start_line if start_byte else 1
        position = start_byte
        while line < start_line and position < len(data):
            newline = data.find(b"\n", position)
            position = len(data) if newline < 0 else newline + 1
            line += 1
        if position >= len(data):
            if start_byte:
                return {"error": f"Byte continuation {start_byte} is beyond end of file"}
            return {"error": f"Offset {start_line} is beyond end of file ({line - 1} line(s))"}
        limit = min(given.get("limit", self._max_lines), self._max_lines)
        window = self._collect(data, position, start_line, limit)
        if window is None:
            return {
                "error": f"Line {start_line} exceeds the {self._max_bytes}-byte read cap. The host"
                " must increase maxBytes, reduce lineTruncation, or provide a byte-oriented tool."
            }
        end = start_line + len(window.lines) - 1
        if window.next_byte is None:
            return _result(path, window.lines, start_line, end)
        more = {"totalLines": None, "truncated": True, "nextOffset": end + 1}
        return (
            _result(path, window.lines, start_line, end)
            | more
            | {"nextByteOffset": window.next_byte}
        )

    def _collect(self, data: bytes, position: int, number: int, limit: int) -> _Window | None:
        """Return the lines from a position on; None when the first alone is too long."""
        window = _Window([])
        while position < len(data):
            newline = data.find(b"\n", position)
            end = len(data) if newline < 0 else newline
            text = self._rendered(data[position:end], number + len(window.lines))
            size = len(text.encode()) + (1 if window.lines else 0)
            if not window.lines and size > self._max_bytes:
                return None
            if len(window.lines) >= limit or window.size + size > self._max_bytes:
                window.next_byte = position
                break
            window.lines.append(text)
            window.size += size
            position = end + 1
        return window

    def _rendered(self, line: bytes, number: int) -> str:
        text = self._shortened(line)
        return f"{number}\t{text}" if self._line_numbers else text

    def _shortened(self, line: bytes) -> str:
        most_bytes = self._line_truncation.get("bytes")
        most_characters = self._line_truncation.get("chars")
        if most_bytes is not None and len(line) > most_bytes:
            return _whole_characters(line[:most_bytes]) + _MARKER
        text = line.decode("utf-8", "replace")
        if most_characters is not None and len(text) > most_characters:
            return text[:most_characters] + _MARKER
        return text


def _result(path: str, lines: list[str], start: int, end: int) -> dict[str, Any]:
    return {
        "path": path,
        "content": "\n".join(lines),
        "startLine": start,
        "endLine": end,
        "totalLines": end,
        "truncated": False,
    }


def _whole_characters(data: bytes) -> str:
    """Return text without the character that the end may have cut."""
    for end in range(len(data), max(-1, len(data) - 4), -1):
        try:
            return data[:end].decode()
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def _media(path: str, data: bytes) -> tuple[str, str] | None:
    """Return kind and media type of what is no text."""
    name = path.rpartition("/")[2].lower()
    dot = name.rfind(".")
    ending = name[dot:] if dot > 0 else ""
    if ending in _MEDIA:
        return _MEDIA[ending]
    if ending in _TEXT_ENDINGS or name in _TEXT_NAMES:
        return None
    head = data[:_SNIFFED_BYTES]
    for signature, known in _SIGNATURES:
        if head.startswith(signature):
            return _MEDIA[known]
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _MEDIA[".webp"]
    return None if _looks_like_text(head) else ("binary", "application/octet-stream")


def _looks_like_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    text = head.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if bad < 0.01 * len(text) or not text:
        return True
    return bad <= 2 and any(
        character != "\ufffd" and (character >= " " or character in "\n\r\t") for character in text
    )
