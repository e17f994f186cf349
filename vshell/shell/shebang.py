"""Scripts that are run by their path: what the engine is to read for them.

The engine follows `#!` lines of its own commands, and takes any other script for one of bash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vshell.shell.words import quoted

SHELLS: Final = frozenset({"bash", "sh", "dash", "ash", "ksh", "zsh", "vshell", "rbash"})

_IFS: Final = b"IFS=$' \\t\\n'; "
"""bash has this from the start; the engine gives it to the scripts that `bash FILE` runs."""


Rewrite = Callable[[str], str]


def script_of(content: bytes, is_there: Callable[[str], bool], rewrite: Rewrite) -> bytes:
    """Return what to run for a script; lines keep their numbers.

    Args:
        content: What is in the file.
        is_there: Tells whether there is a command of a name.
        rewrite: Changes the text of a shell's script for the engine.
    """
    first, _, rest = content.partition(b"\n")
    if b"\0" in first:
        return content
    if not first.startswith(b"#!"):
        return _IFS + sourced(content, rewrite)
    words = first[2:].decode("utf-8", "surrogateescape").split(None, 1)
    if not words:
        return content
    path, arguments = words[0], words[1].split() if len(words) > 1 else []
    name = path.rpartition("/")[2]
    by_name = name == "env"
    if by_name:
        arguments = [word for word in arguments if word != "-S"]
        name = arguments.pop(0) if arguments else ""
    if name in SHELLS:
        # The engine cuts a first line with `#!` off, and counts from the next one.
        return _IFS + b"\n" + sourced(rest, rewrite)
    if not is_there(name):
        return _missing(name if by_name else path, by_name=by_name)
    line = f'{name} {" ".join(arguments)} "$0" "$@"\n'
    return line.encode("utf-8", "surrogateescape")


def sourced(content: bytes, rewrite: Rewrite) -> bytes:
    """Return what to run for what `source` and `bash FILE` read."""
    text = content.decode("utf-8", "surrogateescape")
    return rewrite(text).encode("utf-8", "surrogateescape")


def _missing(interpreter: str, *, by_name: bool) -> bytes:
    if by_name:
        text = f"/usr/bin/env: \u2018{interpreter}\u2019: No such file or directory"
        return f"printf '%s\\n' {quoted(text)} >&2; exit 127\n".encode("utf-8", "surrogateescape")
    text = "cannot execute: required file not found"
    return f'printf "bash: line 1: %s: {text}\\n" "$0" >&2; exit 127\n'.encode()
