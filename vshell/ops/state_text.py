"""How the scripting API takes paths and turns bytes into text and back.

Text is UTF-8. Reading never fails: what is no UTF-8 becomes U+FFFD, as in a
`TextDecoder`. Writing never fails either: half of a surrogate pair becomes U+FFFD, as in
a `TextEncoder`. Where a file is changed, bytes outside the change stay what they were.
"""

from __future__ import annotations

import re
from typing import Final

from vshell.errors import InvalidPathError, NotFoundError, TooLargeError
from vshell.fs.paths import lexical
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops.context import Context

_MARK: Final = "\ufeff"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def resolve(context: Context, path: str) -> str:
    """Return a path from the root: `..` takes a name back, the empty path is the directory.

    Raises:
        InvalidPathError, NameTooLongError: It can be no path.
    """
    return lexical(path or ".", context.cwd)


def resolve_named(context: Context, path: str) -> str:
    """Return the same, for what goes away: there, no name at all is a mistake.

    Raises:
        InvalidPathError: The path is empty, too.
    """
    if not path:
        raise InvalidPathError("the path is empty", hint="name what is meant")
    return resolve(context, path)


def read_whole(context: Context, where: str) -> bytes:
    """Return a file's bytes.

    Raises:
        TooLargeError: It has more than 64 MiB.
        IsDirectoryError: It is a directory.
        NotFoundError: It does not exist.
    """
    check_size(context.files.stat(where).size, where)
    return context.files.read(where)


def check_size(size: int, where: str) -> None:
    """Make sure that a file can be taken as a whole.

    Raises:
        TooLargeError: It has more than 64 MiB.
    """
    if size > MAX_TEXT_BYTES:
        raise TooLargeError(
            f"the file has {size} bytes, too many to take as a whole: {where}",
            path=where,
            hint=f"at most {MAX_TEXT_BYTES} can be; take it in parts",
        )


def read_if_there(context: Context, where: str) -> bytes | None:
    """Return a file's bytes, or None when there is no such file; errors as `read_whole`."""
    try:
        return read_whole(context, where)
    except NotFoundError:
        return None


def as_text(data: bytes) -> str:
    """Return bytes as text, without a byte-order mark."""
    return data.decode("utf-8", "replace").removeprefix(_MARK)


def as_bytes(text: str) -> bytes:
    """Return text as bytes."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return _SURROGATE.sub("\ufffd", joined).encode()
