"""Telling what kind of file a file is."""

from __future__ import annotations

from dataclasses import dataclass

from vshell.fs.paths import PathLike, split
from vshell.ops.context import Context
from vshell.record import Record
from vshell.text.media_types import SNIFFED_BYTES, extension_of, media_type


@dataclass(frozen=True, slots=True)
class DetectResult(Record):
    """What a file is.

    Attributes:
        path: Its path from the root.
        mime: Its media type, such as `"text/html"`.
        description: The media type, and the extension in brackets if there is one.
        extension: What follows the last dot of its name, in lower case; None without one.
        binary: Whether its bytes are no text.
    """

    path: str
    mime: str
    description: str
    extension: str | None
    binary: bool


def detect(context: Context, path: PathLike) -> DetectResult:
    """Tell what kind of file a file is, from its first 8 KiB and its name.

    First bytes of a known format decide before the extension. Without either, it is
    `text/plain`, or `application/octet-stream` when it has control characters.

    Args:
        path: The file.

    Raises:
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    where = context.resolve(path)
    extension = extension_of(split(where)[1])
    found = media_type(context.files.read(where, 0, SNIFFED_BYTES), extension)
    description = f"{found.name} ({extension})" if extension else found.name
    return DetectResult(where, found.name, description, extension, found.binary)
