"""Errors in the words of the GNU tools, and names quoted as these quote them.

Three ways of quoting exist, as in gnulib's `quotearg`: `quote` is always in quotes
('x'), `quote_if_needed` only where a shell would need them, and `quote_typographic` is
for what is no file name (‘x’). All three make control characters visible.
"""

from __future__ import annotations

import errno
from typing import Final

from vshell.errors import VshellError

REASONS: Final[dict[int, str]] = {
    errno.EPERM: "Operation not permitted",
    errno.ENOENT: "No such file or directory",
    errno.EIO: "Input/output error",
    errno.EBADF: "Bad file descriptor",
    errno.EACCES: "Permission denied",
    errno.EBUSY: "Device or resource busy",
    errno.EEXIST: "File exists",
    errno.ENOTDIR: "Not a directory",
    errno.EISDIR: "Is a directory",
    errno.EINVAL: "Invalid argument",
    errno.EFBIG: "File too large",
    errno.EROFS: "Read-only file system",
    errno.EPIPE: "Broken pipe",
    errno.ENAMETOOLONG: "File name too long",
    errno.ENOSYS: "Function not implemented",
    errno.ENOTEMPTY: "Directory not empty",
    errno.ELOOP: "Too many levels of symbolic links",
    errno.EILSEQ: "Invalid or incomplete multibyte or wide character",
    errno.ENOBUFS: "No buffer space available",
    errno.ETIMEDOUT: "Connection timed out",
    errno.ESTALE: "Stale file handle",
    errno.ECANCELED: "Operation canceled",
    errno.EDQUOT: "Disk quota exceeded",
}
"""glibc's texts: `os.strerror` has others on other systems."""

_OWN_WORDS: Final = frozenset({"not_read", "stale", "conflict", "timeout", "unavailable"})
"""Errors that no tool of a real system has: their own message says more."""

_SHELL_SPECIAL: Final = frozenset(" \t\n!\"$&'()*;<=>?[\\^`|")
_NOT_IN_DOUBLE_QUOTES: Final = frozenset('!"$&()*;<=>?[\\^`|{}~#')
_ESCAPES: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}


def reason(error: BaseException) -> str:
    """Return why something failed, as `strerror` says it."""
    if isinstance(error, VshellError):
        if error.code in _OWN_WORDS:
            return error.message
        if error.code == "invalid_path" and error.filename == "":
            return REASONS[errno.ENOENT]
    number = getattr(error, "errno", None)
    return REASONS.get(number, str(error)) if isinstance(number, int) else str(error)


def named_reason(error: VshellError) -> str:
    """Return the path that something failed on, and why."""
    if error.code in _OWN_WORDS or error.filename is None:
        return error.message
    return f"{quote_if_needed(error.filename)}: {reason(error)}"


def quote(name: str) -> str:
    """Return a file name in quotes, as in `cannot access 'x'`."""
    if all(map(_is_printable, name)):
        if "'" not in name:
            return f"'{name}'"
        if _NOT_IN_DOUBLE_QUOTES.isdisjoint(name.lstrip("#~") if name[0] in "#~" else name):
            return f'"{name}"'
    return _escaped(name)


def quote_if_needed(name: str, *, colon: bool = True) -> str:
    """Return a file name as it is, or in quotes when a shell would need them.

    Args:
        name: The file name.
        colon: Whether a colon needs them too, as where one follows the name.
    """
    needs = (
        not name
        or name[0] in "#~"
        or name in ("{", "}")
        or not _SHELL_SPECIAL.isdisjoint(name)
        or (colon and ":" in name)
        or not all(map(_is_printable, name))
    )
    return quote(name) if needs else name


def quote_typographic(text: str) -> str:
    """Return text that is no file name in the quotes of a UTF-8 locale: ‘x’."""
    shown = "".join(
        letter if _is_printable(letter) and letter not in "\\’" else _octal(letter)
        for letter in text
    )
    return f"‘{shown}’"


def _is_printable(letter: str) -> bool:
    return letter == "\u3000" or letter.isprintable()


def _octal(letter: str) -> str:
    if letter == "’":
        return "\\’"
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogateescape"))


def _escaped(name: str) -> str:
    """Quote as a shell reads it: 'a'$'\\n''b'."""
    out, hidden = "'", False
    for letter in name:
        if not _is_printable(letter):
            out += ("" if hidden else "'$'") + _octal(letter)
            hidden = True
            continue
        out += ("''" if hidden else "") + ("'\\''" if letter == "'" else letter)
        hidden = False
    return out + "'"
