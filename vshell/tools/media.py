"""Files that a model is shown as they are: images, sounds and documents."""

from __future__ import annotations

from typing import Final

from vshell.fs.paths import split
from vshell.tools.result import Attachment

IMAGES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
}
DOCUMENTS: Final = {".pdf": "application/pdf"}
SOUNDS: Final = {
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
}


def ending_of(path: str) -> str:
    """Return what a name ends with, from its last dot on, in lower case."""
    name = split(path)[1].lower()
    dot = name.rfind(".")
    return name[dot:] if dot > 0 else ""


def attachment(path: str, data: bytes, known: dict[str, str]) -> Attachment | None:
    """Return a file as an attachment, when its name says that it is one of the known kinds."""
    media_type = known.get(ending_of(path))
    return Attachment(data, media_type, path) if media_type else None


def readable_size(size: int, units: tuple[str, ...] = ("B", "KB", "MB", "GB")) -> str:
    """Return a number of bytes as people read it."""
    if size < 1024:
        return f"{size}{units[0]}"
    value, place = float(size), 0
    while value >= 1024 and place < len(units) - 1:
        value, place = value / 1024, place + 1
    return f"{value:.1f}{units[place]}"
