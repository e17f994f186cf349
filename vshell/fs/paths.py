"""Paths as callers give them, and names as the database has them.

A path is text: bytes that are no UTF-8 travel in it as lone surrogates, as Python
itself does it with the host's file names (PEP 383). A name is bytes.
"""

from __future__ import annotations

import os

from vshell.errors import InvalidPathError, NameTooLongError
from vshell.limits import MAX_NAME_BYTES, MAX_PATH_BYTES

PathLike = str | os.PathLike[str]


def absolute(path: PathLike, cwd: str = "/") -> str:
    """Return `path` from the root, without empty and `.` segments and without a final slash.

    `..` stays: what it means depends on the links before it (see `tree.py`).

    Args:
        path: A POSIX path, absolute or relative to `cwd`.
        cwd: An absolute path.

    Raises:
        InvalidPathError: The path is empty, holds a NUL, or is text that stands for no bytes.
        NameTooLongError: A segment has more than 255 bytes, or the whole more than 4,096.
    """
    text = path if type(path) is str else _text(path)
    if not text:
        raise InvalidPathError("the path is empty", path=text, hint="use / for the root")
    if text[0] != "/":
        text = f"{cwd}/{text}"
    if len(text) > MAX_NAME_BYTES or not text.isascii() or "\0" in text:
        text = _checked(text)
    if "//" in text or "/." in text or text[-1] == "/":
        return "/" + "/".join(part for part in text.split("/") if part not in ("", "."))
    return text


def lexical(path: PathLike, cwd: str = "/") -> str:
    """Return `absolute(path, cwd)` with each `..` and the segment before it dropped."""
    text = absolute(path, cwd)
    if "/.." not in text:
        return text
    kept: list[str] = []
    for part in text.split("/"):
        if part == "..":
            kept[-1:] = []
        elif part:
            kept.append(part)
    return "/" + "/".join(kept)


def join(directory: str, name: str) -> str:
    """Return the path of `name` in `directory`."""
    return f"/{name}" if directory == "/" else f"{directory}/{name}"


def split(path: str) -> tuple[str, str]:
    """Return the directory and the name of a normalised path; the root's name is empty."""
    directory, _, name = path.rpartition("/")
    return directory or "/", name


def is_below(path: str, directory: str) -> bool:
    """Tell whether `path` lies in the tree below `directory`, or is it."""
    return directory in ("/", path) or path.startswith(directory + "/")


def encode(text: str) -> bytes:
    """Return the bytes that a name or path stands for."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """Return the text that stands for the bytes of a name or path."""
    return data.decode("utf-8", "surrogateescape")


def _text(path: object) -> str:
    given = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(given, str):
        raise InvalidPathError(
            f"a path is str or os.PathLike[str], not {type(given).__name__}",
            hint="decode bytes with os.fsdecode",
        )
    return str.__str__(given)  # an enum's own `__str__` is not its value


def _checked(text: str) -> str:
    """Return the text in the one spelling that its bytes have, if they can be a path."""
    if "\0" in text:
        raise InvalidPathError("the path holds a NUL byte", path=_start(text), hint="remove it")
    try:
        data = encode(text)
    except UnicodeEncodeError:
        raise InvalidPathError(
            "the path holds a character that stands for no bytes (a lone surrogate)",
            path=_start(text).encode("utf-8", "replace").decode(),
            hint="undecodable bytes are U+DC80 to U+DCFF",
        ) from None
    if len(data) > MAX_PATH_BYTES:
        raise NameTooLongError(
            f"the path has {len(data)} bytes; {MAX_PATH_BYTES} are allowed",
            path=_start(text),
            hint="change the working directory, or use shorter names",
        )
    longest = max(data.split(b"/"), key=len)
    if len(longest) > MAX_NAME_BYTES:
        raise NameTooLongError(
            f"a name in the path has {len(longest)} bytes; {MAX_NAME_BYTES} are allowed",
            path=_start(text),
            hint="use a shorter name",
        )
    # Surrogates that together stand for a valid character are that character: else one
    # file would have two paths, and the caches and comparisons go by paths.
    return decode(data)


def _start(text: str) -> str:
    return text if len(text) < 400 else text[:100] + "..."
